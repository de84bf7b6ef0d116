"""Machine-checked proofs on the page: the Coq statement, its axioms, and what is still a human's judgement."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from mdnn_verify.reporting.html import render
from mdnn_verify.reporting.views import headline
from mdnn_verify.verdicts import CheckResult, Outcome, Status, Verdict, judge

EVIDENCE = {
    "theorems": [
        {
            "name": "kl_nonnegative",
            "statement": "forall p q : R,\n0 <= D p q",
            "doc": "D is never < 0.",
            "axioms": ["Coq.Reals.ClassicalDedekindReals.sig_not_dec"],
            "witness": "0 <= D 1 2",
        },
        {"name": "easy", "statement": "True", "doc": "", "axioms": [], "witness": "True"},
    ],
    "definitions": [{"name": "D", "module": "MDNN.x", "source": "Definition D p q := p - q.", "doc": "A difference."}],
    "checked": "coqchk checked MDNN.x once more",
}


@pytest.fixture
def with_proof(document: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(document)
    check = copy.deepcopy(found["theorems"][0]["checks"][0])
    check |= {"name": "machine_checked", "kind": "formal", "verdict": "PROVED", "evidence": EVIDENCE, "pictures": []}
    found["theorems"][0]["checks"].append(check)
    return found


def test_statement_axioms_and_definitions_are_shown(with_proof: dict[str, Any]) -> None:
    page = render(with_proof)
    assert "kl_nonnegative : forall p q : R,\n0 &lt;= D p q" in page
    assert 'title="Coq.Reals.ClassicalDedekindReals.sig_not_dec">sig_not_dec<' in page
    assert "no axiom" in page
    assert "Definition D p q := p - q." in page
    assert "reader’s judgement" in page


def test_a_proof_that_was_skipped_shows_why(with_proof: dict[str, Any], browser: Any, tmp_path: Path) -> None:
    skipped = {"verdict": "SKIPPED", "evidence": {}, "detail": "Coq is not installed: apt-get install coq"}
    with_proof["theorems"][0]["checks"][-1] |= skipped
    (tmp_path / "index.html").write_text(render(with_proof))
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto((tmp_path / "index.html").as_uri())
    assert "Coq is not installed: apt-get install coq" in page.text_content("body")
    (cell,) = page.locator(".summary td").filter(has_text="skipped").all()
    assert cell.inner_text() == "skipped"
    assert 0 < cell.bounding_box()["x"] < 1280
    page.close()


def test_long_names_break_on_a_narrow_page(with_proof: dict[str, Any], browser: Any, tmp_path: Path) -> None:
    long = "coqchk checked the compiled MDNN.convolution." + "nearest_upsample_is_" * 4 + "transposed_conv once more"
    with_proof["theorems"][0]["checks"][-1]["evidence"] = {**EVIDENCE, "checked": long}
    with_proof["theorems"][0]["id"] = "convolution/nearest_upsample_is_transposed_conv"
    (tmp_path / "index.html").write_text(render(with_proof))
    page = browser.new_page(viewport={"width": 320, "height": 800})
    page.goto((tmp_path / "index.html").as_uri())
    assert long in page.text_content("body")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.close()


def verdict(status: Status) -> CheckResult:
    return CheckResult("a/b", None, "machine_checked", "formal", Verdict(status), 0.1)


@pytest.mark.parametrize(
    ("status", "kinds", "outcome"),
    [
        (Status.PROVED, ("formal",), Outcome.VERIFIED),
        (Status.VERIFIED_WITHIN, ("formal",), Outcome.INCONCLUSIVE),
        (Status.SKIPPED, ("formal",), Outcome.INCONCLUSIVE),
        (Status.SKIPPED, ("formal", "symbolic"), Outcome.VERIFIED),
        (Status.REFUTED, ("formal",), Outcome.REFUTED),
        (Status.ERROR, ("formal", "symbolic"), Outcome.INCONCLUSIVE),
        (Status.INCONCLUSIVE, ("formal", "symbolic"), Outcome.INCONCLUSIVE),
    ],
)
def test_a_missing_proof_assistant_is_no_fault_and_nothing_else_passes(
    status: Status, kinds: tuple[str, ...], outcome: Outcome
) -> None:
    step = CheckResult("a/b", None, "step", "symbolic", Verdict(Status.PROVED), 0.1)
    checks = [verdict(status), step] if "symbolic" in kinds else [verdict(status)]
    assert judge(checks, [], kinds)[0] is outcome


def test_a_run_without_the_proofs_is_a_full_one(document: dict[str, Any]) -> None:
    four = {**document, "run": {**document["run"], "kinds": ["symbolic", "pathwise", "montecarlo", "control"]}}
    three = {**document, "run": {**document["run"], "kinds": ["symbolic", "pathwise", "formal"]}}
    assert "selected kinds" not in headline(four)[1]
    assert "selected kinds" in headline(three)[1]
