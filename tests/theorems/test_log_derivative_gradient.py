"""Estimators by the log-derivative trick: true variants are accepted, wrong ones and small errors are caught."""

from __future__ import annotations

import pytest
import sympy as sp
import torch

from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.engines import Context, decide
from mdnn_verify.engines.montecarlo import Stream

THEOREM = load(catalogue()["variational/log_derivative_gradient"])
MODULE = THEOREM.check("product_rule").function.__globals__
MEANS = ["gradients_by_power_series", "finite_model_simulated", "gaussian_encoder_simulated"]
EVERYWHERE = ["product_rule", "gradient_in_phi", "gaussian_encoder", "surrogate_loss", *MEANS]


def verdict(name: str, seed: int = 0, **changes):
    data = {**THEOREM.given, **changes}
    check = THEOREM.check(name)
    arguments = {p: Stream(name, seed) if p == "rng" else data[p] for p in check.parameters}
    return decide(check.function(**arguments), Context(name, seed=seed, alpha=1e-8))


@pytest.mark.parametrize("name", [check.name for check in THEOREM.checks])
def test_each_check_accepts_the_theorem(name: str) -> None:
    assert verdict(name).agrees


WRONG = {
    "half the signal": lambda s, p, r, q: s * (p + r - q) / 2,
    "log q counted twice": lambda s, p, r, q: s * (p + r - 2 * q),
    "the sign of everything": lambda s, p, r, q: s * (q - p - r),
    "squared score": lambda s, p, r, q: s * s * (p + r - q),
    "no signal": lambda s, p, r, q: s,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_estimators_are_refuted_everywhere(wrong) -> None:
    for name in EVERYWHERE:
        assert verdict(name, in_phi=wrong).refuted, name


@pytest.mark.parametrize("constant", [-1, 3])
def test_a_constant_baseline_changes_no_mean_though_it_changes_every_value(constant: int) -> None:
    """-1 is the derivative of the logarithm's own q, which may be kept as well."""

    def based(s, p, r, q):
        return s * (p + r - q + constant)

    for name in [*MEANS, "gaussian_encoder", "autograd_never_disagrees"]:
        assert verdict(name, in_phi=based).agrees, name
    assert verdict("surrogate_loss", in_phi=based).refuted


def test_one_percent_too_much_is_refuted_by_exact_means() -> None:
    def more(s, p, r, q):
        return 101 * s * (p + r - q) / 100

    for name in ["gaussian_encoder", "gradients_by_power_series", "autograd_never_disagrees"]:
        assert verdict(name, in_phi=more).refuted, name


@pytest.mark.parametrize("parameter", ["in_theta", "in_lambda"])
@pytest.mark.parametrize("factor", [0, -1, 2, sp.Rational(101, 100)])
def test_other_factors_of_decoder_and_prior_are_refuted(parameter: str, factor) -> None:
    def scaled(derivative, signal):
        return factor * derivative if isinstance(derivative, sp.Expr) else float(factor) * derivative

    names = ["gradients_in_theta_and_lambda", "gradients_by_power_series", "autograd_never_disagrees"]
    for name in [*names, *(["decoder_and_prior_simulated"] if factor != sp.Rational(101, 100) else [])]:
        assert verdict(name, **{parameter: scaled}).refuted, name


def test_a_family_that_is_not_normalised_is_refused() -> None:
    phi, z = MODULE["phi"], MODULE["z"]
    assert verdict("the_family_is_normalised", family=(2 * phi * sp.exp(-phi * z), sp.Integer(0), sp.oo)).refuted


def test_derivatives_of_the_gaussian_model_are_those_of_its_bound() -> None:
    def bound(parameters):
        mu, s, slope, l1, l2 = parameters
        noise = MODULE["NOISE"]
        square = (MODULE["DATUM"] - slope * mu) ** 2 + slope**2 * s
        divergence = (s / l2 + (mu - l1) ** 2 / l2 - 1 + torch.log(l2 / s)) / 2
        return -square / (2 * noise) - divergence

    at = torch.tensor([MODULE[name] for name in ("M", "S", "A", "L1", "L2")], dtype=torch.float64)
    expected = dict(zip(("mu", "s", "slope", "lambda_1", "lambda_2"), torch.func.grad(bound)(at).tolist(), strict=True))
    assert MODULE["DERIVATIVES"] == pytest.approx(expected, rel=1e-12)


def test_the_stated_variance_is_the_simulated_one() -> None:
    claims = THEOREM.check("gaussian_encoder_simulated").function(THEOREM.given["in_phi"])
    for claim in claims.values():
        drawn = claim.draw(Stream("variance", 0), 400_000)
        assert float(drawn.var()) == pytest.approx(claim.variance_bound, rel=0.03)
