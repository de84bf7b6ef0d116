"""Holds an implementation against its contract: small inputs in order, then random and adversarial ones.

The first small input that refutes is the counterexample: none of the enumerated inputs before it -- of smaller size, or
of the same size with smaller integers -- does. One found among the larger ones is made again at every smaller size, and
the smallest size that still refutes is kept.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from mdnn_verify.checking.finding import Finding, Judgement
from mdnn_verify.checking.history import equal, pristine, spoiled
from mdnn_verify.checking.reproduction import pasted
from mdnn_verify.checking.reuse import Reuse
from mdnn_verify.checking.subject import OVERWRITTEN, Broken, Subject
from mdnn_verify.checking.trainable import DERIVATIVE, differentiated, varies
from mdnn_verify.contract import Comparison, Contract, Instance, Kind, Law, Terms
from mdnn_verify.engines.montecarlo import Stream

__all__ = ["Finding", "Judgement", "judge", "numbered", "title"]

CALLS = 1000  # at least so many before the first results are asked for again
REMEMBERED = 6
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
    number, first = 0, list[Instance]()
    for number, instance in enumerate(small(contract, subject.terms)):
        watch(number)
        first = [*first, instance][:DIFFERENTIATED]
        if work.refuted_by(instance, derivative=False):
            return work.closed()
        if work.late():
            work.judgement.complete = False
            work.judgement.notes.append(f"too slow: {number + 1} small inputs took {budget:g} s")
            return work.closed()
    for again, instance in enumerate(first):
        watch(again)
        if varies(subject, instance) and work.refuted_by(instance):
            return work.closed()
    work.random = True
    for kind, size, turn in turns(contract):
        if work.late():
            work.judgement.notes.append("slow: fewer random inputs were tried than otherwise")
            break
        number += 1
        watch(number)
        if work.refuted_by(made(contract, identifier, kind, size, turn, seed, subject.terms)):
            work.make_smaller(identifier, kind, size, seed, number)
            return work.closed()
    work.remember_again(number + 1)
    for law in contract.laws:
        if not work.judgement.informative.get(title(law)):
            work.judgement.complete = False
            work.judgement.notes.append(f"nothing could be compared for: {title(law)}")
    return work.closed()


def title(law: Law) -> str:
    """The first sentence of a law's docstring."""
    return " ".join(law.doc.split("\n\n")[0].split()).rstrip(".")


def small(contract: Contract, terms: Terms) -> Iterator[Instance]:
    """The enumerated inputs."""
    yield from contract.smallest(terms) if contract.smallest else ()


def turns(contract: Contract) -> Iterator[tuple[Kind, int, int]]:
    """Kinds, sizes and repetitions, the small sizes of all kinds first."""
    every = [(size, order, turn, kind) for order, kind in enumerate(contract.kinds)
             for size in kind.sizes for turn in range(kind.times)]  # fmt: skip
    for size, _, turn, kind in sorted(every, key=lambda item: item[:3]):
        yield kind, size, turn


def made(contract: Contract, identifier: str, kind: Kind, size: int, turn: int, seed: int, terms: Terms) -> Instance:
    """The input of one kind, size and turn; it depends on nothing else but the seed."""
    rng = Stream(f"check/{identifier}/{kind.name}/{size}", seed, turn)
    return Instance(kind.make(rng, size, terms), size, f"{kind.name.replace('_', ' ')}, size {size}")


def numbered(contract: Contract, identifier: str, number: int, seed: int, terms: Terms) -> Instance:
    """The input that ``judge`` announces under ``number``; past the last one, the first."""
    later = (
        (lambda kind=kind, size=size, turn=turn: made(contract, identifier, kind, size, turn, seed, terms))
        for kind, size, turn in turns(contract)
    )
    first = list(small(contract, terms))
    if number < len(first):
        return first[number]
    make = next(itertools.islice(later, number - len(first), None), None)
    return make() if make else first[0]


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
    memory: list[tuple[Instance, Any]] = field(default_factory=list)
    noise: float = 0.0
    random: bool = False
    unused: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        self.reuse = Reuse(self.subject, REPEATED)

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

    def remember_again(self, number: int) -> None:
        """The first results once more, after at least a thousand calls."""
        for turn, (instance, before) in enumerate(itertools.cycle(self.memory), 1):
            self.watch(number)
            self.judgement.finding = self._another(instance, before)
            done = turn >= len(self.memory) and self.subject.calls >= CALLS + len(self.memory)
            if self.judgement.finding or self.late():
                return
            if done:
                break
        if self.memory:  # what the first of all calls has fixed is seen by a copy that is asked something else first
            found = self._spoiled(self.memory[0][0])
            self.judgement.finding = pasted(found, self.unused, []) if found and self.unused else None

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
            reason = "" if equal(before, after) else f"after {calls} calls the result is another"
        if not reason:
            return None
        call = f"subject({', '.join(instance.arguments)})"
        shown = f"expected = {call}\nfor _ in range({calls + 1}):\n    observed = {call}"
        return Finding(REPEATED, reason, instance.arguments, instance.label, shown, str(after), str(before))

    def make_smaller(self, identifier: str, kind: Kind, size: int, seed: int, number: int) -> None:
        """Look for the same failure at every smaller size, from the smallest on."""
        for smaller in range(min(kind.sizes), size):
            for turn in range(TRIES):
                if self.clock.spent() > self.clock.budget + MORE:
                    return
                self.watch(number)
                try:
                    instance = made(self.contract, identifier, kind, smaller, turn, seed, self.subject.terms)
                except ValueError:  # this kind has no input of that size
                    break
                if found := self.finding(instance):
                    self.judgement.finding = found
                    return

    def _spoiled(self, instance: Instance) -> Finding | None:
        """Whether it is another input's turn before that makes the result wrong."""
        earlier = [one for one, _ in self.memory if one is not instance]
        lines = spoiled(self.subject, self.unused, earlier, instance) if self.unused and earlier else ""
        reason = "the result depends on what was asked before"
        return Finding(REPEATED, reason, instance.arguments, instance.label, lines) if lines else None

    def _repeats(self, instance: Instance) -> Finding | None:
        values = tuple(instance.arguments.values())
        first, second = self.subject(*values), self.subject(*values)
        if len(self.memory) < REMEMBERED * (1 + self.random):
            self.memory.append((instance, first))
        if equal(first, second):
            return self.reuse.finding(instance, first)
        call = f"subject({', '.join(instance.arguments)})"
        shown = f"expected = {call}\nobserved = {call}"
        reason = "called twice with the same input it gives two different results"
        return Finding(REPEATED, reason, instance.arguments, instance.label, shown, str(second), str(first))

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
