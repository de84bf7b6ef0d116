"""Gaussian densities, samples and divergences: other libraries, exact arithmetic, refusals."""

from __future__ import annotations

import math

import flint
import numpy as np
import pytest
import sympy as sp
import torch
from scipy import integrate, stats

from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.maths.gaussian import (
    ball_pair,
    exact_pair,
    kl_divergence,
    kl_rounding_bound,
    log_density,
    log_ratio_cgf,
    sample,
)

I2 = np.eye(2)


def random_pair(rng: np.random.Generator, d: int, ridge: float = 1.0) -> list[np.ndarray]:
    def covariance() -> np.ndarray:
        root = rng.normal(size=(d, d)) * np.exp(rng.normal(size=(d, 1)))
        product = root @ root.T
        product += ridge * np.diag(np.diag(product))
        return (product + product.T) / 2

    return [rng.normal(size=d), covariance(), rng.normal(size=d), covariance()]


def test_values_known_by_hand() -> None:
    assert kl_divergence([0], [[1]], [0], [[1]]) == 0
    assert kl_divergence([0, 0], I2, [3, 4], I2) == pytest.approx(12.5, rel=1e-15)
    assert kl_divergence([0], [[1]], [0], [[4]]) == pytest.approx(math.log(2) - 3 / 8, rel=1e-14)
    assert kl_divergence([0], [[4]], [0], [[1]]) == pytest.approx(1.5 - math.log(2), rel=1e-14)


@pytest.mark.parametrize("d", [1, 2, 5, 40])
def test_agrees_with_torch(d: int) -> None:
    mu0, cov0, mu1, cov1 = (torch.from_numpy(part) for part in random_pair(np.random.default_rng(d), d))
    normals = [torch.distributions.MultivariateNormal(mu, cov) for mu, cov in ((mu0, cov0), (mu1, cov1))]
    assert kl_divergence(mu0, cov0, mu1, cov1) == pytest.approx(
        float(torch.distributions.kl_divergence(*normals)), rel=1e-9
    )


@pytest.mark.parametrize("ridge", [1.0, 1e-3, 1e-8])
def test_rounding_bound_holds_and_grows_with_the_condition_only(ridge: float) -> None:
    rng = np.random.default_rng(11)
    for d in (1, 2, 3, 7, 12, 20):
        inputs = random_pair(rng, d, ridge)
        value, bound = kl_divergence(*inputs), kl_rounding_bound(*inputs)
        with flint.ctx.workprec(300):
            N = ball_pair(*(part.tolist() for part in inputs))
            exact = (N.trace(1, 0) + N.quadratic(1) - d + N.log_det(1) - N.log_det(0)) / 2
            assert abs(exact - value) <= bound
        assert bound <= 1e-11 / ridge * max(1.0, value)


def test_rounding_bound_is_infinite_where_the_analysis_breaks_down() -> None:
    close_to_singular = [[1.0, 1 - 2.0**-52], [1 - 2.0**-52, 1.0]]
    assert kl_rounding_bound([0, 0], I2, [0, 0], close_to_singular) == math.inf


def test_no_underflow_in_many_dimensions() -> None:
    d = 400
    assert kl_divergence(np.zeros(d), 1e-3 * np.eye(d), np.zeros(d), 1e-3 * np.eye(d)) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    ("changed", "value", "culprit"),
    [
        ("cov0", [[1, 2], [2, 1]], "cov0 is not positive definite"),
        ("cov1", [[1, 1], [1, 1]], "cov1 is not positive definite"),
        ("cov1", [[1, 0.5], [0, 1]], "cov1 is not symmetric"),
        ("cov0", [[1]], "cov0 has shape"),
        ("cov1", [1, 1], "cov1 has shape"),
        ("cov0", [[math.nan, 0], [0, 1]], "cov0 has an entry that is NaN"),
        ("mu0", [[0, 0]], "mu0 has shape"),
        ("mu1", [0, 0, 0], "mu1 has shape"),
        ("mu1", [math.inf, 0], "mu1 has an entry that is NaN or infinite"),
    ],
)
def test_refusals_name_the_argument(changed: str, value, culprit: str) -> None:
    legal = {"mu0": [0, 0], "cov0": I2, "mu1": [1, 0], "cov1": 2 * I2}
    with pytest.raises(ValueError, match=f"^{culprit}"):
        kl_divergence(**(legal | {changed: value}))


def test_log_density_against_scipy_and_its_refusal() -> None:
    mu, cov, *_ = random_pair(np.random.default_rng(5), 3)
    x = np.random.default_rng(6).normal(size=(4, 7, 3))
    expected = stats.multivariate_normal(mu, cov).logpdf(x)
    np.testing.assert_allclose(log_density(torch.from_numpy(x), mu, cov).numpy(), expected, rtol=1e-11)
    with pytest.raises(ValueError, match=r"^cov is not positive definite"):
        log_density(torch.zeros(1, 2, dtype=torch.float64), [0, 0], -I2)


def test_samples_have_the_mean_and_the_covariance() -> None:
    mu, cov, *_ = random_pair(np.random.default_rng(8), 3)
    n = 200_000
    x = sample(Stream("test", 0), n, mu, cov).numpy()
    assert x.shape == (n, 3)
    assert x.dtype == np.float64
    white = np.linalg.solve(np.linalg.cholesky(cov), (x - mu).T)
    # entries of the mean and of the second moment of white noise have a variance of at most 2/n: 7 standard deviations
    assert np.abs(white.mean(1)).max() < 7 * math.sqrt(2 / n)
    assert np.abs(white @ white.T / n - np.eye(3)).max() < 7 * math.sqrt(2 / n)


@pytest.mark.parametrize("t", [-0.7, -0.1, 0.2, 0.9])
def test_generating_function_is_the_integral(t: float) -> None:
    cgf = log_ratio_cgf([0.5], [[1.0]], [-1.0], [[2.0]])
    f0, f1 = stats.norm(0.5, 1.0), stats.norm(-1.0, math.sqrt(2.0))
    value, _ = integrate.quad(lambda x: f0.pdf(x) * math.exp(t * (f0.logpdf(x) - f1.logpdf(x))), -40, 40, epsabs=1e-13)
    assert cgf(t) == pytest.approx(math.log(value), abs=1e-9)


def test_generating_function_in_three_dimensions_has_the_divergence_as_slope_and_ends_where_it_must() -> None:
    inputs = random_pair(np.random.default_rng(4), 3)
    cgf = log_ratio_cgf(*inputs)
    assert cgf(0) == 0
    assert (cgf(1e-6) - cgf(-1e-6)) / 2e-6 == pytest.approx(kl_divergence(*inputs), rel=1e-5)
    # E exp(-R) is the integral of f_1, and it is log 1; beyond -1 nothing is promised
    assert cgf(-1.0) == pytest.approx(0, abs=1e-9)
    assert math.isinf(log_ratio_cgf([0], [[4.0]], [0], [[1.0]])(1 / 3))


def test_exact_and_ball_pairs_agree() -> None:
    entries = [1, 2], [[4, 1], [1, 2]], [0, -1], [[1, 0], [0, 3]]
    exact, balls = exact_pair(*entries), ball_pair(*entries)
    x, point = sp.Matrix([3, 5]), flint.arb_mat([[3], [5]])
    assert exact.d == balls.d == 2
    for i in (0, 1):
        assert balls.trace(i, 1 - i).contains(flint.fmpq(*_pq(exact.trace(i, 1 - i))))
        assert balls.quadratic(i).contains(flint.fmpq(*_pq(exact.quadratic(i))))
        assert float(balls.log_det(i)) == pytest.approx(float(exact.log_det(i)))
    assert float(balls.log_ratio(point)) == pytest.approx(float(exact.log_ratio(x)))


def test_the_log_ratio_is_that_of_the_densities() -> None:
    mu0, cov0, mu1, cov1 = random_pair(np.random.default_rng(2), 3)
    x = torch.tensor([[0.3, -1.0, 2.0]], dtype=torch.float64)
    N = ball_pair(*(part.tolist() for part in (mu0, cov0, mu1, cov1)))
    expected = log_density(x, mu0, cov0) - log_density(x, mu1, cov1)
    assert float(N.log_ratio(flint.arb_mat([[v] for v in x[0].tolist()]))) == pytest.approx(float(expected), rel=1e-10)


def test_a_singular_covariance_has_no_ball_pair() -> None:
    with pytest.raises(ZeroDivisionError):
        ball_pair([0, 0], [[1, 1], [1, 1]], [0, 0], [[1, 0], [0, 1]])


def _pq(number: sp.Rational) -> tuple[int, int]:
    return int(number.p), int(number.q)
