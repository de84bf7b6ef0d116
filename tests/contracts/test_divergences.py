"""The contracts of divergences: Gaussian distributions, finite ones, joint tables, and any convex f."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest
import torch

from mdnn_verify.checking.registry import contract_of
from mdnn_verify.contract import Terms
from mdnn_verify.contracts.divergences import f_divergence_nonnegative, gaussian_kl
from mdnn_verify.contracts.divergences._finite import distributions, exact, nudged, ramp, rounding
from mdnn_verify.maths.convex_functions import CONVEX, kullback_leibler, pearson

CONTRACTS = (
    "divergences/gaussian_kl",
    "divergences/kl_nonnegative",
    "divergences/kl_additive",
    "divergences/f_divergence_nonnegative",
)
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


@pytest.mark.parametrize("identifier", CONTRACTS)
def test_single_precision(judged, identifier: str) -> None:
    functions = {
        "divergences/gaussian_kl": lambda m0, s0, m1, s1: torch.distributions.kl_divergence(
            *(torch.distributions.MultivariateNormal(m, s) for m, s in ((m0, s0), (m1, s1)))
        ),
        "divergences/kl_nonnegative": xlogy,
        "divergences/kl_additive": xlogy,
        "divergences/f_divergence_nonnegative": lambda f, p, q: (q * f(p / q)).sum(),
    }
    right = functions[identifier]
    judgement = judged(identifier, right, dtype=torch.float32)
    assert judgement.complete
    assert judgement.finding is None, judgement.finding
    finding = judged(identifier, lambda *arguments: 1.002 * right(*arguments), dtype=torch.float32).finding
    assert finding is not None


def xlogy(p, q):
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum()


@pytest.mark.parametrize("identifier", CONTRACTS)
def test_inputs_are_legal(identifier: str) -> None:
    """Distributions sum to 1 to what rounding leaves, whatever is handed over is contiguous and finite."""
    for instance in contract_of(identifier).smallest(TERMS):
        for name, value in instance.arguments.items():
            if not isinstance(value, torch.Tensor):
                assert float(value(torch.ones(3).double())[1]) == 0
                continue
            assert value.is_contiguous()
            assert bool(torch.isfinite(value).all())
            if name in ("p", "q"):
                assert abs(math.fsum(value.reshape(-1).tolist()) - 1) < 1e-15 * value.numel()


def test_small_inputs_come_by_size() -> None:
    for identifier in CONTRACTS:
        sizes = [instance.size for instance in contract_of(identifier).smallest(TERMS)]
        assert sizes == sorted(sizes)


def test_exact_divergence() -> None:
    p, q = (torch.tensor(x, dtype=torch.float64) for x in ([0.3, 0.0, 0.7], [1e-300, 0.25, 0.75]))
    with mpmath.workdps(60):
        terms = [
            mpmath.mpf(a) * mpmath.log(mpmath.mpf(a) / mpmath.mpf(b))
            for a, b in zip(p.tolist(), q.tolist(), strict=True)
            if a
        ]
        assert exact(p, q) == float(mpmath.fsum(terms))
    assert exact(q, p) == math.inf
    assert exact(p, p.clone()) == 0


@pytest.mark.parametrize("n", [2, 17, 300])
def test_rounding_is_far_above_what_happens_and_far_below_single_precision(n: int) -> None:
    rng = torch.Generator().manual_seed(n)
    for _ in range(20):
        p, q = (torch.rand(n, generator=rng, dtype=torch.float64) ** 4 for _ in range(2))
        p, q = p / p.sum(), q / q.sum()
        value, bound = exact(p, q), rounding(p, q, TERMS)
        assert abs(float(xlogy(p, q)) - value) < bound / 3
        assert bound < 1e-9 * (1 + value)


def test_enumerated_distributions() -> None:
    assert list(distributions(2, 2)) == [(Fraction(1, 2), Fraction(1, 2))]
    assert len([d for parts in (1, 2, 3) for d in distributions(3, parts)]) == 3 + 3 + 7
    assert sum(ramp(9, 2, zeros=3)) == 1
    assert ramp(9, 2, zeros=3)[2::3] == [0, 0, 0]


def test_a_nudge_keeps_a_distribution() -> None:
    p = torch.tensor([[0.5, 0.0], [0.25, 0.25]]).double()
    near = nudged(p, TERMS)
    assert float(near.sum()) == 1
    assert near[0, 1] == 0
    assert 0 < float((near - p).abs().max()) < 1e-9


@pytest.mark.parametrize("f", CONVEX, ids=lambda f: f.__name__)
def test_convex_functions(f) -> None:
    """Convex, f(1) = 0, the same in balls, right at 0, and not beyond the magnitudes that rounding is told."""
    convex, t = CONVEX[f], torch.cat([torch.zeros(1), torch.logspace(-8, 8, 200)]).double()
    values = f(t)
    assert float(f(torch.ones(()).double())) == 0
    middle = f((t[1:-1] + t[2:]) / 2) - (values[1:-1] + values[2:]) / 2
    assert bool((middle <= 1e-12 * convex.parts(t[2:])).all())
    for point, value in zip(t.tolist(), values.tolist(), strict=True):
        reference = float(convex.exactly(gaussian_kl.flint.arb(point)))
        assert value == reference or abs(value - reference) <= 1e-14 * float(convex.parts(torch.tensor(point)))
    inside = t[1:].clone().requires_grad_()
    (slope,) = torch.autograd.grad((f(inside) + 0 * inside).sum(), inside)
    assert bool(((inside * slope).abs() <= convex.turn(inside) * (1 + 1e-12)).all())
    assert f(torch.ones(2, 3)).shape == (2, 3)
    assert f(2.0).dtype == torch.float64


def test_exact_f_divergence() -> None:
    p, q = torch.tensor([0.0, 0.25, 0.75]).double(), torch.tensor([0.5, 0.25, 0.25]).double()
    assert f_divergence_nonnegative.exact(pearson, p, q) == 0.5 + 0.25 * 4
    assert f_divergence_nonnegative.exact(kullback_leibler, p, q) == pytest.approx(0.75 * math.log(3), abs=1e-15)


def test_the_smallest_counterexample_of_a_missing_half(judged) -> None:
    def doubled(mu0, cov0, mu1, cov1):
        return 2 * gaussian_kl.exact(mu0, cov0, mu1, cov1)

    finding = judged("divergences/gaussian_kl", doubled).finding
    assert finding is not None
    assert {name: value.tolist() for name, value in finding.arguments.items()} == {
        "mu0": [0.0], "cov0": [[1.0]], "mu1": [1.0], "cov1": [[2.0]]
    }  # fmt: skip


def test_condition_numbers(judged) -> None:
    """A 1 % error at condition numbers above 1e7 is told from rounding."""

    def ill(mu0, cov0, mu1, cov1):
        value = gaussian_kl.exact(mu0, cov0, mu1, cov1)
        return value * (1.01 if torch.linalg.cond(cov1) > 1e7 else 1)

    assert judged("divergences/gaussian_kl", ill).finding is not None
