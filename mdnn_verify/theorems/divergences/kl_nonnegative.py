r"""The Kullback-Leibler divergence is never negative, and zero only between equal densities.

For probability densities $f, g$ on $R^d$ with $f \ll g$ ($f$ vanishes wherever $g$ does, up to a null set),

$$D(f \| g) = \int f \log \frac{f}{g} \, dx \ge 0, \qquad\text{with equality if and only if } f = g
\text{ almost everywhere.}$$

The integrand $f \log(f/g)$ itself takes both signs. Gibbs' inequality adds to it what integrates to zero: the excess
$f \log(f/g) - f + g = g\, \phi(f/g)$ with $\phi(t) = t \log t - t + 1$ is non-negative at every point and vanishes only
at $f = g$.

Two steps are those of measure theory and are made by hand: the integral is linear and monotone
($f \log(f/g) \ge f - g$ makes the negative part integrable, so $D$ is well defined, perhaps $+\infty$), and a
non-negative function whose integral is 0 vanishes almost everywhere. Everything below that enters them is checked.

Source: seed 000, Problem 4(a); solutions in seeds 001 and 003 (by Jensen's inequality).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp
import z3

from mdnn_verify.engines.intervals import EnclosureAtLeast, integral, precision
from mdnn_verify.engines.montecarlo import PairedInequality
from mdnn_verify.engines.pathwise import AtLeast, Residual, gamma
from mdnn_verify.engines.smt import Valid, rational
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import (
    ball,
    hellinger_in_balls,
    kl,
    kl_in_balls,
    kl_rounding_bound,
    kl_terms,
    random_distribution,
)  # fmt: skip
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

t, f, g = sp.symbols("t f g", positive=True)
z = sp.Symbol("z", real=True)


@dataclass(frozen=True)
class Masses:
    """The integral of f, the integral of g, and the integral of f over {g = 0}."""

    f: Any = 1
    g: Any = 1
    f_where_g_vanishes: Any = 0

    @property
    def f_where_g_lives(self) -> Any:
        return self.f - self.f_where_g_vanishes


def excess(f: Any, g: Any) -> Any:
    """What is claimed to be non-negative at every point and to integrate to D(f || g)."""
    return f * sp.log(f / g) - f + g


def divergence(D: Callable[[Any, Any], Any], p: Any, q: Any, r: Any) -> Any:
    """What is claimed to be non-negative for all densities p, q, r."""
    return D(p, q)


theorem = Theorem(
    statement=r"D(f\,\|\,g)=\int_{\mathbb{R}^d} f\log\frac{f}{g}\,dx\ \ge\ 0,\qquad D(f\,\|\,g)=0\iff f=g\ \text{a.e.}",
    given={"excess": excess, "margin": divergence, "masses": Masses()},
)


@theorem.hypothesis
def both_are_normalised(masses):
    """Both densities have the integral 1."""
    return sp.And(sp.Eq(masses.f, 1), sp.Eq(masses.g, 1))


@theorem.hypothesis
def f_is_dominated_by_g(masses):
    """No part of f lies where g vanishes: f << g."""
    return sp.Eq(masses.f_where_g_vanishes, 0)


@theorem.proof(scope="all f, g > 0")
def excess_depends_on_the_ratio(excess):
    """The excess is g phi(f/g) with phi(t) = excess(t, 1), so that one variable t = f/g decides its sign."""
    return Equal(excess(f, g), g * excess(f / g, sp.Integer(1)))


@theorem.proof(scope="all t > 0, t != 1")
def phi_turns_at_one(excess):
    """At t = 1, phi and phi' vanish; phi' < 0 on (0, 1), written t = 1/(1+s), and phi' > 0 beyond, t = 1+s."""
    phi, s = excess(t, sp.Integer(1)), sp.Symbol("s", positive=True)
    slope = sp.diff(phi, t)
    return {
        "phi(1) = 0": Equal(phi.subs(t, 1), 0),
        "phi'(1) = 0": Equal(slope.subs(t, 1), 0),
        "phi' > 0 right of 1": sp.Gt(_expanded(slope.subs(t, 1 + s)), 0, evaluate=False),
        "phi' < 0 left of 1": sp.Lt(_expanded(slope.subs(t, 1 / (1 + s))), 0, evaluate=False),
    }


@theorem.proof(scope="all t > 0, t != 1, by the mean value theorem (its use is by hand)")
def phi_is_positive_off_one():
    """What vanishes at 1, falls before and rises after is positive elsewhere: phi(t) = phi'(x)(t - 1), x between."""
    value, slope, x, at = z3.Reals("phi_t slope x t")
    between = z3.Or(z3.And(x > 1, x < at), z3.And(at < x, x < 1))
    signs = [z3.Implies(x > 1, slope > 0), z3.Implies(x < 1, slope < 0)]
    return Valid(value > 0, given=[at > 0, at != 1, between, value == slope * (at - 1), *signs])


@theorem.proof(scope="the boundary: f = 0 < g; where g = 0 also f = 0 and nothing is added")
def excess_at_the_boundary(excess):
    """Where f vanishes and g does not, the excess tends to g > 0: such points keep the divergence away from 0."""
    return sp.Gt(sp.limit(excess(t, sp.Integer(1)), t, 0, "+"), 0, evaluate=False)


@theorem.proof(scope="all f, g > 0")
def excess_adds_what_integrates_to_zero(excess):
    """The excess differs from the integrand of D by a multiple of g - f, whose integral is 0 for equal masses."""
    added = excess(f, g) - f * sp.log(f / g)
    multiple = excess(sp.Integer(1), sp.Integer(2)) + sp.log(2)  # of g - f = 1
    return Equal(added, multiple * (g - f))


@theorem.proof(scope="all densities f << g (D = +inf is no exception); linearity and monotony of the integral by hand")
def divergence_is_nonnegative(margin, masses):
    """Integrated over {g > 0}, D = E + (mass of f there) - (mass of g) with E >= 0 the integral of the excess."""
    E, D = {}, {}
    for pair in [(a, b) for a in "pqr" for b in "pqr" if a != b]:
        E[pair], D[pair] = z3.Reals(f"E_{pair[0]}{pair[1]} D_{pair[0]}{pair[1]}")
    difference = rational(masses.f_where_g_lives - masses.g)
    given = [E[pair] >= 0 for pair in E] + [D[pair] == E[pair] + difference for pair in D]
    claimed = margin(lambda a, b: D[a, b], "p", "q", "r")
    return {
        "at least 0": Valid(claimed >= 0, given=given),
        "0 only if the excess integrates to 0, that is if f = g almost everywhere": Valid(
            z3.Implies(claimed == 0, E["p", "q"] == 0), given=given
        ),
    }


@theorem.pathwise(scope="40 random pairs of rationals 0 < f, g <= 1000, and one with f = 0")
def excess_is_nonnegative_pointwise(excess, rng):
    """At single points the excess, enclosed, is positive for f != g; a counterexample here is a pair (f, g)."""
    value = sp.lambdify((f, g), excess(f, g), modules=[{"log": lambda ball: ball.log()}])
    numbers = rng.integers(1, 1000, (40, 4)).tolist()
    with precision(200):
        for a, b, c, d in numbers:
            if a * d != b * c:
                at = f"f = {a}/{b}, g = {c}/{d}"
                yield EnclosureAtLeast(value(ball(Fraction(a, b)), ball(Fraction(c, d))), 0, at)


@theorem.pathwise(scope="densities proportional to 1 + ax on [0, 1]: every three of four slopes a, in every order")
def divergence_by_rigorous_integral(margin, masses):
    """For concrete densities the integral of f log(f/g), enclosed with its own error bound, is non-negative."""
    slopes = [Fraction(0), Fraction(1, 10), Fraction(3), Fraction(-9, 10)]
    D = {(a, b): _divergence_of_affine(a, b, masses) for a, b in itertools.permutations(slopes, 2)}
    for p, q, r in itertools.permutations(slopes, 3):
        yield EnclosureAtLeast(margin(lambda a, b: D[a, b], p, q, r), 0, f"slopes p: {p}, q: {q}, r: {r}")


@theorem.pathwise(scope="60 random triples of exact tables of 1 to 40 cells, empty ones included, distant and close")
def divergence_of_random_tables(margin, masses, rng):
    """For finite distributions the computed sum of p log(p/q) is non-negative up to its rounding bound."""
    for _ in range(60):
        p, q, r = _tables(rng.numpy)
        bounds = []

        def D(a, b, bounds=bounds):
            left, right = _floats(a, masses.f_where_g_lives), _floats(b, masses.g)
            value = math.fsum(kl_terms(left, right))
            # its own error, and that of adding it to at most three more (below 1e3 if it is finite)
            bounds.append(kl_rounding_bound(left, right, input_error=2.0**-53) + gamma(4) * min(1e3, abs(value)))
            return value

        at = {"p": _text(p), "q": _text(q), "r": _text(r)}
        yield AtLeast(float(margin(D, p, q, r)), 0.0, sum(bounds) + gamma(4), at)


@theorem.pathwise(scope="40 random pairs of exact tables of 1 to 40 cells, empty cells in p included")
def divergence_vanishes_only_at_equality(masses, rng):
    """D >= sum (sqrt p - sqrt q)^2, as log t <= t - 1 at t = sqrt(q/p): 0 only for p = q, where D is 0 too."""
    for _ in range(40):
        p, q, _ = _tables(rng.numpy)
        left, right = p * _fraction(masses.f_where_g_lives), q * _fraction(masses.g)
        with precision(200):
            gap = kl_in_balls(left, right) - hellinger_in_balls(left, right)
        if (p != q).any():
            yield EnclosureAtLeast(gap, 0, f"p = {_text(p)}, q = {_text(q)}")
        yield Residual(kl(_floats(p, 1), _floats(p, 1)), 0.0, 0.0, at={"p = q": _text(p)})


@theorem.monte_carlo(scope="p = N(0, 1), q = N(1/10, 1), r = N(1/5, 1), and p = N(0, 1), q = N(0, 4), r = N(1, 9)")
def divergence_of_gaussians(margin, masses):
    """The mean of log f(X)/g(X) over X ~ f is non-negative, close to equality and far from it."""
    near = [(0, 1), (Fraction(1, 10), 1), (Fraction(1, 5), 1)]
    far = [(0, 1), (0, 2), (1, 3)]
    return {
        "close": _simulated(margin(lambda a, b: _log_ratio(a, b, masses), *near), scale=0.1),
        "far": _simulated(margin(lambda a, b: _log_ratio(a, b, masses), *far), scale=1.0),
    }


@theorem.picture
def integrand_and_excess(excess):
    """Where g = 1: the integrand t log t dips below 0, the excess phi(t) = t log t - t + 1 touches it at t = 1 only."""
    at = [i / 50 for i in range(1, 151)]
    phi = sp.lambdify(t, excess(t, sp.Integer(1)), modules="math")
    curves = [Curve("phi(t)", at, [phi(x) for x in at]), Curve("t log t", at, [x * math.log(x) for x in at])]
    return Curves("The integrand takes both signs; the excess does not.", "t = f/g", "value", curves)


def _expanded(expression):
    """log(1/(1+s)) as -log(1+s)."""
    return sp.expand_log(sp.sympify(expression))


def _fraction(number):
    exact = sp.Rational(number)
    return Fraction(int(exact.p), int(exact.q))


def _divergence_of_affine(a, b, masses):
    """The integral over [0, 1] of f log(f/g) for f, g proportional to 1 + ax, 1 + bx, with the given masses."""
    mass = ball(masses.f_where_g_lives)

    def integrand(x, analytic):
        f = mass * (1 + ball(a) * x) / (1 + ball(a) / 2)
        g = ball(masses.g) * (1 + ball(b) * x) / (1 + ball(b) / 2)
        return f * (f / g).log(analytic=analytic)

    return integral(integrand, 0, 1)


def _tables(generator):
    """Three exact distributions on the same cells: p with empty cells, q anywhere or close to p, and r."""
    cells = int(generator.integers(1, 41))
    p, q, r = (random_distribution(generator, cells, zeros=zeros) for zeros in (0.2, 0.0, 0.0))
    closeness = Fraction(1, int(generator.choice([1, 10, 1000, 10**6])))
    return p, p + closeness * (q - p), r


def _floats(table, mass):
    return (table * _fraction(mass)).astype(float)


def _text(table):
    return "[" + ", ".join(map(str, table)) + "]"


def _log_ratio(p, q, masses):
    """The log ratio times the mass of f, at the point mean + sd z of f = mass x N(mean, sd^2): a polynomial in z."""
    (mean_p, sd_p), (mean_q, sd_q) = ([sp.Rational(v) for v in law] for law in (p, q))
    point, mass = mean_p + sd_p * z, masses.f_where_g_lives
    log_f = sp.log(mass) - sp.log(sd_p) - z**2 / 2
    log_g = sp.log(masses.g) - sp.log(sd_q) - ((point - mean_q) / sd_q) ** 2 / 2
    return sp.expand(mass * (log_f - log_g))


def _simulated(difference, scale):
    """E D >= 0 for D = c0 + c1 z + c2 z^2, whose variance c1^2 + 2 c2^2 is exact."""
    c0, c1, c2 = (float(difference.coeff(z, k)) for k in range(3))

    def draw(rng, n):
        normal = rng.normal(n)
        return c0 + c1 * normal + c2 * normal * normal

    because = "the variance of c0 + c1 z + c2 z^2, z ~ N(0, 1), is c1^2 + 2 c2^2"
    variance = max(1.000001 * (c1**2 + 2 * c2**2), (0.01 * scale) ** 2)  # a larger bound is a bound, and must not be 0
    return PairedInequality(draw, scale, variance_bound=variance, because=because)


def pointwise(f: Any, g: Any) -> Any:
    """The integrand itself."""
    return f * sp.log(f / g)


def above_a_hundredth(D: Callable[[Any, Any], Any], p: Any, q: Any, r: Any) -> Any:
    """D exceeds 1/100."""
    return D(p, q) - sp.Rational(1, 100)


def symmetric(D: Callable[[Any, Any], Any], p: Any, q: Any, r: Any) -> Any:
    """D(p, q) is at least D(q, p), for all p and q: then they are equal."""
    return D(p, q) - D(q, p)


def triangle(D: Callable[[Any, Any], Any], p: Any, q: Any, r: Any) -> Any:
    """The detour by q is not shorter."""
    return D(p, q) + D(q, r) - D(p, r)


theorem.false_if("g has the mass 2", masses=Masses(g=2), drops="both_are_normalised")
theorem.false_if(
    "half of f lies where g vanishes, and the integral leaves that part out",
    masses=Masses(f_where_g_vanishes=sp.Rational(1, 2)),
    drops="f_is_dominated_by_g",
)
theorem.false_if("the integrand f log(f/g) is non-negative at every point", excess=pointwise)
theorem.false_if("the divergence is always at least 1/100", margin=above_a_hundredth)
theorem.false_if("the divergence is symmetric", margin=symmetric)
theorem.false_if("the divergence obeys the triangle inequality", margin=triangle)
