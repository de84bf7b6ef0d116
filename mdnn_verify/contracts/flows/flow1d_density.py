r"""Any strictly increasing function of one variable, entry by entry, with its derivative.

Nothing else is known of the flow: dz_dx is held against differences of z and, where z carries a graph, against
autograd, at every entry; z against its order. What rounding may explain: differences state how far they may be off, and
at a kink nothing is compared; a derivative by autograd and dz_dx are taken to be right to ten digits (float32: 2^8 u),
dz_dx to e^-20, as torch rounds softplus to the identity beyond 20,
and to 2^5 u (1 + |z| + the largest slope), which is what s (1 - s) has lost in the tails of a flow that saturates.
There the slope may underflow to 0, and z no longer grow; what tells that from a flow that is flat is the slope just
before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Contract, Instance, Terms
from mdnn_verify.contracts.flows._inverse import inverted
from mdnn_verify.contracts.flows._layer import AGAIN, THRESHOLD, agreements, digits, precision
from mdnn_verify.contracts.flows._searches import steps_down, steps_up
from mdnn_verify.engines.montecarlo import Stream
from mdnn_verify.maths.slopes import by_autograd, by_differences, outputs

OVERFLOW = {torch.float64: 1e100, torch.float32: 1e12}
INVERTED = 16.0  # up to there the inverse is asked for
SIZES = (2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 31, 32, 33, 64, 65, 100, 129)
Arguments = Mapping[str, torch.Tensor]


def directions(arguments: Arguments, rng: Stream) -> Arguments:
    """Any direction; none at inputs with integers, where a kink or a removable singularity may be."""
    x = arguments["x"]
    return {} if bool((x == x.round()).any()) else {"x": rng.normal(tuple(x.shape)).to(x) / 4}


def excused(subject: Any, arguments: Arguments) -> bool:
    """Whether all entries at which the flow fails lie beyond one where it is about to overflow."""
    x = arguments["x"]
    failing = [one for one in torch.split(x, 1) if not _finite(subject.attempt(subject, one))]
    nearest = [
        min(side, key=lambda one: abs(float(one)))
        for side in ([one for one in failing if one > 0], [one for one in failing if not one > 0])
        if side
    ]
    return bool(nearest) and all(_overflows(subject, one) for one in nearest)


contract = Contract(
    call="flow(x (N,)) -> (z (N,), dz_dx (N,))",
    returns=lambda arguments: {"z": tuple(arguments["x"].shape), "dz_dx": tuple(arguments["x"].shape)},
    scope="N = 1 to 257, |x| up to 50 (for the inverse 16), unsorted and repeated, integers, 0 and near it",
    excused=excused,
    tangents=directions,
)


@contract.small
def small(terms: Terms) -> Iterable[Instance]:
    """One integer up to 50 in magnitude, pairs, then longer inputs."""
    for number in sorted([*range(-20, 21), *range(-50, 51, 5)], key=abs):
        yield Instance({"x": terms.tensor([number])}, 1, "N = 1, an integer")
    for left, right in ((0, 0), (1, 0), (0, 1), (1, 1), (-1, 1), (1, -1), (2, -3), (-4, 4), (9, -8), (-30, 30)):
        yield Instance({"x": terms.tensor([left, right])}, 2, "N = 2, integers")
    for size in SIZES:
        yield Instance(
            {"x": terms.tensor([(3 * i * i + i) % 9 - 4 for i in range(size)])}, size, f"N = {size}, integers"
        )
    for scale in (1 / 16, 0.39):
        x = [scale * ((37 * i) % 257 - 128.4) for i in range(257)]
        yield Instance({"x": terms.tensor(x)}, 257, f"N = 257, evenly from {128 * -scale:.0f} to {128 * scale:.0f}")


@contract.instances(sizes=(1, 2, 3, 8, 17, 33, 100), times=6)
def normal(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Normal inputs of several widths."""
    return {"x": terms.tensor(rng.normal(size) * (0.5 + 2 * rng.uniform(size)))}


@contract.instances(sizes=(1, 2, 5, 16, 65), times=4)
def wide(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Far points, out of order."""
    return {"x": terms.tensor(rng.uniform(size, -50, 50))}


@contract.instances(sizes=(1, 2, 7, 32), times=4)
def repeated(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Repeated entries, zeros, halves."""
    x = (2 * rng.normal(size)).round() / 2
    return {"x": terms.tensor(torch.where(rng.uniform(size) < 0.5, x, rng.normal(size))[rng.integers(0, size, size)])}


@contract.instances(sizes=(1, 3, 9), times=3)
def tiny(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Inputs near 0."""
    return {"x": terms.tensor(rng.normal(size) * 10.0 ** -float(rng.uniform(1, 2, 8)))}


@contract.instances(sizes=(257,), times=4)
def dense(rng: Stream, size: int, terms: Terms) -> Arguments:
    """Many points between -10 and 10 or -50 and 50, so that a fault in a narrow range shows."""
    return {"x": terms.tensor(rng.uniform(size, -10, 10) * (1 + 4 * rng.integers(0, 2, 1)))}


@contract.law
def entries_are_independent(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """An entry's z and dz_dx are the same alone, among others, and in another order."""
    x = instance.arguments["x"]
    result = subject(x)
    whole = outputs(result)
    if not bool(torch.isfinite(whole[:, 0]).all()):
        finite = "observed, expected = subject(x)[0].isfinite().all().item(), True"
        yield Comparison(excused(subject, instance.arguments), True, 0.0, "z is not finite", finite)
        return
    order = x.argsort()
    others = [("x.flip(0)", list(range(len(x)))[::-1]), ("x[x.argsort()]", order.tolist())]
    others += [(f"x[{i}:{i + 1}]", [i]) for i in {0, len(x) // 2, len(x) - 1}]
    others += [("x.repeat(5)", 5 * list(range(len(x))))] if instance.label.startswith("N = 257") else []
    others = others if len(x) > 1 else [("torch.cat([x, 1 - x])", [0]), ("torch.cat([x, x])", [0])]
    for words, places in others:
        other = x[places] if len(x) > 1 else torch.cat([x, x if words.endswith("x, x])") else 1 - x])
        with subject.showing(f"x = {words}\nobserved = subject(x)\nexpected = 'a result'"):
            again = outputs(subject(other))[: len(places)]
        gap = (again - whole[places]).abs() - digits(terms) * (1 + whole[places].abs())
        there, part = divmod(int(gap.argmax()), 2)
        lines = (
            f"observed = subject(x)[{part}][{places[there]}].item()\n"
            f"expected = subject({words})[{part}][{there}].item()"
        )
        here = float(whole[places[there], part])
        what = "an entry's result depends on the other entries"
        if not float(gap.max()) <= 0 and not (part and not _smooth(subject, x[places[there]])):
            yield Comparison(here, float(again[there, part]), 0.0, what, lines)
    lines = "first = subject(x)[0]\nexpected = first.clone()\nsubject(1 - x)\nobserved = first"
    yield Comparison(outputs(result), whole, 0.0, "a later call overwrites an earlier result", lines)


@contract.law
def dz_dx_is_the_derivative(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """dz_dx is the derivative of z, by differences and by autograd, which agree where there is a graph."""
    x = instance.arguments["x"][:, None]
    column = _Column(subject)
    values = outputs(column(x))
    if not bool(torch.isfinite(values[:, 0]).all()):
        return
    slopes = subject.attempt(by_differences, column, x)
    if slopes is None:
        return
    gives, wants, off = values[:, 1], slopes.jacobian[:, 0, 0], slopes.off[:, 0, 0]
    steepest = float(wants[torch.isfinite(off)].abs().max()) if bool(torch.isfinite(off).any()) else 0.0
    rounded = 2**5 * terms.unit * (1 + values[:, 0].abs() + steepest)
    settled = off <= (1e-3 if terms.dtype == torch.float64 else 1e-2) * (1 + wants.abs())
    start = "from mdnn_verify.maths.slopes import by_autograd, by_differences\n"
    lines = (
        f"{start}observed = subject(x)[1]{{0}}.tolist()\n"
        "expected = {1}(lambda p: subject(p[:, 0])[0], x[:, None]){2}"
    )
    relative = max(digits(terms), THRESHOLD)
    limit = off + relative * gives.abs() + rounded
    doubtful = settled & ~((gives - wants).abs() <= limit)
    if bool(doubtful.any()):  # kinks whose effects cancel do so at one step only
        again = by_differences(column, x, AGAIN)
        further = again.off[:, 0, 0] + relative * gives.abs() + rounded
        settled &= ~doubtful | ~((gives - again.jacobian[:, 0, 0]).abs() <= further)
    if bool(settled.any()):
        places = settled.nonzero().flatten().tolist()
        shown = lines.format(f"[{places}]", "by_differences", f".jacobian[{places}, 0, 0].tolist()")
        yield Comparison(gives[settled], wants[settled], limit[settled], "dz_dx is not the derivative of z", shown)
    yield from agreements(column, x, slopes, "x[:, None]", terms)
    found = subject.attempt(by_autograd, column.raw, x)
    sure = torch.tensor([False]) if found is None else settled & torch.isfinite(found[0][:, 0, 0])
    if found is not None and found[1][0] and bool(sure.any()):
        exact = found[0][:, 0, 0]
        sure = sure & ((exact - wants).abs() <= 4 * off + digits(terms) * wants.abs())
        places = sure.nonzero().flatten().tolist()
        shown = lines.format(f"[{places}]", "by_autograd", f"[0][{places}, 0, 0].tolist()")
        bound = (relative * gives.abs() + rounded)[sure]
        if places:
            yield Comparison(gives[sure], exact[sure], bound, "dz_dx is not the derivative of z", shown)


@contract.law
def strictly_increasing(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """dz_dx is positive, and a larger x has a larger z, which does not jump: dz_dx would miss what lies between."""
    x = instance.arguments["x"]
    z, slope = outputs(subject(x)).T
    yield Comparison(slope.clamp(max=0.0), torch.zeros_like(slope), 0.0, "dz_dx is negative",
                     "observed = subject(x)[1].clamp(max=0.0).tolist()\nexpected = [0.0] * len(x)")  # fmt: skip
    for place in (slope == 0).nonzero().flatten().tolist()[:2]:
        flat = _flat(subject, float(x[place]), terms)
        shown = f"observed, expected = subject(x)[1][{place}].item(), 'a positive number'"
        yield Comparison(flat, False, 0.0, "dz_dx is 0 over an interval: the flow is not strictly increasing", shown)
    order = x.argsort()
    x, z, slope = x[order].double().cpu(), z[order.cpu()], slope[order.cpu()]
    step, rise = x.diff(), z.diff()
    size = torch.maximum(z[1:].abs(), z[:-1].abs()).clamp(min=1.0)
    grows = torch.maximum(slope[1:], slope[:-1]) * step.clamp(max=1e-3) > 2**8 * terms.unit * size
    falls = rise < -(2**8) * terms.unit * (size + torch.maximum(slope[1:], slope[:-1]) * x[1:].abs())
    for place in ((step > 0) & torch.isfinite(rise) & (falls | (grows & (rise <= 0)))).nonzero().flatten().tolist()[:1]:
        pair = f"torch.tensor([{x[place].item()!r}, {x[place + 1].item()!r}], dtype=x.dtype)"
        lines = f"observed = subject({pair})[0].diff().item()\nexpected = 'a positive number'"
        yield Comparison(-1.0, 1.0, 0.0, "z does not grow from one point to a larger one", lines)
    if instance.size == 257:
        yield from steps_down(subject, instance.arguments["x"].sort().values, terms)
    if instance.label.startswith("N = 257"):
        yield from steps_up(subject, instance.arguments["x"].sort().values, terms)


@contract.law
def no_precision_is_lost(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Nothing is computed in a lower precision: over distances of 1e-7 the flow is straight to ten digits."""
    x = instance.arguments["x"]
    if terms.dtype == torch.float32:
        yield Comparison(0.0, 0.0, 0.0, "")
    elif instance.size >= 8 and not bool((x == x.round()).any()):
        near = x[(x.abs() <= 8) & (x.abs() > 0.05)][:24, None]
        if len(near) > 6:
            yield from precision(_Column(subject), near, terms)


@contract.law
def the_inverse_undoes_the_flow(subject: Any, instance: Instance, terms: Terms) -> Iterator[Comparison]:
    """Where there is an inverse, inverse(z) is x to 1e-6 relative."""
    x = instance.arguments["x"]
    inside = (x.abs() <= INVERTED).nonzero().flatten().tolist()
    words = "x" if len(inside) == len(x) else f"x[{inside}]"
    if not inside:
        return

    def lost(some: torch.Tensor) -> torch.Tensor:
        """2^10 u (1 + |z| + |x| dz/dx) over dz/dx."""
        values = outputs(subject(some))
        share = (1 + values[:, 0].abs()) / values[:, 1] + some.abs().double().cpu()
        return torch.nan_to_num(2**10 * terms.unit * share, nan=torch.inf)

    yield from inverted(subject, x if words == "x" else x[inside], words, terms, lost)
    if len(inside) > 1:
        yield from inverted(subject, x[inside[-1:]], f"x[{inside[-1:]}]", terms, lost)


class _Column:
    """The flow as a map of rows of one entry, (R, 1) to (R, 2)."""

    words = "lambda p: subject(p[:, 0])"

    def __init__(self, subject: Any) -> None:
        self.subject, self.attempt = subject, subject.attempt

    def __call__(self, x: torch.Tensor) -> Any:
        return self.subject(x[:, 0])

    def raw(self, x: torch.Tensor) -> Any:
        return self.subject.raw(x[:, 0])


def _flat(subject: Any, x: float, terms: Terms) -> bool:
    """Whether the slope is 0 not only at x, but over an interval at whose end it is not small.

    A slope that underflows is small before it does; x^3 has slope 0 at one point only.
    """

    def slope(*points: float) -> torch.Tensor:
        result = subject.attempt(subject, terms.tensor(points))
        return outputs([torch.zeros(len(points), 2)] if result is None else result)[:, 1]

    if bool((slope(x - 0.01, x + 0.01) != 0).all()):
        return False
    away = sorted((quarter / 4 for quarter in range(-240, 241)), key=lambda point: abs(point - x))
    rising = (slope(*away) > 0).nonzero().flatten().tolist()
    if not rising:
        return True
    zero, positive = x, away[rising[0]]
    for _ in range(50):
        middle = (zero + positive) / 2
        zero, positive = (zero, middle) if float(slope(middle)) > 0 else (middle, positive)
    further = positive + (0.01 if positive > x else -0.01)
    return float(slope(further)) > 1e-6 * float(slope(*away).max())


def _smooth(subject: Any, x: torch.Tensor) -> bool:
    slopes = subject.attempt(by_differences, _Column(subject), x.reshape(1, 1))
    return slopes is not None and bool((slopes.off <= 1e-3 * (1 + slopes.jacobian.abs())).all())


def _finite(result: Any) -> bool:
    return result is not None and bool(torch.isfinite(result["z"]).all())


def _overflows(subject: Any, x: torch.Tensor) -> bool:
    """Whether on the way from 0 to x the flow fails only after it has become huge."""
    good, bad, last = 0.0, 1.0, torch.zeros(1)
    for _ in range(60):
        middle = (good + bad) / 2
        result = subject.attempt(subject, middle * x)
        if _finite(result):
            good, last = middle, outputs(result)
        else:
            bad = middle
    return not float(last.abs().max()) <= OVERFLOW[x.dtype]
