"""The journal: every finished check is one flushed JSON line, so that a killed run loses nothing and can be resumed.

The first line says who wrote the journal: version and source of the package, settings, versions of the libraries. A
journal is resumed only by exactly that writer, because only then are its results those of an uninterrupted run.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

from mdnn_verify.errors import JournalMismatch, UsageError
from mdnn_verify.runner.units import Settings
from mdnn_verify.verdicts import CheckResult, Status, Verdict

__all__ = ["Journal", "Key", "decode", "encode", "fingerprint", "header", "key_of", "plain", "version_of"]

JOURNAL_VERSION = 1
PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("torch", "sympy", "numpy", "scipy", "z3-solver", "python-flint")
Key = tuple[str, str | None, str]


def plain(value: Any) -> Any:
    """``value`` as JSON can hold it: non-finite numbers become strings, arrays lists, anything unknown its text."""
    if value is None or isinstance(value, (bool, str)):
        return value if not isinstance(value, str) else str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    to_list = getattr(value, "tolist", None)  # numpy and torch, scalars included
    return plain(to_list()) if callable(to_list) else str(value)


def encode(result: CheckResult) -> dict[str, Any]:
    """A result as plain data."""
    verdict = result.verdict
    delta = None if verdict.delta is None else float(verdict.delta)
    return {
        "theorem": result.theorem,
        "control": result.control,
        "name": result.name,
        "kind": result.kind,
        "seconds": result.seconds,
        "doc": result.doc,
        "verdict": {
            "status": verdict.status.value,
            "scope": verdict.scope,
            "detail": verdict.detail,
            "counterexample": verdict.counterexample,
            "delta": delta if delta is None or math.isfinite(delta) else None,
            "engine": verdict.engine,
            "evidence": plain(verdict.evidence),
            "pictures": plain(verdict.pictures),
        },
    }


def decode(record: Mapping[str, Any]) -> CheckResult:
    """The inverse of ``encode``, up to what JSON cannot hold. Raises KeyError or ValueError for anything else."""
    fields = dict(record)
    verdict = dict(fields.pop("verdict"))
    status, pictures = Status(verdict.pop("status")), tuple(verdict.pop("pictures"))
    return CheckResult(
        theorem=fields["theorem"],
        control=fields["control"],
        name=fields["name"],
        kind=fields["kind"],
        verdict=Verdict(status=status, pictures=pictures, **verdict),
        seconds=fields["seconds"],
        doc=fields["doc"],
    )


def key_of(result: CheckResult) -> Key:
    """What identifies a finished check within a run."""
    return (result.theorem, result.control, result.name)


def version_of(distribution: str) -> str:
    """The installed version, without an import of the library; "not installed" if there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


@lru_cache(maxsize=8)
def fingerprint(folders: tuple[Path, ...] = ()) -> str:
    """sha256 over the names and contents of every Python file of the package and of further folders of theorems."""
    digest = hashlib.sha256()
    for folder in (PACKAGE, *folders):
        for path in sorted(folder.rglob("*.py")):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def header(settings: Settings, folders: Sequence[Path] = ()) -> dict[str, Any]:
    """Everything that the results depend on; the first line of a journal."""
    return {
        "journal": JOURNAL_VERSION,
        "version": version_of("mdnn-verify"),
        "sources": fingerprint(tuple(folders)),
        "seed": settings.seed,
        "alpha": settings.alpha,
        "theorems": settings.theorems,
        "device": settings.device,
        "timeout": settings.timeout,
        "python": platform.python_version(),
        **{name: version_of(name) for name in LIBRARIES},
    }


class Journal:
    """An open journal: ``finished`` holds what an earlier run left, ``append`` adds one line and flushes it.

    A new journal moves the one that was there to ``<stem>.previous.jsonl``. ``resume=True`` continues it; a torn last
    line is cut off. Raises UsageError if there is nothing to resume or a line within is damaged, JournalMismatch if
    another version or other settings wrote it.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path = path
        self.finished: dict[Key, CheckResult] = {}
        if resume:
            self._continue(header)
        elif path.exists():
            os.replace(path, path.with_name(f"{path.stem}.previous{path.suffix}"))
        # unbuffered and append-only: one line is one write, and what is written survives the process
        self._file = path.open("ab", buffering=0)
        if not resume:
            self._write(header)

    def append(self, result: CheckResult) -> None:
        self.finished[key_of(result)] = result
        self._write(encode(result))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(record, allow_nan=False).encode() + b"\n")

    def _continue(self, header: Mapping[str, Any]) -> None:
        if not self.path.exists():
            raise UsageError(f"no journal to resume at {self.path}; run without --resume first")
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.splitlines()
        if not lines:
            raise UsageError(f"the journal {self.path} ends before its first line does; run without --resume")
        _compare(self.path, _parse(self.path, 1, lines[0]), header)
        for number, line in enumerate(lines[1:], start=2):
            result = _result(self.path, number, line)
            self.finished[key_of(result)] = result
        if len(whole) < len(content):  # the write that a kill tore
            os.truncate(self.path, len(whole))


def _compare(path: Path, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    if "journal" not in found:
        raise UsageError(f"{path} is not a journal of mdnn-verify: its first line has no field 'journal'")
    for name in _union(expected, found):
        theirs, ours = found.get(name, "missing"), expected.get(name, "missing")
        if theirs != ours:
            raise JournalMismatch(
                f"cannot resume {path}: its field {name} is {theirs}, this run's is {ours}; "
                "repeat the settings it was written with, or run without --resume"
            )


def _union(*mappings: Mapping[str, Any]) -> Iterable[str]:
    return dict.fromkeys(name for mapping in mappings for name in mapping)


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:  # JSONDecodeError or UnicodeDecodeError
        record = None
    if not isinstance(record, dict):
        raise UsageError(f"the journal {path} is damaged in line {number}; run without --resume")
    return record


def _result(path: Path, number: int, line: bytes) -> CheckResult:
    try:
        return decode(_parse(path, number, line))
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"the journal {path} is damaged in line {number}; run without --resume") from None
