"""The IDX reader takes what is intact and names what is wrong with anything else."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from mdnn_verify.anomaly import idx
from mdnn_verify.errors import UsageError

SHAPE = (5, 3, 4)
VALUES = np.arange(60, dtype=np.uint8).reshape(SHAPE)
CONTENT = struct.pack(">HBBIII", 0, 8, 3, *SHAPE) + VALUES.tobytes()
PACKED = gzip.compress(CONTENT, mtime=0)
GZIP_HEADER = 10


def write(folder: Path, content: bytes) -> Path:
    path = folder / "images"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", [CONTENT, PACKED, PACKED + bytes(8)], ids=["plain", "gzip", "gzip padded"])
def test_an_intact_file_gives_its_values_and_the_digest_of_its_unpacked_content(tmp_path: Path, content: bytes) -> None:
    read = idx.read(write(tmp_path, content), SHAPE)
    np.testing.assert_array_equal(read.values, VALUES)
    assert read.values.dtype == np.uint8
    assert read.values.flags.c_contiguous
    assert read.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_a_gzip_stream_of_two_members_is_read_whole(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(CONTENT[:30]) + gzip.compress(CONTENT[30:]))
    np.testing.assert_array_equal(idx.read(path, SHAPE).values, VALUES)


def with_checksum_broken() -> bytes:
    return PACKED[:-8] + bytes([PACKED[-8] ^ 1]) + PACKED[-7:]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "truncated: 0 bytes"),
        (CONTENT[:3], "truncated: 3 bytes"),
        (CONTENT[:10], "ends within its header"),
        (CONTENT[:-1], "59 values after its header, expected 60"),
        (CONTENT + b"\0", "bytes follow its 60 values"),
        (b"<html>no such file</html>", "not an IDX file: it begins with 3c 68 74 6d"),
        (b"\0\1" + CONTENT[2:], "not an IDX file: it begins with 00 01"),
        (b"\0\0\x07" + CONTENT[3:], "not an IDX file"),
        (b"\0\0\x0d" + CONTENT[3:], "holds float32 values, expected uint8"),
        (struct.pack(">HBBI", 0, 8, 1, 60) + VALUES.tobytes(), "has 1 dimension, expected"),
        (struct.pack(">HBBIII", 0, 8, 3, 4, 3, 5) + VALUES.tobytes(), "sizes 4 x 3 x 5, expected .* 5 x 3 x 4"),
        (struct.pack(">HBBIII", 0, 8, 3, *[2**32 - 1] * 3), "declares the sizes 4294967295 x"),
        (PACKED[: len(PACKED) // 2], "truncated"),
        (PACKED[:-1], "truncated: its gzip stream ends"),
        (PACKED[:12], "truncated"),
        (PACKED[:2], "truncated"),
        (with_checksum_broken(), "corrupt: CRC check failed"),
        (PACKED + b"rubbish", "corrupt"),
        (gzip.compress(CONTENT + bytes(100)), "bytes follow"),
        (gzip.compress(CONTENT[:-1]), "59 values"),
        (gzip.compress(b""), "truncated: 0 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_anything_else_is_refused_by_name_and_fault(tmp_path: Path, content: bytes, found: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(UsageError, match=found) as error:
        idx.read(path, SHAPE)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("length", range(len(PACKED)))
def test_no_beginning_of_a_packed_file_passes(tmp_path: Path, length: int) -> None:
    with pytest.raises(UsageError, match=r"truncated|corrupt|not an IDX"):
        idx.read(write(tmp_path, PACKED[:length]), SHAPE)


@pytest.mark.parametrize("position", range(len(PACKED)))
def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path: Path, position: int) -> None:
    """Time stamp, some flags and the padding behind the last block are all that gzip does not guard."""
    refused = 0
    for bit in range(8):
        flipped = bytearray(PACKED)
        flipped[position] ^= 1 << bit
        try:
            read = idx.read(write(tmp_path, bytes(flipped)), SHAPE)
        except UsageError:
            refused += 1
        else:
            assert read.sha256 == hashlib.sha256(CONTENT).hexdigest()
            np.testing.assert_array_equal(read.values, VALUES)
    if 10 <= position < len(PACKED) - 9 or position >= len(PACKED) - 8:
        assert refused == 8


def test_a_folder_or_nothing_in_place_of_the_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError, match=r"cannot be read: (Is a directory|No such file)"):
            idx.read(path, SHAPE)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A file that unpacks to 50 MB where 60 values are expected is refused without unpacking it."""
    import tracemalloc

    path = write(tmp_path, gzip.compress(CONTENT + bytes(50_000_000), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(UsageError, match="bytes follow"):
        idx.read(path, SHAPE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
