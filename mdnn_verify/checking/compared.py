"""Holds an observed number against the expected one, to within the bound that its law gives."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mdnn_verify.checking.finding import Finding
from mdnn_verify.contract import Comparison, Instance

__all__ = ["Compared"]

INFORMATIVE = 1e-3  # a bound above this share of the compared magnitude would accept what it should tell apart


@dataclass(frozen=True)
class Compared:
    """What came of one comparison. ``noise``: the rounding error that it allows the whole result."""

    finding: Finding | None
    informative: bool
    noise: float

    @classmethod
    def of(cls, law: str, comparison: Comparison, instance: Instance) -> Compared:
        """``finding`` where some entry is further off than its bound; it tells the worst."""
        observed, expected, bound = (
            torch.as_tensor(value, dtype=torch.float64).detach().cpu()
            for value in (comparison.observed, comparison.expected, comparison.bound)
        )
        magnitude = float(torch.cat([observed.reshape(-1), expected.reshape(-1)]).abs().nan_to_num(posinf=0.0).max())
        informative = float(bound.max()) <= INFORMATIVE * max(magnitude, comparison.scale)
        noise = float(bound.max()) * max(observed.numel(), 1) ** 2
        residual = torch.where(observed == expected, 0.0, (observed - expected).abs())
        if bool((residual <= bound).all()):
            return cls(None, informative, noise)
        call = f"observed = subject({', '.join(instance.arguments)})\nexpected = {expected.tolist()!r}"
        worst = int(torch.where(residual <= bound, -1.0, residual.nan_to_num(nan=torch.inf)).argmax())
        limit = float(bound.expand(observed.shape).reshape(-1)[worst]) if bound.ndim else float(bound)
        gives, wants = float(observed.reshape(-1)[worst]), float(expected.reshape(-1)[worst])
        finding = Finding(
            law, comparison.what, instance.arguments, instance.label, comparison.shown or call,
            repr(gives), repr(wants), f"{limit:.3g}",
        )  # fmt: skip
        return cls(finding, informative, noise)
