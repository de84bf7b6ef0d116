"""Bias and variance: the square of the bias is dropped."""

import sympy as sp

from mdnn_verify.audit import REALS, Derivation, Finite, World

SLIP = "decomposed"
HALF = sp.Rational(1, 2)
LAWS = [Finite({0: 1}), Finite({0: HALF, 1: HALF}), Finite({-1: HALF / 2, 0: HALF, 3: HALF / 2})]
WORLDS = [World({"X": law, "a": a}) for law in LAWS for a in REALS.values[:5]]


def written(slip):
    derivation = Derivation("The error of an estimator", WORLDS)

    @derivation.line(r"\mathbf E[(X-a)^2]")
    def start(X, a):
        return X.expect(lambda x: (x - a) ** 2)

    @derivation.line(r"=\mathbf E[(X-\mathbf EX)^2]" if slip else r"=\mathbf E[(X-\mathbf EX)^2]+(\mathbf EX-a)^2", "=")
    def decomposed(X, a):
        mean = X.expect(lambda x: x)
        return X.expect(lambda x: (x - mean) ** 2) + (0 if slip else (mean - a) ** 2)

    @derivation.line(r"\ge(\mathbf EX-a)^2", ">=", against="start")
    def bound(X, a):
        return (X.expect(lambda x: x) - a) ** 2

    return derivation


wrong, right = written(True), written(False)
