"""The rules by which checks make a control's and a theorem's verdict; every one of them must be able to turn it red."""

from __future__ import annotations

import itertools

import pytest

from mdnn_verify.verdicts import (
    CONTROL,
    HYPOTHESIS,
    KINDS,
    MONTECARLO,
    PATHWISE,
    SYMBOLIC,
    CheckResult,
    ControlResult,
    Outcome,
    Status,
    Verdict,
    judge,
    judge_control,
)


def check(kind: str, status: Status, name: str = "") -> CheckResult:
    return CheckResult("chapter/name", None, name or f"a_{kind}", kind, Verdict(status), 0.0)


def control(status: Status = Status.REFUTED, name: str = "another") -> ControlResult:
    return ControlResult(name, status, ("a_symbolic",), ())


GOOD = (check(HYPOTHESIS, Status.PROVED), check(SYMBOLIC, Status.PROVED), check(MONTECARLO, Status.VERIFIED_WITHIN))


def test_everything_in_order_is_verified() -> None:
    assert judge(GOOD, [control()]) == (Outcome.VERIFIED, "")


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("status", Status)
def test_one_check_that_does_not_carry_spoils_the_theorem(place: int, status: Status) -> None:
    checks = [*GOOD[:place], check(GOOD[place].kind, status), *GOOD[place + 1 :]]
    outcome, reason = judge(checks, [control()])
    carries = status is Status.PROVED or (status is Status.VERIFIED_WITHIN and GOOD[place].kind != SYMBOLIC)
    if carries:
        assert outcome is Outcome.VERIFIED
    else:
        assert outcome is (Outcome.REFUTED if status is Status.REFUTED else Outcome.INCONCLUSIVE)
        assert checks[place].name in reason


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.REFUTED])
def test_a_control_that_is_not_refuted_spoils_the_theorem(status: Status) -> None:
    outcome, reason = judge(GOOD, [control(), control(status, "the one")])
    assert outcome is (Outcome.INCONCLUSIVE if status is Status.ERROR else Outcome.REFUTED)
    assert "the one" in reason
    assert "another" not in reason


@pytest.mark.parametrize("missing", [SYMBOLIC, MONTECARLO, CONTROL])
def test_a_kind_of_evidence_that_is_missing_spoils_the_theorem(missing: str) -> None:
    checks = [found for found in GOOD if found.kind != missing]
    outcome, reason = judge(checks, [] if missing == CONTROL else [control()])
    assert outcome is Outcome.INCONCLUSIVE
    assert reason.startswith("missing: ")


def test_pathwise_evidence_stands_for_a_simulation() -> None:
    assert judge([*GOOD[:2], check(PATHWISE, Status.VERIFIED_WITHIN)], [control()])[0] is Outcome.VERIFIED


def test_no_checks_at_all_never_verify() -> None:
    for size in range(1, 5):
        for kinds in itertools.combinations(KINDS, size):
            assert judge([], [], kinds)[0] is Outcome.INCONCLUSIVE


def test_hypotheses_alone_never_verify_a_selection_of_kinds() -> None:
    outcome, reason = judge([check(HYPOTHESIS, Status.PROVED)], [], [MONTECARLO])
    assert (outcome, reason) == (Outcome.INCONCLUSIVE, "missing: any check of the selected kinds")


def test_a_selection_of_kinds_is_judged_by_what_was_selected() -> None:
    assert judge([check(MONTECARLO, Status.VERIFIED_WITHIN)], [], [MONTECARLO])[0] is Outcome.VERIFIED
    assert judge([check(HYPOTHESIS, Status.PROVED)], [control()], [CONTROL])[0] is Outcome.VERIFIED
    assert judge([check(MONTECARLO, Status.REFUTED)], [], [MONTECARLO])[0] is Outcome.REFUTED


@pytest.mark.parametrize("status", Status)
def test_a_control_takes_one_refutation_and_no_error(status: Status) -> None:
    result = judge_control("n", [check(SYMBOLIC, Status.PROVED, "other"), check(PATHWISE, status)])
    expected = {Status.REFUTED: Status.REFUTED, Status.ERROR: Status.ERROR}
    agreed = Status.VERIFIED_WITHIN if status in (Status.PROVED, Status.VERIFIED_WITHIN) else Status.INCONCLUSIVE
    assert result.verdict is expected.get(status, agreed)
    assert result.refuted_by == (("a_pathwise",) if status is Status.REFUTED else ())
    assert bool(result.reason) == (status is not Status.REFUTED)


def test_an_error_beside_a_refutation_is_an_error() -> None:
    result = judge_control("n", [check(SYMBOLIC, Status.REFUTED), check(PATHWISE, Status.ERROR)])
    assert (result.verdict, result.reason) == (Status.ERROR, "error in a_pathwise")


@pytest.mark.parametrize(
    "status", [status for status in Status if status not in (Status.PROVED, Status.VERIFIED_WITHIN)]
)
def test_a_control_whose_hypothesis_fails_is_vacuous(status: Status) -> None:
    result = judge_control("n", [check(HYPOTHESIS, status), check(SYMBOLIC, Status.REFUTED)])
    assert result.verdict is Status.ERROR
    assert "a_hypothesis does not hold" in result.reason


@pytest.mark.parametrize("status", Status)
def test_a_dropped_hypothesis_must_fail(status: Status) -> None:
    result = judge_control("n", [check(HYPOTHESIS, status), check(SYMBOLIC, Status.REFUTED)], drops="a_hypothesis")
    assert result.verdict is (Status.REFUTED if status is Status.REFUTED else Status.ERROR)


def test_dropping_one_hypothesis_keeps_the_others() -> None:
    kept = check(HYPOTHESIS, Status.REFUTED, "kept")
    result = judge_control(
        "n", [check(HYPOTHESIS, Status.REFUTED), kept, check(SYMBOLIC, Status.REFUTED)], drops="a_hypothesis"
    )
    assert result.reason == "the hypothesis kept does not hold for this control"


def test_a_failing_hypothesis_refutes_no_control_by_itself() -> None:
    result = judge_control("n", [check(HYPOTHESIS, Status.REFUTED)], drops="a_hypothesis")
    assert result.verdict is Status.INCONCLUSIVE
    assert judge_control("n", []).verdict is Status.INCONCLUSIVE
