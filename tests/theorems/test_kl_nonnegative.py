"""Excesses, masses and orderings that are wrong by a little or in one place are caught by the right check."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.verdicts import Status

THEOREM = load(catalogue()["divergences/kl_nonnegative"])
MODULE = THEOREM.check("divergence_of_random_tables").function.__globals__
Masses = MODULE["Masses"]


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


@pytest.mark.parametrize(
    ("excess", "catcher"),
    [
        # non-negative and zero only at f = g, but not what the divergence integrates
        (lambda f, g: (f - g) ** 2 / g, "excess_adds_what_integrates_to_zero"),
        (lambda f, g: g * sp.log(g / f) + f - g, "excess_adds_what_integrates_to_zero"),
        (lambda f, g: f * sp.log(f / g) - f + g + (f - g) ** 2, "excess_depends_on_the_ratio"),
        # integrates to the divergence, but turns elsewhere than at 1
        (lambda f, g: f * sp.log(f / g) - 2 * f + 2 * g, "phi_turns_at_one"),
        (lambda f, g: f * sp.log(f / g) - f + g - (f - g) / 10, "phi_turns_at_one"),
        (lambda f, g: f * sp.log(f / g) - 2 * f + 2 * g, "excess_is_nonnegative_pointwise"),
        # vanishes at 1 with the right slope, and at 0 as well
        (lambda f, g: f * sp.log(f / g), "excess_at_the_boundary"),
        (lambda f, g: f * sp.log(f / g) - f + g + sp.Rational(1, 10**6) * g, "phi_turns_at_one"),
    ],
)
def test_a_wrong_excess_is_caught(excess, catcher: str) -> None:
    assert verdict(catcher, excess=excess).refuted


@pytest.mark.parametrize("name", ["divergence_is_nonnegative", "divergence_of_random_tables"])
def test_a_mass_that_is_off_by_a_billionth_is_caught(name: str) -> None:
    assert verdict(name, masses=Masses(g=1 + sp.Rational(1, 10**9))).refuted


@pytest.mark.parametrize("name", ["divergence_is_nonnegative", "divergence_of_random_tables"])
def test_a_floor_of_a_billionth_is_caught(name: str) -> None:
    assert verdict(name, margin=lambda D, p, q, r: D(p, q) - sp.Rational(1, 10**9)).refuted


def test_true_variants_are_accepted() -> None:
    for margin in (lambda D, p, q, r: D(q, p), lambda D, p, q, r: D(p, q) + D(q, p)):
        for name in ("divergence_by_rigorous_integral", "divergence_of_gaussians"):
            assert verdict(name, margin=margin).agrees
    assert verdict("divergence_of_random_tables", margin=lambda D, p, q, r: D(p, q) + D(q, r)).agrees


def test_zero_divergence_of_different_densities_would_be_caught() -> None:
    """A claim that vanishes although the densities differ breaks the second half of the theorem."""
    found = verdict("divergence_is_nonnegative", margin=lambda D, p, q, r: D(p, r) - D(p, r))
    assert found.refuted
    assert "0 only if" in found.counterexample


def test_a_sign_error_in_the_sum_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = MODULE["kl_terms"]
    monkeypatch.setitem(MODULE, "kl_terms", lambda p, q: -terms(p, q))
    assert verdict("divergence_of_random_tables").refuted


def test_a_divergence_that_drops_the_last_cell_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = MODULE["kl_terms"]
    monkeypatch.setitem(MODULE, "kl_terms", lambda p, q: terms(p, q) * (np.arange(len(p)) < len(p) - 1))
    assert verdict("divergence_of_random_tables").refuted


def test_nan_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULE, "kl_terms", lambda p, q: np.full(p.shape, np.nan))
    assert verdict("divergence_of_random_tables").refuted


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_agree(seed: int) -> None:
    for name in (
        "divergence_of_random_tables",
        "divergence_vanishes_only_at_equality",
        "excess_is_nonnegative_pointwise",
    ):
        assert verdict(name, seed).agrees
    assert verdict("divergence_of_gaussians", seed).status is Status.VERIFIED_WITHIN
