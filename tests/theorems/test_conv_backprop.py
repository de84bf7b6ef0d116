"""Backpropagation through convolutions: wrong index forms, recursions and sums are caught, by proof and by numbers."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.convolution import correlate, correlate_adjoint

THEOREM = load(catalogue()["convolution/conv_backprop"])
MODULE = THEOREM.check("whole_networks").function.__globals__
NUMERIC = ["gradients_are_those_of_autograd", "autograd_never_disagrees"]


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


TAPS = {
    "one too far": lambda k, i, n, f: k + i + 1,
    "stride 2": lambda k, i, n, f: k + 2 * i,
    "reversed for long filters only": lambda k, i, n, f: MODULE["z3"].If(n > 50, k + n - 1 - i, k + i),
    "wrong at the last weight": lambda k, i, n, f: MODULE["z3"].If(k == f - 1, k, k + i),
}


@pytest.mark.parametrize("wrong", TAPS.values(), ids=TAPS)
def test_wrong_index_forms_are_refuted_for_all_sizes(wrong) -> None:
    assert verdict("the_filter_gradient_is_a_convolution", tap=wrong).refuted


BACK_TAPS = {
    "one too far": lambda j, i, f: j - i + 1,
    "the other way": lambda j, i, f: i - j,
    "wrong in the last row": lambda j, i, f: MODULE["z3"].If(i == 17, j - i + 1, j - i),
}


@pytest.mark.parametrize("wrong", BACK_TAPS.values(), ids=BACK_TAPS)
def test_wrong_transposes_are_refuted_for_all_sizes(wrong) -> None:
    assert verdict("the_transposed_convolution_has_the_transposed_matrix", back_tap=wrong).refuted


def test_a_proof_and_an_implementation_that_differ_are_told_apart() -> None:
    name = "proof_and_implementation_speak_of_the_same"
    assert verdict(name, convolved=lambda w, y: correlate(w.flip(-1), y)).refuted
    assert verdict(name, pulled_back=lambda w, u: correlate_adjoint(w.flip(-1), u)).refuted


def nearly(product, change):
    def changed(w, vector):
        result = product(w, vector).clone()
        change(result)
        return result

    return changed


def last_entry(result):
    result[..., -1] *= 1 + 1e-6


def first_entry_of_long_results(result):
    if result.shape[-1] >= 6:
        result[..., 0] *= 1 + 1e-6


@pytest.mark.parametrize("change", [last_entry, first_entry_of_long_results])
def test_a_millionth_in_one_entry_is_refuted(change) -> None:
    for changes in ({"convolved": nearly(correlate, change)}, {"pulled_back": nearly(correlate_adjoint, change)}):
        assert verdict("products_without_the_matrix", **changes).refuted
        assert verdict("gradients_are_those_of_autograd", **changes).refuted


@pytest.mark.parametrize(
    ("datum", "wrong"),
    [
        ("with_slope", lambda pulled, slope: -pulled * slope),
        ("with_slope", lambda pulled, slope: pulled + slope),
        ("with_slope", lambda pulled, slope: slope),
        ("bias_gradient", lambda v: -MODULE["total"](v)),
        ("bias_gradient", lambda v: v[..., :1] if isinstance(v, torch.Tensor) else v[0]),
    ],
)
def test_other_rules_are_refuted_by_proof_and_numbers(datum: str, wrong) -> None:
    for name in ["whole_networks", *NUMERIC]:
        assert verdict(name, **{datum: wrong}).refuted, name


def test_sizes_that_end_elsewhere_than_at_one_are_refused() -> None:
    assert verdict("the_output_is_a_number", sizes=((0, 2),)).refuted


def test_a_correct_trace_does_not_hide_a_wrong_transpose() -> None:
    """Twice the transpose of half the entries has the right trace on average, but not the norm."""

    def uneven(w, u):
        weights = torch.tensor([2.0, 0.0] * 50, dtype=w.dtype)[: u.shape[-1] + w.shape[-1] - 1]
        return correlate_adjoint(w, u) * weights

    assert verdict("random_probes_give_the_squared_norm", pulled_back=uneven).refuted
