"""Searches for what makes a flow not one-to-one: pieces of a layer that overlap, steps down of an increasing one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Terms
from mdnn_verify.contracts.flows._layer import THRESHOLD, slopes_of
from mdnn_verify.maths.injectivity import coincident, falling, preimages
from mdnn_verify.maths.slopes import Slopes, outputs

__all__ = ["Layer", "overlapping", "steps_down", "steps_up"]

HALVINGS = 44  # of an interval in which a step up is looked for; 2^-44 of it is as little as float64 resolves
FAR = 45.0
WIDER = 2.0**14  # times: there a rise that is no step is many times larger


class Layer:
    """z and the Jacobian as searches want them: rows where the layer overflows are NaN."""

    def __init__(self, subject: Any, x: torch.Tensor, terms: Terms) -> None:
        self.subject, self.like, self.terms = subject, x, terms

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        return self._rows(points, lambda some: outputs(self.subject(some))[:, :-1])

    def slopes(self, points: torch.Tensor) -> Slopes:
        """(R, n + 1, n), with log_det as the last output."""

        def both(some: torch.Tensor) -> torch.Tensor:
            found = slopes_of(self.subject, some, self.terms)
            return torch.stack([found.jacobian, found.off])

        return Slopes(*self._rows(points, both, 1))

    def square(self, points: torch.Tensor) -> Slopes:
        """(R, n, n)."""
        found = self.slopes(points)
        return Slopes(found.jacobian[:, :-1], found.off[:, :-1])

    def _rows(
        self, points: torch.Tensor, function: Callable[[torch.Tensor], torch.Tensor], axis: int = 0
    ) -> torch.Tensor:
        points = points.to(self.like)
        found = self.subject.attempt(function, points)
        if found is not None:
            return torch.as_tensor(found)
        each = [self.subject.attempt(function, row) for row in torch.split(points, 1)]
        known = next((one for one in each if one is not None), None)
        if known is None:
            return function(points)
        return torch.cat([torch.full_like(known, torch.nan) if one is None else one for one in each], dim=axis)


def overlapping(subject: Any, layer: Layer, x: torch.Tensor, terms: Terms) -> Iterator[Comparison]:
    """Outputs of inputs farther out than those of x (R, n) that Newton's method finds from nearer ones, too.

    The last two have a coordinate of ``FAR`` and of its negative, whatever x is.
    """
    for first, far in ((9, None), (14, FAR), (19, -FAR)):
        row = x[first]
        start = 3 * row if far is None else far / row[row.abs().argmax()] * row
        twin = subject.attempt(_twin, layer, start, x[first + 1 : first + 4], terms.unit)
        if twin is None:
            continue
        pair = f"torch.tensor([{start.tolist()!r}, {twin.tolist()!r}], dtype=x.dtype)"
        lines = f"observed = subject({pair})[0].diff(dim=0).tolist()\nexpected = 'not zeros'"
        distance = float((twin - start).abs().max())
        yield Comparison(distance, 0.0, 0.0, "two different inputs have the same output", lines)


def _twin(layer: Layer, x: torch.Tensor, starts: torch.Tensor, unit: float) -> torch.Tensor | None:
    others = preimages(layer, layer.square, x, torch.cat([starts, 3 * starts]), 6)
    return coincident(layer, layer.square, x, others, unit)


def steps_down(subject: Any, x: torch.Tensor, terms: Terms) -> Iterator[Comparison]:
    """A step down of a flow of one variable, narrower than the distance of the sorted points x, as of pieces that do
    not meet.
    """
    found = subject.attempt(falling, lambda points: outputs(subject(points.to(x))), x.double().cpu())
    if found is None:
        return
    ends = torch.stack(found).to(x)
    before, after = (outputs(subject(row))[:, 0] for row in ends)
    limit = max(2**8 * terms.unit, THRESHOLD) * (1 + before.abs().maximum(after.abs()) + float(x.abs().max()))
    for place in (after < before - limit).nonzero().flatten().tolist()[:1]:
        pair = f"torch.tensor({ends[:, place].tolist()!r}, dtype=x.dtype)"
        lines = f"observed = subject({pair})[0].diff().item()\nexpected = 'a positive number'"
        yield Comparison(-1.0, 1.0, 0.0, "z falls from one point to the next", lines)


def steps_up(subject: Any, x: torch.Tensor, terms: Terms) -> Iterator[Comparison]:
    """A step up of such a flow between the sorted points x: a rise of which an interval ``WIDER`` has hardly more."""
    if terms.dtype != torch.float64:  # its points are too far apart
        return
    found = subject.attempt(falling, lambda points: -outputs(subject(points.to(x))), x.double().cpu(), HALVINGS)
    if found is None:
        return
    low, high = (end.to(x) for end in found)
    away = WIDER / 2 * (high - low)
    wide, before, after, end = (outputs(subject(row))[:, 0] for row in (low - away, low, high, high + away))
    limit = max(2**8 * terms.unit, THRESHOLD) * (1 + before.abs().maximum(after.abs()) + float(x.abs().max()))
    jumps = (after - before > limit) & (2 * (after - before) > end - wide)
    for place in jumps.nonzero().flatten().tolist()[:1]:
        pair = f"torch.tensor({[low[place].item(), high[place].item()]!r}, dtype=x.dtype)"
        lines = f"observed = subject({pair})[0].diff().item()\nexpected = 0.0  # so close are the two"
        yield Comparison(after[place] - before[place], 0.0, limit[place], "z jumps from one point to the next", lines)
