"""The transcriptions of the seeds' derivations: complete, legible, and every accusation with all it must carry."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from mdnn_verify.audit import load
from mdnn_verify.reporting import audits
from mdnn_verify.reporting.errata import one_formula, prosaic
from mdnn_verify.reporting.formulas import INLINE, _mathml, _parts, _tex

ROOT = Path(__file__).parents[2]
WANTED = {
    "000": ("1", "2", "3", "4(a)", "4(b)", "5", "6"),
    "001": ("3", "4(a)", "4(b)", "5", "6"),
    "002": ("1(a)", "1(b)", "1(c)", "2(a)", "2(b)", "2(c)", "4(a)", "4(b)"),
    "003": ("3", "4(a)", "4(b)", "5", "6"),
}
BEGINS = {
    "=": r"=",
    "<=": r"\\leq?(?![A-Za-z])",
    ">=": r"\\geq?(?![A-Za-z])",
    "<": r"<",
    ">": r">",
    "iff": r"\\(iff|(Long)?[Ll]eftrightarrow)(?![A-Za-z])",
    "implies": r"\\(implies|(Long)?[Rr]ightarrow)(?![A-Za-z])",
    "subset": r"\\subset",
}


def lines(document: dict[str, Any], *findings: str) -> list[tuple[str, dict[str, Any]]]:
    """(where, line) for the lines with these findings."""
    return [
        (f"{record['file']} {line['name']}", line)
        for record in document["derivations"]
        for line in record["lines"]
        if not findings or line["finding"] in findings
    ]


@pytest.mark.parametrize(("seed", "problem"), [(seed, problem) for seed, ps in WANTED.items() for problem in ps])
def test_the_problem_is_transcribed(seeds: dict[str, Any], seed: str, problem: str) -> None:
    source = re.compile(rf"seed {seed}, Problem {re.escape(problem)}(?![\w(])")
    assert any(source.match(record["source"]) for record in seeds["derivations"])


def test_every_line_is_decided(seeds: dict[str, Any]) -> None:
    assert [where for where, _ in lines(seeds, "UNDECIDED")] == []


def test_an_accusation_carries_numbers_a_note_and_a_correction(seeds: dict[str, Any]) -> None:
    accused = lines(seeds, "DOES NOT FOLLOW")
    assert len(accused) >= 10
    bare = [where for where, line in accused if not (line["note"] and line["correction"] and line["code"])]
    assert bare == []
    assert [where for where, line in accused if not re.search(r"\d", line["counterexample"])] == []


def test_a_gap_and_a_garbled_place_say_what_is_the_matter(seeds: dict[str, Any]) -> None:
    assert [where for where, line in lines(seeds, "GAP", "ILLEGIBLE") if not line["note"]] == []
    assert [where for where, line in lines(seeds, "GAP") if not line["counterexample"]] == []


def test_what_is_pasted_shows_two_different_sides(seeds: dict[str, Any]) -> None:
    for where, line in lines(seeds, "DOES NOT FOLLOW"):
        module, name = re.match(r"from (\S+) import (\w+)\n", line["code"]).groups()
        derivation = load(ROOT / (module.replace(".", "/") + ".py"), name)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            derivation.show(line["name"], line["world"])
        shown = dict(
            re.findall(r"^(line before|this line|corrected line): +(.*(?:\n .*)*)", output.getvalue(), flags=re.M)
        )
        assert shown["this line"] != shown.get("line before", shown["corrected line"]), where


def test_a_printed_relation_is_the_one_that_is_judged(seeds: dict[str, Any]) -> None:
    for where, line in lines(seeds):
        for relation, sign in BEGINS.items():
            if line["relation"] and re.match(rf"(\\left\()?\s*({sign})", line["latex"]):
                assert line["relation"] == relation, where


def test_every_formula_can_be_set(seeds: dict[str, Any]) -> None:
    """What is garbled need not."""
    refused = [(record["file"], text) for record in seeds["derivations"] for text in unset(record["statement"], True)]
    for where, line in lines(seeds):
        printed = ("correction",) if line["finding"] == "ILLEGIBLE" else ("latex", "correction")
        refused += [(where, text) for field in printed for text in unset(line[field], True)]
        refused += [(where, text) for field in ("reason", "note", "detail") for text in unset(line[field], False)]
    assert refused == []


def test_no_latex_stands_outside_formulas(seeds: dict[str, Any]) -> None:
    prose = [(where, prosaic(line[field])) for where, line in lines(seeds) for field in ("note", "reason", "detail")]
    assert [(where, text) for where, text in prose if "\\" in re.sub(r"\$[^$]*\$|`[^`]*`", "", text)] == []


def unset(text: str, formula: bool) -> list[str]:
    """The formulas in a text, or the text as one, that cannot be set."""
    if formula:
        return [part for part in map(str.strip, _parts(one_formula(text))) if part and _mathml(part, True) is None]
    return [
        tex
        for match in INLINE.finditer(prosaic(text))
        if (tex := _tex(match)) is not None and _mathml(tex, False) is None
    ]


def test_the_errata_in_the_documentation_are_what_the_command_writes(seeds: dict[str, Any]) -> None:
    assert (ROOT / "docs" / "errata.md").read_text(encoding="utf-8") == audits.markdown(seeds)
