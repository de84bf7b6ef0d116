"""An entry of a product of permutation matrices: the permutation and its inverse are confused; a 3-cycle tells them."""

from itertools import permutations

import sympy as sp

from mdnn_verify.audit import Derivation, World

SLIP = "entry"
WORLDS = [World({"x": (3, 5, 8), "s": s, "i": i}) for s in permutations(range(3)) for i in range(3)]


def matrix(s):
    """P e_j = e_s(j)."""
    return sp.Matrix(3, 3, lambda i, j: int(i == s[j]))


def written(slip):
    derivation = Derivation("A permuted vector", WORLDS)

    @derivation.line(r"(P_\sigma x)_i")
    def start(x, s, i):
        return (matrix(s) * sp.Matrix(x))[i]

    @derivation.line(r"=\sum_j\mathbf 1[i=\sigma(j)]\,x_j", "=")
    def written_out(x, s, i):
        return sum(sp.Integer(x[j]) for j in range(3) if i == s[j])

    @derivation.line(r"=x_{\sigma(i)}" if slip else r"=x_{\sigma^{-1}(i)}", "=")
    def entry(x, s, i):
        return x[s[i]] if slip else x[s.index(i)]

    return derivation


wrong, right = written(True), written(False)
