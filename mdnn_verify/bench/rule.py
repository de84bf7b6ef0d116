"""The regression rule: what sessions of a lock-step comparison say about two versions.

A session gives one number, the median paired log ratio of head over baseline. Everything here follows from the exact
one-sided Wilcoxon signed-rank test and the interval that inverts it, so interval and verdict never contradict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from statistics import median, stdev
from typing import Any

import numpy as np
from scipy.stats import chi2, fisher_exact, norm

from mdnn_verify.errors import UsageError

__all__ = [
    "ALPHA",
    "Judgement",
    "Outcome",
    "Verdict",
    "accuracy_is_worse",
    "detectable",
    "judge",
    "overall",
    "p_greater",
    "sessions_needed",
    "signed_rank_interval",
    "verdict",
]

ALPHA = 0.01  # error probability of one side of one comparison, all its workloads together
MARGIN = math.log(1.02)  # "at most +2 %" is the hypothesis that SLOWER rejects
SAME_WITHIN = math.log(1.05)
LEAST_SESSIONS = 7
POWER = 0.9


class Verdict(StrEnum):
    """What is said of one workload."""

    SLOWER = "SLOWER"
    FASTER = "FASTER"
    SAME = "SAME"
    UNDECIDED = "UNDECIDED"


class Outcome(StrEnum):
    """What is said of a whole comparison."""

    OK = "ok"
    SLOWER = "slower"
    LESS_ACCURATE = "less accurate"
    UNDECIDED = "undecided"
    UNFIT = "machine unfit"
    NOTHING = "nothing measured"

    @property
    def exit_status(self) -> int:
        """0 ok, 1 slower or less accurate, 3 undecided or unfit, 4 nothing measured."""
        return {"ok": 0, "slower": 1, "less accurate": 1, "undecided": 3, "machine unfit": 3}.get(self.value, 4)


@dataclass(frozen=True)
class Judgement:
    """A workload's verdict. Effects are ratios of times, head over baseline: 1.1 is 10 % slower.

    ``low`` and ``high`` cover the ratio with probability ``level``; ``detectable`` is the smallest slowdown that would
    have been seen with probability 0.9.
    """

    verdict: Verdict
    ratio: float
    low: float
    high: float
    level: float
    p_slower: float
    p_faster: float
    detectable: float
    sessions: int

    def as_json(self) -> dict[str, Any]:
        """The fields; infinite limits become None."""
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(self).items()}


def sessions_needed(benchmarks: int, alpha: float = ALPHA) -> int:
    """max(7, ceil(log2(m / alpha))): with as many, unanimous sessions reject at alpha / m. Raises UsageError."""
    if benchmarks < 1 or not 0 < alpha < 1:
        raise UsageError(f"m is {benchmarks} and alpha {alpha}, expected at least 1 and a number in (0, 1)")
    return max(LEAST_SESSIONS, math.ceil(math.log2(benchmarks / alpha)))


def judge(effects: Sequence[float], benchmarks: int = 1, alpha: float = ALPHA) -> Judgement:
    """The verdict on the log ratios of the sessions of one of ``benchmarks`` workloads; alpha is shared evenly.

    Raises UsageError for no sessions or a value that is not finite.
    """
    if not len(effects) or not all(map(math.isfinite, effects)):
        raise UsageError("the effects of the sessions must be finite numbers, at least one")
    low, high, level = signed_rank_interval(effects, alpha / benchmarks)
    return Judgement(
        verdict=_verdict(low, high),
        ratio=math.exp(median(_walsh_averages(effects))),  # the Hodges-Lehmann estimate belongs to this interval
        low=math.exp(low),
        high=math.exp(high),
        level=level,
        p_slower=p_greater(effects, MARGIN),
        p_faster=p_greater([-effect for effect in effects], MARGIN),
        detectable=detectable(effects),
        sessions=len(effects),
    )


def verdict(effects: Sequence[float], alpha: float = ALPHA) -> Verdict:
    """The verdict alone, as ``judge`` gives it for one workload."""
    low, high, _ = signed_rank_interval(effects, alpha)
    return _verdict(low, high)


def _verdict(low: float, high: float) -> Verdict:
    if low > MARGIN:
        return Verdict.SLOWER
    if high < -MARGIN:
        return Verdict.FASTER
    return Verdict.SAME if low > -SAME_WITHIN and high < SAME_WITHIN else Verdict.UNDECIDED


def p_greater(effects: Sequence[float], bound: float) -> float:
    """The exact one-sided p-value of the signed-rank test of "the centre of symmetry is at most ``bound``".

    The statistic is the number of Walsh averages strictly above the bound, which is W+ where there are no ties or zeros
    and no more than W+ under any way of breaking them: the p-value stays valid, at worst conservative.
    """
    above = sum(average > bound for average in _walsh_averages(effects))
    return float(_tail(len(effects))[above])


def signed_rank_interval(effects: Sequence[float], alpha: float) -> tuple[float, float, float]:
    """(low, high, level): the values that neither one-sided test rejects at ``alpha``; infinite for too few sessions.

    low > b exactly if ``p_greater(effects, b) <= alpha``. The level is 1 - 2 P(W+ >= c) at the critical value c.
    """
    averages = sorted(_walsh_averages(effects))
    tail = _tail(len(effects))
    critical = int(np.argmax(tail <= alpha)) if (tail <= alpha).any() else None
    if critical is None:
        return -math.inf, math.inf, 1.0
    level = 1 - 2 * float(tail[critical])
    return averages[len(averages) - critical], averages[critical - 1], level


def detectable(effects: Sequence[float], power: float = POWER) -> float:
    """The smallest slowdown (0.08 is 8 %) that n sessions scattered like these show as SLOWER with probability 0.9.

    exp(log 1.02 + z s_u) - 1, z the normal quantile at 0.9^(1/n) (all n sessions must exceed +2 %: with more than the
    least number of sessions fewer suffice, so this is an upper bound), s_u the upper 90 % confidence limit of their
    standard deviation under a normal model. Infinite for a single session.
    """
    n = len(effects)
    if n < 2:
        return math.inf
    upper = stdev(effects) * math.sqrt((n - 1) / float(chi2.ppf(0.1, n - 1)))
    return math.expm1(MARGIN + float(norm.ppf(power ** (1 / n))) * upper)


def accuracy_is_worse(baseline: Mapping[str, Any], head: Mapping[str, Any], alpha: float = ALPHA) -> bool:
    """Whether a figure of merit got worse; smaller is better.

    Error counts ({errors, total}): Fisher's exact one-sided test at ``alpha``. Estimates ({value, low, high}): the
    head's interval lies above the baseline's. NaN is always worse.
    """
    if "total" in head:
        table = np.array([[e["errors"], e["total"] - e["errors"]] for e in (head, baseline)])
        return bool(fisher_exact(table, alternative="greater").pvalue <= alpha)
    return math.isnan(head["value"]) or head["low"] > baseline["high"]


def overall(judgements: Sequence[Judgement], canary: Sequence[Judgement], *, less_accurate: bool = False) -> Outcome:
    """The comparison's outcome: accuracy first, then the canary, then time."""
    if less_accurate:
        return Outcome.LESS_ACCURATE
    if not judgements:
        return Outcome.NOTHING
    if any(c.verdict in (Verdict.SLOWER, Verdict.FASTER) for c in canary):
        return Outcome.UNFIT
    verdicts = {judgement.verdict for judgement in judgements}
    if Verdict.SLOWER in verdicts:
        return Outcome.SLOWER
    return Outcome.UNDECIDED if Verdict.UNDECIDED in verdicts else Outcome.OK


def _walsh_averages(effects: Sequence[float]) -> list[float]:
    """(x_i + x_j) / 2 for all i <= j."""
    return [(a + b) / 2 for i, a in enumerate(effects) for b in effects[i:]]


@lru_cache
def _tail(n: int) -> np.ndarray:
    """P(W+ >= w) for w = 0 .. n(n+1)/2: each rank counts or does not, with probability 1/2 each."""
    probabilities = np.zeros(n * (n + 1) // 2 + 1)
    probabilities[0] = 1.0
    for rank in range(1, n + 1):
        shifted = np.zeros_like(probabilities)
        shifted[rank:] = probabilities[: len(probabilities) - rank]
        probabilities = (probabilities + shifted) / 2
    return np.cumsum(probabilities[::-1])[::-1]
