"""Files of proofs that Coq accepts and that say something else than they seem to: each is refused with a reason."""

import shutil

import pytest

from mdnn_verify.engines import Context
from mdnn_verify.engines.kernel import INSTALL, MachineChecked
from mdnn_verify.engines.kernel.contents import load
from mdnn_verify.engines.kernel.lexer import read
from mdnn_verify.engines.kernel.rules import faults
from mdnn_verify.verdicts import Status

COQ = all(shutil.which(name) for name in ("coqc", "coqchk"))
needs_coq = pytest.mark.skipif(not COQ, reason=f"Coq is not installed: {INSTALL}")

HEADER = "(** A lie. Scope: everything. *)\n"
REALS = HEADER + "Require Import Reals.\nOpen Scope R_scope.\n"
LIE = "(** 1 <= 0. *)\nTheorem t : Rle 1 0.\nProof. exact I. Qed.\n"
WITNESS = "Definition t_witness := t.\n"
FUN = "(fun _ _ => True) (fun _ _ => I)"


def decide(folder, text):
    (folder / "formal" / "chapter").mkdir(parents=True)
    file = folder / "formal" / "chapter" / "lie.v"
    file.write_text(text, encoding="utf-8")
    return MachineChecked(file, folder / "formal", folder / "cache").decide(Context("test", timeout=60))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Lemma Rle (a b : nat) : Prop.\nProof. exact True. Defined.", "Defined after a Lemma"),
        ("(** . *)\nTheorem u : 1 = 1.\nProof. reflexivity. Defined.", "Defined after a Theorem"),
        ("Definition Rl\u0435 (a b : nat) := True.", "the letter U+0435"),
        ("Definition \u2113n (a : nat) := 0.", "the letter U+2113"),
        ("Definition a\u200b := 0.", "the letter U+200B"),
        ("\ufeffDefinition a := 0.", "the letter U+FEFF"),
        ("Record box := { open_ :> nat -> nat; lie : open_ 1 = 0 }.", "with a coercion"),
        ("Class box := open_ :> nat.", "with a coercion"),
        ("Record box := { open_ (n : nat) {m : nat} :> nat -> nat }.", "with a coercion"),
        ("Structure box := Box { size : nat ; #[local] open_ :> nat }.", "with a coercion"),
    ],
)
def test_a_disguise_is_found_in_the_text(tmp_path, text, said):
    verdict = decide(tmp_path, f"{HEADER}{text}\n{LIE}{WITNESS}")
    assert verdict.status is Status.REFUTED, verdict
    assert said in verdict.counterexample
    assert ", line " in verdict.counterexample


@pytest.mark.parametrize(
    "text",
    [
        "Definition a : nat.\nProof. exact 0. Defined.",
        "Lemma a : 1 = 1.\nProof. reflexivity. Qed.\nInstance b : inhabited nat.\nProof. exact (inhabits 0). Defined.",
        "(* Erd\u0151s, \u03b1 *) Lemma a x : x\u00b2 = x * x.\nProof. reflexivity. Qed.",
        "Record a := { b : 1 = 1 :> nat; c : nat }.\nDefinition d (A : Type) (x y : A) := x = y :> A.",
    ],
)
def test_what_is_no_disguise_is_not_accused(text):
    assert list(faults(read(text), shared=False)) == []


def test_a_definition_brings_the_names_of_its_constructors_fields_and_companions(tmp_path):
    file = tmp_path / "a.v"
    file.write_text(
        "Inductive even : nat -> Prop := zero : even 0 | more n : odd n -> even (S n) with odd : nat -> Prop := one : odd 1.\n"
        "Record point := Point { abscissa : nat; ordinate : nat }.\n"
        "Fixpoint f (n : nat) := match n with O => 0 | S m => g m end with g (n : nat) := match n with O => 1 | S m => f m end.\n"
        "Definition k (n : nat) := match n with O => let y := 1 in y | S m => m end.\n"
    )
    names = [set(item.names) for item in load(file, tmp_path).definitions]
    assert names == [
        {"even", "zero", "more", "odd", "one"},
        {"point", "Point", "abscissa", "ordinate"},
        {"f", "g"},
        {"k"},
    ]


@needs_coq
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (REALS + "Section S.\nLet Rle (a b : R) := True.\n" + LIE + "End S.\n", "it defines Rle, which already"),
        (REALS + "Fixpoint f0 (n : nat) : nat := O with Rle (a : nat) : Prop := True.\n(** . *)\nTheorem t : Rle 1.\n"
         "Proof. exact I. Qed.\n", "it defines Rle, which already"),
        (REALS + "Record k := { Rle : R -> R -> Prop }.\n(** . *)\nTheorem t : 1 = 1.\nProof. reflexivity. Qed.\n",
         "it defines Rle, which already stands for"),
        (HEADER + "Inductive k := le | lt.\n(** . *)\nTheorem t : le = le.\nProof. reflexivity. Qed.\n",
         "it defines le, which already stands for"),
        (HEADER + "Definition ln (n : nat) := 0.\n(** . *)\nTheorem t : ln 3 = 0.\nProof. reflexivity. Qed.\n",
         "it defines ln, which already stands for Coq.Reals.Rpower.ln"),
        (HEADER + "(** Every network converges. *)\nTheorem t : True.\nProof. exact I. Qed.\n", "t says nothing"),
        (HEADER + "Definition converges (n : nat) := True.\n(** Every network converges. *)\nTheorem t : converges 1.\n"
         "Proof. exact I. Qed.\n", "t says nothing"),
        (HEADER + "(** . *)\nTheorem t : ltac:(exact True).\nProof. exact I. Qed.\n", "t says nothing"),
        (HEADER + "(** . *)\nTheorem t : nat.\nProof. exact 0. Qed.\n", "t states no proposition: nat"),
        (REALS + "(** 1 <= 0. *)\nTheorem t (Rle : R -> R -> Prop) (h : forall a b, Rle a b) : Rle 1 0.\n"
         "Proof. apply h. Qed.\n", "t says nothing"),
    ],
)  # fmt: skip
def test_a_disguise_is_found_by_coq(tmp_path, text, said):
    witness = f"Definition t_witness := t {FUN}.\n" if "(h :" in text else WITNESS
    verdict = decide(tmp_path, text + witness)
    assert verdict.status is Status.REFUTED, verdict
    assert said in verdict.counterexample


@needs_coq
def test_a_cache_named_from_here_is_found_from_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "formal" / "chapter").mkdir(parents=True)
    file = tmp_path / "formal" / "chapter" / "good.v"
    file.write_text(HEADER + "(** . *)\nTheorem t : 1 = 1.\nProof. reflexivity. Qed.\n" + WITNESS)
    verdict = MachineChecked(file, tmp_path / "formal", type(tmp_path)("cache")).decide(Context("test", timeout=60))
    assert verdict.status is Status.PROVED, verdict
