"""Verification and proof checking for the mathematics of deep neural networks.

Names are imported when they are first used: ``import mdnn_verify`` alone imports neither torch nor sympy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mdnn_verify.checking.api import check, load
    from mdnn_verify.checking.assessment import Assessment
    from mdnn_verify.errors import JournalMismatch, MalformedTheorem, MdnnVerifyError, UnknownName, UsageError
    from mdnn_verify.runner.campaign import run_campaign
    from mdnn_verify.runner.units import Settings
    from mdnn_verify.theorem import Theorem
    from mdnn_verify.verdicts import Outcome, Status, TheoremResult, Verdict

__all__ = [
    "Assessment",
    "JournalMismatch",
    "MalformedTheorem",
    "MdnnVerifyError",
    "Outcome",
    "Settings",
    "Status",
    "Theorem",
    "TheoremResult",
    "UnknownName",
    "UsageError",
    "Verdict",
    "check",
    "load",
    "run_campaign",
]

_HOME = {
    "checking.api": ("check", "load"),
    "checking.assessment": ("Assessment",),
    "errors": ("JournalMismatch", "MalformedTheorem", "MdnnVerifyError", "UnknownName", "UsageError"),
    "runner.campaign": ("run_campaign",),
    "runner.units": ("Settings",),
    "theorem": ("Theorem",),
    "verdicts": ("Outcome", "Status", "TheoremResult", "Verdict"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("mdnn_verify.runner.journal").version_of("mdnn-verify")
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
