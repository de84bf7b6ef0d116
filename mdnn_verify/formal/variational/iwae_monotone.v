(** More samples never loosen the importance-weighted bound, and unless the weights are constant they tighten it.

    At one datum x, [joint z] is p(x, z) and [q z] is q(z | x) on a finite set Z of latent states; [weight joint q z] =
    p(x, z) / q(z | x), and [importance_bound joint q K] is VLB_K(x), the expectation of log((1/K) sum_k w(z_k)) over K
    independent draws from q. The definitions are in shared/means.v. [model_and_proposal] says that p(x, z) >= 0, q is a
    law, and p(x, z) > 0 wherever q(z | x) > 0, so that VLB_K is a number.

    The first theorem is about K positive numbers and the averages a_I over the subsets I of M of them: the mean of log
    a_I over all I is at most the logarithm of the average of all K. The second gives, for weights of at most b, VLB_K
    >= VLB_M + (1/M - 1/K)/2 * Var(w)/b^2, where Var(w) is the variance of the weight under q. The last two are the
    textbook's statement, VLB_K >= VLB_M for K >= M, and its strict form.

    Scope: every finite latent space, every p(x, z) >= 0 and every law q on it, all K >= M >= 1. Not proved here: latent
    spaces that are not finite.

    Source: seed 002, Problem 1(b). *)
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun finset binomial.
From MDNN.shared Require Import sums finite_laws convexity means.
Local Open Scope R_scope.

(** The variance of X under the law p: E (X - E X)^2. *)
Definition variance {I : finType} (p X : I -> R) : R := expectation p (fun i => (X i - expectation p X) ^ 2).

(** The mean of log a_I over all subsets I of M indices is at most log a, for K positive numbers: a_I is the average of
    the numbers with an index in I, and a the average of all of them. *)
Theorem mean_log_of_subset_averages_below_log_average (K M : nat) (u : 'I_K -> R) :
  (0 < M <= K)%N -> (forall k, 0 < u k) ->
  mean_over_subsets K M (fun A => ln (average_over A u)) <= ln (average u).
Proof.
move=> MK u0; have /andP [M0 _] := MK.
have C0 : 0 < INR 'C(K, M) by apply: INR_gt0; rewrite bin_gt0; case/andP: MK.
pose law (A : {set 'I_K}) := if #|A| == M then / INR 'C(K, M) else 0.
pose x (A : {set 'I_K}) := if #|A| == M then average_over A u else 1.
have E (f : {set 'I_K} -> R) : \rsum_A (law A * f A) = mean_over_subsets K M f.
  rewrite /mean_over_subsets /Rdiv Rmult_comm big_distrr /= [RHS]big_mkcond /=; apply: eq_bigr => A _.
  by rewrite /law; case: ifP => // _; ring.
have law_is_law : is_law law.
  split=> [A|]; first by rewrite /law; case: ifP => _; [left; exact: Rinv_0_lt_compat | right].
  rewrite (eq_bigr (fun A => law A * 1)) ?E; last by move=> A _; ring.
  rewrite /mean_over_subsets (eq_bigl (fun A => A \in [set A : {set 'I_K} | #|A| == M])); last first.
    by move=> A; rewrite !inE.
  have -> : \rsum_(A | A \in [set A : {set 'I_K} | #|A| == M]) 1 = INR #|[set A : {set 'I_K} | #|A| == M]|.
    by rewrite big_const; elim: #|_| => [|k IH]; rewrite ?iterS ?IH ?S_INR /=; lra.
  by rewrite card_draws card_ord; field; lra.
have x0 A : 0 < x A.
  rewrite /x; case: ifP => [/eqP AM|_]; last lra.
  have /card_gt0P [i iA] : (0 < #|A|)%N by rewrite AM.
  apply: Rdiv_lt_0_compat; last by rewrite AM; exact: INR_gt0.
  rewrite (bigD1 i) //=; apply: Rplus_lt_le_0_compat; first exact: u0.
  by apply: rsum_ge0 => j _; left.
have := jensen_ln _ law x law_is_law x0; rewrite !E /mean_over_subsets /x.
rewrite (eq_bigr (fun A => ln (average_over A u))); last by move=> A ->.
rewrite [X in _ <= ln (X / _) -> _](eq_bigr (fun A => average_over A u)); last by move=> A ->.
by rewrite -/(mean_over_subsets K M (fun A => average_over A u)) subset_averages_mean.
Qed.

(** On (0, b] a parabola that touches the logarithm at c lies above it: the logarithm is strongly concave there. *)
Lemma parabola_above_ln (t c b : R) : 0 < t <= b -> 0 < c <= b ->
  ln t <= ln c + (t - c) / c - (t - c) ^ 2 / (2 * b ^ 2).
Proof.
move=> [t0 tb] [c0 cb]; have b0 : 0 < b by lra.
pose g s := ln c + (s - c) / c - (s - c) ^ 2 / (2 * b ^ 2) - ln s.
pose dg s := (s - c) * (/ (c * s) - / (b * b)).
have low s : Rmin c t <= s -> 0 < s by rewrite /Rmin; case: Rle_dec; lra.
have Dg s : 0 < s -> is_derive g s (dg s).
  by move=> s0; rewrite /g /dg; auto_derive => //; field; repeat split; lra.
have [s [[sl sh] E]] : exists s, Rmin c t <= s <= Rmax c t /\ g t - g c = dg s * (t - c).
  apply: MVT_gen => s [sl sh]; first by apply: Dg; apply: low; lra.
  by apply/continuity_pt_filterlim; apply: ex_derive_continuous; exists (dg s); apply: Dg; exact: low.
have s0 := low s sl.
have sb : s <= b by move: sh; rewrite /Rmax; case: Rle_dec; lra.
have cs : 0 < c * s by apply: Rmult_lt_0_compat.
have slope : 0 <= / (c * s) - / (b * b).
  suff : / (b * b) <= / (c * s) by lra.
  by apply: Rinv_le_contravar => //; apply: Rmult_le_compat; lra.
have gc : g c = 0 by rewrite /g; field; lra.
suff : 0 <= g t by rewrite /g; lra.
have -> : g t = (s - c) * (t - c) * (/ (c * s) - / (b * b)).
  by have -> : g t = g t - g c; [lra | rewrite E /dg; ring].
apply: Rmult_le_pos => //.
move: sl sh; rewrite /Rmin /Rmax; case: Rle_dec => ct sl sh; first by apply: Rmult_le_pos; lra.
by have -> : (s - c) * (t - c) = (c - s) * (c - t); [ring | apply: Rmult_le_pos; lra].
Qed.

Lemma average_le K (u : 'I_K -> R) b : (0 < K)%N -> (forall k, u k <= b) -> average u <= b.
Proof.
move=> K0 ub; have n0 := INR_gt0 _ K0; apply: (Rmult_le_reg_r (INR K)) => //.
rewrite /average /Rdiv Rmult_assoc Rinv_l ?Rmult_1_r; last lra.
have S : \rsum_k u k <= \rsum_(k < K) b by apply: rsum_le.
by move: S; rewrite rsum_cst card_ord; lra.
Qed.

Lemma average_mono K (u v : 'I_K -> R) : (0 < K)%N -> (forall k, u k <= v k) -> average u <= average v.
Proof.
move=> K0 uv; apply: Rmult_le_compat_r; first by left; apply: Rinv_0_lt_compat; exact: INR_gt0.
by apply: rsum_le.
Qed.

Lemma average_add K (u v : 'I_K -> R) : average (fun k => u k + v k) = average u + average v.
Proof. by rewrite /average big_split /= /Rdiv; ring. Qed.

Lemma average_scale K (c : R) (u : 'I_K -> R) : average (fun k => c * u k) = c * average u.
Proof. by rewrite /average -big_distrr /= /Rdiv; ring. Qed.

Lemma average_const K (c : R) : (0 < K)%N -> average (fun _ : 'I_K => c) = c.
Proof. by move=> K0; have := INR_gt0 _ K0; rewrite /average rsum_cst card_ord => n0; field; lra. Qed.

Lemma average_ext K (u v : 'I_K -> R) : (forall k, u k = v k) -> average u = average v.
Proof. by move=> E; congr (_ / _); apply: eq_bigr => k _. Qed.

(** Leaving out one of K + 1 numbers from (0, b] costs the logarithm of their average this much on average. *)
Lemma cost_of_leaving_one_out K (u : 'I_K.+1 -> R) b : (0 < K)%N -> (forall k, 0 < u k <= b) ->
  average (fun j => ln (average (without j u))) + average (fun j => (u j - average u) ^ 2) / (2 * b ^ 2 * INR K ^ 2)
  <= ln (average u).
Proof.
move=> K0 ub; have k0 := INR_gt0 _ K0; pose a := average u.
have a0 : 0 < a by apply: average_gt0 => // k; have := ub k; lra.
have ab : a <= b by apply: average_le => // k; have := ub k; lra.
have b0 : 0 < b by lra.
have D j : average (without j u) = a + (a - u j) / INR K.
  rewrite average_without; have -> : \rsum_k u k = a * INR K.+1.
    by rewrite /a /average /Rdiv Rmult_assoc Rinv_l ?Rmult_1_r //; apply: Rgt_not_eq; exact: INR_gt0.
  by rewrite S_INR; field; lra.
have P j : ln (average (without j u)) <=
    ln a + (/ (a * INR K) * (a - u j) + - / (2 * b ^ 2 * INR K ^ 2) * (u j - a) ^ 2).
  have in_range : 0 < average (without j u) <= b.
    by split; [apply: average_gt0 | apply: average_le] => // k; have := ub (lift j k); rewrite /without; lra.
  have := parabola_above_ln _ a b in_range (conj a0 ab); rewrite D.
  have -> : (a + (a - u j) / INR K - a) / a = / (a * INR K) * (a - u j) by field; lra.
  have -> : (a + (a - u j) / INR K - a) ^ 2 / (2 * b ^ 2) = / (2 * b ^ 2 * INR K ^ 2) * (u j - a) ^ 2 by field; lra.
  by lra.
have := average_mono K.+1 _ _ isT P; rewrite !(average_add, average_scale, average_const) //.
have -> : average (fun j => - u j) = - a.
  by rewrite (average_ext _ _ (fun j => -1 * u j)) => [|j]; [rewrite average_scale -/a; ring | ring].
by rewrite -/a /Rdiv; lra.
Qed.

(** The average of n independent draws of mean 0 has the n-th part of their variance. *)
Lemma variance_of_average (Z : finType) (q f : Z -> R) n : is_law q -> (0 < n)%N -> expectation q f = 0 ->
  expectation (product_law (fun _ : 'I_n => q)) (fun z => average (fun k => f (z k)) ^ 2) =
  expectation q (fun z => f z ^ 2) / INR n.
Proof.
move=> Hq n0 f0; have n1 := INR_gt0 _ n0; pose P := product_law (fun _ : 'I_n => q).
transitivity (expectation P (fun z => / INR n ^ 2 * \rsum_j \rsum_k (f (z j) * f (z k)))).
  apply: eq_bigr => z _; congr (_ * _); rewrite -big_distrlr /average.
  set s := \rsum_k f (z k).
  by rewrite -[Rmult_muloid s s]/(s * s); field; lra.
rewrite expectation_scale expectation_sum (eq_bigr (fun=> expectation q (fun z => f z ^ 2))).
  by rewrite rsum_cst card_ord; field; lra.
move=> j _; rewrite expectation_sum (bigD1 j) //= big1 ?Rplus_0_r.
  rewrite (one_draw _ q n j (fun y => f y * f y) Hq); by apply: eq_bigr => y _; congr (_ * _); ring.
by move=> k jk; rewrite two_draws_independent ?f0 ?Rmult_0_l // eq_sym.
Qed.

(** The mean square deviation of K + 1 draws from their own average. *)
Lemma mean_square_deviation (Z : finType) (q w : Z -> R) n : is_law q -> (0 < n)%N ->
  expectation (product_law (fun _ : 'I_n => q))
    (fun z => average (fun j => (w (z j) - average (fun k => w (z k))) ^ 2)) = (1 - / INR n) * variance q w.
Proof.
move=> Hq n0; have n1 := INR_gt0 _ n0; pose f z := w z - expectation q w.
have HP : is_law (product_law (fun _ : 'I_n => q)) by apply: product_law_is_law.
have f0 : expectation q f = 0.
  have -> : expectation q f = expectation q w + expectation q (fun=> - expectation q w) by exact: expectation_add.
  by rewrite expectation_const //; ring.
have -> : variance q w = expectation q (fun z => f z ^ 2) by [].
rewrite Rmult_minus_distr_r Rmult_1_l [X in _ - X]Rmult_comm -/(Rdiv _ (INR n)).
rewrite -(variance_of_average _ _ _ _ Hq n0 f0) -(average_weight_mean _ _ (fun z => f z ^ 2) _ Hq n0).
set E1 := expectation _ (fun z : {ffun 'I_n -> Z} => average (fun k => f (z k) ^ 2)).
set E2 := expectation _ (fun z : {ffun 'I_n -> Z} => average (fun k => f (z k)) ^ 2).
have -> : E1 - E2 = E1 + -1 * E2 by ring.
rewrite /E1 /E2 -expectation_scale -expectation_add.
apply: eq_bigr => z _; congr (_ * _).
have A : average (fun k => f (z k)) = average (fun k => w (z k)) - expectation q w.
  rewrite /f (average_ext _ _ (fun k => w (z k) + -1 * expectation q w)) => [|k]; last ring.
  by rewrite average_add average_const //; ring.
set a := average (fun k => f (z k)) in A *; set m := average (fun k => w (z k)) in A *.
have -> : average (fun j => (w (z j) - m) ^ 2) = average (fun j => f (z j) ^ 2 + (- 2 * a * f (z j) + a ^ 2)).
  apply: average_ext => j; rewrite A /f; set y := w (z j).
  by ring.
by rewrite !average_add average_scale average_const // -/a; congr (_ + _); ring.
Qed.

(** One more sample gains at least Var(w) / (2 b^2 K (K + 1)). *)
Lemma gain_of_one_more_sample (Z : finType) (joint q : Z -> R) (K : nat) (b : R) :
  model_and_proposal joint q -> (0 < K)%N -> (forall z, 0 < q z -> weight joint q z <= b) ->
  importance_bound joint q K + (/ INR K - / INR K.+1) / 2 * (variance q (weight joint q) / b ^ 2)
  <= importance_bound joint q K.+1.
Proof.
move=> M K0 wb; have [_ [Hq jq]] := M; have [q0 _] := Hq; have k0 := INR_gt0 _ K0.
have HP : is_law (product_law (fun _ : 'I_K.+1 => q)) by apply: product_law_is_law.
have b0 : 0 < b.
  case: (Rlt_le_dec 0 b) => // b0; exfalso; have := evidence_gt0 _ _ _ M.
  have none z : q z = 0.
    case: (q0 z) => // qz; have := wb _ qz; have : 0 < weight joint q z by apply: Rdiv_lt_0_compat; auto.
    by lra.
  by have := law_sum1 Hq; rewrite rsum_const0 //; lra.
pose w := weight joint q; pose P := product_law (fun _ : 'I_K.+1 => q).
have E : importance_bound joint q K =
    expectation P (fun z => average (fun j => ln (average (without j (fun k => w (z k)))))).
  transitivity (/ INR K.+1 * \rsum_(j < K.+1) importance_bound joint q K).
    by rewrite rsum_cst card_ord; field; apply: Rgt_not_eq; exact: INR_gt0.
  rewrite (eq_bigr (fun j => expectation P (fun z => ln (average (without j (fun k => w (z k))))))).
    by rewrite -expectation_sum -expectation_scale; apply: eq_bigr => z _; rewrite /average /Rdiv; ring.
  move=> j _; rewrite /importance_bound -(sample_without_law _ _ _ j _ Hq); apply: eq_bigr => z _; congr (_ * ln _).
  by apply: average_ext => k; rewrite /without ffunE.
have -> : (/ INR K - / INR K.+1) / 2 * (variance q w / b ^ 2) =
    / (2 * b ^ 2 * INR K ^ 2) * ((1 - / INR K.+1) * variance q w).
  by rewrite S_INR; field; lra.
rewrite E -(mean_square_deviation _ _ _ K.+1 Hq isT) -expectation_scale -expectation_add.
apply: expectation_le => // z Pz.
have in_range k : 0 < w (z k) <= b.
  have qk := drawn_with_positive_probability _ _ _ z q0 Pz k.
  by split; [apply: Rdiv_lt_0_compat => //; exact: jq | exact: wb].
have := cost_of_leaving_one_out K (fun k => w (z k)) b K0 in_range.
by rewrite /Rdiv [X in _ + X <= _ -> _]Rmult_comm.
Qed.

(** VLB_K >= VLB_M + (1/M - 1/K)/2 * Var(w) / b^2 for K >= M >= 1, if no weight that q reaches exceeds b. *)
Theorem importance_bound_gain (Z : finType) (joint q : Z -> R) (M K : nat) (b : R) :
  model_and_proposal joint q -> (0 < M <= K)%N -> (forall z, 0 < q z -> weight joint q z <= b) ->
  importance_bound joint q M + (/ INR M - / INR K) / 2 * (variance q (weight joint q) / b ^ 2)
  <= importance_bound joint q K.
Proof.
move=> model /andP [M0 MK] wb; rewrite -(subnK MK); elim: (K - M)%N => [|n IH].
  by rewrite add0n; right; rewrite /Rminus Rplus_opp_r /Rdiv !Rmult_0_l Rplus_0_r.
have n0 : (0 < n + M)%N by rewrite addn_gt0 M0 orbT.
have := gain_of_one_more_sample _ _ _ _ b model n0 wb; rewrite addSn.
by move: IH; set v := variance _ _ / _; set x := / INR (n + M); set y := / INR (n + M).+1; lra.
Qed.

Lemma variance_ge0 (I : finType) (p X : I -> R) : is_law p -> 0 <= variance p X.
Proof. by move=> [p0 _]; apply: rsum_ge0 => i _; apply: Rmult_le_pos => //; exact: pow2_ge_0. Qed.

(** Some bound of the weights. *)
Lemma weights_bounded (Z : finType) (w : Z -> R) : exists b, 0 < b /\ forall z, w z <= b.
Proof.
have S z : w z <= \rsum_y Rabs (w y).
  apply: Rle_trans (Rle_abs _) _.
  by apply: (@rsum_term_le _ (fun y => Rabs (w y)) z) => y; exact: Rabs_pos.
exists (1 + \rsum_y Rabs (w y)); split=> [|z]; last by have := S z; lra.
have S0 : 0 <= \rsum_y Rabs (w y) by apply: rsum_ge0 => y _; exact: Rabs_pos.
lra.
Qed.

(** VLB_K >= VLB_M for K >= M >= 1. *)
Theorem importance_bound_monotone (Z : finType) (joint q : Z -> R) (M K : nat) :
  model_and_proposal joint q -> (0 < M <= K)%N -> importance_bound joint q M <= importance_bound joint q K.
Proof.
move=> model MK; have [b [b0 wb]] := weights_bounded _ (weight joint q).
have := importance_bound_gain _ _ _ _ _ b model MK (fun z _ => wb z).
have /andP [M0 MK'] := MK.
have v0 : 0 <= variance q (weight joint q) / b ^ 2.
  apply: Rmult_le_pos; first by apply: variance_ge0; case: model => _ [].
  by left; apply: Rinv_0_lt_compat; apply: pow_lt.
have less : 0 <= / INR M - / INR K.
  suff : / INR K <= / INR M by lra.
  by apply: Rinv_le_contravar; [exact: INR_gt0 | apply: le_INR; apply/leP].
by have := Rmult_le_pos _ _ less v0; lra.
Qed.

(** VLB_K > VLB_M for K > M >= 1 if q reaches two states with different weights. *)
Theorem importance_bound_strictly_monotone (Z : finType) (joint q : Z -> R) (M K : nat) (z1 z2 : Z) :
  model_and_proposal joint q -> (0 < M < K)%N -> 0 < q z1 -> 0 < q z2 -> weight joint q z1 <> weight joint q z2 ->
  importance_bound joint q M < importance_bound joint q K.
Proof.
move=> model /andP [M0 MK] q1 q2 differ; have [b [b0 wb]] := weights_bounded _ (weight joint q).
have MK' : (0 < M <= K)%N by rewrite M0 ltnW.
have := importance_bound_gain _ _ _ _ _ b model MK' (fun z _ => wb z).
have [_ [Hq _]] := model; have [q0 _] := Hq.
pose mu := expectation q (weight joint q).
have T z : 0 <= q z * (weight joint q z - mu) ^ 2 by apply: Rmult_le_pos => //; exact: pow2_ge_0.
have v0 : 0 < variance q (weight joint q) / b ^ 2.
  apply: Rdiv_lt_0_compat; last exact: pow_lt.
  case: (variance_ge0 _ _ (weight joint q) Hq) => // E; exfalso; apply: differ.
  have zero z : 0 < q z -> weight joint q z = mu.
    move=> qz; have := rsum_eq0 T (esym E) z.
    case/Rmult_integral; first by move=> H; lra.
    by rewrite /= Rmult_1_r => /Rmult_integral [H|H]; lra.
  by rewrite !zero.
have less : 0 < / INR M - / INR K.
  suff : / INR K < / INR M by lra.
  apply: Rinv_lt_contravar; last by apply: lt_INR; apply/ltP.
  by apply: Rmult_lt_0_compat; apply: INR_gt0 => //; exact: leq_ltn_trans MK.
by have := Rmult_lt_0_compat _ _ less v0; lra.
Qed.

(** Examples that satisfy the hypotheses: two latent states with p(x, z) = 1/4 and 1/8 and q = (1/2, 1/2), so the
    weights are 1/2 and 1/4; and the three numbers 1, 2, 3 with the subsets of two of them. *)
Definition two_states (z : bool) : R := if z then 1 / 4 else 1 / 8.
Definition coin (z : bool) : R := 1 / 2.
Definition one_two_three (k : 'I_3) : R := INR k.+1.
Lemma two_states_and_coin : model_and_proposal two_states coin.
Proof.
split; first by case; rewrite /two_states; lra.
split; last by case; rewrite /two_states; lra.
by split; [move=> z; rewrite /coin; lra | rewrite rsum_bool /coin; lra].
Qed.
Lemma weights_at_most_half z : 0 < coin z -> weight two_states coin z <= 1 / 2.
Proof. by move=> _; case: z; rewrite /weight /two_states /coin; lra. Qed.
Lemma coin_gt0 z : 0 < coin z.
Proof. by rewrite /coin; lra. Qed.
Lemma weights_differ : weight two_states coin true <> weight two_states coin false.
Proof. by rewrite /weight /two_states /coin; lra. Qed.
Lemma one_two_three_gt0 k : 0 < one_two_three k.
Proof. by apply: INR_gt0. Qed.

Definition mean_log_of_subset_averages_below_log_average_witness :=
  mean_log_of_subset_averages_below_log_average 3 2 one_two_three isT one_two_three_gt0.
Definition importance_bound_gain_witness :=
  importance_bound_gain _ two_states coin 2 5 (1 / 2) two_states_and_coin isT weights_at_most_half.
Definition importance_bound_monotone_witness := importance_bound_monotone _ two_states coin 2 5 two_states_and_coin isT.
Definition importance_bound_strictly_monotone_witness :=
  importance_bound_strictly_monotone _ two_states coin 2 5 true false two_states_and_coin isT
    (coin_gt0 true) (coin_gt0 false) weights_differ.
