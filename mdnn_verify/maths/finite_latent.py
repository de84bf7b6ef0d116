"""Importance-weighted bounds of models with finitely many latent states, enclosed: exact until the logarithm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from math import factorial, prod
from typing import Any

import flint

from mdnn_verify.maths.validation import positive_integer

__all__ = ["Objective", "ball", "importance_bound", "log_evidence", "log_of_mean", "mean_of_logs", "posterior"]

Objective = Callable[[Sequence[Fraction]], flint.arb]


def ball(number: Any) -> flint.arb:
    """An exact rational (int, Fraction or SymPy Rational) as a ball."""
    if isinstance(number, (int, Fraction)):
        return flint.arb(flint.fmpq(number.numerator, number.denominator))
    return flint.arb(flint.fmpq(int(number.p), int(number.q)))


def log_evidence(joint: Sequence[Fraction]) -> flint.arb:
    """log p(x) = log sum_z p(x, z)."""
    return _log(sum(joint, Fraction(0)))


def posterior(joint: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """p(z | x) = p(x, z) / p(x), exactly."""
    evidence = sum(joint, Fraction(0))
    return tuple(p / evidence for p in joint)


def log_of_mean(weights: Sequence[Fraction]) -> flint.arb:
    """log((1/K) sum_k w_k)."""
    return _log(sum(weights, Fraction(0)) / len(weights))


def mean_of_logs(weights: Sequence[Fraction]) -> flint.arb:
    """(1/K) sum_k log w_k."""
    return sum((_log(w) for w in weights), flint.arb(0)) / len(weights)


def importance_bound(
    joint: Sequence[Fraction], q: Sequence[Fraction], count: int, objective: Objective = log_of_mean
) -> flint.arb:
    """E objective(w_1, ..., w_K) for K = ``count`` independent z_k ~ q and w_k = p(x, z_k) / q(z_k): VLB_K.

    Summed over the multisets of states with q > 0, with their multinomial probabilities. ``joint`` and ``q`` list one
    number a state. Raises ValueError if they differ in length, or if q is not a probability vector.
    """
    if len(joint) != len(q):
        raise ValueError(f"q has {len(q)} entries, expected one for each of the {len(joint)} states")
    if sum(q, Fraction(0)) != 1 or min(q) < 0:
        raise ValueError(f"q = {tuple(map(str, q))}, expected probabilities that sum to 1")
    states = [z for z, probability in enumerate(q) if probability > 0]
    total = flint.arb(0)
    for chosen in combinations_with_replacement(states, positive_integer("count", count)):
        orders = Fraction(factorial(count), prod(factorial(chosen.count(z)) for z in set(chosen)))
        probability = orders * prod((q[z] for z in chosen), start=Fraction(1))
        total += ball(probability) * objective([joint[z] / q[z] for z in chosen])
    return total


def _log(number: Fraction) -> flint.arb:
    return ball(number).log()
