"""The values that lines may have: exact numbers, matrices, truth values, words, sets and tuples of these."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean, BooleanAtom

from mdnn_verify.audit.evaluation import MalformedDerivation

__all__ = ["exact", "has_dummies", "has_floats", "has_symbols", "has_value", "infinite", "is_truth", "kind"]


def exact(value: Any, name: str) -> Any:
    """A meaning's value in one of the forms that can be compared.

    Raises MalformedDerivation for a float (it is not exact) and for whatever has no comparison.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, BooleanAtom)):
        return bool(value)
    if isinstance(value, (int, Fraction)):
        return sp.Rational(value.numerator, value.denominator)
    if isinstance(value, (set, frozenset, sp.FiniteSet)) or value is sp.S.EmptySet:
        return frozenset(exact(member, name) for member in value)
    if isinstance(value, (tuple, list, sp.Tuple)):
        return tuple(exact(member, name) for member in value)
    if isinstance(value, (sp.Expr, Boolean, sp.MatrixBase, sp.MatrixExpr)) and not value.atoms(sp.Float):
        return _explicit(value)
    raise MalformedDerivation(
        f"the line {name!r} has the value {value!r} of type {type(value).__name__}; expected an exact number "
        "(sp.Rational, not a float), a matrix, a truth value, a set, or a tuple of these"
    )


def has_value(value: Any) -> bool:
    """Neither undefined (a division by zero) nor a tuple, set or matrix with an undefined member."""
    if value is None:
        return False
    if isinstance(value, (tuple, frozenset)):
        return all(has_value(member) for member in value)
    if isinstance(value, sp.Basic):
        return not value.has(sp.zoo, sp.nan)
    return True


def has_symbols(value: Any) -> bool:
    """Whether an exact value depends on what its symbols stand for."""
    if isinstance(value, (tuple, frozenset)):
        return any(has_symbols(member) for member in value)
    return isinstance(value, sp.Basic) and bool(value.free_symbols)


def has_dummies(value: Any) -> bool:
    """Whether a symbol in it is new each time, so that the same is written otherwise."""
    if isinstance(value, (tuple, frozenset)):
        return any(has_dummies(member) for member in value)
    return isinstance(value, sp.Basic) and value.has(sp.Dummy)


def has_floats(value: Any) -> bool:
    """Whether a number, or any number in a container, is a float."""
    if isinstance(value, (tuple, list, set, frozenset)):
        return any(has_floats(member) for member in value)
    if isinstance(value, dict):
        return any(has_floats(member) for pair in value.items() for member in pair)
    if isinstance(value, (sp.Basic, sp.MatrixBase)):
        return bool(value.atoms(sp.Float))
    return isinstance(value, float)


def infinite(value: Any) -> bool:
    """Plus or minus infinity."""
    return value in (sp.oo, -sp.oo)


def is_truth(value: Any) -> bool:
    """A symbol may stand for a truth value, too."""
    return isinstance(value, (bool, Boolean))


def kind(value: Any) -> str:
    """What a value is, as a message names it; values of different kinds are not compared."""
    if isinstance(value, (sp.MatrixBase, sp.MatrixExpr)):
        return f"a {value.shape[0]} x {value.shape[1]} matrix"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    if isinstance(value, frozenset):
        return "a set"
    if is_truth(value) and not isinstance(value, sp.Symbol):
        return "a truth value"
    return "a word" if isinstance(value, str) else "a number"


def _explicit(value: Any) -> Any:
    """Matrices as tables of their entries, where they hold no matrix symbols."""
    if isinstance(value, sp.MatrixExpr) and not value.free_symbols:
        value = value.doit().as_explicit()
    return sp.ImmutableDenseMatrix(value) if isinstance(value, sp.MatrixBase) else value
