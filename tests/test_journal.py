"""The journal: what is written comes back, a torn line is forgiven, another writer's journal is not."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from mdnn_verify.errors import JournalMismatch, UsageError
from mdnn_verify.runner.journal import Journal, decode, encode, fingerprint, header, key_of, plain
from mdnn_verify.runner.units import Settings
from mdnn_verify.verdicts import CheckResult, Status, Verdict

HEADER = header(Settings())


def result(name: str = "step", control: str | None = None, **verdict: object) -> CheckResult:
    fields = {"status": Status.PROVED, "scope": "all n", **verdict}
    return CheckResult("chapter/name", control, name, "symbolic", Verdict(**fields), 0.125, "A sentence.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    with Journal(path, HEADER) as journal:
        journal.append(result("one"))
        journal.append(result("one", control="a/b\nc"))
        journal.append(
            result("two", status=Status.VERIFIED_WITHIN, delta=0.25, evidence={"n": 7}, pictures=({"kind": "curves"},))
        )
    return path


def test_what_is_appended_comes_back(path: Path) -> None:
    with Journal(path, HEADER, resume=True) as journal:
        assert list(journal.finished) == [
            ("chapter/name", None, "one"),
            ("chapter/name", "a/b\nc", "one"),
            ("chapter/name", None, "two"),
        ]
        last = journal.finished["chapter/name", None, "two"]
    assert last == result(
        "two", status=Status.VERIFIED_WITHIN, delta=0.25, evidence={"n": 7}, pictures=({"kind": "curves"},)
    )


def test_each_result_is_on_disk_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, HEADER)
    for count in range(1, 4):
        journal.append(result(f"step_{count}"))
        assert len(path.read_bytes().splitlines()) == 1 + count
    journal.close()


def test_every_torn_last_line_is_forgiven_and_cut_off(path: Path) -> None:
    whole = path.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(start, len(whole)):  # every place where a kill may tear the last write
        path.write_bytes(whole[:end])
        with Journal(path, HEADER, resume=True) as journal:
            assert len(journal.finished) == 2
            journal.append(
                result(
                    "two", status=Status.VERIFIED_WITHIN, delta=0.25, evidence={"n": 7}, pictures=({"kind": "curves"},)
                )
            )
        assert path.read_bytes() == whole


def test_a_torn_first_line_cannot_be_resumed(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(UsageError, match="ends before its first line does"):
        Journal(path, HEADER, resume=True)


@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"theorem": "a/b"}', "\ufffd"])
def test_damage_within_is_refused_with_its_line(path: Path, damage: str) -> None:
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], damage, *lines[2:]]) + "\n")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="damaged in line 3"):
        Journal(path, HEADER, resume=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", HEADER)
def test_any_other_writer_is_refused_by_the_field_and_both_values(path: Path, name: str) -> None:
    with pytest.raises(JournalMismatch, match=re.escape(f"its field {name} is {HEADER[name]}, this run's is other")):
        Journal(path, {**HEADER, name: "other"}, resume=True)


def test_a_field_that_only_one_of_them_has_is_a_mismatch(path: Path) -> None:
    with pytest.raises(JournalMismatch, match="its field gpu is missing, this run's is H200"):
        Journal(path, {**HEADER, "gpu": "H200"}, resume=True)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"schema": 1}\n')
    with pytest.raises(UsageError, match="is not a journal of mdnn-verify"):
        Journal(path, HEADER, resume=True)


def test_a_new_journal_moves_the_old_one_aside(path: Path) -> None:
    before = path.read_bytes()
    Journal(path, HEADER).close()
    assert path.with_name("journal.previous.jsonl").read_bytes() == before
    assert len(path.read_bytes().splitlines()) == 1


def test_header_names_settings_sources_and_libraries() -> None:
    settings = Settings(seed=3, alpha=1e-4, timeout=5.0, theorems=12)
    found = header(settings)
    assert (found["seed"], found["alpha"], found["timeout"], found["theorems"]) == (3, 1e-4, 5.0, 12)
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0]  # wheels of CUDA leave out "+cu130"
    assert found["numpy"] == np.__version__


def test_sources_change_with_any_file_of_theorems(tmp_path: Path) -> None:
    file = tmp_path / "chapter" / "name.py"
    file.parent.mkdir()
    digests = set()
    for text in ("a = 1\n", "a = 2\n"):
        file.write_text(text)
        fingerprint.cache_clear()
        digests.add(fingerprint((tmp_path,)))
    file.rename(file.with_name("other.py"))
    fingerprint.cache_clear()
    digests |= {fingerprint((tmp_path,)), fingerprint()}
    assert len(digests) == 4


def test_plain_makes_json_of_anything() -> None:
    value = {
        1: (np.float32(0.5), np.int64(3), np.bool_(True)),
        "array": np.arange(3.0),
        "tensor": torch.tensor([[1, 2]]),
        "scalar": torch.tensor(2.5, dtype=torch.float64),
        "nan": [math.nan, math.inf, -np.inf],
        "status": Status.PROVED,
        "exact": Fraction(1, 3),
        "none": None,
    }
    text = json.dumps(plain(value), allow_nan=False)
    assert json.loads(text) == {
        "1": [0.5, 3, True],
        "array": [0.0, 1.0, 2.0],
        "tensor": [[1, 2]],
        "scalar": 2.5,
        "nan": ["nan", "inf", "-inf"],
        "status": "PROVED",
        "exact": "1/3",
        "none": None,
    }


def test_encode_and_decode_are_inverse_once_plain() -> None:
    fancy = result(
        evidence={"sum": np.float64(1.5), "worst": math.inf, "at": (1, 2)}, counterexample="x = \ud800\u2028"
    )
    once = decode(json.loads(json.dumps(encode(fancy))))
    assert decode(json.loads(json.dumps(encode(once)))) == once
    assert key_of(once) == key_of(fancy)
    assert replace(once, verdict=replace(once.verdict, evidence=fancy.verdict.evidence)) == fancy
