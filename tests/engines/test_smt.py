"""The Z3 engine: proofs, counterexamples that are evaluated, vacuity, and partial operations."""

from fractions import Fraction

import pytest
import sympy as sp
import z3

from mdnn_verify.engines import Context, decide, satisfiable
from mdnn_verify.engines.smt import Valid, matrix, rational
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.verdicts import Status


def told(value: object) -> str | None:
    """A name that is the same in every process: no addresses."""
    name = str(value)
    return None if " at 0x" in name else name


CONTEXT = Context("test", scope="all reals", timeout=10)
x, y = z3.Reals("x y")
n = z3.Int("n")
Thing = z3.DeclareSort("Thing")
t, t0 = z3.Consts("t t0", Thing)
g, h = z3.Function("g", Thing, z3.RealSort()), z3.Function("h", Thing, z3.RealSort())


@pytest.mark.parametrize(
    "claim",
    [
        x * x + y * y >= 2 * x * y,
        Valid(x > 0, given=[x > 1]),
        Valid(n * (n + 1) % 2 == 0),
        Valid(x / y * y == x, given=[y > 0]),
        z3.Implies(y != 0, x / y * y == x),
        Valid(g(t0) >= 0, given=[z3.ForAll([t], g(t) >= h(t)), z3.ForAll([t], h(t) >= 0)]),
        z3.ForAll([x], x / (x * x + 1) <= 1),
    ],
    ids=told,
)
def test_proofs(claim):
    verdict = decide(claim, CONTEXT)
    assert verdict.status is Status.PROVED, verdict
    assert verdict.scope == "all reals"


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        (x * x > 0, "x = 0"),
        (Valid(x > 2, given=[x > 1]), "x = "),
        (Valid(n % 2 == 0), "n = "),
        (Valid(g(t0) > 0, given=[z3.ForAll([t], g(t) >= 0)]), "g = "),
        (z3.BoolVal(False), "any values"),
        (Valid(x == y, given=[x * x == y * y, x > 1]), "y = -"),
    ],
)
def test_counterexamples(claim, text):
    verdict = decide(claim, CONTEXT)
    assert verdict.status is Status.REFUTED, verdict
    assert text in verdict.counterexample


def test_a_vacuous_claim_is_an_error():
    verdict = decide(Valid(x > 0, given=[x > 1, x < 1]), CONTEXT)
    assert verdict.status is Status.ERROR
    assert "vacuous" in verdict.detail


@pytest.mark.parametrize(
    "claim",
    [
        x / y * y == x,
        x / x == 1,
        n % z3.Int("k") >= 0,
        z3.ForAll([x], x / x == 1),
        Valid(y == y, given=[x / y > 0]),
        x**y > 0,
    ],
    ids=told,
)
def test_what_may_be_undefined_is_inconclusive(claim):
    verdict = decide(claim, CONTEXT)
    assert verdict.status is Status.INCONCLUSIVE, verdict
    assert "may be" in verdict.detail


def test_unknown_never_passes():
    cubes = [z3.Int(name) for name in "abc"]
    fermat = z3.Implies(z3.And(*(c > 0 for c in cubes)), cubes[0] ** 3 + cubes[1] ** 3 != cubes[2] ** 3)
    verdict = decide(fermat, Context("test", timeout=0.5))
    assert verdict.status is Status.INCONCLUSIVE, verdict


def test_an_unsatisfiable_conclusion_is_refuted_even_where_its_negation_is_not_decided(monkeypatch):
    """Z3 knows less about a negated quantifier; then the claim itself is tried."""
    from mdnn_verify.engines import smt

    real = smt._check

    def forgetful(propositions, context):
        asked = any(z3.is_not(proposition) for proposition in propositions)
        return (z3.unknown, None, "forgot") if asked else real(propositions, context)

    monkeypatch.setattr(smt, "_check", forgetful)
    assert decide(Valid(x < 0, given=[x > 1]), CONTEXT).status is Status.REFUTED
    assert decide(Valid(x < 2, given=[x > 1]), CONTEXT).status is Status.INCONCLUSIVE


def test_a_model_that_does_not_break_the_claim_is_not_believed(monkeypatch):
    from mdnn_verify.engines import smt

    solver = z3.Solver()
    solver.add(x == 5)
    solver.check()
    wrong = solver.model()
    monkeypatch.setattr(smt, "_check", lambda *_: (z3.sat, wrong, ""))
    verdict = decide(Valid(x * x >= 0), CONTEXT)
    assert verdict.status is Status.INCONCLUSIVE
    assert "does not break" in verdict.detail


def test_a_witness_makes_quantified_assumptions_satisfiable():
    k = z3.Function("k", z3.RealSort(), z3.RealSort())
    given = [z3.ForAll([x], k(x) >= x * x + k(0)), k(0) > 1]
    without = decide(Valid(k(3) >= 10, given), Context("test", timeout=0.5))
    assert without.status is Status.INCONCLUSIVE
    assert "vacuous" in without.detail
    assert (
        decide(Valid(k(3) >= 10, given, witness=[z3.ForAll([x], k(x) == x * x + 2)]), CONTEXT).status is Status.PROVED
    )


def test_a_wrong_witness_is_ignored_but_cannot_prove():
    assert decide(Valid(x > 0, given=[x > 1], witness=[x < 0]), CONTEXT).status is Status.PROVED
    assert decide(Valid(x > 2, given=[x > 1], witness=[x > 5]), CONTEXT).status is Status.REFUTED


@pytest.mark.parametrize(
    ("hypothesis", "status"),
    [
        (z3.And(x > 0, x < 1), Status.PROVED),
        (z3.And(x > 0, x < 0), Status.REFUTED),
        ([x > 0, x < 0], Status.REFUTED),
        (Valid(y > 0, given=[y < 0]), Status.REFUTED),
        (x / y > 0, Status.INCONCLUSIVE),
    ],
)
def test_hypotheses(hypothesis, status):
    verdict = satisfiable(hypothesis, CONTEXT)
    assert verdict.status is status, verdict


def test_verdicts_are_reproducible():
    claim = Valid(x * y <= 1, given=[x + y <= 1])
    assert len({decide(claim, CONTEXT).counterexample for _ in range(3)}) == 1


@pytest.mark.parametrize("number", [3, Fraction(1, 3), sp.Rational(-2, 7), sp.Integer(5)])
def test_rational_is_exact(number):
    assert rational(number).as_fraction() == Fraction(str(number))


@pytest.mark.parametrize("number", [0.1, True, sp.sqrt(2), sp.Float(1), "1"])
def test_rational_refuses_what_is_inexact(number):
    with pytest.raises(MdnnVerifyError, match="expected"):
        rational(number)


def test_matrix():
    assert [[e.as_fraction() for e in row] for row in matrix(sp.Matrix([[1, 2], [0, sp.Rational(1, 2)]]))] == [
        [1, 2],
        [0, Fraction(1, 2)],
    ]


@pytest.mark.parametrize("wrong", [True, x, None, sp.true])
def test_only_z3_propositions(wrong):
    with pytest.raises(MdnnVerifyError, match="not a Z3 proposition"):
        Valid(wrong)
