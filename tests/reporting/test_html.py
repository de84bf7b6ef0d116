"""The page without a browser: content, words, size, speed, files."""

from __future__ import annotations

import copy
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import html5lib
import pytest

from mdnn_verify.errors import UsageError
from mdnn_verify.reporting import views
from mdnn_verify.reporting.html import Gallery, body_of, render, write_report


def test_page_is_valid_html(document: dict[str, Any]) -> None:
    html5lib.HTMLParser(strict=False, namespaceHTMLElements=False).parse(render(document))
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    parser.parse(render(document, document))
    assert [str(error) for error in parser.errors] == []


def test_strings_of_users_are_escaped(fixtures: Any) -> None:
    page = render(fixtures.hostile_document(), fixtures.hostile_document())
    assert page.count("<script>window.hacked") == 0
    assert "<img" not in page
    assert "&lt;script&gt;window.hacked" in page


def test_every_check_control_scope_and_counterexample_is_there(document: dict[str, Any]) -> None:
    page = render(document)
    for theorem in document["theorems"]:
        assert f'id="{theorem["id"]}"' in page
        assert views.reproduce(theorem["id"], document["run"]) in page
        for check in theorem["checks"]:
            assert f'id="{theorem["id"]}/{check["name"]}"' in page
        for control in theorem["controls"]:
            assert control["name"] in page
    assert "f = N(0, 1), g = N(0, 4)" in page
    assert "all O with n ≤ 5, s and t undefined functions" in page
    assert page.count("not judged") >= len(document["theorems"])


def test_controls_that_nothing_refutes_are_called_so(document: dict[str, Any]) -> None:
    page = render(document)
    assert page.count("not refuted</span>") == 1
    assert "every check accepted this false neighbour" in page


def headline_of(document: dict[str, Any], *verdicts: str, **run: Any) -> tuple[str, str]:
    theorems = [{**document["theorems"][0], "verdict": verdict} for verdict in verdicts]
    return views.headline({"run": {**document["run"], **run}, "theorems": theorems})


def test_headline_never_says_more_than_was_found(document: dict[str, Any]) -> None:
    assert headline_of(document, "verified", "verified") == ("verified", "All 2 statements are verified")
    assert headline_of(document, "verified") == ("verified", "1 statement is verified")
    assert headline_of(document, "verified", "refuted")[0] == "refuted"
    assert headline_of(document, "verified", "inconclusive")[0] == "inconclusive"
    assert headline_of(document) == ("inconclusive", "Nothing was checked")
    assert "selected kinds" in headline_of(document, "verified", kinds=["symbolic"])[1]
    assert "does not cover everything" in render({**document, "run": {**document["run"], "complete": False}})


def test_a_verified_check_of_the_proof_kind_is_no_proof(document: dict[str, Any]) -> None:
    theorem = document["theorems"][0]
    assert views.column(theorem, "symbolic").state == "ok"
    theorem["checks"][1]["verdict"] = "VERIFIED_WITHIN"
    assert (views.column(theorem, "symbolic").good, views.column(theorem, "symbolic").state) == (1, "open")
    theorem["checks"][1]["verdict"] = "REFUTED"
    assert views.column(theorem, "symbolic").state == "bad"
    theorem["controls"][0]["verdict"] = "VERIFIED_WITHIN"
    assert views.column(theorem, "control").state == "bad"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (188416, "188\u202f416"),
        (1e-6, "10⁻⁶"),
        (-2.5e-12, "−2.5 × 10⁻¹²"),
        (0.5, "0.5"),
        (None, "–"),
        ("inf", "inf"),
        (True, "True"),
    ],
)
def test_numbers(value: Any, shown: str) -> None:
    assert views.exact(value) == shown


def test_dates_name_their_zone() -> None:
    assert views.moment("2026-11-21T05:00:00+00:00") == "2026-11-21 05:00 UTC"
    assert views.moment("2026-11-21T05:00:00+02:00") == "2026-11-21 05:00 UTC+02:00"
    assert views.moment("yesterday") == "yesterday"


def test_title_and_bare_source_are_not_repeated() -> None:
    doc = "A title.\n\nWords.\n\nSource: seed 000, Problem 3."
    assert body_of(doc, "A title", "seed 000, Problem 3") == "Words."
    assert "a note" in body_of(doc + " And a note.", "A title", "seed 000, Problem 3")
    assert body_of("Other words.", "A title", "") == "Other words."


def test_large_run_stays_small_and_quick(fixtures: Any) -> None:
    document = fixtures.large_document()
    start = time.process_time()
    page = render(document)
    assert time.process_time() - start < 8
    assert len(page.encode()) < 2_000_000
    assert sum(len(theorem["controls"]) for theorem in document["theorems"]) == 60
    assert page.count('viewBox="0 0 340 215"') == 24  # of theorems and checks; neighbours are told in words
    assert "left out to keep this page small" not in page


def test_pictures_beyond_the_budget_are_named_not_drawn(fixtures: Any) -> None:
    gallery = Gallery(budget=10)
    assert not isinstance(gallery.draw(fixtures.steps()), str)
    assert "in the JSON document" in str(gallery.draw(fixtures.steps()))


def test_a_picture_that_cannot_be_drawn_does_not_cost_the_report(document: dict[str, Any]) -> None:
    document["theorems"][0]["pictures"] = [{"kind": "pie", "caption": "A pie"}]
    assert "could not be drawn" in render(document)


def test_an_old_document_without_newer_fields_still_renders(document: dict[str, Any]) -> None:
    for key in ("complete", "kinds"):
        del document["run"][key]
    assert "<!doctype html>" in render(document)


def test_difference_is_shown(document: dict[str, Any]) -> None:
    previous = copy.deepcopy(document)
    previous["theorems"][1]["verdict"] = "verified"
    assert "Since the earlier run" not in render(document)
    assert "Verdicts that changed" in render(document, previous)
    assert "are the same" in render(document, document)


def test_writing_is_all_or_nothing(document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "index.html"
    write_report(document, path)
    before = path.read_bytes()

    def broken(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(UsageError, match="No space left"):
        write_report({**document, "theorems": []}, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_unwritable_folder_is_named(document: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write the report to"):
        write_report(document, tmp_path / "file" / "index.html")


def test_matplotlib_is_imported_only_when_there_is_a_picture() -> None:
    code = "import sys; import mdnn_verify.reporting.html; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_script_stays_short() -> None:
    script = Path(views.__file__).parent / "templates" / "script.js"
    assert len(script.read_text().splitlines()) < 200
