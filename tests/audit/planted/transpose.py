"""The gradient of a quadratic form: the transpose is forgotten, which a symmetric matrix hides."""

import sympy as sp

from mdnn_verify.audit import Derivation, World

SLIP = "collected"
MATRICES = [sp.eye(2), sp.Matrix([[2, 1], [1, 3]]), sp.Matrix([[0, 1], [0, 0]]), sp.Matrix([[1, 2], [-1, 1]])]
WORLDS = [World({"A": A, "x": sp.Matrix(v)}) for A in MATRICES for v in ([0, 1], [1, 0], [1, -2])]
SYMBOLS = sp.symbols("a b c d u v", real=True)
WORLDS.append(World({"A": sp.Matrix(2, 2, SYMBOLS[:4]), "x": sp.Matrix(SYMBOLS[4:])}, generic=True))


def written(slip):
    derivation = Derivation("The gradient of a quadratic form", WORLDS)

    @derivation.line(r"\nabla_x\,x^\top Ax")
    def start(A, x):
        t = sp.Matrix(sp.symbols("t:2", real=True))
        gradient = sp.Matrix([(t.T * A * t)[0]]).jacobian(t).T
        return gradient.subs(dict(zip(t, x, strict=True)))

    @derivation.line(r"=Ax+Ax" if slip else r"=Ax+A^\top x", "=", reason="product rule")
    def collected(A, x):
        return A * x + (A if slip else A.T) * x

    @derivation.line(r"=2Ax" if slip else r"=(A+A^\top)x", "=")
    def together(A, x):
        return 2 * A * x if slip else (A + A.T) * x

    return derivation


wrong, right = written(True), written(False)
