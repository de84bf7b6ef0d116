"""Affine coupling layers, small ones first: all kinds of index sets, s and t without symmetry; and symbols."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from mdnn_verify.audit import World

__all__ = ["Layer", "layers"]

U = sp.symbols("u1:5", real=True)  # the arguments of s and t


@dataclass(frozen=True)
class Layer:
    """z_O = x_O, z_Oc = exp(s(x_O)) * x_Oc + t(x_O); indices run from 1, ``s`` and ``t`` are expressions in u1, u2, ...

    ``at`` is the point x; without it x is a vector of symbols.
    """

    n: int
    Omega: tuple[int, ...]
    s: tuple[Any, ...]
    t: tuple[Any, ...]
    at: tuple[Any, ...] = ()

    def __str__(self) -> str:
        point = f", x = {self.at}" if self.at else ""
        indices = "{" + ", ".join(map(str, self.Omega)) + "}"
        return f"(n = {self.n}, Omega = {indices}, s = {_row(self.s)}, t = {_row(self.t)}{point}; u = x_Omega)"

    __repr__ = __str__

    @property
    def complement(self) -> tuple[int, ...]:
        return tuple(i for i in range(1, self.n + 1) if i not in self.Omega)

    @property
    def order(self) -> tuple[int, ...]:
        """The indices in Omega, then the others."""
        return (*self.Omega, *self.complement)

    @cached_property
    def symbols(self) -> tuple[Any, ...]:
        return sp.symbols(f"x1:{self.n + 1}", real=True)

    def x(self, i: int) -> Any:
        return self.symbols[i - 1]

    def z(self, i: int) -> Any:
        """The i-th output as an expression in x."""
        if i in self.Omega:
            return self.x(i)
        k = self.complement.index(i)
        return sp.exp(self.of_x(self.s)[k]) * self.x(i) + self.of_x(self.t)[k]

    def of_x(self, functions: tuple[Any, ...]) -> tuple[Any, ...]:
        """The functions s or t at x_Omega, as expressions in x."""
        inserted = {u: self.x(i) for u, i in zip(U, self.Omega, strict=False)}
        return tuple(sp.sympify(function).xreplace(inserted) for function in functions)

    def here(self, expression: Any) -> Any:
        """An expression in x at the layer's point."""
        return expression.subs(dict(zip(self.symbols, self.at, strict=True))) if self.at else expression

    def slope(self, i: int, j: int) -> Any:
        """dz_i / dx_j at the point, by differentiation."""
        return self.here(sp.diff(self.z(i), self.x(j)))

    def block(self, rows: tuple[int, ...], columns: tuple[int, ...]) -> sp.Matrix:
        """The derivatives of some outputs by some inputs, in that order."""
        return sp.Matrix([[self.slope(i, j) for j in columns] for i in rows])

    @property
    def jacobian(self) -> sp.Matrix:
        everything = tuple(range(1, self.n + 1))
        return self.block(everything, everything)

    @property
    def scales(self) -> sp.Matrix:
        """diag exp s(x_Omega)."""
        return sp.diag(*[sp.exp(self.here(value)) for value in self.of_x(self.s)])

    @property
    def block_form(self) -> sp.Matrix:
        """[[I, 0], [*, diag exp s]], where * stands for the derivative of z_Oc by x_O."""
        k = len(self.Omega)
        above = sp.eye(k).row_join(sp.zeros(k, self.n - k))
        return above.col_join(self.block(self.complement, self.Omega).row_join(self.scales))

    @property
    def sorting(self) -> sp.Matrix:
        """The permutation matrix that takes x to (x_Omega; x_Omega^c)."""
        return sp.Matrix([[int(j == i) for j in range(1, self.n + 1)] for i in self.order])


def layers() -> tuple[World, ...]:
    """Worlds with a ``layer``; the last ones hold undefined s and t at an undefined x."""
    u1, u2, u3 = U[:3]
    half = sp.Rational(1, 2)
    found = [
        Layer(2, (1,), (0,), (u1,), (0, 0)),
        Layer(2, (2,), (u1,), (u1**2,), (1, 2)),
        Layer(3, (3,), (0, 0), (u1, 0), (0, 0, 0)),
        Layer(3, (1,), (u1, 0), (0, u1), (2, 1, -1)),
        Layer(3, (2,), (u1, -u1), (u1**2, 3), (1, half, 2)),
        Layer(3, (1, 3), (u1 - 2 * u2,), (u1 * u2,), (1, 3, -1)),
        Layer(3, (2, 3), (u1 * u2,), (u1**2 - u2,), (2, 1, half)),
        Layer(4, (2, 4), (u1 - u2, u1**2), (u2, u1 + 3 * u2), (1, -1, 2, half)),
        Layer(4, (3,), (u1, 2 * u1, -u1), (1, u1, u1**2), (1, 2, half, -2)),
        Layer(4, (1, 3, 4), (u1 + u2 * u3,), (u3 - u1,), (half, 1, 2, -1)),
        Layer(5, (2, 5), (u1, u2, u1 * u2), (u2**2, 0, u1), (1, half, 2, -1, 3)),
    ]
    worlds = [World({"layer": Layer(l.n, l.Omega, l.s, l.t, tuple(map(sp.sympify, l.at)))}) for l in found]
    return (*worlds, *(_undefined(n, Omega) for n, Omega in ((2, (2,)), (3, (3,)), (3, (1, 3)), (4, (2, 4)))))


def _undefined(n: int, Omega: tuple[int, ...]) -> World:
    """Any s and t that have derivatives, at any x."""
    arguments = U[: len(Omega)]
    s, t = (
        tuple(sp.Function(f"{name}{k}", real=True)(*arguments) for k in range(1, n - len(Omega) + 1)) for name in "st"
    )
    indices = "{" + ", ".join(map(str, Omega)) + "}"
    return World({"layer": Layer(n, Omega, s, t)}, True, f"all s, t and x for n = {n}, Omega = {indices}")


def _row(values: tuple[Any, ...]) -> str:
    return "(" + ", ".join(map(str, values)) + ")"
