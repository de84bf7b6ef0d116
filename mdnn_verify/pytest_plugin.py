"""pytest plugin: the checks of each theorem's file become test items.

``pytest --pyargs mdnn_verify -m montecarlo -k gaussian`` runs the simulations of the Gaussian theorems. Every pytest
run on this machine loads this module, so it imports nothing of the package until a theorem's file is collected.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mdnn_verify.catalogue import Entry
    from mdnn_verify.checking.assessment import Assessment
    from mdnn_verify.runner.units import Settings, Unit
    from mdnn_verify.verdicts import CheckResult

__all__ = ["ControlItem", "TheoremFile", "UnitItem", "verify"]

DEFAULTS: dict[str, Any] = {"--mdnn-seed": 0, "--mdnn-alpha": 1e-6, "--mdnn-theorems": []}
MARKERS = {
    "symbolic": "a proof step or a hypothesis of a theorem",
    "pathwise": "a check of a theorem at concrete instances, to a derived rounding bound",
    "montecarlo": "a simulation with stated error rates",
    "formal": "a machine-checked proof of a theorem",
    "control": "a false neighbour of a theorem, which must be refuted",
}


@pytest.fixture
def verify() -> Callable[..., Assessment]:
    """``verify(ID, implementation, **terms)``: fail the test unless the implementation satisfies the contract of ID.

    ``implementation`` is a callable or its address, ``terms`` are those of ``mdnn_verify.check``.
    """

    def hold(identifier: str, implementation: Callable[..., Any] | str, **terms: Any) -> Assessment:
        from mdnn_verify.checking.api import check
        from mdnn_verify.reporting.checks import told

        assessment = check(identifier, implementation, **terms)
        if assessment.verdict != "verified":
            head = f"{assessment.id}: {assessment.subject} is {assessment.verdict}"
            pytest.fail("\n".join([head, *told(assessment)]), pytrace=False)
        return assessment

    return hold


def pytest_addoption(parser: pytest.Parser) -> None:
    """The terms under which theorems are checked."""
    group = parser.getgroup("mdnn_verify", "theorems of mdnn_verify")
    options: dict[str, dict[str, Any]] = {
        "--mdnn-seed": {"type": int, "metavar": "S", "help": "root of all random numbers (default: 0)"},
        "--mdnn-alpha": {"type": float, "metavar": "A", "help": "error probability of the suite (default: 1e-6)"},
        "--mdnn-theorems": {"action": "append", "metavar": "DIR", "help": "a further folder of <chapter>/<name>.py"},
    }
    for name, option in options.items():
        group.addoption(name, default=DEFAULTS[name], **option)


def pytest_configure(config: pytest.Config) -> None:
    """The markers; who uses an option asks for theorems, so a mistake in it is told before anything is collected."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    if any(config.getoption(name) != default for name, default in DEFAULTS.items()):
        _settings(config)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """A theorem's file is collected by this plugin alone, even where pytest's own would import it as a test module."""
    others = yield
    if file_path.suffix != ".py" or file_path.name.startswith("_") or not _is_theorem(file_path, parent.config):
        return others
    return [TheoremFile.from_parent(parent, path=file_path)]


class TheoremFile(pytest.File):
    """A theorem: an item for each check, then one for each false neighbour."""

    def collect(self) -> Iterable[pytest.Item]:
        """Import the theorem; a malformed one is one collection error that lists all its faults."""
        from mdnn_verify.catalogue import Entry, load
        from mdnn_verify.runner.units import units_of
        from mdnn_verify.verdicts import KINDS

        settings = _settings(self.config)
        entry = Entry(f"{self.path.parent.name}/{self.path.stem}", self.path)
        theorem = load(entry)
        units = units_of(entry, KINDS)
        for unit in units:
            if unit.control is None:
                yield UnitItem.from_parent(self, name=unit.check, unit=unit, settings=settings)
        for control in theorem.controls:
            own = [unit for unit in units if unit.control == control.name]
            yield ControlItem.from_parent(
                self, name=f"control[{control.name}]", units=own, settings=settings, drops=control.drops
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The faults of a malformed theorem, without the traceback of the code that found them."""
        from mdnn_verify.errors import MdnnVerifyError

        return str(excinfo.value) if isinstance(excinfo.value, MdnnVerifyError) else super().repr_failure(excinfo)


class Disagreement(Exception):
    """A check or a control did not come out as it must; the message is what pytest prints."""


class TheoremItem(pytest.Item):
    """What items of both sorts print."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The counterexample, not the traceback of the code that found it."""
        return str(excinfo.value) if isinstance(excinfo.value, Disagreement) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.parent.name}/{self.path.stem}: {self.name}"


class UnitItem(TheoremItem):
    """One check of a theorem: passes if it agrees, a proof step if it is proved."""

    def __init__(self, *, unit: Unit, settings: Settings, **more: Any) -> None:
        super().__init__(**more)
        self.unit, self.settings = unit, settings
        self.add_marker("symbolic" if unit.kind == "hypothesis" else unit.kind)

    def runtest(self) -> None:
        from mdnn_verify.runner.units import run_unit
        from mdnn_verify.verdicts import FORMAL, SYMBOLIC, Status

        result = run_unit(self.unit, self.settings)
        if result.verdict.status is Status.SKIPPED:
            pytest.skip(result.verdict.detail)
        proved = result.verdict.status is Status.PROVED
        if not (proved if result.kind in (SYMBOLIC, FORMAL) else result.verdict.agrees):
            raise Disagreement(_describe(self.unit.entry, result))


class ControlItem(TheoremItem):
    """One false neighbour: passes if the theorem's own checks refute it."""

    def __init__(self, *, units: list[Unit], settings: Settings, drops: str, **more: Any) -> None:
        super().__init__(**more)
        self.units, self.settings, self.drops = units, settings, drops
        self.add_marker("control")

    def runtest(self) -> None:
        from mdnn_verify.runner.units import run_unit
        from mdnn_verify.verdicts import Status, judge_control

        results = [run_unit(unit, self.settings) for unit in self.units]
        control = judge_control(self.name, results, drops=self.drops)
        if control.verdict is not Status.REFUTED:
            described = [_describe(self.units[0].entry, result) for result in results]
            raise Disagreement("\n\n".join([f"{control.verdict}: {control.reason}", *described]))


def _is_theorem(path: Path, config: pytest.Config) -> bool:
    """``mdnn_verify/theorems/<chapter>/<name>.py``, installed or in a checkout, or in a folder of --mdnn-theorems."""
    root = path.parents[1] if len(path.parents) > 2 else path.parent
    if root.name == "theorems" and root.parent.name == "mdnn_verify":
        return True
    return any(root == Path(folder).resolve() for folder in config.getoption("--mdnn-theorems"))


def _settings(config: pytest.Config) -> Settings:
    """The same terms as ``mdnn-verify run``: alpha is shared by the whole catalogue, whatever is selected here."""
    from mdnn_verify.catalogue import catalogue
    from mdnn_verify.errors import UsageError
    from mdnn_verify.runner.campaign import validated
    from mdnn_verify.runner.units import Settings

    try:
        entries = catalogue([Path(folder).resolve() for folder in config.getoption("--mdnn-theorems")])
        alpha, seed = config.getoption("--mdnn-alpha"), config.getoption("--mdnn-seed")
        return validated(Settings(seed=seed, alpha=alpha, theorems=len(entries)))
    except UsageError as error:
        message = str(error).replace("--alpha", "--mdnn-alpha").replace("--seed", "--mdnn-seed")
        raise pytest.UsageError(message) from None


def _describe(entry: Entry, result: CheckResult) -> str:
    """A verdict as a reader wants it: what was to be shown, for what, and where it fails."""
    verdict = result.verdict
    lines = [
        f"{entry.id}: {entry.title}",
        f"{result.name} is {verdict.status}" + (f" (engine: {verdict.engine})" if verdict.engine else ""),
        result.doc and f"what it says: {result.doc}",
        verdict.scope and f"scope: {verdict.scope}",
        verdict.counterexample and f"counterexample: {verdict.counterexample}",
        verdict.detail and f"detail: {verdict.detail}",
        str(verdict.evidence.get("traceback", "")),
    ]
    return "\n".join(line for line in lines if line)
