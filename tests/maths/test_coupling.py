"""The layer against its definition, its log-determinant against numpy's; refusals name the argument."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mdnn_verify.engines.pathwise import gamma
from mdnn_verify.maths.coupling import (
    CouplingLayer,
    Partition,
    SmoothNetwork,
    affine_coupling,
    complement,
    couple,
    uncouple,
)


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


SETS = [(0,), (4,), (1, 3), (0, 2, 4), (4, 1), (0, 1), (2, 3, 4), (0, 1, 3, 4)]


@pytest.mark.parametrize("inside", SETS)
def test_partition_reads_both_sets_in_increasing_order(inside: tuple[int, ...]) -> None:
    partition = Partition(inside, 5)
    x = torch.arange(15.0).reshape(3, 5)
    assert partition.inside == tuple(sorted(inside))
    x_inside, x_outside = partition.split(x)
    assert torch.equal(x_inside, x[:, sorted(inside)])
    assert torch.equal(x_outside, x[:, [i for i in range(5) if i not in inside]])
    assert torch.equal(partition.join(x_inside, x_outside), x)


def layer(inside: tuple[int, ...], n: int = 5, bound: float = 1.0) -> CouplingLayer:
    inputs, outputs = len(inside), 2 * (n - len(inside))
    conditioner = torch.nn.Sequential(torch.nn.Linear(inputs, 4), torch.nn.SiLU(), torch.nn.Linear(4, outputs)).double()
    stream = np.random.default_rng(8)
    with torch.no_grad():
        for parameter in conditioner.parameters():
            parameter.copy_(torch.from_numpy(stream.standard_normal(tuple(parameter.shape))))
    return CouplingLayer(inside, n, conditioner, bound).requires_grad_(False)


@pytest.mark.parametrize("inside", SETS)
def test_the_trainable_layer_is_the_checked_one(inside: tuple[int, ...]) -> None:
    f = layer(inside)
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((7, 5)))
    z, log_det = f(x)
    checked = affine_coupling(x, inside, lambda y: f.networks(y)[0], lambda y: f.networks(y)[1])
    assert torch.equal(z, checked[0])
    assert torch.equal(log_det, checked[1])


@pytest.mark.parametrize("inside", SETS)
def test_inverse(inside: tuple[int, ...]) -> None:
    f = layer(inside)
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((7, 5)))
    z, _ = f(x)
    scale, shift = f.networks(f.partition.split(x)[0])
    # z = e^s x + t is off by gamma(4) of its terms, exp (2 ulp), product and sum; then t is subtracted, e^-s multiplied
    size = f.partition.join(
        torch.zeros(7, len(inside)).double(), x[:, list(f.partition.outside)].abs() + torch.exp(-scale) * shift.abs()
    )
    assert ((f.inverse(z) - x).abs() <= 4 * gamma(4) * size).all()


def test_log_scales_keep_their_bound() -> None:
    f = layer((0, 2), bound=0.25)
    x = 1e6 * torch.from_numpy(np.random.default_rng(3).standard_normal((50, 5)))
    scale, _ = f.networks(f.partition.split(x)[0])
    assert scale.abs().max() <= 0.25
    assert scale.abs().max() > 0.24


def test_the_core_never_waits_for_the_device() -> None:
    """Tensors without data: reading a value, as a check or a synchronisation does, raises."""
    f = layer((0, 2, 3)).to("meta")
    x = torch.empty(4, 5, dtype=torch.float64, device="meta")
    z, log_det = couple(x, f.partition, f.networks)
    assert (z.shape, log_det.shape) == ((4, 5), (4,))
    assert uncouple(z, f.partition, f.networks).shape == (4, 5)
    with pytest.raises(RuntimeError):
        affine_coupling(x, (0, 2, 3), zeros(2), zeros(2))


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
