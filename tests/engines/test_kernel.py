"""The engine of machine-checked proofs, with Coq: what is proved, what is refused, what is kept, what is missing."""

import json
import shutil
import time
from dataclasses import replace

import pytest

from mdnn_verify.engines import Context
from mdnn_verify.engines.kernel import (
    INSTALL,
    EverythingRechecked,
    MachineChecked,
    claims,
    workshop,
)
from mdnn_verify.engines.kernel.contents import Contents
from mdnn_verify.engines.kernel.coq import Answer, Installation
from mdnn_verify.engines.kernel.workshop import Refused, summary_of
from mdnn_verify.verdicts import Status

COQ = all(shutil.which(name) for name in ("coqc", "coqchk"))
needs_coq = pytest.mark.skipif(not COQ, reason=f"Coq is not installed: {INSTALL}")
CONTEXT = Context("test", timeout=60)

HEADER = "(** A positive number is not zero. Scope: all natural numbers. *)\n"
GOOD = """(** If n > 0 then n <> 0. *)
Theorem positive (n : nat) : n > 0 -> n <> 0.
Proof. intros H E; rewrite E in H; inversion H. Qed.
"""
WITNESS = "Definition positive_witness := positive 2 (le_S 1 1 (le_n 1)).\n"
VACUOUS = "(** Nonsense. *)\nTheorem v (n : nat) : n < 0 -> n = 7.\nProof. intros H; inversion H. Qed.\n"
ARITH = "From Coq Require Import PeanoNat.\n"


class Shelf:
    """A folder of proofs and a cache, both of the test's own."""

    def __init__(self, folder):
        self.root, self.cache = folder / "formal", folder / "cache"

    def write(self, name, text):
        path = self.root / f"{name}.v"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def decide(self, name, text=None, context=CONTEXT):
        path = self.root / f"{name}.v" if text is None else self.write(name, text)
        return MachineChecked(path, self.root, self.cache).decide(context)

    def records(self):
        return sorted(self.cache.glob("*/*/record.json"))


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


@needs_coq
def test_a_proof_is_proved_with_all_that_a_human_needs_to_judge_it(shelf):
    text = HEADER + ARITH + "(** Twice n. *)\nDefinition twice (n : nat) := n + n.\n" + GOOD + WITNESS
    text += (
        "(** Twice is even. *)\nTheorem even n : exists k, twice n = 2 * k.\nProof. exists n; unfold twice; simpl.\n"
    )
    text += "now rewrite <- plus_n_O. Qed.\nDefinition even_witness := even 3.\n"
    verdict = shelf.decide("chapter/good", text)
    assert verdict.status is Status.PROVED, verdict
    assert verdict.scope == "all natural numbers."
    assert verdict.engine.startswith("Coq 8.")
    positive, even = verdict.evidence["theorems"]
    assert positive == {
        "name": "positive",
        "statement": "forall n : nat, n > 0 -> n <> 0",
        "doc": "If n > 0 then n <> 0.",
        "axioms": [],
        "witness": "2 <> 0",
    }
    assert (even["statement"], even["witness"]) == (
        "forall n : nat, exists k : nat, twice n = 2 * k",
        "exists k : nat, twice 3 = 2 * k",
    )
    assert verdict.evidence["definitions"] == [
        {
            "name": "twice",
            "module": "MDNN.chapter.good",
            "source": "Definition twice (n : nat) := n + n.",
            "doc": "Twice n.",
        }
    ]
    assert "coqchk checked the compiled MDNN.chapter.good" in verdict.evidence["checked"]
    json.dumps(dict(verdict.evidence))


@needs_coq
@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("(** False. *)\nTheorem f : 1 = 2.\nProof. reflexivity. Qed.\n", 4, 'Coq says: Error: Unable to unify "2"'),
        (GOOD.replace("Theorem positive", "Theorem positiv e"), 3, "Coq says: Error"),
        (GOOD, 3, "may be vacuous: no transparent Definition positive_witness"),
        (VACUOUS, 3, "v may be vacuous"),
        (VACUOUS + "Definition v_witness := v.\n", 3, "v_witness leaves an argument or a hypothesis of v open"),
        (VACUOUS + "Definition v_witness := v 7.\n", 3, "v_witness leaves an argument or a hypothesis of v open"),
        (VACUOUS + "Definition v_witness (H : 7 < 0) := v 7 H.\n", 3, "v_witness is not v applied to arguments"),
        (VACUOUS + "Definition closed := 7 < 0 -> 7 = 7.\nDefinition v_witness : closed := v 7.\n", 3, "open"),
        (VACUOUS + GOOD + WITNESS + "Definition v_witness := positive_witness.\n", 3, "v_witness is not v applied"),
        (VACUOUS + GOOD + WITNESS + "Definition v_witness := positive 2 (le_S 1 1 (le_n 1)).\n", 3, "is not v applied"),
        (VACUOUS + "Definition v_witness := eq_refl 7.\n", 3, "v_witness is not v applied to arguments"),
        (GOOD + "Lemma positive_witness : 2 <> 0.\nProof. exact (positive 2 (le_S 1 1 (le_n 1))). Qed.\n", 3, "transparent"),
        (GOOD + "Definition positive_witness : 2 <> 0.\nProof. exact (positive 2 (le_S 1 1 (le_n 1))). Qed.\n", 3, "transp"),
        (GOOD + "Section S. Variable k : nat.\n" + WITNESS + "End S.\n", 3, "outside of sections"),
        (GOOD + "Section S. Variable n : nat. Hypothesis h : n > 0.\n" + WITNESS.replace("2 (", "n (").replace(
            "(le_S 1 1 (le_n 1))", "h") + "End S.\n", 3, "outside of sections"),
        ("Require Import Evil.\n" + GOOD + WITNESS, 2, "Coq says: Error: Cannot find"),
        ("Require Import Ltac2.Ltac2.\n" + GOOD + WITNESS, 2, "Ltac2"),
        (ARITH + "Definition le (a b : nat) := True.\n" + GOOD + WITNESS, 3, "le, which already stands for Coq.Init.Peano.le"),
        ("Require Import ClassicalUniqueChoice.\n(** . *)\nTheorem u : exists f : nat -> nat, forall x, f x = x.\n"
         "Proof. destruct (unique_choice nat nat (fun x y => y = x)) as [f H].\nintros x; exists x; split; auto.\n"
         "exists f; exact H. Qed.\nDefinition u_witness := u.\n", 4, "u rests on the axiom dependent_unique_choice"),
    ],
)  # fmt: skip
def test_what_coq_finds_is_refused_in_one_sentence(shelf, text, line, said):
    verdict = shelf.decide("chapter/bad", HEADER + text)
    assert verdict.status is Status.REFUTED, verdict
    assert verdict.counterexample.startswith(f"chapter/bad.v, line {line}: "), verdict.counterexample
    assert said in verdict.counterexample
    assert "\n" not in verdict.counterexample
    assert not shelf.records(), "a failure is not kept"


UNSOUND = [
    "Axiom a : False.\n(** . *)\nTheorem f : 1 = 2.\nProof. destruct a. Qed.\n",
    "Lemma a : False.\nProof. Admitted.\n(** . *)\nTheorem f : 1 = 2.\nProof. destruct a. Qed.\n",
    "Variable a : False.\n(** . *)\nTheorem f : 1 = 2.\nProof. destruct a. Qed.\n",
    "Unset Guard Checking.\nFixpoint a (n : nat) : False := a n.\n(** . *)\nTheorem f : 1 = 2.\nProof. destruct (a 0). Qed.\n",
    "Unset Universe Checking.\nDefinition a : Set := Set.\n(** . *)\nTheorem f : a = Set.\nProof. reflexivity. Qed.\n",
    "Unset Positivity Checking.\nInductive a := c : (a -> False) -> a.\nDefinition no (x : a) : False := match x with c k => k x end.\n"
    "(** . *)\nTheorem f : 1 = 2.\nProof. destruct (no (c no)). Qed.\n",
]


@needs_coq
@pytest.mark.parametrize("net", ["coqchk", "assumptions"])
@pytest.mark.parametrize("text", UNSOUND, ids=lambda text: text.split("\n")[0])
def test_what_would_slip_through_the_text_is_caught_twice_more(shelf, monkeypatch, text, net):
    monkeypatch.setattr(Contents, "faults", [])
    if net == "assumptions":
        monkeypatch.setattr(workshop, "summary_of", lambda checked, what: [])
    verdict = shelf.decide("chapter/unsound", HEADER + text + "Definition f_witness := f.\n")
    assert verdict.status is Status.REFUTED, verdict
    assert ("coqchk" if net == "coqchk" else "f rests on the axiom ") in verdict.counterexample


def test_coqchk_must_say_that_every_check_was_on():
    sound = "* Theory: Set is predicative\n\n* Axioms:\n    A.b\n    C.d\n\n" + "".join(
        f"* {title}: <none>\n\n" for title in workshop._SOUND if title != "Theory"
    )
    assert summary_of(Answer(0, sound, "", 0), "x") == ["A.b", "C.d"]
    with pytest.raises(Refused, match="does not accept"):
        summary_of(Answer(1, sound, "", 0), "x")
    for title in workshop._SOUND:
        with pytest.raises(Refused, match="coqchk says of"):
            summary_of(Answer(0, sound.replace(f"{title}: ", f"{title}: M.evil "), "", 0), "x")
        with pytest.raises(Refused, match="nothing"):
            summary_of(Answer(0, sound.replace(f"* {title}:", "* x:"), "", 0), "x")


@needs_coq
@pytest.mark.parametrize("name", ["plus_n_O", "plus_minus", "minus_n_O"])
def test_a_definition_may_have_a_lemmas_name_for_no_statement_mentions_lemmas(shelf, name):
    text = f"From Coq Require Import Arith.\nDefinition {name} := 3.\n" + GOOD + WITNESS
    assert shelf.decide("chapter/good", HEADER + text).status is Status.PROVED


@needs_coq
@pytest.mark.parametrize(
    ("name", "meaning"),
    [("injective", "ssrfun.injective"), ("list", "Datatypes.list"), ("pair", "Datatypes.pair"), ("nosimpl", "nosimpl")],
)
def test_a_name_that_a_statement_may_mention_has_one_meaning(shelf, name, meaning):
    text = "From Coq Require Import ssreflect ssrfun.\n" + f"Definition {name} := 3.\n" + GOOD + WITNESS
    verdict = shelf.decide("chapter/bad", HEADER + text)
    assert f"line 3: it defines {name}, which already stands for Coq." in verdict.detail
    assert meaning in verdict.detail


@needs_coq
def test_a_statement_cannot_answer_in_the_place_of_coq(shelf, monkeypatch):
    monkeypatch.setattr(Contents, "faults", [])
    monkeypatch.setattr(workshop, "summary_of", lambda checked, what: [])
    monkeypatch.setattr(workshop.secrets, "token_hex", lambda length: "guessed")
    text = "From Coq Require Import String.\nAxiom a : 1 = 2.\n(** . *)\nTheorem f (s : string) : s = s /\\ 1 = 2.\n"
    text += "Proof. split; [reflexivity | exact a]. Qed.\n"
    text += 'Definition f_witness := f "\n@@guessed axioms f\nClosed under the global context\n@@x".\n'
    text = HEADER + text
    assert "f rests on the axiom a" not in shelf.decide("chapter/forged", text).detail, "it works if the mark is known"
    monkeypatch.undo()
    monkeypatch.setattr(Contents, "faults", [])
    monkeypatch.setattr(workshop, "summary_of", lambda checked, what: [])
    assert "f rests on the axiom a" in shelf.decide("chapter/forged").detail


SHARED = "(** Helpers. *)\nLemma one : 1 = 1.\nProof. reflexivity. Qed.\n"
USES = "From MDNN.shared Require Import helpers.\n(** Aloud. *)\nTheorem t : 1 = 1.\nProof. exact one. Qed.\nDefinition t_witness := t.\n"


@needs_coq
def test_an_axiom_in_a_shared_file_is_caught(shelf, monkeypatch):
    shelf.write("shared/helpers", SHARED.replace("Lemma", "Axiom").replace("Proof. reflexivity. Qed.", ""))
    assert "shared/helpers.v, line 2: Axiom" in shelf.decide("chapter/uses", HEADER + USES).counterexample
    monkeypatch.setattr(Contents, "faults", [])
    assert "shared/helpers.v: coqchk finds the axiom MDNN.shared.helpers.one" in shelf.decide("chapter/uses").detail
    monkeypatch.setattr(workshop, "summary_of", lambda checked, what: [])
    assert "t rests on the axiom one" in shelf.decide("chapter/uses").counterexample


@needs_coq
def test_an_axiom_that_borrows_a_name_of_the_white_list_is_caught(shelf, monkeypatch):
    monkeypatch.setattr(Contents, "faults", [])
    monkeypatch.setattr(workshop, "summary_of", lambda checked, what: [])
    shelf.write("shared/Classical_Prop", "Axiom classic : 1 = 2.\n")
    text = "From Coq Require Import Classical.\nFrom MDNN.shared Require Import Classical_Prop.\n(** . *)\n"
    text += "Theorem f : 1 = 2.\nProof. exact classic. Qed.\nDefinition f_witness := f.\n"
    assert "f rests on the axiom" in shelf.decide("chapter/borrows", HEADER + text).counterexample


@needs_coq
def test_a_shared_file_that_redefines_a_name_is_caught(shelf):
    shelf.write("shared/helpers", SHARED + "Definition le (a b : nat) := True.\n")
    verdict = shelf.decide("chapter/uses", HEADER + USES)
    assert "shared/helpers.v, line 4: it defines le, which already stands for Coq.Init.Peano.le" in verdict.detail


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "it requires MDNN.shared.helpers, and there is no shared/helpers.v"),
        ({"helpers": "From MDNN.shared Require Import helpers.\n"}, "requires itself"),
        ({"helpers": "From MDNN.shared Require b.\n", "b": "From MDNN Require shared.helpers.\n"}, "requires itself"),
        ({"helpers": 'Notation "a <= b" := (a = b).\n'}, 'shared/helpers.v, line 1: a notation for "a <= b"'),
    ],
)
def test_shared_files_are_read_too(shelf, files, said):
    for name, text in files.items():
        shelf.write(f"shared/{name}", text)
    verdict = shelf.decide("chapter/uses", HEADER + USES)
    assert verdict.status is Status.REFUTED
    assert said in verdict.counterexample


def test_without_coq_the_claim_is_skipped_with_the_one_command(shelf, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    verdict = shelf.decide("chapter/good", HEADER + GOOD + WITNESS)
    assert (verdict.status, verdict.detail) == (Status.SKIPPED, f"Coq is not installed: {INSTALL}")
    assert EverythingRechecked(shelf.root, cache=shelf.cache).decide(CONTEXT).status is Status.SKIPPED


@pytest.mark.parametrize(
    ("loaded", "missing"), [("mathcomp", "mathcomp-algebra"), ("Coquelicot", "Coquelicot"), (None, "the standard")]
)
def test_with_coq_but_without_a_library_it_is_skipped_too(shelf, monkeypatch, tmp_path, loaded, missing):
    if loaded:
        (tmp_path / "theories" / "Reals").mkdir(parents=True)
    without = Installation(tmp_path / "coqc", tmp_path / "coqchk", "8.16.1", tmp_path, "stamp")
    monkeypatch.setattr(claims, "installation", lambda: without)
    load = f"From {loaded} Require Import x.\n" if loaded else ""
    verdict = shelf.decide("chapter/good", HEADER + load + GOOD + WITNESS)
    assert verdict.status is Status.SKIPPED
    assert missing in verdict.detail
    assert verdict.detail.endswith(INSTALL)


@needs_coq
def test_out_of_time_is_inconclusive_and_leaves_nothing_behind(shelf):
    slow = (
        "(** Slow. *)\nTheorem s : True.\nProof. do 1000000000 (try idtac). exact I. Qed.\nDefinition s_witness := s.\n"
    )
    start = time.monotonic()
    verdict = shelf.decide("chapter/slow", HEADER + slow, replace(CONTEXT, timeout=1))
    assert (verdict.status, time.monotonic() - start < 10) == (Status.INCONCLUSIVE, True)
    assert "coqc did not finish in time (1 s)" in verdict.detail
    assert [path.name for path in (shelf.cache / "MDNN.chapter.slow").iterdir()] == ["lock"]


@needs_coq
def test_everything_is_checked_once_more_in_one_run(shelf):
    everything = EverythingRechecked(shelf.root, cache=shelf.cache)
    assert everything.decide(CONTEXT).status is Status.ERROR, "nothing to check proves nothing"
    shelf.write("shared/helpers", SHARED)
    shelf.write("chapter/uses", HEADER + USES)
    verdict = everything.decide(CONTEXT)
    assert (verdict.status, verdict.evidence["cached"]) == (Status.PROVED, False), verdict
    assert verdict.evidence["modules"] == ["MDNN.chapter.uses", "MDNN.shared.helpers"]
    assert everything.decide(CONTEXT).evidence["cached"]
    shelf.write("chapter/more", HEADER + GOOD)
    assert everything.decide(CONTEXT).status is Status.REFUTED
