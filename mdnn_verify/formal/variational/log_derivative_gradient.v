(** The log-derivative trick gives unbiased gradients of the bound in the encoder, the decoder and the trainable prior.

    On a finite set Z of latent states, [q t z] is q_phi(z | x) as a function of one real coordinate t of phi, [decoder
    t z] is p_theta(x | z) as a function of one coordinate t of theta, and [prior t z] is r_lambda(z).
    [variational_bound p r q] is the expectation of log(p r / q) under q; [expectation] is in shared/finite_laws.v.
    [is_derive f t l] says that f has the derivative l at t, and [Derive f t] is this derivative (Coquelicot). A
    gradient is the vector of these derivatives.

    In phi the estimator is the score, the derivative of log q, times log(p r / q). The derivative of the logarithm's
    own q is dropped because the score has the mean 0, and for the same reason any constant may be subtracted (a
    baseline).

    Scope: every finite latent space; q, p and r positive on it and differentiable in the coordinate; q a law for every
    value of the coordinate. Not proved here: latent spaces that are not finite, where derivative and integral would
    have to be exchanged.

    Source: seed 002, Problem 2(b). *)
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun.
From MDNN.shared Require Import sums finite_laws derivatives.
Local Open Scope R_scope.

(** E_q log(p(x | Z) r(Z) / q(Z | x)). *)
Definition log_weight {Z : finType} (p r q : Z -> R) (z : Z) : R := ln (p z * r z / q z).
Definition variational_bound {Z : finType} (p r q : Z -> R) : R := expectation q (log_weight p r q).

(** f t z is positive and differentiable in t, for every z. *)
Definition positive_and_smooth {Z : finType} (f : R -> Z -> R) (t : R) : Prop :=
  forall z, 0 < f t z /\ ex_derive (fun s => f s z) t.

(** The score at z: the derivative of log f(z) in the coordinate. *)
Definition score {Z : finType} (f : R -> Z -> R) (t : R) (z : Z) : R := Derive (fun s => ln (f s z)) t.

Lemma ln_quotient (a b : R) : 0 < a -> 0 < b -> ln (a / b) = ln a - ln b.
Proof. by move=> a0 b0; rewrite /Rdiv ln_mult ?ln_Rinv //; exact: Rinv_0_lt_compat. Qed.

Lemma score_is_relative_slope (Z : finType) (f : R -> Z -> R) (t : R) (z : Z) : positive_and_smooth f t ->
  score f t z = Derive (fun s => f s z) t / f t z /\ is_derive (fun s => ln (f s z)) t (score f t z).
Proof.
move=> H; have [f0 D] := H z; have D' := Derive_correct _ _ D.
have L : is_derive (fun s => ln (f s z)) t (Derive (fun s => f s z) t / f t z).
  have L1 : is_derive ln (f t z) (/ f t z) by apply: is_derive_ln.
  have := is_derive_comp ln (fun s => f s z) t _ _ L1 D'.
  by rewrite /scal /= /mult /=.
by rewrite /score (is_derive_unique _ _ _ L).
Qed.

(** The score of a law that is differentiable in its coordinate has the mean 0. *)
Theorem score_has_mean_zero (Z : finType) (q : R -> Z -> R) (t : R) :
  (forall s, is_law (q s)) -> positive_and_smooth q t -> expectation (q t) (score q t) = 0.
Proof.
move=> law H.
have D : is_derive (fun s => \rsum_z q s z) t (\rsum_z Derive (fun s => q s z) t).
  by apply: is_derive_rsum => z; apply: Derive_correct; have [] := H z.
have C : is_derive (fun s => \rsum_z q s z) t 0.
  apply: (is_derive_ext (fun=> 1)); first by move=> s; rewrite (law_sum1 (law s)).
  exact: is_derive_const.
rewrite -(is_derive_unique _ _ _ C) (is_derive_unique _ _ _ D); apply: eq_bigr => z _.
have [q0 _] := H z; rewrite (proj1 (score_is_relative_slope _ _ _ z H)); field; lra.
Qed.

(** In the encoder: the derivative of the bound is E_q[score * (log(p r / q) - c)], for every constant c. *)
Theorem gradient_in_the_encoder (Z : finType) (q : R -> Z -> R) (p r : Z -> R) (t c : R) :
  (forall s, is_law (q s)) -> positive_and_smooth q t -> (forall z, 0 < p z) -> (forall z, 0 < r z) ->
  is_derive (fun s => variational_bound p r (q s)) t
    (expectation (q t) (fun z => score q t z * (log_weight p r (q t) z - c))).
Proof.
move=> law H p0 r0; have mean := score_has_mean_zero _ _ _ law H.
pose dq z := Derive (fun s => q s z) t.
have -> : expectation (q t) (fun z => score q t z * (log_weight p r (q t) z - c)) =
    \rsum_z (dq z * log_weight p r (q t) z - dq z).
  have S : \rsum_z (q t z * (score q t z * (log_weight p r (q t) z - c)) - (dq z * log_weight p r (q t) z - dq z)) = 0.
    rewrite (eq_bigr (fun z => (1 - c) * (q t z * score q t z))); last first.
      move=> z _; have [q0 _] := H z; rewrite (proj1 (score_is_relative_slope _ _ _ z H)) -/(dq z).
      by set u := log_weight _ _ _ _; field; lra.
    by rewrite -big_distrr /= -/(expectation (q t) (score q t)) mean Rmult_0_r.
  by move: S; rewrite rsumB; set a := \rsum_z _; set b := \rsum_z _; rewrite /expectation -/a; lra.
apply: is_derive_rsum => z; have [q0 D] := H z; have D' := Derive_correct _ _ D.
have [E L] := score_is_relative_slope _ _ _ z H.
have pr : 0 < p z * r z by apply: Rmult_lt_0_compat.
have W : is_derive (fun s => log_weight p r (q s) z) t (- score q t z).
  have near : locally t (fun s => ln (p z * r z) - ln (q s z) = log_weight p r (q s) z).
    have pos : locally t (fun s => 0 < q s z).
      have cont : continuous (fun s => q s z) t by apply: ex_derive_continuous.
      by apply: cont; exact: (open_gt 0).
    apply: filter_imp pos => s qs; by rewrite /log_weight ln_quotient.
  apply: (is_derive_ext_loc _ _ _ _ near).
  have -> : - score q t z = minus 0 (score q t z) by rewrite /minus /plus /opp /=; ring.
  by apply: (is_derive_minus (V := R_NormedModule)); [exact: is_derive_const | exact: L].
have := is_derive_mult _ _ _ _ _ D' W Rmult_comm; rewrite /plus /= /mult /= -/(dq z).
have -> // : dq z * log_weight p r (q t) z + q t z * - score q t z = dq z * log_weight p r (q t) z - dq z.
by rewrite E -/(dq z); set u := log_weight _ _ _ _; field; lra.
Qed.

(** In the decoder and in the prior, which do not move the law of Z: the derivative of the bound is the mean of the
    derivative of log p(x | Z), and of log r(Z). *)
Theorem gradient_in_the_decoder_and_the_prior (Z : finType) (q : Z -> R) (p r : R -> Z -> R) (t : R) :
  is_law q -> (forall z, 0 < q z) -> positive_and_smooth p t -> positive_and_smooth r t ->
  is_derive (fun s => variational_bound (p s) (r t) q) t (expectation q (score p t)) /\
  is_derive (fun s => variational_bound (p t) (r s) q) t (expectation q (score r t)).
Proof.
move=> _ q0 Hp Hr.
have G (f : R -> Z -> R) (g : Z -> R) (w : R -> Z -> R) : positive_and_smooth f t -> (forall z, 0 < g z) ->
    (forall s z, w s z = f s z * g z) -> is_derive (fun s => expectation q (fun z => ln (w s z / q z))) t
    (expectation q (score f t)).
  move=> Hf g0 wE; apply: is_derive_rsum => z; have [f0 D] := Hf z; have [_ L] := score_is_relative_slope _ _ _ z Hf.
  have near : locally t (fun s => q z * (ln (f s z) + (ln (g z) - ln (q z))) = q z * ln (w s z / q z)).
    have pos : locally t (fun s => 0 < f s z).
      have cont : continuous (fun s => f s z) t by apply: ex_derive_continuous.
      by apply: cont; exact: (open_gt 0).
    apply: filter_imp pos => s fs; congr (_ * _); rewrite wE ln_quotient // ?ln_mult //; last exact: Rmult_lt_0_compat.
    by ring.
  apply: (is_derive_ext_loc _ _ _ _ near); apply: is_derive_scal.
  have -> : score f t z = plus (score f t z) 0 by rewrite /plus /=; ring.
  by apply: (is_derive_plus (V := R_NormedModule)); [exact: L | exact: is_derive_const].
split.
  by apply: (G p (r t)) => // z; have [] := Hr z.
by apply: (G r (p t)) => [|z|s z]; [exact: Hr | have [] := Hp z | rewrite Rmult_comm].
Qed.

(** Examples that satisfy the hypotheses: two states, q_t = (e^t / (1 + e^t), 1 / (1 + e^t)) at t = 0, and
    p = r = (e^t, 1), and (1/4, 1/2) for a fixed decoder or prior. *)
Definition logistic (t : R) (z : bool) : R := if z then exp t / (1 + exp t) else 1 / (1 + exp t).
Definition exponential (t : R) (z : bool) : R := if z then exp t else 1.
Definition fixed_density (z : bool) : R := if z then 1 / 4 else 1 / 2.
Lemma logistic_law t : is_law (logistic t).
Proof.
have e0 := exp_pos t; split; last by rewrite rsum_bool /logistic; field; lra.
by case; rewrite /logistic; left; apply: Rdiv_lt_0_compat; lra.
Qed.
Lemma logistic_smooth t : positive_and_smooth logistic t.
Proof.
have e0 := exp_pos t; case; rewrite /logistic; (split; first by apply: Rdiv_lt_0_compat; lra); auto_derive; lra.
Qed.
Lemma exponential_smooth t : positive_and_smooth exponential t.
Proof. by case; rewrite /exponential; split; [exact: exp_pos | auto_derive | lra | auto_derive]. Qed.
Lemma fixed_density_gt0 z : 0 < fixed_density z.
Proof. by case: z; rewrite /fixed_density; lra. Qed.
Lemma logistic_gt0 t z : 0 < logistic t z.
Proof. by have [] := logistic_smooth t z. Qed.
Definition score_has_mean_zero_witness := score_has_mean_zero _ logistic 0 logistic_law (logistic_smooth 0).
Definition gradient_in_the_encoder_witness :=
  gradient_in_the_encoder _ logistic fixed_density fixed_density 0 7 logistic_law (logistic_smooth 0)
    fixed_density_gt0 fixed_density_gt0.
Definition gradient_in_the_decoder_and_the_prior_witness :=
  gradient_in_the_decoder_and_the_prior _ (logistic 0) exponential logistic 0 (logistic_law 0) (logistic_gt0 0)
    (exponential_smooth 0) (logistic_smooth 0).
