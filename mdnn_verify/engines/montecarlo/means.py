"""Claims about a mean: of bounded draws, with a proved variance bound, or of a law that is known up to a shift."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.montecarlo.arguments import finite, function, interval, positive, reason, tolerance
from mdnn_verify.engines.montecarlo.bets import Array, Bets, BoundedBets, CatoniBets, CGFBets
from mdnn_verify.engines.montecarlo.draws import Draw, refuse_dependence, required_alpha
from mdnn_verify.engines.montecarlo.report import report
from mdnn_verify.engines.montecarlo.sequential import Plan, simulate
from mdnn_verify.verdicts import Verdict

__all__ = ["BoundedMean", "CatoniMean", "KnownCGFMean", "MeanClaim", "PairedInequality"]

# multiples of delta / s^2 (delta / v for Catoni): about 1 suits a shifted claim, the large ones a grossly false one
STAKES = np.array([0.5, 1.0, 2.0, 6.0, 20.0])
CATONI_STAKES = np.array([1.0, 2.0, 8.0])
# multiples of delta where Catoni's sums are kept: the claims to be decided, and two more for the picture
NODES = np.array([-16.0, -1.0, 0.0, 1.0, 16.0])


class MeanClaim(Claim):
    """A claim that makes a plan and states what it assumes; every plan is carried out and reported in the same way."""

    @property
    @abstractmethod
    def assumption(self) -> str:
        """What the guarantee rests on, as a sentence."""

    @abstractmethod
    def plan(self, alpha: float) -> Plan:
        """How the claim is tested at ``alpha``."""

    def decide(self, context: Context) -> Verdict:
        alpha = required_alpha(context)
        plan = self.plan(alpha)
        run = simulate(plan, context, alpha)
        refuse_dependence(plan.draw, context)
        return report(plan, run, context, alpha, self.assumption)


@dataclass(frozen=True)
class BoundedMean(MeanClaim):
    """The mean of independent draws in [lo, hi] is ``equals``, within ``within * scale``.

    A claim outside [lo, hi] is legal and simply false. Raises ValueError naming a bad argument.
    """

    draw: Draw
    equals: float
    lo: float
    hi: float
    scale: float
    within: float = 0.01

    def __post_init__(self) -> None:
        function("draw", self.draw)
        finite("equals", self.equals)
        interval("lo", self.lo, "hi", self.hi)
        positive("scale", self.scale)
        tolerance("within", self.within)

    @property
    def assumption(self) -> str:
        return _bounded_assumption(self.lo, self.hi)

    def plan(self, alpha: float) -> Plan:
        return _bounded(self.draw, self.equals, self.lo, self.hi, self.scale, self.within, alpha)


@dataclass(frozen=True)
class CatoniMean(MeanClaim):
    """The mean of independent draws of variance at most ``variance_bound`` is ``equals``, within ``within * scale``.

    ``because`` says how the bound is proved: an understated one destroys the guarantee, and no sample can supply it.
    """

    draw: Draw
    equals: float
    variance_bound: float
    because: str
    scale: float
    within: float = 0.01

    def __post_init__(self) -> None:
        function("draw", self.draw)
        finite("equals", self.equals)
        positive("variance_bound", self.variance_bound)
        reason("because", self.because)
        positive("scale", self.scale)
        tolerance("within", self.within)

    @property
    def assumption(self) -> str:
        return _catoni_assumption(self.variance_bound, self.because)

    def plan(self, alpha: float) -> Plan:
        return _catoni(self.draw, self.equals, self.variance_bound, self.scale, self.within, alpha)


@dataclass(frozen=True)
class KnownCGFMean(MeanClaim):
    """The mean of independent draws whose law is known up to a shift is ``equals``, within ``within * scale``.

    ``cgf(t)`` is log E exp(t X) for an X of that law, infinite or NaN where it does not exist. Only its shape is
    used: it is centred first, so a false ``equals`` is refuted whether or not ``cgf`` was built from it.
    """

    draw: Draw
    equals: float
    cgf: Callable[[float], float]
    scale: float
    within: float = 0.01

    def __post_init__(self) -> None:
        function("draw", self.draw)
        finite("equals", self.equals)
        function("cgf", self.cgf)
        if not abs(float(self.cgf(0.0))) <= np.finfo(float).eps:
            raise ValueError(f"cgf(0) = {float(self.cgf(0.0))!r}, expected 0: cgf(t) is log E exp(t X)")
        positive("scale", self.scale)
        tolerance("within", self.within)

    @property
    def assumption(self) -> str:
        return "the draws are independent and have the stated cumulant generating function up to a shift"

    def plan(self, alpha: float) -> Plan:
        equals, scale, delta = float(self.equals), float(self.scale), float(self.scale) * float(self.within)

        def bets(variance: float | Array) -> Bets:
            return CGFBets(equals, _stakes(STAKES, delta, variance), self.cgf)

        return Plan(self.draw, equals, delta, scale, bets, lambda variance: _cost(variance, delta, alpha))


@dataclass(frozen=True)
class PairedInequality(MeanClaim):
    """E D >= 0 for draws D = A - B made with common random numbers; verified means E D >= -within * scale.

    Exactly one of ``support`` = (lo, hi) of D and a proved ``variance_bound`` with ``because`` is given.
    """

    draw: Draw
    scale: float
    support: tuple[float, float] | None = None
    variance_bound: float | None = None
    because: str = ""
    within: float = 0.01

    def __post_init__(self) -> None:
        function("draw", self.draw)
        positive("scale", self.scale)
        tolerance("within", self.within)
        if (self.support is None) == (self.variance_bound is None):
            raise ValueError("support and variance_bound: expected exactly one of them")
        if self.support is not None:
            interval("support[0]", self.support[0], "support[1]", self.support[1])
        else:
            positive("variance_bound", self.variance_bound)
            reason("because", self.because)

    @property
    def assumption(self) -> str:
        if self.support is not None:
            return _bounded_assumption(*self.support)
        return _catoni_assumption(self.variance_bound or 0.0, self.because)

    def plan(self, alpha: float) -> Plan:
        if self.support is not None:
            return _bounded(self.draw, 0.0, *self.support, self.scale, self.within, alpha, one_sided=True)
        variance = self.variance_bound or 0.0
        return _catoni(self.draw, 0.0, variance, self.scale, self.within, alpha, one_sided=True)


def _bounded(
    draw: Draw,
    equals: float,
    lo: float,
    hi: float,
    scale: float,
    within: float,
    alpha: float,
    *,
    one_sided: bool = False,
) -> Plan:
    equals, lo, hi, scale = float(equals), float(lo), float(hi), float(scale)
    delta = scale * float(within)
    cap = 0.5 / (max(hi - equals, equals - lo) + delta)

    def bets(variance: float | Array) -> Bets:
        return BoundedBets(equals, _stakes(STAKES, delta, variance), lo, hi)

    def expected(variance: float) -> float:
        # at the stake delta / s^2 this is 2.5 log(5/alpha) s^2 / delta^2; the cap makes it more
        stake = min(delta / max(variance, delta**2), cap)
        return 1.25 * math.log(5 / alpha) / (stake * delta - stake**2 * variance / 2)

    return Plan(draw, equals, delta, scale, bets, expected, lo, hi, one_sided)


def _catoni(
    draw: Draw, equals: float, variance: float, scale: float, within: float, alpha: float, *, one_sided: bool = False
) -> Plan:
    equals, scale, delta = float(equals), float(scale), float(scale) * float(within)
    bound = max(float(variance), delta**2)  # a larger bound is a bound, and keeps the stakes below 1 / delta
    bets = CatoniBets(equals, _stakes(CATONI_STAKES, delta, bound), bound, NODES * delta)
    return Plan(
        draw,
        equals,
        delta,
        scale,
        lambda _: bets,
        lambda _: _cost(bound, delta, alpha),
        one_sided=one_sided,
        stated_variance=bound,
    )


def _stakes(multiples: Array, delta: float, variance: float | Array) -> Array:
    return np.asarray(np.multiply.outer(multiples, delta / np.maximum(variance, delta**2)))


def _cost(variance: float, delta: float, alpha: float) -> float:
    return 2.5 * math.log(5 / alpha) * max(variance / delta**2, 1.0)


def _bounded_assumption(lo: float, hi: float) -> str:
    return f"the draws are independent and lie in [{float(lo):g}, {float(hi):g}] (every one is checked)"


def _catoni_assumption(variance: float, because: str) -> str:
    return f"the draws are independent and of variance at most {float(variance):g}: {because}"
