"""The diagonal Gaussian autoencoder with a Gaussian prior, coordinate by coordinate: its terms and their derivatives.

Encoder N(mu, s), prior N(l1, l2), decoder N(f(z), v I); s, l2 and v are variances. The functions compute in whatever
arithmetic ``ops`` stands for, which has log, sqrt and pi: SymPy, torch tensors, FLINT's balls and power series.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import flint
import sympy as sp
import torch

__all__ = [
    "BALLS",
    "ESTIMATORS",
    "EXACT",
    "NAMES",
    "TENSORS",
    "divergence",
    "estimates",
    "log_likelihood",
    "reparameterised",
]

EXACT = SimpleNamespace(log=sp.log, sqrt=sp.sqrt, pi=sp.pi)
TENSORS = SimpleNamespace(log=torch.log, sqrt=torch.sqrt, pi=math.pi)
BALLS = SimpleNamespace(log=lambda b: b.log(), sqrt=lambda b: b.sqrt(), pi=flint.arb.pi())
NAMES = ("mu", "s", "theta", "lambda_1", "lambda_2")


def reparameterised(mu: Any, s: Any, e: Any, ops: Any) -> Any:
    """Z = mu + sqrt(s) e."""
    return mu + ops.sqrt(s) * e


def log_likelihood(square: Any, v: Any, n: Any, ops: Any) -> Any:
    """log N(x; f, v I) in R^n, for square = |x - f|^2."""
    return -square / (2 * v) - n * ops.log(2 * ops.pi * v) / 2


def divergence(mu: Any, s: Any, l1: Any, l2: Any, ops: Any) -> Any:
    """KL(N(mu, s) || N(l1, l2)) in nats."""
    return (s / l2 + (mu - l1) ** 2 / l2 - 1 + ops.log(l2 / s)) / 2


def in_mu(g: Any, e: Any, v: Any, mu: Any, s: Any, l1: Any, l2: Any, ops: Any) -> Any:
    """One draw of the bound's derivative in mu; g is the coordinate of J'(x - f)."""
    return g / v - (mu - l1) / l2


def in_s(g: Any, e: Any, v: Any, mu: Any, s: Any, l1: Any, l2: Any, ops: Any) -> Any:
    """In the variance s."""
    return g * e / (2 * v * ops.sqrt(s)) - (1 / l2 - 1 / s) / 2


def in_theta(g: Any, v: Any) -> Any:
    """In theta; g is (df/dtheta)'(x - f)."""
    return g / v


def in_lambda_1(mu: Any, s: Any, l1: Any, l2: Any) -> Any:
    """In the prior's mean, without a draw."""
    return (mu - l1) / l2


def in_lambda_2(mu: Any, s: Any, l1: Any, l2: Any) -> Any:
    """In the prior's variance, without a draw."""
    return ((s + (mu - l1) ** 2) / l2 - 1) / (2 * l2)


ESTIMATORS: tuple[Callable[..., Any], ...] = (in_mu, in_s, in_theta, in_lambda_1, in_lambda_2)


def estimates(
    estimators: Sequence[Callable[..., Any]],
    g: tuple[Any, Any],
    e: Any,
    v: Any,
    coordinate: Sequence[Any],
    ops: Any,
) -> dict[str, Any]:
    """All five by name, for g = (J'(x - f), (df/dtheta)'(x - f)) and ``coordinate`` = mu, s, l1, l2."""
    moved = [estimator(g[0], e, v, *coordinate, ops) for estimator in estimators[:2]]
    exact = [estimator(*coordinate) for estimator in estimators[3:]]
    return dict(zip(NAMES, [*moved, estimators[2](g[1], v), *exact], strict=True))
