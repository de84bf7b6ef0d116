"""Batched networks: their products with Jacobians against automatic differentiation, and the bound of magnitudes."""

from __future__ import annotations

import pytest
import torch

from mdnn_verify.engines.pathwise import gamma
from mdnn_verify.maths.tanh_networks import TanhNetworks


def networks(n=50, h=4, k=3, o=2, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    parts = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((n, h, k), (n, h), (n, o, h))]
    z, y = (torch.randn((n, size), generator=generator, dtype=torch.float64) for size in (k, o))
    return TanhNetworks(*(part.to(dtype) for part in parts)), z.to(dtype), y.to(dtype)


def test_pull_back_is_the_vector_jacobian_product_of_autograd() -> None:
    f, z, y = networks()
    _, pull = torch.func.vjp(f, z)
    assert torch.allclose(f.pull_back(z, y), pull(y)[0], rtol=1e-12, atol=1e-12)


def test_other_output_weights() -> None:
    f, z, _ = networks()
    assert torch.allclose(f(z, 2 * f.outer), 2 * f(z))
    assert torch.equal(f(z), f(z, f.outer))


def test_float32_stays_within_the_bound_and_uses_some_of_it() -> None:
    f, z, y = networks(n=2000)
    coarse, z32, y32 = networks(n=2000, dtype=torch.float32)
    f = TanhNetworks(*(part.double() for part in (coarse.inner, coarse.bias, coarse.outer)))
    z, y = z32.double(), y32.double()
    error = (coarse.pull_back(z32, y32 - coarse(z32)).double() - f.pull_back(z, y - f(z))).abs().amax(1)
    ratio = error / (gamma(8 * 9, torch.float32) * f.magnitude(z.abs(), y.abs()))
    assert 1e-5 < float(ratio.max()) < 1


def test_shapes_that_do_not_fit_are_refused() -> None:
    one = torch.ones
    with pytest.raises(ValueError, match=r"expected \(N, h, k\)"):
        TanhNetworks(one(5, 4, 3), one(5, 3), one(5, 2, 4))
    with pytest.raises(ValueError, match=r"expected \(N, h, k\)"):
        TanhNetworks(one(5, 4, 3), one(5, 4), one(5, 4, 2))
