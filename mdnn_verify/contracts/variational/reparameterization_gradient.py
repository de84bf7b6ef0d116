r"""The reparameterised gradient of $E f(\mu + \sigma\epsilon)$, $\sigma = e^{\log\sigma}$, from N draws of $\epsilon$.

It is the derivative of $\frac1N\sum_i f(z_i)$, $z_i = \mu + \sigma\epsilon_i$: the mean of $\nabla f(z_i)$ with respect
to $\mu$, and of $\nabla f(z_i)\,\epsilon_i\sigma$ with respect to $\log\sigma$. The references are complex-step
derivatives; ``_complex_step`` says what rounding, or differences, may explain. For quadratic f and draws that are all
combinations of signs, which have the mean 0 and the covariance 1, it is the gradient of the expectation itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.contracts.variational import _complex_step as exact
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.integrands import SMOOTH, Integrand, bump, coupled, cubed_first, hinges, linear, wave

MEANS = (0, 100, -1000, 10**5)
NUMBERS = (1, 2, 3, 4, 5, 8, 17, 33, 64, 65, 130)
EVEN_MOMENTS = (linear, coupled)
STEP = 1e-3  # the largest of differences
Arguments = Mapping[str, Any]

contract = Contract(
    call="grad(f, mu (k,), log_sigma (k,), eps (N, k)) -> (d_mu (k,), d_log_sigma (k,))",
    returns=lambda arguments: {"d_mu": tuple(arguments["mu"].shape), "d_log_sigma": tuple(arguments["mu"].shape)},
    scope="N = 1 to 1025, k = 1 to 257, standard deviations from 1e-18 to 1e18, f differentiable at the draws",
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """One draw of one coordinate, all of them small integers; then two draws, every k, and every N."""
    functions = (linear, coupled, cubed_first, wave)
    for draw, at, log, f in itertools.product((0, 1, -1, 2), (0, 1, -1), (0, 1, -1), functions):
        yield _instance(f, [at], [log], [[draw]], terms)
    for f, (draw, other), at in itertools.product(functions, ((1, 0), (1, 1), (1, -1), (2, -1)), (0, 1)):
        yield _instance(f, [at], [0], [[draw], [other]], terms)
    for log, at in itertools.product((0, 3, -4, 6, -8, 11, -11, -14, 16, -16, 21, -21, 31, -31, 41, -41), MEANS):
        for f in EVEN_MOMENTS:
            yield _instance(f, [at], [log], [[1]], terms)
    for draw, f in itertools.product((-5, 7, 12, 40), (*functions, bump)):
        yield _instance(f, [1], [-1], [[draw]], terms)
    yield from _several(functions, terms)


def _several(functions: tuple[Integrand, ...], terms: Terms) -> Iterator[Instance]:
    """Several draws of several coordinates."""
    for k in range(2, 18):
        mu, log_sigma = [i % 3 - 1 for i in range(k)], [(i + 1) % 3 - 1 for i in range(k)]
        for turn, n in enumerate((1, 2, 3, k)):
            eps = [[(3 * i + 2 * j + turn) % 5 - 2 for j in range(k)] for i in range(n)]
            yield _instance(SMOOTH[(k + 2 * turn) % len(SMOOTH)], mu, log_sigma, eps, terms)
        if k <= 6:
            signs = [list(row) for row in itertools.product((1, -1), repeat=k)]
            yield _instance(linear, mu, log_sigma, signs, terms)
            yield _instance(coupled, mu, log_sigma, signs, terms)
    for k, f in itertools.product((2, 3, 5, 8), functions):  # all the same
        for at, log, n in itertools.product((0, 1), (0, -1), (2, 3)):
            yield _instance(f, [at] * k, [log] * k, [[(5 * j + 1) % 7 - 3 for j in range(k)]] * n, terms)
    for turn, k in enumerate((18, 20, 24, 31, 32, 33, 50, 65)):
        eps = [[(3 * i + 2 * j) % 5 - 2 for j in range(k)] for i in range(3)]
        mu, log_sigma = [i % 3 - 1 for i in range(k)], [(i + 1) % 3 - 1 for i in range(k)]
        yield _instance((coupled, wave)[turn % 2], mu, log_sigma, eps, terms)
    for n in (*range(3, 34), 48, 50, 63, 64, 65, 100, 127, 128, 129, 200, 256, 257, 500, 512, 513, 1000, 1025):
        k = 1 + n % 3
        eps = [[(3 * i + 2 * j) % 5 - 2 + (i == n - 1) for j in range(k)] for i in range(n)]
        yield _instance(SMOOTH[n % len(SMOOTH)], [1] * k, [0, -1, 1][:k], eps, terms)


@contract.instances(sizes=NUMBERS, times=6)
def normal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Normal draws, standard deviations around 1."""
    k = int(rng.integers(1, 7, 1))
    return _arguments(rng, rng.normal(k), 0.5 * rng.normal(k), rng.normal((size, k)), terms)


@contract.instances(sizes=(1, 2, 5, 16, 33), times=4)
def narrow_or_wide(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Standard deviations from 1e-3 to 10, different ones side by side."""
    k = int(rng.integers(1, 7, 1))
    return _arguments(rng, rng.normal(k), rng.uniform(k, -7, 2.3), rng.normal((size, k)).clamp(-2, 2), terms)


@contract.instances(sizes=(1, 2, 9, 64), times=3)
def far_out(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Means in the hundreds, all standard deviations from 1e-5 to 1e-2, or from 10 to 1e6; f that stays finite."""
    k, wide = int(rng.integers(1, 5, 1)), float(rng.uniform(1)) < 0.5
    log_sigma = rng.uniform(k, 2, 14) if wide else rng.uniform(k, -12, -4)
    found = _arguments(rng, 200 * rng.normal(k), log_sigma, rng.normal((size, k)), terms)
    return {**found, "f": (linear, coupled, hinges)[int(rng.integers(0, 3, 1))]}


@contract.instances(sizes=(1, 2, 7, 100, 300), times=2)
def square(rng: Stream, size: int, terms: Terms) -> Arguments:
    """As many draws as coordinates, or a single coordinate."""
    k = size if size < 10 else 1
    return _arguments(rng, 3 * rng.normal(k), 0.5 * rng.normal(k), rng.normal((size, k)), terms)


@contract.instances(sizes=(1, 3, 6), times=4)
def any_draws(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Draws that are no sample of a normal law: far off, of one sign, repeated, some of them 0."""
    k = int(rng.integers(1, 7, 1))
    eps = 3 * rng.uniform((size, k)).round(decimals=1)
    return _arguments(rng, rng.normal(k), 0.5 * rng.normal(k), eps, terms)


@contract.instances(sizes=(1, 2, 3, 9), times=4)
def close(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Coordinates that differ little, every second time next to 0."""
    k, far = int(rng.integers(2, 7, 1)), float(rng.uniform(1) < 0.5)
    mu, log_sigma = (far * rng.normal(1) + 10.0 ** -rng.uniform(1, 2, 8) * rng.normal(k) for _ in range(2))
    return _arguments(rng, mu, log_sigma, rng.normal((size, k)), terms)


@contract.instances(sizes=(64, 100, 129, 257), times=1)
def many_coordinates(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Few draws; an implementation that goes coordinate by coordinate may not get as far as here."""
    found = _arguments(rng, rng.normal(size), 0.5 * rng.normal(size), rng.normal((3, size)), terms)
    return {**found, "f": (coupled, wave)[size % 2]}


@contract.law
def value(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """It is the derivative of the mean of f over the draws, with respect to mu and to log sigma."""
    arguments = instance.arguments
    found = subject(*arguments.values())
    for index, (name, wanted, bound) in enumerate(zip(found, *derivatives(**arguments, terms=terms), strict=True)):
        yield Comparison(
            found[name], wanted, bound, f"{name} is wrong",
            f"observed = subject(f, mu, log_sigma, eps)[{index}].tolist()\nexpected = {wanted.tolist()}",
        )  # fmt: skip


@contract.law
def exact_for_quadratics(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """For quadratic f and draws of mean 0 and covariance 1 it is the gradient of the expectation."""
    f, mu, log_sigma, eps = instance.arguments.values()
    draws, k = exact.array(eps), len(mu)
    if f not in EVEN_MOMENTS or draws.mean(axis=0).any() or (draws.T @ draws != len(draws) * np.eye(k)).any():
        return
    centre, sigma, ranks = exact.array(mu), np.exp(exact.array(log_sigma)), np.arange(1.0, k + 1)
    wanted = [ranks, 0 * ranks]
    if f is coupled:  # E f = sum_j j (mu_j^2 + sigma_j^2)/2 + mu_1 mu_k, and sigma_1^2 more for k = 1
        ends = np.eye(k)[0] * centre[-1] + np.eye(k)[-1] * centre[0]
        wanted = [ranks * centre + ends, (ranks + 2 * (k == 1)) * sigma**2]
    found = subject(f, mu, log_sigma, eps)
    bounds = derivatives(f, mu, log_sigma, eps, terms)[1]
    for index, (name, gradient, bound) in enumerate(zip(found, wanted, bounds, strict=True)):
        yield Comparison(
            found[name], gradient, bound, f"{name} is not the gradient of the expectation",
            f"observed = subject(f, mu, log_sigma, eps)[{index}].tolist()\nexpected = {gradient.tolist()}",
        )  # fmt: skip


def derivatives(
    f: Integrand, mu: torch.Tensor, log_sigma: torch.Tensor, eps: torch.Tensor, terms: Terms
) -> tuple[list[exact.Array], list[torch.Tensor]]:
    """Both gradients, shape (k,), and what each may be off by.

    A derivative of f is off by the accepted share of itself, of 1 and of what z was computed from: the second
    derivatives of these f are of the order of these. Differences, with float64, are off by one of f too, and
    sigma eps may be found as z - mu, which is rounded. For quadratic f there is no share of 1, only rounding: u of
    what f is a sum of, over the step. Standard deviations far below 1 are then told apart, too.
    """
    centre, sigma, draws = exact.array(mu), np.exp(exact.array(log_sigma)), exact.array(eps)
    parts, least = np.abs(centre) + np.abs(sigma * draws), 0 if f in EVEN_MOMENTS else 1
    slope = exact.slopes(f, centre + sigma * draws)
    signal = np.abs(exact.values(f, centre + sigma * draws if least else parts))[:, None] + least
    size, share, lost = np.abs(slope) + parts, exact.accepted(terms), 4 * terms.unit * parts
    by_differences = signal if terms.dtype == torch.float64 else 0 * signal
    bounds = [
        share * (size + least + by_differences).mean(axis=0) + 4 * terms.unit * STEP * len(mu),
        (share * ((size + 1) * np.abs(draws) * sigma + by_differences) + np.abs(slope) * lost).mean(axis=0),
    ]
    found = [slope.mean(axis=0), (slope * draws).mean(axis=0) * sigma]
    return found, [torch.from_numpy(bound) for bound in bounds]


def _arguments(
    rng: Stream, mu: torch.Tensor, log_sigma: torch.Tensor, eps: torch.Tensor, terms: Terms
) -> dict[str, Any]:
    f = SMOOTH[int(rng.integers(0, len(SMOOTH), 1))]
    values = {"mu": mu, "log_sigma": log_sigma, "eps": eps}
    return {"f": f} | {name: terms.tensor(value) for name, value in values.items()}


def _instance(f: Integrand, mu: Any, log_sigma: Any, eps: Any, terms: Terms) -> Instance:
    values = {"mu": mu, "log_sigma": log_sigma, "eps": eps}
    arguments = {"f": f} | {name: terms.tensor(value) for name, value in values.items()}
    return Instance(arguments, len(mu) * len(eps), f"N = {len(eps)}, k = {len(mu)}, integers")
