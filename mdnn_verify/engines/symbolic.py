"""SymPy claims: proved by exact simplification that random exact points do not contradict.

PROVED needs both: a simplification says true, and the claim could be evaluated at exact points and held there. A point
where it is certainly false refutes it, whatever SymPy says. What raises, takes too long or stays open is INCONCLUSIVE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.cross_check import Findings, cross_check, find_witness
from mdnn_verify.engines.deadline import Timeout, deadline
from mdnn_verify.engines.simplification import steps
from mdnn_verify.engines.truth import MatrixEquality
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["Equal", "Proposition"]

ENGINE = "symbolic"


class _Symbolic(Claim):
    """Labelled atomic claims, all of which must hold; or a reason why they cannot (``mismatch``)."""

    atoms: list[tuple[str, Any]]
    mismatch: str = ""

    def decide(self, context: Context) -> Verdict:
        if self.mismatch:
            return Verdict(Status.REFUTED, context.scope, "shapes differ", self.mismatch, engine=ENGINE)
        claims = [claim for _, claim in self.atoms]
        try:
            with deadline(context.timeout / 2):
                findings = cross_check(claims, context)
        except Timeout:
            return self._answer(context, Status.INCONCLUSIVE, "the evaluation at exact points took too long", None)
        if findings.false is not None:
            label, claim = self.atoms[findings.false]
            text = f"{findings.point}: {label}{_short(claim)} is false"
            empty = " (an empty sum is 0, an empty product 1)" if _has_series(claim) else ""
            return self._answer(context, Status.REFUTED, f"false at an exact point{empty}", findings, text)
        return self._simplify(context, findings)

    def satisfiable(self, context: Context) -> Verdict:
        """True where it is valid; else by a witness at which all atoms hold together; false only where it is closed."""
        verdict = self.decide(context)
        if verdict.agrees or self.mismatch:
            return verdict
        claims = [claim for _, claim in self.atoms]
        if not any(claim.free_symbols for claim in claims):
            return verdict
        try:
            with deadline(context.timeout / 2):
                witness = find_witness(claims, context)
                contradiction = witness is None and sp.simplify(sp.And(*claims)) == sp.false
        except Timeout:
            witness, contradiction = None, False
        if witness is not None:
            return self._answer(context, Status.PROVED, f"witness: {witness}", None)
        if contradiction:
            return self._answer(context, Status.REFUTED, "SymPy simplifies it to false", None, "no instance exists")
        return self._answer(context, Status.INCONCLUSIVE, "no random point fulfils it", None)

    def joined(self, other: Claim) -> Claim | None:
        if not isinstance(other, _Symbolic):
            return None
        both = _Symbolic()
        both.atoms, both.mismatch = [*self.atoms, *other.atoms], self.mismatch or other.mismatch
        return both

    def _simplify(self, context: Context, findings: Findings) -> Verdict:
        used: list[str] = []
        try:
            with deadline(context.timeout / 2):
                for (label, claim), agreed in zip(self.atoms, findings.agreed, strict=True):
                    value, how = _decide_atom(claim)
                    if value is not True:
                        return self._undecided(context, findings, label, claim, value, how, agreed)
                    if not agreed and claim != sp.true:
                        obstacle = f" ({findings.obstacle})" if findings.obstacle else ""
                        detail = f"SymPy says true ({how}), but no exact point could be evaluated{obstacle}: {label}{_short(claim)}"
                        return self._answer(context, Status.INCONCLUSIVE, detail, findings)
                    used.append(how)
        except Timeout as error:
            return self._answer(context, Status.INCONCLUSIVE, f"simplification: {error}", findings)
        ways = ", ".join(dict.fromkeys(used))
        fewest = min(findings.agreed, default=0)
        detail = f"{_count(len(used))} simplified to true ({ways}); true at {fewest} exact point{'s' * (fewest != 1)}"
        return self._answer(context, Status.PROVED, detail, findings)

    def _undecided(
        self, context: Context, findings: Findings, label: str, claim: Any, value: bool | None, how: str, agreed: int
    ) -> Verdict:
        if value is None:
            raised = f" ({how})" if how else ""
            return self._answer(context, Status.INCONCLUSIVE, f"not decided{raised}: {label}{_short(claim)}", findings)
        if agreed:
            detail = f"the engines disagree: SymPy says false ({how}), yet it holds at {agreed} exact points: {label}{_short(claim)}"
            return self._answer(context, Status.INCONCLUSIVE, detail, findings)
        if claim.free_symbols:
            detail = f"SymPy says false ({how}), but no exact point could be evaluated: {label}{_short(claim)}"
            return self._answer(context, Status.INCONCLUSIVE, detail, findings)
        return self._answer(
            context, Status.REFUTED, f"SymPy: false ({how})", findings, f"{label}{_short(claim)} is false"
        )

    def _answer(
        self, context: Context, status: Status, detail: str, findings: Findings | None, counterexample: str = ""
    ) -> Verdict:
        verdict = Verdict(status, context.scope, detail, counterexample, engine=ENGINE)
        if findings is None:
            return verdict
        trusted = sorted(findings.notes)
        if trusted:
            verdict = replace(verdict, detail=f"{verdict.detail}; trusting {', '.join(trusted)}")
        return replace(
            verdict, evidence={"atoms": len(self.atoms), "points": min(findings.agreed, default=0), "trusted": trusted}
        )


class Equal(_Symbolic):
    """lhs = rhs: SymPy scalars, matrices (explicit, or matrix expressions with symbolic sizes), or sequences of these.

    Nothing is evaluated when it is built. Different shapes are refuted. Raises MdnnVerifyError for truth values, floats
    and whatever else is no exact expression.
    """

    def __init__(self, lhs: Any, rhs: Any) -> None:
        self.lhs, self.rhs = _expression(lhs), _expression(rhs)
        self.atoms = []
        self.mismatch = ""
        self._compare("", self.lhs, self.rhs)

    def __repr__(self) -> str:
        return f"Equal({self.lhs}, {self.rhs})"

    def _compare(self, label: str, left: Any, right: Any) -> None:
        if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            for i, pair in enumerate(zip(left, right, strict=True)):
                self._compare(f"{label}[{i}] ", *pair)
        elif isinstance(left, sp.MatrixBase) and isinstance(right, sp.MatrixBase) and left.shape == right.shape:
            for i in range(left.rows):
                for j in range(left.cols):
                    self.atoms.append((f"{label}entry ({i}, {j}): ", sp.Eq(left[i, j], right[i, j], evaluate=False)))
        elif _is_matrix(left) and _is_matrix(right) and not _certainly_differ(left.shape, right.shape):
            self.atoms.append((label, MatrixEquality(left, right)))
        elif isinstance(left, sp.Expr) and isinstance(right, sp.Expr) and not (_is_matrix(left) or _is_matrix(right)):
            self.atoms.append((label, sp.Eq(left, right, evaluate=False)))
        else:
            self.mismatch = self.mismatch or f"{label}{_shape(left)} is compared with {_shape(right)}"


class Proposition(_Symbolic):
    """A SymPy proposition; a conjunction is taken apart, and so is an equation of matrices.

    Raises MdnnVerifyError for a Python bool, for floats and for anything that is no proposition.
    """

    def __init__(self, boolean: Any) -> None:
        if not isinstance(boolean, Boolean) or (isinstance(boolean, sp.Expr) and not isinstance(boolean, sp.Symbol)):
            raise MdnnVerifyError(
                f"{boolean!r} of type {type(boolean).__name__} is not a SymPy proposition; expected a relation, And, Or, Not, ..."
            )
        _exact(boolean)
        self.boolean = boolean
        self.atoms = []
        self.mismatch = ""
        for part in sp.And.make_args(boolean):
            if isinstance(part, sp.Eq) and (_is_matrix(part.lhs) or _is_matrix(part.rhs)):
                equation = Equal(part.lhs, part.rhs)
                self.atoms += equation.atoms
                self.mismatch = self.mismatch or equation.mismatch
            else:
                self.atoms.append(("", part))

    def __repr__(self) -> str:
        return f"Proposition({self.boolean})"


def _decide_atom(claim: Any) -> tuple[bool | None, str]:
    """The first step that decides, and its name; None with what was raised on the way. A disagreement cannot be seen here:
    the first answer is checked against the points."""
    raised = ""
    for name, step in steps(claim):
        try:
            value = step()
        except Exception as error:  # SymPy is foreign code: what it raises must not pass, nor end the run
            raised = raised or f"{name} raised {type(error).__name__}"
            continue
        if value is not None:
            return value, name
    return None, raised


def _expression(value: Any) -> Any:
    if isinstance(value, (list, tuple, sp.Tuple)):
        return [_expression(entry) for entry in value]
    if isinstance(value, (bool, Boolean)) and not isinstance(value, sp.Symbol):
        raise MdnnVerifyError(
            f"Equal compares expressions, not the truth value {value!r}; return Proposition(...) for those"
        )
    try:
        found = sp.sympify(value, strict=True)
    except sp.SympifyError:
        raise MdnnVerifyError(f"Equal: {value!r} of type {type(value).__name__} is not a SymPy expression") from None
    if not isinstance(found, (sp.Expr, sp.MatrixBase, sp.MatrixExpr)):
        raise MdnnVerifyError(f"Equal: {found!r} of type {type(found).__name__} is neither a scalar nor a matrix")
    _exact(found)
    return found.as_immutable() if isinstance(found, sp.MatrixBase) else found


def _exact(expr: Any) -> None:
    floats = expr.atoms(sp.Float)
    if floats:
        raise MdnnVerifyError(f"{min(map(str, floats))} is a floating-point number; exact claims need sp.Rational")


def _is_matrix(value: Any) -> bool:
    return isinstance(value, (sp.MatrixBase, sp.MatrixExpr))


def _certainly_differ(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return any(sp.expand(sp.sympify(a) - sp.sympify(b)).is_zero is False for a, b in zip(left, right, strict=True))


def _shape(value: Any) -> str:
    if isinstance(value, list):
        return f"a sequence of {len(value)}"
    return f"a matrix of shape {tuple(value.shape)}" if _is_matrix(value) else "a scalar"


def _short(claim: Any, limit: int = 240) -> str:
    text = f"{claim.lhs} = {claim.rhs}" if isinstance(claim, (sp.Eq, MatrixEquality)) else str(claim)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _has_series(claim: Any) -> bool:
    return isinstance(claim, sp.Basic) and claim.has(sp.Sum, sp.Product)


def _count(n: int) -> str:
    return f"{n} claims" if n != 1 else "1 claim"
