"""Generators, masses and margins that are wrong by little or in one place are caught by the right check."""

from __future__ import annotations

import pytest
import sympy as sp
import z3

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.f_divergences import GENERATORS, Generator, t
from mdnn_verify.verdicts import Status

THEOREM = load(catalogue()["divergences/f_divergence_nonnegative"])
MODULE = THEOREM.check("divergence_of_random_tables").function.__globals__


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    found = verdict(name)
    assert found.agrees
    if THEOREM.check(name).kind == "symbolic":
        assert found.status is Status.PROVED


@pytest.mark.parametrize("f", GENERATORS, ids=lambda f: f.name)
def test_mirrored_generators_are_refuted(f: Generator) -> None:
    """-f is concave; only the hockey stick is 0 near 1, so that its mirror image needs distant tables."""
    mirrored = Generator(f"minus {f.name}", tuple(-piece for piece in f.pieces[:1]), -f.at_zero, -f.slope)
    if len(f.pieces) == 1:
        assert verdict("divergence_of_random_tables", fs=(mirrored,)).refuted
        assert verdict("divergence_by_rigorous_integral", fs=(mirrored,)).refuted
        assert verdict("f_is_convex", fs=(mirrored,)).refuted


@pytest.mark.parametrize("name", ["left_slopes_never_exceed_right_slopes", "line_of_that_slope_supports_f"])
def test_a_value_at_one_that_is_a_billionth_below_zero_is_caught(name: str) -> None:
    assert verdict(name, f_at_one=-sp.Rational(1, 10**9)).refuted


def test_a_value_above_zero_at_one_does_no_harm_at_one() -> None:
    assert verdict("line_of_that_slope_supports_f", f_at_one=sp.Rational(1, 10**9)).agrees


@pytest.mark.parametrize(
    "chord",
    [
        lambda f_s, f_1, f_t, s, t: z3.Implies(s > z3.Q(1, 100), MODULE["convex"](f_s, f_1, f_t, s, t)),
        lambda f_s, f_1, f_t, s, t: f_1 * (t - s) <= f_s * (t - 1) + f_t * (1 - s) + z3.Q(1, 10**9),
        lambda f_s, f_1, f_t, s, t: f_1 <= z3.If(f_s >= f_t, f_s, f_t),  # quasi-convex
    ],
    ids=["not near 0", "up to a billionth", "quasi-convex"],
)
def test_less_than_convexity_is_not_enough(chord) -> None:
    assert verdict("left_slopes_never_exceed_right_slopes", chord=chord).refuted


@pytest.mark.parametrize("name", ["divergence_is_nonnegative", "divergence_of_random_tables"])
@pytest.mark.parametrize("mass", ["mass_of_q", "mass_of_p_where_q_lives"])
def test_masses_that_are_slightly_off_are_caught(name: str, mass: str) -> None:
    off = 1 + sp.Rational(1, 10) if mass == "mass_of_q" else 1 - sp.Rational(1, 10)
    assert verdict(name, **{mass: off}).refuted
    assert verdict("divergence_is_nonnegative", **{mass: 1 + sp.Rational(1, 10**9)}).refuted


@pytest.mark.parametrize(
    "excess",
    [
        lambda v, p, q, a: v - a * p,
        lambda v, p, q, a: v + a * (p - q),
        lambda v, p, q, a: v - a * (p - q) - (p - q) ** 2,
    ],
    ids=["q forgotten", "sign", "too much"],
)
def test_wrong_excesses_are_caught(excess) -> None:
    assert verdict("integrand_exceeds_the_tangent", excess=excess).refuted
    assert verdict("excess_at_random_points", excess=excess).refuted


def test_true_variants_are_accepted() -> None:
    names = ["divergence_is_nonnegative", "divergence_of_random_tables", "divergence_by_rigorous_integral"]
    for margin in (lambda D, p, q: D(q, p), lambda D, p, q: D(p, q) + D(q, p)):
        assert verdict(names[0], margin=margin).agrees
        assert verdict(names[2], margin=margin).agrees
    cubic = Generator("convex on (0, oo) only", (t**3 - 1,), -sp.Integer(1), sp.oo)
    for name in (*names, "f_is_convex", "f_vanishes_at_one", "examples_are_convex", "mean_over_Y"):
        assert verdict(name, fs=(cubic,)).agrees


def test_a_generator_with_a_small_dent_is_caught() -> None:
    """Convex but for a dent of depth 1/20 around 2; the divergence itself need not become negative."""
    dent = (t - 1) ** 2 / 4 - sp.exp(-16 * (t - 2) ** 2) / 10 + sp.exp(-16) / 10
    assert verdict("examples_are_convex", fs=(Generator("dented", (dent,), sp.Integer(0), sp.oo),)).refuted


def test_simulated_values_stay_in_their_support() -> None:
    claims = THEOREM.check("mean_over_Y").function(
        **{name: THEOREM.given[name] for name in THEOREM.check("mean_over_Y").parameters}
    )
    for claim in claims.values():
        draws = claim.draw(Stream("support", 1), 50_000)
        assert claim.support[0] < draws.min() <= draws.max() < claim.support[1]


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_agree(seed: int) -> None:
    for name in ("excess_at_random_points", "divergence_of_random_tables", "mean_over_Y"):
        assert verdict(name, seed).agrees
