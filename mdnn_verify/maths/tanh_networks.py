"""Batches of networks f(z) = W2 tanh(W1 z + b), with their products J'y by hand and a bound of the magnitudes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["TanhNetworks"]


@dataclass(frozen=True)
class TanhNetworks:
    """N networks: inner (N, h, k), bias (N, h), outer (N, o, h), float tensors; inputs (N, k), outputs (N, o).

    Raises ValueError for shapes that do not fit.
    """

    inner: torch.Tensor
    bias: torch.Tensor
    outer: torch.Tensor

    def __post_init__(self) -> None:
        shapes = [tuple(part.shape) for part in (self.inner, self.bias, self.outer)]
        fits = [len(shape) for shape in shapes] == [3, 2, 3]
        if not fits or shapes[0][:2] != shapes[1] or shapes[2][::2] != shapes[1]:
            raise ValueError(f"inner, bias, outer have shapes {shapes}, expected (N, h, k), (N, h), (N, o, h)")

    def hidden(self, z: torch.Tensor) -> torch.Tensor:
        """tanh(W1 z + b), (N, h)."""
        return torch.tanh(torch.einsum("nhk,nk->nh", self.inner, z) + self.bias)

    def __call__(self, z: torch.Tensor, outer: torch.Tensor | None = None) -> torch.Tensor:
        """f(z), with other output weights if they are given."""
        return torch.einsum("noh,nh->no", self.outer if outer is None else outer, self.hidden(z))

    def pull_back(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """J(z)'y for y (N, o), by hand: W1' diag(1 - tanh^2) W2' y, (N, k)."""
        back = torch.einsum("noh,no->nh", self.outer, y) * (1 - self.hidden(z) ** 2)
        return torch.einsum("nhk,nh->nk", self.inner, back)

    def magnitude(self, z_size: torch.Tensor, y_size: torch.Tensor) -> torch.Tensor:
        """M, (N,), such that J'y and hidden * y, y of entries y_size + f's, err by at most gamma_K M; K = 8 (h+k+o).

        With |z| <= z_size and a = 1 + max(|W1| |z| + |b|): tanh of the rounded argument is off by gamma a, 1 - tanh^2
        by twice that, f by gamma a |W2| 1, hence y by gamma a Y, Y = y_size + |W2| 1, and each entry of J'y by
        gamma a^2 (|W1|' |W2|' Y). M is the largest of a^2 (|W1|' |W2|' Y + Y).
        """
        argument = 1 + (torch.einsum("nhk,nk->nh", self.inner.abs(), z_size) + self.bias.abs()).amax(1)
        y = y_size + self.outer.abs().sum(2)
        back = torch.einsum("nhk,nh->nk", self.inner.abs(), torch.einsum("noh,no->nh", self.outer.abs(), y))
        return argument**2 * (back.amax(1) + y.amax(1))
