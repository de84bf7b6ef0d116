from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import wilcoxon

from mdnn_verify.bench import rule
from mdnn_verify.bench.rule import Outcome, Verdict, judge, overall, p_greater, sessions_needed
from mdnn_verify.errors import UsageError


def noisy(centre: float, spread: float, n: int, seed: int = 0) -> list[float]:
    return (math.log1p(centre) + np.random.default_rng(seed).normal(0, spread, n)).tolist()


@pytest.mark.parametrize(("m", "alpha", "expected"), [(1, 0.01, 7), (1, 1 / 128, 7), (2, 0.01, 8), (9, 0.01, 10)])
def test_as_many_sessions_as_unanimity_needs(m: int, alpha: float, expected: int) -> None:
    assert sessions_needed(m, alpha) == expected
    assert 2.0 ** -sessions_needed(m, alpha) <= alpha / m


@pytest.mark.parametrize("n", [3, 7, 10])
@pytest.mark.parametrize("seed", range(4))
def test_p_value_is_scipys_where_there_are_no_ties(n: int, seed: int) -> None:
    effects = np.random.default_rng(seed).normal(0.03, 0.02, n)
    scipys = wilcoxon(effects - rule.MARGIN, alternative="greater", method="exact").pvalue
    assert p_greater(effects.tolist(), rule.MARGIN) == pytest.approx(scipys, rel=1e-12)


def test_seven_of_seven_sessions_are_one_in_128() -> None:
    assert p_greater([0.021 + i / 1000 for i in range(7)], rule.MARGIN) == 1 / 128


@pytest.mark.parametrize(
    "sizes", [(1, 2, 3, 4, 5, 6, 7), (1, 1, 1, 1, 1, 1, 1), (0, 1, 1, 2, 2, 3, 3), (0, 0, 0, 0, 1, 2, 3)]
)
def test_alarms_at_the_edge_of_the_hypothesis_by_enumeration_of_all_signs(sizes: tuple[int, ...]) -> None:
    """Ties and zeros make the test conservative, never invalid."""
    for alpha in (0.01, 0.05, 0.2):
        rejected = sum(
            p_greater([rule.MARGIN + s * size / 128 for s, size in zip(signs, sizes, strict=True)], rule.MARGIN)
            <= alpha
            for signs in itertools.product((-1, 1), repeat=7)
        )
        assert rejected / 128 <= alpha


def test_interval_and_test_never_contradict() -> None:
    for seed in range(30):
        effects = noisy(0.02, 0.02, 9, seed)
        low, high, level = rule.signed_rank_interval(effects, 0.01)
        assert (low > rule.MARGIN) == (p_greater(effects, rule.MARGIN) <= 0.01)
        assert (high < rule.MARGIN) == (p_greater([-e for e in effects], -rule.MARGIN) <= 0.01)
        assert 0.98 <= level < 1


@pytest.mark.parametrize(
    ("centre", "spread", "verdict"),
    [
        (0.10, 0.01, Verdict.SLOWER),
        (-0.10, 0.01, Verdict.FASTER),
        (0.0, 0.005, Verdict.SAME),
        (0.0, 0.10, Verdict.UNDECIDED),
        (0.04, 0.05, Verdict.UNDECIDED),
    ],
)
def test_verdicts(centre: float, spread: float, verdict: Verdict) -> None:
    found = judge(noisy(centre, spread, 7))
    assert found.verdict is verdict
    assert found.low <= found.ratio <= found.high


def test_a_slowdown_within_the_margin_is_no_alarm_however_precise() -> None:
    assert judge([math.log(1.019)] * 7).verdict is Verdict.SAME


def test_few_sessions_decide_nothing() -> None:
    found = judge([0.5] * 6)
    assert (found.verdict, found.low, found.high) == (Verdict.UNDECIDED, 0.0, math.inf)
    assert found.as_json()["high"] is None


def test_more_benchmarks_share_alpha() -> None:
    assert judge([0.1] * 7, benchmarks=1).verdict is Verdict.SLOWER
    assert judge([0.1] * 7, benchmarks=2).verdict is Verdict.UNDECIDED


def test_what_is_called_detectable_is_detected() -> None:
    """Of sessions with a known spread, so the promised 0.9 (at 90 % confidence on that spread) is exceeded."""
    detected = []
    for seed in range(200):
        quiet = noisy(0.0, 0.01, 7, seed)
        slowdown = rule.detectable(quiet)
        detected.append(judge(noisy(slowdown, 0.01, 7, 10_000 + seed)).verdict is Verdict.SLOWER)
    # each success has probability at least 0.9 in nine of ten draws of the spread: at least 0.81 altogether; the bound
    # leaves five standard deviations of a share of 200
    assert np.mean(detected) >= 0.81 - 5 * math.sqrt(0.81 * 0.19 / 200)


def test_no_spread_no_limit_but_the_margin() -> None:
    assert rule.detectable([0.0] * 7) == pytest.approx(0.02)
    assert rule.detectable([0.0]) == math.inf


@pytest.mark.parametrize("effects", [[], [math.nan], [0.1, math.inf]])
def test_effects_must_be_numbers(effects: list[float]) -> None:
    with pytest.raises(UsageError, match="finite"):
        judge(effects)


SLOWER, FASTER, SAME, UNDECIDED = (judge(effects) for effects in ([0.1] * 7, [-0.1] * 7, [0.0] * 7, noisy(0.0, 0.1, 7)))


@pytest.mark.parametrize(
    ("found", "canary", "less_accurate", "outcome", "status"),
    [
        ([SAME, FASTER], [SAME, SAME], False, Outcome.OK, 0),
        ([SLOWER, UNDECIDED], [SAME, SAME], False, Outcome.SLOWER, 1),
        ([SAME, UNDECIDED], [SAME, SAME], False, Outcome.UNDECIDED, 3),
        ([SLOWER, SAME], [SAME, SLOWER], False, Outcome.UNFIT, 3),
        ([SAME, SAME], [SAME, FASTER], False, Outcome.UNFIT, 3),
        ([SAME, SAME], [SAME, UNDECIDED], False, Outcome.OK, 0),
        ([SAME], [SLOWER], True, Outcome.LESS_ACCURATE, 1),
        ([], [], True, Outcome.LESS_ACCURATE, 1),
        ([], [], False, Outcome.NOTHING, 4),
    ],
)
def test_outcome_and_exit_status(found, canary, less_accurate, outcome, status) -> None:  # type: ignore[no-untyped-def]
    assert overall(found, canary, less_accurate=less_accurate) is outcome
    assert outcome.exit_status == status


@pytest.mark.parametrize(
    ("baseline", "head", "worse"),
    [
        ({"errors": 10, "total": 1000}, {"errors": 60, "total": 1000}, True),
        ({"errors": 10, "total": 1000}, {"errors": 14, "total": 1000}, False),
        ({"errors": 60, "total": 1000}, {"errors": 10, "total": 1000}, False),
        ({"value": 0.1, "low": 0.08, "high": 0.12}, {"value": 0.2, "low": 0.13, "high": 0.3}, True),
        ({"value": 0.1, "low": 0.08, "high": 0.12}, {"value": 0.13, "low": 0.11, "high": 0.15}, False),
        ({"value": 0.1, "low": 0.08, "high": 0.12}, {"value": math.nan, "low": math.nan, "high": math.nan}, True),
    ],
)
def test_accuracy(baseline: dict[str, float], head: dict[str, float], worse: bool) -> None:
    assert rule.accuracy_is_worse(baseline, head) is worse
