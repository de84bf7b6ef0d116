"""Convolutional networks on the line with one channel, in exact numbers; derivatives by differentiating symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from mdnn_verify.audit import World

__all__ = ["Network", "convolution", "matrix_of", "networks", "transposed_convolution"]

Z = sp.Symbol("z", real=True)


def convolution(w: Sequence[Any], x: Sequence[Any]) -> sp.Matrix:
    """What libraries call the convolution of x with w: sum over j of w_j x_(i + j), stride 1, padding 0."""
    return sp.Matrix([sum(w[j] * x[i + j] for j in range(len(w))) for i in range(len(x) - len(w) + 1)])


def transposed_convolution(w: Sequence[Any], u: Sequence[Any]) -> sp.Matrix:
    """Each entry of u adds a copy of w, moved by its place."""
    result = [sp.Integer(0)] * (len(u) + len(w) - 1)
    for i, entry in enumerate(u):
        for j, weight in enumerate(w):
            result[i + j] += entry * weight
    return sp.Matrix(result)


def matrix_of(w: Sequence[Any], inputs: int) -> sp.Matrix:
    """A_w: the row i holds w from the column i on."""
    return sp.Matrix(inputs - len(w) + 1, inputs, lambda i, j: w[j - i] if 0 <= j - i < len(w) else 0)


@dataclass(frozen=True)
class Network:
    """y_l = sigma(A_(w_l) y_(l-1) + b_l 1) for l < L, y_L = A_(w_L) y_(L-1) + b_L 1, y_0 = x; layers count from 1.

    ``sigma`` is an expression in z. Derivatives are taken in symbols, then the numbers are put in.
    """

    x: tuple[Any, ...]
    w: tuple[tuple[Any, ...], ...]
    b: tuple[Any, ...]
    sigma: Any

    def __str__(self) -> str:
        return f"x = {self.x}, w = {self.w}, b = {self.b}, sigma(z) = {self.sigma}"

    __repr__ = __str__

    @property
    def L(self) -> int:
        return len(self.w)

    def inside(self, layer: int) -> sp.Matrix:
        """A_(w_l) y_(l-1) + b_l 1 at the network's numbers."""
        y = self.y(layer - 1)
        return matrix_of(self.w[layer - 1], len(y)) * y + self.b[layer - 1] * sp.ones(
            len(y) - len(self.w[layer - 1]) + 1, 1
        )

    def y(self, layer: int) -> sp.Matrix:
        """The output of a layer at the network's numbers; y_0 = x."""
        if layer == 0:
            return sp.Matrix(self.x)
        inside = self.inside(layer)
        return inside if layer == self.L else inside.applyfunc(lambda value: self.sigma.subs(Z, value))

    def slopes(self, layer: int) -> sp.Matrix:
        """diag(sigma'(A_(w_l) y_(l-1) + b_l 1))."""
        prime = sp.diff(self.sigma, Z)
        return sp.diag(*[prime.subs(Z, value) for value in self.inside(layer)])

    @cached_property
    def _symbols(self) -> tuple[list[tuple[Any, ...]], tuple[Any, ...]]:
        filters = [sp.symbols(f"w{k}_:{len(w)}", real=True) for k, w in enumerate(self.w)]
        return filters, sp.symbols(f"b:{self.L}", real=True)

    def _forward(self, y: sp.Matrix, first: int, last: int) -> sp.Matrix:
        """The output of the layer ``last`` in symbols, from the input y of the layer ``first``."""
        filters, shifts = self._symbols
        for layer in range(first, last + 1):
            w, shift = filters[layer - 1], shifts[layer - 1]
            y = convolution(w, list(y)).applyfunc(lambda value, shift=shift: value + shift)
            if layer < self.L:
                y = y.applyfunc(lambda value: self.sigma.subs(Z, value))
        return y

    def _numbers(self) -> dict[Any, Any]:
        filters, shifts = self._symbols
        pairs = [*zip(shifts, self.b, strict=True)]
        for symbols, values in zip(filters, self.w, strict=True):
            pairs += zip(symbols, values, strict=True)
        return dict(pairs)

    def by_output(self, top: int, layer: int) -> sp.Matrix:
        """d y_top / d y_layer, by differentiation."""
        here = self.y(layer)
        inputs = sp.symbols(f"y:{len(here)}", real=True)
        value = self._forward(sp.Matrix(inputs), layer + 1, top).jacobian(sp.Matrix(inputs))
        return value.subs({**self._numbers(), **dict(zip(inputs, here, strict=True))}, simultaneous=True)

    def by_filter(self, layer: int) -> sp.Matrix:
        """d y_L / d w_l as a row, by differentiation."""
        return self._of_all(sp.Matrix(self._symbols[0][layer - 1]))

    def by_shift(self, layer: int) -> sp.Matrix:
        """d y_L / d b_l, by differentiation."""
        return self._of_all(sp.Matrix([self._symbols[1][layer - 1]]))

    def _of_all(self, parameters: sp.Matrix) -> sp.Matrix:
        value = self._forward(sp.Matrix(self.x), 1, self.L).jacobian(parameters)
        return value.subs(self._numbers(), simultaneous=True)

    def v(self, layer: int) -> sp.Matrix:
        """v_L = 1, v_l = d y_L/d y_l diag(sigma'(...)): a row."""
        if layer == self.L:
            return sp.ones(1, 1)
        return self.by_output(self.L, layer) * self.slopes(layer)


def networks() -> tuple[World, ...]:
    """Worlds with a ``network``: one to four layers, filters of one to three entries, n_L = 1; one holds symbols."""
    square, cubic = Z**2 + Z, Z**3 - Z
    found = [
        Network((1, 2), ((1, 3),), (0,), square),
        Network((1, 2, 0), ((1, 2), (1, -1)), (0, 1), square),
        Network((1, 0, -1, 2), ((1, 2), (2, -1, 3)), (1, 0), cubic),
        Network((2, 1, 0, -1, 1), ((1, 2, -1), (3, 1), (1, 2)), (0, 1, -1), square),
        Network((1, -1, 2, 1), ((2,), (1, 1), (1, 0, 2)), (1, 0, 2), square),
        Network((0, 1, 1, -1, 2), ((1, 2), (1, -1), (2, 1), (1, 1)), (1, 0, -1, 2), square),
    ]
    x, b = sp.symbols("x1:4", real=True), sp.symbols("c1:3", real=True)
    w = (sp.symbols("p1:3", real=True), sp.symbols("q1:3", real=True))
    every = World({"network": Network(x, w, b, square)}, True, f"all x in R^3, filters and shifts, {square}")
    return (*(World({"network": network}) for network in found), every)
