(** Finite sums and products of real numbers.

    The real numbers are those of the Coq standard library; sums and products over finite index types are the "big
    operators" of mathcomp, which need addition and multiplication registered as monoids.

      \rsum_i F i              the sum of F i over all i of a finite type
      \rsum_(i | P i) F i      the same over the i with P i
      \rsum_(i <- r) F i       the same over the entries i of a list r
      \rsum_(i < n) F i        the same over i = 0, ..., n - 1
      \rprod_i F i             a product                                                                         *)
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun.
Require Import Reals Lra.
Set Implicit Arguments.
Local Open Scope R_scope.

Lemma Rplus_associative : associative Rplus. Proof. by move=> x y z; ring. Qed.
Lemma Rmult_associative : associative Rmult. Proof. by move=> x y z; ring. Qed.
Lemma Rmult_left_distributive : left_distributive Rmult Rplus. Proof. by move=> x y z; ring. Qed.
Lemma Rmult_right_distributive : right_distributive Rmult Rplus. Proof. by move=> x y z; ring. Qed.
Canonical Rplus_monoid := Monoid.Law Rplus_associative Rplus_0_l Rplus_0_r.
Canonical Rplus_comoid := Monoid.ComLaw Rplus_comm.
Canonical Rmult_monoid := Monoid.Law Rmult_associative Rmult_1_l Rmult_1_r.
Canonical Rmult_muloid := Monoid.MulLaw Rmult_0_l Rmult_0_r.
Canonical Rmult_comoid := Monoid.ComLaw Rmult_comm.
Canonical Rplus_addoid := Monoid.AddLaw Rmult_left_distributive Rmult_right_distributive.

Notation "\rsum_ ( i <- r | P ) F" := (\big[Rplus/R0]_(i <- r | P%B) F%R)
  (at level 41, F at level 41, i, r at level 50).
Notation "\rsum_ ( i <- r ) F" := (\big[Rplus/R0]_(i <- r) F%R)
  (at level 41, F at level 41, i, r at level 50).
Notation "\rsum_ ( i | P ) F" := (\big[Rplus/R0]_(i | P%B) F%R)
  (at level 41, F at level 41, i at level 50).
Notation "\rsum_ ( i : t | P ) F" := (\big[Rplus/R0]_(i : t | P%B) F%R)
  (at level 41, F at level 41, i at level 50, only parsing).
Notation "\rsum_ i F" := (\big[Rplus/R0]_i F%R)
  (at level 41, F at level 41, i at level 0, right associativity).
Notation "\rsum_ ( i : t ) F" := (\big[Rplus/R0]_(i : t) F%R)
  (at level 41, F at level 41, i at level 50, only parsing).
Notation "\rsum_ ( i < n ) F" := (\big[Rplus/R0]_(i < n) F%R)
  (at level 41, F at level 41, i, n at level 50).
Notation "\rprod_ i F" := (\big[Rmult/R1]_i F%R)
  (at level 36, F at level 36, i at level 0).
Notation "\rprod_ ( i | P ) F" := (\big[Rmult/R1]_(i | P%B) F%R)
  (at level 36, F at level 36, i at level 50).
Notation "\rprod_ ( i : t ) F" := (\big[Rmult/R1]_(i : t) F%R)
  (at level 36, F at level 36, i at level 50, only parsing).

Section Lists.
Variable I : Type.
Implicit Types (r : seq I) (P : pred I) (F G : I -> R).

Lemma rsum_ge0 {r P F} : (forall i, P i -> 0 <= F i) -> 0 <= \rsum_(i <- r | P i) F i.
Proof. move=> H; elim/big_ind: _ => //; [lra | move=> x y; lra]. Qed.

Lemma rsum_le {r P F G} : (forall i, P i -> F i <= G i) ->
  \rsum_(i <- r | P i) F i <= \rsum_(i <- r | P i) G i.
Proof. move=> H; elim/big_ind2: _ => //; [lra | move=> x y z t; lra]. Qed.

Lemma rsumB r P F G : \rsum_(i <- r | P i) (F i - G i) =
  \rsum_(i <- r | P i) F i - \rsum_(i <- r | P i) G i.
Proof.
elim: r => [|a r IH]; first by rewrite !big_nil; lra.
rewrite !big_cons; case: (P a) => //; rewrite IH; lra.
Qed.

Lemma rsumN r P F : \rsum_(i <- r | P i) (- F i) = - \rsum_(i <- r | P i) F i.
Proof.
elim: r => [|a r IH]; first by rewrite !big_nil; lra.
rewrite !big_cons; case: (P a) => //; rewrite IH; lra.
Qed.

Lemma rsum_const0 {r P F} : (forall i, P i -> F i = 0) -> \rsum_(i <- r | P i) F i = 0.
Proof. move=> H; elim/big_ind: _ => // x y -> ->; lra. Qed.

Lemma rprod_ge0 {r P F} : (forall i, P i -> 0 <= F i) -> 0 <= \big[Rmult/1]_(i <- r | P i) F i.
Proof. move=> H; elim/big_ind: _ => //; [lra | move=> x y; exact: Rmult_le_pos]. Qed.

Lemma rprod_gt0 {r P F} : (forall i, P i -> 0 < F i) -> 0 < \big[Rmult/1]_(i <- r | P i) F i.
Proof. move=> H; elim/big_ind: _ => //; [lra | move=> x y; exact: Rmult_lt_0_compat]. Qed.

Lemma ln_rprod {r P F} : (forall i, P i -> 0 < F i) ->
  ln (\big[Rmult/1]_(i <- r | P i) F i) = \rsum_(i <- r | P i) ln (F i).
Proof.
move=> H; elim: r => [|a r IH]; first by rewrite !big_nil ln_1.
rewrite !big_cons; case Pa: (P a) => //.
by rewrite ln_mult ?IH //; [exact: H | exact: rprod_gt0].
Qed.

Lemma exp_rsum r P F : exp (\rsum_(i <- r | P i) F i) = \big[Rmult/1]_(i <- r | P i) exp (F i).
Proof.
elim: r => [|a r IH]; first by rewrite !big_nil exp_0.
by rewrite !big_cons; case: (P a) => //; rewrite exp_plus IH.
Qed.
End Lists.

Section FiniteTypes.
Variable I : finType.
Implicit Types (F : I -> R).

Lemma rsum_term_le {F} i : (forall j, 0 <= F j) -> F i <= \rsum_j F j.
Proof.
move=> H; rewrite (bigD1 i) //=.
have := @rsum_ge0 _ (index_enum I) (fun j => j != i) F (fun j _ => H j); lra.
Qed.

Lemma rsum_eq0 {F} : (forall j, 0 <= F j) -> \rsum_j F j = 0 -> forall i, F i = 0.
Proof. move=> H E i; have := rsum_term_le i H; have := H i; lra. Qed.

Lemma rsum_gt0 {F} i : (forall j, 0 <= F j) -> 0 < F i -> 0 < \rsum_j F j.
Proof. move=> H Fi; have := rsum_term_le i H; lra. Qed.

Lemma rsum_cst (c : R) : \rsum_(i : I) c = INR #|I| * c.
Proof.
rewrite big_const; elim: #|I| => [|n IH]; first by rewrite /=; lra.
rewrite iterS IH S_INR; lra.
Qed.
End FiniteTypes.

(** Sums with two, three and four terms, for concrete examples. *)
Lemma rsum_bool (F : bool -> R) : \rsum_b F b = F true + F false.
Proof. by rewrite big_bool. Qed.

Lemma rsum_ord2 (F : 'I_2 -> R) : \rsum_i F i = F ord0 + F (lift ord0 ord0).
Proof. by rewrite !big_ord_recl big_ord0 Rplus_0_r. Qed.

Lemma rsum_ord3 (F : 'I_3 -> R) :
  \rsum_i F i = F ord0 + F (lift ord0 ord0) + F (lift ord0 (lift ord0 ord0)).
Proof. by rewrite !big_ord_recl big_ord0 Rplus_0_r Rplus_assoc. Qed.

(** The tangent of the logarithm at 1, and that it touches only there. *)
Lemma ln_le_sub1 {x} : 0 < x -> ln x <= x - 1.
Proof. move=> Hx; have := exp_ineq1_le (ln x); rewrite exp_ln //; lra. Qed.

Lemma ln_lt_sub1 {x} : 0 < x -> x <> 1 -> ln x < x - 1.
Proof.
move=> Hx H1; have := @exp_ineq1 (ln x); rewrite exp_ln // => H.
suff: 1 + ln x < x by lra.
by apply: H => E; apply: H1; rewrite -(exp_ln _ Hx) E exp_0.
Qed.
