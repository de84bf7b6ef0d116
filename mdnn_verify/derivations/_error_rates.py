"""Worlds of an anomaly detector: scores of images of which it is known whether they are anomalies, and a threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from mdnn_verify.audit import World

__all__ = ["detections", "share", "type_one_rate", "type_two_rate"]


def detections() -> tuple[World, ...]:
    """``mnist`` and ``kmnist``: scores of test images; KMNIST images are the anomalies. ``threshold``: 3."""
    cases = [((1, 2), (4, 5)), ((1, 2, 4), (5, 6)), ((1, 4), (2, 5, 6)), ((0, 1, 5, 2), (2, 2, 4)), ((1,), (1, 2))]
    return tuple(World({"mnist": mnist, "kmnist": kmnist, "threshold": 3}) for mnist, kmnist in cases)


def share(scores: Sequence[Any], holds: Callable[[Any], bool]) -> sp.Rational:
    """Of several scores, the share with a property."""
    return sp.Rational(sum(1 for score in scores if holds(score)), len(scores))


def _outcomes(mnist: Sequence[Any], kmnist: Sequence[Any], flag: Callable[[Any], bool]) -> list[tuple[bool, bool]]:
    """For each image: whether it is an anomaly, and whether it is called one."""
    return [*((False, flag(score)) for score in mnist), *((True, flag(score)) for score in kmnist)]


def type_one_rate(mnist: Sequence[Any], kmnist: Sequence[Any], flag: Callable[[Any], bool]) -> sp.Rational:
    """How often the hypothesis "no anomaly" is rejected where it is true."""
    called = [flagged for anomaly, flagged in _outcomes(mnist, kmnist, flag) if not anomaly]
    return sp.Rational(called.count(True), len(called))


def type_two_rate(mnist: Sequence[Any], kmnist: Sequence[Any], flag: Callable[[Any], bool]) -> sp.Rational:
    """How often the hypothesis "no anomaly" is kept where it is false."""
    called = [flagged for anomaly, flagged in _outcomes(mnist, kmnist, flag) if anomaly]
    return sp.Rational(called.count(False), len(called))
