"""Holds an implementation against its contract: small inputs in order, then random and adversarial ones.

The first small input that refutes is the counterexample: none of the enumerated inputs before it -- of smaller size, or
of the same size with smaller integers -- does. One found among the larger ones is made again at every smaller size, and
the smallest size that still refutes is kept.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

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
ASLEEP = 2.0  # seconds that count for one, where the process does not work
MORE = 5.0  # seconds for making a counterexample smaller
TRIES = 40  # at each smaller size, to make a counterexample smaller
REPEATED = "the same input gives the same output"
DIFFERENTIATED = 40  # of the small inputs
INFORMATIVE = 1e-3  # a bound above this share of the compared magnitude would accept what it should tell apart


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
    work = _Work(subject, contract, Judgement(), _Clock(budget), watch, unused=pristine(subject.function))
    first = list[Instance]()
    for number, instance in enumerate(small(contract, subject.terms), 1):
        work.begin()
        first = [*first, instance][:DIFFERENTIATED]
        if work.refuted_by(instance, derivative=False):
            return work.closed()
        if work.late():
            work.judgement.complete = False
            work.judgement.notes.append(f"too slow: {number} small inputs took {budget:g} s")
            return work.closed()
    for again, instance in enumerate(first):
        watch(again)
        if varies(subject, instance) and work.refuted_by(instance):
            return work.closed()
    if work.refuted_at_random(identifier, seed):
        return work.closed()
    work.remember_again()
    for law in contract.laws:
        if not work.judgement.informative.get(title(law)):
            work.judgement.complete = False
            work.judgement.notes.append(f"nothing could be compared for: {title(law)}")
    return work.closed()


def title(law: Law) -> str:
    """The first sentence of a law's docstring."""
    return " ".join(law.doc.split("\n\n")[0].split()).rstrip(".")


@dataclass
class _Clock:
    """Processor time, so that a busy machine changes nothing; of an implementation that sleeps, a share of the time."""

    budget: float
    started: tuple[float, float] = field(default_factory=lambda: (time.process_time(), time.monotonic()))

    def spent(self) -> float:
        """Seconds."""
        working, passed = time.process_time() - self.started[0], time.monotonic() - self.started[1]
        return max(working, passed / ASLEEP)


@dataclass
class _Work:
    subject: Subject
    contract: Contract
    judgement: Judgement
    clock: _Clock
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

    def late(self) -> bool:
        return self.clock.spent() > self.clock.budget

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
            if self.late() or (spent > SLOW and size > least):
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
                    self.judgement.comparisons += 1
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

    def remember_again(self) -> None:
        """The first results once more, after at least a thousand calls."""
        if not self.memory:
            return
        self.begin()
        for turn, (instance, before) in enumerate(itertools.cycle(self.memory), 1):
            self.watch(self.number)
            self.judgement.finding = self._another(instance, before)
            done = turn >= len(self.memory) and self.subject.calls >= CALLS + len(self.memory)
            if self.judgement.finding or self.late():
                return
            if done:
                break
        # what the first of all calls has fixed, or gets wrong, is seen by a copy that is asked something else first
        some = [self.memory[0][0], *(each[size] for each in self.sizes for size in sorted(each)[:FIRST])]
        for instance in some:
            if self.late():
                return
            if (found := self._spoiled(instance, whole=instance is some[0])) and self.unused:
                self.judgement.finding = pasted(found, self.unused, [])
                return

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
        observed, expected, bound = (
            torch.as_tensor(value, dtype=torch.float64).detach().cpu()
            for value in (comparison.observed, comparison.expected, comparison.bound)
        )
        magnitude = float(torch.cat([observed.reshape(-1), expected.reshape(-1)]).abs().nan_to_num(posinf=0.0).max())
        if float(bound.max()) <= INFORMATIVE * max(magnitude, comparison.scale):
            self.judgement.informative[law] = self.judgement.informative.get(law, 0) + 1
        else:
            self.judgement.uninformative += 1
        self.noise = max(self.noise, float(bound.max()) * max(observed.numel(), 1) ** 2)
        residual = torch.where(observed == expected, 0.0, (observed - expected).abs())
        if bool((residual <= bound).all()):
            return None
        call = f"observed = subject({', '.join(instance.arguments)})\nexpected = {expected.tolist()!r}"
        worst = int(torch.where(residual <= bound, -1.0, residual.nan_to_num(nan=torch.inf)).argmax())
        limit = float(bound.expand(observed.shape).reshape(-1)[worst]) if bound.ndim else float(bound)
        gives, wants = float(observed.reshape(-1)[worst]), float(expected.reshape(-1)[worst])
        return Finding(
            law, comparison.what, instance.arguments, instance.label, comparison.shown or call,
            repr(gives), repr(wants), f"{limit:.3g}",
        )  # fmt: skip
