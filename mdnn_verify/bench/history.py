"""What earlier runs on this machine measured. Change points are annotation: no exit status depends on them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest, rankdata

from mdnn_verify.bench.machine import refuse_other_machines
from mdnn_verify.errors import UsageError
from mdnn_verify.files import write_text

__all__ = ["CanaryRate", "Series", "canary_rate", "change_points", "machines", "read", "save", "series"]

LEAST_SEGMENT = 4  # runs on each side of a change point
LEVEL = 0.01
PERMUTATIONS = 999
STAMP = str.maketrans("", "", "-:")
DATED = "[0-9]*.json"  # runs and comparisons begin with their time; a campaign is not among them


@dataclass(frozen=True)
class Series:
    """One benchmark under equal conditions through the runs of one machine; times are medians in seconds.

    ``changes`` are indices of the first run after a change of level.
    """

    name: str
    device: str
    started: tuple[str, ...]
    commits: tuple[str, ...]
    seconds: tuple[float, ...]
    changes: tuple[int, ...]


@dataclass(frozen=True)
class CanaryRate:
    """How often comparisons of a version with itself alarmed, in either direction, and its exact 95 % interval."""

    alarms: int
    comparisons: int
    low: float
    high: float


def save(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write a document to ``folder``/<machine key>/<time>-<commit>.json, all or nothing. Raises UsageError."""
    stamp = document["started"].partition("+")[0].translate(STAMP)
    what = document.get("commit") or f"compare-{document['head']['digest'][:10]}"
    path = folder / str(document["machine"]["key"]) / f"{stamp}-{what}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(document, indent=1, allow_nan=False) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def machines(folder: Path) -> dict[str, str]:
    """The machines that have documents below ``folder``, with the time of the newest, oldest first."""
    found = {path.name: max(file.name for file in path.glob(DATED)) for path in _folders(folder)}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def read(folder: Path, key: str, kind: str) -> list[dict[str, Any]]:
    """The machine's documents of a kind ("run" or "compare"), oldest first.

    Raises UsageError for a file that is no such document, or that another machine's figures have got into.
    """
    found = [(str(path), _document(path)) for path in sorted((folder / key).glob("*.json"))]
    refuse_other_machines(found, key)
    return [document for _, document in found if document["kind"] == kind]


def series(runs: Sequence[Mapping[str, Any]]) -> list[Series]:
    """One for each benchmark and conditions, in the order of the newest run; all from one machine.

    Raises UsageError if they are not.
    """
    if runs:
        refuse_other_machines([(run["started"], run) for run in runs], runs[-1]["machine"]["key"])
    points: dict[tuple[str, ...], list[tuple[str, str, float]]] = {}
    for run in reversed(runs):
        for row in run["benchmarks"]:
            key = (row["name"], row["device"], str(row["extra"].get("data")), str(run["conditions"]["threads"]))
            points.setdefault(key, []).append((run["started"], run["commit"], row["stats"]["median"]))
    return [_series(key[0], key[1], found[::-1]) for key, found in points.items()]


def change_points(values: Sequence[float], level: float = LEVEL) -> list[int]:
    """Where the level of a series changes: Pettitt's rank statistic, its p-value by permutation, then both parts again.

    The permutations are drawn from a fixed seed, so the same series has the same annotation.
    """
    found = _change_points(np.asarray(values, float), np.random.default_rng(0), level)
    return sorted(found)


def canary_rate(comparisons: Sequence[Mapping[str, Any]]) -> CanaryRate:
    """Over all workloads of all comparisons; 0 of 0 leaves the whole interval."""
    verdicts = [canary["verdict"] for comparison in comparisons for canary in comparison["canary"].values()]
    alarms = sum(verdict in ("SLOWER", "FASTER") for verdict in verdicts)
    if not verdicts:
        return CanaryRate(0, 0, 0.0, 1.0)
    interval = binomtest(alarms, len(verdicts)).proportion_ci(0.95, method="exact")
    return CanaryRate(alarms, len(verdicts), float(interval.low), float(interval.high))


def _series(name: str, device: str, points: Sequence[tuple[str, str, float]]) -> Series:
    started, commits, seconds = zip(*points, strict=True)
    return Series(name, device, started, commits, seconds, tuple(change_points([math.log(s) for s in seconds])))


def _change_points(values: np.ndarray, generator: np.random.Generator, level: float, offset: int = 0) -> list[int]:
    n = len(values)
    if n < 2 * LEAST_SEGMENT:
        return []
    ranks = rankdata(values)
    (largest,), (place,) = _pettitt(ranks[None, :])
    shuffled = int((_pettitt(generator.permuted(np.tile(ranks, (PERMUTATIONS, 1)), axis=1))[0] >= largest).sum())
    if (1 + shuffled) / (1 + PERMUTATIONS) > level:
        return []
    left = _change_points(values[:place], generator, level, offset)
    return [*left, offset + int(place), *_change_points(values[place:], generator, level, offset + place)]


def _pettitt(ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of midranks, max over t of |sum over i < t <= j of sign(x_j - x_i)|, and that t.

    The sum is t (n + 1) - 2 (r_1 + ... + r_t).
    """
    n = ranks.shape[1]
    t = np.arange(LEAST_SEGMENT, n - LEAST_SEGMENT + 1)
    sums = np.abs(t * (n + 1) - 2 * np.cumsum(ranks, axis=1)[:, t - 1])
    return sums.max(axis=1), t[sums.argmax(axis=1)]


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_dir() and any(path.glob(DATED))]


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a benchmark document: {error}") from None
    if not isinstance(document, dict) or document.get("kind") not in ("run", "compare", "campaign"):
        raise UsageError(f"{path} is not a benchmark document: its kind is neither run, compare nor campaign")
    return document
