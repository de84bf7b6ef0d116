"""Makes sure that a counterexample shows its discrepancy when it is pasted into a fresh session.

What only a fresh session tells: an implementation that remembers earlier calls may be right there. Then the call that
spoils it is looked for among the latest, and put before.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from mdnn_verify.checking.finding import Finding
from mdnn_verify.checking.history import pristine
from mdnn_verify.checking.pasting import called, snippet

__all__ = ["pasted"]


def pasted(finding: Finding, unused: Callable[..., Any], calls: Sequence[Mapping[str, Any]]) -> Finding:
    """The finding with the calls before that it needs: none, one of the latest, or all of these; else unchanged.

    ``unused`` is a pristine copy of the implementation, ``calls`` are the arguments of its latest calls, oldest first.
    """
    for before in _histories(calls):
        lines = "\n".join(called(arguments) for arguments in before)
        shown = f"{lines}\n{finding.shown}" if lines else finding.shown
        if _shows(replace(finding, shown=shown), unused):
            return replace(finding, shown=shown)
    return finding


def _histories(calls: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    yield ()
    yield from ((one,) for one in reversed(calls))
    yield calls


def _shows(finding: Finding, unused: Callable[..., Any]) -> bool:
    subject = pristine(unused)
    names: dict[str, Any] = {"subject": subject}
    if subject is None:
        return False
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(snippet("", finding.arguments, finding.shown), names)  # noqa: S102 - our own lines
        except BaseException:  # noqa: BLE001 - an exception where a value was expected shows it, too
            return "observed" not in names
    return not _alike(names["observed"], names["expected"], float(finding.bound or 0.0) / 2)


def _alike(observed: Any, expected: Any, atol: float) -> bool:
    if isinstance(observed, (tuple, list)) and isinstance(expected, (tuple, list)):
        return len(observed) == len(expected) and all(
            _alike(one, other, atol) for one, other in zip(observed, expected, strict=True)
        )
    try:
        one, other = (torch.as_tensor(value, dtype=torch.float64) for value in (observed, expected))
    except (TypeError, ValueError, RuntimeError):
        return str(observed) == str(expected)
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-10, atol=atol if atol > 1e-16 else 1e-16)
