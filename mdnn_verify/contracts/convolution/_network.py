r"""The gradients of a convolutional network at exactly the floats that are handed over, and what rounding may explain.

Let u be the unit roundoff and $K = (n_0 + 16) u$. A correlation or a convolution of w and y errs by at most
$K \|w\|_2 \|y\|_2$ in each entry, whether it is summed in any order, made of a matrix, or of Fourier transforms
(Higham, *Accuracy and Stability*, chapters 3 and 24). An error e of an argument a moves sigma(a) by $|\sigma'| e$ and
sigma'(a) by $|\sigma''| e$ to first order, of which twice is taken, with e^2 for what follows; evaluating them errs by
8 u of their size, for sigma' of what it is computed from. These are carried through the network entry by entry; the
norms are those of numbers that err already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from mdnn_verify.maths.activations import Activation

__all__ = ["Gradients", "Network"]

BITS = 200
STEP = 2.0**-80  # of the differences, in balls of 4 x BITS
Balls = list[flint.arb]
Reals = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Gradients:
    """Of each layer: a list for its filter, or one number for its bias."""

    weights: list[list[float]]
    biases: list[float]


@dataclass(frozen=True)
class Network:
    """y_l = sigma(correlation of w_l and y_{l-1} + b_l), without sigma in the last layer, whose output is a number."""

    x: Sequence[float]
    weights: Sequence[Sequence[float]]
    biases: Sequence[float]
    activation: Activation

    def gradients(self) -> Gradients:
        """All derivatives, by the formulas of the theorem in balls."""
        with flint.ctx.workprec(BITS):
            filters, biases = [_balls(w) for w in self.weights], _balls(self.biases)
            arguments, inputs = self._forward(_balls(self.x), filters, biases)
            back, found = [flint.arb(1)], []
            for layer in reversed(range(len(filters))):
                if layer + 1 < len(filters):
                    slopes = [self.activation.slope_in_balls(a) for a in arguments[layer]]
                    pulled = _product(back, filters[layer + 1])
                    back = [p * s for p, s in zip(pulled, slopes, strict=True)]
                found.append((_correlation(back, inputs[layer]), sum(back, flint.arb(0))))
            found.reverse()
            return Gradients([[float(g) for g in w] for w, _ in found], [float(b) for _, b in found])

    def along(self, weights: Sequence[Sequence[float]], biases: Sequence[float]) -> float:
        """The derivative of the output along these changes of filters and biases, by differences of the outputs."""
        with flint.ctx.workprec(4 * BITS):
            outputs = []
            for sign in (1, -1):
                moved = [_moved(w, h, sign) for w, h in zip(self.weights, weights, strict=True)]
                shifts = _moved(self.biases, biases, sign)
                outputs.append(self._forward(_balls(self.x), moved, shifts)[0][-1][0])
            return float((outputs[0] - outputs[1]) / (2 * flint.arb(STEP)))

    def arguments(self) -> list[Reals]:
        """What sigma is applied to, layer by layer, and last the output; in float64."""
        found: list[Reals] = []
        y = np.asarray(self.x, dtype=np.float64)
        for w, b in zip(self.weights, self.biases, strict=True):
            found.append(np.correlate(y, np.asarray(w, dtype=np.float64), "valid") + b)
            y = self.activation.function(found[-1]).numpy()
        return found

    def rounding(self, unit: float) -> Gradients:
        """What rounding may explain in each derivative; see the module's docstring."""
        K, sigma = (len(self.x) + 16) * unit, self.activation
        y, off_y = np.abs(np.asarray(self.x, dtype=np.float64)), np.zeros(len(self.x))
        filters = [np.abs(np.asarray(w, dtype=np.float64)) for w in self.weights]
        inputs, slopes = [], []
        for w, b, a in zip(filters, self.biases, self.arguments(), strict=True):
            inputs.append((y, off_y))
            off = K * (_norm(w) * _norm(y + off_y) + abs(b)) + np.correlate(off_y, w, "valid")
            slope, bend = np.abs(sigma.slope(a).numpy()), sigma.curvature(a)
            slopes.append((slope, 2 * bend * off + off**2 * (bend > 0) + 8 * unit * sigma.parts(a)))
            y = np.abs(sigma.function(a).numpy())
            off_y = 2 * slope * off + bend * off**2 + 8 * unit * y
        v, off_v = np.ones(1), np.zeros(1)
        found: list[tuple[Reals, float]] = []
        for layer in reversed(range(len(filters))):
            if layer + 1 < len(filters):
                w, (slope, off_slope) = filters[layer + 1], slopes[layer]
                pulled, off = np.convolve(v, w), K * _norm(w) * _norm(v + off_v) + np.convolve(off_v, w)
                v, off_v = pulled * slope, slope * off + (pulled + off) * off_slope + 2 * unit * pulled * slope
            y, off_y = inputs[layer]
            own = np.correlate(y + off_y, off_v, "valid") + np.correlate(off_y, v, "valid")
            own += K * _norm(v + off_v) * _norm(y + off_y)
            found.append((2 * own, 2 * float(off_v.sum() + K * (v + off_v).sum())))
        found.reverse()
        return Gradients([w.tolist() for w, _ in found], [b for _, b in found])

    def _forward(self, y: Balls, filters: Sequence[Balls], biases: Balls) -> tuple[list[Balls], list[Balls]]:
        """Arguments and inputs of all layers."""
        arguments: list[Balls] = []
        inputs: list[Balls] = []
        for w, b in zip(filters, biases, strict=True):
            inputs.append(y)
            arguments.append([entry + b for entry in _correlation(w, y)])
            if len(arguments) < len(filters):
                y = [self.activation.in_balls(a) for a in arguments[-1]]
        return arguments, inputs


def _balls(values: Sequence[float]) -> Balls:
    return [flint.arb(value) for value in values]


def _moved(values: Sequence[float], direction: Sequence[float], sign: int) -> Balls:
    step = sign * flint.arb(STEP)
    return [flint.arb(value) + step * flint.arb(change) for value, change in zip(values, direction, strict=True)]


def _product(left: Balls, right: Balls) -> Balls:
    """sum_k left_k right_{j-k} for all j: the coefficients of a product of polynomials."""
    found = list((flint.arb_poly(left) * flint.arb_poly(right)).coeffs())
    return found + [flint.arb(0)] * (len(left) + len(right) - 1 - len(found))


def _correlation(w: Balls, y: Balls) -> Balls:
    """sum_k w_k y_{i+k} for i = 0 .. n - f."""
    return _product(y, w[::-1])[len(w) - 1 : len(y)]


def _norm(values: Reals) -> float:
    return float(np.linalg.norm(values))
