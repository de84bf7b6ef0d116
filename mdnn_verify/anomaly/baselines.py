"""Two detectors in closed form that any trained one has to beat: PCA reconstruction, regularised Mahalanobis distance.

Pixels are scaled to [0, 1] (level / (levels - 1)). Both fits need only mean and covariance of the training images,
which are computed exactly and rounded once; scores are float64. The split is the autoencoder's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from mdnn_verify.anomaly.base import ImageSets, Progress, Settings, Split
from mdnn_verify.anomaly.splitting import train_and_validation
from mdnn_verify.anomaly.store import expect_tensors
from mdnn_verify.errors import UsageError

__all__ = ["MAHALANOBIS", "PCA", "FittedMahalanobis", "FittedPca", "Mahalanobis", "Pca", "moments", "shrunk"]

BLOCK = 4096  # images scored at a time: 25 MB at 784 pixels
Tensors = Mapping[str, torch.Tensor]
Report = Callable[[Progress], None]


@dataclass(frozen=True)
class FittedPca:
    """The affine subspace mean + span(components): (D,) and (D, k), float64, orthonormal columns."""

    mean: torch.Tensor
    components: torch.Tensor
    levels: int

    def score(self, images: torch.Tensor) -> torch.Tensor:
        """Squared distance to the subspace, summed over pixels: (N, D) uint8 -> (N,) float64 on the CPU."""
        residuals = (x - self._projected(x) for x in _centred(images, self.mean, self.levels))
        return torch.cat([residual.square().sum(dim=1) for residual in residuals]).cpu()

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """The nearest points of the subspace: (N, D) uint8 -> (N, D) float64 on the CPU, not clipped to [0, 1]."""
        blocks = _centred(images, self.mean, self.levels)
        return torch.cat([self.mean + self._projected(x) for x in blocks]).cpu()

    def configuration(self) -> Mapping[str, Any]:
        return {"components": self.components.shape[1], "pixels": len(self.mean), "levels": self.levels}

    def tensors(self) -> Tensors:
        return {"mean": self.mean.cpu(), "components": self.components.cpu()}

    def _projected(self, x: torch.Tensor) -> torch.Tensor:
        return (x @ self.components) @ self.components.T


@dataclass(frozen=True)
class FittedMahalanobis:
    """N(mean, L L'): mean (D,) and the lower Cholesky factor L (D, D), float64."""

    mean: torch.Tensor
    factor: torch.Tensor
    levels: int

    def score(self, images: torch.Tensor) -> torch.Tensor:
        """(x - mean)' (L L')^-1 (x - mean): (N, D) uint8 -> (N,) float64 on the CPU."""
        blocks = _centred(images, self.mean, self.levels)
        whitened = (torch.linalg.solve_triangular(self.factor, x.T, upper=False) for x in blocks)
        return torch.cat([white.square().sum(dim=0) for white in whitened]).cpu()

    def configuration(self) -> Mapping[str, Any]:
        return {"pixels": len(self.mean), "levels": self.levels}

    def tensors(self) -> Tensors:
        return {"mean": self.mean.cpu(), "factor": self.factor.cpu()}


class Pca:
    """Distance to the subspace of the leading principal components of the training images."""

    name = "pca"
    score_name = "squared reconstruction error, sum over pixels"
    flagged = "above"

    def __init__(self, components: int = 48) -> None:
        self.components = components

    def split(self, images: ImageSets, seed: int) -> Split:
        return train_and_validation(images, seed)

    def fit(self, images: ImageSets, split: Split, settings: Settings, report: Report) -> FittedPca:
        """Raises UsageError for fewer than two images, no more pixels than components, and a number of epochs."""
        _closed_form(self.name, settings)
        self._expect_fewer_than(split.train.shape[1])
        start = time.perf_counter()
        mean, covariance = moments(split.train.to(settings.device), images.levels)
        _, axes = torch.linalg.eigh(covariance)  # eigenvalues ascend
        fitted = FittedPca(mean, axes[:, -self.components :].contiguous(), images.levels)
        report(_done(fitted, split, time.perf_counter() - start))
        return fitted

    def restore(self, configuration: Mapping[str, Any], tensors: Tensors, images: ImageSets) -> FittedPca:
        """Raises UsageError for a configuration, a tensor or images that do not belong together."""
        pixels = images.train.shape[1]
        self._expect_fewer_than(pixels)
        expected = {"components": self.components, "pixels": pixels, "levels": images.levels}
        _expect_model(self.name, configuration, expected, tensors, {"components": (pixels, self.components)})
        axes = tensors["components"]
        # eigh's axes are orthonormal to a modest multiple of pixels * epsilon; pixels^2 is generous, a fault is not
        error = (axes.T @ axes - torch.eye(self.components, dtype=torch.float64)).abs().max()
        if not error <= pixels**2 * torch.finfo(torch.float64).eps:
            raise UsageError(f"the {self.name} model's components are not orthonormal (off by {float(error):.2g})")
        return FittedPca(tensors["mean"], axes, images.levels)

    def _expect_fewer_than(self, pixels: int) -> None:
        if not 1 <= self.components < pixels:
            raise UsageError(
                f"{self.name} with {self.components} components on images of {pixels} pixels, expected fewer"
            )


class Mahalanobis:
    """Distance to the training images' mean in the metric of their regularised covariance.

    The ridge is Ledoit and Wolf's: no number is tuned, least of all on anomalous images.
    """

    name = "mahalanobis"
    score_name = "squared Mahalanobis distance"
    flagged = "above"

    def split(self, images: ImageSets, seed: int) -> Split:
        return train_and_validation(images, seed)

    def fit(self, images: ImageSets, split: Split, settings: Settings, report: Report) -> FittedMahalanobis:
        """Raises UsageError for fewer than two images, images that are all the same, and a number of epochs."""
        _closed_form(self.name, settings)
        start = time.perf_counter()
        train = split.train.to(settings.device)
        mean, covariance = moments(train, images.levels)
        fourth = torch.cat([x.square().sum(dim=1).square() for x in _centred(train, mean, images.levels)]).mean()
        factor, failed = torch.linalg.cholesky_ex(shrunk(covariance, float(fourth), len(train)))
        if failed:
            raise UsageError(f"the {len(train)} training images do not vary enough for a covariance")
        fitted = FittedMahalanobis(mean, factor, images.levels)
        report(_done(fitted, split, time.perf_counter() - start))
        return fitted

    def restore(self, configuration: Mapping[str, Any], tensors: Tensors, images: ImageSets) -> FittedMahalanobis:
        """Raises UsageError for a configuration, a tensor or images that do not belong together."""
        pixels = images.train.shape[1]
        expected = {"pixels": pixels, "levels": images.levels}
        _expect_model(self.name, configuration, expected, tensors, {"factor": (pixels, pixels)})
        factor = tensors["factor"]
        if (factor.triu(1) != 0).any() or not (factor.diagonal() > 0).all():
            raise UsageError(f"the {self.name} model's factor is not lower triangular with a positive diagonal")
        return FittedMahalanobis(tensors["mean"], factor, images.levels)


PCA = Pca()
MAHALANOBIS = Mahalanobis()


def moments(images: torch.Tensor, levels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean (D,) and covariance (D, D), divisor N, of images (N, D) uint8 scaled to [0, 1]; float64.

    Sums of products of levels are integers: below 2^24 they are exact in float32, whose products are twice as fast, and
    their total is exact in float64. So the result does not depend on the order of summation, nor on threads or device.
    (N times the sums stays below 2^53 up to N = 370,000 with 256 levels; beyond, rounding is as usual.)
    Raises UsageError for fewer than two images.
    """
    count, pixels = images.shape
    if count < 2:
        raise UsageError(f"there are {count} training images, expected at least 2")
    products = torch.zeros(pixels, pixels, dtype=torch.float64, device=images.device)
    total = torch.zeros(pixels, dtype=torch.float64, device=images.device)
    for block in torch.split(images, 2**24 // (levels - 1) ** 2):
        values = block.float()
        products += (values.T @ values).double()
        total += values.sum(dim=0)
    covariance = (count * products - torch.outer(total, total)) / (count * (levels - 1)) ** 2
    return total / (count * (levels - 1)), covariance


def shrunk(covariance: torch.Tensor, fourth: float, count: int) -> torch.Tensor:
    """The covariance S (D, D) of ``count`` images, shrunk towards m I, m = tr(S) / D, as Ledoit and Wolf (2004) do.

    weight = min(1, (fourth - |S|^2) / (count |S - m I|^2)), Frobenius norms, ``fourth`` the mean of |x - mean|^4: an
    estimate of the weight whose result is nearest to the true covariance in mean square.
    """
    size = len(covariance)
    identity = torch.eye(size, dtype=covariance.dtype, device=covariance.device)
    target = covariance.trace() / size * identity
    noise = (fourth - covariance.square().sum()) / count
    distance = (covariance - target).square().sum()
    weight = 1.0 if noise >= distance else float(noise / distance)
    return (1 - weight) * covariance + weight * target


def _centred(images: torch.Tensor, mean: torch.Tensor, levels: int) -> Iterator[torch.Tensor]:
    if images.ndim != 2 or images.shape[1] != len(mean) or images.dtype != torch.uint8:
        raise UsageError(
            f"images have shape {tuple(images.shape)}, dtype {images.dtype}; expected (N, {len(mean)}), torch.uint8"
        )
    for block in torch.split(images, BLOCK):
        yield block.to(mean.device).double() / (levels - 1) - mean


def _closed_form(name: str, settings: Settings) -> None:
    if settings.epochs is not None:
        raise UsageError(f"{name} is fitted in closed form: it takes no number of epochs ({settings.epochs} given)")


def _done(fitted: FittedPca | FittedMahalanobis, split: Split, seconds: float) -> Progress:
    loss = float(fitted.score(split.train[:BLOCK]).mean())
    return Progress(1, 1, len(split.train), len(split.train), loss, len(split.train) / max(seconds, 1e-9))


def _expect_model(
    name: str,
    configuration: Mapping[str, Any],
    expected: Mapping[str, int],
    tensors: Tensors,
    matrix: Mapping[str, tuple[int, int]],
) -> None:
    if dict(configuration) != dict(expected):
        raise UsageError(f"the {name} model's configuration is {dict(configuration)}, expected {dict(expected)}")
    shapes: dict[str, tuple[int, ...]] = {"mean": (expected["pixels"],), **matrix}
    expect_tensors(f"the {name} model", tensors, {key: (torch.float64, shape) for key, shape in shapes.items()})
    for key, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise UsageError(f"the {name} model holds NaN or infinite values in {key!r}, expected finite numbers")
