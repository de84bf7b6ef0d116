"""What is asked of a check, and what comes of it: plain values, so that naming them imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Assessment", "Request"]

STATUS = {"verified": 0, "refuted": 1, "usage": 2, "inconclusive": 3, "error": 4}


@dataclass(frozen=True)
class Request:
    """What to check and how. ``timeout`` is for one input, ``memory`` in bytes beyond which the child is stopped."""

    id: str
    subject: str
    seed: int = 0
    dtype: str = "float64"
    device: str = "cpu"
    dim: int | None = None
    trainable: bool = False
    alpha: float = 1e-6
    timeout: float = 10.0
    budget: float = 15.0
    memory: int = 4 << 30


@dataclass(frozen=True)
class Assessment:
    """What came of a check: ``verdict`` is verified, refuted, inconclusive, usage or error, ``reason`` a sentence."""

    id: str
    subject: str
    verdict: str
    reason: str
    seconds: float
    scope: str = ""
    finding: Mapping[str, Any] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    printed: str = ""

    @property
    def status(self) -> int:
        return STATUS[self.verdict]
