r"""A flow in one dimension, from the data to a standard normal: seed 000, Problem 2.

    f(x) = sum_i e^{w_i} (Phi_{mu_i, exp(tau_i)}(x) - 1/2),    p(x) = phi(f(x)) f'(x),

with phi the density and Phi the distribution function of the normal law. f increases strictly, but is not onto R: its
range is (-S/2, S/2), S = sum_i e^{w_i}. So p integrates to P(|Z| < S/2) < 1, the ``mass``, and no z outside the range
has a preimage. Log-densities here are of p itself, the seed's objective, not of p / mass: the negative log-likelihood
overstates that of the normalised density by -log(mass). Samples follow p / mass.
"""

from __future__ import annotations

import math

import torch

from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import UsageError

__all__ = ["Flow1d"]

LOG_SQRT_2_PI = 0.5 * math.log(2 * math.pi)
SATURATED = 9.0  # standard deviations: beyond 8.4 the error function is 1 in float64
MOST_STEPS = 500  # of the inversion: after each of the at most 60 halvings a few Newton steps can be tried


class Flow1d(torch.nn.Module):
    """The flow above with n = len(w) components; parameters w, mu, tau of shape (n,), float64.

    Raises UsageError for shapes that differ, none, or values that are not finite.
    """

    w: torch.nn.Parameter
    mu: torch.nn.Parameter
    tau: torch.nn.Parameter

    def __init__(self, w: torch.Tensor, mu: torch.Tensor, tau: torch.Tensor) -> None:
        super().__init__()
        for name, value in (("w", w), ("mu", mu), ("tau", tau)):
            parameter = torch.as_tensor(value, dtype=torch.float64).detach().clone()
            if parameter.ndim != 1 or parameter.shape != (len(w),) or not len(w):
                raise UsageError(f"{name} has shape {tuple(parameter.shape)}, expected that of w, (n,) with n >= 1")
            if not parameter.isfinite().all():
                raise UsageError(f"{name} = {parameter.tolist()}, expected finite numbers")
            setattr(self, name, torch.nn.Parameter(parameter))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N,) -> f(x) and f'(x), both (N,)."""
        z, log_derivative = self._map(x)
        return z, log_derivative.exp()

    def log_density(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x), (N,) -> (N,); finite in the tails too, where f'(x) underflows."""
        z, log_derivative = self._map(x)
        return log_derivative - z.square() / 2 - LOG_SQRT_2_PI

    @property
    def edge(self) -> float:
        """S/2: the range of f is (-edge, edge)."""
        return 0.5 * float(self.w.detach().exp().sum())

    @property
    def mass(self) -> float:
        """What p integrates to: P(|Z| < S/2) for a standard normal Z."""
        return math.erf(self.edge / math.sqrt(2))

    @torch.no_grad()
    def inverse(self, z: torch.Tensor) -> torch.Tensor:
        """The x with f(x) = z, (N,) -> (N,), by Newton steps that never leave a shrinking bracket.

        x is as accurate as z determines it: to an absolute error of about n epsilon S / f'(x), large where f is flat.
        Raises UsageError for NaN and for z outside the range.
        """
        if not (z.abs() < self.edge).all():
            worst = z[~(z.abs() < self.edge)][0].item()
            raise UsageError(f"z = {worst!r} has no preimage: the flow maps onto ({-self.edge!r}, {self.edge!r})")
        reach, epsilon = SATURATED * self.tau.exp(), torch.finfo(torch.float64).eps
        lower = (self.mu - reach).min().expand_as(z).clone()
        upper = (self.mu + reach).max().expand_as(z).clone()
        x, before = lower + (upper - lower) * (0.5 + z / (4 * self.edge)), torch.full_like(z, math.inf)
        for _ in range(MOST_STEPS):
            value, slope = self(x)
            error = (value - z).abs()
            lower, upper = torch.where(value <= z, x, lower), torch.where(value >= z, x, upper)
            ulp = epsilon * torch.maximum(lower.abs(), upper.abs())
            done = (error <= 2 * epsilon * self.edge) | (upper - lower <= 2 * ulp)
            if done.all():
                break
            newton = x + (z - value) / slope
            trusted = (newton > lower) & (newton < upper) & (error < before / 2)  # false for NaN too
            following = torch.where(trusted, newton, lower + (upper - lower) / 2)
            x, before = torch.where(done, x, following), error
        return x

    def sample(self, size: int, stream: Stream) -> torch.Tensor:
        """Draws from p / mass, (size,): f^-1 of a standard normal conditioned on the range of f."""
        z = math.sqrt(2) * torch.special.erfinv(stream.uniform(size, -self.mass, self.mass))
        inside = math.nextafter(self.edge, 0.0)  # a draw can round onto the edge, or to infinity where mass rounds to 1
        return self.inverse(z.clamp(-inside, inside))

    def _map(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """f(x) and log f'(x)."""
        u = (x.unsqueeze(-1) - self.mu) * torch.exp(-self.tau)
        z = (self.w.exp() * torch.erf(u / math.sqrt(2)) / 2).sum(dim=-1)
        return z, torch.logsumexp(self.w - self.tau - u.square() / 2 - LOG_SQRT_2_PI, dim=-1)
