r"""Functions $f: \mathbb R^k \to \mathbb R$ as a user's implementation is handed them, row by row: (N, k) to (N,).

Those of ``ROUGH`` are for estimates that need no derivative of f: some have jumps. Those of ``SMOOTH`` have one at
every point that is not named; their rows do not depend on each other. All can be called under ``torch.func``
transforms.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

__all__ = [
    "ROUGH",
    "SMOOTH",
    "Integrand",
    "above_half",
    "bump",
    "coupled",
    "cubed_first",
    "five",
    "growth",
    "hinges",
    "kink",
    "large",
    "linear",
    "soft",
    "steps",
    "total",
    "wave",
]

Integrand = Callable[[torch.Tensor], torch.Tensor]


def total(z: torch.Tensor) -> torch.Tensor:
    """The sum of the coordinates."""
    return z.sum(-1)


def above_half(z: torch.Tensor) -> torch.Tensor:
    """1 where the first coordinate is above 1/2, otherwise 0."""
    return (z[..., 0] > 0.5).to(z.dtype)


def five(z: torch.Tensor) -> torch.Tensor:
    """5, wherever."""
    return 0 * z.sum(-1) + 5


def steps(z: torch.Tensor) -> torch.Tensor:
    """Whole halves of the coordinates, by their number, less 1/3."""
    return torch.floor(2 * z + 0.25).sum(-1) / z.shape[-1] - 1 / 3


def kink(z: torch.Tensor) -> torch.Tensor:
    """The distance from (1/3, ..., 1/3) in the sum of absolute values."""
    return (z - 1 / 3).abs().sum(-1)


def large(z: torch.Tensor) -> torch.Tensor:
    """12345 less 100 times the sum of squares."""
    return 12345 - 100 * (z**2).sum(-1)


def wave(z: torch.Tensor) -> torch.Tensor:
    """The sine of z_1 + z_2 / 2 + ... + z_k / k."""
    return (z / _ranks(z)).sum(-1).sin()


def linear(z: torch.Tensor) -> torch.Tensor:
    """z_1 + 2 z_2 + ... + k z_k."""
    return (z * _ranks(z)).sum(-1)


def coupled(z: torch.Tensor) -> torch.Tensor:
    """(z_1^2 + 2 z_2^2 + ... + k z_k^2)/2 + z_1 z_k."""
    return (z**2 * _ranks(z)).sum(-1) / 2 + z[..., 0] * z[..., -1]


def growth(z: torch.Tensor) -> torch.Tensor:
    """The exponential of a quarter of the sum."""
    return (z.sum(-1) / 4).exp()


def bump(z: torch.Tensor) -> torch.Tensor:
    """1 / (1 + |z|^2)."""
    return 1 / (1 + (z**2).sum(-1))


def hinges(z: torch.Tensor) -> torch.Tensor:
    """What the coordinates exceed 1/3 by, the last counted twice; no derivative at 1/3."""
    return torch.relu(z - 1 / 3).sum(-1) + torch.relu(z[..., -1] - 1 / 3)


def soft(z: torch.Tensor) -> torch.Tensor:
    """The logarithm of 1 + the sum of the exponentials."""
    return (1 + z.exp().sum(-1)).log()


def cubed_first(z: torch.Tensor) -> torch.Tensor:
    """z_1^3: the other coordinates do not matter."""
    return z[..., 0] ** 3


def _ranks(z: torch.Tensor) -> torch.Tensor:
    return torch.arange(1, z.shape[-1] + 1, dtype=z.dtype, device=z.device)


ROUGH: tuple[Integrand, ...] = (total, above_half, five, steps, kink, large, wave)
SMOOTH: tuple[Integrand, ...] = (linear, coupled, wave, five, growth, bump, hinges, soft, cubed_first)
