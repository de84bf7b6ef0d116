"""What a finished simulation says: a sentence, numbers, and the picture of its confidence sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdnn_verify.engines.base import Context
from mdnn_verify.engines.montecarlo.bets import Array, Bets
from mdnn_verify.engines.montecarlo.sequential import Plan, Run
from mdnn_verify.pictures import Curve, Curves, describe
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["band", "report"]

MOST_POINTS = 60
HALVINGS = 40


def report(plan: Plan, run: Run, context: Context, alpha: float, assumption: str) -> Verdict:
    """The verdict on a claim about a mean."""
    looks = _thinned(run.looks)
    low, high = band(run.bets, looks, alpha, plan.delta)
    evidence = _numbers(plan, run, context, alpha, assumption, (high[-1] - low[-1]) / 2)
    refuted, verified = run.status is Status.REFUTED, run.status is Status.VERIFIED_WITHIN
    sentence = _sentence(plan, run, evidence, alpha)
    return Verdict(
        run.status,
        context.scope,
        sentence,
        counterexample=_shown(plan, evidence, alpha) if refuted else "",
        delta=plan.delta if verified else None,
        engine="montecarlo",
        evidence=evidence,
        pictures=(describe(_picture(plan, looks, low, high, alpha)),),
    )


def band(bets: Bets, looks: Array, alpha: float, delta: float) -> tuple[Array, Array]:
    """For each look (summary (k, looks)), all means that the evidence does not exclude at alpha lie in [low, high]."""
    centre = looks[1] / looks[0]
    return tuple(  # type: ignore[return-value]
        bets.equals + centre + side * _distance(bets, looks, alpha, delta, centre, side) for side in (-1, +1)
    )


def _distance(bets: Bets, looks: Array, alpha: float, delta: float, centre: Array, side: int) -> Array:
    """How far from the running mean one must go to be excluded, rounded outwards by bisection."""

    def excluded(distance: Array) -> Array:
        return np.asarray(bets.log_against(looks, centre + side * distance) >= -math.log(alpha))

    near, far = np.zeros_like(centre), np.full_like(centre, delta / 16)
    for _ in range(HALVINGS):
        far = np.where(excluded(far), far, 2 * far)
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        out = excluded(middle)
        near, far = np.where(out, near, middle), np.where(out, middle, far)
    return np.where(excluded(far), far, np.inf)


def _numbers(
    plan: Plan, run: Run, context: Context, alpha: float, assumption: str, half_width: float
) -> dict[str, Any]:
    n, total, squares = (float(value) for value in run.summary[:3])
    variance = max(squares / n - (total / n) ** 2, 0.0)
    bound = 2 * math.log(1 / alpha) * variance / plan.delta**2
    shifted = {"minus_delta": _log10(run.largest.too_low)}
    if not plan.one_sided:
        shifted["plus_delta"] = _log10(run.largest.too_high)
    return {
        "draws": run.draws,
        "mean": plan.equals + total / n,
        "standard_deviation": math.sqrt(variance),
        "half_width": half_width,
        "half_width_over_scale": half_width / plan.scale,
        "delta": plan.delta,
        "alpha": alpha,
        "e_value_against": _log10(run.largest.against),
        "e_values_of_shifted_claims": shifted,
        "assumption": assumption,
        "bound_ratio": run.draws / bound if bound > 0 else None,
        "budget": run.budget,
        "device": context.device,
        "draws_per_second": run.draws / max(run.seconds, 1e-9),
    }


def _sentence(plan: Plan, run: Run, evidence: dict[str, Any], alpha: float) -> str:
    mean = f"the mean of {run.draws:,} draws is {evidence['mean']:.6g} +- {evidence['half_width']:.2g}"
    claim = f"{'at least ' if plan.one_sided else ''}{plan.equals:.6g}"
    if run.status is Status.VERIFIED_WITHIN:
        return f"{mean}; the claimed {claim} holds within {plan.delta:.3g}, up to an error probability of {alpha:.2g}"
    if run.status is Status.REFUTED:
        return f"{mean}; the claimed {claim} is excluded with an e-value of 10^{evidence['e_value_against']:.1f}"
    return f"{mean}; the {run.ran_out_of} ran out before the claimed {claim} was decided within {plan.delta:.3g}"


def _shown(plan: Plan, evidence: dict[str, Any], alpha: float) -> str:
    relation = "at least " if plan.one_sided else ""
    return (
        f"mean {evidence['mean']:.6g} +- {evidence['half_width']:.2g} over {evidence['draws']:,} draws, "
        f"claimed {relation}{plan.equals:.6g} (error probability {alpha:.2g})"
    )


def _picture(plan: Plan, looks: Array, low: Array, high: Array, alpha: float) -> Curves:
    shown = np.isfinite(low) & np.isfinite(high)
    n = looks[0][shown].tolist()
    mean = (plan.equals + looks[1] / looks[0])[shown].tolist()
    ends = [n[0], n[-1]] if n else []
    levels = [("claimed", 0.0), ("claimed - delta", -plan.delta), ("claimed + delta", plan.delta)]
    levels = levels[:2] if plan.one_sided else levels
    curves = [
        Curve(f"confidence sequence, alpha = {alpha:.1g}", n, low[shown].tolist(), high[shown].tolist(), "band"),
        Curve("running mean", n, mean),
        *(Curve(label, ends, [plan.equals + shift for _ in ends]) for label, shift in levels),
    ]
    return Curves("Running mean with its confidence sequence", "draws", "mean", curves, log_x=True)


def _thinned(looks: list[Array]) -> Array:
    """At most MOST_POINTS looks, evenly spaced in log n, the last always among them; shape (k, looks)."""
    chosen = np.unique(np.geomspace(1, len(looks), MOST_POINTS).round().astype(int)) - 1
    return np.stack([looks[i] for i in chosen], axis=-1)


def _log10(log_e: Any) -> float:
    """Capped at what a reader can use and JSON can carry."""
    return float(np.clip(float(log_e) / math.log(10), -999.0, 999.0))
