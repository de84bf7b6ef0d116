"""The contracts of the importance-weighted bound: its value, and both inequalities as identities."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch

from mdnn_verify.checking.registry import contract_of
from mdnn_verify.contract import Terms
from mdnn_verify.contracts.variational._bound import exact, rounding

CONTRACTS = ("variational/iwae_lower_bound", "variational/iwae_monotone")
TERMS = Terms()


def test_wrong_ones_are_refuted_by_what_can_be_pasted(wrong) -> None:
    judgement = wrong.judged()
    assert judgement.finding is not None
    assert not wrong.reproducible or wrong.shows_a_discrepancy(judgement), judgement.finding


def test_right_ones_are_verified(right) -> None:
    judgement = right.judged()
    assert judgement.complete
    assert judgement.finding is None, judgement.finding


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(3))
def test_right_ones_are_verified_in_single_precision(right, seed: int) -> None:
    assert right.judged(seed, torch.float32).finding is None


def right(log_w):
    return log_w.logsumexp(-1) - math.log(log_w.shape[-1])


@pytest.mark.parametrize("identifier", CONTRACTS)
def test_single_precision(judged, identifier: str) -> None:
    judgement = judged(identifier, right, dtype=torch.float32)
    assert judgement.complete
    assert judgement.finding is None, judgement.finding
    assert judged(identifier, lambda log_w: right(log_w) + 1e-3, dtype=torch.float32).finding is not None


@pytest.mark.parametrize("identifier", CONTRACTS)
def test_only_the_identity_refutes(judged, identifier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each theorem's own law alone refutes a bound that lacks log(1/K), and accepts the right one."""
    contract = contract_of(identifier)
    monkeypatch.setattr(contract, "laws", contract.laws[-1:])
    assert judged(identifier, right).finding is None
    assert judged(identifier, lambda log_w: log_w.logsumexp(-1)).finding is not None
    assert judged(identifier, lambda log_w: log_w.logsumexp(-1) - 2 * math.log(log_w.shape[-1])).finding is not None


def test_every_leading_shape_is_tried() -> None:
    for identifier in CONTRACTS:
        shapes = {tuple(one.arguments["log_w"].shape[:-1]) for one in contract_of(identifier).smallest(TERMS)}
        assert {(), (1,), (3,), (1, 1), (2, 3), (3, 2), (2, 3, 2)} <= shapes
        assert all(float(one.arguments["log_w"].abs().max()) <= 1e4 for one in contract_of(identifier).smallest(TERMS))


def test_exact_value_and_rounding() -> None:
    log_w = torch.tensor([[-1e4, -9999.5, -1e4], [3.0, 1e4, 0.1]]).double()
    with mpmath.workdps(9000):
        for row, value, bound in zip(log_w.tolist(), exact(log_w), rounding(log_w, TERMS), strict=True):
            truth = float(mpmath.log(mpmath.fsum(mpmath.exp(entry) for entry in row) / 3))
            assert abs(float(value) - truth) <= 2.0**-50 * abs(truth)
            assert 1e-15 * abs(truth) < float(bound) < 1e-10 * abs(truth)
