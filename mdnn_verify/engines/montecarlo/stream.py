"""Random streams: every number derives from one root seed and the check's name, whatever the number of workers.

On the CPU a block is numpy's Philox, seeded by SeedSequence(root seed, spawn key = words of sha256(name) + block). On a
GPU it is a torch generator seeded from the same sequence; the two streams differ, and reports name the device.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from mdnn_verify.errors import UsageError
from mdnn_verify.maths.validation import probability_vector

__all__ = ["Stream"]

Size = int | Sequence[int]


class Stream:
    """One block of random numbers, as float64 tensors on ``device``.

    ``Stream(name, seed, block)`` is fully determined by its arguments. ``size`` is an int or a shape.
    Raises UsageError where ``device`` is a GPU and there is none.
    """

    def __init__(self, name: str, seed: int, block: int = 0, device: str = "cpu") -> None:
        words = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype="<u4")
        sequence = np.random.SeedSequence(seed, spawn_key=(*(int(word) for word in words), block))
        self.device = torch.device(device)
        self.numpy = np.random.Generator(np.random.Philox(sequence))
        self._torch: torch.Generator | None = None
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise UsageError(f"no device {device!r}: torch sees no GPU on this machine")
        if self.device.type != "cpu":
            self._torch = torch.Generator(self.device)
            self._torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1)))

    def uniform(self, size: Size, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """Uniform on [low, high)."""
        if self._torch is None:
            return torch.from_numpy(self.numpy.uniform(low, high, size))
        draws = torch.rand(_shape(size), generator=self._torch, dtype=torch.float64, device=self.device)
        return low + (high - low) * draws

    def normal(self, size: Size) -> torch.Tensor:
        """Standard normal."""
        if self._torch is None:
            return torch.from_numpy(self.numpy.standard_normal(size))
        return torch.randn(_shape(size), generator=self._torch, dtype=torch.float64, device=self.device)

    def exponential(self, size: Size) -> torch.Tensor:
        """Standard exponential."""
        if self._torch is None:
            return torch.from_numpy(self.numpy.standard_exponential(size))
        draws = torch.empty(_shape(size), dtype=torch.float64, device=self.device)
        return draws.exponential_(generator=self._torch)

    def integers(self, low: int, high: int, size: Size) -> torch.Tensor:
        """Uniform on {low, ..., high - 1}, int64."""
        if self._torch is None:
            return torch.from_numpy(self.numpy.integers(low, high, size))
        return torch.randint(low, high, _shape(size), generator=self._torch, device=self.device)

    def categorical(self, probabilities: Sequence[float], size: int) -> torch.Tensor:
        """Indices 0 .. k-1 with the given probabilities, by inversion of cumulative sums; int64, shape (size,)."""
        edges = torch.as_tensor(np.cumsum(probability_vector("probabilities", probabilities)), device=self.device)
        return torch.searchsorted(edges[:-1].contiguous(), self.uniform(size), right=True)


def _shape(size: Size) -> tuple[int, ...]:
    return (size,) if isinstance(size, int) else tuple(size)
