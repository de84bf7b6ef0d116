"""Worlds: the data in which the lines of a derivation have values.

Small ones come first, so that counterexamples are small.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from mdnn_verify.errors import MdnnVerifyError

__all__ = ["INTEGERS", "NATURALS", "POSITIVE", "REALS", "Domain", "World", "over", "spoken"]

LIMIT = 300


@dataclass(frozen=True)
class World:
    """Data by name. ``generic`` ones hold symbols: what is proved there holds for all values of the symbols."""

    data: Mapping[str, Any]
    generic: bool = False
    label: str = ""

    def shown(self, names: Collection[str] | None = None) -> str:
        """The data (those named) in one line; a label, where one is given, tells all."""
        if self.label:
            return self.label
        return ", ".join(
            f"{name} = {spoken(value)}"
            for name, value in self.data.items()
            if (names is None or name in names) and not inspect.isroutine(value)
        )


@dataclass(frozen=True)
class Domain:
    """Values to try, simplest first, and the symbol that stands for all of them."""

    values: Sequence[Any]
    symbol: Callable[[str], Any] | None = None


def _symbol(**assumptions: bool) -> Callable[[str], Any]:
    return lambda name: sp.Symbol(name, **assumptions)


def _rationals(*texts: str) -> tuple[sp.Rational, ...]:
    return tuple(sp.Rational(text) for text in texts)


REALS = Domain(_rationals("0", "1", "-1", "2", "-2", "1/2", "-1/2", "3", "-3", "1/3", "5"), _symbol(real=True))
POSITIVE = Domain(_rationals("1", "2", "1/2", "3", "1/3", "5", "3/4", "7"), _symbol(positive=True))
INTEGERS = Domain(_rationals("0", "1", "-1", "2", "-2", "3", "-3", "4", "5"), _symbol(integer=True))
NATURALS = Domain(_rationals("1", "2", "3", "4", "5", "6"), _symbol(integer=True, positive=True))


def over(
    *,
    where: Callable[..., Any] | None = None,
    limit: int = LIMIT,
    generic: bool = True,
    **domains: Domain | Sequence[Any],
) -> tuple[World, ...]:
    """Worlds over products of domains, simplest first, at most ``limit``; and one that holds the domains' symbols.

    ``where`` (a predicate of the names it asks for) leaves out worlds that the text excludes; with it the generic world
    is left out, too, as a symbol knows no such condition.
    """
    given = {name: d if isinstance(d, Domain) else Domain(tuple(d)) for name, d in domains.items()}
    found = list(itertools.islice((World(data) for data in _products(given) if _admitted(where, data)), limit))
    if generic and where is None and all(domain.symbol for domain in given.values()):
        found.append(World({name: d.symbol(name) for name, d in given.items() if d.symbol}, generic=True))
    return tuple(found)


def _products(domains: Mapping[str, Domain]) -> Iterator[dict[str, Any]]:
    """All choices, by the sum of the places that the values have in their domains."""
    sizes = [len(domain.values) for domain in domains.values()]
    for total in range(sum(sizes) - len(sizes) + 1):
        for places in _compositions(total, sizes):
            yield {name: d.values[i] for (name, d), i in zip(domains.items(), places, strict=True)}


def _compositions(total: int, sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    if not sizes:
        if total == 0:
            yield ()
        return
    for first in range(min(total, sizes[0] - 1) + 1):
        for rest in _compositions(total - first, sizes[1:]):
            yield (first, *rest)


def _admitted(where: Callable[..., Any] | None, data: Mapping[str, Any]) -> bool:
    if where is None:
        return True
    names = list(inspect.signature(where).parameters)
    if unknown := [name for name in names if name not in data]:
        raise MdnnVerifyError(f"where asks for {unknown[0]}, which is not among {', '.join(data)}")
    return bool(where(**{name: data[name] for name in names}))


def spoken(value: Any) -> str:
    """A value as a person would write it."""
    if isinstance(value, sp.MatrixBase):
        if value.cols == 1:
            return "(" + ", ".join(map(spoken, value)) + ")"
        return (
            "[" + "; ".join(", ".join(spoken(value[i, j]) for j in range(value.cols)) for i in range(value.rows)) + "]"
        )
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{spoken(k)}: {spoken(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(spoken, value))) + "}"
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(map(spoken, value)) + ")"
    if isinstance(value, (Fraction, int, sp.Basic)):
        return str(value)
    return repr(value)


def first(worlds: Iterable[World], n: int) -> tuple[World, ...]:
    """The first n of many worlds."""
    return tuple(itertools.islice(worlds, n))
