"""Runs ``mdnn-verify audit``: refuse first, then read, write as results come, then print."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mdnn_verify.audit.files import of_seeds, places
from mdnn_verify.audit.running import Record, read_all
from mdnn_verify.cli.counting import counted
from mdnn_verify.cli.page import refreshed
from mdnn_verify.cli.running import PAGE as REPORT
from mdnn_verify.cli.running import probe, writable_file
from mdnn_verify.errors import UsageError
from mdnn_verify.files import write_text
from mdnn_verify.reporting import audits

__all__ = ["Request", "execute"]

JSON, PAGE, ERRATA = "audit.json", "audit.html", "errata.html"


@dataclass(frozen=True)
class Request:
    """A parsed ``mdnn-verify audit``."""

    files: tuple[str, ...]
    json: Path | None
    reports: Path | None
    markdown: Path | None
    timeout: float
    jobs: int | None


def execute(request: Request) -> int:
    """Read what is asked for, write and print it; the exit status."""
    _refuse(request)
    chosen = places(request.files) if request.files else of_seeds()
    info = audits.Info(datetime.now(UTC), request.timeout, _reproduce(request))
    started = time.perf_counter()
    done: dict[int, Record] = {}
    document: dict[str, Any] = audits.document(info, [], len(chosen), 0.0)
    with counted("reading") as on_step, _ending(read_all(chosen, request.timeout, _jobs(request))) as found:
        on_step(chosen[0].shown, 0, len(chosen))
        for number, record in found:
            done[number] = record
            ordered = [done[i] for i in sorted(done)]
            document = audits.document(info, ordered, len(chosen), time.perf_counter() - started)
            _write_json(document, request)
            on_step(record["title"], len(done), len(chosen))
    _write_pages(document, request)
    audits.print_audits(document)
    for path in _pages(request):
        print(f"written: {path}")
    return audits.exit_status(document)


@contextmanager
def _ending(found: Iterator[tuple[int, Record]]) -> Iterator[Iterator[tuple[int, Record]]]:
    """Workers end with the loop, also when it is left by Ctrl-C."""
    try:
        yield found
    finally:
        close = getattr(found, "close", None)
        if close is not None:
            close()


def _jobs(request: Request) -> int:
    if request.jobs is not None:
        return request.jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _refuse(request: Request) -> None:
    """Whatever would fail after the work fails before it."""
    if request.jobs is not None and request.jobs < 1:
        raise UsageError(f"--jobs is {request.jobs}, expected at least 1")
    if not request.timeout > 0:
        raise UsageError(f"--timeout is {request.timeout:g}, expected a positive number of seconds")
    for option, path in (("--json", request.json), ("--markdown", request.markdown)):
        if path is not None:
            writable_file(option, path)
    if request.reports is None:
        return
    try:
        request.reports.mkdir(parents=True, exist_ok=True)
        probe(request.reports)
    except OSError as error:
        raise UsageError(f"cannot write to the folder {request.reports}: {error.strerror or error}") from None
    for name in (JSON, PAGE, ERRATA):
        if (request.reports / name).is_dir():
            raise UsageError(f"cannot write {request.reports / name}: it is a folder")


def _write_json(document: dict[str, Any], request: Request) -> None:
    text = audits.as_text(document)
    if request.json is not None:
        write_text(request.json, text)
    if request.reports is not None:
        write_text(request.reports / JSON, text)


def _write_pages(document: dict[str, Any], request: Request) -> None:
    if request.markdown is not None:
        write_text(request.markdown, audits.markdown(document))
    if request.reports is not None:
        report = (request.reports / REPORT).is_file()
        write_text(request.reports / PAGE, audits.page(document, report=report))
        write_text(request.reports / ERRATA, audits.errata_page(document, report=report))
        if report:  # so that it leads here
            refreshed(request.reports)


def _pages(request: Request) -> Sequence[Path]:
    pages = [request.reports / PAGE, request.reports / ERRATA] if request.reports is not None else []
    return [path for path in (*pages, request.json, request.markdown) if path is not None]


def _reproduce(request: Request) -> str:
    return shlex.join(["mdnn-verify", "audit", *request.files, "--timeout", f"{request.timeout:g}"])
