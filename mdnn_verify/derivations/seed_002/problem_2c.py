"""Seed 002, Problem 2(c): normal laws in k = 1, 2 dimensions, and polynomials for f_theta."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation, Normal, World

RATIO = r"\frac{p_\theta(X_i\mid Z)\,r_\lambda(Z)}{q_\phi(Z\mid X_i)}"
Q = r"\mathbb E_{Z\sim q_\phi(z\mid X_i)}"
BOUND = r"\mathrm{VLB}_{\theta,\phi,\lambda}(X_i)"


Z = sp.symbols("z0 z1", real=True)


def normal_models() -> tuple[World, ...]:
    """X: (n, 1); f: (n, 1) in z0, z1; s2: sigma^2; mu, S: mean and diagonal covariance of q; l1, l2: those of r."""
    x, y = Z
    half = sp.Rational(1, 2)
    cases = [
        ([0], [0], 1, [0], [1], [0], [1]),
        ([1], [0], 1, [0], [1], [0], [1]),
        ([0], [x], 1, [0], [1], [0], [1]),
        ([1], [x], 1, [0], [1], [0], [1]),
        ([1], [2 * x + 1], 2, [1], [4], [0], [3]),
        ([-1], [x**2 - x], half, [half], [2], [1], [half]),
        ([1, 2], [x, x**2], 1, [1], [1], [0], [2]),
        ([1], [x * y + y], 3, [1, 2], [1, 4], [0, 0], [1, 2]),
        ([1, 0, -1], [x + y, x - y, x * y], half, [0, 1], [2, 3], [1, -1], [half, 5]),
    ]
    worlds = [World(_normal_model(*case)) for case in cases]
    a, b, m, l, X = sp.symbols("a b m l X", real=True)
    s2, s, t = sp.symbols("s2 s t", positive=True)
    label = "k = n = 1, f(z) = a z + b, all X, a, b, means and variances"
    return (*worlds, World(_normal_model([X], [a * x + b], s2, [m], [s**2], [l], [t]), generic=True, label=label))


def _normal_model(X, f, s2, mu, S, l1, l2):
    vectors = {"X": sp.Matrix(X), "f": sp.Matrix(f), "mu": sp.Matrix(mu), "l1": sp.Matrix(l1), "l2": sp.Matrix(l2)}
    return {**vectors, "s2": sp.sympify(s2), "S": sp.diag(*S)}


def applied(f, z):
    """f at the vector z."""
    return f.subs(dict(zip(Z, z, strict=False)), simultaneous=True)


def squared_error(X, f, z):
    """|X - f(z)|^2."""
    error = X - applied(f, z)
    return error.dot(error)


def log_normal(z, mean, covariance):
    """The logarithm of the normal density."""
    constant = sp.log((2 * sp.pi) ** mean.rows * covariance.det())
    return -(constant + ((z - mean).T * covariance.inv() * (z - mean))[0]) / 2


def log_likelihood(X, f, s2, z):
    return log_normal(X, applied(f, z), s2 * sp.eye(X.rows))


derivation = Derivation(
    title="The bound with normal laws as a likelihood term and a divergence",
    source="seed 002, Problem 2(c)",
    worlds=normal_models(),
)


@derivation.line(rf"{BOUND}={Q}\left[\log\left({RATIO}\right)\right]")
def bound_with_normal_laws(X, f, s2, mu, S, l1, l2):
    return Normal(mu, S).expect(
        lambda z: log_likelihood(X, f, s2, z) + log_normal(z, l1, sp.diag(*l2)) - log_normal(z, mu, S)
    )


@derivation.line(
    rf"={Q}\left[\log p_\theta(X_i\mid Z)\right]-D_{{\mathrm{{KL}}}}(q_\phi(z\mid X_i)\,\|\,r_\lambda(z))", "="
)
def likelihood_less_divergence(X, f, s2, mu, S, l1, l2):
    law = Normal(mu, S)
    divergence = law.expect(lambda z: log_normal(z, mu, S) - log_normal(z, l1, sp.diag(*l2)))
    return law.expect(lambda z: log_likelihood(X, f, s2, z)) - divergence


first_term = Derivation(
    title="The likelihood term, reparameterised", source="seed 002, Problem 2(c)", worlds=normal_models()
)
NOISE = (
    r"\mathbb E_{\varepsilon\sim\mathcal N(0,I)}"
    r"\left\|X_i-f_\theta\left(\mu_\phi(X_i)+\Sigma_\phi^{1/2}(X_i)\varepsilon\right)\right\|^2"
)
SAMPLE = r"\mathbb E_{Z\sim\mathcal N(\mu_\phi(X_i),\Sigma_\phi(X_i))}\left\|X_i-f_\theta(Z)\right\|^2"
CONSTANT = r"-\frac n2\log(2\pi\sigma^2)"


def reparameterised(X, f, mu, S):
    """E |X - f(mu + S^(1/2) epsilon)|^2 with standard normal epsilon."""
    root = S.applyfunc(sp.sqrt)
    return Normal(sp.zeros(mu.rows, 1), sp.eye(mu.rows)).expect(lambda e: squared_error(X, f, mu + root * e))


@first_term.line(rf"{Q}\left[\log p_\theta(X_i\mid Z)\right]")
def expected_log_likelihood(X, f, s2, mu, S):
    return Normal(mu, S).expect(lambda z: log_likelihood(X, f, s2, z))


@first_term.line(
    rf"=-\frac1{{2\sigma^2}}{SAMPLE}",
    "=",
    note=r"the constant $-\frac n2\log(2\pi\sigma^2)$ is dropped, where $X_i\in\mathbb R^n$; the gradients in "
    r"$\theta$, $\phi$ and $\lambda$ do not see it",
)
def expected_squared_error(X, f, s2, mu, S):
    return -Normal(mu, S).expect(lambda z: squared_error(X, f, z)) / (2 * s2)


@first_term.correct("expected_squared_error", rf"=-\frac1{{2\sigma^2}}{SAMPLE}{CONSTANT}")
def with_the_constant(X, f, s2, mu, S):
    return expected_squared_error(X, f, s2, mu, S) - X.rows * sp.log(2 * sp.pi * s2) / 2


@first_term.line(
    rf"\frac1{{2\sigma^2}}{NOISE}",
    "=",
    reason="reparameterisation",
    note='the minus sign is lost ("the first term becomes"): its gradients point the wrong way',
)
def reparameterised_first_term(X, f, s2, mu, S):
    return reparameterised(X, f, mu, S) / (2 * s2)


@first_term.correct("reparameterised_first_term", rf"=-\frac1{{2\sigma^2}}{NOISE}{CONSTANT}")
def with_the_sign(X, f, s2, mu, S):
    return -reparameterised(X, f, mu, S) / (2 * s2) - X.rows * sp.log(2 * sp.pi * s2) / 2


second_term = Derivation(
    title="The divergence from a trainable prior", source="seed 002, Problem 2(c)", worlds=normal_models()
)


@second_term.line(r"D_{\mathrm{KL}}(q_\phi(z\mid X_i)\,\|\,r_\lambda(z))")
def divergence_from_prior(mu, S, l1, l2):
    return Normal(mu, S).expect(lambda z: log_normal(z, mu, S) - log_normal(z, l1, sp.diag(*l2)))


@second_term.line(
    r"=\frac12\left(\operatorname{tr}\left([\operatorname{diag}(\lambda_2)]^{-1}\Sigma_\phi(X_i)\right)"
    r"+(\lambda_1-\mu_\phi(X_i))^\top[\operatorname{diag}(\lambda_2)]^{-1}(\lambda_1-\mu_\phi(X_i))-k"
    r"+\log\frac{\det(\operatorname{diag}(\lambda_2))}{\det(\Sigma_\phi(X_i))}\right)",
    "=",
    reason="problem 5 of HW 9",
)
def closed_form_of_the_divergence(mu, S, l1, l2):
    inverse = sp.diag(*l2).inv()
    distance = ((l1 - mu).T * inverse * (l1 - mu))[0]
    return ((inverse * S).trace() + distance - mu.rows + sp.log(sp.diag(*l2).det() / S.det())) / 2
