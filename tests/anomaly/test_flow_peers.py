"""The flow against zuko's implementation of the same architecture: the same log densities, within derived bounds."""

from __future__ import annotations

import sys

import pytest
import torch

from mdnn_verify.anomaly import embedded
from mdnn_verify.anomaly.flow import FittedFlow, FlowTrainer, Recipe, noise
from mdnn_verify.anomaly.flow_model import FlowModel
from mdnn_verify.anomaly.flow_rounding import rounding_bound
from mdnn_verify.bench.peers import ZukoFlow, training_step
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.errors import UsageError
from mdnn_verify.maths import coupling


def flow(seed: int = 0, size: float = 0.05) -> FlowModel:
    """Random weights, float64."""
    model = Recipe(layers=6, hidden=24).model(64, 17, seed).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(size * Stream("peers", seed).normal(tuple(parameter.shape)))
    return model


X = embedded.load().test[:50] + 0.5


@pytest.mark.parametrize("seed", range(3))
def test_zuko_gives_the_same_log_densities(seed: int) -> None:
    pytest.importorskip("zuko")
    model = flow(seed).requires_grad_(False)
    own, theirs, bound = (
        model.log_density(X.double()),
        ZukoFlow(model).log_density(X.double()),
        rounding_bound(model, X.double()),
    )
    assert float(bound.max()) < 1e-6 * float(own.abs().min())
    assert ((own - theirs).abs() <= 2 * bound).all()


@pytest.mark.parametrize(
    "change", [lambda d: -d, lambda d: 0 * d, lambda d: d * (1 + 1e-4)], ids=["sign", "none", "a ten-thousandth"]
)
def test_a_fault_of_the_core_breaks_the_agreement(monkeypatch: pytest.MonkeyPatch, change) -> None:
    pytest.importorskip("zuko")
    model = flow().requires_grad_(False)
    theirs, bound = ZukoFlow(model).log_density(X.double()), rounding_bound(model, X.double())
    own = coupling.couple
    monkeypatch.setattr(coupling, "couple", lambda *arguments: (own(*arguments)[0], change(own(*arguments)[1])))
    assert ((model.log_density(X.double()) - theirs).abs() > 2 * bound).any()


def test_one_training_step_gives_the_same_weights() -> None:
    """Adam's first step is the sign of the gradient times the rate: compare the gradients themselves."""
    pytest.importorskip("zuko")
    model = flow()
    twin = ZukoFlow(model)
    for f in (model, twin):
        (-f.log_density(X.double()).mean()).backward()
    own = [parameter.grad for parameter in model.coupling_layers()[0].conditioner.parameters()]
    theirs = [parameter.grad for parameter in twin.flow.transform.transforms[0].parameters()]
    assert torch.allclose(own[0], theirs[0], rtol=1e-9, atol=1e-12)
    assert torch.allclose(own[1], theirs[1], rtol=1e-9, atol=1e-12)


def test_the_loop_of_the_comparison_trains() -> None:
    model = Recipe(layers=2, hidden=8).model(64, 17, seed=0)
    step = training_step(model, model.log_density, 1e-2)
    losses = [float(step(X)) for _ in range(20)]
    assert losses[-1] < losses[0]


def test_trainer_and_usual_loop_take_the_same_first_step() -> None:
    """The trainer's own Adam against torch.optim's: bit for bit, with the same noise and rate."""
    recipe = Recipe(layers=2, hidden=8, warm_up=1)
    one, other = (recipe.model(64, 17, seed=0) for _ in range(2))
    trainer = FlowTrainer(one, recipe, seed=0, steps=10)
    batch = embedded.load().train[:40]
    trainer.step(batch, 0)
    training_step(other, other.log_density, trainer.rate(0))(batch + noise("training", 0, 0, batch))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_scores_in_float32_are_near_those_in_float64() -> None:
    """Not a bound but a check of scale: the float32 score's error is far below the spread of scores."""
    model = flow(size=0.02).requires_grad_(False)
    images = embedded.load().test
    exact = FittedFlow(model).score(images)
    single = FittedFlow(model.float()).score(images)
    assert (exact - single).abs().max() < 1e-3 * exact.std()


def test_without_zuko_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zuko", None)
    with pytest.raises(UsageError, match="zuko is not installed"):
        ZukoFlow(flow())
