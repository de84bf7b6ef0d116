"""The order of things in ``run`` and ``report``: refuse first, then work, then write, then print."""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mdnn_verify.catalogue import Entry, catalogue, select
from mdnn_verify.cli.progress import progress
from mdnn_verify.errors import UsageError
from mdnn_verify.reporting import json as run_json
from mdnn_verify.reporting.table import print_run
from mdnn_verify.runner.backends import Workers
from mdnn_verify.runner.campaign import run_campaign, validated
from mdnn_verify.runner.units import Settings
from mdnn_verify.verdicts import FORMAL, KINDS

__all__ = ["PAGE", "RUN", "Request", "execute", "exit_status", "probe", "rebuild", "writable_file"]

JOURNAL, RUN, PAGE = "journal.jsonl", "run.json", "index.html"


@dataclass(frozen=True)
class Request:
    """A parsed ``mdnn-verify run``."""

    names: tuple[str, ...]
    settings: Settings
    jobs: int
    backend: str
    scheduler: str
    resume: bool
    reports: Path
    json_file: Path | None
    junit: Path | None
    folders: tuple[Path, ...]


def execute(request: Request) -> int:
    """Verify what is asked for, write every report, print the table; the exit status."""
    started, clock = datetime.now(UTC), time.perf_counter()
    folders = [folder.resolve() for folder in request.folders]
    entries = catalogue(folders)
    chosen = _with_proofs(request, select(request.names, entries))
    settings = validated(replace(request.settings, theorems=len(entries)))
    _refuse(request)
    with progress() as on_result:
        results = run_campaign(
            chosen,
            settings,
            jobs=request.jobs,
            backend=request.backend,
            scheduler=request.scheduler,
            journal_path=request.reports / JOURNAL,
            resume=request.resume,
            folders=folders,
            on_result=on_result,
        )
    info = run_json.run_info(
        settings,
        started=started,
        seconds=time.perf_counter() - clock,
        complete=len(chosen) == len(entries) and set(settings.kinds) == set(KINDS),
        command=_reproduce(request, chosen, len(entries)),
        jobs=request.jobs,
        backend=request.backend,
    )
    document = run_json.document(results, info)
    _write(document, request)
    print_run(document, request.reports / PAGE)
    return exit_status(document)


def _with_proofs(request: Request, chosen: Sequence[Entry]) -> list[Entry]:
    """For ``--kind formal`` those that have a machine-checked proof; UsageError if what was asked for has none."""
    if request.settings.kinds != (FORMAL,):
        return list(chosen)
    having = [entry for entry in chosen if entry.formal]
    without = [entry.id for entry in chosen if not entry.formal]
    if without and request.names:
        raise UsageError(f"no machine-checked proof of {', '.join(without)}")
    return having


def rebuild(source: Path, diff: Path | None, reports: Path) -> None:
    """The page of a saved run. Raises UsageError for anything that is not one."""
    from mdnn_verify.reporting.html import write_report

    document = run_json.read(source)
    previous = run_json.read(diff) if diff else None
    _writable_folder(reports)
    write_report(document, reports / PAGE, previous)
    print_run(document, reports / PAGE)


def exit_status(document: Mapping[str, Any]) -> int:
    """4 if anything is in error, else 1 if anything is refuted, else 3 if anything is undecided, else 0."""
    theorems = document["theorems"]
    verdicts = {theorem["verdict"] for theorem in theorems}
    if any(_in_error(theorem) for theorem in theorems):
        return 4
    if "refuted" in verdicts:
        return 1
    return 0 if verdicts == {"verified"} else 3


def _in_error(theorem: Mapping[str, Any]) -> bool:
    """A hypothesis of a control that does not hold counts: the control's verdict is then ERROR."""
    parts = [*theorem["checks"], *theorem["controls"]]
    for control in theorem["controls"]:
        parts += control["checks"]
    return any(part["verdict"] == "ERROR" for part in parts)


def _write(document: dict[str, Any], request: Request) -> None:
    from mdnn_verify.reporting.html import write_report
    from mdnn_verify.reporting.junit import write_junit

    run_json.write(document, request.reports / RUN)
    if request.json_file:
        run_json.write(document, request.json_file)
    if request.junit:
        write_junit(document, request.junit)
    write_report(document, request.reports / PAGE, None)


def _refuse(request: Request) -> None:
    """Whatever would fail after the work fails before it."""
    Workers(request.jobs, request.backend, request.scheduler)
    _writable_folder(request.reports)
    for option, path in (("--json", request.json_file), ("--junit", request.junit)):
        if path is not None:
            writable_file(option, path)


def _writable_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe(folder)
    except OSError as error:
        raise UsageError(f"cannot write to the report folder {folder}: {error.strerror or error}") from None
    for name in (JOURNAL, RUN, PAGE):
        if (folder / name).is_dir():
            raise UsageError(f"cannot write to the report folder {folder}: {name} is a folder there")


def writable_file(option: str, path: Path) -> None:
    """Raise UsageError unless the file named by an option can be written."""
    if path.is_dir():
        raise UsageError(f"cannot write {option} {path}: it is a folder")
    try:
        probe(path.parent)
    except OSError as error:
        raise UsageError(f"cannot write {option} {path}: {error.strerror or error}") from None


def probe(folder: Path) -> None:
    """Permission bits say little (root, read-only mounts): only a write shows that one can write."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")


def _reproduce(request: Request, chosen: list[Entry], available: int) -> str:
    """The command line that gives the same verdicts and numbers again."""
    settings = request.settings
    words = ["mdnn-verify", "run", *(request.names if len(chosen) < available else ())]
    if set(settings.kinds) != set(KINDS):
        words += [word for kind in settings.kinds for word in ("--kind", kind)]
    default = Settings()
    for name in ("seed", "alpha", "device", "timeout"):
        value = getattr(settings, name)
        if name in ("seed", "alpha") or value != getattr(default, name):
            words += [f"--{name}", str(value)]
    return shlex.join([*words, *(word for folder in request.folders for word in ("--theorems", str(folder)))])
