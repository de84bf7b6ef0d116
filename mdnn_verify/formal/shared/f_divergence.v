(** The f-divergence of finite laws and of densities on an interval, and the line that supports a convex f at 1.    *)
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From MDNN.shared Require Import sums finite_laws convexity densities.
Local Open Scope R_scope.

(** D_f(p || q) = sum of q_i f(p_i / q_i).  A term with q_i = 0 is 0 here; with p_i = 0 as well that is the convention,
    and with p_i > 0 the right value may be another, so that p << q, or a reason why it is 0, has to be a hypothesis. *)
Definition f_divergence {I : finType} (f : R -> R) (p q : I -> R) : R := \rsum_i (q i * f (p i / q i)).

(** value is the f-divergence of the densities p and q: the Riemann integral of q f(p / q) over [a, b]. *)
Definition is_f_divergence (a b : R) (f p q : R -> R) (value : R) : Prop :=
  is_RInt (fun x => q x * f (p x / q x)) a b value.

(** The two generators of the Kullback-Leibler divergence. *)
Definition t_log_t (t : R) : R := t * ln t.
Definition minus_log_t (t : R) : R := - ln t.

Section SupportingLine.
Variables (D : R -> Prop) (f : R -> R).
Hypothesis f_convex : convex_on D f.

(** A chord that ends at (1, f(1)) from the left is at most as steep as one that starts there. *)
Lemma chords_at_1 x y : D x -> D y -> x < 1 -> 1 < y -> (f 1 - f x) / (1 - x) <= (f y - f 1) / (y - 1).
Proof.
move=> Dx Dy x1 y1; pose t := (y - 1) / (y - x).
have yx : 0 < y - x by lra.
have Ht : (y - x) * t = y - 1 by rewrite /t; field; lra.
have t01 : 0 <= t <= 1.
  split; first by apply: Rmult_le_pos; [lra | left; exact: Rinv_0_lt_compat].
  by apply: (Rmult_le_reg_l (y - x)) => //; rewrite Ht; lra.
have := f_convex x y t Dx Dy t01.
have -> : t * x + (1 - t) * y = 1 by rewrite /t; field; lra.
move=> H; have {}H : (y - x) * f 1 <= (y - 1) * f x + (1 - x) * f y.
  have -> : (y - 1) * f x + (1 - x) * f y = (y - x) * (t * f x + (1 - t) * f y) by rewrite /t; field; lra.
  by apply: Rmult_le_compat_l; lra.
apply: (Rmult_le_reg_l ((1 - x) * (y - 1))); first by apply: Rmult_lt_0_compat; lra.
have -> : (1 - x) * (y - 1) * ((f 1 - f x) / (1 - x)) = (y - 1) * (f 1 - f x) by field; lra.
have -> : (1 - x) * (y - 1) * ((f y - f 1) / (y - 1)) = (1 - x) * (f y - f 1) by field; lra.
lra.
Qed.

(** f has a supporting line at 1: its slope is the supremum of the slopes of the chords from the left. *)
Lemma supporting_line : D (/ 2) -> D 2 -> exists c, forall x, D x -> f 1 + c * (x - 1) <= f x.
Proof.
move=> D_half D_2; pose slope := fun z => exists x, D x /\ x < 1 /\ z = (f 1 - f x) / (1 - x).
have B : bound slope.
  by exists ((f 2 - f 1) / (2 - 1)) => z [x [Dx [x1 ->]]]; apply: chords_at_1 => //; lra.
have NE : exists z, slope z by exists ((f 1 - f (/ 2)) / (1 - / 2)), (/ 2); do 2 split=> //; lra.
have [c [c_bound c_least]] := completeness slope B NE.
exists c => x Dx; case: (Rtotal_order x 1) => [x1|[->|x1]].
- have H : (f 1 - f x) / (1 - x) <= c by apply: c_bound; exists x.
  have : (f 1 - f x) / (1 - x) * (1 - x) <= c * (1 - x) by apply: Rmult_le_compat_r; lra.
  have -> : (f 1 - f x) / (1 - x) * (1 - x) = f 1 - f x by field; lra.
  lra.
- lra.
- have H : c <= (f x - f 1) / (x - 1).
    by apply: c_least => z [y [Dy [y1 ->]]]; apply: chords_at_1.
  have : c * (x - 1) <= (f x - f 1) / (x - 1) * (x - 1) by apply: Rmult_le_compat_r; lra.
  have -> : (f x - f 1) / (x - 1) * (x - 1) = f x - f 1 by field; lra.
  lra.
Qed.
End SupportingLine.

(** t log t is convex on [0, oo). *)
Lemma convex_t_log_t : convex_on at_least_0 t_log_t.
Proof.
move=> x y t Hx Hy Ht; have m0 := convex_at_least_0 x y t Hx Hy Ht.
set m := t * x + (1 - t) * y in m0 *; rewrite /at_least_0 in Hx Hy m0; rewrite /t_log_t.
case: (Req_dec m 0) => [mz|mn].
  have tx : t * x = 0.
    have := Rmult_le_pos t x; have := Rmult_le_pos (1 - t) y; rewrite /m in mz; lra.
  have ty : (1 - t) * y = 0 by rewrite /m in mz; lra.
  by rewrite mz -!Rmult_assoc tx ty; lra.
have mp : 0 < m by lra.
have T z : 0 <= z -> z * ln m + (z - m) <= z * ln z.
  move=> Hz; case: (Req_dec z 0) => [->|zn]; first lra.
  have zp : 0 < z by lra.
  have [] := @kl_term_excess z m Hz (Rlt_le _ _ mp); first lra.
  by rewrite ln_mult ?ln_Rinv //; [lra | exact: Rinv_0_lt_compat].
have H1 : t * (x * ln m + (x - m)) <= t * (x * ln x) by apply: Rmult_le_compat_l; [lra | exact: T].
have H2 : (1 - t) * (y * ln m + (y - m)) <= (1 - t) * (y * ln y) by apply: Rmult_le_compat_l; [lra | exact: T].
have E : t * (x * ln m + (x - m)) + (1 - t) * (y * ln m + (y - m)) = m * ln m by rewrite /m; ring.
lra.
Qed.

(** -log t is convex on (0, oo). *)
Lemma convex_minus_log_t : convex_on above_0 minus_log_t.
Proof. exact: convex_minus_ln. Qed.

Lemma t_log_t_1 : t_log_t 1 = 0. Proof. by rewrite /t_log_t ln_1; lra. Qed.
Lemma minus_log_t_1 : minus_log_t 1 = 0. Proof. by rewrite /minus_log_t ln_1; lra. Qed.

(** The terms of the two divergences: q f(p/q) is p log(p/q) for f = t log t, and q log(q/p) for f = -log t. *)
Lemma t_log_t_term (u v : R) : (v = 0 -> u = 0) -> v * t_log_t (u / v) = u * ln (u / v).
Proof.
move=> uv; rewrite /t_log_t; case: (Req_dec v 0) => [vz|vn]; first by rewrite (uv vz) vz; lra.
by rewrite -Rmult_assoc; congr (_ * _); field.
Qed.

Lemma minus_log_t_term (u v : R) : 0 <= u -> 0 <= v -> (u = 0 -> v = 0) -> v * minus_log_t (u / v) = v * ln (v / u).
Proof.
move=> u0 v0 uv; rewrite /minus_log_t; case: (Req_dec v 0) => [->|vn]; first lra.
have up : 0 < u by case: (Req_dec u 0) => [/uv|]; lra.
have vp : 0 < v by lra.
rewrite -ln_Rinv; last exact: Rdiv_lt_0_compat.
by congr (_ * ln _); field; lra.
Qed.
