"""One entrance for all claims: what is refused, and how several claims become one verdict."""

import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest
import sympy as sp
import torch
import z3

from mdnn_verify.engines import Claim, Context, decide, satisfiable
from mdnn_verify.errors import MdnnVerifyError
from mdnn_verify.verdicts import Status, Verdict


def told(value: object) -> str | None:
    """A name that is the same in every process: no addresses."""
    name = repr(value)
    return None if " at 0x" in name else name


CONTEXT = Context("test", alpha=1e-6, scope="here")


@dataclass
class Recorder(Claim):
    """Answers what it is told to, and remembers under which terms it was asked."""

    status: Status = Status.PROVED
    delta: float | None = None
    asked: list = field(default_factory=list)

    def decide(self, context):
        self.asked.append(context)
        return Verdict(
            self.status, context.scope, "recorded", "x = 1" if self.status is Status.REFUTED else "", self.delta
        )


@pytest.mark.parametrize(
    "wrong",
    [
        True,
        False,
        None,
        np.True_,
        np.array([True]),
        np.array(True),
        1,
        "holds",
        b"holds",
        torch.tensor(True),
        {1, 2},
        object(),
    ],
    ids=told,
)
@pytest.mark.parametrize("ask", [decide, satisfiable])
def test_what_is_no_claim_is_refused(wrong, ask):
    for claim in (wrong, [wrong], {"label": wrong}, (claim for claim in [wrong])):
        with pytest.raises(MdnnVerifyError, match="expected a claim"):
            ask(claim, CONTEXT)


@pytest.mark.parametrize("wrong", [sp.Symbol("x") + 1, sp.Matrix([1]), sp.Integer(1), sp.Tuple(sp.true), z3.Real("x")])
def test_expressions_are_no_propositions(wrong):
    with pytest.raises(MdnnVerifyError, match="proposition"):
        decide(wrong, CONTEXT)


def test_bare_propositions_go_to_their_engine():
    x = sp.Symbol("x", real=True)
    assert decide(x**2 + 1 > 0, CONTEXT).engine == "symbolic"
    assert decide(sp.true, CONTEXT).agrees
    assert decide(z3.BoolVal(True), CONTEXT).engine == "smt"


@pytest.mark.parametrize("nothing", [[], (), {}, (claim for claim in []), [[]]])
@pytest.mark.parametrize("ask", [decide, satisfiable])
def test_no_claim_at_all_is_an_error(nothing, ask):
    assert ask(nothing, CONTEXT).status is Status.ERROR


def test_an_empty_generator_hides_in_no_list():
    assert decide([Recorder(), (claim for claim in [])], CONTEXT).status is Status.ERROR


@pytest.mark.parametrize("container", [list, tuple, lambda claims: {str(i): c for i, c in enumerate(claims)}])
def test_a_container_divides_alpha(container):
    claims = [Recorder() for _ in range(4)]
    decide(container(claims), CONTEXT)
    assert [claim.asked[0].alpha for claim in claims] == [2.5e-7] * 4
    assert len({claim.asked[0].name for claim in claims}) == 4


def test_nested_containers_divide_again():
    claim = Recorder()
    decide([[claim, Recorder()], Recorder()], CONTEXT)
    assert claim.asked[0].alpha == 2.5e-7


def test_a_generator_gives_no_alpha():
    claims = [Recorder() for _ in range(3)]
    decide((claim for claim in claims), CONTEXT)
    assert [claim.asked[0].alpha for claim in claims] == [None] * 3


def test_a_generator_stops_at_the_first_refutation():
    def claims():
        yield Recorder()
        yield Recorder(Status.REFUTED)
        pytest.fail("the generator was asked for more")

    verdict = decide(claims(), CONTEXT)
    assert verdict.refuted
    assert verdict.counterexample == "x = 1"


def test_labels_name_the_culprit():
    assert decide({"left": Recorder(), "right": Recorder(Status.REFUTED)}, CONTEXT).counterexample == "right: x = 1"


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ([Status.PROVED, Status.PROVED], Status.PROVED),
        ([Status.PROVED, Status.VERIFIED_WITHIN], Status.VERIFIED_WITHIN),
        ([Status.PROVED, Status.INCONCLUSIVE], Status.INCONCLUSIVE),
        ([Status.SKIPPED, Status.PROVED], Status.SKIPPED),
        ([Status.INCONCLUSIVE, Status.ERROR], Status.ERROR),
        ([Status.INCONCLUSIVE, Status.REFUTED], Status.REFUTED),
    ],
)
def test_the_weakest_claim_speaks_for_all(statuses, outcome):
    assert decide([Recorder(status) for status in statuses], CONTEXT).status is outcome


def test_the_largest_delta_is_reported():
    claims = [Recorder(Status.VERIFIED_WITHIN, delta) for delta in (1e-9, 1e-3)]
    verdict = decide([Recorder(), *claims], CONTEXT)
    assert (verdict.status, verdict.delta) == (Status.VERIFIED_WITHIN, 1e-3)


def test_hypotheses_must_hold_together():
    x, y = sp.Symbol("x", real=True), z3.Real("y")
    assert satisfiable([x > 0, y > 0], CONTEXT).agrees
    assert satisfiable([x > 0, y > 0, x < 0], CONTEXT).refuted
    assert satisfiable((claim for claim in [y > 0, x > 0, y < 0]), CONTEXT).refuted


@pytest.mark.parametrize(
    ("module", "foreign"),
    [
        ("mdnn_verify.engines", {"torch", "sympy", "z3", "flint", "numpy", "scipy"}),
        ("mdnn_verify.engines.symbolic", {"torch", "z3", "scipy", "numpy"}),
        ("mdnn_verify.engines.smt", {"torch", "sympy", "flint", "scipy", "numpy"}),
        ("mdnn_verify.engines.intervals", {"torch", "sympy", "z3", "scipy", "numpy"}),
        ("mdnn_verify.engines.pathwise", {"torch", "sympy", "z3", "flint", "scipy"}),
        ("mdnn_verify.engines.autograd", {"z3", "flint", "scipy"}),
    ],
)
def test_an_engine_imports_no_other_engines_packages(module, foreign):
    code = f"import sys, {module}; print(*sorted({foreign!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
