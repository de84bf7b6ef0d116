"""docs/auditing.md is executed: its files, its commands and their exit statuses, in order."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from mdnn_verify.audit import Relation, audit, laws, worlds

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "auditing.md").read_text()
WRONG = "    return 2 * X.expect(lambda x: x**2) - 4 * mean(X) ** 2\n"


def in_folder(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


def test_the_page_is_true(tmp_path: Path) -> None:
    blocks = re.findall(r"^```(?:python|sh) (file|append|replace|expect)=(\S+)\n(.*?)^```$", PAGE, flags=re.M | re.S)
    assert [kind for kind, _, _ in blocks] == [
        "file", "expect", "append", "expect", "replace", "expect", "file", "expect",
    ]  # fmt: skip
    first, outputs = "", []
    for kind, argument, text in blocks:
        path = tmp_path / argument
        if kind == "file":
            path.write_text(text)
            first = first or text
        elif kind == "append":
            path.write_text(path.read_text() + text)
        elif kind == "replace":
            assert first.count(WRONG) == 1
            path.write_text(first.replace(WRONG, text))
        else:
            process = in_folder(tmp_path, ["-m", "mdnn_verify", *shlex.split(text)[1:]])
            assert process.returncode == int(argument), process.stdout + process.stderr
            outputs.append(process.stdout)
    _found_where_it_says(outputs[0])
    assert "lines: 1 DOES NOT FOLLOW, 2 FOLLOWS, 1 GIVEN" in outputs[1]
    assert "corrected: " in outputs[1]
    assert {path.name for path in (tmp_path / "errata").iterdir()} == {"audit.json", "audit.html", "errata.html"}
    assert "3 concrete worlds" in outputs[2]
    assert "all a, x;" in outputs[3]
    (tmp_path / "variance.py").write_text(first)
    code = re.search(r"see it:\n((?:    .*\n)+)", outputs[0])[1].replace("    ", "")
    pasted = in_folder(tmp_path, ["-c", code])
    assert [row.split()[-1] for row in pasted.stdout.splitlines()] == ["1/2", "0"], pasted.stderr


def _found_where_it_says(output: str) -> None:
    (quoted,) = re.findall(r"^```text counterexample\n(.*?)\n^```$", PAGE, flags=re.M | re.S)
    assert f"counterexample: {quoted}\n" in output
    assert "in_moments_of_one: DOES NOT FOLLOW" in output
    assert re.search(r"^twice_the_variance +=  FOLLOWS", output, flags=re.M)


def test_the_tables_of_the_language_are_complete() -> None:
    rows = re.findall(r"^\| (.+?) \|", PAGE, flags=re.M)
    cells = " ".join(rows)
    missing = [str(r) for r in Relation if r not in (Relation.START, Relation.HOLDS) and f"`{r}`" not in cells]
    missing += [name for name in (*laws.__all__, *worlds.__all__) if name not in PAGE and name != "spoken"]
    assert missing == []
    for option in ("against", "reason", "needs", "by", "note", "worlds"):
        assert f"`{option}=" in cells
    assert audit.__doc__
