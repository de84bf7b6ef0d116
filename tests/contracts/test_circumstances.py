"""The same numbers laid out otherwise, and under no_grad: what answers wrongly there is refuted, what refuses is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from mdnn_verify.checking.circumstances import Strided, Ungraded, strided
from mdnn_verify.checking.pasting import snippet

SOFTMAX = "softmax/gradient_is_softmax"


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 3, 2)])
def test_the_same_numbers_lie_otherwise(shape: tuple[int, ...]) -> None:
    value = torch.rand(shape, dtype=torch.float64)
    for one, other in ((value, strided(value)), (value.numpy(), strided(value.numpy()))):
        assert type(one) is type(other)
        assert one.shape == other.shape
        assert one.tolist() == other.tolist()
    if value.numel() > 1:
        assert not strided(value).is_contiguous()
        assert not strided(value).permute(*range(value.ndim)[::-1]).is_contiguous()
        assert not strided(value.numpy()).flags["FORC"]


def test_lists_are_laid_out_item_by_item_and_other_values_pass() -> None:
    weights, bias, sigma = strided([torch.ones(3), torch.ones(2)]), strided(0.5), strided(torch.relu)
    assert [w.stride() for w in weights] == [(2,), (2,)]
    assert (bias, sigma) == (0.5, torch.relu)


def test_a_gradient_flows_through_the_other_layout() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    Strided(lambda y: (y * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum())(x).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[1, 2], [3, 4]]


def test_methods_are_called_otherwise_too() -> None:
    class Layer:
        def __call__(self, x: torch.Tensor) -> bool:
            return torch.is_grad_enabled()

        def inverse(self, z: torch.Tensor) -> tuple[bool, bool]:
            return torch.is_grad_enabled(), z.is_contiguous()

    z = torch.ones(2, 3)
    assert Layer()(z)
    assert not Ungraded(Layer())(z)
    assert Layer().inverse(z) == (True, True)
    assert Ungraded(Layer()).inverse(z) == (False, True)
    assert Strided(Layer()).inverse(z) == (True, False)
    assert not hasattr(Strided(Layer()), "forward")


def by_memory(x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(torch.as_strided(x, (len(x),), (1,)), 0)


def without_a_gradient(x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x, 0) if torch.is_grad_enabled() else torch.softmax(x, 0).roll(1)


@pytest.mark.parametrize(
    ("function", "words"), [(by_memory, "tensors that are not contiguous"), (without_a_gradient, "torch.no_grad()")]
)
def test_a_wrong_answer_is_refuted_by_what_can_be_pasted_and_is_smallest(
    judged: Any, function: Any, words: str
) -> None:
    judgement = judged(SOFTMAX, function)
    assert words in judgement.finding.reason
    assert len(judgement.finding.arguments["x"]) == 2, "one entry has probability 1, wherever it lies"
    names: dict[str, Any] = {"subject": function}
    exec(snippet("", judgement.finding.arguments, judgement.finding.shown), names)
    assert names["observed"] != names["expected"]


def test_a_refusal_is_noted_and_not_held_against_it(judged: Any) -> None:
    def refuses(x: torch.Tensor) -> torch.Tensor:
        if not (x.is_contiguous() and torch.is_grad_enabled()):
            raise ValueError("not so")
        return torch.softmax(x, 0)

    judgement = judged(SOFTMAX, refuses)
    assert judgement.complete
    assert judgement.finding is None
    assert sum("not so" in note for note in judgement.notes) == 2
    assert not judged(SOFTMAX, lambda x: torch.softmax(x, 0)).notes


def test_an_array_laid_out_otherwise(judged: Any) -> None:
    def solve(payoff: np.ndarray) -> Any:
        m, n = payoff.shape
        table = np.lib.stride_tricks.as_strided(payoff, (m, n), (8 * n, 8))
        one = linprog([*np.zeros(m), 1], np.c_[table.T, -np.ones(n)], np.zeros(n), [[1] * m + [0]], [1],
                      [(0, None)] * m + [(None, None)])  # fmt: skip
        two = linprog([*np.zeros(n), -1], np.c_[-table, np.ones(m)], np.zeros(m), [[1] * n + [0]], [1],
                      [(0, None)] * n + [(None, None)])  # fmt: skip
        return one.x[:-1], two.x[:-1]

    judgement = judged("games/rps_minimax_unique", solve)
    assert "not contiguous" in judgement.finding.reason
