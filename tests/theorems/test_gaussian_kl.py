"""Formulas that are right for d = 1 or diagonal covariances only, and faults in sampling and densities, are caught."""

from __future__ import annotations

import math

import pytest
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.verdicts import Status

THEOREM = load(catalogue()["divergences/gaussian_kl"])
MODULE = THEOREM.check("computed_divergence").function.__globals__
closed_form = THEOREM.given["divergence"]
EXACT = ["mean_of_the_log_ratio", "mean_of_the_log_ratio_of_rational_instances"]
NUMERIC = ["mean_by_cubature", "computed_divergence"]
SIMULATED = "mean_of_sampled_log_ratios"


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


def as_if_diagonal(N):
    """tr(S_1^-1 S_0) from the diagonals alone."""
    S0, S1 = N.covariances
    return closed_form(N) + (sum(S0[i, i] / S1[i, i] for i in range(N.d)) - N.trace(1, 0)) / 2


def trace_of_factors(N):
    """tr(S_1^-1) tr(S_0) in place of tr(S_1^-1 S_0)."""
    return closed_form(N) + (N.inverses[1].trace() * N.covariances[0].trace() - N.trace(1, 0)) / 2


def log_of_traces(N):
    """log(tr S_1 / tr S_0) in place of the determinants."""
    traces = [N.log(S.trace()) for S in N.covariances]
    return closed_form(N) + (traces[1] - traces[0] - N.log_det(1) + N.log_det(0)) / 2


@pytest.mark.parametrize("wrong", [as_if_diagonal, trace_of_factors, log_of_traces])
def test_formulas_that_are_right_on_the_line_only_are_caught(wrong) -> None:
    assert verdict("divergence_by_rigorous_integral", divergence=wrong).agrees, "it is right for d = 1"
    for name in [*EXACT, *NUMERIC, SIMULATED]:
        assert verdict(name, divergence=wrong).refuted, name


def test_a_relative_error_of_a_billionth_is_caught() -> None:
    def slightly_off(N):
        return closed_form(N) * 1_000_000_001 / 1_000_000_000

    for name in [*EXACT, *NUMERIC, "divergence_by_rigorous_integral"]:
        assert verdict(name, divergence=slightly_off).refuted, name


@pytest.mark.parametrize("name", ["one_more_coordinate", "unchanged_by_affine_maps"])
def test_a_product_of_the_coordinates_divergences_is_caught(name: str) -> None:
    def squared(N):
        return closed_form(N) ** 2 if name == "one_more_coordinate" else closed_form(N) + N.covariances[0].trace()

    assert verdict(name, divergence=squared).refuted


def transposed_factor(rng, n, mu, cov):
    """Samples whose covariance is L'L in place of LL'."""
    return torch.as_tensor(mu) + rng.normal((n, len(cov))) @ torch.linalg.cholesky(torch.as_tensor(cov))


def test_faulty_samples_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULE, "sample", transposed_factor)
    assert verdict(SIMULATED).refuted


def test_a_faulty_density_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    density = MODULE["log_density"]
    monkeypatch.setitem(
        MODULE,
        "log_density",
        lambda x, mu, cov: density(x, mu, cov) + torch.linalg.slogdet(torch.as_tensor(cov))[1] / 2,
    )
    assert verdict(SIMULATED).refuted


def test_a_faulty_public_function_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    kl = MODULE["kl_divergence"]
    monkeypatch.setitem(MODULE, "kl_divergence", lambda m0, S0, m1, S1: kl(m1, S0, m0, S1) * (1 + 1e-6))
    assert verdict("computed_divergence").refuted


def test_single_precision_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    kl = MODULE["kl_divergence"]

    def in_single(*inputs):
        return float(torch.tensor(kl(*inputs), dtype=torch.float32))

    monkeypatch.setitem(MODULE, "kl_divergence", in_single)
    assert verdict("computed_divergence").refuted


def test_the_rest_of_the_integral_is_small_and_covered() -> None:
    found = verdict("divergence_by_rigorous_integral")
    assert found.delta is not None
    assert 0 < found.delta <= 1e-10


def test_rational_instances_have_the_square_root_they_come_with() -> None:
    instance, product = MODULE["_rational_instance"], MODULE["_product"]
    for d in (1, 3, 8):
        _, S0, _, S1, B = instance(Stream("roots", 0).numpy, d)
        assert product(B, B) == S0
        assert all(S1[i][j] == S1[j][i] for i in range(d) for j in range(d))


def test_the_picture_has_its_minimum_at_equality() -> None:
    (picture,) = THEOREM.pictures
    surface = picture.function(**THEOREM.given)
    values = {
        (m, s): z for s, row in zip(surface.y, surface.z, strict=True) for m, z in zip(surface.x, row, strict=True)
    }
    at = min(values, key=lambda place: values[place])
    assert at == (0.0, 0.0)
    assert abs(values[at]) < 1e-12
    assert math.isfinite(max(values.values()))


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_agree(seed: int) -> None:
    for name in ["mean_of_the_log_ratio_of_rational_instances", "unchanged_by_affine_maps", *NUMERIC]:
        assert verdict(name, seed).agrees
    assert verdict(SIMULATED, seed).status is Status.VERIFIED_WITHIN
