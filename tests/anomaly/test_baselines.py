"""PCA and Mahalanobis distance against scikit-learn and exact arithmetic; models that do not belong are refused."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn import decomposition
from sklearn.covariance import ledoit_wolf

from mdnn_verify.anomaly import store
from mdnn_verify.anomaly.base import ImageSets, Method, Progress, Settings
from mdnn_verify.anomaly.baselines import MAHALANOBIS, PCA, Mahalanobis, Pca, moments, shrunk
from mdnn_verify.anomaly.detector import auroc, conformal, detect, mean_plus_three_sd
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import UsageError

EPS = np.finfo(float).eps
METHODS: list[Method] = [Pca(5), Mahalanobis()]


def synthetic(height: int = 4, width: int = 5, levels: int = 256, train: int = 600) -> ImageSets:
    """Normal images vary mostly in three directions, anomalous ones in all; one pixel is always 0."""
    stream = Stream(f"synthetic {height} {width}", 0)
    axes, pixels = stream.normal((3, height * width)), height * width

    def images(count: int, noise: float) -> torch.Tensor:
        x = 0.5 + 0.1 * stream.normal((count, 3)) @ axes + noise * stream.normal((count, pixels))
        x[:, 0] = 0
        return (x.clamp(0, 1) * (levels - 1)).round().to(torch.uint8)

    return ImageSets(
        "synthetic", "made", images(train, 0.02), images(200, 0.02), images(150, 0.15), height, width, levels
    )


def fit(method: Method, images: ImageSets, seed: int = 0):
    return method.fit(images, method.split(images, seed), Settings(seed=seed), lambda _: None)


def scaled(images: torch.Tensor, levels: int = 256) -> np.ndarray:
    return images.numpy().astype(float) / (levels - 1)


def test_moments_are_exact_and_rounded_once() -> None:
    images = synthetic(2, 3).train
    mean, covariance = moments(images, 256)
    rows = [[Fraction(int(value), 255) for value in row] for row in images]
    n = len(rows)
    for i in range(6):
        exact_mean = sum(row[i] for row in rows) / n
        assert abs(Fraction(float(mean[i])) - exact_mean) <= Fraction(EPS) * exact_mean
        for j in range(6):
            other = sum(row[j] for row in rows) / n
            exact = sum(row[i] * row[j] for row in rows) / n - exact_mean * other
            assert abs(Fraction(float(covariance[i, j])) - exact) <= 2 * Fraction(EPS) * abs(exact)


def test_moments_do_not_depend_on_the_order_of_images() -> None:
    images = torch.full((5000, 3), 255, dtype=torch.uint8)  # the largest products there are
    images[::7] = 254
    order = torch.from_numpy(Stream("order", 0).numpy.permutation(5000))
    for one, other in zip(moments(images, 256), moments(images[order], 256), strict=True):
        assert torch.equal(one, other)


def test_pca_agrees_with_scikit_learn() -> None:
    images = synthetic()
    split = PCA.split(images, 0)
    fitted = fit(Pca(5), images)
    theirs = decomposition.PCA(5, svd_solver="full").fit(scaled(split.train))
    x = scaled(images.anomalous)
    residual = x - theirs.inverse_transform(theirs.transform(x))
    # the subspace is known to pixels * eps * largest eigenvalue / gap (Davis and Kahan), on either side
    eigenvalues = np.linalg.eigvalsh(np.cov(scaled(split.train).T))[::-1]
    tolerance = 2 * 20 * EPS * eigenvalues[0] / (eigenvalues[4] - eigenvalues[5])
    assert tolerance < 1e-9
    assert fitted.reconstruct(images.anomalous).numpy() == pytest.approx(
        x - residual, abs=tolerance * 20
    )  # |x|^2 <= 20
    assert fitted.score(images.anomalous).numpy() == pytest.approx((residual**2).sum(1), abs=tolerance * 2 * 20)


def test_mahalanobis_agrees_with_scikit_learn_s_shrinkage() -> None:
    images = synthetic()
    train = scaled(MAHALANOBIS.split(images, 0).train)
    covariance, weight = ledoit_wolf(train)
    assert 0 < weight < 1
    distance = cdist(scaled(images.test), train.mean(0)[None], "mahalanobis", VI=np.linalg.inv(covariance))[:, 0]
    # relative error of the inverse: condition number of the covariance times eps
    tolerance = 20 * np.linalg.cond(covariance) * EPS
    assert fit(MAHALANOBIS, images).score(images.test).numpy() == pytest.approx(distance**2, rel=tolerance)


def test_shrinkage_is_the_whole_way_for_pure_noise() -> None:
    covariance = torch.diag(torch.tensor([1.0, 1.1], dtype=torch.float64))
    assert torch.equal(shrunk(covariance, 100.0, 3), 1.05 * torch.eye(2, dtype=torch.float64))


def test_without_a_ridge_a_constant_pixel_would_be_singular() -> None:
    images = synthetic()
    covariance = moments(images.train, 256)[1]
    assert torch.linalg.cholesky_ex(covariance).info > 0
    assert fit(MAHALANOBIS, images).score(images.anomalous).isfinite().all()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_what_every_method_promises(method: Method) -> None:
    images = synthetic()
    split = method.split(images, 3)
    assert (len(split.train), len(split.validation)) == (500, 100)
    assert torch.equal(split.train, method.split(images, 3).train)
    assert not torch.equal(split.train, method.split(images, 4).train)
    seen: list[Progress] = []
    fitted = method.fit(images, split, Settings(), seen.append)
    assert (seen[-1].epoch, seen[-1].images, seen[-1].of_images) == (1, 500, 500)
    found = fitted.score(split.anomalous)
    assert (found.dtype, found.shape) == (torch.float64, (150,))
    assert auroc(fitted.score(split.test), found).low > 0.9
    assert method.flagged == "above"
    # linear algebra on 1 or on 150 columns may round differently, by the residual's rounding and no more
    alone = torch.cat([fitted.score(image[None]) for image in split.anomalous[:10]])
    assert alone.numpy() == pytest.approx(found[:10].numpy(), rel=1e-9)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_stored_model_scores_bit_for_bit_the_same(method: Method, tmp_path: Path) -> None:
    images = synthetic()
    fitted = fit(method, images)
    store.save(tmp_path / "model", method.name, fitted, images, 0)
    stored = store.load(tmp_path / "model", method.name)
    again = method.restore(stored.configuration, stored.tensors, images)
    assert torch.equal(again.score(images.test), fitted.score(images.test))
    assert again.configuration() == fitted.configuration()
    assert all(torch.equal(tensor, again.tensors()[name]) for name, tensor in fitted.tensors().items())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_other_levels_and_sizes(method: Method) -> None:
    images = synthetic(3, 3, levels=17, train=60)
    found = fit(method, images).score(images.test)
    assert found.isfinite().all()


def altered(method: Method, images: ImageSets, configuration: dict, tensors: dict):
    fitted = fit(method, images)
    return method.restore({**fitted.configuration(), **configuration}, {**fitted.tensors(), **tensors}, images)


IMAGES = synthetic()
NOT_FINITE = torch.full((20,), float("nan"), dtype=torch.float64)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: altered(METHODS[0], IMAGES, {"pixels": 21}, {}), "pca model's configuration"),
        (lambda: altered(METHODS[0], IMAGES, {"levels": 17}, {}), "configuration"),
        (lambda: altered(METHODS[1], IMAGES, {"surprise": 1}, {}), "mahalanobis model's configuration"),
        (lambda: altered(METHODS[1], IMAGES, {}, {"mean": NOT_FINITE}), "NaN or infinite values in 'mean'"),
        (lambda: altered(METHODS[1], IMAGES, {}, {"more": NOT_FINITE}), "more"),
        (lambda: altered(METHODS[1], IMAGES, {}, {"mean": torch.zeros(19, dtype=torch.float64)}), "mean"),
        (lambda: altered(METHODS[1], IMAGES, {}, {"mean": torch.zeros(20)}), "float32"),
        (lambda: altered(METHODS[1], IMAGES, {}, {"factor": torch.ones(20, 20).double()}), "lower triangular"),
        (lambda: altered(METHODS[1], IMAGES, {}, {"factor": -torch.eye(20).double()}), "positive diagonal"),
        (lambda: altered(METHODS[0], IMAGES, {}, {"components": torch.ones(20, 5).double()}), "not orthonormal"),
        (lambda: METHODS[0].restore({}, {}, IMAGES), "configuration is {}"),
        (lambda: fit(Pca(20), IMAGES), "20 components on images of 20 pixels"),
        (lambda: fit(Pca(0), IMAGES), "0 components"),
        (lambda: fit(METHODS[0], synthetic(train=1)), "1 training images"),
        (lambda: fit(METHODS[1], ImageSets("flat", "", *[torch.ones(60, 4, dtype=torch.uint8)] * 3, 2, 2)), "vary"),
        (lambda: fit(METHODS[0], IMAGES).score(IMAGES.test[:, :3]), r"shape \(200, 3\)"),
        (lambda: fit(METHODS[1], IMAGES).score(IMAGES.test.float()), "float32"),
        (lambda: PCA.fit(IMAGES, PCA.split(IMAGES, 0), Settings(epochs=3), lambda _: None), "closed form"),
    ],
)
def test_refusals_name_the_culprit(call, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()


@pytest.mark.skipif("MDNN_DATA" not in os.environ, reason="MDNN_DATA does not name a folder with MNIST and KMNIST")
@pytest.mark.parametrize(("method", "area", "missed"), [(PCA, 0.994, 0.08), (MAHALANOBIS, 0.998, 0.023)])
def test_on_mnist_no_worse_than_the_trial(method: Method, area: float, missed: float) -> None:
    """The issue's numbers: PCA-48 AUROC 0.994; Mahalanobis 0.998 to 0.999, type II 2.3 % to 0.9 %."""
    from mdnn_verify.anomaly.data import load

    images = load(None)
    split = method.split(images, 0)
    fitted = method.fit(images, split, Settings(), lambda _: None)
    validation, test, anomalous = (fitted.score(part) for part in (split.validation, split.test, split.anomalous))
    assert auroc(test, anomalous).estimate >= area
    for threshold in (mean_plus_three_sd(validation), conformal(validation)):
        found = detect(threshold, test, anomalous)
        assert found.type_i.estimate < 0.015
        assert found.type_ii.estimate < missed
