"""Bets against a claimed mean: e-processes as functions of additive summaries.

A summary is an array of sums over the draws, shape (k, ...): row 0 is their number, row 1 the sum and row 2 the sum of
squares of ``x - equals``. Summaries of blocks add up, so neither workers nor block order matter; the trailing axes may
hold replications or looks. ``log_e(summary, offset, side)`` is a lower bound on the logarithm of the wealth of bets
against "the mean is ``equals + offset``": ``side`` +1 bets that it is larger, -1 that it is smaller. Wealth starts at
1 and, where the mean is not on that side, is a non-negative supermartingale, so it ever reaches 1/alpha with
probability at most alpha (Ville's inequality). What float64 may have added is bounded and taken off.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from mdnn_verify.engines.montecarlo.draws import BLOCK

__all__ = ["QUARTIC", "Array", "Bets", "BoundedBets", "CGFBets", "CatoniBets", "centred", "phi"]

Array = npt.NDArray[np.float64]

# log(1 + y) >= y - y^2/2 + y^3/3 - QUARTIC y^4 for |y| <= 1/2; equality at -1/2 for 16 (log 2 - 2/3) = 0.42368822...
QUARTIC = 0.4236883
UNIT_ROUNDOFF = 2.0**-53
CHORD = 1e-4  # the chord that bounds psi'(0), as a part of the stake


class Bets(ABC):
    """Bets on the mean of draws around ``equals``; each stake is fixed before the draws that it is used on."""

    equals: float
    stakes: Array  # positive, shape (bets,) or (bets, replications)

    @abstractmethod
    def summary(self, draws: torch.Tensor) -> Array:
        """Sums over the last axis of ``draws``, shape (k, *leading axes)."""

    @abstractmethod
    def log_each(self, summary: Array, offset: Array, side: int) -> Array:
        """Log wealth of every single stake, shape (bets, ...), as float64 has it."""

    @abstractmethod
    def magnitude(self, summary: Array, offset: Array) -> Array:
        """A bound on the sum of the absolute values of all terms that ``log_each`` adds up."""

    def log_e(self, summary: Array, offset: float | Array, side: int) -> Array:
        """Log wealth of the even mixture of all stakes, less a bound on its rounding error."""
        shift = np.asarray(offset, dtype=float)
        each = self.log_each(summary, shift, side) - rounding(summary[0]) * self.magnitude(summary, shift)
        return np.asarray(np.logaddexp.reduce(each, axis=0) - math.log(len(self.stakes)))

    def log_against(self, summary: Array, offset: float | Array = 0.0) -> Array:
        """Log evidence against "the mean is equals + offset": the mean of the two one-sided processes."""
        above, below = (self.log_e(summary, offset, side) for side in (+1, -1))
        return np.asarray(np.logaddexp(above, below) - math.log(2))


@dataclass(frozen=True)
class BoundedBets(Bets):
    """Draws in [lo, hi]: wealth is the product of 1 + lambda (x - m), bounded below through four power sums."""

    equals: float
    stakes: Array
    lo: float
    hi: float

    def summary(self, draws: torch.Tensor) -> Array:
        first = draws - self.equals
        second = first * first
        return _sums([first, second, second * first, second * second])

    def log_each(self, summary: Array, offset: Array, side: int) -> Array:
        n, s1, s2, s3, s4 = summary
        d = offset
        first = s1 - n * d
        second = s2 - 2 * d * s1 + n * d**2
        third = s3 - 3 * d * s2 + 3 * d**2 * s1 - n * d**3
        fourth = s4 - 4 * d * s3 + 6 * d**2 * s2 - 4 * d**3 * s1 + n * d**4
        stake = side * np.minimum(_column(self.stakes, first), self.largest_stake(d))
        return np.asarray(stake * (first - stake * (second / 2 - stake * (third / 3 - stake * QUARTIC * fourth))))

    def magnitude(self, summary: Array, offset: Array) -> Array:
        # every power of x - m is expanded in x - equals and the offset: |x - equals| + |offset| bounds each factor
        reach = np.maximum(self.hi - self.equals, self.equals - self.lo) + 2 * np.abs(offset)
        y = self.largest_stake(offset) * reach
        return np.asarray(summary[0] * (y + y**2 / 2 + y**3 / 3 + QUARTIC * y**4))

    def largest_stake(self, offset: Array) -> Array:
        """No draw in [lo, hi] moves |lambda (x - m)| beyond 1/2."""
        mean = self.equals + offset
        return np.asarray(0.5 / np.maximum(self.hi - mean, mean - self.lo))


@dataclass(frozen=True)
class CatoniBets(Bets):
    """Draws of variance at most v = ``variance``: wealth exp(sum phi(lambda (x - m)) - n lambda^2 v / 2).

    Wang and Ramdas, arXiv 2202.01250. The sums are kept at ``equals + nodes`` only; elsewhere they are bounded, because
    phi is increasing and 1-Lipschitz.
    """

    equals: float
    stakes: Array
    variance: float
    nodes: Array  # offsets, shape (nodes,); the bound is exact at each

    def summary(self, draws: torch.Tensor) -> Array:
        centre = draws - self.equals
        shifted = [centre - node for node in self.nodes.tolist()]
        return _sums([centre, centre * centre, *(phi(stake * y) for y in shifted for stake in self.stakes.tolist())])

    def log_each(self, summary: Array, offset: Array, side: int) -> Array:
        n = summary[0]
        table = summary[3:].reshape(len(self.nodes), len(self.stakes), *n.shape)
        stake = _column(self.stakes, n)
        # side +1: from a node down to m the sum only grows; from a node up to m it falls by at most lambda n (m - node)
        bounds = [
            side * sums - stake * n * np.maximum(side * (offset - node), 0.0)
            for node, sums in zip(self.nodes, table, strict=True)
        ]
        return np.asarray(np.max(bounds, axis=0) - n * stake**2 * self.variance / 2)

    def magnitude(self, summary: Array, offset: Array) -> Array:
        n, squares = summary[0], summary[2]
        stake = _column(self.stakes, n)
        # |phi(y)| <= |y|, and sum |x - equals| <= sqrt(n sum (x - equals)^2)
        reach = np.sqrt(n * squares) + n * (2 * np.abs(self.nodes).max() + np.abs(offset))
        return np.asarray(stake * reach + n * stake**2 * self.variance / 2)


@dataclass(frozen=True)
class CGFBets(Bets):
    """Draws whose law is known up to a shift: wealth exp(lambda sum (x - m) - n psi(lambda)).

    psi is the cumulant generating function of the centred law.
    """

    equals: float
    stakes: Array
    cgf: Callable[[float], float]

    def summary(self, draws: torch.Tensor) -> Array:
        centre = draws - self.equals
        return _sums([centre, centre * centre])

    def log_each(self, summary: Array, offset: Array, side: int) -> Array:
        n, total = summary[0], summary[1]
        cost = _column(self._costs[side], n)
        gain = side * _column(self.stakes, n) * (total - n * offset)
        # where the generating function is infinite the bet is not allowed and its wealth counts as 0
        return np.asarray(np.where(np.isfinite(cost), gain - n * cost, -np.inf))

    @cached_property
    def _costs(self) -> dict[int, Array]:
        """psi at each stake of each side; it may be slow to evaluate, so once is enough."""
        return {
            side: np.vectorize(lambda stake, side=side: centred(self.cgf, side * stake), otypes=[float])(self.stakes)
            for side in (+1, -1)
        }

    def magnitude(self, summary: Array, offset: Array) -> Array:
        n, squares = summary[0], summary[2]
        stake = _column(self.stakes, n)
        # psi is taken to be computed to a few units; dividing by the chord's length magnifies its rounding by 1 / CHORD
        return np.asarray(stake * (np.sqrt(n * squares) + n * np.abs(offset)) + n / CHORD)


def centred(cgf: Callable[[float], float], t: float) -> float:
    """An upper bound on psi(t) - t psi'(0): psi is convex, so the chord beyond 0 bounds the slope at 0."""
    step = -CHORD * t
    value, chord = float(cgf(t)), float(cgf(step))
    return value - t * chord / step if math.isfinite(value) and math.isfinite(chord) else math.inf


def phi(y: torch.Tensor) -> torch.Tensor:
    """Catoni's odd, increasing influence function: log(1 + y + y^2/2) for y >= 0."""
    size = y.abs()
    return torch.copysign(torch.log1p(size + size * size / 2), y)


def rounding(n: Array) -> Array:
    """Relative rounding error of sums of n terms in blocks, in whatever order each block is added, and of each term."""
    operations = (BLOCK + n / BLOCK + 64) * UNIT_ROUNDOFF
    return np.asarray(operations / (1 - operations))


def _sums(rows: list[torch.Tensor]) -> Array:
    """The number of draws and the sums over the last axis, shape (1 + rows, ...)."""
    sums = torch.stack([row.sum(-1) for row in rows]).cpu().numpy()
    return np.concatenate([np.full_like(sums[:1], rows[0].shape[-1]), sums])


def _column(stakes: Array, like: Array) -> Array:
    """Stakes along axis 0, ready to be combined with arrays of the shape of ``like``."""
    return stakes.reshape(stakes.shape + (1,) * (np.ndim(like) + 1 - stakes.ndim))
