"""Runs ``mdnn-verify check``: one implementation or a folder of them, results written as they come."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from mdnn_verify.checking.assessment import Assessment, Request
from mdnn_verify.checking.run import check_file, validated
from mdnn_verify.errors import MdnnVerifyError, UsageError
from mdnn_verify.files import write_text
from mdnn_verify.reporting import checks

__all__ = ["Files", "execute", "expanded"]

ORDER = ("error", "refuted", "usage", "inconclusive", "verified")


@dataclass(frozen=True)
class Files:
    """Where results go besides the terminal."""

    json: Path | None
    page: Path | None


def execute(terms: Request, subjects: Sequence[str], files: Files, jobs: int | None) -> int:
    """Check every subject and return the exit status. Raises UsageError, before work starts, for bad terms."""
    terms = validated(terms)
    addresses = expanded(subjects)
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs is {jobs}, expected at least 1")
    for path in (files.json, files.page):
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"no folder {path.parent} to write {path.name} into")
    done: list[Assessment] = []
    with _progress(len(addresses)) as advance, ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        for assessment in pool.map(lambda address: _checked(replace(terms, subject=address)), addresses):
            done.append(assessment)
            advance(assessment.subject)
            _write(terms, done, files, complete=len(done) == len(addresses))
    checks.print_checks(done)
    return next(a.status for verdict in ORDER for a in done if a.verdict == verdict)


def expanded(subjects: Sequence[str]) -> list[str]:
    """The addresses, patterns such as ``submissions/*.py:kl`` replaced by the files they match.

    Raises UsageError for a pattern that matches nothing or a file without a callable.
    """
    found: list[str] = []
    for subject in subjects:
        place, _, name = subject.rpartition(":")
        if not place or not name:
            raise UsageError(f"{subject!r} names no callable; expected FILE.py:CALLABLE or package.module:callable")
        if not glob.has_magic(place):
            found.append(subject)
            continue
        files = sorted(glob.glob(place, recursive=True))
        if not files:
            raise UsageError(f"no file matches {place}")
        found += [f"{file}:{name}" for file in files]
    return list(dict.fromkeys(found))


def _checked(request: Request) -> Assessment:
    """An error of ours on one implementation must not cost the results of the others."""
    try:
        return check_file(request)
    except MdnnVerifyError as error:
        return Assessment(request.id, request.subject, "error", str(error), 0.0)


def _write(terms: Request, done: Sequence[Assessment], files: Files, *, complete: bool) -> None:
    document = checks.document(terms, done, complete=complete)
    if files.json is not None:
        write_text(files.json, checks.as_text(document))
    if files.page is not None and complete:
        write_text(files.page, checks.page(document))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("checking", total=total)
        yield lambda name: bar.update(task, advance=1, description=name)
