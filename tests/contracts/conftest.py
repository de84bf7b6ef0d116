"""For modules that list ids in CONTRACTS: a test with the argument ``wrong``, ``right`` or ``single`` runs for each of the
wrong subjects of these, of the right ones, and of the right ones meant for single precision."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from mdnn_verify.checking.judge import Judgement, judge
from mdnn_verify.checking.pasting import snippet
from mdnn_verify.checking.registry import contract_of
from mdnn_verify.checking.subject import Subject, load
from mdnn_verify.contract import Terms

FOLDER = Path(__file__).parents[1] / "subjects"
FEW = 1  # right one of each contract that is not left to a campaign: they take longest


@dataclass(frozen=True)
class Case:
    """One subject, loaded anew for each judgement: some have a memory."""

    identifier: str
    name: str

    def __str__(self) -> str:
        return f"{self.identifier}:{self.name}"

    @property
    def address(self) -> str:
        return f"{FOLDER / self.identifier}.py:{self.name}"

    @property
    def reproducible(self) -> bool:
        """Whether its fault shows whenever the same lines are run: not if it is random, or depends on much else."""
        return not self.name.endswith(
            ("_thousandth", "_jittered", "_random_start", "_random_baseline", "_moving_average")
        )

    def judged(self, seed: int = 0, dtype: torch.dtype = torch.float64) -> Judgement:
        subject = load(self.address)
        if isinstance(subject, torch.nn.Module):
            subject.to(dtype)
        return judged(self.identifier, subject, seed, dtype)

    def shows_a_discrepancy(self, judgement: Judgement) -> bool:
        """Whether the counterexample, pasted, ends with observed and expected that differ, or in an exception."""
        finding, names = judgement.finding, dict[str, Any]()
        assert finding is not None
        try:
            exec(snippet(self.address, finding.arguments, finding.shown), names)
        except (ArithmeticError, ValueError, TypeError, RuntimeError, IndexError):
            return "observed" not in names
        allowed = (float(finding.bound) / 2, 0.0) if finding.bound else (1e-16, 1e-10)
        return not alike(names["observed"], names["expected"], *allowed)


def alike(observed: Any, expected: Any, atol: float = 1e-16, rtol: float = 1e-10) -> bool:
    if isinstance(observed, (tuple, list)) and isinstance(expected, (tuple, list)):
        return len(observed) == len(expected) and all(
            alike(one, other, atol, rtol) for one, other in zip(observed, expected, strict=True)
        )
    try:
        one, other = (torch.as_tensor(value, dtype=torch.float64) for value in (observed, expected))
    except (TypeError, ValueError, RuntimeError):
        return str(observed) == str(expected)
    return one.shape == other.shape and torch.allclose(one, other, rtol=rtol, atol=atol)


def judged(identifier: str, function: Any, seed: int = 0, dtype: torch.dtype = torch.float64) -> Judgement:
    contract = contract_of(identifier)
    return judge(Subject(function, contract, Terms(dtype)), contract, identifier, seed=seed, budget=60.0)


@pytest.fixture(name="judged")
def judged_() -> Callable[..., Judgement]:
    return judged


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    kinds: dict[str, Callable[[str], bool]] = {
        "wrong": lambda name: name.startswith("wrong_"),
        "right": lambda name: name.startswith("right_"),
        "single": lambda name: name.startswith("right_") and name.endswith("_float32"),
    }
    for kind, chosen in kinds.items():
        if kind in metafunc.fixturenames:
            cases = [
                Case(identifier, name)
                for identifier in metafunc.module.CONTRACTS
                for name in [name for name in names(identifier) if chosen(name)]
            ]
            first = {identifier: [case for case in cases if case.identifier == identifier][:FEW] for identifier in
                     metafunc.module.CONTRACTS}  # fmt: skip
            later = {case for case in cases if kind in ("right", "single") and case not in first[case.identifier]}
            parameters = [
                pytest.param(case, marks=[pytest.mark.campaign] if case in later else [], id=str(case))
                for case in cases
            ]
            metafunc.parametrize(kind, parameters)


@functools.cache
def names(identifier: str) -> list[str]:
    """The subjects' names, the right ones first: functions, and instances of classes."""
    found: list[str] = []
    for statement in ast.parse((FOLDER / f"{identifier}.py").read_text()).body:
        if isinstance(statement, ast.FunctionDef):
            found.append(statement.name)
        elif isinstance(statement, ast.Assign):
            found += [target.id for target in statement.targets if isinstance(target, ast.Name)]
    subjects = [name for name in found if name.startswith(("right_", "wrong_"))]
    return sorted(subjects, key=lambda name: name.startswith("wrong_"))
