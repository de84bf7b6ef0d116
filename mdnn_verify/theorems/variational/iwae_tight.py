r"""With a powerful enough q, maximising the importance-weighted bound maximises the log likelihood.

Let $F(\theta) = \sum_i \log p_\theta(X_i)$, and let $G(\theta, \phi) = \sum_i \mathrm{VLB}_K(X_i)$ for some $K \ge 1$.
Always $G \le F$. If at a maximiser $\theta^*$ of $F$ one $\phi^*$ matches all the data at once,

$$q_{\phi^*}(z \mid X_i) = p_{\theta^*}(z \mid X_i) \quad\text{for all } z \text{ and all } i = 1, \dots, N,$$

then $\max_{\theta, \phi} G = \max_\theta F$, $(\theta^*, \phi^*)$ attains it, and every $\theta$ of a maximiser of $G$
maximises $F$. That is what "powerful enough" has to mean; it suffices that every $\theta$ has such a $\phi$, and then
all maximisers of $F$ are found. It is not enough that every $X_i$ has a $\phi_i$ of its own: with two data and a $q$
that cannot tell them apart the maximum of $G$ may stay below that of $F$.

Source: seed 002, Problem 1(c).
"""

from __future__ import annotations

from fractions import Fraction
from math import prod

import flint
import sympy as sp
import torch
import z3

from mdnn_verify.engines.intervals import EnclosureAtLeast, EnclosureEquals
from mdnn_verify.engines.montecarlo import CatoniMean, NeverViolated
from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.finite_latent import ball, importance_bound, log_evidence, log_of_mean, posterior
from mdnn_verify.maths.linear_gaussian import LinearGaussian, Normal, log_weights
from mdnn_verify.maths.log_mean_exp import log_mean_exp
from mdnn_verify.theorem import Theorem

Theta, Phi, Data = (z3.DeclareSort(name) for name in ("Theta", "Phi", "Data"))
F, G = z3.Function("F", Theta, z3.RealSort()), z3.Function("G", Theta, Phi, z3.RealSort())
gap = z3.Function("gap", Theta, Phi, Data, z3.RealSort())
theta, best = z3.Consts("theta theta_star", Theta)
phi, phi_star = z3.Consts("phi phi_star", Phi)
datum = z3.Const("i", Data)


def one_over_K(K):
    """The factor that makes a mean of the sum."""
    return 1 / K


def one(K):
    """No normalisation: the log of the sum of the weights."""
    return K / K


def one_phi_for_all():
    """One phi* makes the bound of every datum tight at theta*."""
    return z3.ForAll([datum], gap(best, phi_star, datum) == 0)


def a_phi_for_each():
    """Each of two data is tight at theta* for a phi of its own. Small sets suffice: one theta, two phi."""
    one, two = z3.Consts("X_1 X_2", Data)
    phi_one, phi_two = z3.Consts("phi_1 phi_2", Phi)
    small = [
        z3.ForAll([theta], theta == best),
        z3.ForAll([phi], z3.Or(phi == phi_one, phi == phi_two)),
        z3.ForAll([datum], z3.Or(datum == one, datum == two)),
    ]
    return z3.And(gap(best, phi_one, one) == 0, gap(best, phi_two, two) == 0, *small)


def amortised(model, x, data):
    """q's mean as a function of x that matches every posterior."""
    return model.posterior(x).mean


def blind(model, x, data):
    """One mean for all data; any single datum could be matched by its own."""
    return sum(model.posterior(datum).mean for datum in data) / len(data)


def laws(*numerators):
    """q(z | X_1), q(z | X_2) on two states; each is given by the thirds of its first state."""
    return tuple((Fraction(n, 3), 1 - Fraction(n, 3)) for n in numerators)


SAMPLES = (1, 2, 4)
eighth = Fraction(1, 8)
# p_theta(X_i, z): theta -> datum -> state; theta = 0 is the maximiser, with the posteriors (1/3, 2/3) and (2/3, 1/3)
MODELS = (
    ((eighth, 2 * eighth), (2 * eighth, eighth)),
    ((eighth, eighth), (eighth / 2, 2 * eighth)),
)

theorem = Theorem(
    statement=r"\exists\phi^\star\;\forall i:\;q_{\phi^\star}(\cdot\mid X_i)=p_{\theta^\star}(\cdot\mid X_i)\implies"
    r"\max_{\theta,\phi}\sum_{i=1}^N\mathrm{VLB}_K(X_i)=\max_\theta\sum_{i=1}^N\log p_\theta(X_i)",
    given={
        "normaliser": one_over_K,
        "matched": one_phi_for_all,
        "models": MODELS,
        "family": (laws(1, 2), laws(1, 1), laws(2, 1)),
        "gaussian": LinearGaussian(a=1.0, s=1.0),
        "data": (2.0, 0.0),
        "encoder": amortised,
    },
    uses=("variational/iwae_lower_bound", "variational/lower_bound_tight"),
)


@theorem.hypothesis
def one_phi_matches_every_datum(models, family, gaussian, data, encoder):
    """At a maximiser of the likelihood one phi gives every datum its posterior: in the finite example, exactly; in the
    Gaussian one, where q has the posterior's variance, by its means."""
    posteriors = [tuple(posterior(joint) for joint in models[i]) for i in maximisers(models)]
    wanted = sp.Matrix([gaussian.posterior(x).mean for x in data])
    return {
        "finite": sp.Or(*(same_laws(q, exact) for q in family for exact in posteriors)),
        "Gaussian": Residual(
            [encoder(gaussian, x, data) for x in data], [float(m) for m in wanted], 0, at={"data": data}
        ),
    }


@theorem.proof(scope="any latent space, all K >= 1")
def matched_weights_are_constant(normaliser):
    """If q is the posterior, every weight is p(x, z) / (p(x, z)/p(x)) = p(x), and VLB_K = log of their average = log
    p(x)."""
    joint, evidence = sp.symbols("p_xz p_x", positive=True)
    samples, k = sp.symbols("K k", integer=True, positive=True)
    weight = joint / (joint / evidence)
    return {
        "weight": Equal(weight, evidence),
        "bound": Equal(sp.log(normaliser(samples) * sp.Sum(weight, (k, 1, samples)).doit()), sp.log(evidence)),
    }


@theorem.proof(scope="any number N of data, by induction")
def gaps_add_up():
    """F - G is the sum of the data's gaps: never negative, as no gap is, and 0 if and only if all gaps are 0."""
    total, gap = z3.Reals("sum_of_n gap_of_next")
    return {
        "not negative: n = 0": Valid(z3.RealVal(0) >= 0),
        "not negative: n + 1": Valid(total + gap >= 0, given=[total >= 0, gap >= 0]),
        "zero: n + 1": Valid(total + gap == 0, given=[total == 0, gap == 0]),
        "only then: n + 1": Valid(z3.And(total == 0, gap == 0), given=[total >= 0, gap >= 0, total + gap == 0]),
    }


@theorem.proof(scope="arbitrary sets Theta and Phi, any number of data; F has a maximiser theta*")
def the_maxima_agree(matched):
    """What matches all the data at theta* makes G reach max F there, which it exceeds nowhere: both have the same upper
    bounds."""
    level = z3.Real("c")
    bounds_f, bounds_g = z3.ForAll([theta], F(theta) <= level), z3.ForAll([theta, phi], G(theta, phi) <= level)
    return Valid(bounds_g == bounds_f, given=[*known(), matched()])


@theorem.proof(scope="arbitrary sets Theta and Phi, any number of data; F has a maximiser theta*")
def the_maximum_is_attained(matched):
    """So (theta*, phi*) maximises G; this holds for any maximiser theta* of F that has such a phi*."""
    return Valid(best_for_g(best, phi_star), given=[*known(), matched()])


@theorem.proof(scope="arbitrary sets Theta and Phi, any number of data; F has a maximiser theta*")
def maximisers_of_the_bound_maximise_the_likelihood(matched):
    """If (theta', phi') maximises G, then F(theta') >= G(theta', phi') = max F."""
    found, partner = z3.Const("theta_found", Theta), z3.Const("phi_found", Phi)
    return Valid(F(found) == F(best), given=[*known(), matched(), best_for_g(found, partner)])


@theorem.proof(scope="the likelihood of the Gaussian example: any s^2 > 0 added to a^2")
def gaussian_example_is_at_a_maximiser(gaussian, data):
    """Its evidence N(x; 0, tau) is largest at tau = the mean of x^2, and a^2 + s^2 has this value: theta* is a
    maximiser. The slope of the log likelihood in tau has the sign of mean x^2 - tau."""
    tau, squares = sp.symbols("tau S", positive=True)
    mean = sp.Rational(sum(Fraction(x) ** 2 for x in data)) / len(data)
    slope = sp.diff(-sp.log(2 * sp.pi * tau) / 2 - squares / (2 * tau), tau)
    return {
        "slope": Equal(slope, (squares - tau) / (2 * tau**2)),
        "tau": Equal(sp.Rational(Fraction(gaussian.a) ** 2 + Fraction(gaussian.s) ** 2), mean),
    }


@theorem.pathwise(scope="two theta, two data, two states and every phi of the family; K = 1, 2, 4, rigorously enclosed")
def finite_example_enclosed(normaliser, models, family):
    """Over all theta and phi of a finite example the largest bound is the largest log likelihood, and no theta but the
    likelihood's maximiser attains it."""
    likelihoods = [total(log_evidence, joints) for joints in models]
    at_the_maximiser, claims = maximisers(models), {}
    for n in SAMPLES:
        bounds = [[bound_of(joints, q, n, normaliser) for q in family] for joints in models]
        top = [largest(row) for row in bounds]
        claims[f"K = {n}, maxima"] = EnclosureEquals(
            largest(top), largest(likelihoods), at=f"K = {n}, q in {shown(family)}"
        )
        best_there = largest([top[i] for i in at_the_maximiser])
        elsewhere = largest([row for i, row in enumerate(top) if i not in at_the_maximiser])
        claims[f"K = {n}, maximiser"] = EnclosureAtLeast(best_there - elsewhere, 0, at=f"K = {n}")
    return claims


@theorem.pathwise(scope="the Gaussian example, 256 draws for each datum")
def gaussian_weights_are_constant(gaussian, data, encoder, rng):
    """With the posterior for q every simulated weight equals p(x), draw by draw.
    Rounding: fewer than 16 operations with terms whose absolute values sum to what is computed beside."""
    claims = {}
    for x in data:
        q = proposal(gaussian, x, data, encoder)
        z = q.from_standard(rng.normal((256,)))
        claims[f"x = {x}"] = Residual(
            log_weights(gaussian, x, q, z), torch.full((256,), gaussian.log_evidence(x), dtype=torch.float64),
            weight_rounding(gaussian, x, q, z), at={"x": x, "q": q},
        )  # fmt: skip
    return claims


@theorem.monte_carlo(scope="the Gaussian example at its maximiser, the sum over two data; K = 1, 5")
def bound_reaches_the_likelihood(normaliser, gaussian, data, encoder):
    """The simulated bound, summed over the data, has the mean F(theta*), with the same phi for all of them. The
    variance: log w is linear in z if q has the posterior's variance v, with variance (mu - m)^2 / v, and the log of an
    average varies no more than one of its terms (Gaussian Poincare inequality, the gradient's weights sum to 1)."""
    variance = sum(
        (gaussian.posterior(x).mean - encoder(gaussian, x, data)) ** 2 / gaussian.posterior(x).variance for x in data
    )
    target = sum(gaussian.log_evidence(x) for x in data)

    def simulate(n):
        offset = len(data) * float(excess(normaliser, n))

        def draw(rng, size):
            drawn = torch.full((size,), offset, dtype=torch.float64, device=rng.device)
            for x in data:
                q = proposal(gaussian, x, data, encoder)
                drawn = drawn + log_mean_exp(log_weights(gaussian, x, q, q.from_standard(rng.normal((size, n)))))
            return drawn

        because = (
            "the sum over the data of (mu - m)^2 / v; 1e-6 is added for rounding (any larger number is a bound too)"
        )
        return CatoniMean(draw, equals=target, variance_bound=variance + 1e-6, because=because, scale=1)

    return {f"K = {n}": simulate(n) for n in (1, 5)}


@theorem.monte_carlo(
    scope="random tables: 3 theta, 2 data, 3 states; K = 1 .. 4 samples drawn from the posteriors", weight=0.5
)
def random_models_matched(normaliser):
    """In random finite models the simulated bound with q = posterior equals the log likelihood in every draw.
    Rounding: 64u of the logarithms' size bounds the quotients, their logarithms and log-mean-exp."""

    def ratio(rng, n):
        joint = rng.exponential((n, 3, 2, 3)) / 6  # theta, datum, state
        evidence = joint.sum(-1, keepdim=True)
        q = joint / evidence
        states = (rng.uniform((n, 3, 2, 4, 1)) > q.cumsum(-1)[..., None, :-1]).sum(-1)
        weights = torch.gather(joint, -1, states) / torch.gather(q, -1, states)
        bounds = torch.stack(
            [log_mean_exp(weights[..., :k].log()) + float(excess(normaliser, k)) for k in (1, 2, 3, 4)], -1
        )
        best_bound = bounds.sum(2).amax(1)
        best_likelihood = evidence.log().sum((2, 3)).amax(1, keepdim=True)
        size = 1 + evidence.log().abs().sum((2, 3)).amax(1) + weights.log().abs().sum((2, 3)).amax(1)
        return ((best_bound - best_likelihood).abs().amax(-1)) / (64 * 2.0**-53 * size)

    return NeverViolated(ratio)


def known():
    """What holds of any model: no gap is negative (iwae_lower_bound), they add up to F - G, and theta* maximises F."""
    all_tight = z3.ForAll([datum], gap(theta, phi, datum) == 0)
    return [
        z3.ForAll([theta, phi, datum], gap(theta, phi, datum) >= 0),
        z3.ForAll([theta, phi], z3.And(G(theta, phi) <= F(theta), (G(theta, phi) == F(theta)) == all_tight)),
        z3.ForAll([theta], F(theta) <= F(best)),
    ]


def best_for_g(candidate, partner):
    """(candidate, partner) maximises G."""
    return z3.ForAll([theta, phi], G(theta, phi) <= G(candidate, partner))


def maximisers(models):
    """The theta whose likelihood, the exact product of the evidences, is largest."""
    likelihoods = [prod((sum(joint) for joint in joints), start=Fraction(1)) for joints in models]
    return [i for i, likelihood in enumerate(likelihoods) if likelihood == max(likelihoods)]


def same_laws(q, exact):
    """q(z | X_i) = p(z | X_i) for all i and z, as a SymPy proposition."""
    pairs = [(p, r) for ps, rs in zip(q, exact, strict=True) for p, r in zip(ps, rs, strict=True)]
    return sp.And(*(sp.Eq(sp.Rational(p), sp.Rational(r)) for p, r in pairs))


def total(function, items):
    """The sum of enclosures."""
    return sum((function(item) for item in items), flint.arb(0))


def bound_of(joints, q, n, normaliser):
    """sum_i VLB_n(X_i), enclosed."""

    def objective(weights):
        return log_of_mean(weights) + excess(normaliser, n)

    return sum((importance_bound(joint, law, n, objective) for joint, law in zip(joints, q, strict=True)), flint.arb(0))


def excess(normaliser, n):
    """What log(normaliser(n) sum w) has in excess of log((1/n) sum w), enclosed."""
    return ball(sp.Rational(normaliser(sp.Integer(n)) * n)).log()


def largest(balls):
    """A ball that holds the maximum of the numbers in the balls."""
    found = balls[0]
    for other in balls[1:]:
        found = found.max(other)
    return found


def shown(family):
    """The laws of a family as text."""
    return "; ".join(", ".join(f"({', '.join(map(str, law))})" for law in q) for q in family)


def proposal(gaussian, x, data, encoder):
    """q(z | x): the encoder's mean and the posterior's variance."""
    return Normal(encoder(gaussian, x, data), gaussian.posterior(x).variance)


def weight_rounding(gaussian, x, q, z):
    """16u times the sum of the absolute values of the terms of log p(x | z) + log p(z) - log q(z) and their parts."""
    parts = (x**2 + (gaussian.a * z) ** 2) / gaussian.s**2 + z**2 + (z**2 + q.mean**2) / q.variance
    return 16 * 2.0**-53 * (parts + abs(torch.log(torch.tensor(q.variance))) + 4 + abs(gaussian.log_evidence(x)))


theorem.false_if(
    "every datum is matched by a phi of its own only",
    drops="one_phi_matches_every_datum",
    matched=a_phi_for_each,
    family=(laws(1, 1), laws(2, 2)),
    encoder=blind,
)
theorem.false_if(
    "the posteriors are matched at another theta than the maximiser",
    drops="one_phi_matches_every_datum",
    family=((posterior(MODELS[1][0]), posterior(MODELS[1][1])), laws(1, 1)),
)
theorem.false_if("log(1/K) is left out", normaliser=one)
