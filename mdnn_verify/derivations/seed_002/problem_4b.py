"""Seed 002, Problem 4(b): whether any strategy is optimal against a fixed one."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation, World
from mdnn_verify.derivations._games import RULES, optimal_for_a, pure, simplex_grid

THIRD = sp.Matrix([1, 1, 1]) / 3
POINTS = r"\mathbb E_{p_A,p_B}[\text{points for }B]"


derivation = Derivation(
    title="Whether any strategy is optimal against a fixed one",
    source="seed 002, Problem 4(b)",
    worlds=[World({"pA": pA}) for pA in [THIRD, *simplex_grid(4), *simplex_grid(6)]],
)


def points(pA, pB):
    """Expected points for B by the rules of the game."""
    return (pA.T * RULES * pB)[0]


def optimal(pA):
    return sp.ImmutableMatrix(pA) in optimal_for_a(RULES)


@derivation.claim(r"\text{not every }p_A\in\Delta^3\text{ is optimal for }A", note='"The answer is negative."')
def answer_negative(pA):
    return pA == THIRD or not optimal(pA)


@derivation.claim(rf"p_B=(\tfrac13,\tfrac13,\tfrac13)\Rightarrow {POINTS}=0")
def equal_probabilities_give_zero(pA):
    return points(pA, THIRD) == 0


@derivation.claim(rf"p_A\ne(\tfrac13,\tfrac13,\tfrac13)\Rightarrow\exists p_B\in\{{e_3,e_2,e_1\}}:{POINTS}>0")
def pure_answer_wins(pA):
    return pA == THIRD or any(points(pA, e) > 0 for e in pure(3))


@derivation.claim(r"\text{one variable with the other fixed does not find the optimal solution}")
def fixed_opponent_misleads(pA):
    minimises = points(pA, THIRD) == min(points(a, THIRD) for a in pure(3))
    return minimises and (pA == THIRD or not optimal(pA))
