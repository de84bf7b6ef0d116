"""The bound under a trainable prior: wrong integrands, likelihoods and enclosures are caught."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.integrate import quad

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.divergences import ball
from mdnn_verify.maths.linear_gaussian import Normal

THEOREM = load(catalogue()["variational/trainable_prior_bound"])
MODULE = THEOREM.check("gap_simulated").function.__globals__
NUMERIC = ["gap_of_finite_models", "gap_simulated"]


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


INTEGRANDS = {
    "prior counted twice": lambda p, r, q: p + 2 * r - q,
    "half of log q": lambda p, r, q: p + r - q / 2,
    "p left out": lambda p, r, q: r - q,
    "doubled": lambda p, r, q: 2 * (p + r - q),
    "the ratio inverted": lambda p, r, q: q - p - r,
}


@pytest.mark.parametrize("wrong", INTEGRANDS.values(), ids=INTEGRANDS)
def test_other_integrands_are_refuted_by_proof_and_numbers(wrong) -> None:
    for name in ["the_gap_at_one_point", "the_mean_of_the_gap", *NUMERIC]:
        assert verdict(name, integrand=wrong).refuted, name


@pytest.mark.parametrize("off", [0.02, -0.02])
def test_an_integrand_off_by_two_hundredths_is_refuted_by_simulation(off: float) -> None:
    assert verdict("gap_simulated", integrand=lambda p, r, q: p + r - q + off).refuted


def test_a_prior_that_is_only_nearly_the_trained_one_is_refuted() -> None:
    def nearly(prior, initial):
        if isinstance(prior, Normal):
            return Normal(prior.mean + 0.1, prior.variance)
        if isinstance(prior, torch.Tensor):
            return prior + 1e-9 * (initial - prior)
        return prior + (initial - prior) / 1000 if not isinstance(prior, tuple) else prior

    assert verdict("the_posterior_is_a_law", likelihood_prior=nearly).refuted
    assert verdict("gap_of_finite_models", likelihood_prior=nearly).refuted
    assert verdict("gap_simulated", likelihood_prior=nearly).refuted


def test_a_bound_that_is_exceeded_by_a_hair_is_refuted() -> None:
    """The posterior as q leaves a gap of 0, so that 1e-9 more is seen."""
    assert verdict("gap_of_finite_models", integrand=lambda p, r, q: p + r - q + ball("1e-9")).refuted


@pytest.mark.parametrize("prior", [Normal(0.8, 0.4), Normal(-2.0, 3.0)])
def test_closed_forms_of_the_linear_model_against_integration(prior: Normal) -> None:
    at, q = lambda z: torch.tensor(z, dtype=torch.float64), MODULE["ENCODER"]
    x, likelihood = MODULE["DATUM"], Normal(MODULE["DATUM"], MODULE["NOISE"])

    def joint(z: float) -> float:
        return math.exp(float(likelihood.log_density(MODULE["A"] * at(z)) + prior.log_density(at(z))))

    def term(z: float) -> float:
        log_q = q.log_density(at(z))
        return math.exp(float(log_q)) * float(
            likelihood.log_density(MODULE["A"] * at(z)) + prior.log_density(at(z)) - log_q
        )

    assert math.log(quad(joint, -15, 15)[0]) == pytest.approx(MODULE["log_likelihood"](prior), rel=1e-9)
    bound = MODULE["parts_of"](THEOREM.given["integrand"], prior, q)[0]
    assert quad(term, -6, 6, points=[0.5])[0] == pytest.approx(bound, rel=1e-8)
    posterior = MODULE["posterior_of"](prior)
    for z in (-1.0, 0.3, 2.0):
        log_posterior = math.log(joint(z)) - MODULE["log_likelihood"](prior)
        assert float(posterior.log_density(at(z))) == pytest.approx(log_posterior, rel=1e-9)
    assert x == 1.0


def test_the_stated_variance_is_the_simulated_one() -> None:
    draw, stated = MODULE["linear_parts"](THEOREM.given["integrand"], THEOREM.given["likelihood_prior"])
    assert float(draw(Stream("variance", 0), 400_000).var()) == pytest.approx(stated, rel=0.02)


@pytest.mark.parametrize(("x", "prior", "encoder"), [(1, (2, 1), (2, 1)), (0, (3, 4), (-1, 1))])
def test_enclosures_of_the_logistic_decoder_against_integration(x: int, prior, encoder) -> None:
    terms = MODULE["logistic_terms"](x, prior, encoder)
    sign = 1 if x else -1
    functions = [
        lambda z: -math.log1p(math.exp(-sign * z)),
        *(lambda z, m=m, v=v: -((z - m) ** 2) / (2 * v) - math.log(2 * math.pi * v) / 2 for m, v in (prior, encoder)),
    ]
    mean, v = encoder
    for (f, size), plain in zip(terms, functions, strict=True):
        value = quad(lambda z, g=plain: g(z) * math.exp(functions[2](z)), mean - 10 * v, mean + 10 * v)[0]
        enclosed = MODULE["expected"](f, encoder, size)
        assert float(enclosed) == pytest.approx(value, abs=1e-7)
        for z in (-40.0, -3.0, 0.0, 0.5, 7.0, 40.0):  # the bound of the tails holds
            assert abs(plain(z)) <= float(size[0]) + float(size[1]) * (z - mean) ** 2
