"""Progress bars on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mdnn_verify.verdicts import CheckResult

if TYPE_CHECKING:
    from mdnn_verify.anomaly.base import Progress as Standing

__all__ = ["TrainingProgress", "progress", "training_progress"]


@contextmanager
def progress() -> Iterator[Callable[[CheckResult | None, int, int], None]]:
    """A bar that is told ``(result, done, total)``; where stderr is no terminal, only its last state prints."""
    words = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn(), words, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("loading theorems", total=None)

        def on_result(result: CheckResult | None, done: int, total: int) -> None:
            description = "checking" if result is None or done == total else result.theorem
            bar.update(task, description=description, completed=done, total=total)

        try:
            yield on_result
        except BaseException:
            bar.remove_task(task)  # the message that follows says it all
            raise


class TrainingProgress:
    """Called with a training's ``base.Progress`` every so often; ``begin`` names the next training."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.name = ""
        self.task = bar.add_task("reading the images", total=None, told="")

    def begin(self, name: str) -> None:
        """The next training."""
        self.name = name
        self.bar.update(self.task, description=name, told="fitting")

    def __call__(self, standing: Standing) -> None:
        epochs = f"epoch {standing.epoch} of {standing.epochs}, " if standing.epochs > 1 else ""
        told = f"{epochs}loss {standing.loss:.5g}, {standing.images_per_second:,.0f} images/s"
        done = (standing.epoch - 1) * standing.of_images + standing.images
        total = standing.epochs * standing.of_images
        self.bar.update(self.task, completed=done, total=total, told="scoring" if done == total else told)
        if done == total:
            self.bar.console.print(f"{self.name}: {told}", highlight=False, markup=False)


@contextmanager
def training_progress() -> Iterator[TrainingProgress]:
    """A bar with loss and images a second."""
    words = TextColumn("{task.description}", markup=False)
    told = TextColumn("{task.fields[told]}", markup=False)
    columns = (SpinnerColumn(), words, BarColumn(bar_width=20), told, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield TrainingProgress(bar)
