"""Blocks of draws, refused loudly when they are not what a claim is about: no clipping, no dropping."""

from __future__ import annotations

from collections.abc import Callable

import torch

from mdnn_verify.engines.base import Context
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import MdnnVerifyError

__all__ = ["BLOCK", "BadDraws", "Draw", "block_of", "required_alpha"]

BLOCK = 4096
Draw = Callable[[Stream, int], torch.Tensor]


class BadDraws(MdnnVerifyError):
    """A simulation returned something other than n finite float64 numbers inside the declared support."""


def required_alpha(context: Context) -> float:
    """The error probability of this check. Raises MdnnVerifyError where no simulation may run."""
    if context.alpha is None:
        raise MdnnVerifyError(
            f"{context.name}: a simulation came out of a generator; return a list or a mapping, whose length divides alpha"
        )
    if not 0 < context.alpha < 1:
        raise MdnnVerifyError(f"{context.name}: alpha is {context.alpha}, expected a number in (0, 1)")
    return context.alpha


def block_of(
    draw: Draw,
    context: Context,
    block: int,
    size: int = BLOCK,
    *,
    lo: float = -torch.inf,
    hi: float = torch.inf,
    finite: bool = True,
) -> torch.Tensor:
    """Block number ``block``: float64, shape (size,). Raises BadDraws naming the first offending draw."""
    draws = draw(Stream(context.name, context.seed, block, context.device), size)
    where = f"{context.name}: block {block}"
    if not isinstance(draws, torch.Tensor):
        raise BadDraws(f"{where} is of type {type(draws).__name__}, expected a torch tensor")
    if tuple(draws.shape) != (size,):
        raise BadDraws(f"{where} has shape {tuple(draws.shape)}, expected ({size},)")
    if draws.is_complex() or draws.dtype in (torch.float32, torch.float16, torch.bfloat16):
        raise BadDraws(f"{where} has dtype {draws.dtype}, expected torch.float64")
    draws = draws.detach().to(torch.float64)
    if finite:
        _refuse_outside(draws, lo, hi, where)
    return draws


def _refuse_outside(draws: torch.Tensor, lo: float, hi: float, where: str) -> None:
    inside = torch.isfinite(draws) & (draws >= lo) & (draws <= hi)
    if not bool(inside.all()):
        first = int((~inside).to(torch.int8).argmax())
        raise BadDraws(f"{where}, draw {first} is {float(draws[first])!r}, expected a finite number in [{lo:g}, {hi:g}]")
