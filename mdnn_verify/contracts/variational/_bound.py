r"""log((1/K) sum_k exp(log_w_k)) over the last axis: the inputs and the value, which two theorems share.

The value is compared row by row with the formula in balls of 200 bits at exactly the floats that are handed over.
Rounding: ``contracts/_exponentials``, with beta = 1; subtracting log K is one operation more.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.contracts._exponentials import exact_log_sum_exp, log_sum_exp_rounding, nudge
from mdnn_verify.engines.montecarlo import Stream

__all__ = ["bound_contract", "exact", "rounding"]

SIZES = (1, 2, 3, 5, 8, 17, 33, 64, 65)
LEADING = ((), (1,), (2,), (3,), (1, 1), (2, 3), (3, 1), (1, 2), (4, 3))
SHAPES = ((3, 2, 2), (3, 3, 3), (2, 3, 4), (4, 3, 2), (3, 1, 2), (1, 4, 3), (5, 1, 1), (2, 65, 2), (2, 3, 2, 3))
LARGEST = 1e4
ORDINARY = 300.0
Arguments = Mapping[str, torch.Tensor]


def directions(arguments: Arguments, rng: Stream) -> Arguments:
    """Any direction; none at extreme inputs, where derivatives may overflow."""
    log_w = arguments["log_w"]
    return {"log_w": rng.normal(tuple(log_w.shape)).to(log_w)} if float(log_w.abs().max()) <= ORDINARY else {}


def bound_contract() -> Contract:
    """A contract of bound(log_w (..., K)) -> (...), with its inputs and the laws about the value."""
    contract = Contract(
        call="bound(log_w (..., K)) -> (...)",
        returns=lambda arguments: tuple(arguments["log_w"].shape[:-1]),
        scope="K = 1 to 4097, leading shapes (), (B,), (A, B) and (A, B, C), |log_w| up to 1e4, equal and dominating",
        tangents=directions,
    )
    contract.small(small)
    contract.instances(sizes=(*SIZES, 257), times=3)(moderate)
    contract.instances(sizes=SIZES, times=4)(close)
    contract.instances(sizes=SIZES, times=2)(square)
    contract.instances(sizes=SIZES, times=2)(extreme)
    contract.instances(sizes=SIZES[1:], times=3)(one_dominates)
    contract.law(value)
    contract.law(nearby)
    return contract


def small(terms: Terms) -> Iterable[Instance]:
    """Small integers and large ones, up to four weights in every shape; then every K, and batches of every size."""
    yield from sorted(_small(terms), key=lambda instance: instance.size)


def _small(terms: Terms) -> Iterator[Instance]:
    numbers = (0, 1, -1, 2, -2, 1000, -1000, 10000, -10000)
    for shape, chosen, most in (
        ((1,), numbers, 9), ((1, 1), numbers, 9), ((1, 1, 1), numbers, 8),
        ((2,), numbers, 60), ((1, 2), numbers, 30), ((2, 1), numbers, 30),
        ((3,), numbers, 40), ((1, 3), numbers, 10), ((3, 1), numbers, 10),
        ((4,), numbers[:5], 30), ((2, 2), numbers[:5], 30), ((1, 2, 2), numbers[:3], 10), ((2, 1, 2), numbers[:3], 10),
    ):  # fmt: skip
        count = math.prod(shape)
        every = sorted(itertools.product(chosen, repeat=count), key=lambda w: (max(map(abs, w)), sum(map(abs, w))))
        low, high = (tuple(sign * (LARGEST - i) for i in range(count)) for sign in (-1, 1))
        for entries in (tuple(range(1, count + 1)), *every[: most - 5], *every[-3:], low, high):
            yield _instance(entries, shape, terms)
    sizes = (*range(5, 131), *range(136, 264, 8), 300, 400, 500, 512, 600, 800, 1000, 1024, 1025, 2049, 4097)
    for k, leading in itertools.product(sizes, ((), (2,))):
        if not leading or k <= 16:
            count = math.prod((*leading, k))
            yield _instance([i * 3 % 7 - 3 for i in range(count)], (*leading, k), terms)
            if k <= 40:
                yield _instance(range(count) if k % 2 else range(count, 0, -1), (*leading, k), terms)
                yield _instance([(-1) ** k * (LARGEST - i % 5) for i in range(count)], (*leading, k), terms)
    for gap in (16, 20, 24, 28, 32):  # small weights: one that counts, and so many of them that they count
        for entries in ([gap, 0], [0, gap], [0] + [-gap] * 99, [-gap] * 256 + [0]):
            yield _instance(entries, (len(entries),), terms)
    for b in (*range(3, 18), 32, 33, 50, 64, 65, 100, 101, 128, 129, 200, 256, 257, 513, 1001):
        yield _instance([i * 3 % 7 - 3 for i in range(3 * b)], (b, 3), terms)
    for shape in SHAPES:
        yield _instance([i * 3 % 7 - 3 for i in range(math.prod(shape))], shape, terms)


def moderate(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Weights of ordinary size."""
    return _made(rng, size, terms, lambda shape: 10.0 ** float(rng.uniform(1, -2, 1)) * rng.normal(shape))


def close(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Logarithms that differ little in each row, some of them equal, every second time far from 0."""
    far = 0.99 * LARGEST if float(rng.uniform(1)) < 0.5 else 1.0
    spread = 10.0 ** -(5 * float(rng.uniform(1)) ** 2)

    def make(shape: tuple[int, ...]) -> torch.Tensor:
        middle = far * (2 * rng.uniform((*shape[:-1], 1)) - 1)
        return middle + spread * torch.where(rng.uniform(shape) < 0.3, 0.0, rng.normal(shape))

    return _made(rng, size, terms, make)


def square(rng: Stream, size: int, terms: Terms) -> Arguments:
    """As many rows as weights, where a wrong axis goes unnoticed by shapes; all equal in some rows."""
    size = min(size, 17)
    flat = torch.where(rng.uniform((size, 1)) < 0.2, 0.0, rng.normal((size, size)))
    return {"log_w": terms.tensor(2 * flat + 100 * rng.normal((size, 1)))}


def extreme(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Everything between -1e4 and 1e4; every row has a magnitude of its own."""
    return _made(
        rng, size, terms, lambda shape: LARGEST ** rng.uniform((*shape[:-1], 1)) * (2 * rng.uniform(shape) - 1)
    )


def one_dominates(rng: Stream, size: int, terms: Terms) -> Arguments:
    """One weight, at any place, above the others, by a little or far."""

    def make(shape: tuple[int, ...]) -> torch.Tensor:
        values = rng.normal(shape) - 10.0 ** float(rng.uniform(1, 0.5, 3.9) ** 1.5 / 3.9**0.5)
        values[..., int(rng.integers(0, shape[-1], 1))] = 5.0
        return values

    return _made(rng, size, terms, make)


def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The value is the log of the mean of the weights."""
    log_w = instance.arguments["log_w"]
    expected = exact(log_w)
    yield Comparison(
        subject(log_w), expected, rounding(log_w, terms), "the log of the mean is wrong",
        f"observed = torch.as_tensor(subject(log_w)).tolist()\nexpected = {expected.tolist()!r}",
    )  # fmt: skip


def nearby(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """An input that changed a little gets its own value."""
    log_w = instance.arguments["log_w"]
    if log_w.numel() > 1 and float(log_w.max()) == float(log_w.min()):
        return
    near = log_w.clone()
    largest = int(near.argmax())
    near.reshape(-1)[largest] += nudge(terms) * max(1.0, float(near.max().abs()))
    lines = f"subject(log_w)\nnear = torch.tensor({near.tolist()}, dtype={near.dtype})\n"
    with subject.showing(f"{lines}observed = subject(near), near\nexpected = 'a tensor', near.clone()"):
        observed = subject(near)
    yield Comparison(
        observed, exact(near), rounding(near, terms), "the log of the mean is wrong where an input changed a little",
        f"{lines}observed = torch.as_tensor(subject(near)).tolist()\nexpected = {exact(near).tolist()!r}",
    )  # fmt: skip


def exact(log_w: torch.Tensor) -> torch.Tensor:
    """The values at these very floats, to float64's precision, (...)."""
    rows = log_w.double().cpu().reshape(-1, log_w.shape[-1])
    found = [exact_log_sum_exp(row.tolist()) - math.log(len(row)) for row in rows]
    return torch.tensor(found, dtype=torch.float64).reshape(log_w.shape[:-1])


def rounding(log_w: torch.Tensor, terms: Terms) -> torch.Tensor:
    """What rounding may explain, (...)."""
    return log_sum_exp_rounding(log_w, 1.0, terms)


def _made(rng: Stream, size: int, terms: Terms, make: Any) -> Arguments:
    """Rows of ``size`` weights in some leading shape, of at most 1e4 in magnitude."""
    leading = LEADING[int(rng.integers(0, len(LEADING), 1))] if size <= 65 else (2,)
    return {"log_w": terms.tensor(make((*leading, size)).clamp(-LARGEST, LARGEST))}


def _instance(entries: Iterable[float], shape: tuple[int, ...], terms: Terms) -> Instance:
    values = terms.tensor([float(entry) for entry in entries]).reshape(shape)
    return Instance({"log_w": values}, values.numel(), f"shape {shape}, integers")
