"""Everything this package raises on purpose: one sentence that names the culprit and what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = ["JournalMismatch", "MalformedTheorem", "MdnnVerifyError", "UnknownName", "UsageError"]


class MdnnVerifyError(Exception):
    """Base class; ``exit_status`` is what the command line answers with."""

    exit_status = 4


class UsageError(MdnnVerifyError):
    """The caller asked for something that does not exist or cannot be done."""

    exit_status = 2


class UnknownName(UsageError):
    """A name that is not in a closed list; the message suggests the nearest that is."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        nearest = _nearest(name, known)
        advice = f"did you mean {nearest!r}?" if nearest else f"known: {', '.join(known) or 'none'}"
        super().__init__(f"unknown {what} {name!r}; {advice}")
        self.nearest = nearest


class MalformedTheorem(MdnnVerifyError):
    """A theorem file that breaks the rules; all its faults are listed at once."""

    def __init__(self, where: str, faults: Sequence[str]) -> None:
        super().__init__("\n".join([f"{where} is not a well-formed theorem:", *(f"  - {fault}" for fault in faults)]))
        self.where = where
        self.faults = tuple(faults)


class JournalMismatch(UsageError):
    """``--resume`` found a journal that another version, or other settings, wrote."""


def _nearest(name: str, known: Sequence[str]) -> str | None:
    """The closest known name, comparing bare names as well as whole ids; None if nothing is close."""
    by_bare = {full.rsplit("/", 1)[-1]: full for full in known}
    for candidates, answer in ((known, str), (list(by_bare), by_bare.__getitem__)):
        close = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
        if close:
            return str(answer(close[0]))
    return None
