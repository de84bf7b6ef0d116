r"""A claim that no engine decides here.

Source: seed 000, Problem 0, a sample for the tests.
"""

from mdnn_verify.engines import Claim
from mdnn_verify.engines.pathwise import Residual
from mdnn_verify.theorem import Theorem
from mdnn_verify.verdicts import Status, Verdict


class Open(Claim):
    def __init__(self, shift):
        self.shift = shift

    def decide(self, context):
        status = Status.REFUTED if self.shift else Status.INCONCLUSIVE
        return Verdict(
            status, context.scope, "nobody knows", counterexample=f"shift {self.shift}" if self.shift else ""
        )


theorem = Theorem(statement="P=NP", given={"shift": 0})


@theorem.proof(scope="everything")
def is_open(shift):
    """Nobody knows whether the claim is true."""
    return Open(shift)


@theorem.pathwise(scope="one instance")
def at_one_instance(shift):
    """At one instance the claim is true enough."""
    return Residual(1.0 + shift, 1.0, 0.0, at={"instance": 1})


theorem.false_if("shifted by 1", shift=1)
