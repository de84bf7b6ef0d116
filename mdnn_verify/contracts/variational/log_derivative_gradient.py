r"""The score-function estimate of $\nabla_\phi E_{q_\phi} f(Z)$ from N draws: the mean of $f(z_i)\nabla\log q(z_i)$.

An estimate that differs from this one sample by sample (a baseline, leave-one-out) is accepted if its expectation is
the gradient. That needs no simulation: where q has few outcomes, all samples of size N are enumerated, and the
expectation is a finite sum. A bias of 1/N, as from a baseline that contains the own draw, shows at N = 2 as one half.
For large N there is a coin with P(z = 1) = d = 8e-7. Samples with two ones have the probability N^2 d^2/2 and an
estimate of the order 2/N, a share of N d of the gradient, which is of the order d: the N + 1 samples with at most one
say whether an estimate is unbiased to 0.1 %. Where q cannot be enumerated, the estimate must be the plain one, unless
the implementation differs from it on coin tosses of the same N, k, p and f too, and not by a factor alone: an entry
that is c times the plain one at every sample has c times its expectation.

The references are complex-step derivatives; ``_complex_step`` says what rounding, or differences, may explain.
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
from mdnn_verify.maths.integrands import ROUGH, Integrand, five, kink, large, steps, total, wave
from mdnn_verify.maths.log_densities import (
    OUTCOMES,
    LogDensity,
    bernoulli,
    categorical,
    every_sample,
    exponential,
    gaussian,
    laplace,
    mixture,
    nearly_every_sample,
    three_points,
)

SAMPLES = 81  # at most so many are enumerated
SELDOM = 1e-6
RARE = -14.0  # the logit of a probability of 8e-7
CONTINUOUS: tuple[LogDensity, ...] = (gaussian, laplace, mixture, exponential)
EVERY: tuple[LogDensity, ...] = (gaussian, bernoulli, laplace, three_points, mixture, categorical, exponential)
LARGE = (*range(4, 34), 48, 63, 64, 65, 100, 101, 128, 129)
TOSSED = (*range(4, 21), 31, 32, 33, 64, 65, 101, 129)  # N + 1 calls each, for an estimate that is not the plain one
Arguments = Mapping[str, Any]


def excused(subject: Any, arguments: Arguments) -> bool:
    """One draw, and an estimate that is not the plain one: nothing is left when that draw is left out."""
    return len(arguments["z"]) == 1 and _differs_on_coins(subject, arguments, 2)


contract = Contract(
    call="grad(log_q, f, z (N, k), phi (p,)) -> (p,)",
    returns=lambda arguments: tuple(arguments["phi"].shape),
    scope="N = 1 to 1000, k = 1 to 24, p = 1 to 16, discrete and continuous q, f with jumps; unbiased on discrete q",
    excused=excused,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Coin tosses with the logit 0, 1 or -1, up to three of them; then other k and p; then every N."""
    first: dict[int, tuple[Integrand, ...]] = {1: (total, five, kink), 2: (total, five, steps), 3: (total, large)}
    for n, functions in first.items():  # of the very first the estimate is not 0
        for value, tosses, f in itertools.product((0, 1, -1), itertools.product((1, 0), repeat=n), functions):
            yield _instance(bernoulli, f, [[toss] for toss in tosses], [value], terms)
    turn = 0
    for k, p in sorted(itertools.product(range(1, 6), range(1, 7)), key=sum):
        for n in (2, 3):
            log_q, signal, turn = EVERY[turn % 7], ROUGH[turn // 7 % 7], turn + 1
            yield _instance(log_q, signal, _points(log_q, n, k), _parameters(p), terms)
    for p in range(2, 5):
        yield _instance(gaussian, steps, _points(gaussian, 3, p - 1), [0.5] * p, terms)
    for n in LARGE:
        logit, k = RARE if 2**n > SAMPLES else 1, 1 + n % 4
        low, middle, _ = OUTCOMES[three_points](k)
        if n in TOSSED:
            yield _instance(bernoulli, (steps, kink)[n % 2], [[int(i == n // 2)] for i in range(n)], [logit], terms)
        if n % 3 == 0 and n < 34:
            points = [middle if i == n // 2 else low for i in range(n)]
            yield _instance(three_points, (steps, kink)[n % 2], points, [6.5], terms)
        log_q, k, p = EVERY[n % 7], 1 + n % 3, 1 + n % 4
        yield _instance(log_q, ROUGH[n % 6], _points(log_q, n, k), _parameters(p), terms)
    for n in (200, 257, 1000):
        yield _instance(gaussian, steps, _points(gaussian, n, 2), _parameters(3), terms)


@contract.instances(sizes=(1, 2, 3, 4), times=12)
def few_outcomes(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Laws whose samples can all be enumerated."""
    choices = [
        (log_q, k) for log_q, k in itertools.product(OUTCOMES, range(1, 6))
        if 1 < len(OUTCOMES[log_q](k)) <= SAMPLES ** (1 / size) + 1e-9
    ]  # fmt: skip
    log_q, k = choices[int(rng.integers(0, len(choices), 1))]
    return _drawn(rng, log_q, (size, k), terms)


@contract.instances(sizes=(1, 2, 3, 5, 8, 17, 33, 64, 65, 130, 200), times=4)
def continuous(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Densities, and points where they are small."""
    log_q = CONTINUOUS[int(rng.integers(0, len(CONTINUOUS), 1))]
    return _drawn(rng, log_q, (size, int(rng.integers(1, 6, 1))), terms)


@contract.instances(sizes=(8, 9, 10, 12, 14, 16, 24), times=1)
def large_shapes(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Densities of many coordinates and parameters."""
    log_q = CONTINUOUS[int(rng.integers(0, len(CONTINUOUS), 1))]
    return _drawn(rng, log_q, (size, size - 2 * (size % 2)), terms, 7 + int(rng.integers(0, 10, 1)))


@contract.instances(sizes=(2, 7, 16, 40), times=2)
def rare(rng: Stream, size: int, terms: Terms) -> Arguments:
    """A coin that nearly always shows 0: one of the tosses is 1."""
    phi = rng.normal(int(rng.integers(1, 7, 1))) / 2
    ones = torch.ones((1, 1), dtype=torch.float64)
    phi[0] += RARE - torch.logit(bernoulli(ones, phi).exp())[0]
    z = torch.zeros((size, 1))
    z[int(rng.integers(0, size, 1))] = 1
    return {"log_q": bernoulli, "f": (steps, kink)[size % 2], "z": terms.tensor(z), "phi": terms.tensor(phi)}


@contract.law
def estimate(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """It is the mean of f times the score, or has the same expectation."""
    arguments = instance.arguments
    given, (wanted, bound) = subject(*arguments.values()), plain(**arguments, terms=terms)
    if not bool(torch.isfinite(given).all()) and excused(subject, arguments):
        return
    shown = f"observed = subject(log_q, f, z, phi).tolist()\nexpected = {wanted.tolist()}"
    direct = Comparison(given, wanted, bound, "the estimate is wrong", shown)
    if not _apart(given, wanted, bound):
        yield direct
    elif _number(arguments) <= SAMPLES:
        yield expectation(subject, arguments, terms)
    elif _seldom(arguments):
        yield expectation(subject, arguments, terms, nearly=True)
    elif not _differs_on_coins(subject, arguments, len(arguments["z"])) or _multiple(subject, arguments):
        yield direct


@contract.law
def unbiased(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Its mean over all samples is the derivative of the mean of f."""
    arguments = instance.arguments
    if len(arguments["z"]) <= 2 and _number(arguments) <= 16:
        yield expectation(subject, arguments, terms)


def plain(log_q: LogDensity, f: Any, z: torch.Tensor, phi: torch.Tensor, terms: Terms) -> tuple[exact.Array, Any]:
    """The plain estimate, shape (p,), and what it may be off by."""
    signal = exact.array(f(z.double()))
    score = exact.density(log_q, z, phi)[1]
    bound = exact.accepted(terms) * np.mean(np.abs(signal)[:, None] * (1 + np.abs(score)), axis=0)
    return np.mean(signal[:, None] * score, axis=0), torch.from_numpy(bound + 1e-300)


def expectation(subject: Any, arguments: Arguments, terms: Terms, nearly: bool = False) -> Comparison:
    """The implementation's expectation over all samples, or nearly all where all others are next to impossible."""
    log_q, f, z, phi = arguments.values()
    name = "nearly_every_sample" if nearly else "every_sample"
    points = OUTCOMES[log_q](z.shape[1])
    gradient = exact.slope_of_mean(log_q, f, points, phi)
    shown = (
        f"from mdnn_verify.maths.log_densities import {name}\n"
        f"samples = {name}(log_q, z, phi)\n"
        "observed = sum(chance * subject(log_q, f, sample, phi).double() for sample, chance in samples).tolist()\n"
        f"expected = {gradient.tolist()}"
    )
    enumerate_samples = nearly_every_sample if nearly else every_sample
    mean, size = torch.zeros((2, len(phi)), dtype=torch.float64)
    for sample, chance in enumerate_samples(log_q, z, phi):
        with subject.showing(_one(sample, phi)):
            term = chance * subject(log_q, f, sample, phi).double().cpu()
        mean, size = mean + term, size + term.abs()
    logs, score = exact.density(log_q, torch.tensor(points, dtype=torch.float64), phi)
    signal = np.abs(exact.array(f(torch.tensor(points, dtype=torch.float64))))
    if nearly:  # the usual draw's score, next to 0, is a difference of numbers as large as the other scores
        bound = 1e-3 * (np.exp(logs) * np.abs(score[:, :1].T)).sum() * signal.max() + 4 * len(z) * SELDOM * size.numpy()
        bound = bound + 8 * terms.unit * signal.max() * (1 + np.abs(score).max(axis=0))
    else:
        bound = 2 * exact.accepted(terms) * signal.max() * (1 + np.abs(score).max(axis=0)) + 1e-300
    what = "its expectation over all samples is not the gradient"
    return Comparison(mean, gradient, torch.from_numpy(bound), what, shown)


def _one(sample: torch.Tensor, phi: torch.Tensor) -> str:
    """Lines that show what is wrong at a sample other than with the numbers: an exception, NaN, a changed argument."""
    return (
        f"z = torch.tensor({sample.tolist()}, dtype=phi.dtype)\n"
        "observed = subject(log_q, f, z, phi).isnan().any().item(), z.tolist(), phi.tolist()\n"
        f"expected = False, {sample.tolist()}, {phi.tolist()}"
    )


def _apart(given: torch.Tensor, wanted: exact.Array, bound: torch.Tensor) -> bool:
    return not bool(((given.double().cpu() - torch.from_numpy(wanted)).abs() <= bound).all())


def _number(arguments: Arguments) -> float:
    """How many samples there are."""
    z, log_q = arguments["z"], arguments["log_q"]
    return float(len(OUTCOMES[log_q](z.shape[1]))) ** len(z) if log_q in OUTCOMES else np.inf


def _seldom(arguments: Arguments) -> bool:
    """Whether all outcomes but one are next to impossible."""
    log_q, z = arguments["log_q"], arguments["z"]
    if log_q not in OUTCOMES:
        return False
    logs = exact.density(log_q, torch.tensor(OUTCOMES[log_q](z.shape[1]), dtype=torch.float64), arguments["phi"])[0]
    return bool(1 - np.exp(logs.max()) < SELDOM)


def _differs_on_coins(subject: Any, arguments: Arguments, n: int) -> bool:
    """Whether, on coin tosses of this f, k and p, the estimate differs from the plain one anywhere."""
    for coins in _coins(arguments, n, [arguments["f"]] * 5):
        given = subject.attempt(subject, *coins.values())
        if given is not None and _apart(given, *plain(**coins, terms=subject.terms)):
            return True
    return False


def _multiple(subject: Any, arguments: Arguments) -> bool:
    """Whether on coin tosses of these N, k and p an entry is always the same multiple of the plain one, but not 1.

    Asked where one of the samples is sure to have other ratios if the difference has the expectation 0.
    """
    if len(arguments["z"]) < 8:
        return False
    rows = []
    for coins in _coins(arguments, len(arguments["z"]), [steps, kink, large, wave, total]):
        given = subject.attempt(subject, *coins.values())
        if given is None:
            return False
        wanted, bound = plain(**coins, terms=subject.terms)
        rows.append(torch.stack([given.detach().double().cpu(), torch.from_numpy(wanted), bound]))
    observed, expected, bounds = torch.stack(rows, dim=1)  # each a row for every f
    best = (expected.abs() / bounds).argmax(0, keepdim=True)
    factor = observed.gather(0, best) / expected.gather(0, best)
    same = ((observed - factor * expected).abs() <= 4 * (1 + factor.abs()) * bounds).all(0)
    clear = ((observed - expected).abs() > 16 * bounds).gather(0, best)[0]
    return bool((same & clear).any())


def _coins(arguments: Arguments, n: int, functions: Iterable[Integrand]) -> Iterator[Arguments]:
    """n tosses for each function, of as many coordinates and parameters."""
    z, phi = arguments["z"], arguments["phi"]
    rows, columns = torch.arange(n)[:, None], torch.arange(z.shape[1])
    for turn, f in enumerate(functions, start=1):
        tosses = (rows * rows * 0.6180339 + columns * 0.29 + turn * 0.37) % 1 > 0.5  # of no period
        logits = torch.cos(torch.arange(len(phi)) + turn).to(phi)
        yield {"log_q": bernoulli, "f": f, "z": tosses.to(z), "phi": logits}


def _drawn(rng: Stream, log_q: LogDensity, shape: tuple[int, int], terms: Terms, p: int | None = None) -> Arguments:
    """Parameters, a function, and points of any density or probability."""
    f = ROUGH[int(rng.integers(0, len(ROUGH), 1))]
    phi = rng.normal(p or int(rng.integers(1, 7, 1))) * float(10.0 ** rng.uniform(1, -1, 0.2))
    far = 3.0 if log_q is mixture else 8.0  # beyond, a mixture's parts change over too fast for central differences
    z = (1.5, far)[int(rng.integers(0, 2, 1))] * rng.normal(shape)
    if log_q in OUTCOMES:
        points = torch.tensor(OUTCOMES[log_q](shape[1]), dtype=torch.float64)
        z = points[rng.integers(0, len(points), shape[0])]
    elif log_q is exponential:
        z = rng.exponential(shape)
    while float(log_q(z, phi).min()) < (-300 if terms.dtype == torch.float64 else -40):  # q itself can be represented
        z, phi = z / 2, phi / 2
    return {"log_q": log_q, "f": f, "z": terms.tensor(z), "phi": terms.tensor(phi)}


def _points(log_q: LogDensity, n: int, k: int) -> list[list[float]]:
    """n points, simple numbers, no two in a row equal unless there is only one."""
    if log_q in OUTCOMES:
        own = OUTCOMES[log_q](k)
        return [own[(5 * i + 1) % len(own)] for i in range(n)]
    least = 0 if log_q is exponential else -2
    return [[(3 * i + 2 * j) % 5 + least + 1 / 3 for j in range(k)] for i in range(n)]


def _parameters(p: int) -> list[float]:
    return [(1, -1, 0.5)[i % 3] for i in range(p)]


def _instance(log_q: LogDensity, f: Any, z: Any, phi: Any, terms: Terms) -> Instance:
    arguments = {"log_q": log_q, "f": f, "z": terms.tensor(z), "phi": terms.tensor(phi)}
    return Instance(arguments, len(z), f"N = {len(z)}, simple numbers")
