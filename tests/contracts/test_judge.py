"""How inputs are chosen and results are held against earlier ones, whatever the contract."""

from __future__ import annotations

import time
from typing import Any

import torch

from mdnn_verify.checking.history import equal

SOFTMAX = "softmax/gradient_is_softmax"


def kl(mu0: torch.Tensor, cov0: torch.Tensor, mu1: torch.Tensor, cov1: torch.Tensor) -> torch.Tensor:
    first, second = (torch.distributions.MultivariateNormal(*each) for each in ((mu0, cov0), (mu1, cov1)))
    return torch.distributions.kl_divergence(first, second)


def sizes(judged: Any, function: Any) -> tuple[Any, set[int]]:
    """The judgement, and the dimensions that were tried."""
    seen = set()

    def watched(mu0: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        seen.add(len(mu0))
        return function(mu0, *others)

    return judged("divergences/gaussian_kl", watched), seen


def test_a_slow_implementation_is_spared_the_largest_inputs_and_says_so(judged: Any) -> None:
    def slow(mu0: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        end = time.process_time() + (0.3 if len(mu0) == 33 else 0.0)
        while time.process_time() < end:
            pass
        return kl(mu0, *others)

    judgement, seen = sizes(judged, slow)
    assert judgement.complete
    assert judgement.finding is None
    assert (33 in seen, 65 in seen) == (True, False)
    assert any("fewer random inputs" in note for note in judgement.notes)
    judgement, seen = sizes(judged, kl)
    assert (65 in seen, judgement.finding) == (True, None)
    assert not any("fewer random inputs" in note for note in judgement.notes)


def test_what_goes_wrong_at_the_first_call_only_is_found_where_the_first_input_does_not_show_it(judged: Any) -> None:
    calls = []

    def first_reversed(x: torch.Tensor) -> torch.Tensor:
        calls.append(len(x))
        return torch.softmax(x, 0).flip(0) if len(calls) == 1 else torch.softmax(x, 0)

    judgement = judged(SOFTMAX, first_reversed)
    assert calls[0] == 1, "reversing one entry changes nothing"
    assert "depends on what was asked before" in judgement.finding.reason


def test_results_may_differ_by_what_the_laws_allow_and_no_more(judged: Any) -> None:
    def noisy(size: float) -> Any:
        turn = iter(range(10**9))

        def softmax(x: torch.Tensor) -> torch.Tensor:
            return torch.softmax(x, 0) * (1 + size * (next(turn) % 3 - 1))

        return softmax

    assert judged(SOFTMAX, noisy(2.0**-52)).finding is None
    assert judged(SOFTMAX, noisy(1e-12)).finding is not None


def test_equality_is_entry_by_entry() -> None:
    one = {"a": torch.tensor([1.0, torch.inf]), "b": torch.tensor([2, 3])}
    assert equal(one, {"a": torch.tensor([1.0, torch.inf]), "b": torch.tensor([2, 3])})
    other = {"a": torch.tensor([1.0 + 1e-6, torch.inf]), "b": torch.tensor([2, 3])}
    assert not equal(one, other)
    assert equal(one, other, 2e-6)
    assert not equal(one, {**one, "a": torch.tensor([1.0, -torch.inf])}, 2e-6)
    assert not equal(one, {**one, "a": torch.tensor([1.0, torch.nan])}, 2e-6)
    assert not equal(one, {**one, "b": torch.tensor([2])}, 2e-6)
