(** The reparameterised bound of a diagonal Gaussian autoencoder with a trainable prior, and all of its gradients.

    The encoder is N(mu, diag s) and the prior N(l1, diag l2) on R^K, with variances s and l2; the decoder at z is
    N(f(z), v I) on R^N. [latent mu s e] is Z = mu + sqrt(s) e, entry by entry. The noise e takes the values [eps w]
    for w in a finite set, with the probabilities [law w]: so for the average over any number of draws, and for any
    quadrature rule. [reparameterised_bound] is the expectation of the log density of x under the decoder, minus
    [divergence], which is KL(encoder || prior) by divergences/gaussian_kl and divergences/kl_additive.

    [residual_slope] is g_j = sum over i of (df_i/dz_j) (x_i - f_i), the entry j of J_f(z)' (x - f(z)). [change y j u]
    is y with its entry j replaced by u. [is_derive h t l]: h has the derivative l at t; [Derive h t] is this derivative
    (Coquelicot). A gradient is the vector of these derivatives.

    Scope: every finite K and N, every finitely supported noise, all means, all positive variances, every decoder that
    has partial derivatives. Not proved here: normal noise, for which derivative and expectation would have to be
    exchanged.

    Source: seed 002, Problem 2(c). *)
Require Import Reals Lra FunctionalExtensionality.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun.
From MDNN.shared Require Import sums finite_laws derivatives.
Local Open Scope R_scope.

(** The density of N(m, v) at x, and the log density of N(m, v I) on R^N. *)
Definition normal_density_at (x m v : R) : R := exp (- ((x - m) ^ 2 / (2 * v))) / sqrt (2 * PI * v).
Definition log_density {N : finType} (v : R) (x m : N -> R) : R := \rsum_i ln (normal_density_at (x i) (m i) v).

(** KL(N(mu, diag s) || N(l1, diag l2)). *)
Definition divergence {K : finType} (mu s l1 l2 : K -> R) : R :=
  / 2 * \rsum_j (s j / l2 j + (mu j - l1 j) ^ 2 / l2 j - 1 + ln (l2 j / s j)).

(** Z = mu + sqrt(s) e. *)
Definition latent {K : Type} (mu s e : K -> R) (j : K) : R := mu j + sqrt (s j) * e j.

(** E log N(x; f(Z), v I) - KL. *)
Definition reparameterised_bound {W K N : finType} (law : W -> R) (eps : W -> K -> R) (v : R) (x : N -> R)
    (f : (K -> R) -> N -> R) (mu s l1 l2 : K -> R) : R :=
  expectation law (fun w => log_density v x (f (latent mu s (eps w)))) - divergence mu s l1 l2.

(** y with its entry j replaced by u. *)
Definition change {K : eqType} (y : K -> R) (j : K) (u : R) (k : K) : R := if k == j then u else y k.

(** df_i/dz_j at z, and that it exists. *)
Definition partial {K : eqType} {N : Type} (f : (K -> R) -> N -> R) (j : K) (z : K -> R) (i : N) : R :=
  Derive (fun u => f (change z j u) i) (z j).
Definition has_partials {K : eqType} {N : Type} (f : (K -> R) -> N -> R) (j : K) : Prop :=
  forall z i, ex_derive (fun u => f (change z j u) i) (z j).

(** The entry j of J_f(z)' (x - f(z)). *)
Definition residual_slope {K N : finType} (x : N -> R) (f : (K -> R) -> N -> R) (j : K) (z : K -> R) : R :=
  \rsum_i (partial f j z i * (x i - f z i)).

Lemma ln_normal_density (x m v : R) : 0 < v ->
  ln (normal_density_at x m v) = - ((x - m) ^ 2 / (2 * v)) - ln (2 * PI * v) / 2.
Proof.
move=> v0; have P := PI_RGT_0; have a0 : 0 < 2 * PI * v by apply: Rmult_lt_0_compat; lra.
rewrite /normal_density_at /Rdiv ln_mult; [|exact: exp_pos|by apply: Rinv_0_lt_compat; exact: sqrt_lt_R0].
rewrite ln_exp ln_Rinv; last exact: sqrt_lt_R0.
have -> : ln (sqrt (2 * PI * v)) = ln (2 * PI * v) / 2.
  have E : ln (2 * PI * v) = ln (sqrt (2 * PI * v) * sqrt (2 * PI * v)) by rewrite sqrt_sqrt //; lra.
  by rewrite E ln_mult; try exact: sqrt_lt_R0; field.
by rewrite /Rdiv.
Qed.

(** The bound with the exact constants and signs of every term. *)
Theorem bound_in_closed_form (W K N : finType) (law : W -> R) (eps : W -> K -> R) (v : R) (x : N -> R)
    (f : (K -> R) -> N -> R) (mu s l1 l2 : K -> R) : is_law law -> 0 < v ->
  reparameterised_bound law eps v x f mu s l1 l2 =
    - (INR #|N| / 2 * ln (2 * PI * v))
    - / (2 * v) * expectation law (fun w => \rsum_i (x i - f (latent mu s (eps w)) i) ^ 2)
    - / 2 * \rsum_j (s j / l2 j + (mu j - l1 j) ^ 2 / l2 j - 1 + ln (l2 j / s j)).
Proof.
move=> H v0; rewrite /reparameterised_bound /divergence; congr (_ - _).
rewrite /expectation (eq_bigr (fun w => law w * (- (INR #|N| / 2 * ln (2 * PI * v))) -
    / (2 * v) * (law w * \rsum_i (x i - f (latent mu s (eps w)) i) ^ 2))); last first.
  move=> w _; rewrite /log_density (eq_bigr (fun i => - (ln (2 * PI * v) / 2) -
      / (2 * v) * (x i - f (latent mu s (eps w)) i) ^ 2)); last first.
    by move=> i _; rewrite ln_normal_density //; field; lra.
  rewrite rsumB rsum_cst -big_distrr /=; set a := \rsum_i _; set n := INR _; set l := ln _; field; lra.
by rewrite rsumB -big_distrr -big_distrl /= (law_sum1 H) Rmult_1_l.
Qed.

(** Along a curve h of decoder outputs, at each value of the noise: the mean of (x - h) . dh / v. *)
Lemma log_likelihood_derive (W N : finType) (law : W -> R) (v : R) (x : N -> R) (h : R -> W -> N -> R)
    (dh : W -> N -> R) (t : R) : 0 < v -> (forall w i, is_derive (fun u => h u w i) t (dh w i)) ->
  is_derive (fun u => expectation law (fun w => log_density v x (h u w))) t
    (expectation law (fun w => (\rsum_i (dh w i * (x i - h t w i))) / v)).
Proof.
move=> v0 D; apply: is_derive_rsum => w; apply: is_derive_scal; rewrite /Rdiv big_distrl /=.
apply: is_derive_rsum => i; have Dwi := D w i.
apply: (is_derive_ext (fun u => - ((x i - h u w i) ^ 2 / (2 * v)) - ln (2 * PI * v) / 2)).
  by move=> u; rewrite ln_normal_density.
have F : is_derive (fun y => - ((x i - y) ^ 2 / (2 * v)) - ln (2 * PI * v) / 2) (h t w i) ((x i - h t w i) / v).
  by auto_derive; [lra | field; lra].
have := is_derive_comp _ _ t _ _ F Dwi; rewrite /scal /= /mult /=.
have -> // : dh w i * ((x i - h t w i) / v) = dh w i * (x i - h t w i) * / v by rewrite /Rdiv; ring.
Qed.

Lemma changed_here (K : eqType) (y : K -> R) (j : K) (a : R) : change y j a j = a.
Proof. by rewrite /change eqxx. Qed.

Lemma unchanged (K : eqType) (y : K -> R) (j : K) : change y j (y j) = y.
Proof. by apply: functional_extensionality => k; rewrite /change; case: eqP => // ->. Qed.

(** The decoder along a curve that moves the entry j of z only. *)
Lemma decoder_derive (K : eqType) (N : Type) (f : (K -> R) -> N -> R) (j : K) (z : K -> R) (i : N) (c : R -> R)
    (dc t : R) : has_partials f j -> is_derive c t dc -> c t = z j ->
  is_derive (fun u => f (change z j (c u)) i) t (partial f j z i * dc).
Proof.
move=> Df Dc ct; rewrite Rmult_comm; apply: (is_derive_comp (fun y => f (change z j y) i) c) => //.
by rewrite ct; apply: Derive_correct; exact: Df.
Qed.

(** In a mean of the encoder: one draw gives g_j / v - (mu_j - l1_j) / l2_j. *)
Theorem gradient_in_mu (W K N : finType) (law : W -> R) (eps : W -> K -> R) (v : R) (x : N -> R)
    (f : (K -> R) -> N -> R) (mu s l1 l2 : K -> R) (j : K) :
  is_law law -> 0 < v -> (forall k, 0 < l2 k) -> has_partials f j ->
  is_derive (fun u => reparameterised_bound law eps v x f (change mu j u) s l1 l2) (mu j)
    (expectation law (fun w => residual_slope x f j (latent mu s (eps w)) / v - (mu j - l1 j) / l2 j)).
Proof.
move=> H v0 l20 Df.
have -> : expectation law (fun w => residual_slope x f j (latent mu s (eps w)) / v - (mu j - l1 j) / l2 j) =
    minus (expectation law (fun w => residual_slope x f j (latent mu s (eps w)) / v)) ((mu j - l1 j) / l2 j).
  rewrite /minus /plus /opp /= /expectation (eq_bigr (fun w => law w *
    (residual_slope x f j (latent mu s (eps w)) / v) - law w * ((mu j - l1 j) / l2 j))); last by move=> w _; ring.
  by rewrite rsumB -big_distrl /= (law_sum1 H); ring.
apply: (is_derive_minus (V := R_NormedModule)).
  have E u w : latent (change mu j u) s (eps w) = change (latent mu s (eps w)) j (u + sqrt (s j) * eps w j).
    by apply: functional_extensionality => k; rewrite /latent /change; case: eqP => // ->.
  have := log_likelihood_derive _ _ law v x (fun u w => f (latent (change mu j u) s (eps w)))
    (fun w => partial f j (latent mu s (eps w))) (mu j) v0.
  rewrite unchanged; apply => w i; apply: (is_derive_ext (fun u => f (change (latent mu s (eps w)) j
    (u + sqrt (s j) * eps w j)) i)); first by move=> u; rewrite E.
  rewrite -[partial _ _ _ _]Rmult_1_r; apply: decoder_derive => //; auto_derive => //; ring.
have := is_derive_scal (fun u => \rsum_k (s k / l2 k + (change mu j u k - l1 k) ^ 2 / l2 k - 1 + ln (l2 k / s k)))
  (mu j) (/ 2) (2 * (mu j - l1 j) / l2 j).
have -> : / 2 * (2 * (mu j - l1 j) / l2 j) = (mu j - l1 j) / l2 j by field; have := l20 j; lra.
apply; apply: (is_derive_one_term _ j) => [k u kj|]; first by rewrite /change (negbTE kj).
apply: (is_derive_ext (fun u => s j / l2 j + (u - l1 j) ^ 2 / l2 j - 1 + ln (l2 j / s j))).
  by move=> u; rewrite changed_here.
by auto_derive; [have := l20 j; lra | field; have := l20 j; lra].
Qed.

(** In a variance of the encoder: g_j e_j / (2 v sqrt(s_j)) - (1/l2_j - 1/s_j) / 2. *)
Theorem gradient_in_s (W K N : finType) (law : W -> R) (eps : W -> K -> R) (v : R) (x : N -> R)
    (f : (K -> R) -> N -> R) (mu s l1 l2 : K -> R) (j : K) :
  is_law law -> 0 < v -> (forall k, 0 < s k) -> (forall k, 0 < l2 k) -> has_partials f j ->
  is_derive (fun u => reparameterised_bound law eps v x f mu (change s j u) l1 l2) (s j)
    (expectation law (fun w =>
      residual_slope x f j (latent mu s (eps w)) * eps w j / (2 * v * sqrt (s j)) - (/ l2 j - / s j) / 2)).
Proof.
move=> H v0 s0 l20 Df; have r0 := sqrt_lt_R0 _ (s0 j); have sj := s0 j; have lj := l20 j.
set g := fun w => residual_slope x f j (latent mu s (eps w)).
have -> : expectation law (fun w => g w * eps w j / (2 * v * sqrt (s j)) - (/ l2 j - / s j) / 2) =
    minus (expectation law (fun w => (\rsum_i (partial f j (latent mu s (eps w)) i * (eps w j / (2 * sqrt (s j))) *
      (x i - f (latent mu s (eps w)) i))) / v)) ((/ l2 j - / s j) / 2).
  have [t tE] : exists t, t = (/ l2 j - / s j) / 2 by eexists.
  rewrite -tE /minus /plus /opp /= /expectation (eq_bigr (fun w =>
    law w * ((\rsum_i (partial f j (latent mu s (eps w)) i * (eps w j / (2 * sqrt (s j))) *
      (x i - f (latent mu s (eps w)) i))) / v) - law w * t)).
    by rewrite rsumB -big_distrl /= (law_sum1 H); ring.
  move=> w _; have -> : \rsum_i (partial f j (latent mu s (eps w)) i * (eps w j / (2 * sqrt (s j))) *
      (x i - f (latent mu s (eps w)) i)) = eps w j / (2 * sqrt (s j)) * g w.
    rewrite /g /residual_slope big_distrr /=; apply: eq_bigr => i _.
    by rewrite -Rmult_assoc; congr (_ * _); exact: Rmult_comm.
  by rewrite tE; field; lra.
apply: (is_derive_minus (V := R_NormedModule)).
  have E u w : latent mu (change s j u) (eps w) = change (latent mu s (eps w)) j (mu j + sqrt u * eps w j).
    by apply: functional_extensionality => k; rewrite /latent /change; case: eqP => // ->.
  have := log_likelihood_derive _ _ law v x (fun u w => f (latent mu (change s j u) (eps w)))
    (fun w i => partial f j (latent mu s (eps w)) i * (eps w j / (2 * sqrt (s j)))) (s j) v0.
  rewrite unchanged; apply => w i; apply: (is_derive_ext (fun u => f (change (latent mu s (eps w)) j
    (mu j + sqrt u * eps w j)) i)); first by move=> u; rewrite E.
  by apply: decoder_derive => //; auto_derive => //; field; lra.
have := is_derive_scal (fun u => \rsum_k (change s j u k / l2 k + (mu k - l1 k) ^ 2 / l2 k - 1 +
  ln (l2 k / change s j u k))) (s j) (/ 2) (/ l2 j - / s j).
have -> : / 2 * (/ l2 j - / s j) = (/ l2 j - / s j) / 2 by field; lra.
apply; apply: (is_derive_one_term _ j) => [k u kj|]; first by rewrite /change (negbTE kj).
apply: (is_derive_ext (fun u => u / l2 j + (mu j - l1 j) ^ 2 / l2 j - 1 + ln (l2 j / u))).
  by move=> u; rewrite changed_here.
auto_derive; last by field; lra.
by split; [lra | split=> //; apply: Rdiv_lt_0_compat; lra].
Qed.

(** In a parameter of the decoder: (x - f) . df/dtheta / v. *)
Theorem gradient_in_theta (W K N : finType) (law : W -> R) (eps : W -> K -> R) (v : R) (x : N -> R)
    (f : R -> (K -> R) -> N -> R) (mu s l1 l2 : K -> R) (theta : R) :
  0 < v -> (forall z i, ex_derive (fun u => f u z i) theta) ->
  is_derive (fun u => reparameterised_bound law eps v x (f u) mu s l1 l2) theta
    (expectation law (fun w => (\rsum_i (Derive (fun u => f u (latent mu s (eps w)) i) theta *
      (x i - f theta (latent mu s (eps w)) i))) / v)).
Proof.
move=> v0 Df; set e := expectation _ _; have -> : e = minus e 0 by rewrite /minus /plus /opp /=; ring.
apply: (is_derive_minus (V := R_NormedModule)); last exact: is_derive_const.
apply: (log_likelihood_derive _ _ law v x (fun u w => f u (latent mu s (eps w)))
  (fun w i => Derive (fun u => f u (latent mu s (eps w)) i) theta)) => // w i.
by apply: Derive_correct; exact: Df.
Qed.

(** In the prior's means and variances, without a draw: (mu_j - l1_j) / l2_j and
    ((s_j + (mu_j - l1_j)^2) / l2_j - 1) / (2 l2_j). *)
Theorem gradient_in_the_prior (W K N : finType) (law : W -> R) (eps : W -> K -> R) (v : R) (x : N -> R)
    (f : (K -> R) -> N -> R) (mu s l1 l2 : K -> R) (j : K) : (forall k, 0 < s k) -> (forall k, 0 < l2 k) ->
  is_derive (fun u => reparameterised_bound law eps v x f mu s (change l1 j u) l2) (l1 j) ((mu j - l1 j) / l2 j) /\
  is_derive (fun u => reparameterised_bound law eps v x f mu s l1 (change l2 j u)) (l2 j)
    (((s j + (mu j - l1 j) ^ 2) / l2 j - 1) / (2 * l2 j)).
Proof.
move=> s0 l20; have sj := s0 j; have lj := l20 j.
have G (d : R -> R) (t l : R) (c : R) : is_derive d t (- (2 * l)) -> is_derive (fun u => c - / 2 * d u) t l.
  move=> D; have -> : l = minus 0 (/ 2 * - (2 * l)) by rewrite /minus /plus /opp /=; field.
  by apply: (is_derive_minus (V := R_NormedModule)); [exact: is_derive_const | exact: is_derive_scal].
split; apply: G; apply: (is_derive_one_term _ j) => [k u kj|]; try by rewrite /change (negbTE kj).
  apply: (is_derive_ext (fun u => s j / l2 j + (mu j - u) ^ 2 / l2 j - 1 + ln (l2 j / s j))).
    by move=> u; rewrite changed_here.
  by auto_derive; [lra | field; lra].
apply: (is_derive_ext (fun u => s j / u + (mu j - l1 j) ^ 2 / u - 1 + ln (u / s j))).
  by move=> u; rewrite changed_here.
auto_derive; last by field; lra.
by repeat split; try lra; apply: Rdiv_lt_0_compat; lra.
Qed.

(** Examples that satisfy the hypotheses: two latent coordinates and one output, the decoder z_1 z_2 (and theta z_1
    z_2), noise +1 or -1 in both coordinates with probability 1/2 each, x = 3, v = 1/2, and the variances 1 and 4. *)
Definition fair (_ : bool) : R := 1 / 2.
Definition signs (w _ : bool) : R := if w then 1 else - 1.
Definition three (_ : unit) : R := 3.
Definition product (z : bool -> R) (_ : unit) : R := z true * z false.
Definition scaled_product (theta : R) (z : bool -> R) (_ : unit) : R := theta * z true * z false.
Definition mean (j : bool) : R := if j then 0 else - 1.
Definition spread (j : bool) : R := if j then 1 else 4.
Lemma fair_law : is_law fair.
Proof. by split; [case; rewrite /fair; lra | rewrite rsum_bool /fair; lra]. Qed.
Lemma half_gt0 : 0 < 1 / 2. Proof. by lra. Qed.
Lemma spread_gt0 j : 0 < spread j. Proof. by case: j; rewrite /spread; lra. Qed.
Lemma product_has_partials : has_partials product true.
Proof. by move=> z i; rewrite /product /change /=; auto_derive. Qed.
Lemma scaled_product_ex_derive (z : bool -> R) (i : unit) : ex_derive (fun u => scaled_product u z i) 2.
Proof. by rewrite /scaled_product; auto_derive. Qed.
Definition bound_in_closed_form_witness :=
  bound_in_closed_form _ _ _ fair signs (1 / 2) three product mean spread mean spread fair_law half_gt0.
Definition gradient_in_mu_witness :=
  gradient_in_mu _ _ _ fair signs (1 / 2) three product mean spread mean spread true fair_law half_gt0 spread_gt0
    product_has_partials.
Definition gradient_in_s_witness :=
  gradient_in_s _ _ _ fair signs (1 / 2) three product mean spread mean spread true fair_law half_gt0 spread_gt0
    spread_gt0 product_has_partials.
Definition gradient_in_theta_witness :=
  gradient_in_theta _ _ _ fair signs (1 / 2) three scaled_product mean spread mean spread 2 half_gt0
    scaled_product_ex_derive.
Definition gradient_in_the_prior_witness :=
  gradient_in_the_prior _ _ _ fair signs (1 / 2) three product mean spread mean spread true spread_gt0 spread_gt0.
