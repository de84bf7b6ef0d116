"""What is known of a model beside its error rates, each number with its interval or bound."""

from __future__ import annotations

from dataclasses import dataclass

from mdnn_verify.anomaly.base import Fitted, Split
from mdnn_verify.anomaly.density_check import mass, planar
from mdnn_verify.anomaly.flow import FittedFlow

__all__ = ["Measure", "measures"]


@dataclass(frozen=True)
class Measure:
    """A number with what it is known to lie between; ``holds`` is False where it refutes what it was to confirm."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""
    holds: bool | None = None


def measures(model: Fitted, split: Split, seed: int) -> list[Measure]:
    """Of a flow: bits per dimension of the normal test images, and whether its code gives a true density."""
    if not isinstance(model, FittedFlow):
        return []
    bits = model.bits_per_dimension(split.test, seed)
    found = mass(planar(model.model.architecture, seed))
    note = "the same code on two pixels, logit and dequantisation included"
    if not found.is_one:
        note = f"NOT a density: {note}"
    return [
        Measure("Bits per dimension, normal test images", bits.estimate, bits.low, bits.high, "95 % interval"),
        Measure(
            "Integral of the density",
            found.value,
            found.value - found.bound,
            found.value + found.bound,
            note,
            found.is_one,
        ),
    ]
