(** The generalized inverse of any distribution function turns a uniform variable into a variable with that law.

    A distribution function F is nondecreasing, right-continuous, with limits 0 and 1; jumps and flat pieces are
    allowed. G(u) = inf {x : u < F(x)}.  The event {G(U) <= t}, for U uniform on (0, 1), is a set of levels u: it
    contains (0, F(t)) and is contained in (0, F(t)], so that its length, hence its probability, is F(t).  The same is
    proved for the variant inf {x : u <= F(x)}, for which the event is (0, F(t)] exactly (cut off at 1).  The
    probability of a set of levels is the Riemann integral over [0, 1] of its indicator.

    Scope: every distribution function F, every t; P(G(U) <= t) is the Riemann integral of the event's indicator. Not
    proved here: the same for Lebesgue's measure, which agrees on intervals.

    Source: seed 004, Problem 4.                                                                                 *)
Require Import Reals Lra Classical.
From Coquelicot Require Import Coquelicot.
Local Open Scope R_scope.

(** F is a distribution function. *)
Record is_cdf (F : R -> R) : Prop := {
  cdf_nondecreasing : forall x y, x <= y -> F x <= F y;
  cdf_right_continuous : forall x eps, 0 < eps -> exists d, 0 < d /\ forall y, x <= y < x + d -> F y < F x + eps;
  cdf_limit_0 : forall eps, 0 < eps -> exists A, forall x, x <= A -> - eps < F x < eps;
  cdf_limit_1 : forall eps, 0 < eps -> exists B, forall x, B <= x -> 1 - eps < F x < 1 + eps }.

(** m is the infimum of the set E: a lower bound, and the greatest one. *)
Definition is_inf (E : R -> Prop) (m : R) : Prop :=
  (forall x, E x -> m <= x) /\ (forall b, (forall x, E x -> b <= x) -> b <= m).

(** G is the generalized inverse of F on (0, 1): G(u) = inf {x : u < F(x)}; and the variant with u <= F(x). *)
Definition is_generalized_inverse (F G : R -> R) : Prop :=
  forall u, 0 < u < 1 -> is_inf (fun x => u < F x) (G u).
Definition is_left_generalized_inverse (F G : R -> R) : Prop :=
  forall u, 0 < u < 1 -> is_inf (fun x => u <= F x) (G u).

(** The probability that U, uniform on (0, 1), lies in the set E is p: a Riemann integral over [0, 1] of a function that
    is 1 on the points of (0, 1) in E and 0 on the others. *)
Definition is_probability (E : R -> Prop) (p : R) : Prop :=
  exists h : R -> R, (forall u, 0 < u < 1 -> (E u -> h u = 1) /\ (~ E u -> h u = 0)) /\ is_RInt h 0 1 p.

(** The points with u < F(x) or u <= F(x), for a level u in (0, 1): some point b is below all, some point a is one. *)
Lemma levels_are_bounded F u : is_cdf F -> 0 < u < 1 -> exists a b, u < F a /\ forall x, u <= F x -> b <= x.
Proof.
intros HF Hu.
destruct (cdf_limit_0 F HF u) as [A HA]; [lra|].
destruct (cdf_limit_1 F HF (1 - u)) as [B HB]; [lra|].
exists B, A; split; [generalize (HB B ltac:(lra)); lra|].
intros x Hx; destruct (Rle_lt_dec A x) as [|Hlt]; [assumption|].
exfalso; generalize (HA x ltac:(lra)); lra.
Qed.

Lemma infimum_of_levels F (E : R -> R -> Prop) : is_cdf F ->
  (forall u x, u < F x -> E u x) -> (forall u x, E u x -> u <= F x) ->
  exists G, forall u, 0 < u < 1 -> is_inf (E u) (G u).
Proof.
intros HF HE1 HE2.
assert (H : forall u, { g | 0 < u < 1 -> is_inf (E u) g }).
{ intros u; destruct (Rlt_dec 0 u) as [H0|H0]; [|exists 0; lra].
  destruct (Rlt_dec u 1) as [H1|H1]; [|exists 0; lra].
  assert (S : { m | is_inf (E u) m }).
  { destruct (completeness (fun y => E u (- y))) as [m [Hub Hlub]].
    - destruct (levels_are_bounded F u HF (conj H0 H1)) as (a & b & Ha & Hb).
      exists (- b); intros y Hy; generalize (Hb _ (HE2 _ _ Hy)); lra.
    - destruct (levels_are_bounded F u HF (conj H0 H1)) as (a & b & Ha & Hb).
      exists (- a); rewrite Ropp_involutive; apply HE1, Ha.
    - exists (- m); split.
      + intros x Hx; assert (- x <= m); [apply Hub; rewrite Ropp_involutive; exact Hx | lra].
      + intros c Hc; assert (m <= - c); [|lra].
        apply Hlub; intros y Hy; generalize (Hc _ Hy); lra. }
  destruct S as [g Hg]; exists g; intros _; exact Hg. }
exists (fun u => proj1_sig (H u)); intros u Hu; exact (proj2_sig (H u) Hu).
Qed.

(** Every distribution function has a generalized inverse, and the variant exists too. *)
Theorem generalized_inverses_exist (F : R -> R) : is_cdf F ->
  (exists G, is_generalized_inverse F G) /\ (exists G, is_left_generalized_inverse F G).
Proof.
intros HF; split.
- apply (infimum_of_levels F (fun u x => u < F x)); [exact HF | intros; assumption | intros; lra].
- apply (infimum_of_levels F (fun u x => u <= F x)); [exact HF | intros; lra | intros; assumption].
Qed.

Lemma cdf_range F t : is_cdf F -> 0 <= F t <= 1.
Proof.
intros HF; split; apply Rnot_lt_le; intros H.
- destruct (cdf_limit_0 F HF (- F t)) as [A HA]; [lra|].
  generalize (HA (Rmin A t) (Rmin_l _ _)) (cdf_nondecreasing F HF (Rmin A t) t (Rmin_r _ _)); lra.
- destruct (cdf_limit_1 F HF (F t - 1)) as [B HB]; [lra|].
  generalize (HB (Rmax B t) (Rmax_l _ _)) (cdf_nondecreasing F HF t (Rmax B t) (Rmax_r _ _)); lra.
Qed.

(** If a set of points x with u <= F(x) has an infimum g <= t, then u <= F(t): this needs right-continuity. *)
Lemma level_of_infimum F u g t (E : R -> Prop) : is_cdf F -> (forall x, E x -> u <= F x) ->
  is_inf E g -> g <= t -> u <= F t.
Proof.
intros HF HE [Hlb Hglb] Hgt.
destruct (Rle_lt_dec u (F t)) as [|Hlt]; [assumption|exfalso].
destruct (cdf_right_continuous F HF t (u - F t)) as [d [Hd HR]]; [lra|].
assert (t + d <= g); [|lra].
apply Hglb; intros x Hx; generalize (HE x Hx); intros Hux.
destruct (Rle_lt_dec (t + d) x) as [|Hx2]; [assumption|exfalso].
destruct (Rle_lt_dec t x).
- generalize (HR x ltac:(lra)); lra.
- generalize (cdf_nondecreasing F HF x t ltac:(lra)); lra.
Qed.

(** The level sets, for 0 < u < 1: u < F(t) implies G(u) <= t, and G(u) <= t implies u <= F(t). For the variant,
    G(u) <= t if and only if u <= F(t). *)
Theorem level_sets_of_the_inverses (F G L : R -> R) : is_cdf F ->
  is_generalized_inverse F G -> is_left_generalized_inverse F L ->
  forall u t, 0 < u < 1 -> (u < F t -> G u <= t) /\ (G u <= t -> u <= F t) /\ (L u <= t <-> u <= F t).
Proof.
intros HF HG HL u t Hu; split; [|split; [|split]].
- apply (proj1 (HG u Hu)).
- apply (level_of_infimum F u (G u) t (fun x => u < F x) HF); [intros; lra | exact (HG u Hu)].
- apply (level_of_infimum F u (L u) t (fun x => u <= F x) HF); [intros; lra | exact (HL u Hu)].
- apply (proj1 (HL u Hu)).
Qed.

(** A set of levels between (0, c) and (0, c] has probability c. *)
Lemma probability_of_levels (g : R -> R) (t c : R) : 0 <= c <= 1 ->
  (forall u, 0 < u < 1 -> (u < c -> g u <= t) /\ (g u <= t -> u <= c)) -> is_probability (fun u => g u <= t) c.
Proof.
intros Hc Hg; exists (fun u => if Rle_dec (g u) t then 1 else 0); split.
{ intros u _; destruct (Rle_dec (g u) t); split; tauto. }
assert (I1 : is_RInt (fun u => if Rle_dec (g u) t then 1 else 0) 0 c (scal (c - 0) 1)).
{ apply (is_RInt_ext (fun _ => 1)); [|apply (is_RInt_const 0 c 1)].
  rewrite Rmin_left, Rmax_right by lra; intros u Hu.
  destruct (Rle_dec (g u) t) as [|H]; [reflexivity|].
  exfalso; apply H, (Hg u ltac:(lra)); lra. }
assert (I2 : is_RInt (fun u => if Rle_dec (g u) t then 1 else 0) c 1 (scal (1 - c) 0)).
{ apply (is_RInt_ext (fun _ => 0)); [|apply (is_RInt_const c 1 0)].
  rewrite Rmin_left, Rmax_right by lra; intros u Hu.
  destruct (Rle_dec (g u) t) as [H|]; [|reflexivity].
  exfalso; generalize (proj2 (Hg u ltac:(lra)) H); lra. }
assert (I := is_RInt_Chasles _ _ _ _ _ _ I1 I2).
change (is_RInt (fun u => if Rle_dec (g u) t then 1 else 0) 0 1 ((c - 0) * 1 + (1 - c) * 0)) in I.
replace ((c - 0) * 1 + (1 - c) * 0) with c in I by ring; exact I.
Qed.

(** P(G(U) <= t) = F(t) for U uniform on (0, 1) and every t, where G(u) = inf {x : u < F(x)}. *)
Theorem generalized_inverse_has_law_F (F G : R -> R) : is_cdf F -> is_generalized_inverse F G ->
  forall t, is_probability (fun u => G u <= t) (F t).
Proof.
intros HF HG t; apply probability_of_levels; [apply cdf_range, HF|]; intros u Hu; split.
- apply (proj1 (HG u Hu)).
- apply (level_of_infimum F u (G u) t (fun x => u < F x) HF); [intros; lra | exact (HG u Hu)].
Qed.

(** The same for the variant inf {x : u <= F(x)}. *)
Theorem left_generalized_inverse_has_law_F (F L : R -> R) : is_cdf F -> is_left_generalized_inverse F L ->
  forall t, is_probability (fun u => L u <= t) (F t).
Proof.
intros HF HL t; apply probability_of_levels; [apply cdf_range, HF|]; intros u Hu; split.
- intros H; apply (proj1 (HL u Hu)); lra.
- apply (level_of_infimum F u (L u) t (fun x => u <= F x) HF); [intros; lra | exact (HL u Hu)].
Qed.

(** An example that satisfies the hypotheses, with jumps and a flat piece: 0 and 1 with chance 1/2 each. *)
Definition fair_cdf (x : R) : R := if Rlt_dec x 0 then 0 else if Rlt_dec x 1 then 1 / 2 else 1.
Definition fair_inverse (u : R) : R := if Rlt_dec u (1 / 2) then 0 else 1.
Definition fair_left_inverse (u : R) : R := if Rle_dec u (1 / 2) then 0 else 1.

Lemma fair_cdf_is_cdf : is_cdf fair_cdf.
Proof.
split; unfold fair_cdf.
- intros x y H; destruct (Rlt_dec x 0), (Rlt_dec x 1), (Rlt_dec y 0), (Rlt_dec y 1); lra.
- intros x e He; destruct (Rlt_dec x 0) as [H|H]; [|destruct (Rlt_dec x 1) as [H1|H1]].
  + exists (- x); split; [lra|]; intros y Hy; destruct (Rlt_dec y 0), (Rlt_dec y 1); lra.
  + exists (1 - x); split; [lra|]; intros y Hy; destruct (Rlt_dec y 0), (Rlt_dec y 1); lra.
  + exists 1; split; [lra|]; intros y Hy; destruct (Rlt_dec y 0), (Rlt_dec y 1); lra.
- intros e He; exists (- 1); intros x Hx; destruct (Rlt_dec x 0); lra.
- intros e He; exists 1; intros x Hx; destruct (Rlt_dec x 0), (Rlt_dec x 1); lra.
Qed.

Lemma fair_inverse_is_inverse : is_generalized_inverse fair_cdf fair_inverse.
Proof.
intros u Hu; unfold fair_inverse, fair_cdf; destruct (Rlt_dec u (1 / 2)); split.
- intros x; destruct (Rlt_dec x 0); lra.
- intros b Hb; apply Hb; destruct (Rlt_dec 0 0), (Rlt_dec 0 1); lra.
- intros x; destruct (Rlt_dec x 0), (Rlt_dec x 1); lra.
- intros b Hb; apply Hb; destruct (Rlt_dec 1 0), (Rlt_dec 1 1); lra.
Qed.

Lemma fair_left_inverse_is_inverse : is_left_generalized_inverse fair_cdf fair_left_inverse.
Proof.
intros u Hu; unfold fair_left_inverse, fair_cdf; destruct (Rle_dec u (1 / 2)); split.
- intros x; destruct (Rlt_dec x 0); lra.
- intros b Hb; apply Hb; destruct (Rlt_dec 0 0), (Rlt_dec 0 1); lra.
- intros x; destruct (Rlt_dec x 0), (Rlt_dec x 1); lra.
- intros b Hb; apply Hb; destruct (Rlt_dec 1 0), (Rlt_dec 1 1); lra.
Qed.

Lemma half_in_unit_interval : 0 < 1 / 2 < 1.
Proof. lra. Qed.

Definition generalized_inverses_exist_witness := generalized_inverses_exist fair_cdf fair_cdf_is_cdf.
Definition level_sets_of_the_inverses_witness :=
  level_sets_of_the_inverses fair_cdf fair_inverse fair_left_inverse fair_cdf_is_cdf
    fair_inverse_is_inverse fair_left_inverse_is_inverse (1 / 2) 0 half_in_unit_interval.
Definition generalized_inverse_has_law_F_witness :=
  generalized_inverse_has_law_F fair_cdf fair_inverse fair_cdf_is_cdf fair_inverse_is_inverse 0.
Definition left_generalized_inverse_has_law_F_witness :=
  left_generalized_inverse_has_law_F fair_cdf fair_left_inverse fair_cdf_is_cdf fair_left_inverse_is_inverse 0.
