"""Gradients that are wrong by little, in one place, or only away from beta = 1 are caught."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.verdicts import Status

THEOREM = load(catalogue()["softmax/gradient_is_softmax"])
MODULE = THEOREM.check("autograd_agrees").function.__globals__
AT_INSTANCES = ["taylor_coefficient_is_the_share", "autograd_agrees", "gradient_on_random_instances"]


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


@pytest.mark.parametrize("name", ["partial_derivative", "gradient_at_beta_one", *AT_INSTANCES])
def test_a_constant_added_to_nu_changes_nothing(name: str) -> None:
    """The logarithm of the mean instead of the sum: a true neighbour."""
    assert verdict(name, nu=lambda L, log_n, beta: (L - log_n) / beta).agrees


@pytest.mark.parametrize("name", ["partial_derivative", *AT_INSTANCES])
@pytest.mark.parametrize(
    "gradient",
    [
        lambda e, total, n, beta: e / total + e * (total - e) / (10**9 * total * total),
        lambda e, total, n, beta: (10**9 + 1) * e / (10**9 * total),
        lambda e, total, n, beta: e * (total + e) / (total * total + e * e),
        lambda e, total, n, beta: e * beta * beta / (total * beta),
    ],
    ids=["a billionth of the Jacobian", "a billionth more", "right at 0, 1/2 and 1 only", "beta"],
)
def test_wrong_gradients_are_caught(name: str, gradient) -> None:
    assert verdict(name, gradient=gradient).refuted


@pytest.mark.parametrize("name", ["partial_derivative", *AT_INSTANCES])
def test_a_nu_that_is_off_by_a_millionth_is_caught(name: str) -> None:
    assert verdict(name, nu=lambda L, log_n, beta: L / beta + L / (10**6 * beta)).refuted


def test_a_slope_that_is_two_percent_off_is_caught_by_its_integral() -> None:
    def steep(e, total, n, beta):
        return 51 * e / (50 * total)

    assert not verdict("gradient_integrates_to_the_difference", gradient=steep).agrees
    assert verdict("gradient_integrates_to_the_difference", gradient=lambda e, t, n, beta: 6 * e / (5 * t)).refuted


def test_draws_stay_in_the_enclosed_range() -> None:
    claim = THEOREM.check("gradient_integrates_to_the_difference").function(**THEOREM.given)
    draws = claim.draw(Stream("range", 1), 100_000)
    assert claim.lo < draws.min() < draws.max() < claim.hi
    assert claim.hi - claim.lo < 1.3 * float(draws.max() - draws.min())
    assert abs(claim.equals) > 0.2  # a difference that is not 0 by symmetry


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("log_sum_exp", lambda x, beta=1.0: torch.logsumexp(x, -1) + 1e-6 * x[..., 0]),
        (
            "log_sum_exp",
            lambda x, beta=1.0: x.amax(-1) + torch.log(torch.exp(x - x.amax(-1, keepdim=True)).mean(-1)) * 2,
        ),
        ("log_sum_exp", lambda x, beta=1.0: torch.logsumexp(x.float(), -1).double()),
        ("softmax", lambda x, beta=1.0: torch.softmax(x, -1)),
        ("softmax", lambda x, beta=1.0: torch.softmax((x * beta).float(), -1).double()),
    ],
    ids=["one coordinate", "doubled", "single precision", "beta ignored", "single precision softmax"],
)
def test_faults_of_the_library_are_caught(monkeypatch: pytest.MonkeyPatch, name: str, fault) -> None:
    monkeypatch.setitem(MODULE, name, fault)
    assert verdict("autograd_agrees").refuted


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_agree(seed: int) -> None:
    for name in (*AT_INSTANCES, "gradient_integrates_to_the_difference"):
        assert verdict(name, seed).agrees
