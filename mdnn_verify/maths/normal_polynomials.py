"""Moments of polynomials in standard normal variables, by E e^(2k) = (2k - 1)!!, in any exact or inexact arithmetic.

A polynomial in one variable is the sequence of its coefficients, lowest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

__all__ = ["expectation", "mean", "normal_moment", "product", "variance"]


def normal_moment(power: int) -> int:
    """E e^power for a standard normal e: 0 for odd powers, (power - 1)!! for even ones. ValueError if negative."""
    if power < 0:
        raise ValueError(f"power = {power}, expected a non-negative integer")
    return 0 if power % 2 else int(sp.factorial2(power - 1))


def mean(coefficients: Sequence[Any]) -> Any:
    """E P(e) of the polynomial with these coefficients."""
    return sum(c * normal_moment(power) for power, c in enumerate(coefficients) if power % 2 == 0)


def product(left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
    """The coefficients of P Q. Raises ValueError for an empty sequence."""
    if not (len(left) and len(right)):
        raise ValueError("a polynomial without coefficients, expected at least one")
    result: list[Any] = [0] * (len(left) + len(right) - 1)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            result[i + j] = result[i + j] + a * b
    return result


def variance(coefficients: Sequence[Any]) -> Any:
    """Var P(e). The constant is left out, so that nothing of its size cancels."""
    centred = [0, *coefficients[1:]]
    return mean(product(centred, centred)) - mean(centred) ** 2


def expectation(polynomial: sp.Expr, variables: Sequence[sp.Symbol]) -> sp.Expr:
    """E of a SymPy polynomial in independent standard normal ``variables``; other symbols are constants.

    Raises PolynomialError (of SymPy) for what is no polynomial in them.
    """
    terms = sp.Poly(polynomial, *variables).terms()
    return sp.Add(*(c * sp.prod([normal_moment(power) for power in powers]) for powers, c in terms))
