"""A deterministic statement on random instances: how often could it fail, given that it never did?"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.montecarlo.arguments import positive
from mdnn_verify.engines.montecarlo.draws import BLOCK, Draw, block_of, required_alpha
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["NeverViolated"]


@dataclass(frozen=True)
class NeverViolated(Claim):
    """On every random instance the residual stays within its bound.

    ``draw`` gives one ratio residual / bound for each of n random instances; above 1, or NaN, is a violation. One
    violation refutes. N instances without one exclude, at alpha, every probability of a violation above log(1/alpha) / N,
    because (1 - p)^N <= exp(-p N); N is chosen so that this is at most ``rate``.
    """

    draw: Draw
    rate: float = 0.01

    def __post_init__(self) -> None:
        if positive("rate", self.rate) >= 1:
            raise ValueError(f"rate = {self.rate!r}, expected a number in (0, 1)")

    def decide(self, context: Context) -> Verdict:
        alpha = required_alpha(context)
        needed = instances(alpha, self.rate)
        start, done, block, largest = time.perf_counter(), 0, 0, 0.0
        while done < needed and time.perf_counter() - start <= context.timeout:
            ratios = block_of(self.draw, context, block, min(BLOCK, needed - done), finite=False)
            violated = ~(ratios <= 1)
            if bool(violated.any()):
                first = int(violated.to(torch.int8).argmax())
                return _refuted(context, alpha, block, first, done + first + 1, float(ratios[first]))
            largest = max(largest, float(ratios.max()))
            done, block = done + len(ratios), block + 1
        speed = done / max(time.perf_counter() - start, 1e-9)
        return _accepted(context, alpha, done, needed, largest, speed)


def instances(alpha: float, rate: float) -> int:
    """How many instances without a violation exclude, at alpha, a probability of ``rate``."""
    return max(1, math.ceil(math.log(1 / alpha) / rate))


def _accepted(context: Context, alpha: float, done: int, needed: int, largest: float, speed: float) -> Verdict:
    bound = math.log(1 / alpha) / done if done else math.inf
    said = f"no violation in {done:,} random instances (largest residual {largest:.2g} of its bound)"
    evidence = {
        "draws": done,
        "violations": 0,
        "largest_ratio": largest,
        "delta": bound,
        "alpha": alpha,
        "bound_ratio": done / needed,
        "assumption": "the instances are drawn independently from the stated distribution",
        "device": context.device,
        "draws_per_second": speed,
    }
    if done < needed:
        detail = f"{said}; the time ran out, {needed:,} instances are needed"
        return Verdict(Status.INCONCLUSIVE, context.scope, detail, engine="montecarlo", evidence=evidence)
    detail = f"{said}; a violation has probability below {bound:.2g}, up to an error probability of {alpha:.2g}"
    return Verdict(
        Status.VERIFIED_WITHIN, context.scope, detail, delta=bound, engine="montecarlo", evidence=evidence
    )


def _refuted(context: Context, alpha: float, block: int, index: int, done: int, ratio: float) -> Verdict:
    shown = f"instance {index} of block {block} (seed {context.seed}): the residual is {ratio:.6g} times its bound"
    evidence = {"draws": done, "violations": 1, "largest_ratio": repr(ratio), "alpha": alpha, "device": context.device}
    detail = f"a violation among {done:,} random instances"
    return Verdict(Status.REFUTED, context.scope, detail, shown, engine="montecarlo", evidence=evidence)
