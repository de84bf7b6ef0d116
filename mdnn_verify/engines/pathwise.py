"""Identities and inequalities that hold for every sample: computed residuals against derived rounding bounds.

Such a check shows agreement at concrete instances, never a proof. Its bound comes from an error analysis (``gamma``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["INFORMATIVE", "AtLeast", "Residual", "gamma", "unit_roundoff"]

ENGINE = "pathwise"
INFORMATIVE = 1e-3  # a bound above this share of the compared magnitude would accept what it should tell apart
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Residual(Claim):
    """observed = expected up to rounding: |observed - expected| <= bound, elementwise.

    ``observed`` and ``expected`` are real tensors, arrays or numbers of one shape (nothing is broadcast); ``bound`` is
    a number or an array of that shape, finite and >= 0; 0 means bit-equal. NaN refutes; equal infinities agree.
    ``at`` describes the instance and is printed as the counterexample. ``scale`` is the natural magnitude of the
    quantity, whose values may be near 0: a bound above 1e-3 of max(|observed|, |expected|, scale) says too little, so
    that agreement is INCONCLUSIVE. Raises ValueError for a bound or shapes that break this.
    """

    observed: Any
    expected: Any
    bound: Any
    at: Mapping[str, Any] = field(default_factory=dict)
    scale: float = 1.0

    def __post_init__(self) -> None:
        _validated(self.observed, self.expected, self.bound, self.scale)

    def decide(self, context: Context) -> Verdict:
        observed, expected, bound = _validated(self.observed, self.expected, self.bound, self.scale)
        equal = observed == expected  # of infinities too, whose difference is NaN
        with np.errstate(invalid="ignore", over="ignore"):
            residual = np.where(equal, 0.0, np.abs(observed - expected))
        return _verdict(residual, bound, observed, expected, self, context, "=")


@dataclass(frozen=True)
class AtLeast(Claim):
    """observed >= floor up to rounding: floor - observed <= bound, elementwise; otherwise as for Residual."""

    observed: Any
    floor: Any
    bound: Any
    at: Mapping[str, Any] = field(default_factory=dict)
    scale: float = 1.0

    def __post_init__(self) -> None:
        _validated(self.observed, self.floor, self.bound, self.scale)

    def decide(self, context: Context) -> Verdict:
        observed, floor, bound = _validated(self.observed, self.floor, self.bound, self.scale)
        if floor.size and (floor == -np.inf).all():
            return Verdict(Status.INCONCLUSIVE, context.scope, "every floor is -inf, which says nothing", engine=ENGINE)
        with np.errstate(invalid="ignore", over="ignore"):
            residual = np.where(observed >= floor, 0.0, floor - observed)
        return _verdict(residual, bound, observed, floor, self, context, ">=")


def unit_roundoff(dtype: Any = np.float64) -> float:
    """u, the largest relative error of rounding: 2^-53 for float64, 2^-24 for float32 (numpy or torch dtype)."""
    name = str(dtype).removeprefix("torch.") if str(dtype).startswith("torch.") else dtype
    return float(np.finfo(name).eps) / 2


def gamma(k: int, dtype: Any = np.float64) -> float:
    """gamma_k = k u / (1 - k u), which bounds the relative error of k roundings in a row (Higham, Lemma 3.1)."""
    product = k * unit_roundoff(dtype)
    if not 0 <= product < 1:
        raise ValueError(f"gamma({k}) needs 0 <= k u < 1, and k u is {product:g}")
    return product / (1 - product)


def _verdict(
    residual: Array,
    bound: Array,
    observed: Array,
    expected: Array,
    claim: Residual | AtLeast,
    context: Context,
    sign: str,
) -> Verdict:
    """NaN compares false, so ``<=`` (never ``>``) decides."""
    if residual.size == 0:
        return Verdict(Status.ERROR, context.scope, "the arrays are empty: nothing was compared", engine=ENGINE)
    agrees = residual <= bound
    largest = float(bound.max())
    if not agrees.all():
        text = _counterexample(claim.at, observed, expected, bound, agrees, sign)
        return Verdict(Status.REFUTED, context.scope, "the residual exceeds its bound", text, engine=ENGINE)
    magnitudes = np.abs(np.concatenate([observed.ravel(), expected.ravel()]))
    reference = max(float(magnitudes[np.isfinite(magnitudes)].max(initial=0.0)), claim.scale)
    evidence = {
        "entries": int(residual.size),
        "ratio": _ratio(residual, bound),
        "bound": largest,
        "magnitude": reference,
    }
    if largest > INFORMATIVE * reference:
        detail = f"the rounding bound {largest:.3g} is too wide to say anything about magnitudes of {reference:.3g}"
        return Verdict(Status.INCONCLUSIVE, context.scope, detail, engine=ENGINE, evidence=evidence)
    detail = f"largest residual / bound {evidence['ratio']:.3g}, bound at most {largest:.3g}"
    delta = largest * (1 + 2.0**-52)  # the difference was rounded as well
    return Verdict(Status.VERIFIED_WITHIN, context.scope, detail, delta=delta, engine=ENGINE, evidence=evidence)


def _ratio(residual: Array, bound: Array) -> float:
    """The largest residual / bound; 0 / 0 counts as 0."""
    return float(np.divide(residual, bound, out=np.zeros_like(residual), where=bound > 0).max())


def _counterexample(
    at: Mapping[str, Any], observed: Array, expected: Array, bound: Array, agrees: npt.NDArray[np.bool_], sign: str
) -> str:
    """The instance and its first entry that breaks the claim; numbers are printed to be read back exactly."""
    place = tuple(int(i) for i in np.unravel_index(int(np.argmin(agrees)), agrees.shape))
    entry = f"entry {place}: " if place else ""
    values = f"{entry}{float(observed[place])!r} {sign} {float(expected[place])!r} fails, bound {float(bound[place])!r}"
    return "; ".join([*(f"{name} = {_pasteable(value)}" for name, value in at.items()), values])


def _pasteable(value: Any) -> str:
    """Text that reads back as the same value; tensors and arrays as nested lists."""
    value = value.detach().cpu() if hasattr(value, "detach") else value
    return repr(value.tolist()) if hasattr(value, "tolist") else repr(value)


def _validated(observed: Any, expected: Any, bound: Any, scale: float) -> tuple[Array, Array, Array]:
    left, right = _real("observed", observed), _real("expected", expected)
    if left.shape != right.shape:
        raise ValueError(f"observed has shape {left.shape}, expected {right.shape}: the shapes must be equal")
    limit = _real("bound", bound)
    if limit.shape not in ((), left.shape):
        raise ValueError(f"bound has shape {limit.shape}, expected () or {left.shape}")
    if not (np.isfinite(limit).all() and (limit >= 0).all()):
        raise ValueError(f"bound = {_pasteable(limit)}, expected finite numbers >= 0")
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale = {scale!r}, expected a positive finite number")
    return left, right, np.broadcast_to(limit, left.shape)


def _real(name: str, value: Any) -> Array:
    """As float64 without loss; what float64 cannot hold is refused."""
    value = value.detach().cpu().numpy() if hasattr(value, "detach") else value
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise ValueError(f"{name} has dtype {array.dtype}, expected real numbers that float64 can hold")
    if array.dtype.kind in "iu" and array.size and max(abs(int(array.max())), abs(int(array.min()))) > 2**53:
        raise ValueError(f"{name} has an integer beyond 2**53, which float64 cannot hold")
    return array.astype(np.float64)
