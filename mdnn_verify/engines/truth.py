"""Whether a SymPy proposition holds at a point: certainly, certainly not, or to any precision tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import flint
import sympy as sp

from mdnn_verify.engines.certified import Evaluator
from mdnn_verify.engines.certified_functions import Number, Undefined, Unresolved, real

__all__ = ["MatrixEquality", "Truth", "truth"]


class Truth(Enum):
    """NEAR: both sides agree to half of the working precision, which is no proof that they are equal."""

    TRUE = "true"
    FALSE = "false"
    NEAR = "near"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class MatrixEquality:
    """lhs = rhs for matrix expressions, whose sizes may be symbolic."""

    lhs: Any
    rhs: Any

    @property
    def free_symbols(self) -> set[sp.Basic]:
        return set(self.lhs.free_symbols | self.rhs.free_symbols)


def truth(claim: Any, at: Evaluator) -> Truth:
    """Raises Undefined where a side has no value and Unresolved where the evaluator cannot tell."""
    if isinstance(claim, MatrixEquality):
        return _equal_matrices(claim, at)
    if claim in (sp.true, sp.false):
        return Truth.TRUE if claim == sp.true else Truth.FALSE
    if isinstance(claim, sp.core.relational.Relational):
        return _compare(claim, at)
    if isinstance(claim, sp.Symbol):
        value = at.values.get(claim)
        return _known(value) if isinstance(value, bool) else Truth.UNKNOWN
    if type(claim) in _CONNECTIVES:
        return _known(_CONNECTIVES[type(claim)]([_certain(part, at) for part in claim.args]))
    return Truth.UNKNOWN


def _equal_matrices(claim: MatrixEquality, at: Evaluator) -> Truth:
    left, right = at.matrix(claim.lhs), at.matrix(claim.rhs)
    if (len(left), len(left[0])) != (len(right), len(right[0])):
        return Truth.FALSE
    found = {_equal(a, b) for r, s in zip(left, right, strict=True) for a, b in zip(r, s, strict=True)}
    return next(t for t in (Truth.FALSE, Truth.UNKNOWN, Truth.NEAR, Truth.TRUE) if t in found)


def _compare(claim: Any, at: Evaluator) -> Truth:
    if claim.lhs.is_Boolean or claim.rhs.is_Boolean or getattr(claim.lhs, "is_Matrix", False):
        return Truth.UNKNOWN
    left, right = at.number(claim.lhs), at.number(claim.rhs)
    if isinstance(claim, sp.Eq):
        return _equal(left, right)
    if isinstance(claim, sp.Ne):
        return _negated(_equal(left, right))
    left, right = real(left), real(right)
    if isinstance(claim, (sp.Lt, sp.Le)):
        left, right = right, left
    return _above(left - right, strict=isinstance(claim, (sp.Gt, sp.Lt)), scale=abs(left) + abs(right))


def _equal(left: Number, right: Number) -> Truth:
    difference = left - right
    if isinstance(difference, flint.fmpq):
        return Truth.TRUE if difference == 0 else Truth.FALSE
    if not difference.contains(0):
        return Truth.FALSE
    if difference.is_zero():
        return Truth.TRUE
    return _near(difference, abs(flint.acb(left)) + abs(flint.acb(right)))


def _above(difference: Number, *, strict: bool, scale: Number) -> Truth:
    """difference > 0 or, unless ``strict``, >= 0."""
    if difference > 0 or (not strict and difference >= 0):
        return Truth.TRUE
    if difference < 0 or (strict and difference <= 0):
        return Truth.FALSE
    return Truth.UNKNOWN if strict else _near(difference, flint.arb(scale))


def _near(difference: Any, scale: Any) -> Truth:
    threshold = flint.arb(2) ** (-flint.ctx.prec // 2)
    return Truth.NEAR if abs(difference) < threshold * (1 + scale) else Truth.UNKNOWN


def _negated(value: Truth) -> Truth:
    return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}.get(value, Truth.UNKNOWN)


def _certain(claim: Any, at: Evaluator) -> bool | None:
    """Kleene's three values, for the parts of a compound proposition; undefined parts are undecided, too."""
    try:
        value = truth(claim, at)
    except (Undefined, Unresolved):
        return None
    return {Truth.TRUE: True, Truth.FALSE: False}.get(value)


def _known(value: bool | None) -> Truth:
    return Truth.UNKNOWN if value is None else Truth.TRUE if value else Truth.FALSE


def _all(values: list[bool | None]) -> bool | None:
    return False if False in values else None if None in values else True


def _any(values: list[bool | None]) -> bool | None:
    return _not(_all([_not(value) for value in values]))


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _same(values: list[bool | None]) -> bool | None:
    return None if None in values else len(set(values)) <= 1


def _odd(values: list[bool | None]) -> bool | None:
    return None if None in values else sum(map(bool, values)) % 2 == 1


def _if(values: list[bool | None]) -> bool | None:
    condition, then, otherwise = values
    if condition is None:
        return then if then == otherwise else None
    return then if condition else otherwise


_CONNECTIVES: dict[Any, Callable[[list[bool | None]], bool | None]] = {
    sp.And: _all,
    sp.Or: _any,
    sp.Not: lambda values: _not(values[0]),
    sp.Nand: lambda values: _not(_all(values)),
    sp.Nor: lambda values: _not(_any(values)),
    sp.Implies: lambda values: _any([_not(values[0]), values[1]]),
    sp.Equivalent: _same,
    sp.Xor: _odd,
    sp.ITE: _if,
}
