"""What an inverse may give besides x: log|det dx/dz|, which is minus the log_det of the map or, as some count, that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Terms
from mdnn_verify.contracts.flows._inverse import UNDONE, lost
from mdnn_verify.contracts.flows._layer import limits, slopes_of, smooth
from mdnn_verify.maths.slopes import Slopes, outputs

__all__ = ["told"]

ROWS = 3  # at which it is looked at
TELLING = 0.1  # a bound above this would accept a wrong log_det
WRONG = "the log_det of the inverse is neither minus that of the map nor that of the map"


def told(subject: Any, x: torch.Tensor, terms: Terms) -> Iterator[Comparison]:
    """The second result of inverse(z), where it is one number per row, at the first rows of x (B, n).

    Left out are kinks, and rows at which rounding alone explains more than 0.1.
    """
    rows = [row for row in range(min(len(x), ROWS)) if smooth(subject, x[row : row + 1])]
    second = _second(subject, x[rows]) if rows else None
    if second is None:
        yield Comparison(0.0, 0.0, 0.0, "")
        return
    log_det, bound = outputs(subject(x[rows]))[:, -1], _bound(subject, x[rows], terms)
    sharp = bound < TELLING
    off = [torch.where(sharp, (second - sign * log_det).abs().nan_to_num(nan=torch.inf), 0.0) for sign in (-1, 1)]
    worst = int((off[0] / bound).argmax())
    lines = (
        f"rows = x[{rows}]\nobserved = subject.inverse(subject(rows)[0].detach())[1][{worst}].item()\n"
        f"expected = -subject(rows)[1][{worst}].item()"
    )
    if any(bool((one <= bound).all()) for one in off):
        yield Comparison(0.0, 0.0, 0.0, "")
    else:
        yield Comparison(second[worst], -log_det[worst], bound[worst], WRONG, lines)


def _second(subject: Any, x: torch.Tensor) -> torch.Tensor | None:
    z = next(iter(subject(x).values()))
    if not bool(torch.isfinite(z).all()) or not subject.implements("inverse", z.clone()):
        return None
    found = subject.attempt(subject.guarded, subject.attribute("inverse"), z.clone())
    second = found[1] if isinstance(found, (list, tuple)) and len(found) == 2 else None
    if not isinstance(second, torch.Tensor) or second.shape != (len(x),):
        return None
    return second.detach().double().cpu()


def _bound(subject: Any, x: torch.Tensor, terms: Terms) -> torch.Tensor:
    """What rounding explains of either log_det, and how far it changes while x moves by what an inverse may be off."""
    values, slopes = outputs(subject(x)), slopes_of(subject, x, terms)
    bound = 2 * limits(values, Slopes(slopes.jacobian[:, :-1], slopes.off[:, :-1]), terms)
    off = max(UNDONE, 2**8 * terms.unit) * (1 + x.abs().amax(dim=1)) + lost(subject, x, terms).to(x)
    for step in torch.diag(torch.ones(x.shape[1])).to(x):
        for sign in (-1, 1):
            there = subject.attempt(subject, x + sign * off[:, None] * step)
            bound = bound + (torch.inf if there is None else (outputs(there)[:, -1] - values[:, -1]).abs())
    return bound.nan_to_num(nan=torch.inf)
