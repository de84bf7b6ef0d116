r"""From pixels to unbounded reals and back, with the log-determinant: the density stays one of pixels.

An image of levels 0 .. L - 1 is dequantised: x = image + u with u uniform on [0, 1)^D, so that x lies in [0, L)^D. Then

    w = a + (1 - 2 a) x / L,    v = logit(w) = log w - log(1 - w),
    log|det dv/dx| = sum_i log((1 - 2 a) / L) - log w_i - log(1 - w_i),

with a margin a > 0 that keeps v finite where x meets the ends of [0, L]. A density p(x) = p_V(v(x)) |det dv/dx|
integrates to 1 over {0 < w < 1}, which is [0, L]^D enlarged by a L / (1 - 2 a) on each side; the little that lies
outside [0, L]^D makes the probability of a whole image,

    P(image) = int p(image + u) du >= exp(E_u log p(image + u)),

and with it the number of bits per dimension -E log p(x) / (D log 2), an upper bound (Theis, van den Oord and Bethge,
2016: it cannot be lower than the entropy of the discrete images).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from mdnn_verify.errors import UsageError

__all__ = ["LogitPixels"]


@dataclass(frozen=True)
class LogitPixels:
    """The map x -> v above. Raises UsageError unless ``levels`` is 2 to 256 and 0 < ``margin`` < 1/2."""

    levels: int
    margin: float

    def __post_init__(self) -> None:
        if type(self.levels) is not int or not 2 <= self.levels <= 256:
            raise UsageError(f"levels = {self.levels!r}, expected an integer from 2 to 256")
        if type(self.margin) is not float or not 0 < self.margin < 0.5:
            raise UsageError(f"margin = {self.margin!r}, expected a number between 0 and 1/2")

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """v and log|det dv/dx| for x, (..., D) pixels in the units of levels: shapes (..., D) and (...)."""
        slope = (1 - 2 * self.margin) / self.levels
        w = self.margin + slope * x
        log_w, log_rest = torch.log(w), torch.log1p(-w)
        return log_w - log_rest, x.shape[-1] * math.log(slope) - (log_w + log_rest).sum(dim=-1)

    def inverse(self, v: torch.Tensor) -> torch.Tensor:
        """The x with forward(x)[0] = v."""
        return (torch.sigmoid(v) - self.margin) * (self.levels / (1 - 2 * self.margin))

    def quantised(self, x: torch.Tensor) -> torch.Tensor:
        """The levels that dequantisation took to x, uint8; what lies outside [0, levels) gets the nearest one."""
        return x.floor().clamp(0, self.levels - 1).to(torch.uint8)
