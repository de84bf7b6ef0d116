"""A flow's density integrates to 1, pixels and logit included; forgotten factors are caught by the same integral."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from mdnn_verify.anomaly import density_check, preprocessing
from mdnn_verify.anomaly.density_check import _reach, mass, planar
from mdnn_verify.anomaly.flow import Recipe
from mdnn_verify.anomaly.preprocessing import LogitPixels
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.errors import UsageError
from mdnn_verify.maths import coupling

ARCHITECTURE = Recipe().model(784, 256, seed=0).architecture


@pytest.mark.parametrize("levels", [2, 17, 256])
@pytest.mark.parametrize("margin", [1e-6, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_mass_is_one(levels: int, margin: float, seed: int) -> None:
    flow = planar(replace(ARCHITECTURE, levels=levels, margin=margin), seed)
    result = mass(flow)
    assert result.is_one
    assert result.bound < 1e-8


def test_the_planar_flow_is_no_trivial_one() -> None:
    flow = planar(ARCHITECTURE)
    x = torch.tensor([[3.5, 200.5], [127.5, 64.5]], dtype=torch.float64)
    v, _ = flow.pixels.forward(x)
    z, _ = flow.latent(x)
    assert (z - v[..., flow.order]).abs().max() > 0.3
    assert max(float(layer(v)[1].abs().max()) for layer in flow.coupling_layers()) > 0.1


def forward(without: str):
    """``LogitPixels.forward`` with a factor forgotten."""

    def planted(self: LogitPixels, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        v, log_det = unharmed(self, x)
        n = x.shape[-1]
        slope = (1 - 2 * self.margin) / self.levels
        w = self.margin + slope * x
        forgotten = {
            "nothing": 0.0,
            "log-determinant of the logit": log_det,
            "derivative of logit": -(w.log() + torch.log1p(-w)).sum(-1),
            "1 - 2a": n * math.log(1 - 2 * self.margin),
            "levels": -n * math.log(self.levels),
            "one pixel's levels": -math.log(self.levels),
        }
        return v, log_det - forgotten[without]

    return planted


unharmed = preprocessing.LogitPixels.forward
FORGOTTEN = ["log-determinant of the logit", "derivative of logit", "1 - 2a", "levels", "one pixel's levels"]


def test_the_unharmed_copy_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocessing.LogitPixels, "forward", forward("nothing"))
    assert mass(planar(ARCHITECTURE)).is_one


@pytest.mark.parametrize("levels", [17, 256])
@pytest.mark.parametrize("forgotten", FORGOTTEN)
def test_forgotten_factors_are_caught(monkeypatch: pytest.MonkeyPatch, forgotten: str, levels: int) -> None:
    monkeypatch.setattr(preprocessing.LogitPixels, "forward", forward(forgotten))
    assert not mass(planar(replace(ARCHITECTURE, levels=levels))).is_one


@pytest.mark.parametrize(
    "log_det",
    [lambda s: -s.sum(-1), lambda s: 0 * s.sum(-1), lambda s: s.sum(-1) + 1e-9],
    ids=["sign", "none", "offset"],
)
def test_faults_of_the_layers_are_caught(monkeypatch: pytest.MonkeyPatch, log_det) -> None:
    def couple(x, partition, networks):
        x_inside, x_outside = partition.split(x)
        scale, shift = networks(x_inside)
        return partition.join(x_inside, scale.exp() * x_outside + shift), log_det(scale)

    monkeypatch.setattr(coupling, "couple", couple)
    assert not mass(planar(ARCHITECTURE)).is_one


def test_a_base_that_is_not_normalised_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = planar(ARCHITECTURE)
    own = flow.log_density
    monkeypatch.setattr(flow, "log_density", lambda x: own(x) + math.log(2 * math.pi) / 2)
    assert not mass(flow).is_one


def test_too_coarse_a_grid_says_so() -> None:
    assert not mass(planar(ARCHITECTURE), nodes=5).is_one


def test_the_square_holds_what_the_base_holds() -> None:
    """The border's image is enclosed: samples of the base within its square never leave the domain's square."""
    for seed in range(3):
        flow = planar(ARCHITECTURE, seed)
        z = Stream("square", seed).uniform((100_000, 2), -6.5, 6.5)
        for layer in reversed(flow.coupling_layers()):
            z = layer.inverse(z)
        reach = float(z.abs().max())
        assert reach <= _reach(flow) <= 1.2 * reach


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="two pixels"):
        mass(Recipe(layers=2).model(4, 17, seed=0).double())
    with pytest.raises(UsageError, match="float64"):
        mass(planar(ARCHITECTURE).float())
    with pytest.raises(UsageError, match="nodes = 10"):
        mass(planar(ARCHITECTURE), nodes=10)
    wild = planar(ARCHITECTURE)
    with torch.no_grad():
        for parameter in wild.parameters():
            parameter.mul_(10)
    with pytest.raises(UsageError, match="extends"):
        mass(wild)
    monkeypatch.setattr(density_check, "FARTHEST", 6.0)
    with pytest.raises(UsageError, match="none of 20"):
        planar(ARCHITECTURE)


def test_every_seed_has_a_planar_flow() -> None:
    assert all(mass(planar(ARCHITECTURE, seed)).is_one for seed in range(20))


def test_logit_of_pixels() -> None:
    """Its log-determinant is that of its derivative by autograd."""
    pixels = LogitPixels(levels=256, margin=0.05)
    x = torch.tensor([[0.0], [100.25], [256.0]], dtype=torch.float64, requires_grad=True)
    v, log_det = pixels.forward(x)
    (slope,) = torch.autograd.grad(v.sum(), x)
    assert torch.allclose(log_det, slope.log().squeeze(1), rtol=1e-14, atol=0)
    assert torch.allclose(pixels.inverse(v), x, rtol=1e-13, atol=1e-12)
    assert float(v[0].detach()) == pytest.approx(math.log(0.05 / 0.95))


def test_every_level_survives_dequantisation() -> None:
    for levels in (2, 17, 256):
        pixels, image = LogitPixels(levels, 0.05), torch.arange(levels, dtype=torch.uint8).unsqueeze(0)
        for u in (0.001, 0.5, 0.999):
            v, _ = pixels.forward((image + u).double())
            assert torch.equal(pixels.quantised(pixels.inverse(v)), image)
        beyond = torch.tensor([-3.0, levels + 5.0])
        assert pixels.quantised(beyond).tolist() == [0, levels - 1]


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"levels": 1}, "levels"), ({"levels": 257}, "levels"), ({"margin": 0.0}, "margin"), ({"margin": 0.5}, "margin")],
)
def test_refused_preprocessing(changes: dict, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        LogitPixels(**{"levels": 17, "margin": 0.05, **changes})
    with pytest.raises(UsageError, match=named):
        replace(ARCHITECTURE, **changes)
