r"""D(p || q) = sum p_i log(p_i / q_i) of finite distributions, in nats: 0 log 0 = 0, and +inf where p > 0 = q.

The value is compared with the sum in balls of 200 bits at exactly the floats that are handed over; never below 0 and 0
only for p = q follow, and are tried by themselves too. Rounding: ``_finite``.
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

SIZES = (2, 3, 5, 8, 17, 33, 64, 65, 100, 257)
Arguments = Mapping[str, torch.Tensor]


contract = Contract(
    call="kl(p (n,), q (n,)) -> scalar",
    returns=lambda arguments: (),
    scope="n = 1 to 1024, probabilities from 1e-300 to 1 and 0, equal and nearly equal distributions",
    tangents=_finite.along,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Fractions of small denominators, n = 1 to 4, for each n first without zeros; then every size."""
    yield _instance([1], [1], terms)
    for n, parts, most in ((2, 5, 200), (3, 3, 80), (4, 2, 40)):
        yield _instance([1 / n] * n, ramp(n), terms)
        every = [d for count in range(1, parts + 1) for d in distributions(n, count)]
        for p, q in itertools.islice(sorted(itertools.product(every, every), key=_weight), most):
            yield _instance(p, q, terms)
        if n == 2:
            yield from _uneven(terms)
    for n in (*range(5, 131), *range(136, 264, 8), 500, 512, 1000, 1024):
        yield _instance([1 / n] * n, ramp(n), terms)
        if n <= 40:
            rising = [Fraction(2 * i + 2, n * (n + 1)) for i in range(n)]
            others = (
                (ramp(n, 3, zeros=2), ramp(n)), (ramp(n), ramp(n, 4, zeros=n)), (ramp(n, 2), ramp(n, 3)),
                (rising, ramp(n)), (rising[::-1], rising),
            )  # fmt: skip
            yield _instance(*others[n % 5], terms)


@contract.instances(sizes=SIZES, times=2)
def dense(rng: Stream, size: int, terms: Terms) -> Arguments:
    """No zeros."""
    return _pair(rng.exponential(size), rng.exponential(size), terms)


@contract.instances(sizes=SIZES, times=2)
def zeros_in_p(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Some p = 0 < q."""
    empty = share(rng, size, 0.4)
    return _pair(torch.where(empty, 0.0, rng.exponential(size)), rng.exponential(size), terms)


@contract.instances(sizes=SIZES, times=2)
def zeros_in_both(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Some p = q = 0."""
    empty = share(rng, size, 0.4)
    return _pair(*(torch.where(empty, 0.0, rng.exponential(size)) for _ in range(2)), terms)


@contract.instances(sizes=SIZES, times=2)
def impossible(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Some p > 0 = q, however small: the divergence is infinite."""
    p = rng.exponential(size) * 10.0 ** -(rng.uniform(size) * float(rng.uniform(1)) * tiniest(terms))
    return _pair(p, torch.where(share(rng, size, 0.3), 0.0, rng.exponential(size)), terms)


@contract.instances(sizes=SIZES, times=2)
def nearly_equal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """q = p up to a little."""
    p = rng.exponential(size)
    return _pair(p, p * (1 + 10.0 ** -float(rng.uniform(1, 2, 6)) * rng.uniform(size)), terms)


@contract.instances(sizes=SIZES, times=2)
def ties(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Repeated probabilities, and terms that are 0 because p = q there."""
    p = rng.exponential(size)[rng.integers(0, (size + 1) // 2, size)]
    return _pair(p, p[rng.numpy.permutation(size)], terms)


@contract.instances(sizes=SIZES, times=3)
def large_and_small(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Probabilities over many decades, q down to 1e-300 and p where it still counts."""
    deep = tiniest(terms) * float(rng.uniform(1)) ** 2
    p, q = (10.0 ** -(rng.uniform(size) * decades) for decades in (16 * float(rng.uniform(1)), deep))
    return _pair(p, q, terms)


@contract.instances(sizes=SIZES, times=1)
def tiny(rng: Stream, size: int, terms: Terms) -> Arguments:
    """All but one of the probabilities are tiny, in both."""
    powers = [rng.uniform(size) * tiniest(terms) for _ in range(2)]
    for power in powers:
        power[int(rng.integers(0, size, 1))] = 0
    return _pair(*(10.0**-power for power in powers), terms)


@contract.instances(sizes=SIZES, times=2)
def subnormal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Some p are subnormal numbers; every second time where q = 0."""
    return subnormal_pair(rng, size, terms, infinite=float(rng.uniform(1)) < 0.5)


@contract.instances(sizes=SIZES, times=1)
def point_masses(rng: Stream, size: int, terms: Terms) -> Arguments:
    """All of p at one point."""
    p = torch.zeros(size)
    p[int(rng.integers(0, size, 1))] = 1
    return _pair(p, rng.exponential(size), terms)


@contract.law
def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The value is the sum of p log(p/q)."""
    p, q = instance.arguments.values()
    expected = exact(p, q)
    shown = f"observed = float(subject(p, q))\nexpected = {text(expected)}"
    yield Comparison(subject(p, q), expected, rounding(p, q, terms), "the divergence is wrong", shown)


@contract.law
def nearby(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """An input that changed a little gets its own value."""
    yield from _finite.after_another(subject, instance, terms)


@contract.law
def zero_for_equal_distributions(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The divergence of a distribution from itself is 0."""
    p = instance.arguments["p"]
    with subject.showing("same = p.clone()\nobserved = subject(p, same), same\nexpected = 'a number', p.clone()"):
        observed = subject(p, p.clone())
    yield Comparison(
        observed, 0.0, rounding(p, p, terms), "the divergence of a distribution from itself is not 0",
        "observed = float(subject(p, p.clone()))\nexpected = 0.0",
    )  # fmt: skip
    if len(p) <= 3:
        same, lines = p.clone(), "same = p.clone()\nobserved = float(subject(same, same))\nexpected = 0.0"
        with subject.showing(lines):
            observed = subject.on([same, same], [p, p])
        yield Comparison(observed, 0.0, rounding(p, p, terms), "it is wrong where both are one tensor", lines)


def _pair(p: torch.Tensor, q: torch.Tensor, terms: Terms) -> Arguments:
    return {"p": weighted(p, terms), "q": weighted(q, terms)}


def _instance(p: Iterable[Any], q: Iterable[Any], terms: Terms) -> Instance:
    values = {name: terms.tensor([float(entry) for entry in entries]) for name, entries in (("p", p), ("q", q))}
    return Instance(values, len(values["p"]), f"n = {len(values['p'])}, fractions")


def _uneven(terms: Terms) -> Iterator[Instance]:
    for power, even in itertools.product((15, 20, 100, 300), ([1 / 2, 1 / 2], [2 / 3, 1 / 3])):
        tiny = 10.0 ** -min(power, tiniest(terms))
        little = [tiny, 1 - tiny]
        yield _instance(even, little, terms)
        yield _instance(little, even, terms)
    yield _instance([1 / 2, 1 / 2], [1 / 2 + 2.0**-21, 1 / 2 - 2.0**-21], terms)  # 4.5e-13


def _weight(pair: tuple[tuple[Fraction, ...], tuple[Fraction, ...]]) -> list[int]:
    return sorted((entry.denominator for entries in pair for entry in entries), reverse=True)
