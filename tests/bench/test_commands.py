from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from mdnn_verify.bench import compare, history, suite_run, workloads
from mdnn_verify.bench.machine import this_machine
from mdnn_verify.bench.trees import Tree
from mdnn_verify.cli import main
from mdnn_verify.errors import MdnnVerifyError

SMALL_SUITE = """
def test_sum(device, measure):
    measure(lambda: sum(range(1000)), rounds=3, images=10, operations=1e3, nbytes=1e3, note="a note")

def test_that_fails(measure):
    raise RuntimeError("the planted fault")
"""


@pytest.fixture
def small_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "suite"
    folder.mkdir()
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(suite_run.SUITE / name, folder)
    (folder / "bench_small.py").write_text(SMALL_SUITE)
    monkeypatch.setattr(suite_run, "SUITE", folder)
    monkeypatch.setattr(suite_run, "memory_bandwidth", lambda device: 1e10)
    return folder


def test_run_keeps_figures_and_shows_skipped_and_failed_rows(
    small_suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, reports = tmp_path / "out.json", tmp_path / "reports"
    assert main(["bench", "run", "--json", str(file), "--reports", str(reports)]) == 4, "one benchmark fails"
    document = json.loads(file.read_text())
    assert history.read(reports / "benchmarks", this_machine().key, "run") == [document]
    row = document["benchmarks"][0]
    assert (row["name"], row["device"], row["extra"]["note"]) == ("small/sum[cpu]", "cpu", "a note")
    assert row["extra"]["images_per_second"] == pytest.approx(10 / row["stats"]["median"])
    assert row["extra"]["share_of_operations_ceiling"] > 0
    assert document["ceilings"]["cpu"]["float32_operations_per_second"] > 0
    assert "the planted fault" in document["failed"][0]["reason"]
    printed = capsys.readouterr().out
    assert "failed: small/that_fails[cpu]" in printed
    if not torch.cuda.is_available():
        assert document["skipped"][0]["name"] == "small/sum[cuda]"
        assert "skipped: small/sum[cuda]: not measured: torch sees no CUDA device" in printed


@pytest.mark.parametrize(("rows", "failed", "status"), [([], [], 4), ([1], [], 0), ([1], [1], 4)])
def test_exit_status_of_a_run(rows: list[int], failed: list[int], status: int) -> None:
    assert suite_run.exit_status({"benchmarks": rows, "failed": failed}) == status


@pytest.mark.parametrize("status", [2, 3, 4])
def test_a_suite_that_breaks_is_an_error(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = CompletedProcess([], status)
    monkeypatch.setattr(suite_run, "subprocess", SimpleNamespace(run=lambda *words, **named: ended))
    monkeypatch.setattr(suite_run, "_ceilings", lambda device: {})
    with pytest.raises(MdnnVerifyError, match=f"status {status}"):
        suite_run.run_suite(this_machine(), select="(")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--device", "tpu"], "expected cpu or cuda"),
        (["run", "--data", "/no/such/folder"], "not a folder"),
        (["compare", "--workload", "drws"], "did you mean 'draws'?"),
        (["compare", "--baseline", "no-such-revision"], "neither a folder"),
        (["compare", "--sessions", "3", "--workload", "draws"], "at least 7"),
        (["compare", "--pairs", "0"], "--pairs"),
        (["history", "--machine", "no-such-machine"], "unknown machine"),
    ],
)
def test_bad_requests_are_refused_before_work(
    words: list[str], said: str, tmp_path: Path, tree: Callable[..., Tree], capsys: pytest.CaptureFixture[str]
) -> None:
    if words[0] == "compare" and "--baseline" not in words:
        words = [*words, "--baseline", str(tree("a").folder)]
    assert main(["bench", *words, "--reports", str(tmp_path / "reports")]) == 2
    assert said in capsys.readouterr().err


def test_compare_and_its_exit_status(
    tmp_path: Path, tree: Callable[..., Tree], workloads_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = tree("a"), tree("b", 9000)
    file, reports = tmp_path / "out.json", tmp_path / "reports"
    command = ["bench", "compare", "--baseline", str(a.folder), "--head", str(b.folder), "--pairs", "8"]
    assert main([*command, "--json", str(file), "--reports", str(reports)]) == 1
    document = json.loads(file.read_text())
    assert history.read(reports / "benchmarks", this_machine().key, "compare") == [document]
    printed = capsys.readouterr().out
    assert "SLOWER" in printed
    assert "comparisons of a version with itself alarmed on this machine" in printed


@pytest.fixture
def workloads_file(workloads: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command compares the one cheap workload in place of the package's own."""
    monkeypatch.setattr(compare.Plan, "__init__", _with_file(compare.Plan.__init__, workloads))
    monkeypatch.setattr("mdnn_verify.bench.workloads.WORKLOADS", {"loop": None})
    return workloads


def _with_file(init: Callable[..., None], file: Path) -> Callable[..., None]:
    return lambda self, *words, **named: init(self, *words, **named, file=file)


def test_history_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "history", "--reports", str(tmp_path)]) == 4
    assert this_machine().key in capsys.readouterr().err


def test_every_workload_runs_and_its_accuracy_is_comparable(one_thread: None) -> None:
    from mdnn_verify.bench import rule

    for name, workload in workloads.WORKLOADS.items():
        prepared: Any = workload.prepare()
        prepared.call()
        for figure in prepared.accuracy() if prepared.accuracy else ():
            assert not rule.accuracy_is_worse(figure, figure), name


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As in a worker; and small tensors are slower on more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
