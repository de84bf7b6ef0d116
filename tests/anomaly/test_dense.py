"""Dense layers: their products, and the weights they begin with."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from mdnn_verify.anomaly import dense
from mdnn_verify.engines.montecarlo.stream import Stream

WIDTHS = [784, 256, 128, 32, 128, 256, 784]
U32, U64 = 2.0**-24, 2.0**-53  # unit roundoffs


def gamma(n: int) -> float:
    """Higham's bound of the relative error of a sum of n products in float32, in any order."""
    return n * U32 / (1 - n * U32)


def new_layers() -> list[dense.Layer]:
    return dense.layers_of(torch.zeros(dense.size_of(WIDTHS)), WIDTHS)


@pytest.fixture(params=[True, False], ids=["oneDNN", "torch.mm"])
def product(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to multiply, where torch has both."""
    if request.param and not dense.HAS_ONEDNN:
        pytest.skip("this torch has no oneDNN linear operation")
    monkeypatch.setattr(dense, "HAS_ONEDNN", request.param)


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize("shape", [(100, 784, 256), (256, 100, 784), (3, 5, 2), (1, 784, 256), (300, 200, 1)])
def test_products_are_products_whatever_the_strides(shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    stream = Stream("tests/product", m)
    a, b = stream.normal((m, k)).float(), stream.normal((k, n)).float()
    exact, bound = a.double() @ b.double(), gamma(k) * (a.abs().double() @ b.abs().double())
    for left in (a, a.T.contiguous().T):
        for right in (b, b.T.contiguous().T):
            found = dense.product(left, right)
            assert found.shape == (m, n)
            assert bool(((found.double() - exact).abs() <= bound + k * U64 * bound / U32).all())


def test_layers_share_the_flat_tensor_and_leave_nothing_over() -> None:
    flat = torch.zeros(dense.size_of(WIDTHS))
    layers = dense.layers_of(flat, WIDTHS)
    for layer in layers:
        layer.weight.add_(1)
        layer.bias.add_(1)
    assert flat.tolist() == [1.0] * len(flat)
    assert [tuple(layer.weight.shape) for layer in layers] == [(b, a) for a, b in itertools.pairwise(WIDTHS)]
    assert [layer.activation for layer in layers] == ["relu"] * 5 + ["sigmoid"]


def test_the_initial_weights_have_torch_s_default_distribution() -> None:
    layers = new_layers()
    dense.initialise(layers, "tests", 0)
    for layer, linear in zip(layers, (nn.Linear(a, b) for a, b in itertools.pairwise(WIDTHS)), strict=True):
        for ours, theirs in ((layer.weight, linear.weight), (layer.bias, linear.bias)):
            edge = linear.in_features**-0.5
            assert float(ours.abs().max()) <= edge
            assert float(theirs.detach().abs().max()) <= edge  # torch's edge is the same, or this test is out of date
            # P(no draw of n beyond 1 - t) = (1 - t)^n = 1e-9 for each
            least = edge * math.exp(math.log(1e-9) / ours.numel())
            assert min(float(ours.abs().max()), float(theirs.detach().abs().max())) >= least


def test_orthogonal_weights_keep_the_size_of_what_passes() -> None:
    layers = new_layers()
    dense.initialise_orthogonal(layers, "tests", 0)
    for layer in layers:
        W = layer.weight.double()
        gram = W @ W.T if len(W) <= len(W.T) else W.T @ W
        scale = 2.0 if layer.activation == "relu" else 1.0
        # float32 weights: an entry of the Gram matrix is a product of unit vectors, each entry rounded by U32
        torch.testing.assert_close(
            gram, scale * torch.eye(len(gram), dtype=torch.float64), rtol=0, atol=scale * 4 * U32
        )
