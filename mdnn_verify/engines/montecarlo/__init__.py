"""Simulations with stated error rates: refuted, verified within delta, or inconclusive; nothing else."""

from mdnn_verify.engines.montecarlo.cdf import CdfEqual
from mdnn_verify.engines.montecarlo.draws import BLOCK, DrawError
from mdnn_verify.engines.montecarlo.means import BoundedMean, CatoniMean, KnownCGFMean, PairedInequality
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.engines.montecarlo.violations import NeverViolated

__all__ = [
    "BLOCK",
    "BoundedMean",
    "CatoniMean",
    "CdfEqual",
    "DrawError",
    "KnownCGFMean",
    "NeverViolated",
    "PairedInequality",
    "Stream",
]
