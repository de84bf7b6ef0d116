"""The files that MNIST against KMNIST is made of: where they lie, what they hold, where they come from.

MNIST: LeCun, Cortes, Burges. KMNIST: Clanuwat et al., Deep Learning for Classical Japanese Literature, 2018. Labels are
checked and not kept: no method here sees them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mdnn_verify.anomaly import idx
from mdnn_verify.errors import UsageError

__all__ = ["MNIST_AGAINST_KMNIST", "Catalogue", "Source"]


@dataclass(frozen=True)
class Source:
    """One file, in the folder layout of torchvision: ``<data set>/raw/<name>``, or the same name with ``.gz``.

    ``sha256`` is that of the unpacked content, which all mirrors share, however they packed it. ``mirrors`` are the
    addresses of folders, first choice first, that hold ``<name>.gz``. ``of`` names the file of images that a file of
    labels belongs to.
    """

    dataset: str
    name: str
    shape: tuple[int, ...]
    sha256: str
    mirrors: tuple[str, ...]
    of: str | None = None

    @property
    def packed(self) -> Path:
        """Relative to the data folder."""
        return Path(self.dataset, "raw", f"{self.name}.gz")

    def find(self, folder: Path) -> Path | None:
        """The file in ``folder``, unpacked or packed (torchvision, too, prefers the unpacked one)."""
        candidates = (folder / self.packed.with_suffix(""), folder / self.packed)
        return next((path for path in candidates if path.is_file()), None)

    def read(self, path: Path) -> npt.NDArray[np.uint8]:
        """The values at ``path``, of shape ``shape``. Raises UsageError if they are not exactly those expected."""
        content = idx.read(path, self.shape)
        if content.sha256 != self.sha256:
            other = next(
                (f", which is {known}" for known in MNIST_AGAINST_KMNIST.sources if known.sha256 == content.sha256), ""
            )
            raise UsageError(
                f"{path} has other content than {self}: SHA-256 of the unpacked file {content.sha256}{other}, "
                f"expected {self.sha256}"
            )
        return content.values

    def __str__(self) -> str:
        return f"{self.dataset}'s {self.name}"


@dataclass(frozen=True)
class Catalogue:
    """The files of one experiment; ``labels`` are checked and dropped."""

    train: Source
    test: Source
    anomalous: Source
    labels: tuple[Source, ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        return (self.train, self.test, self.anomalous, *self.labels)


_MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
# the digests guard the content, so the unencrypted address will do where the encrypted one fails
_KMNIST = ("https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/")


def _images(dataset: str, name: str, count: int, sha256: str, mirrors: tuple[str, ...]) -> Source:
    return Source(dataset, f"{name}-images-idx3-ubyte", (count, 28, 28), sha256, mirrors)


def _labels(images: Source, sha256: str) -> Source:
    name = images.name.replace("images-idx3", "labels-idx1")
    return Source(images.dataset, name, images.shape[:1], sha256, images.mirrors, of=images.name)


# SHA-256 of what the files that torchvision downloads unpack to
_TRAIN = _images("MNIST", "train", 60_000, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", _MNIST)
_TEST = _images("MNIST", "t10k", 10_000, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", _MNIST)
_OTHER = _images("KMNIST", "t10k", 10_000, "76fbd229ce87db80dd281af5e6670de4ad0e42fb30a7bd643972994c47c1f42e", _KMNIST)
MNIST_AGAINST_KMNIST = Catalogue(
    train=_TRAIN,
    test=_TEST,
    anomalous=_OTHER,
    labels=(
        _labels(_TRAIN, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        _labels(_TEST, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        _labels(_OTHER, "a11dc742be8e781a40a92f53d6a4957e7b7d36df2faa097659131ebfd8fd60c6"),
    ),
)
