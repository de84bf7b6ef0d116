"""Plain descriptions of pictures: theorems and engines return them, reports draw them. Numbers and words only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Curve", "Curves", "Picture", "Surface", "Ternary"]


@dataclass(frozen=True)
class Curve:
    """One line of a plot; ``style`` is "line", "step" (right-continuous), "band" (between y and y_high), "dots"."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    y_high: Sequence[float] = ()
    style: str = "line"


@dataclass(frozen=True)
class Curves:
    """Curves over one pair of axes."""

    caption: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]
    log_x: bool = False
    log_y: bool = False
    kind: str = "curves"


@dataclass(frozen=True)
class Surface:
    """A function of two variables, z[row = y][column = x], drawn as a filled contour map with labelled levels."""

    caption: str
    x_label: str
    y_label: str
    z_label: str
    x: Sequence[float]
    y: Sequence[float]
    z: Sequence[Sequence[float]]
    kind: str = "surface"


@dataclass(frozen=True)
class Ternary:
    """A function on the 2-simplex: points (a, b, c) with a + b + c = 1 and a value at each."""

    caption: str
    corners: tuple[str, str, str]
    value_label: str
    points: Sequence[tuple[float, float, float]]
    values: Sequence[float]
    mark: tuple[float, float, float] | None = None
    kind: str = "ternary"


Picture = Curves | Surface | Ternary


def describe(picture: Picture) -> dict[str, Any]:
    """The picture as JSON-able data."""
    return asdict(picture)
