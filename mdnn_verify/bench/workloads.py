"""Cheap pieces of work, a few milliseconds a call at most, for the lock-step comparison.

This file is loaded by itself in both worker processes (see ``worker``), so both versions run the same workloads. It
imports from ``mdnn_verify`` inside ``prepare`` only: what is missing in an older version makes one workload not
comparable, not all of them. A figure of accuracy is compared before any time is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["WORKLOADS", "Prepared", "Workload"]

SEED = 20240607
BATCH = 100
Accuracy = Callable[[], Sequence[dict[str, Any]]]


@dataclass(frozen=True)
class Prepared:
    """What is called over and over, and how accurate its result is, as ``rule.accuracy_is_worse`` takes it."""

    call: Callable[[], object]
    accuracy: Accuracy | None = None


@dataclass(frozen=True)
class Workload:
    """``prepare`` sets everything up, from fixed seeds, outside the timing."""

    title: str
    prepare: Callable[[], Prepared]


def draws() -> Prepared:
    """A block of the draws of divergences/gaussian_kl's simulation, checked as the engine checks them."""
    from mdnn_verify.catalogue import catalogue, load
    from mdnn_verify.engines import Context
    from mdnn_verify.engines.montecarlo.draws import BLOCK, block_of

    theorem = load(catalogue()["divergences/gaussian_kl"])
    check = theorem.check("mean_of_sampled_log_ratios")
    data = theorem.data()
    claims = check.function(**{name: data[name] for name in check.parameters})
    draw = (claims if hasattr(claims, "draw") else next(iter(_members(claims)))).draw
    context = Context("benchmark", SEED, alpha=1e-6)
    return Prepared(lambda: block_of(draw, context, 1, BLOCK))


def simulation() -> Prepared:
    """A small simulation of games/rps_indifference, from its pilot to its verdict."""
    return _unit("games/rps_indifference", "exploited_within_the_bounds", "montecarlo")


def decision() -> Prepared:
    """A symbolic step of games/rps_minimax_unique, cross-check included."""
    return _unit("games/rps_minimax_unique", "its_value", "symbolic")


def coupling() -> Prepared:
    """The verified affine coupling layer on 256 points of dimension 16."""
    import torch

    from mdnn_verify.maths.coupling import SmoothNetwork, affine_coupling

    normal = torch.Generator().manual_seed(SEED)

    def network() -> SmoothNetwork:
        W1, b, W2 = (torch.randn(size, generator=normal) for size in ((32, 8), (32,), (8, 32)))
        return SmoothNetwork(W1, b, W2, bound=1.0)

    s, t, x = network(), network(), torch.randn(256, 16, generator=normal)
    return Prepared(lambda: affine_coupling(x, range(8), s, t))


def autoencoder_training() -> Prepared:
    """Five training steps of the autoencoder on embedded images; the accuracy is that of two epochs."""
    from mdnn_verify.anomaly import embedded, methods
    from mdnn_verify.anomaly.base import Settings

    images, how = embedded.load(), methods.method("autoencoder")
    few = dataclasses.replace(how.split(images, SEED), train=images.train[: 5 * BATCH])
    settings = Settings(seed=SEED, epochs=1)
    return Prepared(
        lambda: how.fit(images, few, settings, lambda progress: None),
        lambda: _detection(*_fitted("autoencoder", epochs=2)),
    )


def autoencoder_scores() -> Prepared:
    """Scores of 500 embedded test images by a trained autoencoder."""
    fitted, _, split = _fitted("autoencoder", epochs=1)
    return Prepared(lambda: fitted.score(split.test[:500]))


def mahalanobis_scores() -> Prepared:
    """Mahalanobis distances of 500 embedded test images; the accuracy is that of the method."""
    fitted, images, split = _fitted("mahalanobis", epochs=None)
    return Prepared(lambda: fitted.score(split.test[:500]), lambda: _detection(fitted, images, split))


def flow_log_likelihood() -> Prepared:
    """Log likelihoods of 250 embedded test images; the accuracy is that of a flow trained for one epoch."""
    fitted, images, split = _fitted("flow", epochs=1)
    return Prepared(lambda: fitted.score(split.test[:250]), lambda: _detection(fitted, images, split))


def flow_sampling() -> Prepared:
    """Samples of 100 images from the flow."""
    fitted, _, _ = _fitted("flow", epochs=1)
    return Prepared(lambda: fitted.sample(BATCH, SEED))


WORKLOADS = {
    "draws": Workload("4,096 Monte Carlo draws of a Gaussian log ratio", draws),
    "simulation": Workload("a simulation from pilot to verdict", simulation),
    "decision": Workload("a symbolic step decided and cross-checked", decision),
    "coupling": Workload("an affine coupling layer, 256 points of dimension 16", coupling),
    "autoencoder-training": Workload("five training steps of the autoencoder", autoencoder_training),
    "autoencoder-scores": Workload("500 scores of the autoencoder", autoencoder_scores),
    "mahalanobis-scores": Workload("500 Mahalanobis distances", mahalanobis_scores),
    "flow-log-likelihood": Workload("250 log likelihoods of the flow", flow_log_likelihood),
    "flow-sampling": Workload("100 images drawn from the flow", flow_sampling),
}


def _fitted(method: str, epochs: int | None) -> tuple[Any, Any, Any]:
    """(fitted, images, split) of a method on the embedded images: the same ones on every machine, no files needed."""
    from mdnn_verify.anomaly import embedded, methods
    from mdnn_verify.anomaly.base import Settings

    images, how = embedded.load(), methods.method(method)
    split = how.split(images, SEED)
    return how.fit(images, split, Settings(seed=SEED, epochs=epochs), lambda progress: None), images, split


def _detection(fitted: Any, images: Any, split: Any) -> list[dict[str, Any]]:
    """Type II errors at a conformal type I of 5 %, and 1 - AUROC with its interval; smaller is better."""
    from mdnn_verify.anomaly.detector import auroc, conformal, detect

    validation, test, other = (fitted.score(part) for part in (split.validation, split.test, split.anomalous))
    missed = detect(conformal(validation, 0.05), test, other).type_ii
    area = auroc(test, other)
    return [
        {"name": "type II", "errors": missed.count, "total": missed.total},
        {"name": "1 - AUROC", "value": 1 - area.estimate, "low": 1 - area.high, "high": 1 - area.low},
    ]


def _unit(theorem: str, check: str, kind: str) -> Prepared:
    from mdnn_verify.catalogue import catalogue
    from mdnn_verify.runner.units import Settings, Unit, run_unit

    unit, settings = Unit(catalogue()[theorem], None, check, kind), Settings(seed=SEED)
    return Prepared(lambda: run_unit(unit, settings))


def _members(claims: Any) -> Sequence[Any]:
    return list(claims.values()) if hasattr(claims, "values") else list(claims)
