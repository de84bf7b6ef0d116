"""A sampled distribution function against a claimed one, exact at jumps: distances, bands, likelihood ratios.

``Steps`` arrays have the distinct values along their last axis; leading axes may hold replications.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mdnn_verify.engines.montecarlo.bets import UNIT_ROUNDOFF, Array
from mdnn_verify.engines.montecarlo.draws import DrawError, offending

__all__ = ["Function", "Steps", "distance", "dkw_radius", "log_inverse_p", "log_shifted", "merged", "share", "steps_of"]

Function = Callable[[torch.Tensor], torch.Tensor]
# what float64 may lose between two evaluations of a non-decreasing function; far below any delta in use
SLACK = 2.0**-40


@dataclass(frozen=True)
class Steps:
    """n draws, ties grouped: how many are <= and < each distinct value, and the claimed F(x) and F(x-) there."""

    n: int
    values: Array
    upto: Array
    before: Array
    cdf: Array
    cdf_left: Array


def steps_of(draws: torch.Tensor, cdf: Function, cdf_left: Function, where: str = "the claim") -> Steps:
    """Sort, group ties and evaluate. Raises DrawError if the functions visibly belong to no distribution function."""
    values, counts = torch.unique(draws, return_counts=True)
    right, left = _evaluated("cdf", cdf, values, where), _evaluated("cdf_left", cdf_left, values, where)
    return _ordered(where, *(column.cpu().numpy() for column in (values, counts, right, left)))


def merged(parts: Sequence[Steps], where: str = "the claim") -> Steps:
    """The sample of all parts together; no function is evaluated again. Raises DrawError as ``steps_of`` does."""
    columns = ((part.values, part.upto - part.before, part.cdf, part.cdf_left) for part in parts)
    values, counts, right, left = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(values, kind="stable")  # linear in what is sorted already
    values = values[order]
    first = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    chosen = order[first]
    return _ordered(where, values[first], np.add.reduceat(counts[order], first), right[chosen], left[chosen])


def _ordered(where: str, values: Array, counts: Array, right: Array, left: Array) -> Steps:
    if (left > right + SLACK).any() or (left[1:] < right[:-1] - SLACK).any():
        raise DrawError(f"{where}: cdf and cdf_left are not values and left limits of one non-decreasing function")
    upto = counts.cumsum().astype(float)
    return Steps(int(upto[-1]), values, upto, upto - counts, right, left)


def _evaluated(name: str, function: Function, values: torch.Tensor, where: str) -> torch.Tensor:
    result = function(values)
    if not isinstance(result, torch.Tensor) or result.shape != values.shape:
        got = tuple(result.shape) if isinstance(result, torch.Tensor) else type(result).__name__
        raise DrawError(f"{where}: {name} returned {got}, expected a tensor of shape {tuple(values.shape)}")
    wrong = offending(~((result >= 0) & (result <= 1)))
    if wrong is not None:
        point, value = float(values[wrong]), float(result[wrong])
        raise DrawError(f"{where}: {name}({point!r}) = {value!r}, expected a number in [0, 1]")
    return result.to(torch.float64)


def distance(steps: Steps) -> Array:
    """sup |F_n - F|; left limits are compared as well, so that jumps come out right."""
    right = np.abs(steps.upto / steps.n - steps.cdf).max(axis=-1)
    return np.asarray(np.maximum(right, np.abs(steps.before / steps.n - steps.cdf_left).max(axis=-1)))


def dkw_radius(n: int, alpha: float) -> float:
    """P(sup |F_n - F| > radius) <= alpha for n independent draws of any law (Massart 1990)."""
    return math.sqrt(math.log(2 / alpha) / (2 * n))


def share(alpha: float, look: int) -> float:
    """The part of alpha that look 0, 1, 2, ... may spend; all parts add up to alpha."""
    return 6 * alpha / (math.pi**2 * (look + 1) ** 2)


def log_inverse_p(steps: Steps, look: int) -> Array:
    """log(1/alpha) for the alpha at which this look's band just leaves out the claim."""
    return np.asarray(2 * steps.n * distance(steps) ** 2 - math.log(2) + math.log(share(1.0, look)))


def log_shifted(steps: Steps, delta: float) -> tuple[Array, Array]:
    """Least log e-value over all points x and x-, against "F there is F0 + delta" and against the same with -delta.

    Between two draws the count stands still and the e-value is monotone in F0: it is least at one end of the gap.
    """
    plus = _log_ratio(_with_zero(steps.upto), _with_zero(steps.cdf), steps.n, delta)
    # "F is F0 - delta" is "1 - F is 1 - F0 + delta", about the draws that are not below
    minus = _log_ratio(_with_zero(steps.n - steps.before), _with_zero(1 - steps.cdf_left), steps.n, delta)
    return plus.min(axis=-1), minus.min(axis=-1)


def _log_ratio(count: Array, probability: Array, n: int, delta: float) -> Array:
    """log of P(count | probability) / P(count | probability + delta), infinite where the latter is no probability."""
    shifted = probability + delta
    # a claim of exactly 1 - delta must not become an impossible one by rounding
    shifted = np.where(np.abs(shifted - 1) <= 8 * UNIT_ROUNDOFF, 1.0, shifted)
    with np.errstate(divide="ignore", invalid="ignore"):
        hits = np.where(count > 0, count * np.log(probability / shifted), 0.0)
        misses = np.where(count < n, (n - count) * (np.log1p(-probability) - np.log1p(-shifted)), 0.0)
        return np.where(shifted > 1, np.inf, hits + misses)


def _with_zero(values: Array) -> Array:
    """The end of the line joins in, where there is no draw yet and F0 is 0."""
    return np.concatenate([values, np.zeros((*values.shape[:-1], 1))], axis=-1)
