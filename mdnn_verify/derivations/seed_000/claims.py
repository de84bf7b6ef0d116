"""Seed 000, Problems 1 to 3: error rates of a detector, a flow on the line to a normal law, a coupling layer."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._couplings import layers
from mdnn_verify.derivations._error_rates import detections, share, type_one_rate, type_two_rate
from mdnn_verify.derivations._flow import flow_worlds, normal_cdf, normal_density

# --- Problem 1 --------------------------------------------------------------------------------------------------------

rates = Derivation(
    title="The error rates of a detector by the score", source="seed 000, Problem 1", worlds=detections()
)


@rates.line(
    r"\text{type I error rate}",
    note="the homework is due on Wednesday, May 20, 2024, which was a Monday",
)
def rejected_though_normal(mnist, kmnist, threshold):
    return type_one_rate(mnist, kmnist, lambda score: score > threshold)


@rates.line(r"=\text{share of the MNIST test images classified as anomalies}", "=")
def mnist_called_anomalies(mnist, threshold):
    return share(mnist, lambda score: score > threshold)


@rates.line(r"\text{type II error rate}")
def kept_though_anomalous(mnist, kmnist, threshold):
    return type_two_rate(mnist, kmnist, lambda score: score > threshold)


@rates.line(r"=\text{share of the KMNIST images classified as non-anomalies}", "=")
def kmnist_called_normal(kmnist, threshold):
    return share(kmnist, lambda score: not score > threshold)


# --- Problem 2 --------------------------------------------------------------------------------------------------------

flow = Derivation(title="A flow on the line to a normal law", source="seed 000, Problem 2", worlds=flow_worlds())


def f(x, mus, sigmas, weights):
    """The flow: a weighted sum of normal distribution functions, each less 1/2."""
    parts = zip(mus, sigmas, weights, strict=True)
    return sum((weight * (normal_cdf(x, mu, sigma) - sp.Rational(1, 2)) for mu, sigma, weight in parts), sp.Integer(0))


def reach(mus, sigmas, weights):
    """The limits of f at -oo and oo."""
    x = sp.Symbol("x_", real=True)
    return tuple(sp.limit(f(x, mus, sigmas, weights), x, end) for end in (-sp.oo, sp.oo))


@flow.line(r"\Phi_{\mu,\sigma}'(x)")
def slope_of_the_integral(x, mus, sigmas):
    t = sp.Symbol("t_", real=True)
    return tuple(sp.diff(normal_cdf(t, m, s), t).subs(t, x) for m, s in zip(mus, sigmas, strict=True))


@flow.line(
    r"=\frac1{\sigma\sqrt{2\pi}}\exp\left(-\frac12\left(\frac{x-\mu}\sigma\right)^2\right)",
    "=",
    reason=r"$\Phi_{\mu,\sigma}(x)=\frac1{\sigma\sqrt{2\pi}}\int_{-\infty}^x"
    r"\exp\left(-\frac12\left(\frac{s-\mu}\sigma\right)^2\right)ds$",
)
def normal_density_of_the_definition(x, mus, sigmas):
    return tuple(normal_density(x, m, s) for m, s in zip(mus, sigmas, strict=True))


@flow.claim(r"f_\theta:\mathbb R\to\mathbb R\text{ is strictly increasing}", reason='"flow"')
def strictly_increasing(x, mus, sigmas, weights):
    parts = zip(mus, sigmas, weights, strict=True)
    return sp.Gt(sum((weight * normal_density(x, m, s) for m, s, weight in parts), sp.Integer(0)), 0)


@flow.line(r"\int_{-\infty}^\infty p_Z(f_\theta(x))\,f_\theta'(x)\,dx,\quad p_Z=\mathcal N(0,1)")
def mass_of_the_pulled_back_density(mus, sigmas, weights):
    low, high = reach(mus, sigmas, weights)
    return normal_cdf(high, 0, 1) - normal_cdf(low, 0, 1)


@flow.line(
    r"=1\qquad\text{(a flow to }p_Z\sim\mathcal N(0,1))",
    "=",
    reason=r"Since $p_Z$ is an unbounded distribution, we do not require $w_1,\dots,w_n$ to be normalized.",
    note=r"$f_\theta$ is not onto $\mathbb R$ for any $w$: it stays within $\pm S/2$, $S=\sum_ie^{w_i}$, so that what "
    r"is fitted is not a density. That $w$ is not normalised lets S grow, and the lack shrinks, but does not go",
)
def mass_one():
    return sp.Integer(1)


@flow.correct("mass_one", r"=\Phi_{0,1}(S/2)-\Phi_{0,1}(-S/2)<1,\quad S=\textstyle\sum_{i=1}^ne^{w_i}")
def mass_of_the_range(weights):
    half = sum(weights, sp.Integer(0)) / 2
    return normal_cdf(half, 0, 1) - normal_cdf(-half, 0, 1)


# --- Problem 3 --------------------------------------------------------------------------------------------------------

coupling = Derivation(
    title="The Jacobian of a coupling layer as it is stated", source="seed 000, Problem 3", worlds=layers()
)


@coupling.line(
    r"\log\left|\frac{\partial z}{\partial x}\right|", note="the bars are the absolute value of the determinant"
)
def log_determinant(layer):
    return sp.log(sp.Abs(sp.simplify(layer.jacobian.det())))


@coupling.line(r"=\mathbf 1_{n-|\Omega|}^\top s_\theta(x_\Omega)", "=")
def sum_of_scales(layer):
    return sum((layer.here(value) for value in layer.of_x(layer.s)), sp.Integer(0))


@coupling.line(r"\frac{\partial z}{\partial x}")
def jacobian(layer):
    return layer.jacobian


@coupling.line(
    r"=P_{\sigma^{-1}}\begin{bmatrix}I&0\\ *&\operatorname{diag}(e^{s_\theta(x_\Omega)})\end{bmatrix}P_\sigma",
    "=",
    reason=r"Find a permutation $\sigma$ such that",
    note=r"with the $\sigma$ that sorts $\Omega$ before $\Omega^\complement$, however permutations are turned into "
    "matrices",
)
def sorted_form(layer):
    return layer.sorting.inv() * layer.block_form * layer.sorting
