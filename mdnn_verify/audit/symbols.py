"""What a line is in symbols, held against what it is for their values.

A meaning is foreign code: with symbols it may take another branch than with numbers, SymPy may compute a limit wrongly
that it computes rightly for numbers, and a quotient of polynomials proves equal to one without the division by zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sympy as sp

from mdnn_verify.audit.worlds import World

__all__ = ["Instance", "at", "holes", "instances"]

MOST = 12  # concrete worlds that a line in symbols is held against
BASES = 3  # concrete worlds from which the other data come where a divisor vanishes


@dataclass(frozen=True)
class Instance:
    """A concrete world, and what the symbols of the generic world are there."""

    world: World
    values: dict[sp.Symbol, Any]


def instances(generic: World, worlds: Sequence[World], names: set[str]) -> list[Instance]:
    """The first concrete worlds that the generic one speaks for, by the data called ``names``."""
    found = (_instance(generic, world, names) for world in worlds if not world.generic)
    return list(islice((one for one in found if one is not None), MOST))


def at(value: Any, instance: Instance) -> Any:
    """A value in symbols, at an instance."""
    if isinstance(value, (tuple, frozenset)):
        return type(value)(at(member, instance) for member in value)
    return value.subs(instance.values) if isinstance(value, (sp.Basic, sp.MatrixBase)) else value


def holes(values: Sequence[Any], critical: Sequence[Any], generic: World, known: Sequence[Instance]) -> Iterator[World]:
    """Worlds that points drawn by chance miss: where something ``critical`` is zero, or the two sides of a comparison
    are equal, or something is divided by zero, or a logarithm taken of it, in one of the values in symbols.
    """
    names = {symbol: name for name, symbol in generic.data.items() if isinstance(symbol, sp.Symbol)}
    bases = [one.values for one in known[:BASES]] or [dict.fromkeys(names, sp.Integer(2))]
    for divisor in sorted({*critical, *(d for value in values for d in _divisors(value))}, key=str):
        for symbol in sorted(divisor.free_symbols & set(names), key=str):
            for base in bases:
                others = {s: v for s, v in base.items() if s != symbol}
                for root in _roots(divisor.subs(others), symbol):
                    found = {names[s]: v for s, v in {**others, symbol: root}.items()}
                    yield World({**generic.data, **found})


def _instance(generic: World, world: World, names: set[str]) -> Instance | None:
    values: dict[sp.Symbol, Any] = {}
    for name in names:
        symbol, value = generic.data[name], world.data.get(name)
        if not isinstance(symbol, sp.Symbol):
            if symbol is not value:
                return None
        elif isinstance(value, (int, sp.Rational)) and _allowed(symbol, sp.sympify(value)):
            values[symbol] = sp.sympify(value)
        else:
            return None
    return Instance(world, values)


def _allowed(symbol: sp.Symbol, value: Any) -> bool:
    """Whether the symbol's assumptions admit the value."""
    return all(getattr(value, f"is_{name}", None) is not (not truth) for name, truth in symbol.assumptions0.items())


def _divisors(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, frozenset)):
        for member in value:
            yield from _divisors(member)
    elif isinstance(value, (sp.Basic, sp.MatrixBase)):
        for power in value.atoms(sp.Pow):
            if power.exp.is_negative and power.base.free_symbols:
                yield power.base
        for comparison in value.atoms(sp.core.relational.Relational):
            yield comparison.lhs - comparison.rhs
        for logarithm in value.atoms(sp.log):
            if logarithm.args[0].free_symbols:
                yield logarithm.args[0]


def _roots(expression: Any, symbol: sp.Symbol) -> list[Any]:
    """Rational zeros that the symbol's assumptions admit; none if it is no polynomial with rational coefficients."""
    try:
        polynomial = sp.Poly(expression, symbol, domain=sp.QQ)
    except (sp.PolynomialError, sp.CoercionFailed):
        return []
    if polynomial.is_zero:
        return []
    return [root for root in polynomial.ground_roots() if _allowed(symbol, root)]
