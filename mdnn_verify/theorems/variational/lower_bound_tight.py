r"""Maximising a lower bound that is tight for every theta finds exactly the maximisers of the function.

Let $f(\theta) = g(\theta, \phi) + h(\theta, \phi)$ for all $\theta \in \Theta$, $\phi \in \Phi$, with $h \ge 0$, and
let every $\theta$ have some $\phi$ with $h(\theta, \phi) = 0$ (the minimum is attained). Then

$$\operatorname{argmax} f = \{\theta : (\theta, \phi) \in \operatorname{argmax} g \text{ for some } \phi\}, \qquad
\sup f = \sup g,$$

for arbitrary sets $\Theta$ and $\Phi$; one side is empty exactly if the other is. It is not enough that
$\inf_\phi h(\theta, \phi) = 0$: with $h(\theta, \phi) = \phi$ on $\Phi = (0, \infty)$ $f$ may have a maximiser while
$g$ has none.

Source: seed 000, Problem 6; solutions in seeds 001 and 003.
"""

from __future__ import annotations

import operator

import torch
import z3

from mdnn_verify.engines.montecarlo import NeverViolated
from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.smt import Valid
from mdnn_verify.theorem import Theorem

DECOMPOSES, NONNEGATIVE, ATTAINED = "f = g + h", "h >= 0", "h = 0 for some phi"


def plateau(theta):
    """An f on the reals with the maximisers [1, 2]."""
    return z3.If(theta < 1, theta, z3.If(theta <= 2, 1, 3 - theta))


def unbounded(theta):
    """An f on the reals without a maximiser."""
    return theta


def distance(theta, phi):
    """An h that vanishes at phi = |theta| + 1 only, so that the best phi depends on theta."""
    off = phi - z3.If(theta >= 0, theta, -theta) - 1
    return z3.If(off >= 0, off, -off)


def phi_itself(theta, phi):
    """An h that does not depend on theta."""
    return phi


def signed(theta, phi):
    """h = phi - |theta| vanishes at phi = |theta| and is negative below."""
    return phi - z3.If(theta >= 0, theta, -theta)


def half_of_all_theta(theta, phi):
    """h vanishes for theta < 1 only: there at phi = 0, elsewhere it is at least 1."""
    return phi + z3.If(theta < 1, 0, z3.If(theta < 2, 1, 2))


def nonnegative_reals(phi):
    """phi in [0, oo)."""
    return phi >= 0


def positive_reals(phi):
    """phi in (0, oo), where h = phi has the infimum 0 and no minimum."""
    return phi > 0


def less_the_row_minimum(table):
    """Any table as an admissible h: non-negative, with a zero in every row (theta)."""
    return table - table.amin(-1, keepdim=True)


def less_the_median(table):
    """A zero in every row, and negative entries."""
    return table - table.median(-1, keepdim=True).values


def less_the_minimum(table):
    """Non-negative, with a zero in some row only."""
    return table - table.amin((-1, -2), keepdim=True)


theorem = Theorem(
    statement=r"\left.\begin{aligned}&f(\theta)=g(\theta,\phi)+h(\theta,\phi),\quad h\ge 0,\\"
    r"&\forall\theta\;\exists\phi:\;h(\theta,\phi)=0\end{aligned}\right\}\implies"
    r"\operatorname{argmax}f=\{\theta\mid\exists\phi:(\theta,\phi)\in\operatorname{argmax}g\}",
    given={
        "assumed": (DECOMPOSES, NONNEGATIVE, ATTAINED),
        "no_better": operator.le,
        "fs": (plateau, unbounded),
        "h": distance,
        "Phi": nonnegative_reals,
        "gap": less_the_row_minimum,
    },
)

Theta_, Phi_ = z3.DeclareSort("Theta"), z3.DeclareSort("Phi")
F, G, H = (
    z3.Function("f", Theta_, z3.RealSort()),
    z3.Function("g", Theta_, Phi_, z3.RealSort()),
    z3.Function("h", Theta_, Phi_, z3.RealSort()),
)
t, theta = z3.Consts("t theta", Theta_)
p, phi = z3.Consts("p phi", Phi_)
x, y, a, b = z3.Reals("x y a b")


@theorem.hypothesis
def nonnegative(h, Phi, gap):
    """Everywhere on Theta x Phi h >= 0, in the example over the reals and in a table."""
    return {
        "reals": Valid(z3.ForAll([x, y], z3.Implies(Phi(y), h(x, y) >= 0))),
        "table": Residual((gap(sample_table()) < 0).sum(), 0, 0, at={"h": gap(sample_table())}),
    }


@theorem.hypothesis
def attained(h, Phi, gap):
    """Every theta has a phi with h = 0, in the example over the reals and in a table."""
    return {
        "reals": Valid(z3.ForAll([x], z3.Exists([y], z3.And(Phi(y), h(x, y) == 0)))),
        "table": Residual((gap(sample_table()) != 0).all(-1).sum(), 0, 0, at={"h": gap(sample_table())}),
    }


@theorem.proof(scope="arbitrary sets Theta and Phi")
def g_never_exceeds_f(assumed):
    """Because h >= 0, g is a lower bound of f."""
    return Valid(F(theta) >= G(theta, phi), given=assumptions(assumed))


@theorem.proof(scope="arbitrary sets Theta and Phi")
def maximisers_of_f_are_found(assumed, no_better):
    """If theta maximises f, let phi be one with h(theta, phi) = 0: then (theta, phi) maximises g."""
    chosen = [H(theta, phi) == 0] if ATTAINED in assumed else []
    known = assumptions(name for name in assumed if name != ATTAINED)
    return Valid(best_for_g(theta, phi, no_better), given=[*known, *chosen, best_for_f(theta, no_better)])


@theorem.proof(scope="arbitrary sets Theta and Phi")
def maximisers_of_g_maximise_f(assumed, no_better):
    """If (theta, phi) maximises g, then f(theta) >= g(theta, phi) >= g(t, phi_t) = f(t) for every t."""
    return Valid(best_for_f(theta, no_better), given=[*assumptions(assumed), best_for_g(theta, phi, no_better)])


@theorem.proof(scope="arbitrary sets Theta and Phi, any two relations")
def one_is_empty_if_the_other_is():
    """So argmax f is the projection of argmax g, and as a set and its projection they are empty together."""
    of_f = z3.Function("maximises_f", Theta_, z3.BoolSort())
    of_g = z3.Function("maximises_g", Theta_, Phi_, z3.BoolSort())
    projection = z3.ForAll([t], of_f(t) == z3.Exists([p], of_g(t, p)))
    return Valid(z3.Exists([t], of_f(t)) == z3.Exists([t, p], of_g(t, p)), given=[projection])


@theorem.proof(scope="arbitrary sets Theta and Phi; suprema may be infinite")
def the_suprema_agree(assumed):
    """Both f and g have the same upper bounds c, hence the same supremum, attained or not."""
    bounds_f, bounds_g = z3.ForAll([t], F(t) <= x), z3.ForAll([t, p], G(t, p) <= x)
    return Valid(bounds_f == bounds_g, given=assumptions(assumed))


@theorem.proof(scope="Theta = R, f with many maximisers and f with none, the given h and Phi")
def two_examples_over_the_reals(fs, h, Phi, no_better):
    """For a concrete f, h and an infinite Phi both sides are the same set of reals; this is where controls break it."""
    return {f.__name__: Valid(same_maximisers(f, h, Phi, no_better)) for f in fs}


@theorem.pathwise(scope="a table with 3 x 3 entries and ties, by enumeration")
def a_small_table(gap, no_better):
    """Enumerated, both argmax sets of a small table with ties coincide, exactly in integers."""
    f, h = torch.tensor([[0, 2, 2]]), gap(sample_table())
    of_f, of_g = maximisers(f, f.unsqueeze(-1) - h, no_better)
    return Residual(of_g, of_f, 0, at={"f": f, "h": h})


@theorem.monte_carlo(
    scope="integer tables, 6 theta x 5 phi, f uniform on 0..3 and h on 0..3 before the zeros are placed: many ties"
)
def random_tables(gap, no_better):
    """In no random table does a maximiser of one problem fail to be one of the other; integers, so without rounding."""

    def ratio(rng, n):
        f = rng.integers(0, 4, (n, 6))
        g = f.unsqueeze(-1) - gap(rng.integers(0, 4, (n, 6, 5)))
        of_f, of_g = maximisers(f, g, no_better)
        return 2 * (of_f != of_g).sum(1, dtype=torch.float64)  # any number of differences is a violation

    return NeverViolated(ratio, rate=0.005)


def assumptions(assumed):
    """Theta and Phi are non-empty, and what is assumed of f, g, h."""
    known = {
        DECOMPOSES: z3.ForAll([t, p], F(t) == G(t, p) + H(t, p)),
        NONNEGATIVE: z3.ForAll([t, p], H(t, p) >= 0),
        ATTAINED: z3.ForAll([t], z3.Exists([p], H(t, p) == 0)),
    }
    return [known[name] for name in assumed]


def best_for_f(candidate, no_better):
    """The candidate is in argmax f."""
    return z3.ForAll([t], no_better(F(t), F(candidate)))


def best_for_g(candidate, partner, no_better):
    """(candidate, partner) is in argmax g; ``partner`` may be bound outside, so it must not be named like the variables
    bound here."""
    return z3.ForAll([t, p], no_better(G(t, p), G(candidate, partner)))


def same_maximisers(f, h, Phi, no_better):
    """For all x: x maximises f over R iff some (x, y) maximises f - h over R x Phi."""
    of_f = z3.ForAll([a], no_better(f(a), f(x)))
    of_g = z3.And(Phi(y), z3.ForAll([a, b], z3.Implies(Phi(b), no_better(f(a) - h(a, b), f(x) - h(x, y)))))
    return z3.ForAll([x], of_f == z3.Exists([y], of_g))


def maximisers(f, g, no_better):
    """For tables f (n, r) and g (n, r, s): which theta maximise f, and which do so for g with some phi; bool (n, r)."""
    of_f = no_better(f.unsqueeze(1), f.unsqueeze(2)).all(2)
    flat = g.flatten(1)
    of_g = no_better(flat.unsqueeze(1), flat.unsqueeze(2)).all(2).view(g.shape).any(2)
    return of_f, of_g


def sample_table():
    """One table of integers with ties, shape (1, 3, 3)."""
    return torch.tensor([[[0, 1, 2], [1, 2, 3], [2, 4, 2]]])


theorem.false_if("the infimum 0 of h is not attained", drops="attained", h=phi_itself, Phi=positive_reals)
theorem.false_if(
    "h vanishes for some theta only", drops="attained", h=half_of_all_theta, assumed=(DECOMPOSES, NONNEGATIVE)
)
theorem.false_if("h vanishes in one row of a table only", drops="attained", gap=less_the_minimum)
theorem.false_if("h may be negative", drops="nonnegative", h=signed, assumed=(DECOMPOSES, ATTAINED))
theorem.false_if("h may be negative in a table", drops="nonnegative", gap=less_the_median)
theorem.false_if("minimising the lower bound finds the minimisers of f", no_better=operator.ge)
