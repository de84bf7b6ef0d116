"""Matrices for the certified evaluator: SymPy's matrix expressions at concrete sizes, entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import flint
import sympy as sp
from sympy.matrices import expressions as me

from mdnn_verify.engines.certified_functions import Number, Undefined, Unresolved

__all__ = ["Rows", "determinant", "matrix"]

Rows = list[list[Number]]
LARGEST = 64


class Point(Protocol):
    """What is needed of an evaluator."""

    world: Any

    def number(self, expr: sp.Expr) -> Number: ...
    def matrix(self, expr: sp.Basic) -> Rows: ...
    def integer(self, expr: sp.Expr) -> int: ...
    def bound(self, variable: sp.Basic, value: Number) -> Any: ...


def matrix(expr: sp.Basic, at: Point) -> Rows:
    """The entries of a matrix expression by rows. Raises Undefined for a size below 1 or a singular inverse."""
    for kind, evaluate in _KINDS.items():
        if isinstance(expr, kind):
            return evaluate(expr, at)
    raise Unresolved(f"no value for {type(expr).__name__}")


def determinant(rows: Rows) -> Number:
    """Exact for rational entries."""
    return _flint(rows).det()


def _shape(expr: Any, at: Point) -> tuple[int, int]:
    height, width = at.integer(expr.shape[0]), at.integer(expr.shape[1])
    if not (0 < height <= LARGEST and 0 < width <= LARGEST):
        raise Undefined(f"a matrix of shape ({height}, {width})")
    return height, width


def _filled(entry: Callable[[int, int], Number]) -> Callable[[Any, Point], Rows]:
    def fill(expr: Any, at: Point) -> Rows:
        height, width = _shape(expr, at)
        return [[entry(i, j) for j in range(width)] for i in range(height)]

    return fill


def _symbol(expr: Any, at: Point) -> Rows:
    height, width = _shape(expr, at)
    return [[at.world.entry(str(expr.name), (i, j), expr) for j in range(width)] for i in range(height)]


def _added(expr: Any, at: Point) -> Rows:
    summands = [at.matrix(term) for term in expr.args]
    return [
        [sum(entries, flint.fmpq(0)) for entries in zip(*rows, strict=True)] for rows in zip(*summands, strict=True)
    ]


def _multiplied(expr: Any, at: Point) -> Rows:
    scalar, result = flint.fmpq(1), None
    for factor in expr.args:
        if not factor.is_Matrix:
            scalar = scalar * at.number(factor)
            continue
        rows = at.matrix(factor)
        result = rows if result is None else _product(result, rows)
    if result is None:
        raise Unresolved("a product without a matrix")
    return [[scalar * entry for entry in row] for row in result]


def _power(expr: Any, at: Point) -> Rows:
    exponent, rows = at.integer(expr.exp), at.matrix(expr.base)
    if exponent < 0:
        rows, exponent = _inverse(rows), -exponent
    result: Rows = [[flint.fmpq(i == j) for j in range(len(rows))] for i in range(len(rows))]
    for _ in range(exponent):
        result = _product(result, rows)
    return result


def _transposed(expr: Any, at: Point) -> Rows:
    return [list(column) for column in zip(*at.matrix(expr.arg), strict=True)]


def _adjoint(expr: Any, at: Point) -> Rows:
    return [[e if isinstance(e, flint.fmpq) else e.conjugate() for e in row] for row in _transposed(expr, at)]


def _hadamard(expr: Any, at: Point) -> Rows:
    result, *others = (at.matrix(factor) for factor in expr.args)
    for rows in others:
        result = [[a * b for a, b in zip(r, s, strict=True)] for r, s in zip(result, rows, strict=True)]
    return result


def _blocks(expr: Any, at: Point) -> Rows:
    table = expr.blocks
    found: Rows = []
    for i in range(table.rows):
        blocks = [at.matrix(table[i, j]) for j in range(table.cols)]
        found += [[entry for part in parts for entry in part] for parts in zip(*blocks, strict=True)]
    return found


def _block_diagonal(expr: Any, at: Point) -> Rows:
    blocks = [at.matrix(block) for block in expr.args]
    width = sum(len(block[0]) for block in blocks)
    found: Rows = []
    before = 0
    for block in blocks:
        for row in block:
            found.append([flint.fmpq(0)] * before + row + [flint.fmpq(0)] * (width - before - len(row)))
        before += len(block[0])
    return found


def _diagonal(expr: Any, at: Point) -> Rows:
    """diag(v) of a column or row vector, or the diagonal part of a square matrix, as ``expr`` says by its shape."""
    rows = at.matrix(expr.args[0])
    if isinstance(expr, me.diagonal.DiagMatrix):
        entries = [entry for row in rows for entry in row]
    else:
        entries = [rows[i][i] for i in range(min(len(rows), len(rows[0])))]
    return [[entries[i] if i == j else flint.fmpq(0) for j in range(len(entries))] for i in range(len(entries))]


def _function(expr: Any, at: Point) -> Rows:
    height, width = _shape(expr, at)
    first, second = expr.lamda.variables

    def entry(i: int, j: int) -> Number:
        return at.bound(first, flint.fmpq(i)).bound(second, flint.fmpq(j)).number(expr.lamda.expr)

    return [[entry(i, j) for j in range(width)] for i in range(height)]


def _product(left: Rows, right: Rows) -> Rows:
    if len(left[0]) != len(right):
        raise Undefined("a product of matrices whose sizes do not fit")
    columns = list(zip(*right, strict=True))
    return [
        [sum((a * b for a, b in zip(row, column, strict=True)), flint.fmpq(0)) for column in columns] for row in left
    ]


def _inverse(rows: Rows) -> Rows:
    exact = all(isinstance(entry, flint.fmpq) for row in rows for entry in row)
    if len(rows) != len(rows[0]):
        raise Undefined("the inverse of a matrix that is not square")
    try:
        result: Rows = _flint(rows).inv().tolist()
    except ZeroDivisionError:
        raise (Undefined if exact else Unresolved)("the inverse of a singular matrix") from None
    return result


def _flint(rows: Rows) -> Any:
    if len(rows) != len(rows[0]):
        raise Undefined("a matrix that is not square")
    entries = [entry for row in rows for entry in row]
    if all(isinstance(entry, flint.fmpq) for entry in entries):
        return flint.fmpq_mat(len(rows), len(rows[0]), entries)
    return flint.acb_mat(len(rows), len(rows[0]), [flint.acb(entry) for entry in entries])


_KINDS: dict[Any, Callable[[Any, Point], Rows]] = {
    me.Identity: _filled(lambda i, j: flint.fmpq(i == j)),
    me.special.GenericIdentity: _filled(lambda i, j: flint.fmpq(i == j)),
    me.ZeroMatrix: _filled(lambda i, j: flint.fmpq(0)),
    me.special.OneMatrix: _filled(lambda i, j: flint.fmpq(1)),
    me.MatrixSymbol: _symbol,
    me.MatAdd: _added,
    me.MatMul: _multiplied,
    me.Inverse: lambda expr, at: _inverse(at.matrix(expr.arg)),
    me.MatPow: _power,
    me.Transpose: _transposed,
    me.Adjoint: _adjoint,
    me.HadamardProduct: _hadamard,
    me.BlockDiagMatrix: _block_diagonal,
    me.BlockMatrix: _blocks,
    me.diagonal.DiagMatrix: _diagonal,
    me.diagonal.DiagonalMatrix: _diagonal,
    me.FunctionMatrix: _function,
}
