"""Whole runs: the same verdicts and numbers however they are spread, interrupted or selected."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdnn_verify.catalogue import catalogue, select
from mdnn_verify.errors import MdnnVerifyError, UsageError
from mdnn_verify.reporting.json import document
from mdnn_verify.runner.campaign import Interrupted, run_campaign
from mdnn_verify.runner.units import Settings

HERE = Path(__file__).parent
ROOT = HERE.parent
TIMES = ("seconds", "draws_per_second", "traceback")  # the last shows the caller, which differs between processes
OUTCOMES, SLOW = HERE / "theorem_samples" / "outcomes", HERE / "theorem_samples" / "slow"
NAMES = ["true_claim", "false_claim", "raises"]
SETTINGS = Settings(seed=7, theorems=12)


def numbers(value: object) -> object:
    """A document without the times in it."""
    if isinstance(value, dict):
        return {name: numbers(item) for name, item in value.items() if name not in TIMES}
    return [numbers(item) for item in value] if isinstance(value, list) else value


def campaign(tmp_path: Path, names: list[str] = NAMES, settings: Settings = SETTINGS, **options: object) -> object:
    entries = select(names, catalogue([OUTCOMES, SLOW]))
    tmp_path.mkdir(exist_ok=True)
    results = run_campaign(
        entries, settings, journal_path=tmp_path / "journal.jsonl", folders=[OUTCOMES, SLOW], **{"jobs": 1, **options}
    )
    return numbers(document(results, {})["theorems"])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> object:
    return campaign(tmp_path_factory.mktemp("alone"))


def test_two_processes_give_the_same_numbers(alone: object, tmp_path: Path) -> None:
    assert campaign(tmp_path, jobs=2) == alone


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def test_two_dask_workers_give_the_same_numbers(alone: object, scheduler: str, tmp_path: Path) -> None:
    seen = []
    options = {
        "backend": "dask",
        "scheduler": scheduler,
        "on_result": lambda result, done, total: seen.append((done, total)),
    }
    assert campaign(tmp_path, **options) == alone
    assert seen == [(done, seen[0][1]) for done in range(seen[0][1] + 1)]


def test_dask_workers_with_other_theorems_are_refused(scheduler: str, tmp_path: Path) -> None:
    copy = tmp_path / "mine" / "samples"
    copy.mkdir(parents=True)
    text = (OUTCOMES / "samples" / "true_claim.py").read_text()
    (copy / "mine.py").write_text(text)
    entry = catalogue([copy.parent])["samples/mine"]
    options = {
        "backend": "dask",
        "scheduler": scheduler,
        "folders": [copy.parent],
        "journal_path": tmp_path / "journal.jsonl",
    }
    run_campaign([entry], SETTINGS, **options)  # the workers now remember these sources
    (copy / "mine.py").write_text(text + "\n")
    from mdnn_verify.runner.journal import fingerprint

    fingerprint.cache_clear()
    with pytest.raises(UsageError, match="other sources of mdnn_verify or of the theorems on the dask workers"):
        run_campaign([entry], SETTINGS, **options)


def test_a_scheduler_without_workers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("mdnn_verify.runner.backends.CONNECT", 1.0)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster,
        pytest.raises(UsageError, match="has no workers"),
    ):
        campaign(tmp_path, backend="dask", scheduler=cluster.scheduler_address)


def test_a_selection_gives_the_numbers_of_the_whole(alone: object, tmp_path: Path) -> None:
    assert campaign(tmp_path, ["true_claim"]) == [theorem for theorem in alone if theorem["id"] == "samples/true_claim"]


def test_another_seed_gives_other_numbers(alone: object, tmp_path: Path) -> None:
    assert campaign(tmp_path, settings=Settings(seed=8, theorems=12)) != alone


def test_resume_does_only_what_is_left(alone: object, tmp_path: Path) -> None:
    campaign(tmp_path)
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:5]) + lines[5][:30])
    calls = []
    assert campaign(tmp_path, resume=True, on_result=lambda *call: calls.append(call)) == alone
    assert calls[0] == (None, 4, len(lines) - 1)
    assert len(calls) - 1 == len(lines) - 1 - 4
    assert sorted(map(without_times, journal.read_bytes().splitlines())) == sorted(map(without_times, lines))


def without_times(line: bytes) -> str:
    return json.dumps(numbers(json.loads(line)))


def test_a_worker_that_dies_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "mine" / "samples" / "deadly.py"
    file.parent.mkdir(parents=True)
    text = (OUTCOMES / "samples" / "raises.py").read_text()
    file.write_text(
        text.replace("return Residual(1 / divisor", "__import__('os')._exit(1)\n    return Residual(1 / divisor")
    )
    entries = [catalogue([file.parents[1]])["samples/deadly"]]
    journal = tmp_path / "journal.jsonl"
    with pytest.raises(MdnnVerifyError, match="a worker process died"):
        run_campaign(entries, SETTINGS, jobs=2, journal_path=journal, folders=[file.parents[1]])
    assert json.loads(journal.read_bytes().splitlines()[0])["journal"] == 1


def test_ctrl_c_in_process_keeps_what_was_finished(tmp_path: Path, alone: object) -> None:
    def interrupt(result: object, done: int, total: int) -> None:
        if done == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted, match="interrupted: 3 of 20 checks are finished and kept") as caught:
        campaign(tmp_path, on_result=interrupt)
    assert (caught.value.exit_status, caught.value.resumable) == (130, True)
    assert signal.getsignal(signal.SIGTERM) == handler
    assert campaign(tmp_path, resume=True) == alone


LINES = 21  # of the complete journal of slow/samples/patience: its header, and 20 checks
SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from mdnn_verify.cli import main
sys.exit(main())
"""


def start(reports: Path, jobs: int, *more: str) -> subprocess.Popen[str]:
    words = ["run", "patience", "--theorems", str(SLOW), "--jobs", str(jobs), "--reports", str(reports), *more]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def wait_for_lines(journal: Path, count: int, process: subprocess.Popen[str]) -> int:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        if journal.exists() and (found := journal.read_bytes().count(b"\n")) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {count} lines in time: {process.poll()} {process.stderr and process.stderr.read()}")


def children(pid: int) -> list[int]:
    """Descendants of a process, from /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(parents.get(pid, []))
    return found + [below for child in found for below in children(child)]


def gone(pids: list[int], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(running(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
@pytest.mark.parametrize(
    ("sent", "jobs", "status"),
    [(signal.SIGINT, 2, 130), (signal.SIGTERM, 1, 130), (signal.SIGKILL, 2, -signal.SIGKILL)],
)
def test_an_interrupted_run_is_completed_by_resume(
    tmp_path: Path, sent: signal.Signals, jobs: int, status: int
) -> None:
    journal = tmp_path / "journal.jsonl"
    process = start(tmp_path, jobs)
    before = wait_for_lines(journal, 4, process)
    workers = children(process.pid)
    assert bool(workers) == (jobs > 1)
    process.send_signal(sent)
    _, error = process.communicate(timeout=60)
    assert process.returncode == status
    assert gone(workers), "worker processes are left"
    kept = journal.read_bytes().count(b"\n")
    assert before <= kept < LINES, "interrupted too late to show anything"
    if sent is not signal.SIGKILL:
        assert "checks are finished and kept" in error
        assert f"to complete the run: mdnn-verify run patience --theorems {SLOW}" in error
        assert error.rstrip().endswith("--resume")
        assert "Traceback" not in error
    again = start(tmp_path, 1, "--resume")
    _, error = again.communicate(timeout=120)
    assert again.returncode == 0, error
    assert journal.read_bytes().count(b"\n") == LINES
    assert (tmp_path / "run.json").exists()
