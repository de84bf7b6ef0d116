"""No verdict on a subject depends on the seed: twenty are tried, or it is seen that none is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from mdnn_verify.engines.montecarlo import Stream

FOLDER = Path(__file__).parents[1] / "subjects"
CONTRACTS = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.py"))
SEEDS = range(20)
UNREADABLE = object()  # in the place of a seed


def test_without_a_seed_there_are_no_random_numbers() -> None:
    with pytest.raises(TypeError, match="SeedSequence expects"):
        Stream("any", UNREADABLE)  # type: ignore[arg-type]


@pytest.mark.campaign
@pytest.mark.parametrize("seed", SEEDS)
def test_right_ones_are_verified(right, seed: int) -> None:
    assert right.judged(seed).finding is None


@pytest.mark.campaign
def test_wrong_ones_are_refuted(wrong) -> None:
    """Before the seed is read, and so at every seed; otherwise, or if they are themselves random, at twenty."""
    if wrong.reproducible:
        try:
            assert wrong.judged(UNREADABLE).finding is not None
            return
        except TypeError as error:
            if "SeedSequence expects" not in str(error):
                raise
    missed = [seed for seed in SEEDS if wrong.judged(seed).finding is None]
    assert not missed
