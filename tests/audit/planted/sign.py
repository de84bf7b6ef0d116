"""The negative logarithm of a ratio: the sign is lost."""

import sympy as sp

from mdnn_verify.audit import POSITIVE, Derivation, over

SLIP = "split"


def written(slip):
    derivation = Derivation("The divergence at a point", over(p=POSITIVE, q=POSITIVE, limit=40))

    @derivation.line(r"-p\log\frac{q}{p}")
    def start(p, q):
        return -p * sp.log(q / p)

    @derivation.line(r"=p\,(\log q-\log p)" if slip else r"=p\,(\log p-\log q)", "=", reason="logarithm of a ratio")
    def split(p, q):
        return p * (sp.log(q) - sp.log(p)) if slip else p * (sp.log(p) - sp.log(q))

    @derivation.line(r"=p\log p-p\log q", "=")
    def expanded(p, q):
        return p * sp.log(p) - p * sp.log(q)

    return derivation


wrong, right = written(True), written(False)
