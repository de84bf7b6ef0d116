"""matplotlib's SVG made fit for a page: small, its colours CSS variables, its ids unique.

Text stays text, so it is searchable and takes the page's font. A role's colour is a placeholder until the style sheet
decides, which is how one picture serves light and dark pages.
"""

from __future__ import annotations

import re

from markupsafe import Markup

__all__ = ["BAND", "FAINT", "HEIGHT", "INK", "LEVELS", "LINE", "NAMES", "SURFACE", "WIDTH", "clean", "placeholder"]

WIDTH, HEIGHT = 340, 215  # CSS pixels
LEVELS = 8
INK, FAINT, BAND, SURFACE, LINE = 0, 1, 2, 16, 32
NAMES = {INK: "ink", FAINT: "faint", BAND: "band", **{SURFACE + i: f"s{i}" for i in range(LEVELS + 1)}}
NAMES |= {LINE + i: f"c{i}" for i in range(4)}


# styles that every picture repeats, as classes of the style sheet
SHARED = {
    "font-size:9.5px;text-anchor:middle;fill:var(--fig-ink)": "fm",
    "font-size:9.5px;text-anchor:end;fill:var(--fig-ink)": "fe",
    "font-size:10px;text-anchor:end;fill:var(--fig-ink)": "fl",
    "fill:none;stroke:var(--fig-faint);stroke-width:0.6": "fg",
}


def placeholder(role: int) -> str:
    """The colour that stands for a role until ``clean`` names its CSS variable."""
    return f"#a0b0{role:02x}"


def clean(svg: str, number: int, caption: str, summary: str) -> Markup:
    """matplotlib's SVG without preamble, style sheet, comments and unused ids; coordinates to a tenth of a pixel."""
    body = svg[svg.index("<svg") : svg.rindex("</svg>")]
    body = body[body.index(">") + 1 :]
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.S)
    used = set(re.findall(r"#([\w-]+)[\")]", body))
    body = re.sub(r' id="([^"]+)"', lambda m: f' id="f{number}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r"xlink:href=\"#|url\(#", lambda m: m[0].removeprefix("xlink:") + f"f{number}-", body)
    body = re.sub(r"<[^>]*>", lambda m: _shorter(m[0]), re.sub(r"\s+", " ", body))
    body = re.sub(r'<path d="[^"]*" style="fill:none"/>|<defs></defs>', "", body.replace("> <", "><"))
    body = _unwrapped(body)
    for style, name in SHARED.items():
        body = re.sub(
            rf' clip-path="[^"]*" style="{re.escape(style)}"| style="{re.escape(style)}"', f' class="{name}"', body
        )
    title, desc = f"f{number}-title", f"f{number}-desc"
    start = Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-labelledby="{} {}"><title id="{}">{}</title><desc id="{}">{}</desc>'
    ).format(WIDTH, HEIGHT, title, desc, title, caption, desc, summary)
    return start + Markup(body) + Markup("</svg>")


def _unwrapped(body: str) -> str:
    """Without the groups that have no attribute: they change nothing."""
    kept: list[bool] = []
    parts = []
    for part in re.split(r"(</?g\b[^>]*>)", body):
        if part.startswith("<g"):
            kept.append(part != "<g>")
            parts.append(part if kept[-1] else "")
        elif part == "</g>":
            parts.append(part if kept.pop() else "")
        else:
            parts.append(part)
    return "".join(parts)


def _shorter(tag: str) -> str:
    """One tag of the SVG: coordinates to a tenth, the page's font, colours by name."""
    tag = re.sub(r"-?\d+\.\d{2,}", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), tag)
    tag = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", tag)
    tag = re.sub(r"; font-family: [^;\"]*", "", tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"|; stroke-dashoffset: 0|; stroke-linecap: square', "", tag)
    tag = re.sub(r"#a0b0([0-9a-f]{2})", lambda m: f"var(--fig-{NAMES[int(m[1], 16)]})", tag)
    return re.sub(r" ([LMCQz]) ?", r"\1", tag.replace(": ", ":").replace("; ", ";"))
