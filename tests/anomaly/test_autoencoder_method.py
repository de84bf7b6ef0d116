"""The autoencoder as a method: what it learns, what it keeps in a file, what it refuses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from mdnn_verify.anomaly import data, embedded, store
from mdnn_verify.anomaly.autoencoder import AUTOENCODER, FAST, Autoencoder, FittedAutoencoder, Recipe
from mdnn_verify.anomaly.base import ImageSets, Settings
from mdnn_verify.anomaly.detector import auroc, detect, mean_plus_three_sd
from mdnn_verify.errors import UsageError


@pytest.fixture(scope="module")
def digits() -> ImageSets:
    return embedded.load()


@pytest.fixture(scope="module")
def fitted(digits: ImageSets) -> FittedAutoencoder:
    return AUTOENCODER.fit(digits, AUTOENCODER.split(digits, 0), Settings(), lambda progress: None)


def test_the_seeds_architecture(digits: ImageSets, fitted: FittedAutoencoder) -> None:
    assert fitted.configuration()["widths"] == [64, 256, 128, 32, 128, 256, 64]
    assert [layer.activation for layer in fitted.layers] == ["relu"] * 5 + ["sigmoid"]
    assert AUTOENCODER.recipe == Recipe(epochs=10, batch_size=100, learning_rate=1e-3)


def test_the_triangle_rises_for_a_tenth_and_falls_to_zero() -> None:
    recipe = Recipe(learning_rate=2.0, schedule="triangle")
    assert [recipe.rate(part) for part in (0, 0.05, 0.1, 0.55, 1)] == pytest.approx([0, 1, 2, 1, 0], abs=1e-15)
    assert {Recipe().rate(part) for part in (0, 0.5, 1)} == {1e-3}


def test_no_images_have_no_scores(fitted: FittedAutoencoder) -> None:
    none = torch.zeros(0, 64, dtype=torch.uint8)
    assert fitted.score(none).shape == (0,)
    assert fitted.reconstruct(none).shape == (0, 64)


def test_it_learns_and_photographs_are_anomalous(digits: ImageSets, fitted: FittedAutoencoder) -> None:
    assert fitted.losses[-1].loss < fitted.losses[0].loss / 2
    assert fitted.losses[-1].epoch == AUTOENCODER.recipe.epochs
    assert auroc(fitted.score(digits.test), fitted.score(digits.anomalous)).low > 0.5  # 110 steps: a little learnt


def test_another_seed_splits_and_trains_anew(digits: ImageSets) -> None:
    settings = [Settings(seed=seed, epochs=1) for seed in (0, 0, 1)]
    models = [AUTOENCODER.fit(digits, AUTOENCODER.split(digits, s.seed), s, lambda progress: None) for s in settings]
    weights = [model.tensors()["0.weight"] for model in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_split_is_a_sixth_and_disjoint() -> None:
    rows = torch.arange(600, dtype=torch.int64)[:, None]
    images = ImageSets("numbers", "made up", rows, rows[:5], rows[:7], 1, 1)
    split = AUTOENCODER.split(images, 3)
    assert (len(split.train), len(split.validation)) == (500, 100)
    assert sorted(torch.cat([split.train, split.validation])[:, 0].tolist()) == list(range(600))


@pytest.mark.parametrize("method", [AUTOENCODER, FAST], ids=lambda method: method.name)
def test_a_saved_model_scores_the_same_bit_for_bit(digits: ImageSets, tmp_path: Path, method: Autoencoder) -> None:
    model = method.fit(digits, method.split(digits, 1), Settings(seed=1, epochs=1), lambda progress: None)
    store.save(tmp_path / "model", method.name, model, digits, 1)
    stored = store.load(tmp_path / "model", method.name)
    restored = method.restore(stored.configuration, stored.tensors, digits)
    assert torch.equal(restored.score(digits.test), model.score(digits.test))
    assert restored.configuration() == model.configuration()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widths": [64, 256, 128, 32, 128, 256, 65]}, "the model's configuration is"),
        ({"widths": "64"}, "the model's configuration is"),
        ({"levels": 256}, "the model's configuration is"),
        ({"more": 1}, "the model's configuration is"),
        ({"recipe": {"optimiser": "sgd"}}, "has no recipe of an autoencoder"),
        ({"recipe": None}, "has no recipe of an autoencoder"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    digits: ImageSets, fitted: FittedAutoencoder, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        AUTOENCODER.restore(fitted.configuration() | change, fitted.tensors(), digits)


@pytest.mark.parametrize("change", [{"0.weight": torch.zeros(64, 256)}, {"6.bias": torch.zeros(64)}])
def test_tensors_that_do_not_fit_are_refused(
    digits: ImageSets, fitted: FittedAutoencoder, change: dict[str, torch.Tensor]
) -> None:
    with pytest.raises(UsageError, match="the model"):
        AUTOENCODER.restore(fitted.configuration(), {**fitted.tensors(), **change}, digits)


@pytest.mark.parametrize("images", [torch.zeros(2, 63, dtype=torch.uint8), torch.zeros(2, 64), torch.zeros(64)])
def test_images_that_do_not_fit_are_refused(fitted: FittedAutoencoder, images: torch.Tensor) -> None:
    with pytest.raises(UsageError, match=r"expected uint8 \(N, 64\)"):
        fitted.score(images)


@pytest.mark.parametrize("epochs", [0, -1])
def test_no_epochs_are_refused(digits: ImageSets, epochs: int) -> None:
    with pytest.raises(UsageError, match=f"epochs = {epochs}, expected an integer of at least 1"):
        AUTOENCODER.fit(digits, AUTOENCODER.split(digits, 0), Settings(epochs=epochs), lambda progress: None)


@pytest.mark.skipif("MDNN_DATA" not in os.environ, reason="needs MNIST and KMNIST: set MDNN_DATA to their folder")
def test_the_fast_recipe_reaches_the_seeds_rates() -> None:
    images = data.load()
    split = FAST.split(images, 0)
    model = FAST.fit(images, split, Settings(), lambda progress: None)
    validation, test, anomalous = (model.score(part) for part in (split.validation, split.test, split.anomalous))
    detection = detect(mean_plus_three_sd(validation), test, anomalous)
    assert detection.type_ii.estimate <= 0.0295  # seed 001
    assert 0.006 <= detection.type_i.estimate <= 0.013
