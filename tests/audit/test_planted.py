"""Ten derivations with one planted error each: it is found at that line and at no other; without it all lines follow."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from mdnn_verify.audit import Audit, Finding, audit

PLANTED = sorted((Path(__file__).parent / "planted").glob("*.py"))
HARMLESS = {Finding.GIVEN, Finding.FOLLOWS}


@pytest.fixture(params=PLANTED, ids=lambda path: path.stem)
def planted(request: pytest.FixtureRequest):
    spec = spec_from_file_location(f"planted_{request.param.stem}", request.param)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def accused(found: Audit) -> dict[str, Finding]:
    return {line.name: line.finding for line in found.lines if line.finding not in HARMLESS}


def test_there_are_ten() -> None:
    kinds = {
        "sign",
        "factor",
        "inverse",
        "transpose",
        "index",
        "direction",
        "dropped_term",
        "jensen",
        "limit",
        "division",
    }
    assert {path.stem for path in PLANTED} == kinds


def test_the_error_is_found_at_its_line_and_no_other(planted) -> None:
    found = audit(planted.wrong)
    assert accused(found) == {planted.SLIP: Finding.DOES_NOT_FOLLOW}
    (line,) = (line for line in found.lines if line.name == planted.SLIP)
    assert any(character.isdigit() for character in line.counterexample)
    assert line.world is not None


def test_the_counterexample_can_be_pasted(planted, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = (line for line in audit(planted.wrong).lines if line.finding is Finding.DOES_NOT_FOLLOW)
    planted.wrong.show(line.name, line.world)
    before, this = (row.partition(":")[2].strip() for row in capsys.readouterr().out.splitlines())
    assert before
    assert this
    assert before != this


def test_without_it_every_line_follows(planted) -> None:
    assert accused(audit(planted.right)) == {}
