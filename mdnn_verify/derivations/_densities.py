"""Densities on R^d that are constant on boxes; worlds of two, one of which may vanish where the other does not."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy as sp

from mdnn_verify.audit import World
from mdnn_verify.errors import MdnnVerifyError

__all__ = [
    "BoxDensity",
    "cells",
    "expect",
    "independent_pairs",
    "integral",
    "log_ratio",
    "minus_log",
    "pairs",
    "product",
    "step",
]

Box = tuple[tuple[Any, Any], ...]  # a half-open interval for each coordinate
Point = tuple[Any, ...]


@dataclass(frozen=True)
class BoxDensity:
    """A density with a constant height on each of finitely many boxes, and 0 outside.

    Raises MdnnVerifyError unless the heights are non-negative and the integral is 1.
    """

    heights: Mapping[Box, Any]

    def __post_init__(self) -> None:
        if any(sp.sympify(height).is_negative for height in self.heights.values()):
            raise MdnnVerifyError(f"the density {self} is negative somewhere")
        if sp.simplify(sum(height * volume(box) for box, height in self.heights.items()) - 1) != 0:
            raise MdnnVerifyError(f"the density {self} does not integrate to 1")

    @property
    def dimension(self) -> int:
        return len(next(iter(self.heights)))

    def __call__(self, x: Point) -> Any:
        for box, height in self.heights.items():
            if all(a <= coordinate < b for coordinate, (a, b) in zip(x, box, strict=True)):
                return height
        return sp.Integer(0)

    def marginal(self, k: int) -> BoxDensity:
        """The density of the k-th component (from 0): the others are integrated out."""
        ends = sorted({end for box in self.heights for end in box[k]})
        return step(ends, [self._slab(k, a, b) for a, b in pairwise(ends)])

    def _slab(self, k: int, a: Any, b: Any) -> Any:
        covering = ((box, height) for box, height in self.heights.items() if box[k][0] <= a and b <= box[k][1])
        return sum((height * volume(box[:k] + box[k + 1 :]) for box, height in covering), sp.Integer(0))

    def __str__(self) -> str:
        shown = ((" x ".join(f"[{a}, {b})" for a, b in box), height) for box, height in self.heights.items())
        return "(" + "; ".join(f"{height} on {box}" for box, height in shown) + ")"

    __repr__ = __str__


def volume(box: Box) -> Any:
    """The product of the sides; 1 in no dimension."""
    return sp.prod([b - a for a, b in box])


def step(ends: Sequence[Any], heights: Sequence[Any]) -> BoxDensity:
    """A density on R that is constant between neighbouring ends; pieces of height 0 are left out."""
    pieces = zip(pairwise(map(sp.sympify, ends)), map(sp.sympify, heights), strict=True)
    return BoxDensity({(piece,): height for piece, height in pieces if height != 0})


def product(*factors: BoxDensity) -> BoxDensity:
    """The joint density of independent components."""
    choices = itertools.product(*(factor.heights.items() for factor in factors))
    return BoxDensity({sum((box for box, _ in chosen), ()): sp.prod([h for _, h in chosen]) for chosen in choices})


def cells(*densities: BoxDensity) -> Iterator[tuple[Any, Point]]:
    """Volume and midpoint of boxes so small that every density is constant on each."""
    axes = []
    for k in range(densities[0].dimension):
        ends = sorted({end for density in densities for box in density.heights for end in box[k]})
        axes.append([(b - a, (a + b) / 2) for a, b in pairwise(ends)])
    for chosen in itertools.product(*axes):
        yield sp.prod([length for length, _ in chosen]), tuple(middle for _, middle in chosen)


def integral(function: Callable[[Point], Any], *densities: BoxDensity) -> Any:
    """The integral of a function that is constant wherever the densities are, and 0 where all of them are."""
    return sum((size * function(x) for size, x in cells(*densities)), sp.Integer(0))


def expect(f: BoxDensity, function: Callable[[Point], Any], *others: BoxDensity) -> Any:
    """E[function(X)] for X ~ f; the function counts only where f is positive (there 0 times anything is 0)."""
    inside = ((size * f(x), x) for size, x in cells(f, *others) if f(x) != 0)
    return sum((weight * function(x) for weight, x in inside), sp.Integer(0))


def log_ratio(a: Any, b: Any) -> Any:
    """log(a / b) for a > 0, with +oo where b = 0."""
    return sp.oo if b == 0 else sp.log(a / b)


def minus_log(a: Any) -> Any:
    """-log a, with +oo at 0."""
    return sp.oo if a == 0 else -sp.log(a)


def pairs() -> tuple[World, ...]:
    """f and g: densities on R, R^2; the same, one within the other, disjoint, neither a product; and symbols."""
    ramp = step((0, 1, 3), ("1/2", "1/4"))
    gap = step((0, 1, 2, 3), ("1/3", 0, "2/3"))
    lines = [
        (uniform(1), uniform(1)),
        (uniform(1), uniform(2)),
        (uniform(2), uniform(1)),
        (uniform(1), step((1, 2), (1,))),
        (step((0, 1, 2), ("1/4", "3/4")), step((0, 1, 2), ("3/4", "1/4"))),
        (step((0, 1, 2), ("1/3", "2/3")), ramp),
        (gap, ramp),
        (ramp, gap),
        (step((-2, 0, 1), ("1/4", "1/2")), step((-2, -1, 1), ("1/2", "1/4"))),
    ]
    planes = [
        (plane("1/2", 0, 0, "1/2"), plane("1/4", "1/4", "1/4", "1/4")),
        (plane("1/8", "3/8", "1/4", "1/4"), plane("1/2", "1/8", "1/8", "1/4")),
        (plane("1/2", "1/2", 0, 0), plane("1/2", 0, "1/2", 0)),
    ]
    found = [_world(f, g) for f, g in (*lines, *planes)]
    return (*found, World({"f": two_steps("a", "b"), "g": two_steps("c", "d")}, True, "all densities with two steps"))


def independent_pairs() -> tuple[World, ...]:
    """f and g: joint densities of independent components, in one, two and three dimensions; and symbols in two."""
    one, two, ramp = uniform(1), uniform(2), step((0, 1, 3), ("1/2", "1/4"))
    tilted, turned = step((0, 1, 2), ("1/4", "3/4")), step((0, 1, 2), ("2/3", "1/3"))
    gap = step((0, 1, 2, 3), ("1/3", 0, "2/3"))
    chosen = [
        ((one, one), (two, one)),
        ((one, two), (two, two)),
        ((one, two), (two, one)),  # the second divergence is infinite
        ((tilted, turned), (turned, tilted)),
        ((tilted, gap), (turned, ramp)),
        ((tilted,), (turned,)),
        ((tilted, turned, one), (turned, ramp, two)),
    ]
    found = [_world(product(*fs), product(*gs)) for fs, gs in chosen]
    f, g = (product(two_steps(*first), two_steps(*second)) for first, second in (("ab", "pq"), ("cd", "rs")))
    symbols = {"f": f, "g": g}
    return (*found, World(symbols, True, "all products of two densities with two steps"))


def uniform(length: int) -> BoxDensity:
    """The uniform density on [0, length)."""
    return step((0, length), (sp.Rational(1, length),))


def plane(*heights: Any) -> BoxDensity:
    """Four unit squares with a corner in (1, 1): lower left, lower right, upper left, upper right."""
    unit = [((sp.Integer(i), sp.Integer(i + 1)), (sp.Integer(j), sp.Integer(j + 1))) for j in (0, 1) for i in (0, 1)]
    return BoxDensity({box: sp.sympify(h) for box, h in zip(unit, heights, strict=True) if sp.sympify(h) != 0})


def two_steps(*names: str) -> BoxDensity:
    """Any two positive heights on [0, 1) and [1, 2), normalised."""
    one, two = sp.symbols(names, positive=True)
    return step((0, 1, 2), (one / (one + two), two / (one + two)))


def _world(f: BoxDensity, g: BoxDensity) -> World:
    return World({"f": f, "g": g}, label=f"f = {f}, g = {g}")
