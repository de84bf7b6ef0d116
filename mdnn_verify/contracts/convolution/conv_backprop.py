r"""Derivatives of a network of 1-D convolutions in all filters and biases, any number of layers.

The derivatives are compared with the theorem's formulas evaluated in balls at exactly the floats that are handed over;
and, at an input that changed a little, along one direction of all filters and biases with differences of the network's
outputs in balls of four times the precision, which know nothing of backpropagation. Rounding: ``_network``. The
activations are smooth, but for a ReLU, whose arguments then stay away from 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.contracts.convolution._images import awkward, direction, nudged, whole
from mdnn_verify.contracts.convolution._network import Network
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.activations import ACTIVATIONS, Activation

Arguments = Mapping[str, Any]
Filters = tuple[int, ...]
CALL = "subject(x, weights, biases, sigma, dsigma)"
WEIGHTS, INPUTS, BIASES = (1, 2, -1, -2, 3, 1, -1), (1, -1, 2, 0, -2, 3), (1, -1, 0, 2, -2)
SIZES = (1, 2, 3, 5, 8, 16, 33, 70)
DEEP = 8  # layers
MARGIN = 1e-3  # of the largest argument: so far from 0 a kink is kept
# filter lengths layer by layer; the last filter is as long as its input
LARGE: tuple[Filters, ...] = (
    *((f,) for f in (6, 7, 8, 9, 10, 15, 16, 17, 31, 33, 64, 65, 100, 128)),
    *((f, 1) for f in (6, 9, 16, 33, 65)), *((1, f) for f in (6, 9, 16, 33, 65)), *((f, f) for f in (4, 5, 8, 17, 33)),
    (3, 5, 7), (7, 5, 3), (16, 1, 16), (1, 16, 1), (2, 31), (3, 64), (3, 3, 60), (9, 250), (5, 4, 3, 90), (60, 3, 3),
    (300,), (513,), (1025,), (3, 511), (511, 3),
    *((length,) * layers for length in (1, 2) for layers in range(5, 17)),
    (2, 4, 6, 8), (1, 2, 3, 2, 1), (3, 1, 3, 1, 3, 1), (2, 3, 2, 3, 2, 3, 2),
)  # fmt: skip

contract = Contract(
    call="grads(x (n0,), weights [1-D...], biases [float...], sigma, dsigma) -> ([dy/dw_l], [dy/db_l])",
    returns=lambda arguments: {
        "dy/dw": [tuple(w.shape) for w in arguments["weights"]],
        "dy/db": [() for _ in arguments["biases"]],
    },
    scope="1 to 32 layers, n0 from 1 to 1025, filters of 1 to 1025 weights; square, tanh, sigmoid, softplus, sin, ReLU",
    tangents=lambda arguments, rng: {"x": direction(arguments["x"], rng) / 4},
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """Integers: one to four layers in order of the count of all numbers; then deeper, longer and wider ones."""
    products = [itertools.product(range(1, 6), repeat=layers) for layers in range(1, 5)]
    few = {lengths for product in products for lengths in product if sum(lengths) - len(lengths) <= 4}
    for index, lengths in enumerate(
        sorted(few.union(LARGE), key=lambda lengths: (_count(lengths), len(lengths), lengths))
    ):
        turn = ACTIVATIONS[1 + index % 5 if len(lengths) <= DEEP else 2]  # the sigmoid: no error grows
        if lengths in few:
            ones = [[1] * length for length in lengths]
            yield _numbers(lengths, [1] * _inputs(lengths), ones, [0] * len(lengths), ACTIVATIONS[0], terms)
            yield _pattern(lengths, ACTIVATIONS[0], index, terms)
        yield _pattern(lengths, turn, index, terms)
        for number in awkward(terms) if lengths == (1,) else ():
            yield _numbers(lengths, [number], [[1]], [0], ACTIVATIONS[0], terms)
        if _inputs(lengths) in (2, 3):  # the same numbers, x in another order
            yield _pattern(lengths, turn, index, terms, back=True)
    for lengths in ((1,), (1, 1), (2, 1), (2, 2)):
        filters = [[0.1] * length for length in lengths]
        yield _numbers(lengths, [0.1] * _inputs(lengths), filters, [0.1, 0.2], ACTIVATIONS[0], terms)
    for shift in (30, -70, 300, -3000):
        yield _numbers((2, 2), [1, -1, 2], [[1, 2], [3, -1]], [shift, 1], ACTIVATIONS[0], terms)
    for layers in (17, 20, 24, 32):  # no number grows
        yield _numbers((1,) * layers, [1], [[1]] * layers, [0] * layers, ACTIVATIONS[1], terms)


@contract.instances(sizes=SIZES, times=3)
def shallow(rng: Stream, size: int, terms: Terms) -> Arguments:
    """One to three layers."""
    return _random(rng, _lengths(rng, size, 1 + int(rng.integers(0, 3, 1))), terms)


@contract.instances(sizes=SIZES, times=3)
def deep(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Three to nine layers."""
    return _random(rng, _lengths(rng, size, 3 + int(rng.integers(0, 7, 1))), terms)


@contract.instances(sizes=SIZES, times=2)
def short_filters(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Filters of one to three weights, and a last one as long as what is left."""
    lengths: list[int] = []
    for length in rng.integers(1, 4, int(rng.integers(1, 4, 1))).tolist():
        if sum(lengths) - len(lengths) + length <= size:
            lengths.append(length)
    return _random(rng, (*lengths, size - sum(lengths) + len(lengths)), terms)


@contract.instances(sizes=SIZES, times=2)
def without_biases_or_with_zeros(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Biases of 0, and half of the inputs and weights 0."""
    lengths = _lengths(rng, size, 1 + int(rng.integers(0, 4, 1)))
    return _random(rng, lengths, terms, share=0.5, shift=0.0)


@contract.instances(sizes=SIZES, times=3)
def units(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Inputs and weights in other units, and large biases."""
    lengths, most = _lengths(rng, size, 1 + int(rng.integers(0, 3, 1))), 1 if terms.dtype == torch.float32 else 3
    scales = [10.0 ** float(power) for power in rng.uniform(3, -most, most)]
    return _random(rng, lengths, terms, inputs=scales[0], scale=min(scales[1], 10.0), shift=min(scales[2], 10.0))


@contract.law
def derivatives(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Every derivative is that of the network's output."""
    network = _network(instance.arguments)
    found, exact, bound = subject(*instance.arguments.values()), network.gradients(), network.rounding(terms.unit)
    for name, expected, bounds, which in (
        ("dy/dw", exact.weights, bound.weights, "weights"),
        ("dy/db", exact.biases, bound.biases, "biases"),
    ):
        for layer, observed in enumerate(found[name]):
            target = torch.tensor(expected[layer], dtype=torch.float64)
            gap = (observed.double().cpu() - target).abs().nan_to_num(nan=torch.inf)
            entry = [int(gap.argmax())] if gap.ndim else []
            yield Comparison(
                observed, target, torch.tensor(bounds[layer], dtype=torch.float64),
                f"the derivative in {which}[{layer}] is wrong",
                f"dw, db = {CALL}\nobserved = float({'dw' if which == 'weights' else 'db'}[{layer}]"
                f"{entry or ''})\nexpected = {float(target[tuple(entry)])!r}",
            )  # fmt: skip


@contract.law
def nearby(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """At an input that changed a little, the derivatives give the differences of the network's outputs.

    Asked of inputs that are not integers, so that integers are preferred to show what is wrong for them, too.
    """
    if whole(instance.arguments["x"]):
        return
    near = {**instance.arguments, "x": nudged(instance.arguments["x"], terms)}
    network = _network(near)
    steps = [[float((3 * k + layer) % 5 - 2) or 1.0 for k in range(len(w))] for layer, w in enumerate(network.weights)]
    shifts = [float(1 - layer % 3) or 2.0 for layer in range(len(network.biases))]
    found, bound = subject(*near.values()), network.rounding(terms.unit)
    parts = [
        *(
            float(g.double().cpu() @ torch.tensor(h, dtype=torch.float64))
            for g, h in zip(found["dy/dw"], steps, strict=True)
        ),
        *(float(g) * h for g, h in zip(found["dy/db"], shifts, strict=True)),
    ]
    expected = network.along(steps, shifts)
    off = sum(2 * sum(own) for own in bound.weights) + sum(2 * own for own in bound.biases)
    sums = 2.0**-52 * (len(network.x) + len(parts)) * sum(map(abs, parts))
    yield Comparison(
        math.fsum(parts), expected, off + sums, "a derivative is wrong where the input changed a little",
        f"{CALL}\nx = torch.tensor({near['x'].tolist()}, dtype={near['x'].dtype})\n"
        f"dw, db = {CALL}\nsteps, shifts = {steps}, {shifts}\n"
        "observed = sum(float(g.double() @ torch.tensor(h).double()) for g, h in zip(dw, steps))\n"
        f"observed += sum(float(g) * h for g, h in zip(db, shifts))\nexpected = {expected!r}",
    )  # fmt: skip


def _network(arguments: Arguments) -> Network:
    activation = next(each for each in ACTIVATIONS if each.function is arguments["sigma"])
    filters = [w.double().cpu().tolist() for w in arguments["weights"]]
    return Network(arguments["x"].double().cpu().tolist(), filters, arguments["biases"], activation)


def _inputs(lengths: Sequence[int]) -> int:
    """n_0, such that one number comes out."""
    return 1 + sum(lengths) - len(lengths)


def _count(lengths: Sequence[int]) -> int:
    """How many numbers the network and its input are."""
    return _inputs(lengths) + sum(lengths) + len(lengths)


def _lengths(rng: Stream, size: int, layers: int) -> Filters:
    """Lengths of so many filters that leave one number of ``size``."""
    cuts = [0, *sorted(rng.integers(0, size, layers - 1).tolist()), size - 1]
    return tuple(1 + high - low for low, high in itertools.pairwise(cuts))


def _random(
    rng: Stream, lengths: Filters, terms: Terms, *, share: float = 0.0, inputs: float = 1.0, scale: float = 1.0,
    shift: float = 1.0,
) -> Arguments:  # fmt: skip
    """A network of normal entries with any activation, made again while a kink is too near."""

    def entries(count: int, size: float) -> torch.Tensor:
        return terms.tensor(size * rng.normal(count) * (rng.uniform(count) >= share))

    activation = ACTIVATIONS[int(rng.integers(0, len(ACTIVATIONS), 1))]
    while True:
        weights = [entries(length, scale / length**0.5) for length in lengths]
        biases = terms.tensor(shift * rng.normal(len(lengths))).double().tolist()
        found = _arguments(entries(_inputs(lengths), inputs), weights, biases, activation)
        if _smooth(found):
            return found
        activation = ACTIVATIONS[int(rng.integers(0, len(ACTIVATIONS), 1))]


def _smooth(arguments: Arguments) -> bool:
    """Whether sigma is differentiable well around all its arguments, and neither they nor their squares overflow."""
    network = _network(arguments)
    found = network.arguments()
    if not max(abs(a).max() for a in found) < torch.finfo(arguments["x"].dtype).max ** 0.4:
        return False
    return not network.activation.kink or all(abs(a).min() > MARGIN * max(abs(a).max(), 1.0) for a in found[:-1])


def _pattern(lengths: Filters, activation: Activation, turn: int, terms: Terms, back: bool = False) -> Instance:
    """Small integers without symmetry; tanh instead of an activation whose kink they meet."""
    weights = [[WEIGHTS[(k + 2 * layer) % 7] for k in range(length)] for layer, length in enumerate(lengths)]
    x = [INPUTS[(i + turn) % 6] for i in range(_inputs(lengths))][:: -1 if back else 1]
    biases = [BIASES[(layer + turn) % 5] for layer in range(len(lengths))]
    found = _numbers(lengths, x, weights, biases, activation, terms)
    return found if _smooth(found.arguments) else _pattern(lengths, ACTIVATIONS[1], turn, terms, back)


def _numbers(
    lengths: Filters, x: Sequence[float], weights: Sequence[Sequence[float]], biases: Sequence[float],
    activation: Activation, terms: Terms,
) -> Instance:  # fmt: skip
    shifts = terms.tensor(biases[: len(lengths)]).double().tolist()
    values = _arguments(terms.tensor(x), [terms.tensor(w) for w in weights], shifts, activation)
    kind = "integers" if whole(values["x"]) else "fractions"
    label = f"filters of {', '.join(map(str, lengths))} weights, {activation.function.__name__}, {kind}"
    return Instance(values, _count(lengths), label)


def _arguments(x: torch.Tensor, weights: list[torch.Tensor], biases: list[float], activation: Activation) -> Arguments:
    return {"x": x, "weights": weights, "biases": biases, "sigma": activation.function, "dsigma": activation.slope}
