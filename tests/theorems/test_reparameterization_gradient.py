"""Gradients by reparameterisation: errors of constants, signs and chain factors are caught, also small ones."""

from __future__ import annotations

import math

import pytest
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.gaussian_vae import ESTIMATORS, divergence, log_likelihood

THEOREM = load(catalogue()["variational/reparameterization_gradient"])
MODULE = THEOREM.check("sine_decoder").function.__globals__
GRADIENTS = ["gradient_at_every_epsilon", "estimators_are_unbiased", "sine_decoder", "autograd_never_disagrees"]


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


def replaced(index, claim):
    return (*ESTIMATORS[:index], claim, *ESTIMATORS[index + 1 :])


WRONG = {
    "no prior in mu": (0, lambda g, e, v, mu, s, l1, l2, ops: g / v),
    "no epsilon in s": (1, lambda g, e, v, mu, s, l1, l2, ops: g / (2 * v * ops.sqrt(s)) - (1 / l2 - 1 / s) / 2),
    "s for its root": (1, lambda g, e, v, mu, s, l1, l2, ops: g * e / (2 * v * s) - (1 / l2 - 1 / s) / 2),
    "no 1/2 in s": (1, lambda g, e, v, mu, s, l1, l2, ops: g * e / (v * ops.sqrt(s)) - (1 / l2 - 1 / s) / 2),
    "not divided by sigma^2": (2, lambda g, v: g),
    "lambda_2 without s": (4, lambda mu, s, l1, l2: ((mu - l1) ** 2 / l2 - 1) / (2 * l2)),
    "lambda_1 with the other sign": (3, lambda mu, s, l1, l2: (l1 - mu) / l2),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_estimators_are_refuted(wrong) -> None:
    for name in GRADIENTS:
        assert verdict(name, estimators=replaced(*wrong)).refuted, name


@pytest.mark.parametrize("index", range(5))
def test_a_millionth_too_much_is_refuted(index: int) -> None:
    def more(*arguments):
        return ESTIMATORS[index](*arguments) * 1000001 / 1000000

    for name in GRADIENTS:
        assert verdict(name, estimators=replaced(index, more)).refuted, name


@pytest.mark.parametrize("index", range(3))
def test_one_too_much_is_refuted_by_simulation(index: int) -> None:
    """The scale is a draw's standard deviation, which is at most 20 here."""

    def more(*arguments):
        return ESTIMATORS[index](*arguments) + 1

    assert verdict("estimators_simulated", estimators=replaced(index, more)).refuted


@pytest.mark.parametrize("off", [0.02, -0.02])
def test_a_bound_off_by_a_constant_is_refuted_by_simulation(off: float) -> None:
    def shifted(square, v, n, ops):
        return log_likelihood(square, v, n, ops) + off

    assert verdict("bound_simulated", first_term=shifted).refuted


def test_a_divergence_without_its_minus_one_changes_no_gradient_but_the_bound() -> None:
    def longer(mu, s, l1, l2, ops):
        return divergence(mu, s, l1, l2, ops) + (mu - mu + 1) / 2

    assert verdict("sine_decoder", second_term=longer).agrees
    assert verdict("second_term_is_the_divergence", second_term=longer).refuted
    assert verdict("bound_simulated", second_term=longer).refuted


def test_closed_form_of_the_sine_decoder_by_simulation() -> None:
    x, theta, mu, s = 0.5, 1.5, 0.3, 0.8
    noise = torch.randn(2_000_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    simulated = ((x - torch.sin(theta * (mu + math.sqrt(s) * noise))) ** 2).mean()
    exact = MODULE["sine_square"](*map(MODULE["flint"].arb, (x, theta, mu, s)))
    assert float(exact) == pytest.approx(float(simulated), abs=5e-3)


def test_stated_variances_are_the_simulated_ones() -> None:
    claims = THEOREM.check("estimators_simulated").function(
        THEOREM.given["latent"], THEOREM.given["estimators"], THEOREM.given["model"]
    )
    for name, claim in claims.items():
        drawn = claim.draw(Stream(name, 0), 400_000)
        assert float(drawn.var()) == pytest.approx(claim.variance_bound, rel=0.1), name
