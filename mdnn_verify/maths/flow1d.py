r"""The flow f(x) = sum_i e^{w_i} (Phi_{mu_i, exp(tau_i)}(x) - 1/2) of the real line into an interval, and its inverse.

Phi_{mu, sigma} is the distribution function of N(mu, sigma^2). Parameters w, mu, tau are float64 tensors of shape (n,),
n >= 1; the map acts on every entry of x. It increases strictly and its range is (-S/2, S/2), S = sum_i e^{w_i}, so that
N(f(x); 0, 1) f'(x) integrates to P(|Z| < S/2) < 1.
Source: seed 000, Problem 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import torch

from mdnn_verify.maths.divergences import ball

__all__ = [
    "components_in_balls",
    "ends_in_balls",
    "flow1d",
    "flow1d_edge",
    "flow1d_inverse",
    "flow1d_mass",
    "random_parameters",
]

SATURATED = 9.0  # standard deviations: beyond 8.4 the error function is 1 in float64
MOST_STEPS = 400  # at most about 60 halvings end the search, with a few Newton steps tried between two of them
EPSILON = 2.0**-52


def flow1d(x: torch.Tensor, w: Any, mu: Any, tau: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """f(x) and f'(x), both of the shape of x; differentiable. Raises ValueError naming w, mu or tau."""
    weights, centre, sigma = _parameters(w, mu, tau, x.device)
    u = (x.unsqueeze(-1) - centre) / sigma
    z = (weights * torch.erf(u / math.sqrt(2)) / 2).sum(-1)
    return z, (weights / sigma * torch.exp(-u.square() / 2)).sum(-1) / math.sqrt(2 * math.pi)


def flow1d_edge(w: Any) -> float:
    """S/2: the range of f is the open interval (-S/2, S/2)."""
    return 0.5 * float(torch.exp(torch.as_tensor(w, dtype=torch.float64)).sum())


def flow1d_mass(w: Any) -> float:
    """What N(f(x); 0, 1) f'(x) integrates to: P(|Z| < S/2) for a standard normal Z."""
    return math.erf(flow1d_edge(w) / math.sqrt(2))


def flow1d_inverse(z: torch.Tensor, w: Any, mu: Any, tau: Any) -> torch.Tensor:
    """The x with f(x) = z, of the shape of z, by Newton steps inside a bracket that always holds the root.

    A step that leaves the bracket, or does not halve the residual, is replaced by bisection. The result is as accurate
    as z determines it: to about n epsilon S / f'(x). Raises ValueError for z that is NaN or outside the range (nothing
    is clamped), and for parameters as flow1d does.
    """
    edge = flow1d_edge(w)
    outside = ~(z.abs() < edge)
    if bool(outside.any()):
        raise ValueError(f"z = {float(z[outside][0])!r} has no preimage, expected a number in (-{edge!r}, {edge!r})")
    _, centre, sigma = _parameters(w, mu, tau, z.device)
    lower = torch.full_like(z, float((centre - SATURATED * sigma).min()))
    upper = torch.full_like(z, float((centre + SATURATED * sigma).max()))
    x, before = lower + (upper - lower) * (0.5 + z / (4 * edge)), torch.full_like(z, math.inf)
    for _ in range(MOST_STEPS):
        value, slope = flow1d(x, w, mu, tau)
        error = (value - z).abs()
        lower, upper = torch.where(value <= z, x, lower), torch.where(value >= z, x, upper)
        narrow = upper - lower <= 2 * EPSILON * torch.maximum(lower.abs(), upper.abs())
        done = (error <= 2 * EPSILON * edge) | narrow
        if bool(done.all()):
            break
        newton = x + (z - value) / slope
        trusted = (newton > lower) & (newton < upper) & (error < before / 2)  # false for NaN as well
        x, before = torch.where(done, x, torch.where(trusted, newton, lower + (upper - lower) / 2)), error
    return x


def components_in_balls(parameters: Iterable[Sequence[Any]], point: Any) -> list[tuple[Any, Any, Any, Any]]:
    """(w, Phi, phi, exp tau) of each component (w, mu, tau), exact numbers, at a real or complex ball or power series.

    Phi and phi are the distribution function and the density of N(mu, exp(2 tau)) at the point.
    """
    found = []
    for w, mu, tau in parameters:
        sigma = ball(tau).exp()
        u = (point - ball(mu)) / sigma
        Phi = (u / flint.arb(2).sqrt()).erf() / 2 + flint.arb(1) / 2
        found.append((ball(w), Phi, (-u * u / 2).exp() / (sigma * (2 * flint.arb.pi()).sqrt()), sigma))
    return found


def ends_in_balls(parameters: Sequence[Sequence[Any]], spreads: int) -> tuple[flint.arb, flint.arb]:
    """Points so many of the largest spreads below the smallest and above the largest centre."""
    reach = spreads * ball(max(tau for _, _, tau in parameters)).exp()
    centres = [mu for _, mu, _ in parameters]
    return ball(min(centres)) - reach, ball(max(centres)) + reach


def random_parameters(rng: np.random.Generator, most: int = 5) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Exact (w, mu, tau) of 1 to ``most`` components, in eighths: |w| and |tau| at most 1, |mu| at most 3."""
    rows = rng.integers(-8, 9, (int(rng.integers(1, most + 1)), 3)).tolist()
    return [(Fraction(w, 8), Fraction(3 * mu, 8), Fraction(tau, 8)) for w, mu, tau in rows]


def _parameters(w: Any, mu: Any, tau: Any, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Weights e^w, centres and spreads e^tau, on the device."""
    named = {"w": w, "mu": mu, "tau": tau}
    found = {name: torch.as_tensor(value, dtype=torch.float64, device=device) for name, value in named.items()}
    for name, value in found.items():
        if value.ndim != 1 or value.shape != found["w"].shape or not len(value):
            raise ValueError(f"{name} has shape {tuple(value.shape)}, expected that of w, (n,) with n >= 1")
        if not bool(value.isfinite().all()):
            raise ValueError(f"{name} = {value.tolist()}, expected finite numbers")
    return found["w"].exp(), found["mu"], found["tau"].exp()
