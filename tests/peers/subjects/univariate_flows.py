"""Increasing maps of R in zuko and torch. Translated: log_abs_det_jacobian is the logarithm of dz_dx; float64 weights."""

import torch
from torch.distributions.transforms import SoftplusTransform
from zuko.transforms import MonotonicRQSTransform, SOSPolynomialTransform


def normal(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Flow:
    def __init__(self, transform):
        self.transform = transform

    def __call__(self, x):
        z = self.transform(x)
        return z, self.transform.log_abs_det_jacobian(x, z).exp()

    def inverse(self, z):
        return self.transform.inv(z)


spline = Flow(MonotonicRQSTransform(normal(0, 8), normal(1, 8), normal(2, 7)))
sum_of_squares = Flow(SOSPolynomialTransform(normal(3, 3, 5), bound=64.0))
softplus = Flow(SoftplusTransform())
