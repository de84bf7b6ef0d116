"""Convolution without its matrix against the matrix, and the bound of backpropagation's rounding errors."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.engines.pathwise import gamma
from mdnn_verify.maths.convolution import ConvNet, correlate, correlate_adjoint, dense_matrix


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("f", "n"), [(1, 1), (1, 5), (3, 3), (4, 9), (7, 40)])
def test_products_are_those_with_the_matrix(f: int, n: int) -> None:
    w, y, u = normal(f), normal(n, seed=1), normal(n - f + 1, seed=2)
    matrix = dense_matrix(w, n)
    assert torch.allclose(correlate(w, y), matrix @ y, rtol=1e-13, atol=1e-13)
    assert torch.allclose(correlate_adjoint(w, u), matrix.T @ u, rtol=1e-13, atol=1e-13)


def test_the_matrix_is_the_definition() -> None:
    w, matrix = torch.tensor([1.0, 2.0, 3.0]), dense_matrix(torch.tensor([1.0, 2.0, 3.0]), 4)
    assert matrix.tolist() == [[1, 2, 3, 0], [0, 1, 2, 3]]
    assert correlate(w, torch.tensor([1.0, 0, 0, 0])).tolist() == [1, 0]
    assert correlate_adjoint(w, torch.tensor([1.0, 0])).tolist() == [1, 2, 3, 0]


def test_batches_are_row_by_row() -> None:
    w, y = normal(6, 3), normal(6, 8, seed=1)
    assert torch.allclose(correlate(w, y)[4], correlate(w[4], y[4]))
    assert torch.allclose(correlate_adjoint(w, y)[4], correlate_adjoint(w[4], y[4]))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="w has length 4, expected 1 to 3"):
        correlate(normal(4), normal(3))
    with pytest.raises(ValueError, match="same leading axes"):
        correlate(normal(2, 3), normal(3, 5))
    with pytest.raises(ValueError, match="w or u is empty"):
        correlate_adjoint(normal(3), normal(0))
    with pytest.raises(ValueError, match="1 <= f <= n"):
        dense_matrix(normal(3), 2)


def test_float32_gradients_stay_within_the_bound_and_use_some_of_it() -> None:
    sizes, n = (3, 4, 2), 7
    parts = [normal(500, f, seed=f).float() for f in sizes], [normal(500, 1, seed=9 + f).float() for f in sizes]
    x = normal(500, n, seed=5).float()
    gradients = {}
    for dtype in (torch.float32, torch.float64):
        leaves = [[part.to(dtype).requires_grad_(True) for part in group] for group in parts]
        out = ConvNet(*leaves, torch.tanh).arguments(x.to(dtype))[-1]
        gradients[dtype] = torch.autograd.grad(out.sum(), [*leaves[0], *leaves[1]])
    bound = gamma(8 * (n + 8), torch.float32) * ConvNet(*parts, torch.tanh).magnitudes(x).double()
    worst = 0.0
    for coarse, fine in zip(*gradients.values(), strict=True):
        worst = max(worst, float(((coarse.double() - fine).detach().abs().amax(1) / bound.detach()).max()))
    assert 1e-6 < worst < 1
