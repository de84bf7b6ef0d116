"""Claims evaluated at random exact points: one point where a claim is certainly false refutes it.

Agreement at points proves nothing; it only keeps a faulty simplification from being believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import sympy as sp
from flint.utils.flint_exceptions import DomainError

from mdnn_verify.engines.base import Context
from mdnn_verify.engines.certified_functions import Undefined, Unresolved
from mdnn_verify.engines.intervals import precision
from mdnn_verify.engines.points import Point, Vocabulary, admits, points
from mdnn_verify.engines.truth import Truth, truth

__all__ = ["Findings", "cross_check", "find_witness", "holds_at"]

WANTED = 12
MOST_DRAWS = 60
PRECISIONS = (128, 512, 2048)  # bits; equality of irrational numbers is accepted from the second on


@dataclass
class Findings:
    """Per claim: at how many points it was true, certainly or to high precision; and where one is false."""

    agreed: list[int]
    false: int | None = None
    point: str = ""
    obstacle: str = ""
    notes: set[str] = field(default_factory=set)


def cross_check(claims: Sequence[Any], context: Context) -> Findings:
    """All claims at the same points, until each has agreed at 12, one is false somewhere, or 60 points were drawn.

    Claims without anything to choose are evaluated once.
    """
    findings = Findings([0] * len(claims))
    vocabulary = Vocabulary.of(claims)
    wanted = 1 if vocabulary.closed else WANTED
    try:
        for point in islice(points(vocabulary, context.name, context.seed), 1 if vocabulary.closed else MOST_DRAWS):
            _at_point(claims, point, wanted, findings)
            if findings.false is not None or min(findings.agreed) >= wanted:
                break
    except Unresolved as error:
        findings.obstacle = str(error)
    return findings


def find_witness(claims: Sequence[Any], context: Context, draws: int = 200) -> str | None:
    """A point at which all claims certainly hold, as text; None if no draw gave one."""
    vocabulary = Vocabulary.of(claims)
    notes: set[str] = set()
    try:
        for point in islice(points(vocabulary, context.name, context.seed), 1 if vocabulary.closed else draws):
            _solve_equations(claims, point)
            if all(holds_at(claim, point, notes)[0] is Truth.TRUE for claim in claims):
                return point.text()
    except (Unresolved, NotImplementedError):
        return None
    return None


def holds_at(claim: Any, point: Point, notes: set[str]) -> tuple[Truth, str]:
    """The claim at a point, at rising precision; UNKNOWN with the reason if it is undefined or stays undecided."""
    reason = ""
    for bits in PRECISIONS:
        with precision(bits):
            try:
                found = truth(claim, point.evaluator(notes))
            except Undefined as error:
                return Truth.UNKNOWN, str(error)
            except (Unresolved, ZeroDivisionError, OverflowError, DomainError) as error:
                reason = str(error)
                continue
        if found in (Truth.TRUE, Truth.FALSE) or (found is Truth.NEAR and bits > PRECISIONS[0]):
            return found, ""
    return Truth.UNKNOWN, reason


def _solve_equations(claims: Sequence[Any], point: Point) -> None:
    """Random values fulfil no equation: for each one, give one symbol that appears in it a value that does."""
    fixed: set[Any] = set()
    for claim in claims:
        free = [s for s in point.values if isinstance(claim, sp.Eq) and s in claim.free_symbols and s not in fixed]
        if not free:
            continue
        others = {s: v for s, v in point.values.items() if s != free[-1]}
        for solution in sp.solve(point.replaced(claim.lhs - claim.rhs).xreplace(others), free[-1]):
            if admits(free[-1], solution):
                point.values[free[-1]] = solution
                break
        fixed.update(claim.free_symbols)


def _at_point(claims: Sequence[Any], point: Point, wanted: int, findings: Findings) -> None:
    for i, claim in enumerate(claims):
        if findings.agreed[i] >= wanted:
            continue
        found, reason = holds_at(claim, point, findings.notes)
        if found is Truth.FALSE:
            findings.false, findings.point = i, point.text()
            return
        if found in (Truth.TRUE, Truth.NEAR):
            findings.agreed[i] += 1
        else:
            findings.obstacle = findings.obstacle or reason
