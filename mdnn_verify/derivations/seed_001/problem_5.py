"""Seed 001, Problem 5: the divergence of two normal laws."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation, Normal, World
from mdnn_verify.derivations._gaussians import pairs


def points():
    """A law and a point: in one, two and three dimensions."""
    A, B = sp.Matrix([[2, 1], [1, 2]]), sp.Matrix([[2, -1], [-1, 1]])
    C = sp.Matrix([[2, 1, 0], [1, 3, 1], [0, 1, 2]])
    laws = [
        ([0], [[1]], [0]),
        ([0], [[2]], [1]),
        ([1], [["1/2"]], [-1]),
        ([0, 0], sp.eye(2), [1, 0]),
        ([1, 0], A, [0, 2]),
    ]
    laws += [([1, -2], B, [1, 1]), ([1, 0, -1], C, [0, 2, 1])]
    return tuple(World({"mu": sp.Matrix(mu), "Sigma": sp.Matrix(Sigma), "x": sp.Matrix(x)}) for mu, Sigma, x in laws)


density = Derivation(
    title="The density of a normal law",
    source="seed 001, Problem 5",
    statement=r"p_X(x)=\tfrac1{\sqrt{(2\pi)^d\det\Sigma}}\exp\left(-\tfrac12(x-\mu)^\top\Sigma^{-1}(x-\mu)\right)",
    worlds=points(),
)
derivation = Derivation(
    title="The divergence of two normal laws",
    source="seed 001, Problem 5",
    statement=r"D_{\mathrm{KL}}(\mathcal N(\mu_0,\Sigma_0)\,\|\,\mathcal "
    r"N(\mu_1,\Sigma_1))=\tfrac12\bigl(\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)"
    r"+(\mu_1-\mu_0)^\top\Sigma_1^{-1}(\mu_1-\mu_0)-d+\log\tfrac{\det\Sigma_1}{\det\Sigma_0}\bigr)",
    worlds=pairs(),
)


def log_density(x, mu, Sigma):
    return -sp.log((2 * sp.pi) ** mu.rows * Sigma.det()) / 2 - quadratic(x - mu, Sigma) / 2


def quadratic(x, Sigma):
    """x' Sigma^-1 x."""
    return (x.T * Sigma.inv() * x)[0]


def half_log_ratio(Sigma0, Sigma1):
    return sp.log(Sigma1.det() / Sigma0.det()) / 2


def second_half(mu0, mu1, Sigma0, Sigma1):
    return (quadratic(mu1 - mu0, Sigma1) + (Sigma1.inv() * Sigma0).trace()) / 2


@density.line(
    r"p_X(x)\quad\text{for }X\sim\mathcal N(\mu,\Sigma)",
    note=r"$X=\mu+L\xi$ with $\Sigma=LL^\top$ and independent standard normal $\xi_1,\dots,\xi_d$; a change of "
    r"variables.",
)
def density_of_an_affine_image(mu, Sigma, x):
    L = Sigma.cholesky(hermitian=False)
    standard = [sp.exp(-(xi**2) / 2) / sp.sqrt(2 * sp.pi) for xi in L.inv() * (x - mu)]
    return sp.prod(standard) / L.det()


@density.line(
    r"=\frac1{\sqrt{(2\pi)^d\det\Sigma}}\exp\left(-\tfrac12(x-\mu)^\top\Sigma^{-1}(x-\mu)\right)",
    "=",
)
def density_as_printed(mu, Sigma, x):
    return sp.exp(-quadratic(x - mu, Sigma) / 2) / sp.sqrt((2 * sp.pi) ** mu.rows * Sigma.det())


@derivation.line(
    r"D_{\mathrm{KL}}(\mathcal N(\mu_0,\Sigma_0)\,\|\,\mathcal N(\mu_1,\Sigma_1))",
    note=r"$\int f_0\log\frac{f_0}{f_1}$: the expectation of $\log\frac{f_0}{f_1}$ under $\mathcal N(\mu_0,\Sigma_0)$.",
)
def divergence(mu0, mu1, Sigma0, Sigma1):
    return Normal(mu0, Sigma0).expect(lambda x: log_density(x, mu0, Sigma0) - log_density(x, mu1, Sigma1))


@derivation.line(r"=\mathbf E\left[-\log\left(\frac{f_1(X_0)}{f_0(X_0)}\right)\right]", "=")
def expected_log_ratio(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    return law.expect(lambda x: -(log_density(x, mu1, Sigma1) - log_density(x, mu0, Sigma0)))


@derivation.line(r"=\mathbf E[\log f_0(X_0)-\log f_1(X_0)]", "=")
def difference_of_logarithms(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    return law.expect(lambda x: log_density(x, mu0, Sigma0)) - law.expect(lambda x: log_density(x, mu1, Sigma1))


@derivation.line(
    r"=\mathbf E\left[\tfrac12\log\tfrac{\det\Sigma_1}{\det\Sigma_0}-\tfrac12(X_0-\mu_0)^\top\Sigma_0^{-1}(X_0-\mu_0)"
    r"+\tfrac12(X_0-\mu_1)^\top\Sigma_1^{-1}(X_0-\mu_1)\right]",
    "=",
)
def densities_inserted(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    return law.expect(
        lambda x: half_log_ratio(Sigma0, Sigma1) - quadratic(x - mu0, Sigma0) / 2 + quadratic(x - mu1, Sigma1) / 2
    )


@derivation.line(
    r"=\tfrac12\log\tfrac{\det\Sigma_1}{\det\Sigma_0}"
    r"-\tfrac12\mathbf E\left[\operatorname{tr}\left((X_0-\mu_0)^\top\Sigma_0^{-1}(X_0-\mu_0)\right)\right]"
    r"+\tfrac12\mathbf E\left[(X_0-\mu_1)^\top\Sigma_1^{-1}(X_0-\mu_1)\right]",
    "=",
)
def trace_of_a_number(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    first = law.expect(lambda x: ((x - mu0).T * Sigma0.inv() * (x - mu0)).trace())
    return half_log_ratio(Sigma0, Sigma1) - first / 2 + law.expect(lambda x: quadratic(x - mu1, Sigma1)) / 2


@derivation.line(
    r"=\tfrac12\log\tfrac{\det\Sigma_1}{\det\Sigma_0}"
    r"-\tfrac12\mathbf E\left[\operatorname{tr}\left((X_0-\mu_0)(X_0-\mu_0)^\top\Sigma_0^{-1}\right)\right]"
    r"+\tfrac12\left((\mu_0-\mu_1)^\top\Sigma_1^{-1}(\mu_0-\mu_1)+\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)\right)",
    "=",
)
def trace_turned(mu0, mu1, Sigma0, Sigma1):
    first = Normal(mu0, Sigma0).expect(lambda x: ((x - mu0) * (x - mu0).T * Sigma0.inv()).trace())
    return half_log_ratio(Sigma0, Sigma1) - first / 2 + second_half(mu1, mu0, Sigma0, Sigma1)


@derivation.line(
    r"=\tfrac12\log\tfrac{\det\Sigma_1}{\det\Sigma_0}"
    r"-\tfrac12\operatorname{tr}\left(\mathbf E\left[(X_0-\mu_0)(X_0-\mu_0)^\top\right]\right)"
    r"+\tfrac12\left((\mu_1-\mu_0)^\top\Sigma_1^{-1}(\mu_1-\mu_0)+\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)\right)",
    "=",
    note=r"$\Sigma_0^{-1}$ is dropped within the trace.",
)
def expectation_within_the_trace(mu0, mu1, Sigma0, Sigma1):
    covariance = Normal(mu0, Sigma0).expect(lambda x: (x - mu0) * (x - mu0).T)
    return half_log_ratio(Sigma0, Sigma1) - covariance.trace() / 2 + second_half(mu0, mu1, Sigma0, Sigma1)


@derivation.correct(
    "expectation_within_the_trace",
    r"=\tfrac12\log\tfrac{\det\Sigma_1}{\det\Sigma_0}"
    r"-\tfrac12\operatorname{tr}\left(\mathbf E\left[(X_0-\mu_0)(X_0-\mu_0)^\top\right]\Sigma_0^{-1}\right)"
    r"+\tfrac12\left((\mu_1-\mu_0)^\top\Sigma_1^{-1}(\mu_1-\mu_0)+\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)\right)",
)
def with_the_inverse(mu0, mu1, Sigma0, Sigma1):
    covariance = Normal(mu0, Sigma0).expect(lambda x: (x - mu0) * (x - mu0).T)
    first = (covariance * Sigma0.inv()).trace()
    return half_log_ratio(Sigma0, Sigma1) - first / 2 + second_half(mu0, mu1, Sigma0, Sigma1)


@derivation.line(
    r"=\tfrac12\log\tfrac{\det\Sigma_1}{\det\Sigma_0}-\tfrac12\operatorname{tr}(\Sigma_0\Sigma_0^{-1})"
    r"+\tfrac12\left((\mu_1-\mu_0)^\top\Sigma_1^{-1}(\mu_1-\mu_0)+\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)\right)",
    "=",
)
def covariance_inserted(mu0, mu1, Sigma0, Sigma1):
    first = (Sigma0 * Sigma0.inv()).trace()
    return half_log_ratio(Sigma0, Sigma1) - first / 2 + second_half(mu0, mu1, Sigma0, Sigma1)


@derivation.line(
    r"=\tfrac12\left(\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)+(\mu_1-\mu_0)^\top\Sigma_1^{-1}(\mu_1-\mu_0)-d"
    r"+\log\tfrac{\det\Sigma_1}{\det\Sigma_0}\right)",
    "=",
)
def closed_form(mu0, mu1, Sigma0, Sigma1):
    trace = (Sigma1.inv() * Sigma0).trace()
    return (trace + quadratic(mu1 - mu0, Sigma1) - mu0.rows) / 2 + half_log_ratio(Sigma0, Sigma1)
