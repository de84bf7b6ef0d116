"""What a Monte Carlo verdict costs: draws, draws a second, and draws over the bound of a sequential likelihood-ratio test.

Every Monte Carlo check of the catalogue is run under several seeds at the suite's default alpha. A check of several
claims reports the sum of their draws, and each claim's own ratio. Run: ``tox -e bench``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from statistics import fmean
from typing import Any

import pytest

from mdnn_verify.catalogue import Entry, catalogue
from mdnn_verify.runner.units import Settings, Unit, run_unit
from mdnn_verify.verdicts import MONTECARLO, CheckResult

SEEDS = 5
LARGEST_RATIO = 2.0  # draws over 2 log(1/alpha) s^2 / delta^2, on average
HEADER = ("check", "claim", "draws", "draws/s", "ratio", "delta")


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
    means = [
        {key: fmean(run[key] or 0.0 for run in claim) for key in ("draws", "draws_per_second", "bound_ratio")}
        for claim in claims
    ]
    benchmark.extra_info.update(
        draws_to_verdict=sum(mean["draws"] for mean in means),
        draws_per_second=min(mean["draws_per_second"] for mean in means),
        bound_ratio=[mean["bound_ratio"] for mean in means],
        alpha=claims[0][0]["alpha"],
    )
    for number, (claim, mean) in enumerate(zip(claims, means, strict=True)):
        cells = (f"{mean['draws']:,.0f}", f"{mean['draws_per_second']:,.0f}", f"{mean['bound_ratio']:.2f}")
        table.append((unit.key, str(number), *cells, f"{claim[0]['delta']:.3g}"))
    assert max(mean["bound_ratio"] for mean in means) <= LARGEST_RATIO
