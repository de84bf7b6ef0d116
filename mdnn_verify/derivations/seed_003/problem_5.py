"""Seed 003, Problem 5: the divergence of two normal laws."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation, Normal, World
from mdnn_verify.derivations._gaussians import pairs

derivation = Derivation(
    title="The divergence of two normal laws",
    source="seed 003, Problem 5",
    statement=r"D_{KL}(\mathcal N(\mu_0,\Sigma_0)\|\mathcal N(\mu_1,\Sigma_1))=\tfrac12\bigl(\operatorname{tr}("
    r"\Sigma_1^{-1}\Sigma_0)"
    r"+(\mu_1-\mu_0)^\top\Sigma_1^{-1}(\mu_1-\mu_0)-d+\log\tfrac{\det\Sigma_1}{\det\Sigma_0}\bigr)",
    worlds=pairs(),
)


def forms():
    """A law and a matrix A: also one without symmetry, and symbols in one dimension."""
    B, C = sp.Matrix([[2, 1], [1, 2]]), sp.Matrix([[2, 1, 0], [1, 3, 1], [0, 1, 2]])
    turn, shear = sp.Matrix([[0, 1], [-1, 0]]), sp.Matrix([[1, 2], [0, -1]])
    laws = [
        ([1], [[1]], [[1]]),
        ([1], [[2]], [[-3]]),
        ([0, 1], sp.eye(2), shear),
        ([1, 2], B, turn),
        ([1, -1], B, shear),
    ]
    laws.append(([1, 0, -1], C, [[1, 2, 3], [0, 1, 4], [5, 0, 2]]))
    found = [World({"mu": sp.Matrix(mu), "Sigma": sp.Matrix(Sigma), "A": sp.Matrix(A)}) for mu, Sigma, A in laws]
    mu, a, variance = sp.Symbol("mu", real=True), sp.Symbol("A", real=True), sp.Symbol("Sigma", positive=True)
    symbols = {"mu": sp.Matrix([[mu]]), "Sigma": sp.Matrix([[variance]]), "A": sp.Matrix([[a]])}
    return (*found, World(symbols, True, "all laws and all A in one dimension"))


quadratic_form = Derivation(
    title="The expectation of a quadratic form",
    source="seed 003, Problem 5",
    statement=r"\mathbb E[X^TAX]=\operatorname{tr}(A\Sigma)+\mu^TA\mu",
    worlds=forms(),
)

P0 = (
    r"\frac1{\sqrt{(2\pi)^d}}(\det\Sigma_0)^{-1/2}"
    r"\exp\left(-\tfrac12(\mathbf x-\mu_0)^T\Sigma_0^{-1}(\mathbf x-\mu_0)\right)"
)
EXPANDED_0 = r"\mathbf x^T\Sigma_0^{-1}\mathbf x-2\mu_0^T\Sigma_0^{-1}\mathbf x+\mu_0^T\Sigma_0^{-1}\mu_0"
EXPANDED_1 = r"\mathbf x^T\Sigma_1^{-1}\mathbf x-2\mu_1^T\Sigma_1^{-1}\mathbf x+\mu_1^T\Sigma_1^{-1}\mu_1"


def quadratic(x, Sigma):
    """x' Sigma^-1 x."""
    return (x.T * Sigma.inv() * x)[0]


def product(x, Sigma, y):
    """x' Sigma^-1 y."""
    return (x.T * Sigma.inv() * y)[0]


def expanded(x, mu, Sigma):
    return quadratic(x, Sigma) - 2 * product(mu, Sigma, x) + quadratic(mu, Sigma)


def log_ratio(Sigma0, Sigma1):
    """log((det Sigma0)^(-1/2) / (det Sigma1)^(-1/2))."""
    return sp.log(Sigma0.det() ** sp.Rational(-1, 2) / Sigma1.det() ** sp.Rational(-1, 2))


def half_log(Sigma0, Sigma1):
    return sp.log(Sigma1.det() / Sigma0.det()) / 2


def log_density(x, mu, Sigma):
    return -sp.log((2 * sp.pi) ** mu.rows * Sigma.det()) / 2 - quadratic(x - mu, Sigma) / 2


@derivation.line(
    r"D_{KL}(\mathcal N(\mu_0,\Sigma_0)|\mathcal N(\mu_1,\Sigma_1))",
    note=r"An integral against the density of $\mathcal N(\mu_0,\Sigma_0)$ is read as the expectation under that law.",
)
def divergence(mu0, mu1, Sigma0, Sigma1):
    return Normal(mu0, Sigma0).expect(lambda x: log_density(x, mu0, Sigma0) - log_density(x, mu1, Sigma1))


@derivation.line(
    rf"=\int_{{\mathbb R^d}}d\mathbf x\,{P0}\times\left[\log\left(\tfrac{{\det\Sigma_0^{{-1/2}}}}{{\det"
    rf"\Sigma_1^{{-1/2}}}}\right)"
    r"-\tfrac12(\mathbf x-\mu_0)^T\Sigma_0^{-1}(\mathbf x-\mu_0)+\tfrac12(\mathbf "
    r"x-\mu_1)^T\Sigma_1^{-1}(\mathbf x-\mu_1)\right]",
    "=",
)
def densities_inserted(mu0, mu1, Sigma0, Sigma1):
    constant = log_ratio(Sigma0, Sigma1)
    return Normal(mu0, Sigma0).expect(
        lambda x: constant - quadratic(x - mu0, Sigma0) / 2 + quadratic(x - mu1, Sigma1) / 2
    )


@derivation.line(
    rf"=\log\left(\tfrac{{\det\Sigma_0^{{-1/2}}}}{{\det\Sigma_1^{{-1/2}}}}\right)\int_{{\mathbb R^d}}d\mathbf x\,{P0}"
    rf"-\tfrac12\int_{{\mathbb R^d}}d\mathbf x\,{P0}(\mathbf x-\mu_0)^T\Sigma_0^{{-1}}(\mathbf x-\mu_0)"
    rf"+\tfrac12\int_{{\mathbb R^d}}d\mathbf x\,{P0}(\mathbf x-\mu_1)^T\Sigma_1^{{-1}}(\mathbf x-\mu_1)",
    "=",
)
def three_integrals(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    one = law.expect(lambda x: quadratic(x - mu0, Sigma0))
    two = law.expect(lambda x: quadratic(x - mu1, Sigma1))
    return log_ratio(Sigma0, Sigma1) * law.expect(lambda x: 1) - one / 2 + two / 2


@derivation.line(
    rf"=\tfrac12\log\tfrac{{\det\Sigma_1}}{{\det\Sigma_0}}-\tfrac12\int_{{\mathbb R^d}}d\mathbf x\,{P0}({EXPANDED_0})"
    rf"+\int_{{\mathbb R^d}}d\mathbf x\,{P0}({EXPANDED_1})",
    "=",
    note=r"The factor $\tfrac12$ before the second integral is lost; the next line has it again.",
)
def squares_expanded(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    one, two = law.expect(lambda x: expanded(x, mu0, Sigma0)), law.expect(lambda x: expanded(x, mu1, Sigma1))
    return half_log(Sigma0, Sigma1) - one / 2 + two


@derivation.correct(
    "squares_expanded",
    rf"=\tfrac12\log\tfrac{{\det\Sigma_1}}{{\det\Sigma_0}}-\tfrac12\int_{{\mathbb R^d}}d\mathbf x\,{P0}({EXPANDED_0})"
    rf"+\tfrac12\int_{{\mathbb R^d}}d\mathbf x\,{P0}({EXPANDED_1})",
)
def squares_expanded_with_both_halves(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    one, two = law.expect(lambda x: expanded(x, mu0, Sigma0)), law.expect(lambda x: expanded(x, mu1, Sigma1))
    return half_log(Sigma0, Sigma1) - one / 2 + two / 2


@derivation.line(
    r"=\tfrac12\log\tfrac{\det\Sigma_1}{\det\Sigma_0}-\tfrac12\mathbb "
    r"E[X^T\Sigma_0^{-1}X-2\mu_0^T\Sigma_0^{-1}X+\mu_0^T\Sigma_0^{-1}\mu_0]"
    r"+\tfrac12\mathbb E[X^T\Sigma_1^{-1}X-2\mu_1^T\Sigma_1^{-1}X+\mu_1^T\Sigma_1^{-1}\mu_1]",
    "=",
)
def expectations(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    one, two = law.expect(lambda x: expanded(x, mu0, Sigma0)), law.expect(lambda x: expanded(x, mu1, Sigma1))
    return (sp.log(Sigma1.det() / Sigma0.det()) - one + two) / 2


@derivation.line(
    r"=\tfrac12\log\tfrac{\det\Sigma_1}{\det\Sigma_0}-\tfrac12(\mathbb E[X^T\Sigma_0^{-1}X]-\mu_0^T\Sigma_0^{-1}\mu_0)"
    r"+\tfrac12(\mathbb E[X^T\Sigma_1^{-1}X]-2\mu_1^T\Sigma_1^{-1}\mu_0+\mu_1^T\Sigma_1^{-1}\mu_1)",
    "=",
)
def means_inserted(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    one = law.expect(lambda x: quadratic(x, Sigma0)) - quadratic(mu0, Sigma0)
    two = law.expect(lambda x: quadratic(x, Sigma1)) - 2 * product(mu1, Sigma1, mu0) + quadratic(mu1, Sigma1)
    return half_log(Sigma0, Sigma1) - one / 2 + two / 2


@derivation.line(
    r"=\tfrac12\left[\log\tfrac{\det\Sigma_1}{\det\Sigma_0}-\mathbb E[X^T\Sigma_0^{-1}X]+\mathbb E[X^T\Sigma_1^{-1}X]"
    r"+(\mu_1-\mu_0)^T\Sigma_1^{-1}(\mu_1-\mu_0)-\mu_0^T(\Sigma_1^{-1}-\Sigma_0^{-1})\mu_0\right]",
    "=",
)
def square_completed(mu0, mu1, Sigma0, Sigma1):
    law = Normal(mu0, Sigma0)
    one, two = law.expect(lambda x: quadratic(x, Sigma0)), law.expect(lambda x: quadratic(x, Sigma1))
    rest = quadratic(mu1 - mu0, Sigma1) - (mu0.T * (Sigma1.inv() - Sigma0.inv()) * mu0)[0]
    return (sp.log(Sigma1.det() / Sigma0.det()) - one + two + rest) / 2


@quadratic_form.line(r"\mathbb E[X^TAX]")
def form(mu, Sigma, A):
    return Normal(mu, Sigma).expect(lambda x: (x.T * A * x)[0])


@quadratic_form.line(r"=\mathbb E[\operatorname{tr}(X^TAX)]", "=")
def trace_of_a_number(mu, Sigma, A):
    return Normal(mu, Sigma).expect(lambda x: (x.T * A * x).trace())


@quadratic_form.line(r"=\mathbb E[\operatorname{tr}(AXX^T)]", "=")
def trace_turned(mu, Sigma, A):
    return Normal(mu, Sigma).expect(lambda x: (A * x * x.T).trace())


@quadratic_form.line(
    r"=\operatorname{tr}(A\,\mathbb E[XX^T])", "=", reason="mean and trace operator are linear operator"
)
def expectation_within_the_trace(mu, Sigma, A):
    return (A * Normal(mu, Sigma).expect(lambda x: x * x.T)).trace()


@quadratic_form.line(r"=\operatorname{tr}(A(\Sigma+\mu\mu^T))", "=")
def second_moment_inserted(mu, Sigma, A):
    return (A * (Sigma + mu * mu.T)).trace()


@quadratic_form.line(r"=\operatorname{tr}(A\Sigma+A\mu\mu^T)", "=")
def multiplied_out(mu, Sigma, A):
    return (A * Sigma + A * mu * mu.T).trace()


@quadratic_form.line(r"=\operatorname{tr}(A\Sigma)+\operatorname{tr}(\mu^TA\mu)", "=")
def traces_apart(mu, Sigma, A):
    return (A * Sigma).trace() + (mu.T * A * mu).trace()


@quadratic_form.line(r"=\operatorname{tr}(A\Sigma)+\mu^TA\mu", "=")
def closed_quadratic_form(mu, Sigma, A):
    return (A * Sigma).trace() + (mu.T * A * mu)[0]


@derivation.line(r"\mathbb E[X^T\Sigma_0^{-1}X]")
def first_form(mu0, Sigma0):
    return Normal(mu0, Sigma0).expect(lambda x: quadratic(x, Sigma0))


@derivation.line(
    r"=\operatorname{tr}(\Sigma_0^{-1}\Sigma_0)+\mu_0^T\Sigma_0^{-1}\mu_0",
    "=",
    reason=r"by inserting $A=\Sigma_0$",
    by=lambda mu0, Sigma0: (Sigma0 * Sigma0).trace() + (mu0.T * Sigma0 * mu0)[0],
    note=r"$A=\Sigma_0$ yields $\operatorname{tr}(\Sigma_0\Sigma_0)+\mu_0^T\Sigma_0\mu_0$; $A=\Sigma_0^{-1}$ is meant.",
)
def first_form_inserted(mu0, Sigma0):
    return (Sigma0.inv() * Sigma0).trace() + quadratic(mu0, Sigma0)


@derivation.correct(
    "first_form_inserted",
    r"=\operatorname{tr}(\Sigma_0^{-1}\Sigma_0)+\mu_0^T\Sigma_0^{-1}\mu_0\qquad(\text{by inserting }A=\Sigma_0^{-1})",
)
def first_form_with_the_inverse(mu0, Sigma0):
    A = Sigma0.inv()
    return (A * Sigma0).trace() + (mu0.T * A * mu0)[0]


@derivation.line(r"=d+\mu_0^T\Sigma_0^{-1}\mu_0", "=")
def first_form_closed(mu0, Sigma0):
    return mu0.rows + quadratic(mu0, Sigma0)


@derivation.line(r"\mathbb E[X^T\Sigma_1^{-1}X]")
def second_form(mu0, Sigma0, Sigma1):
    return Normal(mu0, Sigma0).expect(lambda x: quadratic(x, Sigma1))


@derivation.line(
    r"=\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)+\mu_0^T\Sigma_1^{-1}\mu_0",
    "=",
    reason=r"by inserting $A=\Sigma_1$",
    by=lambda mu0, Sigma0, Sigma1: (Sigma1 * Sigma0).trace() + (mu0.T * Sigma1 * mu0)[0],
    note=r"$A=\Sigma_1$ yields $\operatorname{tr}(\Sigma_1\Sigma_0)+\mu_0^T\Sigma_1\mu_0$; $A=\Sigma_1^{-1}$ is meant.",
)
def second_form_inserted(mu0, Sigma0, Sigma1):
    return (Sigma1.inv() * Sigma0).trace() + quadratic(mu0, Sigma1)


@derivation.correct(
    "second_form_inserted",
    r"=\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)+\mu_0^T\Sigma_1^{-1}\mu_0\qquad(\text{by inserting }A=\Sigma_1^{-1})",
)
def second_form_with_the_inverse(mu0, Sigma0, Sigma1):
    A = Sigma1.inv()
    return (A * Sigma0).trace() + (mu0.T * A * mu0)[0]


@derivation.line(
    r"D_{KL}=\tfrac12\left[\log\tfrac{\det\Sigma_1}{\det\Sigma_0}+(\mu_1-\mu_0)^T\Sigma_1^{-1}(\mu_1-\mu_0)-d"
    r"+\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)\right]",
    "=",
    reason=r"putting both terms into $D_{KL}$",
    against="square_completed",
)
def closed_form(mu0, mu1, Sigma0, Sigma1):
    rest = quadratic(mu1 - mu0, Sigma1) - mu0.rows + (Sigma1.inv() * Sigma0).trace()
    return (sp.log(Sigma1.det() / Sigma0.det()) + rest) / 2
