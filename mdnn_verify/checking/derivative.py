"""Directional derivatives of an implementation: what autograd says, and what differences of its values say."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["Derivatives", "compare", "leaves", "richardson", "tracked", "weighted"]

STEPS = tuple(2.0**-k for k in (7, 8, 9, 10))
AGAIN = 23.0  # so much smaller are the steps where differences are asked for a second time
INFORMATIVE = 1e-4  # an uncertainty above this share of the slope and of the values tells nothing apart


@dataclass(frozen=True)
class Derivatives:
    """Two derivatives of one weighted sum of the results; ``uncertainty`` is that of the differences.

    ``smooth`` is False where the differences do not settle: a kink nearby, or rounding that is too large. ``partial``:
    a part of the result varies without carrying a graph; it is not in the sum.
    """

    by_autograd: float
    by_differences: float
    uncertainty: float
    smooth: bool
    partial: bool = False


def leaves(value: Any) -> Iterator[torch.Tensor]:
    """The tensors of a structured result, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)


def compare(
    call: Callable[..., Any], arguments: Sequence[Any], directions: Sequence[Any], noise: float = 0.0
) -> Derivatives | None:
    """Both derivatives of sum_j w_j result_j at ``arguments`` along ``directions`` (None: held fixed), w_j = 1 + j/7.

    The sum goes over the parts of the result that carry a graph to an input that varies; None if there is none.
    ``noise`` bounds the rounding error of that sum. Only for float64.
    """
    parts, slopes = _graphs(call, arguments, directions)
    kept = [any(slope is not None for slope in own) for own in slopes]
    if not any(kept):
        return None
    by_autograd = sum(
        float((slope * direction).sum())
        for own in slopes
        for slope, direction in zip(own, (d for d in directions if d is not None), strict=True)
        if slope is not None
    )

    def result(t: float) -> list[torch.Tensor]:
        moved = [
            argument.detach() if direction is None and isinstance(argument, torch.Tensor) else argument
            if direction is None else argument + t * direction
            for argument, direction in zip(arguments, directions, strict=True)
        ]  # fmt: skip
        return [leaf.detach() for leaf in leaves(call(*moved))]

    def along(t: float) -> float:
        return sum(float(part.sum()) for part, keep in zip(_weigh(result(t)), kept, strict=True) if keep)

    size = sum(float(part.detach().abs().sum()) for part, keep in zip(parts, kept, strict=True) if keep)
    value, uncertainty = richardson(along, max(noise, 2.0**-47 * size))
    smooth = uncertainty <= INFORMATIVE * max(abs(value), size)
    if smooth and not abs(by_autograd - value) <= uncertainty:  # kinks whose effects cancel do so at one step only
        second, further = richardson(lambda t: along(t / AGAIN), max(noise, 2.0**-47 * size))
        second, further = AGAIN * second, AGAIN * further
        smooth = abs(second - value) <= uncertainty + further and not abs(by_autograd - second) <= further
    points = [result(t) for t in (0.0, STEPS[0], STEPS[0] / 2)]
    unseen = [change for change, keep in zip(zip(*points, strict=True), kept, strict=True) if not keep]
    return Derivatives(
        by_autograd, value, uncertainty,
        smooth=smooth,
        partial=any(_slopes(*change) for change in unseen),
    )  # fmt: skip


def _slopes(here: torch.Tensor, there: torch.Tensor, halfway: torch.Tensor) -> bool:
    """Whether a value changes as a slope does, not as a step: half the way, half the change."""
    whole, half = (float((there - here).abs().sum()), float((halfway - here).abs().sum()))
    return whole > 0 and abs(whole - 2 * half) <= 0.2 * whole


def tracked(call: Callable[..., Any], arguments: Sequence[Any], directions: Sequence[Any]) -> bool:
    """Whether any part of the result carries a graph to an input that varies."""
    return any(slope is not None for own in _graphs(call, arguments, directions)[1] for slope in own)


def _graphs(
    call: Callable[..., Any], arguments: Sequence[Any], directions: Sequence[Any]
) -> tuple[list[torch.Tensor], list[tuple[torch.Tensor | None, ...]]]:
    """The weighted parts of the result, and of each part the gradients with respect to what varies."""
    inputs = [
        argument.detach().clone().requires_grad_() if direction is not None else argument
        for argument, direction in zip(arguments, directions, strict=True)
    ]
    with torch.enable_grad():
        parts = _weigh(leaves(call(*inputs)))
    varied = [x for x, direction in zip(inputs, directions, strict=True) if direction is not None]
    none: tuple[torch.Tensor | None, ...] = tuple(None for _ in varied)
    slopes = [
        torch.autograd.grad(part.sum(), varied, allow_unused=True, retain_graph=True) if part.requires_grad else none
        for part in parts
    ]
    return parts, slopes


def richardson(along: Callable[[float], float], noise: float = 0.0) -> tuple[float, float]:
    """The derivative at 0 by central differences, extrapolated twice, and how far it may be off.

    The uncertainty is twice the largest of: the change by each of the last extrapolations, what the one-sided
    derivatives differ by (a kink at the very point, which central differences alone do not see) and how far they lie
    from the central one (there the second derivative may jump), and rounding over the step.
    """
    middle = along(0.0)
    values = [(along(h), along(-h)) for h in STEPS]
    central = _extrapolated([(high - low) / (2 * h) for (high, low), h in zip(values, STEPS, strict=True)], (4, 16))
    ahead = _extrapolated([(high - middle) / h for (high, _), h in zip(values, STEPS, strict=True)], (2, 4, 8))
    behind = _extrapolated([(middle - low) / h for (_, low), h in zip(values, STEPS, strict=True)], (2, 4, 8))
    largest = max(abs(value) for pair in values for value in pair)
    rounding = max(2 * noise, 2.0**-46 * largest) / STEPS[-1]
    (*_, before, value), once, finest = central[-1], central[-2], central[0][-1]
    forward, backward = ahead[-1][-1], behind[-1][-1]
    changes = (
        abs(value - before), abs(value - once[-1]), abs(value - finest),
        abs(forward - backward), abs((forward + backward) / 2 - value), rounding,
    )  # fmt: skip
    return value, math.inf if any(math.isnan(change) for change in changes) else 2 * max(changes)


def _extrapolated(column: list[float], factors: Sequence[int]) -> list[list[float]]:
    """Richardson's table: each factor cancels the next power of the step, which halves from row to row."""
    table = [column]
    for factor in factors:
        column = [(factor * fine - coarse) / (factor - 1) for coarse, fine in itertools.pairwise(column)]
        table.append(column)
    return table


def weighted(result: Any) -> torch.Tensor:
    """sum_j w_j result_j, w_j = 1 + j/7, over all entries of a structured result."""
    return torch.stack([part.sum() for part in _weigh(leaves(result))]).sum()


def _weigh(parts: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    weighed, start = [], 0
    for part in parts:
        flat = part.reshape(-1).to(torch.float64)
        count = torch.arange(start, start + len(flat), dtype=torch.float64, device=flat.device)
        weighed.append(flat * (1 + count / 7))
        start += len(flat)
    return weighed
