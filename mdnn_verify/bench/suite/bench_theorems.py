"""Monte Carlo checks from pilot to verdict, and one whole theorem with its false neighbours."""

from __future__ import annotations

import pytest

from mdnn_verify.bench.draws import costs, monte_carlo_units
from mdnn_verify.bench.measure import Measure
from mdnn_verify.catalogue import catalogue
from mdnn_verify.runner.units import Settings, Unit, assemble, run_unit, units_of
from mdnn_verify.verdicts import KINDS, CheckResult, Outcome

WHOLE = "games/rps_minimax_unique"
ROUNDS = 5


@pytest.mark.parametrize("unit", monte_carlo_units(), ids=lambda unit: unit.key)
def test_draws_to_verdict(unit: Unit, device: str, measure: Measure) -> None:
    """Each round has a seed of its own; the number of draws belongs to the figure."""
    results: list[CheckResult] = []

    def once() -> None:
        settings = Settings(seed=1000 + len(results), theorems=len(catalogue()), device=device)
        results.append(run_unit(unit, settings))

    seconds = measure(once, rounds=ROUNDS, warmup=1)
    wrong = [result.verdict.detail for result in results if not result.verdict.agrees]
    if wrong:
        pytest.fail(f"{unit.key} does not agree: {wrong[0]}")
    cost = costs(results)
    measure.add(**cost, draws_per_second=cost["draws_to_verdict"] / seconds)


def test_whole_theorem(device: str, measure: Measure) -> None:
    """Every check of one theorem and of its false neighbours, in one process."""
    entry = catalogue()[WHOLE]
    settings = Settings(device=device, theorems=len(catalogue()))

    def once() -> None:
        result = assemble(entry, [run_unit(unit, settings) for unit in units_of(entry, KINDS)])
        if result.verdict is not Outcome.VERIFIED:
            pytest.fail(f"{WHOLE} is {result.verdict}: {result.reason}")

    measure(once, rounds=ROUNDS, warmup=1)
