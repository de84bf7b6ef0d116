"""The flow of seed 000, Problem 2: map, density, inverse, samples, data and fit, each against something independent."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from statistics import NormalDist

import mpmath
import numpy as np
import pytest
import torch
from scipy.stats import chi2, kstest

from mdnn_verify.anomaly import store
from mdnn_verify.anomaly.flow1d import Flow1d
from mdnn_verify.anomaly.flow1d_study import COMPONENTS, TRAIN, fit, load, save, study
from mdnn_verify.anomaly.mixture import THREE_GAUSSIANS, Mixture, integral, mixture_of_gaussians
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import UsageError
from mdnn_verify.pictures import describe

EPS = np.finfo(float).eps
ALPHA = 1e-6


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def random_flow(seed: int, n: int = 5) -> Flow1d:
    stream = Stream("random flow", seed)
    return Flow1d(stream.normal(n), 2 * stream.normal(n), 0.5 * stream.normal(n) - 1)


ONE = Flow1d(tensor(math.log(2)), tensor(0.0), tensor(0.0))  # range (-1, 1)
STEEP = Flow1d(tensor(0.0, 1.0), tensor(-3.0, 1000.0), tensor(-14.0, 3.0))  # a jump of width 1e-6 and a far slope
FLOWS = [ONE, STEEP, *(random_flow(seed) for seed in range(3)), random_flow(9, n=1), random_flow(9, n=40)]


def grid(flow: Flow1d, reach: float = 5.0, points: int = 201) -> torch.Tensor:
    """Around every component, within so many of its standard deviations."""
    steps = torch.linspace(-reach, reach, points, dtype=torch.float64)
    return (flow.mu.detach() + flow.tau.detach().exp() * steps[:, None]).ravel()


def rounding(flow: Flow1d, x: torch.Tensor) -> torch.Tensor:
    """Relative rounding of f'(x), first order: a sum of positive terms exp(a - u^2/2), u with 4 roundings.

    Doubled, as two ways of computing it are compared.
    """
    u = (x[:, None] - flow.mu) * torch.exp(-flow.tau)
    terms = 5 * u.square() + (flow.w - flow.tau).abs()
    # what matters are terms that matter: the others are smaller than the sum times epsilon
    weight = torch.softmax(flow.w - flow.tau - u.square() / 2, dim=-1)
    return (2 * EPS * ((weight * terms).sum(dim=-1) + len(flow.w) + 15)).detach()


def disagreement(flow: Flow1d, x: torch.Tensor) -> torch.Tensor:
    """f' as returned against f differentiated by autograd, in units of the bound."""
    x = x.clone().requires_grad_(True)
    z, slope = flow(x)
    (differentiated,) = torch.autograd.grad(z.sum(), x)
    return (((slope - differentiated) / differentiated).abs() / rounding(flow, x)).detach()


# --- the map ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", FLOWS)
def test_the_map_is_the_sum_of_distribution_functions(flow: Flow1d) -> None:
    x = grid(flow, points=11)
    parts = list(zip(flow.w.tolist(), flow.mu.tolist(), flow.tau.tolist(), strict=True))
    for point, z in zip(x.tolist(), flow(x)[0].tolist(), strict=True):
        expected = math.fsum(math.exp(w) * (NormalDist(mu, math.exp(tau)).cdf(point) - 0.5) for w, mu, tau in parts)
        # each term: exp, cdf and product to a few ulps, and u to 4 eps, which moves Phi by at most 4 eps |u| phi(u)
        assert abs(z - expected) <= (len(parts) + 10) * EPS * 2 * flow.edge


@pytest.mark.parametrize("flow", FLOWS)
def test_the_derivative_is_autograd_s(flow: Flow1d) -> None:
    assert disagreement(flow, grid(flow)).max() <= 1


def test_a_derivative_without_the_scale_is_seen() -> None:
    class Forgetful(Flow1d):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            z, slope = super().forward(x)
            return z, slope * self.tau.exp().mean()

    flow = random_flow(0)
    wrong = Forgetful(flow.w, flow.mu, flow.tau)
    assert disagreement(wrong, grid(flow)).max() > 1e6


@pytest.mark.parametrize("flow", FLOWS)
def test_strictly_increasing_within_its_range(flow: Flow1d) -> None:
    x = grid(flow).sort().values
    x = x[torch.cat([torch.tensor([True]), x.diff() > 1e-9 * x.abs().max()])]
    z, slope = flow(x)
    assert (slope > 0).all()
    rise = z.diff()
    assert (rise >= 0).all()
    # where the mean slope makes the rise larger than rounding, it is seen
    assert (rise[slope[1:].minimum(slope[:-1]) * x.diff() > 100 * EPS * flow.edge] > 0).all()
    assert (z.abs() <= flow.edge * (1 + len(flow.w) * EPS)).all()


def test_one_number_or_many_give_the_same() -> None:
    flow, x = random_flow(1), Stream("batch", 0).normal(50)
    z, slope = flow(x)
    for k in range(50):
        alone = flow(x[k : k + 1])
        assert alone[0].shape == alone[1].shape == (1,)
        assert abs(alone[0] - z[k]) <= 10 * EPS * flow.edge
        assert abs(alone[1] - slope[k]) <= rounding(flow, x[k : k + 1]) * slope[k]


# --- the density ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [-80.0, -3.0, 0.1, 4.0, 80.0])
def test_log_density_in_the_far_tails(x: float) -> None:
    """Against 50 digits, where f' itself underflows."""
    flow = Flow1d(tensor(0.3, 1.0), tensor(-1.0, 0.5), tensor(-0.5, 0.25))
    with mpmath.workdps(50):
        z = slope = mpmath.mpf(0)
        for w, mu, tau in zip(flow.w.tolist(), flow.mu.tolist(), flow.tau.tolist(), strict=True):
            sigma = mpmath.exp(tau)
            z += mpmath.exp(w) * (mpmath.ncdf(x, mu, sigma) - 0.5)
            slope += mpmath.exp(w) * mpmath.npdf(x, mu, sigma)
        exact = float(mpmath.log(slope) + mpmath.log(mpmath.npdf(z)))
    found = flow.log_density(tensor(x)).item()
    assert math.isfinite(found)
    assert abs(found - exact) <= 30 * EPS * max(1.0, abs(exact))
    if abs(x) == 80:
        assert flow(tensor(x))[1].item() == 0


@pytest.mark.parametrize("flow", [ONE, *FLOWS[2:]])
def test_the_density_integrates_to_its_mass(flow: Flow1d) -> None:
    low, high = (flow.mu - 9 * flow.tau.exp()).min().item(), (flow.mu + 9 * flow.tau.exp()).max().item()
    total, change = integral(lambda x: flow.log_density(x).exp().detach(), low, high, panels=400)
    assert change < 1e-12
    assert total == pytest.approx(flow.mass, abs=change + 1e-12)
    assert flow.mass <= 1


def test_the_mass_is_what_the_normal_law_has_on_the_range() -> None:
    assert ONE.edge == pytest.approx(1)
    assert ONE.mass == pytest.approx(0.6826894921370859)


# --- the inverse ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", FLOWS)
def test_the_inverse_undoes_the_map(flow: Flow1d) -> None:
    x = grid(flow)
    z, slope = flow(x)
    inside = z.abs() < flow.edge
    again = flow.inverse(z[inside])
    # z is rounded by n + 10 epsilons of the range in either direction; x by a few of its own and of mu's
    noise = 2 * (len(flow.w) + 10) * EPS * 2 * flow.edge
    place = 8 * EPS * (x.abs() + flow.mu.abs().max())
    error = (again - x[inside]).abs()
    # within the error the slope may vary: that of the neighbourhood's flattest point counts
    flattest = torch.minimum(slope, torch.minimum(*(flow(x + s * 2 * noise / slope)[1] for s in (-1, 1))))[inside]
    assert (error <= (noise / flattest) + place[inside]).all()
    gentle = flattest > 1e-6 * flow.edge
    assert gentle.sum() > len(x) / 4
    assert (error[gentle] <= 1e-6 * (1 + x[inside][gentle].abs())).all()


@pytest.mark.parametrize("flow", FLOWS)
def test_the_inverse_finds_every_z_in_the_range(flow: Flow1d) -> None:
    tail = torch.logspace(-15, -1, 60, dtype=torch.float64)
    fractions = torch.cat([torch.linspace(-0.95, 0.95, 101, dtype=torch.float64), 1 - tail, tail - 1])
    z = fractions * flow.edge
    x = flow.inverse(z)
    value, slope = flow(x)
    steepest = torch.maximum(slope, torch.maximum(*(flow(x + s * 8 * EPS * x.abs())[1] for s in (-1, 1))))
    noise = 2 * (len(flow.w) + 10) * EPS * 2 * flow.edge
    assert ((value - z).abs() <= noise + 8 * EPS * (x.abs() + flow.mu.abs().max()) * steepest).all()


@pytest.mark.parametrize("z", [1.0, -1.0, 1.5, math.inf, math.nan])
def test_outside_the_range_there_is_no_preimage(z: float) -> None:
    with pytest.raises(UsageError, match=r"no preimage: the flow maps onto \(-1"):
        ONE.inverse(tensor(0.0, z))


@pytest.mark.parametrize("flow", [ONE, random_flow(0), random_flow(2)])
def test_samples_follow_the_normalised_density(flow: Flow1d) -> None:
    x = flow.sample(4000, Stream("samples", 0))
    assert x.shape == (4000,)

    def distribution(points: np.ndarray) -> np.ndarray:
        z = flow(torch.from_numpy(points))[0].detach()
        return (torch.special.ndtr(z).numpy() - NormalDist().cdf(-flow.edge)) / flow.mass

    assert kstest(x.numpy(), distribution).pvalue > ALPHA
    assert kstest(x.numpy(), lambda points: distribution(points) ** 1.3).pvalue < ALPHA
    assert torch.equal(x, flow.sample(4000, Stream("samples", 0)))
    assert not torch.equal(x, flow.sample(4000, Stream("samples", 1)))


def test_samples_where_the_mass_rounds_to_one() -> None:
    wide = Flow1d(tensor(5.0), tensor(0.0), tensor(0.0))
    assert wide.mass == 1
    assert wide.sample(1000, Stream("wide", 0)).isfinite().all()


# --- the data ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [*range(1, 11), 5000])
def test_the_data_have_the_size_asked_for(size: int) -> None:
    x = mixture_of_gaussians(size, Stream("mixture", 0))
    assert (x.shape, x.dtype) == ((size,), torch.float64)


@pytest.mark.parametrize("size", [0, -1, 2.0, True])
def test_no_data_of_no_size(size: object) -> None:
    with pytest.raises(UsageError, match="an integer of at least 1"):
        mixture_of_gaussians(size, Stream("mixture", 0))


def mixed(weights: tuple[float, ...]):
    parts = [NormalDist(mean, 0.25) for mean in (-1.0, 0.2, 1.5)]
    return np.vectorize(lambda x: sum(w * part.cdf(x) for w, part in zip(weights, parts, strict=True)))


def test_the_data_follow_the_mixture() -> None:
    x = mixture_of_gaussians(5000, Stream("mixture", 1)).numpy()
    assert kstest(x, mixed((1 / 3, 1 / 3, 1 / 3))).pvalue > ALPHA
    assert kstest(x, mixed((1 / 4, 1 / 4, 1 / 2))).pvalue < ALPHA  # what the seed's wrong split gives


def test_entropy_and_expectations_by_quadrature() -> None:
    one = Mixture((1.0,), (3.0,), (0.7,))
    assert one.entropy() == pytest.approx(0.5 * math.log(2 * math.pi * math.e * 0.49), abs=1e-12)
    assert one.expect(lambda x: x.square()) == pytest.approx(9.49, abs=1e-11)
    x = mixture_of_gaussians(100_000, Stream("entropy", 0))
    surprise = -THREE_GAUSSIANS.log_density(x)
    error = NormalDist().inv_cdf(1 - ALPHA) * float(surprise.std()) / math.sqrt(len(x))
    assert abs(float(surprise.mean()) - THREE_GAUSSIANS.entropy()) <= error


# --- the fit ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studies():
    return [study(seed, lambda _: None) for seed in (0, 1)]


def test_the_fit_is_as_near_as_so_many_data_allow(studies) -> None:
    """Wilks: 2 N KL is about chi-squared with 3n degrees of freedom for a model that contains the truth."""
    allowed = chi2.isf(ALPHA, 3 * COMPONENTS) / (2 * TRAIN)
    for found in studies:
        assert 0 < found.divergence < allowed
        other = dataclasses.replace(found, flow=Flow1d(found.flow.w, found.flow.mu + 0.05, found.flow.tau))
        moved = THREE_GAUSSIANS.expect(
            lambda x, f=other.flow: THREE_GAUSSIANS.log_density(x) - f.log_density(x).detach()
        )
        assert moved > allowed  # a shift by 0.05 is seen


def test_the_numbers_of_a_study_agree_with_each_other(studies) -> None:
    for found in studies:
        assert found.integral == pytest.approx(found.flow.mass, abs=1e-12)
        assert found.train_loss == pytest.approx(found.losses[-1], abs=1e-12)
        assert found.losses[-1] < found.losses[0] - 0.5
        widened = 5 / 1.96  # 95 % intervals widened to one in a million and less
        for interval, value in (
            (found.fresh, found.entropy + found.divergence),
            (found.divergence_fresh, found.divergence),
        ):
            assert interval.low < interval.estimate < interval.high
            assert abs(interval.estimate - value) <= widened * (interval.high - interval.estimate)
        assert found.round_trip <= 100 * EPS * found.flow.edge
        assert kstest(found.samples.numpy(), mixed((1 / 3, 1 / 3, 1 / 3))).pvalue > ALPHA


def test_a_study_is_determined_by_its_seed(studies) -> None:
    again = study(0, lambda _: None)
    drop = lambda results: {key: value for key, value in results.items() if key != "seconds"}  # noqa: E731
    assert drop(again.results()) == drop(studies[0].results())
    assert torch.equal(again.samples, studies[0].samples)
    assert not torch.equal(studies[0].train, studies[1].train)


def test_results_and_pictures_are_json(studies) -> None:
    json.dumps(studies[0].results(), allow_nan=False)
    pictures = studies[0].pictures()
    json.dumps([describe(picture) | {"curves": []} for picture in pictures])
    for picture in pictures:
        for curve in picture.curves:
            assert len(curve.x) == len(curve.y) > 1
            assert np.isfinite([*curve.x, *curve.y]).all()
            if curve.style == "step":
                assert np.diff(curve.x) @ curve.y[:-1] == pytest.approx(1)


def test_progress_is_reported() -> None:
    seen: list = []
    found = fit(mixture_of_gaussians(300, Stream("few", 0)), seen.append, epochs=3)
    assert [progress.epoch for progress in seen] == [1, 2, 3]
    assert [progress.loss for progress in seen] == list(found.losses[1:])


def test_a_stored_flow_is_the_same_flow(studies, tmp_path: Path) -> None:
    save(tmp_path / "model", studies[0].flow, 0)
    flow, seed = load(tmp_path / "model")
    assert seed == 0
    again = study(seed, lambda _: None, stored=flow)
    untrained = {"seconds": {"train": None}, "losses": []}
    assert again.results() == studies[0].results() | untrained
    assert len(again.pictures()) == len(studies[0].pictures()) - 1


def test_files_that_hold_no_flow(tmp_path: Path) -> None:
    good = {name: torch.zeros(2, dtype=torch.float64) for name in ("w", "mu", "tau")}
    store.write(tmp_path / "short", "flow1d", {"seed": 0}, {**good, "mu": torch.zeros(3, dtype=torch.float64)})
    store.write(tmp_path / "without", "flow1d", {"seed": 0}, {"w": good["w"]})
    store.write(tmp_path / "table", "flow1d", {"seed": 0}, {name: torch.zeros(2, 2).double() for name in good})
    store.write(tmp_path / "seed", "flow1d", {"seed": "0"}, good)
    store.write(tmp_path / "other", "model", {"seed": 0}, good)
    for name, message in {
        "short": "mu",
        "without": "missing",
        "table": r"\(2, 2\)",
        "seed": "record",
        "other": "flow1d",
        "none": "no file",
    }.items():
        with pytest.raises(UsageError, match=message):
            load(tmp_path / name)


GOOD = torch.linspace(0, 1, 20, dtype=torch.float64)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Flow1d(tensor(), tensor(), tensor()), "w has shape"),
        (lambda: Flow1d(tensor(1), tensor(1, 2), tensor(1)), "mu has shape"),
        (lambda: Flow1d(tensor(1), tensor(1), tensor(math.inf)), "tau = .*finite"),
        (lambda: fit(GOOD[:14], lambda _: None), r"\(14,\), expected \(N,\), N >= 15"),
        (lambda: fit(GOOD[:, None], lambda _: None), r"\(20, 1\)"),
        (lambda: fit(torch.ones(20), lambda _: None), "all equal"),
        (lambda: fit(torch.cat([GOOD, tensor(math.nan)]), lambda _: None), "NaN"),
        (lambda: fit(GOOD, lambda _: None, epochs=0), "0 epochs"),
    ],
)
def test_refusals_name_the_culprit(call, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()
