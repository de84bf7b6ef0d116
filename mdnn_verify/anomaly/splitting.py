"""The split that the seeds prescribe for the autoencoder, and that the baselines share."""

from __future__ import annotations

import torch

from mdnn_verify.anomaly.base import ImageSets, Split
from mdnn_verify.engines.montecarlo.stream import Stream

__all__ = ["train_and_validation"]


def train_and_validation(images: ImageSets, seed: int) -> Split:
    """A random sixth of the training set validates: 50,000 and 10,000 of MNIST's 60,000 (seed 001, step 1).

    The seed decides which; every method that uses this function gets the same images for the same seed.
    """
    order = torch.from_numpy(Stream("anomaly/split", seed).numpy.permutation(len(images.train)))
    training = len(order) - len(order) // 6
    return Split(images.train[order[:training]], images.train[order[training:]], images.test, images.anomalous)
