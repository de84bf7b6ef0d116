"""A theorem's file that breaks the rules is rejected before any work, with all its faults listed at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from mdnn_verify.catalogue import Entry, catalogue, load
from mdnn_verify.errors import MalformedTheorem
from mdnn_verify.runner.campaign import run_campaign
from mdnn_verify.runner.units import Settings, preflight, run_unit, units_of
from mdnn_verify.verdicts import KINDS, Status

SAMPLE = Path(__file__).parents[1] / "theorem_samples" / "outcomes" / "samples" / "true_claim.py"
TEXT = SAMPLE.read_text()


def entry_of(tmp_path: Path, text: str, name: str = "mine") -> Entry:
    path = tmp_path / "chapter" / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return catalogue([tmp_path])[f"chapter/{name}"]


def without_controls(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("theorem.false_if"))


def replaced(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new)


FAULTS = {
    "no control": (without_controls(TEXT), "no control"),
    "undocumented step": (
        replaced('    """The square of a difference opens as it should."""\n', ""),
        "completes_the_square has no docstring",
    ),
    "undocumented hypothesis": (replaced('    """The factor is positive."""\n', ""), "c_is_positive has no docstring"),
    "undocumented picture": (replaced('    """The parabola."""\n', ""), "parabola has no docstring"),
    "unscoped proof": (replaced('scope="all real x"', 'scope=" "'), "completes_the_square has no scope"),
    "unscoped simulation": (replaced('scope="x uniform on [0, 1]"', 'scope=""'), "on_average has no scope"),
    "no proof": (replaced("@theorem.proof", "@theorem.pathwise"), "no proof step"),
    "no evidence": (
        replaced("@theorem.pathwise", "@theorem.proof").replace("@theorem.monte_carlo", "@theorem.proof"),
        "no pathwise and no Monte Carlo check",
    ),
    "no statement": (replaced(r'statement=r"x^2\ge 0"', 'statement=" "'), "the statement is empty"),
    "no source": (replaced("Source:", "From"), "no source"),
    "no docstring": (TEXT[TEXT.index("import sympy") :], "no docstring: the first line is the title"),
    "twice the same name": (
        replaced("def mean_is_between_0_and_1", "def on_average"),
        "two declarations of check 'on_average'",
    ),
    "twice the same control": (replaced("the mean is a half", "the constant is 2"), "two declarations of control"),
    "not given": (
        replaced("def on_average(mean)", "def on_average(median)"),
        "on_average asks for median, which is not given",
    ),
    "control of nothing": (TEXT + 'theorem.false_if("nothing")\n', "control 'nothing' changes nothing"),
    "control of an unknown": (TEXT + 'theorem.false_if("unknown", median=1)\n', "changes median, which is not given"),
    "control of an unread datum": (
        replaced('"mean": sp.Rational(1, 3)}', '"mean": sp.Rational(1, 3), "unread": 1}')
        + 'theorem.false_if("u", unread=2)\n',
        "control 'u' changes only data that no proof, pathwise or Monte Carlo check reads",
    ),
    "control that changes nothing": (
        TEXT + 'theorem.false_if("same", c=theorem.given["c"])\n',
        "control 'same' sets c to what the theorem already has",
    ),
    "drops an unknown hypothesis": (
        replaced('drops="c_is_positive"', 'drops="c_is_odd"'),
        "drops c_is_odd, expected one of",
    ),
    "weight 0": (replaced('[0, 1]")\ndef on_average', '[0, 1]", weight=0)\ndef on_average'), "on_average has weight 0"),
    "weight nan": (
        replaced('[0, 1]")\ndef on_average', '[0, 1]", weight=float("nan"))\ndef on_average'),
        "on_average has weight nan",
    ),
    "weight inf": (
        replaced('[0, 1]")\ndef on_average', '[0, 1]", weight=float("inf"))\ndef on_average'),
        "on_average has weight inf",
    ),
    "does not parse": ("def broken(:\n", "it does not import: SyntaxError"),
    "does not import": ('"""T."""\nimport no_such_module\n', "it does not import: ModuleNotFoundError"),
    "no theorem": ('"""T.\n\nSource: s.\n"""\nx = 1\n', "no object named 'theorem'"),
    "wrong theorem": ('"""T.\n\nSource: s.\n"""\ntheorem = 1\n', "no object named 'theorem' of type Theorem"),
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(tmp_path: Path, text: str, fault: str) -> None:
    entry = entry_of(tmp_path, text)
    with pytest.raises(MalformedTheorem) as caught:
        load(entry)
    assert str(entry.path) in str(caught.value)
    assert any(fault in found for found in caught.value.faults), caught.value.faults


def test_the_sample_itself_has_no_fault(tmp_path: Path) -> None:
    assert load(entry_of(tmp_path, TEXT)).faults() == []


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    text = (
        without_controls(TEXT)
        .replace('scope="all real x"', 'scope=""')
        .replace('    """The factor is positive."""\n', "")
    )
    with pytest.raises(MalformedTheorem) as caught:
        load(entry_of(tmp_path, text.replace("Source:", "From")))
    assert len(caught.value.faults) == 4


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ("sp.sympify(c > 1)", "is not satisfied"),
        ("sp.And(x > 1, x < 0)", "is not satisfied"),
        ("sp.Ne(x, x)", "is not satisfied"),
        ("c > 0 and True", "is not satisfied"),  # a Python bool says nothing that could be checked
        ("1 / (c - c)", "is not satisfied"),
    ],
)
def test_an_unsatisfiable_hypothesis_is_rejected_before_work(tmp_path: Path, condition: str, word: str) -> None:
    entry = entry_of(tmp_path, replaced("return sp.sympify(c > 0)", f"return {condition}"))
    with pytest.raises(MalformedTheorem, match="the hypothesis c_is_positive") as caught:
        run_campaign([entry], Settings(), journal_path=tmp_path / "journal.jsonl")
    assert word in str(caught.value)
    assert not (tmp_path / "journal.jsonl").exists()


def test_the_faults_of_all_files_are_listed_together(tmp_path: Path) -> None:
    broken = [
        entry_of(tmp_path, without_controls(TEXT), "one"),
        entry_of(tmp_path, replaced("c > 0)", "c > 1)"), "two"),
    ]
    with pytest.raises(MalformedTheorem) as caught:
        preflight(broken, Settings())
    message = str(caught.value)
    assert "2 files" in message
    assert "one.py: no control" in message
    assert "two.py: the hypothesis c_is_positive is not satisfied" in message


EXCLUSIVE = '''

@theorem.hypothesis
def y_is_large():
    """The number y is larger than two."""
    return sp.Gt(sp.Symbol("y", real=True), 2)


@theorem.hypothesis
def y_is_small():
    """The number y is smaller than {bound}."""
    return sp.Lt(sp.Symbol("y", real=True), {bound})
'''


def test_hypotheses_that_exclude_each_other_are_vacuous(tmp_path: Path) -> None:
    entry = entry_of(tmp_path, TEXT + EXCLUSIVE.format(bound=1))
    with pytest.raises(MalformedTheorem, match="y_is_large, y_is_small are not satisfied together"):
        preflight([entry], Settings())


def test_hypotheses_that_leave_room_are_accepted(tmp_path: Path) -> None:
    preflight([entry_of(tmp_path, TEXT + EXCLUSIVE.format(bound=7))], Settings())


@pytest.mark.parametrize("kind", ["proof", "pathwise"])
def test_a_simulation_counts_against_alpha_or_is_an_error(tmp_path: Path, kind: str) -> None:
    """Only declared simulations have a share of alpha; one smuggled into another check would overspend it."""
    entry = entry_of(
        tmp_path, TEXT.replace('@theorem.monte_carlo(scope="x uniform', f'@theorem.{kind}(scope="x uniform')
    )
    (unit,) = [unit for unit in units_of(entry, KINDS) if unit.check == "on_average" and unit.control is None]
    result = run_unit(unit, Settings())
    assert result.verdict.status is Status.ERROR
