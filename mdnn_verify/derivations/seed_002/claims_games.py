"""Seed 002, Problems 3 and 4: what the statements, the definition of a solution and the remarks claim."""

from __future__ import annotations

import itertools

import sympy as sp

from mdnn_verify.audit import Derivation, World
from mdnn_verify.derivations._error_rates import share, type_one_rate, type_two_rate
from mdnn_verify.derivations._games import PRINTED, RULES, optimal_for_a, optimal_for_b, pure, simplex_grid
from mdnn_verify.derivations._importance import masses

THIRD = sp.Matrix([1, 1, 1]) / 3

# --- Problem 3 --------------------------------------------------------------------------------------------------------

rates = Derivation(
    title="The error rates of a detector by the likelihood",
    source="seed 002, Problem 3",
    worlds=[
        World({"mnist": mnist, "kmnist": kmnist, "threshold": -3})
        for mnist, kmnist in (((-1, -2), (-4, -5)), ((-1, -4), (-2, -5, -6)), ((-5, -1, -2), (-1, -2, -4, -9)))
    ],
)


@rates.line(r"\text{type I error rate}")
def rejected_though_normal(mnist, kmnist, threshold):
    return type_one_rate(mnist, kmnist, lambda value: value < threshold)


@rates.line(r"=\text{share of the MNIST test images classified as anomalies}", "=")
def mnist_called_anomalies(mnist, threshold):
    return share(mnist, lambda value: value < threshold)


@rates.line(r"\text{type II error rate}")
def kept_though_anomalous(mnist, kmnist, threshold):
    return type_two_rate(mnist, kmnist, lambda value: value < threshold)


@rates.line(r"=\text{share of the KMNIST images classified as non-anomalies}", "=")
def kmnist_called_normal(kmnist, threshold):
    return share(kmnist, lambda value: not value < threshold)


steps = Derivation(
    title="The step that uses the validation data",
    source="seed 002, Problem 3, remark",
    worlds=[
        World({"uses": {1: "MNIST, KMNIST", 3: "the trained model", 4: "validation data", 5: "test data", 6: "KMNIST"}})
    ],
)


@steps.claim(
    r"\text{the validation data is set aside for step 3}",
    note=r"step 3 loads the model (or would train it); the mean and the standard deviation of "
    r"$\log p_\theta(Y_i)$, where $Y_1,\dots,Y_M$ are the validation data, are computed in step 4",
)
def validation_in_step_3(uses):
    return uses[3] == "validation data"


@steps.correct("validation_in_step_3", r"\text{the validation data is set aside for step 4}")
def validation_in_step_4(uses):
    return uses[4] == "validation data"


# --- Problem 4: what a solution is ------------------------------------------------------------------------------------


def saddles() -> tuple[World, ...]:
    """L by pairs of strategies, and a pair from which neither player gains by moving."""
    numbers = (0, 1, -1)
    strict = {(t, p): t**2 - p**2 for t in numbers for p in numbers}
    names = {"rock": pure(3)[0], "paper": pure(3)[1], "scissors": pure(3)[2], "thirds": THIRD}
    rps = {(a, b): (names[a].T * RULES * names[b])[0] for a in names for b in names}
    flat = {(t, p): 0 for t in (0, 1) for p in (0, 1)}
    worlds = [
        World({"L": strict, "star": (0, 0)}, label="L = theta^2 - phi^2 on {0, 1, -1}, theta* = phi* = 0"),
        World({"L": rps, "star": ("thirds", "thirds")}, label="rock, paper, scissors and (1/3, 1/3, 1/3) for both"),
        World({"L": flat, "star": (0, 1)}, label="L = 0 on {0, 1}, theta* = 0, phi* = 1"),
    ]
    return tuple(worlds)


definition = Derivation(
    title="What a solution of a minimax problem is", source="seed 002, Problem 4, clarification", worlds=saddles()
)


def sides(L, star):
    """L(theta*, phi) for all phi, L(theta*, phi*), L(theta, phi*) for all theta, with the strategies."""
    theta_star, phi_star = star
    below = [(phi, value) for (theta, phi), value in L.items() if theta == theta_star]
    above = [(theta, value) for (theta, phi), value in L.items() if phi == phi_star]
    return below, L[star], above


@definition.claim(
    r"L(\theta^\star,\phi)<L(\theta^\star,\phi^\star)<L(\theta,\phi^\star)"
    r"\quad\text{for all }\theta\in\Theta,\ \phi\in\Phi",
    note=r"never true: for $\theta=\theta^\star$ it says $L(\theta^\star,\phi^\star)<L(\theta^\star,\phi^\star)$",
)
def strict_saddle(L, star):
    below, value, above = sides(L, star)
    return all(less < value for _, less in below) and all(value < greater for _, greater in above)


@definition.correct(
    "strict_saddle",
    r"L(\theta^\star,\phi)\le L(\theta^\star,\phi^\star)\le L(\theta,\phi^\star)"
    r"\quad\text{for all }\theta\in\Theta,\ \phi\in\Phi",
)
def saddle(L, star):
    below, value, above = sides(L, star)
    return all(less <= value for _, less in below) and all(value <= greater for _, greater in above)


@definition.claim(
    r"\text{deviating from }\theta^\star\text{ increases }L,\ \text{deviating from }\phi^\star\text{ decreases it}",
    note="from the solution of rock, paper, scissors no deviation changes L",
)
def deviating_changes(L, star):
    below, value, above = sides(L, star)
    loses = all(less < value for phi, less in below if phi != star[1])
    return loses and all(value < greater for theta, greater in above if theta != star[0])


@definition.correct(
    "deviating_changes",
    r"\text{deviating from }\theta^\star\text{ does not decrease }L,"
    r"\ \text{deviating from }\phi^\star\text{ does not increase it}",
)
def deviating_does_not_help(L, star):
    return saddle(L, star)


uniqueness = Derivation(
    title="The solution of rock, paper, scissors",
    source="seed 002, Problem 4(a)",
    worlds=[World({"M": RULES}, label="the rules of the game"), World({"M": PRINTED}, label="the printed M")],
)


@uniqueness.line(r"\{(p_A,p_B)\text{ solves the minimax problem}\}")
def solutions(M):
    return frozenset(itertools.product(optimal_for_a(M), optimal_for_b(M)))


@uniqueness.line(
    r"=\left\{\left((\tfrac13,\tfrac13,\tfrac13),(\tfrac13,\tfrac13,\tfrac13)\right)\right\}",
    "=",
    note=r"with $\le$ for $<$ in the definition of a solution; as that is printed there is none",
)
def only_thirds():
    third = sp.ImmutableMatrix(THIRD)
    return frozenset({(third, third)})


fixed = Derivation(
    title="The points against equal probabilities",
    source="seed 002, Problem 4(b)",
    worlds=[World({"pA": pA}) for pA in [*simplex_grid(3), *simplex_grid(5)]],
)


@fixed.claim(
    r"p_B=(\tfrac13,\tfrac13,\tfrac13)\Rightarrow"
    r"\mathbb E_{p_A,p_B}[\text{points for }B]=0\text{ regardless of how }A\text{ plays}"
)
def zero_against_thirds(pA):
    return (pA.T * RULES * THIRD)[0] == 0


# --- Problem 4, remark ------------------------------------------------------------------------------------------------

perfect = Derivation(
    title="A discriminator against a perfect generator",
    source="seed 002, Problem 4, remark",
    worlds=[
        World({"real": law, "fake": law})
        for law in (masses("1/2", "1/2"), masses("1/3", "2/3"), masses("1/2", "1/3", "1/6"))
    ],
)


@perfect.line(r"\text{the greatest probability with which a discriminator is right, if the generator is perfect}")
def best_guess(real, fake):
    choices = itertools.product((0, 1), repeat=len(real))  # what is called real
    right = (sum((real[z] if c[z] else fake[z]) for z in real) / sp.Integer(2) for c in choices)
    return max(right)


@perfect.line(
    r"=\tfrac12", "=", note="real and fake samples equally often; a random guess does no better than a fixed one"
)
def even_odds():
    return sp.Rational(1, 2)
