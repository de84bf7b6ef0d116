"""The sequential test of a mean: pilot, blocks of draws, a look after each, and what may then be said."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from mdnn_verify.engines.base import Context
from mdnn_verify.engines.montecarlo.bets import Array, Bets
from mdnn_verify.engines.montecarlo.draws import Draw, block_of
from mdnn_verify.verdicts import Status

__all__ = ["BUDGET", "HARD_CAP", "Evidence", "Plan", "Run", "evidence", "simulate"]

BUDGET = 20  # times the expected cost
HARD_CAP = 200_000_000  # draws

MOST_LOOKS_KEPT = 400


@dataclass(frozen=True)
class Evidence:
    """Natural logarithms of e-values: against the claim, and against the mean being off by +delta and by -delta."""

    against: Array
    too_high: Array
    too_low: Array


def evidence(bets: Bets, summary: Array, delta: float, one_sided: bool = False) -> Evidence:
    """What a summary says. One-sided, the claim is "the mean is at least ``equals``" and only -delta is a shifted claim."""
    too_low = bets.log_e(summary, -delta, +1)
    if one_sided:
        return Evidence(bets.log_e(summary, 0.0, -1), np.full_like(too_low, np.inf), too_low)
    return Evidence(bets.log_against(summary), bets.log_e(summary, delta, -1), too_low)


@dataclass(frozen=True)
class Plan:
    """How one claim about a mean is to be tested; ``bets`` and ``expected`` make the bets and the cost from a pilot variance."""

    draw: Draw
    equals: float
    delta: float
    scale: float
    bets: Callable[[float], Bets]
    expected: Callable[[float], float]
    lo: float = -np.inf
    hi: float = np.inf
    one_sided: bool = False


@dataclass
class Run:
    """A finished simulation: its status, its last summary, the largest evidence of each kind, and all looks."""

    status: Status
    bets: Bets
    summary: Array
    largest: Evidence
    draws: int
    budget: int
    seconds: float
    ran_out_of: str = ""
    looks: list[Array] = field(default_factory=list)


def simulate(plan: Plan, context: Context, alpha: float) -> Run:
    """Draw until the claim is refuted, or both shifted claims are, or the budget (or the time) is used up.

    Each e-value counts with the largest value it ever had: Ville's inequality bounds the supremum, not only the last value.
    """
    start = time.perf_counter()
    pilot = _block(plan, context, 0)
    variance = float(pilot.var(correction=0))
    bets = plan.bets(variance)
    budget = int(min(HARD_CAP, max(8 * len(pilot), BUDGET * plan.expected(variance))))
    summary, block, drawn = np.zeros(0), 1, len(pilot)
    largest, looks = Evidence(*(np.float64(-np.inf) for _ in range(3))), []
    status, ran_out_of = Status.INCONCLUSIVE, ""
    while status is Status.INCONCLUSIVE and not ran_out_of:
        draws = _block(plan, context, block)
        part = bets.summary(draws)
        summary = part if block == 1 else summary + part
        drawn, block = drawn + len(draws), block + 1
        now = evidence(bets, summary, plan.delta, plan.one_sided)
        largest = Evidence(*(np.maximum(a, b) for a, b in zip(_values(largest), _values(now), strict=True)))
        looks.append(summary)
        looks = looks if len(looks) < MOST_LOOKS_KEPT else looks[1::2]
        status = _status(largest, alpha)
        if drawn >= budget:
            ran_out_of = "budget"
        elif time.perf_counter() - start > context.timeout:
            ran_out_of = "time"
    if looks[-1] is not summary:
        looks.append(summary)
    return Run(status, bets, summary, largest, drawn, budget, time.perf_counter() - start, ran_out_of, looks)


def _status(largest: Evidence, alpha: float) -> Status:
    needed = -np.log(alpha)
    if largest.against >= needed:
        return Status.REFUTED
    if min(largest.too_high, largest.too_low) >= needed:
        return Status.VERIFIED_WITHIN
    return Status.INCONCLUSIVE


def _block(plan: Plan, context: Context, block: int) -> torch.Tensor:
    return block_of(plan.draw, context, block, lo=plan.lo, hi=plan.hi)


def _values(evidence: Evidence) -> tuple[Array, Array, Array]:
    return evidence.against, evidence.too_high, evidence.too_low
