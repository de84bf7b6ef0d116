"""What a run prints on stdout: one row a theorem, then what is not verified and why, then where the page is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mdnn_verify.catalogue import Entry
from mdnn_verify.reporting.fidelity import Standing
from mdnn_verify.verdicts import FORMAL, MONTECARLO, PATHWISE, SYMBOLIC

__all__ = ["plain_console", "print_catalogue", "print_fidelity", "print_run"]

STYLES = {"verified": "green", "refuted": "bold red", "inconclusive": "yellow"}
AGREES = ("PROVED", "VERIFIED_WITHIN")
PLAIN_WIDTH = 120  # columns where stdout is not a terminal


def print_catalogue(entries: Iterable[Entry], console: Console | None = None) -> None:
    """The theorems: id, title, source."""
    table = Table("theorem", "title", "source", box=None, pad_edge=False)
    for entry in entries:
        table.add_row(Text(entry.id, no_wrap=True), Text(entry.title), Text(entry.source))
    (console or plain_console()).print(table)


def print_fidelity(standings: Mapping[str, Standing], console: Console | None = None) -> None:
    """What readers have said of the theorems: id, fidelity, who and when."""
    table = Table("theorem", "fidelity", "said by", box=None, pad_edge=False)
    for identifier, standing in standings.items():
        table.add_row(Text(identifier, no_wrap=True), Text(standing.words), Text(standing.told))
    (console or plain_console()).print(table)


def print_run(document: Mapping[str, Any], page: Path, console: Console | None = None) -> None:
    """The table of a run, the reasons of everything that is not verified, and the path of its page."""
    console = console or plain_console()
    table = Table("theorem", "verdict", box=None, pad_edge=False)
    for name in ("proofs", "simulations", "kernel", "controls refuted", "seconds"):
        table.add_column(name, justify="right")
    for theorem in document["theorems"]:
        table.add_row(Text(theorem["id"], no_wrap=True), _verdict(theorem["verdict"]), *_counts(theorem))
    console.print(table)
    for line in [*(line for theorem in document["theorems"] for line in _open_points(theorem)), *_skipped(document)]:
        console.print(Text(line), soft_wrap=True)
    run = document["run"]
    verified = sum(theorem["verdict"] == "verified" for theorem in document["theorems"])
    partly = "" if run["complete"] else ", a selection of theorems or kinds"
    terms = f"alpha {run['alpha']:g}, seed {run['seed']}, {run['device']}, {run['seconds']:.1f} s"
    console.print(Text(f"{verified} of {len(document['theorems'])} verified{partly} ({terms})"), soft_wrap=True)
    console.print(Text(f"report: {page}"), soft_wrap=True)


def _counts(theorem: Mapping[str, Any]) -> tuple[str, ...]:
    checks, controls = theorem["checks"], theorem["controls"]
    proofs = [check["verdict"] == "PROVED" for check in checks if check["kind"] == SYMBOLIC]
    simulations = [check["verdict"] in AGREES for check in checks if check["kind"] in (PATHWISE, MONTECARLO)]
    machine = [check["verdict"] for check in checks if check["kind"] == FORMAL]
    checked = "skipped" if set(machine) == {"SKIPPED"} else _ratio([verdict == "PROVED" for verdict in machine])
    refuted = [control["verdict"] == "REFUTED" for control in controls]
    return _ratio(proofs), _ratio(simulations), checked, _ratio(refuted), f"{theorem['seconds']:.1f}"


def _ratio(good: list[bool]) -> str:
    return f"{sum(good)}/{len(good)}" if good else "-"


def _verdict(verdict: str) -> Text:
    return Text(verdict, style=STYLES[verdict])


def _open_points(theorem: Mapping[str, Any]) -> list[str]:
    """Why a theorem is not verified: its reason, then each check or control that did not come out right."""
    if theorem["verdict"] == "verified":
        return []
    lines = [f"{theorem['id']} {theorem['verdict']}: {theorem['reason']}"]
    for check in theorem["checks"]:
        if check["verdict"] not in AGREES:
            lines.append(f"  {check['name']} {check['verdict']}: {check['counterexample'] or check['detail']}")
    for control in theorem["controls"]:
        if control["verdict"] != "REFUTED":
            lines.append(f"  control {control['name']!r} {control['verdict']}: {control['reason']}")
            lines += [
                f"    {check['name']} {check['verdict']}: {check['detail']}"
                for check in control["checks"]
                if check["verdict"] in ("ERROR", "SKIPPED", "INCONCLUSIVE")
            ]
    return lines


def _skipped(document: Mapping[str, Any]) -> list[str]:
    """What was left out of theorems that are verified all the same: each reason once."""
    verified = [theorem for theorem in document["theorems"] if theorem["verdict"] == "verified"]
    checks = [check for theorem in verified for check in theorem["checks"] if check["verdict"] == "SKIPPED"]
    reasons = Counter(check["detail"] for check in checks)
    return [f"skipped {number} check{'s' if number > 1 else ''}: {reason}" for reason, number in reasons.items()]


def plain_console() -> Console:
    """Standard output, wide enough for a table where it is no terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, PLAIN_WIDTH)
    return console
