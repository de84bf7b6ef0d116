"""Where the images come from, what is refused, and what the stand-in says of itself."""

from __future__ import annotations

import gzip
import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mdnn_verify.anomaly import data, download, embedded, idx
from mdnn_verify.anomaly.sources import MNIST_AGAINST_KMNIST, Catalogue, Source
from mdnn_verify.errors import UsageError

REAL = os.environ.get("MDNN_DATA")
needs_data = pytest.mark.skipif(not REAL, reason="MDNN_DATA names no folder with MNIST and the KMNIST test set")


def content_of(source: Source, shift: int = 0) -> bytes:
    values = np.arange(int(np.prod(source.shape))) * (7 + len(source.dataset)) + shift
    return idx.header(source.shape) + values.astype(np.uint8).tobytes()


def small(source: Source) -> Source:
    shape = (source.shape[0] // 1000, *source.shape[1:])
    source = replace(source, shape=shape)
    return replace(source, sha256=hashlib.sha256(content_of(source)).hexdigest())


SMALL = Catalogue(
    train=small(MNIST_AGAINST_KMNIST.train),
    test=small(MNIST_AGAINST_KMNIST.test),
    anomalous=small(MNIST_AGAINST_KMNIST.anomalous),
    labels=tuple(small(source) for source in MNIST_AGAINST_KMNIST.labels),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of the right form, a thousandth as many, with the digests of their own content."""
    for source in SMALL.sources:
        path = tmp_path / source.packed
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content_of(source)))
    return tmp_path


def test_packed_and_unpacked_files_give_the_same_images(folder: Path) -> None:
    packed = data.read_folder(folder, "the folder", SMALL)
    for source in SMALL.sources:
        path = folder / source.packed
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    unpacked = data.read_folder(folder, "the folder", SMALL)
    for one, other in ((packed.train, unpacked.train), (packed.test, unpacked.test)):
        assert torch.equal(one, other)
    assert torch.equal(packed.anomalous, unpacked.anomalous)
    assert packed.train.shape == (60, 784)
    assert packed.test[1, 3] == content_of(SMALL.test)[16 + 784 + 3]


@pytest.mark.parametrize("source", SMALL.sources, ids=str)
def test_each_missing_file_is_named_with_the_layout(folder: Path, source: Source) -> None:
    (folder / source.packed).unlink()
    with pytest.raises(UsageError, match=f"lacks {source.packed.as_posix()}; expected torchvision's layout"):
        data.read_folder(folder, "the folder", SMALL)


@pytest.mark.parametrize("source", SMALL.sources, ids=str)
def test_other_content_of_the_right_form_is_refused_with_both_digests(folder: Path, source: Source) -> None:
    other = content_of(source, shift=1)
    (folder / source.packed).write_bytes(gzip.compress(other))
    with pytest.raises(UsageError) as error:
        data.read_folder(folder, "the folder", SMALL)
    for said in (str(folder / source.packed), source.sha256, hashlib.sha256(other).hexdigest(), "delete it, and copy"):
        assert said in str(error.value)


def test_a_label_too_few_is_a_count_that_differs_from_the_images(folder: Path) -> None:
    labels = SMALL.labels[0]
    fewer = replace(labels, shape=(59,))
    (folder / labels.packed).write_bytes(gzip.compress(content_of(fewer)))
    with pytest.raises(UsageError, match=r"sizes 59, expected .* 60 .*one label for each image of train-images"):
        data.read_folder(folder, "the folder", SMALL)


def test_a_truncated_file_says_how_to_mend_it(folder: Path) -> None:
    path = folder / SMALL.train.packed
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UsageError, match=r"truncated.*delete it, and copy train-images-idx3-ubyte\.gz .* https://"):
        data.read_folder(folder, "the folder", SMALL)


def test_a_corrupt_file_in_the_cache_says_that_it_comes_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MDNN_DATA", raising=False)
    monkeypatch.setattr(download, "cache_folder", lambda: folder)
    with pytest.raises(UsageError, match=r"declares the sizes 60 x 28 x 28.*delete it, and the next run downloads it"):
        data.load()


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_named_folder_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    monkeypatch.setenv("MDNN_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=r"lacks MNIST/raw/train-images-idx3-ubyte\.gz, MNIST/raw/t10k"):
        data.load(None if by_environment else tmp_path)
    absent = tmp_path / "absent"
    monkeypatch.setenv("MDNN_DATA", str(absent))
    with pytest.raises(UsageError, match="MDNN_DATA names, .*absent, does not exist" if by_environment else "absent"):
        data.load(None if by_environment else absent)


def test_without_data_or_network_the_stand_in_says_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MDNN_DATA", raising=False)
    monkeypatch.setenv("MDNN_OFFLINE", "1")
    monkeypatch.setattr(download, "cache_folder", lambda: tmp_path / "cache")
    sentences: list[str] = []
    images = data.load(progress=sentences.append)
    assert images.embedded
    assert "not MNIST" in images.name
    assert len(sentences) == 1
    assert "MDNN_OFFLINE forbids" in sentences[0]
    assert images.name in sentences[0]
    assert data.load().embedded
    printed = capsys.readouterr()
    assert sentences[0] in printed.err
    assert printed.out == ""
    assert not (tmp_path / "cache").exists()


def test_the_stand_in_is_always_the_same_and_well_formed() -> None:
    first, second = embedded.load(), embedded.load()
    assert first.train.shape == (1297, 64)
    assert first.test.shape == first.anomalous.shape == (500, 64)
    assert first.height * first.width == 64
    for one, other in zip(
        (first.train, first.test, first.anomalous), (second.train, second.test, second.anomalous), strict=True
    ):
        assert torch.equal(one, other)
        assert one.dtype == torch.uint8
        assert one.is_contiguous()
        assert int(one.max()) == first.levels - 1 == 16


def test_the_stand_in_uses_every_digit_once_and_no_patch_twice() -> None:
    from sklearn.datasets import load_digits

    images = embedded.load()
    used = torch.cat([images.train, images.test]).numpy()
    expected = load_digits().data.astype(np.uint8)
    assert sorted(map(bytes, used)) == sorted(map(bytes, expected))
    assert len({bytes(row) for row in images.anomalous.numpy()}) > 400, "flat patches may coincide, others may not"


def test_patches_are_squares_of_the_photograph() -> None:
    picture = np.arange(17 * 25).reshape(17, 25)
    patches = embedded._blocks(picture, 8)
    assert patches.shape == (2, 3, 64)
    np.testing.assert_array_equal(patches[1, 2].reshape(8, 8), picture[8:16, 16:24])


def test_grey_covers_all_levels_in_bins_of_equal_width() -> None:
    flat = [np.full((4, 4, 3), value, dtype=np.uint8) for value in range(256)]
    levels = np.array([int(embedded._grey(picture)[0, 0]) for picture in flat])
    assert levels.min() == 0
    assert levels.max() == 16
    assert set(np.bincount(levels)) == {15, 16}


@needs_data
def test_the_real_images_have_their_sizes_and_load_fast() -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        images = data.load(Path(str(REAL)))
        seconds.append(time.perf_counter() - start)
    assert images.train.shape == (60_000, 784)
    assert images.test.shape == images.anomalous.shape == (10_000, 784)
    assert all(x.is_contiguous() and x.dtype == torch.uint8 for x in (images.train, images.test, images.anomalous))
    assert (images.height, images.width, images.levels, images.embedded) == (28, 28, 256, False)
    # published mean and standard deviation of MNIST's training pixels: 0.1307 and 0.3081, to four places
    shares = np.bincount(images.train.numpy().ravel(), minlength=256) / images.train.numel()
    levels = np.arange(256) / 255
    mean = shares @ levels
    assert abs(mean - 0.1307) < 5e-5
    assert abs(np.sqrt(shares @ (levels - mean) ** 2) - 0.3081) < 5e-5
    assert min(seconds) < 1.5


@needs_data
def test_kmnist_under_the_name_of_mnist_is_recognised(tmp_path: Path) -> None:
    for source in MNIST_AGAINST_KMNIST.sources:
        path = tmp_path / source.packed
        path.parent.mkdir(parents=True, exist_ok=True)
        origin = MNIST_AGAINST_KMNIST.anomalous if source == MNIST_AGAINST_KMNIST.test else source
        found = origin.find(Path(str(REAL)))
        assert found is not None
        path.symlink_to(found)
    with pytest.raises(UsageError, match=r"MNIST/raw/t10k-images.*which is KMNIST's t10k-images-idx3-ubyte, expected"):
        data.load(tmp_path)
