"""What the contracts of flows measure at a point: determinant, autograd against differences, precision."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from mdnn_verify.contract import Comparison, Terms
from mdnn_verify.maths.slopes import STEPS, Slopes, by_autograd, by_differences, by_products, outputs, resolved

__all__ = [
    "AGAIN",
    "THRESHOLD",
    "agreements",
    "digits",
    "held",
    "limits",
    "overflows",
    "precision",
    "slopes_of",
    "smooth",
    "strained",
]

THRESHOLD = math.exp(-20)  # torch's softplus(x) is x beyond 20: its slope is off by so much from sigmoid(x)
AGAIN = 1 / 7  # of the step, where differences are asked for a second time
OVERFLOW = {torch.float64: (1e100, 230.0), torch.float32: (1e12, 28.0)}  # |z| and |log_det| on the way there


def digits(terms: Terms) -> float:
    """Relative error that a sum of products may have: 2^8 u, in float64 ten digits."""
    return max(2**8 * terms.unit, 1e-10)


def slopes_of(subject: Any, x: torch.Tensor, terms: Terms) -> Slopes:
    """The Jacobian (R, m, n) of all outputs: by autograd where they carry a graph, else by differences."""
    found = subject.attempt(by_autograd, subject.raw, x)
    if found is not None and all(found[1][:-1]) and bool(torch.isfinite(found[0][:, :-1]).all()):
        values = outputs(subject(x))
        return Slopes(found[0], rounding(found[0], values, terms))
    return by_differences(subject, x)


def rounding(jacobian: torch.Tensor, values: torch.Tensor, terms: Terms) -> torch.Tensor:
    """How far entries computed in this precision may be off: 2^5 u (1 + |J_ij| + |z_i|), numbers between of size 1."""
    return 2**5 * terms.unit * (1 + jacobian.abs() + values.abs()[:, :, None])


def smooth(subject: Any, x: torch.Tensor) -> bool:
    """Whether the determinant at this row is well defined, by differences from both sides."""
    slopes = by_differences(lambda points: outputs(subject(points))[:, :-1], x)
    return bool(torch.isfinite(resolved(slopes)[1]).all())


def held(subject: Any, x: torch.Tensor, words: str, terms: Terms) -> Iterator[Comparison]:
    """log_det at each row (R, n), which ``words`` name, against the Jacobians, and these against each other."""
    values = outputs(subject(x))
    start = f"from mdnn_verify.maths.slopes import by_autograd, log_abs_det\nrows = {words}\n"
    with subject.showing(f"{start}observed, expected = log_abs_det(subject, rows), 'numbers'"):
        slopes = by_differences(subject, x)
    square = Slopes(slopes.jacobian[:, :-1], slopes.off[:, :-1])
    yield from _determinants(values, square, start, terms, subject, x)
    usual = (x != x.round()).all(dim=1) & (x.abs() <= 2).all(dim=1)
    for row in (usual.cpu() & (values[:, -1] == -torch.inf)).nonzero().flatten().tolist():
        lines = f"{start}observed, expected = subject(rows)[1][{row}].item(), 'a finite number'"
        yield Comparison(-torch.inf, 0.0, 0.0, "log_det is -inf at an input like any other", lines)
    yield from agreements(subject, x, eased(slopes, values, x, terms), words, terms)
    if bool((x == x.round()).any()):
        return
    found = subject.attempt(by_autograd, subject.raw, x)
    if found is None or not all(found[1][:-1]) or not bool(torch.isfinite(found[0][:, :-1]).all()):
        return
    exact = found[0][:, :-1]
    agree = ((exact - square.jacobian).abs() <= 4 * square.off + digits(terms) * exact.abs()).all(dim=2).all(dim=1)
    sure = torch.where(agree[:, None, None] & torch.isfinite(square.off), 0.0, torch.inf)
    yield from _determinants(values, Slopes(exact, sure), start, terms)


def _determinants(
    values: torch.Tensor,
    slopes: Slopes,
    start: str,
    terms: Terms,
    subject: Any = None,
    x: torch.Tensor | None = None,
) -> Iterator[Comparison]:
    """The last output at each row against log|det| of the Jacobian; ``subject`` at ``x`` for differences once more."""
    logs, limit = values[:, -1], limits(values, slopes, terms)
    value, _, upper = resolved(slopes)
    for row, gives in enumerate(logs.tolist()):
        one = "rows" if len(values) == 1 else f"rows[{row}:{row + 1}]"
        expected = (
            "log_abs_det(subject, {})" if x is not None else "by_autograd(lambda p: subject(p)[0], {})[0].slogdet()[1]"
        )
        lines = f"{start}observed = subject({one})[1].item()\nexpected = {expected.format(one)}.item()"
        wants, bound = float(value[row]), float(limit[row])
        if bound < 1:
            if x is not None and not abs(gives - wants) <= bound:
                again = by_differences(lambda points: outputs(subject(points))[:, :-1], x[row : row + 1], AGAIN)
                if abs(gives - float(resolved(again)[0])) <= float(limits(values[row : row + 1], again, terms)):
                    continue
            yield Comparison(
                gives, wants, bound, "log_det is not log|det dz/dx|", lines, scale=float(values.shape[1] - 1)
            )
        elif x is not None:
            highest = min(gives, float(upper[row]))
            yield Comparison(gives, highest, 0.1, "log_det is above log|det dz/dx|", lines)


def limits(values: torch.Tensor, slopes: Slopes, terms: Terms) -> torch.Tensor:
    """What rounding may explain between log_det and log|det J|, (R,)."""
    entries = slopes.jacobian.nan_to_num()
    size = entries.shape[1] + torch.nan_to_num(values[:, -1], posinf=0.0, neginf=0.0).abs()
    beyond = values[:, :-1].abs().amax(dim=1) >= 20
    relative = torch.where(beyond, max(digits(terms), THRESHOLD), digits(terms))
    return relative * size + _spread(entries, values, terms) + resolved(slopes)[1]


def _spread(entries: torch.Tensor, values: torch.Tensor, terms: Terms) -> torch.Tensor:
    """What the rounding of the Jacobian's entries (R, n, n) makes of log|det|, (R,)."""
    return resolved(Slopes(entries, rounding(entries, values[:, :-1], terms)))[1]


def eased(slopes: Slopes, values: torch.Tensor, x: torch.Tensor, terms: Terms) -> Slopes:
    """Differences (R, n + 1, n) of z and log_det, the latter off also by what it may have lost, over the step."""
    if x.shape[1] == 1:  # a flow of one variable: no logarithm
        return slopes
    off = slopes.off.clone()
    off[:, -1] += 4 * _spread(slopes.jacobian[:, :-1].nan_to_num(), values, terms)[:, None] / STEPS[x.dtype]
    return Slopes(slopes.jacobian, off)


def agreements(subject: Any, x: torch.Tensor, slopes: Slopes, words: str, terms: Terms) -> Iterator[Comparison]:
    """Of all outputs that carry a graph, one sum, and where it disagrees the entry that does."""
    weights = 1 + torch.arange(slopes.jacobian.shape[1], dtype=torch.float64) / 7
    found = subject.attempt(by_products, subject.raw, x, weights)
    if found is None or not bool((found[1] != 0).any()):
        return
    product, kept = found
    sums = torch.einsum("m,rmn->rn", kept, slopes.jacobian)
    off = torch.einsum("m,rmn->rn", kept, slopes.off.clamp(max=1e300)) + digits(terms) * sums.abs()
    for row in (~((product - sums).abs() <= off)).any(dim=1).nonzero().flatten().tolist():
        one = x[row : row + 1]
        wrong = disagreement(subject, one, terms)
        special = bool((one == one.round()).any())
        if wrong is None or disagreement(subject, one, terms, AGAIN) is None:
            continue
        if special and disagreement(subject, _nearby(one), terms) is None:
            continue
        output, entry, left, right = wrong
        lines = (
            "from mdnn_verify.maths.slopes import columns\n"
            f"observed, expected = columns({getattr(subject, 'words', 'subject')}, {words}, {row}, {output}, {entry})"
        )
        yield Comparison(left, right, 0.0, "autograd differentiates something else than what is computed", lines)


def disagreement(
    subject: Any, row: torch.Tensor, terms: Terms, shrink: float = 1.0
) -> tuple[int, int, float, float] | None:
    """Where autograd and differences disagree at one row (1, n): output, entry, and the two; None if nowhere.

    An entry does not count where the same step crosses a kink of any output; all of an output are as uncertain as the
    worst (noise differs from step to step).
    """
    found = subject.attempt(by_autograd, subject.raw, row)
    slopes = None if found is None or not any(found[1]) else subject.attempt(by_differences, subject, row, shrink)
    if found is None or slopes is None:
        return None
    jacobian, tracked = found
    slopes = eased(slopes, outputs(subject(row)), row, terms)
    limit = 1e-3 if terms.dtype == torch.float64 else 1e-2
    settled = (slopes.off <= limit * slopes.jacobian.abs().clamp(min=1.0)).all(dim=1, keepdim=True)
    gap = (jacobian - slopes.jacobian).abs() - digits(terms) * jacobian.abs()
    gap = gap - 4 * slopes.off.amax(dim=2, keepdim=True)
    gap = torch.where(settled & torch.tensor(tracked)[:, None], gap.nan_to_num(nan=torch.inf), 0.0)[0]
    if not bool((gap > 0).any()):
        return None
    output, entry = divmod(int(gap.argmax()), row.shape[1])
    return output, entry, float(jacobian[0, output, entry]), float(slopes.jacobian[0, output, entry])


def _nearby(row: torch.Tensor) -> torch.Tensor:
    """A point close to ``row`` (1, n) that is special in no way."""
    steps = torch.arange(1, row.shape[1] + 1, dtype=torch.float64, device=row.device) * 0.6180339887498949
    return row + (0.01 * (0.1 + steps % 1.0)).to(row.dtype)


def overflows(subject: Any, x: torch.Tensor, good: float, bad: float) -> bool:
    """Whether what fails at ``bad`` x but not at ``good`` x is preceded by numbers on their way to overflow.

    Beside x an input nearby is tried: entries that are 0 may hide how large the factors are.
    """
    hidden = subject.attempt(subject, good * _nearby(x))
    if hidden is not None and strained(outputs(hidden), x.dtype):
        return True
    return any(_strained_before(subject, start, good, bad) for start in (x, _nearby(x)))


def _strained_before(subject: Any, x: torch.Tensor, good: float, bad: float) -> bool:
    last = None
    for _ in range(40):
        middle = (good + bad) / 2
        result = subject.attempt(subject, middle * x)
        if result is None or not bool(torch.isfinite(outputs(result)).all()):
            bad = middle
        else:
            good, last = middle, outputs(result)
    return last is not None and strained(last, x.dtype)


def strained(values: torch.Tensor, dtype: torch.dtype) -> bool:
    """Whether z and log_det, side by side, are about to overflow; a log_det that is infinite at once is not."""
    largest, steepest = OVERFLOW[dtype]
    steepest *= max(1.0, (values.shape[1] - 1) / 6)  # a sum over the coordinates
    logs = values[:, -1].abs()
    return not (float(values[:, :-1].abs().max()) <= largest and bool(((logs <= steepest) | (logs == torch.inf)).all()))


def precision(subject: Any, x: torch.Tensor, terms: Terms) -> Iterator[Comparison]:
    """Second differences of all outputs at steps of 2^-24 around each row (R, n), and whether float32 holds them."""
    way = 2.0**-24 * torch.arange(-4, 5, dtype=x.dtype, device=x.device)[:, None, None] * torch.sign(x)
    values = outputs(subject((x + way).reshape(-1, x.shape[1]))).reshape(9, len(x), -1)
    if not bool(torch.isfinite(values).all()):
        return
    bend = (values[2:] - 2 * values[1:-1] + values[:-2]).abs().amax(dim=0)
    worst = (bend / (1 + values.abs().amax(dim=0))).median(dim=0).values
    start = "from mdnn_verify.maths.slopes import outputs\n"
    lines = (
        f"{start}way = 2.0**-24 * torch.arange(-4, 5).double()[:, None, None] * torch.sign(x[:{len(x)}])\n"
        f"values = torch.stack([outputs(subject(part)).detach() for part in x[:{len(x)}] + way])\n"
        "bend = (values[2:] - 2 * values[1:-1] + values[:-2]).abs().amax(0)\n"
        "observed = (bend / (1 + values.abs().amax(0))).median(0).values.tolist()\nexpected = 'at most 1e-10'"
    )
    what = "it jumps by more than float64 rounds: lower precision inside"
    yield Comparison(worst.max(), 0.0, digits(terms), what, lines)
    single = (values.float().double() == values).all(dim=0).all(dim=0)
    coarse = [i for i, rounded in enumerate(single.tolist()) if rounded and len(set(values[4, :, i].tolist())) > 6]
    lines = (
        f"{start}observed = outputs(subject(x + 2.0**-24))[:, {coarse}].tolist()\n"
        "expected = 'numbers that float32 cannot hold'"
    )
    yield Comparison(float(len(coarse)), 0.0, 0.0, "outputs are rounded to float32", lines)
