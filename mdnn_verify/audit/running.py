"""Reads many derivations, several at a time: each in a process of its own choosing, its result as plain data."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from mdnn_verify.audit.evaluation import MalformedDerivation
from mdnn_verify.audit.files import Place, load
from mdnn_verify.audit.judge import audit
from mdnn_verify.errors import MdnnVerifyError

__all__ = ["Record", "read", "read_all"]

PARENT_LOOK = 1.0  # seconds between two looks whether the parent process is still there
Record = dict[str, Any]


def read(place: Place, timeout: float) -> Record:
    """One derivation as plain data. Raises MalformedDerivation for one that cannot be judged."""
    found = audit(load(place.path, place.name), timeout=timeout)
    record = {"file": place.shown, **asdict(found)}
    for line in record["lines"]:
        line["finding"] = str(line["finding"])
        line["code"] = place.paste(line["name"], line["world"]) if line["world"] is not None else ""
    record["lines"] = list(record["lines"])
    return record


def read_all(places: Sequence[Place], timeout: float, jobs: int) -> Iterator[tuple[int, Record]]:
    """Every derivation with its number, as they are done. Raises what ``read`` raises, at the first that does."""
    jobs = min(jobs, len(places))
    if jobs <= 1:
        for number, place in enumerate(places):
            yield number, read(place, timeout)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    parallel = Parallel(n_jobs=jobs, backend="loky", return_as="generator_unordered", batch_size=1)
    tasks = (delayed(_task)(os.getpid(), number, place, timeout) for number, place in enumerate(places))
    try:
        for number, record, fault in parallel(tasks):
            if record is None:
                raise MalformedDerivation(fault)
            yield number, record
    except TerminatedWorkerError:
        raise MdnnVerifyError("a worker process died (killed, or out of memory)") from None
    finally:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _task(parent: int, number: int, place: Place, timeout: float) -> tuple[int, Record | None, str]:
    """Errors cross processes as text: not every one of them can be pickled."""
    _outlive_no_one(parent)
    try:
        return number, read(place, timeout), ""
    except MdnnVerifyError as error:
        return number, None, str(error)


@functools.cache
def _outlive_no_one(parent: int) -> None:
    """End this worker once its parent is gone: after kill -9 nobody else does."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
