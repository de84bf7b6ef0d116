"""The document of an experiment: what it says is so, it fits its schema, and a faulty model does not pass."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import mdnn_verify.reporting.json as run_json
from mdnn_verify.anomaly import embedded, methods, store
from mdnn_verify.anomaly.base import ImageSets, Settings
from mdnn_verify.anomaly.experiment import Experiment, file_stem
from mdnn_verify.anomaly.flow1d_experiment import Flow1dExperiment
from mdnn_verify.anomaly.flow_model import FlowModel
from mdnn_verify.errors import MdnnVerifyError, UsageError

SCHEMA = json.loads((Path(run_json.__file__).parent / "schema" / "anomaly-1.json").read_text())


@pytest.fixture(scope="module")
def images() -> ImageSets:
    return embedded.load()


@pytest.fixture(scope="module")
def document(images: ImageSets) -> dict[str, Any]:
    return Experiment("pca", images).run(Settings(seed=3), lambda _: None, command="mdnn-verify anomaly pca --seed 3")


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., torch.Tensor]], None]:
    """Puts another score behind the name pca."""

    def plant(score: Callable[..., torch.Tensor]) -> None:
        fit = methods.method("pca").fit

        class Faulty:
            def __init__(self, model: Any) -> None:
                self.model = model

            def score(self, images: torch.Tensor) -> torch.Tensor:
                return score(self.model, images)

        class Method(type(methods.method("pca"))):
            def fit(self, *arguments: Any) -> Any:
                return Faulty(fit(*arguments))

        module = ModuleType("planted_method")
        module.METHOD = Method()
        monkeypatch.setitem(sys.modules, "planted_method", module)
        entry = methods.METHODS["pca"]
        changed = {**vars(entry), "module": "planted_method", "attribute": "METHOD"}
        monkeypatch.setitem(methods.METHODS, "pca", methods.Entry(**changed))

    return plant


def test_it_conforms_to_the_schema(document: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate(json.loads(json.dumps(document, allow_nan=False)))
    for name in document:
        assert not validator.is_valid({key: value for key, value in document.items() if key != name}), name
    changed = copy.deepcopy(document)
    changed["results"]["type_i"]["estimate"] = 1.2
    assert not validator.is_valid(changed)
    assert not validator.is_valid({**document, "surprise": 1})


def test_the_documentation_names_every_field() -> None:
    text = (Path(__file__).parents[2] / "docs" / "json.md").read_text()
    for part in ("experiment", "flow1d", "seeds"):
        for name in SCHEMA["$defs"][part]["properties"]:
            assert re.search(rf"\b{name}\b", text), name


def test_rates_are_those_of_the_model_at_the_threshold(images: ImageSets, document: dict[str, Any]) -> None:
    method = methods.method("pca")
    split = method.split(images, 3)
    model = method.fit(images, split, Settings(seed=3), lambda _: None)
    validation = model.score(split.validation)
    assert document["threshold"] == pytest.approx(float(validation.mean() + 3 * validation.std()), rel=1e-12)
    flagged = int((model.score(images.test) > document["threshold"]).sum())
    missed = int((model.score(images.anomalous) <= document["threshold"]).sum())
    assert (document["results"]["type_i"]["count"], document["results"]["type_ii"]["count"]) == (flagged, missed)
    assert document["data"]["counts"] == {"train": 1081, "validation": 216, "test": 500, "anomalous": 500}


def test_sum_and_mean_over_pixels_are_of_the_very_score(images: ImageSets, document: dict[str, Any]) -> None:
    method = methods.method("pca")
    model = method.fit(images, method.split(images, 3), Settings(seed=3), lambda _: None)
    errors = (images.test / (images.levels - 1) - model.reconstruct(images.test)).square()
    assert torch.allclose(model.score(images.test), errors.sum(dim=1), rtol=1e-9)
    assert document["thresholds"]["sum over pixels"] == document["threshold"]
    assert document["thresholds"]["mean over pixels"] == pytest.approx(document["threshold"] / 64, rel=1e-14)


def test_embedded_data_are_said_to_be(document: dict[str, Any]) -> None:
    assert document["data"]["embedded"] is True
    assert "not MNIST" in document["data"]["name"]
    assert document["published"] == [], "the seeds' numbers are of other data"


def test_the_seeds_numbers_stand_beside_mnist(images: ImageSets) -> None:
    real = ImageSets(**{**vars(images), "name": "MNIST against KMNIST", "embedded": False})
    entry = methods.METHODS["autoencoder"]
    assert [(seed.type_i, seed.type_ii) for seed in entry.published] == [(0.0104, 0.0295), (0.009, 0.0286)]
    assert Experiment("mahalanobis", real).run(Settings(), lambda _: None)["published"] == []


def test_pictures_show_the_worst_images_first(images: ImageSets, document: dict[str, Any]) -> None:
    grids = [picture for picture in document["pictures"] if picture["kind"] == "images"]
    normal, anomalous = ([float(tile["caption"]) for tile in grid["tiles"]] for grid in grids)
    assert normal == sorted(normal, reverse=True)
    assert anomalous == sorted(anomalous)
    assert normal[0] > document["threshold"] > anomalous[0]
    shown = bytes.fromhex(grids[0]["tiles"][0]["images"][0])
    grey = (images.test.double() / 16 * 255).round().to(torch.uint8)
    assert any(shown == bytes(image.tolist()) for image in grey)
    assert all(len(tile["images"]) == 2 for grid in grids for tile in grid["tiles"]), "with reconstructions"


def test_pictures_are_of_the_images_that_were_scored(images: ImageSets) -> None:
    """The flow tests on half of the test images, in another order."""
    document = Experiment("flow", images).run(Settings(), lambda _: None)
    method = methods.method("flow")
    split = method.split(images, 0)
    model = method.fit(images, split, Settings(), lambda _: None)
    highest = split.test[model.score(split.test).argmax()]
    grid = next(picture for picture in document["pictures"] if picture["kind"] == "images")
    shown = bytes.fromhex(grid["tiles"][0]["images"][0])
    assert shown == bytes((highest.double() / 16 * 255).round().to(torch.uint8).tolist())


def test_a_likelihood_is_flagged_below_and_shown_with_its_own_sign(images: ImageSets) -> None:
    document = Experiment("flow", images).run(Settings(), lambda _: None)
    assert document["score"]["flagged"] == "below"
    model = methods.method("flow")
    split = model.split(images, 0)
    likelihoods = -model.fit(images, split, Settings(), lambda _: None).score(split.validation)
    assert document["threshold"] == pytest.approx(float(likelihoods.mean() - 3 * likelihoods.std()), rel=1e-9)
    assert document["thresholds"] == {}
    assert any("mean − 3 standard deviations" in curve["label"] for curve in document["pictures"][1]["curves"])


def test_the_flows_density_is_checked_and_a_wrong_one_is_seen(
    images: ImageSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked() -> dict[str, Any]:
        found = Experiment("flow", images).run(Settings(), lambda _: None)["measures"]
        return next(measure for measure in found if measure["name"] == "Integral of the density")

    assert checked()["holds"] is True
    right = FlowModel.log_density
    monkeypatch.setattr(FlowModel, "log_density", lambda self, x: right(self, x) + 0.01)
    wrong = checked()
    assert wrong["holds"] is False
    assert wrong["note"].startswith("NOT a density")


def test_the_one_dimensional_flow_has_a_document_of_the_same_kind() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = Flow1dExperiment().run(Settings(seed=1, epochs=2), lambda _: None, command="x")
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(document, allow_nan=False)))
    assert document["results"]["divergence"] >= 0
    assert document["results"]["integral"] == pytest.approx(document["results"]["mass"], abs=1e-9)
    with pytest.raises(UsageError, match="runs on the CPU only"):
        Flow1dExperiment().run(Settings(device="cuda"), lambda _: None)


def test_the_histogram_counts_every_image_within_its_edges(document: dict[str, Any]) -> None:
    normal, anomalous, *thresholds = document["pictures"][0]["curves"]
    least = 0.5 / 500
    for curve in (normal, anomalous):
        share = sum(y for y in curve["y"][:-1] if y > least)
        assert 0.98 <= share <= 1 + 1e-12
    assert [line["x"] for line in thresholds] == [[document["threshold"]], [document["conformal"]["threshold"]]]


def test_a_saved_model_gives_the_same_numbers(images: ImageSets, document: dict[str, Any], tmp_path: Path) -> None:
    experiment = Experiment("pca", images)
    experiment.run(Settings(seed=3), lambda _: None, save=tmp_path / "model")
    stored = store.load(tmp_path / "model", "pca")
    again = experiment.run(Settings(seed=stored.seed), lambda _: None, stored=stored)
    assert {name: again[name] for name in ("results", "conformal", "threshold")} == {
        name: document[name] for name in ("results", "conformal", "threshold")
    }
    assert again["seconds"]["train"] is None
    assert again["trained"] is False
    assert document["seconds"]["train"] > 0


def test_a_score_too_few_is_an_error(images: ImageSets, planted: Any) -> None:
    planted(lambda model, images: model.score(images)[:-1])
    with pytest.raises(MdnnVerifyError, match="pca gave validation scores of shape"):
        Experiment("pca", images).run(Settings(), lambda _: None)


def test_a_score_that_is_not_a_number_is_an_error(images: ImageSets, planted: Any) -> None:
    planted(lambda model, images: model.score(images).log() * float("nan"))
    with pytest.raises(UsageError, match="NaN"):
        Experiment("pca", images).run(Settings(), lambda _: None)


def test_a_score_turned_upside_down_is_seen_in_the_numbers(images: ImageSets, planted: Any) -> None:
    planted(lambda model, images: -model.score(images))
    document = Experiment("pca", images).run(Settings(), lambda _: None)
    assert document["results"]["auroc"]["estimate"] < 0.1
    assert document["results"]["type_ii"]["estimate"] > 0.9


def test_data_of_other_content_are_told_apart(images: ImageSets) -> None:
    changed = images.test.clone()
    changed[0, 0] ^= 1
    other = ImageSets(**{**vars(images), "test": changed})
    assert Experiment("pca", images).data["sha256"] != Experiment("pca", other).data["sha256"]


def test_file_names_keep_apart_what_must_not_be_mixed() -> None:
    usual = {"embedded": False, "device": "cpu", "epochs": None, "loaded": False}
    assert file_stem("flow", 4, **usual) == "flow-seed4"
    changes = [{"embedded": True}, {"device": "cuda"}, {"epochs": 10}, {"loaded": True}]
    names = {file_stem("flow", 4, **{**usual, **change}) for change in [{}, *changes]}
    assert len(names) == 5
    assert file_stem("flow", 4, **{**usual, "embedded": True}) == "flow-embedded-seed4"


def test_an_unknown_method_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown method 'autoencodr'; did you mean 'autoencoder'"):
        methods.method("autoencodr")
