"""What a Monte Carlo verdict costs: draws, draws a second, and draws over the bound of a sequential test.

Every Monte Carlo check of the catalogue is run under several seeds at the suite's default alpha. A check of several
claims reports the sum of their draws, and each claim's own ratio. Run: ``tox -e bench``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import pytest

from mdnn_verify.catalogue import Entry, catalogue
from mdnn_verify.engines.montecarlo import BLOCK
from mdnn_verify.runner.units import Settings, Unit, run_unit
from mdnn_verify.verdicts import MONTECARLO, CheckResult

SEEDS = 5
LARGEST_RATIO = 2.0  # draws over 2 log(1/alpha) s^2 / delta^2, on average
LEAST_DRAWS = 2 * BLOCK  # a pilot and one block: no verdict on a mean is cheaper, whatever its variance
MEASURED = ("draws", "draws_per_second", "bound_ratio", "bound_ratio_of_stated_variance")
HEADER = ("check", "claim", "draws", "draws/s", "ratio", "of stated variance", "delta")


def declared(entry: Entry) -> list[str]:
    """The Monte Carlo checks of a theorem's file, read without importing it."""
    functions = [node for node in ast.walk(ast.parse(entry.path.read_bytes())) if isinstance(node, ast.FunctionDef)]
    return [
        function.name for function in functions if any("monte_carlo" in ast.dump(d) for d in function.decorator_list)
    ]


UNITS = [Unit(entry, None, name, MONTECARLO) for entry in catalogue().values() for name in declared(entry)]


def parts(result: CheckResult) -> list[dict[str, Any]]:
    """The evidence of each claim of the check."""
    return list(result.verdict.evidence.get("parts", [result.verdict.evidence]))


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
        table.append((unit.key, str(number), *map(shown, cost.values()), f"{claim[0]['delta']:.3g}"))
    assert [cost for cost in means if cost["draws"] > LEAST_DRAWS and ratio_to_assert(cost) > LARGEST_RATIO] == []


def mean(claim: Sequence[dict[str, Any]], name: str) -> float | None:
    """Over the seeds; None where the number does not apply."""
    values = [evidence.get(name) for evidence in claim]
    return None if None in values else fmean(values)


def ratio_to_assert(cost: dict[str, float | None]) -> float:
    """A test that holds for every law of a stated variance cannot cost less than the worst of them does."""
    stated = cost["bound_ratio_of_stated_variance"]
    return (cost["bound_ratio"] if stated is None else stated) or 0.0


def shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
