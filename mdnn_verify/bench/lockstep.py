"""A session of the lock-step comparison: two fresh processes on one core, alternating blocks of equal work.

Whoever is not running sleeps in a read, so the two sides see the same clock rate, caches and neighbours within
milliseconds. The session's effect is the median over pairs of log(head / baseline).
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any

from mdnn_verify.bench.trees import PACKAGE, Tree
from mdnn_verify.errors import MdnnVerifyError, UsageError

__all__ = ["Measured", "Probe", "Worker", "WorkerDied", "probe", "run_session"]

HERE = Path(__file__).parent
WORKLOADS = HERE / "workloads.py"
PAIRS = 80
WARMUP_PAIRS = 4
LAST_LINES = 12
ENVIRONMENT = 4096
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class WorkerDied(MdnnVerifyError):
    """A measuring process ended before its work did."""


@dataclass(frozen=True)
class Measured:
    """One workload in one session; ``effect`` is a log ratio, times are medians of a call in seconds."""

    workload: str
    effect: float
    baseline_seconds: float
    head_seconds: float
    calls: int
    extra_calls: int
    pairs: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Probe:
    """What both sides say of a workload before anything is timed. ``missing`` is why it is not comparable, or ""."""

    missing: str
    baseline_accuracy: list[dict[str, Any]] | None
    head_accuracy: list[dict[str, Any]] | None


class Worker:
    """A measuring process that imports ``tree``; ends with its context. Raises WorkerDied with what it last said.

    Both workers of session ``number`` hash strings alike: the order of sets changes what SymPy has to do.
    """

    def __init__(self, tree: Tree, workloads: Path = WORKLOADS, number: int = 0) -> None:
        self.tree = tree
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  (till __exit__)
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(HERE / "worker.py"), str(workloads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env=_environment(tree, number),
        )

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """One request, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerDied(self._last_words(do))
        answer: dict[str, Any] = json.loads(line)
        return answer

    def greet(self) -> None:
        """Raises MdnnVerifyError if the process imported the package from anywhere but its tree."""
        file = Path(self.ask("hello")["file"]).resolve()
        expected = self.tree.folder.resolve() / PACKAGE / "__init__.py"
        if file != expected:
            raise MdnnVerifyError(f"the worker of {self.tree.label} imported {file}, expected {expected}")

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._stderr.close()

    def _last_words(self, do: str) -> str:
        status = self._process.wait()
        self._stderr.seek(0)
        words = "".join(self._stderr.readlines()[-LAST_LINES:]).strip() or "it said nothing"
        return f"the worker of {self.tree.label} ended with status {status} when asked to {do}:\n{words}"


def probe(baseline: Tree, head: Tree, names: Sequence[str], workloads: Path = WORKLOADS) -> dict[str, Probe]:
    """Prepare every workload on both sides, untimed: what is comparable, and how accurate it is.

    Raises MdnnVerifyError if the head cannot run one: that is a fault, not a difference of versions.
    """
    found = {}
    with _pair(baseline, head, 0, workloads) as (a, b):
        for name in names:
            theirs, ours = (side.ask("prepare", workload=name, accuracy=True) for side in (a, b))
            if "missing" in ours:
                raise MdnnVerifyError(f"the workload {name} does not run in {head.label}: {ours['missing']}")
            found[name] = Probe(theirs.get("missing", ""), theirs.get("accuracy"), ours["accuracy"])
    return found


def run_session(
    baseline: Tree,
    head: Tree,
    names: Sequence[str],
    *,
    number: int,
    core: int,
    pairs: int = PAIRS,
    inject: float = 0.0,
    workloads: Path = WORKLOADS,
) -> Iterator[Measured]:
    """Each workload in turn. ``number`` alternates who starts first; ``inject`` slows the head by that share.

    An injected slowdown is real work of the same kind: the head makes that share more of the same calls in each block,
    whose size is chosen so that the share is a whole number of calls.
    """
    multiple = _multiple(inject)
    with _pair(baseline, head, number, workloads) as (a, b):
        for side in (a, b):
            side.ask("pin", core=core)
        for name in names:
            for side in (a, b) if number % 2 == 0 else (b, a):
                side.ask("prepare", workload=name)
            calls = a.ask("calibrate", multiple=multiple)["calls"]
            extra = round(calls * inject)
            times = _alternate(a, b, calls, calls + extra, pairs, head_first=number % 2 == 1)
            yield _summary(name, times, calls, extra)


def _alternate(a: Worker, b: Worker, calls: int, head_calls: int, pairs: int, *, head_first: bool) -> list[Any]:
    """(baseline, head) seconds of each pair, in the order A B B A, or B A A B every other session."""
    times = []
    for number in range(-WARMUP_PAIRS, pairs):
        pair = {}
        for side in (b, a) if (number % 2 == 1) != head_first else (a, b):
            pair[side] = side.ask("block", calls=head_calls if side is b else calls)["seconds"]
        if number >= 0:
            times.append((pair[a], pair[b]))
    return times


def _summary(name: str, times: Sequence[tuple[float, float]], calls: int, extra: int) -> Measured:
    return Measured(
        workload=name,
        effect=median(math.log(head / baseline) for baseline, head in times),
        baseline_seconds=median(baseline for baseline, _ in times) / calls,
        head_seconds=median(head for _, head in times) / calls,
        calls=calls,
        extra_calls=extra,
        pairs=len(times),
    )


@contextmanager
def _pair(baseline: Tree, head: Tree, number: int, workloads: Path) -> Iterator[tuple[Worker, Worker]]:
    """Both workers, greeted; every other session the head starts first, so that neither is always the second."""
    trees = (baseline, head) if number % 2 == 0 else (head, baseline)
    with Worker(trees[0], workloads, number) as first, Worker(trees[1], workloads, number) as second:
        for worker in (first, second):
            worker.greet()
        yield (first, second) if number % 2 == 0 else (second, first)


def _multiple(inject: float) -> int:
    """The least number of calls of which ``inject`` is a whole number. Raises UsageError for odd or negative shares."""
    if not 0 <= inject <= 10 or abs(inject * 100 - round(inject * 100)) > 1e-9:
        raise UsageError(f"--inject is {100 * inject:g} %, expected a whole number of per cent from 0 to 1000")
    return 100 // math.gcd(100, round(100 * inject)) if inject else 1


def _environment(tree: Tree, number: int) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(tree.folder), os.environ.get("PYTHONPATH", ""))))
    padding = "x" * max(
        0, ENVIRONMENT - len(path)
    )  # the size of the environment moves the stack, and with it the times
    fixed = {"PYTHONPATH": path, "PYTHONHASHSEED": str(number % 2**32), "LOCKSTEP_PADDING": padding}
    return {**os.environ, **dict.fromkeys(THREADS, "1"), **fixed}
