r"""The one-dimensional flow increases strictly onto a bounded interval, and its density has a mass below 1.

With $\Phi_{\mu, \sigma}$ and $\varphi_{\mu, \sigma}$ the distribution function and the density of $N(\mu, \sigma^2)$
let

    $f(x) = \sum_{i=1}^n e^{w_i} \left(\Phi_{\mu_i, e^{\tau_i}}(x) - \tfrac{1}{2}\right), \qquad S = \sum_i e^{w_i}.$

Then $f' = \sum_i e^{w_i} \varphi_{\mu_i, e^{\tau_i}} > 0$, so $f$ is strictly increasing; it tends to $\pm S/2$ and
reaches neither, so by continuity its range is the open interval $(-S/2, S/2)$. The density that the flow assigns to
the data is $p(x) = \varphi(f(x)) f'(x)$, with antiderivative $\Phi(f(x))$, and therefore

    $\int_{-\infty}^{\infty} \varphi(f(x)) f'(x)\,dx = \Phi(S/2) - \Phi(-S/2) < 1.$

The seed remarks that the weights need no normalisation because $p_Z$ is unbounded. That is right, but no choice of
weights makes $f$ onto, or $p$ a density: with normalised weights, $S = 1$, its mass is 0.383. Sampling by inversion
draws $Z$ from the normal law conditioned on the range of $f$ and solves $f(X) = Z$; seed 001 draws an unconditioned
$Z$ and bisects in $[-3, 3]$, so that what lies outside is moved to the ends. Here a $z$ outside the range is an
error, and $X$ has the distribution function $(\Phi(f(x)) - \Phi(-S/2)) / (\Phi(S/2) - \Phi(-S/2))$.

That a function with positive derivative increases, and the intermediate value theorem, are used by hand. The fit by
maximum likelihood that the seed asks for as well is an experiment, not a statement, and is not judged here.

Source: seed 000, Problem 2; solution in seed 001.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import flint
import sympy as sp
import torch
import z3

from mdnn_verify.engines.intervals import EnclosureAtLeast, EnclosureEquals, gaussian_tail, integral, precision
from mdnn_verify.engines.montecarlo import BoundedMean, CdfEqual
from mdnn_verify.engines.pathwise import Residual, unit_roundoff
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import ball
from mdnn_verify.maths.flow1d import (
    components_in_balls,
    ends_in_balls,
    flow1d,
    flow1d_inverse,
    flow1d_mass,
    random_parameters,
)  # fmt: skip
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

x, mu, tau, w = sp.symbols("x mu tau w", real=True)
y, S = sp.Symbol("y", real=True), sp.Symbol("S", positive=True)
STANDARD = (1 + sp.erf(y / sp.sqrt(2))) / 2  # Phi at x = mu + exp(tau) y
# weights, centres, spreads of the simulated flow: S/2 = 5/4, so that its mass is 0.789 and visibly not 1
EXAMPLE = ((math.log(0.5), 0.0, 0.0), (-1.0, 0.2, 1.5), (math.log(0.25), 0.0, math.log(0.5)))


theorem = Theorem(
    statement=r"f(x)=\sum_i e^{w_i}\left(\Phi_{\mu_i,e^{\tau_i}}(x)-\tfrac12\right),\quad S=\sum_i e^{w_i}\implies "
    r"f'=\sum_i e^{w_i}\varphi_{\mu_i,e^{\tau_i}}>0,\qquad f(\mathbb{R})=\left(-\tfrac S2,\tfrac S2\right),\qquad"
    r"\int_{\mathbb{R}}\varphi(f(x))\,f'(x)\,dx=\Phi\!\left(\tfrac S2\right)-\Phi\!\left(-\tfrac S2\right)<1",
    given={
        "weight": lambda w, exp: exp(w),  # of a component
        "term": lambda weight, Phi: weight * (2 * Phi - 1) / 2,  # of f; so written for SymPy, Z3, balls, series alike
        "slope": lambda weight, density, sigma: weight * density,  # of f', with the density of N(mu, sigma^2)
        "edge": lambda S: S / 2,  # of the range
        "mass": lambda edge: sp.erf(edge / sp.sqrt(2)),  # Phi(edge) - Phi(-edge)
    },
)


@theorem.hypothesis
def weights_are_positive(weight):
    """The weight of a component is positive, whatever its parameter: at -2, 0 and 2."""
    return [sp.Gt(weight(sp.Integer(k), sp.exp), 0) for k in (-2, 0, 2)]


@theorem.proof(scope="every component, all real x, mu, tau")
def Phi_is_the_integral_of_its_density():
    """Phi, written with the error function, has the normal density as its derivative, and the limits 0 and 1."""
    Phi, density = component(x)
    return {
        "derivative": Equal(sp.diff(Phi, x), density),
        "at x = mu + exp(tau) y": Equal(Phi.subs(x, mu + sp.exp(tau) * y), STANDARD),
        "at -oo": Equal(sp.limit(STANDARD, y, -sp.oo), 0),
        "at +oo": Equal(sp.limit(STANDARD, y, sp.oo), 1),
    }


@theorem.proof(scope="every n, by linearity of the derivative; written out as a sum of n terms, too")
def derivative_is_the_weighted_mixture(weight, term, slope):
    """Each component of f has the claimed derivative, and so has the sum of any number of them."""
    Phi, density = component(x)
    n, i = sp.Symbol("n", integer=True, positive=True), sp.Symbol("i", integer=True)
    indexed = {old: sp.IndexedBase(name, real=True)[i] for old, name in ((mu, "m"), (tau, "t"), (w, "v"))}
    f, claimed = term(weight(w, sp.exp), Phi), slope(weight(w, sp.exp), density, sp.exp(tau))
    total = sp.Sum(f.subs(indexed), (i, 1, n))
    return {
        "a component": Equal(sp.diff(f, x), claimed),
        "the sum": Equal(sp.diff(total, x), sp.Sum(claimed.subs(indexed), (i, 1, n))),
    }


@theorem.proof(scope="every n >= 1, all real x and parameters, by induction over the components")
def derivative_is_positive(weight, slope):
    """Every component of f' is positive, so f' is, and f increases strictly."""
    _, density = component(x)
    part, total = z3.Reals("component sum")
    return {
        "a component": sp.Gt(slope(weight(w, sp.exp), density, sp.exp(tau)), 0, evaluate=False),
        "one more": Valid(total + part > 0, given=[total > 0, part > 0]),
    }


@theorem.proof(scope="every n >= 1, by induction over the components; continuity fills the interval")
def limits_are_the_ends_of_the_range(weight, term, edge):
    """At the infinities f tends to +edge and -edge: so does one component, and a further one adds its own weight."""
    own = weight(w, sp.exp)
    upper, lower = (sp.limit(term(own, STANDARD), y, end) for end in (sp.oo, -sp.oo))
    return {
        "one component, +oo": same(upper, edge(own)),
        "one component, -oo": same(lower, -edge(own)),
        "one more, +oo": same(edge(S) + upper, edge(S + own)),
        "one more, -oo": same(-edge(S) + lower, -edge(S + own)),
    }


@theorem.proof(scope="every n >= 1, every x: 0 < Phi < 1 and positive weights")
def the_ends_are_not_reached(term):
    """As 0 < Phi < 1, a component stays inside its half weight, and sums of such components inside S/2."""
    own, Phi, total, earlier = z3.Reals("weight Phi sum S")
    value = term(own, Phi)
    inside = [own > 0, Phi > 0, Phi < 1]
    partial = [earlier > 0, total < earlier / 2, total > -earlier / 2]
    return {
        "one component": Valid(z3.And(value < own / 2, value > -own / 2), given=inside),
        "one more": Valid(
            z3.And(total + value < (earlier + own) / 2, total + value > -(earlier + own) / 2), [*inside, *partial]
        ),
    }


@theorem.proof(scope="every differentiable f with limits +-edge: every S > 0")
def mass_by_the_antiderivative(edge, mass):
    """By the chain rule Phi(f) is an antiderivative, so the mass is Phi(edge) - Phi(-edge)."""
    f, Phi = sp.Function("f", real=True)(x), STANDARD
    density = sp.exp(-(f**2) / 2) / sp.sqrt(2 * sp.pi)
    return {
        "antiderivative": Equal(sp.diff(Phi.subs(y, f), x), density * sp.diff(f, x)),
        "between the ends": Equal(Phi.subs(y, edge(S)) - Phi.subs(y, -edge(S)), mass(edge(S))),
    }


@theorem.proof(scope="every S > 0")
def mass_is_below_one(edge, mass):
    """What is missing, 1 - mass, falls strictly as S grows and tends to 0: so it is positive for every S."""
    missing = 1 - mass(edge(S))
    return {
        "falls": sp.Lt(sp.diff(missing, S), 0, evaluate=False),
        "tends to 0": Equal(sp.limit(missing, S, sp.oo), 0),
    }


@theorem.pathwise(scope="20 random rational flows of 1 to 5 components, each at 4 points")
def taylor_coefficient_is_the_claimed_derivative(weight, term, slope, rng):
    """The first Taylor coefficient of f, enclosed by power series over balls, is the claimed derivative."""
    with precision(150):
        for parameters in (random_parameters(rng.numpy) for _ in range(20)):
            for k in rng.integers(-30, 31, 4).tolist():
                point = ball(Fraction(k, 8))
                series = value_at(parameters, flint.arb_series([point, 1], 2), weight, term)
                claimed = slope_at(parameters, point, weight, slope)
                yield EnclosureEquals(series[1], claimed, f"(w, mu, tau) = {parameters}, x = {k}/8", within=1e-20)


@theorem.pathwise(scope="20 random rational flows, at 0 and 3 and 14 of the largest spreads outside all centres")
def range_ends_at_half_the_weights(weight, term, edge, rng):
    """Far out f comes within 1e-40 of the claimed ends, and at no point does it reach them."""
    with precision(400):
        for parameters in (random_parameters(rng.numpy) for _ in range(20)):
            end = edge(total_weight(parameters, weight))
            low, high = ends_in_balls(parameters, 14)
            for point in (low, flint.arb(0), flint.arb(3), high):
                value = value_at(parameters, point, weight, term)
                at = f"(w, mu, tau) = {parameters}, x = {point.str(8)}"
                yield EnclosureAtLeast(end - abs(value), 0, at)
                if point in (low, high):
                    yield EnclosureAtLeast(abs(value) - end, -(flint.arb(10) ** -40), at)


@theorem.pathwise(scope="3 random rational flows of 1 to 3 components; the tails are added to the integral's radius")
def mass_by_rigorous_integral(weight, term, slope, edge, mass, rng):
    """The integral of the pulled-back density over all but the tails, enclosed, is the claimed mass."""
    for parameters in (random_parameters(rng.numpy, most=3) for _ in range(3)):
        total = abs(total_weight(parameters, weight))

        def density(z, analytic, parameters=parameters):
            y = value_at(parameters, z, weight, term)
            rise = slope_at(parameters, z, weight, slope)
            return (-y * y / 2).exp() * rise / (2 * flint.acb.pi()).sqrt()

        # 9 spreads out, a component of f' has the tail Q(9) times its weight (times its spread e at most, if false)
        low, high = (end.mid() for end in ends_in_balls(parameters, 9))
        tails = 2 * 3 * total * gaussian_tail(flint.arb("8.99"))
        found = integral(density, low, high) + tails * flint.arb(0, 1)
        yield EnclosureEquals(found, in_balls(mass, edge(total)), f"(w, mu, tau) = {parameters}", within=1e-9)


@theorem.pathwise(scope="30 random flows of 1 to 6 components, 20 points each")
def library_computes_the_stated_flow(weight, term, slope, rng):
    """The library's f is the stated one, and its derivative that by automatic differentiation and the claimed one."""
    u = unit_roundoff()
    for n in rng.integers(1, 7, 30).tolist():
        v, centre, t = rng.normal(n), 2 * rng.normal(n), rng.normal(n) / 2
        points = 3 * rng.normal(20)
        value, own = flow1d(points.requires_grad_(), v, centre, t)
        (derivative,) = torch.autograd.grad(value.sum(), points)
        points, own = points.detach(), own.detach()
        sigma = t.exp()
        standard = (points[:, None] - centre) / sigma
        density = torch.exp(-standard.square() / 2) / (sigma * math.sqrt(2 * math.pi))
        claimed = slope(weight(v, torch.exp), density, sigma).sum(1)
        # each of two exponents s^2/2 is off by at most 7u s^2; the rest are exponentials, products and a sum of n terms
        bound = u * ((14 * standard.square() + n + 40) * weight(v, torch.exp).abs() * density).sum(1)
        at = {"w": v, "mu": centre, "tau": t, "x": points}
        stated = term(weight(v, torch.exp), torch.special.ndtr(standard)).sum(1)
        yield Residual(value.detach(), stated, u * (n + 20) * float(v.exp().sum()), at)
        yield Residual(own, derivative, bound, at)
        yield Residual(own, claimed, bound, at)


@theorem.pathwise(scope="20 random rational flows, 5 levels z each; every root certified by two enclosed values of f")
def inverse_lies_at_the_root(weight, term, rng):
    """Just below and just above the library's inverse of z, the enclosed f lies below and above z."""
    for parameters in (random_parameters(rng.numpy) for _ in range(20)):
        v, centre, t = ([float(c) for c in column] for column in zip(*parameters, strict=True))
        end = sum(math.exp(c) for c in v) / 2
        z = 0.98 * end * rng.uniform(5, -1, 1)
        roots = flow1d_inverse(z, v, centre, t)
        rise = flow1d(roots, v, centre, t)[1]
        # f is computed to within (n + 8) u S, and x is rounded; where f is flat the root is known less well
        reach = 2.0**-52 * (4 * (len(v) + 8) * end / rise + 4 * roots.abs())
        with precision(100):
            for level, root, h in zip(z.tolist(), roots.tolist(), reach.tolist(), strict=True):
                at = f"(w, mu, tau) = {parameters}, z = {level!r}, x = {root!r}"
                low, high = (value_at(parameters, flint.arb(p), weight, term) for p in (root - h, root + h))
                yield EnclosureAtLeast(ball(level) - low, 0, at)
                yield EnclosureAtLeast(high - ball(level), 0, at)


@theorem.monte_carlo(scope="n = 3, weights 1/2, 1, 1 (S/2 = 5/4), points drawn from the normalised mixture")
def simulated_mass(slope, edge, mass):
    """Importance sampling: for X from the mixture, phi(f(X)) f'(X) over its density has the claimed mass as its mean.

    For the right f' the quotient f'/density is S; bounds for false ones follow from the smallest weight and the
    largest spread.
    """
    v, centre, t = (torch.tensor(column, dtype=torch.float64) for column in EXAMPLE)
    weights, sigma = v.exp(), t.exp()
    total = float(weights.sum())
    largest = total * max(1.0, 1 / float(weights.min()), float(sigma.max())) / math.sqrt(2 * math.pi)

    def draw(rng, size):
        own, c, s = (column.to(rng.device) for column in (weights, centre, sigma))
        pick = rng.categorical((weights / total).tolist(), size)
        points = c[pick] + s[pick] * rng.normal(size)
        density = torch.exp(-((points[:, None] - c) / s).square() / 2) / (s * math.sqrt(2 * math.pi))
        z = flow1d(points, v, centre, t)[0]
        quotient = slope(own, density, s).sum(1) / ((own * density).sum(1) / total)
        return torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi) * quotient

    claimed = float(mass(edge(sp.Rational(5, 2))))
    return BoundedMean(draw, equals=claimed, lo=0.0, hi=largest * (1 + 1e-9), scale=1.0)


@theorem.monte_carlo(scope="the same flow; Z normal, conditioned on the range, and X the library's inverse of Z")
def sampling_by_inversion(edge, mass):
    """X, the inverse of a normal Z conditioned on the range, has the normalised pulled-back distribution function."""
    v, centre, t = EXAMPLE
    end, inside = float(edge(sp.Rational(5, 2))), flow1d_mass(v)
    claimed = float(mass(edge(sp.Rational(5, 2))))

    def draw(rng, size):
        z = math.sqrt(2) * torch.special.erfinv(rng.uniform(size, -inside, inside))
        return flow1d_inverse(z, v, centre, t)

    def cdf(points):
        z = flow1d(points, v, centre, t)[0]
        below = (torch.erf(z / math.sqrt(2)) + math.erf(end / math.sqrt(2))) / 2
        return (below / claimed).clamp(0, 1)

    return CdfEqual(draw, cdf, cdf, within=0.02)


@theorem.picture
def flow_and_density():
    """The flow rises from -S/2 to S/2 only, and below its density p(x) lies an area of less than 1."""
    at = [k / 50 for k in range(-200, 251)]
    z, rise = flow1d(torch.tensor(at, dtype=torch.float64), *EXAMPLE)
    density = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi) * rise
    curves = [Curve("f(x)", at, z.tolist()), Curve("p(x), mass 0.789", at, density.tolist())]
    curves += [Curve(f"{end:+} (S/2)", at, [end] * len(at), style="dots") for end in (1.25, -1.25)]
    return Curves("A flow with S/2 = 5/4 and the density that it assigns to the data", "x", "value", curves)


def component(point):
    """Phi and its density at a point, for the symbolic mu and tau."""
    sigma = sp.exp(tau)
    u = (point - mu) / sigma
    return (1 + sp.erf(u / sp.sqrt(2))) / 2, sp.exp(-(u**2) / 2) / (sigma * sp.sqrt(2 * sp.pi))


def same(found, claimed):
    """Equality, also with an infinite claim, which no expression with a value can meet."""
    return sp.Eq(found, claimed) if sp.sympify(claimed).has(sp.oo) else Equal(found, claimed)


def value_at(parameters, point, weight, term):
    """f at a real or complex ball or a power series, with the given weights and components."""
    parts = components_in_balls(parameters, point)
    return sum((term(weight(v, flint.arb.exp), Phi) for v, Phi, _, _ in parts), 0 * point)


def slope_at(parameters, point, weight, slope):
    """The claimed f' at a real or complex ball."""
    parts = components_in_balls(parameters, point)
    return sum((slope(weight(v, flint.arb.exp), density, sigma) for v, _, density, sigma in parts), 0 * point)


def total_weight(parameters, weight):
    """S in a ball."""
    return sum((weight(ball(v), flint.arb.exp) for v, _, _ in parameters), flint.arb(0))


def in_balls(mass, end):
    """The claimed mass at a ball."""
    symbol = sp.Symbol("end")
    formula = sp.lambdify(symbol, mass(symbol), modules=[{"erf": flint.arb.erf, "sqrt": lambda v: flint.arb(v).sqrt()}])
    return flint.arb(formula(end))


def onto(S: Any) -> Any:
    """No end."""
    return S * sp.oo if isinstance(S, sp.Expr) else S * flint.arb.pos_inf()


theorem.false_if("f' has no weights", slope=lambda weight, density, sigma: density + 0 * weight)
theorem.false_if("f' lacks the factor exp(-tau)", slope=lambda weight, density, sigma: weight * density * sigma)
theorem.false_if("the mass is exactly 1", mass=lambda edge: sp.Integer(1))
theorem.false_if("f is onto R", edge=onto)
theorem.false_if("the range is (-S, S)", edge=lambda S: S)
theorem.false_if("the 1/2 is not subtracted", term=lambda weight, Phi: weight * Phi)
theorem.false_if("the weights are w, not exp(w)", weight=lambda w, exp: w + 0 * exp(w), drops="weights_are_positive")
