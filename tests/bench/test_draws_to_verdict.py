"""What a Monte Carlo verdict costs: draws, draws a second, and draws over the bound of a sequential test.

Every Monte Carlo check of the catalogue is run under several seeds at the suite's default alpha. A check of several
claims reports the sum of their draws, and each claim's own ratio. Run: ``tox -e bench``.

Asserted for every claim: on average over the seeds, at most LARGEST_RATIO times 2 log(1/alpha) s^2 / delta^2 draws, with
s^2 the variance of the sample. Only runs that took no more than LEAST_DRAWS are excused, and the table says how many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import pytest

from mdnn_verify.bench.draws import monte_carlo_units, parts
from mdnn_verify.catalogue import catalogue
from mdnn_verify.engines.montecarlo import BLOCK
from mdnn_verify.runner.units import Settings, Unit, run_unit
from mdnn_verify.verdicts import CheckResult

SEEDS = 5
LARGEST_RATIO = 2.0
LEAST_DRAWS = 2 * BLOCK  # a pilot and one block: no verdict on a mean is cheaper, whatever its variance
MEASURED = ("draws", "draws_per_second", "bound_ratio", "bound_ratio_of_stated_variance")
HEADER = ("check", "claim", "draws", "draws/s", "ratio", "of stated variance", "delta", "excused (fewest draws)")


UNITS = monte_carlo_units()


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[tuple[str, ...]]]:
    """Rows to be printed once all checks have run."""
    rows: list[tuple[str, ...]] = [HEADER]
    yield rows
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print()
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.key)
def test_draws_to_verdict(unit: Unit, benchmark: Any, table: list[tuple[str, ...]]) -> None:
    results: list[CheckResult] = []

    def once() -> None:
        settings = Settings(seed=1000 + len(results), theorems=len(catalogue()))
        results.append(run_unit(unit, settings))

    benchmark.pedantic(once, rounds=SEEDS, warmup_rounds=0)
    assert all(result.verdict.agrees for result in results), [result.verdict.detail for result in results]
    claims = list(zip(*(parts(result) for result in results), strict=True))
    means = [{name: mean(claim, name) for name in MEASURED} for claim in claims]
    benchmark.extra_info.update(
        draws_to_verdict=sum(cost["draws"] for cost in means),
        draws_per_second=min(cost["draws_per_second"] for cost in means),
        bound_ratio=[cost["bound_ratio"] for cost in means],
        bound_ratio_of_stated_variance=[cost["bound_ratio_of_stated_variance"] for cost in means],
        alpha=claims[0][0]["alpha"],
    )
    for number, (claim, cost) in enumerate(zip(claims, means, strict=True)):
        spared = sum(map(excused, claim))
        numbers = (*map(shown, cost.values()), f"{claim[0]['delta']:.3g}")
        table.append((unit.key, str(number), *numbers, f"{spared} of {len(claim)}" if spared else ""))
    assert {number: r for number, claim in enumerate(claims) if not (r := mean_ratio(claim)) <= LARGEST_RATIO} == {}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([(9000, 1.0), (9000, 2.0)], 1.5),
        ([(20_000, 28.0), (9000, 1.0)], 14.5),
        ([(LEAST_DRAWS, 28.0), (9000, 1.0)], 1.0),
        ([(LEAST_DRAWS, None)], 0.0),
        ([(LEAST_DRAWS, 1.0), (9000, 3.0)], 2.0),
        ([(LEAST_DRAWS + 1, None), (9000, 1.0)], math.inf),
        ([(LEAST_DRAWS + 1, 2.5)], 2.5),
    ],
)
def test_only_the_cheapest_runs_are_excused(runs: list[tuple[int, float | None]], expected: float) -> None:
    assert mean_ratio([{"draws": draws, "bound_ratio": ratio} for draws, ratio in runs]) == expected


def excused(evidence: dict[str, Any]) -> bool:
    """Over the limit, but no run of a test of a mean could have been shorter."""
    return evidence["draws"] <= LEAST_DRAWS and not ratio_of(evidence) <= LARGEST_RATIO


def ratio_of(evidence: dict[str, Any]) -> float:
    """Draws over the sequential bound, from the sample variance; no number means a bound of less than one draw."""
    ratio, spread = evidence["bound_ratio"], evidence.get("standard_deviation")
    if ratio is None:
        return math.inf
    if spread is not None:  # a mean: the number itself is checked
        bound = 2 * math.log(1 / evidence["alpha"]) * spread**2 / evidence["delta"] ** 2
        assert ratio == pytest.approx(evidence["draws"] / bound, rel=1e-9)
    return float(ratio)


def mean_ratio(claim: Sequence[dict[str, Any]]) -> float:
    """Over the runs that are not excused; 0 if all of them are."""
    return fmean([ratio_of(evidence) for evidence in claim if not excused(evidence)] or [0.0])


def mean(claim: Sequence[dict[str, Any]], name: str) -> float | None:
    """Over the seeds; None where the number does not apply."""
    values = [evidence.get(name) for evidence in claim]
    return None if None in values else fmean(values)


def shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
