"""How claims about SymPy expressions are decided: by exact points first, then by simplification."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.cross_check import Findings, cross_check, find_witness
from mdnn_verify.engines.deadline import Timeout, within
from mdnn_verify.engines.simplification import steps
from mdnn_verify.engines.truth import MatrixEquality
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["ExactClaim"]

ENGINE = "symbolic"


class ExactClaim(Claim):
    """Labelled atomic claims, all of which must hold; or a reason why they cannot (``mismatch``).

    PROVED needs a simplification that says true and at least one exact point where the claim holds; a point where it is
    certainly false refutes it, whatever SymPy says.
    """

    atoms: list[tuple[str, Any]]
    mismatch: str = ""

    def decide(self, context: Context) -> Verdict:
        if self.mismatch:
            return Verdict(Status.REFUTED, context.scope, "shapes differ", self.mismatch, engine=ENGINE)
        claims = [claim for _, claim in self.atoms]
        try:
            findings = within(context.timeout / 2, lambda: cross_check(claims, context))
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
            witness = within(context.timeout / 2, lambda: find_witness(claims, context))
            contradiction = witness is None and within(context.timeout / 2, lambda: _contradictory(claims))
        except Timeout:
            witness, contradiction = None, False
        if witness is not None:
            return self._answer(context, Status.PROVED, f"witness: {witness}", None)
        if contradiction:
            return self._answer(context, Status.REFUTED, "SymPy simplifies it to false", None, "no instance exists")
        return self._answer(context, Status.INCONCLUSIVE, "no random point fulfils it", None)

    def joined(self, other: Claim) -> Claim | None:
        if not isinstance(other, ExactClaim):
            return None
        both = ExactClaim()
        both.atoms, both.mismatch = [*self.atoms, *other.atoms], self.mismatch or other.mismatch
        return both

    def _simplify(self, context: Context, findings: Findings) -> Verdict:
        try:
            return within(context.timeout / 2, lambda: self._simplified(context, findings))
        except Timeout as error:
            return self._answer(context, Status.INCONCLUSIVE, f"simplification: {error}", findings)

    def _simplified(self, context: Context, findings: Findings) -> Verdict:
        used: list[str] = []
        for (label, claim), agreed in zip(self.atoms, findings.agreed, strict=True):
            value, how = _decide_atom(claim)
            if value is not True:
                return self._undecided(context, findings, label, claim, value, how, agreed)
            if not agreed:
                obstacle = f" ({findings.obstacle})" if findings.obstacle else ""
                detail = f"SymPy says true ({how}), but no exact point could be evaluated{obstacle}: "
                return self._answer(context, Status.INCONCLUSIVE, f"{detail}{label}{_short(claim)}", findings)
            used.append(how)
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
            detail = f"the engines disagree: SymPy says false ({how}), yet it holds at {agreed} exact points: "
            return self._answer(context, Status.INCONCLUSIVE, f"{detail}{label}{_short(claim)}", findings)
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


def _decide_atom(claim: Any) -> tuple[bool | None, str]:
    """The answer of the first step that decides, and its name; None with what was raised on the way."""
    raised = ""
    for name, step in steps(claim):
        try:
            value = step()
        except Exception as error:  # noqa: BLE001  (SymPy is foreign code: what it raises must not end the run)
            raised = raised or f"{name} raised {type(error).__name__}"
            continue
        if value is not None:
            return value, name
    return None, raised


def _contradictory(claims: list[Any]) -> bool:
    return all(isinstance(claim, Boolean) for claim in claims) and sp.simplify(sp.And(*claims)) == sp.false


def _short(claim: Any, limit: int = 240) -> str:
    text = f"{claim.lhs} = {claim.rhs}" if isinstance(claim, (sp.Eq, MatrixEquality)) else str(claim)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _has_series(claim: Any) -> bool:
    return isinstance(claim, sp.Basic) and claim.has(sp.Sum, sp.Product)


def _count(n: int) -> str:
    return f"{n} claims" if n != 1 else "1 claim"
