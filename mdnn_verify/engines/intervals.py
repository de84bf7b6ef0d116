"""Rigorous enclosures (FLINT's balls): integrals, tails, and claims about numbers known to lie in a ball."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import flint

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["EnclosureAtLeast", "EnclosureEquals", "gaussian_tail", "integral", "precision"]

ENGINE = "intervals"
INFORMATIVE = 1e-3  # as for pathwise claims
Integrand = Callable[[Any, bool], Any]


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with so many bits in this block, and restore what was set before."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


@dataclass(frozen=True)
class EnclosureEquals(Claim):
    """A number known to lie in ``enclosure`` equals ``value`` (itself a ball or exact).

    REFUTED if the two are disjoint; VERIFIED_WITHIN(the largest distance between their points) if they meet. A distance
    above ``within`` (by default 1e-3 of max(1, |value|)) says too little and is INCONCLUSIVE.
    """

    enclosure: Any
    value: Any
    at: str = ""
    within: float | None = None

    def decide(self, context: Context) -> Verdict:
        enclosure, value = _ball("enclosure", self.enclosure), _ball("value", self.value)
        if not (enclosure.is_finite() and value.is_finite()):
            return Verdict(Status.INCONCLUSIVE, context.scope, "the enclosure is not finite", engine=ENGINE)
        if not enclosure.overlaps(value):
            text = f"{_at(self.at)}{enclosure.str(12)} does not contain {value.str(12)}"
            return Verdict(Status.REFUTED, context.scope, "the enclosures are disjoint", text, engine=ENGINE)
        distance = _up(abs(enclosure - value).upper())
        limit = INFORMATIVE * max(1.0, _up(abs(value).upper())) if self.within is None else self.within
        detail = f"the enclosure {enclosure.str(12)} meets {value.str(12)}, distance at most {distance:.3g}"
        if not distance <= limit:
            detail = f"{detail}, more than {limit:.3g}"
            return Verdict(Status.INCONCLUSIVE, context.scope, detail, engine=ENGINE)
        return Verdict(Status.VERIFIED_WITHIN, context.scope, detail, delta=distance, engine=ENGINE)


@dataclass(frozen=True)
class EnclosureAtLeast(Claim):
    """A number known to lie in ``enclosure`` is at least ``floor``: PROVED, REFUTED, or INCONCLUSIVE where they overlap."""

    enclosure: Any
    floor: Any
    at: str = ""

    def decide(self, context: Context) -> Verdict:
        enclosure, floor = _ball("enclosure", self.enclosure), _ball("floor", self.floor)
        text = f"{_at(self.at)}{enclosure.str(12)} against the floor {floor.str(12)}"
        if enclosure >= floor:
            return Verdict(Status.PROVED, context.scope, text, engine=ENGINE)
        if enclosure < floor:
            return Verdict(Status.REFUTED, context.scope, "the enclosure lies below", text, engine=ENGINE)
        return Verdict(Status.INCONCLUSIVE, context.scope, f"{text}: they overlap", engine=ENGINE)


def integral(f: Integrand, a: Any, b: Any) -> flint.arb:
    """The integral of a real-analytic f over [a, b] (finite), enclosed.

    ``f(z, analytic)`` gets a complex ball and, if ``analytic``, must return a non-finite ball wherever it is not
    analytic on the whole of z (pass the flag on: ``z.sqrt(analytic=analytic)``, ``z.log(analytic=analytic)``).
    """
    result = flint.acb.integral(f, flint.acb(a), flint.acb(b))
    return result.real


def gaussian_tail(x: Any) -> flint.arb:
    """P(N(0, 1) > x), enclosed."""
    return (flint.arb(x) / flint.arb(2).sqrt()).erfc() / 2


def _ball(name: str, value: Any) -> flint.arb:
    if isinstance(value, bool):
        raise ValueError(f"{name} = {value!r}, expected a real ball or an exact number")
    return flint.arb(value)


def _up(bound: flint.arb) -> float:
    """An upper bound as a float that is not below it."""
    return math.nextafter(float(bound), math.inf) if bound != 0 else 0.0


def _at(text: str) -> str:
    return f"{text}: " if text else ""
