"""``mdnn_verify.check`` and ``mdnn_verify.load``: an implementation against the contract of a theorem, from Python.

torch is imported when one of them is called, so that naming them costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mdnn_verify.checking.assessment import Assessment, Request

__all__ = ["check", "load"]


def check(identifier: str, implementation: Callable[..., Any] | str, **terms: Any) -> Assessment:
    """Hold an implementation against the contract of the theorem ``identifier`` (a bare name if it is unique).

    A callable runs in this process; an address, "FILE.py:CALLABLE" or "package.module:callable", in a child that may
    hang or crash. ``terms``: ``seed``, ``dtype`` ("float64", "float32"), ``device``, ``dim``, ``trainable``,
    ``budget`` in seconds, and for an address ``timeout`` in seconds and ``memory`` in bytes, as in ``Request``. Raises
    UnknownName for an id without a contract and UsageError for terms or a signature that do not fit.
    """
    from mdnn_verify.checking import run

    if isinstance(implementation, str):
        return run.check_file(Request(identifier, implementation, **terms))
    name = getattr(implementation, "__qualname__", type(implementation).__qualname__)
    request = run.validated(Request(identifier, name, **terms))
    return _check_here(replace(request, subject=name), implementation)


def load(address: str) -> Callable[..., Any]:
    """The callable that "FILE.py:CALLABLE" or "package.module:callable" names; its file is run as your own code.

    Raises UsageError for a missing file, a file that does not import, a name that it does not have, or a class.
    """
    from mdnn_verify.checking.subject import load as loaded

    return loaded(address)


def _check_here(request: Request, implementation: Callable[..., Any]) -> Assessment:
    import torch

    from mdnn_verify.checking.child import report
    from mdnn_verify.checking.judge import judge
    from mdnn_verify.checking.registry import contract_of
    from mdnn_verify.checking.run import assessed
    from mdnn_verify.checking.subject import Subject
    from mdnn_verify.contract import Terms

    started, threads = time.monotonic(), torch.get_num_threads()
    terms = Terms(getattr(torch, request.dtype), request.device, request.dim, request.trainable, request.alpha)
    contract = contract_of(request.id)
    torch.set_num_threads(1)  # sums in another order must not look like another result
    try:
        subject = Subject(implementation, contract, terms)
        judgement = judge(subject, contract, request.id, seed=request.seed, budget=request.budget)
    finally:
        torch.set_num_threads(threads)
    return assessed(request, report(judgement, ""), time.monotonic() - started)
