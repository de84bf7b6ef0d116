"""Claims about a whole distribution function, exact at its jumps.

Refuted: the Dvoretzky-Kiefer-Wolfowitz band with Massart's constant around the sampled distribution function leaves out
F(x) or F(x-) somewhere; looks at n0 2^k draws, each at alpha_k = 6 alpha / (pi^2 (k + 1)^2).
Verified within delta: if the true F were off by delta or more, it would be so at one fixed point x (or x-), where the number
of draws up to x is binomial. So every point's shifted claims "F(x) = F0(x) +- delta" are put to the exact likelihood ratio
against F0(x), an e-process, and all of them must be refuted at alpha. No union over points is needed: one is enough to fail.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.montecarlo.arguments import positive
from mdnn_verify.engines.montecarlo.bets import Array
from mdnn_verify.engines.montecarlo.draws import BLOCK, BadDraws, Draw, block_of, required_alpha
from mdnn_verify.engines.montecarlo.sequential import BUDGET, HARD_CAP
from mdnn_verify.pictures import Curve, Curves, describe
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["CdfEqual", "Steps", "distance", "dkw_radius", "log_shifted", "steps_of"]

Function = Callable[[torch.Tensor], torch.Tensor]
MOST_POINTS = 200
GROWTH = 1.04  # between two looks for verification


@dataclass(frozen=True)
class Steps:
    """A sample against F: distinct values, draws up to (and before) each of n, F and F(x-) there."""

    n: int
    values: Array
    upto: Array
    before: Array
    cdf: Array
    cdf_left: Array


@dataclass(frozen=True)
class CdfEqual(Claim):
    """The draws have the distribution function ``cdf``, whose left limits are ``cdf_left``, within ``within`` everywhere.

    Both take a float64 tensor (k,) of increasing points and return one of the same shape, on the same device. ``cdf`` must be
    non-decreasing and right-continuous; what of that shows at the sampled points is checked.
    """

    draw: Draw
    cdf: Function
    cdf_left: Function
    within: float = 0.01

    def __post_init__(self) -> None:
        if positive("within", self.within) >= 1:
            raise ValueError(f"within = {self.within!r}, expected a number in (0, 1)")

    def decide(self, context: Context) -> Verdict:
        alpha = required_alpha(context)
        return _report(_simulate(self, context, alpha), self, context, alpha)


@dataclass
class _Run:
    status: Status
    steps: Steps
    draws: int
    budget: int
    seconds: float
    log_inverse_p: float
    log_shifted: tuple[float, float]
    looks: int
    blocks: list[torch.Tensor] = field(default_factory=list)
    ran_out_of: str = ""


def _simulate(claim: CdfEqual, context: Context, alpha: float) -> _Run:
    start = time.perf_counter()
    needed = math.log(1 / alpha)
    least = needed / (2 * claim.within**2)  # a sample without any deviation, at F = 1/2
    budget = int(min(HARD_CAP, max(8 * BLOCK, BUDGET * 0.625 * math.log(5 / alpha) / claim.within**2)))
    blocks: list[torch.Tensor] = []
    n, look, next_band, next_check = 0, 0, BLOCK, least
    inverse_p, shifted, status, ran_out_of = 0.0, (0.0, 0.0), Status.INCONCLUSIVE, ""
    while status is Status.INCONCLUSIVE and not ran_out_of:
        blocks.append(block_of(claim.draw, context, len(blocks)))
        n += BLOCK
        ran_out_of = "budget" if n >= budget else "time" if time.perf_counter() - start > context.timeout else ""
        if n < next_band and n < next_check and not ran_out_of:
            continue
        steps = steps_of(torch.cat(blocks), claim.cdf, claim.cdf_left, context.name)
        if n >= next_band:
            inverse_p = max(inverse_p, _log_inverse_p(n, distance(steps), look))
            look, next_band = look + 1, 2 * next_band
        if n >= next_check or ran_out_of:
            shifted, next_check = log_shifted(steps, claim.within), GROWTH * n
        if inverse_p >= needed:
            status = Status.REFUTED
        elif min(shifted) >= needed:
            status = Status.VERIFIED_WITHIN
    seconds = time.perf_counter() - start
    return _Run(status, steps, n, budget, seconds, inverse_p, shifted, look, blocks, ran_out_of)


def steps_of(draws: torch.Tensor, cdf: Function, cdf_left: Function, where: str = "draws") -> Steps:
    """Group ties and evaluate both functions at the distinct values. Raises BadDraws if they are not a distribution function."""
    values, counts = torch.unique(draws, sorted=True, return_counts=True)
    upto = counts.cumsum(0)
    right, left = _evaluated("cdf", cdf, values, where), _evaluated("cdf_left", cdf_left, values, where)
    # what float64 may lose between two evaluations of a non-decreasing function, far below any delta in use
    slack = 2.0**-40
    if bool((left > right + slack).any()) or bool((left[1:] < right[:-1] - slack).any()):
        raise BadDraws(f"{where}: cdf and cdf_left are not the values and left limits of one non-decreasing function")
    numpy = (tensor.cpu().numpy() for tensor in (values, upto, upto - counts, right, left))
    return Steps(len(draws), *(np.asarray(column, dtype=float) for column in numpy))


def _evaluated(name: str, function: Function, values: torch.Tensor, where: str) -> torch.Tensor:
    result = function(values)
    if not isinstance(result, torch.Tensor) or result.shape != values.shape:
        raise BadDraws(f"{where}: {name} returned {getattr(result, 'shape', type(result))}, expected {tuple(values.shape)}")
    bad = ~((result >= 0) & (result <= 1))
    if bool(bad.any()):
        i = int(bad.to(torch.int8).argmax())
        raise BadDraws(f"{where}: {name}({float(values[i])!r}) = {float(result[i])!r}, expected a number in [0, 1]")
    return result.to(torch.float64)


def distance(steps: Steps) -> float:
    """sup |F_n - F|, both the values and the left limits compared."""
    values = np.abs(steps.upto / steps.n - steps.cdf).max()
    return float(max(values, np.abs(steps.before / steps.n - steps.cdf_left).max()))


def dkw_radius(n: int, alpha: float) -> float:
    """P(sup |F_n - F| > radius) <= alpha (Massart 1990)."""
    return math.sqrt(math.log(2 / alpha) / (2 * n))


def share(alpha: float, look: int) -> float:
    """The part of alpha that look 0, 1, 2, ... may spend; all parts sum to alpha."""
    return 6 * alpha / (math.pi**2 * (look + 1) ** 2)


def _log_inverse_p(n: int, sup: float, look: int) -> float:
    """log of 1 / (the alpha at which this look would refute)."""
    return 2 * n * sup**2 - math.log(2) - math.log(1 / share(1.0, look))


def log_shifted(steps: Steps, delta: float) -> tuple[float, float]:
    """Smallest log e-value, over all points, against F = F0 + delta and against F = F0 - delta.

    Between two draws the count is constant and the e-value is monotone in F0, so its least value is at one end.
    """
    above = _log_ratio(np.append(steps.upto, 0), np.append(steps.cdf, 0.0), steps.n, delta)
    mirrored = np.append(steps.n - steps.before, 0), np.append(1 - steps.cdf_left, 0.0)
    return float(above.min()), float(_log_ratio(*mirrored, steps.n, delta).min())


def _log_ratio(count: Array, probability: Array, n: int, delta: float) -> Array:
    """log of P(count | probability) / P(count | probability + delta), infinite where the latter cannot be."""
    shifted = probability + delta
    shifted = np.where(np.abs(shifted - 1) <= 8 * np.finfo(float).eps, 1.0, shifted)
    with np.errstate(divide="ignore", invalid="ignore"):
        hits = np.where(count > 0, count * np.log(probability / shifted), 0.0)
        misses = np.where(count < n, (n - count) * (np.log1p(-probability) - np.log1p(-shifted)), 0.0)
    return np.where(shifted > 1, np.inf, np.where(np.isnan(misses), np.inf, misses) + hits)


def _report(run: _Run, claim: CdfEqual, context: Context, alpha: float) -> Verdict:
    sup, n = distance(run.steps), run.steps.n
    radius = dkw_radius(n, share(alpha, max(run.looks - 1, 0)))
    log10 = math.log(10)
    evidence = {
        "draws": run.draws,
        "distance": sup,
        "half_width": radius,
        "half_width_over_scale": radius,
        "delta": float(claim.within),
        "alpha": alpha,
        "inverse_p_value_against": run.log_inverse_p / log10,
        "e_values_of_shifted_claims": {
            "plus_delta": min(run.log_shifted[0] / log10, 999.0),
            "minus_delta": min(run.log_shifted[1] / log10, 999.0),
        },
        "assumption": "the draws are independent; cdf is non-decreasing and right-continuous, cdf_left its left limits",
        "bound_ratio": run.draws / (0.5 * math.log(1 / alpha) / claim.within**2),  # s^2 <= 1/4
        "budget": run.budget,
        "device": context.device,
        "draws_per_second": run.draws / max(run.seconds, 1e-9),
    }
    said = f"over {n:,} draws the sampled distribution function is at most {sup:.2g} from the claimed one"
    endings = {
        Status.VERIFIED_WITHIN: f"; it holds within {claim.within:.3g}, up to an error probability of {alpha:.2g}",
        Status.REFUTED: f"; the band of half-width {radius:.2g} excludes it",
        Status.INCONCLUSIVE: f"; the {run.ran_out_of} ran out before this was decided within {claim.within:.3g}",
    }
    verified, refuted = run.status is Status.VERIFIED_WITHIN, run.status is Status.REFUTED
    return Verdict(
        run.status,
        context.scope,
        said + endings[run.status],
        counterexample=_worst(run.steps, alpha) if refuted else "",
        delta=float(claim.within) if verified else None,
        engine="montecarlo",
        evidence=evidence,
        pictures=(describe(_picture(run.steps, radius, alpha)),),
    )


def _worst(steps: Steps, alpha: float) -> str:
    """Where sample and claim differ most."""
    right, left = np.abs(steps.upto / steps.n - steps.cdf), np.abs(steps.before / steps.n - steps.cdf_left)
    i = int(np.maximum(right, left).argmax())
    at_right = right[i] >= left[i]
    share_of, claimed = (steps.upto[i], steps.cdf[i]) if at_right else (steps.before[i], steps.cdf_left[i])
    return (
        f"P(X {'<=' if at_right else '<'} {steps.values[i]:.6g}): sampled {share_of / steps.n:.6g} in {steps.n:,} draws, "
        f"claimed {claimed:.6g} (error probability {alpha:.2g})"
    )


def _picture(steps: Steps, radius: float, alpha: float) -> Curves:
    chosen = np.unique(np.linspace(0, len(steps.values) - 1, MOST_POINTS).round().astype(int))
    x, sampled = steps.values[chosen].tolist(), steps.upto[chosen] / steps.n
    low, high = np.clip(sampled - radius, 0, 1).tolist(), np.clip(sampled + radius, 0, 1).tolist()
    curves = [
        Curve(f"sampled, band at alpha = {alpha:.1g}", x, low, high, "band"),
        Curve("sampled", x, sampled.tolist(), style="step"),
        Curve("claimed", x, steps.cdf[chosen].tolist(), style="step"),
    ]
    return Curves("Sampled distribution function with its band", "x", "F(x)", curves)
