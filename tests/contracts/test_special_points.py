"""Derivatives at small inputs of each size: a gradient that is wrong at ties, or NaN, is refuted whatever the seed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from mdnn_verify.checking.subject import load

LSE = "softmax/log_sum_exp_limit"
GAUSSIANS = Path(__file__).parent.parent / "subjects" / "divergences" / "gaussian_kl.py"


def first_takes_all(x: torch.Tensor, beta: float) -> torch.Tensor:
    return x[0] + math.log(len(x)) / beta if bool((x == x[0]).all()) else torch.logsumexp(beta * x, 0) / beta


def none_at_ties(x: torch.Tensor, beta: float) -> torch.Tensor:
    spread = (x.tanh() - x.tanh().mean()).square().sum().sqrt() if len(x) > 1 else 0
    return torch.logsumexp(beta * x, 0) / beta + 0 * spread


@pytest.mark.parametrize("seed", [0, 3, 15])
@pytest.mark.parametrize(("subject", "observed"), [(first_takes_all, None), (none_at_ties, "nan")])
def test_a_gradient_that_is_wrong_at_ties_is_refuted(judged: Any, subject: Any, observed: str, seed: int) -> None:
    finding = judged(LSE, subject, seed).finding
    assert "autograd" in finding.law
    assert finding.observed == (observed or finding.observed)


@pytest.mark.parametrize("seed", [0, 3, 15])
@pytest.mark.parametrize("name", ["right_eigenvalues", "right_both_diagonal"])
def test_eigenvectors_need_no_derivative_where_eigenvalues_are_equal(judged: Any, name: str, seed: int) -> None:
    assert judged("divergences/gaussian_kl", load(f"{GAUSSIANS}:{name}"), seed).finding is None


def test_the_means_vary_where_eigenvalues_are_equal(judged: Any) -> None:
    def gradient_lost_at_the_identity(mu0: Any, cov0: Any, mu1: Any, cov1: Any) -> torch.Tensor:
        if len(mu0) > 1 and torch.equal(cov1, torch.eye(len(mu0), dtype=cov1.dtype)):
            mu0 = mu0.detach()
        shift = mu1 - mu0
        quadratic = shift @ torch.linalg.solve(cov1, shift)
        return 0.5 * (torch.linalg.solve(cov1, cov0).trace() + quadratic - len(mu0) + cov1.logdet() - cov0.logdet())

    finding = judged("divergences/gaussian_kl", gradient_lost_at_the_identity).finding
    assert "autograd" in finding.law
