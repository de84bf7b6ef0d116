"""A threshold on scores and its two error rates, each with an exact 95 % interval; spreads over several seeds.

Scores are float64 tensors of shape (N,); larger is more anomalous, and an image is flagged if score > threshold. With
"normal" as the null hypothesis, as in seed 000, Problem 1:

    type I  = share of the normal test images that are flagged,
    type II = share of the anomalous images that are NOT flagged.

Seed 004, Problem 7 prints "how many of the KMNIST images are classified as anomalies" for type II: the opposite, a
slip.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from scipy.stats import binomtest

from mdnn_verify.anomaly.auroc import CONFIDENCE, Interval, auroc, checked_scores, roc
from mdnn_verify.errors import UsageError

__all__ = [
    "CONFIDENCE",
    "Detection",
    "Interval",
    "Rate",
    "Spread",
    "Threshold",
    "auroc",
    "conformal",
    "detect",
    "mean_plus_three_sd",
    "rate",
    "roc",
    "spread",
    "summarise",
]


@dataclass(frozen=True)
class Rate(Interval):
    """``count`` of ``total``, with the exact 95 % interval of Clopper and Pearson (1934)."""

    count: int
    total: int


@dataclass(frozen=True)
class Threshold:
    """Scores above ``value`` are flagged; ``rule`` says in words how the value was found."""

    rule: str
    value: float


@dataclass(frozen=True)
class Detection:
    """A threshold and the error rates it has on the test images, as this module's docstring defines them."""

    threshold: Threshold
    type_i: Rate
    type_ii: Rate


@dataclass(frozen=True)
class Spread:
    """One number over several seeds."""

    minimum: float
    median: float
    maximum: float
    mean: float
    count: int


def mean_plus_three_sd(validation: torch.Tensor) -> Threshold:
    """The seeds' rule: mean + 3 standard deviations of the validation scores (M,), M >= 2.

    The standard deviation is the sample's, with divisor M - 1, as seed 001 computes it (``torch.std``); with divisor M
    it would be smaller by the factor sqrt(1 - 1/M), 5e-5 relative at M = 10,000.
    Raises UsageError for fewer than two scores and for NaN or infinite ones.
    """
    values = checked_scores("validation scores", validation, at_least=2)
    if not np.isfinite(values).all():
        raise UsageError("a validation score is infinite, expected finite scores for a mean and a standard deviation")
    return Threshold("mean + 3 standard deviations", float(values.mean() + 3 * values.std(ddof=1)))


def conformal(validation: torch.Tensor, level: float = 0.01) -> Threshold:
    """Split-conformal threshold: the ceil((n + 1)(1 - level))-th smallest of the n validation scores.

    If a new normal image's score is exchangeable with the validation scores, P(score > threshold) <= level, whatever
    their law; the probability is over the validation scores too (Vovk, Gammerman and Shafer, 2005). Given the
    validation scores, and without ties, the type I rate is a Beta(n + 1 - k, k) variable, k the rank taken.
    Raises UsageError for a level outside (0, 1), for NaN, and for n < 1/level - 1, where only a threshold of infinity
    would do: a detector that never flags is refused rather than returned.
    """
    if not 0 < level < 1:
        raise UsageError(f"the level of a conformal threshold is {level!r}, expected a number between 0 and 1")
    values = np.sort(checked_scores("validation scores", validation))
    exact = Fraction(repr(float(level)))  # the decimal that was typed: 10 * (1 - 0.3) is 7, not 7.000000000000001
    rank = math.ceil((len(values) + 1) * (1 - exact))
    if rank > len(values):
        needed = math.ceil(1 / exact) - 1
        raise UsageError(
            f"there are {len(values)} validation scores, expected at least {needed} for a conformal level of {level:g}"
        )
    return Threshold(f"split conformal, type I at most {100 * level:g} %", float(values[rank - 1]))


def rate(count: int, total: int) -> Rate:
    """``count`` of ``total`` >= 1 with its exact interval."""
    if not 0 <= count <= total or total < 1:
        raise UsageError(f"a rate of {count} in {total}: expected 0 <= count <= total, total >= 1")
    interval = binomtest(int(count), int(total)).proportion_ci(CONFIDENCE, method="exact")
    return Rate(count / total, float(interval.low), float(interval.high), int(count), int(total))


def detect(threshold: Threshold, test: torch.Tensor, anomalous: torch.Tensor) -> Detection:
    """Both error rates at ``threshold`` on normal test scores (n,) and anomalous ones (m,); a score equal to it passes.

    Raises UsageError for no scores, for NaN among them, and for a threshold of NaN.
    """
    if math.isnan(threshold.value):
        raise UsageError(f"the threshold ({threshold.rule}) is NaN, expected a number")
    normal = checked_scores("test scores", test)
    other = checked_scores("anomalous scores", anomalous)
    flagged, missed = int((normal > threshold.value).sum()), int((other <= threshold.value).sum())
    return Detection(threshold, rate(flagged, len(normal)), rate(missed, len(other)))


def spread(values: Iterable[float]) -> Spread:
    """Smallest, median, largest and mean of one number over several seeds; UsageError for none or NaN."""
    numbers = np.array([float(value) for value in values])
    if not len(numbers) or np.isnan(numbers).any():
        raise UsageError(f"the values over seeds are {numbers.tolist()}, expected at least one number and no NaN")
    return Spread(
        float(numbers.min()), float(np.median(numbers)), float(numbers.max()), float(numbers.mean()), len(numbers)
    )


def summarise(detections: Sequence[Detection], aurocs: Sequence[Interval] = ()) -> Mapping[str, Spread]:
    """The headline table's row over several seeds: spreads of type_i, type_ii and, where given, auroc.

    Raises UsageError for no detections, for two different rules among them, and for another number of AUROCs.
    """
    rules = sorted({detection.threshold.rule for detection in detections})
    if len(rules) != 1:
        raise UsageError(f"detections of the rules {rules} were to be summarised, expected those of one rule")
    if aurocs and len(aurocs) != len(detections):
        raise UsageError(f"there are {len(aurocs)} AUROCs for {len(detections)} detections, expected one each")
    row = {
        "type_i": spread(detection.type_i.estimate for detection in detections),
        "type_ii": spread(detection.type_ii.estimate for detection in detections),
    }
    return {**row, "auroc": spread(area.estimate for area in aurocs)} if aurocs else row
