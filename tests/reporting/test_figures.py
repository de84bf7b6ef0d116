"""Pictures as SVG: small, well-formed, harmless, the same every time."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from mdnn_verify.reporting.figures import draw


@pytest.mark.parametrize("name", ["sequence", "steps", "surface", "triangle"])
def test_pictures_are_small_well_formed_and_coloured_by_the_page(fixtures: Any, name: str) -> None:
    svg = str(draw(getattr(fixtures, name)(), 3).svg)
    ElementTree.fromstring(svg)
    assert len(svg) < 25_000
    assert 'role="img"' in svg
    assert "<title" in svg
    assert "<desc" in svg
    assert not re.search(r"#[0-9a-f]{6}|<style|font-family|xlink", svg), "colours and fonts belong to the page"
    assert all(found.startswith("f3-") for found in re.findall(r'id="([^"]*)"', svg))


def test_pictures_do_not_depend_on_what_was_drawn_before(fixtures: Any) -> None:
    alone = draw(fixtures.sequence(), 1)
    draw(fixtures.surface(), 2)
    assert draw(fixtures.sequence(), 1) == alone


def test_ids_of_two_pictures_differ(fixtures: Any) -> None:
    ids = [set(re.findall(r'id="([^"]*)"', draw(fixtures.sequence(), number).svg)) for number in (1, 2)]
    assert not ids[0] & ids[1]


def test_numbers_on_the_axes_are_not_rounded_like_coordinates(fixtures: Any) -> None:
    picture = {**fixtures.steps(), "log_x": False}
    assert ">0.25<" in draw(picture, 1).svg


def test_keys_name_every_curve(fixtures: Any) -> None:
    keys = draw(fixtures.sequence(), 1).keys
    assert [key.style for key in keys] == ["band", "line", "line", "line", "line"]
    assert len({(key.color, key.dash) for key in keys}) == len(keys), "curves differ by more than nothing"
    assert len({key.dash for key in keys[1:]}) == 4, "and not by colour alone"


def test_hostile_labels_stay_text(fixtures: Any) -> None:
    picture = {**fixtures.sequence(), "caption": fixtures.HOSTILE, "x_label": fixtures.HOSTILE, "y_label": "$\\frac$"}
    svg = str(draw(picture, 1).svg)
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "$\\frac$" in svg


def test_what_json_cannot_hold_leaves_a_gap(fixtures: Any) -> None:
    picture = fixtures.steps()
    picture["curves"][1]["y"][3] = "nan"
    picture["curves"][1]["y"][4] = None
    ElementTree.fromstring(str(draw(picture, 1).svg))


def test_long_curves_are_thinned(fixtures: Any) -> None:
    x = [float(i) for i in range(50_000)]
    picture = {**fixtures.steps(), "curves": [fixtures.curve("long", x, [(i * 7919) % 100 for i in x])]}
    assert len(draw(picture, 1).svg) < 25_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "pie"}, "unknown kind of picture 'pie'"),
        ({"curves": [{"label": "a", "x": [1.0, 2.0], "y": [1.0], "y_high": [], "style": "line"}]}, "differ in length"),
    ],
)
def test_what_cannot_be_drawn_says_so(fixtures: Any, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw({**fixtures.steps(), **change}, 1)


def test_constant_surface_says_so(fixtures: Any) -> None:
    with pytest.raises(ValueError, match="no level lines"):
        draw({**fixtures.surface(), "z": [[1.0] * 61] * 61}, 1)


def test_band_of_a_step_function_has_steps(fixtures: Any) -> None:
    """A slanted band would leave out the very function it is a band for."""
    svg = str(draw(fixtures.steps(), 1).svg)
    used = re.search(r'<use href="#([^"]*)"[^>]*fill:var\(--fig-band\)', svg)
    band = re.search(rf'<path id="{used[1]}" d="([^"]*)"', svg)
    points = [tuple(map(float, point.split())) for point in re.findall(r"-?[\d.]+ -?[\d.]+", band[1])]
    slanted = [(a, b) for a, b in pairwise(points) if a[0] != b[0] and a[1] != b[1]]
    assert len(points) > 20
    assert slanted == []


def test_short_logarithmic_axes_still_have_numbers(fixtures: Any) -> None:
    curve = fixtures.curve("mean", [8192.0, 12288.0], [1.0, 1.1])
    svg = draw({**fixtures.sequence(), "curves": [curve]}, 1).svg
    assert len(re.findall(r">1?\d000<", svg)) >= 3


def test_a_picture_that_its_theorem_could_not_describe_says_so() -> None:
    with pytest.raises(ValueError, match="not drawn: ZeroDivisionError"):
        draw({"kind": "error", "caption": "surface was not drawn: ZeroDivisionError: division by zero"}, 1)
