r"""The square of a real number is never negative.

Source: seed 000, Problem 0, a sample for the tests.
"""

import sympy as sp

from mdnn_verify.engines.montecarlo import BoundedMean
from mdnn_verify.engines.pathwise import Residual, gamma
from mdnn_verify.engines.symbolic import Equal, Proposition
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

x = sp.Symbol("x", real=True)

theorem = Theorem(statement=r"x^2\ge 0", given={"c": sp.Integer(1), "mean": sp.Rational(1, 3)})


@theorem.hypothesis
def c_is_positive(c):
    """The factor is positive."""
    return sp.sympify(c > 0)


@theorem.proof(scope="all real x")
def completes_the_square(c):
    """The square of a difference opens as it should."""
    return Equal((x - 1) ** 2, x**2 - 2 * x + c)


@theorem.proof(scope="the claimed mean")
def mean_is_between_0_and_1(mean):
    """A mean of numbers in the unit interval lies in it."""
    return Proposition(sp.And(mean > 0, mean < 1))


@theorem.pathwise(scope="50 random numbers in [0, 1]")
def at_random_numbers(c, rng):
    """In floating point the two forms agree up to five roundings."""
    for value in rng.uniform(50).tolist():
        yield Residual((value - 1) ** 2, value * value - 2 * value + float(c), 4 * gamma(5), at={"x": value})


@theorem.monte_carlo(scope="x uniform on [0, 1]")
def on_average(mean):
    """The square of a uniform number has the claimed mean."""
    return BoundedMean(lambda rng, n: rng.uniform(n) ** 2, equals=float(mean), lo=0.0, hi=1.0, scale=1.0, within=0.05)


@theorem.picture
def parabola(c):
    """The parabola."""
    return Curves("the parabola", "x", "x^2", [Curve("square", [-1.0, 0.0, 1.0], [1.0, 0.0, float(c)])])


theorem.false_if("the constant is 2", c=sp.Integer(2))
theorem.false_if("the mean is a half", mean=sp.Rational(1, 2))
theorem.false_if("the factor is negative", drops="c_is_positive", c=sp.Integer(-1))
