"""Refusals: each returns its argument, converted, or raises a ValueError that names it and says what was expected."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["even", "index_set", "positive_definite", "positive_integer", "probability_vector", "vector"]

Array = npt.NDArray[np.float64]


def vector(name: str, value: Any, length: int | None = None) -> Array:
    """A finite real vector, shape (length,) if a length is given."""
    array = _finite(name, value)
    if array.ndim != 1 or (length is not None and len(array) != length):
        wanted = "(n,)" if length is None else f"({length},)"
        raise ValueError(f"{name} has shape {array.shape}, expected {wanted}")
    return array


def probability_vector(name: str, value: Any) -> Array:
    """Non-negative numbers of any shape that sum to 1, up to the rounding of a sum of so many float64 terms."""
    array = _finite(name, value)
    if array.size == 0:
        raise ValueError(f"{name} is empty, expected at least one probability")
    if (array < 0).any():
        raise ValueError(f"{name} has the negative entry {float(array.min())!r}, expected probabilities")
    # every entry is rounded once and every partial sum once; all partial sums are at most about 1
    bound = 2 * array.size * np.finfo(float).eps
    if abs(array.sum() - 1) > bound:
        raise ValueError(f"{name} sums to {float(array.sum())!r}, expected 1")
    return array


def positive_definite(name: str, value: Any, dimension: int | None = None) -> Array:
    """A symmetric positive definite matrix, shape (d, d)."""
    array = _finite(name, value)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}, expected (d, d)")
    if dimension is not None and len(array) != dimension:
        raise ValueError(f"{name} has shape {array.shape}, expected ({dimension}, {dimension})")
    # two products of the same factors in another order differ by at most gamma_{d+2} of the diagonal's geometric mean
    scale = np.sqrt(np.outer(np.abs(np.diag(array)), np.abs(np.diag(array))))
    if (np.abs(array - array.T) > 2 * (len(array) + 2) * np.finfo(float).eps * scale).any():
        raise ValueError(f"{name} is not symmetric, expected a symmetric positive definite matrix")
    try:
        np.linalg.cholesky((array + array.T) / 2)
    except np.linalg.LinAlgError:
        raise ValueError(
            f"{name} is not positive definite (smallest eigenvalue {np.linalg.eigvalsh(array)[0]:.3g})"
        ) from None
    return array


def index_set(name: str, value: Collection[int], n: int) -> tuple[int, ...]:
    """A sorted, non-empty, proper subset of {0, ..., n-1}."""
    if any(isinstance(index, bool) or int(index) != index for index in value):
        raise ValueError(f"{name} = {value!r} has an entry that is not an integer")
    indices = tuple(sorted(int(index) for index in value))
    if len(set(indices)) != len(indices):
        raise ValueError(f"{name} = {indices} repeats an index")
    if not 0 < len(indices) < n:
        raise ValueError(f"{name} has {len(indices)} of {n} indices, expected at least 1 and at most {n - 1}")
    if indices[0] < 0 or indices[-1] >= n:
        raise ValueError(f"{name} = {indices} leaves the range 0 .. {n - 1}")
    return indices


def positive_integer(name: str, value: Any) -> int:
    """An integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ValueError(f"{name} = {value!r}, expected a positive integer")
    if not 1 <= value < np.inf or int(value) != value:
        raise ValueError(f"{name} = {value!r}, expected a positive integer")
    return int(value)


def even(name: str, value: Any) -> int:
    """An even positive integer."""
    if positive_integer(name, value) % 2:
        raise ValueError(f"{name} = {value!r} is odd, expected an even number")
    return int(value)


def _finite(name: str, value: Any) -> Array:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is not an array of real numbers") from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has an entry that is NaN or infinite, expected finite numbers")
    return array
