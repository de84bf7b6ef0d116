"""Sampled distribution functions: distances, bands and likelihood ratios against enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import binom, kstest

from mdnn_verify.engines.montecarlo import DrawError
from mdnn_verify.engines.montecarlo.steps import Steps, distance, dkw_radius, log_shifted, merged, share, steps_of


def three_atoms(x: torch.Tensor) -> torch.Tensor:
    return ((x.floor() + 1) / 3).clamp(0, 1)


def three_atoms_left(x: torch.Tensor) -> torch.Tensor:
    return (x.ceil() / 3).clamp(0, 1)


def sample(n: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 3, n)).double()


def test_ties_are_grouped() -> None:
    steps = steps_of(torch.tensor([2.0, 0.0, 2.0, 1.0, 0.0, 2.0]).double(), three_atoms, three_atoms_left)
    assert steps.values.tolist() == [0, 1, 2]
    assert steps.upto.tolist() == [2, 3, 6]
    assert steps.before.tolist() == [0, 2, 3]
    assert float(distance(steps)) == pytest.approx(2 / 3 - 1 / 2)


@pytest.mark.parametrize("draws", [sample(600), torch.from_numpy(np.random.default_rng(9).random(600))])
def test_merging_parts_is_sorting_the_whole(draws: torch.Tensor) -> None:
    def cdf(x: torch.Tensor) -> torch.Tensor:
        return x / 2

    whole = steps_of(draws, cdf, cdf)
    parts = merged([steps_of(part, cdf, cdf) for part in (draws[:1], draws[1:250], draws[250:])])
    assert parts.n == whole.n == 600
    for name in ("values", "upto", "before", "cdf", "cdf_left"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()


def test_parts_that_contradict_each_other_are_refused() -> None:
    falling = [
        steps_of(torch.tensor([x]).double(), lambda v, y=y: 0 * v + y, lambda v: 0 * v) for x, y in ((0, 0.6), (1, 0.4))
    ]
    with pytest.raises(DrawError, match="non-decreasing"):
        merged(falling)


def test_distance_is_right_at_jumps_where_a_continuous_test_is_wrong() -> None:
    draws = sample(3000)
    assert float(distance(steps_of(draws, three_atoms, three_atoms_left))) < 0.03
    naive = kstest(draws.numpy(), lambda x: three_atoms(torch.from_numpy(x)).numpy())
    assert naive.statistic > 0.3


def test_distance_is_the_supremum_over_a_fine_grid() -> None:
    """A law with a jump and a density: X = max(U, 1/2)."""
    draws = torch.from_numpy(np.random.default_rng(4).random(200)).clamp(min=0.5)

    def cdf(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x >= 0.5, x.clamp(max=1), 0.0)

    def left(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x > 0.5, x.clamp(max=1), 0.0)

    grid = torch.linspace(0, 1, 200_001, dtype=torch.float64)
    sampled = (torch.searchsorted(draws.sort().values, grid, right=True) / 200).double()
    brute = float((sampled - cdf(grid)).abs().max())
    assert float(distance(steps_of(draws, cdf, left))) == pytest.approx(brute, abs=2e-5)


def exceedance(n: int, probabilities: np.ndarray, radius: float) -> float:
    """P(sup |F_n - F| > radius) by enumeration of all counts of a law with atoms 0, 1, 2, ..."""
    total, cdf = 0.0, np.cumsum(probabilities)
    for counts in itertools.product(range(n + 1), repeat=len(probabilities)):
        if sum(counts) == n:
            chance = math.factorial(n) * math.prod(
                p**c / math.factorial(c) for p, c in zip(probabilities, counts, strict=True)
            )
            total += chance * (np.abs(np.cumsum(counts) / n - cdf).max() > radius)
    return total


@pytest.mark.parametrize("probabilities", [[0.5, 0.5], [0.3, 0.4, 0.3], [0.1, 0.2, 0.3, 0.4]], ids=str)
@pytest.mark.parametrize("alpha", [0.5, 0.2, 0.05, 0.01])
def test_band_leaves_out_no_more_than_alpha(probabilities: list[float], alpha: float) -> None:
    for n in (1, 2, 5, 12):
        assert exceedance(n, np.array(probabilities), dkw_radius(n, alpha)) <= alpha


def test_the_factor_two_in_the_band_is_needed() -> None:
    """One uniform draw: sup |F_1 - F| = max(U, 1 - U), above r with probability 2 (1 - r)"""
    alpha = 0.45
    assert 2 * (1 - dkw_radius(1, alpha)) <= alpha
    assert 2 * (1 - dkw_radius(1, 2 * alpha)) > alpha


def test_looks_spend_no_more_than_alpha() -> None:
    assert sum(share(0.01, look) for look in range(100_000)) < 0.01
    assert sum(share(0.01, look) for look in range(100_000)) > 0.00999


def single_point(n: int, count: int, claimed: float) -> Steps:
    """One atom at 0 and one at 1; ``count`` of n draws at 0."""
    column = np.array
    return Steps(
        n, column([0.0, 1.0]), column([count, n]), column([0, count]), column([claimed, 1.0]), column([0.0, claimed])
    )


@pytest.mark.parametrize(
    ("claimed", "true"), [(0.3, 0.4), (0.4, 0.3), (0.05, 0.15), (0.15, 0.05), (0.9, 1.0), (0.1, 0.0)]
)
def test_e_value_of_a_shifted_claim_is_a_fair_game(claimed: float, true: float) -> None:
    """Off by exactly delta at one point, the e-value there, and so the least of all, has mean at most 1."""
    n, delta = 30, 0.1
    which = 0 if true > claimed else 1
    values = [math.exp(min(float(log_shifted(single_point(n, k, claimed), delta)[which]), 700)) for k in range(n + 1)]
    assert float(np.dot(binom.pmf(np.arange(n + 1), n, true), values)) <= 1 + 1e-9


def test_e_value_grows_where_the_claim_is_right() -> None:
    steps = single_point(20_000, 6_000, 0.3)
    assert min(float(value) for value in log_shifted(steps, 0.02)) > 15


def test_least_e_value_is_the_least_over_all_points() -> None:
    """Brute force over a fine grid of points between the draws, from the definition, for both directions."""
    draws = torch.from_numpy(np.random.default_rng(6).random(40))
    steps, n, delta = steps_of(draws, torch.clone, torch.clone), 40, 0.2
    u = np.linspace(1e-6, 1 - 1e-6, 40_001)
    k = np.searchsorted(np.sort(draws.numpy()), u, side="right")
    for direction, least in zip((+1, -1), log_shifted(steps, delta), strict=True):
        p = u + direction * delta
        legal = (p > 0) & (p < 1)
        u_, p_, k_ = u[legal], p[legal], k[legal]
        brute = (k_ * np.log(u_ / p_) + (n - k_) * np.log((1 - u_) / (1 - p_))).min()
        assert float(least) <= brute + 1e-12
        assert float(least) == pytest.approx(brute, abs=0.01)


def test_exactly_one_minus_delta_is_no_impossible_claim() -> None:
    """Rounding must not turn F0 + delta = 1 into something that needs no refuting."""
    for delta in (0.1, 0.3, 0.01, 0.7):
        assert float(log_shifted(single_point(1000, 1000, 1 - delta), delta)[0]) < 0


@pytest.mark.parametrize(
    ("cdf", "left", "words"),
    [
        (lambda x: x + 1, torch.clone, r"cdf\(.*expected a number in \[0, 1\]"),
        (lambda x: x * torch.nan, torch.clone, r"cdf\(.*nan"),
        (torch.clone, lambda x: x[:-1], "cdf_left returned"),
        (lambda x: 0.5, torch.clone, "cdf returned float"),
        (lambda x: 1 - x, lambda x: 1 - x, "non-decreasing"),
        (torch.clone, torch.sqrt, "non-decreasing"),
    ],
)
def test_what_is_no_distribution_function_is_refused(cdf, left, words: str) -> None:
    with pytest.raises(DrawError, match=words):
        steps_of(torch.from_numpy(np.random.default_rng(0).random(50)), cdf, left)
