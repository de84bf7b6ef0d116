"""Numbers for the certified evaluator: arithmetic and elementary functions on exact rationals and FLINT's balls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import flint
import sympy as sp

__all__ = ["Number", "Undefined", "Unresolved", "apply", "as_sympy", "constant", "power", "product", "real", "total"]

Number = Any  # flint.fmpq (exact) or flint.acb (a ball); FLINT's Python types are not annotated
MOST_BITS = 200_000


class Undefined(Exception):
    """The expression has no finite value at this point, so the point says nothing about the claim."""


class Unresolved(Exception):
    """This evaluator, or this precision, does not decide the value."""


def total(values: list[Number]) -> Number:
    """The sum; 0 for no value."""
    return sum(values, flint.fmpq(0))


def product(values: list[Number]) -> Number:
    """The product; 1 for no value."""
    result = flint.fmpq(1)
    for value in values:
        result = result * value
    return result


def power(base: Number, exponent: Number, analytic: bool = False) -> Number:
    """The principal power; 0**0 = 1, as in SymPy."""
    exact = isinstance(base, flint.fmpq)
    if exact and base == 0:
        return _power_of_zero(exponent)
    if isinstance(exponent, flint.fmpq):
        if exponent.q == 1:
            return _integer_power(base, int(exponent.p))
        if exact and base > 0:
            root = _exact_root(base, exponent)
            if root is not None:
                return root
        if exponent == flint.fmpq(1, 2):
            return flint.acb(base).sqrt(analytic=analytic)
    return flint.acb(base).pow(flint.acb(exponent), analytic=analytic)


def real(value: Number) -> Number:
    """A value that is certainly real, as fmpq or arb. Raises Undefined if it is not real, Unresolved if undecided."""
    if isinstance(value, flint.fmpq):
        return value
    if value.imag.is_zero():
        return value.real
    if value.imag.contains(0):
        raise Unresolved("undecided whether a value is real")
    raise Undefined("a value that is not real")


def constant(expr: sp.Expr) -> Number | None:
    """pi, e and the like; None for anything else. Raises Undefined for infinities and nan."""
    if expr in (sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise Undefined(str(expr))
    value = _CONSTANTS.get(expr)
    return None if value is None else value()


def as_sympy(value: flint.fmpq) -> sp.Rational:
    """The same rational number."""
    return sp.Rational(int(value.p), int(value.q))


def apply(expr: sp.Expr, arguments: list[Number], analytic: bool, notes: set[str]) -> Number:
    """The function at the top of ``expr`` at already known arguments."""
    kind = type(expr)
    if kind in _EXACT and arguments[0] == _EXACT[kind][0]:
        return flint.fmpq(_EXACT[kind][1])
    if kind is sp.log:
        return _log(arguments, analytic)
    if kind in _ENTIRE:
        return _ENTIRE[kind](flint.acb(arguments[0]))
    if analytic:
        raise Unresolved(f"{kind.__name__} is not known to be analytic here")
    if kind in _REAL:
        return _REAL[kind](arguments)
    if all(isinstance(argument, flint.fmpq) for argument in arguments):
        return _by_sympy(expr, arguments, notes)
    raise Unresolved(f"no enclosure of {kind.__name__}")


def _power_of_zero(exponent: Number) -> Number:
    part = exponent if isinstance(exponent, flint.fmpq) else exponent.real
    if part > 0:
        return flint.fmpq(0)
    if isinstance(exponent, flint.fmpq) and exponent == 0:
        return flint.fmpq(1)
    raise Undefined("a power of 0 whose exponent is not positive")


def _integer_power(base: Number, exponent: int) -> Number:
    if not isinstance(base, flint.fmpq):
        return base**exponent
    bits = max(int(base.p).bit_length(), int(base.q).bit_length())
    if bits * abs(exponent) > MOST_BITS:
        return flint.acb(base) ** exponent
    return base**exponent


def _exact_root(base: flint.fmpq, exponent: flint.fmpq) -> flint.fmpq | None:
    """base ** exponent where that is rational: sqrt(4/9) = 2/3."""
    degree = int(exponent.q)
    top, top_exact = sp.integer_nthroot(int(base.p), degree)
    bottom, bottom_exact = sp.integer_nthroot(int(base.q), degree)
    if not (top_exact and bottom_exact):
        return None
    return _integer_power(flint.fmpq(int(top), int(bottom)), int(exponent.p))


def _log(arguments: list[Number], analytic: bool) -> Number:
    if len(arguments) != 1:
        raise Unresolved("a logarithm to another base")
    if isinstance(arguments[0], flint.fmpq) and arguments[0] == 0:
        raise Undefined("log 0")
    return flint.acb(arguments[0]).log(analytic=analytic)


def _sign_of(value: Number) -> int:
    value = real(value)
    if value > 0:
        return 1
    if value < 0:
        return -1
    if value == 0:
        return 0
    raise Unresolved("undecided sign")


def _absolute(arguments: list[Number]) -> Number:
    value = arguments[0]
    return abs(value) if isinstance(value, flint.fmpq) else flint.acb(abs(value))


def _extreme(pick: str) -> Callable[[list[Number]], Number]:
    def extreme(arguments: list[Number]) -> Number:
        values = [real(argument) for argument in arguments]
        if all(isinstance(value, flint.fmpq) for value in values):
            return max(values) if pick == "max" else min(values)
        result = flint.arb(values[0])
        for value in values[1:]:
            result = getattr(result, pick)(flint.arb(value))
        return flint.acb(result)

    return extreme


def _rounded(pick: str) -> Callable[[list[Number]], Number]:
    def rounded(arguments: list[Number]) -> Number:
        value = real(arguments[0])
        if isinstance(value, flint.fmpq):
            quotient = math.floor if pick == "floor" else math.ceil
            from fractions import Fraction

            return flint.fmpq(quotient(Fraction(int(value.p), int(value.q))))
        ball = value.floor() if pick == "floor" else value.ceil()
        unique = ball.unique_fmpz()
        if unique is None:
            raise Unresolved(f"undecided {pick}")
        return flint.fmpq(unique)

    return rounded


def _heaviside(arguments: list[Number]) -> Number:
    sign = _sign_of(arguments[0])
    return arguments[1] if sign == 0 else flint.fmpq(sign > 0)


def _kronecker(arguments: list[Number]) -> Number:
    if len(arguments) != 2:
        raise Unresolved("a Kronecker delta with a range")
    difference = arguments[0] - arguments[1]
    if isinstance(difference, flint.fmpq):
        return flint.fmpq(difference == 0)
    if not difference.contains(0):
        return flint.fmpq(0)
    raise Unresolved("undecided Kronecker delta")


def _on(name: str, inside: Callable[[Any], bool]) -> Callable[[list[Number]], Number]:
    """A real function where its argument certainly lies in its real domain."""

    def function(arguments: list[Number]) -> Number:
        value = flint.arb(real(arguments[0]))
        if not inside(value):
            raise Unresolved(f"{name} outside its real domain")
        return flint.acb(getattr(value, name)())

    return function


def _by_sympy(expr: sp.Expr, arguments: list[flint.fmpq], notes: set[str]) -> Number:
    """factorial(5), binomial(4, 2), Mod(7, 3): what SymPy computes exactly at rational arguments."""
    value = expr.func(*(as_sympy(argument) for argument in arguments))
    if isinstance(value, sp.Rational):
        return flint.fmpq(int(value.p), int(value.q))
    known = constant(value)
    if known is not None:
        return known
    digits = [value.evalf(precision, strict=False) for precision in (40, 90)]
    if (
        not all(isinstance(number, sp.Float) for number in digits)
        or not digits[1]
        or abs(digits[0] / digits[1] - 1) > 1e-35
    ):
        raise Unresolved(f"no enclosure of {type(expr).__name__}")
    notes.add(f"SymPy's evalf of {type(expr).__name__}, the same at 40 and 90 digits")
    centre, tenth = flint.arb(str(digits[1].n(60))), flint.arb(10)
    return flint.acb(centre + centre * (tenth**-35 * flint.arb(0, 1)))


_CONSTANTS: dict[sp.Expr, Callable[[], Number]] = {
    sp.pi: lambda: flint.acb(flint.arb.pi()),
    sp.E: lambda: flint.acb(flint.arb.const_e()),
    sp.EulerGamma: lambda: flint.acb(flint.arb.const_euler()),
    sp.Catalan: lambda: flint.acb(flint.arb.const_catalan()),
    sp.GoldenRatio: lambda: flint.acb((1 + flint.arb(5).sqrt()) / 2),
    sp.I: lambda: flint.acb(0, 1),
}
_ENTIRE: dict[Any, Callable[[flint.acb], flint.acb]] = {  # entire, or meromorphic: a pole gives a non-finite ball
    sp.exp: lambda z: z.exp(),
    sp.sin: lambda z: z.sin(),
    sp.cos: lambda z: z.cos(),
    sp.tan: lambda z: z.tan(),
    sp.cot: lambda z: z.cot(),
    sp.sinh: lambda z: z.sinh(),
    sp.cosh: lambda z: z.cosh(),
    sp.tanh: lambda z: z.tanh(),
    sp.erf: lambda z: z.erf(),
    sp.erfc: lambda z: z.erfc(),
    sp.gamma: lambda z: z.gamma(),
}
_REAL: dict[Any, Callable[[list[Number]], Number]] = {
    sp.Abs: _absolute,
    sp.sign: lambda arguments: flint.fmpq(_sign_of(arguments[0])),
    sp.Max: _extreme("max"),
    sp.Min: _extreme("min"),
    sp.floor: _rounded("floor"),
    sp.ceiling: _rounded("ceil"),
    sp.Heaviside: _heaviside,
    sp.KroneckerDelta: _kronecker,
    sp.conjugate: lambda arguments: arguments[0] if isinstance(arguments[0], flint.fmpq) else arguments[0].conjugate(),
    sp.re: lambda arguments: arguments[0] if isinstance(arguments[0], flint.fmpq) else flint.acb(arguments[0].real),
    sp.im: lambda arguments: flint.fmpq(0) if isinstance(arguments[0], flint.fmpq) else flint.acb(arguments[0].imag),
    sp.loggamma: _on("lgamma", lambda x: x > 0),
    sp.digamma: _on("digamma", lambda x: x > 0),
    sp.asin: _on("asin", lambda x: abs(x) <= 1),
    sp.acos: _on("acos", lambda x: abs(x) <= 1),
    sp.atan: _on("atan", lambda x: True),
    sp.asinh: _on("asinh", lambda x: True),
    sp.atanh: _on("atanh", lambda x: abs(x) < 1),
    sp.acosh: _on("acosh", lambda x: x >= 1),
}
_EXACT: dict[Any, tuple[int, int]] = {
    sp.exp: (0, 1), sp.log: (1, 0), sp.sin: (0, 0), sp.cos: (0, 1), sp.tan: (0, 0), sp.sinh: (0, 0), sp.cosh: (0, 1),
    sp.tanh: (0, 0), sp.erf: (0, 0), sp.erfc: (0, 1), sp.gamma: (1, 1), sp.atan: (0, 0), sp.asin: (0, 0),
}  # fmt: skip
