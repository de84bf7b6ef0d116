"""Products with a convolution's matrix, formed and not formed: time and peak memory as n grows, with fitted exponents.

Source: seed 004, Problem 6(b). Memory is what torch's CPU allocator hands out during the call, its highest sum (the
profiler's record of every allocation and release, so temporary copies inside an operation count); inputs, which exist
before the call, do not. The dense way forms A_w in the call whose memory is taken, and is timed both with forming it
and without.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from scipy.stats import linregress

from mdnn_verify.bench.timing import interleaved
from mdnn_verify.errors import UsageError
from mdnn_verify.maths.convolution import correlate, correlate_adjoint, dense_matrix

__all__ = ["PRODUCTS", "Measurement", "Row", "dense_bytes", "fitted_exponent", "measure", "peak_bytes"]

PRODUCTS = ("A y", "A' u", "C_v y")
FREE_SIZES = (1_000, 3_162, 10_000, 31_623, 100_000)
DENSE_SIZES = (500, 1_000, 2_000, 4_000, 5_657, 8_000)
CACHES = 2**26  # bytes; a matrix larger than this is read from memory in every product
ITEM = 8  # bytes of a float64


@dataclass(frozen=True)
class Row:
    """One product at one size. ``way`` is "convolution", "matrix" (formed in the call) or "formed matrix" (before it).

    ``seconds`` and ``peak_bytes`` are None where the matrix does not fit into the machine's memory; ``needed_bytes``
    says what it would take.
    """

    product: str
    way: str
    n: int
    f: int
    seconds: float | None
    peak_bytes: int | None
    needed_bytes: int


@dataclass(frozen=True)
class Measurement:
    """All rows, and exponents: "A y, convolution, seconds" -> (p, its standard error) in time ~ n^p.

    Matrices are fitted over the sizes that exceed the caches, where there are two: a fit across that border finds the
    cost of leaving them, not that of n. Convolutions are fitted over all sizes.
    """

    rows: tuple[Row, ...]
    exponents: dict[str, tuple[float, float]]

    def as_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"rows": [asdict(row) for row in self.rows], "exponents": self.exponents}


def measure(
    free_sizes: Sequence[int] = FREE_SIZES, dense_sizes: Sequence[int] = DENSE_SIZES, f: int = 9, rounds: int = 15
) -> Measurement:
    """Median times of ``rounds`` alternating calls on one thread, peak memory, and the fitted exponents.

    Every size of ``free_sizes`` gets a row for the matrix too, measured where it is in ``dense_sizes`` and else what it
    would need. Raises UsageError for a filter that is longer than the smallest size, or a matrix that does not fit.
    """
    smallest = min([*free_sizes, *dense_sizes], default=0)
    if not 1 <= f < smallest:
        raise UsageError(f"f is {f}, expected at least 1 and less than the smallest n, {smallest}")
    if max(dense_sizes, default=0) and dense_bytes(max(dense_sizes), f) > _available():
        raise UsageError(f"the matrix for n = {max(dense_sizes)} needs {dense_bytes(max(dense_sizes), f):,} bytes")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = [row for n in free_sizes for row in _free_rows(n, f, rounds)]
        rows += [row for n in dense_sizes for row in _dense_rows(n, f, rounds)]
    finally:
        torch.set_num_threads(threads)
    unformed = [n for n in free_sizes if n not in dense_sizes]
    rows += [Row(product, "matrix", n, f, None, None, dense_bytes(n, f)) for n in unformed for product in PRODUCTS[:2]]
    return Measurement(tuple(rows), _exponents(rows))


def dense_bytes(n: int, f: int) -> int:
    """What A_w takes in float64."""
    return ITEM * n * (n - f + 1)


def fitted_exponent(sizes: Sequence[int], values: Sequence[float]) -> tuple[float, float]:
    """The least-squares slope of log value against log size, and its standard error.

    The error is 0 for two sizes, which leave no residual. Raises UsageError for fewer than two different sizes.
    """
    if len(set(sizes)) < 2 or len(sizes) != len(values):
        raise UsageError(f"{len(sizes)} sizes and {len(values)} values, expected as many, and two different sizes")
    fit = linregress(np.log(np.asarray(sizes, float)), np.log(np.asarray(values, float)))
    return float(fit.slope), float(fit.stderr)


def peak_bytes(function: Callable[[], object]) -> int:
    """The highest sum of what torch's CPU allocator has handed out and not taken back during one call."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler tells stderr when it starts and stops
    with torch.profiler.profile(activities=activities, profile_memory=True) as profiler:
        result = function()
    del result
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_text())["traceEvents"]
    changes = [event for event in events if event.get("name") == "[memory]" and event["args"]["Device Type"] == 0]
    held = largest = 0
    for event in sorted(changes, key=lambda change: float(change["ts"])):
        held += int(event["args"]["Bytes"])
        largest = max(largest, held)
    return largest


def _free_rows(n: int, f: int, rounds: int) -> list[Row]:
    w, y, u = _inputs(n, f)
    calls = {"A y": lambda: correlate(w, y), "A' u": lambda: correlate_adjoint(w, u), "C_v y": lambda: correlate(u, y)}
    seconds = interleaved(calls, rounds, warmup=2)
    return [
        Row(name, "convolution", n, f, median(seconds[name]), peak_bytes(call), dense_bytes(n, f))
        for name, call in calls.items()
    ]


def _dense_rows(n: int, f: int, rounds: int) -> list[Row]:
    w, y, u = _inputs(n, f)
    matrix = dense_matrix(w, n)
    ways: dict[str, dict[str, Callable[[], object]]] = {
        "matrix": {"A y": lambda: dense_matrix(w, n) @ y, "A' u": lambda: dense_matrix(w, n).T @ u},
        "formed matrix": {"A y": lambda: matrix @ y, "A' u": lambda: matrix.T @ u},
    }
    rows = []
    for way, calls in ways.items():
        seconds = interleaved(calls, rounds, warmup=1)
        rows += [
            Row(name, way, n, f, median(seconds[name]), peak_bytes(call), dense_bytes(n, f))
            for name, call in calls.items()
        ]
    return rows


def _inputs(n: int, f: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(n)
    w, y, u = (torch.randn(size, dtype=torch.float64, generator=generator) for size in (f, n, n - f + 1))
    return w, y, u


def _exponents(rows: Sequence[Row]) -> dict[str, tuple[float, float]]:
    found = {}
    for product, way in sorted({(row.product, row.way) for row in rows}):
        mine = [row for row in rows if (row.product, row.way) == (product, way) and row.seconds]
        for quantity in ("seconds", "peak_bytes"):
            large = [row for row in mine if row.needed_bytes > CACHES]
            mine = large if way != "convolution" and len({row.n for row in large}) >= 2 else mine
            values = [float(getattr(row, quantity)) for row in mine]
            if len({row.n for row in mine}) >= 2 and all(value > 0 for value in values):
                found[f"{product}, {way}, {quantity}"] = fitted_exponent([row.n for row in mine], values)
    return found


def _available() -> float:
    """The machine's memory in bytes; infinite where it does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return math.inf
