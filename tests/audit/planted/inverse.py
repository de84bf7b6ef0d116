"""The inverse of a product: the order is not turned."""

import sympy as sp

from mdnn_verify.audit import Derivation, World

SLIP = "inverted"
A, B, C = sp.Matrix([[1, 1], [0, 1]]), sp.Matrix([[1, 0], [1, 1]]), sp.Matrix([[2, 1], [1, 1]])
x, y = sp.Matrix([1, 2]), sp.Matrix([0, 1])
WORLDS = [World({"A": P, "B": Q, "x": v}) for P in (A, B, C) for Q in (A, B, C) for v in (x, y)]


def written(slip):
    derivation = Derivation("Two layers undone", WORLDS)

    @derivation.line(r"(AB)^{-1}x")
    def start(A, B, x):
        return (A * B).inv() * x

    @derivation.line(r"=A^{-1}B^{-1}x" if slip else r"=B^{-1}A^{-1}x", "=")
    def inverted(A, B, x):
        return A.inv() * B.inv() * x if slip else B.inv() * A.inv() * x

    @derivation.line(r"=B^{-1}(A^{-1}x)", "=")
    def one_after_the_other(A, B, x):
        return B.inv() * (A.inv() * x)

    return derivation


wrong, right = written(True), written(False)
