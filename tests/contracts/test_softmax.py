"""The contracts of log-sum-exp and softmax."""

from __future__ import annotations

import itertools
import math

import mpmath
import pytest
import torch

from mdnn_verify.checking.registry import contract_of
from mdnn_verify.contract import Terms
from mdnn_verify.contracts._exponentials import (
    exact_log_sum_exp,
    exact_softmax,
    log_sum_exp_rounding,
    shared_factor,
    softmax_rounding,
)

CONTRACTS = ("softmax/log_sum_exp_limit", "softmax/gradient_is_softmax")
LIMIT, GRADIENT = CONTRACTS
TERMS = Terms()


def test_wrong_ones_are_refuted_by_what_can_be_pasted(wrong) -> None:
    judgement = wrong.judged()
    assert judgement.finding is not None
    assert not wrong.reproducible or wrong.shows_a_discrepancy(judgement), judgement.finding


def test_right_ones_are_verified(right) -> None:
    judgement = right.judged()
    assert judgement.complete
    assert judgement.finding is None, judgement.finding


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(3))
def test_right_ones_are_verified_in_single_precision(right, seed: int) -> None:
    assert right.judged(seed, torch.float32).finding is None


@pytest.mark.parametrize(
    ("identifier", "function"),
    [(LIMIT, lambda x, beta: torch.logsumexp(beta * x, 0) / beta), (GRADIENT, lambda x: torch.softmax(x, 0))],
)
def test_single_precision(judged, identifier: str, function) -> None:
    judgement = judged(identifier, function, dtype=torch.float32)
    assert judgement.complete
    assert judgement.finding is None, judgement.finding
    finding = judged(identifier, lambda *arguments: 1.001 * function(*arguments), dtype=torch.float32).finding
    assert finding is not None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_inputs_are_legal(dtype: torch.dtype) -> None:
    """|beta x| is at most 1e300 (1e30 in single precision), and nu itself can be represented."""
    terms = Terms(dtype)
    top = 1.01 * (1e300 if dtype == torch.float64 else 1e30)
    for instance in contract_of(LIMIT).smallest(terms):
        x, beta = instance.arguments.values()
        assert beta > 0
        assert beta * float(x.double().abs().max()) <= top
        assert float(x.double().abs().max()) + math.log(len(x)) / beta <= top
    for instance in contract_of(GRADIENT).smallest(terms):
        assert bool(torch.isfinite(instance.arguments["x"]).all())


def test_small_inputs_come_by_size() -> None:
    for identifier in CONTRACTS:
        sizes = [instance.size for instance in contract_of(identifier).smallest(TERMS)]
        assert [size for size in sizes if size > 3] == sorted(size for size in sizes if size > 3)


@pytest.mark.parametrize(
    ("x", "beta"), [([0.1, 0.2, -3.0], 0.7), ([1e300, 1e300, -1e300], 1.0), ([1.0, 0.5], 1e-200), ([-5.0], 1e200)]
)
def test_exact_log_sum_exp(x: list[float], beta: float) -> None:
    with mpmath.workdps(700):
        top = mpmath.mpf(max(x))
        total = mpmath.fsum(mpmath.exp(max(mpmath.mpf(beta) * (a - top), -5000)) for a in x)
        assert exact_log_sum_exp(x, beta) == float(top + mpmath.log(total) / beta)


def test_exact_softmax() -> None:
    assert exact_softmax([1e308, -1e308, 1e308]) == [0.5, 0, 0.5]
    assert exact_softmax([0.0, math.log(3)]) == pytest.approx([0.25, 0.75], abs=1e-16)


def test_rounding_tells_single_precision_apart() -> None:
    rng = torch.Generator().manual_seed(0)
    for n in (1, 2, 7, 300):
        x = 5 * torch.randn(n, generator=rng, dtype=torch.float64)
        bound = float(log_sum_exp_rounding(x, 1.0, TERMS))
        assert abs(float(x.logsumexp(0)) - exact_log_sum_exp(x.tolist())) < bound / 3 < 1e-11
        mu = torch.tensor(exact_softmax(x.tolist()), dtype=torch.float64)
        limits = softmax_rounding(x, mu, TERMS)
        assert bool(((x.softmax(0) - mu).abs() < limits / 3).all())
        assert bool((limits < 1e-11 * mu).all())


def test_what_log_sum_exp_loses_at_large_inputs_is_one_factor() -> None:
    """exp(x - logsumexp(x)) gives 1 twice for two equal entries of 1e16: explained; nothing else is."""
    rng = torch.Generator().manual_seed(0)
    for n, power in itertools.product((2, 5, 64, 1000), (11, 13, 15, 16, 18, 300)):
        x = (10.0**power * torch.ones(n, dtype=torch.float64)) * (1 + 1e-16 * torch.randn(n, generator=rng))
        mu, observed = torch.tensor(exact_softmax(x.tolist()), dtype=torch.float64), (x - x.logsumexp(0)).exp()
        factor = shared_factor(observed, x, mu, TERMS)
        assert bool(((observed - mu * factor).abs() <= factor * softmax_rounding(x, mu, TERMS)).all())
        assert shared_factor(1e9 * n**3 * mu, x, mu, TERMS) <= n**2 * (1 + 1e-9)
        assert shared_factor(0 * mu, x, mu, TERMS) == 1
    assert shared_factor(mu * 1.1, torch.full((1000,), 1e6), mu, TERMS) == 1
    assert shared_factor(torch.tensor([0.9]), torch.tensor([1e300]).double(), torch.tensor([1.0]), TERMS) == 1


def test_what_loses_more_than_that_is_not_excused(judged) -> None:
    """Entries of the same size that share another factor, or that share none."""
    for wrong in (
        lambda x: x.softmax(0) * (1e-7 if x.abs().max() > 1e12 else 1),
        lambda x: (x - x.logsumexp(0) + (1e-8 * torch.arange(len(x)) if x.abs().max() > 1e15 else 0)).exp(),
    ):
        finding = judged(GRADIENT, wrong).finding
        assert finding is not None
        assert float(finding.arguments["x"].abs().max()) > 1e12


def test_the_smallest_counterexample_of_overflow(judged) -> None:
    finding = judged(LIMIT, lambda x, beta: (beta * x).exp().sum().log() / beta).finding
    assert finding is not None
    assert finding.arguments["x"].tolist() == [1000.0]
