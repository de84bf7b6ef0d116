r"""nu_beta(x) = log(sum exp(beta x_i)) / beta, finite for any finite x (n,) and beta > 0.

The value is compared with the formula in balls of 200 bits at exactly the floats that are handed over; that it lies
between max x and max x + log(n)/beta, and that two halves of x may be summed up first, are tried by themselves too.
Rounding: ``contracts/_exponentials``.
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

SIZES = (1, 2, 3, 5, 8, 17, 33, 64, 65, 257)
ORDINARY = 300.0  # of |beta x|: exp of a difference, down to exp(-600), does not underflow
Arguments = Mapping[str, Any]


def directions(arguments: Arguments, rng: Stream) -> Mapping[str, torch.Tensor]:
    """Any direction in x, on the scale on which nu changes; none at extreme inputs, where derivatives may overflow."""
    x, beta = arguments.values()
    ordinary = 1 / ORDINARY <= beta <= ORDINARY and beta * float(x.abs().max()) <= ORDINARY
    return {"x": (rng.normal(len(x)) / beta).to(x)} if ordinary else {}


contract = Contract(
    call="lse(x (n,), beta) -> scalar",
    returns=lambda arguments: (),
    scope="n = 1 to 1024, |beta x| up to 1e300, beta from 1e-250 to 1e250, ties, one entry far above the others",
    tangents=directions,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Small integers, n = 1 to 3, and integers whose exponentials overflow or vanish; then every size."""
    yield from sorted(_small(terms), key=lambda instance: instance.size)


def _small(terms: Terms) -> Iterator[Instance]:
    numbers = (0, 1, -1, 2, -2, 100, -100, 1000, -1000)
    yield _instance([1], 1, terms)
    for x, beta in itertools.product(numbers, (1, 2, 0.5, 3)):
        yield _instance([x], beta, terms)
    for n, chosen in ((2, numbers), (3, (0, 1, -1, 1000, -1000))):
        every = sorted(itertools.product(chosen, repeat=n), key=lambda x: (max(map(abs, x)), sum(map(abs, x))))
        yield _instance(range(n), 1, terms)
        for x, beta in itertools.product(every[: 70 if n == 2 else 40], (1, 2, 0.5) if n == 2 else (1, 3)):
            yield _instance(x, beta, terms)
    top = _decades(terms)
    for n, power in itertools.product((1, 2, 3), (5, 10, 20, 100, 300)):
        large, least = 10.0 ** min(power, top), 10.0 ** -min(power, top - 10)
        for x in ([large] * n, [-large] * n, [-large, large, 0.0][:n]):
            yield _instance(x, 1, terms)
        for x, beta in (([1.0, -1.0, 1.0], large), ([0.0] * 3, large), ([1.0, -1.0, 0.0], least)):
            yield _instance(x[:n], beta, terms)
    for n, gap in itertools.product((100, 257), (16, 20, 24, 28, 32)):  # small terms, so many of them that they count
        yield _instance([-gap] * (n - 1) + [0], 1, terms)
    for n in (*range(4, 131), *range(136, 264, 8), 500, 512, 1000, 1024):
        yield _instance([i % 5 - 2 for i in range(n)], (1, 2, 0.5)[n % 3], terms)
        if n <= 40:
            yield _instance([(1000, -1000, 999)[i * n % 7 % 3] for i in range(n)], (0.5, 3, 1)[n % 3], terms)
            yield _instance(range(n) if n % 2 else range(n, 0, -1), (2, 0.5, 1)[n % 3], terms)
            yield _instance([(-1) ** n * 1000 + i % 5 for i in range(n)], (1, 2, 0.5)[n % 3], terms)


@contract.instances(sizes=SIZES, times=3)
def moderate(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Numbers of ordinary size."""
    return _arguments(3 * rng.normal(size), 10.0 ** float(rng.uniform(1, -2, 2)), terms)


@contract.instances(sizes=SIZES, times=3)
def ties(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Repeated entries, integers among them, of any magnitude; the maximum is attained several times."""
    values = rng.normal(size) * 10.0 ** float(rng.uniform(1, 0, 4))
    x = values.round()[rng.integers(0, (size + 2) // 3, size)]
    return _arguments(x, 10.0 ** float(rng.uniform(1, -6, 6)), terms)


@contract.instances(sizes=SIZES, times=4)
def close(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Entries that differ by 1/beta or less, for any beta, some of them far from 0."""
    decades = 6 if terms.dtype == torch.float64 else 2
    beta = 10.0 ** float(rng.uniform(1, -0.8 * _decades(terms), 0.8 * _decades(terms)) * float(rng.uniform(1)))
    far = 10.0 ** float(rng.uniform(1, -2, decades)) * (1 if float(rng.uniform(1)) < 0.5 else -1)
    spread = 10.0 ** -(5 * float(rng.uniform(1)) ** 2)
    return _arguments((spread * rng.normal(size) + far) / beta, beta, terms)


@contract.instances(sizes=SIZES, times=2)
def small_beta(rng: Stream, size: int, terms: Terms) -> Arguments:
    """The value is nearly log(n)/beta."""
    return _arguments(rng.normal(size), 10.0 ** -float(rng.uniform(1, 1, 0.8 * _decades(terms))), terms)


@contract.instances(sizes=SIZES, times=4)
def extreme(rng: Stream, size: int, terms: Terms) -> Arguments:
    """x and beta of any magnitude, beta x up to 1e300; entries of one sign or of both, over many decades."""
    top = _decades(terms)
    power = float(rng.uniform(1, -0.8 * top, 0.8 * top))
    spread = top * float(rng.uniform(1)) ** 2
    exponents = min(top, top - power) - float(rng.uniform(1, 0, top)) - rng.uniform(size) * spread
    signs = torch.sign(rng.uniform(size) - (0.0, 0.5, 1.0)[int(rng.integers(0, 3, 1))] + 1e-9)
    return _arguments(signs * 10.0 ** exponents.clamp_min(-top), 10.0**power, terms)


@contract.instances(sizes=SIZES[1:], times=4)
def one_above(rng: Stream, size: int, terms: Terms) -> Arguments:
    """One entry, at any place, above the others: by so much that they still count, or far."""
    far = float(rng.uniform(1)) < 0.5
    gap = 10.0 ** float(rng.uniform(1, 1, _decades(terms))) if far else 33 * float(rng.uniform(1))
    beta = 1.0 if far else 10.0 ** float(rng.uniform(1, -3, 3))
    x = rng.uniform(size) - gap
    x[int(rng.integers(0, size, 1))] = float(rng.normal(1)) ** 2 / 4
    return _arguments(x / beta, beta, terms)


@contract.law
def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The value is log(sum exp(beta x)) / beta, between max x and max x + log(n)/beta."""
    x, beta = instance.arguments.values()
    observed, bound = subject(x, beta), _rounding(x, beta, terms)
    expected = exact(x, beta)
    shown = f"observed = float(subject(x, beta))\nexpected = {expected!r}"
    yield Comparison(observed, expected, bound, "log-sum-exp is wrong", shown)
    low = float(x.max())
    between = min(max(float(observed), low), low + math.log(len(x)) / beta)
    yield Comparison(
        observed, between, bound, "it is not between max x and max x + log(n)/beta",
        "import math\nobserved = subject(x, beta)\nexpected = (x.max(), x.max() + math.log(len(x)) / beta)",
    )  # fmt: skip


@contract.law
def nearby(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """An input that changed a little, and another beta at the same x, get their own value."""
    x, beta = instance.arguments.values()
    if float(x.max()) == float(x.min()) and float(x[0]) != 1:
        return
    near, largest = x.clone(), int(x.argmax())
    near[largest] += nudge(terms) * max(abs(float(x[largest])), 1 / beta)
    lines = f"subject(x, beta)\nnear = torch.tensor({near.tolist()}, dtype={near.dtype})\n"
    with subject.showing(f"{lines}observed = subject(near, beta), near\nexpected = 'a number', near.clone()"):
        observed = subject(near, beta)
    yield Comparison(
        observed, exact(near, beta), _rounding(near, beta, terms),
        "log-sum-exp is wrong where an input changed a little",
        f"{lines}observed = float(subject(near, beta))\nexpected = {exact(near, beta)!r}",
    )  # fmt: skip
    if len(x) <= 5:
        other = beta / 2 if len(x) % 2 else beta * (1 + nudge(terms))
        yield Comparison(
            subject(x, other), exact(x, other), _rounding(x, other, terms), "log-sum-exp of another beta is wrong",
            f"subject(x, beta)\nobserved = float(subject(x, {other!r}))\nexpected = {exact(x, other)!r}",
        )  # fmt: skip


@contract.law
def halves(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Summing up two parts of x first gives the same."""
    x, beta = instance.arguments.values()
    if not 2 <= len(x) <= 8:
        return
    lines = (
        "parts = torch.tensor([float(subject(x[:1], beta)), float(subject(x[1:], beta))], dtype=x.dtype)\n"
        "observed = subject(parts, beta)\nexpected = subject(x, beta)"
    )
    with subject.showing(lines):
        parts = terms.tensor([float(subject(part, beta)) for part in (x[:1], x[1:])])
        observed = subject(parts, beta)
    yield Comparison(
        observed, exact(x, beta), 2 * _rounding(x, beta, terms), "two parts, summed up first, give another", lines
    )


def exact(x: torch.Tensor, beta: float) -> float:
    """The value at these very floats, to float64's precision."""
    return exact_log_sum_exp(x.double().cpu().tolist(), beta)


def _rounding(x: torch.Tensor, beta: float, terms: Terms) -> float:
    return float(log_sum_exp_rounding(x, beta, terms))


def _decades(terms: Terms) -> int:
    return 300 if terms.dtype == torch.float64 else 30


def _arguments(x: torch.Tensor, beta: float, terms: Terms) -> Arguments:
    return {"x": terms.tensor(x), "beta": beta}


def _instance(x: Iterable[float], beta: float, terms: Terms) -> Instance:
    values = terms.tensor([float(entry) for entry in x])
    return Instance({"x": values, "beta": float(beta)}, len(values), f"n = {len(values)}")
