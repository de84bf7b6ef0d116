"""``mdnn-verify anomaly``: statuses, files, tables, and one sentence for everything that cannot be done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from mdnn_verify.anomaly import embedded
from mdnn_verify.anomaly.methods import METHODS
from mdnn_verify.cli import main

HEAVY = ("torch", "sympy", "matplotlib", "scipy", "sklearn", "numpy")


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command in this process on the embedded data: status, stdout, stderr."""
    monkeypatch.setattr("mdnn_verify.anomaly.data.load", lambda folder, progress: embedded.load())

    def run(*arguments: str, reports: Path = tmp_path / "reports") -> tuple[int, str, str]:
        status = main(["anomaly", *arguments, "--reports", str(reports)])
        return (status, *capsys.readouterr())

    return run


def documents(folder: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text()) for path in sorted((folder / "anomaly").glob("*.json"))}


def results(document: dict[str, Any]) -> Any:
    return document["threshold"], document["results"], document["conformal"]


@pytest.mark.parametrize("arguments", [["anomaly", "--help"], ["anomaly", "autoencoder", "--help"], ["--help"]])
def test_help_is_quick_and_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from mdnn_verify.cli import main
assert main({arguments!r}) == 0
print("HEAVY", *[name for name in {HEAVY!r} if name in sys.modules])
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert process.stdout.splitlines()[-1] == "HEAVY", process.stderr


def test_every_method_has_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    main(["anomaly", "--help"])
    shown = capsys.readouterr().out
    assert all(f" {name} " in shown for name in METHODS)


def test_a_run_writes_document_page_and_table(call: Any, tmp_path: Path) -> None:
    status, table, progress = call("pca", "--json", str(tmp_path / "out.json"))
    assert status == 0
    (document,) = documents(tmp_path / "reports").values()
    assert list(documents(tmp_path / "reports")) == ["pca-embedded-seed0"]
    assert json.loads((tmp_path / "out.json").read_text()) == document
    assert document["command"] == "mdnn-verify anomaly pca --seed 0"
    assert "not MNIST" in table.splitlines()[0]
    assert f"{100 * document['results']['type_i']['estimate']:.2f} [" in table
    assert str(tmp_path / "reports" / "index.html") in table
    assert "images/s" in progress
    page = (tmp_path / "reports" / "index.html").read_text()
    assert "Anomaly detection" in page
    assert "Embedded stand-in data" in page
    assert "Nothing was checked" not in page


def test_several_seeds_are_kept_apart_and_summarised(call: Any, tmp_path: Path) -> None:
    status, table, _ = call("mahalanobis", "--seed", "5", "--seeds", "3", "--json", str(tmp_path / "out.json"))
    assert status == 0
    assert list(documents(tmp_path / "reports")) == [f"mahalanobis-embedded-seed{seed}" for seed in (5, 6, 7)]
    assert "median" in table
    summary = json.loads((tmp_path / "out.json").read_text())
    assert summary["seeds"] == [5, 6, 7]
    assert [run["seed"] for run in summary["runs"]] == [5, 6, 7]
    rates = sorted(run["results"]["type_ii"]["estimate"] for run in summary["runs"])
    spread = summary["summary"]["results"]["type_ii"]
    assert [spread[name] for name in ("minimum", "median", "maximum")] == rates


def test_a_saved_model_is_measured_again(call: Any, tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    assert call("pca", "--seed", "4", "--save", str(model))[0] == 0
    status, _, _ = call("pca", "--load", str(model))
    assert status == 0
    trained, loaded = documents(tmp_path / "reports")["pca-embedded-seed4"], None
    loaded = documents(tmp_path / "reports")["pca-embedded-loaded-seed4"]
    assert results(trained) == results(loaded)
    assert loaded["seconds"]["train"] is None


def test_the_one_dimensional_flow_goes_the_same_way(call: Any, tmp_path: Path) -> None:
    model = tmp_path / "flow.safetensors"
    status, table, _ = call("flow1d", "--epochs", "2", "--save", str(model))
    assert status == 0
    assert "Divergence of the flow from the truth" in table
    assert call("flow1d", "--load", str(model))[0] == 0
    found = documents(tmp_path / "reports")
    trained, loaded = found["flow1d-epochs2-seed0"], found["flow1d-loaded-seed0"]
    assert trained["results"] == loaded["results"]
    assert "One-dimensional flow" in (tmp_path / "reports" / "index.html").read_text()
    status, _, errors = call("pca", "--load", str(model))
    assert (status, "expected a model" in errors) == (2, True)


def test_a_density_that_is_none_is_not_a_success(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from mdnn_verify.anomaly.flow_model import FlowModel

    right = FlowModel.log_density
    monkeypatch.setattr(FlowModel, "log_density", lambda self, x: right(self, x) + 0.01)
    status, table, _ = call("flow")
    assert status == 1
    assert "NOT a density" in table


def test_a_document_that_is_damaged_is_named_on_the_page(call: Any, tmp_path: Path) -> None:
    call("pca")
    folder = tmp_path / "reports" / "anomaly"
    whole = json.loads((folder / "pca-embedded-seed0.json").read_text())
    (folder / "broken.json").write_text("{")
    (folder / "half.json").write_text(json.dumps({**whole, "results": {"auroc": {"estimate": 1}}}))
    assert call("mahalanobis")[0] == 0
    page = (tmp_path / "reports" / "index.html").read_text()
    assert "broken.json is not JSON" in page
    assert "half.json is not a whole experiment" in page
    assert "Mahalanobis distance" in page


def test_seeds_differ_and_repeat(call: Any, tmp_path: Path) -> None:
    for folder, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert call("pca", "--seed", seed, reports=tmp_path / folder)[0] == 0
    a, b, c = (next(iter(documents(tmp_path / folder).values())) for folder in "abc")
    assert results(a) == results(b) != results(c)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["autoencoder", "--epochs", "0"], "--epochs is 0, expected at least 1"),
        (["autoencoder", "--epochs", "-2"], "--epochs is -2, expected at least 1"),
        (["pca", "--epochs", "3"], "--epochs is 3, but pca is fitted in closed form"),
        (["pca", "--seed", "-1"], "--seed is -1"),
        (["pca", "--seeds", "0"], "--seeds is 0, expected at least 1"),
        (["pca", "--device", "tpu"], "unknown device 'tpu'"),
        (["pca", "--save", "nowhere/model"], "cannot write --save"),
        (["pca", "--json", "nowhere/out.json"], "cannot write --json"),
        (["pca", "--load", "missing"], "there is no file"),
        (["pca", "--load", "x", "--save", "y"], "expected it without --save"),
        (["pca", "--load", "x", "--resume"], "expected it without --resume"),
        (["pca", "--save", "model", "--seeds", "2"], "--save is for one model"),
        (["pca", "--load", "x", "--seeds", "2"], "--load is for one model"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_sentence_before_any_work(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mdnn_verify.anomaly.experiment.Experiment.run", lambda *_, **__: pytest.fail("it worked"))
    status, table, errors = call(*arguments)
    assert (status, table) == (2, "")
    assert message in errors
    assert len(errors.strip().splitlines()) == 1
    assert "Traceback" not in errors


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said(call: Any) -> None:
    status, _, errors = call("pca", "--device", "cuda")
    assert status == 2
    assert "torch finds no CUDA device" in errors


def test_unknown_method_is_refused(call: Any) -> None:
    status, _, errors = call("autoencodr")
    assert status == 2
    assert "No such command" in errors


def test_missing_data_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["anomaly", "pca", "--data", str(tmp_path / "no"), "--reports", str(tmp_path / "reports")]) == 2
    assert str(tmp_path / "no") in capsys.readouterr().err


def test_a_foreign_a_tampered_and_a_mistaken_model_are_refused(call: Any, tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    assert call("pca", "--save", str(model))[0] == 0
    status, _, errors = call("mahalanobis", "--load", str(model))
    assert (status, "holds a model of the method 'pca', expected 'mahalanobis'" in errors) == (2, True)
    status, _, errors = call("pca", "--load", str(model), "--seed", "9")
    assert (status, "was trained with seed 0" in errors) == (2, True)
    content = bytearray(model.read_bytes())
    content[-3] ^= 1
    model.write_bytes(content)
    status, _, errors = call("pca", "--load", str(model))
    assert (status, "has been changed since it was written" in errors) == (2, True)
    model.write_bytes(b"PK\x03\x04 import os")
    status, _, errors = call("pca", "--load", str(model))
    assert (status, "not a whole safetensors file" in errors) == (2, True)


def test_resume_takes_finished_seeds_as_they_are(call: Any, tmp_path: Path) -> None:
    call("pca", "--seeds", "2")
    path = tmp_path / "reports" / "anomaly" / "pca-embedded-seed0.json"
    before = path.read_bytes()
    assert call("pca", "--seeds", "3", "--resume")[0] == 0
    assert path.read_bytes() == before
    assert len(documents(tmp_path / "reports")) == 3
    call("pca")
    assert path.read_bytes() != before, "without --resume it is done again"


def test_resume_does_not_trust_what_another_program_wrote(call: Any, tmp_path: Path) -> None:
    call("pca")
    path = tmp_path / "reports" / "anomaly" / "pca-embedded-seed0.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sources": "another", "threshold": 1e9}))
    assert call("pca", "--resume")[0] == 0
    assert json.loads(path.read_text())["threshold"] < 1e9


def test_a_run_beside_it_stays_on_the_page(call: Any, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    assert main(["run", "games/rps_indifference", "--kind", "symbolic", "--jobs", "1", "--reports", str(reports)]) == 0
    assert call("pca")[0] == 0
    page = (reports / "index.html").read_text()
    assert 'id="games/rps_indifference"' in page
    assert 'id="anomaly"' in page
    assert main(["report", "--reports", str(reports)]) == 0
    assert 'id="anomaly"' in (reports / "index.html").read_text()
    (reports / "run.json").write_text("{}")
    status, _, errors = call("pca")
    assert status == 0
    assert "the page is without the theorems" in errors


def test_interrupted_training_goes_on_from_its_checkpoint(call: Any, tmp_path: Path) -> None:
    """SIGTERM in mid-training: status 130, a checkpoint; with --resume the numbers of an uninterrupted training."""
    words = ["anomaly", "autoencoder", "--epochs", "80"]
    # a sum over another number of threads has another order
    environment = {**os.environ, "MDNN_OFFLINE": "1", "XDG_CACHE_HOME": str(tmp_path)}
    # (dask, which an earlier test may have run, leaves its own number in the environment)
    environment |= dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS"], str(torch.get_num_threads()))
    environment.pop("MDNN_DATA", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "mdnn_verify", *words, "--reports", str(tmp_path / "broken")],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    checkpoint = tmp_path / "broken" / "anomaly" / "autoencoder-embedded-epochs80-seed0.checkpoint"
    limit = time.monotonic() + 60
    while not checkpoint.exists() and time.monotonic() < limit and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "interrupted: the training is kept in" in errors
    assert "--resume" in errors
    assert checkpoint.exists()
    status, _, errors = call(*words[1:], "--resume", reports=tmp_path / "broken")
    assert status == 0, errors
    assert call(*words[1:], reports=tmp_path / "whole")[0] == 0
    (resumed,), (whole,) = (documents(tmp_path / name).values() for name in ("broken", "whole"))
    assert results(resumed) == results(whole)
    assert resumed["losses"] == whole["losses"]
    assert (resumed["resumed"], whole["resumed"]) == (True, False)
    assert resumed["seconds"]["train"] is None
    assert not checkpoint.exists()
