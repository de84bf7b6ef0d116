r"""D_f(p || q) = sum q_i f(p_i / q_i) of finite distributions, for a convex f with f(1) = 0 that is handed over too.

The value is compared with the sum in balls of 200 bits at exactly the floats that are handed over. Never below 0, 0 for
p = q, and not larger after two points have been merged (convexity once more) are tried by themselves too.

What rounding may explain. With $t_i = p_i/q_i$ formed as a quotient, by logarithms, or of normalised p and q, its
relative error is at most $\epsilon_i = (2n + 10 + 3(|\log p_i| + |\log q_i|))u$ plus what the sums of p and q differ
from 1 (a logarithm is right to a unit in the last place, 2u of it, and the difference is rounded); that moves a term by
$q_i |t_i f'(t_i)| \epsilon_i$. Evaluating f adds 20 u of the summands in f, and summation n u. A multiple of
t - 1 that is added to f changes nothing but by as much again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import flint
import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.contracts.divergences import _finite
from mdnn_verify.contracts.divergences._finite import BITS, distributions, listed, nudged, ramp, share, text, weighted
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths import convex_functions as named
from mdnn_verify.maths.convex_functions import CONVEX

SIZES = (1, 2, 3, 5, 8, 17, 33, 65)
Arguments = Mapping[str, Any]
Function = Callable[..., torch.Tensor]


contract = Contract(
    call="div(f, p (n,), q (n,)) -> scalar",
    returns=lambda arguments: (),
    scope=f"{len(CONVEX)} functions f, smooth and with kinks, n = 1 to 1024, p with zeros, p/q up to 1e100",
    tangents=_finite.along,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Fractions of small denominators, n = 1 to 3, for every f; then every size, for one f after the other.

    There a strictly convex one, too: some of the others are 0 whatever n.
    """
    for f in CONVEX:
        yield _instance(f, [1], [1], terms)
    for n, parts, most in ((2, 4, 12), (3, 4, 8)):
        every = [d for count in range(1, parts + 1) for d in distributions(n, count)]
        positive = [d for d in every if min(d) > 0]
        pairs = sorted(itertools.product(every, positive), key=lambda pair: sorted(_below(pair), reverse=True))
        for p, q in itertools.islice([([1 / n] * n, ramp(n)), *pairs], most):
            for f in CONVEX:
                yield _instance(f, p, q, terms)
        if n == 2:
            tiny = 1e-12 if terms.dtype == torch.float64 else 1e-6
            little = [tiny, 1 - tiny]
            for f, (p, q) in itertools.product(CONVEX, ((little, [1 / 2, 1 / 2]), ([1 / 2, 1 / 2], little))):
                yield _instance(f, p, q, terms)
    larger = (*range(136, 264, 8), 257, 500, 512, 513, 1000, 1024)
    for n, f in zip((*range(4, 131), *larger), itertools.cycle(CONVEX), strict=False):
        yield _instance(f, ramp(n, 1, zeros=n % 2 and 3), ramp(n, 3), terms)
        strict = named.pearson if n % 3 == 0 else named.kullback_leibler
        yield _instance(strict, ramp(n, 2), ramp(n), terms)


@contract.instances(sizes=(*SIZES, 100), times=4)
def dense(rng: Stream, size: int, terms: Terms) -> Arguments:
    """No zeros."""
    return _arguments(rng, rng.exponential(size), rng.exponential(size), terms)


@contract.instances(sizes=SIZES[1:], times=3)
def zeros_in_p(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Some p = 0 < q, where the value depends on f(0)."""
    p = torch.where(share(rng, size, 0.4), 0.0, rng.exponential(size))
    return _arguments(rng, p, rng.exponential(size), terms)


@contract.instances(sizes=SIZES[1:], times=2)
def nearly_equal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """q = p up to a little."""
    p = rng.exponential(size)
    return _arguments(rng, p, p * (1 + 10.0 ** -float(rng.uniform(1, 1, 6)) * rng.uniform(size)), terms)


@contract.instances(sizes=SIZES[1:], times=2)
def ties(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Repeated probabilities, and points where p = q."""
    p = rng.exponential(size)[rng.integers(0, (size + 1) // 2, size)]
    return _arguments(rng, p, p[rng.numpy.permutation(size)], terms)


@contract.instances(sizes=SIZES[1:], times=3)
def large_and_small(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Ratios p/q over many decades, up and down."""
    deep = (100.0 if terms.dtype == torch.float64 else 12.0) * float(rng.uniform(1)) ** 2
    return _arguments(rng, *(10.0 ** -(rng.uniform(size) * decades) for decades in (deep, deep)), terms)


@contract.law
def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The value is the sum of q f(p/q)."""
    f, p, q = instance.arguments.values()
    expected = exact(f, p, q)
    shown = f"observed = float(subject(f, p, q))\nexpected = {text(expected)}"
    yield Comparison(subject(f, p, q), expected, rounding(f, p, q, terms), "the divergence is wrong", shown)


@contract.law
def nearby(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """An input that changed a little, and another f at the same p and q, get their own value."""
    f, p, q = instance.arguments.values()
    if len(p) == 1 or f not in (named.kullback_leibler, named.pearson):
        return
    other = named.pearson if f is named.kullback_leibler else named.kullback_leibler
    value = exact(other, p, q)
    subject(_of_one_name(f), p, q)
    yield Comparison(
        subject(_of_one_name(other), p, q), value, rounding(other, p, q, terms), "the divergence of another f is wrong",
        f"from {other.__module__} import {other.__name__}\nsubject(lambda t: f(t), p, q)\n"
        f"observed = float(subject(lambda t: {other.__name__}(t), p, q))\nexpected = {text(value)}",
    )  # fmt: skip
    if bool((p > 0).all()):
        near = nudged(p, terms)
        value = exact(f, near, q)
        lines = f"subject(f, p, q)\nnear = torch.tensor({near.tolist()}, dtype={near.dtype})\n"
        with subject.showing(f"{lines}observed = subject(f, near, q), near\nexpected = 'a number', near.clone()"):
            observed = subject(f, near, q)
        yield Comparison(
            observed, value, rounding(f, near, q, terms), "the divergence is wrong where an input changed a little",
            f"{lines}observed = float(subject(f, near, q))\nexpected = {text(value)}",
        )  # fmt: skip


@contract.law
def zero_for_equal_distributions(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The divergence of a distribution from itself is 0."""
    f, _, q = instance.arguments.values()
    with subject.showing("same = q.clone()\nobserved = subject(f, same, q), same\nexpected = 'a number', q.clone()"):
        observed = subject(f, q.clone(), q)
    yield Comparison(
        observed, 0.0, rounding(f, q, q, terms), "the divergence of a distribution from itself is not 0",
        "observed = float(subject(f, q.clone(), q))\nexpected = 0.0",
    )  # fmt: skip


@contract.law
def merging(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Merging two points does not make it larger: two that merge into one show that it is not below 0."""
    f, p, q = instance.arguments.values()
    if not 2 <= len(p) <= 8:
        return
    p2, q2 = (torch.cat([value[:-2], value[-2:].sum(0, keepdim=True)]) for value in (p, q))
    whole, bound = exact(f, p, q), rounding(f, p, q, terms) + rounding(f, p2, q2, terms)
    lines = (
        "p2, q2 = (torch.cat([v[:-2], v[-2:].sum(0, keepdim=True)]) for v in (p, q))\n"
        f"observed = subject(f, p2, q2)\nexpected = 'at most {whole!r}'"
    )
    with subject.showing(lines):
        merged = float(subject(f, p2, q2))
    yield Comparison(max(merged, whole), whole, bound, "merging two points makes the divergence larger", lines)


def exact(f: Function, p: torch.Tensor, q: torch.Tensor) -> float:
    """The divergence at these very floats, to float64's precision."""
    convex = CONVEX[f]
    with flint.ctx.workprec(BITS):
        pairs = [(a, flint.arb(b)) for a, b in zip(listed(p), listed(q), strict=True) if a != b]
        return float(sum((b * convex.exactly(flint.arb(a) / b) for a, b in pairs), flint.arb(0)))


def rounding(f: Function, p: torch.Tensor, q: torch.Tensor, terms: Terms) -> float:
    """What rounding may explain, of the terms that are finite; see the module's docstring."""
    convex, n = CONVEX[f], len(p)
    left, right = (value.double().cpu() for value in (p, q))
    off = sum(abs(math.fsum(value.tolist()) - 1) for value in (left, right))
    t, logs = left / right, left.clamp_min(1e-300).log().abs() + right.log().abs()
    turned = right * convex.turn(t) * ((2 * n + 10 + 3 * logs) * terms.unit + off)
    added = right * convex.parts(t) * ((2 * n + 20) * terms.unit + off)
    shifted = (2 * n + 10) * terms.unit + off
    return float(torch.where(torch.isfinite(turned + added), turned + added, 0.0).sum()) + shifted


def _of_one_name(f: Function) -> Function:
    return lambda t: f(t)


def _arguments(rng: Stream, p: torch.Tensor, q: torch.Tensor, terms: Terms) -> Arguments:
    f = list(CONVEX)[int(rng.integers(0, len(CONVEX), 1))]
    return {"f": f, "p": weighted(p, terms), "q": weighted(q, terms)}


def _instance(f: Function, p: Iterable[Any], q: Iterable[Any], terms: Terms) -> Instance:
    values = {name: terms.tensor([float(entry) for entry in entries]) for name, entries in (("p", p), ("q", q))}
    return Instance({"f": f, **values}, len(values["p"]), f"{f.__name__}, n = {len(values['p'])}, fractions")


def _below(pair: tuple[Iterable[Any], Iterable[Any]]) -> Iterator[int]:
    return (entry.denominator for entries in pair for entry in entries)
