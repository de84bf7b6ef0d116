"""Engines decide claims; they know theorems and reports by neither name nor shape.

A check may return a Claim, a SymPy proposition, a Z3 proposition, or a mapping, list or generator of those.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from mdnn_verify.engines.base import Claim, Context, conjunction
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.verdicts import Verdict

__all__ = ["Claim", "Context", "decide", "satisfiable"]


def decide(claim: Any, context: Context) -> Verdict:
    """Let the engine that understands ``claim`` decide it.

    Raises MdnnVerifyError for something no engine understands; a Python bool is refused, because a truth value that was
    computed out of sight is not a claim that can be checked.
    """
    if _is_several(claim):
        return conjunction(claim, context, decide)
    return _as_claim(claim).decide(context)


def satisfiable(claim: Any, context: Context) -> Verdict:
    """Whether a hypothesis can be fulfilled: PROVED with a witness, REFUTED, or INCONCLUSIVE."""
    if _is_several(claim):
        return conjunction(_joined(claim), context, satisfiable)
    return _as_claim(claim).satisfiable(context)


def _joined(claims: Any) -> dict[str, Any]:
    """The same claims with those that one engine can satisfy together made one, under the labels of all of them."""
    pairs = claims.items() if isinstance(claims, Mapping) else enumerate(claims)
    found: dict[str, Any] = {}
    for label, member in pairs:
        claim = member if _is_several(member) else _as_claim(member)
        for known, earlier in list(found.items()):
            both = earlier.joined(claim) if isinstance(earlier, Claim) and isinstance(claim, Claim) else None
            if both is not None:
                del found[known]
                found[f"{known}, {label}"] = both
                break
        else:
            found[str(label)] = claim
    return found


def _is_several(claim: Any) -> bool:
    """Containers and generators of claims; arrays, strings and the iterable expressions of SymPy and Z3 are not."""
    return isinstance(claim, (Mapping, list, tuple, Generator))


def _as_claim(claim: Any) -> Claim:
    if isinstance(claim, Claim):
        return claim
    origin = type(claim).__module__.split(".")[0]
    if origin == "sympy":
        from mdnn_verify.engines.symbolic import Proposition

        return Proposition(claim)
    if origin == "z3":
        from mdnn_verify.engines.smt import Valid

        return Valid(claim)
    raise MdnnVerifyError(
        f"a check returned {claim!r} of type {type(claim).__name__}; "
        "expected a claim, a SymPy or Z3 proposition, or several of them"
    )
