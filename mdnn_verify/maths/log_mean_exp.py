"""The log of an average of weights known by their logarithms: stable, with a bound of its rounding error."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import torch

from mdnn_verify.maths.validation import positive_integer

__all__ = ["log_mean_exp", "rounding_bound", "subset_log_mean_exp"]


def log_mean_exp(log_w: Any) -> torch.Tensor:
    """log((1/K) sum_k exp(log_w[..., k])), shape (..., K) to (...), for float tensors or arrays.

    No overflow or underflow: the largest weight is factored out. Weights of 0 are -inf; NaN stays NaN. Raises
    ValueError naming ``log_w`` if it has no last dimension of at least one entry or is not of a floating-point type.
    """
    logs = _floats(log_w)
    largest = logs.amax(-1)
    finite = torch.where(torch.isfinite(largest), largest, torch.zeros_like(largest))  # inf - inf would be NaN
    mean = torch.exp(logs - finite.unsqueeze(-1)).sum(-1) / logs.shape[-1]
    return torch.log(mean) + finite


def rounding_bound(log_w: Any) -> torch.Tensor:
    """A bound of |log_mean_exp(log_w) - the exact value|, shape (...), the entries of ``log_w`` taken as exact.

    With m the maximum, e_k = exp(log_w_k - m) <= 1 and S = sum e_k in [1, K], to first order in u: the subtraction
    moves e_k by e_k |log_w_k - m| u <= u / e, exp by 4u e_k (two units in the last place), the sum and the division by
    K u each; together S by at most (1.37 K + 4) u S. The logarithm adds 4u log K, the last sum u (|m| + log K). Rounded
    up.
    """
    logs = _floats(log_w)
    largest, count = logs.amax(-1), logs.shape[-1]
    unit = torch.finfo(logs.dtype).eps / 2
    bound = unit * (2 * count + 8 + 6 * torch.log(torch.tensor(float(count), dtype=logs.dtype)) + largest.abs())
    return torch.where(torch.isfinite(largest), bound, torch.zeros_like(bound))


def subset_log_mean_exp(log_w: Any, size: int) -> torch.Tensor:
    """log_mean_exp of every subset of ``size`` of the K weights: shape (..., K) to (..., binomial(K, size)).

    Raises ValueError naming ``size`` unless 1 <= size <= K, or ``log_w`` as log_mean_exp does.
    """
    logs = _floats(log_w)
    if positive_integer("size", size) > logs.shape[-1]:
        raise ValueError(f"size = {size}, expected at most the number of weights, {logs.shape[-1]}")
    subsets = torch.tensor(list(combinations(range(logs.shape[-1]), size)), device=logs.device)
    return log_mean_exp(logs[..., subsets])


def _floats(log_w: Any) -> torch.Tensor:
    logs = torch.as_tensor(log_w)
    if logs.ndim == 0 or logs.shape[-1] == 0:
        raise ValueError(f"log_w has shape {tuple(logs.shape)}, expected (..., K) with K >= 1")
    if not logs.dtype.is_floating_point:
        raise ValueError(f"log_w has dtype {logs.dtype}, expected floating-point logarithms")
    return logs
