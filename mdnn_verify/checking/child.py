"""The process that runs a user's implementation: ``python -m mdnn_verify.checking.child REQUEST DESCRIPTOR``.

What happens is written to the descriptor as JSON lines, so that whatever the implementation prints, raises or kills
does not get in the way: ``{"loading"}``, ``{"trying": number}``, and at last ``{"result"}`` or ``{"usage"}``.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

import torch

from mdnn_verify.checking.judge import Judgement, judge
from mdnn_verify.checking.pasting import literal, snippet
from mdnn_verify.checking.registry import contract_of
from mdnn_verify.checking.subject import Broken, Subject, load
from mdnn_verify.contract import Terms
from mdnn_verify.errors import UsageError

__all__ = ["main", "report"]


def main() -> None:
    """Serve one request."""
    request, descriptor = json.loads(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(descriptor, False)
    owner = os.getpid()

    def tell(**event: Any) -> None:
        if os.getpid() == owner:
            os.write(descriptor, (json.dumps(event) + "\n").encode())

    os.dup2(2, 1)  # what the implementation prints is not our result
    torch.set_num_threads(1)
    tell(loading=request["subject"])
    try:
        terms = Terms(
            getattr(torch, request["dtype"]), request["device"], request["dim"], request["trainable"], request["alpha"]
        )
        contract = contract_of(request["id"])
        subject = Subject(load(request["subject"]), contract, terms)
        judgement = judge(
            subject, contract, request["id"], seed=request["seed"], budget=request["budget"],
            watch=lambda number: tell(trying=number),
        )  # fmt: skip
        tell(result=report(judgement, request["subject"]))
    except UsageError as error:
        tell(usage=str(error))
    except Broken as error:
        tell(usage=error.reason)
    os._exit(0)  # threads or children that the implementation has left behind do not keep this process


def report(judgement: Judgement, address: str) -> dict[str, Any]:
    """The judgement as plain data, its counterexample as text that can be pasted."""
    finding = judgement.finding
    plain = {
        name: getattr(judgement, name)
        for name in ("complete", "instances", "comparisons", "uninformative", "calls", "notes")
    }
    if finding is None:
        return plain | {"finding": None}
    shown = {name: value for name, value in asdict(finding).items() if name != "arguments"}
    shown["arguments"] = {name: literal(value) for name, value in finding.arguments.items()}
    shown["code"] = snippet(address, finding.arguments, finding.shown)
    return plain | {"finding": shown}


if __name__ == "__main__":
    main()
