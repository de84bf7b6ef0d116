r"""The Kullback-Leibler divergence of two Gaussian distributions has a closed form.

For positive definite $S_0, S_1 \in R^{d \times d}$, any means $m_0, m_1 \in R^d$ and any $d \ge 1$,

$$D(N(m_0, S_0) \| N(m_1, S_1)) \quad = \tfrac12 \left( \operatorname{tr}(S_1^{-1} S_0) +
(m_1 - m_0)^\top S_1^{-1} (m_1 - m_0) - d + \log \frac{\det S_1}{\det S_0} \right).$$

By definition $D$ is the mean, over $X \sim N(m_0, S_0)$, of the log ratio of the densities. That is a quadratic
polynomial in $X$, so its mean follows from $E[X] = m_0$ and $E[(X - m_0)(X - m_0)^\top] = S_0$ alone. The checks below
never start from the closed form: they take that mean exactly (by moments), enclose it as an integral, and estimate it
by sampling.

Source: seed 000, Problem 5; solutions in seeds 001 and 003.
"""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import numpy as np
import sympy as sp

from mdnn_verify.engines.intervals import EnclosureEquals, gaussian_tail, integral, precision
from mdnn_verify.engines.montecarlo import KnownCGFMean
from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import ball
from mdnn_verify.maths.gaussian import (
    GaussianPair,
    ball_pair,
    exact_pair,
    kl_divergence,
    kl_rounding_bound,
    log_density,
    log_ratio_cgf,
    sample,
)  # fmt: skip
from mdnn_verify.pictures import Surface
from mdnn_verify.theorem import Theorem


def closed_form(N: GaussianPair):
    """N.trace(i, j) = tr(S_i^-1 S_j), N.quadratic(i) = (m_1 - m_0)' S_i^-1 (m_1 - m_0), N.log_det(i) = log det S_i."""
    return (N.trace(1, 0) + N.quadratic(1) - N.d + N.log_det(1) - N.log_det(0)) / 2


theorem = Theorem(
    statement=r"D(\mathcal{N}(\mu_0,\Sigma_0)\,\|\,\mathcal{N}(\mu_1,\Sigma_1))=\frac12\left(\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)"
    r"+(\mu_1-\mu_0)^\top\Sigma_1^{-1}(\mu_1-\mu_0)-d+\log\frac{\det\Sigma_1}{\det\Sigma_0}\right)",
    given={"divergence": closed_form},
    uses=("divergences/kl_additive",),
)


@theorem.hypothesis
def covariances_are_positive_definite():
    """S = L L', L lower triangular with a positive diagonal, has positive leading minors: it is positive definite."""
    S = _triangular("a", 3) * _triangular("a", 3).T
    return sp.And(*(sp.Gt(sp.factor(S[:k, :k].det()), 0, evaluate=False) for k in range(1, 4)), evaluate=False)


@theorem.proof(scope="the standard normal density on the line")
def moments_of_the_standard_normal():
    """The integrals of phi(z), z phi(z) and z^2 phi(z) over the line are 1, 0 and 1."""
    z = sp.Symbol("z", real=True)
    density = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)
    return [Equal(sp.integrate(z**k * density, (z, -sp.oo, sp.oo)), moment) for k, moment in enumerate((1, 0, 1))]


@theorem.proof(scope="d = 1, 2, 3, generic m and L; the change of variables in the integral is by hand")
def density_and_moments_by_whitening():
    """X = m + Lz, z standard normal, has -log f = (d log 2pi + log det S + (X-m)' S^-1 (X-m))/2 with S = L L'."""
    for d in (1, 2, 3):
        L, z = _triangular("a", d), sp.Matrix(sp.symbols(f"z1:{d + 1}", real=True))
        N = exact_pair([0] * d, L * L.T, [0] * d, L * L.T, inverses=(_inverse(L), _inverse(L)))
        by_formula = d * sp.log(2 * sp.pi) + N.log_det(0) + N.form(0, L * z)
        by_substitution = sum(sp.log(2 * sp.pi) + z[i] ** 2 + 2 * sp.log(L[i, i]) for i in range(d))
        yield Equal(by_formula, by_substitution)


@theorem.proof(scope="d = 1, 2, 3, generic means and covariances (Cholesky factors)")
def mean_of_the_log_ratio(divergence):
    """The mean of log f_0(X)/f_1(X), quadratic in y = X - m_0, by E[y] = 0 and E[yy'] = S_0 is the claim."""
    for d in (1, 2, 3):
        N = _generic_pair(d)
        yield Equal(_mean_of_log_ratio(N), divergence(N))


@theorem.proof(scope="10 random exact rational instances, d = 1, ..., 8, full covariances; log det S_i left formal")
def mean_of_the_log_ratio_of_rational_instances(divergence, rng):
    """The same mean, in exact rational arithmetic, for instances of higher dimension."""
    for d in (1, 2, 3, 4, 4, 5, 5, 6, 7, 8):
        N = exact_pair(*_rational_instance(rng.numpy, d)[:4], log=lambda det: sp.Symbol(f"log({det})", real=True))
        yield Equal(_mean_of_log_ratio(N), divergence(N))


@theorem.proof(scope="any d, for diagonal S_0 and S_1, by induction from d = 1")
def one_more_coordinate(divergence):
    """The claim adds up over independent coordinates, as the divergence does (divergences/kl_additive).

    For any d that is enough: an affine map makes both covariances diagonal at once, and changes neither side (by hand:
    traces are cyclic, determinants multiply, densities transform alike).
    """
    many, one = _Diagonal("n", sp.Symbol("n", integer=True, positive=True)), _Diagonal("1", sp.Integer(1))
    return Equal(divergence(many + one), divergence(many) + divergence(one))


@theorem.pathwise(scope="d = 1, eight pairs: equal, shifted, wide, narrow, far apart (standard deviations 1/10 to 20)")
def divergence_by_rigorous_integral(divergence):
    """The integral of f_0 log(f_0/f_1), enclosed over 12 standard deviations and bounded beyond, holds the claim."""
    spreads = [(0, 1, 0, 1), (0, 1, 2, 1), (1, 2, 0, 1), (0, 1, 0, 3), (0, 1, -1, 20), (3, 1, 0, Fraction(1, 2)),
               (0, Fraction(1, 10), Fraction(1, 7), Fraction(1, 3)), (-2, 5, 4, 7)]  # fmt: skip
    for m0, s0, m1, s1 in spreads:
        with precision(128):
            N = ball_pair([m0], [[s0 * s0]], [m1], [[s1 * s1]])
            at = f"N({m0}, {s0}^2) against N({m1}, {s1}^2)"
            yield EnclosureEquals(_integrated(*map(ball, (m0, s0, m1, s1))), divergence(N), at, within=1e-10)


@theorem.pathwise(scope="30 random exact pairs, d = 1, ..., 8, enclosed to 1e-40")
def mean_by_cubature(divergence, rng):
    """The mean of a quadratic polynomial is its average over the 2d points m_0 +- sqrt(d) B e_i, where B B' = S_0."""
    for index in range(30):
        m0, S0, m1, S1, B = _rational_instance(rng.numpy, 1 + index % 8)
        with precision(256):
            N, root = ball_pair(m0, S0, m1, S1), flint.arb(len(m0)).sqrt()
            steps = [flint.arb_mat([[ball(row[i]) * root] for row in B]) for i in range(N.d)]
            values = [N.log_ratio(N.means[0] + step) + N.log_ratio(N.means[0] - step) for step in steps]
            mean = sum(values, flint.arb(0)) / (2 * N.d)
            yield EnclosureEquals(mean, divergence(N), _text(m0, S0, m1, S1), within=1e-40)


@theorem.pathwise(scope="16 random exact pairs, d = 1, ..., 8, each under a random affine map, enclosed to 1e-40")
def unchanged_by_affine_maps(divergence, rng):
    """Mapping both distributions by x -> Ax + b leaves the divergence as it is, so the claim must not change either."""
    for index in range(16):
        m0, S0, m1, S1, _ = _rational_instance(rng.numpy, 1 + index % 8)
        b, _, _, _, A = _rational_instance(rng.numpy, len(m0))
        shifted = [[x + y for x, y in zip(_times(A, m), b, strict=True)] for m in (m0, m1)]
        turned = [_product(_product(A, S), A) for S in (S0, S1)]  # A S A'
        with precision(256):
            before = divergence(ball_pair(m0, S0, m1, S1))
            after = divergence(ball_pair(shifted[0], turned[0], shifted[1], turned[1]))
        yield EnclosureEquals(after, before, f"{_text(m0, S0, m1, S1)}, A = {_fractions(A)}", within=1e-40)


@theorem.pathwise(scope="50 random pairs of float64 inputs, d = 1, ..., 24, correlations of condition up to about 1e7")
def computed_divergence(divergence, rng):
    """The package's own divergence, by Cholesky factors, is the claim up to a rounding bound that knows the condition.

    Both are divided by the power of 2 next above max(1, claim), which is exact, so the bound printed is a relative one.
    """
    for index in range(50):
        inputs = _float_instance(rng.numpy, 1 + index % 24)
        with precision(256):
            expected = float(divergence(ball_pair(*(part.tolist() for part in inputs))))
        unit = 2.0 ** math.ceil(math.log2(max(1.0, abs(expected))))
        bound = (kl_rounding_bound(*inputs) + 2.0**-52 * abs(expected)) / unit
        at = dict(zip(("mu0", "cov0", "mu1", "cov1"), inputs, strict=True))
        yield Residual(kl_divergence(*inputs) / unit, expected / unit, bound, at)


@theorem.monte_carlo(scope="one pair each for d = 1, 3 and 6, with full covariances")
def mean_of_sampled_log_ratios(divergence):
    """The mean of log f_0(X)/f_1(X) over X ~ N(m_0, S_0), whose generating function is known, is the claim."""
    return {f"d = {d}": _sampled(divergence, d) for d in (1, 3, 6)}


@theorem.picture
def divergence_from_the_standard_normal(divergence):
    """D(N(0, 1) || N(mu, sigma^2)) is 0 at mu = log sigma = 0 only, and steeper towards small sigma than large."""
    means, logs = [i / 10 for i in range(-20, 21)], [i / 20 for i in range(-20, 31)]
    values = [[float(divergence(ball_pair([0], [[1]], [m], [[math.exp(2 * s)]]))) for m in means] for s in logs]
    return Surface("D(N(0, 1) || N(mu, sigma^2)) in nats", "mu", "log sigma", "nats", means, logs, values)


class _Diagonal:
    """A Gaussian pair of dimension ``d`` with diagonal covariances, known by the sums over its coordinates."""

    def __init__(self, name, d, sums=None):
        self.d = d
        keys = ["tr_01", "tr_10", "quad_0", "quad_1", "log_det_0", "log_det_1"]
        self.sums = sums or {key: sp.Symbol(f"{key}_{name}", real=True) for key in keys}

    def trace(self, i, j):
        return self.sums[f"tr_{i}{j}"] if i != j else self.d

    def quadratic(self, i):
        return self.sums[f"quad_{i}"]

    def log_det(self, i):
        return self.sums[f"log_det_{i}"]

    def __add__(self, other):
        return _Diagonal("", self.d + other.d, {key: self.sums[key] + other.sums[key] for key in self.sums})


def _triangular(name, d):
    """A generic lower triangular matrix with a positive diagonal."""

    def entry(i, j):
        return sp.Symbol(f"{name}{i + 1}{j + 1}", positive=i == j or None, real=True) if j <= i else sp.Integer(0)

    return sp.Matrix(d, d, entry)


def _inverse(L):
    """(L L')^-1 from the inverse of a triangular L."""
    inverse = L.lower_triangular_solve(sp.eye(L.rows))
    return inverse.T * inverse


def _generic_pair(d):
    means = [sp.Matrix(sp.symbols(f"{letter}1:{d + 1}", real=True)) for letter in "mn"]
    L0, L1 = _triangular("a", d), _triangular("b", d)
    return exact_pair(means[0], L0 * L0.T, means[1], L1 * L1.T, inverses=(_inverse(L0), _inverse(L1)))


def _mean_of_log_ratio(N):
    """E log f_0(X)/f_1(X) by the moments of y = X - m_0; a monomial of degree 3 or more would be a KeyError."""
    y = sp.Matrix(sp.symbols(f"y1:{N.d + 1}", real=True))
    S0, units = N.covariances[0], np.eye(N.d, dtype=int)
    moments = {(0,) * N.d: sp.Integer(1)} | {tuple(units[i]): sp.Integer(0) for i in range(N.d)}
    moments |= {tuple(units[i] + units[j]): S0[i, j] for i in range(N.d) for j in range(N.d)}
    polynomial = sp.Poly(N.log_ratio(N.means[0] + y), *y)
    return sum(coefficient * moments[powers] for powers, coefficient in polynomial.terms())


def _rational_instance(generator, d):
    """m_0, S_0, m_1, S_1 and a B with B B' = S_0; small Fractions, B diagonally dominant, so invertible."""

    def matrix():
        rows = [[Fraction(int(k), 3) for k in row] for row in generator.integers(-3, 4, (d, d))]
        for i in range(d):
            rows[i][i] = Fraction(int(generator.integers(1, 4))) + sum(abs(x) for x in rows[i])
        return rows

    B, C = matrix(), matrix()
    means = [[Fraction(int(k), 2) for k in generator.integers(-9, 10, d)] for _ in range(2)]
    return means[0], _product(B, B), means[1], _product(C, C), B


def _float_instance(generator, d):
    """Means and covariances of very different scales, with correlations that come close to 1."""

    def covariance():
        root = generator.normal(size=(d, d)) * np.exp(generator.normal(size=(d, 1)))
        product = root @ root.T
        product += np.diag(np.diag(product)) * 10.0 ** -generator.integers(0, 7)
        return (product + product.T) / 2

    return generator.normal(size=d), covariance(), generator.normal(size=d), covariance()


def _product(A, B):
    """A B' for nested lists."""
    return [_times(B, row) for row in A]


def _times(A, v):
    return [sum(a * x for a, x in zip(row, v, strict=True)) for row in A]


def _text(*instance):
    names = ("m_0", "S_0", "m_1", "S_1")
    return ", ".join(f"{name} = {_fractions(value)}" for name, value in zip(names, instance, strict=True))


def _fractions(value):
    return "[" + ", ".join(map(_fractions, value)) + "]" if isinstance(value, list) else str(value)


def _integrated(m0, s0, m1, s1):
    """An enclosure of the integral of f_0 log(f_0/f_1) over the line, x = m0 + s0 z, split at |z| = 12.

    The log ratio is c_0 + c_1 z + c_2 z^2. With Q = P(z > T), the integrals of phi, z phi and z^2 phi beyond T are Q,
    phi(T) and T phi(T) + Q; both sides together add at most 2 (|c_0| Q + |c_1| phi(T) + |c_2| (T phi(T) + Q)).
    """
    T, two_pi = flint.arb(12), 2 * flint.arb.pi()

    def log_normal(x, m, s):
        return -(((x - m) / s) ** 2) / 2 - (two_pi * s * s).log() / 2

    def integrand(x, _):
        return log_normal(x, m0, s0).exp() * (log_normal(x, m0, s0) - log_normal(x, m1, s1))

    ratio, shift = s0 / s1, (m0 - m1) / s1
    c = (abs((s1 / s0).log()) + shift**2 / 2, abs(shift * ratio), abs(ratio**2 - 1) / 2)
    tail, density = gaussian_tail(T), (-T * T / 2).exp() / two_pi.sqrt()
    rest = 2 * (c[0] * tail + c[1] * density + c[2] * (T * density + tail))
    return integral(integrand, m0 - T * s0, m0 + T * s0) + flint.arb(0, rest.upper())


def _sampled(divergence, d):
    """A fixed pair whose log ratio has a standard deviation of about 1."""
    i = np.arange(d)
    mu0, mu1 = np.zeros(d), np.where(i % 2 == 0, 1.0, -0.5) / math.sqrt(d)
    cov0 = np.diag(1.0 + i / (2 * d)) + 0.3
    cov1 = np.diag(1.5 - i / (2 * d)) + np.where((i[:, None] + i) % 2 == 0, 0.3, 0.1)
    inputs = mu0, cov0, mu1, cov1

    def draw(rng, n):
        x = sample(rng, n, mu0, cov0)
        return log_density(x, mu0, cov0) - log_density(x, mu1, cov1)

    claimed = float(divergence(ball_pair(*(part.tolist() for part in inputs))))
    return KnownCGFMean(draw, claimed, log_ratio_cgf(*inputs), scale=1.0)


def arguments_swapped(N):
    """D(N_1 || N_0)."""
    return (N.trace(0, 1) + N.quadratic(0) - N.d + N.log_det(0) - N.log_det(1)) / 2


def not_halved(N):
    """Twice the closed form."""
    return N.trace(1, 0) + N.quadratic(1) - N.d + N.log_det(1) - N.log_det(0)


def without_d(N):
    """The closed form without -d."""
    return (N.trace(1, 0) + N.quadratic(1) + N.log_det(1) - N.log_det(0)) / 2


def minus_one(N):
    """The closed form of d = 1 in every dimension."""
    return (N.trace(1, 0) + N.quadratic(1) - 1 + N.log_det(1) - N.log_det(0)) / 2


def log_ratio_inverted(N):
    """The closed form with log(det S_0 / det S_1)."""
    return (N.trace(1, 0) + N.quadratic(1) - N.d + N.log_det(0) - N.log_det(1)) / 2


def other_quadratic_form(N):
    """The closed form with (m_1 - m_0)' S_0^-1 (m_1 - m_0)."""
    return (N.trace(1, 0) + N.quadratic(0) - N.d + N.log_det(1) - N.log_det(0)) / 2


def other_trace(N):
    """The closed form with tr(S_1 S_0^-1)."""
    return (N.trace(0, 1) + N.quadratic(1) - N.d + N.log_det(1) - N.log_det(0)) / 2


theorem.false_if("the arguments are swapped", divergence=arguments_swapped)
theorem.false_if("the factor 1/2 is missing", divergence=not_halved)
theorem.false_if("the -d is missing", divergence=without_d)
theorem.false_if("-1 stands in place of -d", divergence=minus_one)
theorem.false_if("the log ratio is inverted", divergence=log_ratio_inverted)
theorem.false_if("S_0^-1 stands in the quadratic form", divergence=other_quadratic_form)
theorem.false_if("the trace is tr(S_1 S_0^-1)", divergence=other_trace)
