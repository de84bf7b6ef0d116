(** Laws on finite sets: probabilities, expectations, product laws, the Kullback-Leibler divergence.              *)
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun.
Require Import Reals Lra.
From MDNN.shared Require Import sums.
Set Implicit Arguments.
Local Open Scope R_scope.

(** p is a law on the finite set I: its weights are not negative and add up to 1. *)
Definition is_law {I : finType} (p : I -> R) : Prop := (forall i, 0 <= p i) /\ \rsum_i p i = 1.

(** The expectation of X under p. *)
Definition expectation {I : finType} (p X : I -> R) : R := \rsum_i (p i * X i).

(** p << q: p vanishes wherever q does. *)
Definition abs_cont {I : finType} (p q : I -> R) : Prop := forall i, q i = 0 -> p i = 0.

(** KL(p || q) = sum of p_i log(p_i / q_i).  Where p_i = 0 the term is 0, since the library's ln is total; p << q must
    be a hypothesis wherever this definition is used, because the term with p_i > 0 = q_i would be +infinity. *)
Definition KL {I : finType} (p q : I -> R) : R := \rsum_i (p i * ln (p i / q i)).

(** The joint law of independent components, the k-th with law r k. *)
Definition product_law {d : nat} {I : finType} (r : 'I_d -> I -> R) (w : {ffun 'I_d -> I}) : R :=
  \rprod_k (r k (w k)).

(** The law with equal weights. *)
Definition uniform_law (I : finType) (i : I) : R := / INR #|I|.

Lemma law_ge0 {I : finType} {p : I -> R} i : is_law p -> 0 <= p i.
Proof. by case. Qed.

Lemma law_sum1 {I : finType} {p : I -> R} : is_law p -> \rsum_i p i = 1.
Proof. by case. Qed.

Lemma abs_cont_gt0 {I : finType} {p q : I -> R} : (forall i, 0 < q i) -> abs_cont p q.
Proof. by move=> q0 i E; have := q0 i; rewrite E; lra. Qed.

Lemma uniform_law_is_law {I : finType} (i : I) : is_law (uniform_law I).
Proof.
have n0 : 0 < INR #|I| by apply: lt_0_INR; apply/ltP; apply/card_gt0P; exists i.
split=> [j|]; first by left; exact: Rinv_0_lt_compat.
by rewrite rsum_cst /uniform_law Rinv_r //; lra.
Qed.

Section Product.
Variables (d : nat) (I : finType) (r : 'I_d -> I -> R).
Hypothesis r_law : forall k, is_law (r k).

Lemma product_law_is_law : is_law (product_law r).
Proof.
split; first by move=> w; apply: rprod_ge0 => k _; case: (r_law k).
by rewrite /product_law -(bigA_distr_bigA r) big1 // => k _; case: (r_law k).
Qed.

(** The k-th marginal of the product is r k: a function of the k-th component has the same expectation under both. *)
Lemma product_law_marginal (k : 'I_d) (phi : I -> R) :
  \rsum_(w : {ffun 'I_d -> I}) (product_law r w * phi (w k)) = \rsum_i (r k i * phi i).
Proof.
transitivity (\rsum_(w : {ffun 'I_d -> I})
   \rprod_j (r j (w j) * (if j == k then phi (w j) else 1))).
  apply: eq_bigr => w _; rewrite big_split /=; congr (_ * _).
  by rewrite (bigD1 k) //= eqxx big1 ?Rmult_1_r // => j /negbTE ->.
rewrite -(bigA_distr_bigA (fun j i => r j i * (if j == k then phi i else 1))).
rewrite (bigD1 k) //= [X in _ * X]big1 ?Rmult_1_r.
  by apply: eq_bigr => i _; rewrite eqxx.
by move=> j /negbTE nj; rewrite -[RHS](proj2 (r_law j)); apply: eq_bigr => i _; rewrite nj Rmult_1_r.
Qed.
End Product.

(** One term of the divergence, a log(a/b), exceeds a - b; the excess vanishes only for a = b. *)
Lemma kl_term_excess (a b : R) : 0 <= a -> 0 <= b -> (b = 0 -> a = 0) ->
  0 <= a * ln (a / b) - (a - b) /\ (a * ln (a / b) - (a - b) = 0 -> a = b).
Proof.
move=> Ha Hb Hab.
case: (Req_dec b 0) => [b0|bn0]; first by rewrite (Hab b0) b0; split; lra.
case: (Req_dec a 0) => [->|an0]; first by split; lra.
have a0 : 0 < a by lra. have b0 : 0 < b by lra.
have Hx : 0 < b / a by apply: Rdiv_lt_0_compat.
have E : ln (a / b) = - ln (b / a) by rewrite -ln_Rinv //; congr ln; field.
rewrite E.
have Hid : a * - ln (b / a) - (a - b) = a * (b / a - 1 - ln (b / a)) by field.
rewrite Hid; split.
  apply: Rmult_le_pos => //; have := ln_le_sub1 Hx; lra.
move=> H0; have {}H0 : b / a - 1 - ln (b / a) = 0 by case/Rmult_integral: H0.
case: (Req_dec (b / a) 1) => [E1|N1]; last by have := ln_lt_sub1 Hx N1; lra.
have : b = (b / a) * a by field.
by rewrite E1 Rmult_1_l.
Qed.
