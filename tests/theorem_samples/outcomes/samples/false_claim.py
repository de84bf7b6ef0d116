r"""The square of a sum is claimed to be the sum of the squares.

Source: seed 000, Problem 0, a sample for the tests.
"""

import sympy as sp

from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.theorem import Theorem

x, y = sp.symbols("x y", real=True)

theorem = Theorem(statement="(x+y)^2=x^2+y^2", given={"cross": sp.Integer(0)})


@theorem.proof(scope="all real x, y")
def opens_the_square(cross):
    """The square of a sum opens without a cross term, which is false."""
    return Equal((x + y) ** 2, x**2 + y**2 + cross * x * y)


@theorem.pathwise(scope="x = 1, y = 2")
def at_one_and_two(cross):
    """At the numbers one and two the two sides are compared."""
    return Residual(9.0, 5.0 + 2.0 * float(cross), 0.0, at={"x": 1, "y": 2})


theorem.false_if("the cross term is x y", cross=sp.Integer(1))
