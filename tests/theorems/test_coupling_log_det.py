"""Faults planted in the layer, the formula and the proof steps, beyond the file's own controls, must be caught."""

from __future__ import annotations

import pytest
import torch
import z3

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.engines.smt import Valid
from mdnn_verify.maths.coupling import affine_coupling
from mdnn_verify.verdicts import Status

ENTRY = catalogue()["flows/coupling_log_det"]
THEOREM = load(ENTRY)


def verdict(name: str, **changes):
    data = {**THEOREM.given, **changes}
    check, context = THEOREM.check(name), Context(name, alpha=1e-8)
    arguments = {p: Stream(name, 0) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), context)


def module_of(function):
    return function.__globals__


CHECKS = [check.name for check in THEOREM.checks if check.name != "pulled_back_density_integrates_to_one"]


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


PATHWISE = ["autograd_jacobian_has_the_claimed_determinant", "determinant_on_random_instances"]


@pytest.mark.parametrize("name", PATHWISE)
@pytest.mark.parametrize(
    "wrong",
    [
        lambda inside, outside: outside[1:] or inside,
        lambda inside, outside: (*inside, *outside),
        lambda inside, outside: range(len(inside), len(inside) + len(outside)),  # only right when O comes first
        lambda inside, outside: [*outside, outside[0]],
    ],
    ids=["one missing", "all", "O first", "one twice"],
)
def test_wrong_index_sets_are_refuted(name: str, wrong) -> None:
    assert verdict(name, over=wrong).refuted


@pytest.mark.parametrize("wrong", [lambda s: s * (1 + 1e-6), lambda s: s + 1e-6], ids=["relative", "absolute"])
def test_errors_of_a_millionth_are_refuted(wrong) -> None:
    for name in PATHWISE:
        assert verdict(name, term=wrong).refuted


def flawed(z_of=lambda z, x: z, log_det_of=lambda d: d):
    def layer(x, index_set, s, t):
        z, log_det = affine_coupling(x, index_set, s, t)
        return z_of(z, x), log_det_of(log_det)

    return layer


@pytest.mark.parametrize(
    ("fault", "caught_by"),
    [
        (flawed(log_det_of=lambda d: -d), "autograd_jacobian_has_the_claimed_determinant"),
        (flawed(log_det_of=lambda d: d + 1e-9), "autograd_jacobian_has_the_claimed_determinant"),
        (flawed(z_of=lambda z, x: z + 1e-6 * x), "autograd_jacobian_has_the_claimed_determinant"),
        (flawed(z_of=lambda z, x: z.flip(-1)), "library_computes_the_stated_layer"),
        (flawed(z_of=lambda z, x: z + 1), "library_computes_the_stated_layer"),
    ],
    ids=["sign", "offset", "diagonal", "order", "shift"],
)
def test_faults_of_the_library_are_refuted(monkeypatch: pytest.MonkeyPatch, fault, caught_by: str) -> None:
    function = THEOREM.check(caught_by).function
    monkeypatch.setitem(module_of(function), "affine_coupling", fault)
    assert verdict(caught_by).refuted


def test_general_steps_need_what_they_assume() -> None:
    """Without injectivity, or with entries above the block as well, a permutation other than the identity remains."""
    p, q, r, k = z3.Ints("p q r k")

    def lower(row, column):
        return z3.Or(row == column, z3.And(row >= k, column < k))

    context = Context("test")
    assert Valid(p == q, given=[lower(p, q), lower(q, r)]).decide(context).refuted
    full = [z3.Or(lower(p, q), p < k), z3.Or(lower(q, r), q < k), z3.Implies(q == r, p == q)]
    assert Valid(p == q, given=full).decide(context).refuted


def test_density_check_refutes_a_density_of_mass_1_02() -> None:
    result = verdict("pulled_back_density_integrates_to_one", term=lambda s: s + 0.01)  # two terms: exp(0.02)
    assert result.refuted


def test_weights_stay_below_the_bound_that_the_docstring_derives() -> None:
    check = THEOREM.check("pulled_back_density_integrates_to_one")
    for control in [None, *(c.name for c in THEOREM.controls)]:
        data = THEOREM.data(control)
        claim = check.function(**{name: data[name] for name in check.parameters})
        weights = claim.draw(Stream("bound", 3), 100_000)
        assert 0 <= weights.min() <= weights.max() <= claim.hi


def test_the_vertex_bound_is_the_maximum() -> None:
    """The derived bound on one factor is attained: compare with a fine grid over a, t and x."""
    S, T, tau = 0.25, 0.5, 2.0
    grid = torch.linspace(-20, 20, 4001, dtype=torch.float64)
    worst = max(
        float((-((a * grid + t) ** 2) / 2 + grid**2 / (2 * tau**2)).max())
        for a in (torch.tensor(S).exp(), torch.tensor(-S).exp())
        for t in (-T, 0.0, T)
    )
    derived = T**2 / (2 * (float(torch.tensor(-2 * S).exp()) * tau**2 - 1))
    assert 0.999 * derived <= worst <= derived * (1 + 1e-6)


def test_status_is_proved_where_proof_is_claimed() -> None:
    for check in THEOREM.checks:
        if check.kind == "symbolic":
            assert verdict(check.name).status is Status.PROVED
