"""Whether two exact values stand in a relation: certainly, certainly not, or to every precision tried.

Numbers are compared by the engines' certified evaluation (rationals exactly, the rest in balls), sets and truth values
as such. Nothing here rounds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import sympy as sp
from flint.utils.flint_exceptions import DomainError

from mdnn_verify.audit.derivation import MalformedDerivation, Relation
from mdnn_verify.audit.values import infinite, is_truth, kind
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.certified_functions import Undefined, Unresolved
from mdnn_verify.engines.cross_check import holds_at
from mdnn_verify.engines.intervals import precision
from mdnn_verify.engines.points import Vocabulary, points
from mdnn_verify.engines.symbolic import Equal, Proposition
from mdnn_verify.engines.truth import Truth, truth
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["compare", "proved"]

LAST_LOOK = 16384  # bits, for numbers that agree in all digits that the engines look at
_ORDERS: dict[Relation, Callable[[Any, Any], Any]] = {
    Relation.AT_MOST: operator.le,
    Relation.AT_LEAST: operator.ge,
    Relation.LESS: operator.lt,
    Relation.GREATER: operator.gt,
}
_PROPOSITIONS = {
    Relation.AT_MOST: sp.Le,
    Relation.AT_LEAST: sp.Ge,
    Relation.LESS: sp.Lt,
    Relation.GREATER: sp.Gt,
}
_WEAKEST = (Truth.FALSE, Truth.UNKNOWN, Truth.NEAR, Truth.TRUE)
_NOT = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}


def compare(relation: Relation, left: Any, right: Any, name: str) -> Truth:
    """``left`` (the line before) against ``right`` (the line ``name``), both exact and without symbols.

    Raises MalformedDerivation, naming the line, if the relation makes no sense between such values.
    """
    if relation is Relation.HOLDS:
        return truth_of(right, name)
    if relation in (Relation.IFF, Relation.IMPLIES):
        return _logical(relation, truth_of(left, name), truth_of(right, name))
    if relation is Relation.SUBSET:
        if not (isinstance(left, frozenset) and isinstance(right, frozenset)):
            raise _mismatch(name, "subset", left, right)
        return _contained(left, right, name)
    if relation is Relation.EQUAL:
        return _equal(left, right, name)
    return _ordered(relation, left, right, name)


def proved(relation: Relation, left: Any, right: Any, name: str, timeout: float) -> Verdict:
    """The same between values that hold symbols: a proof for all their values, a counterexample, or neither.

    Raises MalformedDerivation as ``compare`` does.
    """
    claims = _claims(relation, left, right, name)
    if claims is None:
        return Verdict(Status.INCONCLUSIVE)
    open_claims = [claim for claim in claims if claim not in (True, sp.true)]
    if any(claim in (False, sp.false) for claim in open_claims):
        return Verdict(Status.REFUTED, engine="SymPy", counterexample="false whatever the symbols are")
    if not open_claims:
        return Verdict(Status.PROVED, engine="SymPy")
    try:
        return decide(open_claims, Context(f"audit/{name}", alpha=None, timeout=timeout))
    except MdnnVerifyError as error:
        raise MalformedDerivation(f"the line {name!r}: {error}") from error


def _claims(relation: Relation, left: Any, right: Any, name: str) -> list[Any] | None:
    """What the engines must prove; None where they know no such relation."""
    if relation in (Relation.HOLDS, Relation.IFF, Relation.IMPLIES):
        for value in (right,) if relation is Relation.HOLDS else (left, right):
            if not is_truth(value):
                raise MalformedDerivation(f"the line {name!r} has to do with {kind(value)}, expected a truth value")
        if relation is Relation.HOLDS:
            return [right]
        return [sp.Equivalent(left, right) if relation is Relation.IFF else sp.Implies(left, right)]
    if relation is Relation.EQUAL:
        return _equations(left, right, name)
    if relation in _PROPOSITIONS:
        if kind(left) != "a number" or kind(right) != "a number":
            raise _mismatch(name, str(relation), left, right)
        return [Proposition(_PROPOSITIONS[relation](left, right, evaluate=False))]
    return None


def _equations(left: Any, right: Any, name: str) -> list[Any] | None:
    if kind(left) != kind(right):
        raise _mismatch(name, "=", left, right)
    if isinstance(left, tuple):
        parts = [_equations(a, b, name) for a, b in zip(left, right, strict=True)]
        return None if None in parts else [claim for part in parts if part for claim in part]
    if kind(left) == "a truth value":
        return [sp.Equivalent(left, right)]
    if isinstance(left, (frozenset, str)):
        return [] if left == right else None
    return [Equal(left, right)]


def truth_of(value: Any, name: str) -> Truth:
    """A truth value without symbols. Raises MalformedDerivation for anything else."""
    if isinstance(value, bool):
        return _truth(value)
    if not is_truth(value):
        raise MalformedDerivation(f"the line {name!r} has to do with {kind(value)}, expected a truth value")
    if isinstance(value, (sp.And, sp.Or)):
        parts = [truth_of(bool(part) if part in (sp.true, sp.false) else part, name) for part in value.args]
        order = _WEAKEST if isinstance(value, sp.And) else tuple(reversed(_WEAKEST))
        return _first(order, parts)
    return _certified(value)


def _logical(relation: Relation, one: Truth, two: Truth) -> Truth:
    if relation is Relation.IMPLIES and Truth.FALSE in (one, _NOT.get(two)):
        return Truth.TRUE  # whatever the other side is
    if Truth.UNKNOWN in (one, two):
        return Truth.UNKNOWN
    if (one is Truth.FALSE) != (two is Truth.FALSE):
        return Truth.FALSE
    return Truth.NEAR if Truth.NEAR in (one, two) else Truth.TRUE


def _equal(left: Any, right: Any, name: str) -> Truth:
    if kind(left) != kind(right):
        raise _mismatch(name, "=", left, right)
    if isinstance(left, (tuple, sp.MatrixBase)):
        return _first(_WEAKEST, [_equal(a, b, name) for a, b in zip(left, right, strict=True)])
    if isinstance(left, frozenset):
        return _first(_WEAKEST, [_contained(left, right, name), _contained(right, left, name)])
    if is_truth(left) and not isinstance(left, sp.Symbol):
        return _logical(Relation.IFF, truth_of(left, name), truth_of(right, name))
    if isinstance(left, sp.Expr) and left != right:
        return _different(left, right)
    return _truth(left == right)


def _different(left: Any, right: Any) -> Truth:
    """Numbers that are written differently."""
    if infinite(left) or infinite(right):
        other = right if infinite(left) else left
        return Truth.FALSE if infinite(other) or other.is_finite else Truth.UNKNOWN
    if left.is_Rational and right.is_Rational:
        return Truth.FALSE
    return _certified(sp.Eq(left, right, evaluate=False))


def _contained(small: frozenset[Any], large: frozenset[Any], name: str) -> Truth:
    """Members are compared by value, not by how they are written."""
    found = []
    for member in small - large:
        alike = [other for other in large if kind(other) == kind(member)]
        found.append(_first(tuple(reversed(_WEAKEST)), [_equal(member, other, name) for other in alike], Truth.FALSE))
    return _first(_WEAKEST, found)


def _ordered(relation: Relation, left: Any, right: Any, name: str) -> Truth:
    if kind(left) != "a number" or kind(right) != "a number":
        raise _mismatch(name, str(relation), left, right)
    for value in (left, right):
        if value.is_extended_real is False:
            raise MalformedDerivation(f"the line {name!r} has the relation {str(relation)!r}, but {value} is not real")
    if all(value.is_Rational or infinite(value) for value in (left, right)):
        return _truth(bool(_ORDERS[relation](left, right)))
    if infinite(left) or infinite(right):
        found = _ORDERS[relation](left, right)
        return _truth(bool(found)) if found in (sp.true, sp.false) else Truth.UNKNOWN
    return _certified(_PROPOSITIONS[relation](left, right, evaluate=False))


def _certified(claim: Any) -> Truth:
    """A comparison of numbers without symbols, in balls of rising precision; what looks equal is looked at again."""
    point = next(iter(points(Vocabulary.of([claim]), "audit", 0)))
    found, _ = holds_at(claim, point, set())
    if found is not Truth.NEAR:
        return found
    with precision(LAST_LOOK):
        try:
            again = truth(claim, point.evaluator(set()))
        except (Undefined, Unresolved, ZeroDivisionError, OverflowError, DomainError):
            return found
    return found if again is Truth.UNKNOWN else again


def _mismatch(name: str, relation: str, left: Any, right: Any) -> MalformedDerivation:
    return MalformedDerivation(
        f"the line {name!r} stands in the relation {relation!r} to the line before, but that is {kind(left)} and this "
        f"is {kind(right)}"
    )


def _truth(value: bool) -> Truth:
    return Truth.TRUE if value else Truth.FALSE


def _first(order: Iterable[Truth], found: Iterable[Truth], otherwise: Truth = Truth.TRUE) -> Truth:
    """The first of ``order`` that is among those found."""
    present = set(found)
    return next((one for one in order if one in present), otherwise)
