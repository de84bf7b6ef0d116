"""Finding theorems: by id, bare name or chapter, from folders, without importing them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mdnn_verify.catalogue import PACKAGE_THEOREMS, Entry, catalogue, load, select
from mdnn_verify.errors import UnknownName, UsageError

SAMPLES = Path(__file__).parent / "theorem_samples" / "outcomes"


@pytest.fixture
def entries() -> dict[str, Entry]:
    return catalogue([SAMPLES])


def test_every_file_of_a_chapter_is_a_theorem_and_nothing_else_is() -> None:
    expected = {
        f"{path.parent.name}/{path.stem}" for path in PACKAGE_THEOREMS.glob("*/*.py") if path.stem != "__init__"
    }
    assert set(catalogue()) == expected


def test_a_further_folder_adds_to_the_package(entries: dict[str, Entry]) -> None:
    assert set(entries) - set(catalogue()) == {f"samples/{path.stem}" for path in SAMPLES.glob("*/*.py")}


@pytest.mark.parametrize("name", ["samples/true_claim", "true_claim", "samples/true_claim/"])
def test_an_id_or_a_unique_bare_name_selects_one(entries: dict[str, Entry], name: str) -> None:
    assert [entry.id for entry in select([name], entries)] == ["samples/true_claim"]


def test_a_chapter_selects_all_of_its_theorems_and_no_name_selects_everything(entries: dict[str, Entry]) -> None:
    assert {entry.chapter for entry in select(["samples"], entries)} == {"samples"}
    assert len(select(["samples"], entries)) == 5
    assert select([], entries) == list(entries.values())


def test_order_and_repetition_of_names_do_not_matter(entries: dict[str, Entry]) -> None:
    names = ["true_claim", "samples/raises", "true_claim"]
    assert (
        select(names, entries)
        == select(names[::-1], entries)
        == [entries["samples/raises"], entries["samples/true_claim"]]
    )


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("true_clam", "samples/true_claim"),
        ("sample", "samples"),
        ("samples/rases", "samples/raises"),
        ("zzz", None),
        ("", None),
    ],
)
def test_an_unknown_name_suggests_the_nearest(entries: dict[str, Entry], name: str, nearest: str | None) -> None:
    with pytest.raises(UnknownName, match="unknown theorem or chapter") as caught:
        select([name], entries)
    assert caught.value.nearest == nearest


def test_a_bare_name_in_two_chapters_is_not_unique(entries: dict[str, Entry]) -> None:
    twin = Entry("other/true_claim", entries["samples/true_claim"].path)
    with pytest.raises(UsageError, match="not unique: other/true_claim, samples/true_claim"):
        select(["true_claim"], {**entries, twin.id: twin})


def test_a_folder_that_is_missing_or_repeats_an_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder of theorems"):
        catalogue([tmp_path / "missing"])
    with pytest.raises(UsageError, match="two files claim the id samples/"):
        catalogue([SAMPLES, SAMPLES])


def test_title_and_source_come_from_the_docstring(tmp_path: Path) -> None:
    path = tmp_path / "chapter" / "name.py"
    path.parent.mkdir()
    path.write_text(
        'r"""A title.\n\nMathematics.\n\nSource: seed 000, Problem 5(a),\n    second line. More words.\n"""\n'
    )
    entry = catalogue([tmp_path])["chapter/name"]
    assert (entry.title, entry.source, entry.chapter) == ("A title", "seed 000, Problem 5(a), second line", "chapter")


@pytest.mark.parametrize("text", ["def broken(:\n", "x = 1\n", "", "\x00"])
def test_a_file_without_a_readable_docstring_is_listed_without_title(tmp_path: Path, text: str) -> None:
    path = tmp_path / "chapter" / "name.py"
    path.parent.mkdir()
    path.write_text(text)
    assert catalogue([tmp_path])["chapter/name"].title == ""


def test_an_edited_file_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "samples" / "edited.py"
    path.parent.mkdir()
    text = (SAMPLES / "samples" / "true_claim.py").read_text()
    path.write_text(text)
    first = load(catalogue([tmp_path])["samples/edited"])
    path.write_text(text.replace("the constant is 2", "the constant is two"))
    names = [control.name for control in load(catalogue([tmp_path])["samples/edited"]).controls]
    assert first.controls[0].name == "the constant is 2"
    assert names[0] == "the constant is two"


def test_listing_imports_no_theorem() -> None:
    code = """
import sys
from mdnn_verify.catalogue import catalogue
titles = [(entry.title, entry.source) for entry in catalogue().values()]
assert titles and all(all(pair) for pair in titles)
assert not {"torch", "sympy", "numpy"} & set(sys.modules)
assert not [name for name in sys.modules if name.startswith("mdnn_verify.theorems.")]
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
