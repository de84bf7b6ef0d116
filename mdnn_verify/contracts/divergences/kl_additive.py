r"""D(p || q) of joint tables (n1, n2), in nats: right on any tables, and additive where the components are independent.

The value is compared with the sum over all cells in balls of 200 bits at exactly the floats that are handed over. On
product tables p1 x p2, q1 x q2 the implementation must give the sum of what it gives for the marginals, handed over as
tables of one column. Rounding: ``_finite``; a product of two floats is rounded once more, which moves D by
4 u (1 + A) at most.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.contracts.divergences import _finite
from mdnn_verify.contracts.divergences._finite import (
    distributions,
    exact,
    ramp,
    rounding,
    share,
    subnormal_pair,
    text,
    tiniest,
    weighted,
)
from mdnn_verify.engines.montecarlo import Stream

ROWS = (1, 2, 3, 4, 5, 8, 17, 33)
COLUMNS = (1, 2, 3, 4, 6, 7, 9, 16)
UNDERFLOW = {torch.float64: 1e-290, torch.float32: 1e-30}
SHAPES = ((1, 2), (2, 1), (1, 3), (3, 1), (2, 2), (1, 4), (4, 1), (2, 3), (3, 2))
Arguments = Mapping[str, torch.Tensor]


contract = Contract(
    call="kl(p (n1, n2), q (n1, n2)) -> scalar",
    returns=lambda arguments: (),
    scope="1 x 1 to 32 x 33 tables, dependent and independent, probabilities from 1e-300 to 1 and 0",
    tangents=_finite.along,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Fractions of small denominators on up to six cells, for each shape first without zeros; then every shape."""
    yield from sorted(_small(terms), key=lambda instance: instance.size)


def _small(terms: Terms) -> Iterator[Instance]:
    yield _instance((1, 1), [1], [1], terms)
    for shape in SHAPES:
        cells = shape[0] * shape[1]
        parts, most = (4, 40) if cells == 2 else (2, 40)
        yield _instance(shape, [1 / cells] * cells, ramp(cells, 3), terms)
        every = [d for count in range(1, parts + 1) for d in distributions(cells, count)]
        for p, q in itertools.islice(sorted(itertools.product(every, every), key=_weight), most):
            yield _instance(shape, p, q, terms)
        if cells == 2:
            for power in (15, 20, 100, 300):
                little = 10.0 ** -min(power, tiniest(terms))
                yield _instance(shape, [1 / 2, 1 / 2], [little, 1 - little], terms)
                yield _instance(shape, [little, 1 - little], [1 / 2, 1 / 2], terms)
                yield _instance(shape, [little, 1 - little], [0, 1], terms)
    rectangles = sorted(itertools.product(range(1, 9), range(1, 9)), key=lambda shape: shape[0] * shape[1])
    lines = [shape for n in (*range(9, 66, 3), 64, 100) for shape in ((n, 1), (1, n))]
    larger = [(10, 10), (12, 9), (9, 12), (16, 16), (30, 20), (32, 33)]
    for shape in sorted([*rectangles, *lines, *larger], key=lambda shape: shape[0] * shape[1]):
        cells = shape[0] * shape[1]
        if cells > 4:
            yield _instance(shape, ramp(cells, 1, zeros=cells % 3 and 4), ramp(cells, 3), terms)


@contract.instances(sizes=ROWS, times=3)
def dependent(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Any tables without zeros."""
    shape = _shape(rng, size)
    return _pair(rng.exponential(shape), rng.exponential(shape), terms)


@contract.instances(sizes=ROWS, times=2)
def independent(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Product tables."""
    rows, columns = _shape(rng, size)
    return _pair(*(rng.exponential((rows, 1)) * rng.exponential((1, columns)) for _ in range(2)), terms)


@contract.instances(sizes=ROWS, times=2)
def zeros(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Empty cells in p, every second time in q too."""
    shape = _shape(rng, size, least=2)
    empty = share(rng, shape, 0.4)
    p, q = torch.where(empty, 0.0, rng.exponential(shape)), rng.exponential(shape)
    return _pair(p, torch.where(empty, 0.0, q) if float(rng.uniform(1)) < 0.5 else q, terms)


@contract.instances(sizes=ROWS, times=2)
def empty_rows_and_columns(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Marginal probabilities of 0 in p, every second time in q too."""
    rows, columns = _shape(rng, size, least=2)
    kept = (rng.uniform((rows, 1)) < 0.6) & (rng.uniform((1, columns)) < 0.6)
    kept[int(rng.integers(0, rows, 1)), int(rng.integers(0, columns, 1))] = True
    p, q = rng.exponential((rows, columns)) * kept, rng.exponential((rows, columns))
    return _pair(p, q * kept if float(rng.uniform(1)) < 0.5 else q, terms)


@contract.instances(sizes=ROWS, times=2)
def impossible(rng: Stream, size: int, terms: Terms) -> Arguments:
    """A cell of p > 0 = q, however small: the divergence is infinite."""
    shape = _shape(rng, size, least=2)
    p = rng.exponential(shape) * 10.0 ** -(rng.uniform(shape) * float(rng.uniform(1)) * tiniest(terms))
    return _pair(p, torch.where(share(rng, shape, 0.2), 0.0, rng.exponential(shape)), terms)


@contract.instances(sizes=ROWS, times=2)
def nearly_equal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Tables that nearly agree, or have the same marginals."""
    shape = _shape(rng, size)
    p = rng.exponential(shape)
    if float(rng.uniform(1)) < 0.5:
        return _pair(p, p * (1 + 10.0 ** -float(rng.uniform(1, 2, 6)) * rng.uniform(shape)), terms)
    return _pair(p, p.sum(1, keepdim=True) * p.sum(0, keepdim=True), terms)


@contract.instances(sizes=ROWS, times=2)
def large_and_small(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Probabilities over many decades."""
    shape = _shape(rng, size)
    deep = tiniest(terms) * float(rng.uniform(1)) ** 2
    return _pair(*(10.0 ** -(rng.uniform(shape) * decades) for decades in (16.0, deep)), terms)


@contract.instances(sizes=ROWS, times=2)
def tiny(rng: Stream, size: int, terms: Terms) -> Arguments:
    """All but one of the cells are tiny, in both."""
    shape = _shape(rng, size)
    powers = [rng.uniform(shape) * tiniest(terms) for _ in range(2)]
    for power in powers:
        power[int(rng.integers(0, shape[0], 1)), int(rng.integers(0, shape[1], 1))] = 0
    return _pair(*(10.0**-power for power in powers), terms)


@contract.instances(sizes=ROWS, times=2)
def subnormal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Some cells of p are subnormal numbers; every second time where q = 0."""
    return subnormal_pair(rng, _shape(rng, size, least=2), terms, infinite=float(rng.uniform(1)) < 0.5)


@contract.law
def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The value is the sum over all cells of p log(p/q)."""
    p, q = instance.arguments.values()
    expected = exact(p, q)
    shown = f"observed = float(subject(p, q))\nexpected = {text(expected)}"
    yield Comparison(subject(p, q), expected, rounding(p, q, terms), "the divergence is wrong", shown)


@contract.law
def nearby(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """An input that changed a little gets its own value."""
    yield from _finite.after_another(subject, instance, terms)


@contract.law
def additive(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """On product tables it is the sum of the divergences of the marginals."""
    (p1, p2, p), (q1, q2, q) = (_marginals(table) for table in instance.arguments.values())
    least = min(float(table[table > 0].min()) for table in (p1, p2, q1, q2))
    if least**2 < UNDERFLOW[terms.dtype]:
        return
    bound = sum(rounding(left, right, terms) for left, right in ((p, q), (p1, q1), (p2, q2)))
    lines = (
        "(p1, p2), (q1, q2) = ((t.sum(1, keepdim=True), t.sum(0).reshape(-1, 1)) for t in (p, q))\n"
        "observed = subject(p1 * p2.T, q1 * q2.T)\nexpected = subject(p1, q1) + subject(p2, q2)"
    )
    with subject.showing(lines):
        observed, parts = subject(p, q), (subject(p1, q1), subject(p2, q2))
    yield Comparison(observed, parts[0] + parts[1], 2 * bound, "it is not additive on product tables", lines)


def _marginals(table: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Both marginals, as tables of one column, and their product table."""
    rows, columns = table.sum(1, keepdim=True), table.sum(0).reshape(-1, 1)
    return rows, columns, (rows * columns.T).contiguous()


def _shape(rng: Stream, rows: int, least: int = 1) -> tuple[int, int]:
    """A table of so many rows and any number of columns, at least ``least`` cells."""
    columns = [count for count in COLUMNS if count * rows >= least and (count < 8 or rows < 33)]
    return rows, columns[int(rng.integers(0, len(columns), 1))]


def _pair(p: torch.Tensor, q: torch.Tensor, terms: Terms) -> Arguments:
    return {"p": weighted(p, terms), "q": weighted(q, terms)}


def _instance(shape: tuple[int, int], p: Iterable[Any], q: Iterable[Any], terms: Terms) -> Instance:
    values = {
        name: terms.tensor([float(entry) for entry in entries]).reshape(shape) for name, entries in (("p", p), ("q", q))
    }
    return Instance(values, shape[0] * shape[1], f"{shape[0]} x {shape[1]}, fractions")


def _weight(pair: tuple[tuple[Fraction, ...], tuple[Fraction, ...]]) -> list[int]:
    return sorted((entry.denominator for entries in pair for entry in entries), reverse=True)
