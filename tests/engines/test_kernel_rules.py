"""The engine of machine-checked proofs reads a file before Coq does: each way around a proof is found in its text."""

import pytest

from mdnn_verify.engines import Context
from mdnn_verify.engines.kernel import MachineChecked
from mdnn_verify.engines.kernel.contents import load
from mdnn_verify.engines.kernel.lexer import read
from mdnn_verify.engines.kernel.rules import faults
from mdnn_verify.verdicts import Status

CHEATS = {
    "Lemma a : False. Proof. Admitted.": "Admitted",
    "Lemma a : False. Proof. admit. Qed.": "admit",
    "Lemma a : False. Proof. give_up. Qed.": "give_up",
    "Lemma a : False. Proof. split; [admit | auto]. Qed.": "admit",
    "Lemma a : False. Proof.\nAdmitted.(* *) Lemma b : True.": "Admitted",
    "Axiom a : False.": "Axiom",
    "Axioms a b : False.": "Axioms",
    "#[local] Axiom a : False.": "Axiom",
    "Local Axiom a : False.": "Axiom",
    "Parameter a : False.": "Parameter",
    "Parameters a b : False.": "Parameters",
    "Conjecture a : False.": "Conjecture",
    "Hypothesis a : False.": "Hypothesis outside a Section",
    "Hypotheses a b : False.": "Hypotheses outside a Section",
    "Variable a : False.": "Variable outside a Section",
    "Variables a b : False.": "Variables outside a Section",
    "Context (a : False).": "Context outside a Section",
    "Section S. End S. Variable a : False.": "Variable outside a Section",
    "Module M. Variable a : False. End M.": "Module M",
    "Declare Module M : T.": "Declare Module",
    "Unset Guard Checking.": "Unset Guard Checking",
    "Local Unset Guard Checking.": "Unset Guard Checking",
    "#[local] Unset Guard   Checking.": "Unset Guard Checking",
    "Unset Positivity Checking.": "Unset Positivity Checking",
    "Unset Universe Checking.": "Unset Universe Checking",
    "Set Guard Checking.": "Set Guard Checking",
    "Set Printing Width 10.": "Set Printing Width",
    "Global Set Implicit Arguments.": "reaches other files",
    "#[export] Set Implicit Arguments.": "reaches other files",
    "#[bypass_check(guard)] Fixpoint f (n : nat) : False := f n.": "bypass_check",
    "#[bypass_check(universes)] Definition a := Type.": "bypass_check",
    "Polymorphic Definition a := Type.": "Polymorphic",
    "Program Definition a : nat := _. Admit Obligations.": "Admit",
    'Declare ML Module "evil".': "Declare ML",
    'Load "evil".': "Load",
    'Add LoadPath "/evil" as Evil.': "Add LoadPath",
    'Redirect "file" Print nat.': "Redirect",
    "Drop.": "Drop",
    "Recursive Extraction nat.": "Recursive Extraction",
    'Extraction "file" nat.': "Extraction",
    "Fail Lemma a : False.": "Fail",
    "Time Lemma a : True.": "Time",
    "Print nat.": "Print",
    "Check nat.": "Check",
    "Eval compute in 1.": "Eval",
    "Cd \"/\".": "Cd",
    "Corollary a : True.": "Corollary",
    "Example a : True.": "Example",
    'Notation "x <= y" := (x = x).': "Notation",
    'Local Notation "x <= y" := (x = x).': "Notation",
    "Notation R := nat.": "Notation",
    'Infix "<=" := eq.': "Infix",
    'Reserved Notation "x <= y".': "Reserved",
    'Fixpoint f (n : nat) := n where "x <= y" := (f x).': "with a notation",
    "Coercion f : nat >-> bool.": "Coercion",
    "Identity Coercion f : nat >-> bool.": "Identity Coercion",
    "Canonical f := nat.": "Canonical",
    "Arguments Nat.add _ _ /.": "Arguments",
    "Delimit Scope nat_scope with real.": "Delimit",
    'Tactic Notation "lra" := idtac.': "Tactic",
    "From Evil Require Import lies.": "Evil.lies",
    "Require Import Evil.lies.": "Evil.lies",
    "From Ltac2 Require Import Ltac2.": "Ltac2",
    "From MDNN.flows Require Import x.": "MDNN.flows.x",
    "Require Import MDNN.flows.x.": "MDNN.flows.x",
    "From MDNN Require Import flows.x.": "MDNN.flows.x",
    "Require Import (notations) Reals.": "a Require that is more than a list",
    "(* (* *) Axiom a : False.": "does not end",
    'Lemma a : "x.': "does not end",
    '(* " *) " *) Axiom a : False.': "Axiom",
    '(* (* " (* " *) *) Axiom a : False.': "Axiom",
    "Definition s := \"a\"\"\". Axiom a : False. Definition t := \"\"\"\".": "Axiom",
    "{ Axiom a : False.": "Axiom",
    "- all: Admitted.": "Admitted",
}  # fmt: skip

HONEST = [
    '(* " *) *) Axiom a : False. (* " *)',
    "(* Axiom a : False. Admitted. *)",
    "(* (* Axiom *) Admitted. *)",
    '(* a string " *) " hides the end of a comment: Axiom a. *)',
    'Definition s := "Axiom a : False. Admitted."%string.',
    "Section S. Variable a : nat. Hypothesis b : a = a. End S.",
    "Lemma admitted_or_not : True. Proof. exact I. Qed.",
    "Definition Parametric := nat.",
    "From mathcomp Require Import ssreflect ssrbool. Require Import Reals Lra.",
    "From Coquelicot Require Import Coquelicot. From MDNN.shared Require Import sums.",
    "Set Implicit Arguments. Unset Strict Implicit. Local Open Scope nat_scope.",
    "Lemma a x : x = x :> nat. Proof. by move=> *; rewrite ?addn0 ...  Qed.",
    "Lemma a : 1 = 1. Proof. { reflexivity. } Qed.",
]

GOOD = """(** A positive number is not zero. Scope: all natural numbers. *)
(** If n > 0 then n <> 0. *)
Theorem positive_is_not_zero (n : nat) : n > 0 -> n <> 0.
Proof. intros H E; rewrite E in H; inversion H. Qed.
Definition positive_is_not_zero_witness := positive_is_not_zero 2 (le_S 1 1 (le_n 1)).
"""


@pytest.mark.parametrize("cheat", CHEATS)
def test_each_way_around_a_proof_is_found_in_the_text(tmp_path, cheat):
    (tmp_path / "chapter").mkdir()
    file = tmp_path / "chapter" / "cheat.v"
    file.write_text(f"{GOOD}\n{cheat}\n")
    verdict = MachineChecked(file, tmp_path, tmp_path / "cache").decide(Context("test"))
    assert verdict.status is Status.REFUTED, verdict
    assert verdict.counterexample.startswith("chapter/cheat.v, line "), verdict
    assert CHEATS[cheat] in verdict.counterexample
    assert int(verdict.counterexample.split("line ")[1].split(":")[0]) >= 7


@pytest.mark.parametrize("text", HONEST)
def test_what_only_looks_like_a_cheat_is_not_accused(text):
    assert list(faults(read(text), shared=False)) == []


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        ('Notation "x <= y" := (x = y).', True),
        ('Notation "x <= y" := (x = y) : my_scope.', True),
        ('Infix "+" := minus.', True),
        ("Notation \"x '<=' y\" := (x = y).", True),
        ('Reserved Notation "x < y < z".', True),
        ("Notation \"'exists' x , P\" := (forall x, P).", True),
        ('Notation "| x |" := x.', True),
        ('Notation "\\rsum_ ( i | P ) F" := (\\big[Rplus/R0]_(i | P) F).', False),
        ('Infix "<<<" := abs_cont (at level 70).', False),
        ('Notation "x =f= y" := (x = y).', False),
    ],
)
def test_shared_files_may_declare_new_notations_but_not_redefine_usual_ones(text, usual):
    found = [fault.what for fault in faults(read(text), shared=True)]
    assert bool(found) == usual, found
    assert list(faults(read(text), shared=False)), "in a theorem's file there is no notation at all"


@pytest.mark.parametrize(
    "text",
    [
        "Delimit Scope nat_scope with R.",
        "Bind Scope nat_scope with nat.",
        'Declare ML Module "evil".',
        "Number Notation a b c : R_scope.",
    ],
)
def test_shared_files_may_not_give_known_scopes_another_meaning(text):
    assert "not on the list of allowed commands" in next(faults(read(text), shared=True)).what


def test_a_theorem_belongs_in_a_file_of_its_own():
    assert "a Theorem among the shared helpers" in next(faults(read(GOOD), shared=True)).what


def test_a_file_without_a_theorem_proves_nothing(tmp_path):
    (tmp_path / "chapter").mkdir()
    file = tmp_path / "chapter" / "empty.v"
    file.write_text("(** Nothing. Scope: nothing. *)\nLemma a : True. Proof. exact I. Qed.")
    verdict = MachineChecked(file, tmp_path, tmp_path / "cache").decide(Context("test"))
    assert (verdict.status, "states no Theorem" in verdict.detail) == (Status.REFUTED, True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("Scope: all natural numbers. ", "", "Scope"), ("(** If n > 0 then n <> 0. *)", "", "reads it aloud")],
)
def test_a_human_must_be_able_to_compare(tmp_path, old, new, said):
    (tmp_path / "chapter").mkdir()
    file = tmp_path / "chapter" / "silent.v"
    file.write_text(GOOD.replace(old, new))
    verdict = MachineChecked(file, tmp_path, tmp_path / "cache").decide(Context("test"))
    assert verdict.status is Status.ERROR
    assert said in verdict.detail


def test_a_file_is_read_as_its_author_wrote_it(tmp_path):
    (tmp_path / "flows").mkdir()
    file = tmp_path / "flows" / "x.v"
    file.write_text(
        GOOD.replace(
            "(** If", "From Coq Require Import Arith.\nOpen Scope nat_scope.\n(** A *)\nDefinition d := 1.\n(** If"
        )
    )
    contents = load(file, tmp_path)
    assert contents.module == "MDNN.flows.x"
    assert contents.title == "A positive number is not zero"
    assert contents.scope == "all natural numbers."
    assert contents.header == ["From Coq Require Import Arith.", "Open Scope nat_scope."]
    assert [(t.name, t.line, t.doc) for t in contents.theorems] == [
        ("positive_is_not_zero", 7, "If n > 0 then n <> 0.")
    ]
    assert [(d.name, d.source, d.doc) for d in contents.definitions] == [("d", "Definition d := 1.", "A")]
    assert contents.witnesses == {"positive_is_not_zero_witness"}


def test_a_file_outside_the_folder_or_none_is_an_error(tmp_path):
    assert MachineChecked(tmp_path / "none.v", tmp_path).decide(Context("test")).status is Status.ERROR
    (tmp_path / "a.v").write_bytes(b"\xff")
    assert MachineChecked(tmp_path / "a.v", tmp_path).decide(Context("test")).status is Status.ERROR
