"""Hands an implementation the very same tensors again, filled anew, as a loop that trains or evaluates does.

Elsewhere every call gets copies of its own, and two faults do not show: gradients that pile up in the ``.grad`` of an
argument, and a memory by the identity of a tensor, which knows nothing of a change in place.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from mdnn_verify.checking.finding import Finding
from mdnn_verify.checking.pasting import called
from mdnn_verify.checking.subject import Subject
from mdnn_verify.contract import Instance

__all__ = ["Reuse", "refill"]

TURNS = 3  # inputs of the same shapes that are written into the same tensors
AGAIN = "handed the very same tensors a second time it gives another result"
ANEW = "handed the same tensors with other numbers in them it gives another result than for tensors of their own"
NUMBERS = "from mdnn_verify.checking.pasting import numbers"


class Reuse:
    """Tensors that are kept, one set for all inputs of the same shapes."""

    def __init__(self, subject: Subject, law: str, equal: Callable[[Instance, Any, Any], bool]) -> None:
        self.subject = subject
        self.law = law
        self.equal = equal
        self._kept: dict[Any, tuple[list[Any], Mapping[str, Any], int]] = {}

    def finding(self, instance: Instance, expected: Any) -> Finding | None:
        """What is wrong with the result for kept tensors, where copies of their own give ``expected``."""
        values = list(instance.arguments.values())
        shapes = _shapes(values)
        held, before, turn = self._kept.get(shapes, (self.subject.copies(values), {}, 0))
        if turn == TURNS:
            return None
        self._kept[shapes] = held, instance.arguments, turn + 1
        names = ", ".join(instance.arguments)
        if before:
            self.subject.attempt(self.subject.on, held, list(before.values()))  # the latest that it has seen
            refill(held, self.subject.copies(values))
            reason, lines = ANEW, (
                f"{NUMBERS}\nfrom mdnn_verify.checking.reuse import refill\n{called(before, 'held = [{}]')}\n"
                f"subject(*held)\nrefill(held, [{names}])\n"
                f"observed = numbers(subject(*held))\nexpected = numbers(subject(*copy.deepcopy([{names}])))"
            )  # fmt: skip
        else:
            reason, lines = AGAIN, (
                f"{NUMBERS}\nexpected = numbers(subject({names}))\nobserved = numbers(subject({names}))"
            )  # fmt: skip
        with self.subject.showing(lines):
            found = [copy.deepcopy(self.subject.on(held, values)) for _ in range(1 if before else 2)]
        if all(self.equal(instance, expected, one) for one in found):
            return None
        return Finding(self.law, reason, instance.arguments, instance.label, lines, str(found[-1]), str(expected))


def refill(held: list[Any], values: list[Any]) -> None:
    """Write ``values`` into the tensors and arrays of ``held``, in place; what is neither takes its place there."""
    for place, (old, new) in enumerate(zip(held, values, strict=True)):
        if isinstance(old, torch.Tensor):
            with torch.no_grad():
                old.copy_(torch.as_tensor(new))
        elif isinstance(old, np.ndarray):
            old[...] = new
        elif isinstance(old, list):
            refill(old, new)
        else:
            held[place] = new


def _shapes(value: Any) -> Any:
    """What two inputs have in common that fit into the same tensors, their layout in memory included."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape), value.stride()
    if isinstance(value, np.ndarray):
        return value.shape, value.strides
    return tuple(map(_shapes, value)) if isinstance(value, (list, tuple)) else None
