"""The same flow in zuko, for comparison: the same layers and weights, run by somebody else's well-kept code.

zuko is optional (``pip install 'mdnn-verify[peers]'``). Preprocessing is this package's on both sides.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from mdnn_verify.anomaly.flow_model import FlowModel
from mdnn_verify.errors import UsageError
from mdnn_verify.maths.coupling import CouplingLayer

__all__ = ["ZukoFlow", "training_step"]


class ZukoFlow(nn.Module):
    """A copy of a flow: zuko's coupling transforms and normal base with the weights of ``model``, float32 or float64.

    Raises UsageError where zuko is not installed.
    """

    def __init__(self, model: FlowModel) -> None:
        super().__init__()
        zuko = _zuko()
        weight = next(model.parameters())
        zeros = torch.zeros(len(model.order), dtype=weight.dtype)
        base = zuko.lazy.UnconditionalDistribution(zuko.distributions.DiagNormal, zeros, zeros + 1, buffer=True)
        self.flow = zuko.flows.Flow([_transform(zuko, layer) for layer in model.coupling_layers()], base)
        self.flow.to(weight)
        self.pixels, self.order = model.pixels, model.order

    def log_density(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x) in nats, as ``FlowModel.log_density``."""
        v, log_det = self.pixels.forward(x[..., self.order])
        density: torch.Tensor = self.flow().log_prob(v) + log_det
        return density


def training_step(
    model: nn.Module, log_density: Callable[[torch.Tensor], torch.Tensor], rate: float
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The usual loop around torch.optim.Adam (fused): x (B, D) -> the loss before the step."""
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, fused=True)

    def step(x: torch.Tensor) -> torch.Tensor:
        optimiser.zero_grad()
        loss = -log_density(x).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return loss.detach()

    return step


def _zuko() -> Any:
    try:
        return importlib.import_module("zuko")
    except ImportError:
        raise UsageError("zuko is not installed; pip install 'mdnn-verify[peers]' adds it") from None


def _transform(zuko: Any, layer: CouplingLayer) -> nn.Module:
    """zuko's mask marks what stays; its network gives t and s in turn for each pixel, ours all s, then all t."""
    inside = torch.tensor(layer.partition.inside)
    count = len(layer.partition.inside) + len(layer.partition.outside)
    mask = torch.zeros(count, dtype=torch.bool).index_fill(0, inside, True)
    first_weight, first_bias, weight, bias = (parameter.detach() for parameter in layer.conditioner.parameters())
    transform: nn.Module = zuko.flows.GeneralCouplingTransform(
        count,
        mask=mask,
        univariate=partial(_bounded_affine(zuko), bound=layer.bound),
        hidden_features=[len(first_bias)],
        activation=nn.SiLU,
    )
    copied = (first_weight, first_bias, _in_turn(weight), _in_turn(bias))
    with torch.no_grad():
        for own, other in zip(transform.to(weight).parameters(), copied, strict=True):
            own.copy_(other)
    return transform


def _in_turn(rows: torch.Tensor) -> torch.Tensor:
    scale, shift = rows.chunk(2)
    return torch.stack([shift, scale], dim=1).reshape(rows.shape)


def _bounded_affine(zuko: Any) -> type:
    """zuko's affine transformation with this package's bound on the log-scale in place of its own."""

    class BoundedAffine(zuko.transforms.MonotonicAffineTransform):  # type: ignore[misc]
        def __init__(self, shift: torch.Tensor, scale: torch.Tensor, bound: float) -> None:
            super().__init__(shift, scale)
            self.log_scale = bound * torch.tanh(scale / bound)
            self.scale = self.log_scale.exp()

    return BoundedAffine
