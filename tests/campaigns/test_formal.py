"""Every machine-checked proof, and one coqchk over all of them and all the libraries that they rest on."""

from __future__ import annotations

import shutil

import pytest

from mdnn_verify.catalogue import FORMAL_ROOT
from mdnn_verify.engines.base import Context
from mdnn_verify.engines.kernel import INSTALL, EverythingRechecked, MachineChecked, theorem_files
from mdnn_verify.verdicts import Status

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.skipif(shutil.which("coqchk") is None, reason=f"the proof assistant is missing: {INSTALL}"),
]


@pytest.mark.parametrize("path", theorem_files(FORMAL_ROOT), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_proved(path) -> None:
    verdict = MachineChecked(path, FORMAL_ROOT).decide(Context(path.stem, timeout=300))
    assert verdict.status is Status.PROVED, verdict


def test_libraries_too() -> None:
    verdict = EverythingRechecked(FORMAL_ROOT).decide(Context("everything", timeout=900))
    assert verdict.status is Status.PROVED, verdict
