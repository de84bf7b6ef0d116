"""Tells an implementation that remembers from one that is wrong: what does a copy say that was never asked?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

import torch

from mdnn_verify.checking.derivative import leaves
from mdnn_verify.checking.pasting import called, literal
from mdnn_verify.checking.subject import Broken, Subject
from mdnn_verify.contract import Instance

__all__ = ["equal", "pristine", "spoiled"]


def pristine(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """A copy that shares no memory with ``function``: of an object a deep one, of a function one with its own globals.

    None if there is no such copy.
    """
    try:
        if not isinstance(function, FunctionType):
            return copy.deepcopy(function)
        known = function.__globals__
        used = {name: known[name] for name in function.__code__.co_names if name in known}
        own = {name: copy.deepcopy(value) for name, value in used.items() if isinstance(value, (dict, list, set))}
        cells = None if function.__closure__ is None else copy.deepcopy([c.cell_contents for c in function.__closure__])
        closure = None if cells is None else tuple(_cell(content) for content in cells)
        twin = FunctionType(function.__code__, known | own, function.__name__, function.__defaults__, closure)
        twin.__defaults__ = copy.deepcopy(function.__defaults__)
        twin.__kwdefaults__ = copy.deepcopy(function.__kwdefaults__)
        twin.__dict__.update(function.__dict__)
    except Exception:  # noqa: BLE001 - whatever cannot be copied is not
        return None
    return twin


def spoiled(
    subject: Subject,
    unused: Callable[..., Any],
    histories: Sequence[Sequence[Instance]],
    instance: Instance,
    equal: Callable[[Instance, Any, Any], bool],
) -> str:
    """Lines that show how one of these histories changes the result for ``instance``; empty if none of them does.

    ``unused`` is a pristine copy; ``equal`` tells whether two results for an input are the same.
    """
    expected, again = (_result(subject, unused, [instance]) for _ in range(2))
    if expected is None or again is None or not equal(instance, expected, again):  # it draws lots
        return ""
    for before in histories:
        observed = _result(subject, unused, [*before, instance])
        if observed is not None and not equal(instance, expected, observed):
            calls = [called(one.arguments) for one in before]
            call = f"observed = subject({', '.join(instance.arguments)})"
            return "\n".join([*calls, call, f"expected = {_written(expected)}  # without the call before"])
    return ""


def equal(left: Any, right: Any, slack: float = 0.0) -> bool:
    """Whether two results differ by no more than ``slack``, entry by entry."""
    pairs = zip(leaves(left), leaves(right), strict=True)
    return all(a.shape == b.shape and (torch.equal(a, b) or _near(a, b, slack)) for a, b in pairs)


def _near(one: torch.Tensor, other: torch.Tensor, slack: float) -> bool:
    one, other = one.double(), other.double()
    return slack > 0 and bool(torch.where(one == other, 0.0, (one - other).abs()).le(slack).all())


def _result(subject: Subject, unused: Callable[..., Any], instances: Sequence[Instance]) -> Any | None:
    twin, result = pristine(unused), None
    if twin is None:
        return None
    asked = Subject(twin, subject.contract, subject.terms)
    try:
        for instance in instances:
            result = asked(*instance.arguments.values())
    except Broken:
        return None
    return copy.deepcopy(result)


def _written(result: Any) -> str:
    if isinstance(result, Mapping):
        return f"({', '.join(_written(item) for item in result.values())})"
    return literal(result)


def _cell(content: Any) -> Any:
    return (lambda: content).__closure__[0]  # type: ignore[index]
