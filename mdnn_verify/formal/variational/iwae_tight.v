(** With a powerful enough q, maximising the importance-weighted bound maximises the log likelihood.

    Theta and Phi are any sets of parameters, the data are indexed by a finite set D and the latent states by a finite
    set Z; [joint theta i z] is p_theta(X_i, z) and [q phi i z] is q_phi(z | X_i). [log_likelihood] is F(theta) = sum
    over i of log p_theta(X_i), and [total_bound] is G(theta, phi) = sum over i of VLB_K(X_i) with K samples; VLB_K, the
    likelihood [evidence] and the [posterior] are defined in shared/means.v. [numbers_throughout] says that all of them
    are numbers: every p_theta(X_i, z) >= 0, every q_phi(. | X_i) is a law, and p_theta(X_i, z) > 0 wherever q_phi(z |
    X_i) > 0.

    "Powerful enough" means that ONE phi gives all data at once their posteriors ([matches]). If it does so at a
    maximiser theta of F, then (theta, phi) maximises G, the maxima agree, and every maximiser of G maximises F. If
    every theta has such a phi, the maximisers of F are exactly those of G. It is not enough that every datum has a phi
    of its own.

    Scope: all sets Theta and Phi, finitely many data, finite latent spaces, every number K >= 1 of samples. Maximisers
    are points that no other point exceeds; the second equivalence also holds where there are none.

    Source: seed 002, Problem 1(c). *)
Require Import Reals Lra.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun.
From MDNN.shared Require Import sums finite_laws means.
Local Open Scope R_scope.

(** x is a maximiser of f: no value of f is larger than the one at x. *)
Definition maximises {X : Type} (f : X -> R) (x : X) : Prop := forall y, f y <= f x.

(** F(theta), the log likelihood of all the data. *)
Definition log_likelihood {Theta : Type} {D Z : finType} (joint : Theta -> D -> Z -> R) (theta : Theta) : R :=
  \rsum_i ln (evidence (joint theta i)).

(** G(theta, phi), the bound for all the data. *)
Definition total_bound {Theta Phi : Type} {D Z : finType} (joint : Theta -> D -> Z -> R) (q : Phi -> D -> Z -> R)
  (K : nat) (pair : Theta * Phi) : R := \rsum_i importance_bound (joint (fst pair) i) (q (snd pair) i) K.

(** All the bounds are numbers. *)
Definition numbers_throughout {Theta Phi : Type} {D Z : finType} (joint : Theta -> D -> Z -> R)
  (q : Phi -> D -> Z -> R) : Prop :=
  forall theta phi i, model_and_proposal (joint theta i) (q phi i).

(** phi gives every datum its posterior under theta. *)
Definition matches {Theta Phi : Type} {D Z : finType} (joint : Theta -> D -> Z -> R) (q : Phi -> D -> Z -> R)
  (theta : Theta) (phi : Phi) : Prop := forall i z, q phi i z = posterior (joint theta i) z.

Lemma total_bound_below_log_likelihood (Theta Phi : Type) (D Z : finType) (joint : Theta -> D -> Z -> R)
  (q : Phi -> D -> Z -> R) (K : nat) theta phi : numbers_throughout joint q -> (0 < K)%N ->
  total_bound joint q K (theta, phi) <= log_likelihood joint theta /\
  (total_bound joint q K (theta, phi) = log_likelihood joint theta <-> matches joint q theta phi).
Proof.
move=> P K0; pose g i := ln (evidence (joint theta i)) - importance_bound (joint theta i) (q phi i) K.
have g0 i : 0 <= g i by have := importance_bound_le _ _ _ K (P theta phi i) K0; rewrite /g; lra.
have E : \rsum_i g i = log_likelihood joint theta - total_bound joint q K (theta, phi) by rewrite rsumB.
have S0 : 0 <= \rsum_i g i by apply: rsum_ge0.
split; first lra; split=> [same i z|all].
  apply: (proj1 (importance_bound_eq_iff _ _ _ K (P theta phi i) K0)).
  have Z0 : \rsum_i g i = 0 by lra.
  by have := rsum_eq0 g0 Z0 i; rewrite /g; lra.
have Z0 : \rsum_i g i = 0.
  apply: rsum_const0 => i _; rewrite /g (_ : importance_bound _ _ K = ln (evidence (joint theta i))); first lra.
  by apply: (proj2 (importance_bound_eq_iff _ _ _ K (P theta phi i) K0)) => z; exact: all.
by lra.
Qed.

(** If phi matches all the data at a maximiser theta of the log likelihood F, then (theta, phi) maximises the bound
    G, the two maxima agree, and every theta' of a maximiser (theta', phi') of G maximises F. *)
Theorem maxima_agree_if_one_phi_matches_at_a_maximiser (Theta Phi : Type) (D Z : finType)
  (joint : Theta -> D -> Z -> R) (q : Phi -> D -> Z -> R) (K : nat) (theta : Theta) (phi : Phi) :
  numbers_throughout joint q -> (0 < K)%N -> maximises (log_likelihood joint) theta -> matches joint q theta phi ->
  maximises (total_bound joint q K) (theta, phi) /\
  total_bound joint q K (theta, phi) = log_likelihood joint theta /\
  forall theta' phi', maximises (total_bound joint q K) (theta', phi') -> maximises (log_likelihood joint) theta'.
Proof.
move=> P K0 best match_all.
have B t p := total_bound_below_log_likelihood _ _ _ _ joint q K t p P K0.
have same : total_bound joint q K (theta, phi) = log_likelihood joint theta by apply (proj2 (B theta phi)).
split; first by move=> [t p]; rewrite same; have := best t; have := proj1 (B t p); lra.
split=> // t p top y; have := best y; have := proj1 (B t p); have := top (theta, phi); rewrite same; lra.
Qed.

(** If every theta has a phi that matches all the data, then theta maximises the log likelihood if and only if some phi
    makes (theta, phi) a maximiser of the bound. *)
Theorem maximisers_agree_if_every_theta_is_matched (Theta Phi : Type) (D Z : finType)
  (joint : Theta -> D -> Z -> R) (q : Phi -> D -> Z -> R) (K : nat) (theta : Theta) :
  numbers_throughout joint q -> (0 < K)%N -> (forall t, exists phi, matches joint q t phi) ->
  (maximises (log_likelihood joint) theta <-> exists phi, maximises (total_bound joint q K) (theta, phi)).
Proof.
move=> P K0 matched; have B t p := total_bound_below_log_likelihood _ _ _ _ joint q K t p P K0.
split=> [best|[phi top] t].
  have [phi m] := matched theta; exists phi.
  by have [] := maxima_agree_if_one_phi_matches_at_a_maximiser _ _ _ _ joint q K theta phi P K0 best m.
have [p m] := matched t.
have same : total_bound joint q K (t, p) = log_likelihood joint t by apply (proj2 (B t p)).
by have := top (t, p); rewrite same; have := proj1 (B theta phi); lra.
Qed.

(** Two data, two latent states: p(X_i, z) is 1/4 where z = i and 1/8 elsewhere. *)
Definition two_data (theta : unit) (i z : bool) : R := if z == i then 1 / 4 else 1 / 8.
(** A q that cannot tell the data apart: phi is the state that it prefers, whatever the datum. *)
Definition blind (phi i z : bool) : R := if z == phi then 2 / 3 else 1 / 3.
Lemma two_data_and_blind : numbers_throughout two_data blind.
Proof.
move=> theta phi i; split; first by move=> z; rewrite /two_data; case: eqP => _; lra.
split; last by move=> z _; rewrite /two_data; case: eqP => _; lra.
split; first by move=> z; rewrite /blind; case: eqP => _; lra.
by rewrite rsum_bool /blind; case: phi => /=; lra.
Qed.
Lemma two_data_posterior theta i z : posterior (two_data theta i) z = if z == i then 2 / 3 else 1 / 3.
Proof. by rewrite /posterior /evidence rsum_bool /two_data; case: i; case: z => /=; lra. Qed.

(** It is not enough that every datum has a phi of its own: here every X_i is matched by some phi, and yet the bound
    stays strictly below the log likelihood for every phi and every K. *)
Theorem one_phi_for_each_datum_is_not_enough :
  exists (joint : unit -> bool -> bool -> R) (q : bool -> bool -> bool -> R),
    numbers_throughout joint q /\
    (forall theta i, exists phi, forall z, q phi i z = posterior (joint theta i) z) /\
    forall K theta phi, (0 < K)%N -> total_bound joint q K (theta, phi) < log_likelihood joint theta.
Proof.
exists two_data, blind; split; first exact: two_data_and_blind.
split=> [theta i|K theta phi K0]; first by exists i => z; rewrite two_data_posterior.
have [le iff] := total_bound_below_log_likelihood _ _ _ _ two_data blind K theta phi two_data_and_blind K0.
case: le => // /iff same; exfalso.
by have := same (~~ phi) phi; rewrite two_data_posterior /blind eqxx; case: phi {same iff} => /=; lra.
Qed.

(** Examples that satisfy the hypotheses: theta is false or true, p_true is the model above and p_false(X_i, z) = 1/8
    throughout; phi is a pair of laws, one for each datum, of which q has those with 1/2 and 2/3 for the preferred
    state. *)
Definition two_models (theta i z : bool) : R := if theta && (z == i) then 1 / 4 else 1 / 8.
Definition seeing (phi i z : bool) : R := if phi then (if z == i then 2 / 3 else 1 / 3) else 1 / 2.
Lemma two_models_and_seeing : numbers_throughout two_models seeing.
Proof.
move=> theta phi i; split; first by move=> z; rewrite /two_models; case: (_ && _); lra.
split; last by move=> z _; rewrite /two_models; case: (_ && _); lra.
split; first by move=> z; rewrite /seeing; case: phi; [case: eqP => _; lra | lra].
by rewrite rsum_bool /seeing; case: phi => /=; [case: i => /=; lra | lra].
Qed.
Lemma seeing_matches theta : matches two_models seeing theta theta.
Proof.
move=> i z; rewrite /posterior /evidence rsum_bool /two_models /seeing.
by case: theta; case: i; case: z => /=; lra.
Qed.
Lemma better_model_maximises : maximises (log_likelihood two_models) true.
Proof.
move=> theta; apply: rsum_le => i _; case: theta; first by right.
by left; apply: ln_increasing; rewrite /evidence !rsum_bool /two_models; case: i => /=; lra.
Qed.

Definition maxima_agree_if_one_phi_matches_at_a_maximiser_witness :=
  maxima_agree_if_one_phi_matches_at_a_maximiser _ _ _ _ two_models seeing 3 true true two_models_and_seeing isT
    better_model_maximises (seeing_matches true).
Definition maximisers_agree_if_every_theta_is_matched_witness :=
  maximisers_agree_if_every_theta_is_matched _ _ _ _ two_models seeing 3 false two_models_and_seeing isT
    (fun theta => ex_intro _ theta (seeing_matches theta)).
Definition one_phi_for_each_datum_is_not_enough_witness := one_phi_for_each_datum_is_not_enough.
