"""Measured sessions as they come: one flushed JSON line each, so that a killed comparison resumes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from mdnn_verify.errors import JournalMismatch, UsageError

__all__ = ["SessionJournal"]


class SessionJournal:
    """``rows`` holds what an earlier, interrupted measurement with the same ``header`` left.

    Raises UsageError if there is nothing to resume or it is damaged, JournalMismatch if its header is another: other
    sources, other settings or another machine.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        if resume:
            self._continue(header)
        self._file = path.open("ab" if resume else "wb", buffering=0)
        if not resume:
            self._write(header)

    def append(self, row: Mapping[str, Any]) -> None:
        self.rows.append(dict(row))
        self._write(row)

    def __enter__(self) -> SessionJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _write(self, row: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(row, allow_nan=False).encode() + b"\n")

    def _continue(self, header: Mapping[str, Any]) -> None:
        if not self.path.exists():
            raise UsageError(f"there is no measurement to resume at {self.path}; run without --resume first")
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            found, *self.rows = map(json.loads, whole.splitlines())
        except ValueError:
            raise UsageError(f"{self.path} is damaged; run without --resume") from None
        for name in header:
            theirs = found.get(name) if isinstance(found, dict) else None
            if theirs != header[name]:
                raise JournalMismatch(
                    f"cannot resume {self.path}: its {name} is {theirs}, now it is {header[name]}; run without --resume"
                )
        os.truncate(self.path, len(whole))  # the line that a kill tore
