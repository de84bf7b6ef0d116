from __future__ import annotations

import math
from itertools import count

import pytest
import torch

from mdnn_verify.bench import cuda
from mdnn_verify.bench.ceilings import matmul_rate, memory_bandwidth, sequential_bound, training_operations
from mdnn_verify.bench.timing import cuda_times, interleaved, median_interval, paired_ratio, quantiles
from mdnn_verify.errors import UsageError


def test_rounds_alternate_and_warmup_is_not_timed() -> None:
    order: list[str] = []
    ticks = count()
    times = interleaved(
        {"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3, warmup=1, clock=lambda: next(ticks)
    )
    assert "".join(order) == "ab" + "abbaab"
    assert times == {"a": [1, 1, 1], "b": [1, 1, 1]}


@pytest.mark.parametrize(("functions", "rounds"), [({}, 1), ({"a": int}, 0)])
def test_nothing_to_time_is_refused(functions: dict, rounds: int) -> None:
    with pytest.raises(UsageError):
        interleaved(functions, rounds)


def test_ratio_of_pairs_does_not_see_what_both_share() -> None:
    weather = [1.0, 7.0, 2.0, 30.0, 1.5, 1.0, 9.0]
    ratio = paired_ratio([2 * w for w in weather], weather)
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((2, 2, 2))


@pytest.mark.parametrize("n", range(1, 40))
def test_interval_of_the_median_covers_and_is_the_narrowest(n: int) -> None:
    low, high = median_interval(list(range(1, n + 1)), 0.95)
    outside = lambda k: 2 * sum(math.comb(n, i) for i in range(k)) / 2**n  # noqa: E731  P(median outside k-th, n+1-k-th)
    if math.isinf(low):
        assert outside(1) > 0.05
    else:
        k = int(low)
        assert high == n + 1 - k
        assert outside(k) <= 0.05 < outside(k + 1)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 2.0]), ([1.0], [0.0]), ([math.nan], [1.0])])
def test_bad_times_are_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(UsageError):
        paired_ratio(a, b)


class FakeGpu:
    """Work is queued and takes time on the device only; a flush takes time too, and must not be charged to the work."""

    def __init__(self) -> None:
        self.now, self.queue, self.log = 0.0, [], []

    def event(self) -> FakeEvent:
        return FakeEvent(self)

    def flush(self) -> None:
        self.launch(5.0, "flush")

    def launch(self, milliseconds: float, name: str) -> None:
        self.queue.append((milliseconds, name))

    def synchronize(self) -> None:
        for item, name in self.queue:
            if isinstance(item, FakeEvent):
                item.time = self.now
            else:
                self.now += item
            self.log.append(name)
        self.queue.clear()


class FakeEvent:
    def __init__(self, gpu: FakeGpu) -> None:
        self.gpu, self.time = gpu, math.nan

    def record(self) -> None:
        self.gpu.queue.append((self, "event"))

    def elapsed_time(self, end: FakeEvent) -> float:
        return end.time - self.time


@pytest.mark.parametrize("flush", [True, False])
def test_events_measure_the_work_alone(flush: bool) -> None:
    gpu, lengths = FakeGpu(), iter([100.0, 100.0, 1.0, 2.0, 3.0])
    times = cuda_times(lambda: gpu.launch(next(lengths), "work"), 3, warmup=2, flush=flush, device=gpu)
    assert times == pytest.approx([0.001, 0.002, 0.003])
    assert gpu.log.count("flush") == (3 if flush else 0)


def test_without_a_gpu_it_says_so() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(UsageError, match="sees no CUDA device"):
        cuda_times(lambda: None)
    assert cuda.gpu_state() == {}


def test_quantiles_are_ordered() -> None:
    found = quantiles([3.0, 1.0, 2.0])
    assert list(found.values()) == sorted(found.values())
    assert found["q50"] == 2.0


def test_ceilings() -> None:
    assert matmul_rate(torch.float32, 64, 64, 64, repetitions=3) > 0
    assert memory_bandwidth(nbytes=1 << 20, repetitions=3) > 0
    assert training_operations(10, 3) == 180
    assert sequential_bound(math.exp(-2), 3.0, 0.5) == pytest.approx(144)
    with pytest.raises(UsageError):
        matmul_rate(m=0)
