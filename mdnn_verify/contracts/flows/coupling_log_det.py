r"""Any invertible layer: log_det must be log|det dz/dx|, row by row, and the map one-to-one.

Nothing is known of the layer, so that each of its own parts is held against the others: log_det against the Jacobian of
z by differences (which notice kinks: ReLU networks and splines are legal) and, where z carries a graph, by autograd;
autograd against differences; every row alone against the same row in a batch; the inverse against the map.

What rounding may explain. Differences state how far they may be off, and so do the Jacobians of autograd, whose entries
are taken to be right to 2^5 u (1 + |J_ij| + |z_i|): a derivative written as s (1 - s) has lost what s has lost. From
the entries to the determinant: d log|det J| = tr J^-1 dJ. log_det itself is a sum of n terms, right to 2^8 u in float32
(u the unit roundoff); in float64 to 1e-10, far above rounding and below what float32 inside leaves, 1e-8;
where an output is beyond 20, to e^-20, as torch rounds softplus there to the identity. At a point
where that bound exceeds 0.1, or where the layer is not differentiable, nothing but an upper bound of det is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.contracts.flows._inverse import inverted, lost
from mdnn_verify.contracts.flows._inverse_log_det import told
from mdnn_verify.contracts.flows._layer import (
    digits,
    held,
    overflows,
    precision,
    smooth,
    strained,
)
from mdnn_verify.contracts.flows._searches import Layer, overlapping
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.injectivity import coincident, opposite, partners, preimages
from mdnn_verify.maths.slopes import by_differences, outputs

DIM = 6
MANY = 24  # rows of the inputs on which searches start
FAR = (2, 3, 5, 8, 13, 21, 34, 50)
ALONE = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17, 24, 32, 33, 64, 65, 129, 257)
Arguments = Mapping[str, torch.Tensor]


def directions(arguments: Arguments, rng: Stream) -> Arguments:
    """Any direction; none at integers, where a kink or a removable singularity may be, nor for many rows at once."""
    x = arguments["x"]
    return {} if len(x) > 8 or bool((x == x.round()).any()) else {"x": rng.normal(tuple(x.shape)).to(x) / 4}


def excused(subject: Any, arguments: Arguments) -> bool:
    """Whether all of what fails here is preceded, on the way from 0, by numbers about to overflow."""
    x = arguments["x"]
    failing = [row for row in torch.split(x, 1) if not _finite(subject, row)]
    return bool(failing) and all(_finite(subject, 0 * row) and overflows(subject, row, 0.0, 1.0) for row in failing)


def _finite(subject: Any, x: torch.Tensor) -> bool:
    result = subject.attempt(subject, x)
    return result is not None and bool(torch.isfinite(outputs(result)[:, :-1]).all())


contract = Contract(
    call="layer(x (B, n)) -> (z (B, n), log_det (B,))",
    returns=lambda arguments: {"z": tuple(arguments["x"].shape), "log_det": (len(arguments["x"]),)},
    scope="one n (--dim), B = 1 to 257, |x| up to 50 (for the inverse 20), also 0, integers, ties and repeated rows",
    excused=excused,
    tangents=directions,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """One row of integers up to 3 in magnitude, then batches of integer rows."""
    n = terms.dim or DIM
    for row in _integer_rows(n):
        yield Instance({"x": terms.tensor([row])}, 1, "B = 1, integers")
    for size, step in [(size, step) for size in ALONE for step in (1, 2) if size <= 12 or step == 1]:
        rows = [[(step * i + (i + step) * j) % 5 - 2 for j in range(n)] for i in range(size)]
        yield Instance({"x": terms.tensor(rows)}, size, f"B = {size}, integers")
    tenths = [[((5 * i * i + 3 * i + 7 * j + i * j) % 23 - 11.3) / 8 for j in range(n)] for i in range(MANY)]
    yield Instance({"x": terms.tensor(tenths)}, MANY, f"B = {MANY}, multiples of 1/80")


@contract.instances(sizes=(1, 2, 3, 6, 8, 17, 65), times=6)
def normal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Standard normal inputs, of several widths."""
    return {"x": terms.tensor(rng.normal((size, terms.dim or DIM)) * (0.5 + 1.5 * rng.uniform((size, 1))))}


@contract.instances(sizes=(1, 2, 5, 33), times=3)
def ties_and_zeros(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Equal entries, zeros, repeated rows."""
    x = rng.normal((size, terms.dim or DIM))
    x = torch.where(rng.uniform(tuple(x.shape)) < 0.3, 0.0, torch.where(rng.uniform((size, 1)) < 0.4, x[:, :1], x))
    return {"x": terms.tensor(x[rng.integers(0, size, size)])}


@contract.instances(sizes=(1, 4), times=6)
def nearly_integers(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Inputs near 0, and near others that were tried before."""
    rows = _integer_rows(terms.dim or DIM)
    start = torch.tensor([rows[int(i)] for i in rng.integers(-len(rows), len(rows), size).clamp(min=0)])
    return {"x": terms.tensor(start + rng.normal(tuple(start.shape)) * 10.0 ** -float(rng.uniform(1, 2, 8)))}


@contract.instances(sizes=(1, 2), times=4)
def far(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Inputs whose multiples are tried too, far out; every second time integers."""
    x = rng.normal((size, terms.dim or DIM)) * 0.7
    return {"x": terms.tensor(x.round() if float(rng.uniform(1)) < 0.5 else x)}


@contract.instances(sizes=(MANY,), times=4)
def scattered(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Inputs between which the orientation must not change."""
    return {"x": terms.tensor(rng.normal((size, terms.dim or DIM)))}


@contract.law
def rows_are_independent(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """A row's z and log_det are the same alone, among other rows, and in another order."""
    x = instance.arguments["x"]
    result = subject(x)
    whole = outputs(result)
    if not bool(torch.isfinite(whole[:, :-1]).all()):
        finite = "observed, expected = subject(x)[0].isfinite().all().item(), True"
        yield Comparison(excused(subject, instance.arguments), True, 0.0, "z is not finite", finite)
        return
    turned = "x.flip(0)" if len(x) < 257 else "x.repeat(5, 1).flip(0)"
    some = [(0, len(x) - 1, turned), *((row, row, f"x[{row}:{row + 1}]") for row in _some(len(x)))]
    some = some if len(x) > 1 else [(0, 0, "torch.cat([x, 1 - x])")]
    for first, last, words in some:
        other = torch.cat([x, 1 - x]) if len(x) == 1 else x[first : last + 1]
        other = other if last == first else x.repeat(5 if "repeat" in words else 1, 1).flip(0)
        with subject.showing(f"x = {words}\nobserved = subject(x)\nexpected = 'a result'"):
            again = outputs(subject(other))
        again = again.flip(0)[: len(x)] if last > first else again[:1]
        values = whole[first : last + 1]
        gaps = (again - values).abs()
        gap = gaps > digits(terms) * (1 + values.abs().amax(dim=1, keepdim=True))
        for row in gap.any(dim=1).nonzero().flatten().tolist()[:3]:
            part = 0 if bool(gap[row, :-1].any()) else 1
            if part and not smooth(subject, x[first + row : first + row + 1]):
                continue  # at a kink either determinant is right
            there = len(other) - 1 - row if last > first else 0
            lines = (
                f"observed = subject(x)[{part}][{first + row}].tolist()\n"
                f"expected = subject({words})[{part}][{there}].tolist()"
            )
            both = (values[row, -1], again[row, -1]) if part else (values[row, :-1], again[row, :-1])
            little = bool((gaps[row] <= 1e-6 * (1 + values[row].abs().amax())).all())
            what = "a row's result depends on the other rows"
            yield Comparison(*both, 0.0, f"{what} a little: lower precision inside" if little else what, lines)
    lines = "first = subject(x)[0]\nexpected = first.clone()\nsubject(1 - x)\nobserved = first"
    yield Comparison(outputs(result), whole, 0.0, "a later call overwrites an earlier result", lines)


@contract.law
def log_det_is_that_of_the_jacobian(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """log_det is log|det dz/dx|, by differences and by autograd, which agree where there is a graph."""
    x = instance.arguments["x"]
    rows = _some(len(x))
    some = len(rows) < len(x)
    yield from held(subject, x[rows] if some else x, f"x[{rows}]" if some else "x", terms)


@contract.law
def no_precision_is_lost(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Nothing is computed in a lower precision: over distances of 1e-7 the layer is straight to ten digits."""
    x = instance.arguments["x"]
    if terms.dtype == torch.float64 and instance.size >= 8 and not bool((x == x.round()).any()):
        yield from precision(subject, x[:12], terms)
    elif terms.dtype == torch.float32:
        yield Comparison(0.0, 0.0, 0.0, "")


@contract.law
def one_orientation(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """The sign of det dz/dx is the same everywhere: otherwise the map is not one-to-one."""
    x = instance.arguments["x"]
    if instance.size != MANY or bool((x == x.round()).any()):
        return
    layer = Layer(subject, x, terms)
    turned = opposite(layer, layer.slopes, torch.cat([x, 3 * x[::2]]), terms.unit)
    row, other = turned if turned is not None else (x[0], x[0])
    lines = (
        "from mdnn_verify.maths.slopes import orientation\n"
        f"one, other = torch.tensor([{row.tolist()!r}, {other.tolist()!r}], dtype=x.dtype).split(1)\n"
        "observed, expected = orientation(subject, other).item(), orientation(subject, one).item()"
    )
    sign = 1.0 if turned is None else -1.0
    yield Comparison(sign, 1.0, 0.0, "det dz/dx changes its sign, so that the map is not one-to-one", lines)


@contract.law
def one_to_one(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """No two inputs have the same output."""
    x = instance.arguments["x"]
    layer, many = Layer(subject, x, terms), instance.size == MANY and not bool((x == x.round()).any())
    simple = float(x.abs().max()) <= 1 and int((x != 0).sum()) in (0, 1, x.shape[1])
    near = instance.size == 1 and (simple or instance.label.startswith("far"))
    if not many and not near:
        return
    others = preimages(layer, layer.square, x[0], x[1:9]) if many else partners(x[0])
    twin = coincident(layer, layer.square, x[0], others, terms.unit)
    distance = 0.0 if twin is None else float((twin - x[0]).abs().max())
    lines = (
        f"other = torch.tensor([{(x[0] if twin is None else twin).tolist()!r}], dtype=x.dtype)\n"
        "same = torch.allclose(subject(x[:1])[0], subject(other)[0], rtol=1e-5, atol=1e-5)\n"
        "observed = (other - x[:1]).abs().max().item() if same else 0.0  # so far away is the same output\n"
        "expected = 0.0"
    )
    yield Comparison(distance, 0.0, 0.0, "two different inputs have the same output", lines)
    if many:
        yield from overlapping(subject, layer, x, terms)


@contract.law
def the_inverse_undoes_the_map(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Where there is an inverse, inverse(z) is x to 1e-6 relative."""
    x = instance.arguments["x"]
    yield from inverted(subject, x, "x", terms, lambda rows: lost(subject, rows, terms))
    if len(x) > 1:
        yield from inverted(subject, x[-1:], "x[-1:]", terms, lambda rows: lost(subject, rows, terms))


@contract.law
def the_inverse_knows_its_log_det(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """A log_det that the inverse gives too is minus that of the map (or, as some count, that of the map)."""
    x = instance.arguments["x"]
    if len(x) == 1 or (len(x) <= 8 and not bool((x == x.round()).all())):
        yield from told(subject, x, terms)


@contract.law
def far_out(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """All of this far out too, up to where the layer overflows."""
    if not instance.label.startswith("far"):
        return
    x, good = instance.arguments["x"], 1.0
    for scale in FAR:
        wide, words = scale * x, f"({scale} * x)"
        result = subject.attempt(subject, wide)
        if result is None and not overflows(subject, x, good, scale):
            with subject.showing(f"observed = subject{words}\nexpected = 'finite numbers'"):
                subject(wide)
        if result is None or strained(outputs(result), x.dtype):
            yield Comparison(0.0, 0.0, 0.0, "")  # it overflows: all there is to compare
            return
        if subject.attempt(by_differences, subject, wide) is None:  # x_j = 0 has hidden how steep it is
            return
        good = scale
        yield from held(subject, wide, words, terms)
        if float(wide.abs().max()) <= 20:
            yield from inverted(subject, wide, words, terms, lambda rows: lost(subject, rows, terms))


def _some(size: int) -> list[int]:
    """All rows of a small batch, the first, last and some between of a large one."""
    return list(range(size)) if size < 4 else [(7 * size) // 11, size - 1]


def _integer_rows(n: int) -> list[list[int]]:
    """Rows of integers: constant ones, with one entry that is not 0, alternating, rising; small ones first."""
    some = sorted({0, 1, n // 2 - 1, n // 2, n - 2, n - 1} | set(range(min(n, 8))))
    rows = [[0] * n]
    for number in (1, -1, 2, -2, 3, -3):
        rows += [[number * (j == i) for j in range(n)] for i in some]
        rows += [[number] * n, [number * (-1) ** j for j in range(n)]]
        rows += [[number * (j % 2) for j in range(n)], [number * (j < n // 2) - (j >= n // 2) for j in range(n)]]
    rows += [[j % 4 - shift for j in range(n)] for shift in (0, 1, 2)]
    rows += [[(k * j * j + j) % 5 - 2 for j in range(n)] for k in range(1, 8)]
    return sorted(rows, key=lambda row: (max(map(abs, row)), sum(map(abs, row))))
