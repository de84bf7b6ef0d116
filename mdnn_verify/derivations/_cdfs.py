"""Distribution functions on the line, exactly: with jumps and flat pieces, and strictly increasing ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy as sp

from mdnn_verify.audit import World

__all__ = ["Increasing", "Mixed", "increasing_worlds", "mixed_worlds"]


@dataclass(frozen=True)
class Increasing:
    """F(x) = w (1 + x/(1 + |x|))/2 + (1 - w) [x >= 0]: strictly increasing, with a jump at 0 unless w = 1."""

    w: Any

    def __call__(self, x: Any) -> Any:
        return self.w * (1 + x / (1 + abs(x))) / 2 + (1 - self.w if x >= 0 else 0)

    def inverse(self, u: Any) -> Any:
        """The x with F(x) = u, for 0 < u < 1; None where there is none."""
        low, high = self.w / 2, 1 - self.w / 2  # the limit from the left at 0, and F(0)
        if low <= u < high:
            return None
        v = (u if u < low else u - (1 - self.w)) / self.w
        return (2 * v - 1) / (1 - abs(2 * v - 1))

    def __str__(self) -> str:
        smooth = "(1 + x/(1 + |x|))/2"
        return smooth if self.w == 1 else f"{self.w} {smooth} + {1 - self.w} [x >= 0]"

    __repr__ = __str__


def increasing_worlds() -> tuple[World, ...]:
    """``F`` and a level u between 0 and 1."""
    half, third = sp.Rational(1, 2), sp.Rational(1, 3)
    levels = (half, sp.Rational(1, 8), sp.Rational(9, 10))
    cases = [(w, u) for w in (sp.Integer(1), half, third) for u in levels]
    return tuple(
        World({"F": Increasing(w), "u": u, "continuous": w == 1}, label=f"F(x) = {Increasing(w)}, u = {u}")
        for w, u in cases
    )


@dataclass(frozen=True)
class Mixed:
    """A distribution function with jumps (``atoms``: masses by place) and pieces (a, b, mass) of constant density."""

    atoms: Mapping[Any, Any]
    pieces: Sequence[tuple[Any, Any, Any]]

    def __call__(self, x: Any) -> Any:
        return self.before(x) + self.atoms.get(x, 0)

    def before(self, x: Any) -> Any:
        """The limit from the left."""
        jumps = sum((mass for place, mass in self.atoms.items() if place < x), sp.Integer(0))
        return jumps + sum((mass * min(max((x - a) / (b - a), 0), 1) for a, b, mass in self.pieces), sp.Integer(0))

    def after(self, x: Any) -> Any:
        """The limit from the right: F is linear up to the next knot, so that two values there give it."""
        width = min([knot - x for knot in self.knots if knot > x], default=sp.Integer(1))
        near, far = self(x + width / 4), self(x + width / 2)
        return 2 * near - far

    @property
    def knots(self) -> list[Any]:
        return sorted({*self.atoms, *(end for a, b, _ in self.pieces for end in (a, b))})

    def generalised_inverse(self, u: Any) -> Any:
        """inf {x : u < F(x)} for 0 < u < 1."""
        previous = self.knots[0]
        for knot in self.knots:
            if self.before(knot) > u:  # reached on the way from the knot before, where F is linear
                start, slope = self(previous), (self.before(knot) - self(previous)) / (knot - previous)
                return previous + (u - start) / slope
            if self(knot) > u:
                return knot
            previous = knot
        raise ValueError(f"no x with F(x) > {u}")

    def chance_of_inverse(self, t: Any) -> Any:
        """P(G(U) <= t) for the generalised inverse G: between the levels of the knots G is linear in u."""
        levels = sorted({0, 1, *(level for knot in self.knots for level in (self.before(knot), self(knot)))})
        total = sp.Integer(0)
        for low, high in pairwise(levels):
            third = (high - low) / sp.Integer(3)
            one, two = self.generalised_inverse(low + third), self.generalised_inverse(high - third)
            start, end = 2 * one - two, 2 * two - one  # G at the ends of the piece, continued linearly
            reached = sp.Integer(bool(start <= t)) if start == end else min(max((t - start) / (end - start), 0), 1)
            total += (high - low) * reached
        return total

    def __str__(self) -> str:
        jumps = [f"jump {mass} at {place}" for place, mass in self.atoms.items()]
        return "; ".join([*jumps, *(f"mass {mass} uniform on [{a}, {b}]" for a, b, mass in self.pieces)])

    __repr__ = __str__


def mixed_worlds() -> tuple[World, ...]:
    """``F`` and a place t: at jumps, between them, on flat pieces, outside."""
    half, quarter = sp.Rational(1, 2), sp.Rational(1, 4)
    zero, one, two, three = map(sp.Integer, range(4))
    functions = [
        Mixed({zero: half, one: half}, ()),
        Mixed({}, ((zero, one, one),)),
        Mixed({one: half}, ((zero, two, half),)),
        Mixed({zero: quarter}, ((zero, one, quarter), (two, three, half))),
        Mixed({-one: quarter, two: quarter}, ((zero, one, half),)),
    ]
    places = (zero, one, half, two, -one, sp.Rational(5, 2), three + 1)
    return tuple(World({"F": F, "t": t}, label=f"F: {F}; t = {t}") for F in functions for t in places)
