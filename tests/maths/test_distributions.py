"""Each inverse against the definition, by exact enumeration or tolerance-free bisection; refusals name the argument."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
import torch

from mdnn_verify.maths import distributions as d

ATOMS, PROBS = [-1.0, 0.0, 2.0, 5.0], [0.25, 0.5, 0.0, 0.25]
LAWS = [d.step_law(ATOMS, PROBS), d.flat_law(), d.mixed_law(), d.cantor_law()]
SPECIAL = torch.tensor([2.0**-54, 0.25, 0.5, 0.75, 1 - 2.0**-53], dtype=torch.float64)


def random_u(count: int = 2000) -> torch.Tensor:
    return torch.cat([SPECIAL, torch.from_numpy(np.random.default_rng(7).uniform(size=count)).clamp(min=2.0**-54)])


def infimum(u: Fraction, strict: bool) -> float:
    """By enumeration with exact rationals: F only rises at atoms, so the infimum is the first atom that reaches u."""
    total = Fraction(0)
    for atom, p in zip(ATOMS, PROBS, strict=True):
        total += Fraction(p)
        if u < total or (u == total and not strict):
            return atom
    raise AssertionError("u is at least 1")


@pytest.mark.parametrize("strict", [True, False])
def test_steps_agree_with_exact_enumeration(strict: bool) -> None:
    u = random_u()
    got = d.generalized_inverse_of_steps(ATOMS, PROBS, u, strict=strict)
    assert got.tolist() == [infimum(Fraction(value), strict) for value in u.tolist()]


def test_the_two_conventions_differ_exactly_where_u_is_a_height_of_f() -> None:
    u = torch.tensor([0.25, 0.75], dtype=torch.float64)
    assert d.generalized_inverse_of_steps(ATOMS, PROBS, u).tolist() == [0.0, 5.0]
    assert d.generalized_inverse_of_steps(ATOMS, PROBS, u, strict=False).tolist() == [-1.0, 0.0]


@pytest.mark.parametrize("law", LAWS[:3], ids=lambda law: law.name)
@pytest.mark.parametrize("strict", [True, False])
def test_closed_forms_agree_with_bisection_on_the_floats(law: d.Law, strict: bool) -> None:
    u = random_u(300)
    closed, bisected = law.inverse(u, strict), d.generalized_inverse(law.cdf, u, strict=strict)
    error = 2 * law.rounding + 2.0**-52
    assert (law.cdf(closed) - law.cdf(bisected)).abs().max() <= error
    # where F' >= 1/4, or F jumps, or is flat: x is off by at most 4 times the error of F, so the right end was chosen
    exact = torch.isin(u, SPECIAL[1:4])
    assert torch.allclose(closed[exact], bisected[exact], rtol=0, atol=4 * error)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("strict", [True, False])
def test_galois_inequalities(law: d.Law, strict: bool) -> None:
    u = random_u()
    point = law.inverse(u, strict)
    assert (law.cdf(point) >= u - law.rounding).all()
    assert (law.cdf_left(point) <= u + law.rounding).all()


def test_cantor_takes_the_end_of_the_gap_that_the_convention_asks_for() -> None:
    law, half = d.cantor_law(), torch.tensor([0.5], dtype=torch.float64)
    assert law.inverse(half, True).item() == 2 * 3**32
    # 1/3 = 0.0222..., its first 33 digits
    assert law.inverse(half, False).item() == 3**32 - 1
    assert law.cdf(torch.tensor([1.2 * 3.0**32, -1.0, 3.0**33, 3.0**34])).tolist() == [0.5, 0.0, 1.0, 1.0]


def test_cantor_cdf_against_exact_rationals() -> None:
    law = d.cantor_law(12)
    for numerator in range(0, 3**12, 997):
        rest, value = Fraction(numerator, 3**12), Fraction(0)
        for k in range(1, 13):
            digit, rest = int(3 * rest), 3 * rest - int(3 * rest)
            value += Fraction(min(digit, 1), 2**k)
            if digit == 1:
                break
        assert law.cdf(torch.tensor([float(numerator)], dtype=torch.float64)).item() == float(value)


@pytest.mark.parametrize("law", LAWS[:3], ids=lambda law: law.name)
def test_torch_and_sympy_describe_the_same_function(law: d.Law) -> None:
    x = d.x
    points = sorted({sp.Rational(k, 4) for k in range(-8, 28)} | set(law.breaks))
    at = torch.tensor([float(p) for p in points], dtype=torch.float64)
    right = [float(law.formula.subs(x, p)) for p in points]
    left = [float(d.one_sided_limit(law, p, right=False)) for p in points]
    assert [float(d.one_sided_limit(law, p, right=True)) for p in points] == right
    # both sides round: F itself by at most 2^-51 (not at all where the law states no rounding), the exact value by 2^-53
    error = min(law.rounding, 2.0**-51) + 2.0**-53
    assert np.allclose(law.cdf(at), right, atol=error, rtol=0)
    assert np.allclose(law.cdf_left(at), left, atol=error, rtol=0)


def test_left_continuous_steps_are_no_cdf() -> None:
    law = d.left_continuous_step_law([0.0, 1.0], [0.5, 0.5])
    assert law.cdf(torch.tensor([0.0, 0.5, 1.0, 1.5])).tolist() == [0.0, 0.5, 0.5, 1.0]
    assert [law.formula.subs(d.x, v) for v in (0, sp.Rational(1, 2), 1, 2)] == [
        0,
        sp.Rational(1, 2),
        sp.Rational(1, 2),
        1,
    ]


@pytest.mark.parametrize(
    ("atoms", "probs", "u", "named"),
    [
        ([0.0, 1.0], [0.5, 0.6], 0.5, "probs"),
        ([0.0, 1.0], [1.5, -0.5], 0.5, "probs"),
        ([0.0, 1.0], [1.0], 0.5, "probs"),
        ([], [], 0.5, "probs"),
        ([1.0, 0.0], [0.5, 0.5], 0.5, "atoms"),
        ([0.0, 0.0], [0.5, 0.5], 0.5, "atoms"),
        ([0.0, float("nan")], [0.5, 0.5], 0.5, "atoms"),
        ([0.0, 1.0], [0.5, 0.5], 0.0, "u"),
        ([0.0, 1.0], [0.5, 0.5], 1.0, "u"),
        ([0.0, 1.0], [0.5, 0.5], float("nan"), "u"),
    ],
)
def test_refusals_name_the_argument(atoms, probs, u, named: str) -> None:
    with pytest.raises(ValueError, match=rf"^{named} "):
        d.generalized_inverse_of_steps(atoms, probs, torch.tensor([u], dtype=torch.float64))


def test_refusals_of_the_other_inverses() -> None:
    half = torch.tensor([0.5], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"^u "):
        d.flat_law().inverse(torch.tensor([0.5]), True)
    with pytest.raises(ValueError, match=r"^depth"):
        d.cantor_law(34)
    with pytest.raises(ValueError, match=r"^cdf"):
        d.generalized_inverse(lambda x: 0.1 + 0 * x, half)
