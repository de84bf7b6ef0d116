"""The sequential test of a mean: a pilot, blocks of draws with a look after each, and what may then be said."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from mdnn_verify.engines.base import Context
from mdnn_verify.engines.montecarlo.bets import Array, Bets
from mdnn_verify.engines.montecarlo.draws import BLOCK, SETUP_BLOCK, Draw, block_of
from mdnn_verify.verdicts import Status

__all__ = ["BUDGET", "HARD_CAP", "Evidence", "Plan", "Run", "budget_for", "evidence", "shortage", "simulate"]

BUDGET = 20  # times the expected cost
HARD_CAP = 200_000_000  # draws
LEAST_BLOCKS = 8
MOST_LOOKS_KEPT = 512


@dataclass(frozen=True)
class Evidence:
    """Natural logarithms of e-values: against the claim, and against the mean being off by +delta and by -delta."""

    against: Array
    plus_delta: Array
    minus_delta: Array

    def or_earlier(self, earlier: Evidence) -> Evidence:
        """The largest values so far: Ville's inequality bounds the supremum, so evidence once reached is kept."""
        return Evidence(
            np.maximum(self.against, earlier.against),
            np.maximum(self.plus_delta, earlier.plus_delta),
            np.maximum(self.minus_delta, earlier.minus_delta),
        )

    def refuted(self, alpha: float) -> Array:
        return np.asarray(self.against >= -math.log(alpha))

    def verified(self, alpha: float) -> Array:
        return np.asarray(np.minimum(self.plus_delta, self.minus_delta) >= -math.log(alpha))

    def status(self, alpha: float) -> Status:
        """Both may hold at once, for a mean that is off by less than delta; the refutation then comes first."""
        if self.refuted(alpha):
            return Status.REFUTED
        return Status.VERIFIED_WITHIN if self.verified(alpha) else Status.INCONCLUSIVE


def evidence(bets: Bets, summary: Array, delta: float, one_sided: bool = False) -> Evidence:
    """What a summary says. One-sided, the claim is "the mean is at least equals"; only -delta is a shifted claim."""
    minus = bets.log_e(summary, -delta, +1)
    if one_sided:
        return Evidence(bets.log_e(summary, 0.0, -1), np.full_like(minus, np.inf), minus)
    return Evidence(bets.log_against(summary), bets.log_e(summary, delta, -1), minus)


@dataclass(frozen=True)
class Plan:
    """How a claim about a mean is tested; ``bets`` makes the stakes, ``expected`` the cost from a pilot's variance.

    ``stated_variance`` is the proved bound that the test rests on, None where it finds the variance itself.
    """

    draw: Draw
    equals: float
    delta: float
    scale: float
    bets: Callable[[float | Array], Bets]
    expected: Callable[[float], float]
    lo: float = -math.inf
    hi: float = math.inf
    one_sided: bool = False
    stated_variance: float | None = None


@dataclass(frozen=True)
class Run:
    """A finished simulation. ``looks`` are summaries, the last one of all draws; ``draws`` counts the pilot too."""

    status: Status
    bets: Bets
    largest: Evidence
    looks: tuple[Array, ...]
    draws: int
    budget: int
    seconds: float
    ran_out_of: str


def simulate(plan: Plan, context: Context, alpha: float) -> Run:
    """Draw until the claim is refuted, or both shifted claims are, or the budget or the time is used up."""
    start = time.perf_counter()
    variance = float(_block(plan, context, SETUP_BLOCK).var(correction=0))
    bets, budget = plan.bets(variance), budget_for(plan.expected(variance))
    summary, drawn, lacking = np.zeros(1), BLOCK, ""
    largest = Evidence(*[np.asarray(-np.inf)] * 3)
    looks: list[Array] = []
    while largest.status(alpha) is Status.INCONCLUSIVE and not lacking:
        summary = bets.summary(_block(plan, context, drawn // BLOCK)) + (summary if looks else 0.0)
        drawn += BLOCK
        largest = evidence(bets, summary, plan.delta, plan.one_sided).or_earlier(largest)
        looks = [*looks[::2], summary] if len(looks) >= MOST_LOOKS_KEPT else [*looks, summary]
        lacking = shortage(drawn, budget, start, context)
    status = largest.status(alpha)
    return Run(status, bets, largest, tuple(looks), drawn, budget, time.perf_counter() - start, lacking)


def budget_for(expected: float) -> int:
    """How many draws a claim gets: a multiple of its expected cost, under a hard cap."""
    return int(min(HARD_CAP, max(LEAST_BLOCKS * BLOCK, BUDGET * expected)))


def shortage(drawn: int, budget: int, start: float, context: Context) -> str:
    """What has run out, "budget" or "time"; empty while there is enough of both."""
    if drawn >= budget:
        return "budget"
    return "time" if time.perf_counter() - start > context.timeout else ""


def _block(plan: Plan, context: Context, block: int) -> torch.Tensor:
    return block_of(plan.draw, context, block, lo=plan.lo, hi=plan.hi)
