"""``mdnn-verify audit`` from the command line: exit statuses, what is written, and bad input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mdnn_verify.cli import main

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "mdnn_verify" / "reporting" / "schema" / "audit-1.json").read_text())
HEAD = """from mdnn_verify.audit import Derivation, World
import sympy as sp
derivation = Derivation("a chain", [World({"x": sp.Integer(n)}) for n in range(3)], source="notes, page 1")
@derivation.line("x")
def start(x):
    return x
"""
FOLLOWS = '@derivation.line("=x", "=")\ndef second(x):\n    return x\n'
WRONG = '@derivation.line("=x|x|", "=", note="$|x|$ is too much")\ndef third(x):\n    return x * 3\n'
CORRECT = '@derivation.correct("third", "=x")\ndef mended(x):\n    return x\n'
GAP = FOLLOWS.replace('"="', '"=", by=lambda x: 2 * x', 1).replace("second", "fourth")
ILLEGIBLE = 'derivation.illegible("fifth", "= x x ]", "a bracket too many")\n'
SLOW = (
    '@derivation.line("=x", "=")\ndef sixth(x):\n    import time\n    for _ in range(600):\n        time.sleep(.05)\n'
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(*parts: str, name: str = "mine.py") -> str:
        (tmp_path / name).write_text(HEAD + "".join(parts))
        return name

    return write


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ((FOLLOWS,), 0),
        ((FOLLOWS, WRONG), 1),
        ((FOLLOWS, WRONG, CORRECT, GAP, ILLEGIBLE), 1),
        ((GAP,), 3),
        ((FOLLOWS, ILLEGIBLE), 3),
        ((SLOW,), 3),
    ],
)
def test_the_exit_status(file, parts: tuple[str, ...], status: int) -> None:
    assert main(["audit", file(*parts), "--timeout", "1"]) == status


def test_what_is_printed_of_an_accusation(file, capsys: pytest.CaptureFixture[str]) -> None:
    main(["audit", file(FOLLOWS, WRONG, CORRECT)])
    output = capsys.readouterr().out
    assert "third: DOES NOT FOLLOW" in output
    assert "counterexample: with x = 1: the line before is 1, this line is 3" in output
    assert "corrected: =x" in output
    assert "which follows: exact evaluation: 3 concrete worlds" in output
    pasted = re.search(r"see it:\n((?:    .*\n)+)", output)[1].replace("    ", "")
    assert pasted == "from mdnn_verify.audit import load\nload('mine.py').show('third', 1)\n"
    exec(pasted)
    assert [row.split()[-1] for row in capsys.readouterr().out.splitlines()] == ["1", "3", "1"]


def test_what_is_written(file, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = file(FOLLOWS, WRONG, CORRECT, GAP, ILLEGIBLE)
    assert main(["audit", name, "--reports", "out", "--json", "a.json", "--markdown", "e.md"]) == 1
    document = json.loads((tmp_path / "a.json").read_text())
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert json.loads((tmp_path / "out" / "audit.json").read_text()) == document
    assert document["complete"]
    assert document["summary"] == {
        "DOES NOT FOLLOW": 1, "GAP": 1, "ILLEGIBLE": 1, "UNDECIDED": 0, "FOLLOWS": 1, "GIVEN": 1,
    }  # fmt: skip
    markdown = (tmp_path / "e.md").read_text()
    assert re.findall(r"^##+ (.+)$", markdown, flags=re.M) == [
        "Errors", 'Notes, page 1, line 3 of "a chain"', "Gaps", 'Notes, page 1, line 4 of "a chain"', "Illegible places", 'Notes, page 1, line 5 of "a chain"',
    ]  # fmt: skip
    assert "- Printed: $=x\\vert x\\vert$" in markdown
    assert "- Counterexample: `with x = 1: the line before is 1, this line is 3`" in markdown
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["audit.html", "audit.json", "errata.html"]
    assert "written: out/audit.html" in capsys.readouterr().out


def test_without_reports_nothing_is_written_for_a_file(file, tmp_path: Path) -> None:
    main(["audit", file(FOLLOWS)])
    assert [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"] == ["mine.py"]


def test_several_files_are_read_side_by_side_and_shown_in_order(file, capsys: pytest.CaptureFixture[str]) -> None:
    names = [file(FOLLOWS, name=name) for name in ("b.py", "a.py", "c.py")]
    assert main(["audit", *names, "--jobs", "2", "--json", "all.json"]) == 0
    assert re.findall(r"^notes, page 1  (\S+)", capsys.readouterr().out, flags=re.M) == names
    assert [record["file"] for record in json.loads(Path("all.json").read_text())["derivations"]] == names


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_fault_in_one_of_several_is_named(file, capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    names = [file(FOLLOWS, name="good.py"), file(FOLLOWS.replace("return x", "return x + z"), name="bad.py")]
    assert main(["audit", *names, "--jobs", jobs]) == 2
    assert "mdnn-verify: bad.py:9: the line 'second' has an undefined symbol: name 'z'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "part", "told"),
    [
        ([], "def (", "mine.py:7: syntax error"),
        ([], FOLLOWS.replace("return x", "return y"), "mine.py:9: the line 'second' has an undefined symbol: name 'y'"),
        (
            [],
            FOLLOWS.replace("return x", "return sp.eye(2)"),
            "mine.py:7: the line 'second' stands in the relation '='",
        ),
        ([], FOLLOWS.replace('"=")', '"~")'), "mine.py:7: the line 'second' has the relation '~'"),
        ([], FOLLOWS.replace("(x)", "(u)"), "the line 'second' asks for u"),
        ([], FOLLOWS.replace("return x", "return x / 3.0"), "not a float"),
        ([], FOLLOWS + CORRECT.replace("third", "nothing"), "unknown line of 'a chain' 'nothing'"),
        ([], FOLLOWS + WRONG + CORRECT.replace("return x", "return -x"), "the correction of the line 'third' does not"),
        ([], "", "has no line to judge"),
        (["absent.py"], FOLLOWS, "no file absent.py"),
        (["--timeout", "0"], FOLLOWS, "--timeout is 0"),
        (["--jobs", "0"], FOLLOWS, "--jobs is 0"),
        (["--json", "no/such/file.json"], FOLLOWS, "cannot write --json"),
        (["--reports", "mine.py"], FOLLOWS, "cannot write to the folder mine.py"),
    ],
)
def test_bad_input_is_one_message(file, capsys, arguments: list[str], part: str, told: str) -> None:
    assert main(["audit", file(part), *arguments]) == 2
    error = capsys.readouterr().err
    (message,) = (row for row in error.splitlines() if row.startswith("mdnn-verify: "))
    assert told in message
    assert "Traceback" not in error


def test_interrupted(file, tmp_path: Path) -> None:
    for name in ("one.py", "two.py", "three.py"):
        file(SLOW, name=name)
    process = subprocess.Popen(
        [sys.executable, "-c", "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
         "from mdnn_verify.cli import main; sys.exit(main(sys.argv[1:]))", "audit", ".", "--jobs", "2"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130, error.decode()
    assert b"Traceback" not in error


def test_the_schema_refuses_an_accusation_without_a_counterexample(file, tmp_path: Path) -> None:
    main(["audit", file(FOLLOWS, WRONG), "--json", "a.json"])
    document = json.loads((tmp_path / "a.json").read_text())
    valid = jsonschema.Draft202012Validator(SCHEMA).is_valid
    assert valid(document)
    for field in ("counterexample", "code"):
        changed = json.loads(json.dumps(document))
        changed["derivations"][0]["lines"][2][field] = ""
        assert not valid(changed)


def test_every_field_of_the_schema_is_documented() -> None:
    page = (ROOT / "docs" / "json.md").read_text().partition("# The JSON of an audit")[2]
    fields = {*SCHEMA["properties"], *(f for part in SCHEMA["$defs"].values() for f in part["properties"])}
    assert [name for name in sorted(fields) if f"`{name}`" not in page] == []
