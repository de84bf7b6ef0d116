"""Replaying a training step: the same weights, and no trace of the warm-up."""

from __future__ import annotations

from collections.abc import Callable

import torch

from mdnn_verify.anomaly import dense
from mdnn_verify.anomaly.autoencoder import FAST, AutoencoderTrainer
from mdnn_verify.anomaly.replay import Replayed
from mdnn_verify.engines.montecarlo.stream import Stream

PICTURES = torch.from_numpy(Stream("tests/replay", 0).numpy.integers(0, 256, (50, 64)).astype("uint8"))


def trainer() -> AutoencoderTrainer:
    made = AutoencoderTrainer([64, 32, 64], 256, FAST.recipe, 10)
    dense.initialise(made.layers, "tests", 0)
    return made


class Repeat:
    """A recorder without a GPU: warms up, and replays by calling the step on the recorded memory."""

    def __init__(self) -> None:
        self.recorded: list[tuple[int, ...]] = []

    def record(
        self, step: Callable[[torch.Tensor], torch.Tensor], batch: torch.Tensor
    ) -> tuple[Callable[[], object], torch.Tensor]:
        self.recorded.append(tuple(batch.shape))
        result = step(batch).clone()
        return lambda: result.copy_(step(batch)), result


def test_a_replayed_training_is_the_same_and_leaves_no_trace_of_its_warm_up() -> None:
    plain, replayed, recorder = trainer(), trainer(), Repeat()
    replayed._advance = Replayed(replayed._eager, replayed.state, recorder)
    for step, rows in enumerate(PICTURES.split(20)):
        assert torch.equal(plain.step(rows, step), replayed.step(rows, step))
    assert all(torch.equal(tensor, replayed.state()[name]) for name, tensor in plain.state().items())
    assert recorder.recorded == [(20, 64), (10, 64)]


def test_a_replay_that_forgets_to_undo_its_warm_up_would_show() -> None:
    plain, replayed = trainer(), trainer()
    replayed._advance = Replayed(replayed._eager, dict, Repeat())
    for each in (plain, replayed):
        each.step(PICTURES, 5)
    assert not torch.equal(plain.parameters, replayed.parameters)
