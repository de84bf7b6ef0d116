"""The comparator: how a notebook trains and scores the seeds' autoencoder, image by image.

One PIL image at a time through a DataLoader, torch.nn, autograd, torch.optim.Adam with its defaults, the loss fetched
after every step, one score at a time. Written after seed 001, Problem 1; labels and the split's indirection are left
out, which favours the notebook.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mdnn_verify.anomaly.autoencoder import AutoencoderTrainer
from mdnn_verify.anomaly.dense import Layer

__all__ = ["APART", "Notebook", "Pictures", "steps_apart"]

Rows = Sequence[int]
# A step moves a weight by up to the learning rate, 1e-3, and any difference of the method shows at that scale, if only
# where a gradient is of the order of Adam's epsilon; rounding in float64 shows at 1e-16. The bound is between them.
APART = 1e-3 * 2.0**-26


class Pictures(Dataset[torch.Tensor]):
    """As torchvision gives them: array -> PIL image -> ToTensor: default float, (1, height, width), in [0, 1]."""

    def __init__(self, images: torch.Tensor, height: int, width: int, levels: int = 256) -> None:
        self.images, self.shape, self.levels = images, (height, width), levels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        picture = Image.fromarray(self.images[index].numpy().reshape(self.shape))
        array = np.array(picture, dtype=np.uint8, copy=True)
        tensor = torch.from_numpy(array).view(*self.shape, 1).permute(2, 0, 1).contiguous()
        return tensor.to(torch.get_default_dtype()).div(self.levels - 1)


class Notebook:
    """The seeds' steps on pictures of (height, width); ``widths`` are those of the layers, pixels first and last."""

    def __init__(self, widths: Sequence[int], height: int, width: int, levels: int = 256) -> None:
        self.height, self.width, self.levels = height, width, levels
        modules: list[nn.Module] = []
        for fan_in, fan_out in itertools.pairwise(widths):
            modules += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        self.network = nn.Sequential(nn.Flatten(), *modules[:-1], nn.Sigmoid())
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        self.losses: list[float] = []

    def load(self, layers: Sequence[Layer]) -> None:
        """Copy weights and biases, so that both sides of a comparison start alike."""
        for own, layer in zip(self.layers(), layers, strict=True):
            own.weight.copy_(layer.weight)
            own.bias.copy_(layer.bias)

    def layers(self) -> list[Layer]:
        """Views of the weights and biases."""
        own = [module for module in self.network if isinstance(module, nn.Linear)]
        names = ["relu"] * (len(own) - 1) + ["sigmoid"]
        return [Layer(m.weight.detach(), m.bias.detach(), name) for m, name in zip(own, names, strict=True)]

    def train(self, images: torch.Tensor, batch_size: int = 100, order: Rows | None = None) -> None:
        """One epoch over (N, pixels) uint8, shuffled, or in the given order."""
        pictures = self._pictures(images)
        loader: DataLoader[torch.Tensor] = DataLoader(pictures, batch_size, shuffle=order is None, sampler=order)
        self.network.train()
        for batch in loader:
            x = batch.flatten(1)
            loss = nn.functional.mse_loss(self.network(batch), x, reduction="sum") / len(x)
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.losses.append(loss.item())
            self.optimiser.step()

    def score(self, images: torch.Tensor, batch_size: int = 100) -> torch.Tensor:
        """Squared errors summed over the pixels, one image at a time: (N, pixels) uint8 -> (N,) float64."""
        loader: DataLoader[torch.Tensor] = DataLoader(self._pictures(images), batch_size)
        self.network.eval()
        scores = []
        for batch in loader:
            with torch.no_grad():
                errors = (batch.flatten(1) - self.network(batch)) ** 2
            for error in errors:
                scores.append(torch.sum(error))
        return torch.tensor(scores, dtype=torch.float64)

    def _pictures(self, images: torch.Tensor) -> Pictures:
        return Pictures(images, self.height, self.width, self.levels)


def steps_apart(
    trainer: AutoencoderTrainer, notebook: Notebook, images: torch.Tensor, order: Rows, batch: int
) -> float:
    """Start both alike, train both on the same batches, and return the largest difference of a weight.

    Identical steps stay within APART of each other if torch's default dtype was float64 when both were made, and is.
    """
    notebook.load(trainer.layers)
    notebook.train(images, batch, order)
    for step, start in enumerate(range(0, len(order), batch)):
        trainer.step(images[list(order[start : start + batch])], step)
    pairs = [
        (getattr(theirs, name), getattr(ours, name))
        for theirs, ours in zip(notebook.layers(), trainer.layers, strict=True)
        for name in ("weight", "bias")
    ]
    return max(float((theirs - ours).abs().max()) for theirs, ours in pairs)
