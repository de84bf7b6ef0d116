"""Reading Z3 terms: their divisions (and under which conditions these are used), their sorts, their models as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import z3

__all__ = ["Partial", "partial_operations", "readable", "uninterpreted_sorts"]

DIVISIONS = (z3.Z3_OP_DIV, z3.Z3_OP_IDIV, z3.Z3_OP_MOD, z3.Z3_OP_REM)


@dataclass(frozen=True)
class Partial:
    """An operation that mathematics defines only if ``condition`` holds (Z3's are total).

    ``under`` collects the conditions of the implications and case distinctions around it.
    """

    what: str
    condition: z3.BoolRef
    under: tuple[z3.BoolRef, ...]


def partial_operations(term: z3.ExprRef, under: tuple[z3.BoolRef, ...] = ()) -> Iterator[Partial]:
    """Every division and power in ``term`` that is not defined everywhere; bound variables become fresh constants."""
    if z3.is_quantifier(term):
        fresh = [z3.FreshConst(term.var_sort(i), term.var_name(i)) for i in range(term.num_vars())]
        yield from partial_operations(z3.substitute_vars(term.body(), *reversed(fresh)), under)
        return
    if not z3.is_app(term):
        return
    children = term.children()
    kind = term.decl().kind()
    if kind in DIVISIONS and not _nonzero_number(children[1]):
        yield Partial(f"division by {children[1]}, which may be 0", children[1] != 0, under)
    if kind == z3.Z3_OP_POWER and not _natural_number(children[1]):
        yield Partial(f"the power {term}, whose base may be <= 0", children[0] > 0, under)
    if kind == z3.Z3_OP_IMPLIES:
        yield from partial_operations(children[0], under)
        yield from partial_operations(children[1], (*under, children[0]))
    elif kind == z3.Z3_OP_ITE:
        yield from partial_operations(children[0], under)
        yield from partial_operations(children[1], (*under, children[0]))
        yield from partial_operations(children[2], (*under, z3.Not(children[0])))
    else:
        for child in children:
            yield from partial_operations(child, under)


def uninterpreted_sorts(terms: Iterable[z3.ExprRef]) -> list[z3.SortRef]:
    """The uninterpreted sorts of the symbols and bound variables in ``terms``, in order of appearance."""
    sorts: dict[int, z3.SortRef] = {}
    pending, seen = list(terms), set()
    while pending:
        term = pending.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        found = [term.sort()]
        if z3.is_quantifier(term):
            found += [term.var_sort(i) for i in range(term.num_vars())]
        sorts.update({sort.get_id(): sort for sort in found if sort.kind() == z3.Z3_UNINTERPRETED_SORT})
        pending += term.children()
    return [sorts[key] for key in sorted(sorts)]


def readable(model: z3.ModelRef) -> str:
    """``x = 1/2, f = [0 -> 1, else -> 2]``, in the order of the names."""
    entries = sorted((declaration.name(), model[declaration]) for declaration in model.decls() if _named(declaration))
    return ", ".join(f"{name} = {' '.join(str(value).split())}" for name, value in entries) or "any values"


def _named(declaration: z3.FuncDeclRef) -> bool:
    """Named by the claim; Z3 adds names of its own (with an exclamation mark) and its values of x / 0."""
    return "!" not in declaration.name() and declaration.kind() == z3.Z3_OP_UNINTERPRETED


def _nonzero_number(term: z3.ExprRef) -> bool:
    value = z3.simplify(term)
    return (z3.is_rational_value(value) or z3.is_int_value(value)) and not z3.is_true(z3.simplify(value == 0))


def _natural_number(term: z3.ExprRef) -> bool:
    value = z3.simplify(term)
    if z3.is_int_value(value):
        return bool(value.as_long() >= 0)
    return z3.is_rational_value(value) and bool(value.denominator_as_long() == 1 and value.numerator_as_long() >= 0)
