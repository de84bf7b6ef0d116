"""Gaussian distributions N(mu, Sigma) on R^d: densities, samples and divergences, in float64 and in exact arithmetic.

Source: seed 000, Problem 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import flint
import numpy as np
import numpy.typing as npt
import sympy as sp
import torch

from mdnn_verify.maths.divergences import ball
from mdnn_verify.maths.validation import positive_definite, vector

__all__ = [
    "GaussianPair",
    "ball_pair",
    "exact_pair",
    "kl_divergence",
    "kl_rounding_bound",
    "log_density",
    "log_ratio_cgf",
    "sample",
]

Array = npt.NDArray[np.float64]
UNIT = 2.0**-53
LOG_ULPS = 4  # as in divergences


class Normals(Protocol):
    """A stream of random numbers that has standard normals: ``normal(size)`` is a float64 tensor."""

    def normal(self, size: tuple[int, ...]) -> torch.Tensor: ...


def kl_divergence(mu0: Any, cov0: Any, mu1: Any, cov1: Any) -> float:
    """D(N(mu0, cov0) || N(mu1, cov1)) in nats; means (d,), covariances (d, d), any d >= 1.

    By Cholesky factors, without an inverse or a determinant. The rounding error is at most ``kl_rounding_bound``, so a
    divergence of 0 may come out a little below it. Raises ValueError naming the argument: a covariance that is not
    symmetric positive definite, an entry that is not finite, or shapes that do not fit.
    """
    delta, (factor0, factor1) = _difference_and_factors(mu0, cov0, mu1, cov1)
    trace = float((_solved(factor1, factor0) ** 2).sum())
    quadratic = float((_solved(factor1, delta) ** 2).sum())
    log_ratio = np.log(np.diag(factor1)).sum() - np.log(np.diag(factor0)).sum()
    return float((trace + quadratic - len(delta)) / 2 + log_ratio)


def kl_rounding_bound(mu0: Any, cov0: Any, mu1: Any, cov1: Any) -> float:
    """How far ``kl_divergence`` may be from the exact value at these very floats; inf where the analysis breaks down.

    With S = D C D, D diagonal and C of unit diagonal, Cholesky factors an S + E whose |E_ij| <= gamma sqrt(S_ii S_jj)
    (Higham, Theorems 10.3 and 10.5), so -rho S <= E <= rho S with rho = d gamma ||C^-1||: traces, quadratic forms and
    the eigenvalues behind log det change by a factor within 1 +- rho/(1 - rho). Substitution solves with a factor
    perturbed by gamma |L|, which changes ||L^-1 b|| by tau = gamma sqrt(d ||C^-1||) of itself at most, and rounding the
    difference of the means by u sqrt(d ||C^-1||). 1.1 covers what is of second order, for rho, tau <= 1/20.
    """
    delta, factors = _difference_and_factors(mu0, cov0, mu1, cov1)
    d = len(delta)
    conditions = [_inverse_correlation_norm(_symmetric(cov)) for cov in (cov0, cov1)]
    rho0, rho1 = (d * _gamma(3 * d + 10) * condition for condition in conditions)
    tau = _gamma(3 * d + 10) * math.sqrt(d * conditions[1])
    if not max(rho0, rho1, tau) <= 0.05:
        return math.inf
    trace = float((_solved(factors[1], factors[0]) ** 2).sum())
    quadratic = float((_solved(factors[1], delta) ** 2).sum())
    logs = float(sum(np.abs(np.log(np.diag(factor))).sum() for factor in factors))
    return 1.1 * (
        trace * (rho0 + rho1 + 2 * tau + _gamma(d * d + 2)) / 2
        + quadratic * (rho1 + 4 * tau + _gamma(d + 2)) / 2
        + d * (rho0 + rho1) / 2
        + logs * (2 * LOG_ULPS * UNIT + _gamma(d + 1))
        + (trace + quadratic + d + logs) * _gamma(6)
    )


def log_density(x: torch.Tensor, mu: Any, cov: Any) -> torch.Tensor:
    """log N(x; mu, cov) for x of shape (..., d), float64, on the device of x; shape (...)."""
    covariance = positive_definite("cov", cov)
    centre = torch.as_tensor(vector("mu", mu, len(covariance)), device=x.device)
    factor = torch.linalg.cholesky(torch.as_tensor(covariance, device=x.device))
    # the inverse factor times a tall matrix is much faster than solving with one; d is small here
    identity = torch.eye(len(covariance), dtype=x.dtype, device=x.device)
    white = (x - centre) @ torch.linalg.solve_triangular(factor, identity, upper=False).T
    constant = len(covariance) * math.log(2 * math.pi) / 2 + torch.log(torch.diagonal(factor)).sum()
    density: torch.Tensor = -constant - (white * white).sum(-1) / 2
    return density


def sample(rng: Normals, n: int, mu: Any, cov: Any) -> torch.Tensor:
    """n draws of N(mu, cov), float64, shape (n, d), on the device of ``rng``."""
    covariance = positive_definite("cov", cov)
    white = rng.normal((n, len(covariance)))
    factor = torch.linalg.cholesky(torch.as_tensor(covariance, device=white.device))
    centre = torch.as_tensor(vector("mu", mu, len(covariance)), device=white.device)
    return torch.add(centre, white @ factor.T)


def log_ratio_cgf(mu0: Any, cov0: Any, mu1: Any, cov1: Any) -> Callable[[float], float]:
    """t -> log E exp(t R) for R = log f0(X)/f1(X), X ~ N(mu0, cov0); inf where it does not exist.

    In x = mu0 + L z, cov0 = L L', the log ratio is c + b'z + z'(M - I)z/2 with M = L' cov1^-1 L; in the eigenbasis of M
    the coordinates of z are independent, and E exp(t (b z + a z^2/2)) = (1 - t a)^(-1/2) exp(t^2 b^2 / (2 (1 - t a))).
    """
    delta, (factor0, factor1) = _difference_and_factors(mu0, cov0, mu1, cov1)
    white, shift = _solved(factor1, factor0), -_solved(factor1, delta)
    eigenvalues, basis = np.linalg.eigh(white.T @ white)
    slopes, linear = eigenvalues - 1, basis.T @ (white.T @ shift)
    constant = float(np.log(np.diag(factor1)).sum() - np.log(np.diag(factor0)).sum() + shift @ shift / 2)

    def cgf(t: float) -> float:
        room = 1 - t * slopes
        if not (room > 0).all():
            return math.inf
        return t * constant + float((-np.log1p(-t * slopes) / 2 + (t * linear) ** 2 / (2 * room)).sum())

    return cgf


@dataclass(frozen=True)
class GaussianPair:
    """N(means[i], covariances[i]) on R^d, i = 0, 1, over SymPy's columns and matrices or those of balls.

    Made by ``exact_pair`` or ``ball_pair``.
    """

    d: int
    means: tuple[Any, Any]
    covariances: tuple[Any, Any]
    inverses: tuple[Any, Any]
    log: Callable[[Any], Any]

    def trace(self, i: int, j: int) -> Any:
        """tr(S_i^-1 S_j)."""
        return (self.inverses[i] * self.covariances[j]).trace()

    def quadratic(self, i: int) -> Any:
        """(m_1 - m_0)' S_i^-1 (m_1 - m_0)."""
        return self.form(i, self.means[1] - self.means[0])

    def log_det(self, i: int) -> Any:
        """log det S_i."""
        return self.log(self.covariances[i].det())

    def form(self, i: int, v: Any) -> Any:
        """v' S_i^-1 v for a column v."""
        transposed = v.transpose()
        return (transposed * self.inverses[i] * v)[0, 0]

    def log_ratio(self, x: Any) -> Any:
        """log f_0(x)/f_1(x) at a column x, from the definition of the densities; the powers of 2 pi cancel."""
        forms = [self.form(i, x - self.means[i]) for i in (0, 1)]
        return (self.log_det(1) - self.log_det(0) + forms[1] - forms[0]) / 2


def exact_pair(
    mu0: Any,
    cov0: Any,
    mu1: Any,
    cov1: Any,
    *,
    inverses: tuple[Any, Any] | None = None,
    log: Callable[[Any], Any] = sp.log,
) -> GaussianPair:
    """A pair over SymPy matrices (d, 1) and (d, d); ``inverses`` of the covariances where they are known.

    ``log`` may leave the logarithm of a determinant formal: SymPy would factor a large integer in it.
    """
    means, covariances = (sp.Matrix(mu0), sp.Matrix(mu1)), (sp.Matrix(cov0), sp.Matrix(cov1))
    inverses = inverses or (covariances[0].inv(), covariances[1].inv())
    return GaussianPair(len(means[0]), means, covariances, inverses, log)


def ball_pair(mu0: Any, cov0: Any, mu1: Any, cov1: Any) -> GaussianPair:
    """A pair over balls around the entries of nested lists: ints, Fractions, SymPy Rationals, floats or balls.

    Raises ZeroDivisionError where a covariance cannot be told from a singular matrix at the precision in force.
    """
    means = tuple(flint.arb_mat([[ball(entry)] for entry in mean]) for mean in (mu0, mu1))
    covariances = tuple(flint.arb_mat([[ball(entry) for entry in row] for row in cov]) for cov in (cov0, cov1))
    inverses = tuple(covariance.inv() for covariance in covariances)
    pairs = ((means[0], means[1]), (covariances[0], covariances[1]), (inverses[0], inverses[1]))
    return GaussianPair(means[0].nrows(), *pairs, lambda x: x.log())


def _difference_and_factors(mu0: Any, cov0: Any, mu1: Any, cov1: Any) -> tuple[Array, tuple[Array, Array]]:
    """mu1 - mu0 and the lower Cholesky factors of both covariances, after refusing what is not legal."""
    left = vector("mu0", mu0)
    right = vector("mu1", mu1, len(left))
    covariances = [positive_definite(name, cov, len(left)) for name, cov in (("cov0", cov0), ("cov1", cov1))]
    factor0, factor1 = (np.asarray(np.linalg.cholesky(_symmetric(cov)), dtype=float) for cov in covariances)
    return right - left, (factor0, factor1)


def _symmetric(covariance: Any) -> Array:
    array = np.asarray(covariance, dtype=float)
    return np.asarray(array / 2 + array.T / 2)


def _solved(factor: Array, right: Array) -> Array:
    """factor^-1 right by forward substitution; ``right`` has shape (d,) or (d, k)."""
    solution = np.empty_like(right)
    for i, row in enumerate(factor):
        solution[i] = (right[i] - row[:i] @ solution[:i]) / row[i]
    return solution


def _inverse_correlation_norm(covariance: Array) -> float:
    """An upper bound on ||C^-1|| for S = D C D with unit diagonal of C: the Frobenius norm, in balls."""
    with flint.ctx.workprec(256):
        scale = [flint.arb(float(entry)).sqrt() for entry in np.diag(covariance)]
        d = range(len(scale))
        rows = [[flint.arb(float(covariance[i, j])) / (scale[i] * scale[j]) for j in d] for i in d]
        try:
            inverse = flint.arb_mat(rows).inv()
        except ZeroDivisionError:
            return math.inf
        norm = sum((entry * entry for entry in inverse.entries()), flint.arb(0)).sqrt()
        return math.nextafter(float(norm.upper()), math.inf)


def _gamma(k: int) -> float:
    """k u / (1 - k u): the relative error of k roundings."""
    return k * UNIT / (1 - k * UNIT)
