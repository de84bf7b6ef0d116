"""A training step as a CUDA graph: captured once for each batch size, then replayed by one launch. Not yet measured.

The logic runs on the CPU with any recorder that has ``TorchRecorder``'s one method; its tests do so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch

__all__ = ["Recorder", "Replayed", "TorchRecorder"]

Step = Callable[[torch.Tensor], torch.Tensor]
WARMUP = 3  # calls before a capture: libraries choose their algorithms and allocate their workspaces in the first


class Recorder(Protocol):
    """Turns a step into its replay."""

    def record(self, step: Step, batch: torch.Tensor) -> tuple[Callable[[], object], torch.Tensor]:
        """Call ``step(batch)``; return what repeats it on the same memory, and where the result appears."""
        ...


class TorchRecorder:
    """Records by torch.cuda.CUDAGraph."""

    def record(self, step: Step, batch: torch.Tensor) -> tuple[Callable[[], object], torch.Tensor]:
        """Warm up on a side stream, as CUDA graphs require, then capture."""
        side = torch.cuda.Stream(batch.device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(batch.device))
        with torch.cuda.stream(side):
            for _ in range(WARMUP):
                step(batch)
        torch.cuda.current_stream(batch.device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = step(batch)
        return graph.replay, result


class Replayed:
    """``step`` through a recording. ``state`` names all tensors that it changes: warming up must leave no trace."""

    def __init__(
        self, step: Step, state: Callable[[], Mapping[str, torch.Tensor]], recorder: Recorder | None = None
    ) -> None:
        self.step, self.state = step, state
        self.recorder: Recorder = recorder or TorchRecorder()
        self._recordings: dict[torch.Size, tuple[torch.Tensor, Callable[[], object], torch.Tensor]] = {}

    def __call__(self, batch: torch.Tensor) -> torch.Tensor:
        """The step's result; its memory is overwritten by the next call."""
        if batch.shape not in self._recordings:
            self._recordings[batch.shape] = self._record(batch)
        static, replay, result = self._recordings[batch.shape]
        static.copy_(batch)
        replay()
        return result

    def _record(self, batch: torch.Tensor) -> tuple[torch.Tensor, Callable[[], object], torch.Tensor]:
        static = batch.clone()
        before = {name: tensor.clone() for name, tensor in self.state().items()}
        replay, result = self.recorder.record(self.step, static)
        for name, tensor in self.state().items():
            tensor.copy_(before[name])
        return static, replay, result
