"""Deciding: one unit of work is one check of a theorem or of one of its false neighbours.

A unit is named by strings, so it can be sent to any worker; its verdict depends on the settings and its name alone.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from mdnn_verify.catalogue import FORMAL_ROOT, Entry, load
from mdnn_verify.engines import Context, decide, satisfiable
from mdnn_verify.errors import MalformedTheorem
from mdnn_verify.theorem import RANDOM_STREAM, Check, Theorem
from mdnn_verify.verdicts import (
    CONTROL,
    FORMAL,
    HYPOTHESIS,
    KINDS,
    MONTECARLO,
    CheckResult,
    Status,
    TheoremResult,
    Verdict,
    judge,
    judge_control,
)

__all__ = ["Settings", "Unit", "assemble", "preflight", "run_unit", "units_of"]


MACHINE_CHECKED = Check("machine_checked", FORMAL, lambda: None, scope="what the file of the formal proof says")
MACHINE_CHECKED_DOC = "The statement in the language of a proof assistant, proved, and the proof checked by its kernel."
PATIENCE = 5  # times the limit of other checks: a proof is compiled once and kept


@dataclass(frozen=True)
class Settings:
    """Under which terms checks are decided.

    ``alpha`` is the whole suite's error probability, shared evenly by ``theorems`` files.
    """

    seed: int = 0
    alpha: float = 1e-6
    device: str = "cpu"
    kinds: tuple[str, ...] = KINDS
    theorems: int = 1
    timeout: float = 60.0


@dataclass(frozen=True)
class Unit:
    """One check (by name) of one variant (``control`` None is the theorem itself)."""

    entry: Entry
    control: str | None
    check: str
    kind: str

    @property
    def key(self) -> str:
        return "/".join(filter(None, (self.entry.id, self.control, self.check)))


def units_of(entry: Entry, kinds: Sequence[str]) -> list[Unit]:
    """The units that the selected kinds ask for; hypotheses come with everything but proofs that state their own.

    Controls are a kind of their own and go through every check that reads a datum they change, whatever its kind.
    """
    theorem = load(entry)
    wanted = set(kinds) if tuple(kinds) == (FORMAL,) else {HYPOTHESIS, *kinds}
    units = [Unit(entry, None, check.name, check.kind) for check in theorem.checks if check.kind in wanted]
    if FORMAL in kinds and entry.formal:
        units.append(Unit(entry, None, MACHINE_CHECKED.name, FORMAL))
    if CONTROL in kinds:
        units += [
            Unit(entry, control.name, check.name, check.kind)
            for control in theorem.controls
            for check in theorem.checks_of(control.name)
        ]
    return units


def preflight(entries: Iterable[Entry], settings: Settings) -> None:
    """Load every file and satisfy every hypothesis before work starts.

    Raises MalformedTheorem with all faults of all files.
    """
    broken: list[MalformedTheorem] = []
    for entry in entries:
        try:
            theorem = load(entry)
            faults = [] if settings.kinds == (FORMAL,) else _unsatisfiable(entry, theorem, settings)
        except MalformedTheorem as error:
            broken.append(error)
            continue
        if faults:
            broken.append(MalformedTheorem(str(entry.path), faults))
    if len(broken) == 1:
        raise broken[0]
    if broken:
        raise MalformedTheorem(
            f"{len(broken)} files", [f"{error.where}: {fault}" for error in broken for fault in error.faults]
        )


def run_unit(unit: Unit, settings: Settings) -> CheckResult:
    """Decide one unit. What the check raises becomes an ERROR verdict that carries the traceback; it never escapes."""
    start = time.perf_counter()
    theorem = load(unit.entry)
    check = MACHINE_CHECKED if unit.kind == FORMAL else theorem.check(unit.check)
    with _one_thread():
        try:
            verdict = _decide(unit, theorem, check, settings)
        except Exception as error:  # noqa: BLE001  (a check is foreign code: its failure is a result)
            text = "".join(traceback.format_exception(error, limit=-6))
            verdict = Verdict(
                Status.ERROR, check.scope, f"{type(error).__name__}: {error}", evidence={"traceback": text}
            )
    seconds = time.perf_counter() - start
    doc = MACHINE_CHECKED_DOC if unit.kind == FORMAL else check.doc
    return CheckResult(unit.entry.id, unit.control, check.name, check.kind, verdict, seconds, doc)


def assemble(entry: Entry, results: Sequence[CheckResult], kinds: Sequence[str] = KINDS) -> TheoremResult:
    """All results of one theorem's units, in the order of its file, as one verdict."""
    theorem = load(entry)
    order = {check.name: i for i, check in enumerate([*theorem.checks, MACHINE_CHECKED])}
    results = sorted(results, key=lambda result: order[result.name])
    checks = tuple(result for result in results if result.control is None)
    controls = tuple(
        judge_control(control.name, [r for r in results if r.control == control.name], drops=control.drops)
        for control in theorem.controls
        if any(result.control == control.name for result in results)
    )
    outcome, reason = judge(checks, controls, kinds)
    pictures = tuple(_draw(theorem, picture) for picture in theorem.pictures if tuple(kinds) != (FORMAL,))
    return TheoremResult(
        entry.id, entry.title, entry.source, theorem.statement, outcome, reason, sum(r.seconds for r in results),
        checks, controls, entry.doc, theorem.uses, pictures,
    )  # fmt: skip


def _decide(unit: Unit, theorem: Theorem, check: Check, settings: Settings) -> Verdict:
    context = Context(
        name=unit.key,
        seed=settings.seed,
        # only simulations that were declared as such are counted in the shares of alpha
        alpha=settings.alpha * _share(theorem, check) / settings.theorems if check.kind == MONTECARLO else None,
        device=settings.device,
        timeout=settings.timeout,
        scope=check.scope,
    )
    if unit.kind == FORMAL:
        return _machine_checked(unit, context)
    data = theorem.data(unit.control)
    claim = check.function(**_inject(check, data, context))
    verdict = satisfiable(claim, context) if check.kind == HYPOTHESIS else decide(claim, context)
    if verdict.refuted and unit.control is not None:
        changed = ", ".join(_named(name, value) for name, value in theorem.control(unit.control).changes.items())
        verdict = replace(verdict, counterexample=f"{verdict.counterexample or verdict.detail} [with {changed}]")
    return verdict


def _machine_checked(unit: Unit, context: Context) -> Verdict:
    from mdnn_verify.engines.kernel import MachineChecked

    assert unit.entry.formal is not None
    claim = MachineChecked(unit.entry.formal, FORMAL_ROOT)
    return claim.decide(replace(context, timeout=PATIENCE * context.timeout))


def _share(theorem: Theorem, check: Check) -> float:
    """This check's part of its theorem's error probability: by weight over all simulations, controls' included."""
    variants = [None, *(control.name for control in theorem.controls)]
    total = sum(c.weight for v in variants for c in theorem.checks_of(v) if c.kind == MONTECARLO)
    return check.weight / total


def _inject(check: Check, data: dict[str, Any], context: Context) -> dict[str, Any]:
    arguments = {name: data[name] for name in check.parameters if name != RANDOM_STREAM}
    if RANDOM_STREAM in check.parameters:
        from mdnn_verify.engines.montecarlo.stream import Stream

        arguments[RANDOM_STREAM] = Stream(context.name, context.seed)
    return arguments


def _unsatisfiable(entry: Entry, theorem: Theorem, settings: Settings) -> list[str]:
    """The hypotheses of the theorem itself that nothing satisfies: with one of those every proof is vacuous."""
    hypotheses = [check for check in theorem.checks if check.kind == HYPOTHESIS]
    verdicts = [(check, run_unit(Unit(entry, None, check.name, HYPOTHESIS), settings).verdict) for check in hypotheses]
    faults = [
        f"the hypothesis {check.name} is not satisfied: {verdict.counterexample or verdict.detail or verdict.status}"
        for check, verdict in verdicts
        if not verdict.agrees
    ]
    if faults or len(hypotheses) < 2:
        return faults
    together = _satisfied_together(entry, theorem, hypotheses, settings)
    names = ", ".join(check.name for check in hypotheses)
    return [] if together.agrees else [f"the hypotheses {names} are not satisfied together: {together.detail}"]


def _satisfied_together(entry: Entry, theorem: Theorem, hypotheses: Sequence[Check], settings: Settings) -> Verdict:
    """Two hypotheses may each be satisfiable and yet exclude each other."""
    context = Context(f"{entry.id}/hypotheses", settings.seed, alpha=None, timeout=settings.timeout)
    claims: dict[str, Any] = {}
    for check in hypotheses:
        claim = check.function(**_inject(check, theorem.data(), context))
        members = (
            claim.items() if isinstance(claim, Mapping) else enumerate(claim) if _is_list(claim) else [("", claim)]
        )
        claims |= {f"{check.name} {label}": member for label, member in members}
    with _one_thread():
        return satisfiable(claims, context)


def _is_list(claim: object) -> bool:
    return isinstance(claim, (list, tuple, Generator))


def _draw(theorem: Theorem, picture: Check) -> dict[str, Any]:
    from mdnn_verify.pictures import describe

    data = theorem.data()
    try:
        return describe(picture.function(**{name: data[name] for name in picture.parameters}))
    except Exception as error:  # noqa: BLE001  (foreign code: a run does not end for a picture)
        return {"kind": "error", "caption": f"{picture.name} was not drawn: {type(error).__name__}: {error}"}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums over threads depend on their number; results must not."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _named(name: str, value: object, limit: int = 120) -> str:
    """A changed datum in one line; what has no readable value (a lambda, an object) by its name only."""
    text = " ".join(str(getattr(value, "__name__", value)).split())
    if text.startswith("<"):
        return f"another {name}"
    return f"{name} = {text if len(text) <= limit else text[: limit - 3] + '...'}"
