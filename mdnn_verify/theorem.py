"""The vocabulary in which a theorem's file is written. It only declares; it runs nothing and imports no engine.

A file holds one object named ``theorem``. Its checks are functions whose arguments are injected by name from what is
``given`` (and ``rng``, the check's own random stream). A check *returns* a claim -- a proposition, an enclosure, a
residual with its bound, a simulation -- and an engine decides it.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mdnn_verify.verdicts import HYPOTHESIS, MONTECARLO, PATHWISE, SYMBOLIC

__all__ = ["RANDOM_STREAM", "Check", "Control", "Theorem"]

RANDOM_STREAM = "rng"
PICTURE = "picture"
Function = Callable[..., Any]


@dataclass(frozen=True)
class Check:
    """One function of a theorem's file: a hypothesis, a proof step, a pathwise or a Monte Carlo check, a picture."""

    name: str
    kind: str
    function: Function
    scope: str
    weight: float = 1.0

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.function).parameters)

    def depends_on(self, names: Sequence[str]) -> bool:
        return not set(names).isdisjoint(self.parameters)


@dataclass(frozen=True)
class Control:
    """A deliberately false neighbour: the theorem with some data changed, or with one hypothesis dropped."""

    name: str
    changes: Mapping[str, Any]
    drops: str = ""


@dataclass
class Theorem:
    """A statement, what is given, and the checks it goes through.

    ``statement`` is LaTeX. ``given`` maps names to the data that checks receive; a control replaces some of them.
    ``uses`` lists the ids of statements that the proof rests on. Title and source stand in the file's docstring.
    """

    statement: str
    given: Mapping[str, Any]
    uses: tuple[str, ...] = ()
    checks: list[Check] = field(default_factory=list, init=False)
    pictures: list[Check] = field(default_factory=list, init=False)
    controls: list[Control] = field(default_factory=list, init=False)

    def hypothesis(self, function: Function) -> Function:
        """Declare what the statement assumes; it must hold for the given data and for every control that keeps it."""
        return self._add(Check(function.__name__, HYPOTHESIS, function, scope="the given data"))

    def proof(self, *, scope: str) -> Callable[[Function], Function]:
        """Declare a proof step, and for what it is a proof: ``scope`` is printed with the verdict."""
        return lambda function: self._add(Check(function.__name__, SYMBOLIC, function, scope))

    def pathwise(self, *, scope: str) -> Callable[[Function], Function]:
        """Declare residuals (or rigorous enclosures) at concrete instances, each with its derived bound."""
        return lambda function: self._add(Check(function.__name__, PATHWISE, function, scope))

    def monte_carlo(self, *, scope: str, weight: float = 1.0) -> Callable[[Function], Function]:
        """Declare a simulation with stated error rates; ``weight`` is its share of the suite's alpha."""
        return lambda function: self._add(Check(function.__name__, MONTECARLO, function, scope, weight))

    def picture(self, function: Function) -> Function:
        """Declare a picture: the function returns a description from ``mdnn_verify.pictures``."""
        self.pictures.append(Check(function.__name__, PICTURE, function, scope=""))
        return function

    def false_if(self, name: str, *, drops: str = "", **changes: Any) -> None:
        """Declare a false neighbour: the same checks on changed data must refute it."""
        self.controls.append(Control(name, MappingProxyType(changes), drops))

    def data(self, control: str | None = None) -> dict[str, Any]:
        """What is given, as the theorem (None) or as one of its controls has it."""
        changes = {} if control is None else self.control(control).changes
        return {**self.given, **changes}

    def check(self, name: str) -> Check:
        return next(check for check in self.checks if check.name == name)

    def control(self, name: str) -> Control:
        return next(control for control in self.controls if control.name == name)

    def checks_of(self, control: str | None) -> list[Check]:
        """The checks that can tell this variant apart: for a control those that read a datum it changes."""
        if control is None:
            return self.checks
        changed = tuple(self.control(control).changes)
        return [check for check in self.checks if check.depends_on(changed)]

    def faults(self) -> list[str]:
        """Every rule of the vocabulary that this declaration breaks; empty for a well-formed theorem."""
        found = []
        if not self.statement.strip():
            found.append("the statement is empty")
        if not self.controls:
            found.append("no control: declare at least one false neighbour with theorem.false_if(...)")
        present = {check.kind for check in self.checks}
        if SYMBOLIC not in present:
            found.append("no proof step: declare one with @theorem.proof(scope=...)")
        if not present & {PATHWISE, MONTECARLO}:
            found.append("no pathwise and no Monte Carlo check")
        found += _repeated("check", [check.name for check in [*self.checks, *self.pictures]])
        found += _repeated("control", [control.name for control in self.controls])
        for check in [*self.checks, *self.pictures]:
            found += self._faults_of_check(check)
        for control in self.controls:
            found += self._faults_of_control(control)
        return found

    def _add(self, check: Check) -> Function:
        self.checks.append(check)
        return check.function

    def _faults_of_check(self, check: Check) -> list[str]:
        found = []
        if not check.doc:
            found.append(f"{check.name} has no docstring: say in a sentence what it shows")
        if check.kind not in (PICTURE, HYPOTHESIS) and not check.scope.strip():
            found.append(f"{check.name} has no scope: say for what it is checked")
        if not 0 < check.weight < math.inf:
            found.append(f"{check.name} has weight {check.weight}, expected a positive number")
        unknown = [name for name in check.parameters if name != RANDOM_STREAM and name not in self.given]
        if unknown:
            found.append(f"{check.name} asks for {', '.join(unknown)}, which is not given")
        return found

    def _faults_of_control(self, control: Control) -> list[str]:
        where = f"control {control.name!r}"
        found = [f"{where} changes {name}, which is not given" for name in control.changes if name not in self.given]
        found += [
            f"{where} sets {name} to what the theorem already has"
            for name, value in control.changes.items()
            if name in self.given and value is self.given[name]
        ]
        hypotheses = [check.name for check in self.checks if check.kind == HYPOTHESIS]
        if control.drops and control.drops not in hypotheses:
            found.append(
                f"{where} drops {control.drops}, expected one of the hypotheses: {', '.join(hypotheses) or 'none'}"
            )
        if control.drops in hypotheses and not self.check(control.drops).depends_on(tuple(control.changes)):
            found.append(f"{where} drops {control.drops}, which reads none of the data it changes")
        deciding = [check for check in self.checks_of(control.name) if check.kind != HYPOTHESIS]
        if not control.changes:
            found.append(f"{where} changes nothing")
        elif not deciding:
            found.append(f"{where} changes only data that no proof, pathwise or Monte Carlo check reads")
        return found


def _repeated(what: str, names: Sequence[str]) -> list[str]:
    return [f"two declarations of {what} {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
