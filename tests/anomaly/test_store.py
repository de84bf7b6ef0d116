"""Model files: what is written comes back bit for bit, and nothing else is ever let in."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from mdnn_verify.anomaly import store
from mdnn_verify.anomaly.base import ImageSets
from mdnn_verify.errors import UsageError

RECORD = {"method": "sum", "configuration": {"widths": [4, 2]}, "seed": 3, "pixels": 4, "levels": 17}
TENSORS = {
    "weight": torch.tensor([[0.1, -0.0], [1e-45, 3e38]]),
    "wide": torch.tensor([1 / 3], dtype=torch.float64),
    "count": torch.tensor(2**53 + 1),
}


class Model:
    """The least that can be saved."""

    def __init__(self, **tensors: torch.Tensor) -> None:
        self._tensors = tensors

    def score(self, images: torch.Tensor) -> torch.Tensor:
        return images.double().sum(1)

    def configuration(self) -> dict[str, Any]:
        return {"widths": [4, 2]}

    def tensors(self) -> dict[str, torch.Tensor]:
        return self._tensors


def images(height: int = 2, levels: int = 17) -> ImageSets:
    empty = torch.zeros(0, 2 * height, dtype=torch.uint8)
    return ImageSets("four pixels", "made up", empty, empty, empty, height, 2, levels)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "model.safetensors"
    store.save(file, "sum", Model(**TENSORS), images(), 3)
    return file


def raw(path: Path, envelope: object, tensors: dict[str, torch.Tensor] | None = None) -> None:
    """A safetensors file with any metadata."""
    path.write_bytes(safetensors.torch.save(tensors or TENSORS, {store.RECORD: json.dumps(envelope)}))


def envelope_of(path: Path) -> dict[str, Any]:
    with safetensors.safe_open(path, "pt") as file:
        return json.loads(file.metadata()[store.RECORD])  # type: ignore[no-any-return]


def test_a_model_comes_back_bit_for_bit(path: Path) -> None:
    stored = store.load(path, "sum")
    assert {name: getattr(stored, name) for name in RECORD} == RECORD
    assert {name: store.digest(t) for name, t in stored.tensors.items()} == {
        name: store.digest(t) for name, t in TENSORS.items()
    }


def test_the_same_model_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    store.save(again, "sum", Model(**dict(reversed(TENSORS.items()))), images(), 3)
    assert again.read_bytes() == path.read_bytes()


def test_views_of_one_tensor_are_saved_apart(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    store.save(tmp_path / "m", "sum", Model(a=whole[:2], b=whole[2:].view(2, 2).T), images(), 0)
    loaded = store.load(tmp_path / "m").tensors
    assert torch.equal(loaded["a"], whole[:2])
    assert torch.equal(loaded["b"], whole[2:].view(2, 2).T)


def test_every_single_changed_byte_is_noticed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(len(content)):
        content[place] ^= 1
        path.write_bytes(content)
        with pytest.raises(UsageError, match=path.name):
            store.load(path, "sum")
        content[place] ^= 1
    path.write_bytes(content)
    store.load(path, "sum")


def test_every_truncation_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(UsageError, match="not a whole safetensors file"):
            store.load(path)


class Bomb:
    """Unpickling it would create the file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("dump", [pickle.dump, torch.save], ids=["pickle", "torch.save"])
def test_a_pickle_is_refused_and_runs_nothing(tmp_path: Path, dump: Any) -> None:
    target, file = tmp_path / "harm", tmp_path / "model"
    with file.open("wb") as stream:
        dump(Bomb(target), stream)
    with pytest.raises(UsageError, match="not a whole safetensors file"):
        store.load(file)
    assert not target.exists()
    pickle.loads(pickle.dumps(Bomb(target)))
    assert target.exists(), "the bomb is a dud: the test shows nothing"


def test_a_safetensors_file_of_another_program_is_refused(tmp_path: Path) -> None:
    for metadata in (None, {"format": "pt"}):
        safetensors.torch.save_file(TENSORS, tmp_path / "foreign", metadata)
        with pytest.raises(UsageError, match="not a model of mdnn_verify"):
            store.load(tmp_path / "foreign")


@pytest.mark.parametrize("text", ["[" * 100_000, "{", '{"a": NaN}', "[]", '"x"', "{}", "1e999"])
def test_a_record_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "m").write_bytes(safetensors.torch.save(TENSORS, {store.RECORD: text}))
    with pytest.raises(UsageError, match="not a model of mdnn_verify"):
        store.load(tmp_path / "m")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("version", 2, "format version 2"),
        ("version", "1", "format version 1"),
        ("format", "checkpoint", "expected a model"),
    ],
)
def test_another_format_is_refused(path: Path, field: str, value: object, message: str) -> None:
    raw(path, envelope_of(path) | {field: value})
    with pytest.raises(UsageError, match=message):
        store.load(path)


@pytest.mark.parametrize(
    "record",
    [
        {name: value for name, value in RECORD.items() if name != "levels"},
        RECORD | {"more": 1},
        RECORD | {"seed": "3"},
        RECORD | {"seed": True},
        RECORD | {"configuration": []},
        RECORD | {"pixels": 4.0},
    ],
)
def test_a_record_of_the_wrong_fields_is_refused(path: Path, record: dict[str, Any]) -> None:
    store.write(path, "model", record, TENSORS)
    with pytest.raises(UsageError, match="its record should hold method"):
        store.load(path)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_numbers_that_are_not_finite_are_refused(path: Path, value: float) -> None:
    store.write(path, "model", RECORD, {"weight": torch.tensor([0.0, value])})
    with pytest.raises(UsageError, match="NaN or infinite values in 'weight'"):
        store.load(path)


@pytest.mark.parametrize(
    "tensor", [torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.bool), torch.zeros(0)]
)
def test_other_types_and_empty_tensors_are_refused(path: Path, tensor: torch.Tensor) -> None:
    raw(path, envelope_of(path), {"weight": tensor})
    with pytest.raises(UsageError, match="'weight' is"):
        store.load(path)


def test_a_model_of_another_method_is_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="method 'sum', expected 'flow'"):
        store.load(path, "flow")


def test_images_of_another_format_are_refused(path: Path) -> None:
    stored = store.load(path)
    stored.expect_images(images())
    for other in (images(height=3), images(levels=256)):
        with pytest.raises(UsageError, match="was trained on images of 4 pixels with 17 levels"):
            stored.expect_images(other)


def test_what_is_not_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file .*absent"):
        store.load(tmp_path / "absent")
    with pytest.raises(UsageError, match="is not a file"):
        store.load(tmp_path)
    with pytest.raises(UsageError, match=r"cannot write .*absent"):
        store.save(tmp_path / "absent" / "m", "sum", Model(**TENSORS), images(), 0)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({}, r"missing \['a'\]"),
        ({"a": torch.zeros(2, 3), "b": torch.zeros(1)}, r"not expected \['b'\]"),
        ({"a": torch.zeros(3, 2)}, r"'a' is torch.float32 of shape \(3, 2\)"),
        ({"a": torch.zeros(2, 3).double()}, "'a' is torch.float64"),
    ],
)
def test_tensors_that_do_not_fit_are_named(found: dict[str, torch.Tensor], message: str) -> None:
    expected = {"a": (torch.float32, (2, 3))}
    store.expect_tensors("the model", {"a": torch.zeros(2, 3)}, expected)
    with pytest.raises(UsageError, match=message):
        store.expect_tensors("the model", found, expected)
