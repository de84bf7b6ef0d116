"""Rock-paper-scissors: wrong solutions, games and formulas are caught; the same checks hold for a larger game."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.games import exploitability, points_by_rules
from mdnn_verify.verdicts import Status

UNIQUE = load(catalogue()["games/rps_minimax_unique"])
INDIFFERENCE = load(catalogue()["games/rps_indifference"])
SOLUTION = ["the_claimed_pair_is_a_solution", "it_is_the_only_solution", "min_max_and_max_min_are_the_value"]


def verdict(theorem, name: str, **changes):
    data = {**theorem.given, **changes}
    check = theorem.check(name)
    arguments = {p: Stream(name, 0) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, alpha=1e-8))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As the runner does: on a busy machine threads cost more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("theorem", "name"), [pytest.param(t, c.name, id=c.name) for t in (UNIQUE, INDIFFERENCE) for c in t.checks]
)
def test_each_check_accepts_the_theorem(theorem, name: str) -> None:
    assert verdict(theorem, name).agrees


NEARLY = {
    "a millionth off": sp.Matrix([333334, 333333, 333333]) / 1000000,
    "rock only": sp.Matrix([1, 0, 0]),
    "never rock": sp.Matrix([0, 1, 1]) / 2,
}


@pytest.mark.parametrize("p", NEARLY.values(), ids=NEARLY)
def test_no_other_strategy_passes_any_of_the_three_proofs(p) -> None:
    for name in SOLUTION:
        assert verdict(UNIQUE, name, pA=p).refuted
        assert verdict(UNIQUE, name, pB=p).refuted
    assert verdict(INDIFFERENCE, "only_the_optimal_strategy_concedes_nothing", optimal=p).refuted
    assert verdict(INDIFFERENCE, "A_is_indifferent", uniform=p).refuted


@pytest.mark.parametrize("value", [sp.Rational(1, 10**9), -sp.Rational(1, 10**9), sp.Integer(1)])
def test_no_other_value_passes(value) -> None:
    assert verdict(UNIQUE, "its_value", value=value).refuted
    assert verdict(UNIQUE, "it_is_the_only_solution", value=value).refuted
    assert verdict(INDIFFERENCE, "A_is_indifferent", value=value).refuted


@pytest.mark.parametrize("beats", [((0, 1), (1, 2), (2, 0)), ((1, 0), (2, 1)), ()])
def test_other_rules_do_not_give_M(beats) -> None:
    assert verdict(UNIQUE, "M_follows_from_the_rules", beats=beats).refuted


@pytest.mark.parametrize("order", [operator.lt, operator.ge, operator.gt, operator.eq])
def test_only_weak_inequalities_in_the_right_direction_hold(order) -> None:
    answer = verdict(UNIQUE, "the_claimed_pair_is_a_solution", order=order)
    # against the uniform strategy L is constant, so >= and = hold as well
    assert answer.refuted == (order in (operator.lt, operator.gt))


def test_with_a_dominant_play_the_direction_matters() -> None:
    game = {"M": sp.Matrix([[0, 1], [-1, 0]]), "pA": sp.Matrix([0, 1]), "pB": sp.Matrix([0, 1])}
    assert verdict(UNIQUE, "the_claimed_pair_is_a_solution", **game).status is Status.PROVED
    assert verdict(UNIQUE, "the_claimed_pair_is_a_solution", order=operator.ge, **game).refuted


def test_five_plays_have_one_solution_too_and_six_have_more() -> None:
    five = [((i + step) % 5, i) for i in range(5) for step in (1, 3)]
    six = [((i + step) % 6, i) for i in range(6) for step in (1, 3) if step != 3 or i < 3]
    for plays, beats, alone in ((5, five, True), (6, six[:6], False)):
        uniform = sp.ones(plays, 1) / plays
        game = {"M": sp.Matrix(points_by_rules(plays, beats)), "pA": uniform, "pB": uniform}
        assert verdict(UNIQUE, "it_is_the_only_solution", **game).agrees == alone


def test_play_biased_by_two_percent_is_seen_in_simulation() -> None:
    assert verdict(UNIQUE, "simulated_games", pA=sp.Matrix([35, 33, 32]) / 100).refuted


FORMULAS = {
    "the wrong pairs": lambda r, p, s: [r - p, p - s, s - r],
    "absolute values": lambda r, p, s: [abs(s - p), abs(r - s), abs(p - r)],
    "two replies only": lambda r, p, s: [s - p, r - s],
    "from the uniform strategy": lambda r, p, s: [r - Fraction(1, 3), p - Fraction(1, 3), s - Fraction(1, 3)],
}


@pytest.mark.parametrize("replies", FORMULAS.values(), ids=FORMULAS)
def test_other_formulas_are_refuted_on_the_grid(replies) -> None:
    assert verdict(INDIFFERENCE, "best_replies_on_a_grid", replies=replies).refuted


@pytest.mark.parametrize(
    ("least", "most"), [(sp.Rational(101, 100), 2), (1, sp.Rational(199, 100)), (sp.Rational(99, 100), 2)]
)
def test_the_factors_are_the_best_ones(least, most) -> None:
    names = ["exploited_by_at_least_its_distance", "exploited_by_at_most", "the_factors_are_attained"]
    assert any(verdict(INDIFFERENCE, name, least=sp.sympify(least), most=sp.sympify(most)).refuted for name in names)


def test_average_exploitability_by_numerical_integration() -> None:
    steps = 400
    centres = [((i + 1 / 3) / steps, (j + 1 / 3) / steps) for i in range(steps) for j in range(steps - i)]
    rock, paper = np.array(centres).T
    best = np.maximum.reduce([1 - rock - paper - paper, rock - (1 - rock - paper), paper - rock])
    assert best.mean() == pytest.approx(float(INDIFFERENCE.given["average"]), abs=5e-3)


def test_picture_marks_the_only_zero() -> None:
    picture = INDIFFERENCE.pictures[0]
    drawn = picture.function(**{name: INDIFFERENCE.given[name] for name in picture.parameters})
    lowest = drawn.points[int(np.argmin(drawn.values))]
    assert lowest == pytest.approx(drawn.mark)
    assert exploitability([[0, 1, -1], [-1, 0, 1], [1, -1, 0]], drawn.points[0]) == drawn.values[0]
    assert sum(value <= 0 for value in drawn.values) == 1
