"""Timing inside one process: alternating rounds on the host's clock, and the ratio of two of them with an interval.

Ratios of alternating rounds survive a noisy machine, single times do not. What CUDA events measure is in ``cuda``, the
machine's own rates in ``ceilings``; both are importable from here.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from mdnn_verify.bench.ceilings import matmul_rate, memory_bandwidth
from mdnn_verify.bench.cuda import cuda_times, quantiles
from mdnn_verify.errors import UsageError

__all__ = ["Ratio", "cuda_times", "interleaved", "matmul_rate", "memory_bandwidth", "paired_ratio", "quantiles"]


@dataclass(frozen=True)
class Ratio:
    """A ratio of times: the median over pairs and an interval that covers it with probability at least ``level``."""

    median: float
    low: float
    high: float
    level: float
    pairs: int


def interleaved(
    functions: Mapping[str, Callable[[], object]],
    rounds: int,
    warmup: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each call, ``rounds`` of each function; the order alternates, A B then B A.

    What drifts in the course of the measurement (clock rate, neighbours) then meets all functions alike. For work on a
    GPU the functions themselves must synchronise. Raises UsageError for no functions or fewer than one round.
    """
    if not functions:
        raise UsageError("there is nothing to time: functions is empty")
    if rounds < 1 or warmup < 0:
        raise UsageError(f"rounds is {rounds} and warmup {warmup}, expected at least 1 and 0")
    for function in functions.values():
        for _ in range(warmup):
            function()
    names = list(functions)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    with _no_garbage_collection():
        for number in range(rounds):
            for name in names if number % 2 == 0 else reversed(names):
                start = clock()
                functions[name]()
                seconds[name].append(clock() - start)
    return seconds


def paired_ratio(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Ratio:
    """Time of ``a`` over time of ``b``, pair by pair: the median, and its interval by order statistics.

    The interval is exact for independent pairs whatever their distribution (the number of pairs below the median is
    binomial); with fewer than six pairs no interval of level 0.95 exists and it is (0, inf). Raises UsageError for
    sequences of different or no length and for times that are not positive.
    """
    if len(a) != len(b) or not len(a):
        raise UsageError(f"a has {len(a)} times and b {len(b)}, expected the same number, at least one")
    if not all(math.isfinite(t) and t > 0 for t in (*a, *b)):
        raise UsageError("a and b must hold positive, finite times")
    logs = np.sort(np.log(np.asarray(a, float)) - np.log(np.asarray(b, float)))
    low, high = median_interval(logs, level)
    return Ratio(math.exp(float(np.median(logs))), math.exp(low), math.exp(high), level, len(logs))


def median_interval(ordered: Sequence[float] | np.ndarray, level: float) -> tuple[float, float]:
    """The narrowest symmetric pair of order statistics that covers the median with probability ``level`` or more."""
    n = len(ordered)
    # P(median < k-th smallest) = P(Bin(n, 1/2) <= k - 1): the largest k that keeps it at (1 - level)/2 on each side
    k = int(np.searchsorted(binom.cdf(np.arange(n), n, 0.5), (1 - level) / 2, side="right"))
    return (float(ordered[k - 1]), float(ordered[n - k])) if k else (-math.inf, math.inf)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A collection in the middle of a call would be charged to that call."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
