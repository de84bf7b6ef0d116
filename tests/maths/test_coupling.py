"""The layer against its definition, its log-determinant against numpy's; refusals name the argument."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mdnn_verify.engines.pathwise import gamma
from mdnn_verify.maths.coupling import SmoothNetwork, affine_coupling, complement


def zeros(count: int):
    return lambda x: x.new_zeros(*x.shape[:-1], count)


def network(seed: int, inputs: int, outputs: int, bound: float = 1.0, batch: tuple[int, ...] = ()) -> SmoothNetwork:
    draw = np.random.default_rng(seed).standard_normal
    W1, b, W2 = draw((*batch, 5, inputs)), draw((*batch, 5)), draw((*batch, outputs, 5))
    return SmoothNetwork(torch.from_numpy(W1), torch.from_numpy(b), torch.from_numpy(W2), bound)


def rounding(f: SmoothNetwork, x: torch.Tensor) -> torch.Tensor:
    """How far float64 is from the network of one output: two sums of products in any order, tanh (1-Lipschitz) to two ulps."""
    inner = gamma(f.W1.shape[-1] + 1) * (f.W1.abs() @ x.abs() + f.b.abs()).max() + gamma(2)
    outer = f.W2.abs().sum() * (inner + gamma(f.W2.shape[-1]) * (1 + inner))
    return f.bound * (outer + gamma(3))


def test_written_out_by_hand() -> None:
    x = torch.tensor([10.0, 2.0, 3.0])
    z, log_det = affine_coupling(x, [1], lambda y: torch.cat([y, -y]), lambda y: torch.cat([y, 2 * y]))
    expected = [math.exp(2) * 10 + 2, 2.0, math.exp(-2) * 3 + 4]
    assert torch.allclose(z, torch.tensor(expected))
    assert log_det == 0


@pytest.mark.parametrize("inside", [(0,), (3,), (1, 3), (0, 2, 4), (4, 1)])
def test_log_det_against_numpy(inside: tuple[int, ...]) -> None:
    s, t = (network(seed, len(inside), 5 - len(inside)) for seed in (1, 2))
    x = torch.from_numpy(np.random.default_rng(3).standard_normal(5))
    J = torch.autograd.functional.jacobian(lambda x: affine_coupling(x, inside, s, t)[0], x)
    log_det = affine_coupling(x, inside, s, t)[1]
    assert abs(np.linalg.slogdet(J.numpy())[1] - float(log_det)) < 1e-13


def test_batches_row_by_row() -> None:
    s, t = (network(seed, 2, 1, batch=(6,)) for seed in (1, 2))
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((6, 3)))
    z, log_det = affine_coupling(x, (0, 2), s, t)
    assert z.shape == (6, 3)
    assert log_det.shape == (6,)
    for k in range(6):
        one = [SmoothNetwork(f.W1[k], f.b[k], f.W2[k], f.bound) for f in (s, t)]
        row, row_log_det = affine_coupling(x[k], (0, 2), *one)
        s_error, t_error = (rounding(f, x[k, (0, 2)]) for f in one)
        # twice, as both sides round; exp and its product add four roundings and carry the error of s to first order,
        # with e^(2 error) < 2 for the rest; |exp s| <= e because |s| <= 1
        z_error = 2 * (2 * s_error + gamma(4)) * math.e * x[k].abs().max() + 2 * (
            t_error + gamma(4) * (1 + row.abs().max())
        )
        assert (z[k] - row).abs().max() <= z_error
        assert (log_det[k] - row_log_det).abs() <= 2 * s_error


def test_networks_keep_their_bound() -> None:
    x = 100 * torch.from_numpy(np.random.default_rng(3).standard_normal((50, 4)))
    assert network(0, 4, 3, bound=0.25)(x).abs().max() <= 0.25


def test_complement() -> None:
    assert complement((1, 2), 4) == (0, 3)


@pytest.mark.parametrize(
    ("x", "index_set", "s", "t", "named"),
    [
        (torch.ones(3), [], zeros(3), zeros(3), "index_set"),
        (torch.ones(3), [0, 1, 2], zeros(0), zeros(0), "index_set"),
        (torch.ones(3), [3], zeros(2), zeros(2), "index_set"),
        (torch.ones(3), [-1], zeros(2), zeros(2), "index_set"),
        (torch.ones(3), [0, 0], zeros(2), zeros(2), "index_set"),
        (torch.tensor(1.0), [0], zeros(1), zeros(1), "x "),
        (torch.tensor([1.0, float("nan")]), [0], zeros(1), zeros(1), "x "),
        (torch.tensor([1, 2]), [0], zeros(1), zeros(1), "x "),
        (torch.ones(3), [0], zeros(1), zeros(2), r"s\(x_O\)"),
        (torch.ones(3), [0], zeros(2), zeros(3), r"t\(x_O\)"),
        (torch.ones(3), [0], zeros(2), lambda y: y.new_full((2,), float("nan")), r"t\(x_O\)"),
    ],
)
def test_refusals_name_the_argument(x, index_set, s, t, named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}"):
        affine_coupling(x, index_set, s, t)
