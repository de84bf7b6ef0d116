r"""The log-derivative trick gives unbiased gradients of the bound in the encoder, the decoder and the trainable prior.

For $\mathrm{VLB} = E_{Z \sim q_\phi}[\log w(Z)]$ with $\log w = \log p_\theta(x \mid z) + \log r_\lambda(z) -
\log q_\phi(z \mid x)$, one draw $Z \sim q_\phi(\cdot \mid x)$ makes the unbiased estimators

$$\partial_\phi:\; \left( \partial_\phi \log q_\phi(Z \mid x) \right) \log w(Z), \qquad
\partial_\theta:\; \partial_\theta \log p_\theta(x \mid Z), \qquad
\partial_\lambda:\; \partial_\lambda \log r_\lambda(Z).$$

Only $\phi$ moves the law of $Z$, so only its estimator needs the trick $\partial_\phi q = q\, \partial_\phi \log q$.
The product rule gives $\partial_\phi (q \log w) = q\, (\partial_\phi \log q) \log w - \partial_\phi q$. Why may the
last term, the derivative of the logarithm's own $q$, be dropped? Its sum over $z$ is the derivative of $\sum_z q = 1$,
which is 0: the score $\partial_\phi \log q$ has the mean 0. For the same reason any constant may be subtracted from
$\log w$ (a baseline), which changes the variance but not the mean. That needs a support that does not move with $\phi$:
for the uniform law on $(0, \phi)$ the score $-1/\phi$ has the mean $-1/\phi$.

Finite latent spaces of any size carry the proof (sums of finitely many derivatives need no interchange of limits), and
Gaussian encoders whose log densities are polynomials; for others, derivative and integral have to be interchanged.
The source prints the estimator in $\phi$ only; the bound is trained in $\theta$ and $\lambda$ as well.

Source: seed 002, Problem 2(b).
"""

from __future__ import annotations

import math

import flint
import sympy as sp
import torch
from numpy.polynomial import Polynomial

from mdnn_verify.engines.intervals import EnclosureEquals, precision
from mdnn_verify.engines.montecarlo import BoundedMean, CatoniMean, NeverViolated
from mdnn_verify.engines.pathwise import Residual, gamma
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.finite_vae import FiniteVAE
from mdnn_verify.maths.normal_polynomials import expectation, mean, variance
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem


def score_times_signal(score, log_p, log_r, log_q):
    """The estimator in phi."""
    return score * (log_p + log_r - log_q)


def derivative_alone(derivative, signal):
    """The estimators in theta and in lambda, which do not need the signal log w."""
    return derivative


z, phi, theta, lam = sp.symbols("z phi theta lambda", positive=True)
EXPONENTIAL = (phi * sp.exp(-phi * z), sp.Integer(0), sp.oo)
UNIFORM = (1 / phi, sp.Integer(0), phi)
# the Gaussian model x | z ~ N(A z, NOISE) with the prior N(L1, L2) and q = N(M, S), at the datum x = DATUM
A, NOISE, DATUM, L1, L2, M, S = 1.5, 0.5, 1.0, 0.8, 0.6, 0.4, 0.25

theorem = Theorem(
    statement=r"\nabla_\phi\mathrm{VLB}=\mathbb{E}_{Z\sim q_\phi}\left[\left(\nabla_\phi\log q_\phi(Z\mid x)\right)\log"
    r"\frac{p_\theta(x\mid Z)\,r_\lambda(Z)}{q_\phi(Z\mid x)}\right],\qquad\nabla_\theta\mathrm{VLB}=\mathbb{E}_{Z\sim "
    r"q_\phi}\left[\nabla_\theta\log p_\theta(x\mid Z)\right],\qquad\nabla_\lambda\mathrm{VLB}=\mathbb{E}_{Z\sim "
    r"q_\phi}\left[\nabla_\lambda\log r_\lambda(Z)\right]",
    given={
        "in_phi": score_times_signal,
        "in_theta": derivative_alone,
        "in_lambda": derivative_alone,
        "family": EXPONENTIAL,
    },
)


@theorem.hypothesis
def the_family_is_normalised(family):
    """The example of a continuous family consists of densities: they are integrated over their support."""
    density, low, high = family
    return Equal(sp.integrate(density, (z, low, high)), 1)


@theorem.hypothesis
def the_support_does_not_move(family):
    r"""The limits of the support do not depend on $\phi$."""
    _, low, high = family
    return [Equal(sp.diff(limit, phi), 0) for limit in (low, high) if limit.is_finite]


@theorem.proof(scope="every single z, any positive differentiable q(phi), any p, r > 0")
def product_rule(in_phi):
    r"""At one $z$: $\partial_\phi(q \log w)$ is $q$ times the estimator, minus $\partial_\phi q$."""
    p, r = sp.symbols("p r", positive=True)
    q = sp.Function("q", positive=True)(phi)
    estimator = in_phi(sp.diff(sp.log(q), phi), sp.log(p), sp.log(r), sp.log(q))
    return Equal(sp.diff(q * sp.log(p * r / q), phi), q * estimator - sp.diff(q, phi))


@theorem.proof(scope="any finite latent space, any positive family: masses e(z, phi) / T(phi), T their sum")
def the_score_sums_to_zero():
    r"""$\sum_z \partial_\phi q = 0$, as $\sum_z q = 1$: the dropped term has the sum 0, and so has a baseline's."""
    k, m, e, _, _ = finite_space()
    e, T, slope = e(k, phi), sp.Function("T", positive=True)(phi), sp.Symbol("slope_of_T", real=True)
    total, one = sp.Sum(e, (k, 1, m)), e.subs(k, 1)
    by_state = sp.diff(e, phi) / T - e * slope / T**2
    return {
        "quotient rule": Equal(sp.diff(one / T, phi), sp.diff(one, phi) / T - one * sp.diff(T, phi) / T**2),
        "sum": Equal(sp.Sum(by_state, (k, 1, m)), sp.diff(total, phi) / T - total * slope / T**2),
        "it is T'/T - T T'/T^2": Equal(slope / T - T * slope / T**2, 0),
    }


@theorem.proof(scope="a family of densities on the half-line")
def the_score_integrates_to_zero(family):
    """The same for a family of densities, by integration; this is where a moving support would break the argument."""
    density, low, high = family
    return Equal(sp.integrate(sp.expand(sp.diff(density, phi)), (z, low, high)), 0)


@theorem.proof(scope="any finite latent space, any positive differentiable q(z, phi), r(z), p(z)")
def gradient_in_phi(in_phi):
    r"""Summed over $z$: the gradient is the mean of the estimator minus $\sum_z \partial_\phi q$, which is 0."""
    k, m, p, r, q = finite_space()
    p, r, q = p(k, theta), r(k, lam), q(k, phi)
    bound = sp.Sum(q * sp.log(p * r / q), (k, 1, m))
    estimator = in_phi(sp.diff(q, phi) / q, sp.log(p), sp.log(r), sp.log(q))
    return Equal(sp.diff(bound, phi), sp.Sum(q * estimator - sp.diff(q, phi), (k, 1, m)))


@theorem.proof(scope="any finite latent space, any positive differentiable p(z, theta), r(z, lambda)")
def gradients_in_theta_and_lambda(in_theta, in_lambda):
    r"""The law of $Z$ knows neither $\theta$ nor $\lambda$: their derivatives pass to the logarithm's terms."""
    k, m, p, r, q = finite_space()
    p, r, q = p(k, theta), r(k, lam), q(k, phi)
    signal = sp.log(p * r / q)
    bound = sp.Sum(q * signal, (k, 1, m))
    decoder, prior = in_theta(sp.diff(p, theta) / p, signal), in_lambda(sp.diff(r, lam) / r, signal)
    return {
        "theta": Equal(sp.diff(bound, theta), sp.Sum(q * decoder, (k, 1, m))),
        "lambda": Equal(sp.diff(bound, lam), sp.Sum(q * prior, (k, 1, m))),
    }


@theorem.proof(scope="q = N(mu, s), log p any polynomial of degree at most 4, Gaussian prior; E by Gaussian moments")
def gaussian_encoder(in_phi):
    r"""A continuous case in closed form: both gradients of the expectation are expectations of the estimator."""
    mu, l1, Z, e = sp.symbols("mu lambda1 Z e", real=True)
    s, l2 = sp.symbols("s lambda2", positive=True)
    log_p = sum(c * Z**power for power, c in enumerate(sp.symbols("c0:5", real=True)))
    log_r, log_q = log_normal(Z, l1, l2), log_normal(Z, mu, s)

    def expected(value):
        return expectation(sp.expand(value.subs(Z, mu + sp.sqrt(s) * e)), [e])

    bound = expected(log_p + log_r - log_q)
    for parameter in (mu, s):
        estimator = in_phi(sp.diff(log_q, parameter), log_p, log_r, log_q)
        yield Equal(sp.diff(bound, parameter), expected(estimator))


@theorem.pathwise(scope="20 random models with 2 to 8 latent states, softmax and logistic laws, enclosed to 1e-30")
def gradients_by_power_series(in_phi, in_theta, in_lambda, rng):
    """The bound as a power series in one parameter (a rigorous derivative) against the mean of the estimator."""
    for index in range(20):
        vae = FiniteVAE(rng.numpy.integers(-9, 10, (6, 2 + index % 7)).tolist())
        with precision(160):
            masses = [log_q.exp() for log_q in vae.log_laws()[2]]
            for parameter, values in finite_estimators(vae, in_phi, in_theta, in_lambda).items():
                average = sum((m * value for m, value in zip(masses, values, strict=True)), flint.arb(0))
                at = f"{parameter}, logits in quarters {vae.rows}"
                yield EnclosureEquals(average, vae.derivative(parameter), at, within=1e-30)


@theorem.pathwise(scope="30 random softmax laws on 2 to 9 states, the estimator at every state, by autograd")
def surrogate_loss(in_phi, rng):
    r"""As programmed: the autograd gradient of $\log q_\phi(z)$ times the detached $\log w$ is the estimator at $z$."""
    for index in range(30):
        m = 2 + index % 8
        logits, log_p, log_r = rng.normal((3, m))
        logits.requires_grad_(True)
        log_q = torch.log_softmax(logits, 0)
        for state in range(m):
            weight = (log_p + log_r - log_q).detach()[state]
            (observed,) = torch.autograd.grad(weight * log_q[state], logits, retain_graph=True)
            score = -log_q.detach().exp()
            score[state] += 1
            expected = in_phi(score, log_p[state], log_r[state], log_q.detach()[state])
            # both sides scale the same rounded masses exp(log q) by the signal: at most 8 roundings either way, of
            # quantities no larger than the terms of the signal
            size = log_p[state].abs() + log_r[state].abs() + log_q.detach()[state].abs()
            yield Residual(observed, expected, 2 * gamma(16) * float(size), at={"logits": logits, "z": state})


@theorem.monte_carlo(scope="4 latent states; softmax q and r, logistic p; one parameter each")
def finite_model_simulated(in_phi, in_theta, in_lambda):
    """The estimators' means over simulated draws are the derivatives of the enumerated bound, by power series."""
    rows = ((3, -4, 1, 0), (5, 2, -3, -1), (2, -1, 4, -6), (-4, 5, 3, 1), (1, 3, -2, 0), (4, -5, 2, 3))
    vae = FiniteVAE(rows)
    estimators = finite_estimators(vae, in_phi, in_theta, in_lambda)
    masses = [float(log_q.exp()) for log_q in vae.log_laws()[2]]

    def of_masses(parameter):
        values = torch.tensor([float(value) for value in estimators[parameter]], dtype=torch.float64)

        def draw(rng, n):
            return values.to(rng.device)[rng.categorical(masses, n)]

        low, high = float(values.min()), float(values.max())
        # the scale is the largest value; 2^-30 of it on either side makes an interval even of a constant estimator
        scale = max(abs(low), abs(high)) or 1.0
        return BoundedMean(draw, float(vae.derivative(parameter)), low - scale / 2**30, high + scale / 2**30, scale)

    return {parameter: of_masses(parameter) for parameter in ("phi", "theta", "lambda")}


@theorem.monte_carlo(scope="x | z ~ N(3z/2, 1/2), x = 1, prior N(0.8, 0.6), q = N(0.4, 0.25): q's mean and variance")
def gaussian_encoder_simulated(in_phi):
    """In the linear Gaussian model the means over simulated draws are the derivatives of the bound in closed form."""
    return {
        "mu": simulated(lambda e: in_phi(e / math.sqrt(S), *log_laws(e)), DERIVATIVES["mu"]),
        "s": simulated(lambda e: in_phi((e * e - 1) / (2 * S), *log_laws(e)), DERIVATIVES["s"]),
    }


@theorem.monte_carlo(scope="the same model: the decoder's slope, the prior's mean and variance")
def decoder_and_prior_simulated(in_theta, in_lambda):
    """Likewise for the parameters that do not move the law of $Z$."""

    def slope(e):
        return in_theta(latent(e) * (DATUM - A * latent(e)) / NOISE, signal(e))

    def prior_mean(e):
        return in_lambda((latent(e) - L1) / L2, signal(e))

    def prior_variance(e):
        return in_lambda(((latent(e) - L1) * (latent(e) - L1) / L2 - 1) / (2 * L2), signal(e))

    estimators = {"lambda_1": prior_mean, "slope": slope, "lambda_2": prior_variance}
    return {name: simulated(estimator, DERIVATIVES[name]) for name, estimator in estimators.items()}


@theorem.monte_carlo(scope="6 latent states; log-normal p, softmax q and r with normal logits", weight=0.5)
def autograd_never_disagrees(in_phi, in_theta, in_lambda):
    """The autograd gradient of the enumerated bound in all logits against the enumerated means of the estimators."""

    def ratio(rng, n):
        free, fixed = rng.normal((3, n, 6)), torch.eye(6, dtype=torch.float64, device=rng.device)
        free.requires_grad_(True)
        log_q, log_r, log_p = torch.log_softmax(free[0], -1), torch.log_softmax(free[1], -1), free[2]
        signal = log_p + log_r - log_q
        bound = (log_q.exp() * signal).sum(-1)
        (observed,) = torch.autograd.grad(bound.sum(), free)
        q, signal, logs = log_q.detach().exp(), signal.detach()[..., None], (log_p, log_r, log_q)
        parts = [part.detach()[..., None] for part in logs]
        score, prior = fixed - q[:, None, :], fixed - log_r.detach().exp()[:, None, :]
        estimators = (in_phi(score, *parts), in_lambda(prior, signal), in_theta(fixed, signal))
        means = torch.stack([(q[..., None] * estimator).sum(1) for estimator in estimators])
        # each log mass carries under 16 roundings of numbers no larger than the logits' range; the means add 6 terms
        size = sum(part.abs() for part in parts).amax((1, 2)) + free.detach().abs().amax((0, 2)) + 1
        return ((observed - means).abs().amax((0, 2))) / (4 * gamma(64) * size)

    return NeverViolated(ratio)


@theorem.picture
def noise_of_the_estimator(in_phi):
    """The standard deviation of one draw of the estimator in the mean of q, and with the best constant subtracted."""

    def mean_of(polynomial):
        return mean(list(polynomial.coef))

    centres, plain, based = [i / 20 for i in range(-20, 61)], [], []
    for centre in centres:
        laws, score = log_laws(Polynomial([0, 1]), centre), Polynomial([0, 1 / math.sqrt(S)])
        values, squares = in_phi(score, *laws), score * score
        baseline = mean_of(squares * (laws[0] + laws[1] - laws[2])) / mean_of(squares)
        plain.append(math.sqrt(variance(list(values.coef))))
        based.append(math.sqrt(variance(list((values - baseline * score).coef))))
    curves = [Curve("as it stands", centres, plain), Curve("minus the best constant", centres, based)]
    return Curves("The noise of one draw; both have the same mean", "mean of q", "standard deviation", curves)


BECAUSE = "the estimator is a polynomial in a standard normal variable, so its variance is in closed form"
# of the bound -log(2 pi NOISE)/2 - ((x - A mu)^2 + A^2 s)/(2 NOISE) - (s/l2 + (mu - l1)^2/l2 - 1 + log(l2/s))/2
DERIVATIVES = {
    "mu": A * (DATUM - A * M) / NOISE - (M - L1) / L2,
    "s": -A * A / (2 * NOISE) - (1 / L2 - 1 / S) / 2,
    "slope": (M * (DATUM - A * M) - A * S) / NOISE,
    "lambda_1": (M - L1) / L2,
    "lambda_2": ((S + (M - L1) ** 2) / L2 - 1) / (2 * L2),
}


def finite_space():
    """An index, the size m, and the undefined positive functions p, r, q of the state and one parameter."""
    k, m = sp.Symbol("k", integer=True, positive=True), sp.Symbol("m", integer=True, positive=True)
    return k, m, *(sp.Function(name, positive=True) for name in "prq")


def log_normal(value, mean, variance):
    """log N(value; mean, variance) for SymPy."""
    return -((value - mean) ** 2) / (2 * variance) - sp.log(2 * sp.pi * variance) / 2


def finite_estimators(vae, in_phi, in_theta, in_lambda):
    """The three estimators at every state, in balls."""
    logs, (decoder, prior, scores) = vae.log_laws(), vae.slopes()
    weights = [p + r - q for p, r, q in zip(*logs, strict=True)]
    return {
        "phi": [in_phi(score, *parts) for score, *parts in zip(scores, *logs, strict=True)],
        "theta": [in_theta(*parts) for parts in zip(decoder, weights, strict=True)],
        "lambda": [in_lambda(*parts) for parts in zip(prior, weights, strict=True)],
    }


def latent(e, mean=M):
    """Z = mean + sqrt(S) e; ``e`` is a tensor of standard normal draws or the polynomial e."""
    return mean + math.sqrt(S) * e


def log_laws(e, mean=M):
    """log p(x|Z), log r(Z) and log q(Z)."""
    Z = latent(e, mean)
    laws = ((DATUM - A * Z, NOISE), (Z - L1, L2), (math.sqrt(S) * e, S))
    return [-difference * difference / (2 * v) - math.log(2 * math.pi * v) / 2 for difference, v in laws]


def signal(e):
    """log w(Z)."""
    log_p, log_r, log_q = log_laws(e)
    return log_p + log_r - log_q


def simulated(estimator, derivative):
    """The mean of the estimator over draws of e, with its variance by its coefficients; 1e-9 is left for rounding."""
    spread = variance(list((estimator(Polynomial([0, 1])) + Polynomial([0])).coef)) * (1 + 1e-9) + 1e-12
    scale = max(1.0, math.sqrt(spread))
    return CatoniMean(lambda rng, n: estimator(rng.normal(n)), derivative, spread, BECAUSE, scale)


theorem.false_if("log p enters with a minus sign", in_phi=lambda s, log_p, log_r, log_q: s * (-log_p + log_r - log_q))
theorem.false_if("log r enters with a minus sign", in_phi=lambda s, log_p, log_r, log_q: s * (log_p - log_r - log_q))
theorem.false_if("log q enters with a plus sign", in_phi=lambda s, log_p, log_r, log_q: s * (log_p + log_r + log_q))
theorem.false_if("the prior is not part of the signal", in_phi=lambda s, log_p, log_r, log_q: s * (log_p - log_q))
theorem.false_if("the score term is missing: only log w is differentiated", in_phi=lambda s, log_p, log_r, log_q: -s)
theorem.false_if("the gradient in theta has the other sign", in_theta=lambda derivative, signal: -derivative)
theorem.false_if("the prior's gradient is missing", in_lambda=lambda derivative, signal: 0 * derivative)
theorem.false_if(
    "the gradient in lambda is weighted by log w", in_lambda=lambda derivative, signal: derivative * signal
)
theorem.false_if("the support may move with phi", drops="the_support_does_not_move", family=UNIFORM)
