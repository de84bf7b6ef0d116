r"""LaTeX to MathML, docstrings to paragraphs. What comes in is escaped; what cannot be set is shown as written.

math-core raises on commands it does not know. A report must not fail for one formula, so that formula stands there as
code, marked, and ``unset_formulas`` lists all of them for a test to reject.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from markupsafe import Markup, escape
from math_core import LatexError, LatexToMathML

__all__ = ["characters", "display", "formula", "prose", "signs", "unset_formulas"]

INLINE = re.compile(r"\$\$(.+?)\$\$|\$([^\s$](?:[^$]*[^\s$])?)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]|``(.+?)``|`([^`]+)`", re.S)
CLOSING = re.compile(r"(?:-\w+)?[.,;:!?)\]]*")
BREAK = re.compile(r"\\qquad(?![A-Za-z])|\\quad(?![A-Za-z])")
TOKEN = re.compile(r"\\begin\b|\\end\b|\\left\b|\\right\b|\\qquad(?![A-Za-z])|\\quad(?![A-Za-z])|\\.|[{}]", re.S)
SIGNS = {"<=": "\u2264", ">=": "\u2265", "!=": "\u2260", "+-": "\u00b1", "->": "\u2192", "=>": "\u21d2"}
SIGN = re.compile(r"(?<=\s)(?:<=|>=|!=|\+-|->|=>)(?=\s)")
NESTING = {"\\begin": 1, "\\left": 1, "{": 1, "\\end": -1, "\\right": -1, "}": -1}

# browsers set a single letter in <mi> in italics, which are code points of their own
ITALIC = {
    **{chr(ord("A") + i): chr(0x1D434 + i) for i in range(26)},
    **{chr(ord("a") + i): chr(0x1D44E + i) for i in range(26)},
    "h": "\u210e",
    **{chr(0x391 + i): chr(0x1D6E2 + i) for i in range(25)},
    **{chr(0x3B1 + i): chr(0x1D6FC + i) for i in range(25)},
}
INVISIBLE = {"\u2061", "\u2062", "\u2063", "\u2064", "\ufe00", "\ufe01", "\n"}


def formula(latex: str, *, block: bool = False) -> Markup:
    """One ``<math>`` element, or the source as code where math-core refuses it."""
    mathml = _mathml(latex, block)
    if mathml is None:
        return Markup('<code class="tex" title="not set: unknown LaTeX">{}</code>').format(latex)
    return Markup(mathml)


def display(latex: str) -> Markup:
    r"""A displayed statement, cut at its outermost ``\quad`` and ``\qquad`` so that narrow pages can break it there."""
    parts = (part.strip() for part in _parts(latex))
    pieces = [Markup('<span class="piece">{}</span>').format(formula(part, block=True)) for part in parts if part]
    return Markup('<div class="display">{}</div>').format(Markup(" ").join(pieces))


def prose(text: str) -> Markup:
    r"""Paragraphs with ``$...$``, ``\(...\)`` and backticks set; a paragraph that is one ``$$...$$`` is displayed.

    Indented blocks stay as they were written, unless they are one formula.
    """
    return Markup("\n").join(_block(block) for block in _blocks(text))


def signs(text: str) -> str:
    """Comparison signs as they are printed, where spaces set them apart; everything else stays as it was typed."""
    return SIGN.sub(lambda match: SIGNS[match[0]], text)


def unset_formulas(document: Mapping[str, Any]) -> list[str]:
    """Every formula of a run's document that math-core refuses, in order of appearance."""
    found = []
    for theorem in document["theorems"]:
        found += [part for part in map(str.strip, _parts(theorem["statement"])) if part and _mathml(part, True) is None]
        docs = [theorem.get("doc", ""), *(check.get("doc", "") for check in theorem["checks"])]
        latex = (tex for doc in docs for match in INLINE.finditer(doc) if (tex := _tex(match)) is not None)
        found += [tex for tex in latex if _mathml(tex, False) is None]
    return found


def characters(page: str) -> set[str]:
    """Every character that the formulas of an HTML page show, single letters as the italics browsers make of them."""
    shown: set[str] = set()
    for mathml in re.findall(r"<math.*?</math>", page, flags=re.S):
        for attributes, letter in re.findall(r"<mi([^>]*)>([^<])</mi>", mathml):
            shown.add(letter if "mathvariant" in attributes else ITALIC.get(letter, letter))
        shown |= set(html.unescape(re.sub(r"<mi>.</mi>|<[^>]*>", "", mathml)))
    return shown - INVISIBLE


@cache
def _mathml(latex: str, block: bool) -> str | None:
    try:
        return str(_converter().convert_with_local_state(latex, displaystyle=block))
    except LatexError:
        return None


@cache
def _converter() -> LatexToMathML:
    return LatexToMathML(fancy_error=False)


def _parts(latex: str) -> Iterator[str]:
    depth, start = 0, 0
    for match in TOKEN.finditer(latex):
        depth += NESTING.get(match[0], 0)
        if depth == 0 and BREAK.fullmatch(match[0]):
            yield latex[start : match.start()]
            start = match.end()
    yield latex[start:]


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    """(indented, text) of each run of lines that are indented alike; a blank line ends a run."""
    lines: list[str] = []
    indented = False
    for line in [*text.expandtabs().splitlines(), ""]:
        deeper = line.startswith("  ")
        if lines and (not line.strip() or deeper != indented):
            yield indented, "\n".join(lines)
            lines = []
        if line.strip():
            lines.append(line.rstrip())
            indented = deeper


def _block(block: tuple[bool, str]) -> Markup:
    indented, text = block
    match = INLINE.fullmatch(text.strip())
    if match and (tex := _tex(match)) is not None and "$" not in tex and (indented or text.startswith(("$$", r"\["))):
        return display(tex)
    if not indented:
        return Markup("<p>{}</p>").format(_inline(text))
    lines = textwrap.dedent(text).splitlines()
    return Markup("<pre>{}</pre>").format(Markup("").join(Markup("<span>{}</span>").format(line) for line in lines))


def _inline(text: str) -> Markup:
    made, start = Markup(""), 0
    for match in INLINE.finditer(text):
        tex = _tex(match)
        piece = Markup("<code>{}</code>").format(match[5] or match[6]) if tex is None else formula(tex)
        before, opening, end, closing = text[start : match.start()], "", match.end(), ""
        if tex is not None:  # browsers would break the line between a formula and its comma
            opening = before[len(before.rstrip("([")) :]
            closing = found[0] if (found := CLOSING.match(text, end)) else ""
            before, end = before.removesuffix(opening), end + len(closing)
        if opening or closing:
            piece = Markup('<span class="unbroken">{}{}{}</span>').format(opening, piece, closing)
        made += escape(signs(before)) + piece
        start = end
    return made + escape(signs(text[start:]))


def _tex(match: re.Match[str]) -> str | None:
    return next((match[i] for i in (1, 2, 3, 4) if match[i] is not None), None)
