"""The data of seed 001, Problem 2: a mixture of three normal laws. Of exactly the size that was asked for.

The seed draws num // 3, num // 3 and num - num // 3 numbers: a third too many, half of them from the last component.
Here every draw picks its component anew, so that the draws are independent with the density that is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import UsageError

__all__ = ["THREE_GAUSSIANS", "Mixture", "integral", "mixture_of_gaussians"]


@dataclass(frozen=True)
class Mixture:
    """sum_k weight_k N(mean_k, deviation_k^2)."""

    weights: tuple[float, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def draw(self, size: int, stream: Stream) -> torch.Tensor:
        """Independent draws, (size,) float64. Raises UsageError unless size is an integer of at least 1."""
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise UsageError(f"{size!r} draws of the mixture were asked for, expected an integer of at least 1")
        component = stream.categorical(self.weights, size)
        means, deviations = (torch.tensor(v, dtype=torch.float64)[component] for v in (self.means, self.deviations))
        return means + deviations * stream.normal(size)

    def log_density(self, x: torch.Tensor) -> torch.Tensor:
        """(N,) -> (N,)."""
        weights, means, deviations = (
            torch.tensor(v, dtype=torch.float64) for v in (self.weights, self.means, self.deviations)
        )
        u = (x.unsqueeze(-1) - means) / deviations
        constants = weights.log() - deviations.log() - 0.5 * math.log(2 * math.pi)
        return torch.logsumexp(constants - u.square() / 2, dim=-1)

    def interval(self, deviations: float = 12.0) -> tuple[float, float]:
        """Everything within so many standard deviations of a component's mean."""
        reach = [(m - deviations * s, m + deviations * s) for m, s in zip(self.means, self.deviations, strict=True)]
        return min(low for low, _ in reach), max(high for _, high in reach)

    def expect(self, function: Callable[[torch.Tensor], torch.Tensor]) -> float:
        """E function(X), (N,) -> (N,), by quadrature over all but 1e-32 of the mass."""
        return integral(lambda x: function(x) * self.log_density(x).exp(), *self.interval())[0]

    def entropy(self) -> float:
        """-E log density, in nats."""
        return self.expect(lambda x: -self.log_density(x))


THREE_GAUSSIANS = Mixture((1 / 3, 1 / 3, 1 / 3), (-1.0, 0.2, 1.5), (0.25, 0.25, 0.25))


def mixture_of_gaussians(size: int, stream: Stream) -> torch.Tensor:
    """``size`` independent draws of the seed's mixture, (size,) float64. Raises UsageError for a size below 1."""
    return THREE_GAUSSIANS.draw(size, stream)


def integral(
    function: Callable[[torch.Tensor], torch.Tensor], low: float, high: float, panels: int = 200
) -> tuple[float, float]:
    """The integral of a smooth function (N,) -> (N,) over [low, high], and its change when the panels are halved.

    Gauss-Legendre with 20 nodes a panel.
    """
    coarse, fine = (_gauss_legendre(function, np.linspace(low, high, count + 1)) for count in (panels, 2 * panels))
    return fine, abs(fine - coarse)


def _gauss_legendre(function: Callable[[torch.Tensor], torch.Tensor], edges: npt.NDArray[np.float64]) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = np.diff(edges)[:, None] / 2
    x = torch.from_numpy((edges[:-1, None] + half * (1 + nodes)).ravel())
    return math.fsum((half * weights).ravel() * function(x).numpy())
