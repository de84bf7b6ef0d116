"""Whether what a flow offers as its inverse undoes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Terms
from mdnn_verify.contracts.flows._layer import slopes_of
from mdnn_verify.maths.slopes import Slopes, outputs, resolved

__all__ = ["UNDONE", "inverted", "lost"]

UNDONE = 1e-6  # what an inverse may be off, relative; contracts.md


def inverted(
    subject: Any, x: torch.Tensor, words: str, terms: Terms, lost: Callable[[torch.Tensor], torch.Tensor]
) -> Iterator[Comparison]:
    """inverse(z) against x, where there is an inverse.

    ``lost(x)`` is what each row of x has lost because z is rounded, (R,): too much, and it is not asked for.
    """
    z = next(iter(subject(x).values()))
    if not (bool(torch.isfinite(z).all()) and subject.implements("inverse", z.clone())):
        yield Comparison(0.0, 0.0, 0.0, "")
        return
    inverse = subject.attribute("inverse")
    bound = max(UNDONE, 2**8 * terms.unit) * (1 + x.detach().double().cpu().reshape(len(x), -1).abs().amax(dim=1))
    found = subject.attempt(lambda: _first(subject.guarded(inverse, z.clone())))
    if found is None or not _undone(found, x, bound):
        less = lost(x)
        sound = (less <= 1e3 * bound).nonzero().flatten()
        if not len(sound):
            return
        if len(sound) < len(x):
            x, words = x[sound.to(x.device)], f"{words}[{sound.tolist()}]"
            z = next(iter(subject(x).values()))
        bound = (bound + less)[sound]
    yield from _inverse_holds(subject, x, z, words, bound)


def _inverse_holds(
    subject: Any, x: torch.Tensor, z: torch.Tensor, words: str, bound: torch.Tensor
) -> Iterator[Comparison]:
    lines = (
        f"z = subject({words})[0].detach()\nsubject(1 - {words})\n"
        "found = subject.inverse(z)\nfound = found[0] if isinstance(found, (list, tuple)) else found\n"
    )
    handed = z.clone()
    subject.attempt(subject, 1 - x)  # an inverse must not rest on what was asked last
    with subject.showing(f"{lines}observed, expected = found, 'a result'"):
        found = _first(subject.guarded(subject.attribute("inverse"), handed))
    kept = f"z = subject({words})[0].detach()\nobserved = z.clone()\nexpected = z\nsubject.inverse(observed)"
    yield Comparison(torch.equal(handed, z), True, 0.0, "the inverse changes its argument", kept)
    looks = (tuple(found.shape), found.dtype) if isinstance(found, torch.Tensor) else type(found).__name__
    wanted = (tuple(x.shape), x.dtype)
    seen = "(tuple(found.shape), found.dtype) if torch.is_tensor(found) else type(found).__name__"
    shown = f"{lines}observed = {seen}\nexpected = {wanted!r}"
    yield Comparison(looks == wanted, True, 0.0, f"the inverse gives {looks}, expected {wanted}", shown)
    found = found.detach()
    gap = (found - x).double().cpu().reshape(len(x), -1).abs().amax(dim=1).nan_to_num(nan=torch.inf)
    worst = int((gap / bound).argmax())
    yield Comparison(
        found[worst], x[worst], bound[worst], "the inverse does not undo the map",
        f"{lines}observed, expected = found[{worst}].tolist(), {words}[{worst}].tolist()",
    )  # fmt: skip


def _first(found: Any) -> Any:
    return found[0] if isinstance(found, (list, tuple)) and found else found


def _undone(found: Any, x: torch.Tensor, bound: torch.Tensor) -> bool:
    if not isinstance(found, torch.Tensor) or found.shape != x.shape:
        return True  # which is told
    gap = (found - x).detach().double().cpu().reshape(len(x), -1).abs()
    return bool((gap <= bound[:, None]).all())


def lost(subject: Any, x: torch.Tensor, terms: Terms) -> torch.Tensor:
    """What x (R, n) loses when z is rounded: 2^10 u |J^-1| (1 + |z| + |J| |x|), infinite where J is singular; (R,)."""
    values = outputs(subject(x))[:, :-1]
    slopes = slopes_of(subject, x, terms)
    square = Slopes(slopes.jacobian[:, :-1], slopes.off[:, :-1])
    sound = torch.isfinite(resolved(square)[1])
    eye = torch.eye(square.jacobian.shape[-1], dtype=torch.float64)
    inverse = torch.linalg.inv(torch.where(sound[:, None, None], square.jacobian, eye)).abs()
    size = 1 + values.abs() + (square.jacobian.abs() @ x.double().cpu().abs()[..., None])[..., 0]
    gone = 2**10 * terms.unit * (inverse @ size[..., None])[..., 0].amax(dim=1)
    return torch.where(sound, gone, torch.inf)
