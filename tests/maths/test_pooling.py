"""The pool against torch's own, its adjoint against the transposed matrix; refusals name the argument."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.maths.pooling import average_pool, average_pool_adjoint


def matrix_of(f, shape: tuple[int, int]) -> torch.Tensor:
    """Columns are the images of the basis matrices, all in row-major order."""
    m, n = shape
    return f(torch.eye(m * n, dtype=torch.float64).reshape(m * n, m, n)).reshape(m * n, -1).T


@pytest.mark.parametrize("shape", [(2, 2), (2, 6), (4, 4), (8, 2), (16, 10)])
def test_against_torch_and_the_transposed_matrix(shape: tuple[int, int]) -> None:
    A = matrix_of(average_pool, shape)
    assert torch.equal(A, matrix_of(lambda X: torch.nn.functional.avg_pool2d(X.unsqueeze(1), 2).squeeze(1), shape))
    assert torch.equal(matrix_of(average_pool_adjoint, (shape[0] // 2, shape[1] // 2)), A.T)


def test_batches_keep_their_leading_axes() -> None:
    assert average_pool(torch.ones(2, 3, 4, 6)).shape == (2, 3, 2, 3)
    assert average_pool_adjoint(torch.ones(2, 3, 4, 6)).shape == (2, 3, 8, 12)


@pytest.mark.parametrize(
    ("X", "named"),
    [
        (torch.ones(3, 4), "m = "),
        (torch.ones(4, 5), "n = "),
        (torch.ones(0, 4), "m = "),
        (torch.ones(4), "X "),
        (torch.ones(2, 2, dtype=torch.int64), "X "),
        (torch.full((2, 2), float("nan")), "X "),
        ([[1.0, 2.0], [3.0, 4.0]], "X "),
    ],
)
def test_pool_refuses(X, named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}"):
        average_pool(X)


@pytest.mark.parametrize(
    "Y", [torch.ones(4), torch.ones(0, 2), torch.full((1, 1), float("inf")), torch.ones(1, 1).int()]
)
def test_adjoint_refuses(Y: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"^Y "):
        average_pool_adjoint(Y)
