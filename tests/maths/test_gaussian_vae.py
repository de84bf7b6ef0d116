"""Terms of the Gaussian autoencoder against torch.distributions and automatic differentiation, in every arithmetic."""

from __future__ import annotations

import math

import flint
import pytest
import sympy as sp
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from mdnn_verify.maths.gaussian_vae import (
    BALLS,
    ESTIMATORS,
    EXACT,
    NAMES,
    TENSORS,
    divergence,
    estimates,
    log_likelihood,
    reparameterised,
)

NUMBERS = (0.4, 0.7, -0.2, 1.3)  # mu, s, l1, l2


def tensors(*numbers: float) -> list[torch.Tensor]:
    return [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in numbers]


def test_divergence_is_that_of_torch() -> None:
    mu, s, l1, l2 = tensors(*NUMBERS)
    expected = kl_divergence(Normal(mu, s.sqrt()), Normal(l1, l2.sqrt()))
    assert divergence(mu, s, l1, l2, TENSORS).item() == pytest.approx(expected.item(), rel=1e-14)


def test_log_likelihood_is_that_of_torch() -> None:
    x, f = torch.tensor([1.0, -0.5, 2.0]), torch.tensor([0.3, 0.1, 1.0])
    expected = MultivariateNormal(f, 0.7 * torch.eye(3)).log_prob(x).item()
    square, v = ((x - f) ** 2).sum(), torch.tensor(0.7)
    assert log_likelihood(square, v, 3, TENSORS).item() == pytest.approx(expected, rel=1e-6)


def test_every_arithmetic_gives_the_same_numbers() -> None:
    exact = [sp.Rational(str(number)) for number in NUMBERS]
    found = [
        float(divergence(*exact, EXACT)),
        divergence(*tensors(*NUMBERS), TENSORS).item(),
        float(divergence(*map(flint.arb, NUMBERS), BALLS)),
    ]
    assert found == pytest.approx([found[0]] * 3, rel=1e-13)


def test_estimates_are_the_derivatives_of_the_objective() -> None:
    mu, s, l1, l2 = parameters = tensors(*NUMBERS)
    (theta,), e, v, x = tensors(1.7), 0.9, torch.tensor(0.6, dtype=torch.float64), 0.8
    Z = reparameterised(mu, s, e, TENSORS)
    objective = log_likelihood((x - torch.sin(theta * Z)) ** 2, v, 1, TENSORS) - divergence(*parameters, TENSORS)
    gradients = torch.autograd.grad(objective, (mu, s, theta, l1, l2))
    z = NUMBERS[0] + math.sqrt(NUMBERS[1]) * e
    error, slope = x - math.sin(1.7 * z), math.cos(1.7 * z)
    found = estimates(ESTIMATORS, (error * slope * 1.7, error * slope * z), e, v, parameters, TENSORS)
    for name, gradient in zip(NAMES, gradients, strict=True):
        assert float(torch.as_tensor(found[name]).detach()) == pytest.approx(gradient.item(), rel=1e-12), name
