"""Fitting the one-dimensional flow to the seed's mixture, and what the fit is worth: numbers and pictures.

Source: seed 000, Problem 2; data and sizes of seed 001, Problem 2.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import norm

from mdnn_verify.anomaly import store
from mdnn_verify.anomaly.auroc import CONFIDENCE, Interval
from mdnn_verify.anomaly.base import Progress
from mdnn_verify.anomaly.flow1d import SATURATED, Flow1d
from mdnn_verify.anomaly.mixture import THREE_GAUSSIANS, Mixture, integral, mixture_of_gaussians
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.errors import MdnnVerifyError, UsageError
from mdnn_verify.pictures import Curve, Curves

__all__ = ["COMPONENTS", "Fit", "Study", "fit", "load", "save", "study"]

COMPONENTS = 5
TRAIN, FRESH, SAMPLES = 5_000, 20_000, 5_000
EPOCHS, ITERATIONS = 15, 20  # epochs of so many L-BFGS iterations each; the loss has settled after 5 to 10
BINS = 60
Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Fit:
    """A fitted flow and the training loss, mean negative log-likelihood in nats, after each epoch."""

    flow: Flow1d
    losses: tuple[float, ...]
    seconds: float | None


def fit(data: torch.Tensor, report: Report, components: int = COMPONENTS, epochs: int = EPOCHS) -> Fit:
    """Maximum likelihood for data (N,) by L-BFGS on all of them, from components at the data's quantiles.

    The likelihood has no maximum (as with mixtures of Gaussians, a component that shrinks onto one datum sends it to
    infinity): what is found is the local maximum near the start, and it depends on nothing random.
    Raises UsageError for fewer data than the 3n parameters, equal or non-finite ones, and MdnnVerifyError if the
    likelihood is no longer finite.
    """
    if epochs < 1:
        raise UsageError(f"the 1-D flow was to be fitted in {epochs} epochs, expected at least 1")
    flow, data, start = _start(data, components), data.double(), time.perf_counter()
    optimiser = torch.optim.LBFGS(
        flow.parameters(), max_iter=ITERATIONS, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = -flow.log_density(data).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    losses = [closure().item()]
    for epoch in range(1, epochs + 1):
        optimiser.step(closure)  # type: ignore[no-untyped-call]
        losses.append(closure().item())
        if not math.isfinite(losses[-1]):
            raise MdnnVerifyError(f"the 1-D flow's likelihood is not finite after {epoch} epochs on {len(data)} data")
        rate = epoch * len(data) / max(time.perf_counter() - start, 1e-9)
        report(Progress(epoch, epochs, len(data), len(data), losses[-1], rate))
    return Fit(flow.requires_grad_(False), tuple(losses), time.perf_counter() - start)


def _start(data: torch.Tensor, components: int) -> Flow1d:
    if data.ndim != 1 or len(data) < 3 * components:
        raise UsageError(f"the data have shape {tuple(data.shape)}, expected (N,), N >= {3 * components} parameters")
    if not data.isfinite().all() or data.min() == data.max():
        raise UsageError("the data are all equal, NaN or infinite, expected different finite numbers")
    levels = (torch.arange(components, dtype=torch.float64) + 0.5) / components
    deviation = torch.full_like(levels, float(data.double().std()) / components).log()
    # a range of +-3: the normal law's 99.7 %
    return Flow1d(torch.full_like(levels, 6 / components).log(), data.double().quantile(levels), deviation)


@dataclass(frozen=True)
class Study:
    """A fit to ``TRAIN`` draws of ``truth`` and what it is worth; all in nats.

    ``fresh``: mean negative log-likelihood of ``FRESH`` new draws. Its expectation is ``entropy``, the least possible,
    plus ``divergence`` = KL(truth || flow), both by quadrature; ``divergence_fresh`` is the latter from the new draws,
    pairwise. ``integral`` of the learned density by quadrature over all but 1e-18 of its mass, with its change when the
    panels are halved, should be ``flow.mass``. ``round_trip``: largest |f(f^-1(z)) - z| over the samples.
    """

    flow: Flow1d
    losses: tuple[float, ...]
    seconds: float | None
    seed: int
    truth: Mixture
    train: torch.Tensor
    samples: torch.Tensor
    train_loss: float
    fresh: Interval
    entropy: float
    divergence: float
    divergence_fresh: Interval
    integral: float
    integral_change: float
    round_trip: float

    def results(self) -> dict[str, Any]:
        """The numbers, JSON-able."""
        pairs = {"negative_log_likelihood_fresh": self.fresh, "divergence_fresh": self.divergence_fresh}
        return {
            "parameters": {name: value.tolist() for name, value in self.flow.state_dict().items()},
            "data": {"train": len(self.train), "fresh": FRESH, "samples": len(self.samples)},
            "losses": list(self.losses),
            "negative_log_likelihood_train": self.train_loss,
            **{key: {"estimate": v.estimate, "low": v.low, "high": v.high} for key, v in pairs.items()},
            "entropy": self.entropy,
            "divergence": self.divergence,
            "mass": self.flow.mass,
            "integral": self.integral,
            "integral_change": self.integral_change,
            "round_trip": self.round_trip,
            "seconds": {"train": self.seconds},
        }

    def pictures(self) -> list[Curves]:
        """Learned density, map, samples, where the data go, loss."""
        low, high = self.truth.interval(5.0)
        x = torch.linspace(low, high, 400, dtype=torch.float64)
        learned = _curve("learned density", x, self.flow.log_density(x).exp())
        true = _curve("true density", x, self.truth.log_density(x).exp())
        z = self.flow(self.train)[0]
        grid = torch.linspace(-4, 4, 200, dtype=torch.float64)
        normal = _curve("N(0, 1)", grid, torch.exp(-grid.square() / 2) / math.sqrt(2 * math.pi))
        data, samples = _histogram("data", self.train), _histogram("samples", self.samples)
        loss = Curve("training data", list(range(len(self.losses))), self.losses)
        return [
            Curves("The density learned from the data.", "x", "density", [data, learned, true]),
            Curves("The flow.", "x", "z = f(x)", [_curve("f", x, self.flow(x)[0])]),
            Curves("Draws from the flow.", "x", "density", [samples, learned]),
            Curves("Where the flow takes the data.", "z", "density", [_histogram("f(data)", z), normal]),
            *([Curves("Training loss.", "epoch", "nats", [loss])] if self.losses else []),
        ]


def study(seed: int, report: Report, epochs: int = EPOCHS, stored: Flow1d | None = None) -> Study:
    """Draw the data, fit (or take ``stored``), measure. Every number derives from the seed, and from the flow."""
    train = mixture_of_gaussians(TRAIN, Stream("flow1d/train", seed))
    fresh = mixture_of_gaussians(FRESH, Stream("flow1d/fresh", seed))
    fitted = Fit(stored.requires_grad_(False), (), None) if stored else fit(train, report, epochs=epochs)
    flow, truth = fitted.flow, THREE_GAUSSIANS
    samples = flow.sample(SAMPLES, Stream("flow1d/samples", seed))
    z = flow(samples)[0]
    reach = SATURATED * flow.tau.exp()
    total, change = integral(
        lambda x: flow.log_density(x).exp(), float((flow.mu - reach).min()), float((flow.mu + reach).max())
    )
    return Study(
        *(flow, fitted.losses, fitted.seconds, seed, truth, train, samples),
        train_loss=-float(flow.log_density(train).mean()),
        fresh=_mean(-flow.log_density(fresh)),
        entropy=truth.entropy(),
        divergence=truth.expect(lambda x: truth.log_density(x) - flow.log_density(x)),
        divergence_fresh=_mean(truth.log_density(fresh) - flow.log_density(fresh)),
        integral=total,
        integral_change=change,
        round_trip=float((flow(flow.inverse(z))[0] - z).abs().max()),
    )


def save(path: Path, flow: Flow1d, seed: int) -> None:
    """Write the flow as safetensors, all or nothing. Raises UsageError if the file cannot be written."""
    store.write(path, "flow1d", {"seed": seed}, flow.state_dict())


def load(path: Path) -> tuple[Flow1d, int]:
    """The flow and the seed it was trained with. Raises UsageError, naming the file and the fault."""
    record, tensors = store.read(path, "flow1d")
    if set(record) != {"seed"} or type(record["seed"]) is not int:
        raise UsageError(f"{path} is damaged: its record should hold a seed and nothing else")
    shape = tuple(tensors["w"].shape) if "w" in tensors else ()
    store.expect_tensors(str(path), tensors, dict.fromkeys(("w", "mu", "tau"), (torch.float64, shape)))
    return Flow1d(**tensors), record["seed"]


def _mean(values: torch.Tensor) -> Interval:
    """The mean and its 95 % interval by the central limit theorem."""
    half = float(norm.ppf((1 + CONFIDENCE) / 2)) * float(values.std()) / math.sqrt(len(values))
    return Interval(float(values.mean()), float(values.mean()) - half, float(values.mean()) + half)


def _curve(label: str, x: torch.Tensor, y: torch.Tensor) -> Curve:
    return Curve(label, x.tolist(), y.tolist())


def _histogram(label: str, values: torch.Tensor) -> Curve:
    """Of area 1, as a right-continuous step function that ends at 0."""
    heights, edges = np.histogram(values.numpy(), bins=BINS, density=True)
    return Curve(label, edges.tolist(), [*heights.tolist(), 0.0], style="step")
