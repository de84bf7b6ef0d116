"""Images as inputs of a contract, and the one pixel that shows where two images differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from mdnn_verify.contract import Terms
from mdnn_verify.engines.montecarlo import Stream

__all__ = ["awkward", "direction", "finest", "nudged", "patterns", "pixel", "ramp", "scaled", "whole"]


def ramp(shape: Sequence[int], first: int = 1) -> torch.Tensor:
    """first, first + 1, ... row by row: no two entries agree."""
    return torch.arange(first, first + math.prod(shape), dtype=torch.float64).reshape(tuple(shape))


def patterns(shape: Sequence[int], *, few: bool = False) -> list[torch.Tensor]:
    """Integer images, the smallest integers first: ones, the basis (at most 4 of it), alternating signs, ramps.

    ``few``: the first and the last element of the basis and one ramp.
    """
    count = math.prod(shape)
    ones, up = torch.ones(count, dtype=torch.float64), torch.arange(1, count + 1, dtype=torch.float64)
    basis = [torch.where(up == index, 1.0, 0.0).double() for index in sorted({*range(1, min(count, 3) + 1), count})]
    every = [ones, *basis, -ones, (1 - up % 2 * 2) * up, up, up - count]
    return [image.reshape(tuple(shape)) for image in ([*basis[:1], *basis[-1:], up][-count - 1 :] if few else every)]


def awkward(terms: Terms) -> list[float]:
    """Integers that bfloat16, float16 and, if the terms are finer, float32 cannot hold, and a fraction."""
    return [257.0, *sorted({2049.0, float(finest(terms))}), 0.1]


def finest(terms: Terms) -> int:
    """An odd integer that the next coarser type cannot hold: float32, or float16 if the terms are float32."""
    return 2**24 + 1 if terms.dtype == torch.float64 else 2**11 + 1


def scaled(rng: Stream, shape: Sequence[int], terms: Terms, *, mixed: bool) -> torch.Tensor:
    """Normal entries times a power of ten: one for all, up to 1e+-100 (1e+-20 in float32), or entry by entry, 1e+-6."""
    exponents = 6 if mixed else 100 if terms.dtype == torch.float64 else 20
    power = 10.0 ** rng.uniform(tuple(shape) if mixed else 1, -exponents, exponents)
    return terms.tensor(rng.normal(tuple(shape)) * power)


def direction(image: torch.Tensor, rng: Stream) -> torch.Tensor:
    """Any change of the image, of its own size."""
    return (rng.normal(tuple(image.shape)) * (float(image.abs().max()) or 1.0)).to(image)


def whole(image: torch.Tensor) -> bool:
    """Whether all entries are integers."""
    return bool((image == image.round()).all())


def nudged(image: torch.Tensor, terms: Terms) -> torch.Tensor:
    """The same with its last entry changed: far above rounding, far below what a rounded key tells apart."""
    flat = image.clone().reshape(-1)
    largest = float(flat.abs().max()) or 1.0
    flat[-1] += largest * float(2.0 ** round(0.6 * math.log2(terms.unit)))
    return flat.reshape(image.shape)


def pixel(observed: torch.Tensor, expected: torch.Tensor, call: str) -> str:
    """Lines that show the entry at which the two are furthest apart; ``call`` gives the first."""
    gap = (observed.cpu() - expected.cpu()).abs().nan_to_num(nan=torch.inf)
    place = [int(index) for index in torch.unravel_index(gap.argmax(), tuple(expected.shape))]
    return f"observed = {call}{place}.item()\nexpected = {float(expected[tuple(place)])!r}"
