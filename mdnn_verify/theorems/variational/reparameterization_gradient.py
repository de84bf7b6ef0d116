r"""The reparameterised bound of a diagonal Gaussian autoencoder with a trainable prior, and all of its gradients.

The prior is $r_\lambda = N(\lambda_1, \mathrm{diag}(\lambda_2))$ with variances $\lambda_2 > 0$, the encoder
$q_\phi = N(\mu, \mathrm{diag}(s))$ with values in $R^k$, the decoder $p_\theta(x \mid z) = N(f_\theta(z), \sigma^2 I)$
with values in $R^n$. With $Z = \mu + \sqrt{s}\, \varepsilon$, $\varepsilon \sim N(0, I)$, entry by entry,

$$\mathrm{VLB} = -\frac{n}{2} \log(2\pi\sigma^2) - \frac{1}{2\sigma^2} E\|x - f_\theta(Z)\|^2 \quad
- \frac12 \sum_{j=1}^k \left(\frac{s_j + (\mu_j - \lambda_{1j})^2}{\lambda_{2j}} - 1
+ \log\frac{\lambda_{2j}}{s_j}\right).$$

The law of $\varepsilon$ has no parameters, so derivatives pass under the expectation (for $f$ and its derivatives of at
most exponential growth, say). With $g = J_f(Z)^\top (x - f_\theta(Z))$, one draw of $\varepsilon$ is unbiased in

$$\partial_{\mu_j}:\; \frac{g_j}{\sigma^2} - \frac{\mu_j - \lambda_{1j}}{\lambda_{2j}}, \qquad
\partial_{s_j}:\; \frac{g_j\, \varepsilon_j}{2 \sigma^2 \sqrt{s_j}} - \frac12 \left( \frac{1}{\lambda_{2j}} -
\frac{1}{s_j} \right), \qquad
\partial_\theta:\; \frac{1}{\sigma^2} \left( \frac{\partial f}{\partial \theta} \right)^\top (x - f),$$

$$\partial_{\lambda_{1j}}:\; \frac{\mu_j - \lambda_{1j}}{\lambda_{2j}}, \qquad
\partial_{\lambda_{2j}}:\; \frac{1}{2 \lambda_{2j}} \left( \frac{s_j + (\mu_j - \lambda_{1j})^2}{\lambda_{2j}} - 1
\right),$$

and the last two need no draw at all. $\mu$ and $s$ are networks of $\phi$: the chain rule does the rest.

Slips of the source: its reparameterised first term has lost the minus sign that stands one line above, and both lines
leave out the constant $-\frac{n}{2}\log(2\pi\sigma^2)$, so that their "=" holds up to a constant only (no gradient in
$\phi, \theta, \lambda$ sees it, one in $\sigma$ would). It allows every $\lambda_2$ in $R^k$; variances are positive.

Source: seed 002, Problem 2(c).
"""

from __future__ import annotations

import math
import operator

import flint
import sympy as sp
import torch
from numpy.polynomial import Polynomial

from mdnn_verify.engines.intervals import EnclosureEquals, gaussian_tail, integral, precision
from mdnn_verify.engines.montecarlo import CatoniMean, NeverViolated
from mdnn_verify.engines.pathwise import gamma
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import ball
from mdnn_verify.maths.gaussian_vae import (
    BALLS,
    ESTIMATORS,
    EXACT,
    NAMES,
    TENSORS,
    divergence,
    estimates,
    log_likelihood,
    reparameterised,
)  # fmt: skip
from mdnn_verify.maths.normal_polynomials import expectation, variance
from mdnn_verify.maths.tanh_networks import TanhNetworks
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

theorem = Theorem(
    statement=r"\mathrm{VLB}=-\tfrac n2\log(2\pi\sigma^2)-\frac{1}{2\sigma^2}\,\mathbb{E}_{\varepsilon\sim"
    r"\mathcal{N}(0,I)}\left\|x-f_\theta\left(\mu_\phi+\Sigma_\phi^{1/2}\varepsilon\right)\right\|^2-\frac12\left("
    r"\operatorname{tr}(\Lambda^{-1}\Sigma_\phi)+(\lambda_1-\mu_\phi)^\top\Lambda^{-1}(\lambda_1-\mu_\phi)-k+\log"
    r"\frac{\det\Lambda}{\det\Sigma_\phi}\right),\quad\Lambda=\operatorname{diag}(\lambda_2)",
    given={
        "latent": reparameterised,
        "first_term": log_likelihood,
        "second_term": divergence,
        "combined": operator.sub,
        "estimators": ESTIMATORS,
        "model": tuple(map(sp.Rational, ("1/2", "2/5", "4/9", "-1/5", "3/5"))),  # sigma^2, mu, s, lambda_1, lambda_2
    },
    uses=("divergences/gaussian_kl", "divergences/kl_additive", "variational/trainable_prior_bound"),
)

mu, l1, e, x, theta, z = sp.symbols("mu lambda1 e x theta z", real=True)
s, l2, v = sp.symbols("s lambda2 v", positive=True)
PARABOLA = theta * z + sum(c * z**power for power, c in zip((0, 2), sp.symbols("c a", real=True), strict=True))
COORDINATE = (mu, s, l1, l2)


@theorem.hypothesis
def variances_are_positive(model):
    r"""$\sigma^2$, the variances of the encoder and those of the prior are positive."""
    return sp.And(*(sp.Gt(number, 0, evaluate=False) for number in (model[0], model[2], model[4])))


@theorem.proof(scope="each coordinate, all mu and s > 0")
def the_latent_variable_has_its_law(latent):
    r"""$Z$ is affine in $\varepsilon$, hence normal, with mean $\mu$ and variance $s$."""
    Z = latent(mu, s, e, EXACT)
    return {
        "affine": Equal(sp.diff(Z, e, 2), 0),
        "mean": Equal(expectation(Z, [e]), mu),
        "variance": Equal(expectation(sp.expand((Z - mu) ** 2), [e]), s),
    }


@theorem.proof(scope="all n >= 1, all x, f and sigma")
def first_term_is_the_log_likelihood(first_term):
    r"""The log density of $N(f, \sigma^2 I)$ is that of $n$ independent coordinates, constant included."""
    n, i = sp.symbols("n i", integer=True, positive=True)
    X, f = sp.IndexedBase("x", real=True), sp.IndexedBase("f", real=True)
    density = -((X[i] - f[i]) ** 2) / (2 * v) - sp.log(2 * sp.pi * v) / 2
    square, count = (sp.Sum(term, (i, 1, n)) for term in ((X[i] - f[i]) ** 2, sp.Integer(1)))
    return Equal(sp.Sum(density, (i, 1, n)), first_term(square, v, count, EXACT))


@theorem.proof(scope="each coordinate, all means and variances; coordinates add up by divergences/kl_additive")
def second_term_is_the_divergence(second_term):
    r"""The mean of $\log q - \log r$, a polynomial in $\varepsilon$, is the closed form."""
    terms = [-((z - m) ** 2) / (2 * spread) - sp.log(2 * sp.pi * spread) / 2 for m, spread in ((mu, s), (l1, l2))]
    ratio = sp.expand((terms[0] - terms[1]).subs(z, mu + sp.sqrt(s) * e))
    return Equal(expectation(ratio, [e]), second_term(*COORDINATE, EXACT))


@theorem.proof(scope="every epsilon, any differentiable decoder f(z_1, z_2, theta), one output; others add alike")
def gradient_at_every_epsilon(latent, first_term, second_term, combined, estimators):
    r"""At each $\varepsilon$ the chain rule gives the estimator; two latent coordinates show that they do not mix."""
    f, others = sp.Function("f"), sp.symbols("z2 e2", real=True)
    f_of = f(z, others[0], theta)
    Z = latent(mu, s, e, EXACT)
    objective = combined(first_term((x - f(Z, others[0], theta)) ** 2, v, 1, EXACT), second_term(*COORDINATE, EXACT))
    g = [((x - f_of) * sp.diff(f_of, argument)).subs(z, Z) for argument in (z, theta)]
    found = estimates(estimators, g, e, v, COORDINATE, EXACT)
    for name, parameter in zip(NAMES, (mu, s, theta, l1, l2), strict=True):
        yield Equal(sp.diff(objective, parameter), found[name])


@theorem.proof(scope="k = n = 1, decoders theta z + a z^2 + c, all parameters; E by Gaussian moments")
def estimators_are_unbiased(latent, first_term, second_term, combined, estimators):
    """For decoders that are polynomials the interchange is checked: derivative of the mean = mean of the estimator."""
    square = expectation(sp.expand(((x - PARABOLA) ** 2).subs(z, latent(mu, s, e, EXACT))), [e])
    mean = combined(first_term(square, v, 1, EXACT), second_term(*COORDINATE, EXACT))
    draws = parabola_draws(latent, estimators)
    for name, parameter in zip(NAMES, (mu, s, theta, l1, l2), strict=True):
        yield Equal(sp.diff(mean, parameter), expectation(draws[name], [e]))


@theorem.proof(scope="k = n = 1, decoders theta z + a z^2 + c, all parameters; E by Gaussian moments")
def both_tricks_agree(latent, first_term, estimators):
    """Score times log weight, the log-derivative trick, has the same means (Stein's identity)."""
    log_q, log_r = (-((z - m) ** 2) / (2 * w) - sp.log(2 * sp.pi * w) / 2 for m, w in ((mu, s), (l1, l2)))
    signal = first_term((x - PARABOLA) ** 2, v, 1, EXACT) + log_r - log_q
    draws = parabola_draws(latent, estimators)
    for name, parameter in (("mu", mu), ("s", s)):
        score = sp.expand((sp.diff(log_q, parameter) * signal).subs(z, mu + sp.sqrt(s) * e))
        yield Equal(expectation(score, [e]), expectation(draws[name], [e]))


@theorem.pathwise(scope="f(z) = sin(theta z), four rational settings, enclosed to 1e-12; tails bounded by hand")
def sine_decoder(latent, first_term, second_term, combined, estimators, rng):
    r"""$E \sin(tZ) = \sin(t\mu) e^{-t^2 s/2}$ gives the bound in closed form; its power series has the derivatives."""
    for _ in range(4):
        setting = [sp.Rational(int(k), 8) for k in rng.numpy.integers(2, 14, 7)]
        with precision(80):
            numbers = list(map(ball, setting))  # x, v, theta, then mu, s, lambda_1, lambda_2
            for index, name in ((3, "mu"), (4, "s"), (2, "theta"), (5, "lambda_1"), (6, "lambda_2")):
                moving = [flint.arb_series([number, int(k == index)], 2) for k, number in enumerate(numbers)]
                first = first_term(sine_square(*moving[:1], *moving[2:5]), moving[1], 1, BALLS)
                bound = combined(first, second_term(*moving[3:], BALLS))
                average = sine_mean(name, numbers, latent, estimators)
                yield EnclosureEquals(average, bound[1], f"{name} at x, v, theta, ... = {setting}", within=1e-12)


@theorem.monte_carlo(scope="k = n = 1, f(z) = 3z/2 + z^2, x = 1/2; mu, s and theta, the factor 3/2")
def estimators_simulated(latent, estimators, model):
    """The means of the simulated estimators are the derivatives of the bound in closed form."""
    return {name: parabola(name, latent, estimators, model) for name in ("mu", "s", "theta")}


@theorem.monte_carlo(scope="k = n = 1, f(z) = 3z/2, x = 1/2")
def bound_simulated(latent, first_term, second_term, combined, model):
    r"""The objective and $\log(p r / q)$ have the same mean over common draws; no constant may be missing."""

    def draw(rng, n):
        noise = rng.normal(n)
        v, m, w, m_r, w_r = torch.tensor(numbers, dtype=torch.float64, device=rng.device)
        Z, normal = m + w.sqrt() * noise, torch.distributions.Normal
        log_r, log_q = normal(m_r, w_r.sqrt()).log_prob(Z), normal(m, w.sqrt()).log_prob(Z)
        log_p = normal(1.5 * Z, v.sqrt()).log_prob(torch.full_like(Z, 0.5))
        first = first_term((0.5 - 1.5 * latent(m, w, noise, TENSORS)) ** 2, v, 1, TENSORS)
        return combined(first, second_term(m, w, m_r, w_r, TENSORS)) - (log_p + log_r - log_q)

    numbers = _, m, w, m_r, w_r = [float(number) for number in model]
    # log q - log r is a constant + (w/w_r - 1) e^2/2 + (m - m_r) sqrt(w) e/w_r, with Var e^2 = 2 and Cov(e, e^2) = 0
    spread = (w / w_r - 1) ** 2 / 2 + (m - m_r) ** 2 * w / w_r**2
    because = "log q - log r up to a constant, a quadratic polynomial in a standard normal variable"
    return CatoniMean(draw, 0.0, spread * (1 + 1e-9), because, scale=1)


@theorem.monte_carlo(scope="k = 3, n = 2, networks with 4 hidden tanh units, random weights and laws", weight=0.5)
def autograd_never_disagrees(latent, first_term, second_term, combined, estimators):
    """Autograd through the objective of a random network, at a random epsilon, gives the estimators."""

    def ratio(rng, n):
        f = TanhNetworks(rng.normal((n, 4, 3)), rng.normal((n, 4)), rng.normal((n, 2, 4)))
        noise, X, (m, m_r) = rng.normal((n, 3)), rng.normal((n, 2)), rng.normal((2, n, 3))
        (w, w_r), v = rng.uniform((2, n, 3), 0.25, 2.0), rng.uniform((n, 1), 0.25, 2.0)
        inputs = [part.clone().requires_grad_(True) for part in (m, w, f.outer, m_r, w_r)]
        square = ((X - f(latent(*inputs[:2], noise, TENSORS), inputs[2])) ** 2).sum(-1)
        second = second_term(*inputs[:2], *inputs[3:], TENSORS).sum(-1)
        observed = torch.autograd.grad(combined(first_term(square, v[:, 0], 2, TENSORS), second).sum(), inputs)
        Z = m + w.sqrt() * noise
        error = X - f(Z)
        outer = error[:, :, None] * f.hidden(Z)[:, None, :]  # theta: the output weights
        g = f.pull_back(Z, error), outer.flatten(1)
        found = estimates(estimators, g, noise, v, (m, w, m_r, w_r), TENSORS)
        gaps = [(found[name] - part.flatten(1)).abs().amax(1) for name, part in zip(NAMES, observed, strict=True)]
        # variances are at least 1/4: a factor e/(2 v sqrt(s)) or 1/v is at most 4 (1 + |e|), and a derivative of the
        # divergence has terms of at most 16 (2 + (|m| + |m_r|)^2); 8 (4 + 3 + 2) + 24 roundings cover both
        size = 4 * (1 + noise.abs().amax(1)) * f.magnitude(m.abs() + w.sqrt() * noise.abs(), X.abs())
        size = size + 16 * (2 + (m.abs() + m_r.abs()).amax(1) ** 2)
        return torch.stack(gaps).amax(0) / (2 * gamma(96) * size)

    return NeverViolated(ratio)


@theorem.picture
def noise_of_both_tricks(estimators):
    """The standard deviation of one draw in the derivative in mu, against that of score times log weight."""
    grid, noise, reparameterised, scored = [i / 20 for i in range(-40, 41)], Polynomial([0, 1]), [], []
    for centre in grid:
        Z = centre + noise / 2
        error = 0.5 - Z * Z
        draw = estimators[0](2 * Z * error, noise, 0.5, centre, 0.25, 0.0, 1.0, EXACT)
        score = 2 * noise * (-error * error - Z * Z / 2 + noise * noise / 2)
        for values, polynomial in ((reparameterised, draw), (scored, score)):
            values.append(math.sqrt(variance(list(polynomial.coef))))
    curves = [Curve("reparameterised", grid, reparameterised), Curve("log-derivative trick", grid, scored)]
    return Curves("One draw for f(z) = z^2, x = 1/2, s = 1/4", "mu", "standard deviation", curves, log_y=True)


BECAUSE = "the estimator is a polynomial in a standard normal variable; its variance is computed exactly"


def parabola_draws(latent, estimators):
    """The estimators of the decoder PARABOLA, expanded in e."""
    Z = latent(mu, s, e, EXACT)
    g = [((x - PARABOLA) * sp.diff(PARABOLA, argument)).subs(z, Z) for argument in (z, theta)]
    return {name: sp.expand(draw) for name, draw in estimates(estimators, g, e, v, COORDINATE, EXACT).items()}


def sine_square(x, theta, mu, s):
    """E (x - sin(theta Z))^2 in closed form, for balls and power series."""
    first = (theta * mu).sin() * (-(theta * theta) * s / 2).exp()
    second = (2 * theta * mu).cos() * (-2 * theta * theta * s).exp()
    return x * x - 2 * x * first + (1 - second) / 2


def sine_mean(name, numbers, latent, estimators):
    """The mean of an estimator over e, enclosed: an integral over [-9, 9], and both tails.

    With |g| <= |theta| (|x| + 1), |sin'| and |sin| <= 1, |e| <= 1 + e^2 and sqrt(s) <= 1 + s, the claimed
    estimators are at most B (1 + e^2) for the B below.
    """
    x, v, theta, *coordinate = numbers
    mu, s, l1, l2 = coordinate

    if name.startswith("lambda"):
        return estimators[NAMES.index(name)](*coordinate)

    def integrand(e, _):
        Z = latent(mu, s, e, BALLS)
        error = x - (theta * Z).sin()
        g = error * theta * (theta * Z).cos(), error * Z * (theta * Z).cos()
        density = (-e * e / 2).exp() / (2 * flint.arb.pi()).sqrt()
        return flint.acb(estimates(estimators, g, e, v, coordinate, BALLS)[name]) * density

    B = (abs(x) + 1) * (abs(theta) + abs(mu) + s + 1) / v * (1 + 1 / s.sqrt()) + 1 / s
    B += (1 + (abs(mu) + abs(l1)) ** 2 + s) * (1 + 1 / l2) ** 2
    T = flint.arb(9)
    tail = 2 * B * (2 * gaussian_tail(T) + T * (-T * T / 2).exp() / (2 * flint.arb.pi()).sqrt())
    return integral(integrand, -T, T) + flint.arb(0, tail.upper())


def parabola(name, latent, estimators, model):
    """Draws of one estimator for f(z) = theta z + z^2, with their variance by normal moments."""
    slope, X = sp.Rational(3, 2), sp.Rational(1, 2)

    def estimator(noise, numbers, slope, X, ops):
        Z = latent(*numbers[1:3], noise, ops)
        error = X - slope * Z - Z * Z
        return estimates(estimators, (error * (slope + 2 * Z), error * Z), noise, numbers[0], numbers[1:], ops)[name]

    def draw(rng, n):
        numbers = torch.tensor([float(number) for number in model], dtype=torch.float64, device=rng.device)
        return estimator(rng.normal(n), numbers, 1.5, 0.5, TENSORS)

    value = sp.expand(estimator(e, model, slope, X, EXACT))
    spread = float(expectation(sp.expand(value**2), [e]) - expectation(value, [e]) ** 2) * (1 + 1e-9)
    # the derivative of the bound in closed form, independent of the claimed terms and estimators
    square = expectation(sp.expand((X - theta * z - z * z).subs(z, mu + sp.sqrt(s) * e) ** 2), [e])
    bound = -square / (2 * model[0]) - (s / model[4] + (mu - model[3]) ** 2 / model[4] - sp.log(s)) / 2
    slope_of_bound = sp.diff(bound, {"mu": mu, "s": s, "theta": theta}[name])
    derivative = float(slope_of_bound.subs({mu: model[1], s: model[2], theta: slope}))
    return CatoniMean(draw, derivative, spread, BECAUSE, math.sqrt(spread), within=0.02)


def replaced(index, claim):
    """The five estimators with one replaced."""
    return (*ESTIMATORS[:index], claim, *ESTIMATORS[index + 1 :])


def in_root_of_s(g, e, v, mu, s, l1, l2, ops):
    """The derivative of the first term in sqrt(s) in place of that in s."""
    return g * e / v - (1 / l2 - 1 / s) / 2


def entropy_flipped(g, e, v, mu, s, l1, l2, ops):
    """The derivative in s with the wrong sign of 1/s."""
    return g * e / (2 * v * ops.sqrt(s)) - (1 / l2 + 1 / s) / 2


def pushed_away(g, e, v, mu, s, l1, l2, ops):
    """The derivative in mu with the wrong sign of the prior's part."""
    return g / v + (mu - l1) / l2


def log_inverted(mu, s, l1, l2, ops):
    """The divergence with log(s / lambda_2)."""
    return (s / l2 + (mu - l1) ** 2 / l2 - 1 + ops.log(s / l2)) / 2


theorem.false_if("the first term has no minus sign, as printed", first_term=lambda square, v, n, ops: square / (2 * v))
theorem.false_if("the normalising constant is left out", first_term=lambda square, v, n, ops: -square / (2 * v))
theorem.false_if("the divergence is added", combined=operator.add)
theorem.false_if("the log ratio of the divergence is inverted", second_term=log_inverted)
theorem.false_if(
    "lambda_2 is taken for the standard deviation",
    second_term=lambda mu, s, l1, l2, ops: divergence(mu, s, l1, l2**2, ops),
)
theorem.false_if("Z = mu + s e", latent=lambda mu, s, e, ops: mu + s * e)
theorem.false_if("the derivative in sqrt(s) is taken for that in s", estimators=replaced(1, in_root_of_s))
theorem.false_if("the sign of the encoder's entropy is flipped", estimators=replaced(1, entropy_flipped))
theorem.false_if("mu is pushed away from the prior's mean", estimators=replaced(0, pushed_away))
theorem.false_if("the decoder's gradient is halved", estimators=replaced(2, lambda g, v: g / (2 * v)))
theorem.false_if("the prior's gradient is missing", estimators=replaced(3, lambda mu, s, l1, l2: 0 * (mu - l1) / l2))
