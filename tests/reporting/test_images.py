"""Grids of images as SVG: right pixels, small, harmless; what cannot be drawn says so."""

from __future__ import annotations

import base64
import io
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from mdnn_verify.pictures import ImageGrid, Tile, describe
from mdnn_verify.reporting.figures import draw
from mdnn_verify.reporting.html import Gallery


def grid(tiles: int = 8, **changes: Any) -> dict[str, Any]:
    pixels = [bytes((i * 40 + j) % 256 for j in range(12)).hex() for i in range(tiles)]
    made = [Tile((image, image[::-1]), f"{i}.5") for i, image in enumerate(pixels)]
    return {**describe(ImageGrid("Worst images", 3, 4, 8, made, ("image", "reconstruction"))), **changes}


def images(svg: str) -> list[Image.Image]:
    found = re.findall(r'href="data:image/png;base64,([^"]*)"', svg)
    return [Image.open(io.BytesIO(base64.b64decode(content))) for content in found]


def test_pixels_come_through_unchanged() -> None:
    first, below, *rest = images(str(draw(grid(), 1).svg))
    assert (first.size, len(rest)) == ((4, 3), 14)
    assert first.tobytes().hex() == grid()["tiles"][0]["images"][0]
    assert below.tobytes().hex() == grid()["tiles"][0]["images"][1]


def test_it_is_well_formed_named_and_described() -> None:
    svg = str(draw(grid(), 7).svg)
    ElementTree.fromstring(svg)
    assert 'role="img"' in svg
    assert '<title id="f7-title">Worst images</title>' in svg
    assert "8 small images, each image above reconstruction; row by row: 0.5, 1.5" in svg
    assert all(found.startswith("f7-") for found in re.findall(r' id="([^"]*)"', svg))
    assert len(svg) < 8_000


def test_several_rows_fit_their_box() -> None:
    root = ElementTree.fromstring(str(draw(grid(20), 1).svg))
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    boxes = [
        [float(image.attrib[name]) for name in ("x", "y", "width", "height")] for image in root if "image" in image.tag
    ]
    assert len(boxes) == 40
    assert max(x + w for x, _, w, _ in boxes) <= width
    assert max(y + h for _, y, _, h in boxes) <= height
    assert len({(round(x, 2), round(y, 2)) for x, y, _, _ in boxes}) == 40, "none upon another"


def test_hostile_captions_stay_text(fixtures: Any) -> None:
    tiles = [{"images": ["00" * 12], "caption": fixtures.HOSTILE}]
    svg = str(draw({**grid(), "tiles": tiles, "row_labels": [], "caption": fixtures.HOSTILE}, 1).svg)
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "<img" not in svg


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 4}, "an image of 4 x 4 has 16 pixels, not 12"),
        ({"tiles": []}, "found no tile"),
        ({"tiles": [{"images": ["00" * 12]}, {"images": ["00" * 12] * 2}]}, r"found \[1, 2\]"),
        ({"row_labels": ["image"]}, "tiles of 2 images have 1 row labels"),
        ({"columns": 0}, "the columns of a grid of images is 0"),
        ({"tiles": [{"images": ["no hexadecimal"]}], "row_labels": []}, "non-hexadecimal"),
    ],
)
def test_what_cannot_be_drawn_becomes_a_text(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw({**grid(), **change}, 1)
    assert str(Gallery().draw({**grid(), **change})).startswith("could not be drawn")
