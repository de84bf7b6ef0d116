"""Fidelity: whether the statements that were checked say what the source says. People judge it; this keeps their word.

The file ``fidelity.json`` beside a run, schema version 1. A judgement holds for the texts that its author saw: of the
statement, and of the Coq statements with their definitions where the run has them. It lapses when one of them changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mdnn_verify.errors import UsageError
from mdnn_verify.files import write_text
from mdnn_verify.verdicts import FORMAL

__all__ = ["FIDELITY", "NOT_JUDGED", "Judgement", "Standing", "judged", "read", "standing", "write"]

FIDELITY = "fidelity.json"
SCHEMA = 1


@dataclass(frozen=True)
class Judgement:
    """One reader's word on one theorem; the digests are SHA-256 of the texts, ``formal`` None if no Coq statement was
    there to be read."""

    faithful: bool
    by: str
    date: str
    note: str
    statement: str
    formal: str | None


@dataclass(frozen=True)
class Standing:
    """What is known of one theorem's fidelity: words for people, and the state ``ok``, ``bad`` or ``open``."""

    words: str
    state: str
    told: str = ""


NOT_JUDGED = Standing("not judged", "open")


def judged(theorem: Mapping[str, Any], *, faithful: bool, by: str, date: str, note: str = "") -> Judgement:
    """A judgement on a theorem of a run's document. Raises UsageError without a name, or without a reason to refuse."""
    if not by.strip():
        raise UsageError("a judgement needs the name of whoever makes it")
    if not faithful and not note.strip():
        raise UsageError("a statement that is not faithful needs a note that says in what it differs")
    return Judgement(faithful, by.strip(), date, note.strip(), *_digests(theorem))


def standing(theorem: Mapping[str, Any], judgements: Mapping[str, Judgement]) -> Standing:
    """What the judgements say of this theorem as it stands in the run."""
    found = judgements.get(theorem["id"])
    if found is None:
        return NOT_JUDGED
    statement, formal = _digests(theorem)
    told = f"{found.by}, {found.date}" + (f": {found.note}" if found.note else "")
    if statement != found.statement or (None not in (formal, found.formal) and formal != found.formal):
        return Standing("text has changed", "open", f"judged in an earlier wording by {told}")
    if not found.faithful:
        return Standing("not faithful", "bad", told)
    if formal is not None and found.formal is None:
        return Standing("Coq not judged", "open", f"the formula is faithful, says {told}")
    return Standing("faithful", "ok", told)


def read(folder: Path) -> dict[str, Judgement]:
    """The judgements beside a run, by id; empty if nobody made any. Raises UsageError for a file that is not one."""
    path = folder / FIDELITY
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema"] != SCHEMA:
            raise UsageError(f"{path} has schema {found['schema']!r}, this version reads {SCHEMA}")
        return {name: _judgement(fields) for name, fields in found["judgements"].items()}
    except OSError as error:
        raise UsageError(f"cannot read the judgements {path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} does not hold judgements: {error}; mend it or take it away") from None


def write(folder: Path, judgements: Mapping[str, Judgement]) -> None:
    """All of them, all or nothing. Raises UsageError if the folder cannot be written."""
    found = {name: asdict(judgements[name]) for name in sorted(judgements)}
    try:
        write_text(folder / FIDELITY, json.dumps({"schema": SCHEMA, "judgements": found}, indent=1) + "\n")
    except OSError as error:
        raise UsageError(f"cannot write {folder / FIDELITY}: {error.strerror or error}") from None


def _judgement(fields: Mapping[str, Any]) -> Judgement:
    found = Judgement(**fields)
    texts = (found.by, found.date, found.note, found.statement, found.formal or "")
    if not isinstance(found.faithful, bool) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"of {found!r}, faithful must be true or false and the rest text")
    return found


def _digests(theorem: Mapping[str, Any]) -> tuple[str, str | None]:
    """Of what the page shows as the statement, and of the Coq statements with their definitions."""
    coq = [check["evidence"] for check in theorem["checks"] if check["kind"] == FORMAL]
    texts = [
        [[proved["name"], proved["statement"]] for proved in evidence.get("theorems", ())]
        + [definition["source"] for definition in evidence.get("definitions", ())]
        for evidence in coq
    ]
    statement = _digest([theorem["title"], theorem["source"], theorem["statement"]])
    return statement, _digest(texts) if any(texts) else None


def _digest(texts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
