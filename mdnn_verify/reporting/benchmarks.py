"""Benchmarks in the report and on the terminal: newest run, newest comparison, canary rate, trends of one machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mdnn_verify.bench import history
from mdnn_verify.pictures import Curve, Curves, describe

__all__ = ["print_compare", "print_history", "print_run", "section"]

MOST_TRENDS = 12  # pictures; the table has all
STYLES = {
    "SLOWER": "bold red", "less accurate": "bold red", "slower": "bold red", "FASTER": "green", "SAME": "green",
    "ok": "green", "UNDECIDED": "yellow", "undecided": "yellow", "machine unfit": "yellow",
}  # fmt: skip
CEILINGS = {
    "share_of_operations_ceiling": "the float32 products ceiling",
    "share_of_bytes_ceiling": "the memory bandwidth ceiling",
}
NARROWEST = 120  # columns where stdout is not a terminal


def section(folder: Path) -> dict[str, Any] | None:
    """What the report shows of ``folder`` (reports/benchmarks): the machine that was measured last, and no other.

    None if nothing has been measured. Raises UsageError for a damaged or misplaced file.
    """
    keys = list(history.machines(folder))
    if not keys:
        return None
    key = keys[-1]
    runs, comparisons = history.read(folder, key, "run"), history.read(folder, key, "compare")
    if not runs and not comparisons:
        return None
    rate = history.canary_rate(comparisons)
    trends = [found for found in history.series(runs) if len(found.seconds) > 1]
    trends.sort(key=lambda found: (not found.changes, -len(found.seconds)))
    return {
        "machine": (runs or comparisons)[-1]["machine"],
        "other_machines": keys[:-1],
        "run": runs[-1] if runs else None,
        "rows": [_row(row) for row in runs[-1]["benchmarks"]] if runs else [],
        "comparison": comparisons[-1] if comparisons else None,
        "injected": _injected(comparisons[-1]) if comparisons else "",
        "verdicts": _verdicts(comparisons[-1]) if comparisons else [],
        "canary": {"sentence": _canary(rate), "alarms": rate.alarms, "comparisons": rate.comparisons},
        "pictures": [describe(_trend(found)) for found in trends[:MOST_TRENDS]],
    }


def print_run(document: Mapping[str, Any], console: Console | None = None) -> None:
    """A row for each benchmark; then what was skipped or failed, and why; then the machine and its ceilings."""
    console = console or _stdout()
    table = Table("benchmark", "device", box=None, pad_edge=False)
    for name in ("median", "iqr", "rounds"):
        table.add_column(name, justify="right")
    table.add_column("beside it")
    for row in map(_row, document["benchmarks"]):
        table.add_row(*(Text(row[name]) for name in ("name", "device", "median", "iqr", "rounds", "beside")))
    console.print(table)
    for kind, style in (("skipped", "yellow"), ("failed", "bold red")):
        for row in document[kind]:
            console.print(Text(f"{kind}: {row['name']}: {row['reason']}", style=style), soft_wrap=True)
    for name, rates in document["ceilings"].items():
        flops, bandwidth = rates["float32_operations_per_second"], rates["bytes_per_second"]
        console.print(f"ceilings of {name}: {flops / 1e9:,.1f} Gflop/s float32, {bandwidth / 1e9:,.1f} GB/s")
    console.print(f"machine: {document['machine']['key']}, commit {document['commit']}", soft_wrap=True)


def print_compare(document: Mapping[str, Any], rate: history.CanaryRate, console: Console | None = None) -> None:
    """Each workload's verdict with its interval and what would have been seen; then the outcome."""
    console = console or _stdout()
    names = ("workload", "verdict", "effect", "interval", "would have seen", "canary")
    table = Table(*names, box=None, pad_edge=False)
    for row in _verdicts(document):
        table.add_row(*(Text(row[name], style=STYLES.get(row[name], "")) for name in names))
    console.print(table)
    for gate in document["accuracy"]:
        words = "WORSE" if gate["worse"] else "no worse"
        console.print(f"accuracy of {gate['workload']}, {gate['name']}: {words}", soft_wrap=True)
    for name, reason in document["not_comparable"].items():
        console.print(Text(f"not comparable: {name}: the baseline has none ({reason})"), soft_wrap=True)
    if document["baseline"]["digest"] == document["head"]["digest"]:
        console.print("baseline and head have the same source files")
    console.print(Text(_canary(rate)), soft_wrap=True)
    sides = f"{document['head']['label']}{_injected(document)} against {document['baseline']['label']}"
    sides += f", {document['sessions']} sessions"
    outcome = document["outcome"]
    console.print(Text.assemble(f"{sides}: ", (outcome, STYLES.get(outcome, ""))), soft_wrap=True)


def print_history(found: Sequence[history.Series], key: str, console: Console | None = None) -> None:
    """A row for each benchmark: runs, first and newest median, and since when the level is what it is."""
    console = console or _stdout()
    table = Table("benchmark", "device", box=None, pad_edge=False)
    for name in ("runs", "first", "newest", "since the last"):
        table.add_column(name, justify="right")
    table.add_column("change points (annotation)")
    for one in found:
        last = f"{100 * (one.seconds[-1] / one.seconds[-2] - 1):+.1f} %" if len(one.seconds) > 1 else "-"
        changes = ", ".join(f"{one.commits[i]} ({one.started[i][:10]})" for i in one.changes)
        cells = (str(len(one.seconds)), _time(one.seconds[0]), _time(one.seconds[-1]), last, changes)
        table.add_row(Text(one.name), one.device, *cells)
    console.print(table)
    console.print(f"machine: {key}", soft_wrap=True)


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    stats, extra = row["stats"], row["extra"]
    return {
        "name": row["name"],
        "device": row["device"],
        "median": _time(extra["cuda"]["q50"] if "cuda" in extra else stats["median"]),
        "iqr": _time(stats["iqr"]),
        "rounds": str(stats["rounds"]),
        "beside": _beside(extra),
    }


def _beside(extra: Mapping[str, Any]) -> str:
    """Rates, ratios and shares of ceilings, as far as the row has them."""
    words = []
    for name, unit in (("images_per_second", "images/s"), ("draws_per_second", "draws/s")):
        if isinstance(extra.get(name), (int, float)):
            words.append(f"{extra[name]:,.0f} {unit}")
    if "times_our_seconds" in extra:
        words.append(f"{_ratio(extra['times_our_seconds'])} times our time")
    for name, value in extra.items():
        if name.startswith("share_of_"):
            words.append(f"{_ratio(value, percent=True)} of {CEILINGS.get(name, name.removeprefix('share_of_'))}")
    ratio = extra.get("largest_ratio_to_sequential_bound")
    words += [f"at most {ratio:.2f} of the sequential bound"] if ratio is not None else []
    for name, title in (("type_i", "type I"), ("type_ii", "type II")):
        if extra.get(name):
            words.append(f"{title} {100 * min(extra[name]):.2f} to {100 * max(extra[name]):.2f} %")
    words += ["embedded stand-in data"] if extra.get("embedded") else []
    return ", ".join(words)


def _ratio(value: float | Mapping[str, Any], *, percent: bool = False) -> str:
    """A number, or a median with its interval if it has one."""
    found = {"median": value} if isinstance(value, (int, float)) else value
    shown = [f"{100 * found[k]:.0f}" if percent else f"{found[k]:.2f}" for k in ("median", "low", "high") if k in found]
    interval = f" ({shown[1]} to {shown[2]})" if len(shown) == 3 else ""
    return f"{shown[0]}{' %' if percent else ''}{interval}"


def _verdicts(document: Mapping[str, Any]) -> list[dict[str, str]]:
    rows = []
    for name, found in document["verdicts"].items():
        limits = [f"{_percent(found[side])}" for side in ("low", "high")]
        seen = found["detectable"]
        rows.append(
            {
                "workload": name,
                "verdict": found["verdict"],
                "effect": _percent(found["ratio"]),
                "interval": f"{limits[0]} to {limits[1]} ({100 * found['level']:.1f} %)",
                "would have seen": "-" if seen is None else f"{100 * seen:+.1f} %",
                "canary": document["canary"][name]["verdict"],
            }
        )
    return rows


def _injected(document: Mapping[str, Any]) -> str:
    """A demonstration must not be taken for a finding."""
    return f" with {100 * document['inject']:g} % of injected work" if document["inject"] else ""


def _canary(rate: history.CanaryRate) -> str:
    if not rate.comparisons:
        return "canary: no comparison of a version with itself on this machine yet"
    return (
        f"canary: {rate.alarms} of {rate.comparisons} comparisons of a version with itself alarmed on this machine, in "
        f"either direction (95 % interval {100 * rate.low:.1f} to {100 * rate.high:.1f} %)"
    )


def _trend(found: history.Series) -> Curves:
    """Medians against days since the first run, and a mark at each change point."""
    moments = [datetime.fromisoformat(started) for started in found.started]
    days = [(moment - moments[0]).total_seconds() / 86400 for moment in moments]
    curves = [Curve("median", days, [1e3 * s for s in found.seconds], style="line")]
    if found.changes:
        x, y = [days[i] for i in found.changes], [1e3 * found.seconds[i] for i in found.changes]
        curves.append(Curve("first run after a change point", x, y, style="dots"))
    caption = f"{found.name}, {len(days)} runs"
    return Curves(caption, f"days since {found.started[0][:10]}", "median (ms)", curves)


def _percent(ratio: float | None) -> str:
    return "unbounded" if ratio is None else f"{100 * (ratio - 1):+.1f} %"


def _time(seconds: float) -> str:
    """Three significant digits with a unit."""
    if not math.isfinite(seconds):
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _stdout() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, NARROWEST)
    return console
