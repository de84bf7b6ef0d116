"""The vocabulary in which a contract is written: what a user's implementation of a theorem must satisfy.

A file ``contracts/<chapter>/<name>.py`` holds one object named ``contract`` for the theorem of that id. It lists legal
inputs -- small ones in the order in which a counterexample is preferred, and kinds of random and adversarial ones --
and laws: functions that call the implementation and compare what comes back with what must, within a rounding bound.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

__all__ = ["Comparison", "Contract", "Instance", "Kind", "Law", "Terms"]

Function = Callable[..., Any]


@dataclass(frozen=True)
class Terms:
    """Under which terms an implementation is checked; ``dim`` and ``alpha`` where the contract has use for them."""

    dtype: torch.dtype = torch.float64
    device: str = "cpu"
    dim: int | None = None
    trainable: bool = False
    alpha: float = 1e-6

    def tensor(self, values: Any) -> torch.Tensor:
        """Values as a tensor of these terms."""
        return torch.as_tensor(values, dtype=torch.float64).to(dtype=self.dtype, device=self.device)

    @property
    def unit(self) -> float:
        """Unit roundoff of the precision."""
        return float(torch.finfo(self.dtype).eps) / 2


@dataclass(frozen=True)
class Instance:
    """One legal input: arguments by name, in the order of the call. A counterexample minimises ``size`` first."""

    arguments: Mapping[str, Any]
    size: int
    label: str = ""


@dataclass(frozen=True)
class Comparison:
    """What an implementation gave and what it had to give; ``bound`` is absolute, a number or a tensor of that shape.

    ``shown`` are lines of Python that, after the arguments, set ``observed`` and ``expected``; by default the call and
    the expected number. ``scale`` is the natural magnitude of a quantity that may be near 0: where the bound is not
    well below it, agreement says nothing and does not count.
    """

    observed: Any
    expected: Any
    bound: Any
    what: str
    shown: str = ""
    scale: float = 1.0


@dataclass(frozen=True)
class Kind:
    """A way to make legal inputs: ``make(rng, size, terms)`` gives one of that size. ``sizes`` are those tried."""

    name: str
    make: Callable[..., Mapping[str, Any]]
    sizes: tuple[int, ...]
    times: int


@dataclass(frozen=True)
class Law:
    """What must hold at every legal input, as comparisons."""

    name: str
    function: Callable[..., Iterator[Comparison]]

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""


@dataclass
class Contract:
    """What an implementation of one theorem looks like, and what it must satisfy.

    ``call`` is the signature as a person reads it; ``returns(arguments)`` is the shape of what comes back: a tuple of
    integers for one tensor, a ``list`` for a list, a ``dict`` from names for a tuple of several. ``array`` "numpy"
    hands over arrays instead of tensors. ``excused(subject, arguments)``: whether an implementation may fail at an
    input, as where a right one overflows. ``tangents(arguments, rng)`` gives directions in which inputs may be varied
    and stay legal; where it is given, an implementation whose result carries a graph must have the right derivative.
    """

    call: str
    returns: Callable[[Mapping[str, Any]], Any]
    scope: str
    array: str = "torch"
    excused: Callable[..., bool] | None = None
    tangents: Callable[..., Mapping[str, torch.Tensor]] | None = None
    smallest: Callable[[Terms], Iterable[Instance]] | None = field(default=None, init=False)
    kinds: list[Kind] = field(default_factory=list, init=False)
    laws: list[Law] = field(default_factory=list, init=False)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the arguments, read from ``call``."""
        inside = self.call[self.call.index("(") + 1 : self.call.rindex("->")].rstrip()[:-1]
        depth, parts = 0, [""]
        for sign in inside:
            depth += (sign in "([") - (sign in ")]")
            if sign == "," and not depth:
                parts.append("")
            else:
                parts[-1] += sign
        return tuple(part.split("(")[0].split("[")[0].split(":")[0].strip() for part in parts)

    def small(self, function: Callable[[Terms], Iterable[Instance]]) -> Callable[[Terms], Iterable[Instance]]:
        """Declare the small inputs, in the order of preference: smallest size first, then smallest integers."""
        self.smallest = function
        return function

    def instances(self, *, sizes: Sequence[int], times: int = 5) -> Callable[[Function], Function]:
        """Declare a kind of input: ``function(rng, size, terms)`` returns the arguments of one."""

        def declare(function: Function) -> Function:
            self.kinds.append(Kind(function.__name__, function, tuple(sizes), times))
            return function

        return declare

    def law(self, function: Function) -> Function:
        """Declare a law: ``function(subject, instance, terms)`` yields comparisons; its docstring says what holds."""
        self.laws.append(Law(function.__name__, function))
        return function
