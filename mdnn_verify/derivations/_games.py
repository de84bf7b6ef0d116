"""Games of two players on a payoff that is linear in each player's strategy; values and optimal strategies, exactly.

Strategies are columns: of probabilities ("mixed"), or of one 1 and zeros ("pure"). The inner optimum over mixed
strategies lies at a pure one; the outer is a linear program, whose vertices are enumerated.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import sympy as sp

__all__ = [
    "PRINTED",
    "RULES",
    "antisymmetric",
    "max_min_a",
    "max_min_b",
    "min_max_a",
    "optimal_for_a",
    "optimal_for_b",
    "pure",
    "simplex_grid",
    "unit",
]

Payoff = Callable[[Any, Any], Any]
Strategy = tuple[Fraction, ...]
Rows = tuple[tuple[Fraction, ...], ...]

# rock, paper, scissors; rows are what A plays, columns what B plays
PRINTED = sp.ImmutableMatrix([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
_BEATS = {(1, 0), (2, 1), (0, 2)}  # paper beats rock, scissors paper, rock scissors
RULES = sp.ImmutableMatrix(3, 3, lambda a, b: 1 if (b, a) in _BEATS else -1 if (a, b) in _BEATS else 0)


def antisymmetric(a: Any, b: Any, c: Any) -> sp.ImmutableMatrix:
    """The antisymmetric matrix whose kernel holds (a, b, c)."""
    return sp.ImmutableMatrix([[0, -c, b], [c, 0, -a], [-b, a, 0]])


def unit(n: int, i: int) -> sp.Matrix:
    """The pure strategy number i of n, as a column."""
    return sp.Matrix(n, 1, lambda row, _: int(row == i))


def pure(n: int) -> list[sp.Matrix]:
    """All pure strategies, as columns."""
    return [unit(n, i) for i in range(n)]


def simplex_grid(n: int) -> Iterator[sp.Matrix]:
    """All probability columns of three entries that are multiples of 1/n, the pure ones first."""
    counts = [c for c in itertools.product(range(n + 1), repeat=3) if sum(c) == n]
    for c in sorted(counts, key=lambda c: sum(entry != 0 for entry in c)):
        yield sp.Matrix([sp.Rational(entry, n) for entry in c])


def min_max_a(payoff: Payoff, strategies: str, n: int = 3) -> sp.Rational:
    """The minimum over p_A of the maximum over p_B of payoff(p_A, p_B)."""
    return _rational(_min_max(_table(payoff, n), strategies)[0])


def max_min_a(payoff: Payoff, strategies: str, n: int = 3) -> sp.Rational:
    """The maximum over p_A of the minimum over p_B of payoff(p_A, p_B)."""
    return -min_max_a(lambda a, b: -payoff(a, b), strategies, n)


def max_min_b(payoff: Payoff, strategies: str, n: int = 3) -> sp.Rational:
    """The maximum over p_B of the minimum over p_A of payoff(p_A, p_B)."""
    return -min_max_a(lambda b, a: -payoff(a, b), strategies, n)


def optimal_for_a(M: Any) -> frozenset[Any]:
    """The vertices of the set of mixed p_A that minimise the maximum over p_B of p_A' M p_B."""
    return frozenset(map(_column, _min_max(_rows(M), "mixed")[1]))


def optimal_for_b(M: Any) -> frozenset[Any]:
    """The vertices of the set of mixed p_B that maximise the minimum over p_A of p_A' M p_B."""
    return optimal_for_a(-sp.Matrix(M).T)


def _table(payoff: Payoff, n: int) -> Rows:
    return tuple(tuple(_fraction(payoff(a, b)) for b in pure(n)) for a in pure(n))


def _rows(M: Any) -> Rows:
    return tuple(tuple(_fraction(M[i, j]) for j in range(M.cols)) for i in range(M.rows))


@cache
def _min_max(M: Rows, strategies: str) -> tuple[Fraction, frozenset[Strategy]]:
    """The least over p of the greatest entry of p' M, and the pure strategies and vertices p that reach it."""
    n, m = len(M), len(M[0])
    singles = [tuple(Fraction(int(row == i)) for row in range(n)) for i in range(n)]
    candidates = {*singles, *(_vertices(M) if strategies == "mixed" else ())}
    worst = {p: max(sum((p[i] * M[i][j] for i in range(n)), Fraction(0)) for j in range(m)) for p in candidates}
    value = min(worst.values())
    return value, frozenset(p for p, greatest in worst.items() if greatest == value)


def _vertices(M: Rows) -> Iterator[Strategy]:
    """The vertices (p, v) of {p >= 0, sum p = 1, (p' M)_j <= v}: p lives on S and makes the columns in T equal to v."""
    n, m = len(M), len(M[0])
    for size in range(2, min(n, m) + 1):
        for S, T in itertools.product(itertools.combinations(range(n), size), itertools.combinations(range(m), size)):
            system = sp.Matrix([[*(M[i][j] for i in S), -1] for j in T] + [[1] * size + [0]])
            if system.det() == 0:
                continue
            solved = system.LUsolve(sp.Matrix([0] * size + [1]))
            p = [Fraction(0)] * n
            for i, entry in zip(S, solved, strict=False):
                p[i] = _fraction(entry)
            if min(p) >= 0:
                yield tuple(p)


def _fraction(value: Any) -> Fraction:
    number = sp.Rational(value)
    return Fraction(int(number.p), int(number.q))


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)


def _column(p: Strategy) -> sp.ImmutableMatrix:
    return sp.ImmutableMatrix([_rational(entry) for entry in p])
