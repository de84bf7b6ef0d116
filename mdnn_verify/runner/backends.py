"""Where units of work run: in this process, in processes of this machine (joblib), or on a dask cluster.

A verdict depends on the unit and the settings alone, so these differ in speed only.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdnn_verify.errors import MdnnVerifyError, UnknownName, UsageError
from mdnn_verify.runner.journal import decode, encode, fingerprint
from mdnn_verify.runner.units import Settings, Unit, run_unit
from mdnn_verify.verdicts import CheckResult

__all__ = ["BACKENDS", "DASK", "LOCAL", "Run", "Workers"]

LOCAL, DASK = "local", "dask"
BACKENDS = (LOCAL, DASK)
CONNECT = 10.0  # seconds to wait for a scheduler and its first worker
PARENT_LOOK = 1.0  # seconds between two looks whether the parent process is still there
Record = dict[str, Any]
Run = Callable[[Sequence[Unit], Settings], Generator[CheckResult, None, None]]

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Workers:
    """Who does the work. Raises UsageError for what cannot be."""

    jobs: int = 1
    backend: str = LOCAL
    scheduler: str = ""

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise UnknownName("backend", self.backend, BACKENDS)
        if self.jobs < 1:
            raise UsageError(f"--jobs is {self.jobs}, expected at least 1")
        if self.scheduler and self.backend != DASK:
            raise UsageError("--scheduler needs --backend dask")
        if self.backend == DASK and not self.scheduler:
            raise UsageError("--backend dask needs the address of its scheduler: --scheduler tcp://HOST:PORT")

    def open(self, folders: Sequence[Path] = ()) -> AbstractContextManager[Run]:
        """A context whose value runs units and yields their results as they come, in any order."""
        if self.backend == DASK:
            return _cluster(self.scheduler, tuple(folders))
        return _in_process() if self.jobs == 1 else _processes(self.jobs)


def work(unit: Unit, settings: Settings) -> Record:
    """One unit's result as plain data: what crosses processes, and what the journal keeps, is the same everywhere."""
    with _one_at_a_time:  # a dask worker may have threads; sympy's caches and torch's number of threads are global
        return encode(run_unit(unit, settings))


@contextmanager
def _in_process() -> Iterator[Run]:
    yield lambda units, settings: (decode(work(unit, settings)) for unit in units)


@contextmanager
def _processes(jobs: int) -> Iterator[Run]:
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    # one unit a task: each is journalled as soon as it is done
    parallel = Parallel(n_jobs=jobs, backend="loky", return_as="generator_unordered", batch_size=1)

    def run(units: Sequence[Unit], settings: Settings) -> Generator[CheckResult, None, None]:
        for record in parallel(delayed(_work_for)(os.getpid(), unit, settings) for unit in units):
            yield decode(record)

    try:
        yield run
    except TerminatedWorkerError:
        raise MdnnVerifyError(
            "a worker process died (killed, or out of memory); --resume completes the run from what was finished"
        ) from None
    finally:
        _end_processes()


def _work_for(parent: int, unit: Unit, settings: Settings) -> Record:
    _outlive_no_one(parent)
    return work(unit, settings)


@functools.cache
def _outlive_no_one(parent: int) -> None:
    """End this worker once its parent is gone: after kill -9 nobody else does."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def _end_processes() -> None:
    """Without this, joblib keeps its idle workers, and on Ctrl-C also those at work."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True, kill_workers=True)


@contextmanager
def _cluster(scheduler: str, folders: tuple[Path, ...]) -> Iterator[Run]:
    try:
        from distributed import Client, as_completed
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise UsageError("--backend dask needs the extra 'cluster': pip install 'mdnn-verify[cluster]'") from None
    try:
        client = Client(scheduler, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"no dask scheduler answers at {scheduler}: {error or type(error).__name__}") from None

    def run(units: Sequence[Unit], settings: Settings) -> Generator[CheckResult, None, None]:
        # pure=False: a result must not be taken from an earlier run that the scheduler remembers
        futures = client.map(functools.partial(work, settings=settings), units, pure=False)
        try:
            for _, record in as_completed(futures, loop=client.loop, with_results=True):
                yield decode(record)
        finally:
            client.cancel(futures)

    with client:
        _same_sources(client, scheduler, folders)
        try:
            yield run
        except KilledWorker as error:
            raise MdnnVerifyError(f"a dask worker died repeatedly; --resume completes the run: {error}") from None


def _same_sources(client: Any, scheduler: str, folders: tuple[Path, ...]) -> None:
    """Every worker must have this very package and these theorems, or its verdicts are about something else."""
    try:
        client.wait_for_workers(1, timeout=CONNECT)
    except TimeoutError:
        raise UsageError(f"the dask scheduler at {scheduler} has no workers") from None
    try:
        theirs = client.run(fingerprint, folders)
    except ImportError as error:
        raise UsageError(f"the dask workers at {scheduler} cannot import mdnn_verify: {error}") from None
    different = sorted(worker for worker, digest in theirs.items() if digest != fingerprint(folders))
    if different:
        raise UsageError(f"other sources of mdnn_verify or of the theorems on the dask workers {', '.join(different)}")
