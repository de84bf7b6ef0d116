"""A counterexample as lines of Python that can be pasted into a session, and show the discrepancy there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["called", "literal", "numbers", "snippet"]


def snippet(address: str, arguments: Mapping[str, Any], shown: str, before: str = "") -> str:
    """Lines that load the implementation, set its arguments, and print what it gives beside what it must give.

    ``shown`` sets ``observed`` and ``expected``; ``before`` are calls that must come first (an implementation with a
    memory).
    """
    lines = [f"{name} = {literal(value)}" for name, value in arguments.items()]
    imports = sorted({line for value in arguments.values() for line in _imports(value)})
    return "\n".join(
        [
            "import copy",
            "import torch",
            "import mdnn_verify",
            *imports,
            f"subject = mdnn_verify.load({address!r})"
            if address
            else "# subject is the implementation that was checked",
            *([before] if before else []),
            *lines,
            shown,
            'print("observed", observed)',
            'print("expected", expected)',
        ]
    )


def called(arguments: Mapping[str, Any], form: str = "subject({})") -> str:
    """Lines that call the implementation with these arguments, or put them into another form; imports included."""
    imports = sorted({line for value in arguments.values() for line in _imports(value)})
    return "\n".join([*imports, form.replace("{}", ", ".join(map(literal, arguments.values())))])


def literal(value: Any) -> str:
    """An expression that gives the value back exactly."""
    if isinstance(value, torch.Tensor):
        numbers = repr(value.detach().cpu().tolist()).replace("inf", 'float("inf")').replace("nan", 'float("nan")')
        shape = f".reshape({tuple(value.shape)})" if value.numel() == 0 else ""
        return f"torch.tensor({numbers}, dtype={value.dtype}){shape}"
    if isinstance(value, np.ndarray):
        return f"torch.tensor({value.tolist()!r}, dtype=torch.float64).numpy()"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(literal(item) for item in value)
        return f"[{inside}]"
    if callable(value):
        return str(value.__name__)
    return repr(value)


def numbers(value: Any) -> Any:
    """What a call has given, as nested lists of floats; anything that holds no numbers as it is."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return value.tolist()
    return [numbers(item) for item in value] if isinstance(value, (list, tuple)) else value


def _imports(value: Any) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [line for item in value for line in _imports(item)]
    if callable(value) and hasattr(value, "__module__"):
        return [f"from {value.__module__} import {value.__name__}"]
    return []
