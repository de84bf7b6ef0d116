"""Searches for two inputs of a map R^n -> R^n with the same output, and for two where it turns space the other way.

A continuous one-to-one map of a connected domain is everywhere of the same orientation: the sign of det df/dx, where
it is not 0, is constant. An equal output counts as a collision only where Newton's step from one input to a true
preimage is far shorter than the distance of the two, so that no saturated or rounded output is taken for one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import torch

from mdnn_verify.maths.slopes import Slopes, resolved

__all__ = ["coincident", "falling", "opposite", "partners", "preimages"]

Map = Callable[[torch.Tensor], torch.Tensor]  # (R, n) -> (R, n), float64 on the CPU
Differential = Callable[[torch.Tensor], Slopes]  # (R, n) -> (R, n, n)
SHIFTS = (1.0, 2.0, math.pi, 2 * math.pi)
NEAR = 1e-6  # Newton's step, relative to the distance of the inputs
COORDINATES = 8
LOWEST = 6  # points from which a sign change is looked for
PAIRS = 4  # inputs of the other orientation that are tried
GAPS = 8  # intervals in which a fall is looked for


def partners(x: torch.Tensor) -> torch.Tensor:
    """Inputs that a map which is not one-to-one may confuse with ``x`` (n,): signs, orders, periods; (K, n)."""
    n = len(x)
    some = sorted({*range(min(n, COORDINATES // 2)), *range(max(n - COORDINATES // 2, 0), n)})
    unit = torch.eye(n, dtype=x.dtype, device=x.device)
    found = [-x, x.flip(0), x.roll(1), x.sort().values, x.abs()]
    for i in some:
        found.append(torch.where(unit[i] > 0, -x, x))
        found.extend(x + shift * unit[i] for shift in (*SHIFTS, *(-shift for shift in SHIFTS)))
        found.append(torch.where(unit[i] > 0, math.pi - x, x))
    for i, j in itertools.pairwise(some):
        order = torch.arange(n, device=x.device)
        order[i], order[j] = j, i
        found.append(x[order])
    found.extend(x + shift for shift in SHIFTS)
    every = torch.stack(found)
    return every[(every - x).abs().amax(dim=1) > 1e-3 * (1 + float(x.abs().max()))]


def coincident(f: Map, slopes: Differential, x: torch.Tensor, others: torch.Tensor, unit: float) -> torch.Tensor | None:
    """The first of ``others`` (K, n) to which ``f`` gives the output of ``x`` (n,); None if there is none."""
    values = f(torch.cat([x[None], others]))
    gap = (values[1:] - values[0]).abs().amax(dim=1)
    near = (gap.nan_to_num(nan=math.inf) <= max(NEAR, 2**8 * unit) * (1 + values[0].abs().max())).nonzero().flatten()
    if not len(near) or not bool(torch.isfinite(_stretch(slopes(x[None]), unit)).all()):
        return None
    for index in near.tolist():
        other = others[index]
        here = slopes(other[None])
        distance = float((other - x).abs().max())
        if float(_stretch(here, unit)) > 0.01:
            continue
        inverse = torch.linalg.inv(here.jacobian[0])
        step = (inverse @ (values[0] - values[1 + index])).abs().max()
        noise = inverse.abs().sum() * 2**10 * unit * (1 + values[0].abs().max())
        if float(step + noise) <= max(NEAR, 2**14 * unit) * distance:
            return other
    return None


def preimages(f: Map, slopes: Differential, x: torch.Tensor, starts: torch.Tensor, steps: int = 12) -> torch.Tensor:
    """Where Newton's method arrives from ``starts`` (S, n) on its way to the output of ``x`` (n,); away from x."""
    target, at = f(x[None]), starts.clone()
    for _ in range(steps):
        jacobian = slopes(at).jacobian.nan_to_num()
        step = (torch.linalg.pinv(jacobian) @ (target - f(at))[..., None])[..., 0].nan_to_num(posinf=0.0, neginf=0.0)
        length = torch.linalg.vector_norm(step, dim=1, keepdim=True)
        limit = 4 + float(torch.linalg.vector_norm(starts, dim=1).max())
        at = at + (step * (limit / length.clamp(min=1e-300)).clamp(max=1.0)).to(at)
        at = at[torch.isfinite(f(at)).all(dim=1)]
        if not len(at):
            break
    return at[(at - x).abs().amax(dim=1) > 1e-2 * (1 + float(x.abs().max()))]


def falling(f: Map, x: torch.Tensor, steps: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    """Where a function of one variable falls most steeply: the ends (K,) of K intervals far shorter than those of x.

    ``f`` gives (N, 2), values and slopes; x (N,) is sorted. Intervals over which the values rise by less than the
    slopes at the ends tell are halved again and again, and that half is kept that lacks more: a step down is found
    however narrow it is.
    """
    values = f(x)
    low, high = torch.stack([x, *values.T])[:, :-1], torch.stack([x, *values.T])[:, 1:]
    chosen = _lack(low, high).argsort()[:GAPS]
    low, high = low[:, chosen], high[:, chosen]
    for _ in range(steps):
        middle = (low[0] + high[0]) / 2
        between = torch.stack([middle, *f(middle).T])
        below = _lack(low, between) < _lack(between, high)
        low, high = torch.where(below, low, between), torch.where(below, between, high)
    return low[0], high[0]


def _lack(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """The rise of the values from ``low`` to ``high``, both (3, K): x, value, slope, less what the slopes tell."""
    expected = (high[0] - low[0]) * (high[2] + low[2]) / 2
    return (high[1] - low[1] - expected).nan_to_num(nan=math.inf)


def opposite(
    f: Map, slopes: Differential, x: torch.Tensor, unit: float, steps: int = 10
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """A row of ``x`` (R, n) and an input where the orientation is the other, (n,) both; None if none is found.

    ``slopes`` gives the Jacobian of (z, log|det dz/dx|), (R, n + 1, n). After the rows themselves, those of smallest
    determinant are moved by -2g/|g|^2, g the gradient of log|det|, at most by 1: Newton's step to the opposite value.
    Where n factors vanish together, that step is n times too short; multiples of it are tried too. A map that jumps
    between the two, which may turn space there and be one-to-one all the same, does not count.
    """
    signs, logs, gradient = _signs(slopes(x), unit)
    known = signs.nonzero().flatten()
    if not len(known):
        return None
    first = int(known[0])
    for row in (signs == -signs[first]).nonzero().flatten().tolist()[:PAIRS]:
        if not _torn(f, slopes, x[first], x[row], unit):
            return x[first], x[row]
    lowest = logs.nan_to_num(nan=math.inf).argsort()[:LOWEST]
    at, gradient = x[lowest], gradient[lowest]
    for _ in range(steps):
        size = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        step = (-2 * gradient / size.clamp(min=1e-12) ** 2).nan_to_num(posinf=0.0, neginf=0.0)
        tried = [at + _at_most_one(factor * step).to(at) for factor in (1.0, 2.0, 6.0)]
        every = torch.cat(tried)
        signs_there, _, gradients = _signs(slopes(every), unit)
        for row in (signs_there == -signs[first]).nonzero().flatten().tolist()[:1]:
            if not _torn(f, slopes, x[first], every[row], unit):
                return x[first], every[row]
        at, gradient = tried[0], gradients[: len(at)]
    return None


def _torn(f: Map, slopes: Differential, one: torch.Tensor, other: torch.Tensor, unit: float) -> bool:
    """Whether ``f`` jumps where the orientation changes between two inputs (n,).

    The interval is halved towards the change while the orientation in its middle is known, then towards the larger
    difference of values. What is continuous has there a difference in proportion to the length.
    """
    ends = torch.stack([one, other])
    sign = _signs(slopes(ends[:1]), unit)[0]
    for _ in range(30):
        middle = ends.mean(dim=0, keepdim=True)
        there = _signs(slopes(middle), unit)[0]
        values = f(torch.cat([ends, middle]))
        left, right = (torch.linalg.vector_norm(values[2] - values[i]) for i in (0, 1))
        ahead = bool(there == sign) if bool(there != 0) else bool(right > left)
        ends = torch.cat([middle, ends[1:]]) if ahead else torch.cat([ends[:1], middle])
    values = f(ends)
    length = torch.linalg.vector_norm(ends[1] - ends[0])
    return bool(torch.linalg.vector_norm(values[1] - values[0]) > 2.0**15 * length)


def _at_most_one(step: torch.Tensor) -> torch.Tensor:
    length = torch.linalg.vector_norm(step, dim=1, keepdim=True)
    return torch.div(step, length.clamp(min=1.0))


def _signs(both: Slopes, unit: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    n = both.jacobian.shape[2]
    square = Slopes(both.jacobian[:, :n], both.off[:, :n])
    sign, value = torch.linalg.slogdet(square.jacobian.nan_to_num())
    return torch.where(_stretch(square, unit) <= 0.01, sign, 0.0), value, both.jacobian[:, n]


def _stretch(slopes: Slopes, unit: float) -> torch.Tensor:
    """How uncertain log|det J| is, (R,): from ``off``, and from entries that are themselves rounded."""
    return resolved(Slopes(slopes.jacobian, slopes.off + 2**6 * unit * slopes.jacobian.abs()))[1]
