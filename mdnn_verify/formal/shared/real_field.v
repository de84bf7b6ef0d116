(** The real numbers of the Coq standard library as a field in the sense of mathcomp.

    With it, mathcomp's matrices, determinants and traces can have entries in R.  Equality of
    reals is decided by the library's own axiom, and a choice function comes from Hilbert's epsilon (ClassicalEpsilon).
    In the library 1 / 0 is some number; mathcomp wants it to be 0, so the field's inverse is [Rinv0]. It agrees with
    Rinv everywhere else.                                                                                         *)
Require Import Reals Lra ClassicalEpsilon FunctionalExtensionality.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat choice ssralg.
Set Implicit Arguments.
Local Open Scope R_scope.

Definition Reqb (x y : R) : bool := if Req_EM_T x y is left _ then true else false.
Lemma ReqbP : Equality.axiom Reqb.
Proof. by move=> x y; rewrite /Reqb; case: (Req_EM_T x y) => h; constructor. Qed.
Canonical R_eqType := EqType R (EqMixin ReqbP).

Definition Rfind (P : pred R) (n : nat) : option R :=
  let x := epsilon (inhabits 0) P in if P x then Some x else None.
Lemma Rfind_some P n x : Rfind P n = Some x -> P x.
Proof. by rewrite /Rfind; case: ifP => // Px [<-]. Qed.
Lemma Rfind_ex (P : pred R) : (exists x, P x) -> exists n, Rfind P n.
Proof. by move=> /(epsilon_spec (inhabits 0)) H; exists 0%nat; rewrite /Rfind H. Qed.
Lemma Rfind_ext (P Q : pred R) : P =1 Q -> Rfind P =1 Rfind Q.
Proof. by move=> /functional_extensionality -> n. Qed.
Canonical R_choiceType := ChoiceType R (Choice.Mixin Rfind_some Rfind_ex Rfind_ext).

Lemma Radd_associative : associative Rplus. Proof. by move=> x y z; ring. Qed.
Lemma Rmul_associative : associative Rmult. Proof. by move=> x y z; ring. Qed.
Canonical R_zmodType := ZmodType R (ZmodMixin Radd_associative Rplus_comm Rplus_0_l Rplus_opp_l).
Lemma R1_neq0 : (R1 : R_eqType) != R0. Proof. by apply/eqP; exact: R1_neq_R0. Qed.
Definition R_ringMixin :=
  RingMixin Rmul_associative Rmult_1_l Rmult_1_r Rmult_plus_distr_r Rmult_plus_distr_l R1_neq0.
Canonical R_ringType := RingType R R_ringMixin.
Canonical R_comRingType := ComRingType R Rmult_comm.

Definition Rinv0 (x : R) : R := if x == 0 then 0 else / x.
Lemma Rinv0_mul (x : R) : x != 0 -> Rinv0 x * x = 1.
Proof. by move=> x0; rewrite /Rinv0 (negbTE x0) Rinv_l //; apply/eqP. Qed.
Lemma Rinv0_0 : Rinv0 0 = 0. Proof. by rewrite /Rinv0 eqxx. Qed.
Definition R_unitRingMixin := FieldUnitMixin Rinv0_mul Rinv0_0.
Canonical R_unitRingType := UnitRingType R R_unitRingMixin.
Canonical R_comUnitRingType := [comUnitRingType of R].
Lemma R_fieldMixin : GRing.Field.mixin_of [unitRingType of R].
Proof. by []. Qed.
Canonical R_idomainType := IdomainType R (FieldIdomainMixin R_fieldMixin).
Canonical R_fieldType := FieldType R R_fieldMixin.
