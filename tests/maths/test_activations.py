"""The activations agree with their derivatives and with their counterparts in balls."""

from __future__ import annotations

import flint
import numpy as np
import pytest
import torch

from mdnn_verify.maths.activations import ACTIVATIONS, Activation

POINTS = (-700.0, -40.0, -3.0, -1.0, -0.25, 0.25, 0.5, 1.0, 3.0, 40.0, 700.0)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda each: each.function.__name__)
def test_values_slopes_and_curvatures(activation: Activation) -> None:
    a = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    value = activation.function(a)
    slope = torch.autograd.grad(value.sum(), a)[0]
    assert torch.allclose(activation.slope(a), slope, rtol=1e-15, atol=8 * 2.0**-53)
    numbers = a.detach().numpy()
    with flint.ctx.workprec(200):
        balls = [[float(f(flint.arb(p))) for p in POINTS] for f in (activation.in_balls, activation.slope_in_balls)]
    assert np.allclose(value.detach().numpy(), balls[0], rtol=1e-15, atol=1e-300)
    assert (np.abs(slope.numpy() - balls[1]) <= 8 * 2.0**-53 * activation.parts(numbers)).all()
    h = 1e-5
    second = (activation.slope(numbers + h) - activation.slope(numbers - h)).numpy() / (2 * h)
    assert np.allclose(np.abs(second), activation.curvature(numbers), atol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda each: each.function.__name__)
def test_numbers_and_precisions(activation: Activation) -> None:
    """A Python float is taken in double precision; a tensor keeps its own."""
    for function in (activation.function, activation.slope):
        assert function(0.3).dtype == torch.float64
        assert function(torch.tensor([0.3])).dtype == torch.float32
        assert function(torch.tensor(0.3, dtype=torch.float64)).shape == ()


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda each: each.function.__name__)
def test_derivatives_of_derivatives_are_finite(activation: Activation) -> None:
    """Where an implementation takes sigma' from sigma by autograd, and is differentiated itself."""
    a = torch.tensor([*POINTS, -1e4, 1e4], dtype=torch.float64, requires_grad=True)
    slope = torch.autograd.grad(activation.function(a).sum(), a, create_graph=True)[0]
    if slope.requires_grad:
        second = torch.autograd.grad(slope.sum(), a)[0]
        assert np.allclose(second.abs().numpy(), activation.curvature(a.detach().numpy()), atol=1e-12)
