"""The arithmetic of the e-processes, against enumeration, exact rationals and known counterexamples."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import flint
import numpy as np
import pytest
import torch

from mdnn_verify.engines.montecarlo.bets import QUARTIC, BoundedBets, CatoniBets, CGFBets, centred, phi

STAKES = np.array([0.1, 0.3, 1.0])


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def expected_wealth(
    bets, values: list[float], probabilities: list[float], offset: float, side: int, n: int = 5
) -> float:
    """E of the e-value after five draws, by enumeration of all samples."""
    n, total = 5, 0.0
    for sample in itertools.product(range(len(values)), repeat=n):
        summary = bets.summary(tensor(*(values[i] for i in sample)))
        total += math.prod(probabilities[i] for i in sample) * math.exp(bets.log_e(summary, offset, side))
    return total


def quartic_gap(y: Fraction, c: float) -> flint.arb:
    """log(1 + y) less its lower bound, enclosed with 200 bits."""
    with flint.ctx.workprec(200):
        exact = flint.arb(flint.fmpq(y.numerator, y.denominator))
        return (1 + exact).log() - (exact - exact**2 / 2 + exact**3 / 3 - flint.arb(c) * exact**4)


def test_quartic_bound_lies_below_the_logarithm() -> None:
    """The gap's derivative is y^3 (4 c - 1/(1 + y)): one sign change below 0, so the ends decide; and 10,000 points."""
    assert quartic_gap(Fraction(-1, 2), QUARTIC) > 0
    assert all(quartic_gap(Fraction(k, 10_000), QUARTIC) > 0 for k in range(-5000, 5001) if k)


def test_quartic_constant_is_the_least_that_works() -> None:
    assert quartic_gap(Fraction(-1, 2), 0.42368) < 0


@pytest.mark.parametrize("side", [+1, -1])
@pytest.mark.parametrize("p", [0.01, 0.3, 0.5, 0.9])
def test_bounded_wealth_does_not_grow_in_a_fair_game(p: float, side: int) -> None:
    bets = BoundedBets(0.4, STAKES, 0, 1)
    fair = expected_wealth(bets, [0.0, 1.0], [1 - p, p], offset=p - 0.4, side=side)
    assert 0.9 < fair <= 1
    composite = expected_wealth(bets, [0.0, 1.0], [1 - p, p], offset=p - 0.4 + side * 0.05, side=side)
    assert composite < 1


@pytest.mark.parametrize("side", [+1, -1])
def test_bounded_wealth_grows_against_a_false_claim(side: int) -> None:
    """The planted falsehood: the mean is 0.5, claimed 0.5 - side * 0.3."""
    bets = BoundedBets(0.5, np.array([1.0]), 0, 1)
    assert expected_wealth(bets, [0.0, 1.0], [0.5, 0.5], offset=-side * 0.3, side=side) > 1.1


@pytest.mark.parametrize("side", [+1, -1])
@pytest.mark.parametrize("values", [[-1.0, 1.0], [-0.1, 10.0], [-30.0, 0.1]], ids=str)
def test_catoni_wealth_does_not_grow_in_a_fair_game(values: list[float], side: int) -> None:
    low, high = values
    p = -low / (high - low)
    variance = -low * high
    bets = CatoniBets(0.0, STAKES, variance, np.array([0.0]))
    assert 0.05 < expected_wealth(bets, values, [1 - p, p], offset=0.0, side=side) <= 1


def test_catoni_wealth_grows_when_the_variance_is_understated() -> None:
    """The known counterexample: with a tenth of the variance the game is no longer fair, whatever the mean."""
    bets = CatoniBets(0.0, np.array([1.0]), 0.1, np.array([0.0]))
    assert expected_wealth(bets, [-1.0, 1.0], [0.5, 0.5], offset=0.0, side=+1) > 2


@pytest.mark.parametrize("side", [+1, -1])
@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_known_cgf_wealth_is_a_fair_game(side: int, shift: float) -> None:
    """Bernoulli(0.3) and its exact cumulant generating function; the law may be shifted, and wealth hardly loses."""
    bets = CGFBets(0.3 + shift, STAKES, lambda t: math.log(0.7 + 0.3 * math.exp(t)))
    assert 0.999 < expected_wealth(bets, [shift, 1 + shift], [0.7, 0.3], offset=0.0, side=side) <= 1


def test_known_cgf_infinite_at_a_stake_bets_nothing() -> None:
    bets = CGFBets(1.0, np.array([0.5, 2.0]), lambda t: -math.log1p(-t) if t < 1 else math.inf)
    summary = bets.summary(tensor(*[1.4] * 1000))
    alone = CGFBets(1.0, np.array([0.5]), bets.cgf).log_e(summary, 0.0, +1)
    assert float(bets.log_e(summary, 0.0, +1)) == pytest.approx(float(alone) - math.log(2), abs=1e-6)


@pytest.mark.parametrize("t", [-2.0, -1e-3, 1e-3, 0.5])
def test_centring_is_an_upper_bound_and_close(t: float) -> None:
    """Exponential law: psi(t) = -log(1 - t), slope 1 at 0."""
    exact = float(-flint.arb(1 - flint.arb(t)).log() - t)
    value = centred(lambda s: -math.log1p(-s), t)
    assert exact - 1e-15 <= value <= exact * 1.001 + 1e-15


def test_phi_is_odd_increasing_and_1_lipschitz() -> None:
    y = torch.linspace(-50, 50, 200_001, dtype=torch.float64)
    values, step = phi(y), 100 / 200_000
    assert torch.equal(phi(-y), -values)
    assert bool((values.diff() > 0).all())
    assert float(values.diff().max()) <= step * (1 + 1e-9)


@pytest.mark.parametrize("side", [+1, -1])
def test_catoni_between_nodes_is_bounded_below(side: int) -> None:
    draws = tensor(*np.random.default_rng(0).standard_t(3, 500))
    bets = CatoniBets(0.2, STAKES, 3.0, np.array([-1.0, 0.0, 2.0]))
    summary = bets.summary(draws)
    for offset in np.linspace(-3, 4, 29):
        exact = [
            float(side * phi(s * (draws - 0.2 - offset)).sum()) - 500 * s**2 * 3.0 / 2 for s in bets.stakes.tolist()
        ]
        kept = bets.log_each(summary, np.asarray(offset), side)
        assert (kept <= np.array(exact) + 1e-9).all()
        if offset in bets.nodes:
            assert kept == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("side", [+1, -1])
@pytest.mark.parametrize("offset", [-300.0, 0.0, 10.0, 1500.0])
@pytest.mark.parametrize("stake", [1e-6, 1e-4, 1.0])
def test_bounded_log_wealth_is_below_the_product(offset: float, stake: float, side: int) -> None:
    """Power sums and the binomial formula never claim more than the product; small stakes lose nothing."""
    draws = np.random.default_rng(1).random(4096) * 1e3
    bets = BoundedBets(300.0, np.array([stake]), 0, 1e3)
    used = side * min(stake, float(bets.largest_stake(np.asarray(offset))))
    product = math.fsum(math.log1p(used * (x - 300.0 - offset)) for x in draws)
    claimed = float(bets.log_e(bets.summary(torch.from_numpy(draws)), offset, side))
    assert claimed <= product
    assert stake > 1e-6 or claimed == pytest.approx(product, abs=1e-5)


def test_rounding_is_bounded_and_taken_off() -> None:
    """The four power sums in exact rationals: the e-value reported never exceeds the one without rounding."""
    draws = (np.random.default_rng(2).random(4096) - 0.5).tolist()
    bets = BoundedBets(0.1, np.array([0.05]), -0.5, 0.5)
    offset, stake = Fraction(0.003), Fraction(0.05)
    y = [stake * (Fraction(x) - Fraction(0.1) - offset) for x in draws]
    exact = sum(v - v**2 / 2 + v**3 / 3 - Fraction(QUARTIC) * v**4 for v in y)
    reported = Fraction(float(bets.log_e(bets.summary(tensor(*draws)), 0.003, +1)))
    assert reported < exact
    assert exact - reported < Fraction(1, 10**8)


@pytest.mark.parametrize(
    "bets",
    [
        BoundedBets(0.4, STAKES, 0, 1),
        CatoniBets(0.4, STAKES, 1.0, np.array([-0.1, 0.0, 0.1])),
        CGFBets(0.4, STAKES, lambda t: t**2 / 2),
    ],
    ids=["bounded", "Catoni", "known cgf"],
)
def test_summaries_add_up_and_keep_leading_axes(bets) -> None:
    draws = torch.from_numpy(np.random.default_rng(3).random((3, 240)))
    whole = bets.summary(draws)
    parts = bets.summary(draws[:, :100]) + bets.summary(draws[:, 100:])
    assert parts == pytest.approx(whole, rel=1e-12)
    assert bets.log_e(whole, 0.1, +1).shape == (3,)
    single = [float(bets.log_e(bets.summary(row), 0.1, -1)) for row in draws]
    assert bets.log_e(whole, 0.1, -1) == pytest.approx(single)
