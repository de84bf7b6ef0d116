r"""bound(log_w) = log of the mean weight: more samples never loosen it.

The theorem's own identity, at any weights: over the K subsets of K - 1 of them, the mean of exp(bound) is exp(bound) of
all, and the mean of bound is at most bound of all; the same for subsets of two. The value, and rounding: ``_bound``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Instance, Terms
from mdnn_verify.contracts.variational._bound import bound_contract, exact, rounding

MANY = 2000  # numbers handed over at once, at most

contract = bound_contract()


@contract.law
def monotone(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The mean of bound over subsets of the weights is at most bound of all, and that of exp(bound) equal to it."""
    log_w = instance.arguments["log_w"]
    count = log_w.shape[-1]
    truth = exact(log_w)
    for size in sorted({1, 2, count - 1}):
        if not 1 <= size < count or math.comb(count, size) * size * log_w.numel() > MANY * count:
            continue
        chosen = torch.tensor(list(itertools.combinations(range(count), size)), device=log_w.device)
        limit = rounding(log_w, terms) + rounding(log_w[..., chosen], terms).amax(-1)
        lines = (
            f"import itertools\nchosen = torch.tensor(list(itertools.combinations(range({count}), {size})))\n"
            "subsets = log_w[..., chosen]\n"
        )
        with subject.showing(f"{lines}observed, expected = subject(subsets), f'a tensor {{subsets.shape[:-1]}}'"):
            bounds = subject(log_w[..., chosen]).double().cpu()
        total = torch.logsumexp(bounds, -1) - math.log(len(chosen))
        yield Comparison(
            total, truth, 2 * limit,
            f"the mean of exp(bound) over the subsets of {size} is not exp(bound) of all {count}",
            f"{lines}observed = subject(subsets).double().logsumexp(-1) - torch.tensor({len(chosen)}).double().log()\n"
            f"expected = {truth.tolist()!r}",
        )  # fmt: skip
        yield Comparison(
            torch.maximum(bounds.mean(-1), truth), truth, limit,
            f"the mean of bound over the subsets of {size} is above bound of all {count}",
            f"{lines}observed = subject(subsets).mean(-1).tolist()\nexpected = 'at most {truth.tolist()!r}'",
        )  # fmt: skip
