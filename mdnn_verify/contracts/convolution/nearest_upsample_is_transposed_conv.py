r"""Nearest-neighbour upsampling of images (N, C, H, W) by any integer r >= 1.

Every pixel is compared with $X_{c, i \div r, j \div r}$, read off by integer division, and with the transposed
convolution of the theorem as torch computes it, which is right for every r: one product with 1 and sums with 0 round
nothing. An implementation that takes $r^2$ times the adjoint of an average pool rounds twice, one by orthogonal
matrices or Fourier transforms errs by a small multiple of $u \|X\|_2$ in each entry: 100 u is allowed for.

The last of the small inputs are large r with two rows or columns. There ``index * (1 / r)`` instead of ``index // r``
is one pixel off for some r, where 1 / r is rounded down: 49, 98, 103 and 107 in double precision, and 41, 47, 55, 61,
82, ... in single precision. ``torch.nn.Upsample(scale_factor=r, mode="nearest")``, the layer that the source speaks of,
has this fault itself (in torch 2.13 on a CPU at these r for float32, and at r = 41 with two columns for float64). So
there, and only there, its very result is accepted as well, and the scope says so; ``mode="nearest-exact"`` is right.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.contracts.convolution._images import (
    awkward,
    direction,
    finest,
    nudged,
    patterns,
    pixel,
    ramp,
    scaled,
    whole,
)
from mdnn_verify.engines.montecarlo import Stream

Arguments = Mapping[str, Any]
Shape = tuple[int, int, int, int]
SIZES = (1, 2, 3, 5, 8, 13)
# (N, C, H, W) and r: every axis from 4 to 13, and one large side at a time
LARGE: set[tuple[Shape, int]] = {
    *((shape, 2) for n in range(4, 14) for shape in ((n, 1, 1, 2), (1, n, 1, 2), (1, 2, n, 1), (1, 1, 2, n))),
    ((17, 2, 1, 2), 2), ((33, 1, 1, 1), 3), ((1, 16, 1, 1), 2), ((1, 33, 2, 1), 2), ((1, 65, 1, 1), 2),
    ((1, 1, 2, 17), 2), ((1, 2, 33, 1), 2), ((1, 1, 1, 65), 3), ((1, 1, 129, 1), 2), ((2, 2, 2, 1), 6),
    ((2, 1, 1, 2), 11), ((1, 2, 2, 1), 16), ((1, 3, 7, 5), 4), ((2, 3, 8, 8), 2), ((4, 3, 5, 6), 3),
}  # fmt: skip
# where the rounding of 1 / r puts a pixel on the wrong side, in double or in single precision, and other large r
LARGE_RATIOS = (41, 49, 47, 55, 64)


contract = Contract(
    call="upsample(X: (N, C, H, W), r) -> (N, C, rH, rW)",
    returns=lambda arguments: shape_of(arguments["X"], arguments["r"]),
    scope="r from 1 to 32 and some to 64 (from 41 on, torch's own nearest mode, which rounds i / r, is accepted too), "
    "N to 33, C to 65, H and W to 129, entries of 1e-100 to 1e100",
    tangents=lambda arguments, rng: {"X": direction(arguments["X"], rng)},
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Integers, few output pixels first; but last of all large r."""
    for number in (1.0, -1.0, 0.0, 2.0, *awkward(terms)):
        yield _instance(torch.full((1, 1, 1, 1), number, dtype=torch.float64), 1, terms)
    few = {pair for pair in itertools.product(itertools.product((1, 2, 3), repeat=4), range(1, 6)) if _is_small(pair)}
    ratios = {((1, 1, 1, 2) if r % 2 else (1, 1, 2, 1), r) for r in (*range(6, 33), 40)}
    for shape, r in sorted(few | ratios | LARGE, key=_weight):
        pixels, entries, *_ = _weight((shape, r))
        images = patterns(shape, few=True) if entries <= 4 and pixels <= 36 else [ramp(shape)]
        for image in (*images, ramp(shape, finest(terms))) if (shape, r) in LARGE else images:
            yield _instance(image, r, terms)
    for r in LARGE_RATIOS:
        yield _instance(ramp((1, 1, 1, 2)), r, terms)
    for r in LARGE_RATIOS[:2]:
        yield _instance(ramp((1, 1, 2, 1)), r, terms)


@contract.instances(sizes=SIZES, times=5)
def dense(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Normal entries."""
    shape, r = _shape(rng, size)
    return {"X": terms.tensor(rng.normal(shape)), "r": r}


@contract.instances(sizes=SIZES, times=2)
def one_channel_differs(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Channels of different sizes: what passes from one to another is seen."""
    shape, r = _shape(rng, size)
    return {"X": terms.tensor(rng.normal(shape) * 10.0 ** rng.uniform((1, shape[1], 1, 1), -2, 2)), "r": r}


@contract.instances(sizes=SIZES, times=2)
def equal_pixels(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Few different values, with zeros."""
    shape, r = _shape(rng, size)
    return {"X": terms.tensor(rng.integers(-1, 2, shape).double() / 3), "r": r}


@contract.instances(sizes=SIZES, times=3)
def units(rng: Stream, size: int, terms: Terms) -> Arguments:
    """All of it tiny or huge."""
    shape, r = _shape(rng, size)
    return {"X": scaled(rng, shape, terms, mixed=False), "r": r}


@contract.instances(sizes=SIZES, times=2)
def magnitudes(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Entries of very different sizes."""
    shape, r = _shape(rng, size)
    return {"X": scaled(rng, shape, terms, mixed=True), "r": r}


@contract.law
def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Every pixel is a copy of the one that contains it."""
    X, r = instance.arguments.values()
    observed = subject(X, r)
    expected = accepted(X, r, observed, exact(X, r))
    shown = pixel(observed, expected, "subject(X, r)")
    yield Comparison(observed, expected, rounding(X, terms), "a pixel is wrong", shown, _scale(X))


@contract.law
def transposed_convolution(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """An input that changed a little gets its own transposed convolution.

    Asked of inputs that are not integers, so that integers are preferred to show what is wrong for them, too.
    """
    X, r = instance.arguments.values()
    if whole(X):
        return
    near = nudged(X, terms)
    weight = torch.ones(X.shape[1], 1, r, r, dtype=X.dtype, device=X.device)
    with torch.backends.cudnn.flags(enabled=False):  # TensorFloat-32 would round the copies
        convolved = torch.nn.functional.conv_transpose2d(near, weight, stride=r, groups=X.shape[1])
    observed = subject(near, r)
    expected = accepted(near, r, observed, convolved)
    yield Comparison(
        observed, expected, rounding(near, terms), "a pixel is wrong where an input changed a little",
        f"subject(X, r)\nnear = torch.tensor({near.tolist()}, dtype={near.dtype})\n"
        + pixel(observed, expected, "subject(near, r)"), _scale(near),
    )  # fmt: skip


def shape_of(X: torch.Tensor, r: int) -> Shape:
    """(N, C, rH, rW)."""
    batch, channels, rows, columns = X.shape
    return batch, channels, r * rows, r * columns


def exact(X: torch.Tensor, r: int) -> torch.Tensor:
    """X_{c, i div r, j div r}, (N, C, rH, rW): copies."""
    rows, columns = (torch.arange(r * side, device=X.device) // r for side in X.shape[-2:])
    return X[:, :, rows[:, None], columns[None, :]]


def accepted(X: torch.Tensor, r: int, observed: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """``expected``; for a large r what torch's layer gives, if ``observed`` is that in every bit."""
    if r < min(LARGE_RATIOS):
        return expected
    layer = torch.nn.functional.interpolate(X, scale_factor=r, mode="nearest")
    return layer if torch.equal(layer, observed) else expected


def rounding(X: torch.Tensor, terms: Terms) -> float:
    """What rounding may explain in each pixel; see the module's docstring."""
    return 100 * terms.unit * _scale(X) * math.sqrt(X.numel())


def _scale(X: torch.Tensor) -> float:
    return float(X.abs().max())


def _weight(pair: tuple[Sequence[int], int]) -> tuple[int, int, int, tuple[int, ...]]:
    """Output pixels, input pixels, r, and the shape."""
    shape, r = pair
    return math.prod(shape) * r * r, math.prod(shape), r, tuple(shape)


def _is_small(pair: tuple[Sequence[int], int]) -> bool:
    pixels, entries, *_ = _weight(pair)
    return 1 < pixels <= 144 and entries <= 18


def _shape(rng: Stream, size: int) -> tuple[Shape, int]:
    """A shape whose largest side is ``size``, and a ratio such that there are at most 2,500 output pixels."""
    while True:
        shape = [int(side) for side in rng.integers(1, min(size, 4) + 1, 4)]
        shape[int(rng.integers(0, 4, 1))] = size
        r = int(rng.integers(1, 10, 1))
        if math.prod(shape) * r * r <= 2500:
            return (shape[0], shape[1], shape[2], shape[3]), r


def _instance(image: torch.Tensor, r: int, terms: Terms) -> Instance:
    shape = tuple(image.shape)
    label = f"{' x '.join(map(str, shape))}, r = {r}, {'integers' if whole(image) else 'a fraction'}"
    return Instance({"X": terms.tensor(image), "r": r}, _weight((shape, r))[0], label)
