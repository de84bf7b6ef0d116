"""One-dimensional convolution as networks have it (a correlation), stride 1, no padding: products without its matrix.

A_w is (n - f + 1, n) for a filter w of length f: (A_w y)_i = sum_k w_k y_{i+k}, entry (i, j) is w_{j-i} for 0 <= j - i
< f and 0 elsewhere. Products with A_w and its transpose take O(n f) operations and never form it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

__all__ = ["ConvNet", "correlate", "correlate_adjoint", "dense_matrix"]

Activation = Callable[[torch.Tensor], torch.Tensor]


def correlate(w: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A_w y by torch's conv1d: w (..., f) and y (..., n) with the same leading axes give (..., n - f + 1).

    Raises ValueError unless 1 <= f <= n and the leading axes agree.
    """
    _same_batch("y", w, y)
    if not 1 <= w.shape[-1] <= y.shape[-1]:
        raise ValueError(f"w has length {w.shape[-1]}, expected 1 to {y.shape[-1]}, the length of y")
    filters, rows = w.reshape(-1, 1, w.shape[-1]), y.reshape(1, -1, y.shape[-1])
    result = torch.nn.functional.conv1d(rows, filters, groups=len(filters))
    return result.reshape(*y.shape[:-1], -1)


def correlate_adjoint(w: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """A_w' u by torch's conv_transpose1d: w (..., f) and u (..., m) give (..., m + f - 1).

    Raises ValueError for an empty w or u, or leading axes that differ.
    """
    _same_batch("u", w, u)
    if 0 in (w.shape[-1], u.shape[-1]):
        raise ValueError("w or u is empty, expected at least one entry")
    filters, rows = w.reshape(-1, 1, w.shape[-1]), u.reshape(1, -1, u.shape[-1])
    result = torch.nn.functional.conv_transpose1d(rows, filters, groups=len(filters))
    return result.reshape(*u.shape[:-1], -1)


def dense_matrix(w: torch.Tensor, n: int) -> torch.Tensor:
    """A_w itself, (n - f + 1, n), for w of shape (f,). Raises ValueError unless w is a vector and 1 <= f <= n."""
    if w.ndim != 1 or not 1 <= len(w) <= n:
        raise ValueError(f"w has shape {tuple(w.shape)}, expected (f,) with 1 <= f <= n = {n}")
    rows = n - len(w) + 1
    matrix = w.new_zeros(rows, n)
    for k, weight in enumerate(w):
        matrix[torch.arange(rows), torch.arange(rows) + k] = weight
    return matrix


@dataclass(frozen=True)
class ConvNet:
    """y_l = sigma(A_{w_l} y_{l-1} + b_l 1) for l < L, y_L without sigma; batches of N networks and inputs.

    ``filters`` are tensors (N, f_l), ``biases`` (N, 1).
    """

    filters: Sequence[torch.Tensor]
    biases: Sequence[torch.Tensor]
    activation: Activation

    def arguments(self, x: torch.Tensor) -> list[torch.Tensor]:
        """a_l = A_{w_l} y_{l-1} + b_l 1 for every layer, x of shape (N, n_0); the last one is y_L."""
        found: list[torch.Tensor] = []
        y = x
        for w, b in zip(self.filters, self.biases, strict=True):
            found.append(correlate(w, y) + b)
            y = self.activation(found[-1])
        return found

    def magnitudes(self, x: torch.Tensor) -> torch.Tensor:
        """M, (N,): for |sigma|, |sigma'|, |sigma''| <= 1, derivatives by backpropagation err by at most gamma_K M.

        K = 8 (n_0 + 8). In units of gamma_K: an argument errs by e_l = |w_l|_1 (Y + e_{l-1}) + |b_l| + 1, and so do
        sigma and sigma' there (up to a factor 2), where Y bounds |y_{l-1}|; v_l, at most V_l = |w_{l+1}|_1 V_{l+1},
        errs by d_l = |w_{l+1}|_1 d_{l+1} + V_l (1 + 2 e_l); a derivative in w_l sums n_l products of v_l and y_{l-1}.
        """
        inputs, errors = x.abs().amax(-1), torch.zeros_like(x[:, 0])
        layers = []
        for w, b in zip(self.filters, self.biases, strict=True):
            norm = w.abs().sum(-1)
            layers.append((norm, inputs, errors))
            errors = norm * (inputs + errors) + b.abs()[:, 0] + 1
            inputs = torch.ones_like(inputs)
        largest, size, off, after = torch.zeros_like(norm), torch.ones_like(norm), torch.ones_like(norm), errors
        for index, (norm, inputs, errors) in enumerate(reversed(layers)):
            if index:
                off = off + size * 2 * after
            largest = torch.maximum(largest, x.shape[-1] * (off + size) * (inputs + errors + 1))
            size, off, after = norm * size, norm * (off + size), errors
        return largest


def _same_batch(name: str, w: torch.Tensor, y: torch.Tensor) -> None:
    if w.ndim == 0 or w.shape[:-1] != y.shape[:-1]:
        raise ValueError(f"{name} has shape {tuple(y.shape)} and w {tuple(w.shape)}, expected the same leading axes")
