"""The three statements on importance-weighted bounds: wrong weights, constants and hypotheses are caught."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from fractions import Fraction

import pytest
import sympy as sp
import torch
from scipy.integrate import quad

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.maths.linear_gaussian import LinearGaussian, Normal, WeightLaw, log_weights
from mdnn_verify.maths.log_mean_exp import log_mean_exp

LOWER, MONOTONE, TIGHT = (
    load(catalogue()[f"variational/iwae_{name}"]) for name in ("lower_bound", "monotone", "tight")
)


def verdict(theorem, name: str, **changes):
    data = {**theorem.given, **changes}
    check = theorem.check(name)
    arguments = {p: Stream(name, 0) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, alpha=1e-8))


def rejected(theorem, name: str, **changes) -> bool:
    """Refuted, or stopped because a draw left the range that the false datum implies: either way it cannot pass."""
    try:
        return verdict(theorem, name, **changes).refuted
    except MdnnVerifyError as error:
        return "expected a finite number in" in str(error)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As the runner does: on a busy machine threads cost more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("theorem", "name"), [pytest.param(t, c.name, id=c.name) for t in (LOWER, MONOTONE, TIGHT) for c in t.checks]
)
def test_each_check_accepts_the_theorem(theorem, name: str) -> None:
    assert verdict(theorem, name).agrees


class WrongEvidence(LinearGaussian):
    """log p(x) is given too large by ``error``."""

    error = 0.0

    def log_evidence(self, x: float) -> float:
        return super().log_evidence(x) + self.error


class NoPrior(LinearGaussian):
    """The prior's density is forgotten in the weights (and a constant put in its place)."""

    def log_joint(self, x: float, z: torch.Tensor) -> torch.Tensor:
        return super().log_joint(x, z) - Normal(0.0, 1.0).log_density(z) - 1.0


class HalfPrecision(LinearGaussian):
    """s is taken for the variance."""

    def log_joint(self, x: float, z: torch.Tensor) -> torch.Tensor:
        return Normal(0.0, self.s).log_density(x - self.a * z) + Normal(0.0, 1.0).log_density(z)


@pytest.mark.parametrize("error", [0.02, -0.02, 0.5])
def test_an_evidence_off_by_two_percent_is_refuted(error: float) -> None:
    model = type("Wrong", (WrongEvidence,), {"error": error})(1.0, 1.0)
    assert rejected(LOWER, "average_weight_simulated", model=model)


def test_an_evidence_claimed_too_small_breaks_the_bound() -> None:
    model = type("Small", (WrongEvidence,), {"error": -0.1})(1.0, 1.0)
    assert verdict(LOWER, "bound_simulated", model=model).refuted


def test_weights_without_the_prior_are_refuted() -> None:
    assert rejected(LOWER, "average_weight_simulated", model=NoPrior(1.0, 1.0))


def test_s_taken_for_the_variance_is_refuted() -> None:
    assert rejected(LOWER, "average_weight_simulated", model=HalfPrecision(1.0, 1.2))


@pytest.mark.parametrize("x", [0.0, -1.5, 2.0])
@pytest.mark.parametrize("proposal", [Normal(0.0, 1.0), Normal(0.3, 0.7)])
def test_the_bound_holds_for_other_data_and_proposals(x: float, proposal: Normal) -> None:
    assert verdict(LOWER, "bound_simulated", x=x, proposal=proposal).agrees
    assert verdict(MONOTONE, "bounds_compared", x=x, proposal=proposal).agrees


NORMALISERS = {
    "1/K^2": lambda K: 1 / (K * K),
    "2/K": lambda K: 2 / K,
    "1.001/K": lambda K: sp.Rational(1001, 1000) / K,
    "1": lambda K: K / K,
}


@pytest.mark.parametrize("normaliser", NORMALISERS.values(), ids=NORMALISERS)
def test_no_other_normalisation_passes(normaliser) -> None:
    assert verdict(LOWER, "average_weight_has_the_mean_p", normaliser=normaliser).refuted
    assert verdict(TIGHT, "matched_weights_are_constant", normaliser=normaliser).refuted
    assert verdict(TIGHT, "finite_example_enclosed", normaliser=normaliser).refuted
    assert verdict(TIGHT, "random_models_matched", normaliser=normaliser).refuted


def test_a_margin_of_a_thousandth_is_refuted_by_the_proof() -> None:
    assert verdict(LOWER, "the_expected_tangent_is_log_p", margin=sp.Rational(1, 1000)).refuted
    assert verdict(LOWER, "the_expected_tangent_is_log_p", margin=-sp.Rational(1, 1000)).agrees


OBJECTIVES = {
    "the largest log": lambda logs: logs.amax(-1),
    "the median": lambda logs: logs.median(-1).values,
    "twice the log of the mean": lambda logs: 2 * log_mean_exp(logs),
    "the negative": lambda logs: -log_mean_exp(logs),
}


@pytest.mark.parametrize("of_logs", OBJECTIVES.values(), ids=OBJECTIVES)
def test_other_objectives_are_told_apart(of_logs) -> None:
    """Twice the objective gains twice as much, which satisfies the inequality; the others fail it."""
    objective = type("Objective", (), {"of_logs": staticmethod(of_logs)})
    grows = of_logs is OBJECTIVES["twice the log of the mean"]
    assert verdict(MONOTONE, "gain_of_every_set_of_weights", objective=objective).refuted == (not grows)


def test_a_gain_one_percent_too_large_is_refuted() -> None:
    def more(K, M):
        return MONOTONE.given["gain"](K, M) * sp.Rational(101, 100)

    assert verdict(MONOTONE, "subset_averages_vary_by_the_gain", gain=more).refuted


@pytest.mark.parametrize(
    "gain",
    [
        lambda K, M: sp.Rational(1, M) / 2,
        lambda K, M: sp.Rational(1, M) - sp.Rational(1, K),
        lambda K, M: sp.Rational(1, K),
    ],
    ids=["1/(2M)", "1/M - 1/K", "1/K"],
)
def test_larger_gains_are_refuted_on_weights(gain) -> None:
    assert verdict(MONOTONE, "gain_never_missed", gain=gain).refuted


def test_one_subset_alone_may_be_better() -> None:
    assert verdict(MONOTONE, "gain_of_every_set_of_weights", pool=lambda values: values[..., 0]).refuted


@pytest.mark.parametrize("off", [0.05, -0.05, 0.5])
def test_an_encoder_that_is_off_is_seen(off: float) -> None:
    def encoder(model, x, data):
        return model.posterior(x).mean + off

    assert verdict(TIGHT, "gaussian_weights_are_constant", encoder=encoder).refuted
    assert verdict(TIGHT, "one_phi_matches_every_datum", encoder=encoder).refuted
    if abs(off) > 0.4:  # the gap is off^2 / (2v) for each of the two data
        assert verdict(TIGHT, "bound_reaches_the_likelihood", encoder=encoder).refuted


def test_a_family_with_one_wrong_law_misses_the_maximum() -> None:
    third = Fraction(1, 3)
    nearly = (((third, 2 * third), (2 * third - Fraction(1, 1000), third + Fraction(1, 1000))),)
    assert verdict(TIGHT, "finite_example_enclosed", family=nearly).refuted
    assert verdict(TIGHT, "one_phi_matches_every_datum", family=nearly).refuted


def test_the_gaussian_example_must_be_at_a_maximiser() -> None:
    assert verdict(TIGHT, "gaussian_example_is_at_a_maximiser", gaussian=LinearGaussian(1.0, 2.0)).refuted


def test_the_gap_of_one_sample_is_not_half_or_twice_the_divergence() -> None:
    gap = LOWER.given["gap_of_one"]
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert verdict(LOWER, "gap_of_one_sample", gap_of_one=lambda p, q, c=factor: c * gap(p, q)).refuted


def test_a_law_of_weights_is_refused_where_it_is_not_bounded() -> None:
    narrow = dataclasses.replace(LOWER.given["proposal"], variance=0.4)
    with pytest.raises(ValueError, match="q has the variance"):
        verdict(LOWER, "bound_simulated", proposal=narrow)
    assert math.isfinite(LOWER.given["model"].log_evidence(1.0))


EXAMPLES = [
    (LinearGaussian(1.0, 1.0), 1.0, Normal(0.0, 0.8)),
    (LinearGaussian(1.0, 1.0), -1.5, Normal(0.0, 1.0)),  # E 1/r is infinite
    (LinearGaussian(1.5, 0.7), -2.0, Normal(-0.5, 0.4)),
    (LinearGaussian(0.3, 2.0), 0.5, Normal(0.2, 1.3)),
]


def simulated_log_r(model, x, proposal):
    noise = torch.randn((200_000, 5), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return log_weights(model, x, proposal, proposal.from_standard(noise)) - model.log_evidence(x)


@pytest.mark.parametrize(("model", "x", "proposal"), EXAMPLES)
@pytest.mark.parametrize("pair", [*MONOTONE.given["pairs"], (2, 5), (3, 3)])
def test_the_stated_variance_is_not_exceeded(model, x, proposal, pair) -> None:
    """By simulation, in standard errors, for both objectives."""
    bound, logs = WeightLaw(model.posterior(x), proposal).variance_of_gain(*pair), simulated_log_r(model, x, proposal)
    for average in (log_mean_exp, lambda values: values.mean(-1)):
        gain = average(logs[:, : pair[0]]) - average(logs[:, : pair[1]])
        squares = (gain - gain.mean()) ** 2
        assert float(squares.mean()) <= bound + 6 * float(squares.std()) / 200_000**0.5


def test_the_stated_variance_is_close_where_the_samples_are_mostly_common() -> None:
    model, x, proposal = EXAMPLES[0]
    logs = simulated_log_r(model, x, proposal)
    variance = float((log_mean_exp(logs) - log_mean_exp(logs[:, :4])).var())
    assert WeightLaw(model.posterior(x), proposal).variance_of_gain(5, 4) <= 2.5 * variance


@pytest.mark.parametrize(("model", "x", "proposal"), EXAMPLES)
@pytest.mark.parametrize("power", [-0.5, -0.25, 0.0, 0.75, 1.0, 1.75, 2.0])
def test_moments_of_the_weights_against_integration(model, x, proposal, power) -> None:
    law = WeightLaw(model.posterior(x), proposal)

    def integrand(z: float) -> float:
        at = torch.tensor(z, dtype=torch.float64)
        log_q = proposal.log_density(at)
        return math.exp(float(power * (law.posterior.log_density(at) - log_q) + log_q))

    value, error = quad(integrand, -60, 60, points=[-2, -1, 0, 1, 2], limit=400)
    assert law.moment(power) == pytest.approx(value, rel=1e-8)
    assert error < 1e-6 * value


def test_a_moment_that_does_not_exist_is_infinite() -> None:
    model, x, proposal = EXAMPLES[1]
    law = WeightLaw(model.posterior(x), proposal)
    assert law.moment(-1.0) == law.excess_of_reciprocal(1) == math.inf
    assert math.isfinite(law.variance_of_gain(2, 1))


@pytest.mark.parametrize(("model", "x", "proposal"), EXAMPLES)
@pytest.mark.parametrize("count", [2, 4, 5])
def test_the_average_reciprocal_is_bounded(model, x, proposal, count) -> None:
    excess = 1 / simulated_log_r(model, x, proposal)[:, :count].exp().mean(-1) - 1
    law = WeightLaw(model.posterior(x), proposal)
    assert float(excess.mean()) <= law.excess_of_reciprocal(count) + 6 * float(excess.std()) / 200_000**0.5
    assert law.excess_of_reciprocal(count) >= 0  # Jensen
