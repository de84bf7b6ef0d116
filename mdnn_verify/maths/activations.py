r"""Activations of a network with their derivatives, by name, as an implementation of backpropagation is given them.

Each is a function of tensors of any shape, entry by entry. ``ACTIVATIONS`` adds both in balls, for an independent
value, and what a rounding analysis needs: the curvature $|\sigma''|$, and the size of the numbers from which the
derivative is subtracted together (1 for $1 - \tanh^2$).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import flint
import numpy as np
import torch

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "relu",
    "relu_slope",
    "sigmoid",
    "sigmoid_slope",
    "sine",
    "sine_slope",
    "softplus",
    "softplus_slope",
    "square",
    "square_slope",
    "tanh",
    "tanh_slope",
]

Tensor = torch.Tensor
Ball: TypeAlias = flint.arb
Reals = np.ndarray[Any, np.dtype[np.float64]]
ZERO, ONE = flint.arb(0), flint.arb(1)


def square(a: Any) -> Tensor:
    """a^2."""
    return _tensor(a).square()


def square_slope(a: Any) -> Tensor:
    """2 a."""
    return 2 * _tensor(a)


def tanh(a: Any) -> Tensor:
    """The hyperbolic tangent."""
    return torch.tanh(_tensor(a))


def tanh_slope(a: Any) -> Tensor:
    """1 - tanh(a)^2."""
    return 1 - torch.tanh(_tensor(a)) ** 2


def sigmoid(a: Any) -> Tensor:
    """1 / (1 + exp(-a))."""
    return torch.sigmoid(_tensor(a))


def sigmoid_slope(a: Any) -> Tensor:
    """s (1 - s) with s the sigmoid of a."""
    value = torch.sigmoid(_tensor(a))
    return value * (1 - value)


def softplus(a: Any) -> Tensor:
    """log(1 + exp(a)); from 40 on, where exp(-a) is nothing beside a, a (torch's own threshold of 20 is too low)."""
    return torch.nn.functional.softplus(_tensor(a), threshold=40.0)


def softplus_slope(a: Any) -> Tensor:
    """The sigmoid of a."""
    return torch.sigmoid(_tensor(a))


def sine(a: Any) -> Tensor:
    """The sine."""
    return torch.sin(_tensor(a))


def sine_slope(a: Any) -> Tensor:
    """The cosine."""
    return torch.cos(_tensor(a))


def relu(a: Any) -> Tensor:
    """max(a, 0), which has a kink at 0."""
    return _tensor(a).clamp_min(0)


def relu_slope(a: Any) -> Tensor:
    """1 for a > 0, else 0."""
    argument = _tensor(a)
    return (argument > 0).to(argument.dtype)


@dataclass(frozen=True)
class Activation:
    """sigma and sigma', both in balls, and for arrays of arguments |sigma''| and what sigma' is computed from."""

    function: Callable[[Any], Tensor]
    slope: Callable[[Any], Tensor]
    in_balls: Callable[[Ball], Ball]
    slope_in_balls: Callable[[Ball], Ball]
    curvature: Callable[[Reals], Reals]
    parts: Callable[[Reals], Reals] = np.ones_like
    kink: bool = False


def _tensor(a: Any) -> Tensor:
    return a if isinstance(a, torch.Tensor) else torch.as_tensor(a, dtype=torch.float64)


def _sigmoid(a: Ball) -> Ball:
    return 1 / (1 + (-a).exp())


def _hyperbolic(a: Reals) -> Reals:
    value: Reals = np.abs(np.tanh(a))
    return 2 * value * (1 - value**2)


ACTIVATIONS = (
    Activation(
        square, square_slope, lambda a: a * a, lambda a: 2 * a, lambda a: np.full_like(a, 2.0), lambda a: 2 * np.abs(a)
    ),
    Activation(tanh, tanh_slope, lambda a: a.tanh(), lambda a: 1 / a.cosh() ** 2, _hyperbolic),
    Activation(
        sigmoid, sigmoid_slope, _sigmoid, lambda a: _sigmoid(a) * _sigmoid(-a), lambda a: _hyperbolic(a / 2) / 8
    ),
    Activation(softplus, softplus_slope, lambda a: a.exp().log1p(), _sigmoid, lambda a: (1 - np.tanh(a / 2) ** 2) / 4),
    Activation(sine, sine_slope, lambda a: a.sin(), lambda a: a.cos(), lambda a: np.abs(np.sin(a))),
    Activation(
        relu, relu_slope, lambda a: a if a > 0 else ZERO, lambda a: ONE if a > 0 else ZERO, np.zeros_like, kink=True
    ),
)
