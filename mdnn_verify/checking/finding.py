"""What comes of holding an implementation against its contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Finding", "Judgement"]


@dataclass(frozen=True)
class Finding:
    """A legal input on which the implementation breaks a law."""

    law: str
    reason: str
    arguments: Mapping[str, Any]
    label: str
    shown: str
    observed: str = ""
    expected: str = ""
    bound: str = ""
    trace: str = ""


@dataclass
class Judgement:
    """What came of it. ``finding`` None with ``complete`` means verified."""

    finding: Finding | None = None
    complete: bool = True
    instances: int = 0
    comparisons: int = 0
    uninformative: int = 0
    calls: int = 0
    informative: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
