r"""Sixteen steps of a third of a second each, for the tests of interrupted runs.

Source: seed 000, Problem 0, a sample for the tests.
"""

import time

import sympy as sp

from mdnn_verify.engines.montecarlo import BoundedMean
from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.theorem import Theorem

theorem = Theorem(statement="1=1", given={"one": sp.Integer(1), "mean": 0.5})


@theorem.proof(scope="one number")
def one_is_one(one):
    """One is what it is claimed to be."""
    return Equal(one, sp.Integer(1))


def step(number):
    def check(rng):
        time.sleep(0.3)
        value = float(rng.uniform(1))
        return Residual(value, value, 0.0, at={"step": number})

    check.__name__ = f"step_{number:02d}"
    check.__doc__ = f"Step {number} waits, and then agrees with itself."
    theorem.pathwise(scope="one random number")(check)


for number in range(16):
    step(number)


@theorem.monte_carlo(scope="x uniform on [0, 1]")
def on_average(mean):
    """The mean of a uniform number is a half."""
    return BoundedMean(lambda rng, n: rng.uniform(n), equals=mean, lo=0.0, hi=1.0, scale=1.0, within=0.05)


theorem.false_if("one is two", one=sp.Integer(2))
theorem.false_if("the mean is 0.6", mean=0.6)
