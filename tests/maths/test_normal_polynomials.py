"""Moments of normal polynomials against integration and known values."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from mdnn_verify.maths.normal_polynomials import expectation, mean, normal_moment, product, variance

x, y, a = sp.symbols("x y a", real=True)


@pytest.mark.parametrize("power", range(9))
def test_moments_against_integration(power: int) -> None:
    density = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
    assert normal_moment(power) == sp.integrate(x**power * density, (x, -sp.oo, sp.oo))


def test_a_negative_power_is_refused() -> None:
    with pytest.raises(ValueError, match="power = -1"):
        normal_moment(-1)


def test_product_is_that_of_numpy() -> None:
    assert np.allclose(product([1.0, 2.0, 3.0], [4.0, 5.0]), np.polynomial.polynomial.polymul([1, 2, 3], [4, 5]))
    with pytest.raises(ValueError, match="without coefficients"):
        product([], [1])


def test_mean_and_variance_by_gauss_hermite_quadrature() -> None:
    coefficients = [0.3, -1.2, 0.7, 0.25, -0.5]
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    weights = weights / math.sqrt(2 * math.pi)
    values = np.polynomial.polynomial.polyval(nodes, coefficients)
    assert mean(coefficients) == pytest.approx((weights * values).sum(), rel=1e-12)
    assert variance(coefficients) == pytest.approx((weights * (values - values @ weights) ** 2).sum(), rel=1e-12)


def test_exact_numbers_stay_exact_and_a_large_constant_costs_nothing() -> None:
    assert variance([Fraction(7), Fraction(1, 3)]) == Fraction(1, 9)
    assert variance([1e200, 1.0]) == 1.0
    assert variance([5]) == 0


def test_expectation_of_several_variables() -> None:
    assert expectation((a + x * y) ** 2 + x**4, [x, y]) == a**2 + 1 + 3
    with pytest.raises(sp.PolynomialError):
        expectation(sp.sin(x), [x])
