"""Worlds of a flow on the line, a weighted sum of normal CDFs less 1/2: few components, exact; and symbols."""

from __future__ import annotations

from typing import Any

import sympy as sp

from mdnn_verify.audit import World

__all__ = ["bisection_worlds", "flow_worlds", "normal_cdf", "normal_density"]

PARAMETERS = (
    ((0,), (1,), (1,)),
    ((0,), (1,), (4,)),
    ((1, -1), (1, 2), (1, 3)),
    ((0, 2, -1), (1, "1/2", 3), ("1/2", 2, 1)),
)


def normal_cdf(x: Any, mu: Any, sigma: Any) -> Any:
    """By the error function, as libraries compute it."""
    return (1 + sp.erf((x - mu) / (sigma * sp.sqrt(2)))) / 2


def normal_density(x: Any, mu: Any, sigma: Any) -> Any:
    """The density of the normal law on the line."""
    return sp.exp(-(((x - mu) / sigma) ** 2) / 2) / (sigma * sp.sqrt(2 * sp.pi))


def flow_worlds() -> tuple[World, ...]:
    """x, ``mus``, ``sigmas`` = exp(tau_i), ``weights`` = exp(w_i); the last world holds symbols."""
    chosen = ((0, 0), (0, 1), (1, 1), (2, 1), (3, "-1/2"))  # which parameters, and x
    found = [World({"x": sp.Rational(x), **_parameters(*PARAMETERS[row])}) for row, x in chosen]
    x, one, two = sp.symbols("x mu1 mu2", real=True)
    positive = sp.symbols("sigma1 sigma2 weight1 weight2", positive=True)
    symbols = {"x": x, "mus": (one, two), "sigmas": positive[:2], "weights": positive[2:]}
    return (*found, World(symbols, True, "all flows with two components"))


def bisection_worlds() -> tuple[World, ...]:
    """The same with a value z to be reached, and an interval; f stays below half the sum of the weights."""
    values = (0, 1, "1/4", "-1/4", -2, "199/100", 3)
    intervals = ((-3, 3), (0, 3), (-1, "1/2"))
    return tuple(
        World({**_parameters(*row), "z": sp.Rational(z), "low": sp.Rational(low), "high": sp.Rational(high)})
        for row in PARAMETERS
        for z in values
        for low, high in intervals
    )


def _parameters(mus: Any, sigmas: Any, weights: Any) -> dict[str, Any]:
    rows = {"mus": mus, "sigmas": sigmas, "weights": weights}
    return {name: tuple(map(sp.Rational, row)) for name, row in rows.items()}
