(** With a trainable prior the variational bound still stays below the log likelihood, which depends on the prior too.

    At one datum x and on a finite set Z of latent states, [decoder z] is p_theta(x | z), [prior z] is r_lambda(z) and
    [q z] is q_phi(z | x). The likelihood is sum over z of p_theta(x | z) r_lambda(z), and the bound is the expectation
    of log(p_theta(x | Z) r_lambda(Z) / q_phi(Z | x)) under q. [decoder_prior_encoder] says that p(x | z) >= 0, that r
    and q are laws, and that p(x | z) r(z) > 0 wherever q(z | x) > 0, so that the bound is a number. [KL] and [is_law]
    are in shared/finite_laws.v.

    Scope: every finite latent space, every decoder >= 0, every prior and every q on it. Not proved here: latent spaces
    that are not finite.

    Source: seed 002, Problem 2(a). *)
Require Import Reals Lra.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun.
From MDNN.shared Require Import sums finite_laws means.
Local Open Scope R_scope.

(** The likelihood of x under the decoder and the prior. *)
Definition likelihood {Z : finType} (decoder prior : Z -> R) : R := \rsum_z (decoder z * prior z).

(** E_q log(p(x | Z) r(Z) / q(Z | x)). *)
Definition variational_bound {Z : finType} (decoder prior q : Z -> R) : R :=
  expectation q (fun z => ln (decoder z * prior z / q z)).

(** The law of Z given x, under the prior. *)
Definition posterior_under {Z : finType} (decoder prior : Z -> R) (z : Z) : R :=
  decoder z * prior z / likelihood decoder prior.

(** The bound is a number. *)
Definition decoder_prior_encoder {Z : finType} (decoder prior q : Z -> R) : Prop :=
  (forall z, 0 <= decoder z) /\ is_law prior /\ is_law q /\ (forall z, 0 < q z -> 0 < decoder z * prior z).

Lemma decoder_prior_encoder_model (Z : finType) (decoder prior q : Z -> R) : decoder_prior_encoder decoder prior q ->
  model_and_proposal (fun z => decoder z * prior z) q.
Proof. by move=> [d0 [[r0 _] [Hq c]]]; split=> // z; exact: Rmult_le_pos. Qed.

Lemma variational_bound_is_one_sample (Z : finType) (decoder prior q : Z -> R) : is_law q ->
  variational_bound decoder prior q = importance_bound (fun z => decoder z * prior z) q 1.
Proof. by move=> Hq; rewrite importance_bound_one. Qed.

(** The bound is at most the log likelihood under the same prior; they are equal if and only if q is the posterior under
    that prior. *)
Theorem bound_below_log_likelihood_with_any_prior (Z : finType) (decoder prior q : Z -> R) :
  decoder_prior_encoder decoder prior q ->
  variational_bound decoder prior q <= ln (likelihood decoder prior) /\
  (variational_bound decoder prior q = ln (likelihood decoder prior) <->
   forall z, q z = posterior_under decoder prior z).
Proof.
move=> H; have M := decoder_prior_encoder_model _ _ _ _ H; have [_ [_ [Hq _]]] := H.
rewrite variational_bound_is_one_sample //; split; first exact: (importance_bound_le _ _ _ 1 M isT).
exact: (importance_bound_eq_iff _ _ _ 1 M isT).
Qed.

(** The gap is a divergence: log likelihood - bound = KL(q || posterior), if q reaches every z with p(x | z) r(z) >
    0. *)
Theorem gap_is_divergence_from_posterior (Z : finType) (decoder prior q : Z -> R) :
  decoder_prior_encoder decoder prior q -> (forall z, q z = 0 -> decoder z * prior z = 0) ->
  ln (likelihood decoder prior) - variational_bound decoder prior q = KL q (posterior_under decoder prior).
Proof.
move=> H full; have M := decoder_prior_encoder_model _ _ _ _ H; have [_ [_ [Hq _]]] := H.
by rewrite variational_bound_is_one_sample // -(one_sample_gap _ _ _ M full).
Qed.

(** The bound splits into E_q log p(x | Z) - KL(q || r); only the second part sees the prior. *)
Theorem bound_is_reconstruction_minus_divergence (Z : finType) (decoder prior q : Z -> R) :
  decoder_prior_encoder decoder prior q ->
  variational_bound decoder prior q = expectation q (fun z => ln (decoder z)) - KL q prior.
Proof.
move=> [d0 [[r0 _] [[q0 _] c]]]; rewrite /KL /expectation -rsumB; apply: eq_bigr => z _.
case: (q0 z) => [qz|<-]; last by ring.
have P := c _ qz.
have dz : 0 < decoder z by case: (d0 z) => // E; move: P; rewrite -E; lra.
have rz : 0 < prior z by case: (r0 z) => // E; move: P; rewrite -E; lra.
rewrite /Rdiv !ln_mult ?ln_Rinv //; try exact: Rinv_0_lt_compat; try exact: Rmult_lt_0_compat.
by ring.
Qed.

(** Examples: two states, p(x | z) = 1/2 and 1/4, the prior (3/4, 1/4) and q = (1/2, 1/2). *)
Definition two_decoder (z : bool) : R := if z then 1 / 2 else 1 / 4.
Definition two_prior (z : bool) : R := if z then 3 / 4 else 1 / 4.
Definition other_prior (z : bool) : R := if z then 0 else 1.
Definition coin (z : bool) : R := 1 / 2.
Lemma two_prior_law : is_law two_prior.
Proof. by split; [case; rewrite /two_prior; lra | rewrite rsum_bool /two_prior; lra]. Qed.
Lemma other_prior_law : is_law other_prior.
Proof. by split; [case; rewrite /other_prior; lra | rewrite rsum_bool /other_prior; lra]. Qed.
Lemma coin_law : is_law coin.
Proof. by split; [move=> z; rewrite /coin; lra | rewrite rsum_bool /coin; lra]. Qed.
Lemma two_states_prior_and_coin : decoder_prior_encoder two_decoder two_prior coin.
Proof.
split; first by case; rewrite /two_decoder; lra.
split; first exact: two_prior_law.
split; first exact: coin_law.
by case; rewrite /two_decoder /two_prior; lra.
Qed.
Lemma coin_reaches_all z : coin z = 0 -> two_decoder z * two_prior z = 0.
Proof. by rewrite /coin; lra. Qed.

(** The likelihood must be that under the trained prior: under another prior it may lie below the bound. *)
Theorem likelihood_of_another_prior_may_be_smaller :
  exists (decoder prior other q : bool -> R), decoder_prior_encoder decoder prior q /\ is_law other /\
    ln (likelihood decoder other) < variational_bound decoder prior q.
Proof.
pose p (z : bool) : R := if z then 1 else 0.
exists two_decoder, p, other_prior, p.
have Hp : is_law p by split; [case; rewrite /p; lra | rewrite rsum_bool /p; lra].
split.
  split; first by case; rewrite /two_decoder; lra.
  by split=> //; split=> //; case; rewrite /two_decoder /p; lra.
split; first exact: other_prior_law.
rewrite /likelihood /variational_bound /expectation !rsum_bool /two_decoder /other_prior /p.
have -> : 1 / 2 * 0 + 1 / 4 * 1 = 1 / 4 by lra.
have -> : 1 / 2 * 1 / 1 = 1 / 2 by lra.
have : ln (1 / 4) < ln (1 / 2) by apply: ln_increasing; lra.
lra.
Qed.

Definition bound_below_log_likelihood_with_any_prior_witness :=
  bound_below_log_likelihood_with_any_prior _ two_decoder two_prior coin two_states_prior_and_coin.
Definition gap_is_divergence_from_posterior_witness :=
  gap_is_divergence_from_posterior _ two_decoder two_prior coin two_states_prior_and_coin coin_reaches_all.
Definition bound_is_reconstruction_minus_divergence_witness :=
  bound_is_reconstruction_minus_divergence _ two_decoder two_prior coin two_states_prior_and_coin.
Definition likelihood_of_another_prior_may_be_smaller_witness := likelihood_of_another_prior_may_be_smaller.
