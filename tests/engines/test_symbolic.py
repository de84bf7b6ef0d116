"""The symbolic engine: what it proves, what it refutes with a point, and what it must not believe."""

import itertools

import pytest
import sympy as sp

from mdnn_verify.engines import Context, decide, satisfiable
from mdnn_verify.engines.symbolic import Equal, Proposition
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.verdicts import Status

CONTEXT = Context("test", scope="everything", timeout=20)
x, y = sp.symbols("x y")
a, b = sp.symbols("a b", real=True)
p, q = sp.symbols("p q", positive=True)
s = sp.Symbol("s", nonnegative=True)
i, j, n = sp.symbols("i j n", integer=True)
m = sp.Symbol("m", integer=True, positive=True)
f = sp.Function("f")
A, B = sp.MatrixSymbol("A", m, m), sp.MatrixSymbol("B", m, m)
P, Q = sp.IndexedBase("P", real=True), sp.IndexedBase("Q", real=True)

TRUE = {
    "expand": Equal((x + y) ** 2, x**2 + 2 * x * y + y**2),
    "fractions": Equal(1 / (x + 1) - 1 / (x + 2), 1 / ((x + 1) * (x + 2))),
    "logarithms of positive numbers": Equal(sp.log(p * q**2), sp.log(p) + 2 * sp.log(q)),
    "trigonometry": Equal(sp.sin(x) ** 2 + sp.cos(x) ** 2, 1),
    "nested root": Equal(sp.sqrt(3 + 2 * sp.sqrt(2)), 1 + sp.sqrt(2)),
    "chain rule": Equal(sp.Derivative(sp.exp(f(x)), x), sp.exp(f(x)) * f(x).diff(x)),
    "sum": Equal(sp.Sum(i, (i, 1, m)), m * (m + 1) / 2),
    "linearity of sums": Equal(
        sp.Sum(P[i] + 2 * Q[i], (i, 1, m)), sp.Sum(P[j], (j, 1, m)) + 2 * sp.Sum(Q[i], (i, 1, m))
    ),
    "shifted sum": Equal(sp.Sum(P[i + 1], (i, 0, m - 1)), sp.Sum(P[j], (j, 1, m))),
    "integral": Equal(sp.Integral(a**2, (a, 0, 1)), sp.Rational(1, 3)),
    "maximum": Equal(sp.Max(a, b), (a + b + sp.Abs(a - b)) / 2),
    "matrices": Equal(sp.Matrix([[p, 0], [x, 1]]).inv(), sp.Matrix([[1 / p, 0], [-x / p, 1]])),
    "transposed product, any size": Equal((A * B).T, B.T * A.T),
    "determinant of a product, any size": Equal(sp.Determinant(A * B), sp.Determinant(A) * sp.Determinant(B)),
    "sequences": Equal([x + x, (1, y)], [2 * x, (1, y)]),
    "square": Proposition(a**2 + b**2 >= 2 * a * b),
    "polynomial without a real root": Proposition(a**4 - a + 1 > 0),
    "polynomial on the half line": Proposition(s**3 + s + 1 > 0),
    "fraction": Proposition(p + 1 / p >= 2),
    "conjunction": Proposition(sp.And(p + q > 0, sp.exp(a) * p > 0)),
    "not equal": Proposition(sp.Ne(a**2 + 1, 0)),
    "disjunction": Proposition(sp.Or(p + q > 0, a > 0)),
    "equation of matrices": Proposition(sp.Eq(sp.Matrix([a, b]), sp.Matrix([a, b]), evaluate=False)),
    "a truth value": Proposition(sp.true),
}

FALSE = {
    "square": Equal((x + y) ** 2, x**2 + y**2),
    "root of a square": Equal(sp.sqrt(x**2), x),
    "root of a real square": Equal(sp.sqrt(a**2), a),
    "logarithm's branch": Equal(sp.log(x * y), sp.log(x) + sp.log(y)),
    "logarithm of an exponential": Equal(sp.log(sp.exp(x)), x),
    "cube root": Equal((a**3) ** sp.Rational(1, 3), a),
    "root of a product": Equal(sp.sqrt(x * y), sp.sqrt(x) * sp.sqrt(y)),
    "inverse tangent's branch": Equal(sp.atan(sp.tan(a)), a),
    "product rule": Equal(sp.Derivative(f(x) ** 2, x), f(x) * f(x).diff(x)),
    "empty sum": Equal(sp.Sum(i, (i, 1, n)), n * (n + 1) / 2),
    "square of a sum": Equal(sp.Sum(P[i] ** 2, (i, 1, m)), sp.Sum(P[i], (i, 1, m)) ** 2),
    "Gaussian integral": Equal(sp.Integral(sp.exp(-(a**2)), (a, -sp.oo, sp.oo)), sp.sqrt(2 * sp.pi)),
    "integral, slightly off": Equal(sp.Integral(sp.exp(-(a**2)), (a, 0, 1)), sp.Rational(74682, 100000)),
    "only at zero": Proposition(a**2 > 0),
    "zero to the power": Equal(0**x, 0),
    "equality case": Proposition(a**2 + b**2 > 2 * a * b),
    "piecewise": Equal(sp.Piecewise((1, a > 0), (0, True)), sp.Heaviside(a, 1)),
    "commuting matrices": Equal(A * B, B * A),
    "one entry": Equal(sp.Matrix([[1, x], [0, 1]]), sp.Matrix([[1, x], [0, 2]])),
    "shapes": Equal(sp.ones(2, 1), sp.ones(1, 2)),
    "symbolic shapes": Equal(sp.MatrixSymbol("C", m, m + 1), sp.MatrixSymbol("D", m, m)),
    "matrix and scalar": Equal(sp.eye(1), 1),
    "disjunction": Proposition(sp.Or(a > 0, a < 0)),
    "implication": Proposition(sp.Implies(a > 0, a > 1)),
    "letters": Proposition(sp.Implies(sp.Symbol("A_"), sp.Symbol("B_"))),
    "a truth value": Proposition(sp.false),
    "closed": Equal(sp.sqrt(2) + sp.sqrt(3), sp.sqrt(10)),
    "tiny difference": Equal(sp.pi, sp.Rational(314159265358979323846264338327950288, 10**35)),
    "tiny irrational difference": Equal(sp.exp(sp.Rational(1, 10**30)), 1),
}


@pytest.mark.parametrize("name", TRUE)
def test_true_claims_are_proved(name):
    verdict = decide(TRUE[name], CONTEXT)
    assert verdict.status is Status.PROVED, verdict
    assert verdict.scope == "everything"
    assert verdict.evidence["points"] >= 1


@pytest.mark.parametrize("name", FALSE)
def test_false_claims_are_refuted_with_a_counterexample(name):
    verdict = decide(FALSE[name], CONTEXT)
    assert verdict.status is Status.REFUTED, verdict
    assert verdict.counterexample


@pytest.mark.parametrize(
    ("naive", "claim"),
    [
        (lambda: sp.simplify(sp.Sum(i, (i, 1, n)).doit() - n * (n + 1) / 2) == 0, FALSE["empty sum"]),
        (lambda: sp.powdenest(sp.sqrt(x**2), force=True) == x, FALSE["root of a square"]),
        (lambda: sp.expand_log(sp.log(x * y), force=True) == sp.log(x) + sp.log(y), FALSE["logarithm's branch"]),
        (lambda: sp.simplify(x / x) == 1, Equal(sp.Piecewise((0, sp.Eq(x, 0)), (1, True)), 1)),
    ],
)
def test_what_a_naive_simplification_accepts_is_refuted(naive, claim):
    assert naive()
    assert decide(claim, CONTEXT).status is Status.REFUTED


def test_a_simplifier_that_says_true_to_everything_is_not_believed(monkeypatch):
    monkeypatch.setattr(
        "mdnn_verify.engines.exact_claims.steps", lambda claim: iter([("a gullible simplifier", lambda: True)])
    )
    for name, claim in FALSE.items():
        assert decide(claim, CONTEXT).status is Status.REFUTED, name


def test_without_an_exact_point_nothing_is_proved():
    oracle = sp.Symbol("oracle", irrational=True, prime=None, algebraic=False)  # transcendental: no candidate is one
    verdict = decide(Equal(oracle + oracle, 2 * oracle), CONTEXT)
    assert verdict.status is Status.INCONCLUSIVE
    assert "no exact point" in verdict.detail


@pytest.mark.parametrize("claim", [Equal(sp.nan, sp.nan), Equal(sp.zoo, sp.zoo), Equal(sp.oo - x, sp.oo - x)])
def test_points_where_nothing_is_defined_are_no_evidence(claim):
    assert decide(claim, CONTEXT).status is Status.INCONCLUSIVE


def test_what_sympy_says_false_to_against_all_points_is_a_disagreement(monkeypatch):
    monkeypatch.setattr(
        "mdnn_verify.engines.exact_claims.steps", lambda claim: iter([("a broken step", lambda: False)])
    )
    verdict = decide(Equal(a + a, 2 * a), CONTEXT)
    assert verdict.status is Status.INCONCLUSIVE
    assert "disagree" in verdict.detail


def test_what_raises_or_stays_open_is_inconclusive(monkeypatch):
    def raises():
        raise RecursionError

    monkeypatch.setattr(
        "mdnn_verify.engines.exact_claims.steps", lambda claim: iter([("a", raises), ("b", lambda: None)])
    )
    verdict = decide(Equal(a + a, 2 * a), CONTEXT)
    assert verdict.status is Status.INCONCLUSIVE
    assert "RecursionError" in verdict.detail


def test_what_takes_too_long_is_inconclusive(monkeypatch):
    def endless():
        for _ in itertools.count():
            pass

    monkeypatch.setattr("mdnn_verify.engines.exact_claims.steps", lambda claim: iter([("endless", endless)]))
    verdict = decide(Equal(a + a, 2 * a), Context("test", timeout=0.5))
    assert verdict.status is Status.INCONCLUSIVE
    assert "not finished" in verdict.detail


def test_the_counterexample_can_be_pasted():
    verdict = decide(Equal(a**2, 4 * a), CONTEXT)
    name, value = verdict.counterexample.partition(":")[0].split(" = ")
    at = sp.Symbol(name, real=True), sp.sympify(value)
    assert (a**2).subs(*at) != (4 * a).subs(*at)


def test_points_depend_on_name_and_seed_alone():
    claim = Equal(a**3 - 3 * a, sp.Integer(2))
    first, again = (decide(claim, CONTEXT) for _ in range(2))
    assert first == again


def test_undefined_functions_keep_their_assumptions():
    g = sp.Function("g", positive=True)
    assert decide(Equal(sp.log(g(a) ** 2), 2 * sp.log(g(a))), CONTEXT).status is Status.PROVED
    assert decide(Equal(sp.log(f(a) ** 2), 2 * sp.log(f(a))), CONTEXT).status is Status.REFUTED


@pytest.mark.parametrize("wrong", [True, 1 == 1, 0.5, None, "x > 0"])
def test_a_proposition_is_a_sympy_proposition(wrong):
    with pytest.raises(MdnnVerifyError, match="not a SymPy proposition"):
        Proposition(wrong)


@pytest.mark.parametrize("wrong", [0.1, sp.Float("0.1") * x, True, sp.true, x < 1, "x", None])
def test_equal_takes_exact_expressions_only(wrong):
    with pytest.raises(MdnnVerifyError):
        Equal(wrong, x)


def test_floats_are_refused_in_propositions():
    with pytest.raises(MdnnVerifyError, match="Rational"):
        Proposition(a > 0.5)


@pytest.mark.parametrize(
    ("hypothesis", "status"),
    [
        (sp.And(a > 0, a < 1), Status.PROVED),
        (sp.And(sp.Eq(a + b, 1), a > 0, b > 0), Status.PROVED),
        (sp.And(a > 0, a < -1), Status.REFUTED),
        ([a > 0, a < 0], Status.REFUTED),
        ({"above": a > 1, "below": a < 2}, Status.PROVED),
        (sp.true, Status.PROVED),
        (sp.false, Status.REFUTED),
        (Equal(2, 1 + 1), Status.PROVED),
        (Equal(2, 1), Status.REFUTED),
        (sp.Eq(sp.cos(a) * sp.exp(a), 5 + sp.log(p)), Status.INCONCLUSIVE),
    ],
)
def test_hypotheses_need_a_witness(hypothesis, status):
    verdict = satisfiable(hypothesis, Context("test", timeout=4))
    assert verdict.status is status, verdict


def test_the_witness_is_named():
    assert satisfiable(sp.And(a > 3, a < 9), CONTEXT).detail.startswith("witness: a = ")
