"""Seed 001, Problem 4(a): the divergence of two densities is not negative."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import POSITIVE, Derivation, over
from mdnn_verify.derivations._densities import expect, integral, log_ratio, minus_log, pairs

convexity = Derivation(
    title="The negative logarithm is convex",
    source="seed 001, Problem 4(a)",
    statement=r"-\log\text{ is convex}",
    worlds=over(a=POSITIVE, b=POSITIVE, weight=[sp.Rational(1, 2), sp.Rational(1, 3), 0, 1]),
)
derivation = Derivation(
    title="The divergence is not negative",
    source="seed 001, Problem 4(a)",
    statement=r"D_{\mathrm{KL}}(X\|Y)\ge 0",
    worlds=pairs(),
)


@convexity.claim(
    r"-\log\text{ is a convex function}",
    note=r"Read as $-\log(wa+(1-w)b)\le -w\log a-(1-w)\log b$ for $a,b>0$ and $0\le w\le 1$.",
)
def minus_log_is_convex(a, b, weight):
    chord = -weight * sp.log(a) - (1 - weight) * sp.log(b)
    return sp.Le(-sp.log(weight * a + (1 - weight) * b), chord)


@derivation.line(r"D_{\mathrm{KL}}(X\|Y)=\int_{\mathbb R^d}f(x)\log\left(\frac{f(x)}{g(x)}\right)dx")
def divergence(f, g):
    return integral(lambda x: f(x) * log_ratio(f(x), g(x)) if f(x) != 0 else 0, f, g)


@derivation.line(r"=\mathbf E\left[\log\left(\frac{f(X)}{g(X)}\right)\right]", "=")
def expected_log_ratio(f, g):
    return expect(f, lambda x: log_ratio(f(x), g(x)), g)


@derivation.line(r"=\mathbf E\left[-\log\left(\frac{g(X)}{f(X)}\right)\right]", "=")
def expected_minus_log(f, g):
    return expect(f, lambda x: minus_log(g(x) / f(x)), g)


@derivation.line(
    r"\ge-\log\left(\mathbf E\left[\frac{g(X)}{f(X)}\right]\right)",
    ">=",
    reason=r"Jensen's inequality, as $-\log$ is convex",
)
def jensen(f, g):
    return minus_log(expect(f, lambda x: g(x) / f(x), g))


@derivation.line(
    r"=-\log\left(\int_{\mathbb R^d}f(x)\cdot\frac{g(x)}{f(x)}\,dx\right)",
    "=",
    note=r"The integrand is read as 0 where $f$ is, as the expectation under $f$ does not see that set.",
)
def expectation_as_integral(f, g):
    return minus_log(integral(lambda x: f(x) * (g(x) / f(x)) if f(x) != 0 else 0, f, g))


@derivation.line(
    r"=-\log 1",
    "=",
    needs=("g vanishes wherever f does", lambda f, g: integral(lambda x: g(x) if f(x) == 0 else 0, f, g) == 0),
    note=r"$\int_{f>0}g$ is at most 1, and less if $g$ has mass where $f=0$. With $\ge$ in place of $=$ the line "
    r"follows, and so does the conclusion.",
)
def minus_log_of_one(f, g):
    return -sp.log(1)


@derivation.correct("minus_log_of_one", r"\ge-\log 1\qquad\left(\text{as }\int_{f>0}g(x)\,dx\le 1\right)", ">=")
def at_least_minus_log_of_one(f, g):
    return -sp.log(1)


@derivation.line(r"=0", "=")
def zero():
    return sp.Integer(0)
