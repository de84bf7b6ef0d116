"""The contracts of both gradient estimates, and what they hand over: laws, integrands, derivatives by complex steps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from mdnn_verify.contract import Terms
from mdnn_verify.contracts.variational import _complex_step as exact
from mdnn_verify.contracts.variational.log_derivative_gradient import contract
from mdnn_verify.maths import log_densities
from mdnn_verify.maths.integrands import ROUGH, SMOOTH
from mdnn_verify.maths.log_densities import OUTCOMES, every_sample, nearly_every_sample

CONTRACTS = ("variational/log_derivative_gradient", "variational/reparameterization_gradient")
SCORE, PATH = CONTRACTS
LAWS = [getattr(log_densities, name) for name in
        ("bernoulli", "categorical", "three_points", "gaussian", "laplace", "mixture", "exponential")]  # fmt: skip


def test_wrong_ones_are_refuted_by_what_can_be_pasted(wrong) -> None:
    judgement = wrong.judged()
    assert judgement.finding is not None
    assert not wrong.reproducible or wrong.shows_a_discrepancy(judgement), judgement.finding


def test_right_ones_are_verified(right) -> None:
    judgement = right.judged()
    assert judgement.complete
    assert judgement.finding is None, judgement.finding


def test_right_ones_are_verified_in_single_precision(single) -> None:
    judgement = single.judged(dtype=torch.float32)
    assert judgement.complete
    assert judgement.finding is None, judgement.finding


def points(log_q, n: int, k: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(n + 7 * k)
    if log_q in OUTCOMES:
        own = torch.tensor(OUTCOMES[log_q](k), dtype=torch.float64)
        return own[torch.randint(len(own), (n,), generator=rng)]
    return torch.randn((n, k), generator=rng, dtype=torch.float64).abs() + 0.1


@pytest.mark.parametrize("log_q", LAWS)
def test_laws_are_normalised(log_q) -> None:
    for phi in (torch.tensor([0.7]), torch.tensor([-0.3, 1.2, 0.4])):
        phi = phi.double()
        if log_q in OUTCOMES:
            for k in (1, 2, 4):
                assert math.fsum(
                    chance for _, chance in every_sample(log_q, points(log_q, 2, k), phi)
                ) == pytest.approx(1)
            continue
        low = 0.0 if log_q is log_densities.exponential else -30.0
        total = quad(lambda z, phi=phi: float(log_q(torch.tensor([[z]]).double(), phi).exp()), low, 90.0, limit=500)[0]
        assert total == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("log_q", LAWS)
def test_complex_steps_agree_with_autograd(log_q) -> None:
    """Written twice, differentiated in two ways; and every law can be called under torch.func, row by row."""
    for k, p in ((1, 1), (2, 3), (5, 6)):
        z, phi = points(log_q, 4, k), torch.linspace(-0.9, 1.1, p, dtype=torch.float64)
        values, scores = exact.density(log_q, z, phi)
        by_row = torch.func.vmap(torch.func.grad(lambda v, row: log_q(row[None], v)[0]), (None, 0))(phi, z)
        np.testing.assert_allclose(values, log_q(z, phi).numpy(), atol=1e-12)
        np.testing.assert_allclose(scores, by_row.numpy(), atol=1e-12)


@pytest.mark.parametrize("f", [*ROUGH, *SMOOTH])
def test_integrands_work_row_by_row(f) -> None:
    z = points(log_densities.gaussian, 5, 3)
    assert f(z).shape == (5,)
    assert torch.equal(torch.func.vmap(f)(z), f(z))
    assert f(z.float()).dtype == torch.float32
    if f in SMOOTH:
        by_row = torch.func.vmap(torch.func.grad(f))(z)
        np.testing.assert_allclose(exact.slopes(f, z.numpy()), by_row.numpy(), atol=1e-12)
        np.testing.assert_allclose(exact.values(f, z.numpy()), f(z).numpy(), atol=1e-12)


def test_nearly_every_sample_is_nearly_everything() -> None:
    z, phi = torch.zeros((9, 1), dtype=torch.float64), torch.tensor([-14.0], dtype=torch.float64)
    chances = [chance for _, chance in nearly_every_sample(log_densities.bernoulli, z, phi)]
    assert len(chances) == 10
    assert 1 - math.fsum(chances) == pytest.approx(36 * 8.3e-7**2, rel=0.01)


def averaged(log_q, weights, z, phi):
    own = phi.detach().clone().requires_grad_()
    return torch.autograd.grad((weights.detach() * log_q(z, own)).mean(), own)[0]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 33, 64])
def test_a_bias_at_one_number_of_draws_only_is_found(judged, n: int) -> None:
    """Leave-one-out, except for N = n, where the own draw is not left out: off by the factor 1 - 1/n."""

    def estimate(log_q, f, z, phi):
        signal = f(z)
        others = (signal.sum() - signal) / max(len(z) - 1, 1)
        return averaged(log_q, signal - (signal.mean() if len(z) == n else others), z, phi)

    finding = judged(SCORE, estimate).finding
    assert finding is not None
    assert len(finding.arguments["z"]) == n


def test_one_draw_excuses_only_who_leaves_it_out() -> None:
    arguments = next(iter(contract.smallest(Terms()))).arguments  # type: ignore[misc]
    from mdnn_verify.checking.subject import Subject

    def plain(log_q, f, z, phi):
        return averaged(log_q, f(z), z, phi)

    def others(log_q, f, z, phi):
        return averaged(log_q, f(z) - (f(z).sum() - f(z)) / (len(z) - 1), z, phi)

    assert contract.excused is not None
    assert not contract.excused(Subject(plain, contract, Terms()), arguments)
    assert contract.excused(Subject(others, contract, Terms()), arguments)


@pytest.mark.parametrize("factor", [1.005, 0.995, 1 + 1e-6])
def test_a_wrong_factor_is_found_in_each_output(judged, factor: float) -> None:
    def gradients(f, mu, log_sigma, eps):
        mu, log_sigma = (value.detach().clone().requires_grad_() for value in (mu, log_sigma))
        return torch.autograd.grad(f(mu + log_sigma.exp() * eps).mean(), (mu, log_sigma))

    def scaled(index: int):
        def gradient(f, mu, log_sigma, eps):
            found = list(gradients(f, mu, log_sigma, eps))
            found[index] = factor * found[index]
            return found

        return gradient

    for index in (0, 1):
        finding = judged(PATH, scaled(index)).finding
        assert finding is not None
        assert ("d_mu", "d_log_sigma")[index] in finding.reason
