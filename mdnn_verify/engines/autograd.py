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

    A posteriori: P L U = J + E with |E| <= |fl(P L U) - matrix| + gamma_n |P||L||U| + entry_error + roundings. With an
    approximate inverse Y and G = I - Y J one has log|det P L U| - log|det J| = log|det(I + J^-1 E)|, and
    rho = || |Y| |E| || / (1 - ||G||) >= ||J^-1 E|| gives |log|det(I + J^-1 E)|| <= -n log(1 - rho).
    Raises ArithmeticError where no bound can be established (J singular, or too close to it).
    """
    n = _checked_size(matrix)
    matrix = matrix.detach().cpu()
    errors = torch.as_tensor(entry_error, dtype=torch.float64).cpu().expand(n, n)
    pivots, lower, upper, info = _factors(matrix)
    diagonal = upper.diagonal().abs()
    if info or not bool((diagonal > 0).all()):
        raise ArithmeticError("log_abs_det: the matrix is singular to working precision, no rounding bound exists")
    rho = _perturbation(matrix, pivots, lower, upper, errors)
    if not rho < 1:
        raise ArithmeticError(f"log_abs_det: no rounding bound, the matrix is too close to a singular one (rho = {rho:.3g})")
    logs = diagonal.log()
    # each logarithm is off by less than 2 ulp, and n of them are added in some order
    summation = (gamma(n) + 4 * unit_roundoff()) * (1 + gamma(n)) * float(logs.abs().sum())
    bound = (summation - n * math.log1p(-rho)) * (1 + 8 * unit_roundoff())
    return float(logs.sum()), bound


def _perturbation(
    matrix: torch.Tensor, pivots: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor, errors: torch.Tensor
) -> float:
    """rho as above, rounded upwards; infinite if the approximate inverse does not certify that J is regular."""
    n = len(matrix)
    u, up = unit_roundoff(), 1 + gamma(2 * n + 8)  # ``up`` outweighs the roundings of sums of non-negative terms
    product = pivots @ (lower @ upper)
    size = pivots @ (lower.abs() @ upper.abs())
    perturbed = ((product - matrix).abs() * (1 + 2 * u) + gamma(n) * size * up + errors) * up
    inverse = torch.linalg.inv(matrix)
    defect = (torch.eye(n, dtype=torch.float64) - inverse @ matrix).abs() * (1 + 2 * u)
    defect = defect + gamma(n) * (inverse.abs() @ matrix.abs()) * up + inverse.abs() @ errors * up
    g = float((defect.sum(1) * up).max()) * up
    if not g < 1:
        return math.inf
    weighted = float(((inverse.abs() @ perturbed).sum(1)).max()) * up * up
    return weighted / (1 - g) * (1 + 4 * u)


def _factors(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, bool]:
    factors, pivots, info = torch.linalg.lu_factor_ex(matrix)
    permutation, lower, upper = torch.lu_unpack(factors, pivots)
    return permutation, lower, upper, bool(info)


def _checked_size(matrix: torch.Tensor) -> int:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix) or matrix.dtype is not torch.float64:
        raise ValueError(f"matrix has shape {tuple(matrix.shape)} and dtype {matrix.dtype}, expected (n, n) and torch.float64")
    if not bool(matrix.isfinite().all()):
        raise ValueError("matrix has an entry that is NaN or infinite")
    return len(matrix)
