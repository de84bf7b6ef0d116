"""How lines are judged: every finding can occur, and each means what it says."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp

from mdnn_verify.audit import REALS, Audit, Derivation, Finding, MalformedDerivation, World, audit, over
from mdnn_verify.errors import UnknownName

x = sp.Symbol("x", real=True)
NUMBERS = tuple(World({"x": sp.Integer(n)}) for n in range(4))
GIVEN, FOLLOWS, GAP = Finding.GIVEN, Finding.FOLLOWS, Finding.GAP
WRONG, UNDECIDED, ILLEGIBLE = Finding.DOES_NOT_FOLLOW, Finding.UNDECIDED, Finding.ILLEGIBLE


def chain(*lines: tuple[Any, ...], worlds: Any = NUMBERS) -> Derivation:
    """Lines (relation, meaning, options), named a, b, c, ..."""
    derivation = Derivation("a chain", worlds)
    for name, (relation, meaning, *more) in zip("abcdefgh", lines, strict=False):
        meaning.__name__ = name
        derivation.line(name, relation, **(more[0] if more else {}))(meaning)
    return derivation


def corrected(
    derivation: Derivation, name: str, meaning: Callable[..., Any], relation: str | None = None
) -> Derivation:
    derivation.correct(name, "corrected", relation)(meaning)
    return derivation


def for_long(value: Any) -> Any:
    """In steps, as a limit takes effect between two of them."""
    for _ in range(500):
        time.sleep(0.01)
    return value


def findings(found: Audit) -> list[Finding]:
    return [line.finding for line in found.lines]


def test_a_chain_that_follows() -> None:
    found = audit(
        chain(("", lambda x: x * x), ("=", lambda x: x**2), ("<=", lambda x: x**2 + 1), (">", lambda x: x - 1))
    )
    assert findings(found) == [GIVEN, FOLLOWS, FOLLOWS, FOLLOWS]
    assert {line.scope for line in found.lines[1:]} == {"4 concrete worlds"}


def test_a_line_that_does_not_follow_names_the_first_world_in_which_it_fails() -> None:
    line = audit(chain(("", lambda x: x), ("=", lambda x: x**2))).lines[1]
    assert (line.finding, line.world) == (WRONG, 2)
    assert line.counterexample == "with x = 2: the line before is 2, this line is 4"


def test_a_proof_speaks_for_all_values() -> None:
    line = audit(chain(("", lambda x: (x + 1) ** 2), ("=", lambda x: x**2 + 2 * x + 1), worlds=over(x=REALS))).lines[1]
    assert (line.finding, line.engine) == (FOLLOWS, "SymPy, exact evaluation")
    assert line.scope == "all x; 11 concrete worlds"


def test_a_claim_stands_alone() -> None:
    found = audit(chain(("holds", lambda x: x >= 0), ("holds", lambda x: x >= 1)))
    assert findings(found) == [FOLLOWS, WRONG]
    assert found.lines[1].counterexample == "with x = 0: it is false"


def test_a_slip_is_carried_on_and_not_accused_again() -> None:
    wrong = ("=", lambda x: 2 * x)
    found = audit(chain(("", lambda x: x), wrong, ("=", lambda x: x + x), ("<=", lambda x: 2 * x + 1)))
    assert findings(found) == [GIVEN, WRONG, FOLLOWS, FOLLOWS]
    assert "carries the slip on" in found.lines[2].detail
    assert found.lines[3].detail == "from the line before as it is written"


def test_after_a_slip_a_line_may_follow_from_what_should_have_been_said() -> None:
    found = audit(chain(("", lambda x: x), ("=", lambda x: 2 * x), ("=", lambda x: x + 0)))
    assert findings(found) == [GIVEN, WRONG, FOLLOWS]
    assert "judged on its own" in found.lines[2].detail


def test_the_correction_is_what_should_have_been_said() -> None:
    chained = chain(("", lambda x: x), ("<=", lambda x: x - 1), ("=", lambda x: 1 + x))
    assert findings(audit(chained)) == [GIVEN, WRONG, WRONG]
    found = audit(corrected(chained, "b", lambda x: x + 1))
    assert findings(found) == [GIVEN, WRONG, FOLLOWS]
    assert (found.lines[1].correction, found.lines[1].correction_scope) == (
        "corrected",
        "exact evaluation: 4 concrete worlds",
    )


def test_a_slip_that_is_carried_on_is_remembered() -> None:
    found = audit(chain(("", lambda x: x), ("=", lambda x: 2 * x), ("=", lambda x: x + x), ("=", lambda x: x + 0)))
    assert findings(found) == [GIVEN, WRONG, FOLLOWS, FOLLOWS]


def test_after_two_slips_the_first_line_still_counts() -> None:
    found = audit(chain(("", lambda x: x), ("=", lambda x: 2 * x), ("=", lambda x: 3 * x), ("=", lambda x: x + 0)))
    assert findings(found) == [GIVEN, WRONG, WRONG, FOLLOWS]


def test_an_equivalence_carries_a_slip_on_too() -> None:
    found = audit(
        chain(("", lambda x: x > 1), ("iff", lambda x: x > 2), ("iff", lambda x: 2 * x > 4), ("iff", lambda x: x >= 2))
    )
    assert findings(found) == [GIVEN, WRONG, FOLLOWS, FOLLOWS]


def test_a_gap_by_a_hypothesis_that_is_not_stated() -> None:
    needs = ("x is 0 or 1", lambda x: x <= 1)
    line = audit(chain(("", lambda x: x), ("=", lambda x: x**2, {"needs": needs}))).lines[1]
    assert (line.finding, line.world, line.scope) == (GAP, 2, "2 concrete worlds")
    assert line.detail == "true if x is 0 or 1, which is not stated"
    assert line.counterexample == "with x = 2: the line before is 2, this line is 4"


@pytest.mark.parametrize("predicate", [lambda x: x <= 2, lambda x: x > 100, lambda x: sp.Eq(x, 2)])
def test_a_hypothesis_that_does_not_help_is_no_excuse(predicate: Callable[..., Any]) -> None:
    line = audit(chain(("", lambda x: x), ("=", lambda x: x**2, {"needs": ("...", predicate)}))).lines[1]
    assert line.finding is WRONG


def test_a_gap_by_a_reason_that_yields_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    derivation = chain(("", lambda x: x + x), ("=", lambda x: 2 * x, {"by": lambda x: x**2, "reason": "squared"}))
    line = audit(derivation).lines[1]
    assert (line.finding, line.world) == (GAP, 1)
    assert line.counterexample == "with x = 1: what the reason yields is 1, this line is 2"
    derivation.show("b", 1)
    assert [row.split()[-1] for row in capsys.readouterr().out.splitlines()] == ["2", "2", "1"]


def test_a_reason_that_carries_the_line_is_no_gap() -> None:
    found = audit(chain(("", lambda x: x + x), ("=", lambda x: 2 * x, {"by": lambda x: x * 2})))
    assert findings(found) == [GIVEN, FOLLOWS]


def test_a_garbled_line_accuses_nobody() -> None:
    derivation = chain(("", lambda x: x))
    derivation.illegible("b", "garbled [sic")

    @derivation.line("=2x", "=")
    def c(x):
        return 2 * x

    @derivation.line("=x+x", "=")
    def d(x):
        return x + x

    @derivation.line("=x+x", "=", against="a")
    def e(x):
        return x + x

    found = audit(derivation)
    assert findings(found) == [GIVEN, ILLEGIBLE, UNDECIDED, FOLLOWS, WRONG]
    assert "a garbled line stands before it" in found.lines[2].detail


def test_a_line_after_a_garbled_one_follows_from_the_last_legible_one_if_it_does() -> None:
    derivation = chain(("", lambda x: x))
    derivation.illegible("b", "garbled")
    derivation.line("=x", "=")(lambda x: 2 * x - x)
    assert findings(audit(derivation)) == [GIVEN, ILLEGIBLE, FOLLOWS]


def test_what_takes_too_long_is_undecided_and_named() -> None:
    found = audit(chain(("", lambda x: x), ("=", lambda x: for_long(x)), ("", lambda x: x)), timeout=0.3)
    assert findings(found) == [GIVEN, UNDECIDED, GIVEN]
    assert found.lines[1].detail == "the line 'b' took more than 0.3 s"


def test_a_generic_world_that_takes_too_long_does_not_cost_the_concrete_ones() -> None:
    def slow(x):
        if x.free_symbols:
            for_long(x)
        return x

    worlds = (*NUMBERS, World({"x": x}, generic=True))
    line = audit(chain(("", lambda x: x), ("=", slow), worlds=worlds), timeout=2).lines[1]
    assert (line.finding, line.scope) == (FOLLOWS, "4 concrete worlds")


def test_a_correction_that_takes_too_long_is_refused() -> None:
    derivation = corrected(chain(("", lambda x: x), ("=", lambda x: x + 1)), "b", lambda x: for_long(x))
    with pytest.raises(MalformedDerivation, match=r"correction of the line 'b' .* more than 0\.3 s"):
        audit(derivation, timeout=0.3)


def test_a_correction_that_does_not_follow_is_refused() -> None:
    with pytest.raises(MalformedDerivation, match="correction of the line 'b' does not follow itself"):
        audit(corrected(chain(("", lambda x: x), ("=", lambda x: x + 1)), "b", lambda x: x + 2))


def test_a_correction_of_a_line_that_follows_is_refused() -> None:
    with pytest.raises(MalformedDerivation, match="the line 'b' is corrected, but it follows"):
        audit(corrected(chain(("", lambda x: x), ("=", lambda x: x + 0)), "b", lambda x: x))


def test_a_correction_may_have_another_relation() -> None:
    found = audit(corrected(chain(("", lambda x: x), (">=", lambda x: x + 1)), "b", lambda x: x + 1, "<="))
    assert (found.lines[1].finding, found.lines[1].correction) == (WRONG, "corrected")


@pytest.mark.parametrize(
    ("left", "right", "finding"),
    [
        (lambda x: sp.oo, lambda x: sp.oo, FOLLOWS),
        (lambda x: sp.oo, lambda x: x, WRONG),
        (lambda x: 1 / sp.Integer(0), lambda x: 1 / sp.Integer(0), UNDECIDED),
        (lambda x: 1 // 0, lambda x: 1 // 0, UNDECIDED),
        (lambda x: x, lambda x: x**2 / x, WRONG),  # 0/0 where the line before is 0
        (lambda x: {x}, lambda x: {x + 0}, FOLLOWS),
        (lambda x: {x, 1}, lambda x: {x}, WRONG),
        (lambda x: sp.Float(x), lambda x: x, None),
    ],
)
def test_infinite_undefined_and_inexact_values(left: Any, right: Any, finding: Finding | None) -> None:
    derivation = chain(("", left), ("=", right))
    if finding is None:
        with pytest.raises(MalformedDerivation, match="not a float"):
            audit(derivation)
    else:
        assert audit(derivation).lines[1].finding is finding


def test_sets_may_be_contained() -> None:
    found = audit(chain(("", lambda x: {x}), ("subset", lambda x: {0, x}), ("subset", lambda x: {0})))
    assert findings(found) == [GIVEN, FOLLOWS, WRONG]
    assert found.lines[2].counterexample == "with x = 1: the line before is {0, 1}, this line is {0}"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Derivation("t", []), "has no world"),
        (lambda: Derivation("t", [{"x": 1}]), "expected a World"),
        (lambda: Derivation("t", [World({"x": 0.5})]), "holds a float"),
        (lambda: chain(("", lambda x: x), ("~", lambda x: x)), "the line 'b' has the relation '~', expected one of"),
        (lambda: chain(("=", lambda x: x, {"worlds": [World({"x": 0.5})]})), "holds a float"),
    ],
)
def test_malformed_when_it_is_written(make: Callable[[], Derivation], told: str) -> None:
    with pytest.raises(MalformedDerivation) as caught:
        make()
    assert told in str(caught.value)


def test_two_lines_of_one_name_are_refused() -> None:
    derivation = chain(("", lambda x: x))
    with pytest.raises(MalformedDerivation, match="two lines named 'a'"):
        derivation.illegible("a", "again")


def test_corrections_and_lines_must_exist() -> None:
    derivation = chain(("", lambda x: x))
    with pytest.raises(UnknownName, match="'aa'"):
        derivation.correct("aa", "")(lambda x: x)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([("", lambda x: x)], "has no line to judge"),
        ([("=", lambda x: x)], "the line 'a' has nothing before it"),
        ([("", lambda x: x), ("=", lambda x: x, {"against": "b"})], "the line 'b' is held against 'b'"),
        (
            [("", lambda x: x), ("=", lambda x: x, {"against": "c"}), ("", lambda x: x)],
            "expected a legible line before",
        ),
        ([("", lambda y: y), ("=", lambda x: x)], "the line 'a' asks for y, which the world x = 0 does not give"),
        ([("", lambda x: x), ("=", lambda x: undefined)], "the line 'b' has an undefined symbol: name 'undefined'"),  # noqa: F821
        ([("", lambda x: x), ("=", lambda x: sp.Matrix([x]))], "a number and this is a 1 x 1 matrix"),
        ([("", lambda x: x), ("=", lambda x: x.nothing)], "the line 'b' could not be evaluated with x = 0"),
        (
            [("", lambda x: x), ("=", lambda x: sys.exit(0))],
            "the line 'b' could not be evaluated with x = 0: SystemExit",
        ),
        ([("", lambda x: x), ("=", lambda x: x + 1, {"needs": ("h", lambda x: 1)})], "expected a truth value"),
    ],
)
def test_malformed_when_it_is_judged(lines: Any, told: str) -> None:
    with pytest.raises(MalformedDerivation) as caught:
        audit(chain(*lines))
    assert told in str(caught.value)


def test_the_message_names_the_place() -> None:
    def broken(x):
        return x + missing  # noqa: F821

    with pytest.raises(MalformedDerivation) as caught:
        audit(chain(("", lambda x: x), ("=", broken)))
    assert f"test_judge.py:{broken.__code__.co_firstlineno + 1}: the line 'b'" in str(caught.value)
