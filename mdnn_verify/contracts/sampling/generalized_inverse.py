r"""Quantiles $G(u) = \inf\{x : u < F(x)\}$ of a step function F, whose jumps at the atoms are the probabilities.

F is summed exactly, from the very floats that are handed over. An implementation sums in floats, in any order, and may
divide by the sum: its F is off by $(n + 4)u + |\sum p - 1|$ at most (u: unit roundoff). Within twice that of a jump's
height both neighbours are accepted, which includes $\inf\{x : u \le F(x)\}$ at the height itself. An atom of
probability 0 is never a quantile, except beyond the last jump where that rounding is all there is between u and 1. At
u = 0, where the second form has no infimum, whatever is not above the first atom is accepted.

The theorem is tried too: of 1000 equally spaced u, as of a uniform variable, a share of F(t) has quantiles up to t.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.engines.montecarlo import Stream

SIZES = (1, 2, 3, 5, 8, 17, 33, 64, 65, 100, 257)
EVERY = (*range(4, 41), 48, 63, 64, 65, 100, 127, 128, 129, 200, 256, 257)
GRID = 1000
Array = npt.NDArray[np.float64]
Arguments = Mapping[str, torch.Tensor]


def directions(arguments: Arguments, rng: Stream) -> Arguments:
    """A shift and a stretch of the atoms; small changes of those u that are not close to a jump. None if a u is all but
    1: what an implementation falls back on beyond its last sum may carry no graph where the rest of the result does.
    """
    atoms, probs, u = arguments.values()
    if bool((u > 1 - 1e-9).any()):
        return {}
    shift, stretch = rng.normal(2).to(atoms)
    level, heights = u.double().cpu(), torch.cat([torch.zeros(1), probs.double().cpu().cumsum(0), torch.ones(1)])
    gap = (level[:, None] - heights).abs().amin(1)
    moved = torch.where(gap > 1e-6, 32 * gap, 0.0) * rng.normal(len(u)).clamp(-1, 1)
    return {"atoms": shift + stretch * atoms / atoms.abs().max().clamp_min(1e-3), "u": moved.to(u)}


contract = Contract(
    call="quantile(atoms (n,), probs (n,), u (N,)) -> x (N,)",
    returns=lambda arguments: tuple(arguments["u"].shape),
    scope="n = 1 to 257 sorted atoms, repeated ones and probabilities 0 included; N = 1 to 1000, any u in [0, 1)",
    tangents=directions,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """One u, up to four atoms 0, 1, 2, 3 with fractions of small denominators; then every n and N."""
    for n, denominators in ((1, (1,)), (2, (1, 2, 3, 4)), (3, (1, 2, 3, 4)), (4, (2, 4))):
        for parts in denominators:
            for weights in _compositions(n, parts):
                probs = [weight / parts for weight in weights]
                for level in (1, 5, 3, 7, 4) if n < 4 else (3, 13):
                    yield _instance(range(n), probs, [level / (8 if n < 4 else 16)], terms)
    last = 1 - terms.unit
    for probs in ([0.7, 0.2, 0.1], [0.1] * 10, [1 / 6] * 6, [1 / 7] * 7, [0.6, 0.3, 0.1], [1 / 49] * 49):
        yield _instance(range(len(probs)), probs, [last], terms)
        yield _instance(range(len(probs)), probs, [0.0], terms)
    near = 2.0 ** round(0.6 * math.log2(terms.unit))  # atoms that are close are not the same
    for atoms in ([0, 0, 1], [0, 1, 1], [-3, -1, 2], [-2, -2, -2], [0.1, 0.3, 0.7], [-1e6, 0, 1e6], [1, 1 + near, 2]):
        yield _instance(atoms, [0.25, 0.25, 0.5], [0.875, 0.375, 0.125], terms)
        yield _instance(atoms, [0.5, 0, 0.5], [0.625, 0.375], terms)
    for n in EVERY:
        probs = _ramp(n, n % 3)
        yield _instance(range(n), probs, _levels(probs, terms), terms)
        yield _instance(range(3), [0.2, 0.5, 0.3], [(7 * i % n + 0.5) / n for i in range(n)], terms)


@contract.instances(sizes=SIZES, times=3)
def dense(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Positive probabilities, real atoms, u in each of the jumps."""
    return _built(rng, rng.exponential(size), terms)


@contract.instances(sizes=SIZES[1:], times=3)
def zeros(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Atoms of probability 0, in runs, at the ends too."""
    weights = rng.exponential(size)
    weights[rng.uniform(size) < float(rng.uniform(1))] = 0
    weights[int(rng.integers(0, size, 1))] = 1
    return _built(rng, weights, terms)


@contract.instances(sizes=SIZES[1:], times=2)
def repeated(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Atoms that occur several times, some of them with probability 0."""
    found = dict(zeros(rng, size, terms))
    values = found["atoms"][rng.integers(0, (size + 1) // 2, size)]
    return {**found, "atoms": values.sort().values}


@contract.instances(sizes=SIZES, times=2)
def decades(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Probabilities over many decades."""
    return _built(rng, 10.0 ** -(rng.uniform(size) * (12 if terms.dtype == torch.float64 else 5)), terms)


@contract.instances(sizes=(1, 2, 3, 4, 8, 16), times=3)
def exact_heights(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Multiples of 1/64, u at the heights of the jumps and between them."""
    cuts = np.sort(np.concatenate([[0, 64], rng.integers(0, 65, size - 1).numpy()]))
    probs = terms.tensor(np.diff(cuts) / 64)
    u = torch.cat([terms.tensor(cuts[1:-1] / 64), terms.tensor((rng.integers(0, 64, 5) + 0.5) / 64)])
    return {"atoms": _atoms(rng, size, terms), "probs": probs, "u": _inside(u, terms)}


@contract.instances(sizes=(1, 2, 3, 10, 49, 100), times=3)
def ends(rng: Stream, size: int, terms: Terms) -> Arguments:
    """u = 0, and u as close to 1 as a float can be, no probability being 0."""
    probs = terms.tensor(torch.full((size,), 1 / size) if float(rng.uniform(1)) < 0.5 else _shares(rng, size))
    u = [terms.tensor([1 - terms.unit]), terms.tensor([0.5]), terms.tensor([0.0])]
    return {"atoms": _atoms(rng, size, terms), "probs": probs, "u": torch.cat(u[: 1 + int(rng.integers(0, 3, 1))])}


@contract.instances(sizes=(1, 2, 7, 66), times=1)
def many(rng: Stream, size: int, terms: Terms) -> Arguments:
    """A sample of 1000."""
    return {**_built(rng, rng.exponential(size), terms), "u": _inside(rng.uniform(1000), terms)}


@contract.law
def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """It is the quantile, at a jump's height a neighbour of it."""
    atoms, probs, u = (_array(value) for value in instance.arguments.values())
    found = subject(*instance.arguments.values())
    nearest = _nearest(atoms, probs, u, _array(found), terms)
    yield Comparison(
        found, nearest, _rounding(atoms, terms), "the quantile is wrong",
        f"observed = subject(atoms, probs, u).tolist()\nexpected = {nearest.tolist()}",
    )  # fmt: skip


@contract.law
def distribution(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Of equally spaced u the share whose quantiles are up to t is that of the u below F(t)."""
    atoms, probs, _ = instance.arguments.values()
    if len(atoms) > 20:
        return
    grid = terms.tensor((torch.arange(GRID) + 0.5) / GRID)
    line = f"u = (torch.arange({GRID}, dtype=probs.dtype) + 0.5) / {GRID}\nx = subject(atoms, probs, u)"
    with subject.showing(f"{line}\nobserved, expected = x, 'quantiles'"):
        found = _array(subject(atoms, probs, grid))
    points, levels, shares = _array(atoms), _array(grid), _array(probs)
    margin = _rounding(points, terms), 2 * _error(shares, terms)
    share = (found[:, None] <= points + margin[0]).mean(axis=0)
    heights = np.array([float(h) for h in _heights(shares)])[np.searchsorted(points, points, side="right") - 1]
    least, most = ((levels[:, None] < heights + sign * margin[1]).mean(axis=0) for sign in (-1, 1))
    wanted = np.clip(share, least, most)
    yield Comparison(
        share, wanted, 4 * terms.unit, "the quantiles are not distributed as F",
        f"{line}\nobserved = [(x <= t).double().mean().item() for t in atoms]\nexpected = {wanted.tolist()}",
    )  # fmt: skip


def _rounding(atoms: Array, terms: Terms) -> float:
    """What a sum of increments of the atoms, or of their products with 0 and 1, may be off by."""
    return float((len(atoms) + 4) * terms.unit * np.abs(atoms).max())


def _heights(probs: Array) -> list[Fraction]:
    return list(itertools.accumulate(Fraction(p) for p in probs.tolist()))


def _error(probs: Array, terms: Terms) -> float:
    """What a summed F may be off by."""
    return (len(probs) + 4) * terms.unit + abs(float(_heights(probs)[-1] - 1))


def _nearest(atoms: Array, probs: Array, u: Array, found: Array, terms: Terms) -> Array:
    """For each u the accepted atom that is nearest to what was found; the quantile itself where two are as near."""
    margin = Fraction(2 * _error(probs, terms))
    heights, used = _heights(probs), np.flatnonzero(probs)
    highs = np.array([float(min(heights[i] + margin, Fraction(2))) for i in used])
    lows = np.array([float(heights[i] - Fraction(probs[i]) - margin) for i in used])
    result = np.empty(len(u))
    for index, (level, x) in enumerate(zip(u.tolist(), found.tolist(), strict=True)):
        accepted = list(used[(lows <= level) & (level <= highs)])
        true = next((i for i in accepted if heights[i] > Fraction(level)), used[-1])
        if level >= 1 - float(margin):
            accepted += list(range(used[-1] + 1, len(atoms)))
        best = min([true, *accepted], key=lambda i: abs(atoms[i] - x))
        result[index] = x if level == 0 and x <= atoms[used[0]] else atoms[best]
    return result


def _built(rng: Stream, weights: torch.Tensor, terms: Terms) -> dict[str, torch.Tensor]:
    probs = terms.tensor(weights.double() / weights.double().sum())
    return {
        "atoms": _atoms(rng, len(probs), terms),
        "probs": probs,
        "u": _inside(_levels(probs.tolist(), terms), terms),
    }


def _levels(probs: Iterable[float], terms: Terms) -> torch.Tensor:
    """In each jump a point in the middle and points close to its ends, in no order; at most 64 of them, fewer for many
    atoms, so that an implementation may go through all atoms for each.
    """
    shares = np.array(list(probs), dtype=float)
    error = _error(shares, terms)
    points = []
    for high, p in zip(np.cumsum(shares).tolist(), shares.tolist(), strict=True):
        points += [high - p / 2] if p > 8 * error else []
        for away in (16 * error, 1e-9, 1e-5):
            points += [high - p + away, high - away] if 2 * away < p and away > 8 * error else []
    kept = [point for point in points if 8 * error < point < 1 - 8 * error] or [0.5]
    order = np.argsort([(37 * i) % 101 + i / 1e4 for i in range(len(kept))])
    return torch.tensor(np.array(kept)[order][: min(64, max(16, 2048 // len(shares)))])


def _inside(u: Any, terms: Terms) -> torch.Tensor:
    """Not rounded up to 1."""
    return terms.tensor(u).clamp(max=1 - terms.unit)


def _atoms(rng: Stream, n: int, terms: Terms) -> torch.Tensor:
    """Sorted real atoms around 0, well apart."""
    steps = 0.05 + rng.exponential(n)
    return terms.tensor((steps.cumsum(0) - n * float(rng.uniform(1))) * 10.0 ** float(rng.uniform(1, -3, 3)))


def _shares(rng: Stream, n: int) -> torch.Tensor:
    weights = 0.1 + rng.exponential(n)
    return weights / weights.sum()


def _ramp(n: int, zeros: int) -> list[float]:
    weights = [0 if zeros and i % (3 + zeros) == zeros else 1 + 3 * i % 7 for i in range(n)]
    return [weight / sum(weights) for weight in weights]


def _compositions(n: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Non-negative integers with that sum and no common factor."""
    for weights in itertools.product(range(parts + 1), repeat=n):
        if sum(weights) == parts and np.gcd.reduce(weights) == 1:
            yield weights


def _array(value: torch.Tensor) -> Array:
    return np.asarray(value.detach().double().cpu().numpy())


def _instance(atoms: Any, probs: Any, u: Any, terms: Terms) -> Instance:
    values = {"atoms": terms.tensor(list(atoms)), "probs": terms.tensor(probs), "u": _inside(u, terms)}
    n, count = len(values["atoms"]), len(values["u"])
    return Instance(values, n, f"n = {n}, N = {count}, fractions")
