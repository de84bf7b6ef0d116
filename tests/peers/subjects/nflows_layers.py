"""nflows' coupling layers. Translated: nothing but float64 weights; mask > 0 marks what is transformed.

The affine layer scales by sigmoid(. + 2) + 0.001, not by exp(s): s is the logarithm of that, and log_det its sum.
The splines have linear tails; without tails they are maps of [0, 1] and no layers in the sense of the contract.
"""

import torch
from nflows import transforms
from nflows.nn.nets import ResidualNet

DIM = 6
MASK = [0, 1, 1, 0, 1, 0]


def network(inputs, outputs):
    return ResidualNet(inputs, outputs, hidden_features=24, num_blocks=1)


def layer(seed, kind, **options):
    torch.manual_seed(seed)
    return kind(MASK, network, **options).double().eval()


TAILS = {"num_bins": 5, "tails": "linear", "tail_bound": 3.0}
affine = layer(0, transforms.AffineCouplingTransform)
additive = layer(1, transforms.AdditiveCouplingTransform)
piecewise_linear = layer(2, transforms.PiecewiseLinearCouplingTransform, **TAILS)
piecewise_linear_map = piecewise_linear.forward  # without its inverse
quadratic = layer(3, transforms.PiecewiseQuadraticCouplingTransform, **TAILS)
cubic = layer(4, transforms.PiecewiseCubicCouplingTransform, **TAILS)
rational_quadratic = layer(5, transforms.PiecewiseRationalQuadraticCouplingTransform, **TAILS)
