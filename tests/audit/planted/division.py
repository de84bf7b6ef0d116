"""Both sides are divided by a number that may be 0."""

import sympy as sp

from mdnn_verify.audit import REALS, Derivation, over

SLIP = "divided"


def written(slip):
    derivation = Derivation("A factor cancelled", over(a=REALS, x=REALS, y=REALS, limit=120, generic=False))

    @derivation.line(r"ax=ay")
    def start(a, x, y):
        return sp.Eq(a * x, a * y)

    @derivation.line(r"\iff a(x-y)=0", "iff")
    def moved(a, x, y):
        return sp.Eq(a * (x - y), 0)

    @derivation.line(
        r"\implies x=y" if slip else r"\implies a=0\text{ or }x=y", "implies", reason="divided by $a$" if slip else ""
    )
    def divided(a, x, y):
        return sp.Eq(x, y) if slip else sp.Or(sp.Eq(a, 0), sp.Eq(x, y))

    return derivation


wrong, right = written(True), written(False)
