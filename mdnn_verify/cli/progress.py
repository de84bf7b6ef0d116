"""The progress bar on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mdnn_verify.verdicts import CheckResult

__all__ = ["progress"]


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
