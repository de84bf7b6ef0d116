"""Jacobians of maps that act row by row, x (R, n) -> f (R, m): by differences that notice kinks, and by autograd.

Every function takes any callable that returns a tensor or a nest of tensors with R rows, as a user's layer does, so
that a counterexample can be shown with it: ``log_abs_det(layer, x)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

__all__ = [
    "Slopes",
    "by_autograd",
    "by_differences",
    "by_products",
    "columns",
    "log_abs_det",
    "orientation",
    "outputs",
    "resolved",
]

Map = Callable[[torch.Tensor], Any]
STEPS = {torch.float64: 2.0**-14, torch.float32: 2.0**-5}  # balance u/h against h^4 for functions of scale 1
NOISE = {torch.float64: 1e-6, torch.float32: 1e-2}  # a larger gap is a kink
ROWS = 4096  # at most so many in one call


@dataclass(frozen=True)
class Slopes:
    """``jacobian`` (R, m, n) at each row, and ``off`` (R, m, n): how far it may be from the truth."""

    jacobian: torch.Tensor
    off: torch.Tensor


def outputs(result: Any) -> torch.Tensor:
    """The parts of a result side by side, (R, m), in float64 on the CPU, with their graph."""
    parts = [leaf if leaf.ndim == 2 else leaf.reshape(len(leaf), -1) for leaf in _leaves(result)]
    return torch.cat([part.to(device="cpu", dtype=torch.float64) for part in parts], dim=1)


def by_differences(f: Map, x: torch.Tensor, shrink: float = 1.0) -> Slopes:
    """The Jacobian of ``f`` at each row of ``x`` (R, n), from central differences at steps h and h/2, extrapolated.

    ``shrink`` makes h smaller: where several kinks are near, their effects may cancel at one step, but not at two.

    ``off`` is twice the largest of: the change by the last extrapolation, and from the mean of those from ahead and
    from behind (where the second derivative jumps they are right); the gap between the extrapolated derivatives
    from ahead and from behind, which a kink at the very point opens and central differences alone do not see; and
    rounding over the step, where numbers in between are taken to be as large as x, f and 1, or as that gap shows for
    the same output and other coordinates. Entries that are not finite are off by infinity.
    """
    rows, n = x.shape
    step = shrink * STEPS[x.dtype] * 2.0 ** torch.ceil(torch.log2(x.double().abs().clamp(min=1.0)))
    signs = torch.tensor([1.0, -1.0, 0.5, -0.5], dtype=torch.float64, device=x.device)
    shift = signs[:, None, None, None] * torch.diag_embed(step)  # (4, R, n, n): sign, row, coordinate moved, entry
    moved = (x.double()[None, :, None, :] + shift).to(x.dtype)
    points = torch.cat([x, moved.reshape(-1, n)])
    values = torch.cat([outputs(f(part)).detach() for part in torch.split(points, ROWS)])
    here, there = values[:rows, None], values[rows:].reshape(4, rows, n, -1)  # (R, 1, m), (4, R, n, m)
    spans = torch.diagonal(moved.double() - x.double()[:, None, :], dim1=-2, dim2=-1).cpu()[..., None]
    one_sided = (there - here) / spans
    coarse, fine = ((there[i] - there[i + 1]) / (spans[i] - spans[i + 1]) for i in (0, 2))
    central, ahead, behind = (
        (4 * fine - coarse) / 3,
        2 * one_sided[2] - one_sided[0],
        2 * one_sided[3] - one_sided[1],
    )
    size = torch.maximum(values[:rows].abs().amax(dim=1), x.double().abs().cpu().amax(dim=1)).clamp(min=1.0)
    rounding = (4 * torch.finfo(x.dtype).eps / 2 * size[:, None, None] / spans[2]).expand_as(central)
    gap = (ahead - behind).abs()
    noise = torch.where(gap <= NOISE[x.dtype], gap, 0.0).amax(dim=1, keepdim=True).expand_as(gap)
    bent = torch.maximum((central - fine).abs(), (central - (ahead + behind) / 2).abs())
    off = 2 * torch.stack([bent, gap, noise, rounding]).amax(dim=0)
    off = torch.where(torch.isfinite(off) & torch.isfinite(central), off, torch.inf)
    return Slopes(central.transpose(1, 2), off.transpose(1, 2))


def by_autograd(f: Map, x: torch.Tensor) -> tuple[torch.Tensor, list[bool]]:
    """The Jacobian (R, m, n) of ``f`` by autograd, and of each of the m outputs whether it carries a graph back to x.

    The rows of an output that carries none are zeros.
    """
    slopes, tracked = [], []
    inside = x.detach().clone().requires_grad_()
    for part in _parts(f, inside):
        for column in part.unbind(dim=1):
            slope = _gradient(column, inside)
            tracked.append(slope is not None)
            slopes.append(torch.zeros_like(inside) if slope is None else slope)
    return torch.stack(slopes, dim=1).detach().to(device="cpu", dtype=torch.float64), tracked


def by_products(f: Map, x: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """w'J (R, n) by autograd for weights w (m,), and w with 0 for those parts of the result that carry no graph."""
    inside = x.detach().clone().requires_grad_()
    parts = _parts(f, inside)
    total, kept = torch.zeros_like(x), []
    for part, own in zip(parts, torch.split(weights, [part.shape[1] for part in parts]), strict=True):
        slope = _gradient(part @ own, inside)
        kept.append(torch.zeros_like(own) if slope is None else own)
        total = total if slope is None else total + slope
    return total.detach().to(device="cpu", dtype=torch.float64), torch.cat(kept)


def _parts(f: Map, inside: torch.Tensor) -> list[torch.Tensor]:
    with torch.enable_grad():
        return [outputs([leaf]) for leaf in _leaves(f(inside))]


def _gradient(values: torch.Tensor, inside: torch.Tensor) -> torch.Tensor | None:
    if not values.requires_grad:
        return None
    return torch.autograd.grad(values.sum(), inside, retain_graph=True, allow_unused=True)[0]


def columns(f: Map, x: torch.Tensor, row: int, output: int, entry: int) -> tuple[float, float]:
    """d f_output / d x_entry at one row by autograd and by differences."""
    one = x[row : row + 1]
    return float(by_autograd(f, one)[0][0, output, entry]), float(by_differences(f, one).jacobian[0, output, entry])


def resolved(slopes: Slopes) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """log|det J| of square Jacobians, how far it may be off, and an upper bound that holds for singular ones; (R,).

    |d log det| = |tr J^-1 dJ| <= sum |J^-1|_ji off_ij to first order, of which twice is taken; beyond 0.1 it is
    infinite. Upper bound: by Weyl's inequality no singular value exceeds the computed one by more than ||off||_F.
    """
    jacobian = torch.where(torch.isfinite(slopes.off), slopes.jacobian, 0.0)
    value = torch.linalg.slogdet(jacobian)[1]
    error = torch.linalg.matrix_norm(slopes.off)
    singular = torch.linalg.svdvals(jacobian)
    upper = (singular + error[:, None]).log().sum(dim=1)
    safe = (singular[:, -1] > 1e-300) & torch.isfinite(error)
    eye = torch.eye(jacobian.shape[-1], dtype=torch.float64)
    inverse, fault = torch.linalg.inv_ex(torch.where(safe[:, None, None], jacobian, eye))
    safe &= (fault == 0) & torch.isfinite(inverse).all(dim=2).all(dim=1)
    off = 2 * (inverse.abs() * slopes.off.transpose(1, 2).nan_to_num(posinf=0.0)).sum(dim=(1, 2))
    return value, torch.where(safe & (off <= 0.1), off, torch.inf), upper


def log_abs_det(f: Map, x: torch.Tensor) -> torch.Tensor:
    """log|det df/dx| (R,) of the first result of ``f``, by differences."""
    return resolved(by_differences(lambda points: f(points)[0], x))[0]


def orientation(f: Map, x: torch.Tensor) -> torch.Tensor:
    """The sign of det df/dx (R,) of the first result of ``f``, by differences; 0 where they cannot tell."""
    slopes = by_differences(lambda points: f(points)[0], x)
    sign = torch.linalg.slogdet(slopes.jacobian.nan_to_num())[0]
    return torch.where(torch.isfinite(resolved(slopes)[1]), sign, 0.0)


def _leaves(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    else:
        for item in value:
            yield from _leaves(item)
