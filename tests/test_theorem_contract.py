"""Every convention is a test: what each theorem's file owes its reader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mdnn_verify.catalogue import PACKAGE_THEOREMS, catalogue, load
from mdnn_verify.verdicts import HYPOTHESIS, MONTECARLO, PATHWISE, SYMBOLIC

ENTRIES = catalogue()
PROMISED = {
    "flows/coupling_log_det",
    "divergences/kl_nonnegative",
    "divergences/kl_additive",
    "divergences/gaussian_kl",
    "variational/lower_bound_tight",
    "variational/iwae_lower_bound",
    "variational/iwae_monotone",
    "variational/iwae_tight",
    "games/rps_minimax_unique",
    "games/rps_indifference",
    "sampling/generalized_inverse",
    "convolution/avg_pool_adjoint",
    "flows/flow1d_density",
    "divergences/f_divergence_nonnegative",
    "divergences/kl_is_f_divergence",
    "variational/trainable_prior_bound",
    "variational/log_derivative_gradient",
    "variational/reparameterization_gradient",
    "convolution/nearest_upsample_is_transposed_conv",
    "convolution/conv_backprop",
    "softmax/log_sum_exp_limit",
    "softmax/gradient_is_softmax",
    "softmax/gradient_limit",
}


def test_the_catalogue_holds_what_is_promised() -> None:
    assert set(ENTRIES) >= PROMISED


@pytest.fixture(params=sorted(ENTRIES), ids=str)
def entry(request: pytest.FixtureRequest):
    return ENTRIES[request.param]


def test_is_well_formed(entry) -> None:
    assert load(entry).faults() == []


def test_title_is_one_sentence_and_source_names_seed_and_problem(entry) -> None:
    assert 10 <= len(entry.title) <= 120
    assert re.search(r"seed 00\d,? [Pp]roblem \d|arXiv|[12][09]\d\d", entry.source), entry.source


def test_has_all_three_kinds_of_evidence_and_two_controls(entry) -> None:
    theorem = load(entry)
    kinds = [check.kind for check in theorem.checks]
    assert kinds.count(SYMBOLIC) >= 1
    assert kinds.count(MONTECARLO) >= 1
    assert kinds.count(PATHWISE) + kinds.count(MONTECARLO) >= 2
    assert len(theorem.controls) >= 2


def test_every_step_is_a_sentence(entry) -> None:
    for check in load(entry).checks:
        sentence = check.doc.strip()
        assert sentence[0].isupper() or not sentence[0].isalpha(), f"{check.name}: {sentence!r}"
        assert sentence.rstrip().endswith((".", ":", "$", ")")), (
            f"{check.name} does not end like a sentence: {sentence!r}"
        )
        assert len(sentence.split()) >= 5, f"{check.name}: {sentence!r}"


def test_hypotheses_stand_before_proofs_and_proofs_before_simulations(entry) -> None:
    order = {HYPOTHESIS: 0, SYMBOLIC: 1, PATHWISE: 2, MONTECARLO: 3}
    ranks = [order[check.kind] for check in load(entry).checks]
    assert ranks == sorted(ranks)


def test_formula_renders(entry) -> None:
    from mdnn_verify.reporting.formulas import display

    assert "<math" in display(load(entry).statement)


def test_used_statements_exist(entry) -> None:
    assert set(load(entry).uses) <= set(ENTRIES)


def test_page_length(entry) -> None:
    assert len(entry.path.read_text().splitlines()) <= 420, (
        "a theorem's file reads like a page; move mathematics to maths/"
    )


def test_no_theorem_lives_outside_a_chapter() -> None:
    strays = [path for path in Path(PACKAGE_THEOREMS).glob("*.py") if path.name != "__init__.py"]
    assert strays == []
