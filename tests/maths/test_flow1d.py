"""The flow against its definition, its derivative, its range, and an inverse that inverts or refuses."""

from __future__ import annotations

import math

import flint
import pytest
import torch
from scipy.stats import norm

from mdnn_verify.maths.flow1d import components_in_balls, flow1d, flow1d_edge, flow1d_inverse, flow1d_mass

PARAMETERS = [
    ([0.0], [0.0], [0.0]),
    ([0.3, -1.0, 0.5], [-1.0, 0.2, 1.5], [-1.4, -1.4, -1.4]),
    ([2.0, -3.0], [-50.0, 50.0], [-3.0, 1.0]),  # nearly flat in between
    ([-5.0] * 5, [0.0, 0.1, 0.2, 0.3, 0.4], [0.0, -4.0, 2.0, -1.0, 1.0]),
]


@pytest.mark.parametrize(("w", "mu", "tau"), PARAMETERS)
def test_definition_written_out(w, mu, tau) -> None:
    x = torch.linspace(-60, 60, 41, dtype=torch.float64)
    z, slope = flow1d(x, w, mu, tau)
    rows = list(zip(w, mu, tau, strict=True))
    for point, got, rise in zip(x.tolist(), z.tolist(), slope.tolist(), strict=True):
        expected = sum(math.exp(a) * (norm.cdf(point, m, math.exp(t)) - 0.5) for a, m, t in rows)
        density = sum(math.exp(a) * norm.pdf(point, m, math.exp(t)) for a, m, t in rows)
        assert got == pytest.approx(expected, abs=1e-14 * sum(map(math.exp, w)))
        assert rise == pytest.approx(density, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(("w", "mu", "tau"), PARAMETERS)
def test_inverse_undoes_the_flow_up_to_its_conditioning(w, mu, tau) -> None:
    edge = flow1d_edge(w)
    z = edge * torch.tensor([-1 + 2**-50, -0.999, -0.5, 0.0, 1e-9, 0.3, 0.999999, 1 - 2**-50], dtype=torch.float64)
    x = flow1d_inverse(z, w, mu, tau)
    assert (x.diff() >= 0).all()
    value, slope = flow1d(x, w, mu, tau)
    bound = 8 * len(w) * 2.0**-52 * (2 * edge + slope * x.abs())
    assert ((value - z).abs() <= bound).all()


@pytest.mark.parametrize("z", [0.5, -0.5, 0.7, math.inf, math.nan])
def test_what_has_no_preimage_is_refused_and_never_clamped(z: float) -> None:
    with pytest.raises(ValueError, match="no preimage"):
        flow1d_inverse(torch.tensor([0.0, z], dtype=torch.float64), [0.0], [0.0], [0.0])


def test_mass_is_the_probability_of_the_range() -> None:
    assert flow1d_edge([0.0, 0.0]) == 1.0
    assert flow1d_mass([0.0, 0.0]) == pytest.approx(norm.cdf(1) - norm.cdf(-1), abs=1e-15)


def test_shapes_are_kept_and_gradients_flow() -> None:
    x = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    z, slope = flow1d(x, *PARAMETERS[1])
    assert z.shape == slope.shape == (2, 3)
    (gradient,) = torch.autograd.grad(z.sum(), x)
    assert torch.allclose(gradient, slope, rtol=1e-14)
    assert flow1d_inverse(z.detach(), *PARAMETERS[1]).shape == (2, 3)


@pytest.mark.parametrize(
    ("w", "mu", "tau", "named"),
    [([], [], [], "w"), ([0.0], [0.0, 1.0], [0.0], "mu"), ([0.0], [0.0], [math.nan], "tau")],
)
def test_refusals_name_the_parameter(w, mu, tau, named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}"):
        flow1d(torch.zeros(1, dtype=torch.float64), w, mu, tau)


def test_components_in_balls_are_those_of_scipy() -> None:
    for point in (-3.0, 0.25, 2.0):
        ((w, Phi, density, sigma),) = components_in_balls([(0.5, 1.0, -0.5)], flint.arb(point))
        assert float(w) == 0.5
        assert float(sigma) == pytest.approx(math.exp(-0.5), rel=1e-15)
        assert float(Phi) == pytest.approx(norm.cdf(point, 1.0, math.exp(-0.5)), rel=1e-13)
        assert float(density) == pytest.approx(norm.pdf(point, 1.0, math.exp(-0.5)), rel=1e-13)
