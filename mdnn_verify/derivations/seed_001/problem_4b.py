"""Seed 001, Problem 4(b): the divergence of independent components adds up."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._densities import cells, expect, independent_pairs, integral, log_ratio, minus_log

derivation = Derivation(
    title="The divergence of independent components adds up",
    source="seed 001, Problem 4(b)",
    statement=r"D_{\mathrm{KL}}(X\|Y)=D_{\mathrm{KL}}(X_1\|Y_1)+\dots+D_{\mathrm{KL}}(X_d\|Y_d)",
    worlds=independent_pairs(),
)


def factored(density, *others):
    """The products of the marginal densities on the boxes of all densities."""
    factors = [density.marginal(k) for k in range(density.dimension)]
    return tuple(sp.prod([factor((x[k],)) for k, factor in enumerate(factors)]) for _, x in cells(density, *others))


@derivation.line(
    r"\bigl(f(x),\ g(y)\bigr)",
    note=r"$X_1,\dots,X_d$ are independent and so are $Y_1,\dots,Y_d$: the worlds are such.",
)
def joint_densities(f, g):
    return tuple((f(x), g(x)) for _, x in cells(f, g))


@derivation.line(
    r"f(x)=f_1(x_1)\cdots f_d(x_d),\ g(y)=g_1(y_1)\cdots g_d(y_d)",
    "=",
    reason="independence",
    note="For any x, up to a set of measure zero, on which a density may be changed.",
)
def densities_factor(f, g):
    return tuple(zip(factored(f, g), factored(g, f), strict=True))


@derivation.line(r"D_{\mathrm{KL}}(X\|Y)")
def divergence(f, g):
    return integral(lambda x: f(x) * log_ratio(f(x), g(x)) if f(x) != 0 else 0, f, g)


@derivation.line(r"=\mathbf E\left[-\log\left(\frac{g(X)}{f(X)}\right)\right]", "=")
def expected_minus_log(f, g):
    return expect(f, lambda x: minus_log(g(x) / f(x)), g)


@derivation.line(
    r"=\mathbf E\left[-\log\left(\frac{g_1(X_1)}{f_1(X_1)}\right)\right]+\dots+\mathbf "
    r"E\left[-\log\left(\frac{g_d(X_d)}{f_d(X_d)}\right)\right]",
    "=",
)
def sum_of_expectations(f, g):
    total = sp.Integer(0)
    for k in range(f.dimension):
        fk, gk = f.marginal(k), g.marginal(k)
        total += expect(f, lambda x, fk=fk, gk=gk, k=k: minus_log(gk((x[k],)) / fk((x[k],))), g)
    return total


@derivation.line(r"=D_{\mathrm{KL}}(X_1\|Y_1)+\dots+D_{\mathrm{KL}}(X_d\|Y_d)", "=")
def sum_of_divergences(f, g):
    return sum(component(f.marginal(k), g.marginal(k)) for k in range(f.dimension))


def component(f, g):
    """The divergence of one component."""
    return integral(lambda x: f(x) * log_ratio(f(x), g(x)) if f(x) != 0 else 0, f, g)
