"""Claims made to fool the engines: no false one may be agreed with, no true one refuted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp
import torch
import z3

from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.intervals import EnclosureAtLeast, EnclosureEquals
from mdnn_verify.engines.montecarlo import (
    BoundedMean,
    CatoniMean,
    CdfEqual,
    KnownCGFMean,
    NeverViolated,
    PairedInequality,
)
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.engines.pathwise import AtLeast, Residual
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal, Proposition
from mdnn_verify.theorem import Theorem
from mdnn_verify.verdicts import Status, Verdict

x, y, t = sp.symbols("x y t", real=True)
z, w = sp.symbols("z w")
p, neg = sp.Symbol("p", positive=True), sp.Symbol("neg", negative=True)
n, k, i, j = sp.symbols("n k i j", integer=True)
N = sp.Symbol("N", integer=True, positive=True)
A, B = sp.MatrixSymbol("A", N, N), sp.MatrixSymbol("B", N, N)
f = sp.Function("f")
Z, Y, M = z3.Real("Z"), z3.Real("Y"), z3.Int("M")
Claims = dict[str, Callable[[], Any]]


def verdict(make: Callable[[], Any]) -> Status:
    """As the runner does: what raises is an ERROR, which neither agrees nor refutes."""
    try:
        return decide(make(), Context(name="adversary", scope="a test", alpha=1e-8, timeout=4)).status
    except Exception:  # noqa: BLE001  (the runner turns anything a check raises into an ERROR)
        return Status.ERROR


def ones(n: int, value: float) -> torch.Tensor:
    return torch.full((n,), value, dtype=torch.float64)


class Alternating:
    """Draws that depend on how often they were asked for."""

    calls = 0

    def __call__(self, rng: Stream, n: int) -> torch.Tensor:
        self.calls += 1
        return ones(n, 0.9 if self.calls % 2 else 0.1)


def uniform(rng: Stream, n: int) -> torch.Tensor:
    return rng.uniform(n)


ALMOST_EVERYWHERE: Claims = {
    "an indicator of one point": lambda: Equal(sp.Piecewise((1, sp.Ne(x, sp.Rational(137, 11))), (0, True)), 1),
    "sign squared": lambda: Equal(sp.sign(x - 100) ** 2, 1),
    "0 to the distance": lambda: Equal(0 ** sp.Abs(x - 100), 0),
    "a delta far out": lambda: Equal(sp.KroneckerDelta(n, 1234), 0),
    "the slope of a jump": lambda: Equal(sp.Derivative(sp.Piecewise((0, x < 5), (1, True)), x), 0),
    "the slope of |x| at 0": lambda: Equal(sp.Derivative(sp.Abs(x), x), sp.sign(x)),
    "the slope of ReLU at 0": lambda: Equal(sp.Derivative(sp.Max(x, 0), x), sp.Heaviside(x)),
    "the slope of floor": lambda: Equal(sp.Derivative(sp.floor(x), x), 0),
    "a double root": lambda: Proposition((x - sp.Rational(137, 100)) ** 2 * (x**2 + 1) > 0),
    "a tiny region": lambda: Proposition((1000 * x - 1371) ** 2 > sp.Rational(1, 10**12)),
    "one rational": lambda: Proposition(sp.Or(sp.Ne(x, sp.Rational(355, 113)), x > 4)),
}
BRANCHES: Claims = {
    "sqrt of a square": lambda: Equal(sp.sqrt(z**2), z),
    "log of a product": lambda: Equal(sp.log(z * w), sp.log(z) + sp.log(w)),
    "log of exp": lambda: Equal(sp.log(sp.exp(z)), z),
    "product of roots": lambda: Equal(sp.sqrt(z) * sp.sqrt(w), sp.sqrt(z * w)),
    "power of a power": lambda: Equal((z**2) ** w, z ** (2 * w)),
    "conjugate of log": lambda: Equal(sp.conjugate(sp.log(z)), sp.log(sp.conjugate(z))),
    "arctan of the reciprocal": lambda: Equal(sp.atan(x) + sp.atan(1 / x), sp.pi / 2),
    "arcsin of sin": lambda: Equal(sp.asin(sp.sin(x)), x),
    "complex square": lambda: Proposition(z**2 >= 0),
    "modulus": lambda: Equal(sp.Abs(z) ** 2, z**2),
}
SERIES: Claims = {
    "empty range": lambda: Equal(sp.Sum(k, (k, 1, n)), n * (n + 1) / 2),
    "sifting outside": lambda: Equal(sp.Sum(sp.KroneckerDelta(k, n), (k, 0, 10)), 1),
    "captured index": lambda: Equal(
        sp.Sum(1 + sp.Sum(f(i, j), (j, 0, 2)), (i, 0, 2)), sp.Sum(1 + sp.Sum(f(j, j), (j, 0, 2)), (i, 0, 2))
    ),
    "telescoping of divergent series": lambda: Equal(
        sp.Sum(1 / k - 1 / (k + 1), (k, 1, sp.oo)), sp.Sum(1 / k, (k, 1, sp.oo)) - sp.Sum(1 / (k + 1), (k, 1, sp.oo))
    ),
    "divergent": lambda: Equal(sp.Sum(2**k, (k, 0, sp.oo)), -1),
    "Fubini": lambda: Equal(
        sp.Integral((x**2 - y**2) / (x**2 + y**2) ** 2, (x, 0, 1), (y, 0, 1)),
        sp.Integral((x**2 - y**2) / (x**2 + y**2) ** 2, (y, 0, 1), (x, 0, 1)),
    ),
    "pole inside": lambda: Equal(sp.Integral(1 / x**2, (x, -1, 1)), -2),
    "principal value": lambda: Equal(sp.Integral(1 / x, (x, -1, 1)), 0),
    "continuity taken for granted": lambda: Equal(sp.Limit(f(x), x, 0), f(0)),
    "no term": lambda: Equal([], []),
}
MATRICES_AND_LARGE: Claims = {
    "commuting": lambda: Equal(A * B, B * A),
    "additive determinant": lambda: Equal(sp.Determinant(A + B), sp.Determinant(A) + sp.Determinant(B)),
    "additive inverse": lambda: Equal((A + B).I, A.I + B.I),
    "symmetric": lambda: Equal(A.T, A),
    "false at large values": lambda: Proposition(10**6 * p >= p**2),
    "false far out": lambda: Proposition(sp.exp(x) < sp.Integer(10) ** 1000),
    "Pell": lambda: Proposition(sp.Ne(n**2 - 61 * k**2, 1)),
    "floor": lambda: Equal(sp.floor(x + sp.Rational(1, 10**6)), sp.floor(x)),
    "linear only": lambda: Equal(f(x + y), f(x) + f(y)),
    "degree at most 2 only": lambda: Equal(f(x + 3) - 3 * f(x + 2) + 3 * f(x + 1) - f(x), 0),
}
SMT: Claims = {
    "a reciprocal of everything": lambda: Valid(z3.Exists([Y], Z * Y == 1)),
    "total division": lambda: Valid(z3.Exists([Y], Y == 1 / Z)),
    "total power": lambda: Valid(z3.Exists([Y], Y == Z**-1)),
    "root of everything": lambda: Valid(z3.Sqrt(Z) * z3.Sqrt(Z) == Z),
    "vacuous": lambda: Valid(Z == 5, given=[Z > 0, Z < 0]),
    "vacuous but for 1/0": lambda: Valid(Z == 5, given=[Z * (1 / Z) != 1]),
    "quantifiers swapped": lambda: Valid(z3.Exists([Y], z3.ForAll([Z], Y > Z))),
    "integers are not reals": lambda: Valid((M / 2) * 2 == M),
    "a float for a third": lambda: Valid(z3.Implies(3 * Z == 1, Z == 1 / 3)),
    "a tiny region": lambda: Valid(z3.Q(1, 10**18) < Z * Z, given=[Z != 0]),
    "large values": lambda: Valid(M * M < 10**12),
}
NUMBERS: Claims = {
    "a wide enclosure": lambda: EnclosureEquals(flint.arb(0, 5), 3, within=10),
    "any enclosure": lambda: EnclosureEquals(flint.arb(0, 5), 3, within=math.inf),
    "an enclosure of nothing": lambda: EnclosureEquals(flint.arb("nan"), 3),
    "NaN above": lambda: EnclosureAtLeast(flint.arb("nan"), 0),
    "floor at infinity": lambda: EnclosureAtLeast(flint.arb(3), flint.arb("-inf")),
    "a wide bound": lambda: Residual(1.0, 2.0, 5.0),
    "an infinite bound": lambda: Residual(1.0, 2.0, math.inf),
    "no entries": lambda: Residual(np.zeros(0), np.zeros(0), 0.0),
    "NaN equals NaN": lambda: Residual(math.nan, math.nan, 1e-9),
    "opposite infinities": lambda: Residual(math.inf, -math.inf, 1e-9),
    "broadcast": lambda: Residual(np.zeros((3, 1)), np.zeros((1, 3)), 0.0),
    "complex": lambda: Residual(1j, 1j, 0.0),
    "masked": lambda: Residual(np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([1.0, 5.0], mask=[0, 1]), 0.0),
    "every floor at -inf": lambda: AtLeast(np.zeros(3), np.full(3, -math.inf), 0.0),
}
SIMULATIONS: Claims = {
    "NaN": lambda: BoundedMean(uniform, math.nan, 0, 1, 1.0),
    "off by twice the tolerance": lambda: BoundedMean(uniform, 0.52, 0, 1, 1.0),
    "a huge tolerance": lambda: CatoniMean(lambda rng, n: rng.normal(n), 3.0, 1.0, "N(0, 1)", 1.0, within=10),
    "outside the support": lambda: BoundedMean(lambda rng, n: 2 * rng.uniform(n), 1.0, 0, 1, 1.0),
    "a constant": lambda: BoundedMean(lambda rng, n: ones(n, 0.4), 0.5, 0, 1, 1.0),
    "a state": lambda: BoundedMean(Alternating(), 0.5, 0, 1, 1.0),
    "the same block again and again": lambda: BoundedMean(lambda rng, n: Stream("x", 0).uniform(n), 0.5, 0, 1, 1.0),
    "the global generator": lambda: BoundedMean(lambda rng, n: torch.rand(n, dtype=torch.float64), 0.5, 0, 1, 1.0),
    "a shifted law": lambda: KnownCGFMean(lambda rng, n: rng.normal(n) + 0.05, 0.0, lambda s: s * s / 2, 1.0),
    "a negative mean": lambda: PairedInequality(lambda rng, n: rng.uniform(n) - 0.6, 1.0, support=(-1, 1)),
    "no distribution function": lambda: CdfEqual(uniform, torch.zeros_like, torch.zeros_like, within=0.999),
    "only NaN": lambda: NeverViolated(lambda rng, n: ones(n, math.nan)),
    "out of a generator": lambda: (BoundedMean(uniform, 0.5, 0, 1, 1.0) for _ in range(1)),
}
RETURNED: Claims = {
    "a verdict": lambda: Verdict(Status.PROVED, "everything"),
    "True": lambda: True,
    "numpy's True": lambda: np.bool_(True),
    "None": lambda: None,
    "an empty list": list,
    "nested emptiness": lambda: [[], {}],
    "an empty generator": lambda: (claim for claim in ()),
    "an iterator": lambda: map(Equal, [x], [x]),
}
FALSE = ALMOST_EVERYWHERE | BRANCHES | SERIES | MATRICES_AND_LARGE | NUMBERS | SIMULATIONS | RETURNED
FALSE |= {f"Z3: {name}": claim for name, claim in SMT.items()}

TRUE: Claims = {
    "Pythagoras": lambda: Equal(sp.sin(x) ** 2 + sp.cos(x) ** 2, 1),
    "Pascal, all integers": lambda: Equal(sp.binomial(n, k) + sp.binomial(n, k + 1), sp.binomial(n + 1, k + 1)),
    "a removable singularity": lambda: Equal((x**2 - 1) / (x - 1), x + 1),
    "geometric, empty and at 1": lambda: Equal(sp.Sum(1, (k, 1, N)), N),
    "nested sums": lambda: Equal(
        sp.Sum(1 + sp.Sum(f(i, j), (j, 0, 2)), (i, 0, 2)), 3 + sp.Sum(f(i, j), (j, 0, 2), (i, 0, 2))
    ),
    "under the integral": lambda: Equal(
        sp.Derivative(sp.Integral(f(x, t), (t, 0, 1)), x), sp.Integral(sp.Derivative(f(x, t), x), (t, 0, 1))
    ),
    "power of a power": lambda: Equal((z**w) ** 2, z ** (2 * w)),
    "arccos": lambda: Equal(sp.acos(x) + sp.acos(-x), sp.pi),
    "an inverse": lambda: Equal(A * A.I, sp.Identity(N)),
    "a jump's other side": lambda: Equal(sp.Piecewise((1, x > 0), (2, True)), sp.Piecewise((2, x <= 0), (1, True))),
    "guarded division": lambda: Valid(z3.Implies(Z != 0, Z / Z == 1)),
    "0 to the 0": lambda: Valid(Z**0 == 1),
    "every integer is even or odd": lambda: Valid(z3.ForAll([M], z3.Or(M % 2 == 0, M % 2 == 1))),
    "touching enclosures": lambda: EnclosureEquals(flint.arb(1) / 3, flint.fmpq(1, 3)),
    "bit-equal": lambda: Residual(0.0, -0.0, 0.0),
    "equal infinities": lambda: Residual(math.inf, math.inf, 0.0),
    "infinite above": lambda: AtLeast(math.inf, 0.0, 0.0),
    "a true mean": lambda: BoundedMean(uniform, 0.5, 0, 1, 1.0, within=0.05),
    "a constant": lambda: BoundedMean(lambda rng, n: ones(n, 0.5), 0.5, 0, 1, 1.0),
    "a rare event": lambda: BoundedMean(lambda rng, n: (rng.uniform(n) < 1e-3).double(), 1e-3, 0, 1, 1.0, within=0.05),
    "a mean on the boundary": lambda: PairedInequality(
        lambda rng, n: rng.uniform(n) - 0.5, 1.0, support=(-1, 1), within=0.05
    ),
    "a fair coin": lambda: BoundedMean(lambda rng, n: rng.integers(0, 2, n), 0.5, 0, 1, 1.0, within=0.05),
}


@pytest.mark.parametrize("name", FALSE)
def test_no_false_claim_is_agreed_with(name: str) -> None:
    assert verdict(FALSE[name]) not in (Status.PROVED, Status.VERIFIED_WITHIN)


@pytest.mark.parametrize("name", TRUE)
def test_no_true_claim_is_refuted(name: str) -> None:
    assert verdict(TRUE[name]) not in (Status.REFUTED, Status.ERROR)


def test_a_dropped_hypothesis_must_read_what_the_control_changes() -> None:
    theorem = Theorem(statement="a = b", given={"a": 1, "b": 1})

    @theorem.hypothesis
    def assumed(a: int) -> sp.Basic:
        """What is assumed of a."""
        return sp.Eq(sp.Integer(a), 1)

    theorem.false_if("b is 2", drops="assumed", b=2)
    assert any("which reads none of the data it changes" in fault for fault in theorem.faults())
