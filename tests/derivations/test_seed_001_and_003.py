"""The derivations of seeds 001 and 003: every line's finding, every accusation's counterexample, all corrections."""

from __future__ import annotations

import functools
import importlib
import sys
from dataclasses import replace

import pytest
import sympy as sp

from mdnn_verify.audit import Derivation, Finding, Relation, World, audit
from mdnn_verify.derivations._couplings import Layer
from mdnn_verify.derivations._densities import BoxDensity, step
from mdnn_verify.derivations._detector import squared_norm

PLACE = "mdnn_verify.derivations"
CODES = {
    Finding.GIVEN: "given",
    Finding.FOLLOWS: "ok",
    Finding.DOES_NOT_FOLLOW: "WRONG",
    Finding.GAP: "GAP",
    Finding.ILLEGIBLE: "garbled",
    Finding.UNDECIDED: "undecided",
}
ACCUSATIONS = {Finding.DOES_NOT_FOLLOW, Finding.GAP, Finding.UNDECIDED}
EXPECTED = {
    ("seed_001.problem_3", "derivation"): """
        ok:f_is_defined WRONG:g_is_defined given:case_inside ok:case_inside_is_one given:case_below
        ok:case_below_by_the_product_rule given:case_diagonal ok:case_diagonal_is_the_scale
        ok:case_diagonal_by_the_column garbled:case_otherwise ok:sigma_is_a_permutation given:permuted
        ok:entries_sorted ok:block_form given:jacobian ok:decomposed given:log_determinant
        ok:log_determinant_of_the_blocks ok:log_of_the_product ok:sum_over_the_complement ok:sum_of_s
    """,
    ("seed_001.problem_4a", "convexity"): """
        ok:minus_log_is_convex
    """,
    ("seed_001.problem_4a", "derivation"): """
        given:divergence ok:expected_log_ratio ok:expected_minus_log ok:jensen ok:expectation_as_integral
        GAP:minus_log_of_one ok:zero
    """,
    ("seed_001.problem_4b", "derivation"): """
        given:joint_densities ok:densities_factor given:divergence ok:expected_minus_log ok:sum_of_expectations
        ok:sum_of_divergences
    """,
    ("seed_001.problem_5", "density"): """
        given:density_of_an_affine_image ok:density_as_printed
    """,
    ("seed_001.problem_5", "derivation"): """
        given:divergence ok:expected_log_ratio ok:difference_of_logarithms ok:densities_inserted ok:trace_of_a_number
        ok:trace_turned WRONG:expectation_within_the_trace ok:covariance_inserted ok:closed_form
    """,
    ("seed_001.problem_6", "derivation"): """
        ok:phi_theta_exists given:supremum_over_pairs ok:iterated_supremum ok:decomposition_inserted
        ok:infimum_of_the_gap ok:supremum_of_f ok:minimum_is_zero given:argmax_of_f ok:projection_of_argmax_g
    """,
    ("seed_001.claims", "sizes"): """
        garbled:step_1 garbled:split garbled:step_7 ok:split_is_complete ok:last_batch ok:every_batch_is_full
        ok:divisor_is_the_number_of_images ok:layers_fit ok:rates_are_whole_numbers_of_images
    """,
    ("seed_001.claims", "pixels"): """
        ok:pixels_lie_between_0_and_1
    """,
    ("seed_001.claims", "detector"): """
        given:smaller_loss ok:smaller_mean_square given:anomaly_by_the_sum ok:anomaly_by_the_mean given:not_an_anomaly
        ok:at_most_the_threshold
    """,
    ("seed_001.claims", "mixture"): """
        given:number_wanted WRONG:number_made
    """,
    ("seed_001.claims", "losses"): """
        given:minus_the_mean WRONG:minus_the_sum given:mean_over_the_data GAP:mean_of_the_batches
    """,
    ("seed_001.claims_flow", "flow"): """
        given:flow_by_the_integral ok:forward given:slope ok:dz_by_dx
        ok:slope_is_positive given:pulled_back_density ok:px
    """,
    ("seed_001.claims_flow", "sampling"): """
        garbled:indentation given:bracketed ok:still_bracketed WRONG:the_bracket_holds_the_root
    """,
    ("seed_003.problem_3", "derivation"): """
        given:x_itself ok:x_permuted given:z_itself ok:z_permuted given:jacobian WRONG:by_blocks ok:blocks_inserted
        WRONG:upper_triangular given:log_determinant ok:log_determinant_of_the_scales ok:log_of_the_product
        ok:sum_of_components ok:sum_of_s
    """,
    ("seed_003.problem_4a", "derivation"): """
        given:divergence ok:expected_log_ratio ok:expected_minus_log ok:jensen ok:expectation_as_integral
        GAP:minus_log_of_one ok:zero
    """,
    ("seed_003.problem_4b", "derivation"): """
        given:joint_density ok:density_factors given:divergence ok:densities_inserted ok:integrals_split
        ok:masses_are_one ok:sum_of_divergences
    """,
    ("seed_003.problem_5", "derivation"): """
        given:divergence ok:densities_inserted ok:three_integrals WRONG:squares_expanded ok:expectations
        ok:means_inserted ok:square_completed given:first_form GAP:first_form_inserted ok:first_form_closed
        given:second_form GAP:second_form_inserted ok:closed_form
    """,
    ("seed_003.problem_5", "quadratic_form"): """
        given:form ok:trace_of_a_number ok:trace_turned ok:expectation_within_the_trace ok:second_moment_inserted
        ok:multiplied_out ok:traces_apart ok:closed_quadratic_form
    """,
    ("seed_003.problem_6", "exchange"): """
        GAP:the_property ok:a_maximiser_exists ok:at_most_the_row given:m_1 ok:value_at_the_maximiser
        ok:largest_of_its_row ok:largest_of_all_rows ok:m_2 given:m_1_again ok:largest_with_the_best_reply
        ok:iterated_maximum given:m_1_to_conclude ok:m_2_concluded
    """,
    ("seed_003.problem_6", "derivation"): """
        given:maximum_over_pairs ok:property_used ok:decomposition_inserted ok:minimum_of_the_gap ok:maximum_of_f
        given:projection ok:where_g_is_largest ok:where_g_reaches_f ok:where_f_is_largest ok:argmax_of_f
        WRONG:f_takes_two_arguments
    """,
    ("seed_003.claims", "errors"): """
        given:mnist_image ok:exceeding_is_type_one given:kmnist_image GAP:lower_is_type_two given:kmnist_image_missed
        GAP:missed_is_type_two
    """,
    ("seed_003.claims", "rates"): """
        garbled:figure_1 ok:rates_are_whole_numbers_of_images garbled:figure_2
    """,
}
COUNTEREXAMPLES = {  # accused lines: the smallest world in which they fail, and the two sides there
    "seed_001.problem_3 g_is_defined": "(n = 2, Omega = {1},",
    "seed_001.problem_4a minus_log_of_one": "f = (1 on [0, 1)), g = (1/2 on [0, 2)): the line before is log(2), this line is 0",
    "seed_001.problem_5 expectation_within_the_trace": "Sigma0 = (2), Sigma1 = (1): the line before is 1/2 - log(2)/2, "
    "this line is -log(2)/2",
    "seed_001.claims number_made": "num = 3: the line before is 3, this line is 4",
    "seed_001.claims minus_the_sum": "log_likelihoods = (0, 1): the line before is -1/2, this line is -1",
    "seed_001.claims mean_of_the_batches": "(0, 0, 1), batch_size = 2: the line before is -1/3, this line is -1/2",
    "seed_001.claims_flow the_bracket_holds_the_root": "mus = (0), sigmas = (1), weights = (1), z = 1",
    "seed_003.problem_3 by_blocks": "the line before is [1, 0, 1; 0, 1, 0; 0, 0, 1], this line is [1, 0, 0; 0, 1, 0; 0, 1, 1]",
    "seed_003.problem_3 upper_triangular": "(n = 2, Omega = {1}, s = (0), t = (u1), x = (0, 0);",
    "seed_003.problem_4a minus_log_of_one": "f = (1 on [0, 1)), g = (1/2 on [0, 2)): the line before is log(2), this line is 0",
    "seed_003.problem_5 squares_expanded": "Sigma0 = (1), Sigma1 = (1): the line before is 0, this line is 1/2",
    "seed_003.problem_5 first_form_inserted": "Sigma0 = (2): what the reason yields is 4, this line is 1",
    "seed_003.problem_5 second_form_inserted": "Sigma1 = (2): what the reason yields is 2, this line is 1/2",
    "seed_003.problem_6 the_property": "Theta = {1, 2, 3, ...}, Phi = (0), g = {0: 1 - 1/n}",
    "seed_003.problem_6 f_takes_two_arguments": "f = {0: 0, 1: 1}",
    "seed_003.claims lower_is_type_two": "score = 1, threshold = 1: the line before is 'type II', this line is 'no error'",
    "seed_003.claims missed_is_type_two": "what the reason yields is 'type I', this line is 'type II'",
}


@functools.cache
def derivation(module, name):
    return getattr(importlib.import_module(f"{PLACE}.{module}"), name)


@functools.cache
def read(module, name):
    return audit(derivation(module, name))


def test_every_derivation_of_both_seeds_is_pinned():
    modules = {f"seed_001.{m}" for m in ("problem_3", "problem_4a", "problem_4b", "problem_5", "problem_6", "claims")}
    modules |= {m.replace("001", "003") for m in modules} | {"seed_001.claims_flow"}
    found = {
        (module, name)
        for module in modules
        for name, value in vars(importlib.import_module(f"{PLACE}.{module}")).items()
        if isinstance(value, Derivation)
    }
    assert found == set(EXPECTED)


@pytest.mark.parametrize("place", EXPECTED, ids=" ".join)
def test_findings(place):
    assert [f"{CODES[line.finding]}:{line.name}" for line in read(*place).lines] == EXPECTED[place].split()


@pytest.mark.parametrize("place", EXPECTED, ids=" ".join)
def test_every_accusation_has_its_small_counterexample_and_a_correction_that_follows(place):
    for line in read(*place).lines:
        if line.finding in ACCUSATIONS:
            assert COUNTEREXAMPLES[f"{place[0]} {line.name}"] in line.counterexample
            assert line.correction
            assert line.correction_scope
            assert line.note


def test_no_counterexample_is_left_over():
    accused = {f"{m} {line.name}" for m, n in EXPECTED for line in read(m, n).lines if line.finding in ACCUSATIONS}
    assert accused == set(COUNTEREXAMPLES)


def corrected(of):
    """The derivation with all corrections put in, and with the one line that carried a slip on set right."""
    module = sys.modules[of.lines[0].meaning.__module__] if of.lines[0].meaning else None
    carried = {"blocks_inserted": getattr(module, "blocks_inserted_the_other_way", None)}
    fresh = Derivation(of.title, of.worlds)
    for line in of.lines:
        correction = of.corrections.get(line.name)
        if correction:
            line = replace(line, meaning=correction.meaning, relation=correction.relation, needs=None, by=None)
        fresh.lines.append(replace(line, meaning=carried.get(line.name) or line.meaning))
    return fresh


@pytest.mark.parametrize("place", EXPECTED, ids=" ".join)
def test_the_corrected_derivation_leaves_no_accusation(place):
    of = derivation(*place)
    found = audit(corrected(of)) if of.corrections else read(*place)
    assert not [line for line in found.lines if line.finding in ACCUSATIONS]


# The checks can fail.


def planted(of, name, meaning):
    """The finding on one line with another meaning, held against the line before it."""
    fresh = Derivation(of.title, of.worlds)
    before = of.before(of[name])
    fresh.lines = [*([replace(before, relation=Relation.START)] if before else []), replace(of[name], meaning=meaning)]
    return {line.name: line.finding for line in audit(fresh).lines}[name]


PLANTED = [
    ("seed_001.problem_3", "sum_over_the_complement", lambda layer: -sum(layer.here(v) for v in layer.of_x(layer.s))),
    ("seed_001.problem_3", "case_inside_is_one", lambda layer: tuple(sp.Integer(2) for _ in layer.Omega)),
    ("seed_001.problem_3", "block_form", lambda layer: layer.block_form.T),
    ("seed_003.problem_3", "x_permuted", lambda layer: layer.here(sp.Matrix([layer.x(i) for i in layer.order]))),
    ("seed_001.problem_4a", "jensen", lambda f, g: sp.oo),
    ("seed_003.problem_4b", "integrals_split", lambda f, g: sp.Integer(0)),
    ("seed_003.problem_5", "means_inserted", lambda mu0, mu1: mu0[0]),
    ("seed_001.problem_6", "infimum_of_the_gap", lambda Theta: sp.Integer(5)),
    ("seed_003.problem_6", "where_g_reaches_f", lambda Theta: frozenset(Theta)),
]


@pytest.mark.parametrize(
    ("module", "name", "meaning"), PLANTED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_planted_error_is_found(module, name, meaning):
    assert planted(derivation(module, "derivation"), name, meaning) is Finding.DOES_NOT_FOLLOW


PLANTED_CLAIMS = [
    ("seed_001.claims", "detector", "anomaly_by_the_mean", lambda X, rebuilt_X: bool(squared_norm(X, rebuilt_X) > 2)),
    ("seed_001.claims", "detector", "anomaly_by_the_mean", lambda images: False),
    ("seed_001.claims", "detector", "at_most_the_threshold", lambda X, rebuilt_X: bool(squared_norm(X, rebuilt_X) < 1)),
    ("seed_001.claims", "sizes", "last_batch", lambda train, batch_size: train // batch_size == 499),
    ("seed_001.claims_flow", "flow", "dz_by_dx", lambda mus, sigmas: sum(1 / sigma for sigma in sigmas)),
    ("seed_001.claims_flow", "sampling", "still_bracketed", lambda z: bool(z > 0)),
    ("seed_003.claims", "errors", "exceeding_is_type_one", lambda score: "type I" if score > 0 else "no error"),
    (
        "seed_003.claims",
        "rates",
        "rates_are_whole_numbers_of_images",
        lambda images: (images * sp.Rational(1, 3)).is_integer,
    ),
    (
        "seed_003.problem_5",
        "quadratic_form",
        "trace_turned",
        lambda mu, Sigma, A: (A.T * Sigma).trace() + (mu.T * mu)[0],
    ),
    ("seed_003.problem_6", "exchange", "at_most_the_row", lambda g: all(value < 0 for value in g.values())),
    ("seed_001.problem_4a", "convexity", "minus_log_is_convex", lambda a, b: sp.Ge(-sp.log((a + b) / 2), -sp.log(a))),
    ("seed_001.problem_5", "density", "density_as_printed", lambda mu: sp.Integer(1)),
]


@pytest.mark.parametrize(
    ("module", "of", "name", "meaning"), PLANTED_CLAIMS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_planted_error_is_found_elsewhere(module, of, name, meaning):
    assert planted(derivation(module, of), name, meaning) is Finding.DOES_NOT_FOLLOW


def test_dependent_components_do_not_factor():
    unit = ((0, 1), (1, 2))
    corners = BoxDensity({(a, a): sp.Rational(1, 2) for a in unit})
    of = derivation("seed_001.problem_4b", "derivation")
    fresh = Derivation(of.title, [World({"f": corners, "g": corners})])
    fresh.lines = list(of.lines)
    assert {line.name: line.finding for line in audit(fresh).lines}["densities_factor"] is Finding.DOES_NOT_FOLLOW


def test_a_density_must_integrate_to_one_and_be_nowhere_negative():
    with pytest.raises(Exception, match="does not integrate to 1"):
        step((0, 1), (2,))
    with pytest.raises(Exception, match="negative somewhere"):
        step((0, 1, 2), (2, -1))


def test_a_layer_by_hand():
    u1 = sp.Symbol("u1", real=True)
    layer = Layer(2, (2,), (u1,), (u1**2,), (sp.Integer(1), sp.Integer(2)))  # z1 = exp(x2) x1 + x2^2, z2 = x2 at (1, 2)
    assert layer.jacobian == sp.Matrix([[sp.exp(2), sp.exp(2) + 4], [0, 1]])
    assert layer.block_form == sp.Matrix([[1, 0], [sp.exp(2) + 4, sp.exp(2)]])
