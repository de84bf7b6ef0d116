r"""Finite distributions as inputs, and the Kullback-Leibler divergence at exactly the floats that are handed over.

What rounding may explain. Let u be the unit roundoff, $L_i = |\log p_i| + |\log q_i|$ and $A = \sum_i p_i L_i$ over
$p_i > 0$. However a term is formed -- p log(p/q), p (log p - log q), or two sums of p log p and p log q -- its error is
at most $8u\,p_i(1 + L_i)$, two units in the last place for a logarithm; p taken as exp(log p) adds
$u\,p_i |\log p_i| L_i$; a sum of n terms in any order adds $n u A$; and dividing p and q by their sums, which a right
implementation may do, changes the value by $2n u (1 + A)$ and by what the sums of the floats themselves differ from 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import flint
import torch

from mdnn_verify.contract import Comparison, Instance, Terms
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.divergences import kl_in_balls

__all__ = [
    "after_another",
    "along",
    "distributions",
    "exact",
    "listed",
    "nudged",
    "ramp",
    "rounding",
    "share",
    "subnormal_pair",
    "text",
    "tiniest",
    "weighted",
]

BITS = 200
SMALLEST = 1e-60


def exact(p: torch.Tensor, q: torch.Tensor) -> float:
    """D(p || q) at these very floats, to float64's precision; inf where p > 0 = q."""
    with flint.ctx.workprec(BITS):
        return float(kl_in_balls(listed(p), listed(q)))


def rounding(p: torch.Tensor, q: torch.Tensor, terms: Terms) -> float:
    """What rounding may explain; see the module's docstring."""
    left, right = (value.double().cpu().reshape(-1) for value in (p, q))
    both = (left > 0) & (right > 0)
    mass, logs = left[both], left[both].log().abs()
    size = logs + right[both].log().abs()
    total, again = float((mass * size).sum()), float((mass * logs * size).sum())
    off = sum(abs(math.fsum(value.tolist()) - 1) for value in (left, right))
    return ((2 * len(left) + 20) * terms.unit + off) * (1 + total) + terms.unit * again


def listed(value: torch.Tensor) -> list[float]:
    """The entries in order."""
    return [float(entry) for entry in value.double().cpu().reshape(-1)]


def distributions(n: int, parts: int) -> Iterator[tuple[Fraction, ...]]:
    """All distributions on n points whose probabilities are multiples of 1/parts, in lowest terms at that."""

    def compositions(points: int, rest: int) -> Iterator[tuple[int, ...]]:
        if points == 1:
            yield (rest,)
            return
        for first in range(rest, -1, -1):
            for others in compositions(points - 1, rest - first):
                yield (first, *others)

    for counts in compositions(n, parts):
        if math.gcd(*counts) == 1:
            yield tuple(Fraction(count, parts) for count in counts)


def ramp(n: int, step: int = 1, zeros: int = 0) -> list[Fraction]:
    """Probabilities proportional to 1 + (step i mod 7); every ``zeros``-th is 0."""
    weights = [0 if zeros and i % zeros == zeros - 1 else 1 + step * i % 7 for i in range(n)]
    return [Fraction(weight, sum(weights)) for weight in weights]


def weighted(weights: torch.Tensor, terms: Terms) -> torch.Tensor:
    """The distribution proportional to non-negative weights, of any shape."""
    return terms.tensor(weights.double() / weights.double().sum())


def share(rng: Stream, shape: Any, chance: float) -> torch.Tensor:
    """Which entries are empty, each with this chance, at least one and never all of them (two entries or more)."""
    empty = rng.uniform(shape) < chance
    flat = empty.reshape(-1)
    one, other = (int(index) for index in rng.numpy.permutation(len(flat))[:2])
    flat[one], flat[other] = True, False
    return empty


def tiniest(terms: Terms) -> float:
    """Decades below 1 in which probabilities are tried: their ratios, and those of 1 to them, can be represented."""
    return 300.0 if terms.dtype == torch.float64 else 30.0


def subnormal_pair(rng: Stream, shape: Any, terms: Terms, *, infinite: bool) -> dict[str, torch.Tensor]:
    """Two distributions where some p are subnormal numbers; ``infinite``: where q = 0, else for small q, too, or p = 0.

    The quotients p/q and q/p are representable; a q that is subnormal itself counts for nothing.
    """
    few = share(rng, shape, 0.4)
    p = weighted(torch.where(few, 0.0, rng.exponential(shape)), terms)
    q = torch.where(few, 10.0 ** -rng.uniform(shape, 6, tiniest(terms)), rng.exponential(shape))
    least = -math.log10(torch.finfo(terms.dtype).tiny)
    little = terms.tensor(10.0 ** -rng.uniform(shape, least + 0.5, least + 4))
    if infinite:
        return {"p": torch.where(few, little, p), "q": weighted(torch.where(few, 0.0, q), terms)}
    both, none = few & (rng.uniform(shape) < 0.3), rng.uniform(shape) < 0.3
    q = torch.where(both, terms.tensor(10.0 ** -rng.uniform(shape, least + 0.5, least + 4)), weighted(q, terms))
    return {"p": torch.where(few & ~none, little, p), "q": q}


def along(arguments: Mapping[str, Any], rng: Stream) -> dict[str, torch.Tensor]:
    """Directions p_i (v_i - sum p v) in which p and q stay distributions.

    None where a probability is 0, or so small that the derivative of a quotient of two cannot be represented.
    """
    found = {}
    if all(float(arguments[name].min()) > SMALLEST for name in ("p", "q")):
        for name in ("p", "q"):
            value = arguments[name]
            noise = rng.normal(tuple(value.shape)).clamp(-3, 3).to(value)
            found[name] = value * (noise - (value * noise).sum())
    return found


def nudge(terms: Terms) -> float:
    """A change far above rounding and far below what a rounded key tells apart: 2^-32 in float64."""
    return float(2.0 ** round(0.6 * math.log2(terms.unit)))


def nudged(p: torch.Tensor, terms: Terms) -> torch.Tensor:
    """p, of at least two positive entries, with a little of the largest moved to the last other one."""
    flat = p.clone().reshape(-1)
    largest = int(flat.argmax())
    other = max(i for i in torch.nonzero(flat > 0).reshape(-1).tolist() if i != largest)
    moved = flat[largest] * nudge(terms)
    flat[largest] -= moved
    flat[other] += moved
    return flat.reshape(p.shape)


def after_another(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The divergence where p is changed a little, right after that of p; at inputs without zeros.

    Nor subnormal numbers, which may stand where q is subnormal, too: there p must not count.
    """
    p, q = instance.arguments["p"], instance.arguments["q"]
    if p.numel() == 1 or float(p.min()) < torch.finfo(p.dtype).tiny:
        return
    near = nudged(p, terms)
    value = exact(near, q)
    lines = f"subject(p, q)\nnear = torch.tensor({near.tolist()}, dtype={near.dtype})\n"
    with subject.showing(f"{lines}observed = subject(near, q), near\nexpected = 'a number', near.clone()"):
        observed = subject(near, q)
    yield Comparison(
        observed, value, rounding(near, q, terms), "the divergence is wrong where an input changed a little",
        f"{lines}observed = float(subject(near, q))\nexpected = {text(value)}",
    )  # fmt: skip


def text(value: float) -> str:
    """A number as Python reads it."""
    return repr(value) if math.isfinite(value) else f'float("{value}")'
