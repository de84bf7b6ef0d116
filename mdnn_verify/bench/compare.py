"""``bench compare``: probe, sessions of head and canary in turn, verdicts. Decides nothing itself: ``rule`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mdnn_verify.bench import rule
from mdnn_verify.bench.journal import SessionJournal
from mdnn_verify.bench.lockstep import PAIRS, WORKLOADS, Probe, probe, run_session
from mdnn_verify.bench.machine import Machine, available_cores
from mdnn_verify.bench.trees import Tree
from mdnn_verify.errors import UsageError

__all__ = ["CANARY", "HEAD", "Plan", "compare", "judgements"]

CANARY, HEAD = "canary", "head"
SCHEMA = 1
OnSession = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    """What to compare and how. ``sessions`` None is the number that the rule asks for."""

    workloads: Sequence[str]
    sessions: int | None = None
    pairs: int = PAIRS
    inject: float = 0.0
    alpha: float = rule.ALPHA
    file: Path = WORKLOADS


def compare(
    baseline: Tree,
    head: Tree,
    plan: Plan,
    machine: Machine,
    *,
    journal: Path,
    resume: bool = False,
    on_session: OnSession = lambda role, done, total: None,
) -> dict[str, Any]:
    """The comparison's JSON document. Accuracy is compared first: if it got worse nothing is timed.

    Raises UsageError for settings with which no verdict is possible, MdnnVerifyError if a worker dies.
    """
    _refuse(plan)
    started = datetime.now(UTC)
    probes = probe(baseline, head, plan.workloads, plan.file)
    gates = _gates(probes)
    comparable = [name for name in plan.workloads if not probes[name].missing]
    less_accurate = any(gate["worse"] for gate in gates)
    names = [] if less_accurate else comparable
    sessions = plan.sessions or rule.sessions_needed(max(1, len(names)), plan.alpha)
    header = _header(baseline, head, plan, machine, names, sessions)
    rows: list[dict[str, Any]] = []
    if names:
        with SessionJournal(journal, header, resume=resume) as kept:
            _measure(baseline, head, plan, names, sessions, kept, on_session)
            rows = kept.rows
    results = {role: judgements(rows, role, names, plan.alpha) for role in (HEAD, CANARY)}
    return {
        "schema": SCHEMA,
        "kind": "compare",
        "started": started.isoformat(timespec="seconds"),
        "machine": machine.description(),
        **{name: header[name] for name in ("baseline", "head", "sessions", "pairs", "inject", "alpha")},
        **_said(results, less_accurate),
        "accuracy": gates,
        "not_comparable": {name: probes[name].missing for name in plan.workloads if probes[name].missing},
        "measured": rows,
    }


def _said(results: Mapping[str, Mapping[str, rule.Judgement]], less_accurate: bool) -> dict[str, Any]:
    """The outcome, and what it follows from."""
    head, canary = list(results[HEAD].values()), list(results[CANARY].values())
    outcome = rule.overall(head, canary, less_accurate=less_accurate)
    return {
        "outcome": outcome.value,
        "exit_status": outcome.exit_status,
        "verdicts": {name: judgement.as_json() for name, judgement in results[HEAD].items()},
        "canary": {name: judgement.as_json() for name, judgement in results[CANARY].items()},
    }


def judgements(
    rows: Sequence[Mapping[str, Any]], role: str, names: Sequence[str], alpha: float
) -> dict[str, rule.Judgement]:
    """The verdict on each workload from the sessions of one role."""
    return {
        name: rule.judge([r["effect"] for r in rows if (r["role"], r["workload"]) == (role, name)], len(names), alpha)
        for name in names
    }


def _measure(
    baseline: Tree,
    head: Tree,
    plan: Plan,
    names: Sequence[str],
    sessions: int,
    journal: SessionJournal,
    on_session: OnSession,
) -> None:
    """Sessions that the journal does not hold whole; head and canary alternate, so they meet the same weather."""
    cores, total = available_cores(), 2 * sessions * len(names)
    for number, role in _order(sessions):
        done = {row["workload"] for row in journal.rows if (row["role"], row["session"]) == (role, number)}
        left = [name for name in names if name not in done]
        on_session(role, len(journal.rows), total)
        if not left:
            continue
        other, inject = (head, plan.inject) if role == HEAD else (baseline, 0.0)
        for measured in run_session(
            baseline, other, left, number=number, core=cores[number % len(cores)], pairs=plan.pairs, inject=inject,
            workloads=plan.file,
        ):  # fmt: skip
            journal.append({"role": role, "session": number, **measured.as_json()})
            on_session(role, len(journal.rows), total)


def _order(sessions: int) -> Iterator[tuple[int, str]]:
    for number in range(sessions):
        yield from ((number, role) for role in ((CANARY, HEAD) if number % 2 == 0 else (HEAD, CANARY)))


def _gates(probes: Mapping[str, Probe]) -> list[dict[str, Any]]:
    """Every figure of accuracy that both sides report, side by side."""
    gates: list[dict[str, Any]] = []
    for name, found in probes.items():
        theirs = {figure["name"]: figure for figure in found.baseline_accuracy or ()}
        for ours in found.head_accuracy or ():
            if (before := theirs.get(ours["name"])) is not None:
                worse = rule.accuracy_is_worse(before, ours)
                gates.append({"workload": name, "name": ours["name"], "worse": worse, "baseline": before, "head": ours})
    return gates


def _header(
    baseline: Tree, head: Tree, plan: Plan, machine: Machine, names: Sequence[str], sessions: int
) -> dict[str, Any]:
    return {
        "journal": "bench compare",
        "machine": machine.key,
        "baseline": {"label": baseline.label, "digest": baseline.digest},
        "head": {"label": head.label, "digest": head.digest},
        "workloads": list(names),
        "sessions": sessions,
        "pairs": plan.pairs,
        "inject": plan.inject,
        "alpha": plan.alpha,
    }


def _refuse(plan: Plan) -> None:
    if not plan.workloads:
        raise UsageError("no workload was named, so there is nothing to compare")
    if plan.pairs < 1:
        raise UsageError(f"--pairs is {plan.pairs}, expected at least 1")
    if not 0 < plan.alpha < 1:
        raise UsageError(f"alpha is {plan.alpha}, expected a number in (0, 1)")
    least = rule.sessions_needed(len(plan.workloads), plan.alpha)
    if plan.sessions is not None and plan.sessions < least:
        raise UsageError(
            f"--sessions is {plan.sessions}, but {len(plan.workloads)} workloads need at least {least}: "
            f"with fewer no result could be significant at {plan.alpha:g}"
        )
