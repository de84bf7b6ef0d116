r"""With a trainable prior the variational bound still stays below the log likelihood, which depends on the prior too.

The latent variable is $Z \sim r_\lambda$ with a trainable $\lambda$, and $X \mid Z \sim p_\theta(\cdot \mid Z)$. The
likelihood of a datum is $p_{\theta,\lambda}(x) = \int p_\theta(x \mid z)\, r_\lambda(z)\, dz$, and for every law
$q_\phi(\cdot \mid x)$

$$\mathrm{VLB}(x) = E_{Z \sim q_\phi}\left[\log \frac{p_\theta(x \mid Z)\, r_\lambda(Z)}{q_\phi(Z \mid x)}\right] \le
\log p_{\theta,\lambda}(x).$$

The proof computes the gap. By Bayes' rule $p_\theta(x \mid z)\, r_\lambda(z) = p_{\theta,\lambda}(x)\, p(z \mid x)$,
where $p(z \mid x)$ is the posterior *under the prior $r_\lambda$*; so for every single $z$
$\log p_{\theta,\lambda}(x) - \log(p r/q) = \log(q/p(z \mid x))$. The mean under $q$ is
$\mathrm{KL}(q_\phi \,\|\, p(\cdot \mid x)) \ge 0$, and it is 0 exactly if $q_\phi$ is the posterior. The bound itself
splits into $E_q \log p_\theta(x \mid Z) - \mathrm{KL}(q_\phi \,\|\, r_\lambda)$; only the second part sees $\lambda$.

Sums over a finite latent space of any size stand for integrals in the proof; the checks that follow integrate. The
source writes $\log p_\theta(X_i)$ for the likelihood; it depends on $\lambda$ as well, and with the likelihood under
any other prior the inequality is false (see the controls). Where $q_\phi$ puts mass on a $z$ that the posterior
excludes, VLB is $-\infty$ and the inequality trivial.

Source: seed 002, Problem 2(a).
"""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import sympy as sp
import torch
import z3

from mdnn_verify.engines.intervals import EnclosureAtLeast, EnclosureEquals, gaussian_tail, integral
from mdnn_verify.engines.montecarlo import CatoniMean, NeverViolated, PairedInequality
from mdnn_verify.engines.pathwise import gamma
from mdnn_verify.engines.smt import Valid
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import ball
from mdnn_verify.maths.linear_gaussian import Normal
from mdnn_verify.maths.normal_polynomials import variance
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem


def log_weight(log_p, log_r, log_q):
    """log(p r / q), the quantity under the expectation."""
    return log_p + log_r - log_q


def trained(prior, initial):
    """The prior of the likelihood is the one of the bound."""
    return prior


def from_the_posterior(q, posterior):
    """The arguments of the divergence: KL(q || posterior)."""
    return q, posterior


# x | z ~ N(A z, NOISE) at the datum x = DATUM; the prior starts at N(0, 1) and has been trained to PRIOR
A, NOISE, DATUM = 1.5, 0.5, 1.0
START, PRIOR, ENCODER = Normal(0.0, 1.0), Normal(0.8, 0.4), Normal(0.5, 0.2)

theorem = Theorem(
    statement=r"\mathrm{VLB}_{\theta,\phi,\lambda}(x)=\mathbb{E}_{Z\sim q_\phi(\cdot\mid x)}\left[\log"
    r"\frac{p_\theta(x\mid Z)\,r_\lambda(Z)}{q_\phi(Z\mid x)}\right]\ \le\ \log p_{\theta,\lambda}(x)=\log\int "
    r"p_\theta(x\mid z)\,r_\lambda(z)\,dz",
    given={
        "integrand": log_weight,
        "likelihood_prior": trained,
        "arguments": from_the_posterior,
        "total": Fraction(1),
        "margin": sp.Integer(0),
    },
    uses=("divergences/kl_nonnegative",),
)

p, r, q, c = sp.symbols("p r q c", positive=True)  # p(x|z), r(z), q(z|x) at one z, and the likelihood


@theorem.hypothesis
def q_is_a_law(total):
    """The masses of $q$ are positive and sum to 1; ``total`` is their sum in all the examples."""
    return sp.And(sp.Eq(sp.Rational(total), 1), sp.Gt(sp.Rational(total), 0))


@theorem.proof(scope="every single z, any values p(x|z), r(z), q(z|x) > 0 and any likelihood c > 0")
def the_gap_at_one_point(integrand):
    r"""Bayes' rule: what is missing to $\log c$ at one $z$ is the log ratio of $q$ to the posterior $p r / c$."""
    return Equal(sp.log(c) - integrand(sp.log(p), sp.log(r), sp.log(q)), sp.log(q / (p * r / c)))


@theorem.proof(scope="any finite latent space, any p(x|z), r(z), r_0(z) > 0")
def the_posterior_is_a_law(likelihood_prior):
    r"""The $p(x \mid z) r_\lambda(z) / c$ sum to 1 if $c$ is the likelihood under that same prior $r_\lambda$."""
    m, z, P, R, R0, _ = finite_space()
    likelihood = sp.Sum(P[z] * likelihood_prior(R[z], R0[z]), (z, 1, m))
    return Equal(sp.Sum(P[z] * R[z], (z, 1, m)) / likelihood, 1)


@theorem.proof(scope="any finite latent space, any positive p(x|z), r(z), q(z|x), q not necessarily normalised")
def the_mean_of_the_gap(arguments, integrand):
    r"""Weighted by $q$ and summed, the left side is $(\sum q) \log c$ minus the bound, the right side a divergence."""
    m, z, P, R, _, Q = finite_space()
    terms = Q[z] * integrand(sp.log(P[z]), sp.log(R[z]), sp.log(Q[z]))
    gap = sp.log(c) * sp.Sum(Q[z], (z, 1, m)) - sp.Sum(terms, (z, 1, m))
    first, second = arguments(Q[z], P[z] * R[z] / c)
    return Equal(gap, sp.Sum(first * sp.log(first / second), (z, 1, m)))


@theorem.proof(scope="any model, prior and q for which the expectations exist")
def the_bound_follows(total, margin):
    r"""With $\sum q = 1$ the gap is the divergence, at least 0 by divergences/kl_nonnegative: the bound holds."""
    bound, log_c, divergence = z3.Reals("VLB log_c KL")
    mass, least = z3.Q(total.numerator, total.denominator), z3.Q(int(margin.p), int(margin.q))
    return Valid(bound + least <= log_c, given=[divergence >= 0, mass * log_c - bound == divergence])


@theorem.proof(scope="any finite latent space, any positive p(x|z), r(z), q(z|x)")
def the_prior_enters_by_a_divergence(integrand):
    r"""Split the logarithm: the bound is $E_q \log p(x \mid Z)$ minus $\mathrm{KL}(q \,\|\, r_\lambda)$."""
    m, z, P, R, _, Q = finite_space()
    terms = Q[z] * integrand(sp.log(P[z]), sp.log(R[z]), sp.log(Q[z]))
    divergence = sp.Sum(Q[z] * sp.log(Q[z] / R[z]), (z, 1, m))
    return Equal(sp.Sum(terms, (z, 1, m)), sp.Sum(Q[z] * sp.log(P[z]), (z, 1, m)) - divergence)


@theorem.pathwise(scope="24 random rational models with 2 to 7 latent states, enclosed to 1e-10")
def gap_of_finite_models(integrand, likelihood_prior, arguments, total, margin, rng):
    """In exact models the gap is the divergence from the posterior, at least 0; every fourth $q$ is the posterior."""
    for index in range(24):
        P, R, R0, Q = random_model(rng.numpy, 2 + index % 6, total)
        likelihood = sum(a * likelihood_prior(b, b0) for a, b, b0 in zip(P, R, R0, strict=True))
        joint = [a * b for a, b in zip(P, R, strict=True)]
        if index % 4 == 0:
            Q = [total * a / sum(joint) for a in joint]  # the posterior itself
        gap = log(likelihood) - bound_of(integrand, P, R, Q)
        pairs = [arguments(b, a / sum(joint)) for a, b in zip(joint, Q, strict=True)]
        divergence = sum((ball(first) * log(first / second) for first, second in pairs), flint.arb(0))
        at = f"p(x|z) = {listed(P)}, r = {listed(R)}, q = {listed(Q)}"
        yield EnclosureEquals(gap, divergence, at, within=1e-10)
        if index % 4:
            yield EnclosureAtLeast(gap, ball(margin), at)


@theorem.pathwise(scope="x in {0, 1}, p(1|z) = 1/(1 + exp(-z)); five priors and encoders, integrals enclosed")
def bound_of_a_logistic_decoder(integrand, likelihood_prior):
    """For a decoder that is not linear: integrals over 12 standard deviations either way, the tails bounded by hand."""
    for x, prior, encoder in (
        (1, (2, 1), (2, 1)),
        (1, (0, 1), (0, 1)),
        (0, (3, Fraction(1, 4)), (-1, 1)),
        (1, (-2, 9), (1, 4)),
        (0, (1, 4), (Fraction(1, 2), 3)),
    ):
        likelihood = expected(lambda z, _, x=x: decoder(z, x).exp(), likelihood_prior(prior, (0, 1)), (1, 0))
        terms = integrand(*(expected(f, encoder, bound) for f, bound in logistic_terms(x, prior, encoder)))
        at = f"x = {x}, prior N{listed(prior)}, q = N{listed(encoder)}"
        yield EnclosureAtLeast(likelihood.log() - terms, 0, at)


@theorem.monte_carlo(scope="x | z ~ N(3z/2, 1/2), x = 1, prior N(0.8, 0.4), q = N(0.5, 0.2)")
def gap_simulated(integrand, likelihood_prior, arguments):
    r"""On average $\log p_\lambda(x)$ minus the simulated log weight is the divergence of $q$ from the posterior."""
    draw, spread = linear_parts(integrand, likelihood_prior)
    gap = gaussian_kl(*arguments(ENCODER, posterior_of(PRIOR)))
    return CatoniMean(draw, equals=gap, variance_bound=spread, because=BECAUSE, scale=1)


@theorem.monte_carlo(scope="the same model; verified means that the mean gap is at least -0.01")
def bound_simulated(integrand, likelihood_prior):
    r"""On average $\log p_\lambda(x)$ minus the simulated log weight is not negative."""
    draw, spread = linear_parts(integrand, likelihood_prior)
    return PairedInequality(draw, scale=1, variance_bound=spread, because=BECAUSE)


@theorem.monte_carlo(scope="8 latent states; p(x|z), r and q with independent log-normal weights", weight=0.5)
def bound_never_exceeded(integrand, likelihood_prior):
    """In no random finite model does the computed bound exceed the log likelihood by more than the rounding bound."""

    def ratio(rng, n):
        log_p, log_r, log_r0, log_q = (2 * rng.normal((n, 8)) for _ in range(4))
        log_r, log_r0, log_q = (logs - logs.logsumexp(-1, keepdim=True) for logs in (log_r, log_r0, log_q))
        log_c = torch.logsumexp(log_p + likelihood_prior(log_r, log_r0), -1)
        above = (log_q.exp() * integrand(log_p, log_r, log_q)).sum(-1) - log_c
        return above / rounding(log_p, log_r, log_q, log_c)

    return NeverViolated(ratio)


@theorem.picture
def likelihood_and_bound(integrand):
    """As the prior's mean moves, the likelihood moves with the bound; they touch where $q$ is the posterior."""
    means = [i / 20 for i in range(-40, 61)]
    priors = [Normal(m, PRIOR.variance) for m in means]
    matched = posterior_of(PRIOR)
    curves = [Curve("log likelihood", means, [log_likelihood(prior) for prior in priors])]
    for label, q in (("bound, q fixed", ENCODER), ("bound, q the posterior for mean 0.8", matched)):
        curves.append(Curve(label, means, [float(parts_of(integrand, prior, q)[0]) for prior in priors]))
    return Curves("The bound as the prior is trained", "mean of the prior", "nats", curves)


BECAUSE = "the log weight is a quadratic polynomial in a standard normal variable, so its variance is in closed form"


def finite_space():
    """Its size m, an index z, and the families p(x|z), r(z), r_0(z), q(z|x)."""
    m, z = sp.Symbol("m", integer=True, positive=True), sp.Symbol("z", integer=True, positive=True)
    return m, z, *(sp.IndexedBase(name, positive=True) for name in ("P", "R", "R0", "Q"))


def random_model(generator, states, total):
    """p(x|z) in (0, 1), and three rational laws, the last one of mass ``total``."""

    def law(mass):
        numbers = [Fraction(int(k)) for k in generator.integers(1, 30, states)]
        return [mass * number / sum(numbers) for number in numbers]

    likelihoods = [Fraction(int(k), 31) for k in generator.integers(1, 31, states)]
    return likelihoods, law(Fraction(1)), law(Fraction(1)), law(total)


def log(number):
    """In balls."""
    return ball(number).log()


def listed(numbers):
    """Exact numbers as text."""
    return f"({', '.join(map(str, numbers))})"


def bound_of(integrand, P, R, Q):
    """The sum of q log(pr/q) in balls."""
    return sum(ball(b) * integrand(log(a), log(s), log(b)) for a, s, b in zip(P, R, Q, strict=True))


def decoder(z, x):
    """log p(x|z) = -log(1 + exp(-z)) for x = 1, with -z in place of z for x = 0; analytic for |Im z| < pi."""
    return -(1 + (-z if x else z).exp()).log()


def logistic_terms(x, prior, encoder):
    """log p, log r and log q as functions of z with (b, e): |f| <= b + e (z - m)^2 for q's mean m, at real z."""

    def strip(z, analytic):
        # the logarithm's branch points lie at Im z = +-pi
        return flint.acb("nan") if analytic and not abs(z.imag) < 3 else decoder(z, x)

    m = ball(encoder[0])
    found = [(strip, (abs(m) + 2, 1))]  # |log p| <= log 2 + |z| <= log 2 + |m| + (1 + (z - m)^2)/2
    for mean, v in (prior, encoder):
        mean, v = ball(mean), ball(v)
        # (z - mean)^2 <= 2 (z - m)^2 + 2 (m - mean)^2
        size = ((m - mean) ** 2 / v + abs((2 * flint.arb.pi() * v).log()) / 2, 1 / v)
        found.append((lambda z, _, mean=mean, v=v: log_normal(z, mean, v), size))
    return found


def log_normal(z, mean, v):
    """log N(z; mean, v) in balls."""
    return -(z - mean) * (z - mean) / (2 * v) - (2 * flint.arb.pi() * v).log() / 2


def expected(f, law, size):
    """E f(Z), Z ~ N(m, v) = ``law``, enclosed, given |f| <= b + e (z - m)^2: both tails beyond T = 12 deviations add
    at most 2 (b Q + e v (T phi(T) + Q))."""
    (m, v), T = map(ball, law), flint.arb(12)
    deviation, (b, e) = v.sqrt(), size

    def integrand(z, analytic):
        return f(z, analytic) * log_normal(z, m, v).exp()

    tail, density = gaussian_tail(T), (-T * T / 2).exp() / (2 * flint.arb.pi()).sqrt()
    rest = 2 * (b * tail + e * v * (T * density + tail))
    return integral(integrand, m - T * deviation, m + T * deviation) + flint.arb(0, rest.upper())


def gaussian_kl(first, second):
    """KL(first || second) of two normal laws on the line."""
    ratio = first.variance / second.variance
    return (ratio + (first.mean - second.mean) ** 2 / second.variance - 1 - math.log(ratio)) / 2


def posterior_of(prior):
    """Of the linear Gaussian model at x."""
    precision = 1 / prior.variance + A * A / NOISE
    return Normal((prior.mean / prior.variance + A * DATUM / NOISE) / precision, 1 / precision)


def log_likelihood(prior):
    """log N(x; A lambda_1, A^2 lambda_2 + noise)."""
    marginal = Normal(A * prior.mean, A * A * prior.variance + NOISE)
    return float(marginal.log_density(torch.tensor(DATUM, dtype=torch.float64)))


def parts_of(integrand, prior, q):
    """The mean and the variance of the log weight under q, by its coefficients in (Z - mean)/deviation."""

    def coefficients(start, slope, variance):
        return (-start * start / 2 / variance - math.log(2 * math.pi * variance) / 2,
                -start * slope / variance, -slope * slope / 2 / variance)  # fmt: skip

    deviation = math.sqrt(q.variance)
    laws = (
        coefficients(A * q.mean - DATUM, A * deviation, NOISE),
        coefficients(q.mean - prior.mean, deviation, prior.variance),
        coefficients(0.0, deviation, q.variance),
    )
    combined = [integrand(*parts) for parts in zip(*laws, strict=True)]
    return combined[0] + combined[2], variance(combined)


def linear_parts(integrand, likelihood_prior):
    """Draws of log p_lambda(x) - log weight in the linear Gaussian model, and their variance (and 1e-9 of it)."""

    def draw(rng, n):
        z = ENCODER.from_standard(rng.normal(n))
        log_p = Normal(DATUM, NOISE).log_density(A * z)
        return target - integrand(log_p, PRIOR.log_density(z), ENCODER.log_density(z))

    target = log_likelihood(likelihood_prior(PRIOR, START))
    return draw, parts_of(integrand, PRIOR, ENCODER)[1] * (1 + 1e-9)


def rounding(log_p, log_r, log_q, log_c):
    """Each log carries at most 40 roundings (normal draws are exact, logsumexp over 8 states is not), q = exp(log q)
    turns those of log q into relative ones, and 8 terms are summed; with a factor 2 for what is of second order."""
    size = log_p.abs() + log_r.abs() + log_q.abs() + 8
    return 2 * gamma(64) * ((log_q.exp() * size * (1 + log_q.abs())).sum(-1) + log_c.abs() + size.amax(-1))


theorem.false_if("the likelihood is that of the initial prior", likelihood_prior=lambda prior, initial: initial)
theorem.false_if("log r enters with a minus sign", integrand=lambda log_p, log_r, log_q: log_p - log_r - log_q)
theorem.false_if("the prior is left out", integrand=lambda log_p, log_r, log_q: log_p - log_q)
theorem.false_if("log q enters with a plus sign", integrand=lambda log_p, log_r, log_q: log_p + log_r + log_q)
theorem.false_if("log p enters with a minus sign", integrand=lambda log_p, log_r, log_q: -log_p + log_r - log_q)
theorem.false_if("the gap is KL(posterior || q)", arguments=lambda q, posterior: (posterior, q))
theorem.false_if("the gap is always at least 1/100", margin=sp.Rational(1, 100))
theorem.false_if("the masses of q need not sum to 1", drops="q_is_a_law", total=Fraction(3, 4))
