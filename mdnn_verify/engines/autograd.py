"""Jacobians by automatic differentiation and their log-determinants with a rounding bound."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from mdnn_verify.engines.pathwise import gamma, unit_roundoff

__all__ = ["jacobian", "log_abs_det"]


def jacobian(f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, *, forward: bool = False) -> torch.Tensor:
    """J[i, j] = d f_i / d x_j at x, shape (n_out, n), float64, by torch.func (reverse mode unless ``forward``).

    Raises ValueError unless x has shape (n,) and dtype float64 and f returns the same of shape (n_out,).
    """
    if x.ndim != 1 or x.dtype is not torch.float64:
        raise ValueError(f"x has shape {tuple(x.shape)} and dtype {x.dtype}, expected (n,) and torch.float64")
    result: torch.Tensor = (torch.func.jacfwd if forward else torch.func.jacrev)(f)(x)
    if result.ndim != 2 or result.dtype is not torch.float64:
        shape = tuple(result.shape[: max(result.ndim - 1, 0)])
        raise ValueError(f"f returns shape {shape} and dtype {result.dtype}, expected (n_out,) and torch.float64")
    return result.detach()


def log_abs_det(matrix: torch.Tensor, entry_error: torch.Tensor | float = 0.0) -> tuple[float, float]:
    r"""(log|det J|, bound on its error) for J of shape (n, n), float64; ``entry_error`` bounds |matrix - J| entrywise.

    A posteriori: P L U = J + E with |E| <= |fl(P L U) - matrix| + gamma_n |P||L||U| + entry_error + roundings. Put
    X = J^-1 E, so that log|det P L U| - log|det J| = log|det(I + X)|. With an approximate inverse Y, g = ||I - Y J||,
    rho = || |Y| |E| || / (1 - g) >= ||X|| and |tr X| <= tr |Y| |E| + n g rho (row-sum norms), whence
    |log|det(I + X)|| <= |tr X| + sum_{k >= 2} |tr X^k| / k <= tr |Y| |E| + n g rho + n rho^2 / (2 (1 - rho)).
    Raises ArithmeticError where no bound can be established (J singular, or too close to it).
    """
    n = _checked_size(matrix)
    matrix = matrix.detach().cpu()
    errors = torch.as_tensor(entry_error, dtype=torch.float64).cpu().expand(n, n)
    pivots, lower, upper, info = _factors(matrix)
    diagonal = upper.diagonal().abs()
    if info or not bool((diagonal > 0).all()):
        raise ArithmeticError("log_abs_det: the matrix is singular to working precision, no rounding bound exists")
    perturbation = _perturbation(matrix, pivots, lower, upper, errors)
    logs = diagonal.log()
    # each logarithm is off by less than 2 ulp, and n of them are added in some order
    summation = (gamma(n) + 4 * unit_roundoff()) * (1 + gamma(n)) * float(logs.abs().sum())
    return float(logs.sum()), (summation + perturbation) * (1 + 8 * unit_roundoff())


def _perturbation(
    matrix: torch.Tensor, pivots: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor, errors: torch.Tensor
) -> float:
    """The bound on |log|det(I + X)|| above, rounded upwards. Raises ArithmeticError unless g < 1 and rho < 1."""
    n = len(matrix)
    u, up = unit_roundoff(), 1 + gamma(2 * n + 8)  # ``up`` outweighs the roundings of sums of non-negative terms
    product = pivots @ (lower @ upper)
    size = pivots @ (lower.abs() @ upper.abs())
    perturbed = ((product - matrix).abs() * (1 + 2 * u) + gamma(n) * size * up + errors) * up
    inverse = torch.linalg.inv(matrix)
    defect = (torch.eye(n, dtype=torch.float64) - inverse @ matrix).abs() * (1 + 2 * u)
    defect = defect + gamma(n) * (inverse.abs() @ matrix.abs()) * up + inverse.abs() @ errors * up
    g = float((defect.sum(1) * up).max()) * up
    weighted = (inverse.abs() @ perturbed) * up
    rho = float(weighted.sum(1).max()) * up / (1 - g) if g < 1 else math.inf
    if not rho < 1:
        raise ArithmeticError(
            f"log_abs_det: no rounding bound, the matrix is too close to a singular one (rho = {rho:.3g})"
        )
    trace = float(weighted.diagonal().sum()) * up
    return (trace + n * g * rho + n * rho**2 / (2 * (1 - rho))) * (1 + 16 * u)


def _factors(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, bool]:
    factors, pivots, info = torch.linalg.lu_factor_ex(matrix)
    permutation, lower, upper = torch.lu_unpack(factors, pivots)
    return permutation, lower, upper, bool(info)


def _checked_size(matrix: torch.Tensor) -> int:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix) or matrix.dtype is not torch.float64:
        raise ValueError(
            f"matrix has shape {tuple(matrix.shape)} and dtype {matrix.dtype}, expected (n, n) and torch.float64"
        )
    if not bool(matrix.isfinite().all()):
        raise ValueError("matrix has an entry that is NaN or infinite")
    return len(matrix)
