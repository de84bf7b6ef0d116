"""A row of the benchmark suite: pytest-benchmark's figure, the device's own clock, rates, ceilings beside them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from mdnn_verify.bench.ceilings import matmul_rate, memory_bandwidth
from mdnn_verify.bench.cuda import cuda_times, gpu_state, quantiles

__all__ = ["Measure"]


class Measure:
    """``measure(function, images=100, operations=...)`` times calls; ``measure.add(name=value)`` adds to the row."""

    def __init__(self, benchmark: Any, device: str) -> None:
        self.benchmark = benchmark
        self.device = device
        benchmark.extra_info["device"] = device

    def add(self, **info: Any) -> None:
        """Further numbers of the row, as JSON can hold them."""
        self.benchmark.extra_info.update(info)

    def __call__(
        self,
        function: Callable[[], object],
        *,
        rounds: int = 20,
        warmup: int = 3,
        images: int | None = None,
        operations: float | None = None,
        nbytes: float | None = None,
        **extra: Any,
    ) -> float:
        """The median in seconds. ``images``, ``operations`` (floating-point) and ``nbytes`` are those of one call.

        On a GPU it is that of the device's events with a cold L2 cache; the host's clock, synchronised, is in the row
        too.
        """
        self.benchmark.pedantic(_waited(function, self.device), rounds=rounds, warmup_rounds=warmup)
        seconds = float(self.benchmark.stats.stats.median)
        self.add(**extra)
        if self.device == "cuda":
            on_device = quantiles(cuda_times(function, rounds, warmup=1))
            self.add(cuda={**on_device, **gpu_state()})
            seconds = on_device["q50"]
        if images is not None:
            self.add(images=images, images_per_second=images / seconds)
        if operations is not None:
            self.add(**_share("operations", operations / seconds, _matmul_ceiling(self.device)))
        if nbytes is not None:
            self.add(**_share("bytes", nbytes / seconds, _bandwidth_ceiling(self.device)))
        return seconds


def _waited(function: Callable[[], object], device: str) -> Callable[[], object]:
    """On a GPU a call has ended when its work has, not when it is queued."""
    if device == "cpu":
        return function
    import torch

    def call() -> None:
        function()
        torch.cuda.synchronize()

    return call


def _share(unit: str, rate: float, ceiling: float) -> dict[str, float]:
    name = f"{unit}_per_second"
    return {name: rate, f"{name}_ceiling": ceiling, f"share_of_{unit}_ceiling": rate / ceiling}


@lru_cache
def _matmul_ceiling(device: str) -> float:
    return matmul_rate(device=device)


@lru_cache
def _bandwidth_ceiling(device: str) -> float:
    return memory_bandwidth(device=device)
