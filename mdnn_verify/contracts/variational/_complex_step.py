r"""Derivatives of the functions that are handed over, by complex steps: $g'(x) = \Im g(x + ih)/h$, exact to rounding.

The functions are written again, in numpy for complex arguments, independently of torch and of autograd: their values
branch on real parts only. Error: $O(h^2)$ with $h = 10^{-40}$, and the rounding of float64.

What a right implementation may be off by: rounding is far less, but a derivative may also be taken by central
differences, whose error with a sensible step is a few $u^{2/3}$ of the magnitudes involved. That times 100 is accepted,
2.3e-9 in float64, and at most 2e-4: half a percent must be told apart in single precision too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from mdnn_verify.contract import Terms
from mdnn_verify.maths import integrands, log_densities
from mdnn_verify.maths.integrands import Integrand
from mdnn_verify.maths.log_densities import LogDensity

__all__ = ["Array", "accepted", "density", "slope_of_mean", "slopes", "values"]

Array = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
STEP = 1e-40


def accepted(terms: Terms) -> float:
    """The relative error that is accepted; see the module's docstring."""
    return float(min(100 * terms.unit ** (2 / 3), 2e-4))


def density(log_q: LogDensity, z: torch.Tensor, phi: torch.Tensor) -> tuple[Array, Array]:
    """log q at each point, shape (N,), and its derivatives with respect to phi, shape (N, p)."""
    points, own = array(z), array(phi)
    slopes = [_LOGS[log_q](points, _stepped(own, index)).imag / STEP for index in range(len(own))]
    return _LOGS[log_q](points, own.astype(complex)).real, np.stack(slopes, axis=-1)


def slope_of_mean(log_q: LogDensity, f: Integrand, points: Sequence[Sequence[float]], phi: torch.Tensor) -> Array:
    """The derivatives of the sum of q f over ``points``, shape (p,)."""
    z, own = np.asarray(points), array(phi)
    signal = f(torch.from_numpy(z)).numpy()
    return np.array([signal @ np.exp(_LOGS[log_q](z, _stepped(own, i))).imag / STEP for i in range(len(own))])


def values(f: Integrand, z: Array) -> Array:
    """f at each row of z."""
    return np.asarray(_INTEGRANDS[f](z.astype(complex)).real, dtype=np.float64)


def slopes(f: Integrand, z: Array) -> Array:
    """The derivatives of f with respect to each coordinate at each row of z, shape (N, k)."""
    columns = []
    for index in range(z.shape[1]):
        moved = z.astype(complex)
        moved[:, index] += 1j * STEP
        columns.append(_INTEGRANDS[f](moved).imag / STEP)
    return np.stack(columns, axis=-1)


def array(value: torch.Tensor) -> Array:
    """A tensor as a float64 array."""
    return np.asarray(value.detach().double().cpu().numpy())


def _stepped(phi: Array, index: int) -> Complex:
    moved = phi.astype(complex)
    moved[index] += 1j * STEP
    return moved


def _mixed(rows: int, phi: Complex) -> Complex:
    steps = np.array([[(3 * row + 5 * column) % 7 for column in range(len(phi))] for row in range(rows)])
    return np.asarray((1 - 3 * steps / 8) @ phi)


def _log_sum_exp(terms: Complex) -> Complex:
    top = terms.real.max(axis=0)
    return np.asarray(top + np.log(np.exp(terms - top).sum(axis=0)))


def _bernoulli(z: Array, phi: Complex) -> Complex:
    logits = _mixed(z.shape[1], phi)
    softplus = np.array([x + np.log1p(np.exp(-x)) if x.real > 0 else np.log1p(np.exp(x)) for x in logits])
    return np.asarray((z * logits - softplus).sum(axis=1))


def _categorical(z: Array, phi: Complex) -> Complex:
    logits = _mixed(z.shape[1], np.tanh(phi))
    return np.asarray((logits - _log_sum_exp(logits))[z.argmax(axis=1)])


def _three_points(z: Array, phi: Complex) -> Complex:
    logits = _mixed(3, np.sinh(phi / 2))
    return np.asarray((logits - _log_sum_exp(logits))[np.digitize(z[:, 0], (-0.5, 1.0))])


def _gaussian(z: Array, phi: Complex) -> Complex:
    k = z.shape[1]
    mean, variance = _mixed(k, phi), np.exp(np.sin(_mixed(k + 1, phi)[1:]))
    return np.asarray((-((z - mean) ** 2) / (2 * variance) - np.log(2 * np.pi * variance) / 2).sum(axis=1))


def _laplace(z: Array, phi: Complex) -> Complex:
    scale, shift = np.exp(np.tanh(phi.mean())), z - _mixed(z.shape[1], phi)
    return np.asarray((-shift * np.sign(shift.real) / scale - np.log(2 * scale)).sum(axis=1))


def _mixture(z: Array, phi: Complex) -> Complex:
    mean, logits = _mixed(z.shape[1], phi), _mixed(2, phi)
    weights = logits - _log_sum_exp(logits)
    parts = np.stack([weights[0] - (z - mean) ** 2 / 2, weights[1] - (z - (2 - mean)) ** 2 / 2])
    return np.asarray((_log_sum_exp(parts) - np.log(2 * np.pi) / 2).sum(axis=1))


def _exponential(z: Array, phi: Complex) -> Complex:
    rate = np.exp(_mixed(z.shape[1], phi))
    return np.asarray((np.log(rate) - rate * z).sum(axis=1))


_LOGS: dict[LogDensity, Callable[[Array, Complex], Complex]] = {
    log_densities.bernoulli: _bernoulli,
    log_densities.categorical: _categorical,
    log_densities.three_points: _three_points,
    log_densities.gaussian: _gaussian,
    log_densities.laplace: _laplace,
    log_densities.mixture: _mixture,
    log_densities.exponential: _exponential,
}


def _ranks(z: Complex) -> Array:
    return np.arange(1.0, z.shape[1] + 1)


_INTEGRANDS: dict[Integrand, Callable[[Complex], Complex]] = {
    integrands.linear: lambda z: z @ _ranks(z),
    integrands.coupled: lambda z: z**2 @ _ranks(z) / 2 + z[:, 0] * z[:, -1],
    integrands.wave: lambda z: np.sin(z @ (1 / _ranks(z))),
    integrands.five: lambda z: np.full(len(z), 5.0 + 0j),
    integrands.growth: lambda z: np.exp(z.sum(axis=1) / 4),
    integrands.bump: lambda z: 1 / (1 + (z**2).sum(axis=1)),
    integrands.hinges: lambda z: ((z - 1 / 3) * (z.real > 1 / 3) * (1 + (_ranks(z) == z.shape[1]))).sum(axis=1),
    integrands.soft: lambda z: np.log(1 + np.exp(z).sum(axis=1)),
    integrands.cubed_first: lambda z: z[:, 0] ** 3,
}
