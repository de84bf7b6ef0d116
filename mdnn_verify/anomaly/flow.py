"""Anomaly detection by the log likelihood of a normalizing flow that is trained here, from random weights.

Images whose log likelihood is low are anomalous; threshold: mean - 3 standard deviations over the validation images.
Source: seed 002, Problem 3. As there, the flow is trained on the whole training set and the test set is split into
validation and test images. Training maximises log p(x) (Adam, cosine schedule), with fresh dequantisation noise in
every step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch.optim.adam import adam

from mdnn_verify.anomaly import store
from mdnn_verify.anomaly.auroc import Interval
from mdnn_verify.anomaly.base import ImageSets, Progress, Settings, Split
from mdnn_verify.anomaly.flow_model import Architecture, FlowModel, crossing_splits
from mdnn_verify.anomaly.training import LossPoint, train
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import UsageError

__all__ = ["FLOW", "FittedFlow", "Flow", "FlowTrainer", "Recipe"]

SCORED_AT_ONCE = 512  # images; what they need stays in the cache


@dataclass(frozen=True)
class Recipe:
    """How large the flow is and how its weights are found. Smaller images get no more blocks than pixels.

    ``epochs`` passes over the training images, or more where they are so few that ``least_steps`` need it.
    """

    layers: int = 8
    hidden: int = 256
    blocks: int = 8
    margin: float = 0.1
    bound: float = 1.0
    epochs: int = 2
    least_steps: int = 300
    batch_size: int = 100
    learning_rate: float = 1e-3
    warm_up: int = 20

    def for_images(self, count: int, epochs: int | None) -> Recipe:
        """The same with the number of epochs settled: the one asked for, else the recipe's own for so many images."""
        needed = math.ceil(self.least_steps / math.ceil(count / self.batch_size))
        return replace(self, epochs=max(self.epochs, needed) if epochs is None else epochs)

    def model(self, pixels: int, levels: int, seed: int) -> FlowModel:
        """A flow with its initial weights, on the CPU."""
        blocks = min(self.blocks, pixels)
        splits = crossing_splits(self.layers, blocks)
        model = FlowModel(Architecture(pixels, levels, splits, self.hidden, blocks, self.margin, self.bound))
        model.initialise("anomaly/flow/weights", seed)
        return model


class FlowTrainer:
    """One Adam step a batch; the rate of learning rises for ``warm_up`` steps, then falls along a cosine to 0."""

    def __init__(self, model: FlowModel, recipe: Recipe, seed: int, steps: int) -> None:
        self.model, self.recipe, self.seed, self.steps = model, recipe, seed, steps
        self.parameters: list[torch.Tensor] = list(model.parameters())
        self.moments = [torch.zeros_like(tensor) for tensor in self.parameters]
        self.squares = [torch.zeros_like(tensor) for tensor in self.parameters]
        self.counts = [torch.zeros((), device=tensor.device) for tensor in self.parameters]
        self.nats_per_bit = len(model.order) * math.log(2)

    def step(self, batch: torch.Tensor, step: int) -> torch.Tensor:
        """Train on (B, pixels) uint8; the loss before the step in bits per dimension, 0-dim."""
        loss = -self.model.log_density(batch + noise("training", self.seed, step, batch)).mean()
        grads = list(torch.autograd.grad(loss, self.parameters))
        with torch.no_grad():
            adam(
                self.parameters, grads, self.moments, self.squares, [], self.counts,
                fused=True, amsgrad=False, beta1=0.9, beta2=0.999,
                lr=self.rate(step), weight_decay=0.0, eps=1e-8, maximize=False,
            )  # fmt: skip
        return loss.detach() / self.nats_per_bit

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        rise = min(1.0, (step + 1) / self.recipe.warm_up)
        return self.recipe.learning_rate * rise * (1 + math.cos(math.pi * step / self.steps)) / 2

    def state(self) -> dict[str, torch.Tensor]:
        """Weights and Adam's memory."""
        groups = {"weight": self.parameters, "moment": self.moments, "square": self.squares, "count": self.counts}
        tensors = {f"{name}.{i}": tensor.detach() for name, group in groups.items() for i, tensor in enumerate(group)}
        return {**tensors, "order": self.model.order}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in self.state().items():
            tensor.copy_(state[name])


class FittedFlow:
    """A trained flow; ``losses``, in bits per dimension, is empty if it comes from a file."""

    def __init__(self, model: FlowModel, losses: Sequence[LossPoint] = ()) -> None:
        self.model, self.losses = model.requires_grad_(False), list(losses)

    def score(self, images: torch.Tensor) -> torch.Tensor:
        """-log p(image + 1/2) in nats: (N, pixels) uint8 -> (N,) float64 on the CPU.

        Dequantised with the midpoint: the score is then a function of the image alone, and no noise widens the normal
        scores. Every call of the model has the same shape, so that an image's score does not depend on its company.
        """
        self._expect(images)
        scores = [self._densities(part + 0.5) for part in torch.split(images, SCORED_AT_ONCE)]
        return -torch.cat(scores) if scores else torch.zeros(0, dtype=torch.float64)

    def bits_per_dimension(self, images: torch.Tensor, seed: int = 0) -> Interval:
        """-E log p(image + u) / (D log 2), u uniform on [0, 1)^D, of (N, pixels) uint8, N >= 2, with a 95 % interval.

        One u an image; the interval is the normal one for a mean of independent terms. What is estimated bounds the
        bits that a lossless code with this model needs, see ``preprocessing``.
        """
        self._expect(images)
        if len(images) < 2:
            raise UsageError(f"bits per dimension of {len(images)} images, expected at least 2")
        parts = enumerate(torch.split(images, SCORED_AT_ONCE))
        densities = [self._densities(part + noise("bits", seed, i, part)) for i, part in parts]
        bits = -torch.cat(densities) / (images.shape[1] * math.log(2))
        mean, error = float(bits.mean()), float(bits.std() / math.sqrt(len(bits)))
        return Interval(mean, mean - 1.96 * error, mean + 1.96 * error)

    def sample(self, n: int, seed: int) -> torch.Tensor:
        """n images drawn from the density and quantised: (n, pixels) uint8 on the CPU."""
        order = self.model.order
        z = Stream("anomaly/flow/samples", seed).normal((n, len(order))).float().to(order.device)
        return self.model.pixels.quantised(self.model.inverse(z)).cpu()

    def configuration(self) -> dict[str, Any]:
        """The architecture."""
        return asdict(self.model.architecture)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Weights, and the order of the pixels."""
        return {name: tensor.cpu() for name, tensor in self.model.state_dict().items()}

    def _expect(self, images: torch.Tensor) -> None:
        pixels = len(self.model.order)
        if images.dtype != torch.uint8 or images.ndim != 2 or images.shape[1] != pixels:
            raise UsageError(
                f"images to score are {images.dtype} of shape {tuple(images.shape)}, expected uint8 (N, {pixels})"
            )

    def _densities(self, x: torch.Tensor) -> torch.Tensor:
        """log p of at most ``SCORED_AT_ONCE`` rows, which are filled up to that number."""
        filled = torch.nn.functional.pad(x, (0, 0, 0, SCORED_AT_ONCE - len(x)))
        return self.model.log_density(filled.to(next(self.model.parameters())))[: len(x)].double().cpu()


class Flow:
    """The method, as ``base.Method``."""

    name = "flow"
    score_name = "log likelihood in nats"
    flagged = "below"

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def split(self, images: ImageSets, seed: int) -> Split:
        """All training images to train; a random half of the test images to validate, the other half to test."""
        order = torch.from_numpy(Stream("anomaly/flow/split", seed).numpy.permutation(len(images.test)))
        half = len(order) // 2
        return Split(images.train, images.test[order[:half]], images.test[order[half:]], images.anomalous)

    def fit(
        self, images: ImageSets, split: Split, settings: Settings, report: Callable[[Progress], None]
    ) -> FittedFlow:
        """Train from random weights. Raises UsageError for settings that do not fit."""
        recipe = self.recipe.for_images(max(1, len(split.train)), settings.epochs)
        Stream("anomaly/flow", settings.seed, device=settings.device)  # raises where there is no such device
        model = recipe.model(split.train.shape[1], images.levels, settings.seed).to(settings.device)
        steps = recipe.epochs * math.ceil(len(split.train) / recipe.batch_size)
        losses = train(
            FlowTrainer(model, recipe, settings.seed, steps),
            split.train,
            name=self.name,
            settings=settings,
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            report=report,
            configuration={"architecture": _plain(asdict(model.architecture)), "recipe": asdict(recipe)},
        )
        return FittedFlow(model, losses)

    def restore(
        self, configuration: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], images: ImageSets
    ) -> FittedFlow:
        """Raises UsageError for a configuration, tensors or images that do not belong together."""
        architecture = Architecture.parse(configuration)
        own, theirs = (architecture.pixels, architecture.levels), (images.height * images.width, images.levels)
        if own != theirs:
            raise UsageError(f"the flow is one of (pixels, levels) = {own}, the images are of {theirs}")
        with torch.device("meta"):  # shapes only: nothing is allocated for a configuration that does not fit
            model = FlowModel(architecture)
        expected = {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in model.state_dict().items()}
        store.expect_tensors("the flow", tensors, expected)
        if not torch.equal(tensors["order"].sort().values, torch.arange(architecture.pixels)):
            raise UsageError(f"the flow's order is no permutation of 0 .. {architecture.pixels - 1}")
        model.load_state_dict(dict(tensors), assign=True)
        return FittedFlow(model)


FLOW = Flow(Recipe())


def noise(purpose: str, seed: int, block: int, images: torch.Tensor) -> torch.Tensor:
    """Uniform on [0, 1), float32, one number a pixel, on the images' device."""
    stream = Stream(f"anomaly/flow/dequantisation/{purpose}", seed, block, device=str(images.device))
    return stream.uniform(tuple(images.shape)).float()


def _plain(configuration: dict[str, Any]) -> dict[str, Any]:
    """As JSON gives it back."""
    return {**configuration, "splits": [list(split) for split in configuration["splits"]]}
