"""Z3: a statement is proved when what is given, together with its negation, is unsatisfiable.

Z3's division is total (x / 0 is some unspecified number), so a denominator that may be 0 makes a claim INCONCLUSIVE.
Z3's expressions belong to one context that is not thread-safe: decide claims from one thread of a process at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import z3

from mdnn_verify.engines.base import Claim, Context
from mdnn_verify.engines.smt_terms import Partial, partial_operations, readable, uninterpreted_sorts
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.verdicts import Status, Verdict

__all__ = ["Valid", "matrix", "rational"]

ENGINE = "smt"
# Z3's own count of work, the same on every machine, so that verdicts depend on its speed only if the timeout strikes
WORK = 50_000_000


class Valid(Claim):
    """``conclusion`` follows from ``given`` (Z3 propositions; free constants are universally quantified).

    PROVED iff given and not conclusion is unsatisfiable; REFUTED with a model; unknown never passes. ``given`` must be
    satisfiable, else the claim is vacuous and an ERROR; ``witness`` lists further propositions that make an instance
    of ``given`` easy to find (what satisfies both satisfies ``given``). Raises MdnnVerifyError for anything that is
    not a Z3 proposition.
    """

    def __init__(self, conclusion: Any, given: Iterable[Any] = (), witness: Iterable[Any] = ()) -> None:
        self.conclusion = _proposition(conclusion)
        self.given = [_proposition(assumption) for assumption in given]
        self.witness = [_proposition(assumption) for assumption in witness]

    def decide(self, context: Context) -> Verdict:
        def answer(status: Status, detail: str, counterexample: str = "") -> Verdict:
            return Verdict(status, context.scope, detail, counterexample, engine=ENGINE)

        possible, example = self._instance(context)
        if possible == z3.unsat:
            return answer(Status.ERROR, "vacuous: nothing satisfies what is given")
        if possible == z3.unknown:
            return answer(Status.INCONCLUSIVE, "Z3 found no instance of what is given, so the claim may be vacuous")
        hole = self._undefined_somewhere(context)
        if hole:
            return answer(Status.INCONCLUSIVE, hole)
        result, model, reason = _check([*self.given, z3.Not(self.conclusion)], context)
        if result == z3.unsat:
            return answer(Status.PROVED, "the negation is unsatisfiable (Z3)")
        if result == z3.sat and model is not None:
            return self._refutation(model, answer)
        if _check([*self.given, self.conclusion], context)[0] == z3.unsat and example is not None:
            return answer(Status.REFUTED, "the claim itself is unsatisfiable (Z3)", readable(example))
        return answer(Status.INCONCLUSIVE, f"Z3 does not decide it: {reason}")

    def satisfiable(self, context: Context) -> Verdict:
        """Whether one instance fulfils ``given`` and ``conclusion`` together."""
        hole = self._undefined_somewhere(context)
        if hole:
            return Verdict(Status.INCONCLUSIVE, context.scope, hole, engine=ENGINE)
        result, model = self._instance(context, [self.conclusion])
        if result == z3.sat and model is not None:
            return Verdict(Status.PROVED, context.scope, f"witness: {readable(model)}", engine=ENGINE)
        if result == z3.unsat:
            return Verdict(Status.REFUTED, context.scope, "unsatisfiable (Z3)", "no instance exists", engine=ENGINE)
        return Verdict(Status.INCONCLUSIVE, context.scope, "Z3 found no instance", engine=ENGINE)

    def joined(self, other: Claim) -> Claim | None:
        if not isinstance(other, Valid):
            return None
        conclusion = z3.And(self.conclusion, other.conclusion)
        return Valid(conclusion, [*self.given, *other.given], [*self.witness, *other.witness])

    def _refutation(self, model: z3.ModelRef, answer: Callable[..., Verdict]) -> Verdict:
        """A model is believed when the claim, evaluated in it, is false."""
        value = model.eval(z3.And(*self.given, z3.Not(self.conclusion)), model_completion=True)
        if z3.is_true(value):
            return answer(Status.REFUTED, "Z3's counterexample, evaluated, breaks the claim", readable(model))
        if not z3.is_false(value) and _has_quantifier([*self.given, self.conclusion]):
            return answer(
                Status.REFUTED, "Z3 found a counterexample (quantified: Z3's own model check)", readable(model)
            )
        return answer(
            Status.INCONCLUSIVE, f"Z3's counterexample, evaluated, does not break the claim: {readable(model)}"
        )

    def _instance(
        self, context: Context, more: Sequence[z3.BoolRef] = ()
    ) -> tuple[z3.CheckSatResult, z3.ModelRef | None]:
        """An instance of what is given; unsat only if there is none at all. Tries the easy instances first."""
        wanted = [*self.given, *more]
        if not wanted:
            return z3.sat, z3.Model()
        for easy in filter(None, (self.witness, singletons([*wanted, self.conclusion]))):
            result, model, _ = _check([*wanted, *easy], context)
            if result == z3.sat:
                return result, model
        result, model, _ = _check(wanted, context)
        return result, model

    def _undefined_somewhere(self, context: Context) -> str:
        """What to say of an operation that is not provably defined wherever it is used; empty if there is none."""
        for term in [*self.given, self.conclusion]:
            for found in partial_operations(term):
                if not _always_defined(found, self.given, context):
                    return found.what
        return ""


def rational(number: Any) -> z3.RatNumRef:
    """A SymPy Integer or Rational, a Fraction or an int as a Z3 real. Raises MdnnVerifyError for anything inexact."""
    if isinstance(number, (int, Fraction)) and not isinstance(number, bool):
        exact = Fraction(number)
    elif getattr(number, "is_Rational", False):
        exact = Fraction(int(number.p), int(number.q))
    else:
        raise MdnnVerifyError(f"rational({number!r}): expected an int, a Fraction or a SymPy Rational")
    return z3.Q(exact.numerator, exact.denominator)


def matrix(entries: Any) -> list[list[z3.RatNumRef]]:
    """A SymPy matrix of rationals as rows of Z3 reals."""
    rows, columns = entries.shape
    return [[rational(entries[i, j]) for j in range(columns)] for i in range(rows)]


def singletons(terms: Iterable[z3.ExprRef]) -> list[z3.BoolRef]:
    """Propositions that every uninterpreted sort in ``terms`` has one element only: the smallest instances."""
    found = []
    for sort in uninterpreted_sorts(terms):
        only, any_element = z3.FreshConst(sort, "only"), z3.FreshConst(sort, "any")
        found.append(z3.ForAll([any_element], any_element == only))
    return found


def _check(propositions: Sequence[z3.BoolRef], context: Context) -> tuple[z3.CheckSatResult, z3.ModelRef | None, str]:
    """Z3 with a fixed seed and a fixed amount of work; the timeout only stops what would take too long."""
    solver = z3.Solver()
    solver.set("timeout", max(1, int(1000 * context.timeout)))
    solver.set("rlimit", WORK)
    solver.set("random_seed", 0)
    solver.set("ctrl_c", False)  # an interrupt ends the run; it is not Z3's to swallow
    solver.add(*propositions)
    try:
        result = solver.check()
    except z3.Z3Exception as error:
        return z3.unknown, None, str(error)
    return result, solver.model() if result == z3.sat else None, solver.reason_unknown() if result == z3.unknown else ""


def _always_defined(found: Partial, given: Sequence[z3.BoolRef], context: Context) -> bool:
    return bool(_check([*given, *found.under, z3.Not(found.condition)], context)[0] == z3.unsat)


def _has_quantifier(terms: Sequence[z3.ExprRef]) -> bool:
    pending, seen = list(terms), set()
    while pending:
        term = pending.pop()
        if z3.is_quantifier(term):
            return True
        if term.get_id() not in seen:
            seen.add(term.get_id())
            pending += term.children()
    return False


def _proposition(term: Any) -> z3.BoolRef:
    """Python bools are refused: ``x == y`` on the wrong types is one, and says nothing."""
    if isinstance(term, z3.BoolRef):
        return term
    raise MdnnVerifyError(f"{term!r} of type {type(term).__name__} is not a Z3 proposition")
