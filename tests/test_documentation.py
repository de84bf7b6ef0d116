"""Documentation is executed: the theorem of the how-to page verifies, and the README's commands exist."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import mdnn_verify
from mdnn_verify.catalogue import catalogue, load
from mdnn_verify.runner.units import Settings, assemble, preflight, run_unit, units_of

ROOT = Path(__file__).parents[1]


def code_blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), flags=re.M | re.S)


@pytest.fixture
def example(tmp_path: Path):
    (text,) = code_blocks(ROOT / "docs" / "adding-a-theorem.md", "python")
    path = tmp_path / "examples" / "mean_inequality.py"
    path.parent.mkdir()
    path.write_text(text)
    return path


def outcome(folder: Path):
    settings = Settings()
    entry = catalogue([folder])["examples/mean_inequality"]
    preflight([entry], settings)
    return assemble(entry, [run_unit(unit, settings) for unit in units_of(entry, settings.kinds)])


def test_the_page_that_teaches_to_add_a_theorem_is_true(example: Path) -> None:
    result = outcome(example.parents[1])
    assert (result.verdict, result.reason) == ("verified", "")
    assert len(result.controls) == 2


def test_the_same_file_with_a_false_statement_is_refuted(example: Path) -> None:
    example.write_text(example.read_text().replace('"half": sp.Rational(1, 2)', '"half": sp.Rational(12, 25)'))
    assert load(catalogue([example.parents[1]])["examples/mean_inequality"]).given["half"] < 0.5
    assert outcome(example.parents[1]).verdict == "refuted"


def test_the_two_commands_name_environments_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"<!-- (main|test) command -->\n```sh\n(.+?)\n```", readme)
    assert [kind for kind, _ in commands] == ["main", "test"]
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    for _, command in commands:
        assert f"testenv:{command.split()[-1]}" in tox.sections()


def test_every_command_of_the_readme_is_understood() -> None:
    lines = "\n".join(code_blocks(ROOT / "README.md", "sh")).splitlines()
    subcommands = {line.split()[1] for line in lines if line.startswith("mdnn-verify ")}
    assert subcommands >= {"list", "run", "report"}
    for name in sorted(subcommands):
        process = subprocess.run([sys.executable, "-m", "mdnn_verify", name, "--help"], capture_output=True, text=True)
        assert process.returncode == 0, process.stderr


def test_linked_files_exist() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_field_of_the_schema_is_documented() -> None:
    page = (ROOT / "docs" / "json.md").read_text()
    schema = json.loads((ROOT / "mdnn_verify" / "reporting" / "schema" / "run-1.json").read_text())
    fields = set(_properties(schema))
    assert {"theorems", "refuted_by", "alpha"} <= fields
    missing = [name for name in fields if not re.search(rf"`(run\.)?{re.escape(name)}`", page)]
    assert missing == []


def _properties(schema: object):
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from _properties(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _properties(part)


def test_the_page_on_checking_is_true(tmp_path: Path) -> None:
    """Its files, its commands and their exit statuses, in order; then its counterexample and its test."""
    page = (ROOT / "docs" / "checking.md").read_text()
    blocks = re.findall(r"^```(python|sh) (file|replace|expect)=(\S+)\n(.*?)^```$", page, flags=re.M | re.S)
    assert [kind for _, kind, _, _ in blocks] == ["file", "expect", "replace", "expect", "file", "expect"]
    outputs = []
    for _, kind, argument, text in blocks:
        if kind == "file":
            (tmp_path / argument).write_text(text)
        elif kind == "replace":
            wrong = (tmp_path / argument).read_text()
            (tmp_path / "submissions").mkdir(exist_ok=True)
            (tmp_path / "submissions" / "first.py").write_text(wrong)
            assert wrong.count("        return z, s.mean(dim=1)\n") == 1
            (tmp_path / argument).write_text(wrong.replace("        return z, s.mean(dim=1)\n", text))
        else:
            (tmp_path / "submissions").mkdir(exist_ok=True)
            process = in_folder(tmp_path, ["-m", "mdnn_verify", *shlex.split(text)[1:]])
            assert process.returncode == int(argument), process.stdout + process.stderr
            outputs.append(process.stdout)
    assert "log_det is not log|det dz/dx|" in outputs[0]
    (tmp_path / "layers.py").write_text(blocks[0][3])
    pasted = in_folder(tmp_path, ["-c", outputs[0].split("see it:\n\n")[1]])
    observed, expected = (float(line.split()[-1]) for line in pasted.stdout.splitlines())
    assert observed == pytest.approx(expected / 3)
    assert "results.html" in {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(("entry", "outcome"), [("s.sum(dim=1)", 0), ("s.mean(dim=1)", 1)])
def test_the_fixture_on_that_page_tells_right_from_wrong(tmp_path: Path, entry: str, outcome: int) -> None:
    page = (ROOT / "docs" / "checking.md").read_text()
    files = dict(re.findall(r"^```python file=(\S+)\n(.*?)^```$", page, flags=re.M | re.S))
    (tmp_path / "layers.py").write_text(files["layers.py"].replace("s.mean(dim=1)", entry))
    (tmp_path / "test_layers.py").write_text(files["test_layers.py"])
    plugin = (
        []
        if any(p.name == "mdnn_verify" for p in entry_points(group="pytest11"))
        else ["-p", "mdnn_verify.pytest_plugin"]
    )
    process = in_folder(tmp_path, ["-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, "test_layers.py"])
    assert process.returncode == outcome, process.stdout
    assert ("Paste this into Python" in process.stdout) == bool(outcome)


def in_folder(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    root = str(Path(mdnn_verify.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, str(folder)])}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
