r"""An f-divergence is never negative, for every convex f with f(1) = 0.

For a convex $f : (0, \infty) \to \mathbb{R}$ with $f(1) = 0$ and densities $p_X, p_Y$ such that $p_X$ vanishes
wherever $p_Y$ does (up to a null set),

    $D_f(X \| Y) = \int f\left(\frac{p_X(x)}{p_Y(x)}\right) p_Y(x)\,dx \ge 0.$

A convex function has a supporting line at 1: some slope $a$ with $f(t) \ge a (t - 1)$ for all $t > 0$; no derivative
is needed. So the integrand exceeds $a (p_X - p_Y)$ at every point, and that integrates to $a (1 - 1) = 0$. The
integrand itself takes both signs. At $t = 0$ the value is the limit $f(0+)$, which may be $+\infty$; the inequality
passes to it.

The slope $a$ is the supremum of the slopes $f(s)/(s - 1)$ of the chords from the left, $s < 1$. Convexity and the two
defining properties of a supremum are used at finitely many points; what follows from these instances follows from the
axioms. That the integral is monotone and linear is used by hand; since $f \ge a (t - 1)$ the negative part is
integrable, so $D_f$ is well defined, perhaps $+\infty$. The seed does not state that $p_X$ vanishes with $p_Y$; a
control shows that it is needed where the integral is taken over $p_Y > 0$. Equality does not imply $p_X = p_Y$: the
hockey stick $\max(t - 2, 0)$ below gives 0 for all densities with $p_X \le 2 p_Y$.

Source: seed 004, Problem 5(a).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy as sp
import torch
import z3

from mdnn_verify.engines.intervals import EnclosureAtLeast, integral, precision
from mdnn_verify.engines.montecarlo import PairedInequality
from mdnn_verify.engines.smt import Valid, rational
from mdnn_verify.maths.divergences import ball, random_distribution
from mdnn_verify.maths.f_divergences import GENERATORS, Generator, f_divergence_in_balls, number, t
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

GRID = tuple(Fraction(k, 8) for k in (1, 2, 4, 8, 12, 20, 48, 96))  # dyadic, so that piecewise linear f are exact
SLOPES = (Fraction(0), Fraction(3), Fraction(-9, 10))


def convex(f_s: Any, f_1: Any, f_t: Any, s: Any, t: Any) -> Any:
    """The chord from (s, f(s)) to (t, f(t)) passes above (1, f(1)), where s < 1 < t."""
    return f_1 * (t - s) <= f_s * (t - 1) + f_t * (1 - s)


def less_the_tangent(value: Any, p: Any, q: Any, a: Any) -> Any:
    """What is claimed to be non-negative at every point, from the integrand q f(p/q), and to integrate to D."""
    return value - a * (p - q)


def divergence(D: Callable[[Any, Any], Any], p: Any, q: Any) -> Any:
    """What is claimed to be non-negative for all densities p and q."""
    return D(p, q)


theorem = Theorem(
    statement=r"f\ \text{convex},\ f(1)=0\implies "
    r"D_f(X\,\|\,Y)=\int f\!\left(\frac{p_X(x)}{p_Y(x)}\right)p_Y(x)\,dx\ \ge\ 0",
    given={
        "chord": convex,
        "f_at_one": sp.Integer(0),
        "fs": GENERATORS,
        "excess": less_the_tangent,
        "margin": divergence,
        "mass_of_q": sp.Integer(1),
        "mass_of_p_where_q_lives": sp.Integer(1),
    },
)


@theorem.hypothesis
def f_is_convex(fs):
    """In all examples no midpoint of two points of a grid lies above their chord."""
    for f in fs:
        for u, v in itertools.combinations(GRID, 2):
            ends = f.in_balls(ball(u)) + f.in_balls(ball(v))
            yield EnclosureAtLeast(ends - 2 * f.in_balls(ball((u + v) / 2)), 0, f"{f.name}, between {u} and {v}")


@theorem.hypothesis
def f_vanishes_at_one(f_at_one, fs):
    """At 1 the value of f is 0, in the proof and in the examples."""
    return [sp.Eq(f_at_one, 0), *(sp.Eq(f.at(sp.Integer(1)), 0) for f in fs)]


@theorem.hypothesis
def q_is_normalised(mass_of_q):
    """The density of Y integrates to 1."""
    return sp.Eq(mass_of_q, 1)


@theorem.hypothesis
def p_is_normalised_and_lives_where_q_does(mass_of_p_where_q_lives):
    """All of the mass 1 of X lies where the density of Y is positive."""
    return sp.Eq(mass_of_p_where_q_lives, 1)


@theorem.proof(scope="every convex f with f(1) = 0, all 0 < s < 1 < t")
def left_slopes_never_exceed_right_slopes(chord, f_at_one):
    """By convexity the slopes of chords to 1 satisfy $f(s)/(s - 1) \\le f(t)/(t - 1)$ for $s < 1 < t$."""
    s, t, f_s, f_t = z3.Reals("s t f(s) f(t)")
    given = [s > 0, s < 1, t > 1, chord(f_s, rational(f_at_one), f_t, s, t)]
    return Valid(f_s / (s - 1) <= f_t / (t - 1), given=given)


@theorem.proof(scope="every f as above: a is the supremum of the left slopes, which each right slope bounds")
def one_slope_lies_between_them():
    """The supremum a of the left slopes, which exists because any right slope bounds them, is at least each of them;
    being their least upper bound, it is at most each right slope."""
    a, left, right, witness = z3.Reals("a left right left_slope_at_s")
    least = z3.Implies(right < a, witness > right)  # a bound below a is none: some left slope is larger
    return Valid(z3.And(left <= a, a <= right), given=[left <= a, least, witness <= right])


@theorem.proof(scope="every convex f with f(1) = 0, all t > 0")
def line_of_that_slope_supports_f(f_at_one):
    """Multiplied by t - 1, negative or positive, the slopes give $f(t) \\ge a (t - 1)$ on both sides of 1 and at 1."""
    a, t, f_t = z3.Reals("a t f(t)")
    left = z3.Implies(t < 1, f_t / (t - 1) <= a)
    right = z3.Implies(t > 1, a <= f_t / (t - 1))
    at_one = z3.Implies(t == 1, f_t == rational(f_at_one))
    return Valid(f_t >= a * (t - 1), given=[t > 0, left, right, at_one])


@theorem.proof(scope="all p >= 0 and q > 0; p = 0 through the limit f(0+) >= -a")
def integrand_exceeds_the_tangent(excess):
    """At t = p/q, times q: the excess $q f(p/q) - a (p - q)$ is non-negative at every point."""
    a, t, f_t, p, q = z3.Reals("a t f(t) p q")
    given = [t >= 0, f_t >= a * (t - 1), q > 0, p == t * q]
    return Valid(excess(q * f_t, p, q, a) >= 0, given=given)


@theorem.proof(scope="all densities; linearity and monotony of the integral by hand; D = +inf is no exception")
def divergence_is_nonnegative(margin, mass_of_q, mass_of_p_where_q_lives):
    """Integrated over {q > 0}, D = E + a (mass of p there - mass of q), where E >= 0 is the integral of the excess."""
    a, E_pq, E_qp, D_pq, D_qp = z3.Reals("a E_pq E_qp D_pq D_qp")
    difference = rational(mass_of_p_where_q_lives - mass_of_q)
    given = [E_pq >= 0, E_qp >= 0, D_pq == E_pq + a * difference, D_qp == E_qp + a * difference]
    values = {("p", "q"): D_pq, ("q", "p"): D_qp}
    return Valid(margin(lambda p, q: values[p, q], "p", "q") >= 0, given=given)


@theorem.proof(scope="the seven generators of the examples, all t > 0; a maximum of convex functions is convex")
def examples_are_convex(fs):
    """The second derivative of each smooth piece is non-negative, and a maximum keeps below the chords' maximum."""
    u, v, m, ends = z3.Reals("piece_at_u piece_at_v piece_at_midpoint chord")
    kept = Valid(m <= ends, given=[2 * m <= u + v, 2 * ends >= u + v])  # each piece, where both ends are larger
    pieces = {f"{f.name}, piece {i}": piece for f in fs for i, piece in enumerate(f.pieces)}
    claims = {
        name: sp.Ge(sp.factor(sp.simplify(sp.diff(piece, t, 2))), 0, evaluate=False) for name, piece in pieces.items()
    }
    return {"a maximum": kept, **claims}


@theorem.pathwise(scope="60 random pairs of rationals 0 < p, q <= 100, and one with p = 0; seven generators")
def excess_at_random_points(fs, excess, rng):
    """With a the slope of f at 1 (at a kink, the mean of both), the excess is at least 0 at single points, enclosed."""
    numbers = [(0, 1, 1, 2), *rng.integers(1, 100, (60, 4)).tolist()]
    with precision(200):
        for f in fs:
            a = number(f.slope_at_one)
            for i, j, k, m in numbers:
                if i * m != j * k:
                    p, q = ball(Fraction(i, j)), ball(Fraction(k, m))
                    value = q * f.in_balls(p / q if i else p)
                    yield EnclosureAtLeast(excess(value, p, q, a), 0, f"{f.name}, p = {i}/{j}, q = {k}/{m}")


@theorem.pathwise(scope="25 random pairs of exact tables of 2 to 30 cells, empty ones included; seven generators")
def divergence_of_random_tables(fs, margin, mass_of_q, mass_of_p_where_q_lives, rng):
    """For finite distributions the sum of q f(p/q), enclosed to 200 bits, is non-negative."""
    with precision(200):
        for _ in range(25):
            p, q = tables(rng.numpy)
            left, right = p * fraction(mass_of_p_where_q_lives), q * fraction(mass_of_q)
            for f in fs:
                value = margin(lambda a, b, f=f: f_divergence_in_balls(f, a, b), left, right)
                yield EnclosureAtLeast(value, 0, f"{f.name}, p = {text(left)}, q = {text(right)}")


@theorem.pathwise(scope="densities proportional to 1 + ax on [0, 1], a = 0, 3, -9/10; the smooth generators")
def divergence_by_rigorous_integral(fs, margin, mass_of_q, mass_of_p_where_q_lives):
    """For continuous densities the integral, enclosed with its own error bound, is non-negative."""
    masses = ball(mass_of_p_where_q_lives), ball(mass_of_q)
    for f in (f for f in fs if len(f.pieces) == 1):
        D = {(a, b): integrated(f, a, b, *masses) for a, b in itertools.permutations(SLOPES, 2)}
        for pair in D:
            value = margin(lambda a, b, D=D: D[a, b], *pair)
            yield EnclosureAtLeast(value, 0, f"{f.name}, slopes {pair[0]} and {pair[1]}")


@theorem.monte_carlo(scope="Y of density 1 + bx, X of density 1 + ax (normalised) on [0, 1], a = 1, b = -1/2", weight=2)
def mean_over_Y(fs, margin, mass_of_q, mass_of_p_where_q_lives):
    """The average of f(p_X(Y)/p_Y(Y)) over simulated Y is non-negative, for each generator."""
    masses = float(mass_of_p_where_q_lives), float(mass_of_q)
    return {f.name: simulated(f, margin, Fraction(1), Fraction(-1, 2), *masses) for f in fs}


@theorem.picture
def supporting_lines():
    """Three generators and their supporting lines at 1, whose slopes a are f'(1) or, at a kink, any in between."""
    at = [k / 40 for k in range(1, 121)]
    points = torch.tensor(at, dtype=torch.float64)
    kl, reverse, *_, variation, _ = GENERATORS
    curves = [Curve(f.name, at, f.in_floats(points).tolist()) for f in (kl, reverse, variation)]
    curves += [Curve(f"{a} (t - 1)", at, [a * (x - 1) for x in at], style="dots") for a in (1, -1, 0.25)]
    return Curves("Convex functions with f(1) = 0 and lines that support them at 1", "t", "f(t)", curves)


def tables(generator):
    """Two exact distributions on the same cells: p with empty cells, q anywhere or close to p; never equal."""
    while True:
        cells = int(generator.integers(2, 31))
        p, q = (random_distribution(generator, cells, zeros=zeros) for zeros in (0.2, 0.0))
        q = p + Fraction(1, int(generator.choice([1, 10, 1000]))) * (q - p)
        if (p != q).any():
            return p, q


def fraction(number):
    """An exact number of SymPy for tables of Fractions."""
    exact = sp.Rational(number)
    return Fraction(int(exact.p), int(exact.q))


def text(table):
    """A table to be read back."""
    return "[" + ", ".join(map(str, table)) + "]"


def affine(slope, x, mass):
    """The density proportional to 1 + slope x on [0, 1], times a mass."""
    return mass * (1 + ball(slope) * x) / (1 + ball(slope) / 2)


def integrated(f, a, b, mass_p, mass_q):
    """The integral over [0, 1] of q f(p/q) for the affine densities of slopes a and b."""

    def integrand(x, analytic):
        q = affine(b, x, mass_q)
        return q * f.analytic(affine(a, x, mass_p) / q, analytic)

    return integral(integrand, 0, 1)


def simulated(f, margin, a, b, mass_p, mass_q):
    """Claim: the margin of the simulated divergences is non-negative.

    A draw of slope c solves F(x) = (x + c x^2 / 2)/(1 + c/2) = u in a form that does not cancel. The ratio of the
    densities is monotone in x, so that its values, and by enclosure those of f, lie between those of the end points.
    """

    def density(c, x):
        return (1 + float(c) * x) / (1 + float(c) / 2)

    def draw(rng, n):
        u = rng.uniform(n)

        def D(p, q):
            c = float(q)
            x = 2 * u * (1 + c / 2) / (1 + torch.sqrt(1 + 2 * c * u * (1 + c / 2)))
            return mass_q * f.in_floats(mass_p * density(p, x) / (mass_q * density(q, x)))

        return margin(D, a, b)

    ratios = [density(p, x) / density(q, x) * mass_p / mass_q for p, q in ((a, b), (b, a)) for x in (0.0, 1.0)]
    steps = torch.linspace(min(ratios) * 0.999, max(ratios) * 1.001, 201, dtype=torch.float64).tolist()
    largest = max(float(abs(f.in_balls(ball(lo).union(ball(hi)))).upper()) for lo, hi in itertools.pairwise(steps))
    return PairedInequality(draw, scale=1.0, support=(-2 * mass_q * largest - 0.02, 2 * mass_q * largest + 0.02))


def concave(f_s: Any, f_1: Any, f_t: Any, s: Any, t: Any) -> Any:
    """The chord passes below (1, f(1))."""
    return f_1 * (t - s) >= f_s * (t - 1) + f_t * (1 - s)


def convex_near_one(f_s: Any, f_1: Any, f_t: Any, s: Any, t: Any) -> Any:
    """Only chords that end below 2 are known to pass above."""
    return z3.Implies(t < 2, convex(f_s, f_1, f_t, s, t))


def pointwise(value: Any, p: Any, q: Any, a: Any) -> Any:
    """The integrand itself."""
    return value


def above_a_threshold(D: Callable[[Any, Any], Any], p: Any, q: Any) -> Any:
    """D exceeds 1/128, which is the same number for Z3, in balls and in floats."""
    return D(p, q) - 1 / 128


def symmetric(D: Callable[[Any, Any], Any], p: Any, q: Any) -> Any:
    """D(p, q) is at least D(q, p), for all p and q: then they are equal."""
    return D(p, q) - D(q, p)


shifted = Generator("t log t - 1/100", (t * sp.log(t) - sp.Rational(1, 100),), -sp.Rational(1, 100), sp.oo)
root = Generator("sqrt(t) - 1, concave", (sp.sqrt(t) - 1,), -sp.Integer(1), sp.Integer(0))
quartic = (t - 1) ** 2 - (t - 1) ** 4 / 8
bending = Generator("(t - 1)^2 - (t - 1)^4/8", (quartic,), sp.Rational(7, 8), -sp.oo)

theorem.false_if("f(1) = -1/100", f_at_one=-sp.Rational(1, 100), fs=(shifted,), drops="f_vanishes_at_one")
theorem.false_if("f is concave", chord=concave, fs=(root,), drops="f_is_convex")
theorem.false_if("f is convex near 1 only", chord=convex_near_one, fs=(bending,), drops="f_is_convex")
theorem.false_if("the density of Y has the mass 2", mass_of_q=sp.Integer(2), drops="q_is_normalised")
theorem.false_if(
    "half of X lies where the density of Y vanishes, and the integral leaves that part out",
    mass_of_p_where_q_lives=sp.Rational(1, 2),
    drops="p_is_normalised_and_lives_where_q_does",
)
theorem.false_if("the integrand is non-negative at every point", excess=pointwise)
theorem.false_if("the divergence is always at least 1/128", margin=above_a_threshold)
theorem.false_if("every f-divergence is symmetric", margin=symmetric)
