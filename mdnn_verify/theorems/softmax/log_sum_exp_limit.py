r"""Scaled log-sum-exp tends to the maximum, from above and with an error of at most log(n)/beta.

For $x \in \mathbb{R}^n$, $n \ge 1$, and $\beta > 0$ let

    $\nu_\beta(x) = \frac{1}{\beta} \log \sum_{i=1}^n \exp(\beta x_i).$

The largest term alone is $\exp(\beta \max_i x_i)$, and no term is larger, so the sum lies between this term and $n$
times it. Taking logarithms and dividing by $\beta$,

    $\max_i x_i \le \nu_\beta(x) \le \max_i x_i + \frac{\log n}{\beta},$

and the right-hand side tends to $\max_i x_i$ as $\beta \to \infty$. The upper bound is attained where all $x_i$ are
equal, so the rate $1/\beta$ and the constant $\log n$ cannot be improved for all $x$ at once. For $\beta \to -\infty$
the limit is $\min_i x_i$, because $\nu_{-\beta}(x) = -\nu_\beta(-x)$.

That a quantity between $m$ and $m + \log(n)/\beta$ tends to $m$ is the squeeze theorem; its epsilon form is checked.

Source: seed 004, Problem 3(a).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import sympy as sp
import torch
import z3

from mdnn_verify.engines.intervals import EnclosureAtLeast, precision
from mdnn_verify.engines.montecarlo import NeverViolated
from mdnn_verify.engines.pathwise import AtLeast, Residual, unit_roundoff
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import ball
from mdnn_verify.maths.softmax import log_sum_exp, log_sum_exp_rounding_bound
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

b, n, S = sp.symbols("b n S", positive=True)
m = sp.Symbol("m", real=True)


@dataclass(frozen=True)
class End:
    """The extreme m of x_1, ..., x_n that is claimed to be the limit, and how every x_i compares with it."""

    of: Callable[[Any], Any]
    order: Callable[[Any, Any], Any]
    along: Callable[[torch.Tensor], torch.Tensor]


maximum = End(max, operator.le, lambda x: x.amax(-1))
minimum = End(min, operator.ge, lambda x: x.amin(-1))


def per_beta(log_total: Any, log_n: Any, beta: Any) -> Any:
    """nu_beta, from the logarithm of the sum of the exp(beta x_i)."""
    return log_total / beta


def log_n_over_beta(log_n: Any, beta: Any) -> Any:
    """How far above the maximum nu_beta may be."""
    return log_n / beta


theorem = Theorem(
    statement=r"\max_i x_i\ \le\ \nu_\beta(x)=\frac1\beta\log\sum_{i=1}^n e^{\beta x_i}\ \le\ "
    r"\max_i x_i+\frac{\log n}{\beta}\quad(\beta>0),\qquad \lim_{\beta\to\infty}\nu_\beta(x)=\max_i x_i",
    given={"nu": per_beta, "gap": log_n_over_beta, "end": maximum, "sign": 1},
)


@theorem.hypothesis
def beta_is_positive(sign):
    """The inverse temperature, sign times a positive number, is positive."""
    return sp.Gt(sign * b, 0, evaluate=False)


@theorem.proof(scope="every beta > 0, every n and every x_i at most m = max x")
def no_exponent_exceeds_that_of_the_maximum(end, sign):
    """Every exponent $\\beta (x_i - m)$ is at most 0."""
    x, top, size = z3.Reals("x_i m b")
    return Valid(sign * size * (x - top) <= 0, given=[size > 0, end.order(x, top)])


@theorem.proof(scope="all real exponents -t <= 0")
def its_exponential_is_at_most_one():
    """So each term $e_i = \\exp(\\beta (x_i - m))$ lies in (0, 1]: $1 - \\exp(-t)$ is 0 at t = 0 and increases."""
    t = sp.Symbol("t", nonnegative=True)
    deficit = 1 - sp.exp(-t)
    return {
        "positive": sp.Gt(sp.exp(-t), 0, evaluate=False),
        "0 at t = 0": Equal(deficit.subs(t, 0), 0),
        "increasing": sp.Gt(sp.diff(deficit, t), 0, evaluate=False),
    }


@theorem.proof(scope="every n >= 1, by induction over the terms")
def shifted_sum_lies_between_one_and_n():
    """A further term from (0, 1] takes a sum of k terms from [0, k] to [0, k + 1]; the maximal term is 1."""
    total, term = z3.Reals("sum_k e")
    k, seen = z3.Int("k"), z3.Bool("the maximal term is among the k")

    def invariant(total, k, seen):
        return z3.And(total >= 0, total <= z3.ToReal(k), z3.Implies(seen, total >= 1))

    one_more = [k >= 0, invariant(total, k, seen), term > 0, term <= 1]
    return {
        "no term": Valid(invariant(z3.RealVal(0), z3.IntVal(0), z3.BoolVal(False))),
        "a term": Valid(invariant(total + term, k + 1, seen), given=one_more),
        "the maximal term": Valid(invariant(total + term, k + 1, z3.BoolVal(True)), given=[*one_more, term == 1]),
    }


@theorem.proof(scope="every sum S with 1 <= S <= n, written S = 1 + r and n = S + d with r, d >= 0")
def its_logarithm_lies_between_zero_and_log_n():
    """The logarithm is increasing, so $0 \\le \\log S \\le \\log n$."""
    r, d = sp.symbols("r d", nonnegative=True)
    return {
        "log S = log(1 + r) >= 0": sp.Ge(sp.log(1 + r), 0, evaluate=False),
        "log n - log S = log(1 + d/S)": Equal(sp.log(S + d) - sp.log(S), sp.log(1 + d / S)),
        "log(1 + d/S) >= 0": sp.Ge(sp.log(1 + d / S), 0, evaluate=False),
    }


@theorem.proof(scope="every beta, every n, every x and every m")
def factoring_out_the_maximum(sign):
    """$\\sum_i \\exp(\\beta x_i) = \\exp(\\beta m) \\sum_i e_i$, whose logarithm is $\\beta m + \\log S$."""
    count, i = sp.Symbol("n", integer=True, positive=True), sp.Symbol("i", integer=True)
    x, beta = sp.IndexedBase("x", real=True), sign * b
    plain = sp.Sum(sp.exp(beta * x[i]), (i, 1, count))
    shifted = sp.Sum(sp.exp(beta * x[i] - beta * m), (i, 1, count))
    return {
        "the sum": Equal(plain, sp.exp(beta * m) * shifted),
        "its logarithm": Equal(sp.log(sp.exp(beta * m) * S), beta * m + sp.log(S)),
    }


@theorem.proof(scope="every beta > 0, every n and every x: L is the logarithm of the sum")
def nu_lies_between_the_bounds(nu, gap, sign):
    """Dividing $\\beta m \\le L \\le \\beta m + \\log n$ by $\\beta$ gives both bounds."""
    L, log_n, top, size = z3.Reals("L log_n m b")
    beta = sign * size
    given = [size > 0, log_n >= 0, beta * top <= L, beta * top + log_n >= L]
    value = nu(L, log_n, beta)
    return {
        "at least m": Valid(value >= top, given=given),
        "at most m + gap": Valid(value <= top + gap(log_n, beta), given=given),
    }


@theorem.proof(scope="every n, every c: x = (c, ..., c)")
def the_upper_bound_is_attained(nu, gap, sign):
    """Where all $x_i$ are equal to c, the sum is $n \\exp(\\beta c)$ and the gap is exactly the claimed one."""
    i, count, c = sp.Symbol("i", integer=True), sp.Symbol("n", integer=True, positive=True), sp.Symbol("c", real=True)
    beta = sign * b
    total = sp.Sum(sp.exp(beta * c), (i, 1, count)).doit()
    return {
        "the sum": Equal(total, count * sp.exp(beta * c)),
        "nu": Equal(nu(sp.log(n) + beta * c, sp.log(n), beta), c + gap(sp.log(n), beta)),
    }


@theorem.proof(scope="every n and every epsilon > 0, hence the limit for every x")
def the_gap_tends_to_zero(gap, sign):
    """The gap tends to 0, so $\\nu_\\beta(x)$ tends to m: within $\\varepsilon$ from $\\log(n)/\\varepsilon$ on."""
    value, log_n, top, size, eps = z3.Reals("nu log_n m b eps")
    beta = sign * size
    squeezed = [size > 0, log_n >= 0, eps > 0, size * eps >= log_n, top <= value, value <= top + gap(log_n, beta)]
    return {
        "limit of the gap": Equal(sp.limit(gap(sp.log(n), sign * b), b, sp.oo), 0),
        "epsilon": Valid(z3.And(top - eps <= value, value <= top + eps), given=squeezed),
    }


@theorem.pathwise(scope="40 random rational x of 2 to 8 entries, partly tied, each with beta = 1/10, 1, 10, 100")
def both_bounds_hold_in_balls(nu, gap, end, sign, rng):
    """At concrete points nu, enclosed to 2000 bits, lies strictly between the maximum and the upper bound."""
    with precision(2000):
        for x in rationals(rng, 40):
            for size in (Fraction(1, 10), Fraction(1), Fraction(10), Fraction(100)):
                beta = sign * size
                total = sum(((ball(beta) * ball(entry)).exp() for entry in x), flint.arb(0))
                log_n = flint.arb(len(x)).log()
                above = nu(total.log(), log_n, ball(beta)) - ball(end.of(x))
                at = f"x = ({', '.join(map(str, x))}), beta = {beta}"
                yield EnclosureAtLeast(above, 0, f"nu - m at {at}")
                yield EnclosureAtLeast(gap(log_n, ball(beta)) - above, 0, f"m + gap - nu at {at}")


@theorem.pathwise(scope="x with one to four maximisers, n = 1 to 9, beta = 2, 4, 8, ..., 2^40")
def nu_approaches_the_maximum(nu, gap, end, sign, rng):
    """Along growing beta the computed nu, all ties and a single entry included, stays within the shrinking gap of m."""
    for ties in (1, 2, 3, 4):
        for others in (0, 1, 5):
            x = torch.cat([torch.full((ties,), 1.5, dtype=torch.float64), 1.5 - rng.exponential(others)])
            for power in range(1, 41):
                beta = torch.tensor(sign * 2.0**power, dtype=torch.float64)
                value, bound, log_n = computed(nu, x, beta)
                at = {"x": x, "beta": float(beta)}
                yield AtLeast(value, end.along(x), bound, at)
                yield AtLeast(end.along(x) + gap(log_n, beta), value, bound + 4 * unit_roundoff() * log_n, at)


@theorem.pathwise(scope="100 random x of 1 to 30 entries, beta from 1/1000 to 1000")
def library_computes_nu(nu, sign, rng):
    """The library's scaled log-sum-exp, which never overflows, is the nu of the statement."""
    for size in rng.integers(1, 31, 100).tolist():
        x, beta = 3 * rng.normal(size), 10 ** rng.uniform(1, -3, 3)[0]
        value, bound, _ = computed(nu, x, sign * beta)
        bound = bound + log_sum_exp_rounding_bound(x, beta)
        yield Residual(log_sum_exp(x, beta), value, bound, {"x": x, "beta": float(beta)})


@theorem.monte_carlo(scope="n uniform on 1..12, x normal of spread 1/100 to 100 or integer (ties), beta 1/100 to 100")
def bounds_on_random_instances(nu, gap, end, sign):
    """On random instances neither bound is exceeded by more than the rounding error."""

    def draw(rng, size):
        ratio = torch.empty(size, dtype=torch.float64, device=rng.device)
        lengths = rng.integers(1, 13, size)
        for length in range(1, 13):
            chosen = lengths == length
            count = int(chosen.sum())
            x = rng.normal((count, length)) * 10 ** rng.uniform((count, 1), -2, 2)
            x = torch.where(rng.uniform((count, 1)) < 0.5, x, x.round())
            beta = sign * 10 ** rng.uniform(count, -2, 2)
            value, bound, log_n = computed(nu, x, beta)
            below, above = end.along(x) - value, value - end.along(x) - gap(log_n, beta)
            excess = torch.maximum(below, above)
            ratio[chosen] = excess / (bound + 4 * unit_roundoff() * (log_n / beta.abs() + x.abs().amax(-1)))
        return ratio

    return NeverViolated(draw)


@theorem.picture
def nu_against_beta(nu, gap):
    """For x = (1, 0.9, 0.2), nu falls from far above to the maximum 1, inside the band up to 1 + log(3)/beta."""
    x = torch.tensor([1.0, 0.9, 0.2], dtype=torch.float64)
    at = [10 ** (k / 40) for k in range(-10, 101)]
    betas = torch.tensor(at, dtype=torch.float64)
    value, _, log_n = computed(nu, x.expand(len(at), 3), betas)
    ceiling = (1 + gap(log_n, betas)).tolist()
    curves = [Curve("allowed", at, [1.0] * len(at), ceiling, "band"), Curve("nu", at, value.tolist())]
    return Curves("Scaled log-sum-exp of (1, 0.9, 0.2) falls to the maximum, 1.", "beta", "nu", curves, log_x=True)


def rationals(rng, count):
    """Exact vectors of 2 to 8 entries k/20 in [-3, 3], some equal, never all of them."""
    for length in rng.integers(2, 9, count).tolist():
        x = [Fraction(k, 20) for k in rng.integers(-60, 61, length).tolist()]
        x[-1] = x[0] + Fraction(1, 20)
        yield x


def computed(nu, x, beta):
    """nu in float64 from the logarithm of the sum, a bound of its rounding error, and log n; beta may be negative.

    The products beta x_i are rounded once, which moves the logarithm by at most u max|beta x_i|; dividing by beta and
    log n (which only a false nu reads) add two roundings each.
    """
    u, beta = unit_roundoff(), torch.as_tensor(beta, dtype=torch.float64)
    scaled = beta.unsqueeze(-1) * x
    log_total = log_sum_exp(scaled)
    log_n = torch.log(torch.tensor(float(x.shape[-1]), dtype=torch.float64, device=x.device))
    error = log_sum_exp_rounding_bound(scaled) + u * scaled.abs().amax(-1)
    value = nu(log_total, log_n, beta)
    return value, 1.01 * error / beta.abs() + 4 * u * value.abs(), log_n


def mean_instead_of_sum(log_total: Any, log_n: Any, beta: Any) -> Any:
    """The logarithm of the mean of the exp(beta x_i)."""
    return (log_total - log_n) / beta


def not_divided(log_total: Any, log_n: Any, beta: Any) -> Any:
    """The logarithm of the sum itself."""
    return log_total


def no_gap(log_n: Any, beta: Any) -> Any:
    """nu does not exceed the maximum."""
    return 0 * log_n


def percent_less(log_n: Any, beta: Any) -> Any:
    """99 % of the gap."""
    return 99 * log_n / (100 * beta)


def quadratic(log_n: Any, beta: Any) -> Any:
    """A gap of second order in 1/beta."""
    return log_n / (beta * beta)


def lasting(log_n: Any, beta: Any) -> Any:
    """A valid upper bound for beta >= 1 that does not tend to 0."""
    return log_n


theorem.false_if("beta tends to minus infinity, and the limit is still the maximum", sign=-1, drops="beta_is_positive")
theorem.false_if("beta tends to plus infinity, and the limit is the minimum", end=minimum)
theorem.false_if("the logarithm is not divided by beta", nu=not_divided)
theorem.false_if("the mean of the exponentials also stays above the maximum", nu=mean_instead_of_sum)
theorem.false_if("nu never exceeds the maximum", gap=no_gap)
theorem.false_if("the gap is 1 % smaller", gap=percent_less)
theorem.false_if("the gap is of second order in 1/beta", gap=quadratic)
theorem.false_if("the gap is log n for every beta", gap=lasting)
