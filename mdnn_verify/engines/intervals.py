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
_CIRCLES = ((0.5, 12), (0.875, 40))  # radius as a share of the ball's, number of nodes
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
        limit = INFORMATIVE * max(1.0, _up(abs(value).upper()))
        limit = limit if self.within is None else min(limit, self.within)
        detail = f"the enclosure {enclosure.str(12)} meets {value.str(12)}, distance at most {distance:.3g}"
        if not distance <= limit:
            detail = f"{detail}, more than {limit:.3g}"
            return Verdict(Status.INCONCLUSIVE, context.scope, detail, engine=ENGINE)
        return Verdict(Status.VERIFIED_WITHIN, context.scope, detail, delta=distance, engine=ENGINE)


@dataclass(frozen=True)
class EnclosureAtLeast(Claim):
    """A number known to lie in ``enclosure`` is at least ``floor``; INCONCLUSIVE if the two overlap."""

    enclosure: Any
    floor: Any
    at: str = ""

    def decide(self, context: Context) -> Verdict:
        enclosure, floor = _ball("enclosure", self.enclosure), _ball("floor", self.floor)
        text = f"{_at(self.at)}{enclosure.str(12)} against the floor {floor.str(12)}"
        if not floor.is_finite():
            return Verdict(Status.INCONCLUSIVE, context.scope, f"{text}: an infinite floor says nothing", engine=ENGINE)
        if enclosure >= floor:
            return Verdict(Status.PROVED, context.scope, text, engine=ENGINE)
        if enclosure < floor:
            return Verdict(Status.REFUTED, context.scope, "the enclosure lies below", text, engine=ENGINE)
        return Verdict(Status.INCONCLUSIVE, context.scope, f"{text}: they overlap", engine=ENGINE)


def integral(f: Integrand, a: Any, b: Any) -> flint.arb:
    """The integral over [a, b] (finite) of a function that is real there, enclosed; not finite if FLINT gives up.

    ``f(z, analytic)`` gets a complex ball and, if ``analytic``, must return a non-finite ball wherever it is not
    analytic on the whole of z (pass the flag on: ``z.sqrt(analytic=analytic)``, ``z.log(analytic=analytic)``); an
    integrand that forgets this makes the enclosure wrong. ValueError where that is found out (see ``_breaks_contract``)
    and where the result is not real.
    """

    def watched(z: flint.acb, analytic: bool) -> flint.acb:
        value = flint.acb(f(z, analytic))
        if analytic and value.is_finite() and _breaks_contract(f, z, value):
            raise ValueError(
                "the integrand claims to be analytic where it is not; "
                "it must pass the flag analytic on, as in z.sqrt(analytic=analytic)"
            )
        return value

    result = flint.acb.integral(watched, flint.acb(a), flint.acb(b))
    if result.is_finite() and not result.imag.contains(0):
        raise ValueError(f"the integral {result.str(12)} is not real")
    return result.real


def _breaks_contract(f: Integrand, z: flint.acb, value: flint.acb) -> bool:
    """Whether f is certainly not analytic on the ball z, where it says it is: a mean over a circle misses the centre.

    If f is analytic and |f| <= M on a disc of radius R, the mean of N equidistant values on the circle of radius q R
    differs from the value at the centre by at most M q^N / (1 - q^N) (Trefethen & Weideman 2014, Theorem 2.1).
    """
    radius = min(flint.arb(z.real.rad()), flint.arb(z.imag.rad()))
    if not radius > 0:
        return False
    centre = flint.acb(z.real.mid(), z.imag.mid())
    for share, nodes in _CIRCLES:
        q = flint.arb(share)
        step = 2 * flint.arb.pi() / nodes
        circle = (centre + radius * q * flint.acb((k * step).cos(), (k * step).sin()) for k in range(nodes))
        mean = sum((flint.acb(f(point, False)) for point in circle), flint.acb(0)) / nodes
        allowed = abs(value) * q**nodes / (1 - q**nodes)
        if abs(mean - f(centre, False)) > allowed:
            return True
    return False


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
