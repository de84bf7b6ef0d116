r"""The importance-weighted bound never exceeds the log likelihood, whatever the number K of samples.

For $Z_1, \dots, Z_K$ drawn independently from $q(z \mid x)$ and the weights
$w_k = p(x \mid Z_k)\, p(Z_k) / q(Z_k \mid x)$,

$$\mathrm{VLB}_K(x) = E \log \frac1K \sum_{k=1}^K w_k \le \log p(x), \qquad
\text{with equality if and only if } w \text{ is constant.}$$

Jensen's inequality, spelled out: the tangent of the logarithm at $c = p(x)$ lies above it,
$\log t \le t/c - 1 + \log c$, and the average weight $\bar w$ has the mean $p(x)$. What the tangent leaves is the gap:
$\log p(x) - \mathrm{VLB}_K(x) = E\, T(\bar w)$ with $T(t) = t/c - 1 - \log(t/c) \ge 0$. For $K = 1$ the gap is
$D(q \| \text{posterior})$.

Sums over a finite latent space of any size stand for integrals; that expectations are linear and monotone is used as
known. Where $q$ vanishes but the joint density does not, the average weight falls short of $p(x)$: the bound survives,
the mean does not.

Source: seed 002, Problem 1(a).
"""

from __future__ import annotations

import math
from fractions import Fraction

import sympy as sp
import torch
import z3

from mdnn_verify.engines.intervals import EnclosureAtLeast
from mdnn_verify.engines.montecarlo import BoundedMean, CatoniMean, NeverViolated, PairedInequality
from mdnn_verify.engines.pathwise import AtLeast
from mdnn_verify.engines.smt import Valid, rational
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.finite_latent import ball, importance_bound, log_evidence, log_of_mean
from mdnn_verify.maths.linear_gaussian import LinearGaussian, Normal, WeightLaw, log_weights
from mdnn_verify.maths.log_mean_exp import log_mean_exp, rounding_bound
from mdnn_verify.theorem import Theorem


def one_over_K(K):
    """The factor that makes a mean of the sum."""
    return 1 / K


def one(K):
    """No normalisation: the log of the sum of the weights."""
    return K / K


def one_over_K_plus_one(K):
    """Too small a factor: the bound holds all the more, the mean does not."""
    return 1 / (K + 1)


def divergence_of_q(posterior, q):
    """KL(q || posterior) of two normal laws."""
    ratio = q.variance / posterior.variance
    return (ratio + (q.mean - posterior.mean) ** 2 / posterior.variance - 1 - math.log(ratio)) / 2


def divergence_of_posterior(posterior, q):
    """KL(posterior || q), the arguments exchanged."""
    return divergence_of_q(q, posterior)


SAMPLES = (1, 2, 5)
thirds = Fraction(1, 3)

theorem = Theorem(
    statement=r"\mathrm{VLB}_K(x)=\mathbb{E}_{Z_1,\dots,Z_K\sim q}\left[\log\frac1K\sum_{k=1}^K"
    r"\frac{p(x\mid Z_k)\,p(Z_k)}{q(Z_k\mid x)}\right]\ \le\ \log p(x)\qquad\forall K\ge 1",
    given={
        "normaliser": one_over_K,
        "margin": sp.Integer(0),
        "joint": (Fraction(1, 4), Fraction(1, 12), Fraction(1, 6)),
        "q": (thirds, thirds, thirds),
        "model": LinearGaussian(a=1.0, s=1.0),
        "x": 1.0,
        "proposal": Normal(0.0, 0.8),
        "gap_of_one": divergence_of_q,
    },
)

t, c = sp.symbols("t c", positive=True)
K = sp.Symbol("K", integer=True, positive=True)


@theorem.hypothesis
def q_is_a_law(q):
    """The law q is non-negative and sums to 1."""
    return sp.And(sp.Eq(sp.Add(*map(sp.Rational, q)), 1), *(sp.Rational(p) >= 0 for p in q))


@theorem.hypothesis
def q_covers_the_joint_density(joint, q):
    """Wherever p(x, z) > 0, also q(z | x) > 0."""
    return [sp.Or(sp.Eq(sp.Rational(p), 0), sp.Gt(sp.Rational(r), 0)) for p, r in zip(joint, q, strict=True)]


@theorem.proof(scope="all t, c > 0")
def tangent_touches_the_logarithm():
    """T(t) = t/c - 1 - log(t/c) vanishes at t = c, and its slope there and elsewhere is (t - c) / (c t)."""
    gap = t / c - 1 - sp.log(t / c)
    return {"T(c) = 0": Equal(gap.subs(t, c), 0), "T'": Equal(sp.diff(gap, t), (t - c) / (c * t))}


@theorem.proof(scope="all t, c > 0, t != c, by the mean value theorem (its use is by hand)")
def tangent_lies_above_the_logarithm():
    """T falls before c and rises after: T(t) = T'(s)(t - c) with s between, so T(t) > 0 for t != c, that is log t <
    tangent."""
    at, point, between, slope, value = z3.Reals("t c s slope T")
    ordered = z3.Or(z3.And(at < between, between < point), z3.And(point < between, between < at))
    return Valid(
        value > 0,
        given=[at > 0, point > 0, ordered, slope * point * between == between - point, value == slope * (at - point)],
    )


@theorem.proof(scope="any finite latent space, q > 0 on it, all K >= 1")
def average_weight_has_the_mean_p(normaliser):
    """E w = sum_z q(z) p(x, z)/q(z) = p(x) for one sample, so the normalised sum of K weights has the mean p(x) as
    well."""
    states = sp.Symbol("m", integer=True, positive=True)
    z, k = sp.symbols("z k", integer=True, positive=True)
    joint, q = sp.IndexedBase("p", positive=True), sp.IndexedBase("q", positive=True)
    evidence = sp.Symbol("p_x", positive=True)
    return {
        "one sample": Equal(sp.Sum(q[z] * (joint[z] / q[z]), (z, 1, states)), sp.Sum(joint[z], (z, 1, states))),
        "K samples": Equal(normaliser(K) * sp.Sum(evidence, (k, 1, K)).doit(), evidence),
    }


@theorem.proof(scope="the given finite example")
def mean_weight_of_the_example(joint, q):
    """Only states that q reaches contribute; they must carry the whole of p(x)."""
    reached = [(sp.Rational(p), sp.Rational(r)) for p, r in zip(joint, q, strict=True) if r > 0]
    return Equal(sum(r * (p / r) for p, r in reached), sp.Add(*map(sp.Rational, joint)))


@theorem.proof(scope="all K >= 1, any model and q for which the expectations exist")
def the_expected_tangent_is_log_p(normaliser, margin):
    """Take the expectation of log(average) <= average/p - 1 + log p: the first two terms cancel, and VLB_K <= log p."""
    count, p, log_p, bound, average = z3.Reals("K p log_p VLB mean_of_average")
    expectation = bound <= average / p - 1 + log_p
    mean = average == normaliser(count) * count * p
    return Valid(bound + rational(margin) <= log_p, given=[count >= 1, p > 0, mean, expectation])


@theorem.proof(scope="any outcome of positive probability; the rest of the expectation is not negative")
def equality_needs_a_constant_average():
    """The gap is E T; an outcome of probability r > 0 with T > 0 makes it positive, so equality forces average =
    p(x)."""
    probability, slack, rest = z3.Reals("r T rest")
    return Valid(probability * slack + rest > 0, given=[probability > 0, slack > 0, rest >= 0])


@theorem.proof(scope="all K >= 1, independent samples")
def a_constant_average_needs_constant_weights(normaliser):
    """The average's variance is Var(w)/K, which is 0 only if the weights are constant; then VLB_K = log p(x) indeed."""
    k, variance = sp.Symbol("k", integer=True, positive=True), sp.Symbol("V", nonnegative=True)
    return Equal(normaliser(K) ** 2 * sp.Sum(variance, (k, 1, K)).doit(), variance / K)


@theorem.pathwise(scope="the given finite example, K = 1, 2, 5, rigorously enclosed")
def finite_example_enclosed(normaliser, margin, joint, q):
    """The bound of a model with three latent states, summed over all its outcomes, stays below log p(x)."""

    def objective(weights):
        return log_of_mean(weights) + shift(normaliser, len(weights))

    return {
        f"K = {n}": EnclosureAtLeast(
            log_evidence(joint) - importance_bound(joint, q, n, objective),
            ball(margin),
            at=f"joint {listed(joint)}, q {listed(q)}",
        )
        for n in SAMPLES
    }


@theorem.pathwise(scope="512 random sets of 7 log-normal weights, c = 1")
def tangent_above_random_averages(rng):
    """At simulated weights, too: average/c - 1 + log c - log(average) >= 0.
    Rounding: that of log-mean-exp, and gamma-like 16u (average + 1) for the average's own exponential and sums."""
    logs = 2 * rng.normal((512, 7))
    average = torch.exp(logs).mean(-1)
    slack = average - 1 - log_mean_exp(logs)
    bound = rounding_bound(logs) + 16 * 2.0**-53 * (average + 1 + slack.abs())
    return AtLeast(slack, torch.zeros_like(slack), bound, at={"log weights": "2 N(0, 1), 512 x 7"})


@theorem.monte_carlo(scope="a linear-Gaussian model, K = 1, 2, 5")
def average_weight_simulated(normaliser, model, x, proposal):
    """The average of K simulated weights has the mean p(x), known in closed form.
    Every weight lies in [0, C p(x)] because q has heavier tails than the posterior; 1e-9 of it is left for rounding."""
    evidence = math.exp(model.log_evidence(x))
    largest = evidence * math.exp(WeightLaw(model.posterior(x), proposal).log_largest) * (1 + 1e-9)

    def simulate(n):
        factor = float(normaliser(sp.Integer(n)))

        def draw(rng, size):
            return factor * torch.exp(
                log_weights(model, x, proposal, proposal.from_standard(rng.normal((size, n))))
            ).sum(-1)

        return BoundedMean(draw, equals=evidence, lo=0, hi=factor * n * largest, scale=evidence)

    return {f"K = {n}": simulate(n) for n in SAMPLES}


@theorem.monte_carlo(scope="a linear-Gaussian model, K = 1, 2, 5")
def bound_simulated(normaliser, margin, model, x, proposal):
    """On average log p(x) minus the log of the simulated average weight is not negative. Its variance: the log of the
    average lies between the average of the logs and log(C p(x)), see WeightLaw.second_moment."""
    law = WeightLaw(model.posterior(x), proposal)

    def simulate(n):
        offset = float(shift(normaliser, n)) + float(margin)

        def draw(rng, size):
            logs = log_weights(model, x, proposal, proposal.from_standard(rng.normal((size, n))))
            return model.log_evidence(x) - log_mean_exp(logs) - offset

        because = "0 <= log C - log(mean r) <= mean of K copies of Y = log C - log r, so Var <= Var(Y)/K + (E Y)^2"
        return PairedInequality(draw, scale=1, variance_bound=law.second_moment(n), because=because)

    return {f"K = {n}": simulate(n) for n in SAMPLES}


@theorem.monte_carlo(scope="a linear-Gaussian model, K = 1")
def gap_of_one_sample(model, x, proposal, gap_of_one):
    """For K = 1 the gap is KL(q || posterior): a known value, so that the bound is not just any number below log
    p(x)."""
    law = WeightLaw(model.posterior(x), proposal)

    def draw(rng, size):
        return model.log_evidence(x) - log_weights(model, x, proposal, proposal.from_standard(rng.normal((size,))))

    because = "log r is log C minus alpha (Z - z0)^2 with Z normal: the variance is alpha^2 (2 t^4 + 4 t^2 (m - z0)^2)"
    gap = gap_of_one(model.posterior(x), proposal)
    return CatoniMean(draw, equals=gap, variance_bound=law.deficit[1], because=because, scale=1)


@theorem.monte_carlo(scope="7 log-normal weights, any c", weight=0.5)
def tangent_never_crossed():
    """For random weights and a random c the tangent at c is never below the logarithm; bound as in the pathwise
    check."""

    def ratio(rng, n):
        logs, log_c = 2 * rng.normal((n, 7)), rng.normal((n,))
        scaled = torch.exp(logs - log_c.unsqueeze(-1)).mean(-1)
        above = log_mean_exp(logs) - log_c - (scaled - 1)
        bound = rounding_bound(logs) + 16 * 2.0**-53 * (logs.abs().amax(-1) + log_c.abs() + 1) * (scaled + 1)
        return above / bound

    return NeverViolated(ratio)


def shift(normaliser, n):
    """What log(normaliser(n) sum w) has in excess of log((1/n) sum w), enclosed."""
    return ball(sp.Rational(normaliser(sp.Integer(n)) * n)).log()


def listed(numbers):
    """Exact numbers as text."""
    return f"({', '.join(map(str, numbers))})"


theorem.false_if("log(1/K) is left out", normaliser=one)
theorem.false_if("divided by K + 1 the weights still have the mean p(x)", normaliser=one_over_K_plus_one)
theorem.false_if("the gap is always at least 1/10", margin=sp.Rational(1, 10))
theorem.false_if(
    "q misses a state and the average weight still has the mean p(x)",
    drops="q_covers_the_joint_density",
    q=(Fraction(1, 2), Fraction(1, 2), Fraction(0)),
)
theorem.false_if("for K = 1 the gap is KL(posterior || q)", gap_of_one=divergence_of_posterior)
