"""The stand-in where there is neither data nor network: small images that come with scikit-learn.

Normal: the 1,797 digits of ``load_digits`` (UCI Optical Recognition of Handwritten Digits), 8 x 8 pixels of 17 levels.
Anomalous: 8 x 8 patches of the two sample photographs, grey, a quarter of their size (at full size most patches are
flat), quantised to the same 17 levels. It is NOT MNIST against
KMNIST, far smaller and easier, and says so in its name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mdnn_verify.anomaly.base import ImageSets
from mdnn_verify.engines.montecarlo.stream import Stream

__all__ = ["load"]

_SIDE, _LEVELS, _SHRINK = 8, 17, 4
_TEST, _PATCHES = 500, 500

Bytes = npt.NDArray[np.uint8]


def load() -> ImageSets:
    """1,297 digits to train on, 500 to test with, 500 patches; always the same."""
    digits = _digits()
    return ImageSets(
        name="digits against photograph patches (embedded stand-in, not MNIST)",
        source="embedded in scikit-learn: load_digits, and 8 x 8 grey patches of load_sample_images",
        train=torch.from_numpy(digits[_TEST:]),
        test=torch.from_numpy(digits[:_TEST]),
        anomalous=torch.from_numpy(_photograph_patches()),
        height=_SIDE,
        width=_SIDE,
        levels=_LEVELS,
        embedded=True,
    )


def _digits() -> Bytes:
    """Shuffled: the file is ordered by writer, and a conformal threshold needs exchangeable images."""
    from sklearn.datasets import load_digits  # a second of import that a run on MNIST need not pay

    values: Bytes = load_digits().data.astype(np.uint8)
    order = Stream("anomaly/embedded digits", 0).numpy.permutation(len(values))
    return np.ascontiguousarray(values[order])


def _photograph_patches() -> Bytes:
    """As many of each photograph, evenly spread over its grid of patches that do not overlap."""
    from sklearn.datasets import load_sample_images

    photographs = [np.asarray(photograph) for photograph in load_sample_images().images]
    count = _PATCHES // len(photographs)
    return np.concatenate([_spread(_patches(_grey(photograph)), count) for photograph in photographs])


def _grey(photograph: Bytes) -> Bytes:
    """(H, W, 3) of 256 levels -> (H / 4, W / 4) of 17: means of 4 x 4 luma values of ITU-R BT.601, bins of equal width.

    In integers; still, another JPEG decoder may move a value by a level.
    """
    luma = photograph.astype(np.int64) @ np.array([299, 587, 114])
    sums = _blocks(luma, _SHRINK).sum(axis=-1)
    grey: Bytes = (sums * _LEVELS // (256_000 * _SHRINK**2)).astype(np.uint8)
    return grey


def _patches(grey: Bytes) -> Bytes:
    """(H, W) -> (patches, 64), row by row."""
    patches: Bytes = _blocks(grey, _SIDE).reshape(-1, _SIDE**2)
    return patches


def _blocks(picture: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """(H, W) -> (H / side, W / side, side^2); what is left over at the right and lower edges is dropped."""
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    grid = picture[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return grid.swapaxes(1, 2).reshape(rows, columns, side**2)


def _spread(rows: Bytes, count: int) -> Bytes:
    return rows[np.arange(count) * len(rows) // count]
