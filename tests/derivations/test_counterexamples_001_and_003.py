"""The counterexamples to seeds 001 and 003 again, in plain arithmetic, without the audit."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from mdnn_verify.derivations.seed_001.claims import mixture


def test_g_looks_for_the_elements_of_the_complement_in_omega():
    assert 2 not in [1]  # n = 2, Omega = {1}: g(2) would be the place of 2 in Omega


def test_half_of_g_lies_where_f_vanishes():
    h = 0.001
    inside = sum(h * 1.0 * (0.5 / 1.0) for _ in range(1000))  # the integral of f g/f over [0, 1)
    assert -math.log(inside) == pytest.approx(math.log(2))


def test_the_trace_without_the_inverse():
    before = 0.5 * math.log(1 / 2) - 0.5 * (2 / 2) + 0.5 * (0 + 2 / 1)
    printed = 0.5 * math.log(1 / 2) - 0.5 * 2 + 0.5 * (0 + 2 / 1)
    assert before == pytest.approx(0.5 - math.log(2) / 2)
    assert printed == pytest.approx(-math.log(2) / 2)


def test_the_mixture_is_too_large_for_every_number_from_three_on():
    def mixture_of_gaussians(num):  # sizes as printed
        n = num // 3
        return np.concatenate([np.zeros(n), np.zeros(n), np.zeros(num - n)])

    assert [num for num in range(61) if len(mixture_of_gaussians(num)) == num] == [0, 1, 2]
    assert (len(mixture_of_gaussians(5000)), len(mixture_of_gaussians(1000))) == (6666, 1333)
    for num in range(61):
        assert mixture["number_made"].meaning(num) == len(mixture_of_gaussians(num))
        assert mixture.corrections["number_made"].meaning(num) == num


def test_means_sums_and_batches():
    assert (-np.mean([0.0, 1.0]), -np.sum([0.0, 1.0])) == (-0.5, -1.0)
    values = [Fraction(0), Fraction(0), Fraction(1)]
    assert -sum(values) / 3 == Fraction(-1, 3)
    assert -((values[0] + values[1]) / 2 + values[2]) / 2 == Fraction(-1, 2)
    assert (5000 % 128, 6666 % 128) == (8, 10)


def standard_flow(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2))) - 0.5


def test_bisection_runs_into_the_end_of_its_bracket():
    low, high, z = -3.0, 3.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if standard_flow(middle) >= z else (middle, high)
    assert (low + high) / 2 == pytest.approx(3, abs=1e-8)
    assert standard_flow((low + high) / 2) < 0.5 < z
    assert (standard_flow(-40.0), standard_flow(40.0)) == (-0.5, 0.5)  # not 0 and 1


def test_a_three_cycle_tells_the_two_products_apart():
    def z(x):  # n = 3, Omega = {3}, s = 0, t(u) = (u, 0)
        return np.array([x[0] + x[2], x[1], x[2]])

    slope = np.column_stack([z(e) - z(np.zeros(3)) for e in np.eye(3)])
    blocks = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])  # of (z3, z1, z2) by (x3, x1, x2)
    P = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    x = np.array([5, 6, 7])
    assert (P @ x[[2, 0, 1]] == x).all()
    assert (P @ blocks @ P.T == slope).all()
    assert (P.T @ blocks @ P == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]).all()
    assert not np.array_equal(np.triu([[1, 0], [1, 1]]), [[1, 0], [1, 1]])  # n = 2, Omega = {1}, t(u) = u


def test_the_lost_half_and_the_inserted_matrices():
    second_moment = 1  # X ~ N(0, 1), both laws the same
    assert Fraction(-1, 2) * second_moment + Fraction(1, 2) * second_moment == 0
    assert Fraction(-1, 2) * second_moment + second_moment == Fraction(1, 2)
    assert (Fraction(1, 2) * 2, 2 * 2) == (1, 4)  # E[X X / 2] and what A = 2 yields, for X ~ N(0, 2)
    assert (Fraction(1, 2) * 1, 2 * 1) == (Fraction(1, 2), 2)  # the same for X ~ N(0, 1), Sigma1 = 2


def test_a_sequence_without_a_largest_member():
    assert all(1 - Fraction(1, n) < 1 - Fraction(1, n + 1) < 1 for n in range(1, 200))


def test_errors_of_both_types():
    score = threshold = 1
    assert not score > threshold  # no anomaly, so for a KMNIST image an error of type II
    assert not score < threshold  # but not counted as printed
    null_is_true, rejected = True, True  # "it is an anomaly", of a KMNIST image that is called none
    assert null_is_true
    assert rejected  # a true null hypothesis, rejected: type I
