"""The 2 x 2 average pool with stride 2 on images with even sides, and its adjoint. Float tensors, shape (..., m, n)."""

from __future__ import annotations

import torch

from mdnn_verify.maths.validation import even

__all__ = ["average_pool", "average_pool_adjoint"]


def average_pool(X: torch.Tensor) -> torch.Tensor:
    """T(X)_ab = (X_2a,2b + X_2a,2b+1 + X_2a+1,2b + X_2a+1,2b+1) / 4, indices from 0; (..., m, n) -> (..., m/2, n/2).

    Raises ValueError, naming the argument, for an odd or empty side, fewer than two axes, integers, or NaN and
    infinity.
    """
    X = _images("X", X)
    even("m = X.shape[-2]", X.shape[-2])
    even("n = X.shape[-1]", X.shape[-1])
    columns = X[..., 0::2] + X[..., 1::2]
    return (columns[..., 0::2, :] + columns[..., 1::2, :]) / 4


def average_pool_adjoint(Y: torch.Tensor) -> torch.Tensor:
    """T'(Y)_ij = Y_{i div 2, j div 2} / 4, a quarter of nearest-neighbour upsampling; (..., m/2, n/2) -> (..., m, n).

    Source: seed 004, Problem 1. Raises ValueError, naming the argument, for an empty image, fewer than two axes,
    integers, or NaN and infinity.
    """
    Y = _images("Y", Y)
    if 0 in Y.shape[-2:]:
        raise ValueError(f"Y has shape {tuple(Y.shape)}, expected at least one row and one column")
    return Y.repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1) / 4


def _images(name: str, value: torch.Tensor) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        raise ValueError(f"{name} is not a tensor of floating-point numbers")
    if value.ndim < 2:
        raise ValueError(f"{name} has shape {tuple(value.shape)}, expected (..., rows, columns)")
    if not bool(torch.isfinite(value).all()):
        raise ValueError(f"{name} has an entry that is NaN or infinite, expected finite numbers")
    return value
