"""Residuals: exact edges of the bound, NaN, shapes, and bounds too wide to mean anything."""

import math

import numpy as np
import pytest
import torch

from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.pathwise import AtLeast, Residual, gamma, unit_roundoff
from mdnn_verify.verdicts import Status

CONTEXT = Context("test", scope="these instances")
U = 2.0**-53


def status(claim):
    return decide(claim, CONTEXT).status


def test_at_the_bound_and_just_above():
    assert status(Residual(1 + 4 * U, 1.0, 4 * U)) is Status.VERIFIED_WITHIN
    assert status(Residual(1 + 4 * U, 1.0, np.nextafter(4 * U, 0))) is Status.REFUTED


def test_a_zero_bound_means_bit_equal():
    ones = torch.ones(3, dtype=torch.float64)
    assert decide(Residual(ones, ones.clone(), 0), CONTEXT).delta == 0
    assert status(Residual(ones, ones + 2 * U, 0)) is Status.REFUTED


def test_every_entry_counts():
    observed = np.ones((4, 4))
    observed[2, 3] += 1e-9
    verdict = decide(Residual(observed, np.ones((4, 4)), 1e-12, {"n": 4}), CONTEXT)
    assert verdict.status is Status.REFUTED
    assert "n = 4; entry (2, 3): " in verdict.counterexample


def test_the_bound_may_differ_by_entry():
    observed, expected = np.array([1.0, 1.0]), np.array([1.0, 1.0 + 1e-6])
    assert status(Residual(observed, expected, [0, 1e-5])) is Status.VERIFIED_WITHIN
    assert status(Residual(observed, expected, [1e-5, 0])) is Status.REFUTED


@pytest.mark.parametrize("bad", [math.nan, -math.nan, math.inf, -math.inf])
def test_nan_and_stray_infinities_refute(bad):
    assert status(Residual(bad, 1.0, 1e-9)) is Status.REFUTED
    assert status(Residual(1.0, bad, 1e-9)) is Status.REFUTED
    assert status(Residual(math.nan, math.nan, 1e-9)) is Status.REFUTED


def test_equal_infinities_agree():
    assert status(Residual([math.inf, 1], [math.inf, 1], 0)) is Status.VERIFIED_WITHIN
    assert status(Residual(math.inf, -math.inf, 0)) is Status.REFUTED


@pytest.mark.parametrize("bound", [math.nan, math.inf, -1e-9, [1e-9, -1e-9], [1e-9] * 3, "small"])
def test_a_bound_is_finite_and_not_negative(bound):
    with pytest.raises(ValueError, match="bound"):
        Residual([1.0, 2.0], [1.0, 2.0], bound)


@pytest.mark.parametrize(("observed", "expected"), [([1.0, 1.0], 1.0), ([[1.0, 1.0]], [1.0, 1.0]), ([1.0], [1.0, 1.0])])
def test_nothing_is_broadcast(observed, expected):
    with pytest.raises(ValueError, match="shape"):
        Residual(observed, expected, 1e-9)


def test_a_bound_too_wide_says_nothing_but_still_refutes():
    assert status(Residual(1.0, 1.0001, 0.01)) is Status.INCONCLUSIVE
    assert status(Residual(1.0, 2.0, 0.01)) is Status.REFUTED
    assert status(Residual(100.0, 100.001, 0.01)) is Status.VERIFIED_WITHIN
    assert status(Residual(1e-9, 2e-9, 1e-8)) is Status.VERIFIED_WITHIN
    assert status(Residual(1e-9, 2e-9, 1e-8, scale=1e-9)) is Status.INCONCLUSIVE
    assert status(AtLeast(1.0, 1.0, 0.01)) is Status.INCONCLUSIVE


@pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf])
def test_the_scale_is_positive(scale):
    with pytest.raises(ValueError, match="scale"):
        Residual(1.0, 1.0, 0, scale=scale)


def test_nothing_compared_is_an_error():
    assert status(Residual([], [], 0)) is Status.ERROR


def test_at_least():
    assert status(AtLeast([1.0, 2.0], [1.0, 1.0], 0)) is Status.VERIFIED_WITHIN
    assert status(AtLeast(1 - 4 * U, 1.0, 4 * U)) is Status.VERIFIED_WITHIN
    assert status(AtLeast(1 - 4 * U, 1.0, U)) is Status.REFUTED
    assert status(AtLeast(math.nan, 1.0, 1e-9)) is Status.REFUTED
    assert status(AtLeast(1.0, math.nan, 1e-9)) is Status.REFUTED
    assert status(AtLeast(math.inf, 1.0, 0)) is Status.VERIFIED_WITHIN


def test_the_counterexample_reads_back_exactly():
    at = {"x": torch.tensor([1 / 3, 2 / 3], dtype=torch.float64), "n": 2, "law": "step"}
    text = decide(Residual(0.1 + 0.2, 0.3, 0, at), CONTEXT).counterexample
    assert text.startswith(f"x = [{1 / 3!r}, {2 / 3!r}]; n = 2; law = 'step'; ")
    assert "0.30000000000000004 = 0.3 fails" in text


def test_delta_is_the_largest_bound():
    verdict = decide(Residual([1.0, 2.0], [1.0, 2.0], [1e-15, 3e-15]), CONTEXT)
    assert 3e-15 <= verdict.delta < 3.001e-15
    assert verdict.evidence["ratio"] == 0


@pytest.mark.parametrize("value", [1j, "a", None, [2**60 + 1]])
def test_only_what_float64_holds(value):
    with pytest.raises(ValueError, match="observed"):
        Residual(value, value, 0)


def test_gamma_bounds_a_sum_of_rounded_terms():
    assert unit_roundoff() == U
    assert unit_roundoff(torch.float32) == unit_roundoff(np.float32) == 2.0**-24
    assert gamma(10) == 10 * U / (1 - 10 * U)
    terms = np.random.default_rng(0).random(1000)
    computed = 0.0
    for term in terms:
        computed += term
    assert abs(computed - math.fsum(terms)) <= gamma(1000) * math.fsum(terms)


@pytest.mark.parametrize("k", [-1, 2**53])
def test_gamma_refuses_what_it_cannot_bound(k):
    with pytest.raises(ValueError, match="gamma"):
        gamma(k)
