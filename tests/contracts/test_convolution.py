"""The contracts of convolution: pooling's adjoint, upsampling, backpropagation through convolutions."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from mdnn_verify.checking.inputs import small
from mdnn_verify.checking.registry import contract_of
from mdnn_verify.checking.subject import load
from mdnn_verify.contract import Terms
from mdnn_verify.contracts.convolution._network import Network
from mdnn_verify.maths.activations import ACTIVATIONS

CONTRACTS = (
    "convolution/avg_pool_adjoint",
    "convolution/nearest_upsample_is_transposed_conv",
    "convolution/conv_backprop",
)
SUBJECTS = Path(__file__).parents[1] / "subjects"


def test_wrong_ones_are_refuted_by_what_can_be_pasted(wrong) -> None:
    judgement = wrong.judged()
    assert judgement.finding is not None
    assert wrong.shows_a_discrepancy(judgement), judgement.finding


@pytest.mark.parametrize("dtype", [torch.float64, pytest.param(torch.float32, marks=pytest.mark.campaign)])
def test_right_ones_are_verified(right, dtype: torch.dtype) -> None:
    judgement = right.judged(dtype=dtype)
    assert judgement.complete
    assert judgement.finding is None, judgement.finding


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_layer_of_the_source_is_right_and_one_that_errs_otherwise_is_not(judged, dtype: torch.dtype) -> None:
    """torch's nearest mode multiplies by a rounded 1/r: one pixel off at r = 41 in torch 2.13 on a CPU."""

    def upsample(X: torch.Tensor, r: int) -> torch.Tensor:
        return torch.nn.Upsample(scale_factor=r, mode="nearest")(X)

    def off_elsewhere(X: torch.Tensor, r: int) -> torch.Tensor:
        return upsample(X, r) if r != 64 else upsample(X, r).roll(1, -1)

    def off_at_the_same_ratio(X: torch.Tensor, r: int) -> torch.Tensor:
        return upsample(X, r) if r != 41 else upsample(X, r).roll(1, -1)

    assert judged(CONTRACTS[1], upsample, dtype=dtype).finding is None
    assert judged(CONTRACTS[1], off_elsewhere, dtype=dtype).finding.arguments["r"] == 64
    assert judged(CONTRACTS[1], off_at_the_same_ratio, dtype=dtype).finding.arguments["r"] == 41


@pytest.mark.parametrize(
    ("identifier", "name", "expected"),
    [
        (CONTRACTS[0], "wrong_tiled", {"Y": [[1.0, 0.0]]}),
        (CONTRACTS[0], "wrong_relu", {"Y": [[-1.0]]}),
        (CONTRACTS[1], "wrong_channels_mixed", {"X": [[[[1.0]], [[0.0]]]], "r": 1}),
        (CONTRACTS[2], "wrong_no_slope", {"x": [1.0], "weights": [[1.0], [1.0]], "biases": [0.0, 0.0]}),
    ],
)
def test_the_counterexample_is_the_smallest(judged, identifier: str, name: str, expected) -> None:
    """The fewest numbers, and the smallest integers of these, that show the fault."""
    finding = judged(identifier, load(f"{SUBJECTS / identifier}.py:{name}")).finding
    for key, value in expected.items():
        found = finding.arguments[key]
        plain = found.tolist() if isinstance(found, torch.Tensor) else found
        assert ([w.tolist() for w in plain] if key == "weights" else plain) == value


@pytest.mark.parametrize("identifier", CONTRACTS)
def test_small_inputs_come_in_order_of_size(identifier: str) -> None:
    """But for the last group: large r, or fractions."""
    sizes = [instance.size for instance in small(contract_of(identifier), Terms())]
    ordered = sum(later >= earlier for earlier, later in itertools.pairwise(sizes))
    assert ordered >= len(sizes) - 4


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda each: each.function.__name__)
def test_reference_gradients_are_those_of_autograd_and_of_differences(activation) -> None:
    """Two layers before the last, filters of 3, 1 and 4 weights."""
    weights, biases = [[0.5, -1.25, 2.0], [1.5], [1.0, -0.75, 0.25, 2.5]], [0.3, -0.2, 0.1]
    network = Network([0.3, -1.1, 0.7, 2.0, -0.4, 0.9], weights, biases, activation)
    filters = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in weights]
    shifts = torch.tensor(biases, dtype=torch.float64, requires_grad=True)
    y = torch.tensor(network.x, dtype=torch.float64)
    for w, b, last in zip(filters, shifts, (False, False, True), strict=True):
        y = torch.stack([(w * y[i : i + len(w)]).sum() for i in range(len(y) - len(w) + 1)]) + b
        y = y if last else activation.function(y)
    *by_filter, by_bias = torch.autograd.grad(y[0], [*filters, shifts])
    found, bound = network.gradients(), network.rounding(2.0**-53)
    for one, other, off in zip(found.weights, by_filter, bound.weights, strict=True):
        assert ((torch.tensor(one, dtype=torch.float64) - other).abs() <= torch.tensor(off, dtype=torch.float64)).all()
        assert max(off) < 1e-11 * max(1.0, max(map(abs, one)))
    assert all(abs(b - float(g)) <= off for b, g, off in zip(found.biases, by_bias, bound.biases, strict=True))
    total = sum(map(sum, found.weights)) - sum(found.biases)
    along = network.along([[1.0] * len(w) for w in weights], [-1.0] * 3)
    assert along == pytest.approx(total, rel=1e-13, abs=1e-12)
