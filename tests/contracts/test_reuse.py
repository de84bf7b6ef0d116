"""The same tensors handed again: what remembers them by identity or piles up in them is refuted, a view of them is not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mdnn_verify.checking.pasting import snippet
from mdnn_verify.checking.reuse import AGAIN, ANEW, refill
from mdnn_verify.checking.subject import load

GAMES = Path(__file__).parent.parent / "subjects" / "games" / "rps_minimax_unique.py"


def remembers(function: Any) -> Any:
    """By the identity of the first argument, which is kept alive so that no other can have it."""
    known: dict[int, tuple[Any, Any]] = {}

    def remembered(*arguments: Any) -> Any:
        return known.setdefault(id(arguments[0]), (arguments[0], function(*arguments)))[1]

    return remembered


def shown(judgement: Any, subject: Any) -> tuple[Any, Any]:
    lines = snippet("", judgement.finding.arguments, judgement.finding.shown)
    names: dict[str, Any] = {"subject": subject}
    exec(lines, names)
    return names["observed"], names["expected"]


def test_a_memory_by_identity_is_refuted(judged: Any) -> None:
    def softmax(x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x, -1)

    judgement = judged("softmax/gradient_is_softmax", remembers(softmax))
    assert judgement.finding.reason == ANEW
    observed, expected = shown(judgement, remembers(softmax))
    assert observed != expected


def test_a_memory_by_identity_of_an_array_is_refuted(judged: Any) -> None:
    solve = load(f"{GAMES}:right_two_programmes")
    assert judged("games/rps_minimax_unique", solve).finding is None
    judgement = judged("games/rps_minimax_unique", remembers(solve))
    assert judgement.finding.reason == ANEW
    observed, expected = shown(judgement, remembers(solve))
    assert observed != expected


def test_gradients_that_pile_up_in_an_argument_are_refuted(judged: Any) -> None:
    def softmax(x: torch.Tensor) -> torch.Tensor:
        torch.logsumexp(x.requires_grad_(), -1).backward()
        return x.grad

    judgement = judged("softmax/gradient_is_softmax", softmax)
    assert judgement.finding.reason == AGAIN
    observed, expected = shown(judgement, softmax)
    assert observed == [2 * value for value in expected]


def test_a_result_that_is_a_view_of_its_argument_is_right(judged: Any) -> None:
    def upsample(X: torch.Tensor, r: int) -> torch.Tensor:
        return X if r == 1 else X.repeat_interleave(r, 2).repeat_interleave(r, 3)

    assert judged("convolution/nearest_upsample_is_transposed_conv", upsample).finding is None


def test_refilling_keeps_the_objects_and_takes_the_numbers() -> None:
    held = [torch.zeros(2, requires_grad=True), [np.zeros(1), torch.zeros(1)], 1.0]
    first, (second, third), _ = held
    refill(held, copy.deepcopy([torch.ones(2), [np.ones(1), torch.ones(1)], 2.0]))
    assert held[0] is first
    assert held[1][0] is second  # type: ignore[index]
    assert (first.tolist(), second.tolist(), third.tolist(), held[2]) == ([1, 1], [1], [1], 2.0)
