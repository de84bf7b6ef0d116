"""Seed 000, Problems 4 to 6: divergences of continuous and of normal variables, and when a lower bound is tight."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation, Normal
from mdnn_verify.derivations import _densities, _gaussians, _importance, _tables
from mdnn_verify.derivations._densities import integral, log_ratio
from mdnn_verify.derivations._tables import argmax, argmax_pairs, at, supremum, supremum_of_pairs
from mdnn_verify.derivations.seed_001.problem_5 import log_density, quadratic

DIVERGENCE = r"D_{\mathrm{KL}}(X\,\|\,Y)"
LOG_RATIO = r"\int_{\mathbb R^d}f(x)\log\left(\frac{f(x)}{g(x)}\right)dx"


def divergence(f, g):
    """The integral of f log(f/g), with 0 where f = 0 and oo where g = 0 < f."""
    return integral(lambda x: f(x) * log_ratio(f(x), g(x)) if f(x) != 0 else sp.Integer(0), f, g)


# --- Problem 4 --------------------------------------------------------------------------------------------------------

sign = Derivation(title="The sign of a divergence", source="seed 000, Problem 4(a)", worlds=_densities.pairs())


@sign.line(
    rf"{DIVERGENCE}={LOG_RATIO}",
    note=r"$0\log0=0$ is understood, and $\infty$ where g vanishes and f does not",
)
def divergence_of_densities(f, g):
    return divergence(f, g)


@sign.line(r"\ge0", ">=")
def zero():
    return sp.Integer(0)


additivity = Derivation(
    title="The divergence of independent components as it is stated",
    source="seed 000, Problem 4(b)",
    worlds=_densities.independent_pairs(),
)


@additivity.line(DIVERGENCE)
def joint_divergence(f, g):
    return divergence(f, g)


@additivity.line(r"=D_{\mathrm{KL}}(X_1\,\|\,Y_1)+\dots+D_{\mathrm{KL}}(X_d\,\|\,Y_d)", "=")
def sum_of_divergences(f, g):
    return sum((divergence(f.marginal(k), g.marginal(k)) for k in range(f.dimension)), sp.Integer(0))


# --- Problem 5 --------------------------------------------------------------------------------------------------------

normal = Derivation(
    title="The divergence of two normal laws as it is stated", source="seed 000, Problem 5", worlds=_gaussians.pairs()
)


@normal.line(r"\mathbb E[X]")
def expectation(mu0, Sigma0):
    return Normal(mu0, Sigma0).expect(lambda x: x)


@normal.line(r"=\mu", "=")
def mean(mu0):
    return mu0


@normal.line(r"\mathbb E[(X-\mu)(X-\mu)^\top]")
def second_moment(mu0, Sigma0):
    return Normal(mu0, Sigma0).expect(lambda x: (x - mu0) * (x - mu0).T)


@normal.line(r"=\Sigma", "=")
def covariance(Sigma0):
    return Sigma0


@normal.line(r"D_{\mathrm{KL}}(\mathcal N(\mu_0,\Sigma_0)\,\|\,\mathcal N(\mu_1,\Sigma_1))")
def normal_divergence(mu0, mu1, Sigma0, Sigma1):
    return Normal(mu0, Sigma0).expect(lambda x: log_density(x, mu0, Sigma0) - log_density(x, mu1, Sigma1))


@normal.line(
    r"=\frac12\left(\operatorname{tr}(\Sigma_1^{-1}\Sigma_0)+(\mu_1-\mu_0)^\top\Sigma_1^{-1}(\mu_1-\mu_0)-d"
    r"+\log\left(\frac{\det\Sigma_1}{\det\Sigma_0}\right)\right)",
    "=",
)
def closed_form(mu0, mu1, Sigma0, Sigma1):
    trace = (Sigma1.inv() * Sigma0).trace()
    return (trace + quadratic(mu1 - mu0, Sigma1) - mu0.rows + sp.log(Sigma1.det() / Sigma0.det())) / 2


# --- Problem 6 --------------------------------------------------------------------------------------------------------

tight = Derivation(
    title="Maximising a tight lower bound as it is stated",
    source="seed 000, Problem 6",
    worlds=(*_tables.tables(), *_tables.without_maximum()),
)


@tight.line(r"\operatorname{argmax}f")
def maximisers(Theta, f):
    return argmax(lambda theta: at(f, theta), Theta)


@tight.line(r"=\{\theta\mid(\theta,\phi)\in\operatorname{argmax}g\}", "=", note=r"for some $\phi$; both may be empty")
def maximisers_of_the_bound(Theta, Phi, g):
    return frozenset(theta for theta, _ in argmax_pairs(g, Theta, Phi))


@tight.line(r"\sup_{\theta,\phi}g(\theta,\phi)")
def joint_supremum(Theta, Phi, g):
    return supremum_of_pairs(g, Theta, Phi)


@tight.line(r"=\sup_\theta\left(\sup_\phi g(\theta,\phi)\right)", "=", reason="Use the fact that")
def iterated_supremum(Theta, Phi, g):
    return supremum(lambda theta: supremum(lambda phi: at(g, theta, phi), Phi), Theta)


training = Derivation(
    title="Training with a bound whose encoder can represent any function",
    source="seed 000, Problem 6, remark",
    worlds=[world for world in _importance.families() if _importance.serve_all(**world.data)],
)


@training.line(r"\max_\theta\sum_i\log p_\theta(X_i)")
def greatest_likelihood(models):
    return _importance.best_likelihood(models)


@training.line(
    r"=\max_{\theta,\phi}\sum_i\mathrm{VLB}_{\theta,\phi}(X_i)",
    "=",
    reason="the encoder network is infinitely expressive",
    note="so that one encoder has the true posteriors of all data",
)
def greatest_bound(models, encoders, K):
    return _importance.best_bound(models, encoders, K)
