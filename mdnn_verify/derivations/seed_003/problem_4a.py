"""Seed 003, Problem 4(a): the divergence of two densities is not negative."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import Derivation
from mdnn_verify.derivations._densities import expect, integral, log_ratio, minus_log, pairs

derivation = Derivation(
    title="The divergence is not negative",
    source="seed 003, Problem 4(a)",
    statement=r"D_{KL}(X\|Y)\ge 0",
    worlds=pairs(),
)
READ = (
    r"$X/Y$ is read as $f(X)/g(X)$, and $Y/X$ as $g(X)/f(X)$: the quotient of the densities, not of the random vectors."
)


@derivation.line(r"D_{KL}(X|Y)")
def divergence(f, g):
    return integral(lambda x: f(x) * log_ratio(f(x), g(x)) if f(x) != 0 else 0, f, g)


@derivation.line(r"=\mathbb E_X[\log(X/Y)]", "=", note=READ)
def expected_log_ratio(f, g):
    return expect(f, lambda x: log_ratio(f(x), g(x)), g)


@derivation.line(r"=\mathbb E_X[-\log(Y/X)]", "=", note=READ)
def expected_minus_log(f, g):
    return expect(f, lambda x: minus_log(g(x) / f(x)), g)


@derivation.line(r"\ge-\log(\mathbb E_X[Y/X])", ">=", reason="Jensen's inequality", note=READ)
def jensen(f, g):
    return minus_log(expect(f, lambda x: g(x) / f(x), g))


@derivation.line(
    r"=-\log\left(\int_{\mathbb R^d}f(x)\frac{g(x)}{f(x)}\,dx\right)",
    "=",
    note=r"The integrand is read as 0 where $f$ is, as the expectation under $f$ does not see that set.",
)
def expectation_as_integral(f, g):
    return minus_log(integral(lambda x: f(x) * (g(x) / f(x)) if f(x) != 0 else 0, f, g))


@derivation.line(
    r"=-\log 1",
    "=",
    reason=r"$\int_{\mathbb R^d}g(x)\,dx=1$",
    needs=("g vanishes wherever f does", lambda f, g: integral(lambda x: g(x) if f(x) == 0 else 0, f, g) == 0),
    note=r"$\int_{f>0}g$ is at most 1, and less if $g$ has mass where $f=0$. With $\ge$ in place of $=$ the line "
    r"follows, and so does the conclusion.",
)
def minus_log_of_one(f, g):
    return -sp.log(1)


@derivation.correct(
    "minus_log_of_one", r"\ge-\log 1\qquad\left(\because\int_{f>0}g(x)\,dx\le\int_{\mathbb R^d}g(x)\,dx=1\right)", ">="
)
def at_least_minus_log_of_one(f, g):
    return -sp.log(1)


@derivation.line(r"=0", "=")
def zero():
    return sp.Integer(0)
