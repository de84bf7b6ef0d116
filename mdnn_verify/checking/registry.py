"""Finds contracts: ``contracts/<chapter>/<name>.py`` is that of the theorem of the same id; no registry to edit."""

from __future__ import annotations

import importlib
from pathlib import Path

from mdnn_verify import catalogue
from mdnn_verify.contract import Contract
from mdnn_verify.errors import UsageError

__all__ = ["contract_of", "known", "resolve"]

FOLDER = Path(__file__).parent.parent / "contracts"


def known() -> list[str]:
    """The ids that have a contract."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in FOLDER.glob("*/*.py") if not path.name.startswith("_"))


def resolve(name: str) -> str:
    """The full id for an id or a bare name. Raises UnknownName with the nearest, UsageError where it is not unique."""
    return catalogue.resolve(name, known(), "contract")


def contract_of(identifier: str) -> Contract:
    """The contract of an id, as ``resolve`` gives it."""
    module = importlib.import_module(f"mdnn_verify.contracts.{identifier.replace('/', '.')}")
    contract = module.contract
    if not isinstance(contract, Contract):
        raise UsageError(f"mdnn_verify/contracts/{identifier}.py has no object named 'contract' of type Contract")
    return contract
