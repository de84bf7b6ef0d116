(** Convex functions on a convex set of reals, Jensen's inequality for finite laws, and the logarithm's concavity.  *)
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
Require Import Reals Lra.
From MDNN.shared Require Import sums finite_laws.
Local Open Scope R_scope.

(** The set D is convex: it contains the points between any two of its points. *)
Definition convex_set (D : R -> Prop) : Prop :=
  forall x y t, D x -> D y -> 0 <= t <= 1 -> D (t * x + (1 - t) * y).

(** f is convex on D: between two points of D its graph lies on or below the chord. *)
Definition convex_on (D : R -> Prop) (f : R -> R) : Prop :=
  forall x y t, D x -> D y -> 0 <= t <= 1 -> f (t * x + (1 - t) * y) <= t * f x + (1 - t) * f y.

(** The half-lines [0, oo) and (0, oo). *)
Definition at_least_0 (x : R) : Prop := 0 <= x.
Definition above_0 (x : R) : Prop := 0 < x.

Lemma convex_at_least_0 : convex_set at_least_0.
Proof.
move=> x y t; rewrite /at_least_0 => Hx Hy Ht.
have := Rmult_le_pos t x; have := Rmult_le_pos (1 - t) y; lra.
Qed.

Lemma convex_above_0 : convex_set above_0.
Proof.
move=> x y t; rewrite /above_0 => Hx Hy [H0 H1].
case: (Req_dec t 0) => [->|n0]; first lra.
have : 0 < t * x by apply: Rmult_lt_0_compat; lra.
have : 0 <= (1 - t) * y by apply: Rmult_le_pos; lra.
lra.
Qed.

(** A weighted mean of points of D with weights of sum W > 0 lies in D, and f of it is at most the mean of f. *)
Lemma jensen_seq (T : Type) (D : R -> Prop) f (w x : T -> R) : convex_set D -> convex_on D f ->
  (forall i, 0 <= w i) -> (forall i, D (x i)) -> forall s : seq T,
  let W := \rsum_(i <- s) w i in 0 < W ->
  D ((\rsum_(i <- s) (w i * x i)) / W) /\
  f ((\rsum_(i <- s) (w i * x i)) / W) <= (\rsum_(i <- s) (w i * f (x i))) / W.
Proof.
move=> cD cf w0 Dx; elim => [|a s IH] W; first by rewrite /W big_nil; lra.
rewrite /W !big_cons {W} => W0.
have S0 : 0 <= \rsum_(i <- s) w i by apply: rsum_ge0 => i _; exact: w0.
have wa := w0 a.
case: (Req_dec (\rsum_(i <- s) w i) 0) => [Z|NZ].
  have Zx (g : T -> R) : \rsum_(i <- s) (w i * g i) = 0.
    elim: (s) Z => [|b r IHr]; first by rewrite !big_nil.
    rewrite !big_cons => Zb; have wb := w0 b.
    have r0 : 0 <= \rsum_(i <- r) w i by apply: rsum_ge0 => i _; exact: w0.
    by rewrite IHr; [have -> : w b = 0 by lra|]; lra.
  rewrite (Zx x) (Zx (fun i => f (x i))) Z !Rplus_0_r; rewrite Z Rplus_0_r in W0.
  have -> : w a * x a / w a = x a by field; lra.
  have -> : w a * f (x a) / w a = f (x a) by field; lra.
  by split; [exact: Dx | lra].
set V := \rsum_(i <- s) w i in IH S0 NZ W0 *.
have V0 : 0 < V by lra.
have [DI fI] := IH V0.
set A := \rsum_(i <- s) (w i * x i) in DI fI *; set B := \rsum_(i <- s) (w i * f (x i)) in fI *.
pose t := w a / (w a + V).
have t1 : 0 <= t <= 1.
  split; first by apply: Rmult_le_pos => //; left; apply: Rinv_0_lt_compat.
  apply: (Rmult_le_reg_r (w a + V)) => //; rewrite /t /Rdiv Rmult_assoc Rinv_l; lra.
have E : (w a * x a + A) / (w a + V) = t * x a + (1 - t) * (A / V) by rewrite /t; field; lra.
rewrite E; split; first exact: cD.
apply: Rle_trans; first by apply: cf => //.
have -> : (w a * f (x a) + B) / (w a + V) = t * f (x a) + (1 - t) * (B / V) by rewrite /t; field; lra.
apply: Rplus_le_compat_l; apply: Rmult_le_compat_l; [lra | exact: fI].
Qed.

(** Jensen's inequality for a law w: f(E x) <= E f(x). *)
Lemma jensen_law (I : finType) (D : R -> Prop) f (w x : I -> R) : convex_set D -> convex_on D f ->
  is_law w -> (forall i, D (x i)) ->
  D (\rsum_i (w i * x i)) /\ f (\rsum_i (w i * x i)) <= \rsum_i (w i * f (x i)).
Proof.
move=> cD cf [w0 w1] Dx.
have := @jensen_seq I D f w x cD cf w0 Dx (index_enum I).
have D1 (z : R) : z / 1 = z by field.
rewrite /= w1 !D1; apply; lra.
Qed.

(** -log is convex on (0, oo): the graph of log lies under each of its tangents. *)
Lemma convex_minus_ln : convex_on above_0 (fun x => - ln x).
Proof.
move=> x y t Hx Hy Ht; have m0 := convex_above_0 x y t Hx Hy Ht.
set m := t * x + (1 - t) * y in m0 *; rewrite /above_0 in Hx Hy m0.
have T z : 0 < z -> ln z <= ln m + (z / m - 1).
  move=> Hz; have Hzm : 0 < z / m by apply: Rdiv_lt_0_compat.
  have -> : ln z = ln m + ln (z / m) by rewrite -ln_mult //; congr ln; field; lra.
  have := ln_le_sub1 Hzm; lra.
have Tx := T x Hx; have Ty := T y Hy.
have H1 : t * ln x <= t * (ln m + (x / m - 1)) by apply: Rmult_le_compat_l; lra.
have H2 : (1 - t) * ln y <= (1 - t) * (ln m + (y / m - 1)) by apply: Rmult_le_compat_l; lra.
have E : t * (ln m + (x / m - 1)) + (1 - t) * (ln m + (y / m - 1)) = ln m.
  have -> : t * (ln m + (x / m - 1)) + (1 - t) * (ln m + (y / m - 1)) = ln m + ((t * x + (1 - t) * y) / m - 1).
    by field; lra.
  by rewrite -/m /Rdiv Rinv_r; lra.
lra.
Qed.

(** E log x <= log E x for positive x. *)
Lemma jensen_ln (I : finType) (w x : I -> R) : is_law w -> (forall i, 0 < x i) ->
  \rsum_i (w i * ln (x i)) <= ln (\rsum_i (w i * x i)).
Proof.
move=> Hw Hx; have [_ H] := @jensen_law I above_0 _ w x convex_above_0 convex_minus_ln Hw Hx.
have E : \rsum_i (w i * - ln (x i)) = - \rsum_i (w i * ln (x i)).
  by rewrite -rsumN; apply: eq_bigr => i _; lra.
move: H; rewrite E; lra.
Qed.
