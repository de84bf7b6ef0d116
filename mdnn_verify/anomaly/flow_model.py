r"""A normalizing flow on images: logit preprocessing, affine coupling layers, a standard normal base.

    log p(x) = log|det dv/dx| + sum over layers of log_det + log N(z; 0, I),    z = f_K(... f_1(P v(x)) ...)

with P a fixed permutation of the pixels. Every layer is a ``CouplingLayer``, whose core is the theorem's. Its index set
consists of half of a few blocks of consecutive (permuted) pixels, so that nothing is gathered or scattered in a layer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mdnn_verify.anomaly.preprocessing import LogitPixels
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import UsageError
from mdnn_verify.maths.coupling import CouplingLayer

__all__ = ["Architecture", "FlowModel", "crossing_splits"]


@dataclass(frozen=True)
class Architecture:
    """What a flow is built from. ``splits`` has, for each layer, the blocks 0 .. blocks - 1 that it leaves as they are.

    Raises UsageError, naming the field, for a value that makes no flow.
    """

    pixels: int
    levels: int
    splits: tuple[tuple[int, ...], ...]
    hidden: int = 256
    blocks: int = 8
    margin: float = 0.1
    bound: float = 1.0

    def __post_init__(self) -> None:
        for name, least in (("pixels", 2), ("hidden", 1), ("blocks", 2)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise UsageError(f"a flow with {name} = {value!r}, expected an integer of at least {least}")
        if self.blocks > self.pixels:
            raise UsageError(f"a flow with blocks = {self.blocks}, expected at most the {self.pixels} pixels")
        if type(self.bound) is not float or not 0 < self.bound <= 10:
            raise UsageError(f"a flow with bound = {self.bound!r}, expected a number above 0 and at most 10")
        LogitPixels(self.levels, self.margin)
        if not self.splits:
            raise UsageError("a flow with splits = (), expected at least one layer")
        for split in self.splits:
            known = all(type(block) is int and 0 <= block < self.blocks for block in split)
            if not known or len(set(split)) != len(split) or not 0 < len(split) < self.blocks:
                raise UsageError(f"a flow with the split {split!r}, expected some of the blocks 0 .. {self.blocks - 1}")

    @classmethod
    def parse(cls, configuration: Mapping[str, Any]) -> Architecture:
        """From plain values, as ``dataclasses.asdict`` gives and JSON returns them. Raises UsageError."""
        if set(configuration) != set(cls.__dataclass_fields__):
            raise UsageError(
                f"a flow's configuration has {sorted(configuration)}, expected {sorted(cls.__dataclass_fields__)}"
            )
        splits = configuration["splits"]
        if not isinstance(splits, (list, tuple)) or not all(isinstance(split, (list, tuple)) for split in splits):
            raise UsageError(f"a flow with splits = {splits!r:.60}, expected a list of lists of blocks")
        return cls(**{**configuration, "splits": tuple(map(tuple, splits))})

    def index_sets(self) -> list[tuple[int, ...]]:
        """The permuted pixels that each layer leaves as they are."""
        edges = [self.pixels * block // self.blocks for block in range(self.blocks + 1)]
        return [
            tuple(i for block in sorted(split) for i in range(edges[block], edges[block + 1])) for split in self.splits
        ]


class FlowModel(nn.Module):
    """A density on images of D pixels; ``order`` (D,) is the permutation of the pixels."""

    order: torch.Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.pixels = LogitPixels(architecture.levels, architecture.margin)
        self.register_buffer("order", torch.arange(architecture.pixels))
        self.layers = nn.ModuleList(_layer(architecture, inside) for inside in architecture.index_sets())

    def initialise(self, name: str, seed: int) -> None:
        """A random order of the pixels, random hidden weights, output weights 0: at first no layer changes anything.

        Hidden weights and biases are uniform, at most 1/sqrt(inputs) in size; the numbers are ``Stream(name, seed)``'s.
        """
        stream = Stream(name, seed)
        self.order.copy_(torch.from_numpy(stream.numpy.permutation(len(self.order))))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()
            for layer in self.coupling_layers():
                limit = len(layer.partition.inside) ** -0.5
                for parameter in list(layer.conditioner.parameters())[:2]:
                    parameter.copy_(stream.uniform(tuple(parameter.shape), -limit, limit))

    def coupling_layers(self) -> list[CouplingLayer]:
        """The layers, first to last."""
        return list(self.layers)  # type: ignore[arg-type]

    def log_density(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x) in nats for x, (..., D) real pixels in the units of levels: (...)."""
        z, log_det = self.latent(x)
        return log_det - (z.square().sum(dim=-1) + z.shape[-1] * math.log(2 * math.pi)) / 2

    def latent(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z and log|det dz/dx| at x: (..., D) -> (..., D) and (...)."""
        value, log_det = self.pixels.forward(x[..., self.order])
        for layer in self.layers:
            value, own = layer(value)
            log_det = log_det + own
        return value, log_det

    def inverse(self, z: torch.Tensor) -> torch.Tensor:
        """The x with latent(x)[0] = z."""
        for layer in reversed(self.coupling_layers()):
            z = layer.inverse(z)
        return self.pixels.inverse(z)[..., torch.argsort(self.order)]


def crossing_splits(layers: int, blocks: int) -> tuple[tuple[int, ...], ...]:
    """Half of the blocks, then the other half, and so on: each pair of layers changes every pixel.

    Each pair splits by a binary digit of the block's number, the next by the next digit, then by the parity of several:
    any two blocks are soon on different sides, and the halves cross one another.
    """
    codes = sorted(
        range(1, 1 << (blocks - 1).bit_length()), key=lambda code: (code.bit_count() != 1, -code.bit_count())
    )
    splits = []
    for number in range(layers):
        code = codes[number // 2 % len(codes)]
        side = 1 - number % 2
        splits.append(tuple(block for block in range(blocks) if (block & code).bit_count() % 2 == side))
    return tuple(splits)


def _layer(architecture: Architecture, inside: tuple[int, ...]) -> CouplingLayer:
    pixels, hidden = architecture.pixels, architecture.hidden
    conditioner = nn.Sequential(
        nn.Linear(len(inside), hidden),
        nn.SiLU(),  # smooth: the theorem asks for differentiable s and t
        nn.Linear(hidden, 2 * (pixels - len(inside))),
    )
    return CouplingLayer(inside, pixels, conditioner, architecture.bound)
