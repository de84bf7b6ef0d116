"""log-mean-exp against balls at 256 bits: the derived bound holds, and not by a wide margin only; refusals name the
argument."""

from __future__ import annotations

import math
from itertools import combinations

import flint
import pytest
import torch

from mdnn_verify.engines.intervals import precision
from mdnn_verify.maths.log_mean_exp import log_mean_exp, rounding_bound, subset_log_mean_exp

inf, nan = math.inf, math.nan


def exact(logs) -> flint.arb:
    """The exact value of float inputs, enclosed; call within ``precision(256)``."""
    return (sum((flint.arb(x).exp() for x in logs), flint.arb(0)) / len(logs)).log()


@pytest.mark.parametrize("count", [1, 2, 3, 17, 1000])
@pytest.mark.parametrize("spread", [1e-8, 1.0, 30.0])
@pytest.mark.parametrize("offset", [0.0, -5000.0, 700.0])
def test_the_error_stays_within_its_bound(count: int, spread: float, offset: float) -> None:
    logs = offset + spread * torch.randn(
        (20, count), dtype=torch.float64, generator=torch.Generator().manual_seed(count)
    )
    values, bounds = log_mean_exp(logs), rounding_bound(logs)
    with precision(256):
        for row, value, bound in zip(logs.tolist(), values.tolist(), bounds.tolist(), strict=True):
            assert abs(exact(row) - value) <= bound
    assert bounds.max() <= 1e-15 * (4 * count + abs(offset) + 6 * spread + 20)  # it would notice a wrong digit


def test_planted_faults_break_the_bound() -> None:
    logs = torch.tensor([[0.3, -1.2, 0.7]], dtype=torch.float64)
    value, bound = log_mean_exp(logs), rounding_bound(logs)
    for wrong in (torch.logsumexp(logs, -1), logs.mean(-1), value + 1e-14):
        assert not bool(((wrong - value).abs() <= bound).all())


@pytest.mark.parametrize(
    ("logs", "value"),
    [
        ([-inf, -inf], -inf),
        ([-inf, 0.0], -math.log(2)),
        ([inf, 0.0], inf),
        ([-1e308, 1e308], 1e308),
        ([1000.0, 1000.0], 1000.0),
        ([-1000.0], -1000.0),
    ],
)
def test_extreme_weights(logs, value: float) -> None:
    got = float(log_mean_exp(torch.tensor(logs, dtype=torch.float64)))
    assert got == pytest.approx(value, rel=1e-15)
    assert math.isfinite(float(rounding_bound(torch.tensor(logs, dtype=torch.float64))))


def test_nan_stays_nan() -> None:
    assert math.isnan(float(log_mean_exp(torch.tensor([nan, 0.0], dtype=torch.float64))))


def test_shapes_and_gradient() -> None:
    logs = torch.randn((2, 5, 3), dtype=torch.float64, requires_grad=True)
    value = log_mean_exp(logs)
    assert value.shape == (2, 5)
    value.sum().backward()
    torch.testing.assert_close(logs.grad, torch.softmax(logs.detach(), -1))


def test_subsets_are_all_there() -> None:
    logs = torch.randn((4, 5), dtype=torch.float64)
    found = subset_log_mean_exp(logs, 2)
    expected = torch.stack([log_mean_exp(logs[:, list(pair)]) for pair in combinations(range(5), 2)], -1)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("logs", [torch.tensor(1.0), torch.zeros(3, 0), torch.tensor([1, 2])])
def test_what_is_no_list_of_logarithms_is_refused_by_name(logs) -> None:
    with pytest.raises(ValueError, match="log_w has"):
        log_mean_exp(logs)


@pytest.mark.parametrize("size", [0, 4, -1, 1.5])
def test_impossible_subsets_are_refused_by_name(size) -> None:
    with pytest.raises(ValueError, match="size"):
        subset_log_mean_exp(torch.zeros(3), size)
