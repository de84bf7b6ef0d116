"""MNIST against KMNIST: from a named folder, the user's cache or a download; else the embedded stand-in, labelled.

A folder that was named (``--data``, or MDNN_DATA in the environment) is used or refused, never replaced.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from mdnn_verify.anomaly import download, embedded
from mdnn_verify.anomaly.base import ImageSets
from mdnn_verify.anomaly.sources import MNIST_AGAINST_KMNIST, Catalogue, Source
from mdnn_verify.errors import UsageError

__all__ = ["FOLDER_VARIABLE", "load", "read_folder"]

FOLDER_VARIABLE = "MDNN_DATA"


def load(folder: Path | None = None, progress: Callable[[str], None] | None = None) -> ImageSets:
    """The images: uint8, contiguous, (60,000, 784), (10,000, 784) and (10,000, 784), or the embedded stand-in.

    ``folder`` None: the folder that MDNN_DATA names, else the user's cache, which is filled by a download unless
    MDNN_OFFLINE forbids it. ``progress`` is given a sentence now and then; without it they go to standard error.
    Raises UsageError where a folder was named, or the cache filled, and a file is missing or not what it should be.
    """
    if folder is not None:
        return read_folder(folder, "the data folder")
    if named := os.environ.get(FOLDER_VARIABLE):
        return read_folder(Path(named).expanduser(), f"the folder that {FOLDER_VARIABLE} names")
    report = progress or _to_standard_error
    cache = download.cache_folder()
    try:
        download.fill(cache, report)
    except download.DownloadFailed as reason:
        stand_in = embedded.load()
        report(f"no MNIST and KMNIST ({reason}; --data or {FOLDER_VARIABLE} can name a folder): using {stand_in.name}")
        return stand_in
    return read_folder(cache, "the cache", mend="the next run downloads it again")


def read_folder(
    folder: Path, called: str, catalogue: Catalogue = MNIST_AGAINST_KMNIST, mend: str | None = None
) -> ImageSets:
    """Read the files of ``catalogue`` in torchvision's layout and check every byte.

    ``called`` is what messages call the folder, ``mend`` what they say of a deleted file. Raises UsageError.
    """
    if not folder.is_dir():
        raise UsageError(f"{called}, {folder}, does not exist or is not a folder; {_layout(catalogue)}")
    paths = {source: source.find(folder) for source in catalogue.sources}
    if missing := [source.packed.as_posix() for source, path in paths.items() if path is None]:
        raise UsageError(f"{called}, {folder}, lacks {', '.join(missing)}; {_layout(catalogue)}")
    values = {source: _read(source, path, mend) for source, path in paths.items() if path}
    train, test, anomalous = (
        torch.from_numpy(images.reshape(len(images), -1))
        for images in (values[catalogue.train], values[catalogue.test], values[catalogue.anomalous])
    )
    _, height, width = catalogue.train.shape
    return ImageSets("MNIST against KMNIST", str(folder), train, test, anomalous, height, width)


def _read(source: Source, path: Path, mend: str | None) -> npt.NDArray[np.uint8]:
    try:
        return source.read(path)
    except UsageError as error:
        whose = f" (one label for each image of {source.of})" if source.of else ""
        again = mend or f"copy {source.packed.name} there again, for instance from {source.mirrors[0]}"
        raise UsageError(f"{error}{whose}; delete it, and {again}") from error


def _layout(catalogue: Catalogue) -> str:
    names = ", ".join(source.packed.as_posix() for source in catalogue.sources)
    return f"expected torchvision's layout: {names} (or unpacked beside, without .gz)"


def _to_standard_error(sentence: str) -> None:
    print(f"mdnn-verify: {sentence}", file=sys.stderr)
