"""Each hypothesis is needed, each inclusion is checked, and a claim about other sets is refuted."""

from __future__ import annotations

import operator
from collections.abc import Iterator

import pytest
import torch
import z3

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.verdicts import Status

THEOREM = load(catalogue()["variational/lower_bound_tight"])
ALL = THEOREM.given["assumed"]
INCLUSIONS = ["maximisers_of_f_are_found", "maximisers_of_g_maximise_f"]


def verdict(name: str, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    return decide(check.function(**{p: data[p] for p in check.parameters}), Context(name, alpha=1e-8, timeout=5))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As the runner does: on a busy machine threads cost more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


@pytest.mark.parametrize("dropped", ALL)
def test_without_any_one_hypothesis_an_inclusion_has_a_counterexample(dropped: str) -> None:
    kept = tuple(name for name in ALL if name != dropped)
    assert any(verdict(name, assumed=kept).refuted for name in INCLUSIONS)


@pytest.mark.parametrize("claim", [operator.ge, operator.lt, operator.eq])
def test_other_extrema_are_not_preserved(claim) -> None:
    assert not all(verdict(name, no_better=claim).agrees for name in [*INCLUSIONS, "random_tables"])
    assert verdict("random_tables", no_better=claim).status is not Status.ERROR


GAPS = {
    "negative entries in one table of sixteen": lambda table: (
        THEOREM.given["gap"](table) - 4 * ((table == 3) & (table.sum((-1, -2), keepdim=True) % 16 == 0)).long()
    ),
    "no zero in the last row": lambda table: (
        THEOREM.given["gap"](table) + torch.arange(table.shape[-2]).eq(5).long()[:, None]
    ),
    "no zeros at all": lambda table: THEOREM.given["gap"](table) + 1 + torch.arange(table.shape[-2])[:, None],
}


@pytest.mark.parametrize("gap", GAPS.values(), ids=GAPS)
def test_random_tables_notice_a_gap_that_is_not_admissible(gap) -> None:
    assert verdict("random_tables", gap=gap).refuted


def test_a_gap_that_is_attained_everywhere_but_shifted_for_all_theta_alike_changes_nothing() -> None:
    """Not every change is a fault: g = f - h - 1 has the maximisers of f, and the check must say so."""
    assert verdict("random_tables", gap=lambda table: THEOREM.given["gap"](table) + 1).agrees


def test_infimum_that_is_not_attained_refutes_f_with_a_maximiser_and_not_f_without_one() -> None:
    plateau, unbounded = THEOREM.given["fs"]
    changes = {"h": lambda theta, phi: phi, "Phi": lambda phi: phi > 0}
    assert verdict("two_examples_over_the_reals", fs=(plateau,), **changes).refuted
    assert verdict("two_examples_over_the_reals", fs=(unbounded,), **changes).agrees


def test_a_polynomial_whose_infimum_is_not_attained_is_not_accepted() -> None:
    """h = 1/(1 + phi) on phi >= 0, written without division: phi = 1/h - 1, so Phi = (0, 1] and h = phi."""
    changes = {"h": lambda theta, phi: phi, "Phi": lambda phi: z3.And(phi > 0, phi <= 1)}
    assert verdict("two_examples_over_the_reals", **changes).refuted
    assert verdict("attained", **changes).refuted
