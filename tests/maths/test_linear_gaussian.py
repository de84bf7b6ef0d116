"""The closed forms of the linear-Gaussian model against numerical integration, and of finite models against
enumeration."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import pytest
import torch
from scipy.integrate import quad

from mdnn_verify.maths.finite_latent import importance_bound, log_evidence, mean_of_logs, posterior
from mdnn_verify.maths.linear_gaussian import LinearGaussian, Normal, WeightLaw, log_weights

CASES = [(1.0, 1.0, 1.0, 0.0, 0.8), (1.5, 0.7, -2.0, -0.5, 0.4), (0.3, 2.0, 0.5, 0.2, 1.3), (-2.0, 1.0, 1.0, 0.0, 1.0)]


def integral(function) -> float:
    """Over the line, for integrands that are negligible beyond 40."""
    value, error = quad(function, -40, 40, points=[-2, -1, 0, 1, 2], limit=400, epsabs=1e-13, epsrel=1e-12)
    assert error < 1e-9
    return value


def scalar(function):
    return lambda z: float(function(torch.tensor(z, dtype=torch.float64)))


@pytest.mark.parametrize(("a", "s", "x", "m", "spread"), CASES)
def test_evidence_and_posterior_are_those_of_the_joint_density(a, s, x, m, spread) -> None:
    model = LinearGaussian(a, s)
    joint = scalar(lambda z: torch.exp(model.log_joint(x, z)))
    evidence = integral(joint)
    assert math.log(evidence) == pytest.approx(model.log_evidence(x), abs=1e-10)
    mean = integral(lambda z: z * joint(z)) / evidence
    assert model.posterior(x).mean == pytest.approx(mean, abs=1e-10)
    assert model.posterior(x).variance == pytest.approx(
        integral(lambda z: (z - mean) ** 2 * joint(z)) / evidence, abs=1e-9
    )


@pytest.mark.parametrize(("a", "s", "x", "m", "spread"), CASES)
def test_law_of_the_weights(a, s, x, m, spread) -> None:
    model, q = LinearGaussian(a, s), Normal(m, spread)
    law, evidence = WeightLaw(model.posterior(x), q), model.log_evidence(x)
    density = scalar(lambda z: torch.exp(q.log_density(z)))
    log_r = scalar(lambda z: log_weights(model, x, q, z) - evidence)
    grid = torch.linspace(-30, 30, 600_001, dtype=torch.float64)
    highest = float((log_weights(model, x, q, grid) - evidence).max())
    assert highest <= law.log_largest + 1e-12
    assert highest == pytest.approx(law.log_largest, abs=1e-6)
    mean, variance = law.deficit
    assert mean == pytest.approx(integral(lambda z: density(z) * (law.log_largest - log_r(z))), rel=1e-8)
    assert variance == pytest.approx(
        integral(lambda z: density(z) * (law.log_largest - log_r(z) - mean) ** 2), rel=1e-8
    )
    assert law.variance == pytest.approx(integral(lambda z: density(z) * (math.exp(log_r(z)) - 1) ** 2), rel=1e-7)


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize(("a", "s", "x", "m", "spread"), CASES)
def test_the_second_moment_bounds_that_of_the_log_of_the_average(a, s, x, m, spread, count) -> None:
    """By simulation, in standard errors: the bound must not be exceeded; for the average of logs it is the exact
    value."""
    model, q = LinearGaussian(a, s), Normal(m, spread)
    law = WeightLaw(model.posterior(x), q)
    z = q.from_standard(torch.randn((200_000, count), dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    log_r = log_weights(model, x, q, z) - model.log_evidence(x)
    squares = (law.log_largest - torch.logsumexp(log_r, -1) + math.log(count)) ** 2
    assert float(squares.mean()) <= law.second_moment(count) + 6 * float(squares.std()) / 200_000**0.5
    averages = (law.log_largest - log_r.mean(-1)) ** 2
    assert abs(float(averages.mean()) - law.second_moment(count)) <= 6 * float(averages.std()) / 200_000**0.5


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Normal(0.0, 0.0), "variance"),
        (lambda: Normal(math.nan, 1.0), "mean"),
        (lambda: LinearGaussian(1.0, -1.0), "s"),
        (lambda: LinearGaussian(math.inf, 1.0), "a"),
        (lambda: WeightLaw(Normal(0.0, 1.0), Normal(0.0, 1.0)), "q"),
    ],
)
def test_bad_parameters_are_refused_by_name(make, name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} "):
        make()


JOINT = (Fraction(1, 4), Fraction(1, 12), Fraction(1, 6))
Q = (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_finite_bound_is_the_sum_over_all_sequences(count: int) -> None:
    expected = 0.0
    for states in product(range(3), repeat=count):
        weights = [float(JOINT[z] / Q[z]) for z in states]
        expected += math.prod(float(Q[z]) for z in states) * math.log(sum(weights) / count)
    assert float(importance_bound(JOINT, Q, count)) == pytest.approx(expected, abs=1e-13)


def test_finite_bound_with_the_posterior_is_the_evidence_and_the_average_of_logs_does_not_move() -> None:
    assert importance_bound(JOINT, posterior(JOINT), 3).overlaps(log_evidence(JOINT))
    one, four = (importance_bound(JOINT, Q, count, mean_of_logs) for count in (1, 4))
    assert one.overlaps(four)
    assert importance_bound(JOINT, Q, 4) > one


@pytest.mark.parametrize(("q", "count", "name"), [((1, 0), 1, "q"), ((Fraction(1, 2),) * 3, 1, "q"), (Q, 0, "count")])
def test_bad_finite_models_are_refused_by_name(q, count, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        importance_bound(JOINT, tuple(map(Fraction, q)), count)
