"""Exact simplification of one atomic claim by SymPy: true, false or open. Never trusted alone (see ``cross_check``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import sympy as sp
from sympy.logic.inference import satisfiable as propositionally_satisfiable

from mdnn_verify.engines.polynomials import nonnegative_polynomial
from mdnn_verify.engines.truth import MatrixEquality

__all__ = ["Step", "steps"]

Step = tuple[str, Callable[[], bool | None]]


def steps(claim: Any) -> Iterator[Step]:
    """Ways to decide ``claim``, the cheap ones first; each gives True, False or None and may raise or take long."""
    if isinstance(claim, MatrixEquality):
        yield from _matrix_steps(claim)
    elif claim in (sp.true, sp.false):
        yield "SymPy evaluated it when it was built", lambda: bool(claim)
    elif isinstance(claim, sp.Eq):
        yield from _zero_steps(claim.lhs - claim.rhs)
    elif isinstance(claim, sp.Ne):
        yield from _nonzero_steps(claim.lhs - claim.rhs)
    elif isinstance(claim, (sp.Gt, sp.Ge, sp.Lt, sp.Le)):
        yield from _sign_steps(claim.gts - claim.lts, strict=isinstance(claim, (sp.Gt, sp.Lt)))
    else:
        yield "propositional logic", lambda: _tautology(claim)
        yield "case by case", lambda: _compound(claim)
        yield "simplify", lambda: _truth_value(sp.simplify(claim))


def _zero_steps(difference: sp.Expr) -> Iterator[Step]:
    def rung(form: Callable[[sp.Expr], sp.Expr]) -> Callable[[], bool | None]:
        return lambda: _is_zero(form(difference))

    yield "the same expression", lambda: True if difference == 0 else None
    yield "expand", rung(sp.expand)
    if not difference.free_symbols and difference.is_Rational:
        yield "arithmetic", lambda: bool(difference == 0)
        return
    if difference.has(sp.Sum):
        yield "sums, index by index", rung(_aligned_sums)
    if not difference.has(sp.Piecewise, sp.Sum, sp.Product, sp.Integral, sp.Max, sp.Min):
        yield "common denominator", rung(lambda d: sp.cancel(sp.together(d)))
        yield "logarithms", rung(lambda d: sp.cancel(sp.together(sp.expand_log(_positive_factors(d)))))
    yield "doit", rung(lambda d: sp.expand(d.doit()))
    yield "doit, simplify", rung(lambda d: sp.simplify(d.doit()))
    yield "simplify", rung(sp.simplify)
    yield "factor", rung(sp.factor)
    yield "cases", rung(lambda d: sp.simplify(sp.piecewise_fold(d.rewrite(sp.Piecewise))))


def _nonzero_steps(difference: sp.Expr) -> Iterator[Step]:
    for name, form in _FORMS.items():

        def nonzero(form: Callable[[sp.Expr], sp.Expr] = form) -> bool | None:
            zero = form(difference).is_zero
            return None if zero is None else not zero

        yield name, nonzero
    yield "no real root", lambda: True if _one_sign(difference) else None


def _sign_steps(difference: sp.Expr, *, strict: bool) -> Iterator[Step]:
    """difference > 0 or, unless ``strict``, >= 0."""
    for name, form in _FORMS.items():
        yield f"sign, {name}", partial(_sign_of_form, form, difference, strict)
    yield "sign of a polynomial", lambda: nonnegative_polynomial(difference, strict=strict)
    yield "sign of a fraction", lambda: _sign_of_fraction(difference, strict=strict)


def _matrix_steps(claim: MatrixEquality) -> Iterator[Step]:
    def rung(form: Callable[[Any], Any]) -> Callable[[], bool | None]:
        def equal() -> bool | None:
            left, right = form(claim.lhs), form(claim.rhs)
            return True if left == right or _is_zero_matrix(form(left - right)) else None

        return equal

    yield "the same matrix expression", rung(lambda m: m)
    yield "doit", rung(lambda m: m.doit())
    yield "expand", rung(lambda m: sp.expand(m.doit()).doit())
    yield "block by block", rung(lambda m: sp.block_collapse(m.doit()).doit())
    yield "simplify", rung(sp.simplify)


def _compound(claim: Any) -> bool | None:
    """Every relation in a compound decided on its own, then the compound; helps where all of them are decided."""
    decided = {}
    for relation in claim.atoms(sp.core.relational.Relational):
        for _, step in steps(relation):
            value = step()
            if value is not None:
                decided[relation] = sp.true if value else sp.false
                break
    return _truth_value(claim.xreplace(decided)) if decided else None


def _tautology(claim: Any) -> bool | None:
    """With relations read as propositional letters."""
    letters = {r: sp.Dummy() for r in claim.atoms(sp.core.relational.Relational)}
    return True if propositionally_satisfiable(sp.Not(claim.xreplace(letters))) is False else None


def _truth_value(claim: Any) -> bool | None:
    return {sp.true: True, sp.false: False}.get(claim)


def _is_zero(form: sp.Expr) -> bool | None:
    """Only a literal 0 is zero; a nonzero number decides against the claim."""
    if form == 0:
        return True
    return False if form.is_number and form.is_comparable and form.is_zero is False else None


def _is_zero_matrix(form: Any) -> bool:
    return isinstance(form, sp.ZeroMatrix) or getattr(form, "is_zero_matrix", None) is True


def _sign(form: sp.Expr, *, strict: bool) -> bool | None:
    holds, fails = (form.is_positive, form.is_nonpositive) if strict else (form.is_nonnegative, form.is_negative)
    return True if holds else False if fails else None


def _sign_of_form(form: Callable[[sp.Expr], sp.Expr], difference: sp.Expr, strict: bool) -> bool | None:
    return _sign(form(difference), strict=strict)


def _one_sign(difference: sp.Expr) -> bool:
    return bool(nonnegative_polynomial(difference, strict=True) or nonnegative_polynomial(-difference, strict=True))


def _sign_of_fraction(difference: sp.Expr, *, strict: bool) -> bool | None:
    """numerator * denominator has the fraction's sign where the denominator is not 0; elsewhere nothing is claimed."""
    numerator, denominator = sp.fraction(sp.together(difference))
    if denominator == 1:
        return None
    product = sp.expand(numerator * denominator)
    found = nonnegative_polynomial(product, strict=strict)
    return found if found is not None else _sign(sp.factor(product), strict=strict)


def _positive_factors(expr: sp.Expr) -> sp.Expr:
    """Logarithms with factored arguments, so that those of positive factors can be taken apart."""
    return expr.replace(sp.log, lambda argument: sp.log(sp.factor(argument)))


def _aligned_sums(expr: sp.Expr) -> sp.Expr:
    """Sums taken apart into single terms, without constant factors, every index starting at 0 under one name."""
    return sp.expand(expr.replace(lambda e: isinstance(e, sp.Sum), _aligned))


def _aligned(series: sp.Sum) -> sp.Expr:
    body = series.function
    limits: list[Any] = []
    for depth, (index, first, last) in enumerate(series.limits):
        fresh = sp.Symbol(f"_k{len(series.limits) - depth}", integer=True)
        shift = {index: fresh + first}
        body = body.subs(shift)
        limits = [(i, lower.subs(shift), upper.subs(shift)) for i, lower, upper in limits]
        limits.append((fresh, sp.Integer(0), sp.expand(last - first)))
    indices = {limit[0] for limit in limits}
    result = sp.Integer(0)
    for term in sp.Add.make_args(sp.expand(body)):
        constant, varying = term.as_independent(*indices, as_Add=False)
        result += constant * sp.Sum(varying, *limits)
    return result


_FORMS: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "as it stands": lambda d: d,
    "expanded": sp.expand,
    "factored": sp.factor,
    "over a common denominator": lambda d: sp.factor(sp.together(d)),
    "simplified": sp.simplify,
}
