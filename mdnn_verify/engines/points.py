"""Random exact points for SymPy claims: numbers that fulfil assumptions, polynomials for undefined functions."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import flint
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import BooleanFunction

from mdnn_verify.engines.certified import Evaluator
from mdnn_verify.engines.certified_functions import Unresolved
from mdnn_verify.engines.truth import MatrixEquality

__all__ = ["Point", "Vocabulary", "admits", "points"]

TRIES = 400
LARGEST_SIZE = 4
SIGNED = ("positive", "negative", "nonnegative", "nonpositive", "nonzero")
# what the random polynomials are known to keep; other assumptions on an undefined function are refused
KEPT = {*SIGNED, "real", "complex", "finite", "integer", "rational", "algebraic", "hermitian", "commutative"}
Assumptions = Mapping[str, bool]
Draw = Callable[[random.Random], sp.Expr]


@dataclass(frozen=True)
class Vocabulary:
    """What claims are about: free symbols with their roles, and undefined functions with their numbers of arguments."""

    scalars: tuple[Any, ...]
    truths: frozenset[Any]
    sizes: frozenset[Any]
    counts: frozenset[Any]
    functions: tuple[tuple[Any, int], ...]
    entries: bool  # indexed or matrix symbols occur

    @classmethod
    def of(cls, claims: Iterable[Any]) -> Vocabulary:
        parts = [part for claim in claims for part in _parts(claim)]
        free = {s for part in parts for s in part.free_symbols if isinstance(s, (sp.Symbol, sp.Idx))}
        labels = {base.label for part in parts for base in part.atoms(sp.IndexedBase)}
        matrices = [symbol for part in parts for symbol in part.atoms(sp.MatrixSymbol)]
        limits = [b for part in parts for s in part.atoms(sp.Sum, sp.Product) for limit in s.limits for b in limit[1:]]
        operands = [operand for part in parts for logical in part.atoms(BooleanFunction) for operand in logical.args]
        applied = {(f.func, len(f.args)) for part in parts for f in part.atoms(AppliedUndef)}
        sizes = frozenset(s for symbol in matrices for size in symbol.shape for s in size.free_symbols)
        return cls(
            scalars=tuple(sorted((free | sizes) - labels, key=str)),
            truths=frozenset(s for s in [*operands, *parts] if isinstance(s, sp.Symbol)),
            sizes=sizes,
            counts=frozenset(s for bound in limits for s in bound.free_symbols),
            functions=tuple(sorted(applied, key=str)),
            entries=bool(labels or matrices),
        )

    @property
    def closed(self) -> bool:
        """Nothing to choose: one evaluation says everything."""
        return not (self.scalars or self.functions or self.entries)


@dataclass
class Point:
    """One choice: of values, of a polynomial for each (undefined function, number of arguments), and, as they are
    asked for, of the entries of indexed and matrix symbols."""

    values: dict[Any, Any]
    polynomials: dict[tuple[Any, int], sp.Lambda]
    rng: random.Random
    entries: dict[tuple[str, tuple[int, ...]], sp.Rational] = field(default_factory=dict)

    def evaluator(self, notes: set[str]) -> Evaluator:
        """At FLINT's present precision."""
        exact = Evaluator({}, self, notes)
        values = {s: v if isinstance(v, bool) else exact.number(v) for s, v in self.values.items()}
        return Evaluator(values, self, notes)

    def entry(self, name: str, indices: tuple[int, ...], expr: sp.Basic) -> flint.fmpq:
        if (name, indices) not in self.entries:
            self.entries[name, indices] = _draw(_assumptions(expr), lambda: _rational(self.rng))
        value = self.entries[name, indices]
        return flint.fmpq(int(value.p), int(value.q))

    def polynomial(self, function: Any, arity: int) -> sp.Lambda:
        return self.polynomials[function, arity]

    def differentiated(self, expr: sp.Expr) -> sp.Expr:
        return self.replaced(expr).doit()

    def replaced(self, expr: sp.Expr) -> sp.Expr:
        """Every undefined function by its polynomial (never in a relation, which SymPy would then decide)."""
        for function in {function for function, _ in self.polynomials}:
            expr = expr.replace(function, lambda *args, f=function: self.polynomials[f, len(args)](*args))
        return expr

    def text(self) -> str:
        """Pasteable: ``x = 3/2, f = Lambda(u0, u0**2 + 1), p[1] = 2``."""
        chosen = [f"{symbol} = {value}" for symbol, value in self.values.items()]
        chosen += [f"{function} = {polynomial}" for (function, _), polynomial in self.polynomials.items()]
        chosen += [f"{name}[{', '.join(map(str, i))}] = {v}" for (name, i), v in sorted(self.entries.items(), key=str)]
        return ", ".join(chosen) or "no free symbol"


def points(vocabulary: Vocabulary, name: str, seed: int) -> Iterator[Point]:
    """An endless, reproducible sequence. Raises Unresolved for assumptions that no candidate fulfils."""
    rng = random.Random(hashlib.sha256(f"{seed}:{name}".encode()).digest())
    # a polynomial keeps its sign on the real line only
    real_only = any(_assumptions(function).get(sign) for function, _ in vocabulary.functions for sign in SIGNED)
    number = 0
    while True:
        kinds = _EARLY.get(number) or (_COMPLEX[number // 4 % 2] if number % 4 == 3 and not real_only else ())
        values = {symbol: _value(symbol, vocabulary, rng, kinds) for symbol in vocabulary.scalars}
        yield Point(values, {f: _polynomial(*f, rng) for f in vocabulary.functions}, rng)
        number += 1


def admits(symbol: sp.Symbol, number: sp.Expr) -> bool:
    """Whether an exact number without free symbols is certainly a value that the symbol may take."""
    return not number.free_symbols and _fulfils(number, _assumptions(symbol))


def _value(symbol: Any, vocabulary: Vocabulary, rng: random.Random, preferred: Sequence[Draw]) -> Any:
    """An exact SymPy number (a bool for a propositional symbol), by ``preferred`` where the assumptions admit it."""
    if symbol in vocabulary.truths:
        return rng.random() < 0.5
    assumptions = _assumptions(symbol)
    if symbol in vocabulary.sizes:
        return _draw(assumptions, lambda: sp.Integer(rng.randint(1, LARGEST_SIZE)))
    if symbol in vocabulary.counts or isinstance(symbol, sp.Idx):
        return _draw(assumptions, lambda: sp.Integer(rng.randint(-4, 8)))
    for draw in preferred:
        first = _first(assumptions, partial(draw, rng), tries=20)
        if first is not None:
            return first
    return _draw(assumptions, lambda: _candidate(rng))


def _candidate(rng: random.Random) -> sp.Expr:
    """Mostly small rationals and integers; now and then a large, a tiny, an irrational or an imaginary number."""
    kind = rng.random()
    if kind < 0.55:
        return _rational(rng)
    if kind < 0.8:
        return sp.Integer(rng.randint(-9, 9))
    if kind < 0.86:
        return sp.Integer(rng.choice((-1, 1)) * rng.randint(50, 1000))
    if kind < 0.92:
        return sp.Rational(rng.choice((-1, 1)), rng.randint(50, 1000))
    if kind < 0.97:
        return _rational(rng) * sp.sqrt(2)
    return _rational(rng) * sp.I


def _rational(rng: random.Random) -> sp.Rational:
    return sp.Rational(rng.randint(-12, 12), rng.randint(1, 7))


def _assumptions(symbol: Any) -> Assumptions:
    """Of a symbol, an entry of an indexed symbol, or an undefined function."""
    if isinstance(symbol, type):
        return {name[3:]: v for name, v in vars(symbol).items() if name.startswith("is_") and isinstance(v, bool)}
    return {name: v for name, v in getattr(symbol, "assumptions0", {}).items() if v is not None}


def _first(assumptions: Assumptions, candidate: Callable[[], sp.Expr], tries: int) -> Any:
    for _ in range(tries):
        number = candidate()
        if _fulfils(number, assumptions):
            return number
    return None


def _fulfils(number: sp.Expr, assumptions: Assumptions) -> bool:
    return all(getattr(number, f"is_{name}", None) == value for name, value in assumptions.items())


def _draw(assumptions: Assumptions, candidate: Callable[[], sp.Expr]) -> Any:
    number = _first(assumptions, candidate, TRIES)
    if number is None:
        wanted = ", ".join(name for name, value in assumptions.items() if value)
        raise Unresolved(f"found no exact number that is {wanted or 'non-commutative'}")
    return number


def _polynomial(function: Any, arity: int, rng: random.Random) -> sp.Lambda:
    """A random polynomial of degree at most 2 in each argument, shaped to the function's assumptions."""
    assumptions = _assumptions(function)
    wanted = {name for name, value in assumptions.items() if value}
    unknown = {name for name in wanted if name.removeprefix("extended_") not in KEPT}
    if unknown or assumptions.get("commutative") is False:
        raise Unresolved(f"{function} is assumed to be {', '.join(sorted(unknown)) or 'non-commutative'}")
    variables = sp.symbols(f"u:{arity}")
    denominator = 1 if "integer" in wanted else 3

    def coefficient() -> sp.Rational:
        return sp.Rational(rng.randint(-3, 3), rng.randint(1, denominator))

    monomials = [
        sp.Integer(1),
        *variables,
        *(v**2 for v in variables),
        *(a * b for a, b in pairwise(variables)),
    ]
    body = sum((coefficient() * monomial for monomial in monomials), sp.Integer(0))
    if wanted & set(SIGNED):
        body = body**2 + (1 if wanted & {"nonzero", "positive", "negative"} else 0)
        body = -body if wanted & {"negative", "nonpositive"} else body
    return sp.Lambda(variables, body)


_COMPLEX: tuple[tuple[Draw, ...], ...] = (
    (lambda rng: _rational(rng) + sp.I * _rational(rng),),
    (lambda rng: _rational(rng) + sp.I * rng.choice((-1, 1)) * rng.randint(4, 9),),  # beyond the branch cuts at pi
)
_EARLY: dict[int, tuple[Draw, ...]] = {  # the places where claims tend to fail
    0: (lambda rng: sp.Integer(0), lambda rng: sp.Integer(1)),
    1: (lambda rng: sp.Integer(1),),
    2: (lambda rng: sp.Integer(rng.randint(-2, 2)),),
    4: (lambda rng: sp.Integer(rng.randint(-2, 2)),),
}


def _parts(claim: Any) -> list[Any]:
    return [claim.lhs, claim.rhs] if isinstance(claim, MatrixEquality) else [claim]
