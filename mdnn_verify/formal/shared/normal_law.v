(** The standard normal law: its density, its distribution function, and the Gaussian integral.

    The integral of e^(-x^2/2) over [0, oo) is computed as follows.  With g(x) = e^(-x^2/2), G(t) the integral of g over
    [0, t] and B(t) the integral of 2 e^(-t^2 (1 + x^2)/2) / (1 + x^2) over x in [0, 1], the function G^2 + B has the
    derivative 0 and the value pi/2 at t = 0, and B tends to 0.                                                    *)
From mathcomp Require Import ssreflect ssrfun ssrbool.
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
Local Open Scope R_scope.

Definition bell (x : R) : R := exp (- (x * x / 2)).

(** The density of N(0, 1). *)
Definition normal_density (x : R) : R := exp (- (x * x / 2)) / sqrt (2 * PI).

(** The distribution function of N(0, 1); that it is the integral of the density from -oo is normal_cdf_integral. *)
Definition normal_cdf (x : R) : R := 1 / 2 + RInt normal_density 0 x.

Lemma bell_gt0 x : 0 < bell x. Proof. exact: exp_pos. Qed.
Lemma bell_continuous x : continuous bell x.
Proof. by apply: ex_derive_continuous; rewrite /bell; auto_derive. Qed.
Lemma bell_integrable a b : ex_RInt bell a b.
Proof. by apply: ex_RInt_continuous => x _; exact: bell_continuous. Qed.

Definition bell_integral (t : R) : R := RInt bell 0 t.
Lemma bell_integral_derive t : is_derive bell_integral t (bell t).
Proof.
apply: (is_derive_RInt bell bell_integral 0); last exact: bell_continuous.
by apply: filter_forall => b; apply: RInt_correct; exact: bell_integrable.
Qed.

Definition companion (t x : R) : R := 2 * exp (- (t * t * (1 + x * x) / 2)) / (1 + x * x).
Definition companion_integral (t : R) : R := RInt (companion t) 0 1.

Lemma one_plus_square x : 0 < 1 + x * x.
Proof. have := Rle_0_sqr x; rewrite /Rsqr; lra. Qed.

Lemma companion_continuous t x : continuous (companion t) x.
Proof.
have := one_plus_square x => H; apply: ex_derive_continuous; rewrite /companion; auto_derive; lra.
Qed.
Lemma companion_integrable t a b : ex_RInt (companion t) a b.
Proof. by apply: ex_RInt_continuous => x _; exact: companion_continuous. Qed.

Lemma companion_derive x t : is_derive (fun u => companion u x) t (- 2 * t * exp (- (t * t * (1 + x * x) / 2))).
Proof.
have H := one_plus_square x; rewrite /companion; auto_derive; first lra.
by rewrite /Rdiv; field; lra.
Qed.

Lemma companion_integral_derive t : is_derive companion_integral t (- (2 * bell t * bell_integral t)).
Proof.
have E : RInt (fun x => Derive (fun u => companion u x) t) 0 1 = - (2 * bell t * bell_integral t).
  rewrite (RInt_ext _ (fun x => scal (- 2 * bell t) (scal t (bell (t * x + 0))))); last first.
    move=> x _; rewrite (is_derive_unique _ _ _ (companion_derive x t)) /scal /= /mult /= /bell.
    have -> : - (t * t * (1 + x * x) / 2) = - (t * t / 2) + - ((t * x + 0) * (t * x + 0) / 2) by field.
    by rewrite exp_plus; ring.
  rewrite RInt_scal; last first.
    apply: ex_RInt_continuous => x _; apply: ex_derive_continuous.
    by rewrite /scal /= /mult /= /bell; auto_derive.
  rewrite RInt_comp_lin; last exact: bell_integrable.
  have -> : t * 0 + 0 = 0 by ring.
  have -> : t * 1 + 0 = t by ring.
  by rewrite /scal /= /mult /= /bell_integral; ring.
rewrite -E; apply: is_derive_RInt_param.
- by apply: filter_forall => y x _; eexists; exact: companion_derive.
- move=> x _.
  apply: (continuity_2d_pt_ext (fun u v => - 2 * u * exp (- (u * u * (1 + v * v) / 2)))).
    by move=> u v; rewrite (is_derive_unique _ _ _ (companion_derive v u)).
  apply: continuity_2d_pt_mult.
    by apply: continuity_2d_pt_mult; [exact: continuity_2d_pt_const | exact: continuity_2d_pt_id1].
  apply: (continuity_1d_2d_pt_comp exp).
    by apply: derivable_continuous_pt; exact: derivable_pt_exp.
  apply: continuity_2d_pt_opp; apply: continuity_2d_pt_mult; last exact: continuity_2d_pt_const.
  apply: continuity_2d_pt_mult.
    by apply: continuity_2d_pt_mult; exact: continuity_2d_pt_id1.
  apply: continuity_2d_pt_plus; first exact: continuity_2d_pt_const.
  by apply: continuity_2d_pt_mult; exact: continuity_2d_pt_id2.
- by apply: filter_forall => y; exact: companion_integrable.
Qed.

Lemma companion_integral_0 : companion_integral 0 = PI / 2.
Proof.
rewrite /companion_integral (RInt_ext _ (fun x => 2 * / (1 + x²))); last first.
  move=> x _; rewrite /companion /Rsqr.
  have -> : - (0 * 0 * (1 + x * x) / 2) = 0 by field.
  by rewrite exp_0 Rmult_1_r.
have E : minus (2 * atan 1) (2 * atan 0) = PI / 2.
  by rewrite atan_1 atan_0 /minus /plus /opp /=; field.
rewrite -E; apply: is_RInt_unique; apply: (is_RInt_derive (fun x => 2 * atan x)) => x _.
  by apply: is_derive_scal; exact: is_derive_atan.
apply: ex_derive_continuous; rewrite /Rsqr; have := one_plus_square x => H; auto_derive; lra.
Qed.

Lemma square_plus_companion t : 0 <= t -> bell_integral t * bell_integral t + companion_integral t = PI / 2.
Proof.
move=> t0; have E0 : bell_integral 0 * bell_integral 0 + companion_integral 0 = PI / 2.
  by rewrite companion_integral_0 /bell_integral RInt_point /zero /=; ring.
case: (Req_dec t 0) => [->//|tn]; rewrite -E0; symmetry.
apply: (eq_is_derive (fun u => bell_integral u * bell_integral u + companion_integral u)); last lra.
move=> u _.
have -> : zero = plus (plus (mult (bell u) (bell_integral u)) (mult (bell_integral u) (bell u)))
   (- (2 * bell u * bell_integral u)) by rewrite /zero /plus /mult /=; ring.
apply: (is_derive_plus (V := R_NormedModule)); last exact: companion_integral_derive.
apply: (is_derive_mult bell_integral bell_integral); [exact: bell_integral_derive | exact: bell_integral_derive |].
exact: Rmult_comm.
Qed.

Lemma companion_integral_bounds t : 0 <= companion_integral t <= 2 * bell t.
Proof.
split.
  apply: RInt_ge_0; [lra | exact: companion_integrable |].
  move=> x _; have H := one_plus_square x; left; apply: Rdiv_lt_0_compat => //.
  by have := exp_pos (- (t * t * (1 + x * x) / 2)); lra.
have -> : 2 * bell t = RInt (fun _ => 2 * bell t) 0 1 by rewrite RInt_const /scal /= /mult /=; ring.
apply: RInt_le; [lra | exact: companion_integrable | exact: ex_RInt_const |].
move=> x _; rewrite /companion /bell; have H := one_plus_square x; have X := Rle_0_sqr x; rewrite /Rsqr in X.
have T := Rle_0_sqr t; rewrite /Rsqr in T.
have L : exp (- (t * t * (1 + x * x) / 2)) <= exp (- (t * t / 2)).
  have : - (t * t * (1 + x * x) / 2) <= - (t * t / 2) by have := Rmult_le_pos _ _ T X; lra.
  by case=> [h|->]; [left; exact: exp_increasing | right].
have P := exp_pos (- (t * t * (1 + x * x) / 2)).
apply: (Rmult_le_reg_r (1 + x * x)) => //.
rewrite /Rdiv Rmult_assoc Rinv_l; last lra.
have := Rmult_le_pos _ _ (Rlt_le _ _ (exp_pos (- (t * t / 2)))) X; rewrite /Rdiv in L P *; lra.
Qed.

Lemma bell_bound t : 0 < t -> bell t <= / t.
Proof.
move=> t0; rewrite /bell exp_Ropp; apply: Rinv_le_contravar => //.
have := exp_ineq1_le (t * t / 2); have := Rle_0_sqr (t - 1); rewrite /Rsqr; lra.
Qed.

Lemma companion_integral_limit : is_lim companion_integral p_infty 0.
Proof.
apply: (is_lim_le_le_loc (fun=> 0) (fun t => 2 * / t)).
- exists 0 => t t0; have := companion_integral_bounds t; have := bell_bound t t0; lra.
- exact: is_lim_const.
- have -> : Finite 0 = Rbar_mult 2 0 by rewrite /= Rmult_0_r.
  apply: is_lim_scal_l; have -> : Finite 0 = Rbar_inv p_infty by [].
  by apply: is_lim_inv => //; exact: is_lim_id.
Qed.

(** The Gaussian integral: the integral of e^(-x^2/2) over [0, oo) is sqrt(pi/2). *)
Lemma bell_integral_limit : is_lim bell_integral p_infty (sqrt (PI / 2)).
Proof.
have L : is_lim (fun t => PI / 2 - companion_integral t) p_infty (PI / 2 - 0).
  by apply: is_lim_minus'; [exact: is_lim_const | exact: companion_integral_limit].
have := is_lim_comp_continuous _ sqrt _ _ L (continuous_sqrt _); rewrite Rminus_0_r.
apply: is_lim_ext_loc; exists 0 => t t0.
have -> : PI / 2 - companion_integral t = bell_integral t * bell_integral t.
  by have := square_plus_companion t (Rlt_le _ _ t0); lra.
apply: sqrt_square; apply: RInt_ge_0; [lra | exact: bell_integrable |].
by move=> x _; left; exact: bell_gt0.
Qed.

Lemma bell_integral_opp t : bell_integral (- t) = - bell_integral t.
Proof.
have E := RInt_comp_lin bell (-1) 0 0 t (bell_integrable _ _).
have e0 : -1 * 0 + 0 = 0 by ring.
have e1 : -1 * t + 0 = - t by ring.
rewrite e0 e1 in E; rewrite /bell_integral -E -[RHS]/(opp (RInt bell 0 t)) -RInt_opp; last exact: bell_integrable.
apply: RInt_ext => x _; rewrite /scal /opp /= /mult /= /bell.
have -> : (-1 * x + 0) * (-1 * x + 0) = x * x by ring.
ring.
Qed.

Lemma sqrt_2PI : 0 < sqrt (2 * PI) /\ sqrt (2 * PI) = 2 * sqrt (PI / 2).
Proof.
have P := PI_RGT_0; split; first by apply: sqrt_lt_R0; lra.
have -> : 2 * PI = 2 * 2 * (PI / 2) by field.
rewrite sqrt_mult; [|lra|lra]; rewrite sqrt_square; lra.
Qed.

Lemma normal_density_gt0 x : 0 < normal_density x.
Proof. by apply: Rdiv_lt_0_compat; [exact: exp_pos | case: sqrt_2PI]. Qed.

Lemma normal_density_continuous x : continuous normal_density x.
Proof.
apply: ex_derive_continuous; rewrite /normal_density; auto_derive.
by have [] := sqrt_2PI; lra.
Qed.

Lemma normal_cdf_bell x : normal_cdf x = 1 / 2 + bell_integral x / sqrt (2 * PI).
Proof.
rewrite /normal_cdf; congr (_ + _).
rewrite (RInt_ext _ (fun y => scal (/ sqrt (2 * PI)) (bell y))); last first.
  by move=> y _; rewrite /normal_density /scal /= /mult /= /bell; exact: Rmult_comm.
by rewrite RInt_scal; [exact: Rmult_comm | exact: bell_integrable].
Qed.

(** The derivative of the distribution function is the density. *)
Lemma normal_cdf_derive x : is_derive normal_cdf x (normal_density x).
Proof.
apply: (is_derive_ext (fun y => 1 / 2 + RInt normal_density 0 y)) => //.
have -> : normal_density x = plus 0 (normal_density x) by rewrite /plus /= Rplus_0_l.
apply: (is_derive_plus (V := R_NormedModule)); first exact: (is_derive_const (V := R_NormedModule)).
apply: (is_derive_RInt normal_density _ 0); last exact: normal_density_continuous.
apply: filter_forall => b; apply: RInt_correct.
by apply: ex_RInt_continuous => y _; exact: normal_density_continuous.
Qed.

Lemma normal_cdf_opp x : normal_cdf (- x) = 1 - normal_cdf x.
Proof. by rewrite !normal_cdf_bell bell_integral_opp; field; have [] := sqrt_2PI; lra. Qed.

(** Its limits are 1 and 0. *)
Lemma normal_cdf_limit_1 : is_lim normal_cdf p_infty 1.
Proof.
have [P E] := sqrt_2PI.
have L : is_lim (fun x => 1 / 2 + bell_integral x * / sqrt (2 * PI)) p_infty (1 / 2 + sqrt (PI / 2) * / sqrt (2 * PI)).
  apply: is_lim_plus'; first exact: is_lim_const.
  exact: (is_lim_scal_r _ (/ sqrt (2 * PI)) p_infty (sqrt (PI / 2)) bell_integral_limit).
have E1 : 1 / 2 + sqrt (PI / 2) * / sqrt (2 * PI) = 1 by rewrite E; field; lra.
rewrite E1 in L; apply: is_lim_ext L => x.
by rewrite normal_cdf_bell.
Qed.

Lemma normal_cdf_limit_0 : is_lim normal_cdf m_infty 0.
Proof.
have L : is_lim (fun x => 1 - normal_cdf (- x)) m_infty (1 - 1).
  apply: is_lim_minus'; first exact: is_lim_const.
  apply: (is_lim_comp normal_cdf Ropp m_infty 1 p_infty); first exact: normal_cdf_limit_1.
    exact: (is_lim_opp (fun x => x) m_infty m_infty (is_lim_id _)).
  by exists 0.
rewrite Rminus_diag_eq // in L; apply: is_lim_ext L => x.
by rewrite normal_cdf_opp; ring.
Qed.

(** A strictly increasing function lies below its limit at oo and above its limit at -oo. *)
Lemma increasing_below_limit (f : R -> R) (l : R) : (forall x y, x < y -> f x < f y) -> is_lim f p_infty l ->
  forall x, f x < l.
Proof.
move=> f_inc f_lim x; apply: (Rlt_le_trans _ (f (x + 1))); first by apply: f_inc; lra.
have : Rbar_le (f (x + 1)) l; last by [].
apply: (is_lim_le_loc (fun=> f (x + 1)) f p_infty) => //; last exact: is_lim_const.
by exists (x + 1) => y Hy; left; exact: f_inc.
Qed.

Lemma increasing_above_limit (f : R -> R) (l : R) : (forall x y, x < y -> f x < f y) -> is_lim f m_infty l ->
  forall x, l < f x.
Proof.
move=> f_inc f_lim x; apply: (Rle_lt_trans _ (f (x - 1))); last by apply: f_inc; lra.
have : Rbar_le l (f (x - 1)); last by [].
apply: (is_lim_le_loc f (fun=> f (x - 1)) m_infty) => //; last exact: is_lim_const.
by exists (x - 1) => y Hy; left; exact: f_inc.
Qed.

Lemma increasing_from_derivative (f df : R -> R) : (forall x, is_derive f x (df x)) -> (forall x, 0 < df x) ->
  forall x y, x < y -> f x < f y.
Proof.
move=> H P x y xy.
by apply: (incr_function f m_infty p_infty df (fun x _ _ => H x) (fun x _ _ => P x)).
Qed.

Lemma normal_cdf_increasing x y : x < y -> normal_cdf x < normal_cdf y.
Proof. exact: (increasing_from_derivative _ _ normal_cdf_derive normal_density_gt0). Qed.

Lemma normal_cdf_gt0 x : 0 < normal_cdf x.
Proof. exact: (increasing_above_limit _ _ normal_cdf_increasing normal_cdf_limit_0). Qed.

Lemma normal_cdf_lt1 x : normal_cdf x < 1.
Proof. exact: (increasing_below_limit _ _ normal_cdf_increasing normal_cdf_limit_1). Qed.

(** The improper integral of a continuous derivative is the difference of the limits. *)
Lemma improper_integral (Fa Fb : (R -> Prop) -> Prop) (F f : R -> R) (la lb : R) :
  Filter Fa -> Filter Fb -> (forall x, is_derive F x (f x)) -> (forall x, continuous f x) ->
  filterlim F Fa (locally la) -> filterlim F Fb (locally lb) -> is_RInt_gen f Fa Fb (lb - la).
Proof.
move=> FFa FFb dF cf la_lim lb_lim.
apply: (is_RInt_gen_ext (Derive F)).
  by apply: filter_forall => ab x _; exact: is_derive_unique.
apply: is_RInt_gen_Derive => //; apply: filter_forall => ab x _.
  by exists (f x).
by apply: (continuous_ext f) => [y|]; [symmetry; exact: is_derive_unique | exact: cf].
Qed.

(** The distribution function is the integral of the density from -oo, and the density has the integral 1. *)
Lemma normal_cdf_integral x : is_RInt_gen normal_density (Rbar_locally m_infty) (at_point x) (normal_cdf x).
Proof.
rewrite -[normal_cdf x]Rminus_0_r; apply: improper_integral.
- exact: normal_cdf_derive.
- exact: normal_density_continuous.
- exact: normal_cdf_limit_0.
- by move=> P /locally_singleton.
Qed.

Lemma normal_density_integral : is_RInt_gen normal_density (Rbar_locally m_infty) (Rbar_locally p_infty) 1.
Proof.
rewrite -[1]Rminus_0_r; apply: improper_integral.
- exact: normal_cdf_derive.
- exact: normal_density_continuous.
- exact: normal_cdf_limit_0.
- exact: normal_cdf_limit_1.
Qed.

(** (x - m) / s tends to oo and -oo with x, for s > 0. *)
Lemma standardised_limit_right (m s : R) : 0 < s -> is_lim (fun x => (x - m) / s) p_infty p_infty.
Proof.
move=> s0; apply/is_lim_spec => M; exists (M * s + m) => x Hx.
by apply: (Rmult_lt_reg_r s) => //; rewrite /Rdiv Rmult_assoc Rinv_l; lra.
Qed.
Lemma standardised_limit_left (m s : R) : 0 < s -> is_lim (fun x => (x - m) / s) m_infty m_infty.
Proof.
move=> s0; apply/is_lim_spec => M; exists (M * s + m) => x Hx.
by apply: (Rmult_lt_reg_r s) => //; rewrite /Rdiv Rmult_assoc Rinv_l; lra.
Qed.

(** With y = (x - m) / s: an antiderivative F of f with limits gives the integral of f(y) / s. *)
Lemma standardised_integral (F f : R -> R) (la lb m s : R) : 0 < s -> (forall y, is_derive F y (f y)) ->
  (forall y, continuous f y) -> is_lim F m_infty la -> is_lim F p_infty lb ->
  is_RInt_gen (fun x => f ((x - m) / s) / s) (Rbar_locally m_infty) (Rbar_locally p_infty) (lb - la).
Proof.
move=> s0 dF cf l_left l_right; apply: (improper_integral _ _ (fun x => F ((x - m) / s))).
- move=> x; have -> : f ((x - m) / s) / s = scal (/ s) (f ((x - m) / s)) by exact: Rmult_comm.
  by apply: (is_derive_comp F) => //; auto_derive => //; field; lra.
- move=> x; apply: (continuous_mult (K := R_AbsRing)); last exact: continuous_const.
  apply: (continuous_comp (fun y => (y - m) / s) f); last exact: cf.
  by apply: ex_derive_continuous; auto_derive; lra.
- by apply: (is_lim_comp F _ m_infty la m_infty) => //; [exact: standardised_limit_left | exists 0].
- by apply: (is_lim_comp F _ p_infty lb p_infty) => //; [exact: standardised_limit_right | exists 0].
Qed.

Lemma normal_density_derive x : is_derive normal_density x (- (x * normal_density x)).
Proof.
have [P _] := sqrt_2PI; rewrite /normal_density /Rdiv; auto_derive; first by [].
by field; lra.
Qed.

Lemma normal_density_opp x : normal_density (- x) = normal_density x.
Proof. by rewrite /normal_density; have -> : - x * - x = x * x by ring. Qed.

(** The density and x times the density vanish at oo and at -oo. *)
Lemma normal_density_limit_right : is_lim normal_density p_infty 0.
Proof.
have [P _] := sqrt_2PI.
apply: (is_lim_le_le_loc (fun=> 0) (fun x => / sqrt (2 * PI) * / x)); last 2 first.
- exact: is_lim_const.
- have -> : Finite 0 = Rbar_mult (/ sqrt (2 * PI)) 0 by rewrite /= Rmult_0_r.
  apply: is_lim_scal_l; have -> : Finite 0 = Rbar_inv p_infty by [].
  by apply: is_lim_inv => //; exact: is_lim_id.
exists 0 => x x0; split; first by left; exact: normal_density_gt0.
rewrite Rmult_comm; apply: Rmult_le_compat_r; first by left; exact: Rinv_0_lt_compat.
exact: bell_bound.
Qed.

Lemma moment_limit_right : is_lim (fun x => x * normal_density x) p_infty 0.
Proof.
have [P _] := sqrt_2PI.
apply: (is_lim_le_le_loc (fun=> 0) (fun x => 2 * / sqrt (2 * PI) * / x)); last 2 first.
- exact: is_lim_const.
- have -> : Finite 0 = Rbar_mult (2 * / sqrt (2 * PI)) 0 by rewrite /= Rmult_0_r.
  apply: is_lim_scal_l; have -> : Finite 0 = Rbar_inv p_infty by [].
  by apply: is_lim_inv => //; exact: is_lim_id.
exists 0 => x x0; split; first by left; apply: Rmult_lt_0_compat => //; exact: normal_density_gt0.
have -> : x * normal_density x = x * bell x * / sqrt (2 * PI) by rewrite /normal_density /bell /Rdiv; ring.
have -> : 2 * / sqrt (2 * PI) * / x = 2 * / x * / sqrt (2 * PI) by ring.
apply: Rmult_le_compat_r; first by left; exact: Rinv_0_lt_compat.
have B : bell x <= / (x * x / 2).
  rewrite /bell exp_Ropp; apply: Rinv_le_contravar; first by have := Rmult_lt_0_compat _ _ x0 x0; lra.
  by have := exp_ineq1_le (x * x / 2); lra.
have -> : 2 * / x = x * / (x * x / 2) by field; lra.
by apply: Rmult_le_compat_l; lra.
Qed.

Lemma reflected_limit (f : R -> R) (l : R) : is_lim f p_infty l -> is_lim (fun x => f (- x)) m_infty l.
Proof.
move=> H; apply: (is_lim_comp f Ropp m_infty l p_infty) => //; last by exists 0.
exact: (is_lim_opp (fun x => x) m_infty m_infty (is_lim_id _)).
Qed.

Lemma normal_density_limit_left : is_lim normal_density m_infty 0.
Proof. by apply: is_lim_ext (reflected_limit _ _ normal_density_limit_right) => x; exact: normal_density_opp. Qed.

Lemma moment_limit_left : is_lim (fun x => x * normal_density x) m_infty 0.
Proof.
have := is_lim_opp _ _ _ (reflected_limit _ _ moment_limit_right); rewrite /= Ropp_0.
by apply: is_lim_ext => x; rewrite normal_density_opp; ring.
Qed.

(** Under N(m, s^2) the function x has the mean m, and (x - m)^2 the mean s^2. *)
Definition normal_density_at (m s x : R) : R := normal_density ((x - m) / s) / s.
Definition normal_mean (m s : R) (Z : R -> R) (v : R) : Prop :=
  is_RInt_gen (fun x => normal_density_at m s x * Z x) (Rbar_locally m_infty) (Rbar_locally p_infty) v.

Lemma normal_mean_intro (f : R -> R) m s Z v : (forall x, f x = normal_density_at m s x * Z x) ->
  is_RInt_gen f (Rbar_locally m_infty) (Rbar_locally p_infty) v -> normal_mean m s Z v.
Proof. by move=> E; apply: (is_RInt_gen_ext f); apply: filter_forall => ab x _; exact: E. Qed.

Lemma normal_mean_ext m s Y Z v : (forall x, Y x = Z x) -> normal_mean m s Y v -> normal_mean m s Z v.
Proof.
by move=> E H; apply: (normal_mean_intro (fun x => normal_density_at m s x * Y x)) H => x; rewrite E.
Qed.

Lemma normal_mean_add m s Y Z u v : normal_mean m s Y u -> normal_mean m s Z v ->
  normal_mean m s (fun x => Y x + Z x) (u + v).
Proof.
move=> HY HZ; pose proof (is_RInt_gen_plus _ _ _ _ HY HZ) as H.
apply: (normal_mean_intro _ m s (fun x => Y x + Z x) (u + v) _ H) => x.
by rewrite /plus /=; ring.
Qed.

Lemma normal_mean_scale m s c Z v : normal_mean m s Z v -> normal_mean m s (fun x => c * Z x) (c * v).
Proof.
move=> HZ; pose proof (is_RInt_gen_scal _ c _ HZ) as H.
apply: (normal_mean_intro _ m s (fun x => c * Z x) (c * v) _ H) => x.
by rewrite /scal /= /mult /=; ring.
Qed.

Lemma normal_mean_unique m s Z u v : normal_mean m s Z u -> normal_mean m s Z v -> u = v.
Proof. by move=> Hu Hv; rewrite -(is_RInt_gen_unique _ _ Hu) -(is_RInt_gen_unique _ _ Hv). Qed.

Lemma normal_mean_one m s : 0 < s -> normal_mean m s (fun=> 1) 1.
Proof.
move=> s0; have := standardised_integral _ _ 0 1 m s s0 normal_cdf_derive normal_density_continuous
  normal_cdf_limit_0 normal_cdf_limit_1.
by rewrite Rminus_0_r => H; apply: (normal_mean_intro _ m s (fun=> 1) 1 _ H) => x; rewrite Rmult_1_r.
Qed.

Lemma normal_mean_centred m s : 0 < s -> normal_mean m s (fun x => x - m) 0.
Proof.
move=> s0.
have := standardised_integral (fun y => - s * normal_density y) (fun y => s * (y * normal_density y))
  (- s * 0) (- s * 0) m s s0.
rewrite Rminus_diag_eq // => H.
apply: (normal_mean_intro _ m s (fun x => x - m) 0 _ (H _ _ _ _)); last 4 first.
- move=> y; have -> : s * (y * normal_density y) = - s * - (y * normal_density y) by ring.
  by apply: is_derive_scal; exact: normal_density_derive.
- move=> y; apply: (continuous_mult (K := R_AbsRing)); first exact: continuous_const.
  by apply: (continuous_mult (K := R_AbsRing)); [exact: continuous_id | exact: normal_density_continuous].
- exact: (is_lim_scal_l _ (- s) _ 0 normal_density_limit_left).
- exact: (is_lim_scal_l _ (- s) _ 0 normal_density_limit_right).
by move=> x; rewrite /normal_density_at; field; lra.
Qed.

Lemma normal_mean_identity m s : 0 < s -> normal_mean m s (fun x => x) m.
Proof.
move=> s0; have := normal_mean_add _ _ _ _ _ _ (normal_mean_centred m s s0)
  (normal_mean_scale _ _ m _ _ (normal_mean_one m s s0)).
by rewrite Rplus_0_l Rmult_1_r; apply: normal_mean_ext => x; ring.
Qed.

Lemma normal_mean_square m s : 0 < s -> normal_mean m s (fun x => (x - m) * (x - m)) (s * s).
Proof.
move=> s0.
have := standardised_integral (fun y => s * s * (normal_cdf y - y * normal_density y))
  (fun y => s * s * (y * (y * normal_density y))) (s * s * (0 - 0)) (s * s * (1 - 0)) m s s0.
have -> : s * s * (1 - 0) - s * s * (0 - 0) = s * s by ring.
move=> H; apply: (normal_mean_intro _ m s (fun x => (x - m) * (x - m)) (s * s) _ (H _ _ _ _)); last 4 first.
- move=> y; apply: is_derive_scal.
  have -> : y * (y * normal_density y) =
    minus (normal_density y) (plus (mult 1 (normal_density y)) (mult y (- (y * normal_density y)))).
    by rewrite /minus /plus /opp /mult /=; ring.
  apply: (is_derive_minus (V := R_NormedModule)); first exact: normal_cdf_derive.
  apply: (is_derive_mult (fun y => y) normal_density); [exact: is_derive_id | exact: normal_density_derive |].
  exact: Rmult_comm.
- move=> y; apply: (continuous_mult (K := R_AbsRing)); first exact: continuous_const.
  apply: (continuous_mult (K := R_AbsRing)); first exact: continuous_id.
  by apply: (continuous_mult (K := R_AbsRing)); [exact: continuous_id | exact: normal_density_continuous].
- apply: (is_lim_scal_l _ (s * s) _ (0 - 0)).
  by apply: is_lim_minus'; [exact: normal_cdf_limit_0 | exact: moment_limit_left].
- apply: (is_lim_scal_l _ (s * s) _ (1 - 0)).
  by apply: is_lim_minus'; [exact: normal_cdf_limit_1 | exact: moment_limit_right].
by move=> x; rewrite /normal_density_at; field; lra.
Qed.
