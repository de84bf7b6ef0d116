"""Generators and integrands that are wrong by little are caught; those that differ by a multiple of t - 1 are not."""

from __future__ import annotations

import pytest
import sympy as sp

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.f_divergences import Generator, t
from mdnn_verify.verdicts import Status

THEOREM = load(catalogue()["divergences/kl_is_f_divergence"])
MODULE = THEOREM.check("mean_over_Y").function.__globals__
INTEGRATED = ["affine_densities_by_rigorous_integral", "exponential_variables", "mean_over_Y"]


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


@pytest.mark.parametrize("name", [*INTEGRATED, "tables_without_empty_cells"])
def test_a_multiple_of_t_minus_one_changes_no_divergence(name: str) -> None:
    """True neighbours, which the comparison of the integrands alone would refuse."""
    first = Generator("t log t - t + 1", (t * sp.log(t) - t + 1,), sp.Integer(1), sp.oo)
    second = Generator("-log t + t - 1", (-sp.log(t) + t - 1,), sp.oo, sp.Integer(1))
    assert verdict(name, for_X_Y=first, for_Y_X=second).agrees


@pytest.mark.parametrize("name", ["integrand_for_X_Y", "exponential_variables", "tables_without_empty_cells"])
@pytest.mark.parametrize(
    "formula",
    [
        t * sp.log(t) + sp.Rational(1, 10**9) * (t - 1) ** 2,
        t * sp.log(t) * (1 + sp.Rational(1, 10**9)),
        t * sp.log(t) / 2 + (t - 1) / 2,
        (t**2 - 1) / 2 - sp.log(t),
    ],
    ids=["a billionth of chi-square", "a billionth more", "half of it", "another convex function"],
)
def test_generators_that_are_slightly_wrong_are_caught(name: str, formula) -> None:
    assert verdict(name, for_X_Y=Generator("wrong", (formula,), sp.Integer(0), sp.oo)).refuted


@pytest.mark.parametrize("name", ["integrand_for_Y_X", "affine_densities_by_rigorous_integral", "mean_over_Y"])
def test_the_total_order_is_checked_in_both_slots(name: str) -> None:
    assert verdict(name, for_X_Y=MODULE["MINUS_LOG_T"], for_Y_X=MODULE["T_LOG_T"]).refuted


def test_wrong_limits_are_caught_at_empty_cells() -> None:
    no_atom = Generator("t log t, 1 at 0", (t * sp.log(t),), sp.Integer(1), sp.oo)
    finite = Generator("t log t, slope 1", (t * sp.log(t),), sp.Integer(0), sp.Integer(1))
    for wrong in (no_atom, finite):
        assert verdict("tables_with_empty_cells", for_X_Y=wrong).refuted


def test_closed_forms_are_those_of_a_riemann_sum() -> None:
    from fractions import Fraction
    from math import log

    def density(slope: float, x: float) -> float:
        return (1 + slope * x) / (1 + slope / 2)

    for first, second in ((3.0, 0.0), (0.0, 3.0), (-0.9, 0.0), (0.0, -0.9)):
        points = [(i + 0.5) / 20000 for i in range(20000)]
        ratio = [(density(first, x), density(second, x)) for x in points]
        total = sum(u * log(u / v) for u, v in ratio) / 20000
        exact = MODULE["closed_form"](Fraction(first).limit_denominator(10), Fraction(second).limit_denominator(10))
        assert abs(float(exact) - total) < 1e-7


def test_draws_stay_in_their_range() -> None:
    for claim in THEOREM.check("mean_over_Y").function(**THEOREM.given).values():
        draws = claim.draw(Stream("range", 1), 50_000)
        assert claim.lo < draws.min() <= draws.max() < claim.hi


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_agree(seed: int) -> None:
    for name in ("tables_without_empty_cells", "tables_with_empty_cells", "mean_over_Y"):
        assert verdict(name, seed).agrees
