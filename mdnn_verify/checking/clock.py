"""The time that a check may take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

__all__ = ["Clock"]

ASLEEP = 2.0  # seconds that count for one, where the process does not work


@dataclass
class Clock:
    """Processor time, so that a busy machine changes nothing; of an implementation that sleeps, a share of the time."""

    budget: float
    started: tuple[float, float] = field(default_factory=lambda: (time.process_time(), time.monotonic()))

    def spent(self) -> float:
        """Seconds."""
        working, passed = time.process_time() - self.started[0], time.monotonic() - self.started[1]
        return max(working, passed / ASLEEP)

    def late(self) -> bool:
        """Whether the budget is spent."""
        return self.spent() > self.budget
