"""Grids of small grey images as inline SVG: each image a PNG of some hundred bytes in a data address."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from mdnn_verify.reporting.svg import WIDTH

__all__ = ["image_grid"]

GAP, LABEL, LINE = 4.0, 70.0, 11.0  # CSS pixels: between tiles, for the row labels, for a line of text
LARGEST = 48.0
START = Markup(
    '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{id}-title {id}-desc">'
    '<title id="{id}-title">{title}</title><desc id="{id}-desc">{desc}</desc>'
)
IMAGE = Markup('<image x="{}" y="{}" width="{}" height="{}" href="data:image/png;base64,{}"/>')
TEXT = Markup('<text x="{}" y="{}" text-anchor="{}" style="font-size:9px;fill:var(--fig-ink)">{}</text>')


def image_grid(picture: Mapping[str, Any], number: int) -> Markup:
    """The SVG of one ``pictures.ImageGrid``; ``number`` makes its ids unique on the page.

    Raises ValueError for no tiles, tiles of different numbers of images, and pixels that are not height * width.
    """
    tiles, labels = picture["tiles"], list(picture.get("row_labels", ()))
    height, width, columns = (_positive(picture, name) for name in ("height", "width", "columns"))
    deep = _depth(tiles, labels)
    margin = LABEL if deep > 1 else 0.0
    wide = min((WIDTH - margin + GAP) / min(columns, len(tiles)) - GAP, LARGEST)
    tall = wide * height / width
    caption = LINE if any(tile.get("caption") for tile in tiles) else 0.0
    pitch = deep * (tall + 1) + caption + GAP
    parts = [
        _tile(tile, margin + (i % columns) * (wide + GAP), (i // columns) * pitch, (wide, tall), (height, width))
        for i, tile in enumerate(tiles)
    ]
    rows = math.ceil(len(tiles) / columns)
    if margin:
        parts += [_labels(labels, row * pitch, tall) for row in range(rows)]
    start = START.format(
        width=WIDTH,
        height=_px(rows * pitch - GAP + 2),
        id=f"f{number}",
        title=str(picture.get("caption", "")),
        desc=_words(tiles, labels),
    )
    return start + Markup("").join(parts) + Markup("</svg>")


def _tile(tile: Mapping[str, Any], x: float, y: float, size: tuple[float, float], pixels: tuple[int, int]) -> Markup:
    wide, tall = size
    parts = [
        IMAGE.format(_px(x), _px(y + i * (tall + 1)), _px(wide), _px(tall), _png(image, *pixels))
        for i, image in enumerate(tile["images"])
    ]
    if tile.get("caption"):
        below = y + len(parts) * (tall + 1) + LINE - 2
        parts.append(TEXT.format(_px(x + wide / 2), _px(below), "middle", str(tile["caption"])))
    return Markup("").join(parts)


def _labels(labels: Sequence[str], y: float, tall: float) -> Markup:
    parts = [TEXT.format(0, _px(y + (i + 0.5) * (tall + 1) + 3), "start", label) for i, label in enumerate(labels)]
    return Markup("").join(parts)


def _png(image: str, height: int, width: int) -> str:
    """Grey values in hexadecimal to a PNG in base64."""
    from PIL import Image

    pixels = bytes.fromhex(image)
    if len(pixels) != height * width:
        raise ValueError(f"an image of {height} x {width} has {height * width} pixels, not {len(pixels)}")
    raw = io.BytesIO()
    Image.frombytes("L", (width, height), pixels).save(raw, "PNG", optimize=True)
    return base64.b64encode(raw.getvalue()).decode()


def _depth(tiles: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> int:
    depths = {len(tile["images"]) for tile in tiles}
    if not tiles or len(depths) != 1 or 0 in depths:
        raise ValueError(f"expected tiles of equally many images, at least one; found {sorted(depths) or 'no tile'}")
    (deep,) = depths
    if deep > 1 and len(labels) != deep:
        raise ValueError(f"tiles of {deep} images have {len(labels)} row labels")
    return deep


def _positive(picture: Mapping[str, Any], name: str) -> int:
    value = picture[name]
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"the {name} of a grid of images is {value!r}, expected a positive integer")
    return value


def _words(tiles: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> str:
    captions = [str(tile["caption"]) for tile in tiles if tile.get("caption")]
    each = f", each {' above '.join(labels)}" if len(labels) > 1 else ""
    listed = f"; row by row: {', '.join(captions)}" if captions else ""
    return f"{len(tiles)} small images{each}{listed}"


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
