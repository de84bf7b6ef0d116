"""Holds an implementation against its contract: small inputs in order, then random and adversarial ones.

The first small input that refutes is the counterexample: none of the enumerated inputs before it -- of smaller size, or
of the same size with smaller integers -- does. One found among the larger ones is made again at every smaller size, and
the smallest size that still refutes is kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from mdnn_verify.checking.circumstances import CIRCUMSTANCES
from mdnn_verify.checking.clock import Clock
from mdnn_verify.checking.compared import Compared
from mdnn_verify.checking.finding import Finding, Judgement
from mdnn_verify.checking.history import equal, pristine, spoiled
from mdnn_verify.checking.inputs import made, small, turns
from mdnn_verify.checking.reproduction import pasted
from mdnn_verify.checking.reuse import Reuse
from mdnn_verify.checking.subject import OVERWRITTEN, Broken, Subject
from mdnn_verify.checking.trainable import DERIVATIVE, differentiated, varies
from mdnn_verify.contract import Comparison, Contract, Instance, Kind, Law

__all__ = ["Finding", "Judgement", "judge", "title"]

CALLS = 1000  # at least so many before the first results are asked for again
REMEMBERED = 6
FIRST = 6  # sizes at which a copy is asked for the first time
SLOW = 1.0  # seconds for one random input, after which no larger one is tried: it may take ten times as long
MORE = 5.0  # seconds for making a counterexample smaller
TRIES = 40  # at each smaller size, to make a counterexample smaller
REPEATED = "the same input gives the same output"
UNDER = "from mdnn_verify.checking.circumstances import {0}\nsubject = {0}(subject)"
DIFFERENTIATED, OF_EACH, SMALL = 40, 4, 8  # of the small inputs the first 40, then 4 of each size up to 8


def judge(
    subject: Subject,
    contract: Contract,
    identifier: str,
    *,
    seed: int = 0,
    budget: float = 15.0,
    watch: Callable[[int], None] = lambda number: None,
) -> Judgement:
    """Check ``subject``. ``watch`` is told the number of each input before it is tried; after ``budget`` seconds
    of processor time no further random input is made, and if the small ones are not done by then the judgement is not
    complete.
    """
    work = _Work(subject, contract, Judgement(), Clock(budget), watch, unused=pristine(subject.function))
    chosen = list[tuple[int, Instance]]()  # of the first ones all may be of one size, and have no ties
    for number, instance in enumerate(small(contract, subject.terms)):
        work.begin()
        alike = sum(one.size == instance.size for _, one in chosen[DIFFERENTIATED:])
        if len(chosen) < DIFFERENTIATED or (instance.size <= SMALL and alike < OF_EACH):
            chosen.append((number, instance))
        if work.refuted_by(instance, derivative=False):
            return work.closed()
        if work.clock.late():
            work.judgement.complete = False
            work.judgement.notes.append(f"too slow: {number + 1} small inputs took {budget:g} s")
            return work.closed()
    for again, instance in chosen:
        watch(again)
        if not work.clock.late() and varies(subject, instance) and work.refuted_by(instance):
            return work.closed()
    if work.refuted_at_random(identifier, seed):
        return work.closed()
    if work.remembers_wrongly() or work.refuted_otherwise():
        return work.closed()
    for law in contract.laws:
        if not work.judgement.informative.get(title(law)):
            work.judgement.complete = False
            work.judgement.notes.append(f"nothing could be compared for: {title(law)}")
    return work.closed()


def title(law: Law) -> str:
    """The first sentence of a law's docstring."""
    return " ".join(law.doc.split("\n\n")[0].split()).rstrip(".")


@dataclass
class _Work:
    subject: Subject
    contract: Contract
    judgement: Judgement
    clock: Clock
    watch: Callable[[int], None]
    number: int = -1  # of the input that is being tried
    memory: list[tuple[Instance, Any]] = field(default_factory=list)
    sizes: tuple[dict[int, Instance], ...] = field(default_factory=lambda: ({}, {}))  # the latest, the second: random
    noise: float = 0.0
    random: bool = False
    unused: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        self.reuse = Reuse(self.subject, REPEATED, self._same)

    def begin(self) -> None:
        """The turn of another input."""
        self.number += 1
        self.watch(self.number)

    def closed(self) -> Judgement:
        self.judgement.calls = self.subject.calls
        return self.judgement

    def refuted_by(self, instance: Instance, derivative: bool = True) -> bool:
        self.judgement.instances += 1
        found = self.finding(instance, derivative)
        if found and self.memory and found.reason != OVERWRITTEN:  # it may be right for this input, but not any more
            found = self._another(*self.memory[0]) or self._spoiled(instance) or found
        if found and self.unused:
            found = pasted(found, self.unused, list(self.subject.recent))
        self.judgement.finding = found
        return found is not None

    def refuted_at_random(self, identifier: str, seed: int) -> bool:
        """By inputs of growing size."""
        self.random, least, spent = True, 0, 0.0
        for kind, size, turn in turns(self.contract):
            if self.clock.late() or (spent > SLOW and size > least):
                self.judgement.notes.append("slow: fewer random inputs were tried than otherwise")
                break
            least, before = size, self.clock.spent()
            self.begin()
            if self.refuted_by(made(self.contract, identifier, kind, size, turn, seed, self.subject.terms)):
                self.make_smaller(identifier, kind, size, seed)
                return True
            spent = self.clock.spent() - before
        return False

    def finding(self, instance: Instance, derivative: bool = True) -> Finding | None:
        """The first law that this input breaks."""
        law, self.noise = REPEATED, 0.0
        try:
            if found := self._repeats(instance):
                return found
            for each in self.contract.laws:
                law = title(each)
                for comparison in each.function(self.subject, instance, self.subject.terms):
                    if found := self._compared(law, comparison, instance):
                        return found
            law = DERIVATIVE
            return differentiated(self.subject, self.judgement, instance, self.noise) if derivative else None
        except Broken as broken:
            if self.contract.excused and self.contract.excused(self.subject, instance.arguments):
                return None
            shown = broken.shown or f"observed = subject({', '.join(instance.arguments)})\nexpected = 'no exception'"
            arguments = instance.arguments if broken.arguments is None else broken.arguments
            law = REPEATED if broken.reason == OVERWRITTEN else law
            return Finding(law, broken.reason, arguments, instance.label, shown, trace=broken.trace)

    def remembers_wrongly(self) -> bool:
        """Ask for the first results once more, after at least a thousand calls, and for some first of all calls."""
        if not self.memory:
            return False
        self.begin()
        for turn, (instance, before) in enumerate(itertools.cycle(self.memory), 1):
            self.watch(self.number)
            self.judgement.finding = self._another(instance, before)
            done = turn >= len(self.memory) and self.subject.calls >= CALLS + len(self.memory)
            if self.judgement.finding or self.clock.late():
                return self.judgement.finding is not None
            if done:
                break
        # what the first of all calls has fixed, or gets wrong, is seen by a copy that is asked something else first
        for turn, instance in enumerate(self.some()):
            if self.clock.late():
                return False
            if (found := self._spoiled(instance, whole=turn == 0)) and self.unused:
                self.judgement.finding = pasted(found, self.unused, [])
                return True
        return False

    def refuted_otherwise(self) -> bool:
        """Under other circumstances, of which an exception is not held against it: a note tells."""
        for wrapper, words in CIRCUMSTANCES.items():
            under = Subject(wrapper(self.subject.function), self.contract, self.subject.terms)
            work = replace(self, subject=under, memory=[], sizes=({}, {}))
            self.begin()
            for instance in self.some():
                if self.clock.late():
                    return False
                self.watch(self.number)
                found = work.finding(instance, derivative=False)
                if found and found.trace:
                    self.judgement.notes.append(f"not judged {words}: {found.reason.replace(' on legal input', '')}")
                    break
                if found:
                    found = work.smallest() or found
                    shown = f"{UNDER.format(wrapper.__name__)}\n{found.shown}"
                    self.judgement.finding = replace(found, reason=f"{words}: {found.reason}", shown=shown)
                    return True
        return False

    def smallest(self) -> Finding | None:
        """What the first of the small inputs that refutes shows."""
        for instance in small(self.contract, self.subject.terms):
            if self.clock.spent() > self.clock.budget + MORE:
                break
            self.watch(self.number)
            if (found := self.finding(instance, derivative=False)) and not found.trace:
                return found
        return None

    def some(self) -> list[Instance]:
        """The first input, and small and random ones of several sizes."""
        return [
            *(one for one, _ in self.memory[:1]),
            *(each[size] for each in self.sizes for size in sorted(each)[:FIRST]),
        ]

    def _another(self, instance: Instance, before: Any) -> Finding | None:
        """Whether an input that was tried before now has another result."""
        calls = self.subject.calls
        try:
            after = self.subject(*instance.arguments.values())
        except Broken as broken:
            after, reason = None, broken.reason
            if reason == OVERWRITTEN and broken.arguments is not None:
                return Finding(REPEATED, reason, broken.arguments, instance.label, broken.shown)
        else:
            reason = "" if self._same(instance, before, after) else f"after {calls} calls the result is another"
        if not reason:
            return None
        call = f"subject({', '.join(instance.arguments)})"
        shown = f"expected = {call}\nfor _ in range({calls + 1}):\n    observed = {call}"
        return Finding(REPEATED, reason, instance.arguments, instance.label, shown, str(after), str(before))

    def make_smaller(self, identifier: str, kind: Kind, size: int, seed: int) -> None:
        """Look for the same failure at every smaller size, from the smallest on."""
        for smaller in range(min(kind.sizes), size):
            for turn in range(TRIES):
                if self.clock.spent() > self.clock.budget + MORE:
                    return
                self.watch(self.number)
                try:
                    instance = made(self.contract, identifier, kind, smaller, turn, seed, self.subject.terms)
                except ValueError:  # this kind has no input of that size
                    break
                if found := self.finding(instance):
                    self.judgement.finding = found
                    return

    def _spoiled(self, instance: Instance, whole: bool = True) -> Finding | None:
        """Whether other inputs' turns before change the result: that of one of them (the first, if not ``whole``), or
        of all.
        """
        earlier = [one for one, _ in self.memory if one is not instance]
        histories = [*([one] for one in (earlier if whole else earlier[:1])), earlier]
        lines = spoiled(self.subject, self.unused, histories, instance, self._same) if self.unused and earlier else ""
        reason = "the result depends on what was asked before"
        return Finding(REPEATED, reason, instance.arguments, instance.label, lines) if lines else None

    def _repeats(self, instance: Instance) -> Finding | None:
        values = tuple(instance.arguments.values())
        first, second = self.subject(*values), self.subject(*values)
        self.sizes[self.random][instance.size] = instance
        if len(self.memory) < REMEMBERED * (1 + self.random):
            self.memory.append((instance, first))
        if self._same(instance, first, second):
            return self.reuse.finding(instance, first)
        call = f"subject({', '.join(instance.arguments)})"
        shown = f"expected = {call}\nobserved = {call}"
        reason = "called twice with the same input it gives two different results"
        return Finding(REPEATED, reason, instance.arguments, instance.label, shown, str(second), str(first))

    def _same(self, instance: Instance, one: Any, other: Any) -> bool:
        """Whether two results are the same: in every bit, or to within what the laws allow this very result.

        The last bits of LAPACK may vary from call to call.
        """
        return equal(one, other) or equal(one, other, self._slack(instance, one))

    def _slack(self, instance: Instance, result: Any) -> float:
        """The smallest bound by which a law has compared this result, if it is one tensor; else 0."""
        bounds = list[float]()
        try:
            for law in self.contract.laws if isinstance(result, torch.Tensor) else ():
                for one in law.function(self.subject, instance, self.subject.terms):
                    observed, bound = torch.as_tensor(one.observed), float(torch.as_tensor(one.bound).max())
                    if bound > 0 and observed.shape == result.shape and equal(observed, result, bound):
                        bounds.append(bound)
        except Broken:
            return 0.0
        return min(bounds, default=0.0)

    def _compared(self, law: str, comparison: Comparison, instance: Instance) -> Finding | None:
        self.judgement.comparisons += 1
        compared = Compared.of(law, comparison, instance)
        if compared.informative:
            self.judgement.informative[law] = self.judgement.informative.get(law, 0) + 1
        else:
            self.judgement.uninformative += 1
        self.noise = max(self.noise, compared.noise)
        return compared.finding
