"""Time on a GPU by CUDA events, never by the host's clock; and the state the GPU was in. Not yet measured on a GPU.

The logic runs on the CPU against any object with the protocol's four methods; its tests do so.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from mdnn_verify.errors import UsageError

__all__ = ["Device", "Event", "TorchDevice", "cuda_times", "gpu_state", "quantiles"]

L2_UNKNOWN = 128 << 20  # bytes; more than the L2 of any GPU so far
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Event(Protocol):
    """A point in a GPU's stream of work."""

    def record(self) -> object: ...

    def elapsed_time(self, end: Any, /) -> float:
        """Milliseconds from this event to ``end``, both reached."""
        ...


class Device(Protocol):
    """What is timed upon."""

    def event(self) -> Event: ...

    def flush(self) -> None:
        """Queue a write of a buffer larger than the L2 cache, so that the next kernel finds it cold."""
        ...

    def synchronize(self) -> None: ...


class TorchDevice:
    """A CUDA device through torch. Raises UsageError if there is none."""

    def __init__(self, device: str = "cuda") -> None:
        if not torch.cuda.is_available():
            raise UsageError(f"device {device!r} cannot be timed: torch sees no CUDA device")
        self.device = torch.device(device)
        l2 = getattr(torch.cuda.get_device_properties(self.device), "L2_cache_size", 0)
        self._buffer = torch.empty(2 * l2 or L2_UNKNOWN, dtype=torch.uint8, device=self.device)

    def event(self) -> Event:
        event: Event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        return event

    def flush(self) -> None:
        self._buffer.zero_()

    def synchronize(self) -> None:
        torch.cuda.synchronize(self.device)


def cuda_times(
    function: Callable[[], object],
    repetitions: int = 50,
    *,
    flush: bool = True,
    warmup: int = 3,
    device: Device | None = None,
) -> list[float]:
    """Seconds of each repetition on the device: an event before, one after, a cold L2 cache if ``flush``.

    The flush is queued before the first event, so it is not timed; all repetitions are queued and waited for once, so
    the host adds nothing. Raises UsageError without a CUDA device, or for fewer than one repetition.
    """
    if repetitions < 1 or warmup < 0:
        raise UsageError(f"repetitions is {repetitions} and warmup {warmup}, expected at least 1 and 0")
    device = TorchDevice() if device is None else device
    for _ in range(warmup):
        function()
    device.synchronize()
    pairs = [(device.event(), device.event()) for _ in range(repetitions)]
    for start, end in pairs:
        if flush:
            device.flush()
        start.record()
        function()
        end.record()
    device.synchronize()
    return [start.elapsed_time(end) / 1000 for start, end in pairs]


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """The 5, 25, 50, 75 and 95 % quantiles by name ("q05" ...)."""
    return {f"q{round(100 * q):02d}": float(np.quantile(seconds, q)) for q in QUANTILES}


def gpu_state(index: int = 0) -> dict[str, Any]:
    """Driver, clocks (MHz), reasons of throttling, temperature, power; peak memory of this process (bytes).

    Empty without a GPU. What needs nvidia-ml-py (extra ``gpu``) is left out without it, and says so.
    """
    if not torch.cuda.is_available():
        return {}
    state: dict[str, Any] = {"peak_memory": torch.cuda.max_memory_allocated(index)}
    if importlib.util.find_spec("pynvml") is None:
        return state | {"note": "clocks and throttling unknown: nvidia-ml-py is not installed (extra gpu)"}
    return state | _management(index)


def _management(index: int) -> dict[str, Any]:
    pynvml = importlib.import_module("pynvml")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return {"note": f"clocks and throttling unknown: {error}"}
    try:
        return _readings(pynvml, _handle(pynvml, index))
    except pynvml.NVMLError as error:
        return {"note": f"clocks and throttling unknown: {error}"}
    finally:
        pynvml.nvmlShutdown()


def _handle(nvml: Any, index: int) -> Any:
    """NVML counts all GPUs of the machine, torch the visible ones: the UUID is the same on both sides."""
    uuid = getattr(torch.cuda.get_device_properties(index), "uuid", None)
    if uuid is None:
        return nvml.nvmlDeviceGetHandleByIndex(index)
    return nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")


def _readings(nvml: Any, handle: Any) -> dict[str, Any]:
    reasons = nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
    named = {
        name.removeprefix("nvmlClocksThrottleReason"): getattr(nvml, name)
        for name in dir(nvml)
        if name.startswith("nvmlClocksThrottleReason") and isinstance(getattr(nvml, name), int)
    }
    return {
        "driver": str(nvml.nvmlSystemGetDriverVersion()),
        "clock_sm": nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM),
        "clock_memory": nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM),
        "clock_sm_most": nvml.nvmlDeviceGetMaxClockInfo(handle, nvml.NVML_CLOCK_SM),
        "throttling": sorted(
            name for name, bit in named.items() if bit and name not in ("All", "None") and reasons & bit
        ),
        "temperature": nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU),
        "power": nvml.nvmlDeviceGetPowerUsage(handle) / 1000,
    }
