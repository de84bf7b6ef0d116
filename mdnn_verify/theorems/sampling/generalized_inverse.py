r"""The generalized inverse of any CDF turns a uniform variable into a variable with that CDF.

Let $F$ be nondecreasing and right-continuous with limits 0 and 1, jumps and flat pieces allowed, and $U$ uniform on
$(0, 1)$. Then

$$G(u) = \inf\{x : u < F(x)\} \implies P(G(U) \le t) = F(t) \text{ for every } t.$$

The proof rests on $\{u < F(t)\} \subseteq \{G(u) \le t\} \subseteq \{u \le F(t)\}$: both outer events have probability
$F(t)$. The variant $\inf\{x : u \le F(x)\}$ has the same law, and so have $\sup\{x : F(x) \le u\} = G(u)$ and
$\sup\{x : F(x) < u\}$, the variant; what the seed's "inf" excludes is $\sup\{x : u < F(x)\}$, which is $+\infty$. Each
axiom on $F$ and each defining property of an infimum is used at finitely many points: what follows from these instances
follows from the axioms, and the instances, free of quantifiers, are decided both ways.

Source: seed 004, Problem 4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import sympy as sp
import torch
import z3

from mdnn_verify.engines.montecarlo import CdfEqual, NeverViolated
from mdnn_verify.engines.pathwise import AtLeast, Residual
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.distributions import (
    cantor_law,
    flat_law,
    generalized_inverse,
    generalized_inverse_of_steps,
    left_continuous_step_law,
    mixed_law,
    one_sided_limit,
    step_law,
)
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

u, t, g = z3.Reals("u t G(u)")  # a level, a point, and the value of the generalized inverse at u


@dataclass(frozen=True)
class Bound:
    """The defining properties of an infimum or supremum g of a set, for Z3, at given points."""

    bounds: Callable  # (member of x, g, x): g is on the right side of x
    is_best: Callable  # (member of x, g, b, x): b beyond g is no such bound, because of the member x
    confined: Callable  # (x, a, b): x respects the bound that a set between a and b has


infimum = Bound(
    bounds=lambda member, g, x: z3.Implies(member(x), g <= x),
    is_best=lambda member, g, b, x: z3.Implies(g < b, z3.And(member(x), x < b)),
    confined=lambda x, a, b: a <= x,
)
supremum = Bound(
    bounds=lambda member, g, x: z3.Implies(member(x), x <= g),
    is_best=lambda member, g, b, x: z3.Implies(b < g, z3.And(member(x), b < x)),
    confined=lambda x, a, b: x <= b,
)

theorem = Theorem(
    statement=r"P(G(U)\le t)=F(t)\ \text{for all}\ t,\qquad G(u)=\inf\{x\in\mathbb{R}\mid u<F(x)\}",
    given={
        "F": z3.Function("F", z3.RealSort(), z3.RealSort()),
        # F(t) < v leaves some d > 0 with F(t + d) < v; for a nondecreasing F that is right-continuity at t
        "right_continuity": lambda F, t, v, d: z3.Implies(F(t) < v, z3.And(d > 0, F(t + d) < v)),
        "extremum": infimum,
        "density": lambda v: sp.Integer(1),
        "uniform": lambda v: v,
        "laws": (step_law([-1, 0, 2, 5], [0.25, 0.5, 0.125, 0.125]), flat_law(), mixed_law(), cantor_law()),
        "G": lambda law, u: law.inverse(u, True),
        "variant": lambda law, u: law.inverse(u, False),
        "claimed": lambda law: law.cdf,
        "steps_inverse": generalized_inverse_of_steps,
    },
)


@theorem.hypothesis
def F_is_right_continuous(laws):
    """Every simulated F that is given by pieces equals its limit from the right where pieces meet."""
    x = sp.Symbol("x", real=True)
    pieces = [(law, b) for law in laws if law.formula is not None for b in law.breaks]
    return [sp.Eq(one_sided_limit(law, b, right=True), law.formula.subs(x, b)) for law, b in pieces]


@theorem.hypothesis
def U_is_uniform(density):
    """U is in (0, k/8] with probability k/8, which needs density 1."""
    v = sp.Symbol("v", positive=True)
    return [sp.Eq(sp.integrate(density(v), (v, 0, sp.Rational(k, 8))), sp.Rational(k, 8)) for k in range(1, 9)]


@theorem.proof(scope="every CDF F and every u in (0, 1), from the limits 0 and 1 and monotonicity")
def G_exists(F, extremum):
    """For 0 < u < 1 the set {x : u < F(x)} is not empty and is bounded, so that G(u) is a real number."""
    a, b, x = z3.Reals("a b x")
    limits = [F(a) < u, u < F(b)]  # at some a and some b, because F tends to 0 and to 1
    given = [*levels(), *monotone(F, a, b, x), *limits, u < F(x)]
    return Valid(extremum.confined(x, a, b), given=given, witness=uniform_witness(F, a, b, x))


@theorem.proof(scope="every CDF F, every u and every t")
def u_below_F_implies_G_at_most_t(F, extremum):
    """If u < F(t), then t belongs to the set, and its infimum G(u) is at most t."""
    return Valid(z3.Implies(u < F(t), g <= t), given=[*levels(), extremum.bounds(lambda x: u < F(x), g, t)])


@theorem.proof(scope="every CDF F, every u and every t; the step that needs right-continuity")
def G_at_most_t_implies_u_at_most_F(F, right_continuity, extremum):
    """If F(t) < u, then F(t + d) < u for some d > 0, so t + d > G(u) is a lower bound of the set: a contradiction."""
    return Valid(z3.Implies(g <= t, u <= F(t)), given=at_most(F, right_continuity, extremum, lambda x: u < F(x)))


@theorem.proof(scope="every CDF F, every u and every t, for the variant inf{x : u <= F(x)}")
def variant_is_at_most_t_exactly_if_u_is_at_most_F(F, right_continuity, extremum):
    """With u <= F(x) in the definition the same two steps give {G(u) <= t} = {u <= F(t)}, an equality of events."""

    def member(x):
        return u <= F(x)

    given = [*at_most(F, right_continuity, extremum, member), extremum.bounds(member, g, t)]
    return Valid((g <= t) == (u <= F(t)), given=given)


@theorem.proof(scope="every level p = F(t) in [0, 1]")
def outer_events_have_probability_F(density):
    """The outer events are intervals that begin at 0: U < p and U <= p both have probability p."""
    p, v = sp.Symbol("p", positive=True), sp.Symbol("v", positive=True)
    return {
        "U < p": Equal(sp.integrate(density(v), (v, 0, p)), p),
        "U = p": Equal(sp.integrate(density(v), (v, p, p)), 0),
        "p = 1 exhausts the probability": Equal(sp.integrate(density(v), (v, 0, 1)), 1),
    }


@theorem.proof(scope="every CDF F and every t")
def event_between_them_has_probability_F(F):
    """By monotonicity of P, the event {G(U) <= t} between them has probability F(t)."""
    P = z3.Function("P", z3.StringSort(), z3.RealSort())
    below, middle, upto = (P(z3.StringVal(name)) for name in ("u < F(t)", "G(u) <= t", "u <= F(t)"))
    return Valid(middle == F(t), given=[below <= middle, middle <= upto, below == F(t), upto == F(t)])


@theorem.pathwise(
    scope="20 random step functions, masses and levels all in 64ths (ties included), every atom and beside it"
)
def events_of_random_steps_are_nested(steps_inverse, rng):
    """For step functions all three events can be compared exactly, at heights of F above all; no rounding occurs."""
    for _ in range(20):
        atoms, probs = random_steps(rng)
        law = step_law(atoms, probs)
        level = torch.arange(1, 64, dtype=torch.float64) / 64
        point = torch.cat([torch.tensor(atoms), torch.tensor(atoms) + 0.5])
        value = steps_inverse(atoms, probs, level)
        inner = (level[:, None] < law.cdf(point)).double()
        middle = (value[:, None] <= point).double()
        outer = (level[:, None] <= law.cdf(point)).double()
        at = {"atoms": atoms, "probs": probs}
        yield AtLeast(middle, inner, 0.0, at)
        yield AtLeast(outer, middle, 0.0, at)


@theorem.pathwise(scope="four CDFs, 1,000 random levels each, and the levels 1/4, 1/2, 3/4 where F is flat")
def F_crosses_u_at_G(laws, G, rng):
    """At G(u) the function F passes from at most u (on the left) to at least u, up to the rounding of F and G."""
    level = torch.cat([torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64), open_unit(rng, 1000)])
    for law in laws:
        point = G(law, level)
        yield AtLeast(law.cdf(point), level, law.rounding, {"law": law.name})
        yield AtLeast(-law.cdf_left(point), -level, law.rounding, {"law": law.name})


@theorem.pathwise(
    scope="the step CDF, 1,000 random levels and the heights of F; the infimum over all floats, no tolerance"
)
def closed_form_is_the_infimum(laws, G, rng):
    """Bisection over the floats finds inf{x : u < F(x)} from F alone, and it is what the closed form gives."""
    law = laws[0]
    level = torch.cat([torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64), open_unit(rng, 1000)])
    return Residual(G(law, level), generalized_inverse(law.cdf, level), 0.0, {"law": law.name})


@theorem.monte_carlo(
    scope="step, flat, mixed and Cantor CDF (the latter to 33 bits); F(t) and F(t-) at every t", weight=4
)
def G_of_U_has_the_claimed_cdf(laws, G, uniform, claimed):
    """The sampled distribution function of G(U) stays in its band around F, on both sides of every jump."""
    return {law.name: simulation(law, G, uniform, claimed(law)) for law in laws}


@theorem.monte_carlo(scope="the same four CDFs, for the variant inf{x : u <= F(x)}", weight=4)
def variant_has_the_same_cdf(laws, variant, uniform, claimed):
    """G and the variant differ for at most countably many u, so the variant has the CDF F as well."""
    return {law.name: simulation(law, variant, uniform, claimed(law)) for law in laws}


@theorem.monte_carlo(scope="random step functions on {0, ..., 5}, masses and levels in 64ths, random t")
def events_are_nested_on_random_instances(steps_inverse):
    """The inclusions, as events of random instances: the ratio is 0 where they hold and infinite where they fail."""

    def draw(rng, n):
        cuts = rng.integers(0, 65, (n, 5)).sort(dim=1).values  # 64 F, constant between the atoms 0, 1, ..., 5
        heights = torch.cat([cuts, torch.full_like(cuts[:, :1], 64)], dim=1)
        level, point = rng.integers(1, 64, n), rng.integers(-1, 7, n)
        masses = torch.diff(heights, dim=1, prepend=torch.zeros_like(cuts[:, :1])).double() / 64
        levels = (level.cpu().double() / 64)[:, None]
        value = torch.cat([steps_inverse(range(6), row, v) for row, v in zip(masses.cpu(), levels, strict=True)])
        F_at = torch.where(point < 0, 0, heights.gather(1, point.clamp(0, 5)[:, None])[:, 0])
        middle = value.to(level.device) <= point
        broken = ((level < F_at) & ~middle) | (middle & ~(level <= F_at))
        return torch.where(broken, torch.inf, 0.0).double()

    return NeverViolated(draw)


@theorem.picture
def F_and_G(laws):
    """A CDF with two jumps and a flat piece, and its generalized inverse: jumps and flat pieces change places."""
    law = laws[2]
    x = torch.linspace(-1, 5, 301, dtype=torch.float64)
    v = torch.linspace(0.004, 0.984, 246, dtype=torch.float64)
    curves = [
        Curve("F(x)", x.tolist(), law.cdf(x).tolist(), style="step"),
        Curve("G(u), at height u", law.inverse(v, True).tolist(), v.tolist(), style="dots"),
    ]
    return Curves("F and its generalized inverse G, read from the vertical axis", "x, G(u)", "F(x), u", curves)


def levels():
    """0 < u < 1."""
    return [u > 0, u < 1]


def monotone(F, *points):
    """F is nondecreasing, between every two of the points."""
    return [z3.Implies(a <= b, F(a) <= F(b)) for a, b in permutations(points, 2)]


def at_most(F, right_continuity, extremum, member):
    """What is known of G(u): F's axioms, right-continuity at t for the level u, and that t + d > G(u) is no bound."""
    d, x = z3.Reals("d x")
    return [
        *levels(),
        *monotone(F, t, t + d, x),
        right_continuity(F, t, u, d),
        z3.Implies(F(t) >= u, d > 0),  # d is some positive number where right-continuity does not name one
        extremum.is_best(member, g, t + d, x),
    ]


def uniform_witness(F, a, b, x):
    """One instance: F the uniform CDF at the points in question, u = 1/2."""
    return [a == 0, b == 1, x == 1, u == z3.Q(1, 2), F(a) == 0, F(b) == 1]


def simulation(law, inverse, uniform, cdf):
    """The claim that inverse(U) has the distribution function ``cdf`` and the left limits of ``law``."""

    def draw(rng, n):
        return inverse(law, uniform(open_unit(rng, n)))

    return CdfEqual(draw, cdf, law.cdf_left)


def open_unit(rng, n):
    """Uniform on (0, 1): the stream's 0, of probability 2^-53, becomes 2^-54."""
    return rng.uniform(n).clamp(min=2.0**-54)


def random_steps(rng):
    """2 to 6 atoms at distinct integers and masses that are multiples of 1/64, zeros included."""
    size = int(rng.integers(2, 7, 1))
    atoms = sorted(torch.argsort(rng.uniform(20))[:size].tolist())
    cuts = sorted(rng.integers(0, 65, size - 1).tolist())
    probs = [(high - low) / 64 for low, high in zip([0, *cuts], [*cuts, 64], strict=True)]
    return [float(a) for a in atoms], probs


def interpolated(law, u):
    """What plotting programs do: F's steps joined by straight lines, then inverted."""
    if not law.atoms:
        return law.inverse(u, True)
    heights = torch.cumsum(torch.tensor(law.probabilities, dtype=torch.float64, device=u.device), 0)
    atoms = torch.tensor(law.atoms, dtype=torch.float64, device=u.device)
    k = torch.searchsorted(heights, u).clamp(1, len(atoms) - 1)
    share = ((u - heights[k - 1]) / (heights[k] - heights[k - 1])).clamp(0, 1)
    return atoms[k - 1] + share * (atoms[k] - atoms[k - 1])


def smallest_heights_first(atoms, probs, u):
    """The wrong neighbour of searchsorted: the last atom with F < u instead of the first with F > u."""
    heights = torch.cumsum(torch.as_tensor(probs, dtype=torch.float64), 0)
    places = torch.as_tensor(atoms, dtype=torch.float64)
    return places[(torch.searchsorted(heights, u) - 1).clamp(min=0)]


theorem.false_if(
    "F is left-continuous instead: F(t) = P(X < t)",
    drops="F_is_right_continuous",
    F=lambda x: z3.If(x > 0, z3.RealVal(1), z3.RealVal(0)),
    right_continuity=lambda F, t, v, d: d > 0,
    laws=(left_continuous_step_law([0, 1], [0.5, 0.5]),),
)
theorem.false_if(
    "sup{x : u < F(x)} instead of inf (+infinity; simulated as the largest float)",
    extremum=supremum,
    G=lambda law, u: torch.full_like(u, torch.finfo(torch.float64).max),
)
theorem.false_if(
    "U is the square of a uniform variable",
    drops="U_is_uniform",
    density=lambda v: 1 / (2 * sp.sqrt(v)),
    uniform=torch.square,
)
theorem.false_if("P(G(U) <= t) = F(t-)", claimed=lambda law: law.cdf_left)
theorem.false_if("F's steps are joined by lines before inverting", G=interpolated)
theorem.false_if("the last atom below u instead of the first above", steps_inverse=smallest_heights_first)
