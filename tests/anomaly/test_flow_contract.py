"""The theorem flows/coupling_log_det holds for the very layers that are trained; faults of the core are caught."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator

import pytest
import torch

from mdnn_verify.anomaly import embedded
from mdnn_verify.anomaly.base import Settings
from mdnn_verify.anomaly.flow import Flow, Recipe
from mdnn_verify.anomaly.flow_rounding import LIBM, networks_error
from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.autograd import jacobian, log_abs_det
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.engines.pathwise import Residual, gamma
from mdnn_verify.maths import coupling
from mdnn_verify.maths.coupling import CouplingLayer

RECIPE = Recipe(layers=6, hidden=24, epochs=3, least_steps=1)


@functools.cache
def trained() -> tuple[CouplingLayer, ...]:
    """The layers of a flow that was trained, in float64: the float32 weights are exact in it."""
    images, flow = embedded.load(), Flow(RECIPE)
    model = flow.fit(images, flow.split(images, 0), Settings(), lambda progress: None).model
    return tuple(copy.deepcopy(layer).double() for layer in model.coupling_layers())


def contract(layer: CouplingLayer, x: torch.Tensor) -> Iterator[Residual]:
    """What the theorem states, at each row of x (B, n), with rounding bounds."""
    n, inside, outside = x.shape[1], list(layer.partition.inside), list(layer.partition.outside)
    z, log_det = layer(x)
    for row, own, image in zip(x, log_det, z, strict=True):
        alone, own_alone = layer(row)
        scale, shift = layer.networks(row[inside])
        s_error, t_error = networks_error(layer, row[inside])
        J = jacobian(lambda y: layer(y)[0], row)
        summed = gamma(n) * float(scale.abs().sum())

        # first route: LU of the whole Jacobian
        value, bound = log_abs_det(J)
        yield Residual(float(own_alone), value, bound + (n + 1) * LIBM + summed)
        # second route: the block form [[I, 0], [*, diag exp s]], exact but for exp, and its diagonal
        block = J[:, [*inside, *outside]][[*inside, *outside]]
        k = len(inside)
        expected = torch.cat([torch.eye(k).double(), torch.zeros(k, n - k).double()], dim=1)
        yield Residual(block[:k], expected, 0.0)
        diagonal = block[k:, k:].diagonal()
        yield Residual(block[k:, k:] - diagonal.diag(), torch.zeros(n - k, n - k).double(), 0.0)
        yield Residual(diagonal, scale.exp(), 2 * LIBM * scale.exp())
        logs = diagonal.abs().log()
        yield Residual(
            float(own_alone), float(logs.sum()), summed + (n + 1) * LIBM + (gamma(n) + LIBM) * float(logs.abs().sum())
        )

        # alone or in a batch: the same up to the rounding of products whose terms come in another order
        yield Residual(float(own), float(own_alone), 2 * (float(s_error.sum()) + summed))
        z_error = (
            scale.exp() * row[outside].abs() * (1.1 * s_error + LIBM + gamma(2)) + t_error + gamma(2) * shift.abs()
        )
        yield Residual(image[outside], alone[outside], 2 * z_error)
        yield Residual(image[inside], row[inside], 0.0)
        # and back: s and t are bit for bit the same, so only exp, products and sums round
        back = layer.inverse(alone)
        lost = (LIBM + gamma(3)) * (2 * row[outside].abs() + 2 * torch.exp(-scale) * shift.abs())
        yield Residual(back[outside], row[outside], 2 * lost)
        yield Residual(back[inside], row[inside], 0.0)


def points(n: int, rows: int = 3) -> torch.Tensor:
    return 2 * Stream("points of the contract", 0).normal((rows, n))


def verdicts(layer: CouplingLayer, x: torch.Tensor) -> list:
    return [decide(claim, Context("contract")) for claim in contract(layer, x)]


@pytest.mark.parametrize("number", range(RECIPE.layers))
@pytest.mark.parametrize("rows", [1, 3])
def test_every_trained_layer_keeps_the_contract(number: int, rows: int) -> None:
    layer = trained()[number]
    assert float(layer(points(64))[1].abs().max()) > 0.1  # it has learnt something: log_det is not 0
    for verdict in verdicts(layer, points(64, rows)):
        assert verdict.agrees, verdict


def full_size() -> CouplingLayer:
    """784 pixels, hidden width 256, s up to its bound."""
    layer = Recipe(layers=1).model(784, 256, seed=0).coupling_layers()[0].double()
    with torch.no_grad():
        list(layer.conditioner.parameters())[2].copy_(0.1 * Stream("full size", 0).normal((784, 256)))
    return layer.requires_grad_(False)


def test_a_layer_of_full_size_keeps_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = full_size()
    for verdict in verdicts(layer, points(784, 1)):
        assert verdict.agrees, verdict
    monkeypatch.setattr(coupling, "couple", FAULTS["off by a billionth"])
    assert any(verdict.refuted for verdict in verdicts(layer, points(784, 1)))


def faulty(
    log_det=lambda scale, x_inside: scale.sum(-1), z=lambda scale, shift, x: torch.exp(scale) * x + shift, leak=0.0
):
    """``couple`` with a fault planted."""

    def couple(x, partition, networks):
        x_inside, x_outside = partition.split(x)
        scale, shift = networks(x_inside)
        shift = shift + leak * x_outside.roll(1, -1)
        return partition.join(x_inside, z(scale, shift, x_outside)), log_det(scale, x_inside)

    return couple


FAULTS = {
    "sum over O": faulty(log_det=lambda scale, x_inside: x_inside.sum(-1)),
    "one term missing": faulty(log_det=lambda scale, x_inside: scale[..., 1:].sum(-1)),
    "mean instead of sum": faulty(log_det=lambda scale, x_inside: scale.mean(-1)),
    "sign": faulty(log_det=lambda scale, x_inside: -scale.sum(-1)),
    "exp summed": faulty(log_det=lambda scale, x_inside: scale.exp().sum(-1)),
    "off by a billionth": faulty(log_det=lambda scale, x_inside: scale.sum(-1) * (1 + 1e-9)),
    "no exp": faulty(z=lambda scale, shift, x: scale * x + shift),
    "t reads x_Oc": faulty(leak=1e-6),
}


def test_the_unharmed_copy_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupling, "couple", faulty())
    assert all(verdict.agrees for verdict in verdicts(trained()[0], points(64)))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults_of_the_core_break_the_contract(monkeypatch: pytest.MonkeyPatch, fault) -> None:
    layer, x = trained()[0], points(64, 2)
    monkeypatch.setattr(coupling, "couple", fault)
    assert any(verdict.refuted for verdict in verdicts(layer, x))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_theorem_refutes_them_too(monkeypatch: pytest.MonkeyPatch, fault) -> None:
    """Theorem and training run the same ``couple``: what is planted there shows in both."""
    theorem = load(catalogue()["flows/coupling_log_det"])
    monkeypatch.setattr(coupling, "couple", fault)
    refuted = False
    for name in ("autograd_jacobian_has_the_claimed_determinant", "library_computes_the_stated_layer"):
        check = theorem.check(name)
        arguments = {p: Stream(name, 0) if p == "rng" else theorem.given[p] for p in check.parameters}
        refuted |= decide(check.function(**arguments), Context(name)).refuted
    assert refuted


def test_a_wrong_inverse_breaks_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(z, partition, networks):
        z_inside, z_outside = partition.split(z)
        scale, shift = networks(z_inside)
        return partition.join(z_inside, z_outside * torch.exp(-scale) - shift)

    monkeypatch.setattr(coupling, "uncouple", wrong)
    assert any(verdict.refuted for verdict in verdicts(trained()[0], points(64, 1)))
