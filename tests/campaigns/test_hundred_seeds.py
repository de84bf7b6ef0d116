"""Every Monte Carlo check under a hundred seeds: no true claim refuted, almost nothing undecided, all controls refuted.

Runs for minutes, so only in its own environment: ``tox -e campaign``, or ``pytest tests/campaigns -m campaign -s``.
Finished runs stand in ``reports/campaign.jsonl``, a line each; started again, it goes on from there unless the package
has changed. MDNN_CAMPAIGN_SEEDS and MDNN_CAMPAIGN_JOBS change the number of seeds (100) and of processes (2).
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import joblib
import pytest

import mdnn_verify
from mdnn_verify.catalogue import Entry, catalogue, load
from mdnn_verify.runner.units import Settings, Unit, run_unit, units_of
from mdnn_verify.verdicts import HYPOTHESIS, KINDS, MONTECARLO, SYMBOLIC, Status

pytestmark = pytest.mark.campaign

JOURNAL = Path("reports/campaign.jsonl")
SEEDS = int(os.environ.get("MDNN_CAMPAIGN_SEEDS", "100"))
JOBS = int(os.environ.get("MDNN_CAMPAIGN_JOBS", "2"))


@dataclass(frozen=True)
class Run:
    """One unit under one seed."""

    unit: Unit
    seed: int

    @property
    def key(self) -> str:
        return f"{self.unit.key} @ {self.seed}"


def package_digest() -> str:
    """Results of another version of the package are worth nothing here."""
    root = Path(mdnn_verify.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def finished(journal: Path, digest: str) -> dict[str, Status]:
    """What the journal holds; a line that was cut off in writing, and any other version's, do not count."""
    done: dict[str, Status] = {}
    for line in journal.read_text().splitlines() if journal.exists() else []:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if record["digest"] == digest:
            done[record["key"]] = Status(record["status"])
    return done


def run_all(runs: Iterable[Run], done: dict[str, Status], digest: str) -> None:
    """Decide what is not done yet, journal each result as it comes, and show how far it is."""
    waiting = [run for run in runs if run.key not in done]
    if not waiting:
        return
    JOURNAL.parent.mkdir(exist_ok=True)
    start, theorems = time.monotonic(), len(catalogue())
    # workers can import the package, not this file: they are sent nothing of its own
    tasks = (joblib.delayed(run_unit)(run.unit, Settings(seed=run.seed, theorems=theorems)) for run in waiting)
    results = joblib.Parallel(n_jobs=JOBS, return_as="generator")(tasks)
    with JOURNAL.open("a") as journal:
        for count, (run, result) in enumerate(zip(waiting, results, strict=True), 1):
            done[run.key] = result.verdict.status
            record = {
                "digest": digest,
                "key": run.key,
                "status": result.verdict.status,
                "detail": result.verdict.detail,
            }
            print(json.dumps(record), file=journal, flush=True)
            left = (time.monotonic() - start) / count * (len(waiting) - count)
            print(f"\r{count} of {len(waiting)} runs, {left / 60:.0f} min left ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def units() -> list[Unit]:
    return [unit for entry in catalogue().values() for unit in units_of(entry, KINDS) if unit.kind != HYPOTHESIS]


def controls() -> Iterator[tuple[Entry, str]]:
    return ((entry, control.name) for entry in catalogue().values() for control in load(entry).controls)


def _is_owed(unit: Unit) -> bool:
    """The theorem's own simulations; of a control whatever a seed can change."""
    return unit.kind == MONTECARLO if unit.control is None else unit.kind != SYMBOLIC


@pytest.fixture(scope="module")
def campaign() -> dict[str, Status]:
    """First every proof step of a control, once; then all that a seed can change, under every seed."""
    digest = package_digest()
    done = finished(JOURNAL, digest)
    once = [Run(unit, 0) for unit in units() if unit.control is not None and unit.kind == SYMBOLIC]
    run_all(once, done, digest)
    settled = {(run.unit.entry.id, run.unit.control) for run in once if done[run.key] is Status.REFUTED}
    simulated = [
        Run(unit, seed)
        for seed in range(SEEDS)
        for unit in units()
        if _is_owed(unit) and (unit.entry.id, unit.control) not in settled
    ]
    run_all(simulated, done, digest)
    return done


def test_no_check_is_in_error(campaign: dict[str, Status]) -> None:
    assert [key for key, status in campaign.items() if status is Status.ERROR] == []


def test_no_true_claim_is_refuted(campaign: dict[str, Status]) -> None:
    true = [unit for unit in units() if unit.control is None and unit.kind == MONTECARLO]
    runs = [Run(unit, seed) for unit in true for seed in range(SEEDS)]
    assert true
    assert [run.key for run in runs if campaign[run.key] is Status.REFUTED] == []


def test_no_check_is_undecided_more_than_once(campaign: dict[str, Status]) -> None:
    true = [unit for unit in units() if unit.control is None and unit.kind == MONTECARLO]
    runs = [Run(unit, seed) for unit in true for seed in range(SEEDS)]
    undecided = Counter(run.unit.key for run in runs if campaign[run.key] is not Status.VERIFIED_WITHIN)
    assert {key: count for key, count in undecided.items() if count > 1} == {}


def test_every_control_is_refuted_under_every_seed(campaign: dict[str, Status]) -> None:
    """By a proof step, which knows no seed, or else by a pathwise check or a simulation under each."""
    missed = []
    for entry, control in controls():
        of_control = [unit for unit in units() if unit.entry == entry and unit.control == control]
        if any(campaign[Run(unit, 0).key] is Status.REFUTED for unit in of_control if unit.kind == SYMBOLIC):
            continue
        seeded = [unit for unit in of_control if unit.kind != SYMBOLIC]
        missed += [
            f"{entry.id}/{control} @ {seed}"
            for seed in range(SEEDS)
            if not any(campaign[Run(unit, seed).key] is Status.REFUTED for unit in seeded)
        ]
    assert missed == []
