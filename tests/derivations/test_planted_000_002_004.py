"""The audit of seeds 000, 002 and 004 can fail: planted errors are found, and the worlds' own arithmetic is right."""

from __future__ import annotations

import importlib
import random
from dataclasses import replace

import pytest
import sympy as sp

from mdnn_verify.audit import Derivation, Finding, audit
from mdnn_verify.derivations import _games as games
from mdnn_verify.derivations._cdfs import Increasing, Mixed
from mdnn_verify.derivations._importance import bound, evidence, families, masses, one_for_all, posterior, serve_all
from mdnn_verify.derivations._networks import Network, Z, networks
from mdnn_verify.derivations.seed_002.problem_2b import expected_score
from mdnn_verify.derivations.seed_002.problem_2c import closed_form_of_the_divergence
from mdnn_verify.derivations.seed_004.claims import T_transposed, gradient, transposed_convolution, upsampled
from mdnn_verify.derivations.seed_004.claims_laws import f_divergence
from mdnn_verify.derivations.seed_004.claims_network import transposed_product


def planted(place, name, meaning, **changes):
    """The finding for a line that was replaced."""
    module, of = place.split()
    of = getattr(importlib.import_module(f"mdnn_verify.derivations.{module}"), of)
    fresh = Derivation(of.title, of.worlds)
    fresh.lines = [
        replace(line, meaning=meaning, needs=None, **changes) if line.name == name else line for line in of.lines
    ]
    return {line.name: line.finding for line in audit(fresh).lines}[name]


def turned_round(network):
    """The derivatives by the filters, if convolution turned v round."""
    found = []
    for k in range(1, network.L + 1):
        v, y = list(network.v(k))[::-1], list(network.y(k - 1))
        found.append(sp.Matrix([[sum(v[i] * y[i + j] for i in range(len(v))) for j in range(len(y) - len(v) + 1)]]))
    return tuple(found)


PLANTED = [
    ("seed_000.claims rates", "kmnist_called_normal", lambda kmnist: sp.Rational(1, 2)),
    ("seed_000.claims coupling", "sum_of_scales", lambda layer: sp.Integer(len(layer.s))),
    ("seed_000.claims coupling", "sorted_form", lambda layer: layer.sorting * layer.block_form * layer.sorting.inv()),
    ("seed_000.claims_divergence normal", "covariance", lambda Sigma0: 2 * Sigma0),
    ("seed_000.claims_divergence tight", "maximisers_of_the_bound", lambda Theta: frozenset()),
    ("seed_002.claims bounds", "statement_b", lambda p_z, p_x, q, K: bound(p_z, p_x, q, K + 1)),
    ("seed_002.claims hint", "mean_of_all", lambda a: sum(a) / sp.Integer(len(a) + 1)),
    ("seed_002.problem_1a derivation", "jensen", lambda p_z, p_x, q, K: bound(p_z, p_x, q, 1) - 1),
    ("seed_002.problem_1b derivation", "bound_with_m_draws", lambda p_z, p_x, q, K: bound(p_z, p_x, q, K)),
    ("seed_002.problem_1c part_c", "bayes", lambda p_z, p_x: sp.log(evidence(p_z, p_x) / 2)),
    (
        "seed_002.problem_2b derivation",
        "expected_score",
        lambda family, joint, phi: -expected_score(family, joint, phi),
    ),
    (
        "seed_002.problem_2c second_term",
        "closed_form_of_the_divergence",  # the laws exchanged
        lambda mu, S, l1, l2: closed_form_of_the_divergence(l1, sp.diag(*l2), mu, S.diagonal().T),
    ),
    ("seed_002.problem_4a value", "antisymmetry_used", lambda M: sp.Integer(1)),
    ("seed_002.problem_4a product", "entries_of_the_product", lambda pB: sp.Matrix([pB[1] - pB[2], 0, 0])),
    ("seed_002.problem_4a solution", "least_is_negative", lambda pB: pB[0] > pB[1]),
    ("seed_002.problem_4b derivation", "pure_answer_wins", lambda pA: (pA.T * games.RULES * pA)[0] > 0),
    ("seed_002.claims_games uniqueness", "only_thirds", lambda: frozenset()),
    ("seed_004.claims pooling", "quarter_of_upsampling", lambda Y: upsampled(Y, 2)),
    (
        "seed_004.claims upsampling",
        "transposed_convolution_layer",
        lambda X, r: r * transposed_convolution(X, sp.ones(r), r),
    ),
    ("seed_004.claims limits", "maximum", lambda x: sp.Min(*x)),
    ("seed_004.claims limits", "softmax", lambda x: 2 * gradient(x, 1)),
    ("seed_004.claims_laws generalised", "value_of_f", lambda F, t: F.before(t)),
    ("seed_004.claims_laws named", "reverse_divergence", lambda pX, pY: f_divergence(pX, pY, "t log t")),
    ("seed_004.claims_network backward", "convolutions_with_v", turned_round),
    (
        "seed_004.claims_network products",
        "transposed_product",
        lambda network: tuple(-row for row in transposed_product(network)),
    ),
]


@pytest.mark.parametrize(("place", "name", "meaning"), PLANTED, ids=lambda v: v if isinstance(v, str) else "")
def test_a_planted_error_is_found(place, name, meaning):
    assert planted(place, name, meaning) is Finding.DOES_NOT_FOLLOW


def test_a_bound_that_falls_with_the_draws_is_refused():
    place = "seed_002.problem_1b derivation"
    name = "subset_within"
    of = importlib.import_module("mdnn_verify.derivations.seed_002.problem_1b").derivation
    assert planted(place, name, of[name].meaning, relation=type(of[name].relation)("<=")) is Finding.DOES_NOT_FOLLOW


def test_values_of_games_agree_from_both_sides():
    draw = random.Random(5)
    for _ in range(8):
        M = sp.Matrix(3, 3, lambda i, j: draw.randint(-3, 3))

        def payoff(a, b, M=M):
            return (a.T * M * b)[0]

        low, high = games.max_min_b(payoff, "mixed"), games.min_max_a(payoff, "mixed")
        assert low == high  # an upper and a lower bound of the value meet, each reached by a strategy
        assert all(max(p.T * M) == high for p in games.optimal_for_a(M))
        assert all(min(M * p) == low for p in games.optimal_for_b(M))
        assert min(max(p.T * M) for p in games.simplex_grid(6)) >= high
        assert games.min_max_a(payoff, "pure") == min(max(M[i, :]) for i in range(3))


def test_games_with_a_known_solution():
    assert games.optimal_for_a(games.RULES) == {sp.ImmutableMatrix([1, 1, 1]) / 3}
    assert games.optimal_for_b(games.antisymmetric(1, 2, 3)) == {sp.ImmutableMatrix([1, 2, 3]) / 6}
    zeros = sp.zeros(3, 3)
    assert games.optimal_for_a(zeros) == {sp.ImmutableMatrix(p) for p in games.pure(3)}


def test_importance_worlds_hold_what_they_say():
    for world in families():
        models, encoders = world.data["models"], world.data["encoders"]
        for p, xs in models.values():
            assert all(any(qs[i] == posterior(p, x) for qs in encoders.values()) for i, x in enumerate(xs))
    found = {(one_for_all(w.data["models"], w.data["encoders"]), serve_all(**w.data)) for w in families()}
    assert found == {(True, True), (False, False)}
    assert evidence(masses("1/2", "1/2"), masses("1/2", "1/4")) == sp.Rational(3, 8)


def test_a_network_by_hand():
    network = Network((1, 2, 0), ((1, 2), (1, -1)), (0, 1), Z**2)  # y1 = (25, 4), y2 = 25 - 4 + 1
    assert list(network.y(1)) == [25, 4]
    assert list(network.y(2)) == [22]
    # y2 = (w0 + 2 w1)^2 - (2 w0)^2 + 1 at (1, 2): 2 * 5 - 8 * 1 and 4 * 5
    assert network.by_filter(1) == sp.Matrix([[2, 20]])
    assert network.by_shift(1) == sp.Matrix([[10 - 4]])
    assert all(len(w.data["network"].y(w.data["network"].L)) == 1 for w in networks())


def test_distribution_functions():
    half = sp.Rational(1, 2)
    F = Mixed({sp.Integer(1): half}, ((sp.Integer(0), sp.Integer(2), half),))
    assert [F(x) for x in map(sp.Integer, range(3))] == [0, sp.Rational(3, 4), 1]
    assert F.before(sp.Integer(1)) == sp.Rational(1, 4)
    assert [F.generalised_inverse(u) for u in (half / 4, half, 1 - half / 4)] == [half, 1, 3 * half]
    jump = Increasing(half)
    assert jump.inverse(half) is None
    for u in (half / 4, sp.Rational(9, 10)):
        assert jump(jump.inverse(u)) == u


def test_the_transpose_of_pooling_by_hand():
    assert T_transposed(sp.Matrix([[4, 8]])) == sp.Matrix([[1, 1, 2, 2], [1, 1, 2, 2]])


def test_the_log_derivative_trick_needs_a_support_that_stays():
    # q uniform on [0, u), p(X) = 1 on [0, 1): E log(p/q) = log u has the slope 1/u; the trick yields -log(u)/u
    u = sp.Rational(1, 2)
    assert sp.diff(sp.log(sp.Symbol("u")), sp.Symbol("u")).subs(sp.Symbol("u"), u) == 2
    assert sp.simplify(-sp.log(u) / u - 2 * sp.log(2)) == 0
