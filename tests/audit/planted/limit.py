"""A limit is drawn under the integral, where nothing dominates: mass escapes."""

import sympy as sp

from mdnn_verify.audit import Derivation, World

SLIP = "exchanged"
n, x = sp.Symbol("n", positive=True, integer=True), sp.Symbol("x", positive=True)
FAMILIES = [x**n, n * x**n, x / n, n * x ** (n - 1)]
WORLDS = [World({"f": f}) for f in FAMILIES]


def pointwise(f):
    """The limit at every x in (0, 1): x = 1/(1 + u) with u > 0."""
    u = sp.Symbol("u", positive=True)
    return sp.limit(f.subs(x, 1 / (1 + u)), n, sp.oo).subs(u, 1 / x - 1)


def written(slip):
    derivation = Derivation("The limit of integrals", WORLDS)

    @derivation.line(r"\lim_{n\to\infty}\int_0^1 f_n(x)\,dx")
    def start(f):
        return sp.limit(sp.integrate(f, (x, 0, 1)), n, sp.oo)

    @derivation.line(
        (r"=" if slip else r"\ge") + r"\int_0^1\lim_{n\to\infty}f_n(x)\,dx", "=" if slip else ">=", reason="exchanged"
    )
    def exchanged(f):
        return sp.integrate(pointwise(f), (x, 0, 1))

    @derivation.line(r"=0", "=")
    def zero(f):
        return 0

    return derivation


wrong, right = written(True), written(False)
