"""The derivations and claims of seeds 000, 002 and 004: every line's finding, every counterexample, all corrections."""

from __future__ import annotations

import functools
import importlib
from dataclasses import replace

import pytest

from mdnn_verify.audit import Derivation, Finding, audit
from mdnn_verify.audit.files import of_seeds

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
    "seed_000.claims rates": """
        given:rejected_though_normal ok:mnist_called_anomalies given:kept_though_anomalous
        ok:kmnist_called_normal
    """,
    "seed_000.claims flow": """
        given:slope_of_the_integral ok:normal_density_of_the_definition ok:strictly_increasing
        given:mass_of_the_pulled_back_density WRONG:mass_one
    """,
    "seed_000.claims coupling": """
        given:log_determinant ok:sum_of_scales given:jacobian ok:sorted_form
    """,
    "seed_000.claims_divergence sign": """
        given:divergence_of_densities ok:zero
    """,
    "seed_000.claims_divergence additivity": """
        given:joint_divergence ok:sum_of_divergences
    """,
    "seed_000.claims_divergence normal": """
        given:expectation ok:mean given:second_moment ok:covariance given:normal_divergence ok:closed_form
    """,
    "seed_000.claims_divergence tight": """
        given:maximisers ok:maximisers_of_the_bound given:joint_supremum ok:iterated_supremum
    """,
    "seed_000.claims_divergence training": """
        given:greatest_likelihood ok:greatest_bound
    """,
    "seed_002.claims bounds": """
        given:log_evidence ok:standard_bound ok:one_draw ok:statement_a ok:statement_b ok:tighter
    """,
    "seed_002.claims hint": """
        given:mean_over_subsets ok:mean_of_all
    """,
    "seed_002.claims prior": """
        given:evidence_under_one_prior GAP:evidence_under_another_prior
    """,
    "seed_002.claims variances": """
        GAP:variances_in_all_of_space
    """,
    "seed_002.claims gradients": """
        ok:not_within_the_expectation given:gradient_of_reparameterised ok:gradient_after_sampling
    """,
    "seed_002.claims_games rates": """
        given:rejected_though_normal ok:mnist_called_anomalies given:kept_though_anomalous
        ok:kmnist_called_normal
    """,
    "seed_002.claims_games steps": """
        WRONG:validation_in_step_3
    """,
    "seed_002.claims_games definition": """
        WRONG:strict_saddle WRONG:deviating_changes
    """,
    "seed_002.claims_games uniqueness": """
        given:solutions ok:only_thirds
    """,
    "seed_002.claims_games fixed": """
        ok:zero_against_thirds
    """,
    "seed_002.claims_games perfect": """
        given:best_guess ok:even_odds
    """,
    "seed_002.problem_1a derivation": """
        given:bound_with_k_draws ok:jensen GAP:evidence_reached
    """,
    "seed_002.problem_1b derivation": """
        given:bound_to_be_compared ok:subset_within ok:expectations_exchanged ok:expected_bound_with_m_draws
        ok:bound_with_m_draws
    """,
    "seed_002.problem_1c part_c": """
        ok:equal_at_the_draws given:bound_at_the_posterior ok:true_posterior_inserted ok:bayes
        ok:log_likelihood
    """,
    "seed_002.problem_1c part_c_for_data": """
        given:greatest_likelihood GAP:greatest_bound
    """,
    "seed_002.problem_2a derivation": """
        given:bound_with_prior ok:jensen_with_prior GAP:evidence_with_prior
    """,
    "seed_002.problem_2b derivation": """
        given:gradient_of_the_expectation ok:gradient_of_the_integral ok:expected_score
    """,
    "seed_002.problem_2c derivation": """
        given:bound_with_normal_laws ok:likelihood_less_divergence
    """,
    "seed_002.problem_2c first_term": """
        given:expected_log_likelihood WRONG:expected_squared_error WRONG:reparameterised_first_term
    """,
    "seed_002.problem_2c second_term": """
        given:divergence_from_prior ok:closed_form_of_the_divergence
    """,
    "seed_002.problem_4a payoff": """
        given:expected_points_for_b WRONG:printed_form
    """,
    "seed_002.problem_4a value": """
        GAP:minimax_equality ok:at_least_the_least ok:weak_duality garbled:also ok:antisymmetry
        given:value_of_the_game ok:transposed_number ok:antisymmetry_used ok:sign_taken_out
        GAP:names_exchanged ok:minus_the_value ok:value_zero
    """,
    "seed_002.problem_4a product": """
        given:matrix_times_strategy ok:entries_of_the_product
    """,
    "seed_002.problem_4a solution": """
        given:product_not_zero ok:one_entry_negative ok:least_is_negative ok:not_the_value ok:product_zero
        garbled:by_solving
    """,
    "seed_002.problem_4b derivation": """
        ok:answer_negative ok:equal_probabilities_give_zero ok:pure_answer_wins ok:fixed_opponent_misleads
    """,
    "seed_004.claims pooling": """
        given:of_a_combination ok:combination_of_images given:pooled ok:by_a_matrix given:product_below
        ok:product_above given:transposed ok:quarter_of_upsampling
    """,
    "seed_004.claims upsampling": """
        given:upsampling_layer ok:transposed_convolution_layer
    """,
    "seed_004.claims soft_maximum": """
        GAP:differentiable
    """,
    "seed_004.claims limits": """
        given:limit_of_soft_maximum ok:maximum given:gradient_at_one ok:softmax
    """,
    "seed_004.claims unique": """
        given:limit_of_gradient ok:unit_vector
    """,
    "seed_004.claims temperature": """
        given:limit_of_temperature ok:no_temperature
    """,
    "seed_004.claims_laws invertible": """
        GAP:inverse_exists
    """,
    "seed_004.claims_laws inverse_transform": """
        given:chance_of_the_inverse ok:chance_of_the_uniform ok:distribution_function
    """,
    "seed_004.claims_laws generalised": """
        given:chance_of_the_generalised_inverse ok:value_of_f given:limits_of_f ok:right_continuous
    """,
    "seed_004.claims_laws sign": """
        given:divergence_by_f GAP:not_negative
    """,
    "seed_004.claims_laws named": """
        given:with_minus_log ok:reverse_divergence given:with_t_log_t GAP:forward_divergence
    """,
    "seed_004.claims_network backward": """
        given:convolved ok:times_matrix given:slope_of_the_last_layer ok:last_matrix
        given:slopes_of_the_layers ok:slopes_times_matrix given:slopes_by_the_filters ok:convolutions_with_v
        given:slopes_by_the_shifts ok:sums_of_v
    """,
    "seed_004.claims_network products": """
        given:matrix_times_vector ok:by_convolution given:vector_times_matrix ok:transposed_product
        ok:by_transposed_convolution
    """,
    "seed_004.claims_network rates": """
        given:rejected_though_normal ok:mnist_called_anomalies given:kept_though_anomalous
        WRONG:kmnist_called_anomalies
    """,
}
COUNTEREXAMPLES = {  # accused lines: the smallest world in which they fail, and the two sides there
    "seed_000.claims mass_one": "weights = (1): the line before is erf(sqrt(2)/4), this line is 1",
    "seed_002.claims evidence_under_another_prior": "r_changed = {0: 0, 1: 1}, p_x = {0: 1/2, 1: 1/4}: the line "
    "before is 1/2, this line is 1/4",
    "seed_002.claims variances_in_all_of_space": "lambda2 = (-1)",
    "seed_002.claims_games validation_in_step_3": "3: 'the trained model', 4: 'validation data'",
    "seed_002.claims_games strict_saddle": "L = theta^2 - phi^2 on {0, 1, -1}, theta* = phi* = 0",
    "seed_002.claims_games deviating_changes": "rock, paper, scissors and (1/3, 1/3, 1/3) for both",
    "seed_002.problem_1a evidence_reached": "q = {0: 1, 1: 0}, K = 1: the line before is -log(4), this line is -log(2)",
    "seed_002.problem_1c greatest_bound": "the line before is -log(4), this line is -3*log(6)/4 - log(2) + log(3/2)/4",
    "seed_002.problem_2a evidence_with_prior": "q = {0: 1, 1: 0}: the line before is -log(4), this line is -log(2)",
    "seed_002.problem_2c expected_squared_error": "the line before is -log(pi)/2 - log(2)/2, this line is 0",
    "seed_002.problem_2c reparameterised_first_term": "X = (1), f = (0), mu = (0), s2 = 1, S = (1): the line before is "
    "-1/2, this line is 1/2",
    "seed_002.problem_4a printed_form": "pA = (1, 0, 0), pB = (0, 1, 0): the line before is 1, this line is -1",
    "seed_002.problem_4a minimax_equality": "min max = 1 and max min = -1",
    "seed_002.problem_4a names_exchanged": "min max = 1 and max min = -1: the line before is 1, this line is -1",
    "seed_004.claims differentiable": "x = (0, 1), beta = 0",
    "seed_004.claims_laws inverse_exists": "F(x) = 1/2 (1 + x/(1 + |x|))/2 + 1/2 [x >= 0], u = 1/2",
    "seed_004.claims_laws not_negative": "f(t) = t - 1, pX = (1/2 on [0, 2)), pY = (1 on [0, 1)): the line before is "
    "-1/2, this line is 0",
    "seed_004.claims_laws forward_divergence": "pX = (1/2 on [0, 2)), pY = (1 on [0, 1)): the line before is "
    "-log(2)/2, this line is oo",
    "seed_004.claims_network kmnist_called_anomalies": "kmnist = (4, 5), threshold = 3: the line before is 0, this line is 1",
}


@functools.cache
def derivation(place):
    module, name = place.split()
    return getattr(importlib.import_module(f"{PLACE}.{module}"), name)


@functools.cache
def read(place):
    return audit(derivation(place))


def key(place, line):
    return f"{place.split()[0]} {line.name}"


def test_every_derivation_of_the_three_seeds_is_pinned():
    found = {f"{place.module.removeprefix(PLACE + '.')} {place.name}" for place in of_seeds()}
    assert {place for place in found if place.split(".")[0] in ("seed_000", "seed_002", "seed_004")} == set(EXPECTED)


@pytest.mark.parametrize("place", EXPECTED)
def test_findings(place):
    assert [f"{CODES[line.finding]}:{line.name}" for line in read(place).lines] == EXPECTED[place].split()


@pytest.mark.parametrize("place", EXPECTED)
def test_every_accusation_has_its_small_counterexample_and_a_correction_that_follows(place):
    for line in read(place).lines:
        if line.finding in ACCUSATIONS:
            assert COUNTEREXAMPLES[key(place, line)] in line.counterexample
            assert line.correction
            assert line.correction_scope
            assert line.note


def test_no_counterexample_is_left_over():
    accused = {key(place, line) for place in EXPECTED for line in read(place).lines if line.finding in ACCUSATIONS}
    assert accused == set(COUNTEREXAMPLES)


def corrected(of):
    """The derivation with all corrections put in."""
    fresh = Derivation(of.title, of.worlds)
    for line in of.lines:
        correction = of.corrections.get(line.name)
        if correction:
            line = replace(line, meaning=correction.meaning, relation=correction.relation, needs=None, by=None)
        fresh.lines.append(line)
    return fresh


@pytest.mark.parametrize("place", EXPECTED)
def test_the_corrected_derivation_leaves_no_accusation(place):
    of = derivation(place)
    found = audit(corrected(of)) if of.corrections else read(place)
    assert not [line for line in found.lines if line.finding in ACCUSATIONS]
