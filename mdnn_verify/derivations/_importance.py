"""Worlds of a latent variable with finitely many values: a prior, the likelihood of an x, an approximate posterior.

``p_z`` and ``q`` hold masses by the value of z, ``p_x`` the numbers p(x | z) of the one x that is looked at; ``K``
draws are averaged, of which ``M`` may be selected. The logarithm of 0 is -oo: where all draws are such as cannot have
made x, the bound is -oo, as it is in the limit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sympy as sp

from mdnn_verify.audit import Finite, World

__all__ = [
    "average",
    "best_bound",
    "best_likelihood",
    "bound",
    "draws",
    "evidence",
    "expect_of_draws",
    "families",
    "log",
    "masses",
    "one_for_all",
    "overlook_nothing",
    "posterior",
    "ratio",
    "serve_all",
    "trios",
    "worlds_of_draws",
]

Masses = Mapping[Any, Any]
ONE_HALF = sp.Rational(1, 2)


def masses(*texts: str) -> dict[int, sp.Rational]:
    """Masses on 0, 1, 2, ..."""
    return {z: sp.Rational(text) for z, text in enumerate(texts)}


def log(number: Any) -> Any:
    """The natural logarithm, -oo at 0."""
    return -sp.oo if number == 0 else sp.log(number)


def evidence(p_z: Masses, p_x: Masses) -> Any:
    """The mass p(x) = sum over z of p(x | z) p(z)."""
    return sum((p_x[z] * mass for z, mass in p_z.items()), sp.Integer(0))


def posterior(p_z: Masses, p_x: Masses) -> dict[Any, Any]:
    """The true posterior p(z | x); has no value where p(x) = 0."""
    total = evidence(p_z, p_x)
    if total == 0:
        raise ZeroDivisionError
    return {z: p_x[z] * mass / total for z, mass in p_z.items()}


def ratio(p_z: Masses, p_x: Masses, q: Masses) -> Callable[[Any], Any]:
    """The importance weight of z: p(x | z) p(z) / q(z)."""
    return lambda z: p_x[z] * p_z[z] / q[z]


def draws(q: Masses, K: int) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The K-tuples of independent draws from q that have positive mass, each with its mass."""
    for zs in itertools.product([z for z, mass in Finite(q).weights.items() if mass != 0], repeat=K):
        yield zs, sp.prod([q[z] for z in zs])


def expect_of_draws(q: Masses, K: int, function: Callable[[tuple[Any, ...]], Any]) -> Any:
    """The expectation of a function of K independent draws from q."""
    return sum((mass * function(zs) for zs, mass in draws(q, K)), sp.Integer(0))


def average(function: Callable[[Any], Any], zs: tuple[Any, ...]) -> Any:
    """The mean of a function over a tuple of draws."""
    return sum((function(z) for z in zs), sp.Integer(0)) / len(zs)


def bound(p_z: Masses, p_x: Masses, q: Masses, K: int) -> Any:
    """The lower bound with K draws, VLB^(K)(x)."""
    weight = ratio(p_z, p_x, q)
    return expect_of_draws(q, K, lambda zs: log(average(weight, zs)))


def overlook_nothing(p_z: Masses, p_x: Masses, q: Masses) -> bool:
    """Whether q(z) > 0 wherever p(x | z) p(z) > 0."""
    return all(q[z] != 0 for z in p_z if p_x[z] * p_z[z] != 0)


def trios() -> list[tuple[Masses, Masses, Masses]]:
    """Priors, likelihoods and approximate posteriors: two values of z first; some vanish somewhere."""
    fair, skew = masses("1/2", "1/2"), masses("1/3", "2/3")
    even, uneven, partial = masses("1/2", "1/2"), masses("1/2", "1/4"), masses("1/2", "0")
    two = [
        (fair, uneven, fair),
        (fair, even, masses("1", "0")),  # q overlooks a z that may have made x
        (fair, uneven, skew),
        (skew, uneven, masses("1/4", "3/4")),
        (fair, partial, masses("1", "0")),  # q is the posterior, and vanishes where that does
        (fair, partial, fair),  # the bound is -oo with one draw
        (skew, uneven, masses("1/2", "1/2")),  # q is the posterior
    ]
    prior, likelihood = masses("1/2", "1/3", "1/6"), masses("1/2", "1", "1/4")
    three = [
        (prior, likelihood, masses("1/3", "1/3", "1/3")),
        (prior, likelihood, masses("1/2", "1/4", "1/4")),
        (prior, likelihood, masses("3/4", "1/4", "0")),
        (prior, masses("1/2", "0", "1"), masses("1/5", "2/5", "2/5")),
    ]
    return [*two, *three]


def worlds_of_draws(most: int = 3) -> tuple[World, ...]:
    """All trios with every 1 <= M <= K <= ``most``, few draws first."""
    counts = [(K, M) for K in range(1, most + 1) for M in range(1, K + 1)]
    return tuple(World({"p_z": p_z, "p_x": p_x, "q": q, "K": K, "M": M}) for K, M in counts for p_z, p_x, q in trios())


Models = Mapping[str, tuple[Masses, tuple[Masses, ...]]]
Encoders = Mapping[str, tuple[Masses, ...]]


def families() -> tuple[World, ...]:
    """``models``: by theta, the prior and p(X_i | z) for the data X_1, X_2; ``encoders``: by phi, q(z | X_i) for each.

    In every world each X_i has, for each theta, a phi that gives its true posterior.
    """
    fair, skew = masses("1/2", "1/2"), masses("1/3", "2/3")
    first, second = masses("3/4", "1/4"), masses("1/4", "3/4")
    alike = {"theta": (fair, (first, first))}
    apart = {"theta": (fair, (first, second))}
    both = {"theta": (fair, (first, second)), "theta'": (skew, (first, second))}

    def each(models: Models) -> Encoders:
        """One encoder for each theta that serves all data."""
        return {f"phi{i}": tuple(posterior(p, x) for x in xs) for i, (p, xs) in enumerate(models.values())}

    indifferent = {"phi": (first, first), "phi'": (second, second)}
    more = {**each(both), "phi": (fair, fair)}
    cases = [(alike, indifferent), (apart, indifferent), (apart, each(apart)), (both, each(both)), (both, more)]
    return tuple(World({"models": m, "encoders": e, "K": K}) for K in (1, 2) for m, e in cases)


def one_for_all(models: Models, encoders: Encoders) -> bool:
    """Whether one phi gives the true posteriors of all X_i, for a theta of the greatest likelihood."""
    best = max(sp.prod([evidence(p, x) for x in xs]) for p, xs in models.values())
    top = [(p, xs) for p, xs in models.values() if sp.prod([evidence(p, x) for x in xs]) == best]
    return any(
        all(q == posterior(p, x) for q, x in zip(qs, xs, strict=True)) for qs in encoders.values() for p, xs in top
    )


def serve_all(models: Models, encoders: Encoders, K: int) -> bool:
    """Whether for each theta one phi gives the true posteriors of all X_i."""
    wanted = [tuple(posterior(p, x) for x in xs) for p, xs in models.values()]
    return K >= 1 and all(qs in encoders.values() for qs in wanted)


def best_likelihood(models: Models) -> Any:
    """The greatest log-likelihood of all data over theta."""
    return _greatest([sp.log(sp.prod([evidence(p, x) for x in xs])) for p, xs in models.values()])


def best_bound(models: Models, encoders: Encoders, K: int) -> Any:
    """The greatest sum of the bounds of all data over theta and phi."""
    pairs = itertools.product(models.values(), encoders.values())
    return _greatest([sum(bound(p, x, q, K) for x, q in zip(xs, qs, strict=True)) for (p, xs), qs in pairs])


def _greatest(values: list[Any]) -> Any:
    """The greatest of several exact numbers, chosen by their first fifty digits."""
    return max(values, key=lambda value: value.evalf(50))
