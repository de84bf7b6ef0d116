"""Kullback-Leibler divergence of finite distributions, in nats: in float64 with its rounding bound, and in balls.

Conventions: 0 log(0/q) = 0; p log(p/0) = +inf for p > 0. Tables may have any shape; only their entries matter.
Source: seed 000, Problem 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

from mdnn_verify.maths.validation import probability_vector

__all__ = ["ball", "hellinger_in_balls", "kl", "kl_in_balls", "kl_rounding_bound", "kl_terms", "random_distribution"]

Array = npt.NDArray[np.float64]
UNIT = 2.0**-53
LOG_ULPS = 4  # numpy's vectorised float64 log is documented to be within 4 units in the last place


def kl(p: Any, q: Any) -> float:
    """D(p || q) in nats, for distributions of one shape; +inf where p > 0 = q.

    The rounding error is at most ``kl_rounding_bound(p, q)``, so a divergence of 0 may come out a little below it.
    Raises ValueError naming p or q: not numbers, NaN, negative, not summing to 1, empty, or of different shapes.
    """
    left, right = probability_vector("p", p), probability_vector("q", q)
    if left.shape != right.shape:
        raise ValueError(f"q has shape {right.shape}, expected {left.shape}, the shape of p")
    return math.fsum(kl_terms(left, right).ravel())


def kl_terms(p: Array, q: Array) -> Array:
    """The terms p log(p/q) of non-negative tables of one shape, whatever their sums; terms with p = 0 are 0."""
    terms = np.zeros(p.shape)
    terms[(p > 0) & (q == 0)] = np.inf
    both = (p > 0) & (q > 0)
    with np.errstate(over="ignore"):
        ratio = p[both] / q[both]
    # a ratio beyond float64 (q subnormal): its logarithm is then so large that the difference loses nothing
    logarithm = np.where(np.isfinite(ratio), np.log(ratio), np.log(p[both]) - np.log(q[both]))
    terms[both] = p[both] * logarithm
    return terms


def kl_rounding_bound(p: Array, q: Array, *, input_error: float = 0.0) -> float:
    """How far the float64 sum of ``kl_terms`` may be from the exact one, where finite.

    ``input_error`` is the largest relative error of the entries themselves (2^-53 for rationals rounded once). A ratio
    carries two such errors and one rounding, and the logarithm turns relative into absolute error; then a term is
    scaled by p, rounded once more, and the terms are summed exactly and rounded once (math.fsum).
    """
    both = (p > 0) & (q > 0)
    size = np.abs(np.log(p[both]) - np.log(q[both]))
    ratio_error = 2 * input_error + UNIT
    relative = 2 * LOG_ULPS * UNIT + input_error + UNIT
    per_entry = p[both] * (1.01 * ratio_error + 1.01 * relative * size)
    return float(1.01 * per_entry.sum() + 1.01 * UNIT * (p[both] * size).sum())


def ball(number: Any) -> flint.arb:
    """An int, a Fraction, a SymPy Rational or a float (exact: a dyadic rational) as a ball; balls stay as they are."""
    if isinstance(number, Fraction):
        return flint.arb(flint.fmpq(number.numerator, number.denominator))
    if getattr(number, "is_Rational", False):
        return flint.arb(flint.fmpq(int(number.p), int(number.q)))
    return flint.arb(number)


def kl_in_balls(p: Iterable[Any], q: Iterable[Any]) -> flint.arb:
    """An enclosure of the sum of p log(p/q) over exact non-negative entries; infinite where p > 0 = q."""
    return _sum_in_balls(_kl_term, p, q)


def hellinger_in_balls(p: Iterable[Any], q: Iterable[Any]) -> flint.arb:
    """An enclosure of the sum of (sqrt p - sqrt q)^2 over exact non-negative entries."""
    return _sum_in_balls(_squared_gap, p, q)


def random_distribution(
    rng: np.random.Generator, shape: int | tuple[int, ...], *, zeros: float = 0.0
) -> npt.NDArray[Any]:
    """An exact distribution (an object array of Fractions) with a share ``zeros`` of empty cells, never all of them.

    Weights are integers of magnitude 1 to 10^4, log-uniform, so that large and small cells meet.
    """
    weights = np.floor(np.exp(rng.uniform(0, np.log(1e4), shape))).astype(int)
    weights = np.where(rng.uniform(size=shape) < zeros, 0, weights)
    if not weights.any():
        weights.flat[int(rng.integers(weights.size))] = 1
    total = int(weights.sum())
    cells = np.empty(weights.shape, dtype=object)
    cells.flat[:] = [Fraction(int(weight), total) for weight in weights.flat]
    return cells


def _sum_in_balls(term: Callable[[Any, Any], flint.arb], p: Iterable[Any], q: Iterable[Any]) -> flint.arb:
    return sum((term(a, b) for a, b in zip(p, q, strict=True)), flint.arb(0))


def _squared_gap(a: Any, b: Any) -> flint.arb:
    gap = ball(a).sqrt() - ball(b).sqrt()
    return gap * gap  # flint's gap ** 2 is NaN for a ball that holds 0


def _kl_term(a: Any, b: Any) -> flint.arb:
    if a == 0 or a == b:  # exactly 0, which a ball around log 1 would blur
        return flint.arb(0)
    if b == 0:
        return flint.arb.pos_inf()
    return ball(a) * (ball(a) / ball(b)).log()
