"""Seed 003, Problem 4(b): the divergence of independent components adds up."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._densities import cells, independent_pairs, integral, log_ratio

derivation = Derivation(
    title="The divergence of independent components adds up",
    source="seed 003, Problem 4(b)",
    statement=r"D_{KL}(\mathbf X\|\mathbf Y)=D_{KL}(X_1\|Y_1)+\cdots+D_{KL}(X_d\|Y_d)",
    worlds=independent_pairs(),
)


def marginals(density):
    return [density.marginal(k) for k in range(density.dimension)]


def times(factors, x):
    """The product of the component densities at x."""
    return sp.prod([factor((x[k],)) for k, factor in enumerate(factors)])


def component(f, g):
    """The integral of f log f/g on the line."""
    return integral(lambda x: f(x) * log_ratio(f(x), g(x)) if f(x) != 0 else 0, f, g)


def mass(f):
    return integral(f, f)


@derivation.line(r"f_{\mathbf X}(\mathbf x)")
def joint_density(f, g):
    return tuple(f(x) for _, x in cells(f, g))


@derivation.line(
    r"=f_{X_1}(x_1)\times\cdots\times f_{X_d}(x_d)",
    "=",
    reason="independence, by definition",
    note="The text says: for some sample vector x. Read as: for any, up to a set of measure zero.",
)
def density_factors(f, g):
    return tuple(times(marginals(f), x) for _, x in cells(f, g))


@derivation.line(
    r"D_{KL}(\mathbf X|\mathbf Y)=\int_{\mathbb R^d}f_{\mathbf X}(\mathbf x)\log\frac{f_{\mathbf X}(\mathbf "
    r"x)}{g_{\mathbf Y}(\mathbf x)}\,d\mathbf x"
)
def divergence(f, g):
    return integral(lambda x: f(x) * log_ratio(f(x), g(x)) if f(x) != 0 else 0, f, g)


@derivation.line(
    r"=\int_{\mathbb R^d}f_{X_1}(x_1)\times\cdots\times f_{X_d}(x_d)"
    r"\left(\log\frac{f_{X_1}(x_1)}{g_{Y_1}(x_1)}+\cdots+\log\frac{f_{X_d}(x_d)}{g_{Y_d}(x_d)}\right)dx_1\cdots dx_d",
    "=",
    note=r"The components of $\mathbf Y$ are independent, too, as the problem says.",
)
def densities_inserted(f, g):
    fs, gs = marginals(f), marginals(g)

    def integrand(x):
        weight = times(fs, x)
        if weight == 0:
            return sp.Integer(0)
        return weight * sum(log_ratio(fk((x[k],)), gk((x[k],))) for k, (fk, gk) in enumerate(zip(fs, gs, strict=True)))

    return integral(integrand, f, g)


@derivation.line(
    r"=\int_{\mathbb R}f_{X_1}(x_1)\log\frac{f_{X_1}(x_1)}{g_{Y_1}(x_1)}dx_1\int_{\mathbb "
    r"R}f_{X_2}(x_2)dx_2\cdots\int_{\mathbb R}f_{X_d}(x_d)dx_d"
    r"+\cdots+\int_{\mathbb R}f_{X_1}(x_1)dx_1\int_{\mathbb R}f_{X_2}(x_2)dx_2\cdots\int_{\mathbb "
    r"R}f_{X_d}(x_d)\log\frac{f_{X_d}(x_d)}{g_{Y_d}(x_d)}dx_d",
    "=",
)
def integrals_split(f, g):
    fs, gs = marginals(f), marginals(g)
    total = sp.Integer(0)
    for k, (fk, gk) in enumerate(zip(fs, gs, strict=True)):
        total += component(fk, gk) * sp.prod([mass(other) for j, other in enumerate(fs) if j != k])
    return total


@derivation.line(
    r"=\int_{\mathbb R}f_{X_1}(x_1)\log\frac{f_{X_1}(x_1)}{g_{Y_1}(x_1)}dx_1+\cdots"
    r"+\int_{\mathbb R}f_{X_d}(x_d)\log\frac{f_{X_d}(x_d)}{g_{Y_d}(x_d)}dx_d",
    "=",
)
def masses_are_one(f, g):
    return sum(component(fk, gk) for fk, gk in zip(marginals(f), marginals(g), strict=True))


@derivation.line(r"=D_{KL}(X_1|Y_1)+\cdots+D_{KL}(X_d|Y_d)", "=")
def sum_of_divergences(f, g):
    return sum(component(f.marginal(k), g.marginal(k)) for k in range(f.dimension))
