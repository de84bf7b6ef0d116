"""SymPy claims (first version; being refined)."""

from __future__ import annotations

from typing import Any

import sympy as sp

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["Equal", "Proposition"]


class Equal(Claim):
    def __init__(self, lhs: Any, rhs: Any) -> None:
        self.lhs, self.rhs = sp.sympify(lhs), sp.sympify(rhs)

    def decide(self, context: Context) -> Verdict:
        diff = self.lhs - self.rhs
        diff = sp.simplify(diff.doit())
        zero = diff.is_zero_matrix if getattr(diff, "is_Matrix", False) else diff == 0
        if zero:
            return Verdict(Status.PROVED, context.scope, "simplified to 0", engine="symbolic")
        free = sorted(diff.free_symbols, key=str)
        at = {s: sp.Rational(3 + 2 * i, 7 + i) for i, s in enumerate(free)}
        return Verdict(Status.REFUTED, context.scope, "", f"{at}: difference {diff.subs(at)}", engine="symbolic")


class Proposition(Claim):
    def __init__(self, boolean: Any) -> None:
        if isinstance(boolean, bool) or not isinstance(boolean, sp.logic.boolalg.Boolean):
            raise MdnnVerifyError(f"{boolean!r} is not a SymPy proposition")
        self.boolean = boolean

    def decide(self, context: Context) -> Verdict:
        got = sp.simplify(self.boolean)
        if got == sp.true:
            return Verdict(Status.PROVED, context.scope, engine="symbolic")
        if got == sp.false:
            return Verdict(Status.REFUTED, context.scope, "", str(self.boolean), engine="symbolic")
        return Verdict(Status.INCONCLUSIVE, context.scope, f"undecided: {got}", engine="symbolic")
