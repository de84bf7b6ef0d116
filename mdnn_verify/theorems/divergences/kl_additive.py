r"""For independent components the Kullback-Leibler divergence is the sum over the components.

Let $X = (X_1, \dots, X_d)$ have independent components with densities $f_i$, and $Y = (Y_1, \dots, Y_d)$ likewise with
$g_i$. Then

$$D(X \| Y) = D(X_1 \| Y_1) + \dots + D(X_d \| Y_d),$$

where both sides may be $+\infty$. The logarithm turns the ratio of the two products into a sum; in each term all the
other coordinates are integrated out and leave a factor 1. By hand: Fubini's theorem, which applies because the negative
part of $f_i \log(f_i / g_i)$ is integrable (divergences/kl_nonnegative), so that no term is $-\infty$.

To say what dependence would change, a joint density is written as the product of its marginal densities and a copula
density $c(h_1, \dots, h_d)$, where $h_i$ is a function of the $i$-th coordinate with values in $[-1, 1]$ and mean 0:
independence is $c = 1$, and $c = 1 + h_1 h_2 / 2$ keeps every marginal density as it is.

Source: seed 000, Problem 4(b); solutions in seeds 001 and 003.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
import torch
import z3

from mdnn_verify.engines.intervals import EnclosureEquals, integral, precision
from mdnn_verify.engines.montecarlo import BoundedMean
from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import ball, kl, kl_in_balls, kl_rounding_bound, random_distribution
from mdnn_verify.theorem import Theorem


def independent(h: Sequence[Any]) -> Any:
    """The copula density of independent components."""
    return 1


def dependent(h: Sequence[Any]) -> Any:
    """A copula density that leaves every marginal as it is and makes two components dependent."""
    return 1 + h[0] * h[1] / 2


def summed(divergences: Sequence[Any]) -> Any:
    """The sum, of numbers, balls, symbols or tables alike."""
    return functools.reduce(operator.add, divergences)


def multiplied(divergences: Sequence[Any]) -> Any:
    """The product, of numbers, balls, symbols or tables alike."""
    return functools.reduce(operator.mul, divergences)


def averaged(divergences: Sequence[Any]) -> Any:
    """The mean over the components."""
    return summed(divergences) / len(divergences)


theorem = Theorem(
    statement=r"X_1,\dots,X_d\ \text{independent},\ Y_1,\dots,Y_d\ \text{independent}"
    r"\ \Rightarrow\ D(X\,\|\,Y)=\sum_{i=1}^{d} D(X_i\,\|\,Y_i)",
    given={"copula_x": independent, "copula_y": independent, "total": summed},
    uses=("divergences/kl_nonnegative",),
)


@theorem.hypothesis
def components_of_x_are_independent(copula_x):
    """The copula density of X is 1 at every corner of [-1, 1]^3, so everywhere, being affine in each h_i."""
    return _is_one(copula_x)


@theorem.hypothesis
def components_of_y_are_independent(copula_y):
    """The copula density of Y is 1 at every corner of [-1, 1]^3, so everywhere, being affine in each h_i."""
    return _is_one(copula_y)


@theorem.proof(scope="every point where all densities are positive, d = 2, ..., 6 (any d by induction, below)")
def log_ratio_is_a_sum(copula_x, copula_y):
    """The log ratio of the joint densities is the sum of the log ratios of the marginal densities."""
    for d in range(2, 7):
        f, g, h, k = (sp.symbols(f"{letter}1:{d + 1}", positive=True) for letter in "fghk")
        h, k = ([w / (1 + w) for w in row] for row in (h, k))  # in (0, 1)
        joint = multiplied(f) * copula_x(h) / (multiplied(g) * copula_y(k))
        yield Equal(sp.expand_log(sp.log(joint)), sum(sp.log(a) - sp.log(b) for a, b in zip(f, g, strict=True)))


@theorem.proof(scope="all densities with finite divergences, d = 2, ..., 6 (any d by the next step); Fubini by hand")
def other_coordinates_integrate_to_one(total):
    """Each term f_1 ... f_d L_i, L_i = log(f_i/g_i), is a product of integrals over one coordinate each."""
    for d in range(2, 7):
        f, L = sp.symbols(f"f1:{d + 1}"), sp.symbols(f"L1:{d + 1}")
        divergences = sp.symbols(f"D1:{d + 1}", positive=True)
        integrals = {f[i]: sp.Integer(1) for i in range(d)} | {f[i] * L[i]: divergences[i] for i in range(d)}
        yield Equal(_integrated(multiplied(f) * sum(L), f, L, integrals), total(divergences))


@theorem.proof(scope="any d: X = ((X_1, ..., X_n), X_n+1) has two independent components, the first of them a block")
def one_more_component(total):
    """If the divergence of n components is the total, so is that of n + 1, by the case d = 2; it is so for n = 1."""
    block, one, both = z3.Reals("D_of_block D_of_X_n+1 D_of_both")
    claimed, *several = z3.Reals("total_of_n D_1 D_2 D_3 D_4")
    return {
        "n = 1": Valid(total([one]) == one),
        "the total grows by one step": Valid(total(several) == total([total(several[:-1]), several[-1]])),
        "n to n + 1": Valid(both == total([claimed, one]), given=[block == claimed, both == block + one]),
    }


@theorem.proof(scope="all distributions on 2 x 2, 2 x 3 and 2 x 2 x 2 cells with positive probabilities")
def sums_of_tables(copula_x, copula_y, total):
    """On finite tables the sum is carried out in full, with every marginal probability a normalised positive symbol."""
    for sizes in ((2, 2), (2, 3), (2, 2, 2)):
        p, q = (_symbolic_marginals(letter, sizes) for letter in "pq")
        joint_p, joint_q = _joint(p, copula_x), _joint(q, copula_y)
        parts = [_kl_of_symbols(a, b) for a, b in zip(p, q, strict=True)]
        yield Equal(_kl_of_symbols(joint_p, joint_q), total(parts))


@theorem.pathwise(scope="30 random products of 2 to 4 exact tables with 1 to 4 cells each, empty cells included")
def exact_tables_enclosed(copula_x, copula_y, total, rng):
    """For exact product tables the enclosure of the joint divergence meets the total of the marginal ones to 1e-40."""
    for p, q in _random_products(rng.numpy, 30):
        with precision(200):
            joint = kl_in_balls(_joint(p, copula_x).flat, _joint(q, copula_y).flat)
            parts = [kl_in_balls(a, b) for a, b in zip(p, q, strict=True)]
            yield EnclosureEquals(joint, total(parts), _text(p, q), within=1e-40)


@theorem.pathwise(scope="60 random products of 2 to 4 tables with 1 to 4 cells each; every fifth has D = +inf")
def computed_tables(copula_x, copula_y, total, rng):
    """The package's divergence of the joint table is the total of the exact marginal ones up to its rounding bound."""
    for index, (p, q) in enumerate(_random_products(rng.numpy, 60)):
        if index % 5 == 0:
            q[0], p[0] = np.array([Fraction(0), Fraction(1)]), np.array([Fraction(1, 3), Fraction(2, 3)])
        joint = _joint(p, copula_x).astype(float), _joint(q, copula_y).astype(float)
        with precision(200):
            expected = float(total([kl_in_balls(a, b) for a, b in zip(p, q, strict=True)]))
        bound = kl_rounding_bound(*joint, input_error=2.0**-53)
        bound += 2.0**-52 * abs(expected) if math.isfinite(expected) else 0.0
        yield Residual(kl(*joint), expected, bound, at={"marginals": _text(p, q)})


@theorem.monte_carlo(scope="d = 3: densities on [0, 1] proportional to 1 + ax, a = 3, -1/2, 1 against -1/2, 2, -3/4")
def log_ratio_of_densities(copula_x, copula_y, total):
    """The mean of log f(X)/g(X) over X ~ f is the total of the one-dimensional integrals, which are enclosed.

    X is drawn from the product of its marginals and weighted by its copula density, which lies in [1/2, 3/2].
    """
    slopes = [(Fraction(3), Fraction(-1, 2)), (Fraction(-1, 2), Fraction(2)), (Fraction(1), Fraction(-3, 4))]

    def draw(rng, n):
        u = rng.uniform((3, n))
        x = [_quantile(u[i], a) for i, (a, _) in enumerate(slopes)]
        weight = copula_x([2 * row - 1 for row in u])
        c_y = copula_y([2 * _cdf(x[i], b) - 1 for i, (_, b) in enumerate(slopes)])
        log_ratio = sum(torch.log(_density(x[i], a) / _density(x[i], b)) for i, (a, b) in enumerate(slopes))
        return weight * (log_ratio + torch.log(weight / c_y * torch.ones_like(log_ratio)))

    # a ratio of affine functions is monotone, so the ends bound it; copula densities differ by a factor 3 at most
    ratios = [abs(math.log(_density(x, a) / _density(x, b))) for a, b in slopes for x in (0, 1)]
    reach = 1.5 * (sum(max(ratios[2 * i : 2 * i + 2]) for i in range(3)) + math.log(3)) + 1e-9
    expected = total([_divergence_of_affine(a, b) for a, b in slopes])
    return BoundedMean(draw, float(expected), -reach, reach, scale=1.0)


def _is_one(copula):
    corners = itertools.product([sp.Integer(-1), sp.Integer(1)], repeat=3)
    return sp.And(*(sp.Eq(sp.sympify(copula(corner)), 1) for corner in corners))


def _integrated(integrand, f, L, integrals):
    """Fubini on a polynomial: every monomial is the product of its factors' integrals over their own coordinate."""
    result = sp.Integer(0)
    for powers, coefficient in sp.Poly(integrand, *f, *L).terms():
        factors = [f[i] ** powers[i] * L[i] ** powers[len(f) + i] for i in range(len(f))]
        result += coefficient * multiplied([integrals[factor] for factor in factors])
    return result


def _joint(marginals, copula):
    """The table of the product of the marginals times the copula density at h_i = [first cell] - (its probability)."""
    d = len(marginals)
    shapes = [tuple(-1 if j == i else 1 for j in range(d)) for i in range(d)]
    features = [np.array([1 - row[0]] + [-row[0]] * (len(row) - 1), dtype=object) for row in marginals]
    grids = [np.asarray(row, dtype=object).reshape(shape) for row, shape in zip(marginals, shapes, strict=True)]
    return multiplied(grids) * copula([h.reshape(shape) for h, shape in zip(features, shapes, strict=True)])


def _symbolic_marginals(letter, sizes):
    weights = [sp.symbols(f"{letter}{i}_1:{n + 1}", positive=True) for i, n in enumerate(sizes)]
    return [np.array([w / sum(row) for w in row], dtype=object) for row in weights]


def _kl_of_symbols(p, q):
    return sum(a * sp.expand_log(sp.log(a / b)) for a, b in zip(np.ravel(p), np.ravel(q), strict=True))


def _random_products(generator, count):
    """Pairs of lists of exact marginals; q is empty only where p is, so that the divergences are finite."""
    for _ in range(count):
        sizes = generator.integers(1, 5, int(generator.integers(2, 5)))
        sizes[:2] = np.maximum(sizes[:2], 2)
        p = [random_distribution(generator, int(n), zeros=0.15) for n in sizes]
        yield p, [_supported(random_distribution(generator, len(row)), row, generator) for row in p]


def _supported(q, p, generator):
    """q with some of the cells emptied that are empty in p, normalised again."""
    kept = np.where((p == 0) & (generator.uniform(size=len(p)) < 0.5), Fraction(0), q)
    return kept / kept.sum()


def _text(p, q):
    def listed(rows):
        return " x ".join("[" + ", ".join(map(str, row)) + "]" for row in rows)

    return f"p = {listed(p)}, q = {listed(q)}"


def _density(x, a):
    return (1 + float(a) * x) / (1 + float(a) / 2)


def _cdf(x, a):
    return (x + float(a) * x * x / 2) / (1 + float(a) / 2)


def _quantile(u, a):
    """The root in [0, 1] of x + a x^2/2 = u (1 + a/2)."""
    return (torch.sqrt(1 + float(a) * (2 + float(a)) * u) - 1) / float(a)


def _divergence_of_affine(a, b):
    """The integral over [0, 1] of f log(f/g) for f, g proportional to 1 + ax, 1 + bx, enclosed."""

    def integrand(x, analytic):
        f, g = ((1 + ball(slope) * x) / (1 + ball(slope) / 2) for slope in (a, b))
        return f * (f / g).log(analytic=analytic)

    return integral(integrand, 0, 1)


theorem.false_if("the components of X are dependent", copula_x=dependent, drops="components_of_x_are_independent")
theorem.false_if("the components of Y are dependent", copula_y=dependent, drops="components_of_y_are_independent")
theorem.false_if("the divergences multiply", total=multiplied)
theorem.false_if("the divergence is the average over the components", total=averaged)
