"""What comes of audits of derivations, for people and programs: terminal, JSON document, pages, errata."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mdnn_verify.reporting.errata import LABELS, errata, markdown, one_formula, prosaic
from mdnn_verify.reporting.html import FONT, HERE, environment
from mdnn_verify.reporting.table import plain_console
from mdnn_verify.runner.journal import plain, version_of

__all__ = [
    "FINDINGS",
    "Info",
    "as_text",
    "document",
    "errata_page",
    "exit_status",
    "markdown",
    "page",
    "print_audits",
]

SCHEMA = 1
FINDINGS = ("DOES NOT FOLLOW", "GAP", "ILLEGIBLE", "UNDECIDED", "FOLLOWS", "GIVEN")  # worst first
STYLES = {
    "DOES NOT FOLLOW": "bold red",
    "GAP": "yellow",
    "ILLEGIBLE": "magenta",
    "UNDECIDED": "yellow",
    "FOLLOWS": "green",
    "GIVEN": "dim",
}
RELATIONS = {
    "": "given",
    "=": "the line before equals this",
    "<=": "the line before is at most this",
    ">=": "the line before is at least this",
    "<": "the line before is less than this",
    ">": "the line before is greater than this",
    "iff": "equivalent to the line before",
    "implies": "the line before implies this",
    "subset": "the line before is contained in this",
    "holds": "a claim that stands alone",
}


@dataclass(frozen=True)
class Info:
    """Under which terms derivations were read."""

    started: datetime
    timeout: float
    command: str


def document(info: Info, records: Sequence[Mapping[str, Any]], total: int, seconds: float) -> dict[str, Any]:
    """All readings as plain data, schema version 1 (docs/json.md); ``total`` derivations were asked for."""
    findings = [line["finding"] for record in records for line in record["lines"]]
    return {
        "schema": SCHEMA,
        "complete": len(records) == total,
        "started": info.started.isoformat(),
        "seconds": seconds,
        "timeout": info.timeout,
        "command": info.command,
        "versions": {name: version_of(name) for name in ("mdnn-verify", "sympy")},
        "summary": {finding: findings.count(finding) for finding in FINDINGS},
        "derivations": [dict(record) for record in records],
    }


def as_text(found: Mapping[str, Any]) -> str:
    """The document as JSON."""
    return json.dumps(plain(found), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def exit_status(found: Mapping[str, Any]) -> int:
    """1 if some line does not follow, else 3 for a gap, an illegible or an undecided line, else 0."""
    summary = found["summary"]
    if summary["DOES NOT FOLLOW"]:
        return 1
    return 3 if any(summary[finding] for finding in ("GAP", "ILLEGIBLE", "UNDECIDED")) else 0


def page(found: Mapping[str, Any], *, report: bool = False) -> str:
    """Every derivation as a chain of lines, on one self-contained page; ``report``: index.html lies beside it."""
    return _rendered("audit.html", found=found, report=report, by_document=_by_document(found), relations=RELATIONS)


def errata_page(found: Mapping[str, Any], *, report: bool = False) -> str:
    """What is wrong, incomplete or illegible in the derivations, on one self-contained page."""
    return _rendered("errata.html", found=found, report=report, errata=errata(found))


def print_audits(found: Mapping[str, Any], console: Console | None = None) -> None:
    """One table a derivation; below it each accusation with what a person needs to check it."""
    console = console or plain_console()
    for record in found["derivations"]:
        console.print(Text(f"\n{record['title']}", style="bold"), soft_wrap=True)
        console.print(Text("  ".join(filter(None, (record["source"], record["file"], f"{record['seconds']:.1f} s")))))
        table = Table("line", "", "finding", "by", "scope", box=None, pad_edge=False)
        for line in record["lines"]:
            finding = Text(line["finding"], style=STYLES[line["finding"]], no_wrap=True)
            table.add_row(Text(line["name"]), line["relation"], finding, line["engine"], Text(line["scope"]))
        console.print(table)
        for line in record["lines"]:
            for text in told(line):
                console.print(Text(text), soft_wrap=True)
    counts = ", ".join(f"{n} {finding}" for finding, n in found["summary"].items() if n)
    many = len(found["derivations"])
    console.print(f"\n{many} derivation{'s' * (many != 1)}, lines: {counts} ({found['seconds']:.1f} s)", soft_wrap=True)


def told(line: Mapping[str, Any]) -> list[str]:
    """What there is to say of a line that is not simply given or followed, line by line."""
    if line["finding"] in ("GIVEN", "FOLLOWS"):
        return []
    head = f"\n{line['name']}: {line['finding']}"
    lines = [f"{head}, {line['detail']}" if line["detail"] else head]
    for what, text in (
        ("printed", line["latex"]),
        ("note", line["note"]),
        ("counterexample", line["counterexample"]),
        ("corrected", line["correction"]),
        ("which follows", line["correction_scope"]),
    ):
        lines += [f"  {what}: {text}"] if text else []
    if line["code"]:
        lines += ["  Paste this into Python to see it:", *(f"    {row}" for row in line["code"].splitlines())]
    return lines


def _rendered(template: str, **given: Any) -> str:
    folder = HERE / "templates"
    style = "\n".join((folder / name).read_text(encoding="utf-8") for name in ("style.css", "audit.css"))
    font = base64.b64encode(FONT.read_bytes()).decode()
    return (
        environment()
        .get_template(template)
        .render(style=Markup(style), font=font, prosaic=prosaic, one_formula=one_formula, labels=LABELS, **given)
    )


def _by_document(found: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The derivations below the document that they come from, numbered across the page."""
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for number, record in enumerate(found["derivations"], start=1):
        counts = {f: sum(line["finding"] == f for line in record["lines"]) for f in FINDINGS}
        named = {**record, "anchor": f"d{number}", "counts": {f: n for f, n in counts.items() if n}}
        grouped.setdefault(record["source"].partition(",")[0] or record["file"], []).append(named)
    return {document: sorted(grouped[document], key=lambda record: str(record["source"])) for document in grouped}
