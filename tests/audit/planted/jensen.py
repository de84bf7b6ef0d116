"""Jensen's inequality for the exponential function, which is convex, as if it were concave."""

import sympy as sp

from mdnn_verify.audit import Derivation, Finite, World

SLIP = "jensen"
HALF, THIRD = sp.Rational(1, 2), sp.Rational(1, 3)
LAWS = [Finite({1: 1}), Finite({0: HALF, 1: HALF}), Finite({-1: THIRD, 0: THIRD, 2: THIRD})]


def written(slip):
    derivation = Derivation("The mean of an exponential", [World({"X": law}) for law in LAWS])

    @derivation.line(r"\mathbf E[e^X]")
    def start(X):
        return X.expect(sp.exp)

    @derivation.line(r"\le e^{\mathbf EX}" if slip else r"\ge e^{\mathbf EX}", "<=" if slip else ">=", reason="Jensen")
    def jensen(X):
        return sp.exp(X.expect(lambda x: x))

    @derivation.line(r"\ge 1+\mathbf EX", ">=")
    def tangent(X):
        return 1 + X.expect(lambda x: x)

    return derivation


wrong, right = written(True), written(False)
