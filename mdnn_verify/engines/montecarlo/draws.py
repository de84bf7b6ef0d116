"""Blocks of draws, refused loudly when they are not what a claim is about: nothing is clipped, nothing dropped."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from mdnn_verify.engines.base import Context
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import MdnnVerifyError

__all__ = ["BLOCK", "SETUP_BLOCK", "Draw", "DrawError", "block_of", "offending", "refuse_dependence", "required_alpha"]

BLOCK = 4096
FAR_BLOCK = 2**31  # no simulation gets there
SAMPLE = 64  # draws on which dependence is looked for
COINCIDENCE = 40.0  # nats: equal draws of more entropy than this are no accident
# used by pilots, and by a check's own ``rng``: what decides a claim never shares random numbers with what set it up
SETUP_BLOCK = 0
Draw = Callable[[Stream, int], torch.Tensor]
EXACT = (torch.float64, torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class DrawError(MdnnVerifyError):
    """A simulation returned something other than n float64 numbers, or one outside what the claim declares."""


def required_alpha(context: Context) -> float:
    """The error probability of this check. Raises MdnnVerifyError where no simulation may run."""
    if context.alpha is None:
        raise MdnnVerifyError(
            f"{context.name}: a simulation cannot come out of a generator, because alpha cannot be divided, nor out of "
            "anything but a Monte Carlo check; return a list or a mapping"
        )
    if not 0 < context.alpha < 1:
        raise MdnnVerifyError(f"{context.name}: alpha is {context.alpha!r}, expected a number in (0, 1)")
    return context.alpha


def block_of(
    draw: Draw,
    context: Context,
    block: int,
    size: int = BLOCK,
    *,
    lo: float = -math.inf,
    hi: float = math.inf,
    finite: bool = True,
) -> torch.Tensor:
    """Block number ``block``: float64, shape (size,), on the context's device; booleans and integers are converted.

    Raises DrawError for anything else, for a draw outside [lo, hi] and, if ``finite``, for NaN and infinity.
    """
    draws = draw(Stream(context.name, context.seed, block, context.device), size)
    where = f"{context.name}: block {block} of the draws"
    if not isinstance(draws, torch.Tensor):
        raise DrawError(f"{where} is of type {type(draws).__name__}, expected a torch tensor")
    if tuple(draws.shape) != (size,):
        raise DrawError(f"{where} has shape {tuple(draws.shape)}, expected ({size},)")
    if draws.dtype not in EXACT:
        raise DrawError(f"{where} has dtype {draws.dtype}, expected torch.float64")
    if draws.device.type != torch.device(context.device).type:
        raise DrawError(f"{where} is on {draws.device}, expected {context.device}: draw on rng.device")
    draws = draws.detach().to(torch.float64)
    if finite:
        wrong = offending(~(torch.isfinite(draws) & (draws >= lo) & (draws <= hi)))
        if wrong is not None:
            expected = f"a finite number in [{lo:g}, {hi:g}]" if lo > -math.inf else "a finite number"
            raise DrawError(f"{where} has {float(draws[wrong])!r} at index {wrong}, expected {expected}")
    return draws


def refuse_dependence(draw: Draw, context: Context) -> None:
    """Raises DrawError for draws that keep a state between calls, or that take no numbers from their stream."""
    first, again, other = (
        block_of(draw, context, block, SAMPLE, finite=False) for block in (FAR_BLOCK, FAR_BLOCK, FAR_BLOCK + 1)
    )
    if torch.device(context.device).type == "cpu" and not torch.equal(first.nan_to_num(), again.nan_to_num()):
        raise DrawError(
            f"{context.name}: two calls with the same stream gave different draws, which must not keep a state"
        )
    shares = torch.unique(first, return_counts=True)[1] / SAMPLE
    if torch.equal(first, other) and float(-(shares * shares.log()).sum()) * SAMPLE > COINCIDENCE:
        raise DrawError(f"{context.name}: two streams gave the same draws; expected all randomness to come from rng")


def offending(wrong: torch.Tensor) -> int | None:
    """The first index where ``wrong`` is true, None if it is nowhere."""
    return int(wrong.to(torch.int8).argmax()) if bool(wrong.any()) else None
