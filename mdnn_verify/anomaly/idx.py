"""IDX files, the format of MNIST: a magic number, the sizes, then the values; plain or packed by gzip.

Source of the format: LeCun, Cortes, Burges, The MNIST database of handwritten digits. Two zero bytes, a code of the
type, the number of dimensions; each size a big-endian unsigned 32-bit integer; the values, last index fastest.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mdnn_verify.errors import UsageError

__all__ = ["Idx", "header", "read"]

_GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTE = 0x08
_TYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
_CHUNK = 1 << 20


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Idx:
    """The values, uint8 and contiguous, and the SHA-256 of the unpacked file (header included), in hexadecimal."""

    values: npt.NDArray[np.uint8]
    sha256: str


def header(shape: tuple[int, ...]) -> bytes:
    """What an IDX file of unsigned bytes of this shape begins with."""
    return struct.pack(f">HBB{len(shape)}I", 0, _UNSIGNED_BYTE, len(shape), *shape)


def read(path: Path, shape: tuple[int, ...]) -> Idx:
    """Read a file of unsigned bytes of exactly this shape; packed or not is seen from its content.

    At most the expected number of bytes is ever unpacked, whatever the file declares.
    Raises UsageError: unreadable, truncated, corrupt, another type or shape, or bytes left over.
    """
    try:
        with path.open("rb") as file:
            if file.peek(2)[:2] == _GZIP_MAGIC:
                with gzip.open(file) as unpacked:
                    return _parse(path, unpacked, shape)
            return _parse(path, file, shape)
    except EOFError:
        raise UsageError(f"{path} is truncated: its gzip stream ends before its end mark") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{path} is corrupt: {error}, expected one intact gzip stream") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def _parse(path: Path, file: _Readable, shape: tuple[int, ...]) -> Idx:
    expected = header(shape)
    found = _read_upto(file, len(expected))
    _check_header(path, found, shape)
    values = np.empty(math.prod(shape), dtype=np.uint8)
    digest = hashlib.sha256(found)
    filled = _fill(file, values.data, digest.update)
    if filled < values.size:
        raise UsageError(f"{path} is truncated: {filled:,} values after its header, expected {values.size:,}")
    # reading past the last value is also what makes gzip compare its checksum
    if file.read(1):
        raise UsageError(f"{path} is too long: bytes follow its {values.size:,} values, expected none")
    return Idx(values.reshape(shape), digest.hexdigest())


def _check_header(path: Path, found: bytes, shape: tuple[int, ...]) -> None:
    wanted = f"expected {_described(shape)}"
    if len(found) < 4:
        raise UsageError(f"{path} is truncated: {len(found)} bytes of content, {wanted}")
    zero, kind, dimensions = struct.unpack(">HBB", found[:4])
    if zero != 0 or kind not in _TYPES:
        raise UsageError(f"{path} is not an IDX file: it begins with {found[:4].hex(' ')}, {wanted}")
    if kind != _UNSIGNED_BYTE:
        raise UsageError(f"{path} holds {_TYPES[kind]} values, {wanted}")
    if dimensions != len(shape):
        raise UsageError(f"{path} has {dimensions} dimension{'s' if dimensions != 1 else ''}, {wanted}")
    if len(found) < 4 + 4 * dimensions:
        raise UsageError(f"{path} is truncated: it ends within its header, {wanted}")
    sizes = struct.unpack(f">{dimensions}I", found[4:])
    if sizes != shape:
        raise UsageError(f"{path} declares the sizes {_times(sizes)}, {wanted}")


def _described(shape: tuple[int, ...]) -> str:
    return f"uint8 values of sizes {_times(shape)} (first bytes {header(shape)[:4].hex(' ')})"


def _times(sizes: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in sizes)


def _read_upto(file: _Readable, size: int) -> bytes:
    """``size`` bytes, fewer only at the end: one read of a gzip stream may give less than was asked."""
    content = b""
    while len(content) < size and (chunk := file.read(size - len(content))):
        content += chunk
    return content


def _fill(file: _Readable, target: memoryview, update: Callable[[bytes], None]) -> int:
    filled = 0
    while filled < len(target) and (chunk := file.read(min(_CHUNK, len(target) - filled))):
        target[filled : filled + len(chunk)] = chunk
        update(chunk)
        filled += len(chunk)
    return filled
