"""Claims about a mean: of bounded draws, of draws with a proved variance bound, of draws whose law is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.montecarlo.arguments import finite, positive, support
from mdnn_verify.engines.montecarlo.bets import Bets, BoundedBets, CatoniBets, CGFBets
from mdnn_verify.engines.montecarlo.draws import Draw, required_alpha
from mdnn_verify.engines.montecarlo.report import report
from mdnn_verify.engines.montecarlo.sequential import Plan, simulate
from mdnn_verify.verdicts import Verdict

__all__ = ["BoundedMean", "CatoniMean", "KnownCGFMean", "PairedInequality"]

STAKES = np.array([0.5, 1.0, 2.0, 6.0, 20.0])
CATONI_STAKES = np.array([1.0, 2.0, 8.0])
NODES = np.array([-16.0, -1.0, 0.0, 1.0, 16.0])


class _Mean(Claim):
    """A claim that makes a plan; the plan is carried out and reported in the same way for all."""

    assumption: str

    def plan(self, alpha: float) -> Plan:
        raise NotImplementedError

    def decide(self, context: Context) -> Verdict:
        alpha = required_alpha(context)
        plan = self.plan(alpha)
        return report(plan, simulate(plan, context, alpha), context, alpha, self.assumption)


@dataclass(frozen=True)
class BoundedMean(_Mean):
    """The mean of draws in [lo, hi] is ``equals``, within ``within * scale``. Raises ValueError naming a bad argument."""

    draw: Draw
    equals: float
    lo: float
    hi: float
    scale: float
    within: float = 0.01

    def __post_init__(self) -> None:
        finite("equals", self.equals), support(self.lo, self.hi), positive("scale", self.scale), positive("within", self.within)

    @property
    def assumption(self) -> str:  # type: ignore[override]
        return f"every draw lies in [{float(self.lo):g}, {float(self.hi):g}] (checked at every draw)"

    def plan(self, alpha: float) -> Plan:
        return _bounded(self.draw, self.equals, self.lo, self.hi, self.scale, self.within, alpha)


@dataclass(frozen=True)
class CatoniMean(_Mean):
    """The mean of draws of variance at most ``variance_bound`` is ``equals``; ``because`` says how the bound is proved."""

    draw: Draw
    equals: float
    variance_bound: float
    because: str
    scale: float
    within: float = 0.01

    def __post_init__(self) -> None:
        finite("equals", self.equals), positive("variance_bound", self.variance_bound)
        positive("scale", self.scale), positive("within", self.within), _stated(self.because)

    @property
    def assumption(self) -> str:  # type: ignore[override]
        return f"the variance is at most {float(self.variance_bound):g}: {self.because}"

    def plan(self, alpha: float) -> Plan:
        return _catoni(self.draw, self.equals, self.variance_bound, self.scale, self.within, alpha)


@dataclass(frozen=True)
class KnownCGFMean(_Mean):
    """The mean of draws whose law is known up to a shift is ``equals``.

    ``cgf(t)`` is log E exp(t X) for one X of that law, infinite or NaN where it does not exist. Only its shape is used: it
    is centred first, so a false ``equals`` is refuted whether or not ``cgf`` was built from it.
    """

    draw: Draw
    equals: float
    cgf: Callable[[float], float]
    scale: float
    within: float = 0.01
    assumption = "the draws have the stated cumulant generating function up to a shift"

    def __post_init__(self) -> None:
        finite("equals", self.equals), positive("scale", self.scale), positive("within", self.within)

    def plan(self, alpha: float) -> Plan:
        delta = float(self.scale) * float(self.within)

        def bets(variance: float) -> Bets:
            stakes = STAKES * delta / max(variance, delta**2)
            return CGFBets(float(self.equals), stakes, lambda t: centred(self.cgf, t))

        return Plan(self.draw, float(self.equals), delta, float(self.scale), bets, lambda s2: _cost(s2, delta, alpha))


@dataclass(frozen=True)
class PairedInequality(_Mean):
    """E D >= 0 for draws D = A - B made with common random numbers; verified means E D >= -within * scale.

    Give either ``support`` = (lo, hi) of D or a proved ``variance_bound`` with ``because``.
    """

    draw: Draw
    scale: float
    support: tuple[float, float] | None = None
    variance_bound: float | None = None
    because: str = ""
    within: float = 0.01

    def __post_init__(self) -> None:
        positive("scale", self.scale), positive("within", self.within)
        if (self.support is None) == (self.variance_bound is None):
            raise ValueError("support and variance_bound: expected exactly one of them")
        if self.support is not None:
            support(*self.support)
        else:
            positive("variance_bound", self.variance_bound), _stated(self.because)

    @property
    def assumption(self) -> str:  # type: ignore[override]
        if self.support is not None:
            return f"every difference lies in [{self.support[0]:g}, {self.support[1]:g}] (checked at every draw)"
        return f"the variance is at most {float(self.variance_bound or 0):g}: {self.because}"

    def plan(self, alpha: float) -> Plan:
        if self.support is not None:
            return _bounded(self.draw, 0.0, *self.support, self.scale, self.within, alpha, one_sided=True)
        return _catoni(self.draw, 0.0, self.variance_bound or 0.0, self.scale, self.within, alpha, one_sided=True)


def centred(cgf: Callable[[float], float], t: float) -> float:
    """An upper bound on psi(t) - t psi'(0): by convexity the slope at 0 lies between those of the chords next to it."""
    step = -math.copysign(1e-4, t) * abs(t)
    value, chord = float(cgf(t)), float(cgf(step))
    return value - t * chord / step if math.isfinite(value) and math.isfinite(chord) else math.inf


def _bounded(
    draw: Draw, equals: float, lo: float, hi: float, scale: float, within: float, alpha: float, one_sided: bool = False
) -> Plan:
    equals, lo, hi, scale = float(equals), float(lo), float(hi), float(scale)
    delta = scale * float(within)
    widest = 0.5 / max(hi - lo, hi - equals, equals - lo)

    def bets(variance: float) -> Bets:
        return BoundedBets(equals, STAKES * delta / max(variance, delta**2), lo, hi)

    def expected(variance: float) -> float:
        stake = min(delta / max(variance, delta**2), widest)
        return 1.25 * math.log(5 / alpha) / (stake * delta - stake**2 * variance / 2)

    return Plan(draw, equals, delta, scale, bets, expected, lo, hi, one_sided)


def _catoni(
    draw: Draw, equals: float, variance: float, scale: float, within: float, alpha: float, one_sided: bool = False
) -> Plan:
    equals, scale, delta = float(equals), float(scale), float(scale) * float(within)
    v = max(float(variance), delta**2)
    bets = CatoniBets(equals, CATONI_STAKES * delta / v, v, NODES * delta)
    return Plan(draw, equals, delta, scale, lambda _: bets, lambda _: _cost(v, delta, alpha), one_sided=one_sided)


def _cost(variance: float, delta: float, alpha: float) -> float:
    return 2.5 * math.log(5 / alpha) * max(variance / delta**2, 1.0)


def _stated(because: str) -> None:
    if not because.strip():
        raise ValueError("because is empty, expected the derivation of variance_bound")
