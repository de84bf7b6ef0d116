"""The main job: every statement verified, every false neighbour refuted, on the installed package."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mdnn_verify.catalogue import catalogue
from mdnn_verify.verdicts import REQUIRED


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("run")
    # the machine-checked proofs have an environment of their own: they take minutes where none was compiled before
    kinds = [word for kind in REQUIRED for word in ("--kind", kind)]
    command = [sys.executable, "-m", "mdnn_verify", "run", "--reports", str(folder), "--seed", "20261121", *kinds]
    process = subprocess.run(command, capture_output=True, text=True, timeout=540, cwd=folder)
    return process, json.loads((folder / "run.json").read_text()), folder


def test_everything_is_verified(finished) -> None:
    process, document, _ = finished
    reasons = {theorem["id"]: theorem["reason"] for theorem in document["theorems"] if theorem["verdict"] != "verified"}
    assert reasons == {}
    assert process.returncode == 0, process.stdout + process.stderr
    assert {theorem["id"] for theorem in document["theorems"]} == set(catalogue())


def test_every_control_is_refuted_by_a_named_check(finished) -> None:
    _, document, _ = finished
    for theorem in document["theorems"]:
        assert len(theorem["controls"]) >= 2
        for control in theorem["controls"]:
            assert control["verdict"] == "REFUTED", (theorem["id"], control["name"])
            assert control["refuted_by"], (theorem["id"], control["name"])
            refuting = [check for check in control["checks"] if check["name"] in control["refuted_by"]]
            assert all(check["counterexample"] for check in refuting), (theorem["id"], control["name"])


def test_report_is_one_offline_page_under_two_megabytes(finished) -> None:
    _, document, folder = finished
    page = Path(folder, "index.html").read_text()
    assert len(page.encode()) < 2_000_000
    for theorem in document["theorems"]:
        assert f'id="{theorem["id"]}"' in page
