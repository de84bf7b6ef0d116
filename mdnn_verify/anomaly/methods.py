"""The methods by name, what the page says of each, and the numbers that the seeds report. Imports nothing heavy."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdnn_verify.errors import UnknownName

if TYPE_CHECKING:
    from mdnn_verify.anomaly.base import Method

__all__ = ["FLOW1D", "METHODS", "Entry", "Published", "entry", "method"]


@dataclass(frozen=True)
class Published:
    """One seed's own result, as printed there; None is what it does not say."""

    source: str
    type_i: float
    type_ii: float
    threshold: float
    convention: str
    train_seconds: float | None = None
    epochs: int | None = None


@dataclass(frozen=True)
class Entry:
    """A method: where it is, and what is said of it.

    ``summed`` names the quantity that the score is a sum of over the pixels, empty if it is no such sum; ``by_epochs``
    says whether ``--epochs`` means anything to it, ``loss`` what is minimised in them.
    """

    name: str
    title: str
    source: str
    how: str
    module: str
    attribute: str
    by_epochs: bool
    summed: str = ""
    loss: str = "loss"
    published: tuple[Published, ...] = ()


SEEDS_AUTOENCODER = (
    Published("seed 001", 0.0104, 0.0295, 0.0329, "mean over pixels", train_seconds=26.8, epochs=10),
    Published("seed 003", 0.009, 0.0286, 23.67, "sum over pixels"),
)

METHODS: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            "autoencoder",
            "Autoencoder",
            "seed 000, Problem 1; seed 004, Problem 7",
            "Reconstructs an image through 32 numbers; what it has not learnt to reconstruct is anomalous.",
            "mdnn_verify.anomaly.autoencoder",
            "AUTOENCODER",
            by_epochs=True,
            summed="squared error",
            loss="squared error of an image",
            published=SEEDS_AUTOENCODER,
        ),
        Entry(
            "flow",
            "Normalizing flow",
            "seed 002, Problem 3",
            "Affine coupling layers give every image a density; images of low density are anomalous.",
            "mdnn_verify.anomaly.flow",
            "FLOW",
            by_epochs=True,
            loss="bits per dimension",
        ),
        Entry(
            "pca",
            "PCA reconstruction",
            "baseline, no seed",
            "The linear autoencoder in closed form: distance to the subspace of the leading principal components.",
            "mdnn_verify.anomaly.baselines",
            "PCA",
            by_epochs=False,
            summed="squared error",
        ),
        Entry(
            "mahalanobis",
            "Mahalanobis distance",
            "baseline, no seed",
            "The Gaussian with the training images' mean and regularised covariance: distance in its own metric.",
            "mdnn_verify.anomaly.baselines",
            "MAHALANOBIS",
            by_epochs=False,
        ),
    )
}

FLOW1D = Entry(
    "flow1d",
    "One-dimensional flow",
    "seed 000, Problem 2",
    "Five Gaussian distribution functions take a mixture of three normal laws to a standard normal.",
    "mdnn_verify.anomaly.flow1d_experiment",
    "Flow1dExperiment",
    by_epochs=True,
)


def entry(name: str) -> Entry:
    """What is said of a method that detects anomalies. Raises UnknownName."""
    if name not in METHODS:
        raise UnknownName("method", name, METHODS)
    return METHODS[name]


def method(name: str) -> Method:
    """The method itself; imports its module. Raises UnknownName."""
    found = entry(name)
    return getattr(importlib.import_module(found.module), found.attribute)  # type: ignore[no-any-return]
