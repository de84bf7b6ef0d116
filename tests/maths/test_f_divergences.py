"""f-divergences in balls against definitions written out, closed forms and their limits."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest
import sympy as sp
import torch

from mdnn_verify.engines.intervals import integral, precision
from mdnn_verify.maths.divergences import hellinger_in_balls, kl_in_balls, random_distribution
from mdnn_verify.maths.f_divergences import GENERATORS, Generator, f_divergence_in_balls, t

KL, REVERSE, PEARSON, HELLINGER, JS, TV, HOCKEY = GENERATORS


def tables(seed: int, zeros: float = 0.2):
    rng = np.random.default_rng(seed)
    cells = int(rng.integers(1, 20))
    return random_distribution(rng, cells, zeros=zeros), random_distribution(rng, cells)


@pytest.mark.parametrize("seed", range(10))
def test_known_divergences(seed: int) -> None:
    p, q = tables(seed)
    mixture = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    with precision(200):
        assert f_divergence_in_balls(KL, p, q).overlaps(kl_in_balls(p, q))
        assert f_divergence_in_balls(HELLINGER, p, q).overlaps(hellinger_in_balls(p, q))
        assert f_divergence_in_balls(JS, p, q).overlaps(kl_in_balls(p, mixture) + kl_in_balls(q, mixture))
        variation = sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2
        assert f_divergence_in_balls(TV, p, q).overlaps(
            flint.arb(flint.fmpq(variation.numerator, variation.denominator))
        )
        excess = sum(max(a - 2 * b, 0) for a, b in zip(p, q, strict=True))
        assert f_divergence_in_balls(HOCKEY, p, q).overlaps(flint.arb(flint.fmpq(*Fraction(excess).as_integer_ratio())))
        chi = sum((a - b) ** 2 / b for a, b in zip(p, q, strict=True))
        assert f_divergence_in_balls(PEARSON, p, q).overlaps(flint.arb(flint.fmpq(chi.numerator, chi.denominator)))


@pytest.mark.parametrize("f", GENERATORS, ids=lambda f: f.name)
def test_limits_are_those_of_the_formula(f: Generator) -> None:
    tiny, huge = flint.arb(2) ** -2000, flint.arb(2) ** 2000
    with precision(4200):
        for value, limit in ((f.in_balls(tiny), f.at_zero), (f.in_balls(huge) / huge, f.slope)):
            if limit == sp.oo:
                assert value > 1000
            else:
                assert abs(value - flint.arb(str(limit.evalf(50)))) < 1e-3
    assert f.at(sp.Integer(1)) == 0


@pytest.mark.parametrize("f", GENERATORS, ids=lambda f: f.name)
def test_floats_agree_with_balls(f: Generator) -> None:
    ratios = [0.01, 0.5, 1.0, 1.5, 2.0, 30.0]
    found = f.in_floats(torch.tensor(ratios, dtype=torch.float64)).tolist()
    for ratio, value in zip(ratios, found, strict=True):
        assert abs(f.in_balls(flint.arb(ratio)) - value) < 1e-12 * (1 + abs(value))


def test_empty_cells_on_either_side() -> None:
    half, empty, full = [Fraction(1, 2)] * 2, [Fraction(0), Fraction(1)], [Fraction(1), Fraction(0)]
    assert f_divergence_in_balls(KL, half, empty) == flint.arb.pos_inf()
    assert f_divergence_in_balls(REVERSE, empty, half) == flint.arb.pos_inf()
    assert f_divergence_in_balls(REVERSE, half, empty).overlaps(flint.arb(2).log())
    assert f_divergence_in_balls(TV, empty, full) == 1
    assert f_divergence_in_balls(KL, empty, empty) == 0


def test_analytic_pieces_can_be_integrated() -> None:
    found = integral(lambda z, flag: KL.analytic(1 + z, flag), 0, 1)  # u^2/2 log u - u^2/4 from 1 to 2
    assert found.overlaps(2 * flint.arb(2).log() - flint.arb(3) / 4)
    with pytest.raises(ValueError, match="not analytic"):
        TV.analytic(flint.acb(1), False)


def test_a_generator_is_the_maximum_of_its_pieces() -> None:
    f = Generator("three", (t - 1, 1 - t, 3 * (t - 1) / 2), sp.Integer(1), sp.Rational(3, 2))
    assert f.in_balls(flint.arb(3)) == 3
    assert f.in_floats(torch.tensor([0.5, 3.0], dtype=torch.float64)).tolist() == [0.5, 3.0]
    assert f.at(sp.Integer(3)) == 3
    assert f.slope_at_one == sp.Rational(1, 2)  # the slopes 1, -1 and 3/2 meet at 1
    assert KL.slope_at_one == 1
    assert TV.slope_at_one == HOCKEY.slope_at_one == 0
