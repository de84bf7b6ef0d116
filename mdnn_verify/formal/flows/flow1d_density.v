(** The one-dimensional flow increases strictly onto a bounded interval, and its density has a mass below 1.

    flow w mu tau x = sum_i e^(w_i) (Phi_i(x) - 1/2), where Phi_i is the distribution function of N(mu_i,
    (e^(tau_i))^2): normal_cdf ((x - mu_i) / e^(tau_i)), with normal_cdf that of N(0, 1), an integral of its density
    (shared/normal_law, which also proves the Gaussian integral, hence the limits 0 and 1).  S = total_weight w =
    sum_i e^(w_i).  The density that the flow assigns to a point is phi(f(x)) f'(x), with phi the density of N(0, 1).

    Scope: any number n >= 1 of components, all real w, mu, tau; improper Riemann integrals over the line. Not proved
    here: anything about the fit by maximum likelihood.

    Source: seed 000, Problem 2; seed 001.                                                                       *)
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
From MDNN.shared Require Import sums normal_law.
Local Open Scope R_scope.

(** The flow, the sum of the densities that is claimed to be its derivative, and S. *)
Definition flow {n} (w mu tau : 'I_n -> R) (x : R) : R :=
  \rsum_i (exp (w i) * (normal_cdf ((x - mu i) / exp (tau i)) - 1 / 2)).
Definition slope {n} (w mu tau : 'I_n -> R) (x : R) : R :=
  \rsum_i (exp (w i) * (normal_density ((x - mu i) / exp (tau i)) / exp (tau i))).
Definition total_weight {n} (w : 'I_n -> R) : R := \rsum_i exp (w i).

Lemma sum_derive (I : Type) (r : seq I) (F : I -> R -> R) (dF : I -> R) x : (forall i, is_derive (F i) x (dF i)) ->
  is_derive (fun y => \rsum_(i <- r) F i y) x (\rsum_(i <- r) dF i).
Proof.
move=> H; elim: r => [|a r IH].
  rewrite big_nil; apply: (is_derive_ext (fun=> 0)) => [y|]; first by rewrite big_nil.
  exact: (is_derive_const (V := R_NormedModule)).
rewrite big_cons; apply: (is_derive_ext (fun y => F a y + \rsum_(i <- r) F i y)) => [y|]; first by rewrite big_cons.
exact: (is_derive_plus (V := R_NormedModule)).
Qed.

Lemma sum_continuous (I : Type) (r : seq I) (F : I -> R -> R) x : (forall i, continuous (F i) x) ->
  continuous (fun y => \rsum_(i <- r) F i y) x.
Proof.
move=> H; elim: r => [|a r IH].
  by apply: (continuous_ext (fun=> 0)) => [y|]; [rewrite big_nil | exact: continuous_const].
apply: (continuous_ext (fun y => F a y + \rsum_(i <- r) F i y)) => [y|]; first by rewrite big_cons.
exact: (continuous_plus (V := R_NormedModule)).
Qed.

Lemma sum_limit (I : Type) (r : seq I) (F : I -> R -> R) (l : I -> R) (a : Rbar) : (forall i, is_lim (F i) a (l i)) ->
  is_lim (fun y => \rsum_(i <- r) F i y) a (\rsum_(i <- r) l i).
Proof.
move=> H; elim: r => [|b r IH].
  by rewrite big_nil; apply: (is_lim_ext (fun=> 0)) => [y|]; [rewrite big_nil | exact: is_lim_const].
rewrite big_cons; apply: (is_lim_ext (fun y => F b y + \rsum_(i <- r) F i y)) => [y|]; first by rewrite big_cons.
exact: is_lim_plus'.
Qed.

Lemma half_total n (w : 'I_n -> R) c : \rsum_i (exp (w i) * c) = total_weight w * c.
Proof. by rewrite /total_weight big_distrl. Qed.

Section Flow.
Variables (n : nat) (w mu tau : 'I_n -> R).
Hypothesis at_least_one : (0 < n)%N.

Lemma flow_derive x : is_derive (flow w mu tau) x (slope w mu tau x).
Proof.
apply: (sum_derive _ _ (fun i y => exp (w i) * (normal_cdf ((y - mu i) / exp (tau i)) - 1 / 2))) => i.
have t0 := exp_pos (tau i); apply: is_derive_scal.
have -> : normal_density ((x - mu i) / exp (tau i)) / exp (tau i) =
  minus (scal (/ exp (tau i)) (normal_density ((x - mu i) / exp (tau i)))) 0.
  by rewrite /minus /plus /opp /scal /= /mult /=; field; lra.
apply: (is_derive_minus (V := R_NormedModule)); last exact: (is_derive_const (V := R_NormedModule)).
apply: (is_derive_comp normal_cdf); first exact: normal_cdf_derive.
by auto_derive => //; field; lra.
Qed.

Lemma slope_gt0 x : 0 < slope w mu tau x.
Proof.
have P i : 0 < exp (w i) * (normal_density ((x - mu i) / exp (tau i)) / exp (tau i)).
  apply: Rmult_lt_0_compat; first exact: exp_pos.
  by apply: Rdiv_lt_0_compat; [exact: normal_density_gt0 | exact: exp_pos].
rewrite /slope; apply: (@rsum_gt0 _ _ (Ordinal at_least_one)) => [i|]; [by left | exact: P].
Qed.

Lemma slope_continuous x : continuous (slope w mu tau) x.
Proof.
apply: (sum_continuous _ _ (fun i y => exp (w i) * (normal_density ((y - mu i) / exp (tau i)) / exp (tau i)))) => i.
apply: (continuous_mult (K := R_AbsRing)); first exact: continuous_const.
apply: (continuous_mult (K := R_AbsRing)); last exact: continuous_const.
apply: (continuous_comp (fun y => (y - mu i) / exp (tau i)) normal_density); last exact: normal_density_continuous.
by apply: ex_derive_continuous; auto_derive; have := exp_pos (tau i); lra.
Qed.

Lemma flow_increasing x y : x < y -> flow w mu tau x < flow w mu tau y.
Proof. exact: (increasing_from_derivative _ _ flow_derive slope_gt0). Qed.

Lemma flow_limit_right : is_lim (flow w mu tau) p_infty (total_weight w / 2).
Proof.
have -> : total_weight w / 2 = \rsum_i (exp (w i) * (1 - 1 / 2)) by rewrite half_total; field.
apply: (sum_limit _ _ (fun i y => exp (w i) * (normal_cdf ((y - mu i) / exp (tau i)) - 1 / 2))) => i.
have -> : Finite (exp (w i) * (1 - 1 / 2)) = Rbar_mult (exp (w i)) (1 - 1 / 2) by [].
apply: is_lim_scal_l; apply: is_lim_minus'; last exact: is_lim_const.
apply: (is_lim_comp normal_cdf _ p_infty 1 p_infty); [exact: normal_cdf_limit_1 | | by exists 0].
exact: standardised_limit_right (exp_pos _).
Qed.

Lemma flow_limit_left : is_lim (flow w mu tau) m_infty (- (total_weight w / 2)).
Proof.
have -> : - (total_weight w / 2) = \rsum_i (exp (w i) * (0 - 1 / 2)) by rewrite half_total; field.
apply: (sum_limit _ _ (fun i y => exp (w i) * (normal_cdf ((y - mu i) / exp (tau i)) - 1 / 2))) => i.
have -> : Finite (exp (w i) * (0 - 1 / 2)) = Rbar_mult (exp (w i)) (0 - 1 / 2) by [].
apply: is_lim_scal_l; apply: is_lim_minus'; last exact: is_lim_const.
apply: (is_lim_comp normal_cdf _ m_infty 0 m_infty); [exact: normal_cdf_limit_0 | | by exists 0].
exact: standardised_limit_left (exp_pos _).
Qed.

(** f' = sum_i e^(w_i) phi_(mu_i, e^(tau_i)), and it is positive. *)
Theorem flow_derivative (x : R) : is_derive (flow w mu tau) x (slope w mu tau x) /\ 0 < slope w mu tau x.
Proof. by split; [exact: flow_derive | exact: slope_gt0]. Qed.

(** f is strictly increasing, and its values are exactly the numbers between -S/2 and S/2, the ends excluded. *)
Theorem flow_range :
  (forall x y, x < y -> flow w mu tau x < flow w mu tau y) /\
  forall z, (exists x, flow w mu tau x = z) <-> - (total_weight w / 2) < z < total_weight w / 2.
Proof.
split; first exact: flow_increasing.
move=> z; split=> [[x <-]|[z1 z2]].
  split; first exact: (increasing_above_limit _ _ flow_increasing flow_limit_left).
  exact: (increasing_below_limit _ _ flow_increasing flow_limit_right).
have C x : Rbar_lt m_infty x -> Rbar_lt x p_infty -> continuity_pt (flow w mu tau) x.
  move=> _ _; apply/continuity_pt_filterlim; apply: ex_derive_continuous.
  by eexists; exact: flow_derive.
have [x [_ [_ E]]] := IVT_Rbar_incr _ _ _ _ _ z flow_limit_left flow_limit_right C Logic.I (conj z1 z2).
by exists x.
Qed.

Lemma pulled_back_derive x :
  is_derive (fun y => normal_cdf (flow w mu tau y)) x (normal_density (flow w mu tau x) * slope w mu tau x).
Proof.
rewrite Rmult_comm; apply: (is_derive_comp normal_cdf (flow w mu tau)); first exact: normal_cdf_derive.
exact: flow_derive.
Qed.

Lemma pulled_back_continuous x : continuous (fun y => normal_density (flow w mu tau y) * slope w mu tau y) x.
Proof.
apply: (continuous_mult (K := R_AbsRing)); last exact: slope_continuous.
apply: (continuous_comp (flow w mu tau) normal_density); last exact: normal_density_continuous.
by apply: ex_derive_continuous; eexists; exact: flow_derive.
Qed.

Lemma normal_cdf_at_limit (l : R) (a : Rbar) : is_lim (flow w mu tau) a l ->
  is_lim (fun y => normal_cdf (flow w mu tau y)) a (normal_cdf l).
Proof.
move=> L; apply: is_lim_comp_continuous L _.
by apply: ex_derive_continuous; eexists; exact: normal_cdf_derive.
Qed.

(** The density phi(f(x)) f'(x) that the flow assigns to its data integrates over the line to Phi(S/2) - Phi(-S/2),
    which is less than 1. *)
Theorem flow_mass :
  is_RInt_gen (fun x => normal_density (flow w mu tau x) * slope w mu tau x)
    (Rbar_locally m_infty) (Rbar_locally p_infty)
    (normal_cdf (total_weight w / 2) - normal_cdf (- (total_weight w / 2))) /\
  normal_cdf (total_weight w / 2) - normal_cdf (- (total_weight w / 2)) < 1.
Proof.
split; last by have := normal_cdf_lt1 (total_weight w / 2); have := normal_cdf_gt0 (- (total_weight w / 2)); lra.
apply: improper_integral.
- exact: pulled_back_derive.
- exact: pulled_back_continuous.
- exact: (normal_cdf_at_limit _ _ flow_limit_left).
- exact: (normal_cdf_at_limit _ _ flow_limit_right).
Qed.

(** Over (-oo, x] the same density integrates to Phi(f(x)) - Phi(-S/2). *)
Theorem flow_distribution (x : R) :
  is_RInt_gen (fun y => normal_density (flow w mu tau y) * slope w mu tau y) (Rbar_locally m_infty) (at_point x)
    (normal_cdf (flow w mu tau x) - normal_cdf (- (total_weight w / 2))).
Proof.
apply: improper_integral.
- exact: pulled_back_derive.
- exact: pulled_back_continuous.
- exact: (normal_cdf_at_limit _ _ flow_limit_left).
- by move=> P /locally_singleton.
Qed.
End Flow.

(** An example that satisfies the hypotheses: two components. *)
Definition example_w (i : 'I_2) : R := if i == ord0 then 0 else -1.
Definition example_mu (i : 'I_2) : R := if i == ord0 then -1 else 3 / 2.
Definition example_tau (i : 'I_2) : R := if i == ord0 then 0 else 1 / 2.
Lemma two_components : (0 < 2)%N. Proof. by []. Qed.
Definition flow_derivative_witness := flow_derivative 2 example_w example_mu example_tau two_components (1 / 3).
Definition flow_range_witness := flow_range 2 example_w example_mu example_tau two_components.
Definition flow_mass_witness := flow_mass 2 example_w example_mu example_tau.
Definition flow_distribution_witness := flow_distribution 2 example_w example_mu example_tau (1 / 3).
