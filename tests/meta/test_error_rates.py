"""The stated error rates of the Monte Carlo engine, measured where they can be: at alpha 1e-2 and 1e-3.

20,000 replications of each procedure run through the functions that decide real claims, with a look every 32 draws. The
number of wrong verdicts is binomial; each test states its exact (Clopper-Pearson) one-sided confidence bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy.stats import beta

from mdnn_verify.engines.montecarlo import BoundedMean, CatoniMean, KnownCGFMean, PairedInequality
from mdnn_verify.engines.montecarlo.bets import Bets, CatoniBets
from mdnn_verify.engines.montecarlo.means import MeanClaim
from mdnn_verify.engines.montecarlo.sequential import Evidence, evidence
from mdnn_verify.engines.montecarlo.steps import Steps, distance, dkw_radius, log_inverse_p, log_shifted

REPLICATIONS = 20_000
ALPHAS = (1e-2, 1e-3)
LOOK, PILOT, LOOKS = 32, 128, 12
CONFIDENCE = 0.99


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def no_draw(rng: object, n: int) -> torch.Tensor:
    raise AssertionError("the replications bring their own draws")


@dataclass(frozen=True)
class Law:
    """A law with known mean and variance, and how a claim about its mean is made."""

    sample: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
    mean: float
    variance: float
    delta: float
    claim: Callable[[float, Law], MeanClaim]
    looks: int = LOOKS

    def claiming(self, equals: float) -> MeanClaim:
        return self.claim(equals, self)


def bounded(equals: float, law: Law) -> MeanClaim:
    return BoundedMean(no_draw, equals, 0, 1, scale=law.delta, within=1)


def catoni(equals: float, law: Law) -> MeanClaim:
    return CatoniMean(no_draw, equals, law.variance, "closed form", scale=law.delta, within=1)


def known(equals: float, law: Law) -> MeanClaim:
    return KnownCGFMean(no_draw, equals, lambda t: t**2 / 2, scale=law.delta, within=1)


PARETO, LOG_NORMAL = 3.5, math.exp(1) * (math.exp(1) - 1)
LAWS = {
    "uniform": Law(lambda g, s: g.random(s), 0.5, 1 / 12, 0.15, bounded),
    "Bernoulli(0.01)": Law(lambda g, s: (g.random(s) < 0.01).astype(float), 0.01, 0.0099, 0.1, bounded),
    "log-normal": Law(lambda g, s: np.exp(g.standard_normal(s)), math.exp(0.5), LOG_NORMAL, 1.0, catoni),
    "Pareto(3.5)": Law(
        lambda g, s: 1 + g.pareto(PARETO, s), 1.4, PARETO / ((PARETO - 1) ** 2 * (PARETO - 2)), 0.4, catoni
    ),
    "normal": Law(lambda g, s: g.standard_normal(s), 0.0, 1.0, 0.5, known),
}


def largest_evidence(law: Law, claims: dict[str, MeanClaim]) -> dict[str, Evidence]:
    """The evidence that every replication ever had against each claim; all claims see the same draws."""
    generator = np.random.default_rng(np.random.SeedSequence(20_000, spawn_key=(int(law.delta * 1000),)))
    pilot = law.sample(generator, (REPLICATIONS, PILOT)).var(axis=1)
    plans = {name: claim.plan(1e-2) for name, claim in claims.items()}
    bets = {name: without_picture(plan.bets(pilot), plan.delta) for name, plan in plans.items()}
    sums = dict.fromkeys(claims, 0.0)
    largest: dict[str, Evidence] = {}
    for _ in range(law.looks):
        draws = torch.from_numpy(law.sample(generator, (REPLICATIONS, LOOK)))
        for name, plan in plans.items():
            sums[name] = sums[name] + bets[name].summary(draws)
            now = evidence(bets[name], sums[name], plan.delta, plan.one_sided)
            largest[name] = now.or_earlier(largest[name]) if name in largest else now
    return largest


def upper_bound(errors: int, trials: int = REPLICATIONS) -> float:
    """Clopper-Pearson: the rate is below this at confidence CONFIDENCE."""
    return float(beta.ppf(CONFIDENCE, errors + 1, trials - errors)) if errors < trials else 1.0


def stays_under(alpha: float, wrong: np.ndarray, what: str) -> None:
    """Not only the observed rate: its upper confidence bound is below alpha."""
    errors, bound = int(wrong.sum()), upper_bound(int(wrong.sum()))
    print(
        f"{what}: {errors} of {len(wrong)} at alpha {alpha:g}; the rate is below {bound:.2g}, confidence {CONFIDENCE}"
    )
    assert bound < alpha, what


def without_picture(bets: Bets, delta: float) -> Bets:
    """Catoni's sums at the claims only; the nodes further out serve the picture."""
    return replace(bets, nodes=np.array([-delta, 0.0, delta])) if isinstance(bets, CatoniBets) else bets


@pytest.fixture(scope="module", params=LAWS)
def measured(request: pytest.FixtureRequest) -> tuple[str, dict[str, Evidence]]:
    law = LAWS[request.param]
    shifts = {"true": 0.0, "too high": law.delta, "too low": -law.delta, "far off": -3 * law.delta}
    return request.param, largest_evidence(law, {name: law.claiming(law.mean + d) for name, d in shifts.items()})


@pytest.mark.parametrize("alpha", ALPHAS)
def test_wrong_verdicts_are_rarer_than_stated(measured: tuple[str, dict[str, Evidence]], alpha: float) -> None:
    name, largest = measured
    stays_under(alpha, largest["true"].refuted(alpha), f"{name}, a true claim refuted")
    for off in ("too high", "too low"):
        stays_under(alpha, largest[off].verified(alpha), f"{name}, verified though {off} by exactly delta")


def test_right_verdicts_are_reached(measured: tuple[str, dict[str, Evidence]]) -> None:
    """The guarantees are not bought with silence: so few draws verify the true claims and refute the false."""
    name, largest = measured
    verified, refuted = largest["true"].verified(1e-2).mean(), largest["far off"].refuted(1e-2).mean()
    print(f"{name}: {verified:.1%} of the true claims verified, {refuted:.1%} of the false ones refuted")
    assert verified > 0.9
    assert refuted > 0.9


@pytest.mark.parametrize("alpha", ALPHAS)
def test_paired_inequality_errs_on_neither_side(alpha: float) -> None:
    """E D = 0 is the hardest true inequality, E D = -delta the hardest false one to verify; D has 3 values."""
    law = Law(lambda g, s: g.integers(-1, 2, s) / 2, 0.0, 1 / 6, 0.2, bounded)
    off = replace(law, sample=lambda g, s: law.sample(g, s) - law.delta)
    claim = PairedInequality(no_draw, scale=law.delta, within=1, support=(-1, 1))
    true, false = (largest_evidence(variant, {"D": claim})["D"] for variant in (law, off))
    stays_under(alpha, true.refuted(alpha), "E D = 0 refuted")
    stays_under(alpha, false.verified(alpha), "E D = -delta verified as E D > -delta")
    assert true.verified(alpha).mean() > 0.9


def test_understated_variance_voids_the_guarantee() -> None:
    """Why ``because`` is asked for: with a tenth of the variance true claims are refuted far too often."""
    law = replace(LAWS["normal"], delta=0.1)
    claim = CatoniMean(no_draw, 0.0, law.variance / 10, "a guess", scale=law.delta, within=1)
    refuted = largest_evidence(law, {"understated": claim})["understated"].refuted(1e-2)
    assert refuted.mean() > 10 * 1e-2


def discrete_steps(
    generator: np.random.Generator, atoms: np.ndarray, claimed: np.ndarray, looks: list[int]
) -> list[Steps]:
    """Sampled distribution functions of a law with atoms at 0, 1, 2, ...; each look extends the last."""
    counts = np.cumsum([generator.multinomial(m, atoms, REPLICATIONS) for m in np.diff([0, *looks])], axis=0)
    cdf = np.broadcast_to(np.minimum(np.cumsum(claimed), 1.0), (REPLICATIONS, len(atoms)))
    left = np.concatenate([np.zeros((REPLICATIONS, 1)), cdf[:, :-1]], axis=1)
    values = np.arange(len(atoms), dtype=float)
    return [
        Steps(n, values, count.cumsum(axis=1), count.cumsum(axis=1) - count, cdf, left)
        for n, count in zip(looks, counts, strict=True)
    ]


@pytest.mark.parametrize("alpha", ALPHAS)
def test_cdf_errs_no_more_than_stated_at_jumps(alpha: float) -> None:
    """A true law with three jumps; and laws off by exactly delta at a jump, upwards and downwards."""
    delta, looks = 0.15, [64 * 2**k for k in range(4)]
    atoms = np.array([0.3, 0.4, 0.3])
    moved = np.array([-delta, delta, 0.0])
    generator = np.random.default_rng(77)
    true = discrete_steps(generator, atoms, atoms, looks)
    against = np.max([log_inverse_p(steps, k) for k, steps in enumerate(true)], axis=0)
    stays_under(alpha, against >= -math.log(alpha), "three jumps, the true law refuted")
    accepted = np.array([np.minimum(*log_shifted(steps, delta)) for steps in true]).max(axis=0) >= -math.log(alpha)
    assert accepted.mean() > 0.9
    for name, claimed in {"up": atoms + moved, "down": atoms - moved}.items():
        false = discrete_steps(generator, atoms, claimed, list(range(32, 513, 32)))
        shifted = np.array([np.minimum(*log_shifted(steps, delta)) for steps in false]).max(axis=0)
        stays_under(alpha, shifted >= -math.log(alpha), f"three jumps, off by delta ({name}), verified")
    far = discrete_steps(generator, atoms, atoms[[1, 0, 2]] + 3 * np.array([0.1, -0.1, 0.0]), looks)
    assert np.max([log_inverse_p(steps, k) for k, steps in enumerate(far)], axis=0).min() >= -math.log(alpha)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_dkw_band_of_a_continuous_law(alpha: float) -> None:
    """Uniform draws, where the band is tight: the rate is near alpha, so that only the observed one can be compared."""
    n = 64
    draws = np.sort(np.random.default_rng(5).random((REPLICATIONS, n)), axis=1)
    upto = np.broadcast_to(np.arange(1.0, n + 1), draws.shape)
    outside = distance(Steps(n, draws, upto, upto - 1, draws, draws)) > dkw_radius(n, alpha)
    assert int(outside.sum()) <= alpha * REPLICATIONS
    assert outside.any()
