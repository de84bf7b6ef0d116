"""What the page says about a run, as plain values: counts, columns, words. No markup here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mdnn_verify.verdicts import FORMAL, HYPOTHESIS, KINDS, MONTECARLO, PATHWISE, REQUIRED, SYMBOLIC

__all__ = [
    "CHECK_KINDS",
    "Column",
    "anchor",
    "chapters",
    "column",
    "evidence_rows",
    "evidence_table",
    "exact",
    "headline",
    "headline_without_run",
    "moment",
    "outcome_counts",
    "reproduce",
    "rounded",
    "seconds",
    "superscript",
]

CHECK_KINDS = {
    HYPOTHESIS: ("Hypotheses", "hypothesis"),
    SYMBOLIC: ("Proof", "proof"),
    PATHWISE: ("Pathwise", "pathwise"),
    MONTECARLO: ("Monte Carlo", "Monte Carlo"),
    FORMAL: ("Machine-checked proof", "machine-checked proof"),
}
AGREES = ("PROVED", "VERIFIED_WITHIN")
MOST_ROWS = 12
SUPERSCRIPT = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
WORDS = {
    "half_width_over_scale": "half-width / scale",
    "half_width": "half-width",
    "e_value_against": "log\u2081\u2080 of the e-value against the claim",
    "e_values_of_shifted_claims minus_delta": "log\u2081\u2080 of the e-value against claim \u2212 \u03b4",
    "e_values_of_shifted_claims plus_delta": "log\u2081\u2080 of the e-value against claim + \u03b4",
    "bound_ratio": "draws / sequential bound",
    "alpha": "\u03b1",
    "delta": "\u03b4",
}


@dataclass(frozen=True)
class Column:
    """A cell of the summary: how many of how many, whether one of the others is outright wrong, or all were skipped."""

    good: int
    total: int
    wrong: bool = False
    delta: float | None = None
    skipped: bool = False

    @property
    def state(self) -> str:
        if self.skipped:
            return "skipped"
        if self.total and self.good == self.total:
            return "ok"
        return "none" if not self.total else "bad" if self.wrong else "open"


def column(theorem: Mapping[str, Any], kind: str) -> Column:
    """The evidence of one kind; for controls, how many were refuted."""
    if kind == "control":
        controls = theorem["controls"]
        refuted = sum(control["verdict"] == "REFUTED" for control in controls)
        return Column(refuted, len(controls), wrong=any(control["verdict"] in AGREES for control in controls))
    checks = [check for check in theorem["checks"] if check["kind"] == kind]
    wanted = AGREES[:1] if kind in (SYMBOLIC, FORMAL) else AGREES
    deltas = [check["delta"] for check in checks if check.get("delta") is not None]
    verdicts = [check["verdict"] for check in checks]
    good = sum(verdict in wanted for verdict in verdicts)
    return Column(good, len(checks), "REFUTED" in verdicts, max(deltas, default=None), set(verdicts) == {"SKIPPED"})


def outcome_counts(document: Mapping[str, Any]) -> dict[str, int]:
    """How many theorems came to each verdict."""
    verdicts = [theorem["verdict"] for theorem in document["theorems"]]
    return {verdict: verdicts.count(verdict) for verdict in ("verified", "refuted", "inconclusive")}


def headline(document: Mapping[str, Any]) -> tuple[str, str]:
    """The run's verdict and the sentence that says it. An unfinished or partial run never sounds like a full one."""
    counts, total = outcome_counts(document), len(document["theorems"])
    run = document["run"]
    kinds = run.get("kinds", KINDS)
    partial = "" if set(REQUIRED) <= set(kinds) else f" by the selected kinds of checks ({', '.join(kinds)})"
    statements = "1 statement" if total == 1 else f"{total} statements"
    if not total:
        return "inconclusive", "Nothing was checked"
    if counts["verified"] == total:
        return "verified", f"{'1 statement is' if total == 1 else f'All {total} statements are'} verified{partial}"
    verdict = "refuted" if counts["refuted"] else "inconclusive"
    named = [f"{counts[name]} {name}" for name in ("refuted", "inconclusive", "verified") if counts[name]]
    return verdict, f"Of {statements}: {', '.join(named)}{partial}"


def headline_without_run(anomaly: Any, benchmarks: Any) -> str:
    """The page's title where no theorem was checked, which it then does not speak of."""
    parts = ["Anomaly detection"] if anomaly is not None else []
    parts += ["Benchmarks"] if benchmarks is not None else []
    return " and ".join(parts) or "Nothing here yet"


def chapters(theorems: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Theorems by chapter, both in the order of the document."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for theorem in theorems:
        found.setdefault(theorem.get("chapter") or theorem["id"].split("/")[0], []).append(theorem)
    return list(found.items())


def anchor(*parts: str) -> str:
    """An id for deep links: parts joined by slashes, of each only what needs no escaping in an address."""
    return "/".join(re.sub(r"[^\w./-]+", "-", part, flags=re.ASCII).strip("-") or "x" for part in parts)


def reproduce(identifier: str, run: Mapping[str, Any]) -> str:
    """The command that repeats one row."""
    device = "" if run.get("device", "cpu") == "cpu" else f" --device {run['device']}"
    return f"mdnn-verify run {identifier} --seed {run['seed']} --alpha {run['alpha']:g}{device}"


def seconds(value: float) -> str:
    """A duration for people."""
    if value < 0.05:
        return "< 0.1 s"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.1f} min"


def moment(started: str) -> str:
    """An ISO date and time to the minute, its zone named."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(Z|[+-]\d\d:?\d\d)?", started)
    if not found:
        return started
    zone = {None: "", "Z": " UTC", "+00:00": " UTC"}.get(found[3], f" UTC{found[3]}")
    return f"{found[1]} {found[2]}{zone}"


def exact(value: Any, digits: int = 6) -> str:
    """A number to ``digits`` digits, powers of ten written as such; anything else as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "\u2013" if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    if not math.isfinite(value):
        return str(value)
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    if not exponent:
        return mantissa.replace("-", "\u2212")
    power = "10" + superscript(int(exponent))
    return (power if mantissa == "1" else f"{mantissa} \u00d7 {power}").replace("-", "\u2212")


def rounded(value: float, digits: int = 3) -> str:
    """A magnitude to so many digits, without a power of ten: 1 234 567 is 1 230 000."""
    if not value or not math.isfinite(value):
        return str(value)
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):,.{max(places, 0)}f}".replace(",", "\u202f")


def superscript(number: int) -> str:
    """An exponent in raised characters."""
    return str(number).translate(SUPERSCRIPT)


def evidence_rows(evidence: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Single values by name, nested ones included; the table of parts and the traceback are shown elsewhere."""
    rows: list[tuple[str, str]] = []
    for key, value in evidence.items():
        name = f"{prefix} {key}".strip()
        if isinstance(value, Mapping):
            rows += evidence_rows(value, name)
        elif isinstance(value, (list, tuple)):
            if value and not isinstance(value[0], Mapping):
                text = ", ".join(exact(item) for item in value[:MOST_ROWS])
                rows.append((_label(name), text + (f" \u2026 ({len(value)})" if len(value) > MOST_ROWS else "")))
        elif key != "traceback":
            rows.append((_label(name), exact(value)))
    return rows


def evidence_table(evidence: Mapping[str, Any]) -> tuple[list[str], list[list[str]], int]:
    """(columns, rows, rows left out) of the list of parts that several claims of one check leave behind."""
    parts = [dict(evidence_rows(part)) for part in evidence.get("parts", ()) if isinstance(part, Mapping)]
    columns = list(dict.fromkeys(name for part in parts for name in part))
    rows = [[part.get(name, "") for name in columns] for part in parts[:MOST_ROWS]]
    return columns, rows, max(len(parts) - MOST_ROWS, 0)


def _label(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))
