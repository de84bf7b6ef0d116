"""Pictures of an experiment, as plain descriptions: scores, ROC, images, losses. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch

from mdnn_verify.anomaly.base import ImageSets, Split
from mdnn_verify.anomaly.detector import Detection, roc
from mdnn_verify.anomaly.training import LossPoint
from mdnn_verify.pictures import Curve, Curves, ImageGrid, Tile

__all__ = ["Reconstructing", "Sampling", "Scores", "histogram", "loss_curve", "roc_curve", "samples", "worst"]

BINS = 56
WORST = 8  # images of each kind
SAMPLES = 32
WIDE = 30.0  # a largest score of so many times the smallest asks for a logarithmic axis
THRESHOLDS = 2  # the colour of the first threshold, in every picture
KEPT = 0.995  # of the anomalous scores are within the axis, and all normal ones

Array = npt.NDArray[np.float64]


@runtime_checkable
class Reconstructing(Protocol):
    """A model whose score compares an image with its reconstruction."""

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """(N, pixels) uint8 -> (N, pixels) in the same units, floating point, pixel values 0 to 1."""
        ...


@runtime_checkable
class Sampling(Protocol):
    """A model from which images can be drawn."""

    def sample(self, n: int, seed: int) -> torch.Tensor:
        """(n, pixels), uint8 in the levels of the images that it was trained on."""
        ...


class Scores:
    """Scores of the normal test images and of the anomalous ones, (n,) and (m,), in the units of the source.

    ``flagged`` is "above" or "below", as ``base.Method`` defines it; scores of the second sort come with their sign
    changed and are shown with their own.
    """

    def __init__(self, test: torch.Tensor, anomalous: torch.Tensor, name: str, flagged: str) -> None:
        self.test, self.anomalous, self.name = test, anomalous, name
        self.sign = -1.0 if flagged == "below" else 1.0

    def shown(self, scores: torch.Tensor) -> Array:
        """The quantity that the source speaks of."""
        return np.asarray(self.sign * scores.double().numpy(), dtype=np.float64)

    def rule(self, detection: Detection) -> str:
        """A threshold's rule in the same terms: the mean of a negative plus is that of the quantity minus."""
        words = detection.threshold.rule
        return words if self.sign > 0 else words.replace("mean + 3", "mean − 3")


def histogram(scores: Scores, detections: Sequence[Detection]) -> Curves:
    """Shares of both kinds of images over the score, logarithmic, with a vertical line for each threshold.

    Over the score itself, so that anomalies are on the right and a likelihood that spans decades has a logarithm.
    """
    test, anomalous = scores.test.double().numpy(), scores.anomalous.double().numpy()
    edges, log_x = _edges(test, anomalous, [detection.threshold.value for detection in detections])
    beyond = int(((anomalous < edges[0]) | (anomalous > edges[-1])).sum())
    least = 0.5 / max(len(test), len(anomalous))  # where an empty bin is drawn: below a single image
    curves = [
        Curve(label, edges.tolist(), _shares(values, edges, least), style="step")
        for label, values in (("normal test images", test), ("anomalous images", anomalous))
    ]
    curves += [
        Curve(
            f"threshold: {detection.threshold.rule}",
            [detection.threshold.value],
            [least],
            style="vertical",
            color=THRESHOLDS + i,
        )
        for i, detection in enumerate(detections)
    ]
    note = f" {beyond:,} of {len(anomalous):,} anomalous images lie beyond the edge." if beyond else ""
    name = scores.name if scores.sign > 0 else f"minus the {scores.name}"
    caption = f"How the score is distributed; images on the right of a threshold are flagged.{note}"
    return Curves(caption, name, "share of images in each bin", curves, log_x=log_x, log_y=True)


def _edges(test: Array, anomalous: Array, thresholds: Sequence[float]) -> tuple[Array, bool]:
    """Bins over everything normal and all but the most extreme anomalous images; geometric if that range is wide."""
    inner = np.quantile(anomalous, [1 - KEPT, KEPT])
    low = float(min(test.min(), inner[0], *thresholds))
    high = float(max(test.max(), inner[1], *thresholds))
    if low == high:
        return np.linspace(low - 0.5, high + 0.5, BINS + 1), False
    if low > 0 and high > WIDE * low:
        return np.geomspace(low, high, BINS + 1), True
    return np.linspace(low, high, BINS + 1), False


def _shares(values: Array, edges: Array, least: float) -> list[float]:
    share = np.histogram(values, edges)[0] / len(values)
    return [float(s) for s in np.maximum(np.append(share, share[-1]), least)]


def roc_curve(scores: Scores, detections: Sequence[Detection]) -> Curves:
    """Detection rate over type I rate, the latter logarithmic; a dot where each threshold puts the detector."""
    false, true = roc(scores.test, scores.anomalous, points=110)
    first = int(np.searchsorted(false, 0.0, side="right")) - 1  # the most that is found without a false alarm
    false, true = false[first:], true[first:]
    least = 0.5 / len(scores.test)
    curves = [Curve("ROC curve", np.maximum(false, least).tolist(), true.tolist(), style="step")]
    curves += [
        Curve(
            scores.rule(detection),
            [max(detection.type_i.estimate, least)],
            [1 - detection.type_ii.estimate],
            style="dots",
            color=THRESHOLDS + i,
        )
        for i, detection in enumerate(detections)
    ]
    caption = "ROC curve: the share of anomalous images that is found, for each share of normal images flagged."
    return Curves(caption, "type I rate", "1 − type II rate", curves, log_x=True)


def worst(
    images: ImageSets,
    split: Split,
    scores: Scores,
    detection: Detection,
    model: object,
    kind: str,
    shown: int = WORST,
) -> ImageGrid:
    """The images that the detector errs on most: of ``kind`` "normal" the highest scores, "anomalous" the lowest."""
    normal = kind == "normal"
    pool, values = (split.test, scores.test) if normal else (split.anomalous, scores.anomalous)
    order = torch.argsort(values, descending=normal, stable=True)[:shown]
    chosen = pool[order]
    rows = [_hexadecimal(chosen.double() / (images.levels - 1))]
    if isinstance(model, Reconstructing):
        rows.append(_hexadecimal(model.reconstruct(chosen).detach().cpu().double()))
    marks = [_number(value) for value in scores.shown(values[order])]
    tiles = [Tile(column, mark) for column, mark in zip(zip(*rows, strict=True), marks, strict=True)]
    rate = detection.type_i if normal else detection.type_ii
    first = "Normal test images that look most anomalous" if normal else "Anomalous images that look most normal"
    verb = "flagged (type I)" if normal else "missed (type II)"
    caption = f"{first}, worst first, with their scores. {rate.count:,} of {rate.total:,} are {verb}."
    return ImageGrid(caption, images.height, images.width, shown, tiles, ("image", "reconstruction")[: len(rows)])


def samples(images: ImageSets, model: Sampling, seed: int) -> ImageGrid:
    """Images drawn from the model."""
    drawn = model.sample(SAMPLES, seed).detach().cpu().double() / (images.levels - 1)
    tiles = [Tile([image]) for image in _hexadecimal(drawn)]
    return ImageGrid("Images drawn from the learned density.", images.height, images.width, 8, tiles)


def loss_curve(points: Sequence[LossPoint], name: str) -> Curves:
    """The training loss, called ``name``, over epochs."""
    curve = Curve("mean over a tenth of an epoch", [p.epoch for p in points], [p.loss for p in points])
    positive = all(point.loss > 0 for point in points)
    return Curves("Training loss.", "epoch", name, [curve], log_y=positive)


def _hexadecimal(images: torch.Tensor) -> list[str]:
    """Pixel values 0 to 1, (N, pixels), to what ``pictures.Tile`` holds."""
    grey = (images.clamp(0, 1) * 255).round().to(torch.uint8)
    return [bytes(image.tolist()).hex() for image in grey]


def _number(value: float) -> str:
    words = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.1g}"
    return words.replace("-", "−")
