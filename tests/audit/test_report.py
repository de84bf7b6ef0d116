"""The pages of an audit: everything is on them, escaped, in words and not by colour alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from mdnn_verify.reporting import audits
from mdnn_verify.reporting.errata import errata, one_formula, prosaic

NASTY = "<script>alert(1)</script>"
LINE = {
    "name": "a", "latex": "x^2", "relation": "", "reason": "", "finding": "GIVEN", "engine": "", "scope": "",
    "counterexample": "", "world": None, "code": "", "detail": "", "note": "", "correction": "", "correction_scope": "",
}  # fmt: skip


def line(finding: str, **more: Any) -> dict[str, Any]:
    return {**LINE, "finding": finding, **more}


@pytest.fixture
def document() -> dict[str, Any]:
    found = [
        LINE,
        line("FOLLOWS", relation="=", engine="SymPy", scope="all x", reason="$x^2$ " + NASTY),
        line("DOES NOT FOLLOW", relation="<=", counterexample="with x = 2: 2 < 1", world=3, code="show", latex="y|z|",
             note=r"$\|x\|$ is lost", detail="judged", correction=r"\{z\}", correction_scope="SymPy: all z"),
        line("GAP", relation="iff", detail="true if $p>0$, which is not stated"),
        line("ILLEGIBLE", latex=r"\frac{ a", note="garbled"),
        line("UNDECIDED", relation="holds", detail="took more than 1 s"),
    ]  # fmt: skip
    record = {
        "file": "f.py",
        "title": NASTY,
        "source": "notes, page 2",
        "statement": r"\unknown",
        "lines": found,
        "seconds": 1.0,
    }
    other = {**record, "title": "second", "source": "", "lines": [LINE, line("FOLLOWS", relation="=")]}
    return audits.document(audits.Info(datetime.now(UTC), 60.0, "mdnn-verify audit"), [record, other], 2, 1.0)


class Structure(HTMLParser):
    """Raises for tags that are not closed in order."""

    VOID = frozenset({"meta", "br", "use", "path", "circle", "link", "input", "img", "mspace"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name == "href" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def parsed(page: str) -> Structure:
    found = Structure()
    found.feed(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    return found


def test_the_page_shows_every_line(document: dict[str, Any]) -> None:
    page = audits.page(document)
    structure = parsed(page)
    assert {f"d1-{n}" for n in range(1, 7)} | {"d2-1", "d2-2"} <= set(structure.ids)
    for finding in audits.FINDINGS:
        assert re.search(rf"#icon-\w+\"/></svg>{finding.lower()}</span>", page), finding
    assert "SymPy: all x" in page
    assert "with x = 2: 2 &lt; 1" in page
    assert "Follows · SymPy: all z" in page
    assert page.count("<math") >= 10


@pytest.mark.parametrize("render", [audits.page, audits.errata_page])
def test_pages_are_closed_escaped_and_alone(document: dict[str, Any], render: Any) -> None:
    page = render(document)
    structure = parsed(page)
    assert NASTY not in page
    assert all(link[1:] in structure.ids for link in structure.links if link.startswith("#"))
    assert {link for link in structure.links if not link.startswith("#")} <= {
        "errata.html", "audit.html", "audit.html#d1-3", "audit.html#d1-4", "audit.html#d1-5",
    }  # fmt: skip
    assert "http" not in re.sub(r"http-equiv|http://www\.w3\.org/\S+", "", page)
    assert 'href="index.html"' in render(document, report=True)


def test_the_errata_have_three_parts(document: dict[str, Any]) -> None:
    found = errata(document)
    assert {heading: len(entries) for heading, (_, entries) in found.items()} == {
        "Errors": 1, "Gaps": 1, "Illegible places": 1,
    }  # fmt: skip
    (entry,) = found["Errors"][1]
    assert (entry.document, entry.problem, entry.number) == ("notes", "page 2", 3)
    assert entry.wrong == r"$\|x\|$ is lost. Judged."
    page = audits.errata_page(document)
    for text in ("Notes, page 2, line 3 of", "with x = 2: 2 &lt; 1", "Gaps", "Illegible places"):
        assert text in page


def test_markdown_keeps_formulas_from_markdown(document: dict[str, Any]) -> None:
    text = audits.markdown(document)
    assert r"$y\vert z\vert$" in text
    assert r"$\Vert x\Vert$ is lost" in text
    assert r"- Corrected: $\lbrace z\rbrace$" in text
    assert text.count("\n## ") == 3
    assert text == audits.markdown({**document, "seconds": 99, "started": "another time"})


def test_an_audit_without_faults_says_so(document: dict[str, Any]) -> None:
    good = {**document, "derivations": document["derivations"][1:], "summary": dict.fromkeys(audits.FINDINGS, 0)}
    assert audits.errata_page(good).count("<p>None.</p>") == 3
    assert audits.markdown(good).count("None.") == 3
    assert audits.exit_status(good) == 0


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"x\text{ if $y$ is}", r"x\text{ if }y\text{ is}"),
        (r"\text{$a_{1}$ and $\mathrm{b}$}+c", r"a_{1}\text{ and }\mathrm{b}+c"),
        (r"\text{as is}", r"\text{as is}"),
        (r"\textbf{x}\text{", r"\textbf{x}"),
    ],
)
def test_formulas_within_text_are_taken_out(latex: str, plain: str) -> None:
    assert one_formula(latex) == plain


def test_names_of_code_between_formulas() -> None:
    assert prosaic(r"\texttt{a\_b} is $\texttt{c}$") == r"`a_b` is $\texttt{c}$"


def test_a_letter_that_stands_for_something_is_not_made_a_capital(document: dict[str, Any]) -> None:
    document["derivations"][0]["lines"][2]["note"] = "f is convex"
    (entry,) = errata(document)["Errors"][1]
    assert entry.wrong == "f is convex. Judged."


@pytest.mark.parametrize(
    ("finding", "status"), [("DOES NOT FOLLOW", 1), ("GAP", 3), ("ILLEGIBLE", 3), ("UNDECIDED", 3), ("FOLLOWS", 0)]
)
def test_the_exit_status(finding: str, status: int) -> None:
    assert audits.exit_status({"summary": {f: int(f == finding) for f in audits.FINDINGS}}) == status
