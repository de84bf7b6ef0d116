"""Games against enumeration and textbook solutions; refusals name the argument."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mdnn_verify.maths.games import exploitability, mixed_strategy, points_by_rules, simplex_grid, solve

RPS = [[0, 1, -1], [-1, 0, 1], [1, -1, 0]]


@pytest.mark.parametrize(
    ("p", "said"),
    [
        ([0.5, 0.4], "sums to 0.9"),
        ([1.5, -0.5], "negative entry"),
        ([np.nan, 1.0], "NaN"),
        ([[0.5, 0.5]], "shape"),
        ([], "empty"),
        ("rock", "real numbers"),
    ],
)
def test_what_is_not_a_strategy_is_refused_by_name(p, said: str) -> None:
    with pytest.raises(ValueError, match=rf"pA.*{said}"):
        mixed_strategy("pA", p)


def test_a_strategy_of_the_wrong_number_of_plays_is_refused() -> None:
    with pytest.raises(ValueError, match=r"p has shape \(2,\), expected \(3,\)"):
        exploitability(RPS, [0.5, 0.5])


@pytest.mark.parametrize("payoff", [[], [1, 2], [[np.inf]], [["a"]]])
def test_a_payoff_that_is_no_matrix_is_refused_by_name(payoff) -> None:
    with pytest.raises(ValueError, match="payoff"):
        exploitability(payoff, [1.0])


def test_exploitability_is_the_best_of_the_pure_replies_and_of_mixed_ones_on_a_grid() -> None:
    payoff, p = np.array(RPS), np.array([0.5, 0.3, 0.2])
    mixed = max(float(p @ payoff @ np.array(b, dtype=float)) for b in simplex_grid(20))
    assert exploitability(RPS, p) == pytest.approx(mixed, abs=1e-15)
    assert exploitability(RPS, p) == pytest.approx(
        0.3, abs=1e-15
    )  # scissors lose to rock less often than paper beats it


def test_the_rules_give_the_points_of_the_column_player() -> None:
    beats = {(1, 0), (2, 1), (0, 2)}
    points = points_by_rules(3, beats)
    assert points == RPS
    for mine, theirs in product(range(3), repeat=2):
        assert points[mine][theirs] == (1 if (theirs, mine) in beats else -1 if (mine, theirs) in beats else 0)


@pytest.mark.parametrize("beats", [{(0, 0)}, {(0, 1), (1, 0)}, {(3, 0)}, {(-1, 0)}])
def test_impossible_rules_are_refused(beats) -> None:
    with pytest.raises(ValueError, match="beats has"):
        points_by_rules(3, beats)


def test_the_grid_has_all_points_and_each_once() -> None:
    grid = list(simplex_grid(7))
    assert len(set(grid)) == len(grid) == 8 * 9 // 2
    assert all(sum(p) == 1 and min(p) >= 0 for p in grid)
    assert (Fraction(1, 7), Fraction(2, 7), Fraction(4, 7)) in grid


@pytest.mark.parametrize(
    ("payoff", "row", "column", "value"),
    [
        (RPS, [1 / 3] * 3, [1 / 3] * 3, 0),
        ([[3, 0], [1, 2]], [0.25, 0.75], [0.5, 0.5], 1.5),  # 2 x 2 without a saddle: solved by indifference
        ([[1, 2], [3, 4]], [1, 0], [0, 1], 2),  # a pure saddle
        ([[5, 1, 4]], [1], [1, 0, 0], 5),
    ],
)
def test_solutions_of_known_games_are_enclosed(payoff, row, column, value: float) -> None:
    found = solve(payoff)
    assert found.lower <= value <= found.upper
    assert found.upper - found.lower < 1e-6
    assert found.row == pytest.approx(row, abs=1e-6)
    assert found.column == pytest.approx(column, abs=1e-6)


def test_random_games_are_enclosed_narrowly() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        found = solve(rng.normal(size=rng.integers(1, 7, 2)))
        assert 0 <= found.upper - found.lower < 1e-6
