(** The Kullback-Leibler divergence between laws with independent components is the sum over the components.

    The components take values in one finite set I; component k has law p k on one side and q k on the other, and the
    laws may differ from component to component.  Independence means that the joint law is the product,
    product_law p w = p_1(w_1) ... p_d(w_d) for w in I^d.  KL is that of shared/finite_laws.

    Scope: any number d of components, any finite set of values, all laws with p_k << q_k for every k. Not proved here:
    densities on R^d.

    Source: seed 000, Problem 4(b).                                                                              *)
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun.
Require Import Reals Lra.
From MDNN.shared Require Import sums finite_laws.
Local Open Scope R_scope.

Section Additivity.
Variables (d : nat) (I : finType) (p q : 'I_d -> I -> R).
Hypothesis p_law : forall k, is_law (p k).
Hypothesis q_law : forall k, is_law (q k).
Hypothesis p_abs_cont : forall k, abs_cont (p k) (q k).

(** KL(p_1 x ... x p_d || q_1 x ... x q_d) = KL(p_1 || q_1) + ... + KL(p_d || q_d), and the left-hand side is the
    divergence of two laws of which the first vanishes wherever the second does, so that it is finite. *)
Theorem kl_additive :
  is_law (product_law p) /\ is_law (product_law q) /\ abs_cont (product_law p) (product_law q) /\
  KL (product_law p) (product_law q) = \rsum_k KL (p k) (q k).
Proof.
split; first exact: product_law_is_law.
split; first exact: product_law_is_law.
split.
  move=> w; rewrite /product_law => q0.
  case: (boolP [exists k, Req_EM_T (p k (w k)) 0 : bool]) => [/existsP [k Hk]|].
    by rewrite (bigD1 k) //=; case: (Req_EM_T _ _) Hk => // e _; rewrite e Rmult_0_l.
  rewrite negb_exists => /forallP Hn; exfalso.
  have : 0 < \rprod_k (q k (w k)); last by rewrite q0; lra.
  apply: rprod_gt0 => k _; have := proj1 (q_law k) (w k); have := p_abs_cont k (w k).
  by have := Hn k; case: (Req_EM_T _ _) => // np _; case: (Req_dec (q k (w k)) 0) => [e /(_ e)|]; lra.
rewrite {1}/KL.
transitivity (\rsum_(w : {ffun 'I_d -> I}) \rsum_k (product_law p w * ln (p k (w k) / q k (w k)))).
  apply: eq_bigr => w _; rewrite -big_distrr /=.
  case: (boolP [exists k, Req_EM_T (p k (w k)) 0 : bool]) => [/existsP [k Hk]|].
    have -> : product_law p w = 0; last by lra.
    by rewrite /product_law (bigD1 k) //=; case: (Req_EM_T _ _) Hk => // e _; rewrite e Rmult_0_l.
  rewrite negb_exists => /forallP Hn; congr (_ * _).
  have p0 k : 0 < p k (w k).
    by have := Hn k; case: (Req_EM_T _ _) => // n _; have := proj1 (p_law k) (w k); lra.
  have q0 k : 0 < q k (w k).
    have := proj1 (q_law k) (w k); have := p0 k; have := p_abs_cont k (w k).
    by case: (Req_dec (q k (w k)) 0) => [e H|]; [rewrite (H e)|]; lra.
  rewrite -ln_rprod; last by move=> k _; apply: Rdiv_lt_0_compat.
  congr ln; rewrite /product_law; apply: (Rmult_eq_reg_r (\rprod_k (q k (w k)))); last first.
    by apply: Rgt_not_eq; apply: rprod_gt0.
  rewrite -big_split /= /Rdiv Rmult_assoc Rinv_l ?Rmult_1_r; last first.
    by apply: Rgt_not_eq; apply: rprod_gt0.
  by apply: eq_bigr => k _; field; apply: Rgt_not_eq; exact: q0.
rewrite exchange_big /=; apply: eq_bigr => k _.
exact: (product_law_marginal p p_law k (fun i => ln (p k i / q k i))).
Qed.
End Additivity.

(** An example that satisfies the hypotheses: two coins, of chances 1/4 and 0 against 1/2 and 1/3. *)
Definition coin (c : R) (b : bool) : R := if b then c else 1 - c.
Definition coins_p (k : 'I_2) : bool -> R := if k == ord0 then coin (1 / 4) else coin 0.
Definition coins_q (k : 'I_2) : bool -> R := if k == ord0 then coin (1 / 2) else coin (1 / 3).
Lemma coin_law c : 0 <= c <= 1 -> is_law (coin c).
Proof. by move=> Hc; split; [case; rewrite /coin; lra | rewrite rsum_bool /coin; lra]. Qed.
Lemma coins_p_law k : is_law (coins_p k).
Proof. by rewrite /coins_p; case: (k == ord0); apply: coin_law; lra. Qed.
Lemma coins_q_law k : is_law (coins_q k).
Proof. by rewrite /coins_q; case: (k == ord0); apply: coin_law; lra. Qed.
Lemma coins_abs_cont k : abs_cont (coins_p k) (coins_q k).
Proof. by rewrite /coins_p /coins_q; case: (k == ord0); case; rewrite /coin; lra. Qed.
Definition kl_additive_witness := kl_additive 2 _ coins_p coins_q coins_p_law coins_q_law coins_abs_cont.
