"""Plain descriptions of pictures: theorems and engines return them, reports draw them. Numbers and words only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Curve", "Curves", "ImageGrid", "Picture", "Surface", "Ternary", "Tile", "describe"]


@dataclass(frozen=True)
class Curve:
    """One line of a plot.

    ``style`` is "line", "step" (right-continuous), "band" (between y and y_high), "dots", or "vertical": lines over the
    full height at each x, whatever y is. ``color`` numbers the line's colour and dash, so that a curve looks the same
    in two pictures; None is its position.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    y_high: Sequence[float] = ()
    style: str = "line"
    color: int | None = None


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


@dataclass(frozen=True)
class Tile:
    """Images of one size, one below the other, and a few words for all of them.

    An image is its grey values 0 (black) to 255 (white), row by row, two hexadecimal digits each.
    """

    images: Sequence[str]
    caption: str = ""


@dataclass(frozen=True)
class ImageGrid:
    """Tiles side by side, ``columns`` of them in a row; ``row_labels`` says what each image of a tile is."""

    caption: str
    height: int
    width: int
    columns: int
    tiles: Sequence[Tile]
    row_labels: Sequence[str] = ()
    kind: str = "images"


Picture = Curves | Surface | Ternary | ImageGrid


def describe(picture: Picture) -> dict[str, Any]:
    """The picture as JSON-able data."""
    return asdict(picture)
