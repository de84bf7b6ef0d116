"""The JSON document of a run, schema version 1: everything that any other report shows.

``schema/run-1.json`` describes it formally. Numbers that JSON does not know (NaN, infinities) appear as strings within
``evidence`` and ``pictures``.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mdnn_verify.errors import UsageError
from mdnn_verify.files import write_text
from mdnn_verify.runner.journal import LIBRARIES, plain, version_of
from mdnn_verify.runner.machine import cpu, device_name
from mdnn_verify.runner.units import Settings
from mdnn_verify.verdicts import CheckResult, ControlResult, TheoremResult

__all__ = ["SCHEMA", "document", "read", "run_info", "write"]

SCHEMA = 1


def document(results: Sequence[TheoremResult], run: Mapping[str, Any]) -> dict[str, Any]:
    """The whole run as plain data; ``run`` comes from ``run_info``."""
    return {"schema": SCHEMA, "run": plain(run), "theorems": [_theorem(result) for result in results]}


def run_info(
    settings: Settings,
    *,
    started: datetime,
    seconds: float,
    complete: bool,
    command: str,
    jobs: int = 1,
    backend: str = "local",
) -> dict[str, Any]:
    """Under which terms a run took place. ``complete``: all theorems and all kinds; ``started`` must know its zone."""
    return {
        "seed": settings.seed,
        "alpha": settings.alpha,
        "device": settings.device,
        "device_name": device_name(settings.device),
        "kinds": list(settings.kinds),
        "complete": complete,
        "timeout": settings.timeout,
        "jobs": jobs,
        "backend": backend,
        "versions": {"python": platform.python_version()}
        | {name: version_of(name) for name in ("mdnn-verify", *LIBRARIES)},
        "started": started.isoformat(timespec="seconds"),
        "seconds": seconds,
        "command": command,
        "platform": platform.platform(),
        "cpu": cpu(),
    }


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write the document, all or nothing. Raises OSError."""
    write_text(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def read(path: Path) -> dict[str, Any]:
    """A document that ``write`` has written. Raises UsageError for a missing file, other content or another schema."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the run {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict) or not {"schema", "run", "theorems"} <= found.keys():
        raise UsageError(f"{path} is not a run of mdnn-verify; expected the fields schema, run and theorems")
    if found["schema"] != SCHEMA:
        raise UsageError(f"{path} has schema {found['schema']!r}, this version reads {SCHEMA}")
    return found


def _theorem(result: TheoremResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "title": result.title,
        "chapter": result.id.split("/")[0],
        "source": result.source,
        "statement": result.statement,
        "doc": result.doc,
        "uses": list(result.uses),
        "verdict": result.verdict.value,
        "reason": result.reason,
        "seconds": result.seconds,
        "pictures": plain(result.pictures),
        "checks": [_check(check) for check in result.checks],
        "controls": [_control(control) for control in result.controls],
    }


def _control(control: ControlResult) -> dict[str, Any]:
    return {
        "name": control.name,
        "verdict": control.verdict.value,
        "refuted_by": list(control.refuted_by),
        "reason": control.reason,
        "checks": [_check(check) for check in control.checks],
    }


def _check(check: CheckResult) -> dict[str, Any]:
    verdict = check.verdict
    return {
        "name": check.name,
        "kind": check.kind,
        "verdict": verdict.status.value,
        "scope": verdict.scope,
        "seconds": check.seconds,
        "detail": verdict.detail,
        "counterexample": verdict.counterexample,
        "delta": verdict.delta if verdict.delta is not None and math.isfinite(verdict.delta) else None,
        "engine": verdict.engine,
        "doc": check.doc,
        "evidence": plain(verdict.evidence),
        "pictures": plain(verdict.pictures),
    }
