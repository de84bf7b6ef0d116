"""The JSON of a run against its schema, and the schema against documents that it must refuse."""

from __future__ import annotations

import copy
import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mdnn_verify.reporting.json as run_json
from mdnn_verify.catalogue import catalogue, select
from mdnn_verify.errors import UsageError
from mdnn_verify.runner.campaign import run_campaign
from mdnn_verify.runner.units import Settings
from mdnn_verify.verdicts import CheckResult, Outcome, Status, TheoremResult, Verdict

jsonschema = pytest.importorskip("jsonschema")

SAMPLES = Path(__file__).parent / "theorem_samples" / "outcomes"
SCHEMA = json.loads((Path(run_json.__file__).parent / "schema" / "run-1.json").read_text())
SETTINGS = Settings(theorems=12)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("run")
    entries = select(["samples"], catalogue([SAMPLES]))
    results = run_campaign(entries, SETTINGS, journal_path=folder / "journal.jsonl", folders=[SAMPLES])
    info = run_json.run_info(
        SETTINGS, started=datetime.now(UTC), seconds=1.5, complete=False, command="mdnn-verify run samples"
    )
    run_json.write(run_json.document(results, info), folder / "run.json")
    return run_json.read(folder / "run.json")


def valid(document: dict) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_run_of_every_outcome_conforms(document: dict) -> None:
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert {theorem["verdict"] for theorem in document["theorems"]} == {"verified", "refuted", "inconclusive"}


def test_it_holds_what_was_run(document: dict) -> None:
    theorem = next(theorem for theorem in document["theorems"] if theorem["id"] == "samples/true_claim")
    assert [check["name"] for check in theorem["checks"]] == [
        "c_is_positive",
        "completes_the_square",
        "mean_is_between_0_and_1",
        "at_random_numbers",
        "on_average",
    ]
    simulation = theorem["checks"][-1]
    assert (simulation["kind"], simulation["verdict"]) == ("montecarlo", "VERIFIED_WITHIN")
    assert 0 < simulation["delta"] <= 0.05
    assert [control["refuted_by"] for control in theorem["controls"]][1] == ["on_average"]
    assert theorem["pictures"][0]["caption"] == "the parabola"
    assert document["run"]["versions"]["torch"]
    assert datetime.fromisoformat(document["run"]["started"]).tzinfo is not None


@pytest.mark.parametrize(
    "level", [[], ["run"], ["theorems", 0], ["theorems", 0, "checks", 0], ["theorems", 0, "controls", 0]], ids=str
)
def test_no_field_may_be_missing_or_unknown(document: dict, level: list) -> None:
    def at(changed: dict) -> dict:
        for step in level:
            changed = changed[step]
        return changed

    for name in at(document):
        changed = copy.deepcopy(document)
        del at(changed)[name]
        assert not valid(changed), name
    changed = copy.deepcopy(document)
    at(changed)["surprise"] = 1
    assert not valid(changed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["schema"], 2),
        (["run", "alpha"], 0),
        (["run", "seed"], -1),
        (["run", "kinds"], ["hypothesis"]),
        (["theorems", 0, "verdict"], "VERIFIED"),
        (["theorems", 0, "id"], "no_chapter"),
        (["theorems", 0, "checks", 0, "verdict"], "verified"),
        (["theorems", 0, "checks", 0, "delta"], "inf"),
        (["theorems", 0, "controls", 0, "refuted_by"], "a check"),
    ],
)
def test_a_value_of_the_wrong_sort_is_refused(document: dict, path: list, value: object) -> None:
    changed = copy.deepcopy(document)
    target = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    assert valid(document)
    assert not valid(changed)


def test_numbers_that_json_does_not_know_are_still_valid_json(tmp_path: Path) -> None:
    verdict = Verdict(
        Status.REFUTED, delta=math.inf, evidence={"worst": math.nan, "text": "\ud800"}, pictures=({"x": [math.inf]},)
    )
    check = CheckResult("a/b", None, "c", "pathwise", verdict, 0.0)
    result = TheoremResult(
        "a/b", "t", "s", "x", Outcome.REFUTED, "r", 0.0, (check,), (), pictures=({"y": (math.nan,)},)
    )
    run_json.write(run_json.document([result], {}), tmp_path / "a.json")
    (theorem,) = json.loads((tmp_path / "a.json").read_text(), parse_constant=pytest.fail)["theorems"]
    assert theorem["checks"][0]["evidence"]["worst"] == "nan"
    assert theorem["checks"][0]["delta"] is None
    assert theorem["pictures"][0]["y"] == ["nan"]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="JSON compliant"):
        run_json.write({"x": math.nan}, path)
    with pytest.raises(UnicodeEncodeError):
        run_json.write_text(path, "\ud800")
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["run.json"]


def test_another_schema_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"schema": 7, "run": {}, "theorems": []}')
    with pytest.raises(UsageError, match="has schema 7, this version reads 1"):
        run_json.read(tmp_path / "run.json")


def test_the_documentation_names_every_field() -> None:
    text = (Path(__file__).parents[1] / "docs" / "json.md").read_text()
    for part in [SCHEMA, *(SCHEMA["$defs"][name] for name in ("run", "theorem", "check", "control"))]:
        for name in part["properties"]:
            assert re.search(rf"\b{name}\b", text), name
