"""The one-dimensional flow as an experiment: the same document as a detector's, with what a density is worth."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mdnn_verify.anomaly import flow1d_study
from mdnn_verify.anomaly.base import Progress, Settings
from mdnn_verify.anomaly.experiment import SCHEMA, run_info
from mdnn_verify.anomaly.flow1d import Flow1d
from mdnn_verify.anomaly.flow1d_study import Study
from mdnn_verify.anomaly.measures import Measure
from mdnn_verify.anomaly.methods import FLOW1D
from mdnn_verify.anomaly.mixture import THREE_GAUSSIANS
from mdnn_verify.errors import UsageError
from mdnn_verify.pictures import describe
from mdnn_verify.runner.journal import plain

__all__ = ["Flow1dExperiment", "StoredFlow1d"]


@dataclasses.dataclass(frozen=True)
class StoredFlow1d:
    """What a file of ``flow1d_study.save`` holds."""

    flow: Flow1d
    seed: int

    @classmethod
    def load(cls, path: Path) -> StoredFlow1d:
        """Raises UsageError, naming the file and the fault."""
        return cls(*flow1d_study.load(path))


class Flow1dExperiment:
    """Fit or restore, draw, measure; ``run`` gives the document of one seed."""

    def __init__(self) -> None:
        self.entry = FLOW1D
        words = f"{THREE_GAUSSIANS} {flow1d_study.TRAIN} {flow1d_study.FRESH}"
        self.data = {
            "name": "mixture of three normal laws",
            "embedded": False,
            "source": "drawn from the seed's mixture",
            "sha256": hashlib.sha256(words.encode()).hexdigest(),
        }

    def run(
        self,
        settings: Settings,
        report: Callable[[Progress], None],
        *,
        stored: StoredFlow1d | None = None,
        save: Path | None = None,
        command: str = "",
    ) -> dict[str, Any]:
        """Fit, or take ``stored``, and measure. Raises UsageError for another device than the CPU."""
        if settings.device != "cpu":
            raise UsageError(f"--device is {settings.device}, but {self.entry.name} runs on the CPU only")
        info = run_info(settings.device, command)
        start = time.perf_counter()
        epochs = flow1d_study.EPOCHS if settings.epochs is None else settings.epochs
        study = flow1d_study.study(settings.seed, report, epochs, stored.flow if stored else None)
        if save:
            flow1d_study.save(save, study.flow, settings.seed)
        found = study.results()
        seconds = found.pop("seconds")["train"]
        losses = [{"epoch": float(i), "loss": loss} for i, loss in enumerate(found.pop("losses"))]
        document = {
            "schema": SCHEMA,
            "method": self.entry.name,
            "title": self.entry.title,
            "source": self.entry.source,
            "data": {**self.data, "counts": found.pop("data")},
            "device": settings.device,
            "seed": settings.seed,
            "trained": stored is None,
            "resumed": False,
            "epochs": None if stored else epochs,
            "own_epochs": settings.epochs is None,
            "score": None,
            "threshold": None,
            "thresholds": {},
            "parameters": found.pop("parameters"),
            "results": found,
            "seconds": {"train": seconds, "score": time.perf_counter() - start - (seconds or 0.0)},
            "images_per_second": {"train": None, "score": None},
            "measures": [dataclasses.asdict(measure) for measure in _measures(study)],
            "pictures": [describe(picture) for picture in study.pictures()],
            "losses": losses,
            "published": [],
            **info,
        }
        return plain(document)  # type: ignore[no-any-return]


def _measures(study: Study) -> list[Measure]:
    fresh, distance = study.fresh, study.divergence_fresh
    return [
        Measure("Negative log-likelihood, fresh draws", fresh.estimate, fresh.low, fresh.high, "nats, 95 % interval"),
        Measure("Entropy of the truth, the least possible", study.entropy, note="nats"),
        Measure("Divergence of the flow from the truth", study.divergence, note="nats, by quadrature"),
        Measure("The same from fresh draws", distance.estimate, distance.low, distance.high, "95 % interval"),
        Measure(
            "Integral of the learned density",
            study.integral,
            study.integral - study.integral_change,
            study.integral + study.integral_change,
            f"by quadrature, and its change when the panels are halved; the flow's mass is {study.flow.mass:.6g}",
        ),
        Measure("Largest |f(f⁻¹(z)) − z|", study.round_trip, note="over the samples"),
    ]
