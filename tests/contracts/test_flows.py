"""The contracts of flows: affine coupling layers and the one-dimensional flow."""

from __future__ import annotations

import pytest
import torch

CONTRACTS = ("flows/coupling_log_det", "flows/flow1d_density")


def test_wrong_ones_are_refuted_by_what_can_be_pasted(wrong) -> None:
    judgement = wrong.judged()
    assert judgement.finding is not None
    assert not wrong.reproducible or wrong.shows_a_discrepancy(judgement), judgement.finding


def test_right_ones_are_verified(right) -> None:
    judgement = right.judged()
    assert judgement.complete
    assert judgement.finding is None, judgement.finding


@pytest.mark.campaign
def test_right_ones_are_verified_in_single_precision(right) -> None:
    assert right.judged(0, torch.float32).finding is None
