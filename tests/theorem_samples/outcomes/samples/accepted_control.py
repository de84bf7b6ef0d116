r"""The sum of two numbers does not depend on their order, with a neighbour that is no less true.

Source: seed 000, Problem 0, a sample for the tests.
"""

import sympy as sp

from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.theorem import Theorem

x, y = sp.symbols("x y", real=True)

theorem = Theorem(statement="x+y=y+x", given={"factor": sp.Integer(1)})


@theorem.proof(scope="all real x, y")
def commutes(factor):
    """The sum is the same in either order, whatever the factor is."""
    return Equal(factor * (x + y), factor * (y + x))


@theorem.pathwise(scope="x = 1, y = 2")
def at_one_and_two(factor):
    """At the numbers one and two both sums are the same."""
    return Residual(float(factor) * 3.0, 3.0 * float(factor), 0.0, at={"x": 1, "y": 2})


theorem.false_if("the factor is 2", factor=sp.Integer(2))
