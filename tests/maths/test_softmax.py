"""Scaled log-sum-exp and softmax stay within their rounding bounds of 300-bit enclosures."""

from __future__ import annotations

import flint
import numpy as np
import pytest
import torch

from mdnn_verify.engines.intervals import precision
from mdnn_verify.maths.softmax import (
    log_sum_exp,
    log_sum_exp_in_balls,
    log_sum_exp_rounding_bound,
    softmax,
    softmax_in_balls,
    softmax_rounding_bound,
)

RNG = np.random.default_rng(3)
INSTANCES = [
    (RNG.normal(size=n) * 10.0**size, 10.0**power)
    for n in (1, 2, 3, 7, 40)
    for size in (-3, 0, 2)
    for power in (-3, 0, 2)
] + [(np.array([1.0, 1.0, 1.0]), 5.0), (np.array([0.0, -1e4]), 1.0), (np.array([1e3, 1e3 - 1e-10]), 1e12)]


@pytest.mark.parametrize(("x", "beta"), INSTANCES)
def test_errors_stay_below_their_bounds(x, beta) -> None:
    tensor = torch.tensor(x)
    with precision(300):
        off = abs(flint.arb(float(log_sum_exp(tensor, beta))) - _shifted(x, beta))
        assert off <= flint.arb(float(log_sum_exp_rounding_bound(tensor, beta)))
        for got, exact, bound in zip(
            softmax(tensor, beta).tolist(),
            softmax_in_balls(x.tolist(), beta),
            softmax_rounding_bound(tensor, beta).tolist(),
            strict=True,
        ):
            assert abs(flint.arb(got) - exact) <= flint.arb(bound)


def _shifted(x, beta):
    return log_sum_exp_in_balls(x.tolist(), beta)


def test_bounds_are_not_idle() -> None:
    x = torch.tensor([0.3, 0.7, -1.0], dtype=torch.float64)
    assert log_sum_exp_rounding_bound(x) < 1e-14
    assert (softmax_rounding_bound(x) < 1e-14).all()


def test_huge_arguments_stay_finite() -> None:
    x = torch.tensor([1e300, -1e300, 1e300], dtype=torch.float64)
    assert log_sum_exp(x).item() == 1e300
    assert softmax(x).tolist() == [0.5, 0.0, 0.5]


def test_leading_dimensions_and_one_beta_for_each() -> None:
    x, beta = torch.randn(4, 3, dtype=torch.float64), torch.tensor([0.5, 1.0, 2.0, 30.0], dtype=torch.float64)
    for i in range(4):
        assert torch.equal(log_sum_exp(x, beta)[i], log_sum_exp(x[i], beta[i]))
        assert torch.allclose(softmax(x, beta)[i], torch.softmax(beta[i] * x[i], -1), atol=1e-15)


def test_autograd_sees_softmax() -> None:
    x = torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64, requires_grad=True)
    log_sum_exp(x, 3.0).backward()
    assert torch.allclose(x.grad, softmax(x.detach(), 3.0), atol=1e-15)


@pytest.mark.parametrize(
    ("x", "beta", "named"), [(torch.empty(0), 1.0, "x"), ([1, 2], 1.0, "x"), (torch.ones(2), 0.0, "beta")]
)
def test_refusals_name_the_argument(x, beta, named: str) -> None:
    for function in (log_sum_exp, softmax):
        with pytest.raises(ValueError, match=f"^{named}"):
            function(x, beta)
