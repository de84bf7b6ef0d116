"""Zero-sum matrix games: ``payoff[i, j]`` is what the column player earns with j against the row player's i.

The row player minimises, the column player maximises.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from mdnn_verify.maths.validation import positive_integer, probability_vector, vector

__all__ = ["Solution", "exploitability", "mixed_strategy", "points_by_rules", "simplex_grid", "solve"]

Array = npt.NDArray[np.float64]


def mixed_strategy(name: str, p: Any, plays: int | None = None) -> Array:
    """Probabilities of the plays, shape (k,), as float64.

    Raises ValueError naming ``name`` for a wrong shape, a negative or non-finite entry, or a sum other than 1.
    """
    return probability_vector(name, vector(name, p, plays))


def exploitability(payoff: Any, p: Any) -> float:
    """What the best reply of the column player earns, on average, against the row player's strategy p, shape (m,).

    A pure reply is among the best ones. ``payoff`` has shape (m, n). Raises ValueError naming the argument.
    """
    points = _payoff(payoff)
    return float((mixed_strategy("p", p, len(points)) @ points).max())


def points_by_rules(plays: int, beats: Collection[tuple[int, int]]) -> list[list[int]]:
    """The column player's points: 1 for a win, -1 for a loss, 0 for a draw.

    ``beats`` lists pairs (winning play, losing play) of numbers in 0 .. plays - 1. Raises ValueError for a play outside
    that range, a play that beats itself, or two plays that beat each other.
    """
    count, pairs = positive_integer("plays", plays), set(beats)
    for winner, loser in pairs:
        if not (0 <= winner < count and 0 <= loser < count):
            raise ValueError(f"beats has the pair {(winner, loser)}, expected plays in 0 .. {count - 1}")
        if winner == loser or (loser, winner) in pairs:
            raise ValueError(f"beats has {winner} and {loser} beating each other")
    return [[((theirs, mine) in pairs) - ((mine, theirs) in pairs) for theirs in range(count)] for mine in range(count)]


def simplex_grid(steps: int) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    """All (i, j, k) / steps with i + j + k = steps, exactly; (steps + 1)(steps + 2) / 2 of them."""
    count = positive_integer("steps", steps)
    for i in range(count + 1):
        for j in range(count + 1 - i):
            yield Fraction(i, count), Fraction(j, count), Fraction(count - i - j, count)


@dataclass(frozen=True)
class Solution:
    """Strategies of both players and the bounds that they certify: ``lower`` <= the game's value <= ``upper``.

    By weak duality min_i (M column)_i <= value <= max_j (row' M)_j, whatever produced the strategies; both bounds
    include the rounding of their computation.
    """

    row: Array
    column: Array
    lower: float
    upper: float


def solve(payoff: Any) -> Solution:
    """Both players' minimax strategies by linear programming (HiGHS), with an a posteriori certificate.

    ``payoff`` has shape (m, n). Raises ValueError naming it, RuntimeError if the solver fails.
    """
    points = _payoff(payoff)
    row, column = _minimiser(points), _minimiser(-points.T)
    # normalising leaves a sum within 2 k u of 1, a dot product of k terms errs by k u; both times the largest payoff
    rounding = 4 * max(points.shape) * np.finfo(float).eps * max(1.0, float(np.abs(points).max()))
    return Solution(row, column, float((points @ column).min() - rounding), float((row @ points).max() + rounding))


def _minimiser(points: Array) -> Array:
    """The row strategy that concedes least: minimise v subject to points' p <= v over the simplex."""
    from scipy.optimize import linprog

    plays, replies = points.shape
    found = linprog(
        c=[*np.zeros(plays), 1.0],
        A_ub=np.column_stack([points.T, -np.ones(replies)]),
        b_ub=np.zeros(replies),
        A_eq=[[*np.ones(plays), 0.0]],
        b_eq=[1.0],
        bounds=[*[(0, None)] * plays, (None, None)],
        method="highs",
    )
    if not found.success or found.x is None:
        raise RuntimeError(f"the linear programme was not solved: {found.message}")
    strategy: Array = np.clip(np.asarray(found.x, dtype=np.float64)[:plays], 0.0, None)
    strategy /= strategy.sum()
    return strategy


def _payoff(payoff: Any) -> Array:
    try:
        points = np.asarray(payoff, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("payoff is not an array of real numbers") from None
    if points.ndim != 2 or points.size == 0:
        raise ValueError(f"payoff has shape {points.shape}, expected (m, n)")
    if not np.isfinite(points).all():
        raise ValueError("payoff has an entry that is NaN or infinite, expected finite numbers")
    return points
