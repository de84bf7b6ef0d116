"""What a finished simulation of a mean says: one sentence, the numbers behind it, and its confidence sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdnn_verify.engines.base import Context
from mdnn_verify.engines.montecarlo.bets import Array, Bets
from mdnn_verify.engines.montecarlo.sequential import Plan, Run
from mdnn_verify.pictures import Curve, Curves, describe
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["ENGINE", "band", "log10", "report", "speed"]

ENGINE = "montecarlo"
MOST_POINTS = 60
HALVINGS = 40
MOST_DIGITS = 999.0


def report(plan: Plan, run: Run, context: Context, alpha: float, assumption: str) -> Verdict:
    """The verdict on a claim about a mean."""
    looks = _thinned(run.looks)
    low, high = band(run.bets, looks, alpha, plan.delta)
    evidence = _numbers(plan, run, alpha, float(high[-1] - low[-1]) / 2)
    evidence |= {"assumption": assumption, "device": context.device}
    refuted, verified = run.status is Status.REFUTED, run.status is Status.VERIFIED_WITHIN
    return Verdict(
        run.status,
        context.scope,
        _sentence(plan, run, evidence),
        counterexample=_difference(plan, evidence) if refuted else "",
        delta=plan.delta if verified else None,
        engine=ENGINE,
        evidence=evidence,
        pictures=(describe(_picture(plan, looks, low, high, alpha)),),
    )


def band(bets: Bets, looks: Array, alpha: float, delta: float) -> tuple[Array, Array]:
    """For each look (summaries, shape (k, looks)): no mean outside [low, high] survives the evidence at alpha.

    All bands together hold the true mean with probability at least 1 - alpha. An end is infinite where none was found.
    """
    centre = looks[1] / looks[0]
    low, high = (bets.equals + centre + side * _distance(bets, looks, alpha, delta, centre, side) for side in (-1, +1))
    return low, high


def _distance(bets: Bets, looks: Array, alpha: float, delta: float, centre: Array, side: int) -> Array:
    """How far from the running mean a mean must lie to be excluded; bisection, rounded outwards."""

    def excluded(distance: Array) -> Array:
        return np.asarray(bets.log_against(looks, centre + side * distance) >= -math.log(alpha))

    near, far = np.zeros_like(centre), np.full_like(centre, delta / 16)
    for _ in range(HALVINGS):
        out = excluded(far)
        near, far = np.where(out, near, far), np.where(out, far, 2 * far)
        if out.all():
            break
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        out = excluded(middle)
        near, far = np.where(out, near, middle), np.where(out, middle, far)
    return np.where(excluded(far), far, np.inf)


def log10(log_e: Any) -> float:
    """A natural logarithm as a decimal one, cut where it has long ceased to matter: JSON has no infinity."""
    return float(np.clip(float(log_e) / math.log(10), -MOST_DIGITS, MOST_DIGITS))


def speed(draws: int, seconds: float) -> float:
    """Draws a second; a clock that did not move counts as a nanosecond."""
    return draws / max(seconds, 1e-9)


def _numbers(plan: Plan, run: Run, alpha: float, half_width: float) -> dict[str, Any]:
    n, total, squares = (float(value) for value in run.looks[-1][:3])
    variance = max(squares / n - (total / n) ** 2, 0.0)
    known = math.isfinite(half_width)
    shifted = {"minus_delta": log10(run.largest.minus_delta)}
    if not plan.one_sided:
        shifted["plus_delta"] = log10(run.largest.plus_delta)
    return {
        "draws": run.draws,
        "mean": plan.equals + total / n,
        "standard_deviation": math.sqrt(variance),
        "half_width": half_width if known else None,
        "half_width_over_scale": half_width / plan.scale if known else None,
        "delta": plan.delta,
        "alpha": alpha,
        "e_value_against": log10(run.largest.against),
        "e_values_of_shifted_claims": shifted,
        "bound_ratio": _ratio(run.draws, variance, plan.delta, alpha),
        "bound_ratio_of_stated_variance": _ratio(run.draws, plan.stated_variance, plan.delta, alpha),
        "budget": run.budget,
        "draws_per_second": speed(run.draws, run.seconds),
    }


def _ratio(draws: int, variance: float | None, delta: float, alpha: float) -> float | None:
    """Draws over 2 log(1/alpha) s^2 / delta^2; None where that is less than a single draw."""
    bound = 2 * math.log(1 / alpha) * (variance or 0.0) / delta**2
    return draws / bound if bound >= 1 else None


def _sentence(plan: Plan, run: Run, evidence: dict[str, Any]) -> str:
    mean = f"the mean of {run.draws:,} draws is {_mean(evidence)}"
    claim, alpha = _claimed(plan), evidence["alpha"]
    if run.status is Status.VERIFIED_WITHIN:
        return f"{mean}; the claimed {claim} holds within {plan.delta:.3g}, up to an error probability of {alpha:.2g}"
    if run.status is Status.REFUTED:
        return f"{mean}; the claimed {claim} is excluded with an e-value of 1e{evidence['e_value_against']:.1f}"
    return f"{mean}; the {run.ran_out_of} ran out before the claimed {claim} was decided within {plan.delta:.3g}"


def _difference(plan: Plan, evidence: dict[str, Any]) -> str:
    return (
        f"mean {_mean(evidence)} over {evidence['draws']:,} draws, claimed {_claimed(plan)} "
        f"(error probability {evidence['alpha']:.2g})"
    )


def _mean(evidence: dict[str, Any]) -> str:
    half_width = evidence["half_width"]
    return f"{evidence['mean']:.6g}" + ("" if half_width is None else f" +- {half_width:.2g}")


def _claimed(plan: Plan) -> str:
    return f"{'at least ' if plan.one_sided else ''}{plan.equals:.6g}"


def _picture(plan: Plan, looks: Array, low: Array, high: Array, alpha: float) -> Curves:
    shown = np.isfinite(low) & np.isfinite(high)
    n, mean = looks[0].tolist(), (plan.equals + looks[1] / looks[0]).tolist()
    levels = [("claimed", 0.0), ("claimed - delta", -plan.delta), ("claimed + delta", plan.delta)]
    shown_n, shown_low, shown_high = (array[shown].tolist() for array in (looks[0], low, high))
    curves = [
        Curve(f"confidence sequence, alpha = {alpha:.1g}", shown_n, shown_low, shown_high, "band"),
        Curve("running mean", n, mean),
        *(Curve(name, [n[0], n[-1]], [plan.equals + d] * 2) for name, d in (levels[:2] if plan.one_sided else levels)),
    ]
    return Curves("Running mean with its confidence sequence", "draws", "mean", curves, log_x=True)


def _thinned(looks: tuple[Array, ...]) -> Array:
    """At most MOST_POINTS looks, evenly spaced in log n, the last always among them; shape (k, looks)."""
    chosen = np.unique(np.geomspace(1, len(looks), MOST_POINTS).round().astype(int)) - 1
    return np.stack([looks[i] for i in chosen], axis=-1)
