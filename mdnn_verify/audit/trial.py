"""A relation between two meanings, tried in every world up to the first in which it fails."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from mdnn_verify.audit.derivation import Line, MalformedDerivation, Meaning, Relation, evaluate
from mdnn_verify.audit.evaluation import floats_in, place_of
from mdnn_verify.audit.relations import compare, proved, truth_of
from mdnn_verify.audit.symbols import Instance, at, holes, instances
from mdnn_verify.audit.values import exact, has_dummies, has_symbols, has_value
from mdnn_verify.audit.worlds import World, spoken
from mdnn_verify.engines.deadline import Timeout, within
from mdnn_verify.engines.truth import Truth
from mdnn_verify.verdicts import Status

__all__ = ["Court", "Trial"]

GENERIC_SHARE = 4  # of a line's time, what one generic world may take: the concrete ones decide without it
LOOKS = 2  # worlds in which a meaning is evaluated twice


@dataclass(frozen=True)
class Trial:
    """How a relation fared in all worlds."""

    holds: bool | None  # None: nowhere decided
    engine: str = ""
    scope: str = ""
    counterexample: str = ""
    world: int | None = None
    detail: str = ""


@dataclass
class _Tally:
    """What the worlds said so far."""

    checked: int = 0
    near: int = 0
    undecided: int = 0
    generic: tuple[str, ...] = ()
    passed_over: str = ""
    obstacle: str = "no world in which both sides have a value"


class Court:
    """Tries lines; remembers what each meaning is in each world."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._known: dict[tuple[int, int], Any] = {}
        self._looks: Counter[int] = Counter()
        self._kept: list[World] = []  # what is known is known by identity: nothing may take the place of another

    def tried(
        self,
        line: Line,
        worlds: Sequence[World],
        left: Meaning | None,
        right: Meaning,
        relation: Relation,
        only: Meaning | None = None,
    ) -> Trial:
        """``left`` and ``right`` in every world (those where ``only`` holds), up to the first in which it fails."""
        tally = _Tally()
        concrete = [world for world in worlds if not world.generic]
        for number, world in enumerate(worlds):
            if only is not None and (world.generic or not self._admitted(line, only, world)):
                continue
            try:
                generic = world.generic and _symbolic(world, _names(left, right, world))
                if generic:
                    counterexample = self._generic(line, world, left, right, relation, tally, concrete)
                else:
                    counterexample = self._concrete(line, world, left, right, relation, tally)
            except Timeout:
                continue  # in a generic world: nothing is known of it
            except MalformedDerivation as error:
                if not (world.generic and concrete):
                    raise
                tally.passed_over = f"not judged in symbols ({error.message})"  # range(n), "if x > 0": numbers only
                continue
            if counterexample:
                engine = "SymPy" if generic else "exact evaluation"
                return Trial(False, engine, counterexample=counterexample, world=number)
        never = relation is Relation.IMPLIES and bool(concrete) and not tally.checked
        if relation is Relation.START or never or not (tally.checked or tally.generic):
            return Trial(None, detail=tally.obstacle)
        return Trial(True, *_scope(tally), detail=tally.passed_over)

    def _concrete(
        self, line: Line, world: World, left: Meaning | None, right: Meaning, relation: Relation, tally: _Tally
    ) -> str:
        """The counterexample, or nothing."""
        one, two = self._value(line, left, world), self._value(line, right, world)
        if relation is Relation.START or not (has_value(one) or has_value(two)):
            return ""
        if relation is Relation.IMPLIES and _is_false(one, line.name):
            tally.obstacle = "the line before is true in none of the worlds"
            return ""
        both = has_value(one) and has_value(two)
        truth = self._truth(relation, one, two, line.name) if both else Truth.FALSE
        if truth is Truth.FALSE:
            return _told_apart(left, right, one, two, world)
        if truth is Truth.UNKNOWN:
            tally.obstacle = f"not decided with {world.shown()}"
            tally.undecided += 1
            return ""
        tally.checked, tally.near = tally.checked + 1, tally.near + (truth is Truth.NEAR)
        return ""

    def _truth(self, relation: Relation, one: Any, two: Any, name: str) -> Truth:
        """Symbols that a meaning brought along (the argument of a function, say) stand for all their values."""
        if not (has_symbols(one) or has_symbols(two)):
            return compare(relation, one, two, name)
        verdict = proved(relation, one, two, name, self.timeout / GENERIC_SHARE)
        return {Status.PROVED: Truth.TRUE, Status.REFUTED: Truth.FALSE}.get(verdict.status, Truth.UNKNOWN)

    def _generic(
        self,
        line: Line,
        world: World,
        left: Meaning | None,
        right: Meaning,
        relation: Relation,
        tally: _Tally,
        concrete: Sequence[World],
    ) -> str:
        """The counterexample, or nothing. Raises Timeout when its share of the line's time is over."""
        names = _names(left, right, world)

        def decided() -> str:
            one, two = self._value(line, left, world), self._value(line, right, world)
            if relation is Relation.START or not (has_value(one) and has_value(two)):
                return ""
            if relation is Relation.IMPLIES and one is False:
                return ""  # it would follow whatever this line says
            verdict = proved(relation, one, two, line.name, self.timeout / GENERIC_SHARE)
            known = instances(world, concrete, names)
            for meaning, value in ((left, one), (right, two)):
                if other := self._elsewhere(line, meaning, value, known):
                    tally.passed_over = f"not judged in symbols (it is something else with {other.shown()})"
                    return ""
            if verdict.refuted:
                return verdict.counterexample or verdict.detail
            critical = [one - two] if relation in (Relation.LESS, Relation.GREATER) else []
            excepted = []
            for hole in holes((one, two), critical, world, known):
                if counterexample := self._in_a_hole(line, hole, left, right, relation):
                    if not world.label:
                        return counterexample
                    excepted.append(hole.shown(names))  # the label may except it, too, but may also not
            for_all = ", except ".join([world.label or _all_of(world, names), *dict.fromkeys(excepted)])
            if verdict.status is Status.PROVED:
                tally.generic += (for_all,)
            else:
                tally.obstacle = f"neither proved nor refuted for {for_all}"
            return ""

        return within(self.timeout / GENERIC_SHARE, decided)

    def _in_a_hole(self, line: Line, hole: World, left: Meaning | None, right: Meaning, relation: Relation) -> str:
        self._kept.append(hole)
        try:
            return self._concrete(line, hole, left, right, relation, _Tally())
        except MalformedDerivation:  # of a world that nobody gave: a root of a negative number, say
            return ""

    def _elsewhere(self, line: Line, meaning: Meaning | None, value: Any, known: Sequence[Instance]) -> World | None:
        """The first world in which a meaning is not what its value in symbols is there."""
        for one in known:
            if not _alike(at(value, one), self._value(line, meaning, one.world), line.name):
                return one.world
        return None

    def _value(self, line: Line, meaning: Meaning | None, world: World) -> Any:
        if meaning is None:
            return True
        key = (id(meaning), id(world))  # both live as long as the derivation
        if key not in self._known:
            self._known[key] = _exact(line, meaning, world)
            if self._looks[id(meaning)] < LOOKS:
                self._looks[id(meaning)] += 1
                self._same(line, world, self._known[key], _exact(line, meaning, world))
        return self._known[key]

    def _same(self, line: Line, world: World, once: Any, again: Any) -> None:
        """Raises MalformedDerivation for a meaning that is by chance, or by what ran before, what it is."""
        if once != again and not (has_dummies(once) or has_dummies(again)):
            raise MalformedDerivation(
                f"the line {line.name!r} is once {spoken(once)} and once {spoken(again)} with {world.shown()}; "
                "a meaning must depend on its world only"
            )

    def _admitted(self, line: Line, only: Meaning, world: World) -> bool:
        value = _exact(line, only, world)
        if value is None:
            return False
        found = truth_of(value, line.name)
        if found is Truth.UNKNOWN:
            raise MalformedDerivation(f"the hypothesis of the line {line.name!r} is not decided with {world.shown()}")
        return found is not Truth.FALSE


def _exact(line: Line, meaning: Meaning, world: World) -> Any:
    """The value of a meaning. Raises MalformedDerivation for a comparison of floats, which its answer does not show."""
    value = exact(evaluate(line.name, meaning, world), line.name)
    if isinstance(value, (bool, frozenset)) and (numbers := floats_in(meaning)):
        raise MalformedDerivation(
            f"the line {line.name!r} compares with {numbers[0]!r}; expected exact numbers, such as sp.Rational(1, 3), "
            "not a float: neither 0.3 nor 1/3",
            place_of(meaning),
        )
    return value


def _alike(symbolic: Any, concrete: Any, name: str) -> bool:
    """Whether a value in symbols is, at an instance, certainly no other than the one computed there."""
    if not (has_value(symbolic) and has_value(concrete)) or has_symbols(symbolic) or has_symbols(concrete):
        return True  # divisions by zero are looked for apart
    try:
        return compare(Relation.EQUAL, exact(symbolic, name), concrete, name) is not Truth.FALSE
    except MalformedDerivation:
        return False


def _is_false(value: Any, name: str) -> bool:
    """Of a proposition; one without a value is not true either."""
    return not has_value(value) or (not has_symbols(value) and truth_of(value, name) is Truth.FALSE)


def _scope(tally: _Tally) -> tuple[str, str]:
    """The engines, and for what they speak."""
    engines, scopes = [], []
    if tally.generic:
        engines.append("SymPy")
        scopes.append("; ".join(dict.fromkeys(tally.generic)))
    if tally.checked:
        engines.append("exact evaluation")
        digits = f", {tally.near} of them to every precision tried" if tally.near else ""
        scopes.append(f"{tally.checked} concrete world{'s' * (tally.checked != 1)}{digits}")
    if tally.undecided:
        scopes.append(f"{tally.undecided} undecided")
    return ", ".join(engines), "; ".join(scopes)


def _names(left: Meaning | None, right: Meaning, world: World) -> set[str]:
    used = {name for meaning in (left, right) if meaning for name in inspect.signature(meaning).parameters}
    return used & set(world.data)


def _symbolic(world: World, names: set[str]) -> bool:
    """Whether any of the data varies: a generic world without symbols is a concrete one."""
    return any(_varies(world.data[name]) for name in names)


def _varies(value: Any) -> bool:
    """Whether a symbol is in it; what cannot be looked into may hold one."""
    if isinstance(value, (tuple, list, set, frozenset)):
        return any(_varies(member) for member in value)
    if isinstance(value, (sp.Basic, sp.MatrixBase)):
        return bool(value.free_symbols)
    return not isinstance(value, (int, str, Fraction))


def _all_of(world: World, names: set[str]) -> str:
    """What a proof speaks for: all values of the symbols, and the data that stay fixed."""
    fixed = {name for name in names if not _varies(world.data[name])}
    where = f" ({world.shown(fixed)})" if fixed else ""
    return f"all {', '.join(sorted(names - fixed))}{where}"


def _told_apart(left: Meaning | None, right: Meaning, one: Any, two: Any, world: World) -> str:
    where = world.shown(_names(left, right, world))
    this = spoken(two) if has_value(two) else "without a value"
    start = f"with {where}: " if where else ""
    if left is None:
        return f"{start}it is {'false' if two is False else this}"
    before = spoken(one) if has_value(one) else "without a value"
    return f"{start}the line before is {before}, this line is {this}"
