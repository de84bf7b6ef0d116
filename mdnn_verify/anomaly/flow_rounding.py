"""How far a computed log density may be from the exact one: a running error analysis of layers and base.

Whoever evaluates the same flow in float64, in whatever order of summation, is within the bound of the exact value; so
two of them, another library or another batch, are within twice the bound of each other. Bounds are first order in the
unit roundoff, and doubled at the end for the rest.

exp, log, tanh and logistic of torch are taken to be within 2 ulp (``LIBM``); Higham, Accuracy and Stability, Lemma 3.1.
"""

from __future__ import annotations

import math

import torch

from mdnn_verify.anomaly.flow_model import FlowModel
from mdnn_verify.engines.pathwise import gamma, unit_roundoff
from mdnn_verify.maths.coupling import CouplingLayer

__all__ = ["LIBM", "STEEPEST", "networks_error", "rounding_bound"]

LIBM = 4 * unit_roundoff()
STEEPEST = 1.1  # |silu'| is at most 1.0999


def rounding_bound(flow: FlowModel, x: torch.Tensor) -> torch.Tensor:
    """For log_density of a float64 flow at x (B, D), as nothing but the logit of x has been rounded: (B,)."""
    value, log_det = flow.pixels.forward(x[..., flow.order])
    error, n = torch.zeros_like(value), value.shape[-1]
    total = torch.zeros_like(log_det)
    size = log_det.abs()  # of the terms that are added up
    for layer in flow.coupling_layers():
        (inside, outside), (e_inside, e_outside) = layer.partition.split(value), layer.partition.split(error)
        scale, shift = layer.networks(inside)
        e_scale, e_shift = networks_error(layer, inside, e_inside)
        grown = scale.exp() * (outside.abs() * (e_scale + LIBM + gamma(2)) + e_outside)
        value, own = layer(value)
        error = layer.partition.join(e_inside, grown + e_shift + gamma(2) * (shift.abs() + grown))
        total = total + e_scale.sum(dim=-1) + gamma(n) * scale.abs().sum(dim=-1)
        size = size + own.abs()
    half = value.square().sum(dim=-1) / 2
    constant = n * math.log(2 * math.pi) / 2
    base = (value.abs() * error + error.square() / 2).sum(dim=-1) + gamma(n + 4) * (half + constant)
    return 2 * (total + base + gamma(len(flow.layers) + 4) * (size + half + constant))


def networks_error(
    layer: CouplingLayer, x_inside: torch.Tensor, error: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """How far computed s and t may be from those at the exact x_O, which is within ``error`` of x_inside (..., |O|).

    Sums of products may be formed in any order; |silu'| <= 1.1 and |tanh'| <= 1 carry errors on.
    """
    W1, b1, W2, b2 = (parameter.detach() for parameter in layer.conditioner.parameters())
    carried = torch.zeros_like(x_inside) if error is None else error
    before = x_inside @ W1.T + b1
    e_before = carried @ W1.abs().T + gamma(W1.shape[1] + 2) * (x_inside.abs() @ W1.abs().T + b1.abs())
    hidden = torch.nn.functional.silu(before).abs()
    e_hidden = STEEPEST * e_before + (LIBM + gamma(4)) * hidden
    e_output = e_hidden @ W2.abs().T + gamma(W2.shape[1] + 2) * (hidden @ W2.abs().T + b2.abs())
    e_scale, e_shift = e_output.chunk(2, dim=-1)
    return e_scale + (LIBM + gamma(3)) * layer.bound, e_shift
