(** The importance-weighted bound never exceeds the log likelihood, whatever the number K of samples.

    At one datum x, [joint z] is p(x, z) and [q z] is q(z | x), on any finite set Z of latent states z. Then [evidence
    joint] = sum over z of p(x, z) is the likelihood p(x), [weight joint q z] = p(x, z) / q(z | x) is the importance
    weight, [posterior joint z] = p(x, z) / p(x), and [importance_bound joint q K] is VLB_K(x), the expectation of
    log((1/K) sum_k w(z_k)) over K independent draws z_1, ..., z_K from q. These definitions are in shared/means.v and
    shared/finite_laws.v; log is the natural logarithm [ln].

    The hypothesis [model_and_proposal] says: p(x, z) >= 0; q is a law; p(x, z) > 0 wherever q(z | x) > 0. The last part
    makes VLB_K a number (without it VLB_K is minus infinity and the bound is trivial). That q reaches every z with p(x,
    z) > 0 is not assumed: the bound holds without it, and equality implies it.

    Scope: every finite latent space, every joint density p(x, z) >= 0 and every law q on it (q may miss states), every
    number K >= 1 of samples. Not proved here: latent spaces that are not finite.

    Source: seed 002, Problem 1(a). *)
Require Import Reals Lra.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun.
From MDNN.shared Require Import sums finite_laws means.
Local Open Scope R_scope.

(** VLB_K(x) <= log p(x) for every K >= 1. *)
Theorem importance_bound_below_log_likelihood (Z : finType) (joint q : Z -> R) (K : nat) :
  model_and_proposal joint q -> (0 < K)%N -> importance_bound joint q K <= ln (evidence joint).
Proof. exact: importance_bound_le. Qed.

(** VLB_K(x) = log p(x) if and only if q is the posterior: q(z | x) = p(x, z) / p(x) for all z. *)
Theorem importance_bound_tight_iff_posterior (Z : finType) (joint q : Z -> R) (K : nat) :
  model_and_proposal joint q -> (0 < K)%N ->
  (importance_bound joint q K = ln (evidence joint) <-> forall z, q z = posterior joint z).
Proof. exact: importance_bound_eq_iff. Qed.

(** For K = 1 the gap is a divergence: log p(x) - VLB_1(x) = KL(q || posterior), if q reaches all z with p(x, z) > 0. *)
Theorem gap_of_one_sample_is_divergence (Z : finType) (joint q : Z -> R) :
  model_and_proposal joint q -> (forall z, q z = 0 -> joint z = 0) ->
  ln (evidence joint) - importance_bound joint q 1 = KL q (posterior joint).
Proof. exact: one_sample_gap. Qed.

(** Examples that satisfy the hypotheses: two latent states with p(x, z) = 1/4 and 1/8, so p(x) = 3/8, and q = (1/2,
    1/2), which is not the posterior (2/3, 1/3). *)
Definition two_states (z : bool) : R := if z then 1 / 4 else 1 / 8.
Definition coin (z : bool) : R := 1 / 2.
Lemma two_states_and_coin : model_and_proposal two_states coin.
Proof.
split; first by case; rewrite /two_states; lra.
split; last by case; rewrite /two_states; lra.
by split; [move=> z; rewrite /coin; lra | rewrite rsum_bool /coin; lra].
Qed.
Lemma coin_reaches_all z : coin z = 0 -> two_states z = 0.
Proof. by rewrite /coin; lra. Qed.

(** q may miss a state: a law on one of the two states only. *)
Definition first_state (z : bool) : R := if z then 1 else 0.
Lemma two_states_and_first : model_and_proposal two_states first_state.
Proof.
split; first by case; rewrite /two_states; lra.
split; last by case; rewrite /two_states /first_state; lra.
by split; [case; rewrite /first_state; lra | rewrite rsum_bool /first_state; lra].
Qed.

Definition importance_bound_below_log_likelihood_witness :=
  importance_bound_below_log_likelihood _ two_states first_state 3 two_states_and_first isT.
Definition importance_bound_tight_iff_posterior_witness :=
  importance_bound_tight_iff_posterior _ two_states coin 3 two_states_and_coin isT.
Definition gap_of_one_sample_is_divergence_witness :=
  gap_of_one_sample_is_divergence _ two_states coin two_states_and_coin coin_reaches_all.
