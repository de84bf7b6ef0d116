"""Compiled files and what was found out about them, kept in the user's cache.

A record is kept under a key that hashes the file's text, the texts of the shared files it rests on, the installed Coq
with its libraries, and this engine's own source; only successes are kept. It is believed only if its own checksum and
the hashes of the compiled files beside it, and of those it was compiled against, still agree; otherwise everything is
done again. So a damaged or edited cache costs time and changes no answer. What is trusted is that nobody *forges* a
whole consistent record: whoever can write this user's cache can also write this user's Python.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import filelock
import pooch

from mdnn_verify.engines.kernel.coq import OutOfTime
from mdnn_verify.files import write_text

__all__ = ["Record", "Store", "engine_stamp", "hash_of", "hash_of_file"]

Record = dict[str, Any]
_RECORD = "record.json"
_KEPT = 8  # versions of one file: several checkouts may share a cache


class Store:
    """A folder with, for every module, its newest versions by key."""

    def __init__(self, folder: Path | None = None) -> None:
        # in full: Coq is called from other folders than this one
        self.folder = (folder or Path(pooch.os_cache("mdnn-verify")) / "formal").resolve()

    def place(self, module: str, key: str) -> Path:
        return self.folder / module / key

    def get(
        self, module: str, key: str, needs: Mapping[str, str], make: Callable[[Path], Record], deadline: float
    ) -> tuple[Record, bool]:
        """The record under ``key``, and whether it was there; if not, ``make`` fills an empty folder and gives it.

        ``needs`` are hashes that the record must have been made with. One process at a time works on a module; others
        wait and find the result. Raises OutOfTime and whatever ``make`` raises; then nothing is kept. Raises OSError.
        """
        place = self.place(module, key)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            told = f"the folder for compiled proofs {self.folder} cannot be made: {error.strerror}"
            raise OSError(f"{told}; XDG_CACHE_HOME can name another place") from None
        with _alone(place.parent / "lock", deadline):
            found = _trusted(place, key, needs)
            if found is not None:
                return found, True
            workplace = place.with_name("unfinished")
            for stale in (workplace, place):
                shutil.rmtree(stale, ignore_errors=True)
            workplace.mkdir()
            try:
                record = {**make(workplace), "key": key, "needs": dict(needs), "files": _hashes(workplace)}
                write_text(workplace / _RECORD, json.dumps({**record, "checksum": hash_of(record)}, indent=1))
                workplace.rename(place)
            except BaseException:
                shutil.rmtree(workplace, ignore_errors=True)
                raise
            self._forget_old(place.parent)
        return record, False

    def _forget_old(self, folder: Path) -> None:
        versions = sorted((p for p in folder.iterdir() if p.is_dir()), key=lambda path: -path.stat().st_mtime)
        for version in versions[_KEPT:]:
            shutil.rmtree(version, ignore_errors=True)


def hash_of(value: Any) -> str:
    """SHA-256 of a JSON-able value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def hash_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def engine_stamp() -> str:
    """A hash of this engine's source: what an older or edited engine has let pass is checked again."""
    return hash_of([hash_of_file(path) for path in sorted(Path(__file__).parent.glob("*.py"))])


def _trusted(place: Path, key: str, needs: Mapping[str, str]) -> Record | None:
    try:
        record: Record = json.loads((place / _RECORD).read_text(encoding="utf-8"))
        whole = record.pop("checksum") == hash_of(record) and record["files"] == _hashes(place)
        return record if whole and record["key"] == key and record["needs"] == dict(needs) else None
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def _hashes(place: Path) -> dict[str, str]:
    """Of what was compiled: every .vo in the folder."""
    return {path.name: hash_of_file(path) for path in sorted(place.glob("*.vo"))}


@contextmanager
def _alone(path: Path, deadline: float) -> Iterator[None]:
    """Hold the lock, which the system releases should this process die."""
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=max(deadline - time.monotonic(), 0))
    except filelock.Timeout:
        raise OutOfTime("another process is checking the same file and did not finish in time") from None
    try:
        yield
    finally:
        lock.release()
