"""``bench run``: pytest-benchmark over ``suite/`` in its own process, and its JSON as a document of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mdnn_verify.bench.ceilings import matmul_rate, memory_bandwidth
from mdnn_verify.bench.cuda import gpu_state
from mdnn_verify.bench.machine import Machine
from mdnn_verify.bench.trees import commit_of
from mdnn_verify.errors import MdnnVerifyError

__all__ = ["exit_status", "run_suite"]

SUITE = Path(__file__).parent / "suite"
SCHEMA = 1
STATISTICS = ("median", "iqr", "mean", "stddev", "min", "max", "q1", "q3", "rounds", "iterations")
STDERR = 2  # the descriptor: sys.stderr may be a stand-in without one
USAGE, NOTHING_COLLECTED = 4, 5  # pytest's exit statuses


def run_suite(machine: Machine, *, select: str = "", device: str = "", data: Path | None = None) -> dict[str, Any]:
    """Run the benchmarks that ``select`` (pytest's -k) names; pytest's own progress goes to stderr.

    Raises MdnnVerifyError if pytest itself breaks.
    """
    started = datetime.now(UTC)
    ceilings = _ceilings(device)
    with tempfile.TemporaryDirectory(prefix="mdnn-bench-") as temporary:
        figures, report = Path(temporary) / "benchmarks.json", Path(temporary) / "junit.xml"
        status = subprocess.run(
            _command(figures, report, select, device, data), stdout=STDERR, env=_environment(), check=False
        ).returncode
        if status not in (0, 1, NOTHING_COLLECTED):
            hint = f"; is --select {select!r} an expression of names?" if status == USAGE and select else ""
            raise MdnnVerifyError(f"the benchmark suite did not run: pytest ended with status {status}{hint}")
        rows = _rows(figures)
        others = _others(report)
    return {
        "schema": SCHEMA,
        "kind": "run",
        "started": started.isoformat(timespec="seconds"),
        "commit": commit_of(Path(__file__).resolve().parents[2]),
        "machine": machine.description(),
        "conditions": _conditions(data),
        "ceilings": ceilings,
        "gpu": gpu_state(),
        "benchmarks": rows,
        **others,
    }


def exit_status(document: Mapping[str, Any]) -> int:
    """0 if everything that could be measured was, 4 if nothing was or a benchmark failed."""
    return 0 if document["benchmarks"] and not document["failed"] else 4


def _command(figures: Path, report: Path, select: str, device: str, data: Path | None) -> list[str]:
    words = [sys.executable, "-m", "pytest", str(SUITE), "-c", str(SUITE / "pytest.ini"), "-v", "--tb=short"]
    words += [f"--rootdir={SUITE}", f"--benchmark-json={figures}", f"--junitxml={report}"]
    words += ["-k", select] if select else []
    words += [f"--bench-device={device}"] if device else []
    return [*words, f"--bench-data={data.resolve()}"] if data else words


def _environment() -> dict[str, str]:
    """The suite imports the package that is running, and takes no options meant for other test runs."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {"PYTHONPATH": path}


def _conditions(data: Path | None) -> dict[str, Any]:
    import torch

    return {"threads": torch.get_num_threads(), "data": "named" if data or os.environ.get("MDNN_DATA") else "default"}


def _ceilings(device: str) -> dict[str, Any]:
    """The machine's float32 product rate and memory bandwidth, for every device that is measured."""
    import torch

    present = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    return {
        name: {
            "float32_operations_per_second": matmul_rate(device=name),
            "bytes_per_second": memory_bandwidth(device=name),
        }
        for name in present
        if device in ("", name)
    }


def _rows(figures: Path) -> list[dict[str, Any]]:
    """pytest-benchmark leaves no file, or an empty one, if nothing ran."""
    if not figures.exists() or not figures.stat().st_size:
        return []
    found = json.loads(figures.read_text(encoding="utf-8"))["benchmarks"]
    return [
        {
            "name": _name(*row["fullname"].split("::", 1)),
            "device": row["extra_info"].get("device", "cpu"),
            "stats": {name: row["stats"][name] for name in STATISTICS},
            "extra": row["extra_info"],
        }
        for row in found
    ]


def _others(report: Path) -> dict[str, list[dict[str, str]]]:
    """What was skipped and what failed, with the reason."""
    others: dict[str, list[dict[str, str]]] = {"skipped": [], "failed": []}
    for case in ElementTree.parse(report).iter("testcase"):
        for kind, tags in (("skipped", ("skipped",)), ("failed", ("failure", "error"))):
            for tag in tags:
                for found in case.iter(tag):
                    reason = found.get("message", "").partition("\n")[0]
                    name = _name(case.get("classname", ""), case.get("name", ""))
                    others[kind].append({"name": name, "reason": reason})
    return others


def _name(file: str, test: str) -> str:
    """The name flow/training_step[cpu] for a test of bench_flow.py, which JUnit calls suite.bench_flow."""
    subject = file.removesuffix(".py").replace("/", ".").rpartition(".")[2]
    return f"{subject.removeprefix('bench_')}/{test.removeprefix('test_')}"
