"""Derivatives at small inputs of each size: a gradient that is wrong at ties is refuted whatever the seed, NaN is noted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from mdnn_verify.checking.subject import load

LSE = "softmax/log_sum_exp_limit"
GAUSSIANS = Path(__file__).parent.parent / "subjects" / "divergences" / "gaussian_kl.py"


@pytest.mark.parametrize("seed", [15, 0])
def test_a_gradient_that_is_wrong_at_ties_is_refuted(judged: Any, seed: int) -> None:
    def first_takes_all(x: torch.Tensor, beta: float) -> torch.Tensor:
        return x[0] + math.log(len(x)) / beta if bool((x == x[0]).all()) else torch.logsumexp(beta * x, 0) / beta

    assert "autograd" in judged(LSE, first_takes_all, seed).finding.law


def test_no_derivative_at_a_special_point_is_a_note(judged: Any) -> None:
    """Eigenvectors have none where eigenvalues are equal."""
    judgement = judged("divergences/gaussian_kl", load(f"{GAUSSIANS}:right_eigenvalues"))
    assert judgement.finding is None
    assert any("no number" in note for note in judgement.notes)
