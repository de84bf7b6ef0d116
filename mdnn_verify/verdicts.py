"""What a check, a false neighbour and a theorem can come back as. Frozen values; no engine, no rendering.

A verdict never says more than was checked: its ``scope`` is a sentence and part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = [
    "CONTROL",
    "FORMAL",
    "HYPOTHESIS",
    "KINDS",
    "MONTECARLO",
    "PATHWISE",
    "REQUIRED",
    "SYMBOLIC",
    "CheckResult",
    "ControlResult",
    "Outcome",
    "Status",
    "TheoremResult",
    "Verdict",
    "judge",
    "judge_control",
]

HYPOTHESIS, SYMBOLIC, PATHWISE, MONTECARLO, CONTROL = "hypothesis", "symbolic", "pathwise", "montecarlo", "control"
FORMAL = "formal"
REQUIRED = (SYMBOLIC, PATHWISE, MONTECARLO, CONTROL)
KINDS = (*REQUIRED, FORMAL)


class Status(StrEnum):
    """How strongly one check spoke."""

    PROVED = "PROVED"
    VERIFIED_WITHIN = "VERIFIED_WITHIN"
    REFUTED = "REFUTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    SKIPPED = "SKIPPED"
    ERROR = "ERROR"


class Outcome(StrEnum):
    """What all checks of a theorem together come to."""

    VERIFIED = "verified"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Verdict:
    """The answer of one engine to one claim.

    ``delta`` is the bound of VERIFIED_WITHIN; ``counterexample`` belongs to REFUTED; ``engine`` names who decided;
    ``evidence`` holds numbers (JSON-able) and ``pictures`` plain descriptions that reports draw.
    """

    status: Status
    scope: str = ""
    detail: str = ""
    counterexample: str = ""
    delta: float | None = None
    engine: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    pictures: Sequence[Mapping[str, Any]] = ()

    @property
    def agrees(self) -> bool:
        """The check speaks for the claim: a proof, or agreement within a stated bound."""
        return self.status in (Status.PROVED, Status.VERIFIED_WITHIN)

    @property
    def refuted(self) -> bool:
        return self.status is Status.REFUTED


@dataclass(frozen=True)
class CheckResult:
    """One check of the theorem (``control`` is None) or of one of its false neighbours, decided."""

    theorem: str
    control: str | None
    name: str
    kind: str
    verdict: Verdict
    seconds: float
    doc: str = ""


@dataclass(frozen=True)
class ControlResult:
    """A false neighbour: REFUTED is the right answer, and ``refuted_by`` names the checks that gave it."""

    name: str
    verdict: Status
    refuted_by: tuple[str, ...]
    checks: tuple[CheckResult, ...]
    reason: str = ""


@dataclass(frozen=True)
class TheoremResult:
    """A theorem, all its checks and all its false neighbours."""

    id: str
    title: str
    source: str
    statement: str
    verdict: Outcome
    reason: str
    seconds: float
    checks: tuple[CheckResult, ...]
    controls: tuple[ControlResult, ...]
    doc: str = ""
    uses: tuple[str, ...] = ()
    pictures: tuple[Mapping[str, Any], ...] = ()


def judge_control(name: str, checks: Sequence[CheckResult], *, drops: str = "") -> ControlResult:
    """A control is REFUTED when a check refutes it while its hypotheses hold.

    ``drops`` names the one hypothesis that the control gives up; that one must fail, or nothing was dropped.
    """
    hypotheses = [check for check in checks if check.kind == HYPOTHESIS]
    others = [check for check in checks if check.kind != HYPOTHESIS]

    def answer(status: Status, reason: str = "", refuted_by: tuple[str, ...] = ()) -> ControlResult:
        return ControlResult(name, status, refuted_by, tuple(checks), reason)

    for check in hypotheses:
        if check.name == drops and not check.verdict.refuted:
            return answer(Status.ERROR, f"the control drops the hypothesis {drops}, which still holds")
        if check.name != drops and not check.verdict.agrees:
            return answer(Status.ERROR, f"the hypothesis {check.name} does not hold for this control")
    broken = [check.name for check in others if check.verdict.status is Status.ERROR]
    if broken:
        return answer(Status.ERROR, f"error in {', '.join(broken)}")
    refuted_by = tuple(check.name for check in others if check.verdict.refuted)
    if refuted_by:
        return answer(Status.REFUTED, refuted_by=refuted_by)
    if others and all(check.verdict.agrees for check in others):
        return answer(Status.VERIFIED_WITHIN, "every check accepted this false neighbour")
    return answer(Status.INCONCLUSIVE, "no check refuted this false neighbour")


def judge(
    checks: Sequence[CheckResult], controls: Sequence[ControlResult], kinds: Sequence[str] = KINDS
) -> tuple[Outcome, str]:
    """The theorem's verdict and, unless verified, the reason.

    Verified means: every hypothesis is satisfiable, every selected check agrees (proof steps by proof), and every
    control is refuted by the same code. With all kinds selected there must be a proof and a pathwise or Monte Carlo
    check besides. A refuted check, or a control that nothing refutes, makes the theorem red. A machine-checked proof
    is evidence on top: where the proof assistant is missing it is skipped, and the rest decides.
    """
    refuted = [check.name for check in checks if check.verdict.refuted]
    if refuted:
        return Outcome.REFUTED, f"refuted: {', '.join(refuted)}"
    accepted = [control.name for control in controls if control.verdict is not Status.REFUTED]
    if accepted and any(control.verdict is not Status.ERROR for control in controls if control.name in accepted):
        return Outcome.REFUTED, f"false neighbours not refuted: {'; '.join(accepted)}"
    if accepted:
        return Outcome.INCONCLUSIVE, f"controls in error: {'; '.join(accepted)}"
    open_checks = [check.name for check in checks if not _carries(check, kinds)]
    if open_checks:
        return Outcome.INCONCLUSIVE, f"undecided: {', '.join(open_checks)}"
    missing = _missing(checks, controls, kinds)
    return (Outcome.INCONCLUSIVE, f"missing: {', '.join(missing)}") if missing else (Outcome.VERIFIED, "")


def _carries(check: CheckResult, kinds: Sequence[str]) -> bool:
    if check.kind == FORMAL and check.verdict.status is Status.SKIPPED:
        return tuple(kinds) != (FORMAL,)
    if check.kind in (SYMBOLIC, FORMAL):
        return check.verdict.status is Status.PROVED
    return check.verdict.agrees


def _missing(checks: Sequence[CheckResult], controls: Sequence[ControlResult], kinds: Sequence[str]) -> list[str]:
    """What a full verification still lacks; a run of some kinds only must at least have checked something."""
    if not set(REQUIRED) <= set(kinds):
        checked = controls or any(check.kind != HYPOTHESIS for check in checks)
        return [] if checked else ["any check of the selected kinds"]
    present = {check.kind for check in checks}
    missing = [] if SYMBOLIC in present else ["a proof"]
    if not present & {PATHWISE, MONTECARLO}:
        missing.append("a pathwise or Monte Carlo check")
    if not controls:
        missing.append("a false neighbour")
    return missing
