"""A deterministic statement on random instances: how often could it fail, given that it never did?"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.montecarlo.arguments import fraction, function
from mdnn_verify.engines.montecarlo.draws import (
    BLOCK,
    SETUP_BLOCK,
    Draw,
    block_of,
    offending,
    refuse_dependence,
    required_alpha,
)
from mdnn_verify.engines.montecarlo.report import ENGINE, speed
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["NeverViolated", "instances_needed"]


@dataclass(frozen=True)
class NeverViolated(Claim):
    """On every random instance the residual stays within its bound.

    ``draw`` gives the ratio residual / bound for each of n random instances; above 1, or NaN, is a violation, and one
    violation refutes. N instances without one exclude, at alpha, every violation probability of log(1/alpha) / N
    or more, because (1 - p)^N <= exp(-p N); N makes this at most ``rate``.
    """

    draw: Draw
    rate: float = 0.01

    def __post_init__(self) -> None:
        function("draw", self.draw)
        fraction("rate", self.rate)

    def decide(self, context: Context) -> Verdict:
        alpha = required_alpha(context)
        needed, start = instances_needed(alpha, self.rate), time.perf_counter()
        done, block, largest = 0, SETUP_BLOCK + 1, 0.0
        while done < needed and time.perf_counter() - start <= context.timeout:
            ratios = block_of(self.draw, context, block, min(BLOCK, needed - done), finite=False)
            violated = offending(~(ratios <= 1))
            if violated is not None:
                return _refuted(context, alpha, block, violated, done + violated + 1, float(ratios[violated]))
            largest = max(largest, float(ratios.max()))
            done, block = done + len(ratios), block + 1
        refuse_dependence(self.draw, context)
        evidence = {
            **_numbers(context, alpha, done, largest),
            "bound_ratio": done * self.rate / math.log(1 / alpha),
            "draws_per_second": speed(done, time.perf_counter() - start),
        }
        return _unviolated(context, evidence, needed)


def instances_needed(alpha: float, rate: float) -> int:
    """How many instances without a violation exclude, at alpha, that one has a probability of ``rate`` or more."""
    return max(1, math.ceil(math.log(1 / alpha) / rate))


def _numbers(context: Context, alpha: float, done: int, largest: float) -> dict[str, Any]:
    return {
        "draws": done,
        "violations": 0,
        "largest_ratio": largest,
        "delta": math.log(1 / alpha) / done if done else None,
        "alpha": alpha,
        "assumption": "the instances are drawn independently from the stated distribution",
        "device": context.device,
    }


def _unviolated(context: Context, evidence: dict[str, Any], needed: int) -> Verdict:
    done, delta = evidence["draws"], evidence["delta"]
    said = f"no violation in {done:,} random instances (largest residual {evidence['largest_ratio']:.2g} of its bound)"
    if done < needed:
        detail = f"{said}; the time ran out, {needed:,} instances are needed"
        return Verdict(Status.INCONCLUSIVE, context.scope, detail, engine=ENGINE, evidence=evidence)
    alpha = evidence["alpha"]
    detail = f"{said}; a violation has probability below {delta:.2g}, up to an error probability of {alpha:.2g}"
    return Verdict(Status.VERIFIED_WITHIN, context.scope, detail, delta=delta, engine=ENGINE, evidence=evidence)


def _refuted(context: Context, alpha: float, block: int, index: int, done: int, ratio: float) -> Verdict:
    shown = f"instance {index} of block {block} (seed {context.seed}): the residual is {ratio:.6g} times its bound"
    evidence = _numbers(context, alpha, done, ratio) | {"violations": 1, "largest_ratio": repr(ratio), "delta": None}
    detail = f"a violation among {done:,} random instances"
    return Verdict(Status.REFUTED, context.scope, detail, shown, engine=ENGINE, evidence=evidence)
