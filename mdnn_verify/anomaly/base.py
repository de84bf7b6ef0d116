"""What the methods of anomaly detection share: the images they are given and the scores they give back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

__all__ = ["Fitted", "ImageSets", "Method", "Progress", "Settings", "Split"]


@dataclass(frozen=True)
class ImageSets:
    """Normal images to train on and to test with, and anomalous ones; uint8 of shape (N, height * width).

    Pixel values are 0 .. levels - 1 (256 for MNIST, 17 for the embedded digits). ``embedded`` marks the stand-in that
    is used where there is neither data nor network; whatever is shown of it says so. ``source`` is a folder, or a
    sentence.
    """

    name: str
    source: str
    train: torch.Tensor
    test: torch.Tensor
    anomalous: torch.Tensor
    height: int
    width: int
    levels: int = 256
    embedded: bool = False


@dataclass(frozen=True)
class Split:
    """Which images a method was trained on, calibrated with and tested with; rows as in ``ImageSets``."""

    train: torch.Tensor
    validation: torch.Tensor
    test: torch.Tensor
    anomalous: torch.Tensor


@dataclass(frozen=True)
class Progress:
    """Where a training stands, once every so often."""

    epoch: int
    epochs: int
    images: int
    of_images: int
    loss: float
    images_per_second: float


@dataclass(frozen=True)
class Settings:
    """How to train. ``epochs`` None is the method's own number; ``checkpoint`` a file to resume from and to keep."""

    seed: int = 0
    epochs: int | None = None
    device: str = "cpu"
    checkpoint: Path | None = None


class Fitted(Protocol):
    """A trained method. Larger scores are more anomalous."""

    def score(self, images: torch.Tensor) -> torch.Tensor:
        """(N, pixels) uint8 -> (N,) float64 on the CPU."""
        ...

    def configuration(self) -> Mapping[str, Any]:
        """Plain JSON-able values from which, with ``tensors``, the model is rebuilt."""
        ...

    def tensors(self) -> Mapping[str, torch.Tensor]:
        """The weights by name, on the CPU."""
        ...


class Method(Protocol):
    """One way to tell anomalies: a module of this package has one such object.

    ``score_name`` says what the source calls the score, with its convention and unit; ``flagged`` is "above" if large
    values of that quantity are anomalous and "below" if small ones are. ``Fitted.score`` is then its negative.
    """

    name: str
    score_name: str
    flagged: str

    def split(self, images: ImageSets, seed: int) -> Split:
        """Training, validation and test images, as the method's source prescribes."""
        ...

    def fit(self, images: ImageSets, split: Split, settings: Settings, report: Callable[[Progress], None]) -> Fitted:
        """Train."""
        ...

    def restore(
        self, configuration: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], images: ImageSets
    ) -> Fitted:
        """A trained model again from what ``store.load`` has read."""
        ...
