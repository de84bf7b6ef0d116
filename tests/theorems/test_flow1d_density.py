"""Derivatives, ranges and masses that are wrong by little are caught, and so are faults of the library's flow."""

from __future__ import annotations

import pytest
import sympy as sp
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.verdicts import Status

THEOREM = load(catalogue()["flows/flow1d_density"])
MODULE = THEOREM.check("library_computes_the_stated_flow").function.__globals__


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    found = verdict(name)
    assert found.agrees
    if THEOREM.check(name).kind == "symbolic":
        assert found.status is Status.PROVED


@pytest.mark.parametrize(
    "name",
    [
        "derivative_is_the_weighted_mixture",
        "taylor_coefficient_is_the_claimed_derivative",
        "library_computes_the_stated_flow",
    ],
)
@pytest.mark.parametrize(
    "slope",
    [
        lambda weight, density, sigma: weight * density + weight * density / 10**9,
        lambda weight, density, sigma: weight * density * sigma / (sigma + sigma * 0 + density / 10**9),
        lambda weight, density, sigma: weight * weight * density,
    ],
    ids=["a billionth more", "a billionth of the density", "weights squared"],
)
def test_wrong_derivatives_are_caught(name: str, slope) -> None:
    assert verdict(name, slope=slope).refuted


@pytest.mark.parametrize("name", ["limits_are_the_ends_of_the_range", "range_ends_at_half_the_weights"])
@pytest.mark.parametrize("share", [1 - sp.Rational(1, 10**9), 1 + sp.Rational(1, 10**9)], ids=["less", "more"])
def test_ranges_that_are_off_by_a_billionth_are_caught(name: str, share) -> None:
    top, bottom = int(share.p), int(share.q)
    assert verdict(name, edge=lambda S: S * top / (2 * bottom)).refuted


@pytest.mark.parametrize(
    "mass",
    [
        lambda edge: sp.erf(edge / sp.sqrt(2)) + sp.Rational(1, 10**6),
        lambda edge: sp.erf(edge),
        lambda edge: (1 + sp.erf(edge / sp.sqrt(2))) / 2,
    ],
    ids=["a millionth more", "erf without the root of 2", "the upper end only"],
)
def test_wrong_masses_are_caught(mass) -> None:
    assert verdict("mass_by_the_antiderivative", mass=mass).refuted
    assert verdict("mass_by_rigorous_integral", mass=mass).refuted


def test_a_mass_that_is_two_percent_off_is_caught_by_simulation() -> None:
    def off(edge):
        return sp.erf(edge / sp.sqrt(2)) * sp.Rational(49, 50)

    assert verdict("simulated_mass", mass=off).refuted


@pytest.mark.parametrize(
    "fault",
    [
        lambda z, d, x: (z, d * (1 + 1e-12)),
        lambda z, d, x: (z + 1e-9 * x, d),
        lambda z, d, x: (z + 1e-9, d),
        lambda z, d, x: (z.float().double(), d),
        lambda z, d, x: (2 * z, 2 * d),
    ],
    ids=["derivative", "flow", "shift", "single precision", "both doubled"],
)
def test_faults_of_the_flow_are_caught(monkeypatch: pytest.MonkeyPatch, fault) -> None:
    right = MODULE["flow1d"]
    monkeypatch.setitem(MODULE, "flow1d", lambda x, *p: fault(*right(x, *p), x))
    assert verdict("library_computes_the_stated_flow").refuted


@pytest.mark.parametrize(
    "fault",
    [lambda x: x + 1e-9, lambda x: x.float().double(), lambda x: x.clamp(-1, 1), lambda x: x.flip(0)],
    ids=["shifted", "single precision", "clamped", "order"],
)
def test_faults_of_the_inverse_are_caught(monkeypatch: pytest.MonkeyPatch, fault) -> None:
    right = MODULE["flow1d_inverse"]
    monkeypatch.setitem(MODULE, "flow1d_inverse", lambda z, *p: fault(right(z, *p)))
    assert verdict("inverse_lies_at_the_root").refuted


def test_the_seed_s_clamped_sampling_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unconditioned Z whose excess is moved to the ends of [-3, 3] has another law."""
    right = MODULE["flow1d_inverse"]

    def clamped(z, *parameters):
        normal = torch.special.ndtri((torch.erf(z / 2**0.5) / 0.7887004526662893 + 1) / 2)
        inside = right(normal.clamp(-1.2, 1.2), *parameters)
        return torch.where(normal > 1.2, 3.0, torch.where(normal < -1.2, -3.0, inside))

    monkeypatch.setitem(MODULE, "flow1d_inverse", clamped)
    assert verdict("sampling_by_inversion").refuted


def test_weights_of_the_simulation_stay_in_their_range() -> None:
    check = THEOREM.check("simulated_mass")
    for control in [None, *(c.name for c in THEOREM.controls)]:
        data = THEOREM.data(control)
        claim = check.function(**{name: data[name] for name in check.parameters})
        draws = claim.draw(Stream("range", 3), 50_000)
        assert claim.lo <= draws.min() <= draws.max() <= claim.hi


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_agree(seed: int) -> None:
    for check in THEOREM.checks:
        if check.kind in ("pathwise", "montecarlo"):
            assert verdict(check.name, seed).agrees
