r"""Minimax strategies of a zero-sum game $M$, the points of the column player B: $E = p_A^T M p_B$, A minimises.

A pair is optimal if and only if what B can earn against $p_A$ is not above what A can hold $p_B$ to:
$\max_j (p_A^T M)_j = \min_i (M p_B)_i$. That certifies itself: no solver is asked, and any of several solutions do.
Where the solution is unique -- rock, paper, scissors, with a weight for each pair -- it is compared too.

What is accepted: linear programming solvers stop at residuals and reduced costs of 1e-7, in the units of the payoffs; a
few of these, 1e-6. Beyond, 1e-8 of the payoffs' range for the rounding of a basis of condition 1e6 and for interior
points; a thousand units of the largest payoff. Probabilities may be off by 1e-6 in sign and sum. An approximation by
play (fictitious play, multiplicative weights), which stops at gaps of 1e-2 to 1e-5 of the range, is not a solution.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.engines.montecarlo import Stream

Array = npt.NDArray[np.floating[Any]]
Arguments = Mapping[str, Array]
PROBABILITY = 1e-6
FAST = 0.1  # seconds for one game: while a call is faster, a larger game is tried
BEYOND = (*((n, n) for n in range(7, 21)), (24, 24), (30, 20), (20, 30), (40, 3), (3, 40), (33, 33))

contract = Contract(
    call="solve(payoff (m, n)) -> (p_A (m,), p_B (n,))",
    returns=lambda arguments: dict(zip(("p_A", "p_B"), [(count,) for count in arguments["payoff"].shape], strict=True)),
    scope="1 x 1 to 6 x 6, and up to 33 x 33 if a call takes less than 0.1 s; payoffs from 1e-3 to 1e4, any signs, "
    "saddle points, ties, dominated and equal plays; optimal to 1e-6 + 1e-8 of the range",
    array="numpy",
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Payoffs 0, 1 and -1 in up to four cells, rock, paper, scissors; then simple integers in every shape."""
    for shape in ((1, 1), (1, 2), (2, 1), (2, 2)):
        cells = shape[0] * shape[1]
        for entries in sorted(itertools.product((0, 1, -1), repeat=cells), key=lambda own: sum(map(abs, own))):
            yield _instance(np.reshape(entries, shape), terms)
    for rows in ([[1, 0], [0, 2]], [[3, 1], [0, 2]], [[-1, 2], [1, -3]], [[5, 5], [5, 5]]):
        yield _instance(np.array(rows), terms)
    close = ([[1e-5, -1e-5], [-1e-5, 1e-5]], [[1e-4, 0], [0, 2e-4]], [[1000.004, 1000], [1000, 1000.004]])
    for rows in close:  # no saddle point, but nearly
        yield Instance(_payoff(np.array(rows), terms), 4, "2 x 2, nearly constant")
    antisymmetric = ((1, 1, 1), (1, 2, 1), (1, 1, 3), (3, 2, 1), *itertools.product((1, -1), repeat=3), (1, -2, 3))
    for a, b, c in antisymmetric:  # with a cycle or without
        yield _instance(np.array([[0, a, -b], [-a, 0, c], [b, -c, 0]]), terms)
    shapes = [shape for shape in itertools.product(range(1, 7), range(1, 7)) if shape not in ((1, 1), (2, 2))]
    for m, n in sorted(shapes, key=lambda shape: (shape[0] * shape[1], shape)):
        for step in range(4 if m < 6 or n < 6 else 2):
            yield _instance(np.array([[_entry(i, j, step) for j in range(n)] for i in range(m)]), terms)


def _entry(i: int, j: int, step: int) -> int:
    return ((7 + step) * i + (3 + step) * j + i * j * (1 + step)) % (5 + 2 * step) - (0, 2, 3, 8)[step]


@contract.instances(sizes=(2, 3, 4, 5, 6), times=4)
def integers(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Small integers: many ties."""
    return _payoff(rng.integers(-2, 3, _shape(rng, size)).numpy(), terms)


@contract.instances(sizes=(2, 3, 4, 5, 6), times=4)
def normal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Normal payoffs."""
    return _payoff(rng.normal(_shape(rng, size)).numpy(), terms)


@contract.instances(sizes=(2, 3, 4, 5, 6), times=4)
def other_units(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Payoffs of the order 1e-3 to 1e4, mixed ones above all."""
    unit = 10.0 ** float(rng.uniform(1, -3, 4))
    return _payoff(unit * rng.uniform((size, size), -1, 1).numpy(), terms)


@contract.instances(sizes=(2, 3, 4, 5), times=3)
def large_units(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Payoffs of the order 1e4 whose solution mixes: a weak diagonal game with noise."""
    return _payoff(1e4 * (np.eye(size) + 0.2 * rng.uniform((size, size)).numpy()), terms)


@contract.instances(sizes=(2, 3, 4, 5), times=3)
def one_sign(rng: Stream, size: int, terms: Terms) -> Arguments:
    """All payoffs positive, or all negative, far from 0."""
    far = float(rng.uniform(1, 3, 1000)) * (1 if float(rng.uniform(1)) < 0.5 else -1)
    return _payoff(far + rng.uniform(_shape(rng, size), -2, 2).numpy(), terms)


@contract.instances(sizes=(2, 3, 4, 5, 6), times=2)
def antisymmetric(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Fair games: both have the same plays."""
    own = rng.integers(-3, 4, (size, size)).numpy()
    return _payoff(own - own.T, terms)


@contract.instances(sizes=(2, 3, 4, 5, 6), times=2)
def saddle(rng: Stream, size: int, terms: Terms) -> Arguments:
    """A pure solution somewhere."""
    payoff = rng.integers(-4, 5, _shape(rng, size)).numpy().astype(float)
    i, j = (int(rng.integers(0, count, 1)) for count in payoff.shape)
    payoff[i] = np.minimum(payoff[i], payoff[i, j])
    payoff[:, j] = np.maximum(payoff[:, j], payoff[i, j])
    return _payoff(payoff, terms)


@contract.instances(sizes=(2, 3, 4, 5, 6), times=2)
def dominated(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Plays that are worse than another, and plays that occur twice."""
    payoff = rng.integers(-3, 4, _shape(rng, size)).numpy().astype(float)
    payoff[-1] = payoff[0] + (rng.uniform(payoff.shape[1]).numpy() < 0.5)
    payoff[:, -1] = payoff[:, 0] - (rng.uniform(len(payoff)).numpy() < 0.3)
    return _payoff(payoff, terms)


@contract.instances(sizes=(2, 3, 4, 5, 6), times=2)
def low_rank(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Degenerate games: payoffs of rank 1 or 2, or constant in a row."""
    m, n = _shape(rng, size)
    left, right = rng.integers(-2, 3, (m, 2)).numpy(), rng.integers(-2, 3, (2, n)).numpy()
    payoff = (left @ right).astype(float)
    payoff[0] = float(rng.integers(-1, 2, 1))
    return _payoff(payoff, terms)


@contract.instances(sizes=(1, 2, 5, 20), times=2)
def one_has_no_choice(rng: Stream, size: int, terms: Terms) -> Arguments:
    """A single row or column."""
    payoff = rng.integers(-5, 6, (1, size)).numpy()
    return _payoff(payoff if float(rng.uniform(1)) < 0.5 else payoff.T, terms)


@contract.instances(sizes=(3,), times=8)
def weighted_rock_paper_scissors(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Rock, paper, scissors with a weight for each pair: one solution, proportional to the opposite weights."""
    if size != 3:
        raise ValueError("three plays")
    a, b, c = rng.integers(1, 6, 3).tolist()
    return _payoff(np.array([[0, a, -b], [-a, 0, c], [b, -c, 0]]) * (1, -1)[int(rng.integers(0, 2, 1))], terms)


@contract.law
def optimal(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Both strategies are probabilities, and B can earn no more against p_A than A can hold p_B to."""
    payoff = instance.arguments["payoff"]
    yield from certified(subject(payoff), payoff, terms)


@contract.law
def unique(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """In rock, paper, scissors with weights a, b, c both play in the proportion c : b : a."""
    payoff = instance.arguments["payoff"].astype(float)
    if payoff.shape != (3, 3) or (payoff != -payoff.T).any():
        return
    weights = np.array([payoff[1, 2], payoff[2, 0], payoff[0, 1]])
    if not ((weights > 0).all() or (weights < 0).all()):
        return
    wanted = weights / weights.sum()
    # p* + d concedes max_j (d M)_j, at least min(p*) |d M|, and |d| <= 3 |d M| / min |weights| as d sums to 0
    bound = 3 * accepted(payoff, terms) / (wanted.min() * np.abs(weights).min()) + PROBABILITY
    for index, (name, found) in enumerate(subject(instance.arguments["payoff"]).items()):
        yield Comparison(
            found, wanted, bound, f"{name} is not the only solution",
            f"observed = subject(payoff)[{index}]\nexpected = {wanted.tolist()}",
        )  # fmt: skip


@contract.law
def larger(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """It solves larger games too, as far as it takes no more than a moment."""
    if not instance.label.startswith("6 x 6, integers"):
        return
    for m, n in BEYOND:
        entries = [[round(10 * np.sin(1 + 17 * i + 29 * j + i * j)) for j in range(n)] for i in range(m)]
        payoff = np.array(entries, dtype=_dtype(terms))
        setting = f"payoff = torch.tensor({payoff.tolist()}, dtype=torch.float64).numpy()\n"
        started = time.monotonic()
        with subject.showing(f"{setting}observed = subject(payoff)\nexpected = 'two strategies'"):
            found = subject(payoff)
        seconds = time.monotonic() - started
        yield from certified(found, payoff, terms, setting)
        if seconds > FAST:
            return


def certified(found: Mapping[str, Any], payoff: Array, terms: Terms, setting: str = "") -> Iterator[Comparison]:
    """Both are probabilities; they are optimal."""
    points, own = payoff.astype(np.float64), []
    for index, (name, strategy) in enumerate(found.items()):
        p = strategy.double().numpy()
        line = f"{setting}p = torch.as_tensor(subject(payoff)[{index}])\n"
        limit = PROBABILITY + len(p) * terms.unit
        yield Comparison(
            min(p.min(), 0.0), 0.0, limit, f"{name} has a negative probability",
            f"{line}observed = p.min().item()\nexpected = 'not negative'",
        )  # fmt: skip
        yield Comparison(
            p.sum(), 1.0, limit, f"{name} does not sum to 1", f"{line}observed = p.sum().item()\nexpected = 1.0"
        )
        own.append(np.clip(p, 0, None) / np.clip(p, 0, None).sum())
    above, below = (own[0] @ points).max(), (points @ own[1]).min()
    yield Comparison(
        above - below, 0.0, accepted(payoff, terms),
        f"the strategies are not optimal: B can earn {above:.6g} against p_A, A can hold p_B to {below:.6g}",
        f"{setting}p_A, p_B = (torch.as_tensor(p).double().numpy() for p in subject(payoff))\n"
        "observed = (p_A @ payoff).max() - (payoff @ p_B).min()\nexpected = 0.0",
        scale=float(np.ptp(points)),
    )  # fmt: skip


def accepted(payoff: Array, terms: Terms) -> float:
    """The gap that is accepted, in the payoffs' units; see the module's docstring."""
    largest = float(np.abs(payoff).max())
    return 1e-6 + 1e-8 * float(np.ptp(payoff.astype(np.float64))) + 1000 * terms.unit * largest


def _shape(rng: Stream, size: int) -> tuple[int, int]:
    """``size`` plays of one player, at most as many of the other."""
    other = int(rng.integers(1, size + 1, 1)) if float(rng.uniform(1)) < 0.5 else size
    return (size, other) if float(rng.uniform(1)) < 0.5 else (other, size)


def _dtype(terms: Terms) -> Any:
    return np.float32 if terms.tensor(0).element_size() == 4 else np.float64


def _payoff(entries: npt.NDArray[Any], terms: Terms) -> Arguments:
    return {"payoff": np.ascontiguousarray(entries, dtype=_dtype(terms))}


def _instance(entries: npt.NDArray[Any], terms: Terms) -> Instance:
    m, n = entries.shape
    return Instance(_payoff(entries, terms), m * n, f"{m} x {n}, integers")
