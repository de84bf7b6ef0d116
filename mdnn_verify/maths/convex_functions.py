r"""Convex functions f on [0, inf) with f(1) = 0, by name, as an f-divergence is given them.

Each is a function of tensors of any shape, evaluated entry by entry and differentiable by autograd for t > 0; at t = 0
it is the limit, which may be +inf. ``CONVEX`` adds f in balls, for an independent value, and two magnitudes that a
rounding analysis needs: ``parts(t)``, the sum of the absolute values of what is added up in f(t), and ``turn(t)``, at
least |t f'(t)|. Source: seed 004, Problem 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flint
import torch

__all__ = [
    "CONVEX",
    "Convex",
    "hellinger",
    "hockey_stick",
    "jensen_shannon",
    "kullback_leibler",
    "linear",
    "neyman",
    "pearson",
    "power",
    "reverse_kullback_leibler",
    "tilted",
    "total_variation",
    "zero",
]

Tensor = torch.Tensor
Ball = Any  # a flint.arb; flint has no types


def kullback_leibler(t: Any) -> Tensor:
    """t log t, 0 at 0."""
    t = _tensor(t)
    return torch.xlogy(t, t)


def reverse_kullback_leibler(t: Any) -> Tensor:
    """-log t, +inf at 0."""
    return -_tensor(t).log()


def pearson(t: Any) -> Tensor:
    """(t - 1)^2."""
    value: Tensor = (_tensor(t) - 1) ** 2
    return value


def neyman(t: Any) -> Tensor:
    """(t - 1)^2 / t, +inf at 0."""
    t = _tensor(t)
    value: Tensor = (t - 1) ** 2 / t
    return value


def total_variation(t: Any) -> Tensor:
    """|t - 1| / 2, with a kink at 1."""
    return (_tensor(t) - 1).abs() / 2


def hellinger(t: Any) -> Tensor:
    """(1 - sqrt t)^2."""
    value: Tensor = (1 - _tensor(t).sqrt()) ** 2
    return value


def jensen_shannon(t: Any) -> Tensor:
    """t log t - (1 + t) log((1 + t)/2), log 2 at 0."""
    t = _tensor(t)
    value: Tensor = torch.xlogy(t, t) - (1 + t) * ((1 + t) / 2).log()
    return value


def power(t: Any) -> Tensor:
    """t^(3/2) - 1."""
    value: Tensor = _tensor(t) ** 1.5 - 1
    return value


def tilted(t: Any) -> Tensor:
    """t log t + 2 (t - 1): the divergence is that of t log t."""
    t = _tensor(t)
    value: Tensor = torch.xlogy(t, t) + 2 * (t - 1)
    return value


def hockey_stick(t: Any) -> Tensor:
    """max(t - 2, 0), with a kink at 2."""
    return (_tensor(t) - 2).clamp_min(0)


def linear(t: Any) -> Tensor:
    """3 (t - 1): the divergence is 0."""
    return 3 * (_tensor(t) - 1)


def zero(t: Any) -> Tensor:
    """0."""
    return 0 * _tensor(t)


@dataclass(frozen=True)
class Convex:
    """A function, the same in balls at t > 0, its limit at 0, and the magnitudes that rounding depends on."""

    function: Callable[[Any], Tensor]
    in_balls: Callable[[Ball], Ball]
    at_zero: Ball
    parts: Callable[[Tensor], Tensor]
    turn: Callable[[Tensor], Tensor]

    def exactly(self, t: Ball) -> Ball:
        """f at a ball or at exactly 0."""
        return self.at_zero if t == 0 else self.in_balls(t)


def _tensor(t: Any) -> Tensor:
    return t if isinstance(t, torch.Tensor) else torch.as_tensor(t, dtype=torch.float64)


def _logs(t: Tensor) -> Tensor:
    return torch.xlogy(t, t).abs() + t


def _positive(value: Ball) -> Ball:
    return value.max(flint.arb(0))


INFINITE = flint.arb.pos_inf()

CONVEX = {
    entry.function: entry
    for entry in (
        Convex(kullback_leibler, lambda t: t * t.log(), flint.arb(0), _logs, _logs),
        Convex(reverse_kullback_leibler, lambda t: -t.log(), INFINITE, lambda t: t.log().abs() + 1, torch.ones_like),
        Convex(pearson, lambda t: (t - 1) ** 2, flint.arb(1), lambda t: (t + 1) ** 2, lambda t: 2 * t * (t + 1)),
        Convex(neyman, lambda t: (t - 1) ** 2 / t, INFINITE, lambda t: (t + 1) ** 2 / t, lambda t: (t + 1) ** 2 / t),
        Convex(total_variation, lambda t: abs(t - 1) / 2, flint.arb(0.5), lambda t: t + 1, lambda t: t),
        Convex(hellinger, lambda t: (1 - t.sqrt()) ** 2, flint.arb(1), lambda t: 2 * (t + 1), lambda t: t + t.sqrt()),
        Convex(
            jensen_shannon,
            lambda t: t * t.log() - (1 + t) * ((1 + t) / 2).log(),
            flint.arb.const_log2(),
            lambda t: _logs(t) + (1 + t) * (1 + ((1 + t) / 2).log().abs()),
            lambda t: _logs(t) + t * (1 + ((1 + t) / 2).log().abs()),
        ),
        Convex(power, lambda t: t * t.sqrt() - 1, flint.arb(-1), lambda t: t**1.5 + 1, lambda t: 1.5 * t**1.5),
        Convex(
            tilted,
            lambda t: t * t.log() + 2 * (t - 1),
            flint.arb(-2),
            lambda t: _logs(t) + 2 * (t + 1),
            lambda t: _logs(t) + 2 * t,
        ),
        Convex(hockey_stick, lambda t: _positive(t - 2), flint.arb(0), lambda t: t + 2, lambda t: t),
        Convex(linear, lambda t: 3 * (t - 1), flint.arb(-3), lambda t: 3 * (t + 1), lambda t: 3 * t),
        Convex(zero, lambda t: 0 * t, flint.arb(0), torch.zeros_like, torch.zeros_like),
    )
}
