"""Source trees and workloads that cost next to nothing to start: no torch, a loop whose length the tree decides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mdnn_verify.bench.machine import Machine
from mdnn_verify.bench.trees import Tree, tree_at

WORKLOADS = """
from dataclasses import dataclass
from typing import Any

@dataclass
class Prepared:
    call: Any
    accuracy: Any = None

@dataclass
class Workload:
    prepare: Any

def loop():
    import mdnn_verify
    return Prepared(lambda: sum(range(mdnn_verify.LENGTH)), getattr(mdnn_verify, "figures", None))

def newer():
    from mdnn_verify import later
    return Prepared(later)

def breaks():
    def call():
        raise RuntimeError("the planted fault")
    return Prepared(call)

def prints():
    import mdnn_verify
    print("noise that is no answer")
    return Prepared(lambda: sum(range(mdnn_verify.LENGTH)))

WORKLOADS = {name: Workload(f) for name, f in dict(loop=loop, newer=newer, breaks=breaks, prints=prints).items()}
"""


@pytest.fixture
def machine() -> Machine:
    return Machine("AMD EPYC", 2, "", "", "2.13.0+cpu", "3.11", "Linux x86_64")


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Tree]:
    """``tree(name, length, more)``: a package whose loop has that length, and more code."""

    def make(name: str, length: int = 5000, more: str = "") -> Tree:
        package = tmp_path / name / "mdnn_verify"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"LENGTH = {length}\n{more}\n")
        return tree_at(tmp_path / name)

    return make


@pytest.fixture
def workloads(tmp_path: Path) -> Path:
    path = tmp_path / "workloads.py"
    path.write_text(WORKLOADS)
    return path


@pytest.fixture
def plan(workloads: Path) -> Callable[..., Any]:
    """``plan(*names, **settings)``: eight pairs a session of the cheap workloads."""
    from mdnn_verify.bench.compare import Plan

    return lambda *names, **settings: Plan(names or ("loop",), pairs=8, file=workloads, **settings)
