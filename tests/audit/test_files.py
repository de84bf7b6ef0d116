"""Where derivations are found, and what is said of files that hold none or break."""

from __future__ import annotations

from pathlib import Path

import pytest

from mdnn_verify.audit import MalformedDerivation, load
from mdnn_verify.audit.files import SEEDS, of_seeds, places
from mdnn_verify.errors import UnknownName, UsageError

RIGHT = """
from mdnn_verify.audit import Derivation, World

{name} = Derivation("{name}", [World({{"x": 1}})])


@{name}.line("x")
def start(x):
    return x


@{name}.line("=x", "=")
def following(x):
    return x * {factor}
"""


def written(path: Path, *names: str, factor: int = 1) -> Path:
    path.write_text("".join(RIGHT.format(name=name, factor=factor) for name in names))
    return path


def test_every_derivation_of_the_seeds_is_found() -> None:
    found = of_seeds()
    assert {Path(place.path) for place in found} == {p for p in SEEDS.glob("seed_*/*.py") if p.name[0] != "_"}
    assert len(set(found)) == len(found)
    assert all(place.module.startswith("mdnn_verify.derivations.seed_") for place in found)
    assert {place.shown.partition(":")[0] for place in found} >= {"mdnn_verify/derivations/seed_001/problem_5.py"}


def test_a_file_may_hold_several(tmp_path: Path) -> None:
    path = written(tmp_path / "two.py", "first", "second")
    found = places([str(path)])
    assert [place.name for place in found] == ["first", "second"]
    assert found[1].shown == f"{path}:second"
    assert found[1].paste("following", 0) == (
        f"from mdnn_verify.audit import load\nload({str(path)!r}, 'second').show('following', 0)"
    )
    assert load(path, "second").title == "second"
    with pytest.raises(UsageError, match="holds 2 derivations; name one of: first, second"):
        load(path)
    with pytest.raises(UnknownName, match="'second'"):
        load(path, "secnd")


def test_what_a_file_imports_belongs_to_another(tmp_path: Path) -> None:
    written(tmp_path / "one.py", "first")
    (tmp_path / "other.py").write_text(
        "from one import first as again\n" + RIGHT.format(name="own", factor=1) + "same = own\n"
    )
    assert [place.name for place in places([str(tmp_path / "other.py")])] == ["own"]


def test_a_folder_is_searched(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    written(tmp_path / "a.py", "first")
    written(tmp_path / "below" / "b.py", "second")
    written(tmp_path / "_c.py", "third")
    (tmp_path / "helpers.py").write_text("x = 1\n")
    assert [place.name for place in places([str(tmp_path), str(tmp_path / "a.py")])] == ["first", "second"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = (1\n", "file.py:1: syntax error"),
        ("\n\ny = x + 1\n", "file.py:3: it does not import: NameError"),
        ("x = 1\n", "file.py: no derivation here"),
        ("raise SystemExit(0)\n", "file.py:1: it does not import: SystemExit: 0"),
        (
            "from mdnn_verify.audit import Derivation\n\nd = Derivation('t', [])\n",
            "file.py:3: the derivation 't' has no",
        ),
        ("from mdnn_verify.audit import nothing\n", "file.py:1: it does not import: ImportError"),
    ],
)
def test_a_file_that_breaks_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "file.py"
    path.write_text(text)
    with pytest.raises(MalformedDerivation) as caught:
        places([str(path)])
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"no file nowhere\.py"):
        places(["nowhere.py"])
    with pytest.raises(UsageError, match=r"no file nowhere\.py"):
        load("nowhere.py")
