r"""The seeds' autoencoder: 784-256-128-32 and back, ReLU between the layers, a sigmoid at the end.

Loss of a batch: \|X - D(E(X))\|^2 with pixels in [0, 1], summed over the pixels, averaged over the images. (The seeds
write the sum over the images; Adam does not see the scale but for its epsilon.) Score: the same squared error of one
image, summed over the pixels; seed 001 reports its mean over the pixels, which is the 784th part.
Source: seed 000, Problem 1 = seed 004, Problem 7, steps 1 to 7; architecture and hyperparameters: seed 001.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.optim.adam import adam

from mdnn_verify.anomaly import store
from mdnn_verify.anomaly.base import ImageSets, Progress, Settings, Split
from mdnn_verify.anomaly.dense import Layer, forward, gradients, initialise, initialise_orthogonal, layers_of, size_of
from mdnn_verify.anomaly.replay import Replayed
from mdnn_verify.anomaly.splitting import train_and_validation
from mdnn_verify.anomaly.training import LossPoint, train
from mdnn_verify.errors import UsageError

__all__ = ["AUTOENCODER", "FAST", "Autoencoder", "AutoencoderTrainer", "FittedAutoencoder", "Recipe", "layer_widths"]

HIDDEN = (256, 128, 32)
CODE = len(HIDDEN) - 1  # the layer whose output is the code
WARM_UP = 0.1  # of the steps
SCORED_AT_ONCE = 500  # images; what they need stays in the cache


@dataclass(frozen=True)
class Recipe:
    """How the weights are found; the architecture is always the same.

    ``initialisation`` is "default", torch's, or "orthogonal", where in addition the code's biases are 1, so that few of
    its ReLUs begin dead, and the last ones the logit of the mean image. ``schedule`` is "constant" or "triangle": the
    learning rate rises to its value within a tenth of the training and falls to zero.
    """

    epochs: int = 10
    batch_size: int = 100
    learning_rate: float = 1e-3
    schedule: str = "constant"
    initialisation: str = "default"

    def rate(self, part: float) -> float:
        """The learning rate when this part of the training, 0 to 1, is done."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * min(part / WARM_UP, (1 - part) / (1 - WARM_UP))

    def start(self, layers: Sequence[Layer], name: str, seed: int, images: torch.Tensor, levels: int) -> None:
        """Write the initial weights for training on ``images``, (N, pixels) uint8."""
        if self.initialisation == "default":
            initialise(layers, name, seed)
            return
        initialise_orthogonal(layers, name, seed)
        layers[CODE].bias.fill_(1.0)
        mean = images.double().mean(0) / (levels - 1)
        layers[-1].bias.copy_(torch.logit(mean, eps=0.5 / (levels - 1)))  # half a grey level from black and white


class AutoencoderTrainer:
    """One Adam step a batch, with torch's default constants, ``steps`` in all. On a GPU it is captured and replayed."""

    def __init__(self, widths: Sequence[int], levels: int, recipe: Recipe, steps: int, device: str = "cpu") -> None:
        self.levels, self.recipe, self.steps = levels, recipe, steps
        zeros = torch.zeros(size_of(widths), device=device)
        self.parameters, self.gradients, self.moments, self.squares = (zeros.clone() for _ in range(4))
        self.count = torch.zeros((), device=device)
        # a tensor: what a CUDA graph has captured as a number would stay
        self._rate = torch.zeros((), device=device, dtype=torch.float32 if zeros.is_cuda else torch.float64)
        self.layers = layers_of(self.parameters, widths)
        self._into = layers_of(self.gradients, widths)
        self._advance = Replayed(self._eager, self.state) if zeros.is_cuda else self._eager

    def step(self, batch: torch.Tensor, step: int) -> torch.Tensor:
        """Train on (B, pixels) uint8; the loss before the step, 0-dim."""
        self._rate.fill_(self.recipe.rate(step / self.steps))
        return self._advance(batch)

    def state(self) -> dict[str, torch.Tensor]:
        """Weights and Adam's memory."""
        return {"weights": self.parameters, "moments": self.moments, "squares": self.squares, "count": self.count}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in self.state().items():
            tensor.copy_(state[name])

    def _eager(self, batch: torch.Tensor) -> torch.Tensor:
        x = torch.div(batch, self.levels - 1)
        outputs = forward(self.layers, x)
        difference = outputs[-1] - x
        flat = difference.view(-1)
        loss = torch.dot(flat, flat).div_(len(x))
        gradients(self.layers, outputs, difference.mul_(2 / len(x)), self._into)
        self._adam()
        return loss

    def _adam(self) -> None:
        adam(
            [self.parameters], [self.gradients], [self.moments], [self.squares], [], [self.count],
            fused=True, capturable=self.count.is_cuda, amsgrad=False, beta1=0.9, beta2=0.999,
            lr=self._rate, weight_decay=0.0, eps=1e-8, maximize=False,
        )  # fmt: skip


class FittedAutoencoder:
    """A trained autoencoder; ``losses`` is empty if it comes from a file."""

    def __init__(self, layers: Sequence[Layer], levels: int, recipe: Recipe, losses: Sequence[LossPoint] = ()) -> None:
        self.layers, self.levels, self.recipe, self.losses = list(layers), levels, recipe, list(losses)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """D(E(X)): (N, pixels) uint8 -> float32 in [0, 1] on the CPU."""
        parts = [forward(self.layers, self._pixels(part))[-1].cpu() for part in torch.split(images, SCORED_AT_ONCE)]
        return torch.cat(parts) if parts else images.float()

    def score(self, images: torch.Tensor) -> torch.Tensor:
        """Squared reconstruction error, summed over the pixels: (N, pixels) uint8 -> (N,) float64 on the CPU."""
        scores = [self._errors(self._pixels(part)) for part in torch.split(images, SCORED_AT_ONCE)]
        return torch.cat(scores).cpu() if scores else torch.zeros(0, dtype=torch.float64)

    def configuration(self) -> dict[str, Any]:
        """The layers' widths, the number of grey levels, the recipe."""
        widths = [self.layers[0].weight.shape[1], *(len(layer.bias) for layer in self.layers)]
        return {"widths": widths, "levels": self.levels, "recipe": asdict(self.recipe)}

    def tensors(self) -> dict[str, torch.Tensor]:
        """Weights (out, in) and biases (out,) of the layers, in their order."""
        return {
            f"{number}.{name}": tensor.cpu()
            for number, layer in enumerate(self.layers)
            for name, tensor in (("weight", layer.weight), ("bias", layer.bias))
        }

    def _pixels(self, images: torch.Tensor) -> torch.Tensor:
        pixels = self.layers[0].weight.shape[1]
        if images.dtype != torch.uint8 or images.ndim != 2 or images.shape[1] != pixels:
            raise UsageError(
                f"images to score are {images.dtype} of shape {tuple(images.shape)}, expected uint8 (N, {pixels})"
            )
        return torch.div(images.to(self.layers[0].weight.device), self.levels - 1)

    def _errors(self, x: torch.Tensor) -> torch.Tensor:
        return (forward(self.layers, x)[-1] - x).square_().sum(1, dtype=torch.float64)


class Autoencoder:
    """The method of the seeds, as ``base.Method``, by some recipe."""

    score_name = "squared reconstruction error, summed over pixels of [0, 1]"
    flagged = "above"

    def __init__(self, name: str, recipe: Recipe) -> None:
        self.name, self.recipe = name, recipe

    def split(self, images: ImageSets, seed: int) -> Split:
        """50,000 and 10,000 of MNIST's training images to train and to validate."""
        return train_and_validation(images, seed)

    def fit(
        self, images: ImageSets, split: Split, settings: Settings, report: Callable[[Progress], None]
    ) -> FittedAutoencoder:
        """Train from random weights. Raises UsageError for settings that do not fit."""
        epochs, size = self.recipe.epochs if settings.epochs is None else settings.epochs, self.recipe.batch_size
        steps = epochs * math.ceil(len(split.train) / size)
        trainer = AutoencoderTrainer(layer_widths(images), images.levels, self.recipe, steps, settings.device)
        self.recipe.start(trainer.layers, self.name, settings.seed, split.train, images.levels)
        fitted = FittedAutoencoder(trainer.layers, images.levels, self.recipe)
        fitted.losses = train(
            trainer,
            split.train,
            name=self.name,
            settings=settings,
            epochs=epochs,
            batch_size=size,
            report=report,
            configuration=fitted.configuration(),
        )
        return fitted

    def restore(
        self, configuration: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], images: ImageSets
    ) -> FittedAutoencoder:
        """Build a model from a file's content. Raises UsageError if anything is not as ``fit`` makes it."""
        widths = layer_widths(images)
        fitted = FittedAutoencoder(
            layers_of(torch.zeros(size_of(widths)), widths), images.levels, _recipe(configuration)
        )
        wanted = fitted.configuration()
        if dict(configuration) != wanted:
            raise UsageError(f"the model's configuration is {dict(configuration)}, expected {wanted} for these images")
        own = fitted.tensors()
        store.expect_tensors("the model", tensors, {name: (t.dtype, tuple(t.shape)) for name, t in own.items()})
        for name, tensor in own.items():
            tensor.copy_(tensors[name])
        return fitted


def layer_widths(images: ImageSets) -> list[int]:
    """784, 256, 128, 32, 128, 256, 784 for images of 784 pixels."""
    return [images.height * images.width, *HIDDEN, *HIDDEN[-2::-1], images.height * images.width]


def _recipe(configuration: Mapping[str, Any]) -> Recipe:
    try:
        return Recipe(**configuration["recipe"])
    except (KeyError, TypeError) as error:
        raise UsageError(f"the model's configuration has no recipe of an autoencoder ({error})") from None


AUTOENCODER = Autoencoder("autoencoder", Recipe())
FAST = Autoencoder(
    "autoencoder-fast", Recipe(epochs=2, learning_rate=5e-3, schedule="triangle", initialisation="orthogonal")
)
