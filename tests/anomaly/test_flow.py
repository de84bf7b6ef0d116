"""The flow as a method: split, training that resumes bit for bit, scores, samples, files, refusals."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mdnn_verify.anomaly import base, embedded, store
from mdnn_verify.anomaly.base import Progress, Settings
from mdnn_verify.anomaly.density_check import planar
from mdnn_verify.anomaly.detector import auroc
from mdnn_verify.anomaly.flow import FLOW, SCORED_AT_ONCE, FittedFlow, Flow, FlowTrainer, Recipe
from mdnn_verify.anomaly.flow_model import Architecture, crossing_splits
from mdnn_verify.engines.autograd import jacobian, log_abs_det
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.errors import UsageError

RECIPE = Recipe(layers=4, hidden=32, epochs=4, least_steps=1)
SMALL = Flow(RECIPE)
DEFAULTS = Settings()


@functools.cache
def images() -> base.ImageSets:
    return embedded.load()


def fit(settings: Settings = DEFAULTS, report=lambda progress: None) -> FittedFlow:
    return SMALL.fit(images(), SMALL.split(images(), settings.seed), settings, report)


@functools.cache
def fitted() -> FittedFlow:
    return fit()


def test_the_split_is_the_seeds() -> None:
    split = FLOW.split(images(), 3)
    assert torch.equal(split.train, images().train)
    assert torch.equal(split.anomalous, images().anomalous)
    assert len(split.validation) == len(split.test) == 250
    rows = sorted(map(bytes, torch.cat([split.validation, split.test]).numpy()))
    assert rows == sorted(map(bytes, images().test.numpy()))
    assert torch.equal(FLOW.split(images(), 3).test, split.test)
    assert not torch.equal(FLOW.split(images(), 4).test, split.test)


def test_training_tells_digits_from_photographs() -> None:
    """Losses fall, and the trained density separates what the untrained one does not."""
    model, split = fitted(), SMALL.split(images(), 0)
    assert model.losses[-1].loss < model.losses[0].loss - 0.3
    area = auroc(model.score(split.test), model.score(split.anomalous))
    untrained = FittedFlow(RECIPE.model(64, 17, seed=0))
    assert area.low > auroc(untrained.score(split.test), untrained.score(split.anomalous)).high


def test_log_density_against_the_jacobian_of_the_whole_map() -> None:
    """log N(z) + log|det dz/dx| with the determinant of preprocessing, permutation and all layers from one Jacobian."""
    flow = Recipe(layers=4, hidden=8).model(12, 17, seed=1).double().requires_grad_(False)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.3 * Stream("whole map", 0).normal(tuple(parameter.shape)))
    x = Stream("whole map", 1).uniform(12, 0, 17)
    value, bound = log_abs_det(jacobian(lambda x: flow.latent(x)[0], x))
    z, _ = flow.latent(x)
    normal = torch.distributions.Normal(0.0, 1.0)
    expected = float(normal.log_prob(z).sum()) + value
    # both sides add fewer than 1000 terms whose sizes sum to less than 1000: their rounding is below 1e-9
    assert abs(float(flow.log_density(x)) - expected) <= bound + 1e-9


def test_samples_come_from_the_density() -> None:
    """inverse undoes latent; samples are images, the same for the same seed."""
    flow = fitted().model
    x = images().test[:20] + 0.5
    assert (flow.inverse(flow.latent(x)[0]) - x).abs().max() < 1e-2  # float32, pixels up to 17
    drawn = fitted().sample(7, seed=5)
    assert drawn.shape == (7, 64)
    assert drawn.dtype == torch.uint8
    assert drawn.max() <= 16
    assert torch.equal(drawn, fitted().sample(7, seed=5))
    assert not torch.equal(drawn, fitted().sample(7, seed=6))


def test_the_learned_density_prefers_its_own_samples_to_noise() -> None:
    noise = Stream("noise", 0).integers(0, 17, (200, 64)).to(torch.uint8)
    assert auroc(fitted().score(fitted().sample(200, seed=1)), fitted().score(noise)).low > 0.5


def test_scores_are_minus_log_p_at_the_midpoint() -> None:
    pictures = images().test[:5]
    scores = fitted().score(pictures)
    assert scores.dtype == torch.float64
    assert torch.allclose(scores, -fitted().model.log_density(pictures + 0.5).double(), rtol=1e-5)
    assert len(fitted().score(pictures[:0])) == 0


def test_scores_depend_on_the_image_alone() -> None:
    """In whatever company and order, and whatever random numbers have been drawn meanwhile: the same bits."""
    pictures = images().test
    together = fitted().score(pictures)
    assert torch.equal(together, fitted().score(pictures))
    torch.rand(17)
    assert torch.equal(together.flip(0), fitted().score(pictures.flip(0)))
    for rows in (slice(0, 1), slice(3, 10), slice(100, 101)):
        assert torch.equal(together[rows], fitted().score(pictures[rows]))
    twice = torch.cat([pictures, pictures])
    assert len(twice) > SCORED_AT_ONCE
    assert torch.equal(torch.cat([together, together]), fitted().score(twice))


def test_bits_per_dimension_bound_the_probability_of_the_images() -> None:
    """Two pixels of two levels: -log2 P(image) / 2 by quadrature over the image's square is below the mean over u."""
    flow = planar(replace(RECIPE.model(64, 2, seed=0).architecture, margin=0.05))
    image = torch.tensor([[1, 0]], dtype=torch.uint8)
    estimate = FittedFlow(flow).bits_per_dimension(image.expand(5000, 2))
    middle = (torch.arange(400) + 0.5) / 400
    density = flow.log_density(image + torch.cartesian_prod(middle, middle).double()).exp()
    exact = -math.log2(float(density.mean())) / 2
    assert exact < estimate.high
    by_midpoints = -float(density.log().mean()) / (2 * math.log(2))
    spread = (estimate.high - estimate.low) / 2 / 1.96
    assert abs(estimate.estimate - by_midpoints) < 6 * spread  # six standard errors: two in a thousand million


def test_training_is_reproducible_and_resumes_bit_for_bit(tmp_path: Path) -> None:
    expected = fitted().tensors()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in fit().tensors().items())

    class Killed(Exception):
        pass

    checkpoint, reports = tmp_path / "flow.ckpt", []

    def kill(progress: Progress) -> None:
        reports.append(progress)
        if progress.epoch == 3:
            raise Killed

    with pytest.raises(Killed):
        fit(Settings(checkpoint=checkpoint), kill)
    assert checkpoint.exists()
    seen = len(reports)
    resumed = fit(Settings(checkpoint=checkpoint), reports.append)
    assert min(progress.epoch for progress in reports[seen:]) >= 2  # it did not start afresh
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.tensors().items())
    assert [point.loss for point in resumed.losses] == [point.loss for point in fitted().losses]


def test_a_state_that_forgets_something_would_be_noticed() -> None:
    """Continued from its state a trainer takes the same steps; without Adam's moments it does not."""
    batch = images().train[:50]

    def trainer() -> FlowTrainer:
        return FlowTrainer(RECIPE.model(64, 17, seed=0), RECIPE, seed=0, steps=40)

    first = trainer()
    for step in range(5):
        first.step(batch, step)
    state = {name: tensor.clone() for name, tensor in first.state().items()}
    first.step(batch, 5)
    for forgotten in (None, "moment", "square", "count", "weight"):
        second = trainer()
        kept = (
            second.state()
            if forgotten is None
            else {k: v for k, v in second.state().items() if k.startswith(forgotten)}
        )
        second.load_state({**state, **({} if forgotten is None else kept)})
        second.step(batch, 5)
        same = all(torch.equal(a, b) for a, b in zip(first.parameters, second.parameters, strict=True))
        assert same == (forgotten is None)


def test_seeds_differ_and_noise_is_fresh_in_every_step() -> None:
    other = fit(Settings(seed=1))
    assert not torch.equal(other.model.order, fitted().model.order)
    trainer, batch = FlowTrainer(RECIPE.model(64, 17, seed=0), RECIPE, seed=0, steps=40), images().train[:50]
    state = {name: tensor.clone() for name, tensor in trainer.state().items()}
    losses = []
    for step in (1, 1, 2):
        trainer.load_state(state)
        losses.append(float(trainer.step(batch, step)))
    assert losses[0] == losses[1] != losses[2]


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    trainer = FlowTrainer(RECIPE.model(64, 17, seed=0), RECIPE, seed=0, steps=100)
    rates = [trainer.rate(step) for step in range(101)]
    peak = rates.index(max(rates))
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert 0 < max(rates) <= RECIPE.learning_rate
    assert rates[100] == pytest.approx(0)


def test_few_images_are_seen_more_often() -> None:
    recipe = Recipe(epochs=2, least_steps=300, batch_size=100)
    assert recipe.for_images(60_000, None).epochs == 2
    assert recipe.for_images(1_000, None).epochs == 30
    assert recipe.for_images(1_000, 4).epochs == 4


def test_saved_and_loaded_it_gives_the_same_scores(tmp_path: Path) -> None:
    path = tmp_path / "flow.safetensors"
    store.save(path, "flow", fitted(), images(), seed=0)
    stored = store.load(path, "flow")
    again = SMALL.restore(stored.configuration, stored.tensors, images())
    assert torch.equal(again.score(images().test), fitted().score(images().test))
    assert torch.equal(again.sample(3, 0), fitted().sample(3, 0))
    assert again.losses == []


def plain() -> dict:
    return json.loads(json.dumps(fitted().configuration()))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"hidden": 33}, "shape"),
        ({"hidden": 10**9}, "shape"),
        ({"hidden": "32"}, "hidden"),
        ({"hidden": True}, "hidden"),
        ({"pixels": 1}, "pixels"),
        ({"pixels": 65}, "pixels"),
        ({"levels": 16}, "levels"),
        ({"margin": 0.7}, "margin"),
        ({"bound": 0.0}, "bound"),
        ({"bound": float("nan")}, "bound"),
        ({"blocks": 65}, "blocks"),
        ({"splits": []}, "splits"),
        ({"splits": 3}, "splits"),
        ({"splits": [[0, 0]]}, "split"),
        ({"splits": [[99]]}, "split"),
        ({"splits": [[]]}, "split"),
        ({"splits": [list(range(8))]}, "split"),
        ({"splits": [[0.5]]}, "split"),
        ({"more": 1}, "configuration"),
    ],
)
def test_configurations_that_do_not_fit_are_refused(change: dict, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        SMALL.restore({**plain(), **change}, fitted().tensors(), images())


def test_tensors_that_do_not_fit_are_refused() -> None:
    tensors = dict(fitted().tensors())
    with pytest.raises(UsageError, match="missing"):
        SMALL.restore(plain(), {name: t for name, t in tensors.items() if name != "order"}, images())
    with pytest.raises(UsageError, match="permutation"):
        SMALL.restore(plain(), {**tensors, "order": torch.zeros(64, dtype=torch.int64)}, images())
    name = next(name for name in tensors if name.endswith("weight"))
    with pytest.raises(UsageError, match="float64"):
        SMALL.restore(plain(), {**tensors, name: tensors[name].double()}, images())


def test_images_that_do_not_fit_are_refused() -> None:
    for wrong in (images().test[:, :10], images().test.float(), images().test[0]):
        with pytest.raises(UsageError, match="images to score"):
            fitted().score(wrong)
    with pytest.raises(UsageError, match="at least 2"):
        fitted().bits_per_dimension(images().test[:1])
    with pytest.raises(UsageError, match="epochs"):
        fit(Settings(epochs=0))
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="cuda"):
            fit(Settings(device="cuda"))


def test_splits_change_every_pixel_in_each_pair_of_layers() -> None:
    splits = crossing_splits(layers=8, blocks=8)
    for first, second in zip(splits[0::2], splits[1::2], strict=True):
        assert sorted((*first, *second)) == list(range(8))
    signs = torch.tensor([[1 if block in split else -1 for block in range(8)] for split in splits[0::2]])
    assert torch.equal(signs @ signs.T, 8 * torch.eye(4, dtype=torch.int64))  # balanced, and crossing one another
    for blocks in range(2, 12):
        assert all(0 < len(split) < blocks for split in crossing_splits(40, blocks))
    sets = Architecture(30, 17, splits).index_sets()  # 30 pixels in 8 blocks: 3 or 4 each
    for first, second in zip(sets[0::2], sets[1::2], strict=True):
        assert sorted((*first, *second)) == list(range(30))


def test_an_untrained_layer_is_the_identity() -> None:
    flow = RECIPE.model(64, 17, seed=0)
    v = Stream("identity", 0).normal((3, 64)).float()
    for layer in flow.coupling_layers():
        z, log_det = layer(v)
        assert torch.equal(z, v)
        assert (log_det == 0).all()


def test_the_method_says_what_its_score_is() -> None:
    assert (FLOW.name, FLOW.flagged) == ("flow", "below")
    assert "nats" in FLOW.score_name
