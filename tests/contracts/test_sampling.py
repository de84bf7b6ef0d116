"""The contract of quantiles of step functions: rounding at the heights of the jumps, and nothing else."""

from __future__ import annotations

from itertools import accumulate

import pytest
import torch

CONTRACTS = ("sampling/generalized_inverse",)


def test_wrong_ones_are_refuted_by_what_can_be_pasted(wrong) -> None:
    judgement = wrong.judged()
    assert judgement.finding is not None
    assert not wrong.reproducible or wrong.shows_a_discrepancy(judgement), judgement.finding


def test_right_ones_are_verified(right) -> None:
    judgement = right.judged()
    assert judgement.complete
    assert judgement.finding is None, judgement.finding


def test_right_ones_are_verified_in_single_precision(single) -> None:
    judgement = single.judged(dtype=torch.float32)
    assert judgement.complete
    assert judgement.finding is None, judgement.finding


def quantile(atoms, probs, u, strict: bool = True, off: float = 0.0, below: float | None = None):
    """Quantiles by a loop. ``off`` moves the heights; at u = 0 ``below`` is returned, if given."""
    heights = [height + off for height in accumulate(probs.tolist())]
    last = int(torch.nonzero(probs > 0)[-1])
    result, atoms = [], atoms.detach()
    for level in u.tolist():
        place = next((i for i, h in enumerate(heights) if (level < h if strict else level <= h)), last)
        result.append(float(atoms[min(place, last)]) if level or below is None else below)
    return torch.tensor(result, dtype=atoms.dtype)


def test_both_forms_are_accepted_at_the_heights(judged) -> None:
    for strict in (True, False):
        assert (
            judged(*CONTRACTS, lambda atoms, probs, u, strict=strict: quantile(atoms, probs, u, strict)).finding is None
        )


def test_rounding_of_the_heights_is_accepted_and_no_more(judged) -> None:
    def by(off: float):
        return judged(*CONTRACTS, lambda atoms, probs, u: quantile(atoms, probs, u, off=off)).finding

    assert by(2e-16) is None
    assert by(-2e-16) is None
    assert by(1e-12) is not None
    assert by(-1e-12) is not None


@pytest.mark.parametrize(("below", "accepted"), [(-torch.inf, True), (-1e9, True), (1e9, False)])
def test_at_zero_whatever_is_not_above_the_first_atom_will_do(judged, below: float, accepted: bool) -> None:
    """inf{x : 0 <= F(x)} does not exist; implementations return minus infinity, or the last integer before."""
    finding = judged(*CONTRACTS, lambda atoms, probs, u: quantile(atoms, probs, u, below=below)).finding
    assert (finding is None) == accepted


def test_the_smallest_counterexample_of_a_shift(judged) -> None:
    def shifted(atoms, probs, u):
        return quantile(atoms, probs, u).roll(1) if len(atoms) < 3 else quantile(atoms, probs, u) - 1

    finding = judged(*CONTRACTS, shifted).finding
    assert finding is not None
    assert len(finding.arguments["u"]) == 1
