"""Where a result carries a graph, autograd must differentiate what is computed; where it carries none, a note."""

from __future__ import annotations

import torch

from mdnn_verify.checking.derivative import Derivatives, compare, leaves, tracked
from mdnn_verify.checking.finding import Finding, Judgement
from mdnn_verify.checking.pasting import literal
from mdnn_verify.checking.subject import Broken, Subject
from mdnn_verify.contract import Instance
from mdnn_verify.engines.montecarlo import Stream

__all__ = ["DERIVATIVE", "differentiated", "varies"]

DERIVATIVE = "autograd differentiates what is computed"


def varies(subject: Subject, instance: Instance) -> bool:
    """Whether there are directions in which this input may be varied."""
    tangents = subject.contract.tangents
    return tangents is not None and bool(tangents(instance.arguments, Stream("check/directions", 0, 0)))


def differentiated(subject: Subject, judgement: Judgement, instance: Instance, noise: float) -> Finding | None:
    """Compare the derivatives along a random direction of the contract's. ``noise``: rounding error of the result."""
    tangents = subject.contract.tangents
    if tangents is None or noise == torch.inf:
        return None
    along = tangents(instance.arguments, Stream("check/directions", 0, judgement.instances))
    if not along:
        return None
    directions = [along.get(name) for name in instance.arguments]
    values, why = list(instance.arguments.values()), "its result carries no graph"
    try:
        if found := _another_value(subject, instance, directions, noise):
            return found
        if subject.terms.dtype != torch.float64:  # differences are too coarse
            return None if tracked(subject.raw, values, directions) else _without(subject, judgement, instance, why)
        both = compare(subject.raw, values, directions, noise)
    except (Broken, RuntimeError) as error:
        both, why = None, str(error).split("\n")[0]
    if both is None:
        return _without(subject, judgement, instance, why)
    return _agreeing(subject, judgement, instance, both, directions)


def _another_value(
    subject: Subject, instance: Instance, directions: list[torch.Tensor | None], noise: float
) -> Finding | None:
    """Where a gradient is wanted the value must be the same, up to its rounding error."""
    handed = [
        value if direction is None else value.detach().clone().requires_grad_()
        for value, direction in zip(instance.arguments.values(), directions, strict=True)
    ]
    pairs = zip(leaves(subject(*handed)), leaves(subject(*instance.arguments.values())), strict=True)
    if all(bool(((one == other) | ((one - other).abs() <= 2 * noise)).all()) for one, other in pairs):
        return None
    tracked_names = [
        name if direction is None else f"{name}.clone().requires_grad_()"
        for name, direction in zip(instance.arguments, directions, strict=True)
    ]
    shown = (
        "from mdnn_verify.checking.pasting import numbers\n"
        f"observed = numbers(subject({', '.join(tracked_names)}))\n"
        f"expected = numbers(subject({', '.join(instance.arguments)}))"
    )
    reason = "its value is another where a gradient is wanted"
    return Finding(DERIVATIVE, reason, instance.arguments, instance.label, shown)


def _agreeing(
    subject: Subject,
    judgement: Judgement,
    instance: Instance,
    found: Derivatives,
    directions: list[torch.Tensor | None],
) -> Finding | None:
    if found.partial:
        finding = _without(subject, judgement, instance, "a part of its result carries no graph")
        if finding is not None:
            return finding
    if not found.smooth:
        judgement.uninformative += 1
        return None
    judgement.comparisons += 1
    if abs(found.by_autograd - found.by_differences) <= found.uncertainty:
        return None
    directed = ", ".join("None" if direction is None else literal(direction) for direction in directions)
    shown = (
        "from mdnn_verify.checking.derivative import compare\n"
        f"both = compare(subject, [{', '.join(instance.arguments)}], [{directed}])\n"
        "observed, expected = both.by_autograd, both.by_differences"
    )
    return Finding(
        DERIVATIVE, "its derivative by autograd is not that of its values", instance.arguments, instance.label,
        shown, repr(found.by_autograd), repr(found.by_differences), f"{found.uncertainty:.3g}",
    )  # fmt: skip


def _without(subject: Subject, judgement: Judgement, instance: Instance, why: str) -> Finding | None:
    note = f"not trainable: {why}"
    if subject.terms.trainable:
        call = f"subject({', '.join(instance.arguments)})"
        shown = f"observed = {call}\nexpected = 'a result that carries a graph'"
        return Finding(DERIVATIVE, note, instance.arguments, instance.label, shown)
    if not any(known.startswith("not trainable") for known in judgement.notes):
        judgement.notes.append(note)
    return None
