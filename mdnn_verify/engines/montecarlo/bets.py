"""Bets against a claimed mean: e-processes as functions of additive summaries.

A summary is an array of sums over the draws, shape (k, ...): row 0 is their number, row 1 the sum and row 2 the sum of
squares of ``x - equals``. Summaries of blocks add up, so neither workers nor block order matter, and the trailing axes
may hold replications or looks. ``log_e(summary, offset, side)`` is the logarithm of the wealth of bets against
"the mean is ``equals + offset``": ``side`` +1 bets that it is larger, -1 that it is smaller. Wealth starts at 1 and, if the
mean is not on that side, is a non-negative supermartingale; it exceeds 1/alpha ever with probability at most alpha (Ville).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["Array", "Bets", "BoundedBets", "CGFBets", "CatoniBets", "phi"]

Array = npt.NDArray[np.float64]

# log(1 + y) >= y - y^2/2 + y^3/3 - QUARTIC y^4 for |y| <= 1/2, with equality at -1/2 for 16 (log 2 - 2/3) = 0.42368822...
QUARTIC = 0.4236883


class Bets(ABC):
    """Bets on the mean of draws around ``equals``; the stakes lambda are fixed before the draws that they are used on."""

    equals: float
    stakes: Array  # positive, shape (bets,)

    @abstractmethod
    def summary(self, draws: torch.Tensor) -> Array:
        """Sums over the last axis of ``draws``, shape (k, *leading axes)."""

    @abstractmethod
    def log_each(self, summary: Array, offset: Array, side: int) -> Array:
        """Log wealth of every single stake, shape (bets, ...)."""

    def log_e(self, summary: Array, offset: float | Array, side: int) -> Array:
        """Log wealth of the even mixture of all stakes."""
        each = self.log_each(summary, np.asarray(offset, dtype=float), side)
        return np.asarray(np.logaddexp.reduce(each, axis=0) - np.log(len(self.stakes)))

    def log_against(self, summary: Array, offset: float | Array = 0.0) -> Array:
        """Log evidence against "the mean is equals + offset": the mean of the two one-sided processes."""
        above, below = (self.log_e(summary, offset, side) for side in (+1, -1))
        return np.asarray(np.logaddexp(above, below)) - np.log(2)


@dataclass(frozen=True)
class BoundedBets(Bets):
    """Draws in [lo, hi]: wealth is a product of 1 + lambda (x - m), bounded below through four power sums."""

    equals: float
    stakes: Array
    lo: float
    hi: float

    def summary(self, draws: torch.Tensor) -> Array:
        first = draws - self.equals
        second = first * first
        rows = (first, second, second * first, second * second)
        sums = torch.stack([row.sum(-1) for row in rows]).cpu().numpy()
        return np.concatenate([np.full_like(sums[:1], draws.shape[-1]), sums])

    def log_each(self, summary: Array, offset: Array, side: int) -> Array:
        n, s1, s2, s3, s4 = summary
        d = offset
        sums = (
            s1 - n * d,
            s2 - 2 * d * s1 + n * d**2,
            s3 - 3 * d * s2 + 3 * d**2 * s1 - n * d**3,
            s4 - 4 * d * s3 + 6 * d**2 * s2 - 4 * d**3 * s1 + n * d**4,
        )
        stake = side * np.minimum(_column(self.stakes, sums[0]), self.largest_stake(d))
        return stake * (sums[0] - stake * (sums[1] / 2 - stake * (sums[2] / 3 - stake * QUARTIC * sums[3])))

    def largest_stake(self, offset: Array | float) -> Array:
        """No draw in [lo, hi] moves |lambda (x - m)| beyond 1/2."""
        mean = self.equals + np.asarray(offset, dtype=float)
        return np.asarray(0.5 / np.maximum(self.hi - mean, mean - self.lo))


@dataclass(frozen=True)
class CatoniBets(Bets):
    """Draws of variance at most ``variance``: wealth exp(sum phi(lambda (x - m)) - n lambda^2 v / 2) (arXiv 2202.01250).

    The sums are kept at ``equals + nodes`` only. Between nodes they are bounded: phi is increasing and 1-Lipschitz.
    """

    equals: float
    stakes: Array
    variance: float
    nodes: Array  # increasing offsets, shape (nodes,)

    def summary(self, draws: torch.Tensor) -> Array:
        centred = draws - self.equals
        rows = [centred.sum(-1), (centred * centred).sum(-1)]
        for node in self.nodes.tolist():
            shifted = centred - node
            rows += [phi(stake * shifted).sum(-1) for stake in self.stakes.tolist()]
        sums = torch.stack(rows).cpu().numpy()
        return np.concatenate([np.full_like(sums[:1], draws.shape[-1]), sums])

    def log_each(self, summary: Array, offset: Array, side: int) -> Array:
        n = summary[0]
        table = summary[3:].reshape(len(self.nodes), len(self.stakes), *n.shape)
        stake = _column(self.stakes, n)
        # side +1: what phi gains from node to m <= node is at least 0; from node to m >= node it loses at most lambda n (m - node)
        bounds = [
            side * table[j] - stake * n * np.maximum(side * (offset - node), 0.0) for j, node in enumerate(self.nodes)
        ]
        return np.asarray(np.max(bounds, axis=0)) - n * stake**2 * self.variance / 2


@dataclass(frozen=True)
class CGFBets(Bets):
    """Draws whose law is known up to a shift: wealth exp(lambda sum (x - m) - n psi(lambda)), psi of the centred law."""

    equals: float
    stakes: Array
    centred_cgf: Callable[[float], float]

    def summary(self, draws: torch.Tensor) -> Array:
        centred = draws - self.equals
        sums = torch.stack([centred.sum(-1), (centred * centred).sum(-1)]).cpu().numpy()
        return np.concatenate([np.full_like(sums[:1], draws.shape[-1]), sums])

    def log_each(self, summary: Array, offset: Array, side: int) -> Array:
        n, total = summary[0], summary[1]
        cost = _column(np.array([self.centred_cgf(side * stake) for stake in self.stakes.tolist()]), total)
        # a stake where the generating function is infinite bets nothing that can be won: its wealth counts as 0
        gain = side * _column(self.stakes, total) * (total - n * offset)
        return np.asarray(np.where(np.isfinite(cost), gain - n * cost, -np.inf))


def phi(y: torch.Tensor) -> torch.Tensor:
    """Catoni's odd, increasing influence function: log(1 + y + y^2/2) for y >= 0."""
    size = y.abs()
    return torch.copysign(torch.log1p(size + size * size / 2), y)


def _column(stakes: Array, like: Array) -> Array:
    return stakes.reshape(-1, *(1 for _ in np.shape(like)))
