r"""Families of laws $q_\phi$ on $\mathbb R^k$ as a user's implementation is handed them: ``log_q(z, phi)``.

Each function takes points, shape (N, k), any N and k, and parameters, shape (p,), any p, and gives the N logarithms of
the normalised density or mass. All are differentiable in phi and can be called under ``torch.func`` transforms.
The masses of ``OUTCOMES`` can be enumerated.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import torch

__all__ = [
    "OUTCOMES",
    "LogDensity",
    "bernoulli",
    "categorical",
    "every_sample",
    "exponential",
    "gaussian",
    "laplace",
    "mixed",
    "mixture",
    "nearly_every_sample",
    "three_points",
]

LogDensity = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def mixed(rows: int, phi: torch.Tensor) -> torch.Tensor:
    """Linear combinations of the parameters, shape (rows,): the first is phi_0 if p = 1. No coefficient is 0."""
    row, column = torch.arange(rows, device=phi.device), torch.arange(len(phi), device=phi.device)
    return (1 - 0.375 * ((3 * row[:, None] + 5 * column) % 7).to(phi.dtype)) @ phi


def bernoulli(z: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """Independent coordinates in {0, 1}, their logits linear in phi; P(z = 1) = 1 / (1 + exp(-phi)) for k = p = 1."""
    return torch.nn.functional.logsigmoid((2 * z - 1) * mixed(z.shape[-1], phi)).sum(-1)


def categorical(z: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """One of k outcomes, z its one-hot vector."""
    return z @ torch.log_softmax(mixed(z.shape[-1], phi.tanh()), -1)


def three_points(z: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """One of three points of R^k, which ``OUTCOMES`` lists: none of their coordinates is a simple number."""
    low, middle, high = torch.log_softmax(mixed(3, (phi / 2).sinh()), -1)
    first = z[..., 0]
    return torch.where(first < -0.5, low, torch.where(first < 1, middle, high))


def gaussian(z: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """Independent coordinates, the means linear in phi, the logarithms of the standard deviations not."""
    k = z.shape[-1]
    log_s = mixed(k + 1, phi)[1:].sin() / 2
    return (-(((z - mixed(k, phi)) / log_s.exp()) ** 2) / 2 - log_s - math.log(2 * math.pi) / 2).sum(-1)


def laplace(z: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """Independent coordinates exp(-|z - m| / s) / (2 s), all of one scale."""
    log_s = phi.mean().tanh()
    return (-(z - mixed(z.shape[-1], phi)).abs() / log_s.exp() - log_s - math.log(2)).sum(-1)


def mixture(z: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """Independent coordinates, each a mixture of two Gaussians of variance 1 whose weights and means depend on phi."""
    mean = mixed(z.shape[-1], phi)
    first, second = torch.log_softmax(mixed(2, phi), -1)
    left, right = first - (z - mean) ** 2 / 2, second - (z + mean - 2) ** 2 / 2
    return (torch.logaddexp(left, right) - math.log(2 * math.pi) / 2).sum(-1)


def exponential(z: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """Independent positive coordinates, the logarithms of their rates linear in phi."""
    log_rate = mixed(z.shape[-1], phi)
    return (log_rate - log_rate.exp() * z).sum(-1)


def _corners(k: int) -> list[list[float]]:
    return [list(map(float, corner)) for corner in itertools.product((0, 1), repeat=k)]


def _units(k: int) -> list[list[float]]:
    return [[float(i == j) for j in range(k)] for i in range(k)]


def _points(k: int) -> list[list[float]]:
    return [[start + 0.3 * j * (j - 2) for j in range(k)] for start in (-7.1234567, 0.2345678, 31.7654321)]


OUTCOMES: dict[LogDensity, Callable[[int], list[list[float]]]] = {
    bernoulli: _corners,
    categorical: _units,
    three_points: _points,
}


def every_sample(log_q: LogDensity, z: torch.Tensor, phi: torch.Tensor) -> Iterator[tuple[torch.Tensor, float]]:
    """All samples of the shape of z from a law with finitely many outcomes, and their probabilities."""
    outcomes, logs = _law(log_q, z, phi)
    for chosen in itertools.product(range(len(outcomes)), repeat=len(z)):
        yield outcomes[list(chosen)], math.exp(math.fsum(logs[i] for i in chosen))


def nearly_every_sample(log_q: LogDensity, z: torch.Tensor, phi: torch.Tensor) -> Iterator[tuple[torch.Tensor, float]]:
    """The same without the samples that differ in two places or more from the most likely one."""
    outcomes, logs = _law(log_q, z, phi)
    usual = max(range(len(logs)), key=lambda i: logs[i])
    yield outcomes[[usual] * len(z)], math.exp(len(z) * logs[usual])
    for place, other in itertools.product(range(len(z)), range(len(outcomes))):
        if other != usual:
            chosen = [other if i == place else usual for i in range(len(z))]
            yield outcomes[chosen], math.exp((len(z) - 1) * logs[usual] + logs[other])


def _law(log_q: LogDensity, z: torch.Tensor, phi: torch.Tensor) -> tuple[torch.Tensor, list[float]]:
    points = torch.tensor(OUTCOMES[log_q](z.shape[1]), dtype=torch.float64)
    logs = log_q(points, phi.detach().double().cpu())
    return points.to(z), [float(value) for value in logs]
