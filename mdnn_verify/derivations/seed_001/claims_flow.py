"""Seed 001, Problem 2: the flow on the line as the notebook programs it, and sampling from it."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._flow import bisection_worlds, flow_worlds, normal_cdf, normal_density

SOURCE = "seed 001, Problem 2 (code)"

flow = Derivation(title="The flow and its density", source=SOURCE, worlds=flow_worlds())
sampling = Derivation(title="Sampling by bisection", source=SOURCE, worlds=bisection_worlds())


@flow.line(r"f_\theta(x)=\sum_{i=1}^n e^{w_i}(\Phi_{\mu_i,\exp(\tau_i)}(x)-0.5)")
def flow_by_the_integral(x, mus, sigmas, weights):
    s = sp.Symbol("s", real=True)
    total = sp.Integer(0)
    for mu, sigma, weight in zip(mus, sigmas, weights, strict=True):
        area = sp.integrate(sp.exp(-(((s - mu) / sigma) ** 2) / 2), (s, -sp.oo, x))
        total += weight * (area / (sigma * sp.sqrt(2 * sp.pi)) - sp.Rational(1, 2))
    return total


@flow.line(
    r"=\texttt{((distribution.cdf(x) - 0.5) * weights).sum(dim=1)}",
    "=",
    note="The comment calls this a mixture of CDFs: a weighted sum is meant, each part less 1/2.",
)
def forward(x, mus, sigmas, weights):
    parts = zip(mus, sigmas, weights, strict=True)
    return sum(((normal_cdf(x, mu, sigma) - sp.Rational(1, 2)) * weight for mu, sigma, weight in parts), sp.Integer(0))


@flow.line(r"\frac{dz}{dx}")
def slope(x, mus, sigmas, weights):
    at = sp.Symbol("x_", real=True)
    return sp.diff(forward(at, mus, sigmas, weights), at).subs(at, x)


@flow.line(r"=\texttt{(distribution.log\_prob(x).exp() * weights).sum(dim=1)}", "=")
def dz_by_dx(x, mus, sigmas, weights):
    parts = zip(mus, sigmas, weights, strict=True)
    return sum((normal_density(x, mu, sigma) * weight for mu, sigma, weight in parts), sp.Integer(0))


@flow.claim(r"\texttt{flow is defined so that dz/dx>0}")
def slope_is_positive(x, mus, sigmas, weights):
    return sp.Gt(dz_by_dx(x, mus, sigmas, weights), 0)


@flow.line(r"p_Z(f_\theta(x))\,f_\theta'(x)")
def pulled_back_density(x, mus, sigmas, weights):
    return normal_density(forward(x, mus, sigmas, weights), 0, 1) * slope(x, mus, sigmas, weights)


@flow.line(
    r"=\texttt{(target\_distribution.log\_prob(z) + dz\_by\_dx.log()).exp()}",
    "=",
    note=r"The plot calls this the learned distribution; with $S=\sum_i e^{w_i}$ its mass is $\Phi(S/2)-\Phi(-S/2)$, "
    r"a little less than 1 ($1-10^{-11}$ for the five weights $e$ of the start).",
)
def px(x, mus, sigmas, weights):
    z = forward(x, mus, sigmas, weights)
    log_prob = -(z**2) / 2 - sp.log(2 * sp.pi) / 2
    return sp.exp(log_prob + sp.log(dz_by_dx(x, mus, sigmas, weights)))


sampling.illegible(
    "indentation", r"\texttt{x\_high[f>=z] = m[f>=z]}", "Deeper than the line before, as code may not be."
)


@sampling.line(r"f(x_{\mathrm{low}})<z\le f(x_{\mathrm{high}})")
def bracketed(mus, sigmas, weights, z, low, high):
    return sp.And(forward(low, mus, sigmas, weights) < z, forward(high, mus, sigmas, weights) >= z)


@sampling.line(
    r"\texttt{x\_high[f>=z] = m[f>=z]},\ \texttt{x\_low[f<z] = m[f<z]}:\quad f(x_{\mathrm{low}})<z\le "
    r"f(x_{\mathrm{high}})\text{ still}",
    "implies",
)
def still_bracketed(mus, sigmas, weights, z, low, high):
    middle = sp.Rational(1, 2) * (low + high)
    if forward(middle, mus, sigmas, weights) >= z:
        return bracketed(mus, sigmas, weights, z, low, middle)
    return bracketed(mus, sigmas, weights, z, middle, high)


@sampling.claim(
    r"\texttt{z = torch.normal(torch.zeros(N), torch.ones(N))},\ \texttt{x\_low = -3.},\ \texttt{x\_high = "
    r"3.}:\quad f(-3)<z\le f(3)",
    note=r"$Z\sim\mathcal N(0,1)$ is unbounded and $f$ lies within $\pm S/2$, $S=\sum_i e^{w_i}$: for $z>f(3)$ the "
    r"bisection runs to 3, which is no solution ($f(3)<0.4987$ for one standard component of weight 1), and for "
    r"$|z|\ge S/2$ there is none at all.",
)
def the_bracket_holds_the_root(mus, sigmas, weights, z):
    return bracketed(mus, sigmas, weights, z, sp.Integer(-3), sp.Integer(3))


@sampling.correct(
    "the_bracket_holds_the_root",
    r"|z|\ge S/2:\ \text{draw }z\text{ again};\quad\text{else, the bracket doubled while it does not hold }z:\quad "
    r"f(x_{\mathrm{low}})<z\le f(x_{\mathrm{high}})",
)
def the_bracket_doubled(mus, sigmas, weights, z):
    if abs(z) >= sum(weights, sp.Integer(0)) / 2:
        return True
    reach = sp.Integer(3)
    while not bracketed(mus, sigmas, weights, z, -reach, reach):
        reach *= 2
    return bracketed(mus, sigmas, weights, z, -reach, reach)
