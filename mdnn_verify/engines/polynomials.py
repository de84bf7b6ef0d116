"""Polynomial inequalities over the reals that are decided exactly: one variable, quadratics, non-negative terms."""

from __future__ import annotations

from typing import Any

import sympy as sp

__all__ = ["nonnegative_polynomial"]


def nonnegative_polynomial(expr: sp.Expr, *, strict: bool) -> bool | None:
    """Whether a rational polynomial in real symbols is >= 0 (``strict``: > 0) wherever the symbols may be.

    None if it is no such polynomial or none of the methods decides it. Only the signs of symbols are used, so that
    True also holds for integer symbols; False is answered for a constant only (points refute everything else).
    """
    variables = sorted(expr.free_symbols, key=str)
    if not variables:
        return (bool(expr > 0) if strict else bool(expr >= 0)) if expr.is_Rational else None
    if not all(isinstance(v, sp.Symbol) and v.is_real for v in variables) or not expr.is_polynomial(*variables):
        return None
    polynomial = sp.Poly(expr, *variables)
    if not polynomial.domain.is_QQ and not polynomial.domain.is_ZZ:
        return None
    if polynomial.is_zero:
        return not strict
    if len(variables) == 1:
        found = _one_variable(polynomial, variables[0], strict)
    else:
        found = _positive_terms(polynomial, strict) or _quadratic(polynomial, strict)
    return True if found else None


def _one_variable(polynomial: sp.Poly, variable: Any, strict: bool) -> bool:
    """By counting real roots (Sturm): no sign change and, if ``strict``, no root where the variable may be."""
    if variable.is_nonpositive:
        polynomial, positive, nonnegative = polynomial.compose(sp.Poly(-variable, variable)), variable.is_negative, True
    else:
        positive, nonnegative = variable.is_positive, variable.is_nonnegative
    lower = sp.Integer(0) if nonnegative else -sp.oo
    crossing = sp.Poly(1, variable)
    for factor, multiplicity in polynomial.sqf_list()[1]:
        if strict or multiplicity % 2:
            crossing *= factor
    if nonnegative and (positive or not strict):
        # a root at the end point 0 neither changes the sign inside nor, if 0 is excluded, is it reached
        while crossing.degree() > 0 and crossing.eval(0) == 0:
            crossing = crossing.quo(sp.Poly(variable, variable))
    if crossing.degree() > 0 and crossing.count_roots(None if lower == -sp.oo else 0, None) > 0:
        return False
    probe = next(k for k in range(1, polynomial.degree() + 3) if polynomial.eval(k) != 0)
    return bool(polynomial.eval(probe) > 0)


def _positive_terms(polynomial: sp.Poly, strict: bool) -> bool:
    """Every term a non-negative number times something non-negative; strict if one of them is positive."""
    positive = False
    for powers, coefficient in polynomial.terms():
        monomial = sp.Mul(*(v**k for v, k in zip(polynomial.gens, powers, strict=True)))
        if coefficient < 0 or not monomial.is_nonnegative:
            return False
        positive = positive or bool(coefficient > 0 and monomial.is_positive)
    return positive or not strict


def _quadratic(polynomial: sp.Poly, strict: bool) -> bool:
    """(1, x)' A (1, x) with A positive semidefinite, or positive definite if ``strict``."""
    if polynomial.total_degree() > 2:
        return False
    n = len(polynomial.gens)
    gram = sp.zeros(n + 1, n + 1)
    for powers, coefficient in polynomial.terms():
        places = [i + 1 for i, k in enumerate(powers) for _ in range(k)]
        i, j = [0, 0, *places][-2:]
        gram[i, j] += coefficient / 2
        gram[j, i] += coefficient / 2
    return bool(gram.is_positive_definite if strict else gram.is_positive_semidefinite)
