"""Claims about a whole distribution function.

Refuted: the band of Dvoretzky, Kiefer and Wolfowitz around the sampled distribution function, with Massart's constant,
leaves out F(x) or F(x-) somewhere; looks at n0 2^k draws, each with its own part alpha_k of alpha.
Verified within delta: if the true F were off by delta or more, it would be so at one fixed point x or x-, where the
number of draws is binomial. There the claims "F is F0 + delta" and "F is F0 - delta" are put to the likelihood ratio of
F0 against them, an e-process; at every point both must be refuted at alpha. For a claim that is off it is enough to
survive at its one point, so no union over points is needed, nor, by Ville's inequality, one over looks.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.montecarlo.arguments import fraction, function
from mdnn_verify.engines.montecarlo.bets import Array
from mdnn_verify.engines.montecarlo.draws import BLOCK, SETUP_BLOCK, Draw, block_of, refuse_dependence, required_alpha
from mdnn_verify.engines.montecarlo.report import ENGINE, log10, speed
from mdnn_verify.engines.montecarlo.sequential import budget_for, shortage
from mdnn_verify.engines.montecarlo.steps import (
    Function,
    Steps,
    distance,
    dkw_radius,
    log_inverse_p,
    log_shifted,
    merged,
    share,
    steps_of,
)
from mdnn_verify.pictures import Curve, Curves, describe
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["CdfEqual"]

MOST_POINTS = 200
GROWTH = 1.05  # from one look at the shifted claims to the next, which costs more than a few draws


@dataclass(frozen=True)
class CdfEqual(Claim):
    """Independent draws have the distribution function ``cdf``, left limits ``cdf_left``, up to ``within`` everywhere.

    Both functions take increasing points, float64 of shape (k,), and return numbers in [0, 1] of that shape on the same
    device. ``cdf`` is non-decreasing and right-continuous; what shows of that at the drawn points is checked.
    """

    draw: Draw
    cdf: Function
    cdf_left: Function
    within: float = 0.01

    def __post_init__(self) -> None:
        function("draw", self.draw)
        function("cdf", self.cdf)
        function("cdf_left", self.cdf_left)
        fraction("within", self.within)

    def decide(self, context: Context) -> Verdict:
        alpha = required_alpha(context)
        run = _simulate(self, context, alpha)
        refuse_dependence(self.draw, context)
        return _report(run, self, context, alpha)


@dataclass
class _Run:
    """What is known so far; ``against`` and ``shifted`` are natural logarithms."""

    budget: int
    draws: int = 0
    looks: int = 0
    against: float = -math.inf
    shifted: tuple[float, float] = (-math.inf, -math.inf)
    steps: Steps | None = None
    seconds: float = 0.0
    lacking: str = ""

    def status(self, alpha: float) -> Status:
        if self.against >= -math.log(alpha):
            return Status.REFUTED
        return Status.VERIFIED_WITHIN if min(self.shifted) >= -math.log(alpha) else Status.INCONCLUSIVE


def _simulate(claim: CdfEqual, context: Context, alpha: float) -> _Run:
    start, delta = time.perf_counter(), claim.within
    run = _Run(budget_for(2.5 * math.log(5 / alpha) * 0.25 / delta**2))
    waiting: list[Steps] = []
    band_at, shifted_at = BLOCK, _earliest(alpha, delta)
    while run.status(alpha) is Status.INCONCLUSIVE and not run.lacking:
        draws = block_of(claim.draw, context, SETUP_BLOCK + 1 + run.draws // BLOCK)
        waiting.append(steps_of(draws, claim.cdf, claim.cdf_left, context.name))
        run.draws += BLOCK
        run.lacking = shortage(run.draws, run.budget, start, context)
        if run.draws < min(band_at, shifted_at) and not run.lacking:
            continue
        run.steps, waiting = merged([*([run.steps] if run.steps else []), *waiting], context.name), []
        if run.draws >= band_at:
            run.against = max(run.against, float(log_inverse_p(run.steps, run.looks)))
            run.looks, band_at = run.looks + 1, 2 * band_at
        if run.draws >= shifted_at or run.lacking:
            plus, minus = log_shifted(run.steps, delta)
            run.shifted, shifted_at = (float(plus), float(minus)), math.ceil(GROWTH * run.draws)
    run.seconds = time.perf_counter() - start
    return run


def _earliest(alpha: float, delta: float) -> int:
    """When the first look at the shifted claims pays.

    With sup |F_n - F0| = K / sqrt(n), they are refuted about where
    sqrt(n) delta = K + sqrt(K^2 + log(1/alpha) / 2), and K is below 0.5 with probability 0.04 (Kolmogorov). Laws
    with few atoms may be decided sooner; they wait.
    """
    return math.ceil((0.5 + math.sqrt(0.25 + math.log(1 / alpha) / 2)) ** 2 / delta**2)


def _report(run: _Run, claim: CdfEqual, context: Context, alpha: float) -> Verdict:
    steps, status, delta = run.steps, run.status(alpha), float(claim.within)
    if steps is None:
        raise RuntimeError(f"{context.name}: no look was taken, though one follows the first block")
    radius = dkw_radius(steps.n, share(alpha, max(run.looks - 1, 0)))
    return Verdict(
        status,
        context.scope,
        _sentence(run, steps, status, radius, delta, alpha),
        counterexample=_worst(steps, alpha) if status is Status.REFUTED else "",
        delta=delta if status is Status.VERIFIED_WITHIN else None,
        engine=ENGINE,
        evidence=_numbers(run, steps, radius, delta, alpha) | {"device": context.device},
        pictures=(describe(_picture(steps, radius, alpha)),),
    )


def _numbers(run: _Run, steps: Steps, radius: float, delta: float, alpha: float) -> dict[str, Any]:
    return {
        "draws": run.draws,
        "distance": float(distance(steps)),
        "half_width": radius,
        "half_width_over_scale": radius,
        "delta": delta,
        "alpha": alpha,
        "inverse_p_value_against": log10(run.against),
        "e_values_of_shifted_claims": {"plus_delta": log10(run.shifted[0]), "minus_delta": log10(run.shifted[1])},
        "assumption": "the draws are independent; cdf is non-decreasing and right-continuous, cdf_left its left limits",
        "bound_ratio": run.draws * delta**2 / (0.5 * math.log(1 / alpha)),  # an indicator's variance is at most 1/4
        "budget": run.budget,
        "draws_per_second": speed(run.draws, run.seconds),
    }


def _sentence(run: _Run, steps: Steps, status: Status, radius: float, delta: float, alpha: float) -> str:
    far = float(distance(steps))
    said = f"over {run.draws:,} draws the sampled distribution function is {far:.2g} from the claimed one"
    if status is Status.VERIFIED_WITHIN:
        return f"{said}, which holds within {delta:.3g}, up to an error probability of {alpha:.2g}"
    if status is Status.REFUTED:
        return f"{said}, which its band of half-width {radius:.2g} excludes"
    return f"{said}; the {run.lacking} ran out before this was decided within {delta:.3g}"


def _worst(steps: Steps, alpha: float) -> str:
    """Where sample and claim differ most."""
    right, left = np.abs(steps.upto / steps.n - steps.cdf), np.abs(steps.before / steps.n - steps.cdf_left)
    i = int(np.maximum(right, left).argmax())
    relation, count, claimed = (
        ("<=", steps.upto, steps.cdf) if right[i] >= left[i] else ("<", steps.before, steps.cdf_left)
    )
    return (
        f"P(X {relation} {steps.values[i]:.6g}): sampled {count[i] / steps.n:.6g} in {steps.n:,} draws, "
        f"claimed {claimed[i]:.6g} (error probability {alpha:.2g})"
    )


def _picture(steps: Steps, radius: float, alpha: float) -> Curves:
    chosen = np.unique(np.linspace(0, len(steps.values) - 1, MOST_POINTS).round().astype(int))
    x, sampled = steps.values[chosen].tolist(), steps.upto[chosen] / steps.n

    def within_unit(y: Array) -> list[float]:
        return [float(value) for value in np.clip(y, 0, 1)]

    curves = [
        Curve(f"band, alpha = {alpha:.1g}", x, within_unit(sampled - radius), within_unit(sampled + radius), "band"),
        Curve("sampled", x, sampled.tolist(), style="step"),
        Curve("claimed", x, steps.cdf[chosen].tolist(), style="step"),
    ]
    return Curves("Sampled distribution function with its band, and the claimed one", "x", "F(x)", curves)
