r"""A claim whose check divides by zero.

Source: seed 000, Problem 0, a sample for the tests.
"""

import sympy as sp

from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.theorem import Theorem

theorem = Theorem(statement="1=1", given={"divisor": 0, "one": sp.Integer(1)})


@theorem.proof(scope="one number")
def one_is_one(one):
    """One is what it is claimed to be."""
    return Equal(one, sp.Integer(1))


@theorem.pathwise(scope="one instance")
def divides(divisor):
    """The quotient is finite, unless the divisor is zero."""
    return Residual(1 / divisor, 1.0, 0.0, at={"divisor": divisor})


theorem.false_if("one is two", one=sp.Integer(2))
