"""zuko's coupling layers. Translated: ``call_and_ladj`` gives (z, log_det), ``.inv`` is the inverse; float64 weights.

zuko's mask marks the entries that are kept, a transform without context is ``layer()``, and what is called ``scale`` is
not yet the log-scale s: the layer squashes it to s = scale / (1 + |scale / log 0.001|). Sums of squares are invertible up to
a bound that is theirs to choose (10 unless told): 64, above the inputs of the contract.
"""

from functools import partial

import torch
from zuko.flows.coupling import GeneralCouplingTransform
from zuko.transforms import BernsteinTransform, MonotonicRQSTransform, SOSPolynomialTransform

DIM = 6
MASK = torch.tensor([True, False, False, True, False, True])


class Layer:
    def __init__(self, seed, univariate=None, shapes=None):
        torch.manual_seed(seed)
        how = {} if univariate is None else {"univariate": univariate, "shapes": shapes}
        self.lazy = GeneralCouplingTransform(DIM, mask=MASK, hidden_features=(24, 24), **how).double()

    def __call__(self, x):
        return self.lazy().call_and_ladj(x)

    def inverse(self, z):
        return self.lazy().inv(z)


affine = Layer(0)
spline = Layer(1, MonotonicRQSTransform, ((8,), (8,), (7,)))
bernstein = Layer(2, BernsteinTransform, ((9,),))
sum_of_squares = Layer(3, partial(SOSPolynomialTransform, bound=64.0), ((3, 4),))
