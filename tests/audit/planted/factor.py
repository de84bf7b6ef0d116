"""The gradient of half a squared distance: the one half is forgotten."""

import sympy as sp

from mdnn_verify.audit import REALS, Derivation, over

SLIP = "differentiated"


def written(slip):
    derivation = Derivation("The slope of least squares", over(a=REALS, b=REALS, y=REALS, limit=60))
    x = sp.Symbol("x", real=True)

    @derivation.line(r"\frac{d}{dx}\Big|_{x=b}\tfrac12(y-ax)^2")
    def start(a, b, y):
        return sp.diff((y - a * x) ** 2 / 2, x).subs(x, b)

    @derivation.line(r"=-2a(y-ab)" if slip else r"=-a(y-ab)", "=", reason="chain rule")
    def differentiated(a, b, y):
        return (-2 if slip else -1) * a * (y - a * b)

    @derivation.line(r"=-2ay+2a^2b" if slip else r"=-ay+a^2b", "=")
    def expanded(a, b, y):
        return (2 if slip else 1) * (a**2 * b - a * y)

    return derivation


wrong, right = written(True), written(False)
