"""Dependence hidden in three coordinates, totals off by a millionth, and a broken divergence are caught."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide, satisfiable
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.verdicts import HYPOTHESIS, Status

THEOREM = load(catalogue()["divergences/kl_additive"])
MODULE = THEOREM.check("computed_tables").function.__globals__
DETERMINISTIC = ["log_ratio_is_a_sum", "sums_of_tables", "exact_tables_enclosed", "computed_tables"]


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    judge = satisfiable if check.kind == HYPOTHESIS else decide
    return judge(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


def slight(h):
    return 1 + h[0] * h[1] / 1000


def only_all_three(h):
    """Any two of three components are independent; all three are not."""
    return 1 + h[0] * h[1] * h[2] / 2 if len(h) >= 3 else 1


@pytest.mark.parametrize("copula", [slight, only_all_three])
@pytest.mark.parametrize("side", ["x", "y"])
def test_hidden_dependence_is_caught(copula, side: str) -> None:
    for name in DETERMINISTIC:
        assert verdict(name, **{f"copula_{side}": copula}).refuted, name
    assert verdict(f"components_of_{side}_are_independent", **{f"copula_{side}": copula}).refuted


@pytest.mark.parametrize(
    "total",
    [
        lambda parts: parts[0],
        lambda parts: MODULE["summed"](parts[:-1]) if len(parts) > 1 else parts[0],
        lambda parts: MODULE["summed"](parts) * 1_000_001 / 1_000_000,
        lambda parts: MODULE["summed"]([*parts, parts[0]]),
    ],
    ids=["the first only", "without the last", "off by a millionth", "the first twice"],
)
def test_a_wrong_total_is_caught(total) -> None:
    names = ["other_coordinates_integrate_to_one", "one_more_component", "sums_of_tables", "exact_tables_enclosed"]
    for name in [*names, "computed_tables"]:
        assert verdict(name, total=total).refuted, name


def test_a_constant_divergence_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be additive: the value itself has to be compared."""
    monkeypatch.setitem(MODULE, "kl", lambda p, q: 0.0)
    assert verdict("computed_tables").refuted


def test_a_divergence_in_bits_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    kl = MODULE["kl"]
    monkeypatch.setitem(MODULE, "kl", lambda p, q: kl(p, q) / math.log(2))
    assert verdict("computed_tables").refuted


def test_a_divergence_that_is_finite_where_it_must_not_be_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    kl = MODULE["kl"]
    monkeypatch.setitem(MODULE, "kl", lambda p, q: min(kl(p, q), 1e300))
    assert verdict("computed_tables").refuted


def test_copula_densities_keep_marginals_and_stay_positive() -> None:
    """The control would otherwise change more than the dependence."""
    marginals = [np.array([sp.Rational(int(k), 60) for k in row]) for row in ((10, 20, 30), (15, 45), (59, 1))]
    joint = MODULE["_joint"](marginals, THEOREM.control("the components of X are dependent").changes["copula_x"])
    assert (joint > 0).all()
    for axis, marginal in enumerate(marginals):
        others = tuple(i for i in range(3) if i != axis)
        assert (joint.sum(axis=others) == marginal).all()


def test_densities_of_the_simulation_are_what_they_claim() -> None:
    density, cdf, quantile = (MODULE[name] for name in ("_density", "_cdf", "_quantile"))
    import torch

    u = torch.linspace(0, 1, 11, dtype=torch.float64)
    for slope in (3.0, -0.5, 1.0):
        x = quantile(u, slope)
        torch.testing.assert_close(cdf(x, slope), u, rtol=0, atol=1e-15)
        step = 1e-6
        torch.testing.assert_close(
            (cdf(x + step, slope) - cdf(x - step, slope)) / (2 * step), density(x, slope), rtol=1e-8, atol=0
        )


@pytest.mark.parametrize("seed", range(5))
def test_other_seeds_agree(seed: int) -> None:
    assert verdict("exact_tables_enclosed", seed).agrees
    assert verdict("computed_tables", seed).agrees
    assert verdict("log_ratio_of_densities", seed).status is Status.VERIFIED_WITHIN
