"""Affine coupling layers with an arbitrary index set, and smooth networks to put into them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch

from mdnn_verify.maths.validation import index_set as checked_index_set

__all__ = ["SmoothNetwork", "affine_coupling", "complement"]

Network = Callable[[torch.Tensor], torch.Tensor]


def affine_coupling(
    x: torch.Tensor, index_set: Collection[int], s: Network, t: Network
) -> tuple[torch.Tensor, torch.Tensor]:
    """Apply z_O = x_O, z_Oc = exp(s(x_O)) * x_Oc + t(x_O) and return (z, log|det dz/dx|), the latter sum_i s_i(x_O).

    ``x`` has shape (..., n), ``index_set`` O holds at least 1 and at most n - 1 of the indices 0 .. n - 1, ``s`` and
    ``t`` map (..., |O|) to (..., n - |O|); both index sets are read in increasing order. Source: seed 000, Problem 3.
    Raises ValueError, naming the argument, for an empty, full, repeated or out-of-range index set, for a wrong shape of
    x, s(x_O) or t(x_O), and for NaN or infinite values in any of them.
    """
    _finite("x", x)
    if x.ndim == 0:
        raise ValueError("x has shape (), expected (..., n)")
    inside = checked_index_set("index_set", index_set, x.shape[-1])
    outside = complement(inside, x.shape[-1])
    x_inside = x[..., list(inside)]
    scale, shift = (_output(f"{name}(x_O)", f(x_inside), x, len(outside)) for name, f in (("s", s), ("t", t)))
    z_outside = torch.exp(scale) * x[..., list(outside)] + shift
    # concatenate and permute back rather than write in place: the layer stays differentiable to every order
    place = torch.argsort(torch.tensor([*inside, *outside], device=x.device))
    return torch.cat([x_inside, z_outside], dim=-1)[..., place], scale.sum(dim=-1)


def complement(index_set: Sequence[int], n: int) -> tuple[int, ...]:
    """The indices among 0 .. n - 1 that are not in ``index_set``, increasing."""
    return tuple(i for i in range(n) if i not in set(index_set))


@dataclass(frozen=True)
class SmoothNetwork:
    """x -> bound * tanh(W2 tanh(W1 x + b)): smooth, and every output lies in (-bound, bound).

    Shapes: W1 (..., h, k), b (..., h), W2 (..., o, h); leading axes give one network for each row of a batch.
    """

    W1: torch.Tensor
    b: torch.Tensor
    W2: torch.Tensor
    bound: float

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(..., k) -> (..., o)."""
        hidden = torch.tanh((self.W1 @ x.unsqueeze(-1)).squeeze(-1) + self.b)
        return self.bound * torch.tanh((self.W2 @ hidden.unsqueeze(-1)).squeeze(-1))


def _output(name: str, value: torch.Tensor, x: torch.Tensor, length: int) -> torch.Tensor:
    expected = (*x.shape[:-1], length)
    if tuple(value.shape) != expected:
        raise ValueError(f"{name} has shape {tuple(value.shape)}, expected {expected}")
    return _finite(name, value)


def _finite(name: str, value: torch.Tensor) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        raise ValueError(f"{name} is not a tensor of floating-point numbers")
    if not bool(torch.isfinite(value).all()):
        raise ValueError(f"{name} has an entry that is NaN or infinite, expected finite numbers")
    return value
