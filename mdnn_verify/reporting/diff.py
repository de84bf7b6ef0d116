"""What changed between an earlier run and this one: settings, verdicts, checks, numbers. Times are not compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Change", "Difference", "compare"]

Document = Mapping[str, Any]
SETTINGS = ("seed", "alpha", "device", "kinds", "versions")
NOT_COMPARED = {"draws_per_second", "seconds", "traceback"}


@dataclass(frozen=True)
class Change:
    """``what`` is an id (chapter/name, or below it a check or a control), or a setting."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """Everything that differs; ``moved`` holds numbers, each with its relative change (maybe infinite)."""

    settings: tuple[Change, ...]
    verdicts: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[tuple[Change, float], ...]

    @property
    def empty(self) -> bool:
        return not (self.settings or self.verdicts or self.added or self.removed or self.moved)


def compare(previous: Document, current: Document) -> Difference:
    """Compare two documents of schema 1."""
    before, after = dict(_verdicts(previous)), dict(_verdicts(current))
    old, new = dict(_numbers(previous)), dict(_numbers(current))
    both = [what for what in after if what in before]
    return Difference(
        settings=tuple(_settings(previous["run"], current["run"])),
        verdicts=tuple(Change(what, before[what], after[what]) for what in both if before[what] != after[what]),
        added=tuple(_only_in(current, previous)),
        removed=tuple(_only_in(previous, current)),
        moved=tuple(
            _moved(what, old[what], new[what]) for what in new if what in old and not _same(old[what], new[what])
        ),
    )


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in SETTINGS:
        first, second = before.get(name), after.get(name)
        if first == second:
            continue
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
            yield from (Change(key, str(first.get(key, "none")), str(second.get(key, "none"))) for key in keys)
        else:
            yield Change(name, _words(first), _words(second))


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _verdicts(document: Document) -> Iterator[tuple[str, str]]:
    for theorem in document["theorems"]:
        yield theorem["id"], theorem["verdict"]
        for check in theorem["checks"]:
            yield f"{theorem['id']}/{check['name']}", check["verdict"]
        for control in theorem["controls"]:
            yield f"{theorem['id']}, if {control['name']}", control["verdict"]


def _only_in(one: Document, other: Document) -> Iterator[str]:
    """What the one run has and the other lacks; of a new theorem only its id, not all its checks."""
    known, theorems = dict(_verdicts(other)), {theorem["id"] for theorem in other["theorems"]}
    for theorem in one["theorems"]:
        if theorem["id"] not in theorems:
            yield theorem["id"]
        else:
            yield from (what for what, _ in _verdicts({"theorems": [theorem]}) if what not in known)


def _numbers(document: Document) -> Iterator[tuple[str, float]]:
    """Every number of every check's evidence, and its delta, by where it stands."""
    for theorem in document["theorems"]:
        for check in theorem["checks"]:
            where = f"{theorem['id']}/{check['name']}"
            if check.get("delta") is not None:
                yield f"{where}: delta", float(check["delta"])
            yield from ((f"{where}: {name}", number) for name, number in _leaves(check.get("evidence") or {}))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield name, float(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in NOT_COMPARED:
                yield from _leaves(inner, f"{name} {key}".strip())
    elif isinstance(value, (list, tuple)):
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{name} {i}".strip())


def _same(before: float, after: float) -> bool:
    return before == after or (math.isnan(before) and math.isnan(after))


def _moved(what: str, before: float, after: float) -> tuple[Change, float]:
    relative = (after - before) / abs(before) if before else math.inf
    return Change(what, f"{before:.6g}", f"{after:.6g}"), relative
