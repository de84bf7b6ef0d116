r"""log sum exp(beta x_i) / beta and softmax at exactly the floats that are handed over, and what rounding may explain.

With m the largest x and u the unit roundoff: a stable implementation forms beta x_i or beta (x_i - m), each to a
relative error of 2 u, exponentiates, adds, takes the logarithm and adds beta m, before or after division by beta. An
error in a term counts with its weight exp(beta (x_i - m)), and |z| exp(-|z|) <= 1/e; so the sum of n terms is off by
(2 n + 10) u of itself, its logarithm by that plus 4 u log n, and beta m and what follows by 10 u |beta m|. Adding the
terms to a running log-sum-exp rounds n times. Together (2 n + 20) u (|m| + (1 + log n) / beta). As long as |beta x| is
moderate, 1e4 at most, all of x may be shifted back and forth, which costs 4 u max |x|.

An entry of softmax as a quotient, or as exp of x_i - m - log S, is right to (2 n + 20 + 2 |x_i - m|) u of itself; as
exp(x_i - L), with L the rounded log-sum-exp, which has lost what m has lost, to (n + 4) |m| u more. Where that exceeds
1e-3 it may show as one factor that all entries share, as x_i - L itself is formed to u; one of at most n^2, as L lies
within 2 log n of the exact value: m <= L, and adding at most log n takes no step of the floats above 2 log n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import flint
import torch

from mdnn_verify.contract import Terms

__all__ = ["exact_log_sum_exp", "exact_softmax", "log_sum_exp_rounding", "nudge", "shared_factor", "softmax_rounding"]

BITS = 200
DEEP = -5000.0  # an exponent below which a term changes no result in float64
LARGEST = 1e-3
MODERATE = 1e4


def exact_log_sum_exp(x: Sequence[float], beta: float = 1.0) -> float:
    """log(sum exp(beta x_i)) / beta at these very floats, to float64's precision."""
    with flint.ctx.workprec(BITS):
        return float(flint.arb(max(x)) + sum(_terms(x, beta), flint.arb(0)).log() / flint.arb(beta))


def exact_softmax(x: Sequence[float]) -> list[float]:
    """exp(x_i) / sum exp(x_j) at these very floats, to float64's precision."""
    with flint.ctx.workprec(BITS):
        terms = _terms(x, 1.0)
        total = sum(terms, flint.arb(0))
        return [float(term / total) for term in terms]


def log_sum_exp_rounding(x: torch.Tensor, beta: float, terms: Terms) -> torch.Tensor:
    """What rounding may explain in log-sum-exp over the last axis of x (..., n): (...)."""
    values, n = x.double().cpu(), x.shape[-1]
    size = values.abs().amax(-1)
    shifted = torch.where(beta * size <= MODERATE, 4 * size, 0.0)
    return terms.unit * ((2 * n + 20) * (values.amax(-1).abs() + (1 + math.log(n)) / beta) + shifted)


def softmax_rounding(x: torch.Tensor, mu: torch.Tensor, terms: Terms) -> torch.Tensor:
    """What rounding may explain in softmax of x (n,), whose exact value is ``mu``."""
    values, n = x.double().cpu(), len(x)
    largest = values.max()
    below = (largest - values).clamp_max(-DEEP)
    relative = terms.unit * (2 * n + 20 + 2 * below) + _lost(x, terms)
    return relative.clamp_max(LARGEST) * mu + 4 * torch.finfo(terms.dtype).tiny


def shared_factor(observed: torch.Tensor, x: torch.Tensor, mu: torch.Tensor, terms: Terms) -> float:
    """The factor by which rounding of log-sum-exp may explain that all entries of softmax of x (n,) are off: 1 where
    x is not so large that it loses more than ``LARGEST``."""
    lost, k = _lost(x, terms), int(mu.argmax())
    ratio = float(observed[k]) / float(mu[k])
    if lost <= LARGEST or not 0 < ratio < math.inf:
        return 1.0
    most = min(lost, 2 * math.log(len(x)))
    return math.exp(min(max(math.log(ratio), -most), most))


def _lost(x: torch.Tensor, terms: Terms) -> float:
    """What exp(x_i - log-sum-exp) may lose, of itself, where x (n,) is large."""
    return terms.unit * (len(x) + 4) * abs(float(x.max()))


def nudge(terms: Terms) -> float:
    """A relative change far above rounding and far below what a rounded key tells apart: 2^-32 in float64."""
    return float(2.0 ** round(0.6 * math.log2(terms.unit)))


def _terms(x: Sequence[float], beta: float) -> list[flint.arb]:
    largest, factor = flint.arb(max(x)), flint.arb(beta)
    exponents = [factor * (flint.arb(entry) - largest) for entry in x]
    return [exponent.exp() if exponent > DEEP else flint.arb(0) for exponent in exponents]
