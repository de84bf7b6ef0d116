"""Values of SymPy expressions at a point, exact (rationals) or enclosed (FLINT's balls); never a floating-point guess.

This evaluator shares no code with SymPy's simplification. It reads sums as textbooks do: an empty sum is 0, an empty
product 1 (SymPy itself continues them by Karr's convention).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import flint
import sympy as sp
from sympy.core.function import AppliedUndef

from mdnn_verify.engines import certified_functions as functions
from mdnn_verify.engines.certified_functions import Number, Undefined, Unresolved
from mdnn_verify.engines.certified_matrices import Rows, determinant, matrix

__all__ = ["Evaluator", "World"]

MOST_TERMS = 20_000
_NOT_SMOOTH = (sp.Piecewise, sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min, sp.floor, sp.ceiling, sp.arg, sp.Mod)


class World(Protocol):
    """What undefined symbols mean at a point."""

    def entry(self, name: str, indices: tuple[int, ...], expr: sp.Basic) -> flint.fmpq:
        """Of an indexed symbol or a matrix symbol; ``expr`` carries the assumptions."""

    def polynomial(self, function: Any, arity: int) -> sp.Lambda:
        """What an undefined function stands for."""

    def differentiated(self, expr: sp.Expr) -> sp.Expr:
        """A derivative with undefined functions replaced and carried out."""


class Evaluator:
    """Numbers and matrices that expressions stand for when symbols have the given ``values``.

    ``world`` gives meaning to indexed symbols, matrix symbols and undefined functions. With ``analytic``, values may be
    wide complex balls, and everything that is not analytic there raises Unresolved. ``notes`` collects what had to be
    trusted.
    """

    def __init__(
        self, values: Mapping[sp.Basic, Any], world: World, notes: set[str], *, analytic: bool = False
    ) -> None:
        self.values = values
        self.world = world
        self.notes = notes
        self.analytic = analytic
        self._memo: dict[sp.Basic, Number] = {}
        self._matrices: dict[sp.Basic, Rows] = {}

    def number(self, expr: sp.Expr) -> Number:
        """Raises Undefined where the expression has no finite value, Unresolved where this evaluator cannot tell."""
        if expr in self._memo:
            return self._memo[expr]
        value = self._number(expr)
        if isinstance(value, flint.acb) and not value.is_finite():
            raise Unresolved(f"no finite enclosure of {expr.func.__name__}")
        self._memo[expr] = value
        return value

    def matrix(self, expr: sp.Basic) -> Rows:
        """The entries of an explicit or symbolic matrix, by rows."""
        if isinstance(expr, sp.MatrixBase):
            return [[self.number(sp.sympify(expr[i, j])) for j in range(expr.cols)] for i in range(expr.rows)]
        if expr not in self._matrices:
            self._matrices[expr] = matrix(expr, self)
        return self._matrices[expr]

    def integer(self, expr: sp.Expr) -> int:
        value = self.number(expr)
        if not isinstance(value, flint.fmpq) or value.q != 1:
            raise Undefined(f"{expr} is not an integer")
        return int(value.p)

    def bound(self, variable: sp.Basic, value: Number, *, analytic: bool | None = None) -> Evaluator:
        """The same point with one more symbol: the index of a sum, the variable of an integral."""
        analytic = self.analytic if analytic is None else analytic
        return Evaluator({**self.values, variable: value}, self.world, self.notes, analytic=analytic)

    def _number(self, expr: sp.Expr) -> Number:
        if isinstance(expr, sp.Rational):
            return flint.fmpq(int(expr.p), int(expr.q))
        if expr in self.values:
            value = self.values[expr]
            if isinstance(value, bool):
                raise Unresolved(f"{expr} is a truth value")
            return value
        if isinstance(expr, sp.Add):
            return functions.total([self.number(term) for term in expr.args])
        if isinstance(expr, sp.Mul):
            return functions.product([self.number(factor) for factor in expr.args])
        if isinstance(expr, sp.Pow):
            return functions.power(self.number(expr.base), self.number(expr.exp), self.analytic)
        for kind, evaluate in _STRUCTURES.items():
            if isinstance(expr, kind):
                return evaluate(self, expr)
        return self._function(expr)

    def _function(self, expr: sp.Expr) -> Number:
        constant = functions.constant(expr)
        if constant is not None:
            return constant
        if not expr.args:
            raise Unresolved(f"no value for {expr}")
        arguments = [self.number(argument) for argument in expr.args]
        return functions.apply(expr, arguments, self.analytic, self.notes)


def _indexed(at: Evaluator, expr: sp.Indexed) -> Number:
    return at.world.entry(str(expr.base.label), tuple(at.integer(index) for index in expr.indices), expr)


def _entry(at: Evaluator, expr: Any) -> Number:
    rows, i, j = at.matrix(expr.parent), at.integer(expr.i), at.integer(expr.j)
    if not (0 <= i < len(rows) and 0 <= j < len(rows[0])):
        raise Undefined(f"{expr} lies outside its matrix")
    return rows[i][j]


def _undefined(at: Evaluator, expr: AppliedUndef) -> Number:
    polynomial, point = at.world.polynomial(expr.func, len(expr.args)), at
    for variable, argument in zip(polynomial.variables, expr.args, strict=True):
        point = point.bound(variable, at.number(argument))
    return point.number(polynomial.expr)


def _derivative(at: Evaluator, expr: Any) -> Number:
    if expr.has(*_NOT_SMOOTH):  # SymPy differentiates these almost everywhere and sees no jump
        raise Unresolved(f"{expr}: what is differentiated need not be smooth")
    found = at.world.differentiated(expr)
    if found == expr:
        raise Unresolved(f"no value for {expr}")
    return at.number(found)


def _trace(at: Evaluator, expr: sp.Trace) -> Number:
    rows = at.matrix(expr.arg)
    return functions.total([rows[i][i] for i in range(len(rows))])


def _determinant(at: Evaluator, expr: sp.Determinant) -> Number:
    return determinant(at.matrix(expr.arg))


def _piecewise(at: Evaluator, expr: sp.Piecewise) -> Number:
    from mdnn_verify.engines.truth import Truth, truth

    for value, condition in expr.args:
        if condition != sp.true and at.analytic:
            raise Unresolved("a case distinction is not analytic")
        holds = truth(condition, at)
        if holds is Truth.TRUE:
            return at.number(value)
        if holds is not Truth.FALSE:
            raise Unresolved(f"undecided which case of {expr} applies")
    raise Undefined("no case applies")


def _series(at: Evaluator, expr: Any) -> Number:
    """A finite sum or product; the last limit is the outermost."""
    combine = functions.total if isinstance(expr, sp.Sum) else functions.product
    return _terms(at, expr.function, expr.limits, combine, expr)


def _terms(
    at: Evaluator, body: sp.Expr, limits: Sequence[Any], combine: Callable[[list[Number]], Number], whole: Any
) -> Number:
    if not limits:
        return at.number(body)
    *inner, limit = limits
    if len(limit) != 3 or any(bound.is_infinite for bound in limit[1:]):
        return _closed_form(at, whole)
    first, last = at.integer(limit[1]), at.integer(limit[2])
    if last - first >= MOST_TERMS:
        raise Unresolved(f"a sum of {last - first + 1} terms")
    indices = range(first, last + 1)
    return combine([_terms(at.bound(limit[0], flint.fmpq(i)), body, inner, combine, whole) for i in indices])


def _integral(at: Evaluator, expr: sp.Integral) -> Number:
    """Over a finite interval by rigorous quadrature; otherwise SymPy's closed form, with a note."""
    limits = expr.limits
    if len(limits) != 1 or len(limits[0]) != 3 or any(bound.is_infinite for bound in limits[0][1:]) or at.analytic:
        return _closed_form(at, expr)
    variable, lower, upper = limits[0]

    def integrand(z: flint.acb, analytic: bool) -> flint.acb:
        try:
            return flint.acb(at.bound(variable, z, analytic=analytic).number(expr.function))
        except (Undefined, Unresolved):
            return flint.acb("nan")

    result = flint.acb.integral(integrand, flint.acb(at.number(lower)), flint.acb(at.number(upper)), eval_limit=4000)
    return result if result.is_finite() else _closed_form(at, expr)


def _closed_form(at: Evaluator, expr: sp.Expr) -> Number:
    """What SymPy makes of an infinite sum, an improper integral or a limit at this point."""
    exact = {s: functions.as_sympy(v) for s, v in at.values.items() if isinstance(v, flint.fmpq)}
    value = expr.xreplace(exact).doit()
    if value == expr or value.has(type(expr)):
        raise Unresolved(f"no closed form of {expr}")
    at.notes.add(f"SymPy's closed form of a {type(expr).__name__}")
    return at.number(value)


_STRUCTURES: dict[Any, Callable[[Evaluator, Any], Number]] = {
    sp.Indexed: _indexed,
    sp.matrices.expressions.matexpr.MatrixElement: _entry,
    AppliedUndef: _undefined,
    sp.Derivative: _derivative,
    sp.Subs: _derivative,
    sp.Trace: _trace,
    sp.Determinant: _determinant,
    sp.Piecewise: _piecewise,
    sp.Sum: _series,
    sp.Product: _series,
    sp.Integral: _integral,
    sp.Limit: _closed_form,
}
