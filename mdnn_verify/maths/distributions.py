"""Distribution functions with jumps and flat pieces, and their generalized inverses G(u) = inf{x : u < F(x)}.

Everything is vectorised over float64 tensors. ``strict=False`` asks for the other convention, inf{x : u <= F(x)}.
Source: seed 004, Problem 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import sympy as sp
import torch

from mdnn_verify.maths.validation import positive_integer, probability_vector, vector

__all__ = [
    "CANTOR_DEPTH",
    "Law",
    "cantor_law",
    "flat_law",
    "generalized_inverse",
    "generalized_inverse_of_steps",
    "left_continuous_step_law",
    "mixed_law",
    "one_sided_limit",
    "step_law",
]

CANTOR_DEPTH = 33  # the largest K with 3^K < 2^53: every left endpoint of level K is an exact float64 in units of 3^-K
Inverse = Callable[[torch.Tensor, bool], torch.Tensor]
Function = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Law:
    """A law on the line: F(x), F(x-), and the generalized inverse ``inverse(u, strict)`` for 0 < u < 1.

    ``formula`` is F in SymPy's real symbol x and ``breaks`` the points where its pieces meet; None for the Cantor law.
    ``rounding`` bounds the error that float64 makes in cdf(inverse(u)) and cdf_left(inverse(u)); 0 means none.
    ``atoms`` and ``probabilities`` are filled for step functions only.
    """

    name: str
    cdf: Function
    cdf_left: Function
    inverse: Inverse
    formula: sp.Expr | None = None
    breaks: tuple[sp.Rational, ...] = ()
    rounding: float = 0.0
    atoms: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()


x = sp.Symbol("x", real=True)


def generalized_inverse_of_steps(
    atoms: Sequence[float], probs: Sequence[float], u: torch.Tensor, *, strict: bool = True
) -> torch.Tensor:
    """G(u) for the law with mass probs[k] at atoms[k]; same shape as ``u``.

    Raises ValueError, naming the argument, for atoms that do not increase strictly, probabilities that are negative or
    do not sum to 1, different lengths, or u outside (0, 1).
    """
    u = _unit_interval(u)
    places, steps = _steps(atoms, probs, u.device)
    # an atom of probability 0 is never the infimum: u < F first holds at an atom where F rises
    return places[torch.searchsorted(steps[:-1].contiguous(), u, right=strict)]


def generalized_inverse(cdf: Function, u: torch.Tensor, *, strict: bool = True) -> torch.Tensor:
    """The least float64 x with u < cdf(x) (``strict``) or u <= cdf(x), for a nondecreasing ``cdf`` on float64 tensors.

    Bisection over the ordered integers behind the floats: 64 halvings reach the exact least float, with no tolerance.
    Raises ValueError for u outside (0, 1) or where no finite x reaches u.
    """
    u = _unit_interval(u)
    largest = torch.full_like(u, torch.finfo(torch.float64).max)

    def reached(at: torch.Tensor) -> torch.Tensor:
        return u < cdf(at) if strict else u <= cdf(at)

    if not bool(reached(largest).all()) or bool(reached(-largest).any()):
        raise ValueError("cdf does not cross u between the least and the largest float, expected limits 0 and 1")
    low, high = _rank(-largest), _rank(largest)
    for _ in range(64):
        middle = (low >> 1) + (high >> 1) + (low & high & 1)  # the floor of the mean, without overflow
        hit = reached(_float_of_rank(middle))
        low, high = torch.where(hit, low, middle), torch.where(hit, middle, high)
    return _float_of_rank(high)


def step_law(atoms: Sequence[float], probs: Sequence[float]) -> Law:
    """The discrete law with mass probs[k] at atoms[k]. Raises ValueError as ``generalized_inverse_of_steps`` does."""
    _steps(atoms, probs, torch.device("cpu"))
    sums = [sp.Rational(0)]
    for p in probs:
        sums.append(sums[-1] + _rational(p))
    pieces = [(height, x < _rational(a)) for height, a in zip(sums[:-1], atoms, strict=True)]

    def count(at: torch.Tensor, right: bool) -> torch.Tensor:
        places, steps = _steps(atoms, probs, at.device)
        return torch.cat([steps.new_zeros(1), steps])[torch.searchsorted(places, at, right=right)]

    def inverse(u: torch.Tensor, strict: bool = True) -> torch.Tensor:
        return generalized_inverse_of_steps(atoms, probs, u, strict=strict)

    return Law(
        "step",
        cdf=lambda at: count(at, True),
        cdf_left=lambda at: count(at, False),
        inverse=inverse,
        formula=sp.Piecewise(*pieces, (sp.Integer(1), True)),
        breaks=tuple(_rational(a) for a in atoms),
        atoms=tuple(atoms),
        probabilities=tuple(probs),
    )


def left_continuous_step_law(atoms: Sequence[float], probs: Sequence[float]) -> Law:
    """x -> P(X < x) in the place of P(X <= x): nondecreasing with limits 0 and 1, but not right-continuous: no CDF."""
    right = step_law(atoms, probs)
    sums = np.concatenate([[0.0], np.cumsum(probs)])
    pieces = [(_rational(height), x <= _rational(a)) for height, a in zip(sums[:-1], atoms, strict=True)]
    return Law(
        "left-continuous step",
        cdf=right.cdf_left,
        cdf_left=right.cdf_left,
        inverse=right.inverse,
        formula=sp.Piecewise(*pieces, (sp.Integer(1), True)),
        breaks=right.breaks,
        atoms=right.atoms,
        probabilities=right.probabilities,
    )


def one_sided_limit(law: Law, at: sp.Rational, *, right: bool) -> sp.Expr:
    """F(at+) or F(at-): the value at ``at`` of the piece that is in force next to it, each piece being continuous.

    (``sympy.limit`` takes the piece in force AT the point from either side, which is wrong at a jump.)
    Raises ValueError for a law without a formula.
    """
    if law.formula is None:
        raise ValueError(f"law {law.name!r} has no formula, expected one given by pieces")
    side = 1 if right else -1
    nearest = min((abs(b - at) for b in law.breaks if (b - at) * side > 0), default=sp.Integer(1))
    next_to = at + side * nearest / 2
    piece = next(piece for piece, condition in law.formula.args if sp.sympify(condition).subs(x, next_to) == sp.true)
    return piece.subs(x, at)


def flat_law() -> Law:
    """Uniform on [0, 1] and [2, 3] together: F is continuous and flat on [1, 2]."""
    half = sp.Rational(1, 2)

    def cdf(at: torch.Tensor) -> torch.Tensor:
        return (at.clamp(0, 1) + at.clamp(2, 3) - 2) / 2

    def inverse(u: torch.Tensor, strict: bool = True) -> torch.Tensor:
        u = _unit_interval(u)
        return torch.where(u < 0.5 if strict else u <= 0.5, 2 * u, 1 + 2 * u)

    formula = sp.Piecewise((0, x < 0), (x / 2, x < 1), (half, x < 2), ((x - 1) / 2, x < 3), (1, True))
    # 1 + 2 u is rounded once at magnitude at most 4, and once more in F, where it counts half
    return Law("flat", cdf, cdf, inverse, formula, tuple(sp.Rational(b) for b in range(4)), rounding=2.0**-51)


def mixed_law() -> Law:
    """A quarter each: an atom at 0, uniform on [0, 1], an atom at 2 behind a flat piece, 2 + a standard exponential."""
    quarter = sp.Rational(1, 4)

    def continuous(at: torch.Tensor) -> torch.Tensor:
        return (at.clamp(0, 1) - torch.expm1(-(at - 2).clamp(min=0))) / 4

    def inverse(u: torch.Tensor, strict: bool = True) -> torch.Tensor:
        u = _unit_interval(u)

        def below(height: float) -> torch.Tensor:
            return u < height if strict else u <= height

        upper = torch.where(below(0.75), 2.0, 2 - torch.log(4 * (1 - u)))
        return torch.where(below(0.25), 0.0, torch.where(below(0.5), 4 * u - 1, upper))

    formula = sp.Piecewise(
        (0, x < 0), ((1 + x) / 4, x < 1), (sp.Rational(1, 2), x < 2), (1 - quarter * sp.exp(2 - x), True)
    )
    return Law(
        "mixed",
        cdf=lambda at: continuous(at) + ((at >= 0).double() + (at >= 2).double()) / 4,
        cdf_left=lambda at: continuous(at) + ((at > 0).double() + (at > 2).double()) / 4,
        inverse=inverse,
        formula=formula,
        breaks=(sp.Rational(0), sp.Rational(1), sp.Rational(2)),
        # u >= 2^-54 and 1 - u >= 2^-53 make |x| < 40: three roundings of x at most 2^-47 each, F' <= 1/4, F's own 2^-51
        rounding=2.0**-46,
    )


def cantor_law(depth: int = CANTOR_DEPTH) -> Law:
    """The Cantor law on [0, 1], continuous without a density, in units of 3^-depth: its points are exact integers.

    With u = 0.b1 b2 ... in binary, G(u) = sum_k 2 b_k 3^-k: the terminating expansion of a dyadic u leads to the right
    end of the gap where F = u, which is the infimum of {x : u < F(x)}. ``inverse`` keeps the first ``depth`` bits,
    and ``cdf`` the first ``depth`` ternary digits: both move probabilities by less than 2^-depth.
    Raises ValueError for a depth that is not an integer from 1 to 33.
    """
    if positive_integer("depth", depth) > CANTOR_DEPTH:
        raise ValueError(f"depth = {depth}, expected at most {CANTOR_DEPTH}: beyond, the points are no exact floats")

    def cdf(at: torch.Tensor) -> torch.Tensor:
        rest = torch.floor(at.clamp(0, float(3**depth)))
        inside, total = rest < 3**depth, torch.zeros_like(rest)
        undecided = inside.clone()  # as long as no ternary digit 1 was met
        for k in range(1, depth + 1):
            digit = torch.floor(rest / 3 ** (depth - k))
            rest = rest - digit * 3 ** (depth - k)
            total = torch.where(undecided & (digit >= 1), total + 0.5**k, total)
            undecided = undecided & (digit != 1)
        return torch.where(inside, total, 1.0)

    def inverse(u: torch.Tensor, strict: bool = True) -> torch.Tensor:
        rest, point = _unit_interval(u), torch.zeros_like(u)
        for k in range(1, depth + 1):
            rest = 2 * rest
            bit = torch.floor(rest) if strict else (rest > 1).double()
            rest, point = rest - bit, point + 2 * bit * 3 ** (depth - k)
        return point

    return Law("Cantor", cdf, cdf, inverse, rounding=2.0**-depth)


def _steps(atoms: Sequence[float], probs: Sequence[float], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    places = vector("atoms", atoms)
    masses = probability_vector("probs", probs)
    if masses.shape != places.shape:
        raise ValueError(f"probs has shape {masses.shape}, expected {places.shape}, one for each of the atoms")
    if (np.diff(places) <= 0).any():
        raise ValueError("atoms do not increase strictly, expected sorted atoms without repetition")
    steps = np.cumsum(masses)
    steps[np.flatnonzero(masses)[-1] :] = 1.0  # the sum is 1 by hypothesis; its rounding is not part of the law
    return torch.as_tensor(places, device=device), torch.as_tensor(steps, device=device)


def _unit_interval(u: torch.Tensor) -> torch.Tensor:
    if not isinstance(u, torch.Tensor) or u.dtype != torch.float64:
        raise ValueError("u is not a float64 tensor")
    if not bool(((u > 0) & (u < 1)).all()):
        raise ValueError("u has an entry that is not strictly between 0 and 1")
    return u


def _rational(value: float) -> sp.Rational:
    """The float's exact value."""
    exact = Fraction(value)
    return sp.Rational(exact.numerator, exact.denominator)


def _rank(value: torch.Tensor) -> torch.Tensor:
    """The order-preserving map of finite float64 to int64; both zeros have rank 0."""
    bits = value.view(torch.int64)
    return torch.where(bits >= 0, bits, -(bits & 0x7FFFFFFFFFFFFFFF))


def _float_of_rank(rank: torch.Tensor) -> torch.Tensor:
    return torch.where(rank >= 0, rank.abs().view(torch.float64), -(rank.abs().view(torch.float64)))
