"""Fixtures of the report's tests; the documents are in fixtures.py beside this file."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mdnn_verify.anomaly import embedded
from mdnn_verify.anomaly.base import Settings
from mdnn_verify.anomaly.experiment import Experiment
from mdnn_verify.anomaly.flow1d_experiment import Flow1dExperiment
from mdnn_verify.reporting.html import write_report

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="session")
def fixtures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("report_fixtures", Path(__file__).with_name("fixtures.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def document(fixtures: ModuleType) -> dict[str, Any]:
    return fixtures.document()


@pytest.fixture(scope="session")
def report(fixtures: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the synthetic run, compared with an earlier one that lacks its last theorem, and of experiments."""
    path = tmp_path_factory.mktemp("report") / "index.html"
    _write_experiments(path.parent / "anomaly")
    previous = fixtures.document()
    previous["theorems"].pop()
    write_report(fixtures.document(), path, previous)
    return path


@pytest.fixture(scope="session")
def experiments_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of experiments alone."""
    path = tmp_path_factory.mktemp("experiments") / "index.html"
    _write_experiments(path.parent / "anomaly")
    write_report(None, path)
    return path


def _write_experiments(folder: Path) -> None:
    """A detector on the stand-in data, two seeds; the one-dimensional flow; and a file that is neither."""
    folder.mkdir()
    detector = Experiment("pca", embedded.load())
    documents = [detector.run(Settings(seed=seed), lambda _: None) for seed in range(2)]
    documents.append(Flow1dExperiment().run(Settings(epochs=1), lambda _: None))
    for i, document in enumerate(documents):
        (folder / f"{i}.json").write_text(json.dumps(document))
    (folder / "damaged.json").write_text("{")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium. Without one, CI fails: an untested page must not look tested."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        message = "no Chromium on this machine: the report was not tested in a browser"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    sync_api = pytest.importorskip("playwright.sync_api") if os.environ.get("CI") != "true" else _playwright()
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


def _playwright() -> Any:
    import playwright.sync_api

    return playwright.sync_api
