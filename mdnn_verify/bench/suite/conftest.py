"""Fixtures of the benchmarks: ``device`` (a row for each; skipped if there is none), ``images``, ``measure``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mdnn_verify.bench.measure import Measure

if TYPE_CHECKING:
    from mdnn_verify.anomaly.base import ImageSets

__all__ = ["device", "images", "measure"]

DEVICES = ("cpu", "cuda")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which devices, which data."""
    group = parser.getgroup("mdnn_verify benchmarks")
    group.addoption("--bench-device", choices=DEVICES, default=None, help="only the rows of this device")
    group.addoption("--bench-data", type=Path, default=None, metavar="DIR", help="folder with MNIST and KMNIST")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A row for each device, or for the one that was asked for."""
    if "device" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--bench-device")
        metafunc.parametrize("device", [wanted] if wanted else DEVICES, indirect=True)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> str:
    """The name "cpu" or "cuda"; without a CUDA device the second is skipped, visibly."""
    name = str(request.param)
    if name == "cuda":
        import torch

        if not torch.cuda.is_available():
            pytest.skip("not measured: torch sees no CUDA device on this machine")
    return name


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest) -> ImageSets:
    """The data: ``--data``, else MDNN_DATA, the cache, a download, the embedded stand-in."""
    from mdnn_verify.anomaly import data

    return data.load(request.config.getoption("--bench-data"))


@pytest.fixture
def measure(benchmark: Any, device: str, request: pytest.FixtureRequest) -> Measure:
    """Times calls on the row's device; a row that uses images says which."""
    row = Measure(benchmark, device)
    if "images" in request.fixturenames:
        sets = request.getfixturevalue("images")
        row.add(data=sets.name, embedded=sets.embedded)
    return row
