"""What meanings are written with: expectations under a named law, integrals of densities, sets of maximisers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy as sp

from mdnn_verify.audit.derivation import Relation
from mdnn_verify.audit.relations import compare
from mdnn_verify.audit.values import exact, has_floats, has_symbols, has_value
from mdnn_verify.engines.truth import Truth
from mdnn_verify.errors import MdnnVerifyError

__all__ = ["Finite", "Normal", "StepDensity", "argmax", "argmin", "divergence"]


@dataclass(frozen=True)
class Finite:
    """A law on finitely many points. Raises MdnnVerifyError unless the weights are non-negative and sum to 1."""

    weights: Mapping[Any, Any]

    def __post_init__(self) -> None:
        if has_floats(self.weights):
            raise MdnnVerifyError(f"the law {self} has a float, which is not exact; write sp.Rational(1, 3)")
        if any(weight.is_negative for weight in map(sp.sympify, self.weights.values())):
            raise MdnnVerifyError(f"the law {self} has a negative weight")
        if sp.simplify(sum(map(sp.sympify, self.weights.values())) - 1) != 0:
            raise MdnnVerifyError(f"the weights of the law {self} do not sum to 1")

    def __str__(self) -> str:
        return "{" + ", ".join(f"{point}: {weight}" for point, weight in self.weights.items()) + "}"

    __repr__ = __str__

    def expect(self, function: Callable[[Any], Any]) -> Any:
        """The expectation; points of weight zero do not enter, whatever the function is there."""
        return sum((w * function(x) for x, w in self.weights.items() if w != 0), sp.Integer(0))

    def __call__(self, point: Any) -> Any:
        return self.weights.get(point, sp.Integer(0))

    @property
    def support(self) -> frozenset[Any]:
        return frozenset(point for point, weight in self.weights.items() if weight != 0)


@dataclass(frozen=True)
class Normal:
    """The normal law with mean ``mu`` (d, 1) and covariance ``cov`` (d, d), by its moments."""

    mu: sp.Matrix
    cov: sp.Matrix

    def expect(self, function: Callable[[sp.Matrix], Any]) -> Any:
        """The expectation of a polynomial of the vector (or of a matrix of such), exactly, by Isserlis' theorem."""
        d = self.mu.rows
        y = sp.symbols(f"y:{d}", real=True, cls=sp.Dummy)  # a line may have a y0 of its own
        value = function(self.mu + sp.Matrix(y))
        if isinstance(value, sp.MatrixBase):
            return value.applyfunc(lambda entry: self._of_polynomial(entry, y))
        return self._of_polynomial(sp.sympify(value), y)

    def _of_polynomial(self, expr: Any, y: Sequence[sp.Symbol]) -> Any:
        polynomial = sp.Poly(sp.expand(expr), *y)
        return sum(
            (
                c * self._moment(tuple(i for i, n in enumerate(powers) for _ in range(n)))
                for powers, c in polynomial.terms()
            ),
            sp.Integer(0),
        )

    def _moment(self, indices: tuple[int, ...]) -> Any:
        if not indices:
            return sp.Integer(1)
        if len(indices) % 2:
            return sp.Integer(0)
        head, rest = indices[0], indices[1:]
        return sum(self.cov[head, other] * self._moment(rest[:i] + rest[i + 1 :]) for i, other in enumerate(rest))


@dataclass(frozen=True)
class StepDensity:
    """A density that is constant between neighbouring ``ends`` and zero outside."""

    ends: tuple[Any, ...]
    heights: tuple[Any, ...]

    def __call__(self, x: Any) -> Any:
        for (a, b), height in zip(pairwise(self.ends), self.heights, strict=True):
            if a <= x < b:
                return height
        return sp.Integer(0)

    def __str__(self) -> str:
        pieces = zip(pairwise(self.ends), self.heights, strict=True)
        return "; ".join(f"{height} on [{a}, {b})" for (a, b), height in pieces)

    __repr__ = __str__

    @staticmethod
    def integral(function: Callable[[Any], Any], *densities: StepDensity) -> Any:
        """The integral over R of a function that is constant wherever the densities are.

        Raises MdnnVerifyError for a function that is seen to vary there.
        """
        ends = sorted({end for density in densities for end in density.ends})
        total = sp.Integer(0)
        for a, b in pairwise(ends):
            value, other = (function(a + sp.Rational(1, parts) * (b - a)) for parts in (2, 3))
            if value != other and sp.simplify(value - other) != 0:
                raise MdnnVerifyError(
                    f"StepDensity.integral is for functions that are constant where the densities are, but this one is "
                    f"{value} and {other} between {a} and {b}; use sp.integrate"
                )
            total += (b - a) * value
        return total


def divergence(p: Any, q: Any) -> Any:
    """sum p log(p/q) over two sequences of masses, with 0 log 0 = 0 and +oo where p > 0 = q."""
    total = sp.Integer(0)
    for a, b in zip(p, q, strict=True):
        if a == 0:
            continue
        if b == 0:
            return sp.oo
        total += a * sp.log(sp.sympify(a) / b)
    return total


def argmax(function: Callable[[Any], Any], domain: Iterable[Any]) -> frozenset[Any]:
    """All maximisers over a finite domain, of a function with exact values (-oo among them).

    Raises ZeroDivisionError where the function has no value, TypeError where it holds symbols, MdnnVerifyError for
    floats and for values that cannot be told apart.
    """
    best: list[Any] = []
    greatest = None
    for x in domain:
        value = function(x)
        if has_floats(value):
            raise MdnnVerifyError(f"argmax of a function that is {value!r} at {x}, a float, which is not exact")
        value = exact(value, "argmax")
        if not has_value(value):
            raise ZeroDivisionError(f"argmax of a function without a value at {x}")
        if has_symbols(value):
            raise TypeError(f"argmax of a function that is {value} at {x}: which is greatest depends on the symbols")
        if greatest is None or _greater(value, greatest):
            best, greatest = [x], value
        elif not _greater(greatest, value):
            best.append(x)
    return frozenset(best)


def _greater(one: Any, two: Any) -> bool:
    if compare(Relation.EQUAL, one, two, "argmax") in (Truth.TRUE, Truth.NEAR):
        return False
    found = compare(Relation.GREATER, one, two, "argmax")
    if found is Truth.UNKNOWN:
        raise MdnnVerifyError(f"argmax: {one} and {two} cannot be told apart")
    return found is Truth.TRUE


def argmin(function: Callable[[Any], Any], domain: Iterable[Any]) -> frozenset[Any]:
    """All minimisers over a finite domain."""
    return argmax(lambda x: -function(x), domain)
