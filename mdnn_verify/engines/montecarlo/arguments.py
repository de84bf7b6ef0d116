"""Refusals of a claim's parameters: a ValueError that names the argument."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["finite", "positive", "support"]


def finite(name: str, value: Any) -> float:
    """A finite real number, as a float."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {value!r}, expected a real number") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} = {number!r}, expected a finite number")
    return number


def positive(name: str, value: Any) -> float:
    """A finite number above 0."""
    number = finite(name, value)
    if number <= 0:
        raise ValueError(f"{name} = {number!r}, expected a positive number")
    return number


def support(lo: Any, hi: Any) -> tuple[float, float]:
    """The ends of an interval of positive length."""
    low, high = finite("lo", lo), finite("hi", hi)
    if low >= high:
        raise ValueError(f"lo = {low!r} is not below hi = {high!r}, expected an interval")
    return low, high
