r"""The gradient of log-sum-exp is the softmax function.

With $\nu_\beta(x) = \frac{1}{\beta} \log \sum_{j=1}^n \exp(\beta x_j)$ and $\beta > 0$,

    $\frac{\partial \nu_\beta}{\partial x_i}(x) = \frac{\exp(\beta x_i)}{\sum_j \exp(\beta x_j)} = \mu(\beta x)_i,$

where $\mu$ is the softmax function; the seed asks for $\beta = 1$, where $\nabla \nu_1 = \mu$. In one coordinate the
sum is $Z = \exp(\beta x_i) + R$ with a rest $R \ge 0$ that does not change with $x_i$, and the chain rule gives
$\frac{1}{\beta} \cdot \frac{1}{Z} \cdot \beta \exp(\beta x_i)$. The factor $\beta$ of the inner derivative cancels the
$1/\beta$ in front, which at $\beta = 1$ nobody would notice missing. The entries are positive and add up to 1.

Along a segment the gradient integrates to the difference of the end points,
$\nu(x + v) - \nu(x) = E \, \nabla \nu(x + U v)^\top v$ for $U$ uniform on $[0, 1]$; this is what is simulated.

Source: seed 004, Problem 3(b).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flint
import sympy as sp
import torch

from mdnn_verify.engines.intervals import EnclosureEquals, precision
from mdnn_verify.engines.montecarlo import BoundedMean, NeverViolated
from mdnn_verify.engines.pathwise import Residual, unit_roundoff
from mdnn_verify.engines.symbolic import Equal
from mdnn_verify.maths.divergences import ball
from mdnn_verify.maths.softmax import log_sum_exp, softmax, softmax_rounding_bound
from mdnn_verify.pictures import Curve, Curves
from mdnn_verify.theorem import Theorem

b = sp.Symbol("b", positive=True)
SEGMENT = ((1.0, 0.0, -0.5), (-0.5, 1.0, 1.5), 2.0)  # x, v and beta of the simulated segment


def per_beta(log_total: Any, log_n: Any, beta: Any) -> Any:
    """nu_beta, from the logarithm of the sum of the exp(beta x_j)."""
    return log_total / beta


def share(e: Any, total: Any, n: Any, beta: Any) -> Any:
    """The claimed partial derivative, from e = exp(beta x_i) and the sum of all n of them."""
    return e / total


theorem = Theorem(
    statement=r"\nabla\nu_\beta(x)=\mu(\beta x),\qquad \mu(y)_i=\frac{e^{y_i}}{\sum_{j=1}^n e^{y_j}},"
    r"\qquad \nabla\nu_1=\mu",
    given={"nu": per_beta, "gradient": share},
)


@theorem.proof(scope="every n, every coordinate i, every beta > 0: R >= 0 is the sum of the other terms")
def partial_derivative(nu, gradient):
    """In $Z = \\exp(\\beta x_i) + R$ only the first part changes with $x_i$; the chain rule does the rest."""
    x, R = sp.Symbol("x_i", real=True), sp.Symbol("R", nonnegative=True)
    n, e = sp.Symbol("n", integer=True, positive=True), sp.exp(b * x)
    return Equal(sp.diff(nu(sp.log(e + R), sp.log(n), b), x), gradient(e, e + R, n, b))


@theorem.proof(scope="beta = 1 and every coordinate for n = 1, ..., 5")
def gradient_at_beta_one(nu, gradient):
    """Written out, and with beta = 1 as the seed has it, the whole gradient is the vector of shares."""
    for n in range(1, 6):
        x = sp.symbols(f"x:{n}", real=True)
        e = [sp.exp(entry) for entry in x]
        value = nu(sp.log(sum(e)), sp.log(n), sp.Integer(1))
        claimed = sp.Matrix([gradient(entry, sum(e), n, sp.Integer(1)) for entry in e])
        yield Equal(sp.Matrix([sp.diff(value, entry) for entry in x]), claimed)


@theorem.proof(scope="every n and every x; for positivity e_i > 0 and R >= 0")
def gradient_is_a_probability_vector(gradient):
    """Every share is positive and all of them add up to 1, so that softmax returns probabilities."""
    i, j = sp.symbols("i j", integer=True)
    n, x = sp.Symbol("n", integer=True, positive=True), sp.IndexedBase("x", real=True)
    total = sp.Sum(sp.exp(b * x[j]), (j, 1, n))
    e, R = sp.Symbol("e", positive=True), sp.Symbol("R", nonnegative=True)
    return {
        "positive": sp.Gt(gradient(e, e + R, n, b), 0, evaluate=False),
        "sum": Equal(sp.Sum(gradient(sp.exp(b * x[i]), total, n, b), (i, 1, n)), 1),
    }


@theorem.pathwise(scope="30 random rational x of 1 to 6 entries (ties included), beta = 1/3, 1, 5, every coordinate")
def taylor_coefficient_is_the_share(nu, gradient, rng):
    """The first Taylor coefficient of nu in a coordinate's direction, enclosed to 100 bits, is the claimed share."""
    for length in rng.integers(1, 7, 30).tolist():
        x = [Fraction(k, 4) for k in rng.integers(-12, 13, length).tolist()]
        for size in (Fraction(1, 3), Fraction(1), Fraction(5)):
            for i in range(length):
                found, claimed = enclosed_derivative(nu, gradient, x, size, i)
                at = f"x = ({', '.join(map(str, x))}), beta = {size}, i = {i}"
                yield EnclosureEquals(found, claimed, at, within=1e-20)


@theorem.pathwise(scope="100 random normal x of 1 to 30 entries, beta from 1/30 to 30")
def autograd_agrees(nu, gradient, rng):
    """The library's log-sum-exp, differentiated by torch, has the claimed gradient, which is the library's softmax."""
    for length in rng.integers(1, 31, 100).tolist():
        x, beta = rng.normal(length), 30 ** rng.uniform((), -1, 1)
        found, claimed, bound = differentiated(nu, gradient, x[None], beta[None])
        at = {"x": x, "beta": float(beta)}
        yield Residual(found[0], claimed[0], bound[0], at)
        yield Residual(softmax(x, beta), claimed[0], bound[0] + softmax_rounding_bound(x, beta), at)


@theorem.monte_carlo(scope="beta = 2, from x = (1, 0, -1/2) to x + v, v = (-1/2, 1, 3/2)")
def gradient_integrates_to_the_difference(nu, gradient):
    """The mean slope along a segment is the difference of nu between its ends.

    With $U$ uniform on $[0, 1]$ a draw is the claimed gradient at $x + U v$ times $v$. Its range is enclosed in balls,
    one for each hundredth of the segment.
    """
    x, v = (torch.tensor(entries, dtype=torch.float64) for entries in SEGMENT[:2])
    beta = torch.tensor(SEGMENT[2], dtype=torch.float64)
    log_n = torch.log(torch.tensor(3.0, dtype=torch.float64))
    start, end = (nu(log_sum_exp(beta * point), log_n, beta) for point in (x, x + v))

    def draw(rng, size):
        at = x.to(rng.device) + rng.uniform((size, 1)) * v.to(rng.device)
        e = torch.exp(float(beta) * at)
        return (gradient(e, e.sum(1, keepdim=True), 3, float(beta)) * v.to(rng.device)).sum(1)

    lo, hi = range_of_slopes(gradient, float(beta))
    return BoundedMean(draw, equals=float(end - start), lo=lo, hi=hi, scale=1.0)


@theorem.monte_carlo(scope="n uniform on 1..10, normal x, beta log-uniform on 1/30..30")
def gradient_on_random_instances(nu, gradient):
    """On random instances the gradient by automatic differentiation is the claimed one, up to rounding."""

    def draw(rng, size):
        ratio = torch.empty(size, dtype=torch.float64, device=rng.device)
        lengths = rng.integers(1, 11, size)
        for length in range(1, 11):
            chosen = lengths == length
            count = int(chosen.sum())
            beta = 30 ** rng.uniform(count, -1, 1)
            found, claimed, bound = differentiated(nu, gradient, rng.normal((count, length)), beta)
            ratio[chosen] = ((found - claimed).abs() / bound).amax(1)
        return ratio

    return NeverViolated(draw)


@theorem.picture
def shares_along_a_line(gradient):
    """The three shares at x = (t, 0, 1), and dots: symmetric difference quotients of nu, which know no formula."""
    at = [k / 20 for k in range(-80, 121)]
    points = torch.tensor([[t, 0.0, 1.0] for t in at], dtype=torch.float64)
    e = torch.exp(points)
    shares = gradient(e, e.sum(1, keepdim=True), 3, 1.0)
    curves = [Curve(f"share {i + 1}", at, shares[:, i].tolist()) for i in range(3)]
    step = 1e-4 * torch.eye(3, dtype=torch.float64)
    for i in range(3):
        slope = (log_sum_exp(points[::8] + step[i]) - log_sum_exp(points[::8] - step[i])) / 2e-4
        curves.append(Curve(f"slope in x{i + 1}", at[::8], slope.tolist(), style="dots"))
    return Curves("Softmax of (t, 0, 1), and the slopes of log-sum-exp", "t", "share", curves)


def enclosed_derivative(nu, gradient, x, beta, i):
    """The coefficient of t in nu(x + t e_i), by power series over balls, and the claimed partial derivative."""
    with precision(100):
        terms = [(ball(beta) * ball(entry)).exp() for entry in x]
        total = sum(terms, flint.arb(0))
        moving = flint.arb_series([0, ball(beta)], 2).exp() * terms[i] + (total - terms[i])
        series = nu(moving.log(), flint.arb(len(x)).log(), ball(beta))
        return series[1], gradient(terms[i], total, len(x), ball(beta))


def differentiated(nu, gradient, x, beta):
    """Gradients (N, n) of nu by autograd, the claimed ones, and a bound of the rounding errors in both.

    Rounding beta x_j moves exponents by u |beta x_j|, hence shares by the factor exp(2u max|beta x|); the library's own
    error is that of its softmax; autograd multiplies by beta and 1/beta. The claimed shares carry two exponentials
    (4u each), a sum of n terms and a division, and in a false formula a few roundings more.
    """
    u, n = unit_roundoff(), x.shape[1]
    x = x.clone().requires_grad_()
    scaled = beta[:, None] * x
    log_n = torch.log(torch.tensor(float(n), dtype=torch.float64, device=x.device))
    value = nu(log_sum_exp(scaled), log_n, beta)
    (found,) = torch.autograd.grad(value.sum(), x)
    scaled = scaled.detach()
    e = torch.exp(scaled)
    claimed = gradient(e, e.sum(1, keepdim=True), n, beta[:, None])
    relative = u * (4.1 * scaled.abs().amax(1, keepdim=True) + n + 20)
    return found, claimed, relative * claimed.abs() + 1.01 * softmax_rounding_bound(scaled)


def range_of_slopes(gradient, beta):
    """Numbers between which the claimed slope along the segment certainly lies."""
    lows, highs = [], []
    for k in range(100):
        u = flint.arb(flint.fmpq(2 * k + 1, 200), flint.fmpq(1, 199))
        e = [(ball(beta) * (ball(x) + u * ball(v))).exp() for x, v in zip(*SEGMENT[:2], strict=True)]
        total = sum(e, flint.arb(0))
        slope = sum((gradient(entry, total, 3, ball(beta)) * ball(v) for entry, v in zip(e, SEGMENT[1], strict=True)))
        lows.append(float(slope.lower()))
        highs.append(float(slope.upper()))
    margin = 1e-6 * (max(highs) - min(lows))  # far above the rounding of a draw and of these bounds
    return min(lows) - margin, max(highs) + margin


def not_divided(log_total: Any, log_n: Any, beta: Any) -> Any:
    """The logarithm of the sum itself; the same at beta = 1."""
    return log_total


def inner_derivative_kept(e: Any, total: Any, n: Any, beta: Any) -> Any:
    """beta times the share; the same at beta = 1."""
    return beta * e / total


def not_normalised(e: Any, total: Any, n: Any, beta: Any) -> Any:
    """The exponential alone."""
    return e


def one_more_class(e: Any, total: Any, n: Any, beta: Any) -> Any:
    """As in logistic regression, with a class of score 0 besides."""
    return e / (1 + total)


def odds(e: Any, total: Any, n: Any, beta: Any) -> Any:
    """The share over that of all others."""
    return e / (total - e)


def smoothed(e: Any, total: Any, n: Any, beta: Any) -> Any:
    """Mixed with 1 % of the uniform distribution: positive, and the sum is 1."""
    return 99 * e / (100 * total) + (e / e) / (100 * n)


def squared(e: Any, total: Any, n: Any, beta: Any) -> Any:
    """The square of the share; right for n = 1."""
    return e * e / (total * total)


theorem.false_if("a factor beta of the inner derivative remains", gradient=inner_derivative_kept)
theorem.false_if("the logarithm is not divided by beta", nu=not_divided)
theorem.false_if("the exponentials are not normalised", gradient=not_normalised)
theorem.false_if("the normalisation counts a further score of 0", gradient=one_more_class)
theorem.false_if("the derivative is the odds, not the share", gradient=odds)
theorem.false_if("the share is mixed with 1 % of the uniform distribution", gradient=smoothed)
theorem.false_if("the derivative is the square of the share", gradient=squared)
