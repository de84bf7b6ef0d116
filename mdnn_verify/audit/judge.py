"""Reads a derivation line by line.

A line is held against the line before *as written*, slip included. Where the line before was wrong and this one does
not follow from it, it is judged on its own: against what the line before should have said.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from mdnn_verify.audit.derivation import Correction, Derivation, Line, MalformedDerivation, Meaning, Relation
from mdnn_verify.audit.evaluation import place_of
from mdnn_verify.audit.trial import Court, Trial
from mdnn_verify.engines.deadline import Timeout, within

__all__ = ["Audit", "Finding", "Reading", "audit"]


class Finding(StrEnum):
    """What became of a line."""

    GIVEN = "GIVEN"
    FOLLOWS = "FOLLOWS"
    GAP = "GAP"
    DOES_NOT_FOLLOW = "DOES NOT FOLLOW"
    ILLEGIBLE = "ILLEGIBLE"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True)
class Reading:
    """The verdict on one line: by which engines, in what scope, and what speaks against it.

    ``world`` is the number of the world of the counterexample, for ``derivation.show``.
    """

    name: str
    latex: str
    relation: str
    reason: str
    finding: Finding
    engine: str = ""
    scope: str = ""
    counterexample: str = ""
    world: int | None = None
    detail: str = ""
    note: str = ""
    correction: str = ""
    correction_scope: str = ""


@dataclass(frozen=True)
class Audit:
    """All lines of one derivation, read."""

    title: str
    source: str
    statement: str
    lines: tuple[Reading, ...]
    seconds: float

    def count(self, finding: Finding) -> int:
        return sum(line.finding is finding for line in self.lines)


def audit(derivation: Derivation, *, timeout: float = 60.0, progress: Callable[[str], None] = lambda _: None) -> Audit:
    """Judge every line. ``timeout`` (seconds) bounds each.

    Raises MalformedDerivation, naming the line and its place, for one that cannot be evaluated, for a relation between
    things of different shape, for a correction that does not follow itself or of a line that follows, and for a
    derivation with nothing to judge.
    """
    if not any(line.illegible or line.relation is not Relation.START for line in derivation.lines):
        place = next((place_of(line.meaning) for line in derivation.lines if line.meaning), "")
        raise MalformedDerivation(f"the derivation {derivation.title!r} has no line to judge", place)
    start = time.perf_counter()
    reader = _Reader(derivation, timeout)
    readings = []
    for line in derivation.lines:
        progress(line.name)
        try:
            readings.append(reader.read(line))
        except MalformedDerivation as error:
            raise error if error.place or line.meaning is None else error.at(place_of(line.meaning)) from error
    return Audit(
        derivation.title, derivation.source, derivation.statement, tuple(readings), time.perf_counter() - start
    )


class _Reader:
    def __init__(self, derivation: Derivation, timeout: float) -> None:
        self.derivation = derivation
        self.timeout = timeout
        self.court = Court(timeout)
        self.sound: dict[str, Meaning] = {}  # what a line that was found wrong should have said

    def read(self, line: Line) -> Reading:
        found = Reading(line.name, line.latex, line.relation.value, line.reason, Finding.GIVEN, note=line.note)
        if line.illegible or line.meaning is None:
            return replace(found, finding=Finding.ILLEGIBLE, detail="the source text is garbled here")
        try:
            found = within(self.timeout, lambda: self._judged(line, found))
        except Timeout:
            found = replace(
                found, finding=Finding.UNDECIDED, detail=f"the line {line.name!r} took more than {self.timeout:g} s"
            )
        correction = self.derivation.corrections.get(line.name)
        return self._corrected(line, found, correction) if correction else found

    def _judged(self, line: Line, found: Reading) -> Reading:
        meaning = line.meaning
        assert meaning is not None
        if line.relation is Relation.START:
            self._tried(line, None, meaning, Relation.START)
            return found
        before = self.derivation.before(line)
        written = before.meaning if before else None
        should = self.sound.get(before.name) if before else None
        trial = self._tried(line, written, meaning, line.relation)
        if trial.holds is False and should is not None:
            on_its_own = self._tried(line, should, meaning, line.relation)
            if on_its_own.holds:
                detail = "judged on its own: it follows from what the line before should have said"
                found = replace(_told(found, on_its_own), finding=Finding.FOLLOWS, detail=detail)
                return self._by_its_reason(line, found)
        if trial.holds is False:
            return self._against(line, before, found, trial)
        if trial.holds is None:
            return replace(_told(found, trial), finding=Finding.UNDECIDED)
        if should is not None:
            detail = "from the line before as it is written"
            if line.relation in (Relation.EQUAL, Relation.IFF):
                self.sound[line.name] = should
                detail += ": it carries the slip on"
            trial = replace(trial, detail=detail)
        return self._by_its_reason(line, replace(_told(found, trial), finding=Finding.FOLLOWS))

    def _against(self, line: Line, before: Line | None, found: Reading, trial: Trial) -> Reading:
        """The relation fails somewhere: a gap if that needs only a hypothesis that was not stated, else an error."""
        assert line.meaning is not None
        written = before.meaning if before else None
        if before is not None and self.derivation.after_garbled(line):
            detail = (
                f"a garbled line stands before it, and it does not follow from {before.name!r}: " + trial.counterexample
            )
            return replace(found, finding=Finding.UNDECIDED, detail=detail)
        if line.needs is not None:
            under = self._tried(line, written, line.meaning, line.relation, line.needs.holds)
            if under.holds:
                detail = f"true if {line.needs.text}, which is not stated"
                told = replace(_told(found, trial), engine=under.engine, scope=under.scope, detail=detail)
                return replace(told, finding=Finding.GAP)
        correction = self.derivation.corrections.get(line.name)
        if correction is not None:
            self.sound[line.name] = correction.meaning
        elif before is not None and written is not None and line.relation in (Relation.EQUAL, Relation.IFF):
            self.sound[line.name] = self.sound.get(before.name, written)
        return replace(_told(found, trial), finding=Finding.DOES_NOT_FOLLOW)

    def _by_its_reason(self, line: Line, found: Reading) -> Reading:
        """A line that holds, held against what its reason yields if it is taken at its word."""
        if line.by is None:
            return found
        assert line.meaning is not None
        yielded = self._tried(line, line.by, line.meaning, Relation.EQUAL)
        if yielded.holds is not False:
            return found
        return replace(
            found,
            finding=Finding.GAP,
            counterexample=yielded.counterexample.replace("the line before", "what the reason yields"),
            world=yielded.world,
            detail="true, but the reason, taken at its word, yields something else",
        )

    def _corrected(self, line: Line, found: Reading, correction: Correction) -> Reading:
        place = place_of(correction.meaning)
        if found.finding is Finding.FOLLOWS:
            message = (
                f"the line {line.name!r} is corrected, but it follows in every world: no counterexample is among them"
            )
            raise MalformedDerivation(message, place)
        before = self.derivation.before(replace(line, relation=correction.relation))
        held = self.sound.get(before.name, before.meaning) if before is not None else None
        try:
            trial = within(self.timeout, lambda: self._tried(line, held, correction.meaning, correction.relation))
        except Timeout:
            trial = Trial(None, detail=f"it took more than {self.timeout:g} s")
        if not trial.holds:
            message = f"the correction of the line {line.name!r} does not follow itself: "
            raise MalformedDerivation(message + (trial.counterexample or trial.detail), place)
        return replace(found, correction=correction.latex, correction_scope=f"{trial.engine}: {trial.scope}")

    def _tried(
        self, line: Line, left: Meaning | None, right: Meaning, relation: Relation, only: Meaning | None = None
    ) -> Trial:
        return self.court.tried(line, self.derivation.worlds_of(line), left, right, relation, only)


def _told(found: Reading, trial: Trial) -> Reading:
    return replace(
        found,
        engine=trial.engine,
        scope=trial.scope,
        counterexample=trial.counterexample,
        world=trial.world,
        detail=trial.detail,
    )
