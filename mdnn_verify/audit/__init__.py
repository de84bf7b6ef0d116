"""Reads derivations line by line: which lines follow, which do not (with a counterexample), which leave a gap."""

from mdnn_verify.audit.derivation import Derivation, MalformedDerivation, Relation
from mdnn_verify.audit.files import load
from mdnn_verify.audit.judge import Audit, Finding, Reading, audit
from mdnn_verify.audit.laws import Finite, Normal, StepDensity, argmax, argmin, divergence
from mdnn_verify.audit.worlds import INTEGERS, NATURALS, POSITIVE, REALS, Domain, World, over

__all__ = [
    "INTEGERS",
    "NATURALS",
    "POSITIVE",
    "REALS",
    "Audit",
    "Derivation",
    "Domain",
    "Finding",
    "Finite",
    "MalformedDerivation",
    "Normal",
    "Reading",
    "Relation",
    "StepDensity",
    "World",
    "argmax",
    "argmin",
    "audit",
    "divergence",
    "load",
    "over",
]
