"""The counterexamples to seeds 000, 002 and 004 again, in plain arithmetic, without the audit."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise, product

import pytest

HALF = Fraction(1, 2)
NAMES = ("rock", "paper", "scissors")
BEATS = {("paper", "rock"), ("scissors", "paper"), ("rock", "scissors")}
M = ((0, -1, 1), (1, 0, -1), (-1, 1, 0))  # as printed


def points_for_b(a, b):
    return 1 if (b, a) in BEATS else -1 if (a, b) in BEATS else 0


def test_the_flow_leaves_out_more_than_half_of_the_normal_law():
    def pulled_back(x):  # one component with w = mu = tau = 0
        f = 0.5 * math.erf(x / math.sqrt(2))
        slope = math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
        return math.exp(-(f**2) / 2) / math.sqrt(2 * math.pi) * slope

    mass = sum(0.001 * pulled_back(-8 + 0.001 * k) for k in range(16000))
    assert mass == pytest.approx(math.erf(math.sqrt(2) / 4), abs=1e-6)
    assert mass < 0.4
    for weight in (1, 10):  # however large the weights
        assert math.erf(weight / (2 * math.sqrt(2))) < 1


def test_q_overlooks_half_of_the_evidence():
    p_z, p_x, q = (HALF, HALF), (HALF, HALF), (1, 0)
    expectation = sum(q[z] * (p_x[z] * p_z[z] / q[z]) for z in (0, 1) if q[z])
    evidence = sum(p_x[z] * p_z[z] for z in (0, 1))
    assert (expectation, evidence) == (Fraction(1, 4), HALF)


def test_a_posterior_for_each_datum_is_not_one_for_all():
    likelihoods = {"X1": (0.75, 0.25), "X2": (0.25, 0.75)}
    encoders = ((0.75, 0.25), (0.25, 0.75))  # each takes no notice of X
    posteriors = {x: tuple(v * 0.5 / 0.5 for v in values) for x, values in likelihoods.items()}
    assert all(posterior in encoders for posterior in posteriors.values())

    def bound(x, q):
        return sum(q[z] * math.log(likelihoods[x][z] * 0.5 / q[z]) for z in (0, 1))

    best = max(bound("X1", q) + bound("X2", q) for q in encoders)
    assert best == pytest.approx(-0.75 * math.log(6) - math.log(2) + 0.25 * math.log(1.5))
    assert best < 2 * math.log(0.5) - 0.5


def test_the_evidence_depends_on_the_prior():
    p_x = (HALF, Fraction(1, 4))
    assert [sum(r[z] * p_x[z] for z in (0, 1)) for r in ((1, 0), (0, 1))] == [HALF, Fraction(1, 4)]


def test_the_constant_and_the_sign_of_the_first_term():
    # X = 0, f = 0, sigma = 1: the logarithm of the density at its mean
    assert math.log(1 / math.sqrt(2 * math.pi)) == pytest.approx(-(math.log(math.pi) + math.log(2)) / 2)
    # X = 1, f = 0, sigma = 1: -(1/2)|1 - 0|^2 is printed with the other sign on the next line
    assert -0.5 * (1 - 0) ** 2 == -0.5 != 0.5 * (1 - 0) ** 2


def test_the_printed_matrix_holds_the_points_for_a():
    assert points_for_b("rock", "paper") == 1
    assert M[0][1] == -1
    assert all(M[i][j] == -points_for_b(NAMES[i], NAMES[j]) for i, j in product(range(3), repeat=2))


def test_with_pure_strategies_all_that_is_shown_holds_and_the_value_is_not_zero():
    min_max = min(max(row) for row in M)
    max_min = max(min(M[i][j] for i in range(3)) for j in range(3))
    assert min_max >= max_min
    assert all(M[i][j] == -M[j][i] for i, j in product(range(3), repeat=2))
    assert (min_max, max_min) == (1, -1)


def test_no_pair_is_a_solution_as_it_is_printed():
    L = {(t, p): t**2 - p**2 for t, p in product((0, 1, -1), repeat=2)}
    for t, p in L:
        assert not all(L[t, other] < L[t, p] for other in (0, 1, -1))
    assert all(L[0, p] <= L[0, 0] <= L[t, 0] for t, p in L)


def test_no_deviation_from_equal_probabilities_changes_the_points():
    for a in NAMES:
        assert sum(points_for_b(a, b) for b in NAMES) == 0
        assert sum(points_for_b(b, a) for b in NAMES) == 0


def test_a_strictly_increasing_function_with_a_jump():
    def F(x):
        return (1 + x / (1 + abs(x))) / 4 + (HALF if x >= 0 else 0)

    xs = [Fraction(k, 50) for k in range(-500, 501)]
    assert all(F(a) < F(b) for a, b in pairwise(xs))
    assert F(Fraction(0)) == Fraction(3, 4)
    assert max(F(x) for x in xs if x < 0) < Fraction(1, 4)  # nothing between 1/4 and 3/4: F(x) = 1/2 has no solution


def test_an_f_divergence_below_zero():
    # X uniform on [0, 2), Y on [0, 1), f(t) = t - 1: the ratio is 1/2 on [0, 1), where Y lives
    assert (HALF / 1 - 1) * 1 == -HALF
    # f(t) = t log t gives a finite number, and X has half its mass where Y has none
    assert 0.5 * math.log(0.5) == pytest.approx(-math.log(2) / 2)


def test_a_perfect_detector_makes_no_error_of_type_two():
    scores, threshold = (4, 5), 3
    missed = sum(not score > threshold for score in scores) / 2
    printed = sum(score > threshold for score in scores) / 2
    assert (missed, printed) == (0, 1)
