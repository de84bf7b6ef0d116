"""What comes of checks of implementations, for people and programs: terminal, JSON document, page."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mdnn_verify.checking.assessment import Assessment, Request
from mdnn_verify.reporting.html import HERE, environment
from mdnn_verify.reporting.table import plain_console
from mdnn_verify.runner.journal import plain, version_of

__all__ = ["as_text", "document", "page", "print_checks", "told"]

SCHEMA = 1
STYLES = {"verified": "green", "refuted": "bold red", "inconclusive": "yellow", "usage": "magenta", "error": "red"}
SHOWN = ("law", "reason", "label", "arguments", "observed", "expected", "bound", "code", "trace")


def document(terms: Request, done: Sequence[Assessment], *, complete: bool = True) -> dict[str, Any]:
    """All results as plain data, schema version 1 (docs/json.md)."""
    kept = ("seed", "dtype", "device", "dim", "alpha", "trainable", "timeout")
    verdicts = [assessment.verdict for assessment in done]
    return {
        "schema": SCHEMA,
        "id": terms.id,
        "complete": complete,
        "terms": {name: value for name, value in asdict(terms).items() if name in kept},
        "versions": {name: version_of(name) for name in ("mdnn-verify", "torch")},
        "summary": {verdict: verdicts.count(verdict) for verdict in STYLES},
        "checks": [_check(assessment) for assessment in done],
    }


def as_text(found: Mapping[str, Any]) -> str:
    """The document as JSON."""
    return json.dumps(plain(found), indent=1, allow_nan=False) + "\n"


def page(found: Mapping[str, Any]) -> str:
    """The document as one self-contained page."""
    style = Markup((HERE / "templates" / "style.css").read_text(encoding="utf-8"))
    return environment().get_template("checks.html").render(found=found, style=style)


def print_checks(done: Sequence[Assessment], console: Console | None = None) -> None:
    """One implementation in full, several as a table of one line each."""
    console = console or plain_console()
    if len(done) == 1:
        _print_one(done[0], console)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("implementation", "verdict", "why"):
        table.add_column(name, overflow="fold")
    table.add_column("seconds", justify="right")
    for one, name in zip(done, _short([one.subject for one in done]), strict=True):
        verdict = Text(one.verdict, style=STYLES[one.verdict])
        table.add_row(Text(name), verdict, Text(_why(one)), f"{one.seconds:.1f}")
    console.print(table)
    verdicts = [one.verdict for one in done]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in STYLES if verdict in verdicts)
    console.print(f"{done[0].id}: {counts}")


def _short(subjects: Sequence[str]) -> list[str]:
    """The addresses without the folder that all of them share."""
    folders = {os.path.dirname(subject) for subject in subjects}
    shared = os.path.commonpath(folders) + os.sep if len({os.path.isabs(f) for f in folders}) == 1 else ""
    return [subject.removeprefix(shared) for subject in subjects]


def told(one: Assessment) -> list[str]:
    """All there is to say about one implementation, line by line: reason, law, numbers, and what to paste."""
    lines = [one.reason]
    if one.finding is None:
        lines += [f"scope: {one.scope}"] if one.verdict == "verified" else []
    else:
        finding = one.finding
        lines += [f"law: {finding['law']}", f"input: {finding['label']}"]
        if finding["observed"] or finding["expected"]:
            bound = f" (rounding explains {finding['bound']})" if finding["bound"] else ""
            lines.append(f"observed {finding['observed']}, expected {finding['expected']}{bound}")
        lines += ["", "Paste this into Python to see it:", "", finding["code"]]
        lines += ["", finding["trace"].rstrip()] if finding["trace"] else []
    return lines + [f"note: {note}" for note in one.notes if note != one.reason]


def _print_one(one: Assessment, console: Console) -> None:
    head = Text.assemble(f"{one.id}  {one.subject}  ", (one.verdict, STYLES[one.verdict]), f" ({one.seconds:.1f} s)")
    for line in (head, *map(Text, told(one))):
        console.print(line, soft_wrap=True)


def _why(one: Assessment) -> str:
    where = f" [{one.finding['label']}]" if one.finding is not None and one.finding["label"] else ""
    notes = [note for note in one.notes if note != one.reason]
    return "; ".join([one.reason + where, *notes])


def _check(one: Assessment) -> dict[str, Any]:
    finding = one.finding
    return {
        "subject": one.subject,
        "verdict": one.verdict,
        "reason": one.reason,
        "scope": one.scope,
        "counterexample": None if finding is None else {name: finding[name] for name in SHOWN},
        "counts": dict(one.counts),
        "notes": list(one.notes),
        "seconds": one.seconds,
        "printed": one.printed,
    }
