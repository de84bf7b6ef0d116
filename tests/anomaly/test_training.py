"""The training loop: what it trains on, that it can be killed, and that nothing but its arguments decides the weights."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from mdnn_verify.anomaly import store, training
from mdnn_verify.anomaly.base import Progress, Settings
from mdnn_verify.anomaly.training import LossPoint, train
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import MdnnVerifyError, UsageError

IMAGES = torch.from_numpy(Stream("tests/training", 0).numpy.integers(0, 256, (23, 4)).astype("uint8"))
EPOCHS, BATCH = 3, 5
STEPS_PER_EPOCH = 5
STEPS = EPOCHS * STEPS_PER_EPOCH


class Memory:
    """A model whose weight depends on every batch, on its place in the order and on the step number."""

    def __init__(self, before_step: Callable[[int], None] = lambda step: None) -> None:
        self.weight, self.before_step = torch.zeros(4, dtype=torch.float64), before_step
        self.batches: list[torch.Tensor] = []

    def step(self, batch: torch.Tensor, step: int) -> torch.Tensor:
        self.before_step(step)
        self.batches.append(batch.clone())
        self.weight.mul_(1.1).add_(batch.double().mean(0) * (1 + step))
        return batch.float().mean()

    def state(self) -> dict[str, torch.Tensor]:
        return {"weight": self.weight}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        self.weight.copy_(state["weight"])


def run(
    trainer: Memory, images: torch.Tensor = IMAGES, report: Any = lambda progress: None, **changes: Any
) -> list[LossPoint]:
    """``train`` with changes of its arguments; those of Settings go there."""
    own = {field.name for field in dataclasses.fields(Settings)} - {"epochs"}
    settings = Settings(**{name: changes.pop(name) for name in list(changes) if name in own})
    arguments = {"name": "memory", "epochs": EPOCHS, "batch_size": BATCH, "configuration": {"widths": [4]}} | changes
    return train(trainer, images, settings=settings, report=report, **arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"


@pytest.fixture
def interrupted(path: Path) -> Path:
    """A checkpoint that a run left which Ctrl-C stopped within its eighth step."""
    with pytest.raises(KeyboardInterrupt):
        run(Memory(lambda step: os.kill(os.getpid(), signal.SIGINT) if step == 7 else None), checkpoint=path)
    return path


def test_every_epoch_shows_every_image_once_in_an_order_of_its_own() -> None:
    trainer = Memory()
    run(trainer)
    assert [len(batch) for batch in trainer.batches] == [5, 5, 5, 5, 3] * EPOCHS
    orders = [torch.cat(trainer.batches[e * 5 : e * 5 + 5]).tolist() for e in range(EPOCHS)]
    assert all(sorted(order) == sorted(IMAGES.tolist()) for order in orders)
    assert len({str(order) for order in [*orders, IMAGES.tolist()]}) == EPOCHS + 1


def test_seed_and_name_decide_and_nothing_else(path: Path) -> None:
    def weight(**changes: Any) -> list[float]:
        trainer = Memory()
        run(trainer, **changes)
        return trainer.weight.tolist()

    torch.manual_seed(1)
    first = weight()
    torch.manual_seed(2)
    assert weight(checkpoint=path) == first
    assert weight(seed=1) != first
    assert weight(name="other") != first


@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_weights_do_not_depend_on_when_progress_and_checkpoints_happen(
    path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    plain, trainer = Memory(), Memory()
    points = run(plain)
    monkeypatch.setattr(training, "REPORT_SECONDS", seconds)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", seconds)
    assert run(trainer, checkpoint=path) == points
    assert torch.equal(trainer.weight, plain.weight)


def test_losses_are_means_over_images() -> None:
    trainer = Memory()
    points = run(trainer)
    assert [point.epoch for point in points if point.epoch.is_integer()] == [1, 2, 3]
    assert [point.epoch for point in points] == sorted(point.epoch for point in points)
    seen = [0.0, *(point.epoch * len(IMAGES) for point in points)]
    total = sum(p.loss * (b - a) for p, a, b in zip(points, seen, seen[1:], strict=False))
    # every image is seen EPOCHS times; float32 batch means round by less than 2^-20 each
    assert total == pytest.approx(float(IMAGES.double().mean(1).sum()) * EPOCHS, rel=2**-20)


def test_progress_counts_up_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    seen: list[Progress] = []
    run(Memory(), report=seen.append)
    assert [(p.epoch, p.images) for p in seen] == [(e, n) for e in (1, 2, 3) for n in (5, 10, 15, 20, 23)]
    assert all((p.epochs, p.of_images) == (3, 23) and p.images_per_second > 0 for p in seen)


def test_progress_comes_at_the_end_of_each_epoch_however_short() -> None:
    seen: list[Progress] = []
    run(Memory(), report=seen.append)
    assert [(p.epoch, p.images) for p in seen if p.images == 23] == [(1, 23), (2, 23), (3, 23)]


def test_ctrl_c_waits_for_the_step_and_the_run_resumes_there(interrupted: Path) -> None:
    _, tensors = store.read(interrupted, "checkpoint")
    assert int(tensors["step"]) == 8  # the step in which the signal came is complete
    plain, resumed = Memory(), Memory()
    points = run(plain)
    assert run(resumed, checkpoint=interrupted) == points
    assert torch.equal(resumed.weight, plain.weight)
    assert len(resumed.batches) == STEPS - 8
    assert not interrupted.exists()


def test_ctrl_c_works_again_after_training(interrupted: Path) -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_a_report_keeps_a_checkpoint_too(path: Path) -> None:
    def report(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Memory(), report=report, checkpoint=path)
    assert path.exists()


def test_training_works_outside_the_main_thread(path: Path) -> None:
    plain, trainer = Memory(), Memory()
    thread = threading.Thread(target=run, args=(trainer,), kwargs={"checkpoint": path})
    thread.start()
    thread.join()
    run(plain)
    assert torch.equal(trainer.weight, plain.weight)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("method", {"name": "other"}),
        ("configuration", {"configuration": {"widths": [5]}}),
        ("seed", {"seed": 1}),
        ("epochs", {"epochs": 4}),
        ("batch size", {"batch_size": 6}),
        ("images", {"images": 255 - IMAGES}),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_by_the_field(
    interrupted: Path, field: str, changes: dict[str, Any]
) -> None:
    before = interrupted.read_bytes()
    with pytest.raises(UsageError, match=f"is of another run: its {field}"):
        run(Memory(), checkpoint=interrupted, **changes)
    assert interrupted.read_bytes() == before


def test_a_checkpoint_of_another_number_of_threads_is_refused(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1000)
    with pytest.raises(UsageError, match=r"its threads is [0-9]+, here it is 1000; delete it"):
        run(Memory(), checkpoint=interrupted)


def test_a_damaged_checkpoint_is_refused(interrupted: Path) -> None:
    content = bytearray(interrupted.read_bytes())
    content[-1] ^= 1
    interrupted.write_bytes(content)
    with pytest.raises(UsageError, match="has been changed"):
        run(Memory(), checkpoint=interrupted)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("step", torch.tensor(STEPS + 1), f"is at step {STEPS + 1}, expected 0 to {STEPS}"),
        ("step", torch.tensor(-1), "is at step -1"),
        ("losses", torch.zeros(STEPS + 1), "'losses' is"),
        ("state.weight", torch.zeros(5, dtype=torch.float64), "'state.weight' is"),
        ("state.more", torch.zeros(1), "not expected"),
    ],
)
def test_a_forged_checkpoint_is_refused(interrupted: Path, name: str, value: torch.Tensor, message: str) -> None:
    record, tensors = store.read(interrupted, "checkpoint")
    store.write(interrupted, "checkpoint", record, tensors | {name: value})
    with pytest.raises(UsageError, match=message):
        run(Memory(), checkpoint=interrupted)


def test_a_model_is_no_checkpoint(path: Path) -> None:
    store.write(path, "model", {}, {"weight": torch.zeros(4)})
    with pytest.raises(UsageError, match="holds a model of mdnn_verify, expected a checkpoint"):
        run(Memory(), checkpoint=path)


def test_a_checkpoint_that_cannot_be_written_is_refused_before_the_first_step(path: Path) -> None:
    trainer = Memory()
    with pytest.raises(UsageError, match="cannot write"):
        run(trainer, checkpoint=path / "absent")
    assert not trainer.batches


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs = 0, expected an integer of at least 1"),
        ({"epochs": True}, "epochs = True"),
        ({"epochs": 1.5}, r"epochs = 1\.5"),
        ({"batch_size": -1}, "batch_size = -1"),
        ({"images": IMAGES.float()}, r"are torch.float32 of shape \(23, 4\), expected uint8"),
        ({"images": IMAGES[0]}, r"of shape \(4,\)"),
        ({"images": IMAGES[:0]}, r"of shape \(0, 4\)"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(Memory(), **changes)


def test_a_lost_loss_is_an_error_that_names_the_step_and_leaves_the_checkpoint_alone(path: Path) -> None:
    class Diverging(Memory):
        def step(self, batch: torch.Tensor, step: int) -> torch.Tensor:
            return super().step(batch, step) / (0 if step == 11 else 1)

    with pytest.raises(MdnnVerifyError, match="memory diverged: the loss of step 11 is not finite"):
        run(Diverging(), checkpoint=path)
    _, tensors = store.read(path, "checkpoint")
    assert int(tensors["step"]) == 2 * STEPS_PER_EPOCH


CHILD = """
import sys, pathlib, torch
from mdnn_verify.anomaly import autoencoder, training
from mdnn_verify.anomaly.base import ImageSets, Settings
from mdnn_verify.engines.montecarlo.stream import Stream

training.CHECKPOINT_SECONDS = training.REPORT_SECONDS = 0.0
pixels = Stream("tests/kill", 0).numpy.integers(0, 256, (640, 784)).astype("uint8")
images = ImageSets("noise", "made up", *[torch.from_numpy(pixels)] * 3, 28, 28)
method, folder = autoencoder.Autoencoder("killed", autoencoder.Recipe(epochs=3)), pathlib.Path(sys.argv[1])

def report(progress):
    print(progress.epoch, progress.images, flush=True)
    if len(sys.argv) > 2 and (progress.epoch, progress.images) == (2, 200):
        sys.stdin.read()  # wait for the kill

settings = Settings(seed=5, checkpoint=folder / "checkpoint")
fitted = method.fit(images, method.split(images, 5), settings, report)
for number, tensor in enumerate(fitted.tensors().values()):
    tensor.numpy().tofile(folder / f"{number}.weights")
"""


def test_a_killed_run_resumes_to_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    def child(folder: Path, *arguments: str) -> subprocess.Popen[str]:
        folder.mkdir(exist_ok=True)
        # passive: threads that wait by spinning take minutes where other processes want the cores
        threads = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"}
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | threads
        command = [sys.executable, "-c", CHILD, str(folder), *arguments]
        return subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    with child(whole) as uninterrupted, child(killed, "wait") as victim:
        assert victim.stdout is not None
        assert "2 200\n" in iter(victim.stdout.readline, "")
        victim.send_signal(signal.SIGKILL)
        assert uninterrupted.communicate(timeout=100)[0].endswith("3 534\n")
    assert victim.returncode == -signal.SIGKILL
    assert not list(killed.glob("*.weights"))
    with child(killed) as resumed:
        steps = resumed.communicate(timeout=100)[0].splitlines()
    assert steps[0] in ("2 200", "2 300")  # the checkpoint follows the report
    weights = [sorted(folder.glob("*.weights")) for folder in (whole, killed)]
    assert len(weights[0]) == len(weights[1]) == 12
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*weights, strict=True))
