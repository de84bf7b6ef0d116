r"""The adjoint of the 2 x 2 average pool, for images with any even sides.

Every entry is compared with $Y_{i \div 2, j \div 2} / 4$, read off by integer division, and the inner products
$\langle Y, T(X) \rangle$ and $\langle T^\top(Y), X \rangle$ with each other, T being the suite's own pooling. Rounding:
a copy divided by 4 is exact. An implementation that gets it from products with orthogonal matrices (2 T is one), or
from Fourier transforms, errs by a small multiple of $u \|Y\|_2$ in each entry (Higham, *Accuracy and Stability*,
chapters 19 and 24), 100 u for these sizes. That the value is right at every Y makes the map linear, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
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
from mdnn_verify.maths.pooling import average_pool

Arguments = Mapping[str, torch.Tensor]
SIZES = (1, 2, 3, 5, 8, 17)
LARGE = ((2, 33), (33, 2), (3, 65), (65, 5), (1, 257), (257, 1), (16, 32), (33, 31))


contract = Contract(
    call="adjoint(Y: (m/2, n/2)) -> X: (m, n)",
    returns=lambda arguments: tuple(2 * side for side in arguments["Y"].shape),
    scope="m and n from 2 to 514, m n up to 4092, entries of 1e-100 to 1e100",
    tangents=lambda arguments, rng: {"Y": direction(arguments["Y"], rng)},
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Integers, few cells first: every shape up to 8 x 8, lines, and a few larger ones."""
    for number in (1.0, -1.0, 0.0, 2.0, 3.0, *awkward(terms)):
        yield _instance(torch.tensor([[number]], dtype=torch.float64), terms)
    block = [(h, w) for h in range(1, 9) for w in range(1, 9) if h * w > 1]
    lines = [shape for n in (*range(9, 24), 31, 32, 63, 64, 65, 100) for shape in ((1, n), (n, 1))]
    for shape in sorted((*block, *lines, *LARGE), key=math.prod):
        cells = math.prod(shape)
        images = patterns(shape, few=cells > 6) if shape in block else [ramp(shape)]
        for Y in (*images, ramp(shape, finest(terms))) if shape in LARGE else images:
            yield _instance(Y, terms)


@contract.instances(sizes=(*SIZES, 32), times=4)
def dense(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Normal entries."""
    return {"Y": terms.tensor(rng.normal(_shape(rng, size)))}


@contract.instances(sizes=SIZES, times=2)
def sparse(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Most entries are 0."""
    shape = _shape(rng, size)
    return {"Y": terms.tensor(rng.normal(shape) * (rng.uniform(shape) < 0.2))}


@contract.instances(sizes=SIZES, times=2)
def one_sign(rng: Stream, size: int, terms: Terms) -> Arguments:
    """All entries positive or all negative, with ties."""
    shape = _shape(rng, size)
    sign = 1 - 2 * int(rng.integers(0, 2, 1))
    return {"Y": terms.tensor(sign * rng.integers(1, 4, shape).double() / 3)}


@contract.instances(sizes=SIZES, times=3)
def units(rng: Stream, size: int, terms: Terms) -> Arguments:
    """All of it tiny or huge."""
    return {"Y": scaled(rng, _shape(rng, size), terms, mixed=False)}


@contract.instances(sizes=SIZES, times=2)
def magnitudes(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Entries of very different sizes."""
    return {"Y": scaled(rng, _shape(rng, size), terms, mixed=True)}


@contract.law
def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Every entry is a quarter of the cell that its pixel belongs to."""
    Y = instance.arguments["Y"]
    observed, expected = subject(Y), exact(Y)
    shown = pixel(observed, expected, "subject(Y)")
    yield Comparison(observed, expected, rounding(Y, terms), "an entry of the adjoint is wrong", shown, _scale(Y))


@contract.law
def adjoint(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The inner products of Y with T(X), and of T'(Y) with X, agree."""
    Y = instance.arguments["Y"]
    X = (torch.arange(4 * Y.numel(), dtype=torch.float64) % 7 - 3).reshape(contract.returns(instance.arguments))
    observed, own = subject(Y).double().cpu(), Y.double().cpu()
    # 4 q products on either side are rounded and summed in float64; the adjoint's own error meets |X| <= 3
    sums = (4 * Y.numel() + 10) * 2.0**-53 * 3 * float(own.abs().sum())
    yield Comparison(
        (observed * X).sum(), (own * average_pool(X)).sum(), sums + 12 * Y.numel() * rounding(Y, terms),
        "<T'(Y), X> is not <Y, T(X)>",
        "from mdnn_verify.maths.pooling import average_pool\n"
        "X = (torch.arange(4 * Y.numel()).to(Y) % 7 - 3).reshape(2 * Y.shape[0], 2 * Y.shape[1])\n"
        "observed = (subject(Y) * X).sum().item()\nexpected = (Y * average_pool(X)).sum().item()",
        float(own.abs().sum()),
    )  # fmt: skip


@contract.law
def nearby(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """An input that changed a little gets its own value.

    Asked of inputs that are not integers, so that integers are preferred to show what is wrong for them, too.
    """
    if whole(instance.arguments["Y"]):
        return
    near = nudged(instance.arguments["Y"], terms)
    observed, expected = subject(near), exact(near)
    shown = f"subject(Y)\nnear = torch.tensor({near.tolist()}, dtype={near.dtype})\n"
    yield Comparison(
        observed, expected, rounding(near, terms), "an entry is wrong where an input changed a little",
        shown + pixel(observed, expected, "subject(near)"), _scale(near),
    )  # fmt: skip


def exact(Y: torch.Tensor) -> torch.Tensor:
    """Y_{i div 2, j div 2} / 4, (m, n): exactly."""
    rows, columns = (torch.arange(2 * side, device=Y.device) // 2 for side in Y.shape)
    return Y[rows[:, None], columns[None, :]] / 4


def rounding(Y: torch.Tensor, terms: Terms) -> float:
    """What rounding may explain in each entry; see the module's docstring."""
    return 100 * terms.unit * _scale(Y) * math.sqrt(Y.numel())


def _scale(Y: torch.Tensor) -> float:
    return float(Y.abs().max())


def _shape(rng: Stream, rows: int) -> tuple[int, int]:
    """So many rows, or so many columns, with any number of the other up to 16."""
    other = int(rng.integers(1, 17, 1))
    return (rows, other) if float(rng.uniform(1)) < 0.5 else (other, rows)


def _instance(Y: torch.Tensor, terms: Terms) -> Instance:
    return Instance(
        {"Y": terms.tensor(Y)}, Y.numel(), f"{len(Y)} x {Y.shape[1]}, {'integers' if whole(Y) else 'a fraction'}"
    )
