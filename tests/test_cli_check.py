"""``mdnn-verify check`` as typed: whatever the implementation does, the command survives and says what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mdnn_verify.cli import main

ID = "softmax/gradient_is_softmax"
RIGHT = "import torch\n\ndef softmax(x):\n    return torch.softmax(x, 0)\n"


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Writes the file and runs the command: status, stdout, stderr."""

    def run(text: str, *options: str, identifier: str = ID, name: str = "softmax") -> tuple[int, str, str]:
        path = tmp_path / "mine.py"
        path.write_text(text)
        status = main(["check", identifier, f"{path}:{name}", *options])
        out, err = capsys.readouterr()
        return status, " ".join(out.split()), " ".join(err.split())

    return run


def body(lines: str) -> str:
    """A softmax that does something first, or instead."""
    return f"import os, sys, time\nimport torch\n\ndef softmax(x):\n    {lines}\n    return torch.softmax(x, 0)\n"


def test_right_is_verified(check: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    status, out, _ = check(RIGHT, "--json", str(path), "--html", str(tmp_path / "page.html"))
    assert status == 0, out
    document = json.loads(path.read_text())
    assert document["complete"]
    (found,) = document["checks"]
    assert (found["verdict"], found["counterexample"]) == ("verified", None)
    assert found["scope"]
    assert "softmax" in (tmp_path / "page.html").read_text()


def test_wrong_is_refuted_with_lines_to_paste(check: Any) -> None:
    status, out, _ = check("import torch\n\ndef softmax(x):\n    return torch.softmax(x, 0) * 1.005\n")
    assert status == 1
    assert "mdnn_verify.load(" in out
    assert "observed" in out


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("time.sleep(1e6)", "does not come back within 2 s"),
        ("os.abort()", "SIGABRT"),
        ("os._exit(0)", "ends the process (exit status 0)"),
        ("sys.exit(3)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise MemoryError('mine')", "MemoryError"),
        ("hog = bytearray(64 * 2**30); hog[:] = b'x' * len(hog)", "memory"),
        ("softmax(x)", "RecursionError"),
    ],
)
def test_what_kills_an_interpreter_is_refuted_and_the_command_survives(check: Any, lines: str, told: str) -> None:
    status, out, err = check(body(lines), "--timeout", "2")
    assert status == 1, (out, err)
    assert told in out or told.lower() in out.lower()


@pytest.mark.parametrize(
    "lines",
    [
        "print('chatter', flush=True)",
        "sys.stderr.write('chatter')",
        "if not vars(softmax): softmax.pid = os.fork(); softmax.pid or os._exit(0); os.waitpid(softmax.pid, 0)",
        "torch.set_num_threads(2)",
        "torch.manual_seed(0)",
    ],
)
def test_what_only_makes_noise_is_verified(check: Any, lines: str) -> None:
    status, out, err = check(body(lines))
    assert status == 0, (out, err)


def test_a_copy_that_a_fork_leaves_behind_ends(check: Any) -> None:
    status, out, _ = check(body("if not vars(softmax): softmax.done = True; os.fork()"))
    assert status == 0, out


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("def softmax(x:\n    pass\n", "softmax", "does not import"),
        ("import nothing_of_that_name\n", "softmax", "nothing_of_that_name"),
        ("raise SystemExit(7)\n", "softmax", "does not import"),
        ("import os\nos._exit(5)\n", "softmax", "does not finish importing"),
        (RIGHT, "softmx", "did you mean 'softmax'"),
        ("softmax = 3\n", "softmax", "cannot be called"),
        ("class softmax:\n    pass\n", "softmax", "is a class"),
        ("def softmax(x, y):\n    return x\n", "softmax", "does not fit"),
        ("def softmax():\n    return 1\n", "softmax", "does not fit"),
    ],
)
def test_a_file_that_cannot_be_used(check: Any, text: str, name: str, told: str) -> None:
    status, out, err = check(text, name=name)
    assert status == 2, (out, err)
    assert told in out + err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["check", ID, "no/such/file.py:f"], "no file no/such/file.py"),
        (["check", ID, "no/such/*.py:f"], "no file matches"),
        (["check", ID, "mine.py"], "names no callable"),
        (["check", "softmax/gradient_is_softmx", "mine.py:f"], "did you mean 'softmax/gradient_is_softmax'"),
        (["check", ID, "math:exp", "--dtype", "float16"], "--dtype"),
        (["check", ID, "math:exp", "--device", "tpu"], "--device"),
        (["check", ID, "math:exp", "--alpha", "2"], "--alpha"),
        (["check", ID, "math:exp", "--timeout", "0"], "--timeout"),
        (["check", ID, "math:exp", "--dim", "1"], "--dim"),
        (["check", ID, "math:exp", "--jobs", "0"], "--jobs"),
        (["check", ID, "math:exp", "--json", "no/such/folder/out.json"], "no folder"),
    ],
)
def test_bad_words(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert told in " ".join((out + err).split())
    assert "Traceback" not in out + err


def test_single_precision_is_verified_with_the_option_and_explained_without(check: Any) -> None:
    text = "import torch\n\ndef softmax(x):\n    return torch.softmax(x.to(torch.float32), 0)\n"
    status, out, _ = check(text)
    assert status == 1
    assert "--dtype float32" in out
    assert check(text, "--dtype", "float32")[0] == 0


def test_a_folder_of_submissions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, factor in (("ada", "1"), ("bob", "1.005")):
        (tmp_path / f"{name}.py").write_text(
            f"import torch\n\ndef mine(x):\n    return {factor} * torch.softmax(x, 0)\n"
        )
    (tmp_path / "eve.py").write_text("import torch,\n")
    out = tmp_path / "out.json"
    assert main(["check", ID, f"{tmp_path}/*.py:mine", "--json", str(out)]) == 1
    found = {Path(c["subject"].rpartition(":")[0]).stem: c["verdict"] for c in json.loads(out.read_text())["checks"]}
    assert found == {"ada": "verified", "bob": "refuted", "eve": "usage"}
    table = capsys.readouterr().out
    assert all(name in table for name in ("ada", "bob", "eve"))


def test_the_document_follows_its_schema(check: Any, tmp_path: Path) -> None:
    from mdnn_verify.reporting import checks

    schema = json.loads((Path(checks.__file__).parent / "schema" / "check-1.json").read_text())
    for text in (RIGHT, body("return 1.005 * torch.softmax(x, 0)"), "import nothing_of_that_name\n"):
        check(text, "--json", str(tmp_path / "out.json"))
        jsonschema.validate(json.loads((tmp_path / "out.json").read_text()), schema)
