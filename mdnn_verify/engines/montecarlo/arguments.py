"""Refusals of a claim's parameters: a ValueError that names the argument and says what was expected."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["finite", "fraction", "function", "interval", "positive", "reason", "tolerance"]


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


def fraction(name: str, value: Any) -> float:
    """A number strictly between 0 and 1."""
    number = positive(name, value)
    if number >= 1:
        raise ValueError(f"{name} = {number!r}, expected a number in (0, 1)")
    return number


def tolerance(name: str, value: Any) -> float:
    """A share of the scale, in (0, 1]: beyond its own magnitude nothing is said about a quantity."""
    number = positive(name, value)
    if number > 1:
        raise ValueError(f"{name} = {number!r}, expected a number in (0, 1]")
    return number


def interval(low_name: str, lo: Any, high_name: str, hi: Any) -> tuple[float, float]:
    """The ends of an interval of positive length."""
    low, high = finite(low_name, lo), finite(high_name, hi)
    if low >= high:
        raise ValueError(f"{low_name} = {low!r} is not below {high_name} = {high!r}, expected an interval")
    return low, high


def function(name: str, value: Any) -> None:
    """Something that can be called."""
    if not callable(value):
        raise ValueError(f"{name} = {value!r}, expected a function")


def reason(name: str, value: str) -> None:
    """A sentence."""
    if not value.strip():
        raise ValueError(f"{name} is empty, expected how the bound is proved")
