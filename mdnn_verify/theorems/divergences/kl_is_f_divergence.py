r"""The generators t log t and -log t give the Kullback-Leibler divergence, in opposite orders.

With $D_f(X \| Y) = \int f(p_X / p_Y) \, p_Y \, dx$,

    $f(t) = t \log t \implies D_f(X \| Y) = D_{\mathrm{KL}}(X \| Y),$

    $f(t) = -\log t \implies D_f(X \| Y) = D_{\mathrm{KL}}(Y \| X).$

The seed says that both "correspond to KL divergence" and leaves open which one to which; as the divergence is not
symmetric, the order is part of the statement. Point by point,

    $p_Y \, \frac{p_X}{p_Y} \log \frac{p_X}{p_Y} = p_X \log \frac{p_X}{p_Y}, \qquad
    -p_Y \log \frac{p_X}{p_Y} = p_Y \log \frac{p_Y}{p_X}.$

Both functions are convex and vanish at 1, so they are generators. Where a density vanishes, the conventions agree as
well: $0 f(p/0)$ stands for the limit of $q f(p/q)$ as $q \to 0$, which is $+\infty$ for $t \log t$ and 0 for $-\log
t$, exactly as $p \log(p/0) = +\infty$ and $0 \log(0/p) = 0$.

Generators that differ by a multiple of $t - 1$ give the same divergence, so these are not the only ones.

Source: seed 004, Problem 5(b).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import sympy as sp

from mdnn_verify.engines.intervals import EnclosureEquals, integral, precision
from mdnn_verify.engines.montecarlo import BoundedMean
from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import ball, kl_in_balls, random_distribution
from mdnn_verify.maths.f_divergences import GENERATORS, Generator, f_divergence_in_balls, number, t
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

T_LOG_T, MINUS_LOG_T = GENERATORS[:2]
p, q = sp.symbols("p q", positive=True)


def perspective(f: Callable[[Any], Any], p: Any, q: Any) -> Any:
    """The integrand of the f-divergence of X (density p) from Y (density q)."""
    return q * f(p / q)


theorem = Theorem(
    statement=r"f(t)=t\log t\implies D_f(X\,\|\,Y)=D_{\mathrm{KL}}(X\,\|\,Y),\qquad "
    r"f(t)=-\log t\implies D_f(X\,\|\,Y)=D_{\mathrm{KL}}(Y\,\|\,X)",
    given={"for_X_Y": T_LOG_T, "for_Y_X": MINUS_LOG_T, "integrand": perspective},
)


@theorem.hypothesis
def generators_vanish_at_one(for_X_Y, for_Y_X):
    """Both functions are 0 at t = 1, as a generator has to be."""
    return [sp.Eq(f.at(sp.Integer(1)), 0) for f in (for_X_Y, for_Y_X)]


@theorem.proof(scope="all t > 0")
def generators_are_convex(for_X_Y, for_Y_X):
    """Both are convex, because their second derivatives are positive."""
    return [sp.Gt(sp.factor(sp.simplify(sp.diff(f.pieces[0], t, 2))), 0, evaluate=False) for f in (for_X_Y, for_Y_X)]


@theorem.proof(scope="all p, q > 0")
def integrand_for_X_Y(for_X_Y, integrand):
    """The integrand of D_f is that of the divergence of X from Y, point by point."""
    return Equal(integrand(exact(for_X_Y), p, q), p * sp.log(p / q))


@theorem.proof(scope="all p, q > 0")
def integrand_for_Y_X(for_Y_X, integrand):
    """The integrand of the other D_f is that of the divergence of Y from X: the arguments change places."""
    return Equal(integrand(exact(for_Y_X), p, q), q * sp.log(q / p))


@theorem.proof(scope="the boundary: p = 0 < q, and q = 0 < p by the limit q -> 0")
def conventions_agree_where_a_density_vanishes(for_X_Y, for_Y_X, integrand):
    """The limits of both integrands are 0 log 0 = 0 or +infinity, where the divergences have them."""
    first, second = (integrand(exact(f), p, q) for f in (for_X_Y, for_Y_X))
    return {
        "p -> 0, X from Y: 0 log(0/q) = 0": sp.Eq(limit(first, p), 0),
        "p -> 0, Y from X: q log(q/0)": sp.Eq(limit(second, p), sp.oo),
        "q -> 0, X from Y: p log(p/0)": sp.Eq(limit(first, q), sp.oo),
        "q -> 0, Y from X: 0 log(0/p) = 0": sp.Eq(limit(second, q), 0),
    }


@theorem.proof(scope="X and Y exponential of rates a > b > 0, written a = b + c")
def exponential_variables(for_X_Y, for_Y_X):
    """Integrated exactly, both give the closed form log(a/b) + b/a - 1, the second with a and b exchanged."""
    x, b, c = sp.symbols("x b c", positive=True)
    a = b + c
    ratio = a / b * sp.exp(-c * x)
    found = [
        sp.integrate(sp.expand(sp.expand_log(b * sp.exp(-b * x) * f.pieces[0].subs(t, ratio))), (x, 0, sp.oo))
        for f in (for_X_Y, for_Y_X)
    ]
    closed = [sp.log(a / b) + b / a - 1, sp.log(b / a) + a / b - 1]
    return {"X from Y": Equal(found[0], closed[0]), "Y from X": Equal(found[1], closed[1])}


@theorem.proof(scope="X and Y on two points with probabilities 1/4, 3/4 and 1/2, 1/2")
def the_order_matters(for_X_Y, for_Y_X):
    """The two divergences differ, so that neither generator gives both."""
    cells = [(sp.Rational(1, 4), sp.Rational(1, 2)), (sp.Rational(3, 4), sp.Rational(1, 2))]
    first, second = (sum(v * exact(f)(u / v) for u, v in cells) for f in (for_X_Y, for_Y_X))
    return sp.Gt(sp.expand_log(second - first), 0, evaluate=False)


@theorem.pathwise(scope="40 random pairs of exact tables of 1 to 30 positive cells, distant and close")
def tables_without_empty_cells(for_X_Y, for_Y_X, integrand, rng):
    """For finite distributions the sums, enclosed to 200 bits, are those of the two divergences."""
    with precision(200):
        for _ in range(40):
            left, right = tables(rng.numpy, zeros=0.0)
            at = f"p = {text(left)}, q = {text(right)}"
            sums = [
                sum((integrand(f.in_balls, ball(u), ball(v)) for u, v in zip(left, right, strict=True)), flint.arb(0))
                for f in (for_X_Y, for_Y_X)
            ]
            yield EnclosureEquals(sums[0], kl_in_balls(left, right), f"X from Y, {at}", within=1e-30)
            yield EnclosureEquals(sums[1], kl_in_balls(right, left), f"Y from X, {at}", within=1e-30)


@theorem.pathwise(scope="40 random pairs of tables of 1 to 6 cells, empty ones on either side; infinite values too")
def tables_with_empty_cells(for_X_Y, for_Y_X, rng):
    """With the conventions of the boundary the sums agree where they are finite, and are infinite together."""
    with precision(200):
        for _ in range(40):
            left, right = tables(rng.numpy, zeros=0.3, most=6)
            at = f"p = {text(left)}, q = {text(right)}"
            for f, x, y in ((for_X_Y, left, right), (for_Y_X, right, left)):
                found, expected = f_divergence_in_balls(f, left, right), kl_in_balls(x, y)
                if found.is_finite() and expected.is_finite():
                    yield EnclosureEquals(found, expected, f"{f.name}, {at}", within=1e-30)
                else:
                    yield Residual(float(found), float(expected), 0.0, {"f": f.name, "tables": at})


@theorem.pathwise(scope="densities 1 and (1 + ax)/(1 + a/2) on [0, 1], a = 3, 1/2, -9/10, in both orders")
def affine_densities_by_rigorous_integral(for_X_Y, for_Y_X, integrand):
    """For continuous densities the enclosed integrals are the closed forms of the two divergences."""
    for slope in (Fraction(3), Fraction(1, 2), Fraction(-9, 10)):
        for X, Y in ((slope, Fraction(0)), (Fraction(0), slope)):
            for f, first, second in ((for_X_Y, X, Y), (for_Y_X, Y, X)):

                def integrated(x, analytic, f=f, X=X, Y=Y):
                    return integrand(lambda z: f.analytic(z, analytic), affine(X, x), affine(Y, x))

                at = f"{f.name}, slopes X: {X}, Y: {Y}"
                yield EnclosureEquals(integral(integrated, 0, 1), closed_form(first, second), at, within=1e-10)


@theorem.monte_carlo(scope="Y uniform on [0, 1] and X of density (1 + 3x)/(5/2), and with X and Y exchanged")
def mean_over_Y(for_X_Y, for_Y_X, integrand):
    """Averaged over simulated Y, the integrand over p_Y has the closed forms as its means.

    From each draw the slope of f at 1 times p_X/p_Y - 1 is taken away, whose mean over Y is 0 and which carries most of
    the variance. The range of a draw is enclosed in balls, one for each hundredth of [0, 1].
    """
    claims = {}
    for X, Y in ((Fraction(3), Fraction(0)), (Fraction(0), Fraction(3))):
        for label, f, first, second in (("X from Y", for_X_Y, X, Y), ("Y from X", for_Y_X, Y, X)):
            claims[f"{label}, slopes {X} and {Y}"] = simulated(f, integrand, X, Y, closed_form(first, second))
    return claims


@theorem.picture
def two_orders():
    """Both divergences between the density (1 + ax)/(1 + a/2) and the uniform one, as the slope a grows."""
    slopes = [Fraction(k, 10) for k in range(-9, 41) if k != 0]
    at = [float(slope) for slope in slopes]
    forward = [float(closed_form(slope, Fraction(0))) for slope in slopes]
    backward = [float(closed_form(Fraction(0), slope)) for slope in slopes]
    curves = [Curve("t log t: X from Y", at, forward), Curve("-log t: Y from X", at, backward)]
    return Curves("The two orders differ: X of slope a, Y uniform.", "a", "divergence in nats", curves)


def exact(f):
    """The generator as a function of SymPy expressions."""
    return lambda ratio: f.pieces[0].subs(t, ratio)


def limit(expression, variable):
    """The limit from the right at 0."""
    return sp.limit(sp.expand_log(expression), variable, 0, "+")


def tables(generator, zeros, most=30):
    """Two exact distributions on the same cells, the second anywhere or close to the first."""
    cells = int(generator.integers(1, most + 1))
    left, right = (random_distribution(generator, cells, zeros=zeros) for _ in range(2))
    return left, left + Fraction(1, int(generator.choice([1, 10, 1000]))) * (right - left)


def text(table):
    """A table to be read back."""
    return "[" + ", ".join(map(str, table)) + "]"


def affine(slope, x):
    """The density proportional to 1 + slope x on [0, 1]."""
    return (1 + ball(slope) * x) / (1 + ball(slope) / 2)


def closed_form(first, second):
    """The divergence of the density of slope ``first`` from that of slope ``second``; one of them is 0 (uniform).

    With u = 1 + ax and c = 1/(1 + a/2): the integral of cu log(cu) is log c + (c/a) [u^2/2 log u - u^2/4], and that of
    -log(cu) is -log c - (1/a) [u log u - u], both from u = 1 to 1 + a.
    """
    slope = ball(first or second)
    c, u = 1 / (1 + slope / 2), 1 + slope
    if second == 0:
        return c.log() + c / slope * (u * u / 2 * u.log() - u * u / 4 + flint.arb(1) / 4)
    return -c.log() - (u * u.log() - u + 1) / slope


def simulated(f, integrand, X, Y, value):
    """Claim: the integrand over p_Y, less the control variate, has the given mean for Y of the slope ``Y``."""
    a, c = number(f.slope_at_one), float(Y)
    slope = float(a)

    def density(s, x):
        return (1 + float(s) * x) / (1 + float(s) / 2)

    def draw(rng, n):
        u = rng.uniform(n)
        x = 2 * u * (1 + c / 2) / (1 + (1 + 2 * c * u * (1 + c / 2)).sqrt())  # F(x) = u, without cancellation
        top, bottom = density(X, x), density(Y, x)
        return integrand(f.in_floats, top, bottom) / bottom - slope * (top / bottom - 1)

    values = []
    for k in range(100):
        x = flint.arb(flint.fmpq(2 * k + 1, 200), flint.fmpq(1, 199))
        top, bottom = affine(X, x), affine(Y, x)
        values.append(integrand(f.in_balls, top, bottom) / bottom - a * (top / bottom - 1))
    lo, hi = min(float(v.lower()) for v in values), max(float(v.upper()) for v in values)
    return BoundedMean(draw, equals=float(value), lo=lo - 1e-9, hi=hi + 1e-9, scale=0.1)


def weighted_by_p(f: Callable[[Any], Any], p: Any, q: Any) -> Any:
    """Averaged over X instead of Y."""
    return p * f(p / q)


def ratio_inverted(f: Callable[[Any], Any], p: Any, q: Any) -> Any:
    """f at p_Y/p_X."""
    return q * f(q / p)


def generator(name: str, formula: sp.Expr, at_zero: Any) -> Generator:
    """A smooth generator whose slope at infinity is infinite or not needed."""
    return Generator(name, (formula,), sp.sympify(at_zero), sp.oo)


binary = generator("t log2 t", t * sp.log(t) / sp.log(2), 0)
quadratic = generator("(t - 1)^2 / 2", (t - 1) ** 2 / 2, sp.Rational(1, 2))
averaged = generator("(t - 1) log(t) / 2", (t - 1) * sp.log(t) / 2, sp.oo)

theorem.false_if("f = -log t gives the divergence of X from Y", for_X_Y=MINUS_LOG_T)
theorem.false_if("f = t log t gives the divergence of Y from X", for_Y_X=T_LOG_T)
theorem.false_if("the sign of -log t is forgotten", for_Y_X=Generator("log t", (sp.log(t),), -sp.oo, sp.Integer(0)))
theorem.false_if("the logarithm is binary, the divergence in nats", for_X_Y=binary)
theorem.false_if("the second-order expansion (t - 1)^2/2 gives it exactly", for_X_Y=quadratic)
theorem.false_if("the mean of both generators gives both orders", for_X_Y=averaged, for_Y_X=averaged)
theorem.false_if("the integrand is weighted by the density of X", integrand=weighted_by_p)
theorem.false_if("the ratio of the densities is inverted", integrand=ratio_inverted)
