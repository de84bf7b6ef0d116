"""Wrong inverses, wrong CDFs and missing axioms, beyond the file's own controls, must be caught."""

from __future__ import annotations

import pytest
import torch
import z3

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.distributions import flat_law, mixed_law, step_law

THEOREM = load(catalogue()["sampling/generalized_inverse"])
STEP, FLAT, MIXED, CANTOR = THEOREM.given["laws"]
SIMULATION = "G_of_U_has_the_claimed_cdf"


def verdict(name: str, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, 0) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


NEED_MONOTONICITY = ["G_exists", "G_at_most_t_implies_u_at_most_F", "variant_is_at_most_t_exactly_if_u_is_at_most_F"]


@pytest.mark.parametrize("name", NEED_MONOTONICITY)
def test_without_monotonicity_the_step_is_refuted(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(THEOREM.check(name).function.__globals__, "monotone", lambda F, *points: [])
    assert verdict(name).refuted


@pytest.mark.parametrize("name", NEED_MONOTONICITY[1:])
def test_without_right_continuity_the_step_is_refuted(name: str) -> None:
    assert verdict(name, right_continuity=lambda F, t, v, d: d > 0).refuted


@pytest.mark.parametrize("missing", ["bounds", "is_best"])
def test_both_properties_of_an_infimum_are_needed(missing: str) -> None:
    from dataclasses import replace

    weak = replace(THEOREM.given["extremum"], **{missing: lambda *_: z3.BoolVal(True)})
    step = {"bounds": "u_below_F_implies_G_at_most_t", "is_best": "G_at_most_t_implies_u_at_most_F"}[missing]
    assert verdict(step, extremum=weak).refuted


@pytest.mark.parametrize("law", [STEP, FLAT, MIXED, CANTOR], ids=lambda law: law.name)
def test_a_cdf_two_percent_off_is_refuted(law) -> None:
    """Both F(t) and F(t-) are shifted towards 1/2 by 4 percent of their distance from it."""

    def claimed(law):
        return lambda x: 0.96 * law.cdf(x) + 0.04 * (law.cdf(x) >= 1).double()

    def squeezed(law):
        from dataclasses import replace

        left = law.cdf_left
        return replace(law, cdf_left=lambda x: 0.96 * left(x) + 0.04 * (left(x) >= 1).double())

    wrong = squeezed(law)
    assert verdict(SIMULATION, laws=(wrong,), claimed=claimed, G=lambda _, u: law.inverse(u, True)).refuted


def jumped_late(law, u):
    """An atom's mass is spread over a short interval behind it: F(t) is wrong at the atom only."""
    x = law.inverse(u, True)
    return torch.where(x == 2, 2 + 1e-9 * (u * 1e6 % 1), x)


def jumped_early(law, u):
    """The same before the atom: F(t-) is wrong there, and comparing F(t) at jumps only would not show it."""
    x = law.inverse(u, True)
    return torch.where(x == 2, 2 - 1e-9 * (u * 1e6 % 1), x)


@pytest.mark.parametrize("wrong", [jumped_late, jumped_early])
@pytest.mark.parametrize("law", [STEP, MIXED], ids=lambda law: law.name)
def test_both_sides_of_a_jump_are_tested(wrong, law) -> None:
    assert verdict(SIMULATION, laws=(law,), G=wrong).refuted
    assert verdict("F_crosses_u_at_G", laws=(law,), G=wrong).refuted


def test_a_flat_piece_that_is_filled_is_refuted() -> None:
    def filled(law, u):
        return 3 * u

    assert verdict(SIMULATION, laws=(flat_law(),), G=filled).refuted


def test_the_other_convention_has_the_same_law_but_is_not_the_infimum() -> None:
    def other(law, u):
        return law.inverse(u, False)

    assert verdict(SIMULATION, laws=(STEP,), G=other).agrees
    assert verdict("closed_form_is_the_infimum", G=other).refuted


def test_left_end_of_the_gap_in_the_mixed_law_is_told_apart_from_the_right_one() -> None:
    half = torch.tensor([0.5], dtype=torch.float64)
    law = mixed_law()
    assert law.inverse(half, True).item() == 2.0
    assert law.inverse(half, False).item() == 1.0


@pytest.mark.parametrize("name", ["events_of_random_steps_are_nested", "events_are_nested_on_random_instances"])
def test_an_inverse_that_is_wrong_at_ties_only_is_refuted(name: str) -> None:
    """Below the atom whose height is u: {G(u) <= t} then holds where u <= F(t) does not."""
    inverse = THEOREM.given["steps_inverse"]

    def wrong(atoms, probs, u):
        law = step_law(list(atoms), [float(p) for p in probs])
        value = inverse(atoms, probs, u)
        tie = torch.isin(u, torch.cumsum(torch.as_tensor(probs, dtype=torch.float64), 0))
        below = inverse(atoms, probs, u, strict=False)
        return torch.where(tie & (value != below), below - 1.0, value) if law.atoms else value

    assert verdict(name, steps_inverse=wrong).refuted


def test_sup_controls_that_would_be_true_are_not_among_the_controls() -> None:
    """sup{x : F(x) <= u} is G itself and sup{x : F(x) < u} the variant, as enumeration over the atoms shows."""
    heights = [0.25, 0.75, 0.875, 1.0]
    for u in (0.1, 0.25, 0.5, 0.75, 0.9):
        level = torch.tensor([u], dtype=torch.float64)
        # F is constant between atoms, so the supremum is the next atom after the last one with F <= u (or F < u)
        at_most = next(a for a, h in zip(STEP.atoms, heights, strict=True) if not h <= u)
        below = next(a for a, h in zip(STEP.atoms, heights, strict=True) if not h < u)
        assert at_most == STEP.inverse(level, True).item()
        assert below == STEP.inverse(level, False).item()
