"""normflows' coupling layers. Translated: nothing but float64 weights; its last layers start at 0 and are drawn anew.

In normflows ``forward`` goes from the base distribution to the data and ``inverse`` back; each is a map of its own.
"""

import normflows
import torch
from torch import nn

DIM = 6


def network(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 24), nn.Tanh(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, outputs))


def layer(seed, make):
    torch.manual_seed(seed)
    flow = make()
    generator = torch.Generator().manual_seed(seed)
    for parameter in flow.parameters():
        if not bool(parameter.any()):
            parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return flow.double().eval()


flows = normflows.flows
masked_affine = layer(
    0,
    lambda: flows.MaskedAffineFlow(torch.tensor([1.0, 0, 0, 1, 0, 1]), network(DIM, DIM), network(DIM, DIM)),
)
affine_exp = layer(1, lambda: flows.AffineCouplingBlock(network(3, 6)))
affine_sigmoid = layer(2, lambda: flows.AffineCouplingBlock(network(3, 6), scale_map="sigmoid"))
affine_sigmoid_inv = layer(3, lambda: flows.AffineCouplingBlock(network(3, 6), scale_map="sigmoid_inv"))
additive = layer(4, lambda: flows.AffineCouplingBlock(network(3, 3), scale=False))
spline = layer(5, lambda: flows.CoupledRationalQuadraticSpline(DIM, 1, 24))
planar = layer(6, lambda: flows.Planar((DIM,))).forward
radial = layer(7, lambda: flows.Radial((DIM,))).forward
linear = layer(8, lambda: flows.LULinearPermute(DIM))
