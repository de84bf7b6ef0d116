"""f-divergences D_f(p || q) = sum of q f(p/q): generators f, and sums over finite distributions in balls.

A generator is a maximum of smooth pieces in one positive variable t, with its limits at 0 and of f(t)/t at infinity:
0 f(0/0) = 0, q f(0/q) = q f(0+), and 0 f(p/0) = p lim f(t)/t, the closure of q f(p/q).
Source: seed 004, Problem 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint
import sympy as sp
import torch

from mdnn_verify.maths.divergences import ball

__all__ = ["GENERATORS", "Generator", "f_divergence_in_balls", "number", "t"]

t = sp.Symbol("t", positive=True)
Real = Callable[[Any], Any]


@dataclass(frozen=True)
class Generator:
    """f(t) = max of ``pieces`` for t > 0; ``at_zero`` is f(0+) and ``slope`` the limit of f(t)/t, either may be oo."""

    name: str
    pieces: tuple[sp.Expr, ...]
    at_zero: sp.Expr
    slope: sp.Expr

    def in_balls(self, ratio: flint.arb) -> flint.arb:
        """f at a ball; f(0+) at exactly 0."""
        if ratio == 0:
            return number(self.at_zero)
        values = [flint.arb(piece(ratio)) for piece in self._ball_pieces]
        result = values[0]
        for value in values[1:]:
            result = result.max(value)
        return result

    def analytic(self, ratio: flint.acb, flag: bool) -> flint.acb:
        """f at a complex ball, for a generator of one piece; ``flag`` as FLINT's integrals pass it."""
        if len(self.pieces) != 1:
            raise ValueError(f"{self.name} is a maximum of {len(self.pieces)} pieces, which is not analytic")
        return flint.acb(self._analytic_piece[flag](ratio))

    def in_floats(self, ratio: torch.Tensor) -> torch.Tensor:
        """f at positive float64 entries, of any shape."""
        values = [piece(ratio) + torch.zeros_like(ratio) for piece in self._tensor_pieces]
        return torch.stack(values).amax(0)

    def at(self, value: Any) -> sp.Expr:
        """f at an exact positive number."""
        return sp.Max(*(piece.subs(t, value) for piece in self.pieces))

    @property
    def slope_at_one(self) -> sp.Expr:
        """The mean of the slopes at 1 of those pieces that meet there: f'(1) for a smooth f."""
        top = self.at(sp.Integer(1))
        slopes = [sp.diff(piece, t).subs(t, 1) for piece in self.pieces if piece.subs(t, 1) == top]
        return sum(slopes, sp.Integer(0)) / len(slopes)

    @cached_property
    def _ball_pieces(self) -> list[Real]:
        functions = {"log": lambda x: flint.arb(x).log(), "sqrt": lambda x: flint.arb(x).sqrt()}
        return [sp.lambdify(t, piece, modules=[functions]) for piece in self.pieces]

    @cached_property
    def _analytic_piece(self) -> dict[bool, Real]:
        def on_balls(name: str, flag: bool) -> Real:
            return lambda z: getattr(flint.acb(z), name)(analytic=flag)

        return {
            flag: sp.lambdify(t, self.pieces[0], modules=[{name: on_balls(name, flag) for name in ("log", "sqrt")}])
            for flag in (False, True)
        }

    @cached_property
    def _tensor_pieces(self) -> list[Real]:
        def on_tensors(function: Real) -> Real:
            return lambda x: function(torch.as_tensor(x, dtype=torch.float64))

        functions = {"log": on_tensors(torch.log), "sqrt": on_tensors(torch.sqrt)}
        return [sp.lambdify(t, piece, modules=[functions]) for piece in self.pieces]


def f_divergence_in_balls(f: Generator, p: Iterable[Any], q: Iterable[Any]) -> flint.arb:
    """An enclosure of the sum of q f(p/q) over exact non-negative entries, with the conventions above."""
    return sum((_term(f, a, b) for a, b in zip(p, q, strict=True)), flint.arb(0))


def number(value: sp.Expr) -> flint.arb:
    """A real constant of SymPy (oo, -oo, a rational, or an expression in logarithms and roots) as a ball."""
    if value.is_infinite:
        return flint.arb.pos_inf() if value == sp.oo else flint.arb.neg_inf()
    if value.is_Rational:
        return ball(value)
    functions = {"log": lambda x: flint.arb(x).log(), "sqrt": lambda x: flint.arb(x).sqrt()}
    return flint.arb(sp.lambdify((), value, modules=[functions])())


def _term(f: Generator, a: Any, b: Any) -> flint.arb:
    if b == 0:
        return flint.arb(0) if a == 0 else ball(a) * number(f.slope)
    if a == b:
        return ball(b) * number(f.at(sp.Integer(1)))  # exactly, where a ball around 1 would blur f(1) = 0
    return ball(b) * f.in_balls(flint.arb(0) if a == 0 else ball(a) / ball(b))


GENERATORS = (
    Generator("Kullback-Leibler, t log t", (t * sp.log(t),), sp.Integer(0), sp.oo),
    Generator("reverse Kullback-Leibler, -log t", (-sp.log(t),), sp.oo, sp.Integer(0)),
    Generator("Pearson, (t - 1)^2", ((t - 1) ** 2,), sp.Integer(1), sp.oo),
    Generator("squared Hellinger, (1 - sqrt t)^2", ((1 - sp.sqrt(t)) ** 2,), sp.Integer(1), sp.Integer(1)),
    Generator(
        "Jensen-Shannon, t log(2t/(1+t)) + log(2/(1+t))",
        (t * sp.log(2 * t / (1 + t)) + sp.log(2 / (1 + t)),),
        sp.log(2),
        sp.log(2),
    ),
    Generator("total variation, |t - 1|/2", ((t - 1) / 2, (1 - t) / 2), sp.Rational(1, 2), sp.Rational(1, 2)),
    Generator("hockey stick, max(t - 2, 0)", (t - 2, sp.Integer(0)), sp.Integer(0), sp.Integer(1)),
)
