"""Streams: a number depends on seed, name and block, and on nothing else."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from mdnn_verify.engines.base import Context
from mdnn_verify.engines.montecarlo import BoundedMean, CdfEqual, Stream

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
DRAWS = {
    "uniform": lambda stream, size: stream.uniform(size),
    "normal": lambda stream, size: stream.normal(size),
    "exponential": lambda stream, size: stream.exponential(size),
    "integers": lambda stream, size: stream.integers(2, 7, size),
}


def first(name: str = "check", seed: int = 0, block: int = 0) -> list[float]:
    return Stream(name, seed, block).uniform(8).tolist()


def on_torch_generator(seed: int = 3) -> Stream:
    """A stream that takes the path of a GPU, with a torch generator, but on the CPU."""
    stream = Stream("check", 0)
    stream._torch = torch.Generator().manual_seed(seed)
    return stream


def test_same_arguments_give_the_same_numbers() -> None:
    assert first() == first()


@pytest.mark.parametrize("other", [{"name": "check "}, {"name": ""}, {"seed": 1}, {"seed": 2**40}, {"block": 1}])
def test_any_other_argument_gives_other_numbers(other: dict[str, object]) -> None:
    assert not set(first()) & set(first(**other))


def test_many_names_and_blocks_never_meet() -> None:
    starts = {tuple(first(f"theorem/check {name}", 0, block)) for name in range(40) for block in range(40)}
    assert len(starts) == 1600


def test_numbers_are_the_same_in_every_process_and_release() -> None:
    """Reports quote seeds: what one printed must come back on any machine."""
    code = "from mdnn_verify.engines.montecarlo.stream import Stream; print(Stream('a/b', 7, 3).uniform(2).tolist())"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == str([0.06793056669213438, 0.354186094251299])


def test_blocks_do_not_depend_on_order_or_workers() -> None:
    serial = [first("check", 5, block) for block in range(32)]
    backwards = [first("check", 5, block) for block in reversed(range(32))]
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(lambda block: first("check", 5, block), range(32)))
    assert serial == backwards[::-1] == parallel


def test_verdict_does_not_depend_on_torch_threads() -> None:
    def decide() -> object:
        claim = BoundedMean(lambda rng, n: rng.uniform(n), 0.5, 0, 1, scale=1)
        evidence = dict(claim.decide(Context("threads", seed=1)).evidence)
        return {key: value for key, value in evidence.items() if key != "draws_per_second"}

    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = decide()
        torch.set_num_threads(2)
        assert decide() == one
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("size", [5, (2, 3), (4, 1, 2)])
@pytest.mark.parametrize("make", [lambda: Stream("check", 0), on_torch_generator], ids=["numpy", "torch generator"])
def test_shape_and_dtype(kind: str, size: object, make) -> None:
    draws = DRAWS[kind](make(), size)
    assert tuple(draws.shape) == ((size,) if isinstance(size, int) else size)
    assert draws.dtype == (torch.int64 if kind == "integers" else torch.float64)


@pytest.mark.parametrize("make", [lambda: Stream("check", 0), on_torch_generator], ids=["numpy", "torch generator"])
def test_ranges(make) -> None:
    stream = make()
    uniform, integers = stream.uniform(20_000, -2.0, 3.0), stream.integers(-1, 2, 20_000)
    assert float(uniform.min()) >= -2
    assert float(uniform.max()) < 3
    assert set(integers.tolist()) == {-1, 0, 1}
    assert float(stream.exponential(20_000).min()) >= 0


def test_categorical_follows_its_probabilities() -> None:
    p = [0.2, 0.0, 0.5, 0.3]
    edges = torch.tensor(np.cumsum(p))

    def cdf(x: torch.Tensor) -> torch.Tensor:
        return edges[x.long()].clamp(max=1)

    def cdf_left(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x >= 1, edges[(x.long() - 1).clamp(min=0)], 0.0)

    claim = CdfEqual(lambda rng, n: rng.categorical(p, n).double(), cdf, cdf_left, within=0.02)
    assert claim.decide(Context("categorical")).agrees
    assert not (Stream("check", 0).categorical(p, 50_000) == 1).any()


@pytest.mark.parametrize(("p", "only"), [([1.0, 0.0], 0), ([0.0, 1.0], 1), ([1.0], 0)])
def test_categorical_at_the_corners(p: list[float], only: int) -> None:
    assert set(Stream("check", 0).categorical(p, 1000).tolist()) == {only}


@pytest.mark.parametrize("p", [[0.5, 0.4], [1.5, -0.5], [], [float("nan"), 1.0]])
def test_categorical_refuses_what_is_no_probability_vector(p: list[float]) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        Stream("check", 0).categorical(p, 3)


@pytest.mark.parametrize("kind", DRAWS)
@CUDA
def test_cuda_stream_is_reproducible_and_on_the_device(kind: str) -> None:
    one, two, other = (DRAWS[kind](Stream("check", 0, block, "cuda"), 4096) for block in (0, 0, 1))
    assert one.device.type == "cuda"
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@CUDA
def test_cuda_verdict_agrees_and_names_the_device() -> None:
    claim = BoundedMean(lambda rng, n: rng.uniform(n), 0.5, 0, 1, scale=1)
    verdict = claim.decide(Context("on the device", device="cuda"))
    assert verdict.agrees
    assert verdict.evidence["device"] == "cuda"
