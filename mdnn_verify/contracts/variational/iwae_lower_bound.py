r"""bound(log_w) = log of the mean weight, whose expectation never exceeds the log of the expected weight.

The theorem's own identity: let the weight take the values w_1, ..., w_S with equal probabilities, and take all S^K
samples of K of them. The mean over the samples of exp(bound) is the mean of w, and the mean of bound is at most its
logarithm. The value, and rounding: ``_bound``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Instance, Terms
from mdnn_verify.contracts.variational._bound import bound_contract, exact, rounding

STATES = 4  # at most so many values of a weight

contract = bound_contract()


@contract.law
def lower_bound(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Over all samples, exp(bound) has the expected weight for its mean, and bound at most the logarithm of it."""
    weights = instance.arguments["log_w"].reshape(-1)
    states = len(weights)
    if not 2 <= states <= STATES:
        return
    for k in (2, 3) if states == 2 else (2,):
        samples = torch.stack([weights[list(choice)] for choice in itertools.product(range(states), repeat=k)])
        truth, limit = float(exact(weights)), float(rounding(weights, terms) + rounding(samples, terms).max())
        lines = (
            "import itertools\nweights = log_w.reshape(-1)\n"
            f"samples = torch.stack([weights[list(c)] for c in itertools.product(range({states}), repeat={k})])\n"
        )
        with subject.showing(f"{lines}observed, expected = subject(samples), 'a tensor ({len(samples)},)'"):
            bounds = subject(samples).double().cpu()
        mean, total = float(bounds.mean()), float(torch.logsumexp(bounds, 0)) - math.log(len(bounds))
        yield Comparison(
            total, truth, 2 * limit, "the mean of exp(bound) over all samples is not the mean weight",
            f"{lines}observed = subject(samples).logsumexp(0) - torch.tensor({len(samples)}).double().log()\n"
            f"expected = {truth!r}",
        )  # fmt: skip
        yield Comparison(
            max(mean, truth), truth, limit, "the mean of bound over all samples is above the log of the mean weight",
            f"{lines}observed = subject(samples).mean()\nexpected = 'at most {truth!r}'",
        )  # fmt: skip
