"""Dense layers with gradients written out: no autograd, and no gradient that is not needed.

Products of float32 matrices on the CPU go to oneDNN where torch has it: at the autoencoder's sizes it was measured at
twice torch.mm's rate on an AMD processor; on others it has not been measured. The two differ by rounding only.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mdnn_verify.engines.montecarlo.stream import Stream

__all__ = [
    "Layer",
    "affine",
    "forward",
    "gradients",
    "initialise",
    "initialise_orthogonal",
    "layers_of",
    "product",
    "size_of",
]

# below so many weights the call costs more than the product; fixed, not timed, so that a resumed run rounds alike
LEAST_WEIGHTS = 1 << 14
ACTIVATIONS = {"relu": torch.Tensor.relu_, "sigmoid": torch.Tensor.sigmoid_}


@dataclass(frozen=True)
class Layer:
    """x -> activation(x W^T + b): weight (out, in), bias (out,)."""

    weight: torch.Tensor
    bias: torch.Tensor
    activation: str


def size_of(widths: Sequence[int]) -> int:
    """How many weights and biases the layers between these widths have."""
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise(widths))


def layers_of(flat: torch.Tensor, widths: Sequence[int]) -> list[Layer]:
    """Layers whose weights and biases are views of ``flat``, (size_of(widths),): ReLU, and a sigmoid at the end.

    One flat tensor is one call of the optimiser instead of a dozen.
    """
    layers, start = [], 0
    for number, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
        middle, end = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
        activation = "sigmoid" if number == len(widths) - 2 else "relu"
        layers.append(Layer(flat[start:middle].view(fan_out, fan_in), flat[middle:end], activation))
        start = end
    return layers


def initialise(layers: Sequence[Layer], name: str, seed: int) -> None:
    """torch.nn.Linear's default distribution, U(-1, 1) / sqrt(in), for weights and biases alike.

    The same numbers on every device.
    """
    for number, layer in enumerate(layers):
        stream, bound = Stream(f"{name}/initial weights", seed, number), layer.weight.shape[1] ** -0.5
        for tensor in (layer.weight, layer.bias):
            tensor.copy_(stream.uniform(tuple(tensor.shape), -bound, bound))


def initialise_orthogonal(layers: Sequence[Layer], name: str, seed: int) -> None:
    """Random orthonormal rows or columns, times sqrt 2 before a ReLU, which halves the second moment; no biases.

    Torch's default shrinks what passes by 1 / sqrt 6 at every ReLU layer; here the signal keeps its size.
    """
    for number, layer in enumerate(layers):
        out, fan_in = layer.weight.shape
        normal = Stream(f"{name}/initial weights", seed, number).normal((max(out, fan_in), min(out, fan_in)))
        q, r = torch.linalg.qr(normal)
        q *= r.diagonal().sign()  # without it the distribution is not the uniform one
        layer.weight.copy_((q if out >= fan_in else q.T) * (2**0.5 if layer.activation == "relu" else 1))
        layer.bias.zero_()


def forward(layers: Sequence[Layer], x: torch.Tensor) -> list[torch.Tensor]:
    """The input (B, in) and the output of every layer."""
    outputs = [x]
    for layer in layers:
        outputs.append(affine(outputs[-1], layer))
    return outputs


def gradients(
    layers: Sequence[Layer], outputs: Sequence[torch.Tensor], gradient: torch.Tensor, into: Sequence[Layer]
) -> None:
    """Write the gradients of all weights and biases ``into`` layers of the same shapes.

    ``outputs`` are those of ``forward``; ``gradient``, (B, out), is that of the last of them and is overwritten. The
    gradient of the input is not computed.
    """
    for number in reversed(range(len(layers))):
        layer, x, y = layers[number], outputs[number], outputs[number + 1]
        if layer.activation == "sigmoid":
            torch.ops.aten.sigmoid_backward.grad_input(gradient, y, grad_input=gradient)
        else:
            torch.ops.aten.threshold_backward.grad_input(gradient, y, 0, grad_input=gradient)
        torch.sum(gradient, 0, out=into[number].bias)
        into[number].weight.copy_(product(gradient.T, x))
        if number:
            gradient = product(gradient, layer.weight)


def affine(x: torch.Tensor, layer: Layer) -> torch.Tensor:
    """(B, in) -> (B, out)."""
    if _by_onednn(x, layer.weight):
        result = torch.ops.mkldnn._linear_pointwise(x, layer.weight, layer.bias, layer.activation, [], "")
    else:
        result = ACTIVATIONS[layer.activation](torch.addmm(layer.bias, x, layer.weight.T))
    return result  # type: ignore[no-any-return]


def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The matrix product a b."""
    if _by_onednn(a, b):
        return torch.ops.mkldnn._linear_pointwise(a, b.T, None, "none", [], "")  # type: ignore[no-any-return]
    return a @ b


def _by_onednn(a: torch.Tensor, b: torch.Tensor) -> bool:
    on_cpu = a.device.type == "cpu" and a.dtype == torch.float32
    return HAS_ONEDNN and on_cpu and min(a.numel(), b.numel()) >= LEAST_WEIGHTS


def _has_onednn() -> bool:
    built = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(built) and hasattr(torch.ops.mkldnn, "_linear_pointwise")


HAS_ONEDNN = _has_onednn()
