"""What a run took place on, in words, for reports."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["cpu", "device_name"]


def cpu() -> str:
    """The processor's model, where the system tells it, and the number of cores."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else model}, {os.cpu_count()} cores"


def device_name(device: str) -> str:
    """The GPU's name; empty on the CPU."""
    if device != "cuda":
        return ""
    import torch

    return torch.cuda.get_device_name()
