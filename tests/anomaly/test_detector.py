"""Thresholds, error rates and AUROC against enumeration, exact laws and simulated coverage."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import beta, binom, kstest, norm
from sklearn.metrics import roc_auc_score

from mdnn_verify.anomaly import auroc as ranks
from mdnn_verify.anomaly.detector import (
    Detection,
    Interval,
    Rate,
    Threshold,
    auroc,
    conformal,
    detect,
    mean_plus_three_sd,
    rate,
    roc,
    spread,
    summarise,
)
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import UsageError

ALPHA = 1e-6  # of each simulated statement


def scores(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


# --- thresholds -------------------------------------------------------------------------------------------------------


def test_mean_plus_three_sd_uses_the_sample_s_deviation() -> None:
    threshold = mean_plus_three_sd(scores(1, 2, 3, 4))
    assert threshold.value == pytest.approx(2.5 + 3 * math.sqrt(5 / 3), rel=1e-15)  # 5/3 = sum of squares / (4 - 1)
    assert threshold.rule == "mean + 3 standard deviations"


@pytest.mark.parametrize(
    ("n", "level", "rank"),
    [(99, 0.01, 99), (100, 0.01, 100), (199, 0.01, 198), (9, 0.3, 7), (1, 0.5, 1), (19, 0.05, 19)],
)
def test_conformal_rank(n: int, level: float, rank: int) -> None:
    assert rank == math.ceil((n + 1) * (1 - Fraction(str(level))))
    shuffled = torch.from_numpy(Stream("rank", n).numpy.permutation(n) + 1.0)
    assert conformal(shuffled, level).value == rank


@pytest.mark.parametrize(("level", "needed"), [(0.01, 99), (0.5, 1), (0.03, 33), (0.3, 3)])
def test_conformal_says_how_many_it_needs(level: float, needed: int) -> None:
    conformal(torch.arange(float(needed)), level)
    if needed > 1:
        with pytest.raises(UsageError, match=rf"there are {needed - 1} validation scores, expected at least {needed} "):
            conformal(torch.arange(float(needed - 1)), level)


def realised(n: int, level: float, splits: int, shift: int = 0) -> np.ndarray:
    """The type I rate, known exactly for uniform scores, of thresholds found on ``splits`` validation sets."""
    uniform = Stream("splits", 0).uniform((splits, n))
    values = np.array([conformal(row, level).value for row in uniform])
    if shift:
        values = np.sort(uniform.numpy())[:, math.ceil((n + 1) * (1 - level)) - 1 + shift]
    return 1 - values


def test_conformal_rate_has_its_beta_law() -> None:
    n, level = 199, 0.05
    rank = math.ceil((n + 1) * (1 - level))
    law = beta(n + 1 - rank, rank)
    assert law.mean() == pytest.approx(level)  # exactly the level, as (n + 1)(1 - level) is an integer
    assert kstest(realised(n, level, 2000), law.cdf).pvalue > ALPHA
    assert kstest(realised(n, level, 2000, shift=-1), law.cdf).pvalue < ALPHA  # the rank one too small is seen


@pytest.mark.parametrize("n", [20, 57, 199])
def test_conformal_guarantee_in_expectation(n: int) -> None:
    level, splits = 0.05, 3000
    rank = math.ceil((n + 1) * (1 - level))
    law = beta(n + 1 - rank, rank)
    error = norm.isf(ALPHA) * law.std() / math.sqrt(splits)
    assert realised(n, level, splits).mean() <= level + error
    assert law.mean() <= level + 1e-15


def test_conformal_guarantee_with_ties_by_enumeration() -> None:
    """Every sequence of 4 scores out of {0, 1}, any P(1): the new score exceeds the threshold with P <= level."""
    level = 0.25  # n = 3, rank 3
    for p in (0.0, 0.1, 0.5, 0.75, 0.9, 1.0):
        exceeds = sum(
            math.prod(p if value else 1 - p for value in values)
            for values in product((0.0, 1.0), repeat=4)
            if values[3] > conformal(scores(*values[:3]), level).value
        )
        assert exceeds <= level


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, float("nan")])
def test_conformal_refuses_levels(level: float) -> None:
    with pytest.raises(UsageError, match="level"):
        conformal(torch.arange(100.0), level)


# --- rates ------------------------------------------------------------------------------------------------------------


def test_type_i_is_flagged_normal_and_type_ii_unflagged_anomalous() -> None:
    found = detect(Threshold("by hand", 2.0), scores(1, 2, 3, 4), scores(0, 2, 3, 5, 6))
    assert (found.type_i.count, found.type_i.total) == (2, 4)  # a score equal to the threshold is not flagged
    assert (found.type_ii.count, found.type_ii.total) == (2, 5)
    assert (found.type_i.estimate, found.type_ii.estimate) == (0.5, 0.4)


@pytest.mark.parametrize(("count", "total"), [(0, 10), (10, 10), (3, 10), (104, 10000), (1, 1)])
def test_rates_have_the_interval_that_inverts_the_binomial(count: int, total: int) -> None:
    found = rate(count, total)
    assert found.low <= found.estimate == count / total <= found.high
    if count:
        assert binom.sf(count - 1, total, found.low) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.low == 0
    if count < total:
        assert binom.cdf(count, total, found.high) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.high == 1


def test_the_rate_s_interval_covers_whatever_the_rate() -> None:
    intervals = [rate(count, 30) for count in range(31)]
    for p in np.linspace(0.001, 0.999, 97):
        covered = sum(binom.pmf(k, 30, p) for k, found in enumerate(intervals) if found.low <= p <= found.high)
        assert covered >= 0.95


def test_an_infinite_score_is_flagged() -> None:
    assert detect(Threshold("", 1.0), scores(math.inf, 0), scores(math.inf, -math.inf)).type_i.count == 1


# --- AUROC ------------------------------------------------------------------------------------------------------------


def pairs(normal: list[float], anomalous: list[float]) -> Fraction:
    wins = sum(Fraction(1 if y > x else 0) + Fraction(1 if y == x else 0, 2) for x in normal for y in anomalous)
    return wins / (len(normal) * len(anomalous))


def test_auroc_is_the_share_of_ordered_pairs_with_ties_half() -> None:
    stream = Stream("ties", 0)
    for n, m in product((2, 3, 7), (2, 5, 8)):
        x, y = (stream.integers(0, 5, size).double() for size in (n, m))
        assert auroc(x, y).estimate == pytest.approx(float(pairs(x.tolist(), y.tolist())), abs=1e-15)


def test_auroc_agrees_with_scikit_learn() -> None:
    stream = Stream("sklearn", 0)
    x, y = stream.normal(3000), stream.normal(2000) + 1
    labels = np.concatenate([np.zeros(3000), np.ones(2000)])
    assert auroc(x, y).estimate == pytest.approx(roc_auc_score(labels, torch.cat([x, y])), abs=1e-12)


def test_reversed_scores_reverse_the_interval() -> None:
    stream = Stream("reversed", 0)
    x, y = stream.normal(300), stream.normal(200) + 2
    found, other = auroc(x, y), auroc(-x, -y)
    assert [1 - other.high, 1 - other.estimate, 1 - other.low] == pytest.approx([found.low, found.estimate, found.high])


def binormal(stream: Stream, n: int, missed: float) -> tuple[torch.Tensor, torch.Tensor]:
    return stream.normal(n), stream.normal(n) - math.sqrt(2) * norm.ppf(missed)


def outliers(stream: Stream, n: int, missed: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The worst case: a normal image is either above every anomalous one or below all of them."""
    return (stream.uniform(n) < missed).double(), torch.full((n,), 0.5, dtype=torch.float64)


def lookalikes(stream: Stream, n: int, missed: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Some anomalous images look normal."""
    x, y, z = stream.normal(n), stream.normal(n), stream.uniform(n)
    return x, torch.where(z < 2 * missed, y, 100.0)


def covered(interval, shape, n: int, missed: float, repetitions: int) -> int:
    stream = Stream(shape.__name__, n)
    draws = (interval(*shape(stream, n, missed)) for _ in range(repetitions))
    return sum(found.low <= 1 - missed <= found.high for found in draws)


@pytest.mark.parametrize("shape", [binormal, outliers, lookalikes])
@pytest.mark.parametrize(("n", "missed"), [(500, 0.1), (1000, 0.001), (10_000, 1e-4)])
def test_the_interval_covers(shape, n: int, missed: float) -> None:
    """At least 95 % of the time, as far as so many repetitions can tell (probability of a false alarm 1e-6)."""
    repetitions = 250 if n == 10_000 else 800
    assert binom.cdf(covered(auroc, shape, n, missed, repetitions), repetitions, 0.95) > ALPHA


def test_without_the_two_limits_it_does_not_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    def delong(missed: float, variance: float, smaller: int) -> tuple[float, float]:
        half = norm.isf(0.025) * math.sqrt(variance)
        return missed - half, missed + half

    monkeypatch.setattr(ranks, "_interval", delong)
    assert binom.cdf(covered(auroc, outliers, 1000, 0.001, 300), 300, 0.95) < ALPHA
    assert binom.cdf(covered(auroc, outliers, 500, 0.1, 300), 300, 0.95) > ALPHA  # away from 1 it is fine


def test_perfect_separation_leaves_room_for_doubt() -> None:
    found = auroc(torch.arange(100.0), torch.arange(200.0, 350.0))
    assert found.estimate == found.high == 1
    assert found.low == pytest.approx(0.025 ** (1 / 100))  # Clopper and Pearson with 100 of 100
    assert auroc(torch.arange(200.0, 350.0), torch.arange(100.0)).low == 0


def test_all_scores_equal() -> None:
    found = auroc(torch.ones(50), torch.ones(70))
    assert found.low < found.estimate == 0.5 < found.high


# --- ROC --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missed", [0.4, 0.1, 0.001, 1e-4])
@pytest.mark.parametrize("rounded", [False, True])
def test_the_thinned_curve_keeps_its_area(missed: float, rounded: bool) -> None:
    x, y = binormal(Stream("roc", 1), 10_000, missed)
    x, y = (x.round(), y.round()) if rounded else (x, y)
    false, true = roc(x, y)
    assert len(false) == len(true) <= 202
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert (np.diff(false) >= 0).all()
    assert (np.diff(true) >= 0).all()
    # both curves rise within the same boxes between grid points; a box is at most (ratio - 1) (1 - tpr) high, or one
    # image, and the chord is within half a box of any increasing curve
    exact = auroc(x, y).estimate
    ratio = 10_000 ** (1 / 99)
    heights = np.diff(true)
    assert abs(np.trapezoid(true, false) - exact) <= (np.diff(false) * heights).sum() / 2 + 1e-12
    assert abs(np.trapezoid(true, false) - exact) <= (ratio - 1) * (1 - exact)


def test_roc_of_few_scores_is_whole() -> None:
    false, true = roc(scores(1, 2, 2), scores(2, 3))
    assert false.tolist() == pytest.approx([0, 0, 2 / 3, 1])
    assert true.tolist() == pytest.approx([0, 0.5, 1, 1])


# --- over seeds -------------------------------------------------------------------------------------------------------


def detection(i: float, ii: float, rule: str = "r") -> Detection:
    return Detection(Threshold(rule, 0.0), Rate(i, 0, 1, 0, 1), Rate(ii, 0, 1, 0, 1))


def test_summary_over_seeds() -> None:
    row = summarise([detection(0.1, 0.5), detection(0.3, 0.2), detection(0.8, 0.2)], [Interval(0.5, 0, 1)] * 3)
    first = row["type_i"]
    assert (first.minimum, first.median, first.maximum, first.count) == (0.1, 0.3, 0.8, 3)
    assert first.mean == pytest.approx(0.4)
    assert row["type_ii"].median == 0.2
    assert row["auroc"].mean == 0.5
    assert "auroc" not in summarise([detection(0, 0)])


# --- refusals ---------------------------------------------------------------------------------------------------------

GOOD, NAN, NONE, ONE = scores(1, 2, 3), scores(1, math.nan), scores(), scores(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_plus_three_sd(NONE), "0 validation scores, expected at least 2"),
        (lambda: mean_plus_three_sd(ONE), "1 validation scores, expected at least 2"),
        (lambda: mean_plus_three_sd(NAN), "1 of the 2 validation scores are NaN, the first at index 1"),
        (lambda: mean_plus_three_sd(scores(1, math.inf)), "infinite"),
        (lambda: conformal(NONE), "0 validation scores"),
        (lambda: conformal(NAN, 0.5), "validation scores are NaN"),
        (lambda: detect(Threshold("", 1.0), NONE, GOOD), "0 test scores"),
        (lambda: detect(Threshold("", 1.0), GOOD, NONE), "0 anomalous scores"),
        (lambda: detect(Threshold("", 1.0), NAN, GOOD), "test scores are NaN"),
        (lambda: detect(Threshold("", 1.0), GOOD, NAN), "anomalous scores are NaN"),
        (lambda: detect(Threshold("bad", math.nan), GOOD, GOOD), r"threshold \(bad\) is NaN"),
        (lambda: auroc(ONE, GOOD), "1 normal scores, expected at least 2"),
        (lambda: auroc(GOOD, ONE), "1 anomalous scores, expected at least 2"),
        (lambda: auroc(NAN, GOOD), "normal scores are NaN"),
        (lambda: auroc(GOOD.reshape(1, 3), GOOD), r"shape \(1, 3\)"),
        (lambda: auroc([1.0, 2.0], GOOD), "normal scores are a list"),
        (lambda: roc(NONE, GOOD), "0 normal scores"),
        (lambda: rate(3, 2), "3 in 2"),
        (lambda: rate(0, 0), "0 in 0"),
        (lambda: spread([]), "at least one number"),
        (lambda: spread([math.nan]), "no NaN"),
        (lambda: summarise([]), "one rule"),
        (lambda: summarise([detection(0, 0), detection(0, 0, "s")]), "one rule"),
        (lambda: summarise([detection(0, 0)], [Interval(0.5, 0, 1)] * 2), "2 AUROCs for 1 detections"),
    ],
)
def test_refusals_name_the_culprit(call, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()
