"""Limits and rates that are wrong by little, or only with ties, are caught."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.verdicts import Status

THEOREM = load(catalogue()["softmax/gradient_limit"])
MODULE = THEOREM.check("library_softmax_approaches_the_limit").function.__globals__
AT_INSTANCES = ["shares_are_close_in_balls", "library_softmax_approaches_the_limit", "rate_on_random_instances"]


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    found = verdict(name)
    assert found.agrees
    if THEOREM.check(name).kind == "symbolic":
        assert found.status is Status.PROVED


@pytest.mark.parametrize("name", ["shares_are_within_the_rate", *AT_INSTANCES])
@pytest.mark.parametrize(
    "target",
    [
        lambda first, k, n: 1 / (k + 1 / (k * 0 + 10**9)),
        lambda first, k, n: 1 if first else 0,
        lambda first, k, n: 0 if first else 1 / k,
        lambda first, k, n: 1 / (k * k),
    ],
    ids=["a billionth off", "all to the first", "none to the first", "1/k^2, right for k = 1"],
)
def test_wrong_limits_are_caught(name: str, target) -> None:
    assert verdict(name, target=target).refuted


@pytest.mark.parametrize(
    "name", ["shares_are_within_the_rate", "shares_are_close_in_balls", "rate_on_random_instances"]
)
@pytest.mark.parametrize(
    "rate",
    [
        lambda E, k, n: (n - k) * E - (n - k) * E / 10**4,
        lambda E, k, n: (n - k - 1) * E,
        lambda E, k, n: (n - k) * E * E,
    ],
    ids=["0.01 % less", "one entry forgotten", "squared"],
)
def test_rates_that_are_slightly_too_small_are_caught(name: str, rate) -> None:
    assert verdict(name, rate=rate).refuted


def test_a_valid_rate_that_does_not_vanish_is_caught_by_its_limit() -> None:
    """1 bounds every distance and proves no limit."""
    assert verdict("shares_are_within_the_rate", rate=lambda E, k, n: 0 * E + 1).agrees
    assert verdict("the_rate_tends_to_zero", rate=lambda E, k, n: 0 * E + 1).refuted


def test_true_variants_are_accepted() -> None:
    def sharper(E, k, n):
        """With k maximisers the rest weighs at most (n - k) E / k, both for them and for each other entry."""
        return (n - k) * E / k

    for name in ("shares_are_within_the_rate", "the_rate_tends_to_zero", *AT_INSTANCES, "winners_of_the_race"):
        assert verdict(name, rate=sharper).agrees


@pytest.mark.parametrize(
    "fault",
    [
        lambda x, beta=1.0: torch.softmax(x, -1),
        lambda x, beta=1.0: torch.nn.functional.one_hot(x.argmax(-1), x.shape[-1]).double(),
        lambda x, beta=1.0: torch.softmax((beta[:, None] * x).float(), -1).double(),
        lambda x, beta=1.0: torch.softmax(beta[:, None] * x, -1) * (1 - 1e-12),
    ],
    ids=["beta ignored", "argmax", "single precision", "a trillionth less"],
)
def test_faults_of_the_library_are_caught(monkeypatch: pytest.MonkeyPatch, fault) -> None:
    monkeypatch.setitem(MODULE, "softmax", fault)
    assert verdict("library_softmax_approaches_the_limit").refuted


def test_a_race_with_wrong_clocks_is_caught() -> None:
    """A first clock that wins 10 % less often than the bound allows."""
    claim = MODULE["race"](torch.tensor([1.0, 0.5], dtype=torch.float64), 1.0, 1, -0.1 - 0.6224593312018546)
    assert decide(claim, Context("race", alpha=1e-8)).refuted


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_agree(seed: int) -> None:
    for name in (*AT_INSTANCES, "winners_of_the_race"):
        assert verdict(name, seed).agrees
