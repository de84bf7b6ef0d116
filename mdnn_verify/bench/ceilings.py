"""What the machine itself can do, measured in the same run as the figures it is set beside."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median

import torch

from mdnn_verify.bench.cuda import cuda_times
from mdnn_verify.errors import UsageError

__all__ = ["matmul_rate", "memory_bandwidth", "sequential_bound", "training_operations"]

LEAST_SECONDS = 0.05  # a sample shorter than this is mostly clock and scheduler
COPY_BYTES = 256 << 20  # far beyond any cache


def matmul_rate(
    dtype: torch.dtype = torch.float32,
    m: int = 1024,
    k: int = 1024,
    n: int = 1024,
    *,
    device: str = "cpu",
    repetitions: int = 9,
) -> float:
    """Floating-point operations a second of an (m, k) by (k, n) product: 2 m k n over the median time.

    Pass the shapes of the work it is a ceiling for, or the square default for the machine's own. Raises UsageError for
    sizes below 1.
    """
    if min(m, k, n, repetitions) < 1:
        raise UsageError(f"m, k, n and repetitions are {(m, k, n, repetitions)}, expected at least 1 each")
    a, b = torch.ones(m, k, dtype=dtype, device=device), torch.ones(k, n, dtype=dtype, device=device)
    out = torch.empty(m, n, dtype=dtype, device=device)
    return 2.0 * m * k * n / _seconds(lambda: torch.mm(a, b, out=out), device, repetitions)


def memory_bandwidth(*, device: str = "cpu", nbytes: int = COPY_BYTES, repetitions: int = 9) -> float:
    """Bytes a second of a copy of a buffer beyond the caches; each byte counts twice, read and written."""
    if nbytes < 1 or repetitions < 1:
        raise UsageError(f"nbytes and repetitions are {(nbytes, repetitions)}, expected at least 1 each")
    source = torch.zeros(nbytes, dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)
    return 2.0 * nbytes / _seconds(lambda: target.copy_(source), device, repetitions)


def training_operations(parameters: int, images: int) -> float:
    """6 x parameters x images: two for each weight forwards and four backwards, a dense layer's products alone."""
    return 6.0 * parameters * images


def sequential_bound(alpha: float, standard_deviation: float, delta: float) -> float:
    """2 log(1/alpha) s^2 / delta^2 draws: what a sequential test of a mean at level alpha needs at the least."""
    return 2 * math.log(1 / alpha) * standard_deviation**2 / delta**2


def _seconds(function: Callable[[], object], device: str, repetitions: int) -> float:
    """The median time of one call; on the CPU calls are grouped until a sample is long enough to be read."""
    if torch.device(device).type == "cuda":
        return median(cuda_times(function, repetitions, flush=False))
    function()
    start = time.perf_counter()
    function()
    calls = max(1, math.ceil(LEAST_SECONDS / max(time.perf_counter() - start, 1e-9)))
    samples = []
    for _ in range(repetitions):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        samples.append((time.perf_counter() - start) / calls)
    return median(samples)
