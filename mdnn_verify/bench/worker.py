"""One side of a lock-step comparison. Run as a file, ``python -P worker.py WORKLOADS.py``, never imported by a tree.

Both sides so run the same measuring code and the same workloads, whatever their own version holds; only what the
workloads import, ``mdnn_verify`` first on PYTHONPATH, differs. One JSON line in, one out. Waiting for a line blocks in
the kernel: the idle side sleeps.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

__all__ = ["Side", "calls_for", "main"]

BLOCK_SECONDS = 0.0075  # the middle of 5 to 10 ms
CALIBRATION_SAMPLES = 5
MISSING = (ImportError, AttributeError, TypeError)  # an older interface; anything else is a fault and ends the worker


class Side:
    """The state of a worker: the workload that is prepared."""

    def __init__(self, workloads: ModuleType) -> None:
        self.workloads = workloads
        self.call: Callable[[], object] = lambda: None
        self.clock = Clock()

    def hello(self) -> dict[str, Any]:
        """Where the package was imported from."""
        import mdnn_verify

        return {"file": mdnn_verify.__file__, "pid": os.getpid()}

    def pin(self, core: int) -> dict[str, Any]:
        """Stay on one core, where the system allows it."""
        if not hasattr(os, "sched_setaffinity"):
            return {"pinned": False}
        os.sched_setaffinity(0, {core})
        return {"pinned": True}

    def prepare(self, workload: str, accuracy: bool = False) -> dict[str, Any]:
        """Set a workload up and call it once; ``missing`` says why this version has no such thing."""
        try:
            prepared = self.workloads.WORKLOADS[workload].prepare()
            prepared.call()
        except MISSING as error:
            return {"missing": f"{type(error).__name__}: {error}"}
        self.call = prepared.call
        figures = prepared.accuracy() if accuracy and prepared.accuracy else None
        gc.collect()
        gc.freeze()  # what was set up is not walked again by collections in the middle of a block
        return {"accuracy": figures}

    def calibrate(self, multiple: int = 1) -> dict[str, Any]:
        """How many calls make a block, as a multiple of ``multiple``."""
        return {"calls": calls_for(self.call, multiple, self.clock)}

    def block(self, calls: int) -> dict[str, Any]:
        """Seconds of that many calls."""
        call, clock = self.call, self.clock
        start = clock()
        for _ in range(calls):
            call()
        return {"seconds": clock() - start}


class Clock:
    """Wall-clock time without the time in which this thread was ready but another held its core.

    Linux counts the latter in nanoseconds (second number of /proc/self/schedstat, for the main thread). Sleep, input
    and output do count as time. Where the system does not tell, it is the wall clock. Closed with the process.
    """

    def __init__(self, path: str = "/proc/self/schedstat") -> None:
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._file = os.open(path, os.O_RDONLY)

    def __call__(self) -> float:
        if self._file is None:
            return time.perf_counter()
        while True:  # again if the core was lost between the two readings: they would not belong together
            waited = self._waited(self._file)
            now = time.perf_counter()
            if self._waited(self._file) == waited:
                return now - waited * 1e-9

    @staticmethod
    def _waited(file: int) -> int:
        """Nanoseconds so far."""
        return int(os.pread(file, 64, 0).split()[1])


def calls_for(call: Callable[[], object], multiple: int = 1, clock: Callable[[], float] = time.perf_counter) -> int:
    """The number of calls that fill a block, at least ``multiple`` and a multiple of it.

    From the shortest of several samples: a disturbed one would make blocks too short for the whole session.
    """
    calls, shortest = 1, math.inf
    for _ in range(CALIBRATION_SAMPLES):
        seconds = 0.0
        while True:
            start = clock()
            for _ in range(calls):
                call()
            seconds = clock() - start
            if seconds >= BLOCK_SECONDS:
                break
            calls *= 2
        shortest = min(shortest, seconds / calls)
    return max(1, round(BLOCK_SECONDS / shortest / multiple)) * multiple


def main(workloads: str) -> None:
    """Answer one request a line until the input ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    side = Side(_load(workloads))
    for line in sys.stdin:
        request: Mapping[str, Any] = json.loads(line)
        arguments = {name: value for name, value in request.items() if name != "do"}
        print(json.dumps(getattr(side, request["do"])(**arguments)), file=replies, flush=True)


def _load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("lockstep_workloads", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1])
