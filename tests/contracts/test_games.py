"""The contract of solvers of zero-sum games: any optimal pair, to the tolerance of linear programming."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from mdnn_verify.contract import Terms
from mdnn_verify.contracts.games.rps_minimax_unique import accepted
from mdnn_verify.maths.games import solve

CONTRACTS = ("games/rps_minimax_unique",)


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


def minimax(payoff):
    found = solve(payoff)
    return found.row, found.column


def test_our_own_solver_is_verified(judged) -> None:
    judgement = judged(*CONTRACTS, minimax)
    assert judgement.complete
    assert judgement.finding is None, judgement.finding


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-5])
def test_what_play_converges_to_must_be_reached(judged, gap: float) -> None:
    """A share of uniform play costs as much as play that has not converged."""

    def nearly(payoff):
        return tuple((1 - gap) * part + gap / len(part) for part in minimax(payoff))

    assert judged(*CONTRACTS, nearly).finding is not None


def test_views_and_fractions_are_arrays_too(judged) -> None:
    def backwards(payoff):
        p, q = minimax(payoff[::-1, ::-1])
        return p[::-1], q[::-1]

    assert judged(*CONTRACTS, backwards).finding is None


def test_the_smallest_counterexample_of_wrong_signs(judged) -> None:
    def signs(payoff):
        p, q = minimax(-payoff)
        return p, q

    finding = judged(*CONTRACTS, signs).finding
    assert finding is not None
    assert finding.arguments["payoff"].tolist() == [[0.0, 1.0]]


def test_a_slow_solver_is_not_asked_for_large_games(judged) -> None:
    """One whose time grows exponentially is judged by the games that it can solve."""
    asked = []

    def slow(payoff):
        asked.append(payoff.shape)
        time.sleep(0.2 if sum(payoff.shape) >= 16 else 0)
        return minimax(payoff)

    assert judged(*CONTRACTS, slow).finding is None
    assert (8, 8) in asked
    assert (9, 9) not in asked


def test_the_accepted_gap() -> None:
    """Absolute for the solvers' tolerance, relative for rounding; half a percent of any range is above it."""
    for unit in (1e-3, 1.0, 1e4):
        assert accepted(unit * np.array([[0.0, 1.0], [1.0, 0.0]]), Terms()) < 5e-3 * unit
    assert accepted(np.array([[1.0]]), Terms()) >= 1e-6
