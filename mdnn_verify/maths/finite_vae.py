"""A variational autoencoder with finitely many latent states, in balls: its bound, scores and rigorous derivatives.

With one parameter each, q_phi = softmax(a + phi a'), p_theta(x|z) = 1/(1 + exp(-u_z - theta u'_z)) and r_lambda =
softmax(d + lambda d'), everything at phi = theta = lambda = 0. Derivatives of the bound come from power series, those
of the three logarithms from their formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flint

__all__ = ["FiniteVAE"]

Balls = list[Any]


@dataclass(frozen=True)
class FiniteVAE:
    """``rows`` are a, a', u, u', d, d', integers in quarters, one entry a state; balls in the precision in force.

    Raises ValueError unless there are six rows of one length, at least 1.
    """

    rows: Sequence[Sequence[int]]

    def __post_init__(self) -> None:
        lengths = {len(row) for row in self.rows}
        if len(self.rows) != 6 or len(lengths) != 1 or 0 in lengths:
            raise ValueError(f"rows have the lengths {[len(row) for row in self.rows]}, expected six equal ones")

    def log_laws(self) -> tuple[Balls, Balls, Balls]:
        """log p(x|z), log r(z), log q(z) for each state."""
        p, r, q = self._series("")
        return [x[0] for x in p], [x[0] for x in r], [x[0] for x in q]

    def slopes(self) -> tuple[Balls, Balls, Balls]:
        """d log p / d theta, d log r / d lambda and the score d log q / d phi for each state."""
        p, r, q = ([x.exp() for x in logs] for logs in self.log_laws())
        _, a, _, u, _, d = self._balls()
        decoder = [slope * (1 - mass) for slope, mass in zip(u, p, strict=True)]
        return decoder, _centred(d, r), _centred(a, q)

    def derivative(self, parameter: str) -> Any:
        """d VLB / d phi, theta or lambda, enclosed. Raises ValueError for another name."""
        if parameter not in ("phi", "theta", "lambda"):
            raise ValueError(f"parameter = {parameter!r}, expected 'phi', 'theta' or 'lambda'")
        terms = [q.exp() * (p + r - q) for p, r, q in zip(*self._series(parameter), strict=True)]
        return sum((term[1] for term in terms), flint.arb(0))

    def _balls(self) -> list[Balls]:
        return [[flint.arb(number) / 4 for number in row] for row in self.rows]

    def _series(self, parameter: str) -> tuple[Balls, Balls, Balls]:
        """The logarithms as power series of order 2 in ``parameter``."""
        a, da, u, du, d, dd = self._balls()

        def moved(name: str, start: Balls, slope: Balls) -> Balls:
            step = flint.arb_series([0, 1 if name == parameter else 0], 2)
            return [x + y * step for x, y in zip(start, slope, strict=True)]

        log_p = [-(1 + (-x).exp()).log() for x in moved("theta", u, du)]
        return log_p, _log_softmax(moved("lambda", d, dd)), _log_softmax(moved("phi", a, da))


def _log_softmax(logits: Balls) -> Balls:
    total = sum((x.exp() for x in logits[1:]), logits[0].exp()).log()
    return [x - total for x in logits]


def _centred(values: Balls, masses: Balls) -> Balls:
    mean = sum((m * x for m, x in zip(masses, values, strict=True)), flint.arb(0))
    return [x - mean for x in values]
