"""Which machine a figure was measured on; figures of different machines are never compared."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mdnn_verify.errors import UsageError

__all__ = ["Machine", "available_cores", "key_of", "refuse_other_machines", "this_machine"]

CPUINFO = Path("/proc/cpuinfo")
IDENTIFYING = ("model name", "cpu family", "model", "stepping")
NOISE = re.compile(r"\((r|tm)\)|\bcpu\b|@.*|\b\d+-core\b|\bprocessor\b", re.IGNORECASE)


@dataclass(frozen=True)
class Machine:
    """Everything a machine is told apart by. ``gpu`` is "" without one."""

    cpu: str
    cores: int
    gpu: str
    driver: str
    torch: str
    python: str
    system: str

    @property
    def key(self) -> str:
        return key_of(asdict(self))

    def description(self) -> dict[str, Any]:
        """The fields and the key, as JSON holds them."""
        return {"key": self.key, **asdict(self)}


def key_of(fields: Mapping[str, Any]) -> str:
    """A readable folder name with a hash of all fields, such as "amd-epyc-2c-torch2.13-1a2b3c4d"."""
    fields = {name: value for name, value in fields.items() if name != "key"}
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:8]
    torch_version = ".".join(str(fields["torch"]).split("+")[0].split(".")[:2])
    parts = [_slug(str(fields["cpu"]).split(",")[0]), f"{fields['cores']}c"]
    parts += [_slug(str(fields["gpu"]))] if fields["gpu"] else []
    return "-".join([*parts, f"torch{torch_version}", digest])


def this_machine() -> Machine:
    """The machine this process runs on, with the cores it may use."""
    import torch

    gpu, driver = _gpu()
    return Machine(
        cpu=_cpu(),
        cores=len(available_cores()),
        gpu=gpu,
        driver=driver,
        torch=str(torch.__version__),
        python=".".join(platform.python_version_tuple()[:2]),
        system=f"{platform.system()} {platform.machine()}",
    )


def available_cores() -> list[int]:
    """The numbers of the cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def refuse_other_machines(documents: Iterable[tuple[str, Mapping[str, Any]]], key: str) -> None:
    """Raises UsageError for the first (name, document) whose figures were measured on another machine than ``key``."""
    for name, document in documents:
        machine = document.get("machine")
        if not isinstance(machine, Mapping) or "key" not in machine:
            raise UsageError(f"{name} does not say which machine it was measured on, so it is compared with nothing")
        if machine["key"] != key:
            raise UsageError(
                f"{name} was measured on {machine['key']}, the others on {key}: "
                "figures of different machines are never compared"
            )


def _cpu() -> str:
    """The model with family and stepping, because several generations share one marketing name."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "model name" not in fields:
        return platform.processor() or platform.machine()
    details = ", ".join(f"{name} {fields[name]}" for name in IDENTIFYING[1:] if name in fields)
    return f"{fields['model name']}, {details}" if details else fields["model name"]


def _gpu() -> tuple[str, str]:
    import torch

    if not torch.cuda.is_available():
        return "", ""
    from mdnn_verify.bench.cuda import gpu_state

    return torch.cuda.get_device_name(0), str(gpu_state().get("driver", f"CUDA {torch.version.cuda}"))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", NOISE.sub(" ", text).lower()).strip("-")[:40] or "unknown"
