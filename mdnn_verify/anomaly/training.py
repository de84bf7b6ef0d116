"""One training loop for every model: order of the images, losses, progress, checkpoint and resumption.

Everything random derives from (name, seed, epoch), so that the weights depend neither on when progress is reported nor
on when a checkpoint is written, and a run that is killed and resumed ends in the weights of an uninterrupted one: bit
for bit on the CPU with the same number of threads.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch

from mdnn_verify.anomaly import store
from mdnn_verify.anomaly.base import Progress, Settings
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import MdnnVerifyError, UsageError

__all__ = ["LossPoint", "Trainer", "train"]

CHECKPOINT_SECONDS = 5.0
REPORT_SECONDS = 0.25
POINTS_PER_EPOCH = 10
STATE, LOSSES, DONE = "state.", "losses", "step"
Report = Callable[[Progress], None]


class Trainer(Protocol):
    """A model in training. ``state`` holds all that the next steps depend on, apart from batch and step number."""

    def step(self, batch: torch.Tensor, step: int) -> torch.Tensor:
        """Train on a batch, (B, pixels) uint8 on the device; its loss, 0-dim, on the device and not waited for.

        ``step`` counts from 0 through all epochs; randomness of the step derives from it. The batch's memory is reused.
        """
        ...

    def state(self) -> dict[str, torch.Tensor]:
        """Float32, float64 or int64 tensors by name; they may be views of what the next step overwrites."""
        ...

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Continue from what ``state`` gave: names, dtypes and shapes have been checked; copy, do not keep."""
        ...


@dataclass(frozen=True)
class LossPoint:
    """The mean loss of the images of a tenth of an epoch, which ends ``epoch`` epochs after the start."""

    epoch: float
    loss: float


def train(
    trainer: Trainer,
    images: torch.Tensor,
    *,
    name: str,
    settings: Settings,
    epochs: int,
    batch_size: int,
    report: Report,
    configuration: Mapping[str, Any] | None = None,
) -> list[LossPoint]:
    """Train for so many epochs, every one in an order of its own; the last batch of an epoch may be smaller.

    ``images`` are (N, pixels) uint8. ``configuration`` is what the model is built from: a checkpoint of another one is
    refused. The checkpoint, if ``settings`` names one, is resumed from, kept up to date (also on Ctrl-C) and deleted
    after success. Raises UsageError for arguments or a checkpoint that do not fit, MdnnVerifyError if the loss is lost.
    """
    run = _Run(trainer, images, name, settings, _positive("epochs", epochs), _positive("batch_size", batch_size))
    checkpoint = settings.checkpoint and _Checkpoint(settings.checkpoint, run, dict(configuration or {}))
    if checkpoint:
        checkpoint.resume()
    with _interrupts_deferred() as interrupted:
        try:
            for _ in run.steps(report):
                if interrupted:
                    raise KeyboardInterrupt
                if checkpoint:
                    checkpoint.keep()
        except KeyboardInterrupt:
            if checkpoint:
                checkpoint.write()
            raise
    if checkpoint:
        checkpoint.path.unlink(missing_ok=True)
    return run.points()


@dataclass
class _Run:
    """The loop itself; ``done`` steps have been taken and their losses are in ``losses``."""

    trainer: Trainer
    images: torch.Tensor
    name: str
    settings: Settings
    epochs: int
    batch_size: int
    done: int = 0
    losses: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 2 or not self.images.numel():
            raise UsageError(
                f"images to train on are {self.images.dtype} of shape {tuple(self.images.shape)}, expected uint8 (N, D)"
            )
        self.images = self.images.to(self.settings.device)
        self.per_epoch = math.ceil(len(self.images) / self.batch_size)
        self.losses = torch.zeros(self.epochs * self.per_epoch, device=self.images.device)

    def steps(self, report: Report) -> Iterator[None]:
        """Take the steps that remain, and yield after each, when the state is whole."""
        buffer = self.images.new_empty(min(self.batch_size, len(self.images)), self.images.shape[1])
        progress = _Reporter(self, report)
        while self.done < len(self.losses):
            epoch, first = divmod(self.done, self.per_epoch)
            order = self.order(epoch)
            for start in range(first * self.batch_size, len(order), self.batch_size):
                rows = order[start : start + self.batch_size]
                batch = buffer[: len(rows)]
                torch.index_select(self.images, 0, rows, out=batch)
                self.losses[self.done] = self.trainer.step(batch, self.done)
                self.done += 1
                progress.after_step()
                yield

    def order(self, epoch: int) -> torch.Tensor:
        """The rows of the images in the order of an epoch."""
        permutation = Stream(f"{self.name}/order", self.settings.seed, epoch).numpy.permutation(len(self.images))
        return torch.from_numpy(permutation).to(self.images.device)

    def images_seen(self, steps: int) -> int:
        """How many images so many steps have trained on, repetitions counted."""
        epochs, rest = divmod(steps, self.per_epoch)
        return epochs * len(self.images) + min(rest * self.batch_size, len(self.images))

    def expect_finite(self) -> None:
        """Raise MdnnVerifyError if a loss so far is NaN or infinite; waits for the device."""
        lost = (~self.losses[: self.done].isfinite()).nonzero()
        if len(lost):
            step = int(lost[0])
            raise MdnnVerifyError(f"the training of {self.name} diverged: the loss of step {step} is not finite")

    def points(self) -> list[LossPoint]:
        """The curve of the losses, a few points an epoch."""
        self.expect_finite()
        points, losses, last = [], self.losses.double().cpu(), 0
        for i in range(1, self.epochs * POINTS_PER_EPOCH + 1):
            step = i * self.per_epoch // POINTS_PER_EPOCH
            if step > last:
                seen = [self.images_seen(k) for k in range(last, step + 1)]
                weights = torch.tensor(seen, dtype=torch.float64).diff()
                mean = float((losses[last:step] * weights).sum() / weights.sum())
                points.append(LossPoint(seen[-1] / len(self.images), mean))
            last = step
        return points


class _Reporter:
    """Calls ``report`` every so often and at the end of each epoch. Reads the training, never touches it."""

    def __init__(self, run: _Run, report: Report) -> None:
        self.run, self.report = run, report
        self.time, self.done = time.perf_counter(), run.done

    def after_step(self) -> None:
        run, now = self.run, time.perf_counter()
        if now - self.time < REPORT_SECONDS and run.done % run.per_epoch:
            return
        run.expect_finite()
        loss = float(run.losses[self.done : run.done].mean())
        now = time.perf_counter()  # on a GPU only now has the work been done
        new = run.images_seen(run.done) - run.images_seen(self.done)
        images = run.images_seen(run.done) - (run.done - 1) // run.per_epoch * len(run.images)
        epoch = (run.done - 1) // run.per_epoch + 1
        self.report(Progress(epoch, run.epochs, images, len(run.images), loss, new / max(now - self.time, 1e-9)))
        self.time, self.done = now, run.done


class _Checkpoint:
    """The file that a run is resumed from, with all that its continuation depends on."""

    def __init__(self, path: Path, run: _Run, configuration: dict[str, Any]) -> None:
        self.path, self.run = path, run
        self.time = time.perf_counter()
        self.record = {
            "method": run.name,
            "configuration": configuration,
            "seed": run.settings.seed,
            "epochs": run.epochs,
            "batch size": run.batch_size,
            "images (SHA-256)": store.digest(run.images),
            "device": str(run.images.device),
            # another number of threads, or a wider vector, adds the same terms in another order
            "threads": torch.get_num_threads(),
            "instruction set": torch.backends.cpu.get_cpu_capability(),
            "torch": torch.__version__,
        }

    def keep(self) -> None:
        """Write if an epoch has ended or the last write is some seconds old."""
        if self.run.done % self.run.per_epoch == 0 or time.perf_counter() - self.time > CHECKPOINT_SECONDS:
            self.write()

    def write(self) -> None:
        """Write now."""
        self.run.expect_finite()
        state = {STATE + name: tensor for name, tensor in self.run.trainer.state().items()}
        done = torch.tensor(self.run.done)
        store.write(self.path, "checkpoint", self.record, {**state, LOSSES: self.run.losses, DONE: done})
        self.time = time.perf_counter()

    def resume(self) -> None:
        """Load the file if it exists, else begin it. Raises UsageError, naming what differs, for one of another run."""
        if not self.path.exists():
            self.write()  # a folder that is missing or write-protected shows now, not after minutes of work
            return
        record, tensors = store.read(self.path, "checkpoint")
        for field_name, value in self.record.items():
            if record.get(field_name) != value:
                raise UsageError(
                    f"the checkpoint {self.path} is of another run: its {field_name} is "
                    f"{record.get(field_name)!r}, here it is {value!r}; delete it to start afresh"
                )
        state = {STATE + name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in self.run.trainer.state().items()}
        own = {LOSSES: (torch.float32, tuple(self.run.losses.shape)), DONE: (torch.int64, ())}
        store.expect_tensors(f"the checkpoint {self.path}", tensors, {**state, **own})
        self._load(tensors)

    def _load(self, tensors: Mapping[str, torch.Tensor]) -> None:
        done = int(tensors[DONE])
        if not 0 <= done <= len(self.run.losses):
            raise UsageError(f"the checkpoint {self.path} is at step {done}, expected 0 to {len(self.run.losses)}")
        self.run.done = done
        self.run.losses.copy_(tensors[LOSSES])
        state = {name.removeprefix(STATE): tensor for name, tensor in tensors.items() if name.startswith(STATE)}
        self.run.trainer.load_state(state)


@contextmanager
def _interrupts_deferred() -> Iterator[list[int]]:
    """Ctrl-C between two steps, not within one, where the state is half old, half new; the list is then not empty."""
    interrupted: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    # Python delivers Ctrl-C to the main thread only; where it is ignored it stays so
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield interrupted
        return

    def note(number: int, frame: FrameType | None) -> None:
        interrupted.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _positive(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{name} = {value!r}, expected an integer of at least 1")
    return value
