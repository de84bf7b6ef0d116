"""Maps that differ from the adjoint in one corner, one size or one scale are caught; the proof speaks of all sizes."""

from __future__ import annotations

import pytest
import torch
import z3

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.pooling import average_pool_adjoint

THEOREM = load(catalogue()["convolution/avg_pool_adjoint"])
PROOF = ["entries_are_transposed", "inner_products_agree_along_two_rows"]
NUMERIC = [
    "matrix_of_adjoint_is_the_transposed_matrix",
    "adjoint_is_what_backpropagation_computes",
    "inner_products_agree_on_random_images",
]


def verdict(name: str, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, 0) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


def quarter(Y, i, j):
    return z3.Q(1, 4) * Y(i / 2, j / 2)


WRONG_ENTRIES = {
    "only for h >= 100": lambda Y, i, j, h, w: z3.If(h >= 100, Y(i / 2, j / 2), quarter(Y, i, j)),
    "only in the last row": lambda Y, i, j, h, w: z3.If(i == 2 * h - 1, Y(h - 1, j / 2), quarter(Y, i, j)),
    "one pixel of one size": lambda Y, i, j, h, w: z3.If(
        z3.And(h == 7, w == 9, i == 3, j == 5), z3.RealVal(0), quarter(Y, i, j)
    ),
    "row and column change places": lambda Y, i, j, h, w: quarter(Y, j, i),
    "rounded up": lambda Y, i, j, h, w: z3.Q(1, 4) * Y((i + 1) / 2, (j + 1) / 2),
    "a millionth more": lambda Y, i, j, h, w: z3.Q(250001, 1000000) * Y(i / 2, j / 2),
    "not linear": lambda Y, i, j, h, w: Y(i / 2, j / 2) * Y(i / 2, j / 2) / 4,
}


@pytest.mark.parametrize("wrong", WRONG_ENTRIES.values(), ids=WRONG_ENTRIES)
def test_the_proof_refutes_wrong_entries_of_any_size(wrong) -> None:
    refuting = [name for name in [*PROOF, "claim_is_linear"] if verdict(name, entry=wrong).refuted]
    assert refuting


def test_a_map_that_squares_agrees_on_the_basis_and_falls_to_linearity_only() -> None:
    wrong = WRONG_ENTRIES["not linear"]
    assert verdict("entries_are_transposed", entry=wrong).agrees
    assert verdict("claim_is_linear", entry=wrong).refuted


def test_reading_beyond_the_matrix_is_refuted() -> None:
    def beyond(Y, i, j, h, w):
        return quarter(Y, i, j) + Y(h, w) - Y(h, w + 1)

    assert verdict("pixel_belongs_to_one_cell", entry=beyond).refuted


def off(where):
    def adjoint(Y):
        result = average_pool_adjoint(Y).clone()
        where(result)
        return result

    return adjoint


def scale_last_pixel(X):
    X[..., -1, -1] *= 1 + 1e-9


def scale_large_images(X):
    if X.shape[-1] == 16:
        X *= 1 + 1e-9


@pytest.mark.parametrize("name", NUMERIC)
@pytest.mark.parametrize("where", [scale_last_pixel, scale_large_images], ids=["last pixel", "16 columns"])
def test_small_faults_of_the_implementation_are_refuted(name: str, where) -> None:
    assert verdict(name, adjoint=off(where)).refuted


def test_a_faulty_implementation_with_the_right_proof_is_told_apart() -> None:
    name = "proof_and_implementation_speak_of_the_same_map"
    assert verdict(name, adjoint=off(scale_last_pixel)).refuted
    assert verdict(name, entry=WRONG_ENTRIES["only in the last row"]).refuted


@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_two_percent_are_refuted_by_the_means(factor: float) -> None:
    wrong = verdict("random_probes_give_the_squared_norm", adjoint=lambda Y: factor * average_pool_adjoint(Y))
    assert wrong.refuted


def test_trace_alone_would_accept_zero_insertion_but_the_norm_does_not() -> None:
    control = next(c for c in THEOREM.controls if "one pixel" in c.name)
    claims = THEOREM.check("random_probes_give_the_squared_norm").function(control.changes["adjoint"])
    assert decide(claims["trace"], Context("trace", alpha=1e-6)).agrees
    assert decide(claims["norm"], Context("norm", alpha=1e-6)).refuted


def test_the_bilinear_term_is_torchs_bilinear_upsampling() -> None:
    control = next(c for c in THEOREM.controls if "bilinear" in c.name)
    assert verdict("proof_and_implementation_speak_of_the_same_map", **control.changes).agrees
    Y = torch.arange(12.0, dtype=torch.float64).reshape(3, 4)
    expected = torch.nn.Upsample(scale_factor=2, mode="bilinear")(Y[None, None])[0, 0] / 4
    assert torch.equal(control.changes["adjoint"](Y), expected)
