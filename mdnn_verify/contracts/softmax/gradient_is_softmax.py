r"""softmax(x)_i = exp(x_i) / sum exp(x_j), finite for any finite x (n,).

The value is compared entry by entry with the formula in balls of 200 bits at exactly the floats that are handed over;
that the entries sum to 1, that they do not change where a number is added to x, and the derivative of log-sum-exp (by
differences of exact values) are tried by themselves too. Rounding: ``contracts/_exponentials``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import flint
import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.contracts._exponentials import exact_softmax, nudge, shared_factor, softmax_rounding
from mdnn_verify.engines.montecarlo import Stream

SIZES = (1, 2, 3, 5, 8, 17, 33, 64, 65, 257)
ORDINARY = 600.0  # a magnitude at which rounding leaves enough of x + c
Arguments = Mapping[str, torch.Tensor]


def directions(arguments: Arguments, rng: Stream) -> Arguments:
    """Any direction; none at extreme inputs, where derivatives may overflow."""
    x = arguments["x"]
    return {"x": rng.normal(len(x)).to(x)} if float(x.abs().max()) <= ORDINARY / 2 else {}


contract = Contract(
    call="softmax(x (n,)) -> (n,)",
    returns=lambda arguments: (len(arguments["x"]),),
    scope="n = 1 to 1024, |x| up to 1.7e308, ties, one entry far above the others; where log-sum-exp loses more than "
    "1e-3 to rounding (|x| beyond about 1e10 in float64), up to one factor that all entries share",
    tangents=directions,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Small integers, n = 1 to 3, and integers whose exponentials overflow or vanish; then every size."""
    yield from sorted(_small(terms), key=lambda instance: instance.size)


def _small(terms: Terms) -> Iterator[Instance]:
    numbers = (0, 1, -1, 2, -2, 20, -20, 60, -60, 100, -100, 1000, -1000)
    for x in numbers:
        yield _instance([x], terms)
    for n, chosen, most in ((2, numbers, 170), (3, (0, 1, -1, 2, 100, 1000), 90)):
        yield _instance(range(n), terms)
        every = sorted(itertools.product(chosen, repeat=n), key=lambda x: (max(map(abs, x)), sum(map(abs, x))))
        yield from (_instance(x, terms) for x in every[:most])
    for n, power in itertools.product((1, 2, 3, 4), (5, 10, 12, 13, 14, 15, 20, 100, 308)):
        large = 10.0**power if power <= _decades(terms) else float(torch.finfo(terms.dtype).max)
        for x in ([large] * n, [-large] * n, [-large, large, 0, large][:n], [large / 2, large, 0, -large][:n]):
            yield _instance(x, terms)
    for n in (*range(4, 131), *range(136, 264, 8), 500, 512, 1000, 1024):
        yield _instance([i % 5 - 2 for i in range(n)], terms)
        if n <= 40:
            yield _instance([(1000, -1000, 999)[i * n % 7 % 3] for i in range(n)], terms)
            yield _instance(range(n) if n % 2 else range(n, 0, -1), terms)
            yield _instance([(-1) ** n * 1000 + i % 5 for i in range(n)], terms)


@contract.instances(sizes=SIZES, times=3)
def moderate(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Numbers of ordinary size."""
    return {"x": terms.tensor(10.0 ** float(rng.uniform(1, -3, 1)) * rng.normal(size))}


@contract.instances(sizes=SIZES, times=3)
def ties(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Repeated entries, integers, of any magnitude."""
    values = (rng.normal(size) * 10.0 ** float(rng.uniform(1, 0, _decades(terms)) ** 2 / _decades(terms))).round()
    return {"x": terms.tensor(values[rng.integers(0, (size + 2) // 3, size)])}


@contract.instances(sizes=SIZES, times=3)
def far_from_zero(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Entries close to each other, far from 0 on either side."""
    far = 10.0 ** float(rng.uniform(1, 0, 6 if terms.dtype == torch.float64 else 2))
    return {"x": terms.tensor(2 * rng.normal(size) + far * (1 if float(rng.uniform(1)) < 0.5 else -1))}


@contract.instances(sizes=SIZES[1:], times=2)
def nearly_tied(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Entries that tolerances of 1e-3 to 1e-8 do not tell apart."""
    little = 10.0 ** -float(rng.uniform(1, 3, 8 if terms.dtype == torch.float64 else 4))
    return {"x": terms.tensor(3 * rng.normal(1) + little * rng.normal(size))}


@contract.instances(sizes=SIZES, times=3)
def wide(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Entries whose exponentials differ by many decades, still to be told from 0."""
    return {"x": terms.tensor((1400 if terms.dtype == torch.float64 else 160) * rng.uniform(size, -0.5, 0.5))}


@contract.instances(sizes=SIZES, times=3)
def extreme(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Any magnitude, over many decades."""
    top = _decades(terms)
    return {"x": terms.tensor(torch.sign(rng.normal(size)) * 10.0 ** (rng.uniform(size) * float(rng.uniform(1)) * top))}


@contract.instances(sizes=SIZES[1:], times=3)
def one_above(rng: Stream, size: int, terms: Terms) -> Arguments:
    """One entry, at any place, above the others, by a little or far."""
    x = rng.normal(size) - 10.0 ** float(rng.uniform(1, 0.5, 4))
    x[int(rng.integers(0, size, 1))] = float(rng.normal(1))
    return {"x": terms.tensor(x)}


@contract.law
def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The entries are exp(x_i) / sum exp(x_j), and sum to 1; at the largest x up to what log-sum-exp has lost."""
    x = instance.arguments["x"]
    observed, mu = subject(x), exact(x)
    bound, factor = softmax_rounding(x, mu, terms), shared_factor(observed, x, mu, terms)
    yield Comparison(
        observed, mu * factor, bound * factor, "softmax is wrong",
        f"observed = subject(x).tolist()\nexpected = {mu.tolist()!r}",
    )  # fmt: skip
    if factor != 1:
        return
    yield Comparison(
        observed.double().sum(), 1.0, bound.sum(), "the entries do not sum to 1",
        "observed = subject(x).double().sum()\nexpected = 1.0",
    )  # fmt: skip


@contract.law
def nearby(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """An input that changed a little gets its own value."""
    x = instance.arguments["x"]
    if float(x.max()) == float(x.min()) or float(x.abs().max()) > ORDINARY:
        return
    near = x.clone()
    near[-1] += nudge(terms) * (1 + float(x[-1].abs()))
    mu = exact(near)
    lines = f"subject(x)\nnear = torch.tensor({near.tolist()}, dtype={near.dtype})\n"
    with subject.showing(f"{lines}observed = subject(near), near\nexpected = 'a tensor', near.clone()"):
        observed = subject(near)
    yield Comparison(
        observed, mu, softmax_rounding(near, mu, terms), "softmax is wrong where an input changed a little",
        f"{lines}observed = subject(near).tolist()\nexpected = {mu.tolist()!r}",
    )  # fmt: skip


@contract.law
def shift(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Adding a number to all of x changes nothing."""
    x = instance.arguments["x"]
    if float(x.abs().max()) > ORDINARY:
        return
    moved, mu = x + 3, exact(x)
    bound = softmax_rounding(moved, mu, terms) + 4 * terms.unit * (float(x.abs().max()) + 3) * mu
    with subject.showing("moved = x + 3\nobserved = subject(moved), moved\nexpected = 'a tensor', x + 3"):
        observed = subject(moved)
    yield Comparison(
        observed, mu, bound, "adding 3 to all of x changes it",
        f"observed = subject(x + 3).tolist()\nexpected = {mu.tolist()!r}",
    )  # fmt: skip


@contract.law
def gradient_of_log_sum_exp(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """It is the gradient of log-sum-exp: here in one direction, by a difference of exact values over a tiny step."""
    x = instance.arguments["x"]
    if len(x) > 8 or float(x.abs().max()) > ORDINARY:
        return
    direction = [(-1.0) ** i * (1 + i / 8) for i in range(len(x))]
    step = 2.0**-60
    with flint.ctx.workprec(300):
        way = [[flint.arb(a) + sign * step * b for a, b in zip(x.tolist(), direction, strict=True)] for sign in (1, -1)]
        slope = float((_log_sum_exp(way[0]) - _log_sum_exp(way[1])) / (2 * step))
    mu, along = exact(x), torch.tensor(direction, dtype=torch.float64)
    bound = float((softmax_rounding(x, mu, terms) * along.abs()).sum()) + 2.0**-80
    yield Comparison(
        (subject(x).double().cpu() * along).sum(), slope, bound, "it is not the gradient of log-sum-exp",
        f"observed = subject(x).double() @ torch.tensor({direction}, dtype=torch.float64)\nexpected = {slope!r}",
    )  # fmt: skip


def exact(x: torch.Tensor) -> torch.Tensor:
    """The entries at these very floats, to float64's precision."""
    return torch.tensor(exact_softmax(x.double().cpu().tolist()), dtype=torch.float64)


def _log_sum_exp(x: list[flint.arb]) -> flint.arb:
    largest = max(x, key=float)
    return largest + sum(((entry - largest).exp() for entry in x), flint.arb(0)).log()


def _decades(terms: Terms) -> int:
    return 300 if terms.dtype == torch.float64 else 37


def _instance(x: Iterable[float], terms: Terms) -> Instance:
    values = terms.tensor([float(entry) for entry in x])
    return Instance({"x": values}, len(values), f"n = {len(values)}")
