"""How often the regression rule alarms on identical code, and what slowdowns it sees: measured, then resampled.

    python -m mdnn_verify.bench.campaign [--sessions 42] [--resume]

Three kinds of sessions of the running version against itself: without and with +10 % and +20 % more of the same calls
on the head's side. Every comparison is then a set of sessions drawn from them without repetition, judged by ``rule``.
A/A sessions are reused over many comparisons, each with random signs: which of two identical sides is called the head
is arbitrary. Comparisons that share sessions are not independent, so a rate's interval comes from the sessions: seven
alarm exactly if all of them exceed +2 %, hence with the seventh power of one session's probability. The A/A comparisons
that share no session are counted beside.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from mdnn_verify.bench import rule
from mdnn_verify.bench.journal import SessionJournal
from mdnn_verify.bench.lockstep import PAIRS, WORKLOADS, run_session
from mdnn_verify.bench.machine import available_cores, this_machine
from mdnn_verify.bench.trees import Tree, commit_of, frozen, installed_tree
from mdnn_verify.errors import UsageError
from mdnn_verify.files import write_text

__all__ = ["CHEAP", "main", "rates", "table"]

CHEAP = ("draws", "decision", "coupling")
INJECTED = (0.0, 0.1, 0.2)
SESSIONS = 42
COMPARISONS = 2000
SEED = 7
MARKERS = ("<!-- campaign -->", "<!-- end of campaign -->")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, resample, write the JSON and the table; 0 if the rule keeps its promises here, 1 if not."""
    options = _parser().parse_args(arguments)
    if options.sessions < rule.LEAST_SESSIONS:
        raise UsageError(f"--sessions is {options.sessions}, expected at least {rule.LEAST_SESSIONS}")
    machine, running = this_machine(), installed_tree()
    commit = commit_of(running.folder)
    with frozen(running) as tree:
        header = {
            "journal": "regression rule campaign", "machine": machine.key, "digest": tree.digest,
            "workloads": list(options.workload or CHEAP), "sessions": options.sessions, "pairs": options.pairs,
        }  # fmt: skip
        with SessionJournal(options.journal, header, resume=options.resume) as journal:
            _measure(journal, header, tree, options.file)
            rows = journal.rows
    document: dict[str, Any] = {
        "schema": 1,
        "kind": "campaign",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "machine": machine.description(),
        **{name: header[name] for name in ("workloads", "sessions", "pairs")},
        "rates": rates(rows),
        "measured": rows,
    }
    lines = table(document)
    _keep(document, lines, options)
    print("\n".join(lines))
    return 0 if document["rates"]["kept"] else 1


def _keep(document: Mapping[str, Any], lines: Sequence[str], options: argparse.Namespace) -> None:
    path: Path = options.reports / document["machine"]["key"] / "campaign.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(document, allow_nan=False) + "\n")
    if options.document.exists():
        _replace(options.document, lines)


def rates(rows: Sequence[Mapping[str, Any]], seed: int = SEED) -> dict[str, Any]:
    """Alarm and detection rates over resampled comparisons, all workloads together, with intervals."""
    generator = np.random.default_rng(seed)
    pools = {share: _pools(rows, share) for share in INJECTED}
    found = {
        "alarms": _rate(pools[0.0], generator, flip=True),
        "alarms_either_direction": _rate(pools[0.0], generator, flip=True, either=True),
        "detected_10": _rate(pools[0.1], generator),
        "detected_20": _rate(pools[0.2], generator),
    }
    disjoint = [verdict for pool in pools[0.0].values() for verdict in _disjoint(pool)]
    alarms = sum(verdict is rule.Verdict.SLOWER for verdict in disjoint)
    kept = found["alarms"]["rate"] <= 0.01 and found["detected_10"]["rate"] >= 0.8
    return {
        **found,
        "comparisons": COMPARISONS * len(pools[0.0]),
        "sessions_per_comparison": rule.LEAST_SESSIONS,
        "disjoint": {"alarms": alarms, "comparisons": len(disjoint)},
        "spread": {name: float(np.std(pool, ddof=1)) for name, pool in pools[0.0].items()},
        "kept": bool(kept and found["detected_20"]["rate"] >= 0.99 and not alarms),
    }


def table(document: Mapping[str, Any]) -> list[str]:
    """The Markdown table of the documentation."""
    found = document["rates"]
    rows = [
        ("A/A: alarm (SLOWER)", "alarms", "at most 1 %"),
        ("A/A: alarm in either direction (canary)", "alarms_either_direction", ""),
        ("+10 % injected: SLOWER", "detected_10", "at least 80 %"),
        ("+20 % injected: SLOWER", "detected_20", "at least 99 %"),
    ]
    lines = [
        f"{document['started'][:10]}, commit {document['commit']}, machine `{document['machine']['key']}`, workloads "
        f"{', '.join(document['workloads'])}; {document['sessions']} sessions of each kind with {document['pairs']} "
        f"pairs each; {found['comparisons']:,} resampled comparisons of {found['sessions_per_comparison']} sessions "
        "in each row.",
        "",
        "| comparison | share | 95 % interval | required |",
        "|---|---|---|---|",
    ]
    for title, name, required in rows:
        one = found[name]
        share = f"{100 * one['rate']:.2f} %"
        lines.append(f"| {title} | {share} | {100 * one['low']:.2f} to {100 * one['high']:.2f} % | {required} |")
    disjoint = found["disjoint"]
    spread = ", ".join(f"{name} {100 * value:.1f} %" for name, value in found["spread"].items())
    return [
        *lines,
        "",
        f"A/A comparisons that share no session: {disjoint['alarms']} alarms of {disjoint['comparisons']}. "
        f"Standard deviation of one A/A session's effect: {spread}.",
    ]


def _measure(journal: SessionJournal, header: Mapping[str, Any], tree: Tree, file: Path) -> None:
    """The kinds alternate from session to session, so that they meet the same machine."""
    cores, total = available_cores(), header["sessions"] * len(INJECTED)
    for done, (number, share) in enumerate(_order(header["sessions"])):
        _tell(f"{done} of {total} sessions")
        have = {row["workload"] for row in journal.rows if (row["session"], row["inject"]) == (number, share)}
        left = [name for name in header["workloads"] if name not in have]
        core = cores[number % len(cores)]
        for measured in run_session(
            tree, tree, left, number=number, core=core, pairs=header["pairs"], inject=share, workloads=file
        ) if left else ():  # fmt: skip
            journal.append({"session": number, "inject": share, **measured.as_json()})


def _order(sessions: int) -> Iterator[tuple[int, float]]:
    return ((number, share) for number in range(sessions) for share in INJECTED)


def _pools(rows: Sequence[Mapping[str, Any]], share: float) -> dict[str, np.ndarray]:
    """The effects of all sessions of one kind, by workload."""
    names = dict.fromkeys(row["workload"] for row in rows)
    return {
        name: np.array([row["effect"] for row in rows if (row["workload"], row["inject"]) == (name, share)])
        for name in names
    }


def _rate(
    pools: Mapping[str, np.ndarray], generator: np.random.Generator, *, flip: bool = False, either: bool = False
) -> dict[str, float]:
    """How often the rule alarms over drawn comparisons, on average over workloads, and the mean of their limits."""
    alarms = (rule.Verdict.SLOWER, rule.Verdict.FASTER) if either else (rule.Verdict.SLOWER,)
    shares = [np.mean([v in alarms for v in _verdicts(pool, generator, flip)]) for pool in pools.values()]
    low, high = np.mean([_limits(pool, flip) for pool in pools.values()], axis=0) * len(alarms)
    return {"rate": float(np.mean(shares)), "low": float(low), "high": float(high)}


def _limits(pool: np.ndarray, flip: bool) -> tuple[float, float]:
    """Exact 95 % limits for P(one session exceeds +2 %), to the power that unanimity takes.

    With random signs that probability is half that of exceeding 2 % in either direction.
    """
    beyond = np.abs(pool) > rule.MARGIN if flip else pool > rule.MARGIN
    interval = binomtest(int(beyond.sum()), len(pool)).proportion_ci(0.95, method="exact")
    scale, power = (0.5 if flip else 1.0), rule.LEAST_SESSIONS
    return (scale * float(interval.low)) ** power, (scale * float(interval.high)) ** power


def _verdicts(pool: np.ndarray, generator: np.random.Generator, flip: bool) -> Iterator[rule.Verdict]:
    """Of comparisons of sessions drawn without repetition, with random signs if ``flip``."""
    n = rule.LEAST_SESSIONS
    for _ in range(COMPARISONS):
        signs = generator.choice((-1, 1), n) if flip else np.ones(n)
        yield rule.verdict((generator.choice(pool, n, replace=False) * signs).tolist())


def _disjoint(pool: np.ndarray) -> list[rule.Verdict]:
    """As they were measured: no session twice, no sign changed."""
    n = rule.LEAST_SESSIONS
    return [rule.verdict(pool[i : i + n].tolist()) for i in range(0, len(pool) - n + 1, n)]


def _replace(document: Path, lines: Sequence[str]) -> None:
    """The text between the markers."""
    text = document.read_text(encoding="utf-8")
    start, end = (text.find(marker) for marker in MARKERS)
    if not 0 <= start < end:
        raise UsageError(f"{document} has no lines {MARKERS[0]} and {MARKERS[1]} to put the table between")
    write_text(document, f"{text[: start + len(MARKERS[0])]}\n" + "\n".join(lines) + f"\n{text[end:]}")


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mdnn_verify.bench.campaign", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="sessions of each of the three kinds")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--workload", action="append", help=f"repeatable; by default {', '.join(CHEAP)}")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--reports", type=Path, default=Path("reports/benchmarks"))
    parser.add_argument("--journal", type=Path, default=Path("reports/campaign.jsonl"))
    parser.add_argument("--document", type=Path, default=Path("docs/benchmarks.md"), help="where the table goes")
    parser.add_argument("--file", type=Path, default=WORKLOADS, help="the file of workloads")
    return parser


if __name__ == "__main__":
    sys.exit(main())
