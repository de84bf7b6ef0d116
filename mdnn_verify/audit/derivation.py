"""The language of a derivation: lines in order, each with its LaTeX, its meaning, its relation and the reason given.

A meaning is a function of the data that a *world* gives by name; it returns an exact number (int, Fraction, SymPy), a
matrix, a truth value, a set, or a tuple of these. This module only declares; ``judge`` decides.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mdnn_verify.audit.evaluation import MalformedDerivation, Meaning, evaluate
from mdnn_verify.audit.values import has_floats
from mdnn_verify.audit.worlds import World
from mdnn_verify.errors import UnknownName

__all__ = ["Correction", "Derivation", "Line", "MalformedDerivation", "Meaning", "Need", "Relation", "evaluate", "made"]


class Relation(StrEnum):
    """How a line stands to the line before; START begins a chain, HOLDS is a claim that stands alone."""

    START = ""
    EQUAL = "="
    AT_MOST = "<="
    AT_LEAST = ">="
    LESS = "<"
    GREATER = ">"
    IFF = "iff"
    IMPLIES = "implies"
    SUBSET = "subset"
    HOLDS = "holds"


# how the printed line begins, and the relation that it says
_PRINTED = {"=": "=", "<=": "<=", ">=": ">=", "=>": "implies", "<=>": "iff",
            r"\le": "<=", r"\leq": "<=", r"\ge": ">=", r"\geq": ">=",
            r"\Rightarrow": "implies", r"\implies": "implies", r"\Leftrightarrow": "iff", r"\iff": "iff",
            r"\subseteq": "subset"}  # fmt: skip
_SIGN = re.compile(r"\s*&?\s*(<=>|=>|<=|>=|=|\\[A-Za-z]+)")
_listening: list[list[tuple[str, int, Derivation]]] = []


@contextmanager
def made() -> Iterator[list[tuple[str, int, Derivation]]]:
    """Every derivation that is made within, with the file and the line that made it."""
    found: list[tuple[str, int, Derivation]] = []
    _listening.append(found)
    try:
        yield found
    finally:
        _listening.remove(found)


@dataclass(frozen=True)
class Need:
    """A hypothesis that the text does not state: in words, and as a predicate of a world's data."""

    text: str
    holds: Meaning


@dataclass(frozen=True)
class Correction:
    """What a wrong line, or a line with a gap, should say."""

    latex: str
    meaning: Meaning
    relation: Relation


@dataclass(frozen=True)
class Line:
    """One line as printed.

    ``against`` names the line it is held against (the line before, if empty). ``needs`` is a hypothesis that is used
    but not stated, ``by`` a meaning for what the reason yields if it is taken at its word: the line has a GAP if it
    holds only under ``needs``, or differs from what ``by`` gives. ``worlds`` are tried besides the derivation's.
    """

    name: str
    latex: str
    meaning: Meaning | None
    relation: Relation
    reason: str = ""
    against: str = ""
    needs: Need | None = None
    by: Meaning | None = None
    worlds: tuple[World, ...] = ()
    note: str = ""

    @property
    def illegible(self) -> bool:
        return self.meaning is None


@dataclass
class Derivation:
    """A chain of lines, judged in every world given.

    Small concrete worlds first, then generic ones, whose symbols stand for all values. ``source`` names the document
    and the problem. Raises MalformedDerivation for two lines of one name, an unknown relation, or a derivation without
    worlds.
    """

    title: str
    worlds: Iterable[World]
    source: str = ""
    statement: str = ""
    lines: list[Line] = field(default_factory=list, init=False)
    corrections: dict[str, Correction] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.worlds = tuple(self.worlds)
        if not self.worlds:
            raise MalformedDerivation(f"the derivation {self.title!r} has no world, so nothing could be judged")
        self._admissible(self.worlds)
        maker = sys._getframe(2)  # below this function and the __init__ of the dataclass
        for found in _listening:
            found.append((maker.f_code.co_filename, maker.f_lineno, self))

    def line(
        self,
        latex: str,
        relation: str = "",
        *,
        reason: str = "",
        against: str = "",
        needs: tuple[str, Meaning] | None = None,
        by: Meaning | None = None,
        worlds: Sequence[World] = (),
        note: str = "",
    ) -> Callable[[Meaning], Meaning]:
        """Declare a line; the decorated function is its meaning and names it."""
        if not isinstance(latex, str):
            raise MalformedDerivation("a line without its LaTeX; expected @derivation.line(latex, relation)")
        need = Need(*needs) if needs else None
        self._admissible(worlds)

        def declare(meaning: Meaning) -> Meaning:
            name, stands = meaning.__name__, self._relation(meaning.__name__, relation)
            sign = _SIGN.match(latex)
            if sign and _PRINTED.get(sign[1], str(stands)) != str(stands):
                raise MalformedDerivation(
                    f"the line {name!r} is printed with {sign[1]}, but has the relation {str(stands)!r}"
                    f"{' (none: it would begin a chain)' * (stands is Relation.START)}; "
                    f"expected {_PRINTED[sign[1]]!r}"
                )
            self._add(Line(name, latex, meaning, stands, reason, against, need, by, tuple(worlds), note))
            return meaning

        return declare

    def claim(self, latex: str, **more: Any) -> Callable[[Meaning], Meaning]:
        """Declare a claim that stands alone: its meaning is a truth value that must be true in every world."""
        return self.line(latex, Relation.HOLDS, **more)

    def illegible(self, name: str, printed: str, note: str = "") -> None:
        """Declare a line whose source text is garbled: it is shown, and nobody is accused."""
        self._add(Line(name, printed, None, Relation.START, note=note))

    def correct(self, name: str, latex: str, relation: str | None = None) -> Callable[[Meaning], Meaning]:
        """Declare what the line ``name`` should say (its relation stays, unless another is given)."""

        def declare(meaning: Meaning) -> Meaning:
            line = self[name]
            if name in self.corrections:
                raise MalformedDerivation(f"{self.title!r} has two corrections of the line {name!r}")
            chosen = line.relation if relation is None else self._relation(name, relation)
            self.corrections[name] = Correction(latex, meaning, chosen)
            return meaning

        return declare

    def __getitem__(self, name: str) -> Line:
        for line in self.lines:
            if line.name == name:
                return line
        raise UnknownName(f"line of {self.title!r}", name, [line.name for line in self.lines])

    def before(self, line: Line) -> Line | None:
        """The line that ``line`` is held against; None for a start, a claim and a garbled line.

        Raises MalformedDerivation where that is no earlier line, or one that cannot be read.
        """
        if line.relation in (Relation.START, Relation.HOLDS):
            return None
        legible = [other for other in self._earlier(line) if not other.illegible]
        if line.against:
            if line.against not in [other.name for other in legible]:
                raise MalformedDerivation(
                    f"the line {line.name!r} is held against {line.against!r}, expected a legible line before it"
                )
            return self[line.against]
        if not legible:
            raise MalformedDerivation(f"the line {line.name!r} has nothing before it to be held against")
        return legible[-1]

    def after_garbled(self, line: Line) -> bool:
        """Whether a garbled line stands between ``line`` and the line it is held against."""
        earlier = self._earlier(line)
        return not line.against and bool(earlier) and earlier[-1].illegible

    def show(self, name: str, world: int) -> None:
        """Print the line before, the line ``name`` and its correction in the world that a counterexample names."""
        line, given = self[name], self.worlds_of(self[name])[world]
        before, correction = self.before(line), self.corrections.get(name)
        for what, meaning in (
            ("line before:   ", before.meaning if before is not None else None),
            ("this line:     ", line.meaning),
            ("by its reason: ", line.by),
            ("corrected line:", correction.meaning if correction is not None else None),
        ):
            if meaning is not None:
                print(what, evaluate(name, meaning, given))

    def worlds_of(self, line: Line) -> tuple[World, ...]:
        """The worlds in which a line is judged: the derivation's, then its own."""
        return (*self.worlds, *line.worlds)

    def _admissible(self, worlds: Iterable[World]) -> None:
        for world in worlds:
            if not isinstance(world, World):
                raise MalformedDerivation(f"the derivation {self.title!r} has {world!r} for a world; expected a World")
            inexact = [name for name, value in world.data.items() if has_floats(value)]
            if inexact:
                raise MalformedDerivation(
                    f"the derivation {self.title!r} has a world in which {inexact[0]} holds a float, which is not exact"
                )

    def _earlier(self, line: Line) -> list[Line]:
        names = [other.name for other in self.lines]
        return self.lines[: names.index(line.name)]

    def _add(self, line: Line) -> None:
        if any(other.name == line.name for other in self.lines):
            raise MalformedDerivation(f"{self.title!r} has two lines named {line.name!r}")
        self.lines.append(line)

    def _relation(self, name: str, relation: str) -> Relation:
        try:
            return Relation(relation)
        except ValueError:
            known = ", ".join(repr(str(r)) for r in Relation)
            raise MalformedDerivation(
                f"the line {name!r} has the relation {relation!r}, expected one of {known}"
            ) from None
