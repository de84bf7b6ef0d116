"""Worlds of f = g + h with h >= 0 whose minimum over phi is 0: tables with ties, and an f without a maximiser."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import sympy as sp

from mdnn_verify.audit import World

__all__ = [
    "Naturals",
    "argmax",
    "argmax_pairs",
    "at",
    "infimum",
    "maximum",
    "maximum_of_pairs",
    "supremum",
    "supremum_of_pairs",
    "tables",
    "without_maximum",
]

N = sp.Symbol("n", integer=True, positive=True)


class Naturals:
    """The index set {1, 2, 3, ...}; functions on it are expressions in n."""

    def __repr__(self) -> str:
        return "{1, 2, 3, ...}"


def at(table: Any, theta: Any, phi: Any = None) -> Any:
    """f(theta), or g(theta, phi): looked up, or an expression in n (one for each phi) at n = theta."""
    if isinstance(table, sp.Expr):
        return table.subs(N, theta)
    key = theta if phi is None else (theta, phi)
    return table[key] if key in table else table[phi].subs(N, theta)


def supremum(function: Callable[[Any], Any], domain: Any) -> Any:
    """The least upper bound; on the naturals, of a constant or of a function that stays below its limit."""
    return _limit(function) if isinstance(domain, Naturals) else sp.Max(*map(function, domain))


def infimum(function: Callable[[Any], Any], domain: Any) -> Any:
    """The greatest lower bound."""
    return -supremum(lambda point: -function(point), domain)


def argmax(function: Callable[[Any], Any], domain: Any) -> frozenset[Any]:
    """All maximisers; none on the naturals, where a function that is not constant stays below its limit.

    Raises ValueError for a constant on the naturals.
    """
    best = supremum(function, domain)
    if not isinstance(domain, Naturals):
        return frozenset(x for x in domain if function(x) == best)
    if sp.sympify(function(N)) == best:
        raise ValueError(f"{best} is attained everywhere")
    return frozenset()


def maximum(function: Callable[[Any], Any], domain: Any) -> Any:
    """The largest value; None where there is none."""
    return supremum(function, domain) if argmax(function, domain) else None


def supremum_of_pairs(table: Any, Theta: Any, Phi: Any) -> Any:
    """The supremum over all pairs at once: a table's largest entry, or the largest supremum of a row."""
    if isinstance(Theta, Naturals):
        return sp.Max(*(supremum(lambda theta, phi=phi: at(table, theta, phi), Theta) for phi in Phi))
    return sp.Max(*(at(table, theta, phi) for theta, phi in itertools.product(Theta, Phi)))


def argmax_pairs(table: Any, Theta: Any, Phi: Any) -> frozenset[Any]:
    """All pairs at which the supremum over the pairs is attained; none on the naturals, as for ``argmax``."""
    best = supremum_of_pairs(table, Theta, Phi)
    if isinstance(Theta, Naturals):
        rows = [lambda theta, phi=phi: at(table, theta, phi) for phi in Phi]
        return frozenset().union(*(argmax(row, Theta) for row in rows if supremum(row, Theta) == best))
    return frozenset(pair for pair in itertools.product(Theta, Phi) if at(table, *pair) == best)


def maximum_of_pairs(table: Any, Theta: Any, Phi: Any) -> Any:
    """The largest value over all pairs; None where there is none."""
    return supremum_of_pairs(table, Theta, Phi) if argmax_pairs(table, Theta, Phi) else None


def tables() -> tuple[World, ...]:
    """Theta, Phi, f, h, g = f - h: finite; with ties of f, several zeros of h in a row, zeros that move with theta."""
    found = [
        _table([0, 1], [[0, 1], [1, 0]]),
        _table([1, 0], [[0, 3], [2, 0]]),
        _table([2, 2], [[0, 1], [1, 0]]),
        _table([0, 1], [[1, 0], [0, 0]]),
        _table([3], [[0, 0, 5]]),
        _table([0, -1, 0], [[2, 0], [0, 0], [0, 1]]),
        _table(["1/2", 3, "5/2"], [[0, 1, 4], [7, "1/3", 0], [1, 0, 0]]),
        _table([-2, -1, -1, -3], [[0, 0, 1], [4, 0, 4], [0, 9, 1], [1, 1, 0]]),
        _table([5, 4, 3, 5], [[0], [0], [0], [0]]),
    ]
    return tuple(found)


def without_maximum() -> tuple[World, ...]:
    """The same over the naturals, with f below its supremum everywhere: no maximiser on either side."""
    below_one, unbounded = 1 - 1 / N, sp.sympify(N)
    found = []
    for f, h in (
        (below_one, {0: sp.Integer(0)}),
        (below_one, {0: sp.Integer(0), 1: 1 / N}),
        (unbounded, {0: N, 1: sp.Integer(0)}),
    ):
        g = {phi: f - height for phi, height in h.items()}
        found.append(World({"Theta": Naturals(), "Phi": tuple(map(sp.Integer, h)), "f": f, "h": h, "g": g}))
    return tuple(found)


def _table(f: list[Any], h: list[list[Any]]) -> World:
    Theta, Phi = tuple(map(sp.Integer, range(len(f)))), tuple(map(sp.Integer, range(len(h[0]))))
    heights = {(a, b): sp.sympify(h[a][b]) for a in Theta for b in Phi}
    values = {a: sp.sympify(f[a]) for a in Theta}
    g = {(a, b): values[a] - height for (a, b), height in heights.items()}
    return World({"Theta": Theta, "Phi": Phi, "f": values, "h": heights, "g": g})


def _limit(function: Callable[[Any], Any]) -> Any:
    values = sp.sympify(function(N))
    limit = sp.limit(values, N, sp.oo)
    if values.has(N) and limit != sp.oo and not (limit - values).is_positive:
        raise ValueError(f"{values} does not stay below its limit {limit}")
    return limit
