"""Scaled log-sum-exp nu_b(x) = log(sum exp(b x_i)) / b and its gradient softmax(b x), with rounding bounds.

Everything is vectorised over the leading dimensions: x has shape (..., n), ``beta`` is a number or of shape (...).
The exponents are formed as b (x_i - max x), whose relative error is two roundings whatever the size of b x.
Source: seed 004, Problem 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import flint
import torch

from mdnn_verify.maths.divergences import ball

__all__ = [
    "log_sum_exp",
    "log_sum_exp_in_balls",
    "log_sum_exp_rounding_bound",
    "softmax",
    "softmax_in_balls",
    "softmax_rounding_bound",
]

LIBM = 4  # units of roundoff allowed in an exp or a log: two units in the last place


def log_sum_exp(x: Any, beta: Any = 1.0) -> torch.Tensor:
    """log(sum_i exp(beta x_i)) / beta, shape (..., n) to (...), beta > 0; differentiable by autograd.

    No overflow as long as the value itself, and the spread of beta x, can be represented. Raises ValueError naming x or
    beta: no last dimension of at least one entry, not of a floating-point type, not positive.
    """
    values, b = _checked(x, beta)
    largest = values.detach().amax(-1, keepdim=True)  # the value does not depend on it, so neither does the derivative
    total = torch.exp(b.unsqueeze(-1) * (values - largest)).sum(-1)
    return torch.log(total) / b + largest.squeeze(-1)


def softmax(x: Any, beta: Any = 1.0) -> torch.Tensor:
    """exp(beta x_i) / sum_j exp(beta x_j), shape (..., n) to (..., n). Raises ValueError as log_sum_exp does."""
    values, b = _checked(x, beta)
    e = torch.exp(b.unsqueeze(-1) * (values - values.amax(-1, keepdim=True)))
    return e / e.sum(-1, keepdim=True)


def log_sum_exp_rounding_bound(x: Any, beta: Any = 1.0) -> torch.Tensor:
    """A bound of |log_sum_exp(x, beta) - the exact value|, shape (...), the entries of x and beta taken as exact.

    With z_i = beta (x_i - max x) <= 0 and e_i = exp(z_i), to first order in u: z_i is off by 2 |z_i| u, which moves e_i
    by at most 2 u / e, and exp by LIBM u e_i; the sum S of n terms by n u S. As S >= 1, log S is off by less than
    (2 n / e + LIBM + n) u + LIBM u log n; it is divided by beta (one rounding) and added to max x (another).
    The coefficients are rounded up to cover the second order.
    """
    values, b = _checked(x, beta)
    n, unit = values.shape[-1], torch.finfo(values.dtype).eps / 2
    log_n = torch.log(torch.tensor(float(n), dtype=values.dtype, device=values.device))
    return unit * ((2 * n + 6 + 7 * log_n) / b + 1.01 * values.abs().amax(-1))


def softmax_rounding_bound(x: Any, beta: Any = 1.0) -> torch.Tensor:
    """A bound of |softmax(x, beta) - the exact value|, shape (..., n), the entries of x and beta taken as exact.

    e_i carries the relative error (2 |z_i| + LIBM) u, their sum S the absolute error n (2 / e + 1) u S + LIBM u S at
    most, and the division one rounding: together e_i / S is off by (2 |z_i| e_i / S) u + (2 n + 9) (e_i / S) u, and
    |z_i| e_i <= 1/e. What underflows is off by less than the smallest normal number.
    """
    values, b = _checked(x, beta)
    n, unit = values.shape[-1], torch.finfo(values.dtype).eps / 2
    z = b.unsqueeze(-1) * (values - values.amax(-1, keepdim=True))
    mu = softmax(values, beta)
    moved = torch.where(torch.isfinite(z), z.abs() * mu, torch.zeros_like(z))
    return unit * (2.1 * moved + (2 * n + 10) * mu) + torch.finfo(values.dtype).tiny


def log_sum_exp_in_balls(x: Iterable[Any], beta: Any = 1) -> flint.arb:
    """An enclosure of log_sum_exp for exact entries (int, Fraction, SymPy Rational, float) at FLINT's precision."""
    b = ball(beta)
    return sum((_term(entry, b) for entry in x), flint.arb(0)).log() / b


def softmax_in_balls(x: Iterable[Any], beta: Any = 1) -> list[flint.arb]:
    """Enclosures of the entries of softmax(beta x), for exact entries."""
    terms = [_term(entry, ball(beta)) for entry in x]
    total = sum(terms, flint.arb(0))
    return [term / total for term in terms]


def _term(entry: Any, beta: flint.arb) -> flint.arb:
    return (beta * ball(entry)).exp()


def _checked(x: Any, beta: Any) -> tuple[torch.Tensor, torch.Tensor]:
    values = torch.as_tensor(x)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(f"x has shape {tuple(values.shape)}, expected (..., n) with n >= 1")
    if not values.dtype.is_floating_point:
        raise ValueError(f"x has dtype {values.dtype}, expected floating-point numbers")
    b = torch.as_tensor(beta, dtype=values.dtype, device=values.device)
    if not bool((b > 0).all()):
        raise ValueError(f"beta = {beta!r}, expected a positive number")
    return values, b
