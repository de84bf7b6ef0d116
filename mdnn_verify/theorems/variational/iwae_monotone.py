r"""More samples never loosen the importance-weighted bound: VLB_K >= VLB_M for K >= M.

Let $I$ be a uniformly random subset of $M$ of the $K$ indices, $a = \frac1K \sum_k w_k$ and
$a_I = \frac1M \sum_{k \in I} w_k$. Then $E_I\, a_I = a$, so by concavity $\log a \ge E_I \log a_I$; each $a_I$ has the
law of an average of $M$ weights. Moreover, for any weights,

$$\log a - E_I \log a_I \ge \frac12 \left( \frac1M - \frac1K \right) \frac{s^2}{\max_k w_k^2}, \qquad
s^2 = \frac{1}{K - 1} \sum_k (w_k - a)^2,$$

because the logarithm on $(0, b]$ is strongly concave with modulus $1/b^2$. Hence, for weights bounded by $b$,

$$\mathrm{VLB}_K(x) - \mathrm{VLB}_M(x) \ge \frac12 \left( \frac1M - \frac1K \right) \frac{\operatorname{Var}(w)}{b^2}
\ge 0:$$

the bound is strictly increasing in $K$ unless the weights are constant. Without the logarithm outside the average (the
average of the logs) nothing is gained. For a fixed expectation only finitely many outcomes are summed; that
expectations are linear and monotone is used as known.

Source: seed 002, Problem 1(b).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb

import sympy as sp
import torch
import z3

from mdnn_verify.engines.intervals import EnclosureAtLeast
from mdnn_verify.engines.montecarlo import NeverViolated, PairedInequality
from mdnn_verify.engines.pathwise import AtLeast
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths import finite_latent
from mdnn_verify.maths.finite_latent import ball, importance_bound
from mdnn_verify.maths.linear_gaussian import LinearGaussian, Normal, WeightLaw, log_weights
from mdnn_verify.maths.log_mean_exp import log_mean_exp, rounding_bound
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem


class LogOfMean:
    """The objective of the importance-weighted bound: log((1/K) sum_k w_k)."""

    of_logs = staticmethod(log_mean_exp)
    enclosed = staticmethod(finite_latent.log_of_mean)


class MeanOfLogs:
    """K independent samples of the standard bound, averaged: (1/K) sum_k log w_k."""

    enclosed = staticmethod(finite_latent.mean_of_logs)

    @staticmethod
    def of_logs(log_w):
        return log_w.mean(-1)


def guaranteed(K, M):
    """The factor of Var(w) / b^2 by which VLB_K exceeds VLB_M at least."""
    return (1 / sp.sympify(M) - 1 / sp.sympify(K)) / 2


def without_the_half(K, M):
    """Twice as much, which weights that are nearly equal do not give."""
    return 2 * guaranteed(K, M)


def over_all_subsets(values):
    """E_I, the average over all subsets (the last dimension)."""
    return values.mean(-1)


def over_the_best_subset(values):
    """The largest instead of the average."""
    return values.amax(-1)


theorem = Theorem(
    statement=r"K\ge M\implies \mathrm{VLB}_K(x)\ \ge\ \mathrm{VLB}_M(x)+\frac12\left(\frac1M-\frac1K\right)"
    r"\frac{\operatorname{Var}w}{\sup w^2}\ \ge\ \mathrm{VLB}_M(x)",
    given={
        "pairs": ((2, 1), (5, 1), (5, 2), (5, 4)),
        "objective": LogOfMean,
        "gain": guaranteed,
        "pool": over_all_subsets,
        "joint": (Fraction(1, 4), Fraction(1, 12), Fraction(1, 6)),
        "q": (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)),
        "model": LinearGaussian(a=1.0, s=1.0),
        "x": 1.0,
        "proposal": Normal(0.0, 0.8),
    },
    uses=("variational/iwae_lower_bound",),
)

K, M = sp.symbols("K M", integer=True, positive=True)
extra = sp.Symbol("d", integer=True, nonnegative=True)
t, c, b = sp.symbols("t c b", positive=True)


@theorem.hypothesis
def K_is_at_least_M(pairs):
    """The larger number of samples comes first."""
    return [sp.Ge(sp.Integer(many), sp.Integer(few)) for many, few in pairs]


@theorem.proof(scope="all K >= 2, M >= 1, K >= M")
def shares_of_subsets():
    """Of the binomial(K, M) subsets, binomial(K-1, M-1) hold a given index, the share M/K; and binomial(K-2, M-2) hold
    two given ones, the share M(M-1)/(K(K-1))."""
    total = M + extra
    one = sp.binomial(total - 1, M - 1) / sp.binomial(total, M)
    two = sp.binomial(total - 2, M - 2) / sp.binomial(total, M)
    both = {M: M + 1}  # two indices need M >= 2
    return {
        "one index": Equal(sp.gammasimp(one.rewrite(sp.gamma)), M / total),
        "two indices": Equal(
            sp.gammasimp(two.subs(both).rewrite(sp.gamma)), (M * (M - 1) / (total * (total - 1))).subs(both)
        ),
    }


@theorem.proof(scope="all K <= 5 and M <= K, by enumeration")
def subsets_counted():
    """The binomial coefficients count what they are said to count, and E_I a_I = a with symbols for the weights."""
    weights = sp.symbols("w:5", positive=True)
    counted, claimed = [], []
    for many, few in [(total, size) for total in range(1, 6) for size in range(1, total + 1)]:
        subsets = list(combinations(range(many), few))
        counted += [sum(k in subset for subset in subsets) for k in range(many)]
        claimed += [comb(many - 1, few - 1)] * many
        counted.append(sp.Add(*(weights[k] for subset in subsets for k in subset)) / (few * len(subsets)))
        claimed.append(sp.Add(*weights[:many]) / many)
    return Equal(sp.Matrix(counted), sp.Matrix(claimed))


@theorem.proof(scope="all K >= M >= 1, any weights")
def subset_averages_have_the_mean_a():
    """Each index is in a share M/K of the subsets, so E_I a_I = (1/M) (M/K) sum_k w_k = a."""
    k, w = sp.Symbol("k", integer=True, positive=True), sp.IndexedBase("w", positive=True)
    total = sp.Sum(w[k], (k, 1, K))
    return Equal((1 / M) * (M / K) * total, total / K)


@theorem.proof(scope="all K > M >= 1, any weights")
def subset_averages_vary_by_the_gain(gain):
    """Put w_k = a + x_k with sum x_k = 0, Q = sum x_k^2, so the sum of x_k x_l over k != l is -Q: by the shares of one
    and of two indices, E_I (a_I - a)^2 = (1/M^2) (M/K Q - M(M-1)/(K(K-1)) Q), which is twice the gain's factor times
    s^2 = Q/(K-1)."""
    squares, total = sp.Symbol("Q", nonnegative=True), M + extra + 1  # K = M is trivial, and there Q = 0 if K = 1
    spread = (M / total * squares - M * (M - 1) / (total * (total - 1)) * squares) / M**2
    return Equal(spread / 2, gain(total, M) * squares / (total - 1))


@theorem.proof(scope="all t, c > 0")
def parabola_touches_the_logarithm():
    """The tangent at c less a parabola, P(t) = log c + (t-c)/c - (t-c)^2/(2b^2), touches log t at c: the gap T = P -
    log vanishes there and has the slope (t - c) (1/(ct) - 1/b^2)."""
    gap = sp.log(c) + (t - c) / c - (t - c) ** 2 / (2 * b**2) - sp.log(t)
    return {"T(c) = 0": Equal(gap.subs(t, c), 0), "T'": Equal(sp.diff(gap, t), (t - c) * (1 / (c * t) - 1 / b**2))}


@theorem.proof(scope="all t, c in (0, b], by the mean value theorem (its use is by hand)")
def parabola_lies_above_the_logarithm():
    """On (0, b] the second factor is not negative, since c t <= b^2; so T = T'(s)(t - c) >= 0 with s between c and
    t."""
    at, point, between, largest, factor, value = z3.Reals("t c s b factor T")
    inside = [at > 0, at <= largest, point > 0, point <= largest]
    ordered = z3.Or(z3.And(at <= between, between <= point), z3.And(point <= between, between <= at))
    product_bound = z3.And(point * between > 0, point * between <= largest * largest)
    reciprocal = factor * (point * between) * (largest * largest) == largest * largest - point * between
    return {
        "c s <= b^2": Valid(product_bound, given=[*inside, ordered]),
        "factor >= 0": Valid(factor >= 0, given=[*inside, ordered, product_bound, reciprocal]),
        "T >= 0": Valid(value >= 0, given=[ordered, factor >= 0, value == (between - point) * factor * (at - point)]),
    }


@theorem.proof(scope="any weights in (0, b], any subsets with E_I a_I = a and E_I (a_I - a)^2 = V")
def averaging_the_parabola():
    """Averaged over I, log a_I <= log a + (a_I - a)/a - (a_I - a)^2/(2b^2) leaves log a - E_I log a_I >= V/(2b^2)."""
    a, mean, mean_log, log_a, spread, largest = z3.Reals("a E_a_I E_log_a_I log_a V b")
    bound = mean_log <= log_a + (mean - a) / a - spread / (2 * largest * largest)
    return Valid(log_a - mean_log >= spread / (2 * largest * largest), given=[a > 0, largest > 0, mean == a, bound])


@theorem.proof(scope="K <= 3 samples of 2 states, every subset, any objective")
def a_subset_has_the_law_of_M_samples():
    """Summing out the samples outside I leaves M independent samples: E log a_I = VLB_M for every I, hence for a random
    one."""
    first, value = sp.Symbol("q_1", positive=True), sp.Function("value")
    q = (first, 1 - first)
    claims = {}
    for many in (2, 3):
        for few in range(1, many):
            alone = expected(q, few, lambda z: value(*z))
            for subset in combinations(range(many), few):
                inside = expected(q, many, lambda z, s=subset: value(*(z[k] for k in s)))
                claims[f"K = {many}, I = {subset}"] = Equal(sp.expand(inside), sp.expand(alone))
    return claims


@theorem.proof(scope="all K >= 2, independent weights of finite variance")
def sample_variance_is_unbiased():
    """E s^2 = Var(w): E sum_k w_k^2 = K E w^2 and E a^2 = (E w)^2 + Var(w)/K. So the gain is (1/M - 1/K)/2 Var(w)/b^2
    on average."""
    mean, variance, more = sp.Symbol("mu", positive=True), sp.Symbol("V", nonnegative=True), K + 1
    return Equal((more * (mean**2 + variance) - more * (mean**2 + variance / more)) / (more - 1), variance)


@theorem.pathwise(scope="256 random sets of weights for each pair, all subsets enumerated")
def gain_of_every_set_of_weights(pairs, objective, gain, pool, rng):
    """For every set of weights the log of the average exceeds its average over the subsets by the stated gain.
    Rounding: twice that of log-mean-exp, and 64u for the averages over at most 10 subsets and the gain."""
    claims = {}
    for many, few in pairs:
        logs = 1.5 * rng.normal((256, max(many, few)))
        claims[f"K = {many}, M = {few}"] = _gain_at(objective, gain, pool, many, few, logs)
    return claims


@theorem.pathwise(scope="the given finite example, rigorously enclosed")
def finite_example_enclosed(pairs, objective, gain, joint, q):
    """A model with three latent states, summed over all outcomes: VLB_K exceeds VLB_M by at least the gain."""
    weights = [p / r for p, r in zip(joint, q, strict=True)]
    variance = sum(r * w**2 for r, w in zip(q, weights, strict=True)) - sum(joint) ** 2
    bounds = {n: importance_bound(joint, q, n, objective.enclosed) for pair in pairs for n in pair}
    return {
        f"K = {many}, M = {few}": EnclosureAtLeast(
            bounds[many] - bounds[few],
            ball(gain(many, few)) * ball(variance / max(weights) ** 2),
            at=f"K = {many}, M = {few}",
        )
        for many, few in pairs
    }


@theorem.monte_carlo(scope="a linear-Gaussian model; the M samples are among the K")
def bounds_compared(pairs, objective, gain, model, x, proposal):
    """With common random numbers VLB_K exceeds VLB_M by the gain at least; Var(w) and sup w are known in closed form,
    and so is a bound of the variance of the difference, see WeightLaw.variance_of_gain."""
    law = WeightLaw(model.posterior(x), proposal)
    because = (
        "log(u)^2 <= u - 2 + 1/u for u = a_K / a_M, where E 1/u = 1 as the weights are exchangeable and E u is bounded "
        "by moments of the weights in closed form; for an average of logs the variance is exact"
    )

    def compare(many, few):
        least = float(gain(many, few)) * law.variance * float(torch.exp(torch.tensor(-2 * law.log_largest)))

        def draw(rng, n):
            logs = log_weights(model, x, proposal, proposal.from_standard(rng.normal((n, max(many, few)))))
            return objective.of_logs(logs[:, :many]) - objective.of_logs(logs[:, :few]) - least

        return PairedInequality(draw, scale=1, variance_bound=law.variance_of_gain(many, few), because=because)

    return {f"K = {many}, M = {few}": compare(many, few) for many, few in pairs}


@theorem.monte_carlo(scope="log-normal weights of a random scale; all subsets for each pair", weight=0.5)
def gain_never_missed(pairs, objective, gain, pool):
    """On no random set of weights does the log of the average gain less than stated."""

    def instance(many, few):
        def ratio(rng, n):
            logs = 3 * rng.uniform((n, 1)) * rng.normal((n, max(many, few)))
            over, floor, bound = _compared(objective, gain, pool, many, few, logs)
            return (floor - over) / bound

        return NeverViolated(ratio)

    return {f"K = {many}, M = {few}": instance(many, few) for many, few in pairs}


@theorem.picture
def bound_against_samples(joint, q):
    """The bound of the finite example rises with K towards log p(x); the average of the logs stays where K = 1 is."""
    counts = range(1, 13)
    bound = [float(importance_bound(joint, q, n)) for n in counts]
    logs = [float(importance_bound(joint, q, n, finite_latent.mean_of_logs)) for n in counts]
    level = float(finite_latent.log_evidence(joint))
    curves = [
        Curve("log p(x)", list(counts), [level] * len(counts)),
        Curve("VLB_K", list(counts), bound, style="dots"),
        Curve("average of the logs", list(counts), logs, style="dots"),
    ]
    return Curves("The bound against the number of samples", "K", "nats", curves)


def expected(q, count, function):
    """E function(z) for ``count`` independent states with probabilities q, as a SymPy sum."""
    states = range(len(q))
    return sp.Add(*(sp.Mul(*(q[z] for z in zs)) * function(zs) for zs in product(states, repeat=count)))


def _compared(objective, gain, pool, many, few, logs):
    """The objective of K of the weights less that of M of them, both averaged over all subsets; its floor; the rounding
    bound."""
    scaled = torch.exp(logs - logs.amax(-1, keepdim=True))  # s^2 / b^2 does not depend on the scale
    floor = float(gain(many, few)) * scaled.var(-1) if logs.shape[-1] > 1 else 0 * logs[..., 0]
    over = pool(over_subsets(objective, logs, many)) - pool(over_subsets(objective, logs, few))
    size = 1 + logs.abs().amax(-1)
    return over, floor, 2 * rounding_bound(logs) + 64 * 2.0**-53 * size


def over_subsets(objective, logs, size):
    """The objective of every subset of ``size`` weights, shape (n, binomial(K, size))."""
    subsets = torch.tensor(list(combinations(range(logs.shape[-1]), size)), device=logs.device)
    return objective.of_logs(logs[..., subsets])


def _gain_at(objective, gain, pool, many, few, logs):
    over, floor, bound = _compared(objective, gain, pool, many, few, logs)
    return AtLeast(over, floor, bound, at={"K": many, "M": few, "log weights": logs[int((over - floor).argmin())]})


theorem.false_if("the average of the logs increases in K", objective=MeanOfLogs)
theorem.false_if("fewer samples are better", drops="K_is_at_least_M", pairs=((1, 2), (2, 5)))
theorem.false_if("the gain without the factor 1/2", gain=without_the_half)
theorem.false_if("every subset is worse, not only their average", pool=over_the_best_subset)
