"""What every engine shares: the context a claim is decided in, and how several claims make one verdict."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mdnn_verify.verdicts import Status, Verdict

__all__ = ["Claim", "Context", "conjunction"]


@dataclass(frozen=True)
class Context:
    """Who asks and under which terms.

    ``name`` is the check's full name and with ``seed`` determines its random stream; ``alpha`` is its share of the
    suite's error probability (None where no simulation may run); ``timeout`` is in seconds.
    """

    name: str
    seed: int = 0
    alpha: float | None = 1e-8
    device: str = "cpu"
    timeout: float = 60.0
    scope: str = ""


class Claim(ABC):
    """Something an engine can decide."""

    @abstractmethod
    def decide(self, context: Context) -> Verdict:
        """PROVED, VERIFIED_WITHIN, REFUTED or INCONCLUSIVE, with the evidence."""

    def satisfiable(self, context: Context) -> Verdict:
        """Whether some instance fulfils the claim, for hypotheses; a claim without free variables just holds or not."""
        return self.decide(context)

    def joined(self, other: Claim) -> Claim | None:
        """One claim for both, if this engine can satisfy them together: x > 0 and x < 0 are satisfiable, but not so."""
        return None


def conjunction(
    claims: Mapping[str, Any] | Iterable[Any], context: Context, decide: Callable[[Any, Context], Verdict]
) -> Verdict:
    """All of several claims, by label; stops at the first that is refuted.

    A list or mapping divides alpha evenly. A generator's length is unknown, so no simulation may come out of one.
    An empty conjunction would be vacuous and is an error.
    """
    labelled: Iterable[tuple[str, Any]]
    alpha = context.alpha
    if isinstance(claims, Generator):
        labelled, alpha = ((str(i), claim) for i, claim in enumerate(claims)), None
    else:
        pairs = claims.items() if isinstance(claims, Mapping) else enumerate(claims)
        labelled = [(str(label), claim) for label, claim in pairs]
        alpha = alpha / max(len(labelled), 1) if alpha is not None else None
    decided: list[Verdict] = []
    for label, claim in labelled:
        verdict = decide(claim, replace(context, name=f"{context.name}/{label}", alpha=alpha))
        decided.append(verdict)
        if verdict.refuted:
            where = "" if label.isdigit() else f"{label}: "
            return replace(verdict, counterexample=where + (verdict.counterexample or verdict.detail))
    if not decided:
        return Verdict(Status.ERROR, context.scope, "the check returned no claim at all: nothing was checked")
    return _merge(decided, context)


def _merge(decided: list[Verdict], context: Context) -> Verdict:
    """The weakest member speaks for all; details of equal members are counted, not repeated."""
    for status in (Status.ERROR, Status.INCONCLUSIVE, Status.SKIPPED):
        for verdict in decided:
            if verdict.status is status:
                return verdict
    if len(decided) == 1:
        return decided[0]
    deltas = [verdict.delta for verdict in decided if verdict.delta is not None]
    engines = sorted({verdict.engine for verdict in decided})
    proved = all(verdict.status is Status.PROVED for verdict in decided)
    details = list(dict.fromkeys(verdict.detail for verdict in decided if verdict.detail))
    return Verdict(
        Status.PROVED if proved else Status.VERIFIED_WITHIN,
        context.scope,
        f"{len(decided)} claims, all hold; " + "; ".join(details[:4]) + ("; ..." if len(details) > 4 else ""),
        delta=None if proved else max(deltas, default=None),
        engine=", ".join(engines),
        evidence={"parts": [dict(v.evidence) for v in decided if v.evidence][:64]},
        pictures=tuple(picture for verdict in decided for picture in verdict.pictures),
    )
