"""Attempts to fool the judge: wrong lines that look right to a hasty one, and right lines that look wrong."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sympy as sp

from mdnn_verify.audit import POSITIVE, REALS, Derivation, Finding, Finite, MalformedDerivation, World, audit, over

FOLLOWS, WRONG, UNDECIDED = Finding.FOLLOWS, Finding.DOES_NOT_FOLLOW, Finding.UNDECIDED
x, y = sp.symbols("x y", real=True)
NUMBERS = tuple(World({"x": sp.Integer(n)}) for n in range(3))


def last(left: Any, right: Any, relation: str = "=", worlds: Any = NUMBERS, **more: Any):
    """The reading of ``right``, held against ``left``."""
    derivation = Derivation("a trap", worlds)
    left.__name__, right.__name__ = "left", "right"
    derivation.line("")(left)
    derivation.line("", relation, **more)(right)
    return audit(derivation, timeout=10).lines[1]


def test_agreement_at_all_concrete_worlds_is_no_agreement_where_the_generic_one_fails() -> None:
    vanishing = sp.prod(x - value for value in REALS.values)
    line = last(lambda x: sp.Integer(0), lambda x: vanishing.subs(sp.Symbol("x", real=True), x), worlds=over(x=REALS))
    assert line.finding is WRONG
    assert any(character.isdigit() for character in line.counterexample)


def test_a_generic_world_without_symbols_proves_nothing_for_all() -> None:
    line = last(lambda x: x, lambda x: x**2, worlds=[World({"x": sp.Integer(1)}, generic=True)])
    assert (line.finding, line.scope) == (FOLLOWS, "1 concrete world")
    line = last(lambda x: x[0], lambda x: x[0] ** 2, worlds=[World({"x": (1, 2)}, generic=True)])
    assert line.scope == "1 concrete world"


def test_the_scope_of_a_proof_names_what_stays_fixed() -> None:
    world = World({"x": x, "n": sp.Integer(2)}, generic=True)
    assert last(lambda x, n: x**n, lambda x: x * x, worlds=[world]).scope == "all x (n = 2)"


def test_a_symbol_that_a_line_brings_along_stands_for_all_its_values() -> None:
    assert last(lambda x: y, lambda x: y**2).finding is WRONG  # equal at y = 0 and at y = 1
    assert last(lambda x: (x + y) ** 2, lambda x: x**2 + 2 * x * y + y**2).finding is FOLLOWS


def test_a_line_cannot_change_the_world_of_the_next() -> None:
    derivation = Derivation("a trap", [World({"A": sp.Matrix([[1, 2], [3, 4]]), "b": [1, 2]})])

    @derivation.line("")
    def start(A, b):
        A[0, 0] = 100
        b.append(3)
        return A[0, 0] + len(b)

    @derivation.line("", "=")
    def following(A, b):
        return A[0, 0] + 2 + 97 + 3

    assert audit(derivation).lines[1].finding is FOLLOWS
    assert derivation.worlds[0].data["A"][0, 0] == 1


def test_a_line_is_not_held_against_itself() -> None:
    with pytest.raises(MalformedDerivation, match="'right' is held against 'right'"):
        last(lambda x: x, lambda x: x + 1, against="right")


def test_nothing_follows_from_what_is_never_true() -> None:
    line = last(lambda x: x < 0, lambda x: x > 10, "implies")
    assert (line.finding, line.detail) == (UNDECIDED, "the line before is true in none of the worlds")


def test_an_implication_is_tried_only_where_the_line_before_is_true() -> None:
    line = last(lambda x: x > 1, lambda x: x > 0, "implies")
    assert (line.finding, line.scope) == (FOLLOWS, "1 concrete world")


def test_what_has_no_value_implies_nothing() -> None:
    line = last(lambda x: 1 // int(x) == 1, lambda x: x == 1, "implies")
    assert (line.finding, line.scope) == (FOLLOWS, "1 concrete world")


def test_nearly_equal_is_not_equal() -> None:
    assert last(lambda x: sp.exp(sp.pi * sp.sqrt(163)), lambda x: sp.Integer(640320**3 + 744)).finding is WRONG
    for digits in (20, 100, 1000):
        tiny = sp.Rational(1, 10**digits)
        assert last(lambda x: sp.sqrt(2), lambda x, tiny=tiny: sp.sqrt(2) + tiny).finding is WRONG
        assert last(lambda x: sp.pi, lambda x, tiny=tiny: sp.pi - tiny, "<=").finding is WRONG
    close = lambda x: sp.sqrt(10**60 + 1)  # noqa: E731
    assert last(lambda x: sp.Integer(10**30), close).finding is WRONG


def test_equal_is_not_less() -> None:
    line = last(lambda x: sp.sqrt(2) + sp.sqrt(3), lambda x: sp.sqrt(5 + 2 * sp.sqrt(6)), "<")
    assert line.finding is UNDECIDED


def test_nothing_is_equal_to_nothing() -> None:
    assert last(lambda x: sp.zoo, lambda x: sp.nan).finding is UNDECIDED
    assert last(lambda x: sp.oo - sp.oo, lambda x: sp.Integer(0)).finding is WRONG


def test_worlds_that_stay_undecided_are_counted() -> None:
    equal = (sp.sqrt(2) + sp.sqrt(3), sp.sqrt(5 + 2 * sp.sqrt(6)))
    line = last(lambda x: equal[0], lambda x: equal[1] + x, "<")
    assert (line.finding, line.scope) == (FOLLOWS, "2 concrete worlds; 1 undecided")


def test_a_division_by_what_may_be_zero_is_seen_in_symbols_too() -> None:
    line = last(lambda x: x, lambda x: sp.Integer(1) / (x - x), worlds=over(x=POSITIVE))
    assert line.finding is WRONG


@pytest.mark.parametrize("value", [1, "true", sp.Integer(1), (True,), {True}])
def test_a_claim_is_a_truth_value_and_not_what_python_takes_for_one(value: Any) -> None:
    derivation = Derivation("a trap", NUMBERS)
    derivation.claim("")(lambda x: value)
    with pytest.raises(MalformedDerivation, match="expected a truth value"):
        audit(derivation)


def test_rounding_has_no_place() -> None:
    with pytest.raises(MalformedDerivation, match="not a float"):
        last(lambda x: 0.1 + 0.2, lambda x: 0.3)
    with pytest.raises(MalformedDerivation, match="not a float"):
        last(lambda x: {0.1 + 0.2}, lambda x: {0.3})


def test_polynomials_at_random_follow_exactly_where_they_are_equal() -> None:
    """Written out, factored, or changed in one coefficient that only the generic world may see."""
    rng = random.Random(0)
    for _ in range(25):
        roots = [rng.randint(-3, 3) for _ in range(rng.randint(1, 4))]
        factored = sp.prod(x - root for root in roots)
        written_out, changed = sp.expand(factored), sp.expand(factored) + rng.choice((-1, 1)) * x ** rng.randint(0, 4)
        for other, finding in ((written_out, FOLLOWS), (changed, WRONG)):
            line = last(lambda x, f=factored: at(f, x), lambda x, f=other: at(f, x), worlds=over(x=REALS))
            assert line.finding is finding, (factored, other)


def at(expression: Any, value: Any) -> Any:
    return expression.subs(x, value)


# right lines that look wrong


def test_sets_are_compared_by_value() -> None:
    one, two = sp.sqrt(2) + sp.sqrt(3), sp.sqrt(5 + 2 * sp.sqrt(6))
    assert last(lambda x: {one, x}, lambda x: {x, two}).finding is FOLLOWS
    assert last(lambda x: {one}, lambda x: {x, two}, "subset").finding is FOLLOWS


def test_infinity_is_a_bound() -> None:
    assert last(lambda x: sp.sqrt(2) + x, lambda x: sp.oo, "<=").finding is FOLLOWS
    assert last(lambda x: sp.oo, lambda x: sp.log(2), "<=").finding is WRONG


def test_matrix_expressions_are_matrices() -> None:
    A = sp.Matrix([[1, 2], [3, 4]])
    assert last(lambda x: sp.MatMul(sp.Identity(2), A), lambda x: A).finding is FOLLOWS
    assert last(lambda x: sp.MatAdd(A, A), lambda x: 2 * A).finding is FOLLOWS


def test_claims_may_rest_on_irrational_equalities() -> None:
    claim = lambda x: sp.Eq(sp.sqrt(2) + sp.sqrt(3), sp.sqrt(5 + 2 * sp.sqrt(6)), evaluate=False)  # noqa: E731
    assert last(lambda x: True, claim, "iff").finding is FOLLOWS


def test_truth_values_are_compared_in_symbols_too() -> None:
    worlds = over(x=REALS)
    assert last(lambda x: x > 0, lambda x: -x < 0, "iff", worlds=worlds).finding is FOLLOWS
    assert last(lambda x: x > 0, lambda x: x >= 0, "implies", worlds=worlds).finding is FOLLOWS
    assert last(lambda x: x >= 0, lambda x: x > 0, "implies", worlds=worlds).finding is WRONG


def test_points_of_weight_zero_do_not_count() -> None:
    law = Finite({0: sp.Integer(0), 2: sp.Integer(1)})
    line = last(lambda p: p.expect(sp.log), lambda p: sp.log(2), worlds=[World({"p": law})])
    assert line.finding is FOLLOWS


def test_a_hypothesis_leaves_the_generic_world_out() -> None:
    worlds = over(x=REALS, y=REALS, where=lambda x, y: x <= y)
    line = last(lambda x, y: x**3, lambda x, y: y**3, "<=", worlds=worlds)
    assert line.finding is FOLLOWS
    assert "all" not in line.scope


def test_a_parameter_may_have_a_default() -> None:
    assert last(lambda x: 2 * x, lambda x, factor=2: factor * x).finding is FOLLOWS


def test_the_same_derivation_reads_the_same_twice() -> None:
    derivation = Derivation("twice", over(x=REALS))
    derivation.line("")(lambda x: x)

    @derivation.line("", "=")
    def squared(x):
        return x**2

    assert audit(derivation).lines == audit(derivation).lines
