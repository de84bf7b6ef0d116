"""Formulas, docstrings, and the font that shows them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fontTools.ttLib import TTFont

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.reporting.formulas import characters, display, formula, prose, signs, unset_formulas
from mdnn_verify.reporting.html import FONT, render


@pytest.fixture(scope="module")
def font() -> TTFont:
    return TTFont(FONT)


@pytest.fixture(scope="module")
def real_formulas() -> str:
    """Every statement and every docstring of the package's theorems."""
    pieces = []
    for entry in catalogue().values():
        theorem = load(entry)
        pieces += [display(theorem.statement), prose(entry.doc), *(prose(check.doc) for check in theorem.checks)]
    return "\n".join(pieces)


def test_font_has_every_character_of_every_formula(font: TTFont, fixtures: Any, real_formulas: str) -> None:
    known = {chr(point) for point in font.getBestCmap()}
    assert characters(render(fixtures.document())) - known == set()
    assert characters(real_formulas) - known == set()


def test_a_missing_character_would_be_seen(font: TTFont) -> None:
    assert characters(display(r"\text{水}")) - {chr(point) for point in font.getBestCmap()} == {"水"}


def test_single_letters_count_as_the_italics_browsers_make_of_them() -> None:
    assert characters(formula("xh")) == {"𝑥", "\u210e"}
    assert characters(formula(r"\mathrm{d}")) == {"d"}


def test_font_can_stretch_and_is_small(font: TTFont) -> None:
    assert "MATH" in font
    assert FONT.stat().st_size < 200_000
    assert "OPEN FONT LICENSE" in FONT.with_name("OFL.txt").read_text()
    assert "STIX" not in str(font["name"].getDebugName(1))


def test_every_formula_of_every_theorem_is_set(real_formulas: str) -> None:
    assert "<math" in real_formulas
    assert 'class="tex"' not in real_formulas


def test_unknown_commands_stand_as_code_and_are_listed(document: dict[str, Any]) -> None:
    assert unset_formulas(document) == []
    document["theorems"][0]["statement"] = r"x \quad \nonsense{<b>}"
    document["theorems"][1]["checks"][0]["doc"] = r"Some $\frac$ here."
    assert unset_formulas(document) == [r"\nonsense{<b>}", r"\frac"]
    assert formula(r"\nonsense{<b>}").endswith(r"\nonsense{&lt;b&gt;}</code>")


def test_statements_are_cut_only_at_their_outermost_spaces() -> None:
    assert display(r"a\qquad{b\quad c}\quad\left(d\quad e\right)").count('class="piece"') == 3
    assert display(r"\begin{aligned}a&=b\quad c\end{aligned}").count('class="piece"') == 1
    assert display(r"\text{a}\\quad").count("<math") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One\nline.", "<p>One\nline.</p>"),
        ("One.\n\nTwo.", "<p>One.</p>\n<p>Two.</p>"),
        (
            "So\n\n    a < b\n      c\n\nit is.",
            "<p>So</p>\n<pre><span>a &lt; b</span><span>  c</span></pre>\n<p>it is.</p>",
        ),
        ("Costs $ 5 and $ 6.", "<p>Costs $ 5 and $ 6.</p>"),
        ("`a <= b` and n >= 2", "<p><code>a &lt;= b</code> and n ≥ 2</p>"),
        ("<img src=x>", "<p>&lt;img src=x&gt;</p>"),
        ("", ""),
    ],
)
def test_prose(text: str, expected: str) -> None:
    assert prose(text) == expected


def test_prose_sets_formulas_inline_and_displayed() -> None:
    assert prose(r"For $x$ and \(y\).").count("<math") == 2
    assert '<div class="display">' in prose("So\n\n    $$x^2$$")
    assert prose("So\n\n$$a \\quad b,$$\n\nend.").count('class="piece"') == 2
    assert '<div class="display">' not in prose("So $$x$$ and\n\n$$x$$ = $$y$$")


def test_a_formula_stays_with_its_punctuation() -> None:
    page = prose("Both ($x$, the first), and the $i$-th; `f` (`g`). At $n$ 3.")
    inside = re.findall(r'<span class="unbroken">(.)?<math.*?</math>(.*?)</span>', page, re.S)
    assert inside == [("(", ","), ("", "-th;")]


def test_text_in_formulas_is_escaped() -> None:
    assert "<script" not in formula(r"\text{<script>alert(1)</script>}")


def test_signs_only_between_spaces() -> None:
    assert signs("a <= b, c<=d, 1 +- 2, ->") == "a ≤ b, c<=d, 1 ± 2, ->"
