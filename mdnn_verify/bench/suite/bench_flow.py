"""The image flow: a training step, log likelihoods, samples; and the same architecture in zuko beside it.

Accuracy first: a comparison is made only if both give the same log densities within the derived rounding bound.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch

from mdnn_verify.anomaly.base import ImageSets
from mdnn_verify.anomaly.flow import FLOW, SCORED_AT_ONCE, FittedFlow, FlowTrainer
from mdnn_verify.anomaly.flow_model import FlowModel
from mdnn_verify.anomaly.flow_rounding import rounding_bound
from mdnn_verify.bench.ceilings import training_operations
from mdnn_verify.bench.cuda import cuda_times
from mdnn_verify.bench.measure import Measure
from mdnn_verify.bench.peers import ZukoFlow, training_step
from mdnn_verify.bench.timing import interleaved, paired_ratio
from mdnn_verify.engines.montecarlo.stream import Stream

SCORED, SAMPLED, PAIRS = 2048, 512, 12
Call = Callable[[], object]


def model_of(images: ImageSets, device: str) -> FlowModel:
    """The flow of the experiment with weights as if it had been trained for a while: every layer does something."""
    model = FLOW.recipe.model(images.train.shape[1], images.levels, seed=0)
    stream = Stream("bench/flow/weights", 0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * stream.normal(tuple(parameter.shape)).float())
    return model.to(device)


def weights(model: FlowModel) -> int:
    """Entries of the matrices: what costs operations."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.ndim == 2)


def test_training_step(images: ImageSets, device: str, measure: Measure) -> None:
    """One step of the experiment's own trainer, dequantisation noise and Adam included."""
    batch = images.train[: FLOW.recipe.batch_size].to(device)
    model = model_of(images, device)
    trainer = FlowTrainer(model, FLOW.recipe, seed=0, steps=10**6)
    operations = training_operations(weights(model), len(batch))
    measure(lambda: trainer.step(batch, 0), images=len(batch), operations=operations)


def test_log_likelihood(images: ImageSets, device: str, measure: Measure) -> None:
    """Scores as the experiment computes them."""
    fitted, part = FittedFlow(model_of(images, device)), images.test[:SCORED].to(device)
    calls = -(-len(part) // SCORED_AT_ONCE) * SCORED_AT_ONCE  # rows: the last call is filled up
    measure(lambda: fitted.score(part), rounds=10, images=len(part), operations=2.0 * weights(fitted.model) * calls)


def test_sampling(images: ImageSets, device: str, measure: Measure) -> None:
    """Images drawn from the density."""
    fitted = FittedFlow(model_of(images, device))
    measure(lambda: fitted.sample(SAMPLED, 0), rounds=10, images=SAMPLED)


def test_training_step_against_zuko(images: ImageSets, device: str, measure: Measure) -> None:
    """The same step in zuko with torch's fused Adam, batch and rate alike; timed in turns with ours."""
    pytest.importorskip("zuko", reason="not measured: zuko is not installed (extra 'peers')")
    model = model_of(images, device)
    twin = twin_of(model, images)
    batch = images.train[: FLOW.recipe.batch_size].to(device) + 0.5
    rate = FLOW.recipe.learning_rate
    own_step, peer_step = (training_step(flow, flow.log_density, rate) for flow in (model, twin))
    compare(lambda: own_step(batch), lambda: peer_step(batch), device, measure, images=len(batch))


def test_log_likelihood_against_zuko(images: ImageSets, device: str, measure: Measure) -> None:
    """The same log densities in zuko, in calls of the same size; timed in turns with ours."""
    pytest.importorskip("zuko", reason="not measured: zuko is not installed (extra 'peers')")
    model = model_of(images, device)
    twin = twin_of(model, images)
    x = images.test[:SCORED_AT_ONCE].to(device) + 0.5
    own, peer = (torch.no_grad()(flow.log_density) for flow in (model, twin))
    compare(lambda: own(x), lambda: peer(x), device, measure, images=len(x))


def twin_of(model: FlowModel, images: ImageSets) -> ZukoFlow:
    """The same flow in zuko, after the gate: in float64 both give the same log densities within rounding."""
    exact = copy.deepcopy(model).cpu().double().requires_grad_(False)
    x = images.test[:20].double() + 0.5
    difference = (exact.log_density(x) - ZukoFlow(exact).log_density(x)).abs()
    bound = 2 * rounding_bound(exact, x)
    if not bool((difference <= bound).all()):
        pytest.fail(
            f"log densities differ from zuko's by {float(difference.max()):.3g}, bound {float(bound.max()):.3g}"
        )
    return ZukoFlow(model)


def compare(own: Call, peer: Call, device: str, measure: Measure, images: int) -> None:
    """The row is the peer's; beside it the ratio of its time to ours."""
    if device == "cuda":
        seconds = {"zuko": cuda_times(peer, PAIRS), "own": cuda_times(own, PAIRS)}
    else:
        seconds = interleaved({"zuko": peer, "own": own}, rounds=PAIRS)
    ratio = paired_ratio(seconds["zuko"], seconds["own"])
    times = {"median": ratio.median, "low": ratio.low, "high": ratio.high, "level": ratio.level, "pairs": ratio.pairs}
    measure(peer, rounds=10, images=images, of="zuko", times_our_seconds=times)
