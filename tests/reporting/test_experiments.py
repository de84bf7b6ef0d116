"""Experiments on the page: grouped by like terms, labelled, small; nothing damaged costs the report."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import html5lib
import pytest

from mdnn_verify.anomaly import embedded
from mdnn_verify.anomaly.base import Settings
from mdnn_verify.anomaly.experiment import Experiment
from mdnn_verify.anomaly.flow1d_experiment import Flow1dExperiment
from mdnn_verify.reporting import experiment_words, experiments
from mdnn_verify.reporting.html import Extras, render, write_report

MNIST = {"name": "MNIST against KMNIST", "embedded": False, "source": "a folder", "sha256": "a" * 64}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return Experiment("pca", embedded.load()).run(
        Settings(), lambda _: None, command="mdnn-verify anomaly pca --seed 0"
    )


def variant(document: dict[str, Any], data: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    changed = {**copy.deepcopy(document), **changes}
    changed["data"] |= data or {}
    return changed


def of(*documents: dict[str, Any]) -> str:
    return render(None, beside=Extras(experiments.Section(experiments.grouped(documents), ())))


def noisy(document: dict[str, Any]) -> dict[str, Any]:
    """With images of 28 x 28 pixels that no PNG makes smaller, and long curves."""
    noise = random.Random(0)
    image = noise.randbytes(784).hex()
    tiles = [{"images": [image, image], "caption": "12.3"} for _ in range(8)]
    grid = {"kind": "images", "caption": "x", "height": 28, "width": 28, "columns": 8, "tiles": tiles}
    return variant(document, MNIST, pictures=[*document["pictures"][:2], *[grid | {"row_labels": ["a", "b"]}] * 3])


def test_unlike_terms_are_not_put_together(made: dict[str, Any]) -> None:
    documents = [
        made,
        variant(made, seed=1),
        variant(made, trained=False),
        variant(made, device="cuda"),
        variant(made, own_epochs=False, epochs=3),
        variant(made, MNIST),
        variant(made, {**MNIST, "sha256": "b" * 64}),
    ]
    mnist, other, stand_in = experiments.grouped(reversed(documents))
    assert (mnist.name, other.name, stand_in.embedded) == (MNIST["name"], MNIST["name"], True)
    assert mnist.anchor != other.anchor
    titles = {group.title: [document["seed"] for document in group.documents] for group in stand_in.groups}
    assert titles == {
        "PCA reconstruction": [0, 1],
        "PCA reconstruction (cuda)": [0],
        "PCA reconstruction (3 epochs)": [0],
        "PCA reconstruction (loaded model)": [0],
    }


def test_stand_in_data_are_labelled_and_come_last(made: dict[str, Any]) -> None:
    page = of(made, variant(made, MNIST))
    assert page.index("MNIST against KMNIST") < page.index("Embedded stand-in data.")
    assert "Embedded stand-in data." not in of(variant(made, MNIST))


def test_median_range_and_hull() -> None:
    values = [{"estimate": x, "low": x - 0.001, "high": x + 0.002} for x in (0.011, 0.009, 0.01)]
    cell = experiment_words.cell(values)
    assert experiment_words.lines(cell, experiment_words.hundredfold) == ["1.00", "0.90 – 1.10", "[0.80, 1.30]"]
    assert experiment_words.lines(experiment_words.cell([0.5]), experiment_words.hundredfold) == ["50.00"]
    assert experiment_words.lines(experiment_words.cell([0.5, None]), experiment_words.hundredfold) == ["–"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.9943, "0.9943"), (0.99989, "0.99989"), (0.9999931, "0.9999931"), (1.0, "1.0000"), (0.5, "0.5000")],
)
def test_areas_are_told_from_one(value: float, shown: str) -> None:
    assert experiment_words.area(value) == shown


def test_seeds_in_words(made: dict[str, Any]) -> None:
    def words(*seeds: int) -> str:
        return experiments.Group(tuple(variant(made, seed=seed) for seed in seeds)).seeds

    assert (words(0, 1, 2, 3, 4), words(0, 3), words(7), words(0, 1, 3)) == ("0 to 4", "0, 3", "7", "0, 1, 3")


def test_seeds_of_different_programs_are_said_to_be(made: dict[str, Any]) -> None:
    assert "not all run by the same version" not in of(made, variant(made, seed=1))
    assert "not all run by the same version" in of(made, variant(made, seed=1, sources="another"))


def test_the_seeds_numbers_stand_under_their_method(made: dict[str, Any]) -> None:
    seed = {"source": "seed 001", "type_i": 0.0104, "type_ii": 0.0295, "threshold": 0.0329, "convention": "mean over pixels",
            "train_seconds": 26.8, "epochs": 10}  # fmt: skip
    page = of(variant(made, MNIST, published=[seed]))
    row = page[page.index("seed 001, as published") :]
    assert row.index("1.04") < row.index("2.95") < row.index("26.8 s")
    assert "0.0329, mean over pixels" in page


def test_a_page_without_a_run_speaks_of_no_theorem(made: dict[str, Any]) -> None:
    page = of(made)
    assert "<h1>Anomaly detection.</h1>" in page
    assert "Nothing was checked" not in page
    assert 'id="theorems"' not in page
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    parser.parse(page)
    assert [str(error) for error in parser.errors] == []


def test_a_page_of_everything_is_valid_and_links_its_parts(made: dict[str, Any], document: dict[str, Any]) -> None:
    beside = Extras(experiments.Section(experiments.grouped([made]), ()), fault="the benchmarks are damaged")
    page = render(document, document, beside)
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    parser.parse(page)
    assert [str(error) for error in parser.errors] == []
    assert all(f'<a href="#{name}">' in page for name in ("summary", "theorems", "anomaly"))
    assert "the benchmarks are damaged" in page


def test_five_methods_of_five_seeds_stay_under_two_megabytes(made: dict[str, Any]) -> None:
    large = noisy(made)
    names = ("autoencoder", "flow", "pca", "mahalanobis", "flow1d")
    page = of(*(variant(large, method=name, title=name, seed=seed) for name in names for seed in range(5)))
    assert len(page.encode()) < 2_000_000
    assert page.count("<image ") == 5 * 3 * 16, "the pictures of one seed each"
    assert "left out to keep this page small" not in page


def test_beyond_its_budget_pictures_are_named_not_drawn(made: dict[str, Any]) -> None:
    large = noisy(made)
    page = of(*(variant(large, {"sha256": f"{i:064x}"}) for i in range(30)))
    assert len(page.encode()) < 2_000_000
    assert "left out to keep this page small" in page


def test_files_are_read_or_named(made: dict[str, Any], tmp_path: Path) -> None:
    assert experiments.section(tmp_path) is None
    assert experiments.section(tmp_path / "missing") is None
    (tmp_path / "good.json").write_text(json.dumps(made))
    (tmp_path / "old.json").write_text(json.dumps({**made, "schema": 7}))
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    for name in made:
        if name not in ("losses", "conformal", "resumed", "platform"):
            (tmp_path / f"without-{name}.json").write_text(json.dumps({k: v for k, v in made.items() if k != name}))
    found = experiments.section(tmp_path)
    assert [len(group.documents) for group in found.data_sets[0].groups] == [1]
    assert sum("without-" in fault for fault in found.faults) == len(made) - 4
    assert any("old.json has schema 7" in fault for fault in found.faults)
    assert len(found.faults) == len(made) - 4 + 3


def test_hostile_strings_stay_text(made: dict[str, Any], fixtures: Any) -> None:
    hostile = fixtures.HOSTILE
    page = of(variant(made, {"name": hostile, "source": hostile}, title=hostile, command=hostile, device_name=hostile))
    assert "<script>window.hacked" not in page
    assert "<img" not in page


def test_the_one_dimensional_flow_has_pictures_and_numbers(tmp_path: Path) -> None:
    document = Flow1dExperiment().run(Settings(epochs=2), lambda _: None)
    page = of(document)
    assert "Divergence of the flow from the truth" in page
    assert "could not be drawn" not in page
    assert page.count('viewBox="0 0 340 215"') == 5


def test_what_lies_beside_the_page_is_on_it(made: dict[str, Any], document: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "anomaly").mkdir()
    (tmp_path / "anomaly" / "a.json").write_text(json.dumps(made))
    (tmp_path / "benchmarks").mkdir()
    write_report(document, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    assert 'id="anomaly"' in page
    assert 'id="benchmarks"' not in page, "nothing has been measured"
