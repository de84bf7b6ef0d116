"""What an implementation gives back: its structure, shape and precision, and what is wrong with it otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from mdnn_verify.checking.pasting import called
from mdnn_verify.contract import Contract, Terms

__all__ = ["OVERWRITTEN", "Broken", "changed", "detached", "overwritten", "plain", "same", "structured"]

OVERWRITTEN = "a later call overwrites an earlier result"


class Broken(Exception):
    """The implementation broke its contract on a legal input, other than by a wrong number.

    ``shown`` are lines of Python that, after the arguments, set ``observed`` and ``expected``; ``arguments`` are those
    of the very call, where the lines speak of that.
    """

    arguments: Mapping[str, Any] | None = None

    def __init__(self, reason: str, shown: str = "", trace: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.shown = shown
        self.trace = trace


def plain(value: Any) -> Any:
    """Tensors without their graph, nested lists alike; anything else as it is."""
    if isinstance(value, torch.Tensor):
        return value.detach()
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def detached(value: Any) -> Any:
    """A structured result without graphs."""
    if isinstance(value, dict):
        return {name: detached(item) for name, item in value.items()}
    return plain(value)


def structured(
    value: Any, expected: Any, terms: Terms, contract: Contract, name: str = "the result", path: str = ""
) -> Any:
    """``value`` in the structure that the contract asks for, each leaf a tensor of the terms' precision.

    ``path`` is how a leaf is reached from the result. Raises Broken where structure, shape or dtype differ, or for NaN.
    """
    if isinstance(expected, Mapping):
        items = _items(value, len(expected), f"a tuple ({', '.join(expected)})", contract, name, path)
        return {
            key: structured(item, expected[key], terms, contract, key, f"{path}[{i}]")
            for i, (key, item) in enumerate(zip(expected, items, strict=True))
        }
    if isinstance(expected, list):
        items = _items(value, len(expected), f"a list of {len(expected)}", contract, name, path)
        return [
            structured(item, shape, terms, contract, f"{name}[{i}]", f"{path}[{i}]")
            for i, (item, shape) in enumerate(zip(items, expected, strict=True))
        ]
    leaf = _leaf(value, tuple(expected), terms, contract, name, path)
    if bool(torch.isnan(leaf).any()):
        call = f"torch.as_tensor({_call(contract)}{path})"
        raise Broken(f"{name} holds NaN on legal input", f"observed = {call}.isnan().any().item()\nexpected = False")
    return leaf


def _items(value: Any, count: int, wanted: str, contract: Contract, name: str, path: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        shown = f"observed = type({_call(contract)}{path}).__name__\nexpected = {wanted!r}"
        raise Broken(f"{name} is a {type(value).__name__}, expected {wanted}", shown)
    if len(value) != count:
        shown = f"observed = len({_call(contract)}{path})\nexpected = {count}"
        raise Broken(f"{name} has {len(value)} parts, expected {wanted}", shown)
    return list(value)


def _leaf(value: Any, shape: tuple[int, ...], terms: Terms, contract: Contract, name: str, path: str) -> torch.Tensor:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and shape == ():
        return torch.tensor(float(value), dtype=torch.float64)
    numpy = contract.array == "numpy"
    if isinstance(value, (np.ndarray, np.generic)) and (numpy or shape == ()):
        value = torch.as_tensor(np.array(value, order="C"))  # a copy: torch takes no negative strides
    if numpy and isinstance(value, (list, tuple)):
        value = torch.as_tensor(np.asarray(value, dtype=np.float64))
    if not isinstance(value, torch.Tensor):
        wanted = "a number" if shape == () else f"a tensor of shape {shape}"
        shown = f"observed = type({_call(contract)}{path}).__name__\nexpected = {wanted!r}"
        raise Broken(f"{name} is a {type(value).__name__}, expected {wanted}", shown)
    if tuple(value.shape) != shape:
        shown = f"observed = tuple({_call(contract)}{path}.shape)\nexpected = {shape}"
        raise Broken(f"{name} has shape {tuple(value.shape)}, expected {shape}", shown)
    if not numpy and value.dtype != terms.dtype:
        shown = f"observed = {_call(contract)}{path}.dtype\nexpected = {terms.dtype}"
        raise Broken(f"{name} has dtype {value.dtype}, expected {terms.dtype}{_advice(value.dtype)}", shown)
    return value


def _advice(dtype: torch.dtype) -> str:
    if dtype in (torch.float32, torch.float16, torch.bfloat16):
        return " (an implementation meant for lower precision is checked with --dtype float32)"
    return ""


def _call(contract: Contract) -> str:
    return f"subject({', '.join(contract.parameters)})"


def changed(name: str, contract: Contract) -> str:
    """Lines that show how a call changes its argument."""
    return f"expected = copy.deepcopy({name})\n{_call(contract)}\nobserved = {name}"


def overwritten(before: Mapping[str, Any], later: Mapping[str, Any], contract: Contract) -> Broken:
    """What a call with ``later`` did to the result for the arguments ``before``."""
    shown = (
        "from mdnn_verify.checking.pasting import numbers\n"
        f"first = {_call(contract)}\nexpected = numbers(first)\n{called(later)}\nobserved = numbers(first)"
    )
    broken = Broken(OVERWRITTEN, shown)
    broken.arguments = before
    return broken


def same(before: Any, after: Any) -> bool:
    """Whether two arguments or results hold the same numbers; of what holds none, True."""
    if isinstance(before, torch.Tensor):
        return before.shape == after.shape and torch.equal(before.nan_to_num(nan=0.5), after.nan_to_num(nan=0.5))
    if isinstance(before, np.ndarray):
        return before.shape == after.shape and np.array_equal(before, after, equal_nan=True)
    if isinstance(before, list):
        return len(before) == len(after) and all(same(a, b) for a, b in zip(before, after, strict=True))
    return bool(before == after) if isinstance(before, (int, float, str)) else True
