"""The plugin, in a pytest of its own each time: what it collects, what it prints, and that others do not notice it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import mdnn_verify
from mdnn_verify.catalogue import PACKAGE_THEOREMS, catalogue, load

PACKAGE = Path(mdnn_verify.__file__).parent
OUTCOMES = Path(__file__).parent / "theorem_samples" / "outcomes"
INSTALLED = any(point.name == "mdnn_verify" for point in entry_points(group="pytest11"))
LOOK = """
import sys
def pytest_unconfigure(config):
    print("IMPORTED", *sorted({"torch", "sympy", "numpy", "z3", "joblib", "typer"} & set(sys.modules)))
    print("OURS", *sorted(name for name in sys.modules if name.startswith("mdnn_verify")))
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A pytest in ``folder``, with the plugin as an installation has it."""
    plugin = [] if INSTALLED else ["-p", "mdnn_verify.pytest_plugin"]
    # the folder of the package, not its theorems: the checkout's, or site-packages
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), str(folder)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", "--rootdir", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=300)


SHOW = """
def pytest_collection_modifyitems(items):
    for item in items:
        print("ITEM", item.nodeid.split("/")[-1], "|", *(mark.name for mark in item.iter_markers()))
def pytest_runtest_call(item):
    print("TERMS", item.settings.seed, item.settings.alpha, item.settings.theorems)
"""


def samples(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_pytest(folder, str(OUTCOMES), "--mdnn-theorems", str(OUTCOMES), *arguments)


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """All samples, with their markers and the terms they are checked under."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "show.py").write_text(SHOW)
    terms = ["--mdnn-seed", "11", "--mdnn-alpha", "0.001"]
    return samples(folder, "-v", "-s", "-p", "show", *terms)


def section(output: str, name: str) -> str:
    """What pytest printed below the headline of one failure."""
    return re.search(rf"^_+ {re.escape(name)} _+$(.*?)^(?:_____|=====)", output, flags=re.M | re.S)[1]


def items(process: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in process.stdout.splitlines() if "::" in line and not line.startswith(("FAILED", "ERROR"))]


def test_a_run_without_theorems_does_not_notice_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(LOOK)
    (tmp_path / "test_mine.py").write_text("def test_one(): pass\n")
    # a folder of the same shape that is not ours, and one that looks like it
    for folder in ("theorems/chapter", "chapter"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "name.py").write_text("raise RuntimeError('imported')\n")
    process = run_pytest(tmp_path, "--strict-markers", "-v")
    assert process.returncode == 0, process.stdout + process.stderr
    assert len(items(process)) == 1
    assert "IMPORTED\n" in process.stdout
    assert "OURS mdnn_verify mdnn_verify.pytest_plugin\n" in process.stdout


def test_markers_are_registered(tmp_path: Path) -> None:
    process = run_pytest(tmp_path, "--markers")
    for name in ("symbolic", "pathwise", "montecarlo", "control"):
        assert f"@pytest.mark.{name}: " in process.stdout


def test_every_check_and_every_control_is_an_item_with_its_marker(whole_run) -> None:
    found = [line.split(" ", 1)[1] for line in whole_run.stdout.splitlines() if line.startswith("ITEM true_claim.py")]
    assert found == [
        "true_claim.py::c_is_positive | symbolic",
        "true_claim.py::completes_the_square | symbolic",
        "true_claim.py::mean_is_between_0_and_1 | symbolic",
        "true_claim.py::at_random_numbers | pathwise",
        "true_claim.py::on_average | montecarlo",
        "true_claim.py::control[the constant is 2] | control",
        "true_claim.py::control[the mean is a half] | control",
        "true_claim.py::control[the factor is negative] | control",
    ]


def test_only_what_is_wrong_fails(whole_run) -> None:
    assert whole_run.returncode == 1
    failed = re.findall(r"^FAILED \S*samples/(\S+?\.py::.+?)(?: - .*)?$", whole_run.stdout, flags=re.M)
    assert sorted(failed) == [
        "accepted_control.py::control[the factor is 2]",
        "false_claim.py::at_one_and_two",
        "false_claim.py::opens_the_square",
        "raises.py::divides",
        "undecided.py::is_open",
    ]
    assert "5 failed, 15 passed" in whole_run.stdout


def test_a_failure_prints_the_counterexample_and_no_traceback(whole_run) -> None:
    printed = section(whole_run.stdout, "samples/false_claim: opens_the_square")
    assert "opens_the_square is REFUTED" in printed
    assert "counterexample: x = 1, y = 1" in printed
    assert "scope: all real x, y" in printed
    assert "counterexample: x = 1; y = 2" in section(whole_run.stdout, "samples/false_claim: at_one_and_two")
    assert "is_open is INCONCLUSIVE" in section(whole_run.stdout, "samples/undecided: is_open")
    accepted = section(whole_run.stdout, "samples/accepted_control: control[the factor is 2]")
    assert "VERIFIED_WITHIN: every check accepted this false neighbour" in accepted
    assert "pytest_plugin.py" not in whole_run.stdout


def test_an_error_prints_the_traceback_of_the_check(whole_run) -> None:
    printed = section(whole_run.stdout, "samples/raises: divides")
    assert "divides is ERROR" in printed
    assert re.search(r'raises\.py", line \d+, in divides', printed)
    assert "ZeroDivisionError" in printed


def test_seed_alpha_and_size_of_the_catalogue_reach_the_checks(whole_run) -> None:
    terms = set(re.findall(r"TERMS [-.e0-9 ]*[0-9]", whole_run.stdout))
    assert terms == {f"TERMS 11 0.001 {len(catalogue([OUTCOMES]))}"}


def test_markers_and_names_select(tmp_path: Path) -> None:
    process = samples(tmp_path, "-m", "symbolic or control", "-k", "true_claim")
    assert process.returncode == 0, process.stdout
    assert "6 passed" in process.stdout


def test_a_malformed_theorem_is_one_error_with_all_faults(tmp_path: Path) -> None:
    file = tmp_path / "mine" / "chapter" / "broken.py"
    file.parent.mkdir(parents=True)
    file.write_text('"""T."""\nfrom mdnn_verify.theorem import Theorem\ntheorem = Theorem(statement="", given={})\n')
    process = run_pytest(tmp_path, str(tmp_path / "mine"), "--mdnn-theorems", "mine")
    assert process.returncode == 2
    for fault in ("no source", "the statement is empty", "no control", "no proof step"):
        assert fault in process.stdout
    assert "Traceback" not in process.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mdnn-alpha", "2"], "--mdnn-alpha is 2.0, expected a number strictly between 0 and 1"),
        (["--mdnn-alpha", "nan"], "--mdnn-alpha is nan"),
        (["--mdnn-seed", "-1"], "--mdnn-seed is -1, expected a non-negative integer"),
        (["--mdnn-theorems", "nowhere"], "no folder of theorems at"),
    ],
)
def test_options_are_checked(tmp_path: Path, arguments: list[str], message: str) -> None:
    process = samples(tmp_path, *arguments)
    assert process.returncode == 4
    assert message in process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr


def test_one_file_given_by_name_is_not_a_test_module_as_well(tmp_path: Path) -> None:
    file = OUTCOMES / "samples" / "true_claim.py"
    process = run_pytest(tmp_path, str(file), "--mdnn-theorems", str(OUTCOMES), "--collect-only", "-q")
    assert len(items(process)) == 8
    nodes = [f"{file}::on_average", f"{file}::control[the mean is a half]"]
    process = run_pytest(tmp_path, *nodes, "--mdnn-theorems", str(OUTCOMES))
    assert "2 passed" in process.stdout


def test_the_package_is_collected_by_name_and_by_folder(tmp_path: Path) -> None:
    theorems = {identifier: load(entry) for identifier, entry in catalogue().items()}
    expected = sum(len(theorem.checks) + len(theorem.controls) for theorem in theorems.values())
    expected += sum(entry.formal is not None for entry in catalogue().values())
    assert expected > 0
    for arguments in (["--pyargs", "mdnn_verify"], [str(PACKAGE_THEOREMS)]):
        process = run_pytest(tmp_path, *arguments, "--collect-only", "-q")
        assert process.returncode == 0, process.stdout + process.stderr
        assert len(items(process)) == expected


def test_markers_and_names_select_simulations_of_the_package(tmp_path: Path) -> None:
    arguments = ["--pyargs", "mdnn_verify", "--collect-only", "-q", "-m", "montecarlo", "-k", "gaussian"]
    process = run_pytest(tmp_path, *arguments)
    assert process.returncode == 0, process.stdout + process.stderr
    names = items(process)
    assert names
    assert all("gaussian" in name for name in names)
    assert any("/divergences/gaussian_kl.py::" in name for name in names)
