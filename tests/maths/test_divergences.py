"""The finite Kullback-Leibler divergence: known values, refusals, and an error bound compared with exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import numpy as np
import pytest
from scipy import stats

from mdnn_verify.engines.intervals import precision
from mdnn_verify.maths.divergences import (
    ball,
    hellinger_in_balls,
    kl,
    kl_in_balls,
    kl_rounding_bound,
    kl_terms,
    random_distribution,
)

HALF = [0.5, 0.5]


def test_values_known_by_hand() -> None:
    assert kl(HALF, HALF) == 0
    assert kl([1.0, 0.0], HALF) == pytest.approx(math.log(2), rel=1e-15)
    assert kl(HALF, [0.25, 0.75]) == pytest.approx(0.5 * math.log(4 / 3), rel=1e-15)
    assert kl([1.0], [1.0]) == 0


def test_conventions_at_zero() -> None:
    assert kl(HALF, [1.0, 0.0]) == math.inf
    assert kl([1.0, 0.0], [1.0, 0.0]) == 0
    assert kl([0.0, 1.0], [5e-324, 1.0]) == 0


def test_a_ratio_beyond_float64_is_finite() -> None:
    assert kl(HALF, [5e-324, 1.0]) == pytest.approx(0.5 * (math.log(0.5) - math.log(5e-324)) + 0.5 * math.log(0.5))


def test_any_shape_and_agreement_with_another_library() -> None:
    rng = np.random.default_rng(1)
    p, q = (rng.dirichlet(np.ones(12)).reshape(3, 4) for _ in range(2))
    assert kl(p, q) == pytest.approx(stats.entropy(p.ravel(), q.ravel()), rel=1e-12)
    assert kl(p.tolist(), q.tolist()) == kl(p, q)


@pytest.mark.parametrize(
    ("p", "q", "culprit", "said"),
    [
        ([0.5, 0.6], HALF, "p", "sums to"),
        (HALF, [0.5, 0.4], "q", "sums to"),
        ([1.5, -0.5], HALF, "p", "negative"),
        (HALF, [math.nan, 1.0], "q", "NaN"),
        ([], [], "p", "empty"),
        (HALF, [0.2, 0.3, 0.5], "q", "shape"),
        ([HALF], [0.5, 0.5], "p", "sums to 1|shape"),
        ("half", HALF, "p", "real numbers"),
    ],
)
def test_refusals_name_the_argument(p, q, culprit: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"(?s)^[pq] .*({said})") as refusal:
        kl(p, q)
    assert str(refusal.value).startswith(culprit) or "shape" in str(refusal.value)


def test_inputs_are_left_alone() -> None:
    p, q = np.array([0.0, 1.0]), np.array([0.5, 0.5])
    kl(p, q)
    assert p.tolist() == [0.0, 1.0]
    assert q.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("closeness", [1, 10**-3, 10**-9])
def test_rounding_bound_holds_and_is_informative(closeness: float) -> None:
    rng = np.random.default_rng(7)
    worst = 0.0
    for _ in range(200):
        cells = int(rng.integers(1, 60))
        p, r = random_distribution(rng, cells, zeros=0.2), random_distribution(rng, cells)
        q = p + Fraction(closeness) * (r - p)
        left, right = p.astype(float), q.astype(float)
        with flint.ctx.workprec(200):
            error = float(abs(kl_in_balls(p, q) - math.fsum(kl_terms(left, right))))
        bound = kl_rounding_bound(left, right, input_error=2.0**-53)
        assert error <= bound
        worst = max(worst, error / bound)
        assert bound <= 1e-13
    assert worst > 0.01, "a bound that is never approached by two orders of magnitude says little"


def test_balls_enclose_an_exact_case_and_decide_equality() -> None:
    p, q = [Fraction(1, 2)] * 2, [Fraction(1, 4), Fraction(3, 4)]
    assert kl_in_balls(p, q).overlaps((ball(Fraction(4, 3)).log()) / 2)
    assert kl_in_balls(p, p) == 0
    assert not kl_in_balls(p, [Fraction(0), Fraction(1)]).is_finite()
    assert hellinger_in_balls(p, q).overlaps(2 - 2 * (ball(Fraction(1, 8)).sqrt() + ball(Fraction(3, 8)).sqrt()))


def test_tables_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        kl_in_balls([1], [Fraction(1, 2)] * 2)


def test_random_distributions_are_exact_and_not_empty() -> None:
    rng = np.random.default_rng(3)
    for zeros in (0.0, 0.5, 1.0):
        table = random_distribution(rng, (2, 3), zeros=zeros)
        assert table.sum() == 1
        assert all(isinstance(cell, Fraction) for cell in table.flat)


def test_hellinger_in_balls_with_equal_cells_is_a_number() -> None:
    """flint's power of a ball that holds 0 is NaN; seed 20261121 of the catalogue met it."""
    p, q = [Fraction(8, 11), Fraction(0), Fraction(3, 11)], [Fraction(3, 11), Fraction(5, 11), Fraction(3, 11)]
    expected = (8 / 11) ** 0.5 - (3 / 11) ** 0.5
    with precision(200):
        assert abs(float(hellinger_in_balls(p, q)) - expected**2 - 5 / 11) < 1e-15
