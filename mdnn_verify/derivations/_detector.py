"""Worlds of an anomaly detector: images of two pixels, what an autoencoder makes of them, and scores with ties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from mdnn_verify.audit import World

__all__ = ["detector_worlds", "mean", "mean_square", "squared_norm", "threshold"]


def mean(values: Sequence[Any]) -> Any:
    """The mean of exact numbers."""
    return sum(values, sp.Integer(0)) / len(values)


def squared_norm(image: Sequence[Any], rebuilt: Sequence[Any]) -> Any:
    """The sum of the squared errors over the pixels."""
    return sum((a - b) ** 2 for a, b in zip(image, rebuilt, strict=True))


def mean_square(image: Sequence[Any], rebuilt: Sequence[Any]) -> Any:
    """The mean of the squared errors over the pixels."""
    return squared_norm(image, rebuilt) / len(image)


def threshold(scores: Sequence[Any]) -> Any:
    """Mean + 3 standard deviations (with M - 1)."""
    centre = mean(scores)
    return centre + 3 * sp.sqrt(sum((score - centre) ** 2 for score in scores) / (len(scores) - 1))


def detector_worlds() -> tuple[World, ...]:
    """``images`` and two ways in which they are rebuilt; an image X; among them one whose score is the threshold."""
    zero, one, slant = (0, 0), (1, 0), (1, 2)
    rows = [
        ((zero, zero), (one, one), (zero, zero), zero, one),  # all scores are 1: a tie
        ((zero, zero), (one, one), (one, slant), zero, slant),
        ((zero, zero), (zero, one), (slant, zero), zero, one),
        ((zero, one, slant), (one, one, one), (slant, one, zero), one, (1, 1)),
        ((zero, zero), (zero, (1, 1)), (one, one), zero, (2, 0)),  # the threshold is 1 + 3 sqrt(2), the score 4
        ((zero, zero), (zero, (1, 1)), (slant, one), zero, (2, 2)),  # the same, the score 8
        ((zero, one, slant), (slant, zero, one), (zero, one, slant), zero, (5, 5)),
    ]
    names = ("images", "rebuilt", "otherwise", "X", "rebuilt_X")
    return tuple(World(dict(zip(names, map(_exact, row), strict=True))) for row in rows)


def _exact(value: Any) -> Any:
    return tuple(map(_exact, value)) if isinstance(value, tuple) else sp.Integer(value)
