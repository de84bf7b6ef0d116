"""What changed between two runs."""

from __future__ import annotations

import copy
import math
from typing import Any

from mdnn_verify.reporting.diff import Change, compare


def test_a_run_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    assert compare(document, copy.deepcopy(document)).empty


def test_verdicts_of_theorems_checks_and_controls(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    before["theorems"][1]["verdict"] = "verified"
    before["theorems"][0]["checks"][1]["verdict"] = "INCONCLUSIVE"
    before["theorems"][0]["controls"][0]["verdict"] = "ERROR"
    assert compare(before, document).verdicts == (
        Change("flows/coupling_log_det/block_triangular", "INCONCLUSIVE", "PROVED"),
        Change("flows/coupling_log_det, if the sum runs over O instead of its complement", "ERROR", "REFUTED"),
        Change("divergences/kl_nonnegative", "verified", "refuted"),
    )


def test_added_and_removed(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    gone = before["theorems"].pop()
    extra = document["theorems"][0]["checks"].pop(1)
    difference = compare(before, document)
    assert difference.added == (gone["id"],)
    assert difference.removed == (f"flows/coupling_log_det/{extra['name']}",)


def test_numbers_that_moved_but_not_times(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    evidence = before["theorems"][0]["checks"][4]["evidence"]
    evidence["mean"], evidence["draws_per_second"] = 0.25, 1.0
    evidence["e_values_of_shifted_claims"]["plus_delta"] = 0.0
    before["theorems"][0]["checks"][4]["seconds"] = 99.0
    where = "flows/coupling_log_det/density_integrates_to_one"
    (mean, relative), (e_value, infinite) = compare(before, document).moved
    assert mean == Change(f"{where}: mean", "0.25", "0.50021")
    assert math.isclose(relative, 1.00084)
    assert e_value.what == f"{where}: e_values_of_shifted_claims plus_delta"
    assert infinite == math.inf


def test_settings_and_versions(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    before["run"]["seed"] = 7
    before["run"]["versions"]["torch"] = "2.11.0"
    before["run"]["kinds"] = ["symbolic"]
    changes = compare(before, document).settings
    assert [change.what for change in changes] == ["seed", "kinds", "torch"]
    assert changes[2] == Change("torch", "2.11.0", "2.13.0")
