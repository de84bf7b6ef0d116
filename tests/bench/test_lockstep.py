from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from mdnn_verify.bench import lockstep, worker
from mdnn_verify.bench.compare import CANARY, HEAD, compare
from mdnn_verify.bench.lockstep import WorkerDied, probe, run_session
from mdnn_verify.bench.machine import Machine, available_cores
from mdnn_verify.bench.trees import Tree, digest_of
from mdnn_verify.errors import JournalMismatch, MdnnVerifyError, UsageError

CORE = available_cores()[-1]


def test_a_session_sees_a_tree_that_does_more(tree, workloads: Path) -> None:
    a, b = tree("a"), tree("b", 10_000)
    for number in (0, 1):  # either side may start first
        (found,) = run_session(a, b, ["loop"], number=number, core=CORE, pairs=20, workloads=workloads)
        assert 0.3 < found.effect < 1.2, "twice the work is log 2 = 0.69"
        assert (found.pairs, found.extra_calls) == (20, 0)


def test_an_injected_slowdown_is_a_whole_number_of_further_calls(tree, workloads: Path) -> None:
    a = tree("a")
    (found,) = run_session(a, a, ["loop"], number=0, core=CORE, pairs=20, inject=0.5, workloads=workloads)
    assert found.extra_calls * 2 == found.calls
    assert 0.1 < found.effect < 0.9, "log 1.5 = 0.41"


@pytest.mark.parametrize(("share", "multiple"), [(0.1, 10), (0.2, 5), (0.25, 4), (0.07, 100), (0.0, 1), (1.0, 1)])
def test_blocks_hold_a_whole_share(share: float, multiple: int) -> None:
    assert lockstep._multiple(share) == multiple
    assert worker.calls_for(lambda: None, multiple) % multiple == 0


@pytest.mark.parametrize("share", [-0.1, 0.123, math.nan])
def test_a_share_that_is_no_whole_per_cent_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="whole number of per cent"):
        lockstep._multiple(share)


def test_a_disturbed_sample_does_not_shorten_the_blocks() -> None:
    now = [0.0]

    def clock() -> float:
        return now[0]

    calls = [0]

    def call() -> None:
        calls[0] += 1
        now[0] += 0.001 if calls[0] != 16 else 0.5

    assert worker.calls_for(call, clock=clock) in (7, 8)


def test_time_without_the_core_is_not_counted(tmp_path: Path) -> None:
    stat = tmp_path / "schedstat"
    stat.write_text("5 0 1\n")
    clock = worker.Clock(str(stat))
    first = clock()
    stat.write_text("5 3600000000000 2\n")  # an hour in the queue
    assert clock() < first - 3000
    assert abs(worker.Clock(str(tmp_path / "none"))() - worker.Clock(str(tmp_path / "none"))()) < 60


def test_what_a_library_prints_is_no_answer(tree, workloads: Path) -> None:
    a = tree("a")
    assert probe(a, a, ["prints"], workloads)["prints"].missing == ""


def test_a_workload_the_baseline_lacks_is_not_comparable(
    tmp_path: Path, tree, workloads: Path, plan, machine: Machine
) -> None:
    a, b = tree("a"), tree("b", more="def later(): return sum(range(5000))")
    found = probe(a, b, ["newer"], workloads)
    assert "cannot import name 'later'" in found["newer"].missing
    with pytest.raises(MdnnVerifyError, match="newer does not run in"):
        probe(b, a, ["newer"], workloads)
    document = compare(a, b, plan("newer"), machine, journal=tmp_path / "j")
    assert (document["outcome"], document["exit_status"]) == ("nothing measured", 4)
    assert list(document["not_comparable"]) == ["newer"]


def test_a_worker_that_dies_tells_its_last_words(tree, workloads: Path) -> None:
    a = tree("a")
    with pytest.raises(WorkerDied, match=r"(?s)asked to prepare.*the planted fault"):
        probe(a, a, ["breaks"], workloads)


def test_a_worker_that_imports_another_tree_is_refused(tmp_path: Path, tree, workloads: Path) -> None:
    a = tree("a")
    (tmp_path / "empty").mkdir()
    empty = Tree(tmp_path / "empty", "the empty one", digest_of(tmp_path / "empty"))
    with pytest.raises(MdnnVerifyError, match="the empty one"):
        probe(a, empty, ["loop"], workloads)


def test_slower_is_found_by_real_workers_and_resumed_when_killed(tmp_path: Path, tree, plan, machine: Machine) -> None:
    a, b = tree("a"), tree("b", 8000)
    steps: list[str] = []

    def on_session(role: str, done: int, total: int) -> None:
        steps.append(role)
        if done == 5 and len(steps) < 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(a, b, plan(), machine, journal=tmp_path / "j", on_session=on_session)
    kept = (tmp_path / "j").read_text().splitlines()
    assert len(kept) == 6, "the header and five sessions"
    (tmp_path / "j").write_text("\n".join(kept) + '\n{"role": "he')  # and a torn line
    document = compare(a, b, plan(), machine, journal=tmp_path / "j", resume=True)
    assert [row["role"] for row in document["measured"]].count(HEAD) == 7
    assert [row["role"] for row in document["measured"]].count(CANARY) == 7
    assert document["measured"][:5] == [json.loads(line) for line in kept[1:]]
    assert (document["outcome"], document["exit_status"]) == ("slower", 1)
    assert document["verdicts"]["loop"]["ratio"] > 1.2


def test_resume_refuses_another_machine_and_other_sources(tmp_path: Path, tree, plan, machine: Machine) -> None:
    a, b = tree("a"), tree("b", 6000)
    journal = tmp_path / "j"

    def stop(role: str, done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(UsageError, match="no measurement to resume"):
        compare(a, a, plan(), machine, journal=journal, resume=True)
    with pytest.raises(KeyboardInterrupt):
        compare(a, a, plan(), machine, journal=journal, on_session=stop)
    with pytest.raises(JournalMismatch, match="its head is"):
        compare(a, b, plan(), machine, journal=journal, resume=True)
    other = type(machine)(**{**machine.__dict__, "cores": 64})
    with pytest.raises(JournalMismatch, match="its machine is"):
        compare(a, a, plan(), other, journal=journal, resume=True)


def test_less_accurate_fails_before_anything_is_timed(tmp_path: Path, tree, plan, machine: Machine) -> None:
    figures = "def figures(): return [{{'name': 'type II', 'errors': {}, 'total': 1000}}]"
    a, b = tree("a", more=figures.format(10)), tree("b", 100, more=figures.format(100))
    document = compare(a, b, plan(), machine, journal=tmp_path / "j")
    assert (document["outcome"], document["exit_status"], document["measured"]) == ("less accurate", 1, [])
    assert document["accuracy"][0]["worse"]


@pytest.mark.parametrize(
    ("settings", "words"), [({"sessions": 6}, "at least 7"), ({"alpha": 0.0}, "alpha"), ({"alpha": 2.0}, "alpha")]
)
def test_settings_without_a_possible_verdict_are_refused(
    tmp_path: Path, settings: dict, words: str, tree, plan, machine: Machine
) -> None:
    a = tree("a")
    with pytest.raises(UsageError, match=words):
        compare(a, a, plan(**settings), machine, journal=tmp_path / "j")
    assert not os.path.exists(tmp_path / "j")
