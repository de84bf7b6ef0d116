"""What somebody who knows only the page on auditing writes: right lines are not accused, and no line is lost."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

from mdnn_verify.audit import (
    NATURALS,
    POSITIVE,
    REALS,
    Derivation,
    Domain,
    Finding,
    Finite,
    MalformedDerivation,
    Normal,
    StepDensity,
    World,
    argmax,
    argmin,
    audit,
    over,
)
from mdnn_verify.audit.files import places
from mdnn_verify.errors import MdnnVerifyError

FOLLOWS, WRONG, UNDECIDED = Finding.FOLLOWS, Finding.DOES_NOT_FOLLOW, Finding.UNDECIDED
x = sp.Symbol("x", real=True)
GENERIC = [World({"x": x}, generic=True)]
HALF = sp.Rational(1, 2)


def last(left: Any, right: Any, relation: str = "=", worlds: Any = None, **more: Any):
    derivation = Derivation("notes", over(x=REALS) if worlds is None else worlds)
    left.__name__, right.__name__ = "left", "right"
    derivation.line("")(left)
    derivation.line("", relation, **more)(right)
    return audit(derivation, timeout=20).lines[1]


# --- symbols ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("worlds", "left", "right"),
    [
        (over(x=NATURALS), lambda x: sum(range(1, x + 1)), lambda x: x * (x + 1) / 2),
        (over(x=REALS), lambda x: max(x, 0), lambda x: (x + abs(x)) / 2),
        (over(x=REALS), lambda x: x if x > 0 else 0, lambda x: (x + abs(x)) / 2),
        (over(x=NATURALS), lambda x: (1, 2, 3, 4, 5, 6)[x - 1], lambda x: x),
    ],
)
def test_what_cannot_be_said_in_symbols_is_judged_in_numbers(worlds: Any, left: Any, right: Any) -> None:
    line = last(left, right, worlds=worlds)
    assert (line.finding, "all" in line.scope) == (FOLLOWS, False)
    assert "not judged in symbols" in line.detail


def test_with_symbols_only_that_is_a_fault_of_the_line() -> None:
    with pytest.raises(MalformedDerivation, match="the line 'left' could not be evaluated with x = x"):
        last(lambda x: max(x, 0), lambda x: x, worlds=GENERIC)


def test_a_limit_that_sympy_gets_wrong_in_symbols_accuses_nobody() -> None:
    n = sp.Symbol("n", positive=True)
    line = last(
        lambda a, b: sp.limit(sp.log(sp.exp(n * a) + sp.exp(n * b)) / n, n, sp.oo),
        lambda a, b: sp.Max(a, b),
        worlds=over(a=Domain(POSITIVE.values[:3], POSITIVE.symbol), b=Domain(POSITIVE.values[:3], POSITIVE.symbol)),
    )
    assert (line.finding, line.scope) == (FOLLOWS, "9 concrete worlds")
    assert "it is something else with a = 2, b = 1" in line.detail


@pytest.mark.parametrize(
    ("left", "relation", "right"),
    [
        (lambda x: (x**2 - 49**2) / (x - 49), "=", lambda x: x + 49),
        (lambda x: sp.Eq(x * (x - 49), 0), "iff", lambda x: sp.Eq(x, 0)),
        (lambda x: (x - 49) ** 2, ">", lambda x: 0),
        (lambda x: x >= 49, "iff", lambda x: x > 49),
    ],
)
def test_the_point_that_no_world_shows_is_looked_for(left: Any, relation: str, right: Any) -> None:
    """Where something is divided by zero, and where the sides of a comparison are equal."""
    line = last(left, right, relation)
    assert (line.finding, "49" in line.counterexample) == (WRONG, True)


def test_a_quotient_with_a_hole_is_not_equal_to_what_fills_it() -> None:
    line = last(lambda x: (x**2 - 1) / (x - 1), lambda x: x + 1, worlds=GENERIC)
    assert line.counterexample == "with x = 1: the line before is without a value, this line is 2"


def test_a_label_is_no_scope_for_the_hole_it_covers() -> None:
    """A label may except the hole or be mistaken: the scope excepts it."""
    worlds = [World({"x": x}, generic=True, label="all x")]
    line = last(lambda x: (x**2 - 1) / (x - 1), lambda x: x + 1, worlds=worlds)
    assert (line.finding, line.scope) == (FOLLOWS, "all x, except x = 1")


def test_a_hole_where_a_side_is_not_real_is_passed_over() -> None:
    meanings = lambda x: sp.sqrt(x) + sp.sqrt((x + 1) ** 2 / (x + 1) ** 4), lambda x: sp.sqrt(x) - 1
    assert last(*meanings, ">=", worlds=GENERIC).finding is not WRONG


@pytest.mark.parametrize("worlds", [None, GENERIC])
def test_what_is_false_for_all_values_implies_nothing(worlds: Any) -> None:
    line = last(lambda x: x**2 < 0, lambda x: sp.Eq(x, 5), "implies", worlds=worlds)
    assert line.finding is UNDECIDED


def test_what_is_neither_proved_nor_refuted_says_so() -> None:
    line = last(lambda x: sp.log(x**2), lambda x: 2 * sp.log(sp.Abs(x)), worlds=GENERIC)
    assert line.finding is UNDECIDED
    assert line.detail == "neither proved nor refuted for all x"


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_an_integer_of_a_world_divides_exactly() -> None:
    worlds = [World({"n": 3, "p": (1, 2)}), World({"n": 7, "p": (1, 3)})]
    assert (
        last(lambda n, p: p[0] / p[1] + n / 2, lambda n, p: n * HALF + sp.Rational(1, p[1]), worlds=worlds).finding
        is FOLLOWS
    )


@pytest.mark.parametrize(
    "claim", [lambda x: x / x == 0.1 + 0.9, lambda x: x >= 1 / 3, lambda x: all(x < y for y in (1e9, 2e9))]
)
def test_a_comparison_with_a_float_is_refused(claim: Any) -> None:
    derivation = Derivation("notes", over(x=POSITIVE))
    derivation.claim("")(claim)
    with pytest.raises(MalformedDerivation, match="not a float"):
        audit(derivation)


def test_a_law_with_floats_is_refused() -> None:
    with pytest.raises(MdnnVerifyError, match="float, which is not exact"):
        Finite({0: 0.5, 1: 0.5})


def test_the_inverse_of_a_singular_matrix_is_no_value() -> None:
    worlds = [World({"A": A}) for A in (sp.eye(2), sp.ones(2, 2))]
    line = last(lambda A: A.inv() * A, lambda A: sp.eye(2), worlds=worlds)
    assert (line.finding, line.world) == (WRONG, 1)
    assert "the line before is without a value" in line.counterexample


def test_the_empty_set_of_sympy_is_a_set() -> None:
    assert last(lambda x: sp.FiniteSet(), lambda x: set()).finding is FOLLOWS


def test_maximisers_of_what_is_not_rational() -> None:
    p = (HALF, sp.Integer(0), HALF)
    assert argmax(lambda i: sp.log(p[i]) if p[i] else -sp.oo, range(3)) == {0, 2}
    assert argmax(lambda i: (sp.sqrt(2) + sp.sqrt(3), sp.sqrt(5 + 2 * sp.sqrt(6)))[i], range(2)) == {0, 1}
    assert argmin(sp.sqrt, (2, 3, 2)) == {2}
    assert argmax(lambda i: i, ()) == frozenset()
    with pytest.raises(MdnnVerifyError, match="float"):
        argmax(lambda i: i / 10, range(2))


def test_a_line_may_have_a_symbol_called_as_those_of_the_normal_law() -> None:
    line = last(
        lambda y0: Normal(sp.zeros(1, 1), sp.eye(1)).expect(lambda v: (v[0] + y0) ** 2),
        lambda y0: 1 + y0**2,
        worlds=over(y0=REALS),
    )
    assert (line.finding, line.scope) == (FOLLOWS, "all y0; 11 concrete worlds")


def test_an_integral_of_what_is_not_constant_is_refused() -> None:
    p = StepDensity((0, 2), (HALF,))
    assert StepDensity.integral(lambda u: p(u) ** 2, p) == HALF
    with pytest.raises(MdnnVerifyError, match="constant where the densities are"):
        StepDensity.integral(lambda u: u**2 * p(u), p)


@pytest.mark.parametrize("worlds", [None, [World({"x": sp.Integer(1)})]])
def test_a_meaning_that_is_not_the_same_twice_is_refused(worlds: Any) -> None:
    count = itertools.count()
    with pytest.raises(
        MalformedDerivation, match=r"the line 'right' is once .* a meaning must depend on its world only"
    ):
        last(lambda x: x, lambda x: x + next(count), worlds=worlds)


def test_a_symbol_that_is_new_each_time_is_the_same_twice() -> None:
    assert last(lambda x: sp.Integer(1), lambda x: sp.Dummy() ** 0).finding is FOLLOWS
    assert last(lambda x: sp.Dummy("u") - x, lambda x: x).finding is WRONG


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latex", "relation", "told"),
    [
        ("=x", "", "is printed with =, but has the relation '' (none: it would begin a chain); expected '='"),
        (r"\le x", ">=", r"is printed with \\le, but has the relation '>='; expected '<='"),
        (r"& \ge x", "", "expected '>='"),
        (">= x", ">", "expected '>='"),
        (r"\Rightarrow x", "iff", "expected 'implies'"),
    ],
)
def test_a_line_says_in_python_what_is_printed(latex: str, relation: str, told: str) -> None:
    derivation = Derivation("notes", GENERIC)
    with pytest.raises(MalformedDerivation) as caught:
        derivation.line(latex, relation)(lambda x: x)
    assert told.replace("\\\\", "\\") in str(caught.value)


@pytest.mark.parametrize("latex", ["<x,y>", r"\left(=x\right)", r"\leftarrow", "x=y"])
def test_what_only_looks_like_a_relation_may_begin_a_chain(latex: str) -> None:
    Derivation("notes", GENERIC).line(latex)(lambda x: x)


HEAD = "from mdnn_verify.audit import REALS, Derivation, over\n"
TWO = "d = Derivation('one', over(x=REALS))\n@d.line('a')\ndef a(x):\n    return x\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TWO + "d = Derivation('two', over(x=REALS))\n", "notes.py:2: the derivation 'one' has no name of its own"),
        ("all_of_them = [Derivation('one', over(x=REALS))]\n", "notes.py:2: the derivation 'one' has no name of its own"),
        (TWO + "@d.line\ndef b(x):\n    return 2\n", "notes.py:6: a line without its LaTeX"),
        (TWO + "@d.line('=b', '=')\ndef b(x): return 2\n@d.correct('b', '')\ndef c(x): return x\n@d.correct('b', '')\n"
         "def e(x): return x\n", "notes.py:10: 'one' has two corrections of the line 'b'"),
        ("d = Derivation('one', over(x=REALS, where=lambda y: y > 0))\n", "notes.py:2: where asks for y, which is not among x"),
        (TWO + "return 1 +\n", "notes.py:6: syntax error"),
        ("\x00", "notes.py: syntax error"),
    ],
)  # fmt: skip
def test_a_file_that_loses_a_line_is_refused(tmp_path: Path, monkeypatch: Any, text: str, told: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.py").write_text(HEAD + text)
    with pytest.raises(MalformedDerivation) as caught:
        places(["notes.py"])
    assert str(caught.value).startswith(told)


def test_a_derivation_may_take_the_name_of_an_imported_one(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(HEAD + TWO)
    (tmp_path / "notes.py").write_text("from other import d\n" + HEAD + TWO.replace("'one'", "'two'"))
    assert [place.name for place in places([str(tmp_path / "notes.py")])] == ["d"]
