"""Values and relations: exact, by value and not by how they are written, and three answers where two will not do."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from mdnn_verify.audit import MalformedDerivation, Relation
from mdnn_verify.audit.relations import compare, proved
from mdnn_verify.audit.values import exact, has_value
from mdnn_verify.engines.truth import Truth
from mdnn_verify.verdicts import Status

TWO, THREE = sp.sqrt(2), sp.sqrt(3)
NESTED = sp.sqrt(5 + 2 * sp.sqrt(6))  # equals sqrt(2) + sqrt(3), but is written otherwise
CLOSE = sp.exp(sp.pi * sp.sqrt(163)) - 640320**3  # 744 up to 1e-12
x = sp.Symbol("x", real=True)


def related(relation: str, left: object, right: object) -> Truth:
    return compare(Relation(relation), exact(left, "one"), exact(right, "two"), "two")


@pytest.mark.parametrize(
    ("relation", "left", "right", "answer"),
    [
        ("=", Fraction(1, 3), sp.Rational(1, 3), Truth.TRUE),
        ("=", 1, 2, Truth.FALSE),
        ("=", TWO + THREE, NESTED, Truth.NEAR),
        ("=", CLOSE, sp.Integer(744), Truth.FALSE),
        ("=", sp.oo, sp.oo, Truth.TRUE),
        ("=", sp.oo, -sp.oo, Truth.FALSE),
        ("=", sp.oo, TWO, Truth.FALSE),
        ("=", sp.Matrix([[1, TWO + THREE]]), sp.Matrix([[1, NESTED]]), Truth.NEAR),
        ("=", sp.Identity(2) * sp.Matrix([1, 2]), sp.Matrix([1, 2]), Truth.TRUE),
        ("=", (1, True, "a"), (1, True, "a"), Truth.TRUE),
        ("=", (1, {2}), (1, {3}), Truth.FALSE),
        ("=", True, False, Truth.FALSE),
        ("=", {Fraction(1, 2), 1}, {sp.Rational(1, 2), sp.Integer(1)}, Truth.TRUE),
        ("=", {TWO + THREE, 1}, {1, NESTED}, Truth.NEAR),
        ("=", {1, 2}, {1}, Truth.FALSE),
        ("=", set(), set(), Truth.TRUE),
        ("=", {1}, set(), Truth.FALSE),
        ("=", {"a", 1}, {1, "a"}, Truth.TRUE),
        ("<=", TWO + THREE, NESTED, Truth.NEAR),
        ("<", TWO + THREE, NESTED, Truth.UNKNOWN),
        ("<", TWO, THREE, Truth.TRUE),
        (">", TWO, THREE, Truth.FALSE),
        (">=", 2, 2, Truth.TRUE),
        ("<=", TWO, sp.oo, Truth.TRUE),
        ("<", sp.oo, sp.oo, Truth.FALSE),
        ("<=", 1, sp.oo, Truth.TRUE),
        (">=", sp.log(2), -sp.oo, Truth.TRUE),
        ("iff", True, True, Truth.TRUE),
        ("iff", False, True, Truth.FALSE),
        ("iff", sp.Eq(TWO + THREE, NESTED, evaluate=False), True, Truth.NEAR),
        ("iff", sp.Lt(TWO + THREE, NESTED, evaluate=False), True, Truth.UNKNOWN),
        ("implies", False, False, Truth.TRUE),
        ("implies", True, False, Truth.FALSE),
        ("subset", {1}, {1, 2}, Truth.TRUE),
        ("subset", {1, 2}, {1}, Truth.FALSE),
        ("subset", {NESTED}, {TWO + THREE, 5}, Truth.NEAR),
        ("holds", True, sp.Eq(TWO + THREE, NESTED, evaluate=False), Truth.NEAR),
        ("holds", True, sp.And(sp.Eq(TWO + THREE, NESTED, evaluate=False), TWO < THREE), Truth.NEAR),
        ("holds", True, False, Truth.FALSE),
    ],
)
def test_relations_between_values(relation: str, left: object, right: object, answer: Truth) -> None:
    assert related(relation, left, right) is answer


@pytest.mark.parametrize(
    ("relation", "left", "right", "told"),
    [
        ("=", sp.eye(2), sp.eye(3), "a 2 x 2 matrix and this is a 3 x 3 matrix"),
        ("=", sp.eye(1), 1, "a 1 x 1 matrix and this is a number"),
        ("=", (1, 2), (1, 2, 3), "a tuple of 2 and this is a tuple of 3"),
        ("=", True, 1, "a truth value and this is a number"),
        ("=", {1}, 1, "a set and this is a number"),
        ("<=", {1}, {1, 2}, "a set and this is a set"),
        ("<=", sp.eye(2), sp.eye(2), "a 2 x 2 matrix"),
        ("<", sp.I, sp.Integer(1), "not real"),
        ("subset", (1,), {1}, "a tuple of 1 and this is a set"),
        ("iff", 1, True, "a number, expected a truth value"),
        ("implies", True, sp.Integer(1), "a number, expected a truth value"),
        ("holds", True, 1, "a number, expected a truth value"),
    ],
)
def test_things_of_different_shape_are_refused(relation: str, left: object, right: object, told: str) -> None:
    with pytest.raises(MalformedDerivation, match="'two'") as caught:
        related(relation, left, right)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "value", [0.5, 1j, (1, 0.5), {0.5}, sp.Float(1), sp.Matrix([[1, sp.Float(2)]]), x + 0.5, object(), [[0.1]], b"x"]
)
def test_what_is_not_exact_is_refused(value: object) -> None:
    with pytest.raises(MalformedDerivation, match=r"the line 'one'.*expected an exact number"):
        exact(value, "one")


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (None, False),
        (sp.zoo, False),
        (sp.nan, False),
        (sp.oo, True),
        ((1, None), False),
        (sp.Matrix([1, sp.nan]), False),
        (frozenset({sp.zoo}), False),
        (0, True),
        (False, True),
        (frozenset(), True),
    ],
)
def test_what_has_a_value(value: object, answer: bool) -> None:
    assert has_value(exact(value, "one")) is answer


@pytest.mark.parametrize(
    ("relation", "left", "right", "status"),
    [
        ("=", (x + 1) ** 2, x**2 + 2 * x + 1, Status.PROVED),
        ("=", x**2, x, Status.REFUTED),
        ("=", (x, sp.Integer(1)), (x, sp.Integer(2)), Status.REFUTED),
        ("=", (x, frozenset({1})), (x, frozenset({1})), Status.PROVED),
        ("=", frozenset({x}), frozenset({x + 1}), Status.INCONCLUSIVE),
        ("=", x > 0, x > 0, Status.PROVED),
        (">=", x**2 + 1, 2 * x, Status.PROVED),
        ("<=", x**2 + 1, 2 * x, Status.REFUTED),
        ("iff", x > 0, x < 0, Status.REFUTED),
        ("implies", sp.false, x > 0, Status.PROVED),
        ("holds", True, sp.false, Status.REFUTED),
        ("holds", True, True, Status.PROVED),
        ("subset", frozenset({x}), frozenset({x}), Status.INCONCLUSIVE),
    ],
)
def test_relations_between_values_with_symbols(relation: str, left: object, right: object, status: Status) -> None:
    assert proved(Relation(relation), left, right, "two", 10.0).status is status


@pytest.mark.parametrize(
    ("relation", "left", "right"),
    [("=", x, sp.eye(2)), ("<=", sp.Matrix([x]), x), ("iff", x + 1, True), ("holds", True, x + 1), ("=", x > 0, x + 1)],
)
def test_shapes_count_with_symbols_too(relation: str, left: object, right: object) -> None:
    with pytest.raises(MalformedDerivation, match="'two'"):
        proved(Relation(relation), left, right, "two", 10.0)
