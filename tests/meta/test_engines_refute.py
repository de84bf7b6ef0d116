"""Every engine is shown able to refute: a planted falsehood beside its true neighbour."""

import flint
import numpy as np
import pytest
import sympy as sp
import torch
import z3

from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.autograd import jacobian, log_abs_det
from mdnn_verify.engines.intervals import EnclosureAtLeast, EnclosureEquals, integral
from mdnn_verify.engines.pathwise import AtLeast, Residual
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal, Proposition

CONTEXT = Context("meta", scope="planted", timeout=20)


def symbolic_equal(true):
    d = sp.Symbol("d", positive=True)
    return Equal(sp.log(d**2) - sp.log(d), sp.log(d) if true else 2 * sp.log(d))


def symbolic_matrix(true):
    n = sp.Symbol("n", integer=True, positive=True)
    A, B = sp.MatrixSymbol("A", n, n), sp.MatrixSymbol("B", n, n)
    return Equal((A * B).T, B.T * A.T if true else A.T * B.T)


def symbolic_proposition(true):
    a, b = sp.symbols("a b", real=True)
    return Proposition(a**2 + b**2 >= (2 if true else 3) * a * b)


def smt(true):
    x, y = z3.Reals("x y")
    return Valid(x <= y, given=[x < y + (0 if true else 1)])


def smt_with_quantifiers(true):
    thing = z3.DeclareSort("Thing")
    t, best = z3.Consts("t best", thing)
    value = z3.Function("value", thing, z3.RealSort())
    attained = z3.ForAll([t], value(t) <= value(best))
    return Valid(value(best) >= value(t), given=[attained] if true else [])


def enclosure(true):
    mass = integral(lambda z, _: (-z * z / 2).exp(), -1, 1)
    return EnclosureEquals(mass, flint.arb("1.7112487837842976" if true else "1.7112"))


def floor(true):
    return EnclosureAtLeast(integral(lambda z, _: z * z, 0, 1), "0.3333" if true else "0.3334")


def residual(true):
    observed = np.float64(0.1) * 3
    return Residual(observed, 0.3, 1e-15 if true else 1e-17)


def at_least(true):
    return AtLeast([1.0, 1.0], [1.0, 1.0 if true else 1.0 + 1e-12], 1e-14)


def autograd(true):
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)
    value, bound = log_abs_det(jacobian(lambda z: torch.exp(z) * 2 if true else torch.exp(1.001 * z) * 2, x))
    return Residual(value, float(5 * np.log(2.0)), bound + 1e-14)


PLANTED = [
    symbolic_equal, symbolic_matrix, symbolic_proposition, smt, smt_with_quantifiers, enclosure, floor, residual, at_least,
    autograd,
]  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_the_truth_agrees_and_the_falsehood_is_refuted(plant):
    assert decide(plant(True), CONTEXT).agrees
    verdict = decide(plant(False), CONTEXT)
    assert verdict.refuted, verdict
    assert verdict.counterexample
