"""Models and checkpoints as files: safetensors with one JSON record, validated before anything is built from them.

Such a file is data. Reading it runs no code: the tensors come from safetensors' parser, the record from json, and both
are checked (format, version, digest, dtypes, finite numbers) before the caller sees them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from mdnn_verify.anomaly.base import Fitted, ImageSets
from mdnn_verify.errors import UsageError
from mdnn_verify.files import write_bytes

__all__ = ["Stored", "digest", "expect_tensors", "load", "read", "save", "write"]

RECORD = "mdnn_verify"  # the one metadata entry; safetensors would write several in arbitrary order
VERSION = 1
LARGEST_RECORD = 1 << 20  # bytes of the file's header
LARGEST_FILE = 1 << 30  # bytes
DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}
Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Stored:
    """What a model file holds: ``method.restore(stored.configuration, stored.tensors, images)`` makes it a model."""

    method: str
    configuration: dict[str, Any]
    tensors: dict[str, torch.Tensor]
    seed: int
    pixels: int
    levels: int

    def expect_images(self, images: ImageSets) -> None:
        """Raise UsageError unless the model was trained on images of this format."""
        height_width = images.height * images.width
        if (self.pixels, self.levels) != (height_width, images.levels):
            raise UsageError(
                f"the model was trained on images of {self.pixels} pixels with {self.levels} levels; "
                f"{images.name} has {height_width} pixels with {images.levels} levels"
            )


def save(path: Path, method: str, fitted: Fitted, images: ImageSets, seed: int) -> None:
    """Write a trained model, all or nothing. Raises UsageError if the file cannot be written."""
    record = {
        "method": method,
        "configuration": dict(fitted.configuration()),
        "seed": seed,
        "pixels": images.height * images.width,
        "levels": images.levels,
    }
    write(path, "model", record, fitted.tensors())


def load(path: Path, method: str | None = None) -> Stored:
    """Read a trained model, of the given method if one is given. Raises UsageError, naming the file and the fault."""
    record, tensors = read(path, "model")
    fields = {"method": str, "configuration": dict, "seed": int, "pixels": int, "levels": int}
    if set(record) != set(fields) or not all(type(record[name]) is fields[name] for name in fields):
        raise UsageError(f"{path} is damaged: its record should hold {', '.join(fields)} and nothing else")
    if method is not None and record["method"] != method:
        raise UsageError(f"{path} holds a model of the method {record['method']!r}, expected {method!r}")
    return Stored(tensors=tensors, **record)


def write(path: Path, kind: str, record: Mapping[str, Any], tensors: Tensors) -> None:
    """Write tensors with a JSON-able record, all or nothing. Raises UsageError if the file cannot be written."""
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    envelope = {"format": kind, "version": VERSION, "digest": _digest(record, copies), "record": record}
    content = safetensors.torch.save(copies, {RECORD: json.dumps(envelope, sort_keys=True, allow_nan=False)})
    try:
        write_bytes(path, content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def read(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The record and the tensors of a file that ``write`` wrote. Raises UsageError, naming the file and the fault."""
    content = _content(path)
    try:
        parsed = safetensors.deserialize(content)  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise UsageError(f"{path} is not a whole safetensors file ({error}), expected a {kind}") from None
    envelope = _envelope(path, content, kind)
    tensors = {name: _tensor(path, name, **described) for name, described in parsed}
    if envelope["digest"] != _digest(envelope["record"], tensors):
        raise UsageError(f"{path} has been changed since it was written: its digest does not match")
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise UsageError(f"{path} holds NaN or infinite values in {name!r}, expected finite numbers")
    return envelope["record"], tensors


def expect_tensors(where: str, tensors: Tensors, expected: Mapping[str, tuple[torch.dtype, tuple[int, ...]]]) -> None:
    """Raise UsageError unless exactly the expected names, dtypes and shapes are there; ``where`` begins the message."""
    if set(tensors) != set(expected):
        missing, foreign = sorted(set(expected) - set(tensors)), sorted(set(tensors) - set(expected))
        raise UsageError(f"{where} does not hold the tensors expected: missing {missing}, not expected {foreign}")
    for name, (dtype, shape) in expected.items():
        found = tensors[name]
        if found.dtype != dtype or tuple(found.shape) != tuple(shape):
            raise UsageError(
                f"{where}: {name!r} is {found.dtype} of shape {tuple(found.shape)}, expected {dtype} of {tuple(shape)}"
            )


def digest(tensor: torch.Tensor) -> str:
    """SHA-256 of dtype, shape and content."""
    stored = tensor.detach().cpu().contiguous()
    words = hashlib.sha256(f"{stored.dtype} {tuple(stored.shape)} ".encode())
    words.update(stored.reshape(-1).view(torch.uint8).numpy().data)
    return words.hexdigest()


def _digest(record: Mapping[str, Any], tensors: Tensors) -> str:
    parts = [json.dumps(record, sort_keys=True), *(f"{name} {digest(tensors[name])}" for name in sorted(tensors))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UsageError(f"{path} is not a file" if path.exists() else f"there is no file {path}")
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(f"{path} has {path.stat().st_size} bytes, expected at most {LARGEST_FILE}")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error


def _envelope(path: Path, content: bytes, kind: str) -> dict[str, Any]:
    length = int.from_bytes(content[:8], "little")  # safetensors: header length, JSON header, tensors
    foreign = UsageError(f"{path} is a safetensors file, but not a {kind} of mdnn_verify")
    if length > LARGEST_RECORD:
        raise foreign
    try:
        envelope = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][RECORD], parse_constant=_no_constant)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise foreign from None
    if not isinstance(envelope, dict) or set(envelope) != {"format", "version", "digest", "record"}:
        raise foreign
    if envelope["format"] != kind or not isinstance(envelope["record"], dict):
        raise UsageError(f"{path} holds a {envelope['format']!s:.40} of mdnn_verify, expected a {kind}")
    if envelope["version"] != VERSION:
        raise UsageError(f"{path} has format version {envelope['version']!s:.40}; this program reads {VERSION}")
    return envelope


def _tensor(path: Path, name: str, dtype: str, shape: list[int], data: bytearray) -> torch.Tensor:
    if dtype not in DTYPES or math.prod(shape) == 0:
        raise UsageError(f"{path}: {name!r} is {dtype} of shape {tuple(shape)}, expected numbers of {list(DTYPES)}")
    # a copy: the caller's tensors get torch's own alignment
    return torch.frombuffer(bytearray(data), dtype=DTYPES[dtype]).reshape(shape).clone()


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
