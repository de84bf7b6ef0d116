"""A reader's word on fidelity: kept, shown, lapsed when the text changes, refused when it says nothing."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import mdnn_verify.reporting.json as run_json
from mdnn_verify.cli import main
from mdnn_verify.errors import UsageError
from mdnn_verify.reporting import fidelity
from mdnn_verify.reporting.html import extras, render

COQ = {
    "theorems": [{"name": "t", "statement": "0 <= 1", "doc": "", "axioms": [], "witness": "0 <= 1"}],
    "definitions": [{"name": "D", "module": "M", "source": "Definition D := 1.", "doc": ""}],
    "checked": "",
}


@pytest.fixture
def theorem(document: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(document["theorems"][0])


def with_coq(theorem: dict[str, Any], evidence: dict[str, Any]) -> dict[str, Any]:
    check = {**theorem["checks"][0], "name": "machine_checked", "kind": "formal", "evidence": evidence}
    return {**theorem, "checks": [*theorem["checks"], check]}


def judged(theorem: dict[str, Any], faithful: bool = True, note: str = "") -> dict[str, fidelity.Judgement]:
    return {theorem["id"]: fidelity.judged(theorem, faithful=faithful, by="A. Reader", date="2026-11-21", note=note)}


def words(theorem: dict[str, Any], judgements: dict[str, fidelity.Judgement]) -> str:
    return fidelity.standing(theorem, judgements).words


def test_it_holds_for_the_text_that_was_read_and_for_no_other(theorem: dict[str, Any]) -> None:
    full = with_coq(theorem, COQ)
    found = judged(full)
    assert words(full, {}) == "not judged"
    assert words(full, found) == "faithful"
    assert words({**full, "statement": full["statement"] + "+1"}, found) == "text has changed"
    assert words({**full, "source": "seed 000, Problem 1"}, found) == "text has changed"
    assert words({**full, "verdict": "refuted", "seconds": 7.0}, found) == "faithful"
    for part, name, text in (("theorems", "statement", "0 <= 2"), ("definitions", "source", "Definition D := 2.")):
        other = copy.deepcopy(COQ)
        other[part][0][name] = text  # type: ignore[index]
        assert words(with_coq(theorem, other), found) == "text has changed"


def test_who_saw_no_coq_statement_has_not_judged_it(theorem: dict[str, Any]) -> None:
    skipped = with_coq(theorem, {})
    found = judged(skipped)
    assert words(skipped, found) == "faithful"
    assert words(with_coq(theorem, COQ), found) == "Coq not judged"
    assert words(skipped, judged(with_coq(theorem, COQ))) == "faithful"


def test_an_unfaithful_statement_is_red_and_says_why(document: dict[str, Any], theorem: dict[str, Any]) -> None:
    found = judged(theorem, faithful=False, note="n = 1 is <left> out")
    assert fidelity.standing(theorem, found).state == "bad"
    page = render({**document, "theorems": [theorem]}, beside=extras(Path("nowhere")))
    assert "n = 1 is" not in page
    beside = extras(Path("nowhere")).__class__(judgements=found)
    page = render({**document, "theorems": [theorem]}, beside=beside)
    assert "Fidelity: not faithful (A. Reader, 2026-11-21: n = 1 is &lt;left&gt; out)" in page
    assert '<td class="cell bad"' in page


def test_a_judgement_names_its_author_and_a_refusal_its_reason(theorem: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="name of whoever"):
        fidelity.judged(theorem, faithful=True, by=" ", date="2026-11-21")
    with pytest.raises(UsageError, match="in what it differs"):
        fidelity.judged(theorem, faithful=False, by="A. Reader", date="2026-11-21")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "does not hold judgements"),
        ('{"schema": 2, "judgements": {}}', "has schema 2"),
        ('{"schema": 1, "judgements": {"a/b": {"by": "x"}}}', "does not hold judgements"),
        (
            '{"schema": 1, "judgements": {"a/b": {"faithful": "no", "by": "x", "date": "", "note": "", "statement": "",'
            ' "formal": null}}}',
            "must be true or false",
        ),
        ("[]", "does not hold judgements"),
    ],
)
def test_a_damaged_file_is_named_and_costs_no_page(
    document: dict[str, Any], tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "fidelity.json").write_text(text)
    with pytest.raises(UsageError, match=f"fidelity.json.*{told}|{told}"):
        fidelity.read(tmp_path)
    page = render(document, beside=extras(tmp_path))
    assert "fidelity.json" in page
    assert 'class="cell ok"' in page


def test_the_command_keeps_shows_and_refuses(
    document: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_json.write(document, tmp_path / "run.json")
    identifier = document["theorems"][0]["id"]
    at = ["--reports", str(tmp_path)]
    said = ["fidelity", identifier.split("/")[1], "--faithful", "--by", "A. Reader"]
    assert main([*said, *at]) == 0
    assert json.loads((tmp_path / "fidelity.json").read_text())["judgements"][identifier]["by"] == "A. Reader"
    assert "Fidelity: faithful (A. Reader, " in (tmp_path / "index.html").read_text()
    capsys.readouterr()
    assert main(["fidelity", *at]) == 0
    listed = capsys.readouterr().out
    assert listed.count("faithful") == 1
    assert listed.count("not judged") == len(document["theorems"]) - 1
    before = (tmp_path / "fidelity.json").read_text()
    for wrong in (
        ["nobody", "--faithful", "--by", "x"],
        [identifier, "--by", "x"],
        [identifier, "--faithful"],
        ["--by", "x"],
    ):
        assert main(["fidelity", *wrong, *at]) == 2
    assert main([*said, "--reports", str(tmp_path / "elsewhere")]) == 2
    assert (tmp_path / "fidelity.json").read_text() == before
