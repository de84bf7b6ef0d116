"""Affine coupling layers with an arbitrary index set: the core, a checked call of it, a trainable layer.

``couple`` is the only place where the layer and its log-determinant are computed. The checks of the theorem
flows/coupling_log_det run it through ``affine_coupling``, and every layer that is trained is a ``CouplingLayer``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, zip_longest

import torch
from torch import nn

from mdnn_verify.maths.validation import index_set as checked_index_set

__all__ = ["CouplingLayer", "Partition", "SmoothNetwork", "affine_coupling", "complement", "couple", "uncouple"]

Network = Callable[[torch.Tensor], torch.Tensor]
Networks = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


class Partition:
    """{0, ..., n - 1} in two parts, O = ``inside`` and its complement Oc = ``outside``, each read in increasing order.

    Only whole runs of consecutive indices are copied, so that a set of few runs costs no indexing, forward or backward.
    Raises ValueError for an index set that is empty, full, repeats an index or leaves the range.
    """

    def __init__(self, index_set: Collection[int], n: int) -> None:
        self.inside = checked_index_set("index_set", index_set, n)
        self.outside = complement(self.inside, n)
        members = set(self.inside)
        runs = [len(list(run)) for _, run in groupby(range(n), members.__contains__)]
        self._runs = runs  # in turn inside and outside
        self._starts_inside = 0 in members
        first, second = runs[0::2], runs[1::2]
        self._inside_runs, self._outside_runs = (first, second) if self._starts_inside else (second, first)

    def split(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x (..., n) -> x_O (..., |O|) and x_Oc (..., n - |O|)."""
        pieces = torch.split(x, self._runs, dim=-1)
        first, second = _concatenated(pieces[0::2]), _concatenated(pieces[1::2])
        return (first, second) if self._starts_inside else (second, first)

    def join(self, x_inside: torch.Tensor, x_outside: torch.Tensor) -> torch.Tensor:
        """The inverse of ``split``."""
        parts = torch.split(x_inside, self._inside_runs, dim=-1), torch.split(x_outside, self._outside_runs, dim=-1)
        return _concatenated(tuple(_alternating(*(parts if self._starts_inside else parts[::-1]))))


def couple(x: torch.Tensor, partition: Partition, networks: Networks) -> tuple[torch.Tensor, torch.Tensor]:
    """z_O = x_O, z_Oc = exp(s) * x_Oc + t with (s, t) = networks(x_O); returns (z, log|det dz/dx| = sum_i s_i).

    ``x`` has shape (..., n). Nothing is checked here, nothing waits for the device, and nothing is written in place:
    the layer can be differentiated to every order. Source: seed 000, Problem 3.
    """
    x_inside, x_outside = partition.split(x)
    scale, shift = networks(x_inside)
    return partition.join(x_inside, torch.exp(scale) * x_outside + shift), scale.sum(dim=-1)


def uncouple(z: torch.Tensor, partition: Partition, networks: Networks) -> torch.Tensor:
    """The inverse: x_O = z_O, x_Oc = (z_Oc - t) * exp(-s) with (s, t) = networks(z_O)."""
    z_inside, z_outside = partition.split(z)
    scale, shift = networks(z_inside)
    return partition.join(z_inside, (z_outside - shift) * torch.exp(-scale))


def affine_coupling(
    x: torch.Tensor, index_set: Collection[int], s: Network, t: Network
) -> tuple[torch.Tensor, torch.Tensor]:
    """``couple`` with everything checked: (z, log|det dz/dx|) for z_O = x_O, z_Oc = exp(s(x_O)) * x_Oc + t(x_O).

    ``x`` has shape (..., n), ``index_set`` O holds at least 1 and at most n - 1 of the indices 0 .. n - 1, ``s`` and
    ``t`` map (..., |O|) to (..., n - |O|); both index sets are read in increasing order. Source: seed 000, Problem 3.
    Raises ValueError, naming the argument, for an empty, full, repeated or out-of-range index set, for a wrong shape of
    x, s(x_O) or t(x_O), and for NaN or infinite values in any of them.
    """
    _finite("x", x)
    if x.ndim == 0:
        raise ValueError("x has shape (), expected (..., n)")
    partition = Partition(index_set, x.shape[-1])
    expected = (*x.shape[:-1], len(partition.outside))

    def networks(x_inside: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return _output("s(x_O)", s(x_inside), expected), _output("t(x_O)", t(x_inside), expected)

    return couple(x, partition, networks)


class CouplingLayer(nn.Module):
    """An affine coupling layer to be trained; s and t are the two halves of the output of one network.

    ``conditioner`` maps (..., |O|) to (..., 2 (n - |O|)): first r, then t. s = bound tanh(r / bound), so |s| <= bound
    whatever the weights. As in the theorem, s and t are differentiable if the conditioner is.
    """

    def __init__(self, index_set: Collection[int], n: int, conditioner: nn.Module, bound: float) -> None:
        super().__init__()
        self.partition = Partition(index_set, n)
        self.conditioner = conditioner
        self.bound = bound

    def networks(self, x_inside: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """s and t at x_O: (..., |O|) -> two tensors (..., n - |O|)."""
        raw, shift = self.conditioner(x_inside).chunk(2, dim=-1)
        return self.bound * torch.tanh(raw / self.bound), shift

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(..., n) -> z (..., n) and log|det dz/dx| (...)."""
        return couple(x, self.partition, self.networks)

    def inverse(self, z: torch.Tensor) -> torch.Tensor:
        """(..., n) -> the x with forward(x)[0] = z."""
        return uncouple(z, self.partition, self.networks)


def complement(index_set: Sequence[int], n: int) -> tuple[int, ...]:
    """The indices among 0 .. n - 1 that are not in ``index_set``, increasing."""
    inside = set(index_set)
    return tuple(i for i in range(n) if i not in inside)


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


def _concatenated(pieces: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=-1)


def _alternating(first: tuple[torch.Tensor, ...], second: tuple[torch.Tensor, ...]) -> Iterator[torch.Tensor]:
    """first[0], second[0], first[1], ...; ``first`` may be longer by one."""
    return (piece for piece in chain.from_iterable(zip_longest(first, second)) if piece is not None)


def _output(name: str, value: torch.Tensor, expected: tuple[int, ...]) -> torch.Tensor:
    if tuple(value.shape) != expected:
        raise ValueError(f"{name} has shape {tuple(value.shape)}, expected {expected}")
    return _finite(name, value)


def _finite(name: str, value: torch.Tensor) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        raise ValueError(f"{name} is not a tensor of floating-point numbers")
    if not bool(torch.isfinite(value).all()):
        raise ValueError(f"{name} has an entry that is NaN or infinite, expected finite numbers")
    return value
