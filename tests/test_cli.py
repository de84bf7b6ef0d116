"""The command line: statuses, files, and one clear message for everything that cannot be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import mdnn_verify.runner.backends as backends
from mdnn_verify.catalogue import catalogue
from mdnn_verify.cli import main

SAMPLES = Path(__file__).parent / "theorem_samples" / "outcomes"
HEAVY = ("torch", "sympy", "matplotlib", "scipy", "z3", "flint", "joblib")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Runs the command in this process: status, stdout, stderr."""

    def call(*arguments: str, reports: Path = tmp_path / "reports"):
        words = ["run", "--theorems", str(SAMPLES), "--jobs", "1", "--reports", str(reports), *arguments]
        status = main(words)
        return (status, *capsys.readouterr())

    return call


def in_subprocess(code: str) -> str:
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["list"], ["list", "--json"], ["version"]], ids=" ".join
)
def test_starts_without_a_heavy_import_and_in_under_a_second(arguments: list[str]) -> None:
    code = f"""
import sys, time
from mdnn_verify.cli import main
assert main({arguments!r}) == 0
print("HEAVY", *[name for name in {HEAVY!r} if name in sys.modules])
print("SECONDS", time.process_time())
"""
    *_, heavy, seconds = in_subprocess(code).splitlines()
    assert heavy == "HEAVY"
    assert float(seconds.split()[1]) < 1  # of processor time: the machine may be busy


def test_import_of_the_package_is_light_and_its_names_exist() -> None:
    code = """
import sys, mdnn_verify
print(len(sys.modules), *[name for name in ("torch", "sympy", "numpy", "typer") if name in sys.modules])
for name in mdnn_verify.__all__: getattr(mdnn_verify, name)
mdnn_verify.__version__
assert not hasattr(mdnn_verify, "no_such_name")
print("torch" in sys.modules)
"""
    first, second = in_subprocess(code).splitlines()
    assert len(first.split()) == 1
    assert second == "False"


def test_module_is_the_command() -> None:
    process = subprocess.run([sys.executable, "-m", "mdnn_verify", "list", "--json"], capture_output=True, text=True)
    listed = json.loads(process.stdout)
    assert [entry["id"] for entry in listed] == list(catalogue())
    assert all(entry["title"] and entry["source"] and entry["chapter"] for entry in listed)


@pytest.mark.parametrize(
    ("name", "status", "verdict"),
    [
        ("true_claim", 0, "verified"),
        ("false_claim", 1, "refuted"),
        ("accepted_control", 1, "refuted"),
        ("undecided", 3, "inconclusive"),
        ("raises", 4, "inconclusive"),
    ],
)
def test_exit_status_table_and_files(run, tmp_path: Path, name: str, status: int, verdict: str) -> None:
    found, table, _ = run(name)
    assert found == status
    assert next(line.split()[1] for line in table.splitlines() if line.startswith(f"samples/{name} ")) == verdict
    reports = tmp_path / "reports"
    assert {path.name for path in reports.iterdir()} == {"run.json", "index.html", "journal.jsonl"}
    assert str(reports / "index.html") in table
    (theorem,) = json.loads((reports / "run.json").read_text())["theorems"]
    assert theorem["verdict"] == verdict


def test_an_error_outweighs_a_refutation(run) -> None:
    assert run("false_claim", "raises")[0] == 4
    assert run("false_claim", "undecided")[0] == 1
    assert run("true_claim", "undecided")[0] == 3


def test_what_is_not_verified_is_explained(run) -> None:
    _, table, _ = run("false_claim", "accepted_control", "raises")
    assert "opens_the_square REFUTED: x = 1, y = 1" in table
    assert "control 'the factor is 2' VERIFIED_WITHIN: every check accepted this false neighbour" in table
    assert "divides ERROR: ZeroDivisionError: division by zero" in table


def test_a_kind_selects_checks_and_a_run_of_none_is_not_verified(run, tmp_path: Path) -> None:
    assert run("true_claim", "--kind", "montecarlo", "--kind", "control")[0] == 0
    document = json.loads((tmp_path / "reports" / "run.json").read_text())
    (theorem,) = document["theorems"]
    assert {check["kind"] for check in theorem["checks"]} == {"hypothesis", "montecarlo"}
    assert len(theorem["controls"]) == 3
    assert document["run"]["complete"] is False
    status, table, _ = run("raises", "--kind", "montecarlo")
    assert status == 3
    assert "missing: any check of the selected kinds" in table


def test_writes_json_and_junit_where_it_is_told(run, tmp_path: Path) -> None:
    run("true_claim", "false_claim", "raises", "--json", str(tmp_path / "a.json"), "--junit", str(tmp_path / "a.xml"))
    assert (tmp_path / "a.json").read_text() == (tmp_path / "reports" / "run.json").read_text()
    assert not list(tmp_path.glob(".*")), "a temporary file was left"
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    assert [suite.get("name") for suite in root] == ["samples/false_claim", "samples/raises", "samples/true_claim"]
    false, raises, true = root
    assert (true.get("tests"), true.get("failures"), true.get("errors")) == ("8", "0", "0")
    assert (false.get("tests"), false.get("failures")) == ("3", "2")
    assert raises.get("errors") == "1"
    assert "x = 1, y = 1" in false.find("testcase/failure").get("message")
    assert "ZeroDivisionError" in raises.find("testcase/error").text
    assert "control[the constant is 2]" in {case.get("name") for case in true.iter("testcase")}
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("14", "2", "1")


def test_junit_survives_what_xml_cannot_hold(run, tmp_path: Path) -> None:
    from mdnn_verify.reporting.junit import write_junit

    run("false_claim")
    document = json.loads((tmp_path / "reports" / "run.json").read_text())
    document["theorems"][0]["checks"][0]["counterexample"] = "nul \x00, escape \x1b, <tag> & \ud800"
    write_junit(document, tmp_path / "b.xml")
    message = ElementTree.parse(tmp_path / "b.xml").getroot().find(".//failure").get("message")
    assert message == "nul \ufffd, escape \ufffd, <tag> & \ufffd"


def test_the_command_in_the_json_gives_the_same_numbers(run, tmp_path: Path) -> None:
    run("true_claim", "--kind", "montecarlo", "--seed", "5", "--alpha", "1e-4")
    document = json.loads((tmp_path / "reports" / "run.json").read_text())
    words = "run true_claim --kind montecarlo --seed 5 --alpha 0.0001"
    assert document["run"]["command"] == f"mdnn-verify {words} --theorems {SAMPLES}"


USAGE = {
    "unknown id": (["gausian_kl"], "unknown theorem or chapter 'gausian_kl'; did you mean 'divergences/gaussian_kl'?"),
    "unknown kind": (["--kind", "montcarlo"], "unknown kind 'montcarlo'; did you mean 'montecarlo'?"),
    "alpha 0": (["--alpha", "0"], "--alpha is 0.0, expected a number strictly between 0 and 1"),
    "alpha 1": (["--alpha", "1"], "--alpha is 1.0"),
    "alpha negative": (["--alpha", "-0.5"], "--alpha is -0.5"),
    "alpha nan": (["--alpha", "nan"], "--alpha is nan"),
    "jobs 0": (["--jobs", "0"], "--jobs is 0, expected at least 1"),
    "jobs -2": (["--jobs", "-2"], "--jobs is -2"),
    "seed -1": (["--seed", "-1"], "--seed is -1, expected a non-negative integer"),
    "timeout 0": (["--timeout", "0"], "--timeout is 0.0"),
    "timeout inf": (["--timeout", "inf"], "--timeout is inf"),
    "device": (["--device", "cdua"], "unknown device 'cdua'; did you mean 'cuda'?"),
    "backend": (["--backend", "dusk"], "unknown backend 'dusk'; did you mean 'dask'?"),
    "scheduler alone": (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler needs --backend dask"),
    "dask alone": (["--backend", "dask"], "--scheduler tcp://HOST:PORT"),
    "nothing to resume": (["--resume"], "no journal to resume"),
    "no such folder": (["--theorems", "/nowhere/at/all"], "no folder of theorems at /nowhere/at/all"),
    "same id twice": (["--theorems", f"{SAMPLES}"], "two files claim the id samples/"),
}


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_usage_errors_are_one_message_and_status_2(run, arguments: list[str], message: str) -> None:
    names = [] if arguments[0] == "gausian_kl" else ["true_claim"]
    status, table, error = run(*names, *arguments)
    assert status == 2
    assert table == ""
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_an_option_that_is_no_number_or_unknown_is_a_usage_error(run) -> None:
    for arguments in (["--alpha", "small"], ["--jobs", "two"], ["--no-such-option"]):
        status, _, error = run("true_claim", *arguments)
        assert status == 2
        assert arguments[0] in error
        assert "Traceback" not in error


def test_cuda_where_there_is_none(run) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    status, _, error = run("true_claim", "--device", "cuda")
    assert status == 2
    assert "no CUDA device" in error


def test_report_folder_that_cannot_be_written_is_refused_before_work(run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    for reports in (file, file / "below"):  # also root cannot write there
        status, table, error = run("true_claim", reports=reports)
        assert (status, table) == (2, "")
        assert f"cannot write to the report folder {reports}" in error
        assert len(error.splitlines()) == 1
    assert file.read_text() == "precious"


def test_other_targets_that_cannot_be_written_are_refused_before_work(run, tmp_path: Path) -> None:
    for option in ("--json", "--junit"):
        for target in (tmp_path, tmp_path / "missing" / "a.out"):
            status, table, error = run("true_claim", option, str(target))
            assert (status, table) == (2, "")
            assert f"cannot write {option} {target}" in error
    assert not (tmp_path / "reports" / "journal.jsonl").exists()


def test_a_journal_that_is_a_folder_is_refused(run, tmp_path: Path) -> None:
    (tmp_path / "reports" / "journal.jsonl").mkdir(parents=True)
    status, _, error = run("true_claim")
    assert status == 2
    assert "journal.jsonl is a folder" in error


def test_a_broken_theorem_file_is_status_4_and_the_last_journal_stays(run, tmp_path: Path) -> None:
    run("true_claim")
    journal = (tmp_path / "reports" / "journal.jsonl").read_text()
    broken = tmp_path / "mine" / "chapter" / "broken.py"
    broken.parent.mkdir(parents=True)
    broken.write_text('"""A title."""\nimport no_such_module\n')
    status, table, error = run("broken", "--theorems", str(tmp_path / "mine"))
    assert (status, table) == (4, "")
    assert "broken.py is not a well-formed theorem" in error
    assert "No module named 'no_such_module'" in error
    assert "Traceback" not in error
    assert (tmp_path / "reports" / "journal.jsonl").read_text() == journal


def test_a_journal_of_another_version_is_refused_by_name(run, tmp_path: Path) -> None:
    run("true_claim")
    journal = tmp_path / "reports" / "journal.jsonl"
    first, _, rest = journal.read_text().partition("\n")
    journal.write_text(json.dumps({**json.loads(first), "version": "0.0.1"}) + "\n" + rest)
    status, _, error = run("true_claim", "--resume")
    assert status == 2
    assert "its field version is 0.0.1, this run's is" in error


def test_a_new_run_keeps_the_journal_before_it(run, tmp_path: Path) -> None:
    run("true_claim")
    before = (tmp_path / "reports" / "journal.jsonl").read_text()
    run("false_claim")
    assert (tmp_path / "reports" / "journal.previous.jsonl").read_text() == before


def test_dask_that_is_not_installed(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    status, _, error = run("true_claim", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert status == 2
    assert "mdnn-verify[cluster]" in error


def test_a_scheduler_that_does_not_answer(run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(backends, "CONNECT", 0.5)
    for address in ("tcp://127.0.0.1:1", "no address at all"):
        status, _, error = run("true_claim", "--backend", "dask", "--scheduler", address)
        assert status == 2
        assert f"no dask scheduler answers at {address}" in error


def test_report_rebuilds_the_page_and_compares(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("true_claim", "false_claim")
    reports = tmp_path / "reports"
    (reports / "index.html").unlink()
    assert main(["report", "--reports", str(reports)]) == 0
    assert "samples/true_claim" in (reports / "index.html").read_text()
    other = tmp_path / "other"
    run_json = str(reports / "run.json")
    assert main(["report", "--from", run_json, "--diff", run_json, "--reports", str(other)]) == 0
    assert (other / "index.html").exists()


def test_report_refuses_what_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        "": "is not JSON",
        "[]": "is not a run",
        '{"schema": 2, "run": {}, "theorems": []}': "has schema 2",
        None: "cannot read",
    }
    for text, message in cases.items():
        source = tmp_path / "some.json"
        source.unlink(missing_ok=True)
        if text is not None:
            source.write_text(text)
        assert main(["report", "--from", str(source), "--reports", str(tmp_path)]) == 2
        assert message in capsys.readouterr().err


def test_a_machine_without_the_proof_assistant_skips_the_proofs_and_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    words = ["run", "kl_additive", "--reports", str(tmp_path), "--jobs", "1", "--kind", "formal", "--kind", "symbolic"]
    environment = {**os.environ, "PATH": str(tmp_path / "bin")}
    done = subprocess.run(
        [sys.executable, "-m", "mdnn_verify", *words], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stdout.count("apt-get install coq ")) == (0, 1), done.stderr
    assert "skipped 1 check: Coq is not installed" in done.stdout
    assert "apt-get install coq " in (tmp_path / "index.html").read_text()
