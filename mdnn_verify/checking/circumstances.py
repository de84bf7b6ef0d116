"""The same numbers under other circumstances: laid out otherwise in memory, and where no gradient is wanted.

The laws must hold there too. An implementation may refuse such a call by an exception; it may not answer it wrongly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

__all__ = ["CIRCUMSTANCES", "Strided", "Ungraded", "strided"]


class _Otherwise:
    """An implementation that is called otherwise, and its methods too."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # nor is it copied as the implementation is
            raise AttributeError(name)
        found = getattr(self.function, name)
        return type(self)(found) if callable(found) else found


class Strided(_Otherwise):
    """What reads the memory of a tensor as if it were contiguous reads other numbers here."""

    def __call__(self, *arguments: Any) -> Any:
        """The result for the same numbers in tensors and arrays that are not contiguous."""
        return self.function(*map(strided, arguments))


class Ungraded(_Otherwise):
    """What takes another path where no gradient is wanted takes it here."""

    @torch.no_grad()
    def __call__(self, *arguments: Any) -> Any:
        """The result under ``torch.no_grad()``."""
        return self.function(*arguments)


CIRCUMSTANCES: dict[type[Strided] | type[Ungraded], str] = {
    Strided: "for tensors that are not contiguous",
    Ungraded: "under torch.no_grad()",
}


def strided(value: Any) -> Any:
    """The same numbers, the first index running fastest, each followed by a zero; lists item by item."""
    if isinstance(value, list):
        return [strided(item) for item in value]
    if isinstance(value, torch.Tensor):
        axes = tuple(range(value.ndim))[::-1]
        turned = value.permute(axes)
        return torch.stack([turned, torch.zeros_like(turned)], -1)[..., 0].permute(axes)
    return np.stack([value.T, np.zeros_like(value.T)], -1)[..., 0].T if isinstance(value, np.ndarray) else value
