(** The Kullback-Leibler divergence is never negative, and zero only between equal laws.

    Three settings.  On a finite set I, a law is a function p : I -> R with p i >= 0 and sum 1, and
    KL p q = sum of p_i log(p_i / q_i).  On an interval [a, b], or on the line, densities are non-negative functions
    with Riemann integral 1, and kl stands for the integral of p log(p / q).  In all three, p << q is a hypothesis: p
    vanishes wherever q does.  The definitions are in shared/finite_laws and shared/densities.  The library's ln and
    division are total, so p log(p / q) is 0 where p is 0, as it should be.

    Scope: all laws p << q on any finite set; all densities p << q on any interval [a, b] and on the line for which the
    Riemann integrals exist, with the equality case for continuous densities. Not proved here: densities on R^d with
    Lebesgue's integral.

    Source: seed 000, Problem 4(a).                                                                              *)
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From MDNN.shared Require Import sums finite_laws densities normal_law.
Local Open Scope R_scope.

(** p and q are densities on the line: not negative, with improper Riemann integral 1 over R. *)
Definition is_density_on_the_line (f : R -> R) : Prop :=
  (forall x, 0 <= f x) /\ is_RInt_gen f (Rbar_locally m_infty) (Rbar_locally p_infty) 1.

(** kl is the improper Riemann integral of p log(p / q) over R. *)
Definition is_KL_on_the_line (p q : R -> R) (kl : R) : Prop :=
  is_RInt_gen (fun x => p x * ln (p x / q x)) (Rbar_locally m_infty) (Rbar_locally p_infty) kl.

(** For laws p << q on a finite set, KL(p || q) >= 0, and KL(p || q) = 0 if and only if p = q everywhere. *)
Theorem kl_nonnegative (I : finType) (p q : I -> R) : is_law p -> is_law q -> abs_cont p q ->
  0 <= KL p q /\ (KL p q = 0 <-> forall i, p i = q i).
Proof.
move=> [p0 p1] [q0 q1] ac.
have H j : 0 <= p j * ln (p j / q j) - (p j - q j) by apply kl_term_excess => //; apply: ac.
have total : \rsum_i (p i * ln (p i / q i) - (p i - q i)) = KL p q.
  by rewrite !rsumB p1 q1 /KL; lra.
split; first by rewrite -total; apply: rsum_ge0 => i _; exact: H.
split=> [K0 i|E]; last first.
  rewrite /KL; apply: rsum_const0 => i _; rewrite E.
  case: (Req_dec (q i) 0) => [->|n0]; first by lra.
  by rewrite /Rdiv Rinv_r // ln_1; lra.
rewrite K0 in total; have [_] := kl_term_excess (p0 i) (q0 i) (ac i).
by apply; exact: (rsum_eq0 H total i).
Qed.

(** The excess p log(p / q) - (p - q) integrates to the divergence. *)
Lemma excess_integral a b p q kl : is_RInt p a b 1 -> is_RInt q a b 1 -> is_KL a b p q kl ->
  is_RInt (fun x => p x * ln (p x / q x) - (p x - q x)) a b kl.
Proof.
move=> Ip Iq Ikl; have I0 := is_RInt_minus _ _ _ _ _ _ Ikl (is_RInt_minus _ _ _ _ _ _ Ip Iq).
have -> : kl = minus kl (minus 1 1) by rewrite /minus /plus /opp /=; lra.
exact: I0.
Qed.

(** For densities p << q on [a, b] whose divergence exists as a Riemann integral, it is not negative. *)
Theorem kl_nonnegative_riemann (a b : R) (p q : R -> R) (kl : R) : a <= b ->
  is_density a b p -> is_density a b q -> abs_cont_on a b p q -> is_KL a b p q kl -> 0 <= kl.
Proof.
move=> ab [p0 Ip] [q0 Iq] ac Ikl.
have I0 : is_RInt (fun _ => 0) a b 0.
  by have := is_RInt_const a b 0; rewrite /scal /= /mult /= Rmult_0_r.
apply: (is_RInt_le _ _ _ _ _ _ ab I0 (excess_integral _ _ _ _ _ Ip Iq Ikl)) => x Hx.
by have [] := kl_term_excess (p0 x Hx) (q0 x Hx) (ac x Hx).
Qed.

(** The excess is at least the squared difference of the roots. *)
Lemma excess_ge_hellinger u v : 0 <= u -> 0 <= v -> (v = 0 -> u = 0) ->
  (sqrt u - sqrt v) * (sqrt u - sqrt v) <= u * ln (u / v) - (u - v).
Proof.
move=> u0 v0 uv; have su := sqrt_sqrt u u0; have sv := sqrt_sqrt v v0.
case: (Req_dec u 0) => [E|un].
  by rewrite E sqrt_0 in su *; lra.
have up : 0 < u by lra.
have vp : 0 < v by case: (Req_dec v 0) => [/uv|]; lra.
have Su := sqrt_lt_R0 u up; have Sv := sqrt_lt_R0 v vp.
have r0 : 0 < sqrt v / sqrt u by apply: Rdiv_lt_0_compat.
have E : ln (u / v) = - (2 * ln (sqrt v / sqrt u)).
  have -> : u / v = / (sqrt v / sqrt u * (sqrt v / sqrt u)).
    by rewrite -{1}su -{1}sv; field; lra.
  by rewrite ln_Rinv; [rewrite ln_mult //; lra | exact: Rmult_lt_0_compat].
have T := ln_le_sub1 r0.
have T2 : u * ln (sqrt v / sqrt u) <= u * (sqrt v / sqrt u - 1) by apply: Rmult_le_compat_l; lra.
have F : u * (sqrt v / sqrt u) = sqrt u * sqrt v by rewrite -{1}su; field; lra.
rewrite E; lra.
Qed.

(** A non-negative integrand that is at least c on (x0 - h, x0 + h) has an integral of at least 2 h c. *)
Lemma integral_of_a_bump (a b l : R) (g : R -> R) (x0 h c : R) : is_RInt g a b l ->
  (forall x, a < x < b -> 0 <= g x) -> 0 < h -> a <= x0 - h -> x0 + h <= b ->
  (forall x, x0 - h < x < x0 + h -> c <= g x) -> 2 * h * c <= l.
Proof.
move=> Ig g0 h0 ah hb gc.
have ex : ex_RInt g a b by exists l.
have ex1 : ex_RInt g a (x0 - h) by apply: (ex_RInt_Chasles_1 _ _ _ b) => //; lra.
have ex2 : ex_RInt g (x0 - h) b by apply: (ex_RInt_Chasles_2 _ a) => //; lra.
have ex3 : ex_RInt g (x0 - h) (x0 + h) by apply: (ex_RInt_Chasles_1 _ _ _ b) => //; lra.
have ex4 : ex_RInt g (x0 + h) b by apply: (ex_RInt_Chasles_2 _ (x0 - h)) => //; lra.
have E : l = RInt g a (x0 - h) + (RInt g (x0 - h) (x0 + h) + RInt g (x0 + h) b).
  rewrite -(is_RInt_unique _ _ _ _ Ig) -(RInt_Chasles g a (x0 - h) b) //.
  by rewrite -(RInt_Chasles g (x0 - h) (x0 + h) b).
have P1 : 0 <= RInt g a (x0 - h) by apply: RInt_ge_0 => // x Hx; apply: g0; lra.
have P3 : 0 <= RInt g (x0 + h) b by apply: RInt_ge_0 => // x Hx; apply: g0; lra.
have P2 : 2 * h * c <= RInt g (x0 - h) (x0 + h).
  have <- : RInt (fun _ => c) (x0 - h) (x0 + h) = 2 * h * c.
    by rewrite RInt_const /scal /= /mult /=; ring.
  by apply: RInt_le => //; [lra | exact: ex_RInt_const].
by rewrite E; lra.
Qed.

(** Where two continuous functions u and v differ, the excess stays away from 0 on an interval around. *)
Lemma excess_bump (p q : R -> R) (x : R) : 0 <= p x -> 0 <= q x -> continuous p x -> continuous q x -> p x <> q x ->
  exists c h, 0 < c /\ 0 < h /\ forall y, x - h < y < x + h -> 0 <= p y -> 0 <= q y -> (q y = 0 -> p y = 0) ->
    c <= p y * ln (p y / q y) - (p y - q y).
Proof.
move=> px qx cp cq ne.
pose hel y := (sqrt (p y) - sqrt (q y)) * (sqrt (p y) - sqrt (q y)).
have hx : 0 < hel x.
  apply: Rsqr_pos_lt => H; apply: ne.
  by rewrite -(sqrt_sqrt _ px) -(sqrt_sqrt _ qx); congr (_ * _); lra.
have ch : continuous hel x.
  have cd : continuous (fun y => sqrt (p y) - sqrt (q y)) x.
    by apply: (continuous_minus (V := R_NormedModule)); apply: (continuous_comp _ sqrt) => //; exact: continuous_sqrt.
  exact: (continuous_mult (K := R_AbsRing)).
have [e He] : locally x (fun y => hel x / 2 < hel y).
  by apply: ch; apply: (open_gt (hel x / 2)); rewrite /hel in hx *; lra.
exists (hel x / 2), e; split; first lra.
split; first exact: cond_pos.
move=> y Hy py qy ac; have := excess_ge_hellinger _ _ py qy ac.
have : hel x / 2 < hel y; last by rewrite /hel; lra.
by apply: He; rewrite /ball /= /AbsRing_ball /abs /minus /plus /opp /=; apply: Rabs_def1; lra.
Qed.

(** If p = q then p log(p / q) = 0. *)
Lemma kl_term_equal u : u * ln (u / u) = 0.
Proof.
case: (Req_dec u 0) => [->|n0]; first by rewrite Rmult_0_l.
by rewrite /Rdiv Rinv_r // ln_1 Rmult_0_r.
Qed.

(** For densities p << q on [a, b] that are continuous inside, the divergence is 0 if and only if p = q inside. *)
Theorem kl_zero_iff_equal_riemann (a b : R) (p q : R -> R) (kl : R) : a <= b ->
  is_density a b p -> is_density a b q -> abs_cont_on a b p q -> is_KL a b p q kl ->
  (forall x, a < x < b -> continuous p x) -> (forall x, a < x < b -> continuous q x) ->
  (kl = 0 <-> forall x, a < x < b -> p x = q x).
Proof.
move=> ab [p0 Ip] [q0 Iq] ac Ikl cp cq; split => [k0 x Hx|E]; last first.
  rewrite -(is_RInt_unique _ _ _ _ Ikl) -[RHS](Rmult_0_r (b - a)).
  rewrite (RInt_ext _ (fun _ => 0)) ?RInt_const // => x; rewrite Rmin_left // Rmax_right // => Hx.
  by rewrite E // kl_term_equal.
case: (Req_dec (p x) (q x)) => // ne; exfalso.
have [c [h [c0 [h0 bump]]]] := excess_bump p q x (p0 x Hx) (q0 x Hx) (cp x Hx) (cq x Hx) ne.
pose k := Rmin h (Rmin (x - a) (b - x)).
have k_pos : 0 < k /\ k <= h /\ a <= x - k /\ x + k <= b.
  by rewrite /k /Rmin; case: Rle_dec; case: Rle_dec; lra.
have := integral_of_a_bump a b kl _ x k c (excess_integral _ _ _ _ _ Ip Iq Ikl).
have : 0 < 2 * k * c by apply: Rmult_lt_0_compat; lra.
move=> pos_k H; have : 2 * k * c <= kl; last lra.
apply: H; [|lra|lra|lra|] => y Hy.
  by have [] := kl_term_excess (p0 y Hy) (q0 y Hy) (ac y Hy).
have Hab : a < y < b by lra.
by apply: bump; [lra | exact: p0 | exact: q0 | exact: ac].
Qed.

(** An integral over the line is near the integral over some interval that is as large as we like. *)
Lemma integral_over_large_intervals (g : R -> R) (l e m : R) :
  is_RInt_gen g (Rbar_locally m_infty) (Rbar_locally p_infty) l -> 0 < e ->
  exists a b v, a < - m /\ m < b /\ is_RInt g a b v /\ Rabs (v - l) < e.
Proof.
move=> H e0; have [Q S [A HA] [B HB] near] := H _ (locally_ball l (mkposreal e e0)).
pose a := Rmin A (- m) - 1; pose b := Rmax B m + 1.
have [Ha Ha'] : a < A /\ a < - m by rewrite /a /Rmin; case: Rle_dec; lra.
have [Hb Hb'] : B < b /\ m < b by rewrite /b /Rmax; case: Rle_dec; lra.
have [v [Iv Hv]] := near a b (HA a Ha) (HB b Hb).
by exists a, b, v.
Qed.

Lemma excess_integral_on_the_line p q kl : is_density_on_the_line p -> is_density_on_the_line q ->
  is_KL_on_the_line p q kl ->
  is_RInt_gen (fun x => p x * ln (p x / q x) - (p x - q x)) (Rbar_locally m_infty) (Rbar_locally p_infty) kl.
Proof.
move=> [_ Ip] [_ Iq] Ikl.
pose proof (is_RInt_gen_minus _ _ _ _ Ikl (is_RInt_gen_minus _ _ _ _ Ip Iq)) as H.
have E : minus kl (minus 1 1) = kl by rewrite /minus /plus /opp /=; lra.
by rewrite -E; exact: H.
Qed.

(** For densities p << q on the line whose divergence exists as an improper Riemann integral, it is not negative; if
    they are continuous, it is 0 if and only if p = q everywhere. *)
Theorem kl_nonnegative_on_the_line (p q : R -> R) (kl : R) :
  is_density_on_the_line p -> is_density_on_the_line q -> (forall x, q x = 0 -> p x = 0) -> is_KL_on_the_line p q kl ->
  0 <= kl /\ ((forall x, continuous p x) -> (forall x, continuous q x) -> (kl = 0 <-> forall x, p x = q x)).
Proof.
move=> Dp Dq ac Ikl; have I := excess_integral_on_the_line _ _ _ Dp Dq Ikl; case: (Dp) (Dq) => [p0 _] [q0 _].
have g0 x : 0 <= p x * ln (p x / q x) - (p x - q x).
  by have [] := kl_term_excess (p0 x) (q0 x) (ac x).
have nonnegative : 0 <= kl.
  apply: Rnot_lt_le => neg; have [|a [b [v [Ha [Hb [Iv Hv]]]]]] := integral_over_large_intervals _ _ (- kl) 1 I.
    lra.
  have := integral_of_a_bump a b v _ 0 1 0 Iv (fun x _ => g0 x) Rlt_0_1.
  move=> H; have : 2 * 1 * 0 <= v by apply: H => [||x _]; [lra | lra | exact: g0].
  by have := Rabs_def2 _ _ Hv; lra.
split=> // cp cq; split=> [k0 x|E]; last first.
  have Z : is_KL_on_the_line p q 0.
    have Z0 : is_RInt_gen (fun x => scal 0 (p x)) (Rbar_locally m_infty) (Rbar_locally p_infty) (scal 0 1).
      by apply: is_RInt_gen_scal; case: Dp.
    rewrite -[0](Rmult_0_l 1); apply: (is_RInt_gen_ext (fun x => scal 0 (p x))) Z0.
    by apply: filter_forall => ab x _; rewrite E kl_term_equal /scal /= /mult /= Rmult_0_l.
  by rewrite -(is_RInt_gen_unique _ _ Ikl) (is_RInt_gen_unique _ _ Z).
case: (Req_dec (p x) (q x)) => // ne; exfalso.
have [c [h [c0 [h0 bump]]]] := excess_bump p q x (p0 x) (q0 x) (cp x) (cq x) ne.
have pos_h : 0 < 2 * h * c by apply: Rmult_lt_0_compat; lra.
have [a [b [v [Ha [Hb [Iv Hv]]]]]] := integral_over_large_intervals _ _ (2 * h * c) (Rabs x + h) I pos_h.
have := Rle_abs x; have := Rle_abs (- x); rewrite Rabs_Ropp => xm xp.
have := integral_of_a_bump a b v _ x h c Iv (fun x _ => g0 x) h0.
move=> H; have : 2 * h * c <= v.
  by apply: H => [||y Hy]; [lra | lra | exact (bump y Hy (p0 y) (q0 y) (ac y))].
by have := Rabs_def2 _ _ Hv; lra.
Qed.

(** Examples that satisfy the hypotheses: on two points, p = (1, 0) and q = (1/2, 1/2), so KL = log 2. *)
Definition point_mass (b : bool) : R := if b then 1 else 0.
Definition fair (b : bool) : R := 1 / 2.
Lemma point_mass_law : is_law point_mass.
Proof. by split; [case; rewrite /point_mass; lra | rewrite rsum_bool /point_mass; lra]. Qed.
Lemma fair_law : is_law fair.
Proof. by split; [move=> b; rewrite /fair; lra | rewrite rsum_bool /fair; lra]. Qed.
Lemma point_mass_abs_cont : abs_cont point_mass fair.
Proof. by move=> b; rewrite /fair; lra. Qed.
Definition kl_nonnegative_witness := kl_nonnegative _ point_mass fair point_mass_law fair_law point_mass_abs_cont.
(** On [0, 1], p = 1 and q = e^x / (e - 1), so the divergence is log(e - 1) - 1/2. *)
Definition kl_nonnegative_riemann_witness :=
  kl_nonnegative_riemann 0 1 flat_density tilted_density _ Rle_0_1
    flat_density_is_density tilted_density_is_density flat_tilted_abs_cont flat_tilted_KL.
Definition kl_zero_iff_equal_riemann_witness :=
  kl_zero_iff_equal_riemann 0 1 flat_density tilted_density _ Rle_0_1
    flat_density_is_density tilted_density_is_density flat_tilted_abs_cont flat_tilted_KL
    (fun x _ => continuous_const 1 x) (fun x _ => tilted_density_continuous x).

(** On the line: N(0, 1) from N(1, 1); log(p / q) = 1/2 - x, so the divergence is 1/2. *)
Lemma standard_normal_density m : is_density_on_the_line (normal_density_at m 1).
Proof.
split=> [x|].
  by left; apply: Rdiv_lt_0_compat; [exact: normal_density_gt0 | exact: Rlt_0_1].
apply: (is_RInt_gen_ext (fun x => normal_density_at m 1 x * 1)); last exact: normal_mean_one Rlt_0_1.
by apply: filter_forall => ab x _; rewrite Rmult_1_r.
Qed.
Lemma standard_normal_gt0 m x : 0 < normal_density_at m 1 x.
Proof. by apply: Rdiv_lt_0_compat; [exact: normal_density_gt0 | exact: Rlt_0_1]. Qed.
Lemma standard_normal_abs_cont x : normal_density_at 1 1 x = 0 -> normal_density_at 0 1 x = 0.
Proof. by have := standard_normal_gt0 1 x; lra. Qed.
Lemma standard_normal_KL : is_KL_on_the_line (normal_density_at 0 1) (normal_density_at 1 1) (1 / 2).
Proof.
have H := normal_mean_add _ _ _ _ _ _ (normal_mean_scale 0 1 (1 / 2) _ _ (normal_mean_one 0 1 Rlt_0_1))
  (normal_mean_scale 0 1 (-1) _ _ (normal_mean_identity 0 1 Rlt_0_1)).
have E : 1 / 2 * 1 + -1 * 0 = 1 / 2 by field.
rewrite E in H; apply: normal_mean_ext H => x.
have [P _] := sqrt_2PI; have e1 := exp_pos (- ((x - 0) / 1 * ((x - 0) / 1) / 2)).
have e2 := exp_pos (- ((x - 1) / 1 * ((x - 1) / 1) / 2)).
have -> : normal_density_at 0 1 x / normal_density_at 1 1 x = exp (1 / 2 - x).
  rewrite /normal_density_at /normal_density.
  have -> : exp (- ((x - 0) / 1 * ((x - 0) / 1) / 2)) = exp (1 / 2 - x) * exp (- ((x - 1) / 1 * ((x - 1) / 1) / 2)).
    by rewrite -exp_plus; congr exp; field.
  by field; lra.
by rewrite ln_exp; ring.
Qed.
Definition kl_nonnegative_on_the_line_witness :=
  kl_nonnegative_on_the_line (normal_density_at 0 1) (normal_density_at 1 1) _ (standard_normal_density 0)
    (standard_normal_density 1) standard_normal_abs_cont standard_normal_KL.
