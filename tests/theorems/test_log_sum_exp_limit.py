"""Ends, gaps and normalisations that are wrong by little or in one place are caught; true variants are not."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.verdicts import Status

THEOREM = load(catalogue()["softmax/log_sum_exp_limit"])
MODULE = THEOREM.check("library_computes_nu").function.__globals__
NAMES = [check.name for check in THEOREM.checks]
AT_INSTANCES = ["both_bounds_hold_in_balls", "nu_approaches_the_maximum", "bounds_on_random_instances"]


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", NAMES)
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


def test_status_is_proved_where_proof_is_claimed() -> None:
    for check in THEOREM.checks:
        if check.kind == "symbolic":
            assert verdict(check.name).status is Status.PROVED


def test_for_negative_beta_every_exponent_is_largest_at_the_minimum() -> None:
    """Half of a true neighbour: there the sum is governed by the minimum, and nu lies below it, not above."""
    for name in ("no_exponent_exceeds_that_of_the_maximum", "factoring_out_the_maximum"):
        assert verdict(name, sign=-1, end=MODULE["minimum"]).agrees
    for name in ("nu_lies_between_the_bounds", *AT_INSTANCES):
        assert verdict(name, sign=-1, end=MODULE["minimum"]).refuted


@pytest.mark.parametrize(
    "gap",
    [lambda log_n, beta: log_n / (beta + 1), lambda log_n, beta: log_n / beta - log_n / 10**6],
    ids=["beta + 1", "a millionth of log n"],
)
def test_gaps_that_are_slightly_too_small_are_caught(gap) -> None:
    assert verdict("nu_lies_between_the_bounds", gap=gap).refuted
    assert verdict("bounds_on_random_instances", gap=gap).refuted


def test_a_gap_twice_as_large_is_true_but_not_attained() -> None:
    def double(log_n, beta):
        return 2 * log_n / beta

    for name in ("nu_lies_between_the_bounds", *AT_INSTANCES):
        assert verdict(name, gap=double).agrees
    assert verdict("the_upper_bound_is_attained", gap=double).refuted


@pytest.mark.parametrize(
    "nu",
    [
        lambda L, log_n, beta: L / (beta + beta / 1000),
        lambda L, log_n, beta: (L - log_n / 1000) / beta,
        lambda L, log_n, beta: L / beta + log_n / (1000 * beta),
    ],
    ids=["0.1 % too small", "a thousandth of log n below", "a thousandth of log n above"],
)
def test_wrong_normalisations_are_caught(nu) -> None:
    assert verdict("nu_lies_between_the_bounds", nu=nu).refuted
    assert verdict("library_computes_nu", nu=nu).refuted
    assert verdict("bounds_on_random_instances", nu=nu).refuted


def test_an_end_that_is_the_second_largest_entry_is_caught() -> None:
    second = MODULE["End"](lambda x: sorted(x)[-2], lambda x, m: True, lambda x: x.sort(-1).values[..., -2])
    assert verdict("both_bounds_hold_in_balls", end=second).refuted


@pytest.mark.parametrize(
    "fault",
    [
        lambda x, beta=1.0: torch.logsumexp(x, -1),
        lambda x, beta=1.0: torch.logsumexp(x * beta, -1) / beta + 1e-9,
        lambda x, beta=1.0: torch.logsumexp((x * beta)[..., :30].float(), -1).double() / beta,
    ],
    ids=["beta ignored", "offset", "single precision"],
)
def test_faults_of_the_library_are_caught(monkeypatch: pytest.MonkeyPatch, fault) -> None:
    right = MODULE["log_sum_exp"]
    # only where the library's own beta is used; the sum's logarithm stays right
    monkeypatch.setitem(MODULE, "log_sum_exp", lambda x, *beta: fault(x, *beta) if beta else right(x))
    assert verdict("library_computes_nu").refuted


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_agree(seed: int) -> None:
    for name in (*AT_INSTANCES, "library_computes_nu"):
        assert verdict(name, seed).agrees
