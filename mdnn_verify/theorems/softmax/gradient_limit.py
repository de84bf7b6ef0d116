r"""The gradient of log-sum-exp tends to the unit vector of a unique maximiser, and ties share it evenly.

Let $m = \max_i x_i$ be attained by exactly $k$ of the $n$ entries, and let the others be at most $m - \delta$ for
some $\delta > 0$. Then for $\beta > 0$, with $\nabla \nu_\beta(x)$ the softmax of $\beta x$,

    $\left| \frac{\partial \nu_\beta}{\partial x_i}(x) - t_i \right| \le (n - k) e^{-\beta \delta}, \qquad
    t_i = \frac{1}{k}\;\text{if}\;x_i = m,\qquad t_i = 0\;\text{otherwise}.$

For $k = 1$ this is the seed's statement: $\nabla \nu_\beta(x) \to e_{i_{\max}}$ as $\beta \to \infty$, exponentially
fast in $\beta$ and in the gap $\delta$. Divided by $\exp(\beta m)$, the sum of the exponentials is $k + r$ with a
rest $0 \le r \le (n - k) e^{-\beta \delta}$; a maximiser has the share $1/(k + r)$, and any other entry $a/(k + r)$
with $a \le e^{-\beta \delta}$.

With ties the limit is no unit vector: the seed's uniqueness is needed. As $\beta \to -\infty$ the minimisers take
over.

The shares are the winning probabilities of a race: if independent clocks ring at the rates $\exp(\beta x_i)$, then
clock $i$ rings first with the probability $\partial \nu_\beta / \partial x_i$. At low temperature the largest entry
wins.

Source: seed 004, Problem 3(c).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
import torch
import z3

from mdnn_verify.engines.intervals import EnclosureAtLeast, precision
from mdnn_verify.engines.montecarlo import NeverViolated, PairedInequality
from mdnn_verify.engines.pathwise import AtLeast, gamma, unit_roundoff
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import ball
from mdnn_verify.maths.softmax import softmax, softmax_in_balls, softmax_rounding_bound
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

b, delta = sp.symbols("b delta", positive=True)


def even_share(first: bool, k: Any, n: Any) -> Any:
    """The claimed limit at a maximiser, which may be the first of the k or a later one."""
    return 1 / k


def others_times(E: Any, k: Any, n: Any) -> Any:
    """The claimed distance from the limit, where E = exp(-beta delta)."""
    return (n - k) * E


theorem = Theorem(
    statement=r"\#\{i: x_i=\max x\}=1\implies\lim_{\beta\to\infty}\nabla\nu_\beta(x)=e_{i_{\max}},\qquad"
    r"\left|\frac{\partial\nu_\beta}{\partial x_i}(x)-t_i\right|\le(n-k)\,e^{-\beta\delta},\qquad "
    r"t_i=\frac1k\ \text{at each of the }k\text{ maximisers},\quad t_i=0\ \text{elsewhere}",
    given={"target": even_share, "rate": others_times, "gap": lambda delta: delta, "sign": 1},
    uses=("softmax/gradient_is_softmax",),
)


@theorem.hypothesis
def beta_is_positive(sign):
    """The inverse temperature, sign times a positive number, is positive."""
    return sp.Gt(sign * b, 0, evaluate=False)


@theorem.hypothesis
def maximum_is_separated(gap):
    """Between the maximum and all smaller entries lies a gap, as it does for finitely many entries."""
    return sp.Gt(gap(sp.Integer(1)), 0, evaluate=False)


@theorem.proof(scope="every n, every x: k maximisers, and r the sum of exp(beta (x_j - m)) over the others")
def shares_after_factoring_out_the_maximum():
    """The shares are $1/(k + r)$ at a maximiser and $a/(k + r)$ elsewhere, $a = \\exp(\\beta (x_j - m))$."""
    beta, m, x = sp.symbols("beta m x_j", real=True)
    k, r = sp.symbols("k r", positive=True)
    total = k * sp.exp(beta * m) + r * sp.exp(beta * m)
    return {
        "maximiser": Equal(sp.exp(beta * m) / total, 1 / (k + r)),
        "other": Equal(sp.exp(beta * x) / total, sp.exp(beta * x - beta * m) / (k + r)),
    }


@theorem.proof(scope="every beta > 0, every gap delta, every x_j <= m - delta")
def each_other_term_is_at_most_E(sign):
    """The exponent of a is at most $-\\beta\\delta$, and exp is increasing: so $a \\le E = \\exp(-\\beta\\delta)$."""
    x, m, size, d = z3.Reals("x_j m b delta")
    s = sp.Symbol("s", nonnegative=True)  # how far the exponent lies below -beta delta
    excess = sp.exp(-b * delta) * (1 - sp.exp(-s))
    return {
        "exponent": Valid(sign * size * (x - m) <= -size * d, given=[size > 0, d > 0, x <= m - d]),
        "0 at s = 0": Equal(excess.subs(s, 0), 0),
        "increasing in s": sp.Gt(sp.diff(excess, s), 0, evaluate=False),
    }


@theorem.proof(scope="every number of other entries, by induction")
def rest_is_at_most_E_for_each_other():
    """The rest r, a sum of n - k such terms, lies between 0 and (n - k) E, and is at least each of them."""
    rest, a, E, one = z3.Reals("r a E earlier_term")
    count = z3.Int("count")
    invariant = z3.And(rest >= 0, rest <= z3.ToReal(count) * E)
    further = z3.And(rest + a >= 0, rest + a <= z3.ToReal(count + 1) * E)
    given = [count >= 0, E > 0, a > 0, a <= E, invariant]
    return {
        "none": Valid(z3.And(z3.RealVal(0) >= 0, z3.RealVal(0) <= 0 * E)),
        "one more": Valid(further, given=given),
        "each term is at most the sum": Valid(z3.And(rest + a >= a, z3.Implies(rest >= one, rest + a >= one)), given),
    }


@theorem.proof(scope="every n > k >= 1 or n = k, every 0 < E < 1, every rest r <= (n - k) E")
def shares_are_within_the_rate(target, rate):
    """At a maximiser $|1/(k + r) - 1/k| = r/(k(k + r)) \\le r$, elsewhere $0 < a/(k + r) \\le r$."""
    n, k = (z3.ToReal(count) for count in z3.Ints("n k"))
    r, a, E = z3.Reals("r a E")
    given = [k >= 1, n >= k, E > 0, E < 1, r >= 0, r <= (n - k) * E]
    share, other, allowed = 1 / (k + r), a / (k + r), rate(E, k, n)

    def close(first):
        off = share - target(first, k, n)
        return z3.And(off <= allowed, -off <= allowed)

    return {
        "first maximiser": Valid(close(True), given=given),
        "another maximiser": Valid(close(False), given=[*given, k >= 2]),
        "no maximiser": Valid(z3.And(other > 0, other <= allowed), given=[*given, n >= k + 1, a > 0, a <= E, a <= r]),
    }


@theorem.proof(scope="every n >= k >= 1 and every gap delta > 0")
def the_rate_tends_to_zero(rate, gap):
    """As $\\beta \\to \\infty$ the distance tends to 0, because $E = \\exp(-\\beta\\delta)$ does."""
    n, k = sp.symbols("n k", integer=True, positive=True)
    return Equal(sp.limit(rate(sp.exp(-b * gap(delta)), k, n), b, sp.oo), 0)


@theorem.proof(scope="independent exponential clocks of rates lam and R, the latter the first of all others")
def first_of_the_clocks():
    """Clock i rings first with the probability $\\int_0^\\infty \\lambda e^{-\\lambda t} e^{-R t} dt$, its share."""
    lam, R, t = sp.symbols("lam R t", positive=True)
    return {
        "integral": Equal(sp.integrate(lam * sp.exp(-(lam + R) * t), (t, 0, sp.oo)), lam / (lam + R)),
        "minimum of two clocks": Equal(sp.exp(-lam * t) * sp.exp(-R * t), sp.exp(-(lam + R) * t)),
    }


@theorem.pathwise(scope="20 random rational x for each k = 1, 2, 3, with 1 to 6 smaller entries, beta = 1, 10, 100")
def shares_are_close_in_balls(target, rate, gap, sign, rng):
    """At concrete points every share, enclosed to 2000 bits, is as close to the limit as claimed."""
    with precision(2000):
        for k in (1, 2, 3):
            for others in rng.integers(1, 7, 20).tolist():
                drops = [Fraction(j, 10) for j in rng.integers(0, 20, others).tolist()]
                x = [Fraction(1, 2)] * k + [Fraction(1, 2) - gap(Fraction(1, 4)) - d for d in [0, *drops[1:]]]
                for size in (1, 10, 100):
                    shares = softmax_in_balls(x, sign * size)
                    allowed = rate((-ball(gap(Fraction(1, 4))) * size).exp(), ball(k), ball(len(x)))
                    at = f"x = ({', '.join(map(str, x))}), beta = {sign * size}"
                    for i, share in enumerate(shares):
                        limit = target(i == 0, ball(k), ball(len(x))) if i < k else ball(0)
                        yield EnclosureAtLeast(allowed - abs(share - limit), 0, f"{at}, i = {i}")


@theorem.pathwise(scope="k = 1, 2, 3, 7 maximisers and 0, 1, 8 other entries, beta = 2, 4, 8, ..., 2^40")
def library_softmax_approaches_the_limit(target, rate, gap, rng):
    """Along growing beta the library's softmax comes as close, until only rounding is left; and it stays there."""
    for k in (1, 2, 3, 7):
        for others in (0, 1, 8):
            top = torch.full((k,), 1.5, dtype=torch.float64)
            x = torch.cat([top, 1.5 - float(gap(1)) * (0.25 + rng.exponential(others))])
            for power in range(1, 41):
                beta = torch.tensor([2.0**power], dtype=torch.float64)
                distance, allowed, bound = off_the_limit(x[None], beta, k, 0.25, target, rate, gap)
                yield AtLeast(allowed[0], distance[0], bound[0], {"x": x, "beta": 2.0**power})


@theorem.monte_carlo(scope="k = 1, 2, 3 with 1 to 5 smaller entries, gap log-uniform on 1/30..30, beta on 1/3..300")
def rate_on_random_instances(target, rate, gap):
    """On random instances no share is farther from its limit than claimed, up to rounding."""
    kinds = [(k, others) for k in (1, 2, 3) for others in range(1, 6)]

    def draw(rng, size):
        ratio = torch.empty(size, dtype=torch.float64, device=rng.device)
        pick = rng.integers(0, len(kinds), size)
        for number, (k, others) in enumerate(kinds):
            chosen = pick == number
            count = int(chosen.sum())
            separation = 30 ** rng.uniform((count, 1), -1, 1)
            # one entry is the runner-up, at exactly the gap; maxima are 0, so that differences are exact
            below = torch.cat([torch.zeros_like(separation), rng.exponential((count, others - 1))], 1)
            low = -gap(separation) - below
            x = torch.cat([torch.zeros(count, k, dtype=torch.float64, device=rng.device), low], 1)
            beta = 10 * 30 ** rng.uniform(count, -1, 1)
            distance, allowed, bound = off_the_limit(x, beta, k, separation, target, rate, gap)
            ratio[chosen] = ((distance - allowed) / bound).amax(1)
        return ratio

    return NeverViolated(draw)


@theorem.monte_carlo(scope="beta = 4; x = (1, ..., 1, 0, 0, -1/2) with k = 1, 2, 3 ones; both sides of the bound")
def winners_of_the_race(target, rate, gap, sign):
    """Clocks of rates exp(beta x_i): the first maximiser's wins are as frequent as its limit, up to the rate."""
    claims = {}
    for k in (1, 2, 3):
        x = torch.tensor([1.0] * k + [1 - float(gap(1)), 1 - float(gap(1)), -0.5], dtype=torch.float64)
        limit = float(target(True, k, len(x)))
        allowed = float(rate(torch.exp(torch.tensor(-4.0 * gap(1), dtype=torch.float64)), k, len(x)))
        claims[f"k = {k}, at least"] = race(x, sign * 4.0, 1, allowed - limit)
        claims[f"k = {k}, at most"] = race(x, sign * 4.0, -1, allowed + limit)
    return claims


@theorem.picture
def shares_against_beta():
    """A unique maximiser gains the whole share as beta grows, x = (1, 0.8, 0); of two tied ones each gets a half."""
    at = [k / 4 for k in range(1, 161)]
    betas = torch.tensor(at, dtype=torch.float64)
    shares = softmax(torch.tensor([[1.0, 0.8, 0.0]], dtype=torch.float64).expand(len(at), 3), betas)
    tied = softmax(torch.tensor([[1.0, 1.0, 0.0]], dtype=torch.float64).expand(len(at), 3), betas)
    curves = [Curve(f"x = {v}", at, shares[:, i].tolist()) for i, v in enumerate(("1, unique", "0.8", "0"))]
    curves.append(Curve("x = 1, tied", at, tied[:, 0].tolist()))
    return Curves("Shares of (1, 0.8, 0), and of a tied maximum in (1, 1, 0)", "beta", "share", curves)


def off_the_limit(x, beta, k, separation, target, rate, gap):
    """|share - limit| (N, n), the claimed bound, and the rounding error of their difference; k maximisers come first.

    E = exp(-beta gap) carries the relative error (beta gap + 5) u. Where x is not exact, a smaller entry's distance to
    the maximum may be off by 2u max|x|, which moves its share by beta times as much of itself, and the shares of the
    maximisers by no more than those of all the others together.
    """
    u, n = unit_roundoff(), x.shape[1]
    shares = softmax(x, beta)
    limits = [float(target(i == 0, k, n)) if i < k else 0.0 for i in range(n)]
    distance = (shares - torch.tensor(limits, dtype=torch.float64, device=x.device)).abs()
    exponent = torch.as_tensor(beta[:, None] * gap(separation), dtype=torch.float64)
    allowed = rate(torch.exp(-exponent), k, n).expand_as(distance)
    moved = 2.1 * u * beta[:, None] * x.abs().amax(1, keepdim=True) * shares[:, k:].sum(1, keepdim=True)
    error = softmax_rounding_bound(x, beta) + moved + 2 * u + (1.01 * u * exponent + gamma(8)) * allowed.abs()
    return distance, allowed, error


def race(x, beta, sign, offset):
    """Claim: sign times the frequency with which the first clock wins, plus ``offset``, is at least 0 on average."""

    def draw(rng, size):
        times = rng.exponential((size, len(x))) * torch.exp(-beta * x.to(rng.device))
        return sign * (times.argmin(1) == 0).double() + offset

    return PairedInequality(draw, scale=1.0, support=(min(sign, 0) + offset - 0.01, max(sign, 0) + offset + 0.01))


def winner_takes_all(first: bool, k: Any, n: Any) -> Any:
    """1 at the first maximiser and 0 at the others."""
    return 1 if first else 0


def uniform(first: bool, k: Any, n: Any) -> Any:
    """1/n, as for beta tending to 0."""
    return 1 / n


def only_one_other(E: Any, k: Any, n: Any) -> Any:
    """E, however many other entries there are."""
    return E


def percent_less(E: Any, k: Any, n: Any) -> Any:
    """99 % of (n - k) E."""
    return 99 * (n - k) * E / 100


def twice_as_fast(E: Any, k: Any, n: Any) -> Any:
    """(n - k) exp(-2 beta delta)."""
    return (n - k) * E * E


def attained(E: Any, k: Any, n: Any) -> Any:
    """No distance at all."""
    return 0 * E


theorem.false_if("with ties the limit is a single unit vector", target=winner_takes_all)
theorem.false_if("the limit is the uniform distribution", target=uniform)
theorem.false_if("as beta tends to minus infinity the maximiser still wins", sign=-1, drops="beta_is_positive")
theorem.false_if("the runner-up may tie with the maximum", gap=lambda delta: 0 * delta, drops="maximum_is_separated")
theorem.false_if("the distance does not grow with the number of other entries", rate=only_one_other)
theorem.false_if("the distance is 1 % smaller", rate=percent_less)
theorem.false_if("the distance falls like exp(-2 beta delta)", rate=twice_as_fast)
theorem.false_if("the limit is attained", rate=attained)
