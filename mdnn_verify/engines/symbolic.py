"""SymPy claims: proved by exact simplification that random exact points do not contradict.

PROVED needs both: a simplification says true, and the claim could be evaluated at exact points and held there. A point
where it is certainly false refutes it, whatever SymPy says. What raises, takes too long or stays open is INCONCLUSIVE.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean

from mdnn_verify.engines.exact_claims import ExactClaim
from mdnn_verify.engines.truth import MatrixEquality
from mdnn_verify.errors import MdnnVerifyError

__all__ = ["Equal", "Proposition"]


class Equal(ExactClaim):
    """lhs = rhs: SymPy scalars, matrices (explicit, or matrix expressions with symbolic sizes), or sequences of these.

    Nothing is evaluated when it is built. Different shapes are refuted. Raises MdnnVerifyError for truth values, floats
    and whatever else is no exact expression.
    """

    def __init__(self, lhs: Any, rhs: Any) -> None:
        self.lhs, self.rhs = _expression(lhs), _expression(rhs)
        self.atoms = []
        self.mismatch = ""
        self._compare("", self.lhs, self.rhs)

    def __repr__(self) -> str:
        return f"Equal({self.lhs}, {self.rhs})"

    def _compare(self, label: str, left: Any, right: Any) -> None:
        if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            for i, pair in enumerate(zip(left, right, strict=True)):
                self._compare(f"{label}[{i}] ", *pair)
        elif isinstance(left, sp.MatrixBase) and isinstance(right, sp.MatrixBase) and left.shape == right.shape:
            for i in range(left.rows):
                for j in range(left.cols):
                    self.atoms.append((f"{label}entry ({i}, {j}): ", sp.Eq(left[i, j], right[i, j], evaluate=False)))
        elif _is_matrix(left) and _is_matrix(right) and not _certainly_differ(left.shape, right.shape):
            self.atoms.append((label, MatrixEquality(left, right)))
        elif isinstance(left, sp.Expr) and isinstance(right, sp.Expr) and not (_is_matrix(left) or _is_matrix(right)):
            self.atoms.append((label, sp.Eq(left, right, evaluate=False)))
        else:
            self.mismatch = self.mismatch or f"{label}{_shape(left)} is compared with {_shape(right)}"


class Proposition(ExactClaim):
    """A SymPy proposition; a conjunction is taken apart, and so is an equation of matrices.

    Raises MdnnVerifyError for a Python bool, for floats and for anything that is no proposition.
    """

    def __init__(self, boolean: Any) -> None:
        if not isinstance(boolean, Boolean) or (isinstance(boolean, sp.Expr) and not isinstance(boolean, sp.Symbol)):
            raise MdnnVerifyError(
                f"{boolean!r} of type {type(boolean).__name__} is not a SymPy proposition; "
                "expected a relation, And, Or, Not, ..."
            )
        _exact(boolean)
        self.boolean = boolean
        self.atoms = []
        self.mismatch = ""
        for part in sp.And.make_args(boolean):
            if isinstance(part, sp.Eq) and (_is_matrix(part.lhs) or _is_matrix(part.rhs)):
                equation = Equal(part.lhs, part.rhs)
                self.atoms += equation.atoms
                self.mismatch = self.mismatch or equation.mismatch
            else:
                self.atoms.append(("", part))

    def __repr__(self) -> str:
        return f"Proposition({self.boolean})"


def _expression(value: Any) -> Any:
    if isinstance(value, (list, tuple, sp.Tuple)):
        return [_expression(entry) for entry in value]
    if isinstance(value, (bool, Boolean)) and not isinstance(value, sp.Symbol):
        raise MdnnVerifyError(
            f"Equal compares expressions, not the truth value {value!r}; return Proposition(...) for those"
        )
    try:
        found = sp.sympify(value, strict=True)
    except sp.SympifyError:
        raise MdnnVerifyError(f"Equal: {value!r} of type {type(value).__name__} is not a SymPy expression") from None
    if not isinstance(found, (sp.Expr, sp.MatrixBase, sp.MatrixExpr)):
        raise MdnnVerifyError(f"Equal: {found!r} of type {type(found).__name__} is neither a scalar nor a matrix")
    _exact(found)
    return found.as_immutable() if isinstance(found, sp.MatrixBase) else found


def _exact(expr: Any) -> None:
    floats = expr.atoms(sp.Float)
    if floats:
        raise MdnnVerifyError(f"{min(map(str, floats))} is a floating-point number; exact claims need sp.Rational")


def _is_matrix(value: Any) -> bool:
    return isinstance(value, (sp.MatrixBase, sp.MatrixExpr))


def _certainly_differ(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return any(sp.expand(sp.sympify(a) - sp.sympify(b)).is_zero is False for a, b in zip(left, right, strict=True))


def _shape(value: Any) -> str:
    if isinstance(value, list):
        return f"a sequence of {len(value)}"
    return f"a matrix of shape {tuple(value.shape)}" if _is_matrix(value) else "a scalar"
