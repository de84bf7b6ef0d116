r"""The linear-Gaussian model z ~ N(0, 1), x | z ~ N(a z, s^2): evidence, posterior and weights in closed form.

With v = s^2 / (a^2 + s^2) the posterior is N(a x / (a^2 + s^2), v) and the evidence N(x; 0, a^2 + s^2). A proposal q =
N(m, t^2) gives the importance weight w(z) = p(x, z) / q(z) = p(x) r(z), r = posterior / q. For t^2 > v, q has the
heavier tails and r is bounded: log r(z) = log C - alpha (z - z0)^2 with

    alpha = (1/v - 1/t^2) / 2,   z0 = (mu/v - m/t^2) / (1/v - 1/t^2),
    log C = log(t^2/v) / 2 + (mu - m)^2 / (2 (t^2 - v)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

__all__ = ["LinearGaussian", "Normal", "WeightLaw", "log_weights"]


@dataclass(frozen=True)
class Normal:
    """N(mean, variance) on the line. Raises ValueError for a mean or variance that is not finite, or not positive."""

    mean: float
    variance: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean):
            raise ValueError(f"mean = {self.mean!r}, expected a finite number")
        if not (math.isfinite(self.variance) and self.variance > 0):
            raise ValueError(f"variance = {self.variance!r}, expected a positive finite number")

    def log_density(self, z: torch.Tensor) -> torch.Tensor:
        """Elementwise."""
        return -((z - self.mean) ** 2) / (2 * self.variance) - math.log(2 * math.pi * self.variance) / 2

    def from_standard(self, noise: torch.Tensor) -> torch.Tensor:
        """Draws of this law from standard normal ones."""
        return self.mean + math.sqrt(self.variance) * noise


@dataclass(frozen=True)
class LinearGaussian:
    """z ~ N(0, 1), x | z ~ N(a z, s^2). Raises ValueError unless a is finite and s positive and finite."""

    a: float
    s: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.a):
            raise ValueError(f"a = {self.a!r}, expected a finite number")
        if not (math.isfinite(self.s) and self.s > 0):
            raise ValueError(f"s = {self.s!r}, expected a positive finite number")

    def log_joint(self, x: float, z: torch.Tensor) -> torch.Tensor:
        """log p(x | z) + log p(z), elementwise in z."""
        residual = Normal(0.0, self.s**2).log_density(x - self.a * z)
        return residual + Normal(0.0, 1.0).log_density(z)

    def log_evidence(self, x: float) -> float:
        """log p(x) in nats."""
        total = self.a**2 + self.s**2
        return -(x**2) / (2 * total) - math.log(2 * math.pi * total) / 2

    def posterior(self, x: float) -> Normal:
        total = self.a**2 + self.s**2
        return Normal(self.a * x / total, self.s**2 / total)


def log_weights(model: LinearGaussian, x: float, q: Normal, z: torch.Tensor) -> torch.Tensor:
    """log p(x, z) - log q(z), elementwise in z."""
    return model.log_joint(x, z) - q.log_density(z)


@dataclass(frozen=True)
class WeightLaw:
    """What is known of r = posterior / q under q. Raises ValueError unless q.variance > posterior.variance."""

    posterior: Normal
    q: Normal

    def __post_init__(self) -> None:
        if not self.q.variance > self.posterior.variance:
            raise ValueError(
                f"q has the variance {self.q.variance!r}, expected more than the posterior's "
                f"{self.posterior.variance!r}"
            )

    @property
    def log_largest(self) -> float:
        """log C, the supremum of log r."""
        excess = self.q.variance - self.posterior.variance
        off = self.posterior.mean - self.q.mean
        return math.log(self.q.variance / self.posterior.variance) / 2 + off**2 / (2 * excess)

    @property
    def deficit(self) -> tuple[float, float]:
        """Mean and variance of Y = log C - log r(Z) = alpha (Z - z0)^2 >= 0 under q: alpha (t^2 + e^2) and
        alpha^2 (2 t^4 + 4 t^2 e^2) with e = m - z0."""
        v, spread = self.posterior.variance, self.q.variance
        precision = 1 / v - 1 / spread
        z0 = (self.posterior.mean / v - self.q.mean / spread) / precision
        alpha, off = precision / 2, (self.q.mean - z0) ** 2
        return alpha * (spread + off), alpha**2 * (2 * spread**2 + 4 * spread * off)

    @property
    def variance(self) -> float:
        """Var r = E r^2 - 1 (the chi-squared divergence of the posterior from q), by completing the square."""
        mu, v, m, spread = self.posterior.mean, self.posterior.variance, self.q.mean, self.q.variance
        a = 1 / v - 1 / (2 * spread)
        b = mu / v - m / (2 * spread)
        constant = m**2 / (2 * spread) - mu**2 / v
        return math.sqrt(spread) / (v * math.sqrt(2 * a)) * math.exp(b**2 / a + constant) - 1

    def moment(self, power: float) -> float:
        """E r^p under q, p = ``power``: C^p E exp(-p alpha (Z - z0)^2), infinite unless 1 + 2 p alpha t^2 > 0."""
        spread, ratio = self.q.variance, self.q.variance / self.posterior.variance
        alpha, stretch = (ratio - 1) / (2 * spread), 1 + power * (ratio - 1)
        if stretch <= 0:
            return math.inf
        z0 = (self.posterior.mean * ratio - self.q.mean) / (ratio - 1)
        exponent = power * (self.log_largest - alpha * (self.q.mean - z0) ** 2 / stretch)
        return math.exp(exponent) / math.sqrt(stretch)

    def excess_of_reciprocal(self, count: int) -> float:
        """A bound of E 1/a - 1 >= 0 for the average a of ``count`` independent r, E a = 1; it may be infinite.

        1/a = 2 - a + (1 - a)^2 / a and a >= G, the geometric mean, so E 1/a - 1 <= E (1 - a)^2 / G. The square is
        expanded; each term factorises over the independent r_k into the m_j = E r^(j - 1/count).
        """
        zero, one, two = (self.moment(j - 1 / count) for j in range(3))
        if not math.isfinite(zero):
            return math.inf
        other = (1 - 1 / count) * one**2 * zero ** (count - 2)
        return zero**count - 2 * one * zero ** (count - 1) + two * zero ** (count - 1) / count + other

    def variance_of_gain(self, many: int, few: int) -> float:
        """A bound of Var(L_K - L_M), K and M = ``many`` and ``few`` in either order, the M samples among the K, where L
        is the log of the average of the weights or the average of their logs.

        Let K > M. Average of the logs: exactly (1/M - 1/K) Var Y. Log of the average: with u = a_K / a_M, log(u)^2 <=
        u - 2 + 1/u (u = e^2h: h^2 <= sinh(h)^2). E 1/u = E a_M / a_K = 1, because each of K exchangeable weights has
        the expected share 1/K of their sum; and a_K = (M/K) a_M + (1 - M/K) b with b independent of a_M and E b = 1.
        So E log(u)^2 <= (1 - M/K) (E 1/a_M - 1). Where q makes that large, 0 <= log C - L and its second moments give
        another bound. 1e-12 is left for rounding, as terms of the size 1 cancel.
        """
        few, many = sorted((few, many))
        of_log = min(
            (1 - few / many) * self.excess_of_reciprocal(few), self.second_moment(few) + self.second_moment(many)
        )
        return max(of_log, (1 / few - 1 / many) * self.deficit[1]) + 1e-12

    def second_moment(self, count: int) -> float:
        """A bound of E (log C - L)^2, hence of Var L, for any L with mean_k log r(Z_k) <= L <= log C (k = 1 .. count).

        Then 0 <= log C - L <= the mean of count independent copies of Y, and E of that mean squared is
        Var Y / count + (E Y)^2. The logarithm of the average and the average of the logarithms are such L (Jensen).
        """
        mean, variance = self.deficit
        return variance / count + mean**2
