(** An f-divergence is never negative, for every convex f with f(1) = 0.

    For laws on a finite set, D_f(p || q) = sum of q_i f(p_i / q_i); for densities on [a, b] it is the Riemann
    integral of q f(p / q); a term or a point with q = 0 counts as 0.  convex_on at_least_0 f says that f is convex on
    [0, oo): then p << q is enough.  convex_on above_0 f says that f is convex on (0, oo), as -log t is, with no value
    at 0: then p must vanish exactly where q does, so that f is used at positive arguments only.

    Scope: every convex f, on [0, oo) or on (0, oo), with f(1) = 0, differentiable or not; all laws on any finite set,
    all densities on [a, b] for which the Riemann integral exists. Not proved here: densities on R^d, divergence
    +infinity.

    Source: seed 004, Problem 5(a).                                                                              *)
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From MDNN.shared Require Import sums finite_laws convexity densities f_divergence.
Local Open Scope R_scope.

(** At each point q f(p / q) is at least c (p - q), with c the slope of a supporting line of f at 1. *)
Lemma term_above_the_line (f : R -> R) (c u v : R) : f 1 = 0 -> 0 <= u -> 0 <= v -> (v = 0 -> u = 0) ->
  (0 < v -> f 1 + c * (u / v - 1) <= f (u / v)) -> c * (u - v) <= v * f (u / v).
Proof.
move=> f1 u0 v0 uv line; case: (Req_dec v 0) => [vz|vn]; first by rewrite (uv vz) vz; lra.
have vp : 0 < v by lra.
have H := line vp; rewrite f1 in H.
have -> : c * (u - v) = v * (0 + c * (u / v - 1)) by field.
exact: Rmult_le_compat_l.
Qed.

Lemma ratio_ge0 u v : 0 <= u -> 0 < v -> 0 <= u / v.
Proof. by move=> Hu Hv; apply: Rmult_le_pos => //; left; apply: Rinv_0_lt_compat. Qed.

Lemma half_and_2_nonneg : at_least_0 (/ 2) /\ at_least_0 2. Proof. by rewrite /at_least_0; lra. Qed.
Lemma half_and_2_pos : above_0 (/ 2) /\ above_0 2. Proof. by rewrite /above_0; lra. Qed.

Lemma sum_of_the_line (I : finType) (p q : I -> R) (c : R) : is_law p -> is_law q -> \rsum_i (c * (p i - q i)) = 0.
Proof. by move=> [_ p1] [_ q1]; rewrite -big_distrr /= rsumB p1 q1; lra. Qed.

(** For laws p << q on a finite set and f convex on [0, oo) with f(1) = 0: D_f(p || q) >= 0. *)
Theorem f_divergence_nonnegative (I : finType) (f : R -> R) (p q : I -> R) :
  convex_on at_least_0 f -> f 1 = 0 -> is_law p -> is_law q -> abs_cont p q -> 0 <= f_divergence f p q.
Proof.
move=> cf f1 Lp Lq ac; have [h1 h2] := half_and_2_nonneg.
have [c line] := supporting_line at_least_0 f cf h1 h2.
rewrite -(sum_of_the_line _ p q c Lp Lq); apply: rsum_le => i _.
apply: term_above_the_line => //; [exact: law_ge0 | exact: law_ge0 | exact: ac |].
by move=> qp; apply: line; apply: ratio_ge0 => //; exact: law_ge0.
Qed.

(** For laws p, q on a finite set that vanish at the same points and f convex on (0, oo) with f(1) = 0: D_f >= 0. *)
Theorem f_divergence_nonnegative_same_support (I : finType) (f : R -> R) (p q : I -> R) :
  convex_on above_0 f -> f 1 = 0 -> is_law p -> is_law q -> abs_cont p q -> abs_cont q p -> 0 <= f_divergence f p q.
Proof.
move=> cf f1 Lp Lq pq qp; have [h1 h2] := half_and_2_pos.
have [c line] := supporting_line above_0 f cf h1 h2.
rewrite -(sum_of_the_line _ p q c Lp Lq); apply: rsum_le => i _.
apply: term_above_the_line => //; [exact: law_ge0 | exact: law_ge0 | exact: pq |].
move=> q0; apply: line; apply: Rdiv_lt_0_compat => //.
by have := law_ge0 i Lp; case: (Req_dec (p i) 0) => [/qp|]; lra.
Qed.

(** For densities p << q on [a, b] whose f-divergence exists as a Riemann integral, with f convex on [0, oo) and
    f(1) = 0, it is not negative. *)
Theorem f_divergence_nonnegative_riemann (a b : R) (f p q : R -> R) (value : R) : a <= b ->
  convex_on at_least_0 f -> f 1 = 0 -> is_density a b p -> is_density a b q -> abs_cont_on a b p q ->
  is_f_divergence a b f p q value -> 0 <= value.
Proof.
move=> ab cf f1 [p0 Ip] [q0 Iq] ac Iv; have [h1 h2] := half_and_2_nonneg.
have [c line] := supporting_line at_least_0 f cf h1 h2.
have I0 := is_RInt_scal _ _ _ c _ (is_RInt_minus _ _ _ _ _ _ Ip Iq).
have -> : 0 = scal c (minus 1 1) by rewrite /scal /minus /plus /opp /= /mult /=; ring.
apply: (is_RInt_le _ _ _ _ _ _ ab I0 Iv) => x Hx.
rewrite /scal /minus /plus /opp /= /mult /=.
apply: term_above_the_line => //; [exact: p0 | exact: q0 | exact: ac |].
by move=> qp; apply: line; apply: ratio_ge0 => //; exact: p0.
Qed.

(** Examples that satisfy the hypotheses.  f(t) = |t - 1|, which has no derivative at 1, with p = (1, 0) and
    q = (1/2, 1/2): the value is 1, twice the total variation. *)
Definition distance_to_1 (t : R) : R := Rabs (t - 1).
Definition sure (b : bool) : R := if b then 1 else 0.
Definition biased (b : bool) : R := if b then 1 / 4 else 3 / 4.
Definition fair (b : bool) : R := 1 / 2.
Lemma sure_law : is_law sure. Proof. by split; [case; rewrite /sure; lra | rewrite rsum_bool /sure; lra]. Qed.
Lemma biased_law : is_law biased. Proof. by split; [case; rewrite /biased; lra | rewrite rsum_bool /biased; lra]. Qed.
Lemma fair_law : is_law fair. Proof. by split; [move=> b; rewrite /fair; lra | rewrite rsum_bool /fair; lra]. Qed.
Lemma sure_abs_cont : abs_cont sure fair. Proof. by move=> b; rewrite /fair; lra. Qed.
Lemma biased_abs_cont : abs_cont biased fair. Proof. by move=> b; rewrite /fair; lra. Qed.
Lemma fair_abs_cont : abs_cont fair biased. Proof. by case; rewrite /biased; lra. Qed.
Lemma distance_to_1_convex : convex_on at_least_0 distance_to_1.
Proof.
move=> x y t _ _ Ht; rewrite /distance_to_1.
have -> : t * x + (1 - t) * y - 1 = t * (x - 1) + (1 - t) * (y - 1) by ring.
apply: Rle_trans (Rabs_triang _ _) _.
by rewrite !Rabs_mult (Rabs_pos_eq t) ?(Rabs_pos_eq (1 - t)); lra.
Qed.
Lemma distance_to_1_at_1 : distance_to_1 1 = 0.
Proof. by rewrite /distance_to_1 Rminus_diag_eq // Rabs_R0. Qed.
Definition f_divergence_nonnegative_witness :=
  f_divergence_nonnegative _ distance_to_1 sure fair distance_to_1_convex distance_to_1_at_1
    sure_law fair_law sure_abs_cont.
Definition f_divergence_nonnegative_same_support_witness :=
  f_divergence_nonnegative_same_support _ minus_log_t biased fair convex_minus_log_t minus_log_t_1
    biased_law fair_law biased_abs_cont fair_abs_cont.

(** On [0, 1]: f(t) = t log t, p = 1 and q = e^x / (e - 1). *)
Lemma flat_tilted_f_divergence :
  is_f_divergence 0 1 t_log_t flat_density tilted_density (ln (exp 1 - 1) - 1 / 2).
Proof.
apply: (is_RInt_ext _ _ _ _ _ _ flat_tilted_KL) => x _.
by rewrite t_log_t_term //; have := tilted_density_gt0 x; lra.
Qed.
Definition f_divergence_nonnegative_riemann_witness :=
  f_divergence_nonnegative_riemann 0 1 t_log_t flat_density tilted_density _ Rle_0_1 convex_t_log_t t_log_t_1
    flat_density_is_density tilted_density_is_density flat_tilted_abs_cont flat_tilted_f_divergence.
