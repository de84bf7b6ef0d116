"""The Monte Carlo checks of the catalogue as benchmarks: which there are, and what a verdict of one cost."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from mdnn_verify.catalogue import Entry, catalogue
from mdnn_verify.runner.units import Unit
from mdnn_verify.verdicts import MONTECARLO, CheckResult

__all__ = ["costs", "declared", "monte_carlo_units", "parts"]


def monte_carlo_units() -> list[Unit]:
    """One unit for each Monte Carlo check of each theorem, found without importing any."""
    return [Unit(entry, None, name, MONTECARLO) for entry in catalogue().values() for name in declared(entry)]


def declared(entry: Entry) -> list[str]:
    """The Monte Carlo checks of a theorem's file, read without importing it."""
    functions = [node for node in ast.walk(ast.parse(entry.path.read_bytes())) if isinstance(node, ast.FunctionDef)]
    return [
        function.name for function in functions if any("monte_carlo" in ast.dump(d) for d in function.decorator_list)
    ]


def parts(result: CheckResult) -> list[dict[str, Any]]:
    """The evidence of each claim of the check."""
    return list(result.verdict.evidence.get("parts", [result.verdict.evidence]))


def costs(results: Sequence[CheckResult]) -> dict[str, Any]:
    """Draws to a verdict on average over the results, and the most that any claim took over its sequential bound.

    The bound is 2 log(1/alpha) s^2 / delta^2; None where no claim has one.
    """
    claims = [part for result in results for part in parts(result)]
    ratios = [claim["bound_ratio"] for claim in claims if claim.get("bound_ratio") is not None]
    return {
        "draws_to_verdict": sum(claim["draws"] for claim in claims) / len(results),
        "largest_ratio_to_sequential_bound": max(ratios, default=None),
    }
