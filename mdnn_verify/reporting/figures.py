"""Pictures as inline SVG: matplotlib draws, ``svg`` cuts down; the same description always gives the same bytes.

matplotlib is imported when the first picture is drawn, and one figure serves all of them.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from mdnn_verify.reporting.images import image_grid
from mdnn_verify.reporting.svg import BAND, FAINT, HEIGHT, INK, LEVELS, LINE, NAMES, SURFACE, WIDTH, clean, placeholder
from mdnn_verify.reporting.views import superscript

__all__ = ["Drawing", "Key", "draw", "thinned"]

Picture = Mapping[str, Any]
MOST_POINTS = 120
FEW_POINTS = 40  # of a curve that is shown small
MOST_CELLS = 33
DASHES = ("", "5 3", "1.5 2.5", "7 2.5 1.5 2.5")

RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mdnn-verify",
    "text.parse_math": False,
    "font.size": 10,
    "axes.formatter.useoffset": False,
    "axes.unicode_minus": True,
    "path.simplify": True,
}


@dataclass(frozen=True)
class Key:
    """One line of a picture's key: ``style`` is that of its curve; ``color`` and ``dash`` are CSS."""

    label: str
    style: str
    color: str
    dash: str


@dataclass(frozen=True)
class Drawing:
    """A picture, ready for the page."""

    caption: str
    svg: Markup
    keys: tuple[Key, ...]


def draw(picture: Picture, number: int) -> Drawing:
    """The SVG of one description; ``number`` makes its ids unique on the page.

    Raises ValueError for a description that cannot be drawn (an unknown kind, lengths that differ, nothing finite).
    """
    drawers = {"curves": _curves, "surface": _surface, "ternary": _ternary}
    kind, caption = picture.get("kind"), str(picture.get("caption", ""))
    if kind == "error":  # the theorem's own function failed; its caption says how
        raise ValueError(caption)
    if kind == "images":
        return Drawing(caption, image_grid(picture, number), ())
    if kind not in drawers:
        raise ValueError(f"unknown kind of picture {kind!r}; known: {', '.join(drawers)}, images")
    import matplotlib

    with matplotlib.rc_context(RC):
        figure = _figure()
        _empty(figure)
        keys, summary = drawers[kind](figure, picture)
        raw = io.StringIO()
        figure.savefig(raw, format="svg", metadata={"Date": None})
    return Drawing(caption, clean(raw.getvalue(), number, caption, summary), tuple(keys))


@lru_cache(maxsize=1)
def _figure() -> Any:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), facecolor="none")
    FigureCanvasSVG(figure)
    return figure


def _empty(figure: Any) -> None:
    """What ``figure.clear()`` does for our two kinds of children, without first resetting axes that are thrown away."""
    for axes in list(figure.axes):
        figure.delaxes(axes)
    for text in list(figure.texts):
        text.remove()


def _curves(figure: Any, picture: Picture) -> tuple[list[Key], str]:
    axes = _axes(figure, picture["x_label"], picture["y_label"])
    keys, lines = [], 0
    stepped = any(curve.get("style") == "step" for curve in picture["curves"])
    for curve in picture["curves"]:
        style, band = curve.get("style", "line"), curve.get("style") == "band"
        x, y, high = _thin(curve["x"], curve["y"], curve["y_high"] if band else curve["y"])
        index = lines if curve.get("color") is None else int(curve["color"])
        role, dash = (BAND, "") if band else (LINE + index % 4, DASHES[index % 4])
        _plot(axes, "step band" if band and stepped else style, (x, y, high), placeholder(role), dash)
        keys.append(Key(str(curve["label"]), style, f"var(--fig-{NAMES[role]})", dash))
        lines += not band
    _scale(axes, picture)
    ranges = f"{picture['x_label']} horizontally, {picture['y_label']} vertically"
    return keys, f"{ranges}. Curves: " + "; ".join(key.label for key in keys)


def _plot(axes: Any, style: str, data: tuple[list[float], ...], color: str, dash: str) -> None:
    x, y, high = data
    pattern = (0, tuple(float(part) for part in dash.split())) if dash else "-"
    if style in ("band", "step band"):
        axes.fill_between(x, y, high, color=color, linewidth=0, step="post" if style == "step band" else None)
    elif style == "dots":
        axes.plot(x, y, "o", color=color, markersize=3 if len(x) > 4 else 6, markeredgewidth=0)
    elif style == "vertical":
        for at in x:
            axes.axvline(at, color=color, linewidth=1.4, linestyle=pattern)
    else:
        steps = "steps-post" if style == "step" else "default"
        axes.plot(x, y, color=color, linewidth=1.4, linestyle=pattern, drawstyle=steps, solid_joinstyle="round")


def _scale(axes: Any, picture: Picture) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    for name in ("x", "y"):
        axis = getattr(axes, f"{name}axis")
        low, high = axis.get_data_interval()
        if picture.get(f"log_{name}") and 0 < 10 * low <= high:
            getattr(axes, f"set_{name}scale")("log")
            axis.set_major_locator(LogLocator(numticks=6))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(_power))
        else:
            axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    if picture.get("log_x") and any(curve.get("style") == "band" for curve in picture["curves"]):
        _settle(axes, picture["curves"])


def _settle(axes: Any, curves: Sequence[Mapping[str, Any]]) -> None:
    """Confidence sequences start very wide; the vertical axis shows what they settle to."""
    longest = max((curve["x"] for curve in curves), key=len)
    start = longest[len(longest) // 3] if len(longest) else 0
    seen = [
        value
        for curve in curves
        for series in (curve["y"], curve.get("y_high") or curve["y"])
        for x, value in zip(curve["x"], map(_number, series), strict=True)
        if (x >= start or len(curve["x"]) == 2) and math.isfinite(value)
    ]
    if seen and max(seen) > min(seen):
        margin = 0.08 * (max(seen) - min(seen))
        axes.set_ylim(min(seen) - margin, max(seen) + margin)


def _surface(figure: Any, picture: Picture) -> tuple[list[Key], str]:
    axes = _axes(figure, picture["x_label"], picture["y_label"], grid=False)
    rows = _every(len(picture["y"]), MOST_CELLS)
    columns = _every(len(picture["x"]), MOST_CELLS)
    x, y = [picture["x"][j] for j in columns], [picture["y"][i] for i in rows]
    z = [[_number(picture["z"][i][j]) for j in columns] for i in rows]
    levels = _levels([value for row in z for value in row])
    axes.contourf(x, y, z, levels=levels, colors=_ramp(levels), extend="both")
    _labelled(axes, axes.contour(x, y, z, levels=levels, colors=placeholder(INK), linewidths=0.5))
    _scale(axes, {"curves": ()})
    return [], f"{picture['z_label']} over {picture['x_label']} and {picture['y_label']}, with labelled levels"


def _ternary(figure: Any, picture: Picture) -> tuple[list[Key], str]:
    axes = figure.add_axes((0.02, 0.09, 0.96, 0.82))
    axes.set_axis_off()
    axes.set_aspect("equal")
    points = [_flat(point) for point in picture["points"]]
    values = [_number(value) for value in picture["values"]]
    x, y = [point[0] for point in points], [point[1] for point in points]
    levels = _levels(values)
    axes.tricontourf(x, y, values, levels=levels, colors=_ramp(levels), extend="both")
    _labelled(axes, axes.tricontour(x, y, values, levels=levels, colors=placeholder(INK), linewidths=0.5))
    corners = [_flat(corner) for corner in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    axes.plot(*zip(*corners, corners[0], strict=True), color=placeholder(INK), linewidth=1)
    places = (("right", "center", -0.03), ("left", "center", 0.03), ("center", "bottom", 0.0))
    for (left, up), label, (ha, va, dx) in zip(corners, picture["corners"], places, strict=True):
        axes.text(left + dx, up + (0.03 if va == "bottom" else 0), label, ha=ha, va=va, color=placeholder(INK))
    mark = picture.get("mark")
    if mark is not None:
        axes.plot(
            *([c] for c in _flat(mark)),
            "o",
            color=placeholder(LINE + 1),
            markersize=6,
            markeredgecolor=placeholder(INK),
        )
    where = f"; marked: {', '.join(f'{share:.3g}' for share in mark)}" if mark is not None else ""
    corner_names = ", ".join(picture["corners"])
    return [], f"{picture['value_label']} over the triangle {corner_names}, with labelled levels{where}"


def _axes(figure: Any, x_label: str, y_label: str, *, grid: bool = True) -> Any:
    axes = figure.add_axes((0.135, 0.16, 0.835, 0.725), facecolor="none")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set(color=placeholder(INK), linewidth=0.7)
    axes.tick_params(left=False, bottom=False, labelcolor=placeholder(INK), labelsize=9.5, pad=4)
    if grid:
        axes.grid(axis="y", color=placeholder(FAINT), linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(x_label, color=placeholder(INK), loc="right", labelpad=2)
    figure.text(0.005, 0.985, y_label, color=placeholder(INK), ha="left", va="top")
    axes.margins(x=0.01)
    return axes


def _labelled(axes: Any, contours: Any) -> None:
    axes.clabel(contours, fmt="%g", fontsize=8.5, inline=True, inline_spacing=2)


def _levels(values: Sequence[float]) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    finite = [value for value in values if math.isfinite(value)]
    if not finite or min(finite) == max(finite):
        raise ValueError("the values are all the same or not finite: no level lines")
    if min(finite) >= 0 and sorted(finite)[len(finite) // 2] < max(finite) / 10:
        return _round_levels(finite)
    locator = MaxNLocator(LEVELS - 2, steps=[1, 2, 2.5, 5, 10])
    ticks = [float(tick) for tick in locator.tick_values(min(finite), max(finite))]
    return [tick for tick in ticks if min(finite) < tick < max(finite)] or [(min(finite) + max(finite)) / 2]


def _round_levels(values: Sequence[float]) -> list[float]:
    """Levels 1, 2, 5, 10, ... for values of several orders of magnitude: the largest that fit."""
    top = math.floor(math.log10(max(values)))
    steps = [digit * 10.0**power for power in range(top - 3, top + 1) for digit in (1, 2, 5)]
    return [step for step in steps if min(values) < step < max(values)][-(LEVELS - 1) :]


def _ramp(levels: Sequence[float]) -> list[str]:
    """One colour for each interval that the levels cut, the open ends included."""
    return [placeholder(SURFACE + round(i * LEVELS / len(levels))) for i in range(len(levels) + 1)]


def thinned(picture: Picture) -> Picture:
    """The picture with fewer points, for one that is shown small."""
    if picture.get("kind") != "curves":
        return picture
    return {**picture, "curves": [_thin_curve(curve) for curve in picture["curves"]]}


def _thin_curve(curve: Mapping[str, Any]) -> Mapping[str, Any]:
    lengths = {len(curve[name]) for name in ("x", "y", "y_high") if curve.get(name)}
    if len(lengths) != 1:  # drawing it will say what is wrong
        return curve
    chosen = _every(lengths.pop(), FEW_POINTS)
    return {**curve, **{name: [curve[name][i] for i in chosen] for name in ("x", "y", "y_high") if curve.get(name)}}


def _thin(*series: Sequence[float | None]) -> tuple[list[float], ...]:
    """At most MOST_POINTS entries, the same ones of each series, first and last always among them."""
    if len({len(one) for one in series}) != 1:
        raise ValueError("the coordinates of a curve differ in length")
    chosen = _every(len(series[0]), MOST_POINTS)
    return tuple([_number(one[i]) for i in chosen] for one in series)


def _every(count: int, most: int) -> list[int]:
    if count <= most:
        return list(range(count))
    return sorted({round(i * (count - 1) / (most - 1)) for i in range(most)})


def _number(value: Any) -> float:
    """NaN, which leaves a gap, for whatever JSON could not hold as a number."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else math.nan


def _flat(point: Sequence[float]) -> tuple[float, float]:
    """Barycentric to plane coordinates: first corner left, second right, third on top."""
    _, right, top = point
    return right + top / 2, top * math.sqrt(3) / 2


def _power(value: float, _position: int | None = None) -> str:
    exponent = round(math.log10(value)) if value > 0 else 0
    if 0 <= exponent <= 3:
        return f"{value:g}"
    return "10" + superscript(exponent)
