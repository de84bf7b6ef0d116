(** Averages over independent samples and over subsets of them, and the importance-weighted bound that is made of them.

    The latent space is a finite set Z. At one datum x, [joint z] stands for p(x, z) and [q z] for q(z | x); a sample
    of K independent draws from q is a function z from the indices 0, ..., K - 1 to Z, and its probability is the
    product of the q (z k). *)
Require Import Reals Lra.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finfun finset binomial.
From MDNN.shared Require Import sums finite_laws.
Local Open Scope R_scope.

(** The average of K numbers. *)
Definition average {K : nat} (a : 'I_K -> R) : R := (\rsum_k a k) / INR K.

(** The importance weight w(z) = p(x, z) / q(z | x). *)
Definition weight {Z : finType} (joint q : Z -> R) (z : Z) : R := joint z / q z.

(** The likelihood p(x) = sum over z of p(x, z), and the posterior p(z | x) = p(x, z) / p(x). *)
Definition evidence {Z : finType} (joint : Z -> R) : R := \rsum_z joint z.
Definition posterior {Z : finType} (joint : Z -> R) (z : Z) : R := joint z / evidence joint.

(** VLB_K(x) = E log((1/K) sum_k w(z_k)), the expectation over K independent draws z_1, ..., z_K from q. *)
Definition importance_bound {Z : finType} (joint q : Z -> R) (K : nat) : R :=
  expectation (product_law (fun _ : 'I_K => q)) (fun z => ln (average (fun k => weight joint q (z k)))).

(** A model and a q for which VLB_K is a number: p(x, z) is nowhere negative, q is a law, and q only reaches such z as
    have p(x, z) > 0. (Otherwise an average weight of 0 would make VLB_K minus infinity.) *)
Definition model_and_proposal {Z : finType} (joint q : Z -> R) : Prop :=
  (forall z, 0 <= joint z) /\ is_law q /\ (forall z, 0 < q z -> 0 < joint z).

(** Helper lemmas. *)
Lemma INR_gt0 K : (0 < K)%N -> 0 < INR K.
Proof. by move=> K0; apply: lt_0_INR; apply/ltP. Qed.

(** Two of the K draws are independent: E f(z_j) g(z_k) = E f E g for j <> k. *)
Lemma two_draws_independent (Z : finType) (q : Z -> R) K (j k : 'I_K) (f g : Z -> R) : is_law q -> j != k ->
  expectation (product_law (fun _ : 'I_K => q)) (fun z => f (z j) * g (z k)) = expectation q f * expectation q g.
Proof.
move=> [_ q1] jk; have kj : (k == j) = false by rewrite eq_sym; exact: negbTE.
rewrite /expectation /product_law.
transitivity (\rsum_(z : {ffun 'I_K -> Z})
   \rprod_l (q (z l) * (if l == j then f (z l) else if l == k then g (z l) else 1))).
  apply: eq_bigr => z _; rewrite big_split /=; congr (_ * _).
  rewrite (bigD1 j) //= eqxx (bigD1 k) /=; last by rewrite kj.
  by rewrite kj eqxx big1 ?Rmult_1_r // => l /andP [/negbTE -> /negbTE ->].
rewrite -(bigA_distr_bigA (fun l i => q i * (if l == j then f i else if l == k then g i else 1))).
rewrite (bigD1 j) //= (bigD1 k) /=; last by rewrite kj.
rewrite [X in _ * (_ * X)]big1 ?Rmult_1_r.
  by congr (_ * _); apply: eq_bigr => i _; rewrite ?kj eqxx.
by move=> l /andP [/negbTE nj /negbTE nk]; rewrite -[RHS]q1; apply: eq_bigr => i _; rewrite nj nk Rmult_1_r.
Qed.

(** One draw has the law q. *)
Lemma one_draw (Z : finType) (q : Z -> R) K (k : 'I_K) (f : Z -> R) : is_law q ->
  expectation (product_law (fun _ : 'I_K => q)) (fun z => f (z k)) = expectation q f.
Proof. by move=> Hq; apply: (product_law_marginal (fun _ : 'I_K => q)) => l. Qed.

Lemma expectation_sum (I : finType) (p : I -> R) (J : finType) (X : J -> I -> R) :
  expectation p (fun i => \rsum_j X j i) = \rsum_j expectation p (X j).
Proof.
rewrite /expectation exchange_big /=; apply: eq_bigr => i _; by rewrite big_distrr.
Qed.

Lemma expectation_scale (I : finType) (p : I -> R) (c : R) (X : I -> R) :
  expectation p (fun i => c * X i) = c * expectation p X.
Proof. by rewrite /expectation big_distrr /=; apply: eq_bigr => i _; ring. Qed.

Lemma expectation_add (I : finType) (p X Y : I -> R) :
  expectation p (fun i => X i + Y i) = expectation p X + expectation p Y.
Proof. by rewrite /expectation -big_split /=; apply: eq_bigr => i _; ring. Qed.

Lemma expectation_const (I : finType) (p : I -> R) (c : R) : is_law p -> expectation p (fun=> c) = c.
Proof. by move=> [_ p1]; rewrite /expectation -big_distrl /= p1 Rmult_1_l. Qed.

Lemma expectation_ext (I : finType) (p X Y : I -> R) : (forall i, 0 < p i -> X i = Y i) -> is_law p ->
  expectation p X = expectation p Y.
Proof.
move=> E [p0 _]; apply: eq_bigr => i _.
by case: (p0 i) => [/E -> //|<-]; rewrite !Rmult_0_l.
Qed.

Lemma expectation_le (I : finType) (p X Y : I -> R) : (forall i, 0 < p i -> X i <= Y i) -> is_law p ->
  expectation p X <= expectation p Y.
Proof.
move=> E [p0 _]; apply: rsum_le => i _.
by case: (p0 i) => [pi|<-]; [apply: Rmult_le_compat_l; [lra | exact: E] | rewrite !Rmult_0_l; lra].
Qed.

(** A sample of positive probability consists of draws of positive probability. *)
Lemma drawn_with_positive_probability (Z : finType) (q : Z -> R) K (z : {ffun 'I_K -> Z}) : (forall i, 0 <= q i) ->
  0 < product_law (fun _ : 'I_K => q) z -> forall k, 0 < q (z k).
Proof.
move=> q0 P k; case: (q0 (z k)) => // E; exfalso.
by move: P; rewrite /product_law (bigD1 k) //= -E Rmult_0_l; lra.
Qed.

Lemma average_gt0 K (a : 'I_K -> R) : (0 < K)%N -> (forall k, 0 < a k) -> 0 < average a.
Proof.
move=> K0 a0; apply: Rdiv_lt_0_compat; last exact: INR_gt0.
by apply: (@rsum_gt0 _ a (Ordinal K0)) => [k|]; [left; exact: a0 | exact: a0].
Qed.

(** The average weight of a sample of positive probability is positive. *)
Lemma average_weight_gt0 (Z : finType) (joint q : Z -> R) K (z : {ffun 'I_K -> Z}) : model_and_proposal joint q ->
  (0 < K)%N -> 0 < product_law (fun _ : 'I_K => q) z -> 0 < average (fun k => weight joint q (z k)).
Proof.
move=> [_ [[q0 _] jq]] K0 P; apply: average_gt0 => // k.
have qk := drawn_with_positive_probability _ _ _ z q0 P k.
by apply: Rdiv_lt_0_compat => //; exact: jq.
Qed.

(** The average of K weights has the mean E w. *)
Lemma average_weight_mean (Z : finType) (q : Z -> R) (w : Z -> R) K : is_law q -> (0 < K)%N ->
  expectation (product_law (fun _ : 'I_K => q)) (fun z => average (fun k => w (z k))) = expectation q w.
Proof.
move=> Hq K0; have n0 := INR_gt0 _ K0; rewrite /average.
transitivity (/ INR K * expectation (product_law (fun _ : 'I_K => q)) (fun z => \rsum_k w (z k))).
  by rewrite -expectation_scale; apply: eq_bigr => z _; rewrite /Rdiv; ring.
rewrite (expectation_sum _ _ _ (fun k (z : {ffun 'I_K -> Z}) => w (z k))).
rewrite (eq_bigr (fun=> expectation q w)); last by move=> k _; exact: one_draw.
by rewrite rsum_cst card_ord; field; lra.
Qed.

(** What the draws reach of p(x): E w is the sum of p(x, z) over the z with q(z | x) > 0, so at most p(x). *)
Lemma mean_weight_le_evidence (Z : finType) (joint q : Z -> R) : model_and_proposal joint q ->
  expectation q (weight joint q) <= evidence joint /\
  (expectation q (weight joint q) = evidence joint -> forall z, q z = 0 -> joint z = 0).
Proof.
move=> [j0 [[q0 _] _]].
have D z : 0 <= joint z - q z * weight joint q z /\ (q z = 0 -> joint z - q z * weight joint q z = joint z).
  rewrite /weight; case: (q0 z) => [qz|E]; last by rewrite -E; have := j0 z; split; [lra | move=> _; lra].
  have -> : q z * (joint z / q z) = joint z by field; lra.
  by split; [lra | move=> ?; lra].
have E : \rsum_z (joint z - q z * weight joint q z) = evidence joint - expectation q (weight joint q).
  by rewrite rsumB.
split; first by have := @rsum_ge0 _ (index_enum Z) predT _ (fun z _ => proj1 (D z)); rewrite E; lra.
move=> same z qz; rewrite same Rminus_diag_eq // in E.
by rewrite -(proj2 (D z) qz); apply: (rsum_eq0 (fun z => proj1 (D z)) E).
Qed.

Lemma evidence_gt0 (Z : finType) (joint q : Z -> R) : model_and_proposal joint q -> 0 < evidence joint.
Proof.
move=> [j0 [[q0 q1] jq]].
case: (Rlt_le_dec 0 (evidence joint)) => // le0; exfalso.
have ev0 : 0 <= evidence joint by apply: rsum_ge0 => z _; exact: j0.
have E0 : evidence joint = 0 by lra.
have z0 z : q z = 0.
  by case: (q0 z) => // /jq; rewrite (rsum_eq0 j0 E0 z); lra.
by move: q1; rewrite rsum_const0 //; lra.
Qed.

(** The tangent of the logarithm at c lies above it: log t <= t/c - 1 + log c. *)
Lemma tangent_above_ln (t c : R) : 0 < t -> 0 < c -> ln t <= t / c - 1 + ln c.
Proof.
move=> t0 c0; have tc : 0 < t / c by apply: Rdiv_lt_0_compat.
have -> : ln t = ln (t / c) + ln c by rewrite -ln_mult //; congr ln; field; lra.
have := ln_le_sub1 tc; lra.
Qed.

(** It touches it only there. *)
Lemma tangent_touches_once (t c : R) : 0 < t -> 0 < c -> ln t = t / c - 1 + ln c -> t = c.
Proof.
move=> t0 c0 E; have tc : 0 < t / c by apply: Rdiv_lt_0_compat.
case: (Req_dec (t / c) 1) => [one|other].
  by have -> : t = t / c * c by [field; lra]; rewrite one; ring.
have := ln_lt_sub1 tc other.
have : ln t = ln (t / c) + ln c by rewrite -ln_mult //; congr ln; field; lra.
lra.
Qed.

(** The expectation of the tangent at c = p(x), taken at the average weight. *)
Lemma expected_tangent (Z : finType) (joint q : Z -> R) (K : nat) : model_and_proposal joint q -> (0 < K)%N ->
  expectation (product_law (fun _ : 'I_K => q))
    (fun z => average (fun k => weight joint q (z k)) / evidence joint - 1 + ln (evidence joint)) =
  expectation q (weight joint q) / evidence joint - 1 + ln (evidence joint).
Proof.
move=> M K0; have [_ [Hq _]] := M; have c0 := evidence_gt0 _ _ _ M.
have HP : is_law (product_law (fun _ : 'I_K => q)) by apply: product_law_is_law.
rewrite -(average_weight_mean _ _ (weight joint q) _ Hq K0).
set c := evidence joint; set l := ln c; set A := expectation _ (fun z => average _).
have -> : A / c - 1 + l = / c * A + (l - 1) by rewrite /Rdiv; ring.
rewrite -(expectation_const _ _ (l - 1) HP) -expectation_scale -expectation_add.
by apply: eq_bigr => z _; congr (_ * _); rewrite /Rdiv; ring.
Qed.

(** VLB_K(x) <= log p(x). *)
Lemma importance_bound_le (Z : finType) (joint q : Z -> R) (K : nat) :
  model_and_proposal joint q -> (0 < K)%N -> importance_bound joint q K <= ln (evidence joint).
Proof.
move=> M K0; have [_ [Hq _]] := M; have c0 := evidence_gt0 _ _ _ M.
have HP : is_law (product_law (fun _ : 'I_K => q)) by apply: product_law_is_law.
apply: Rle_trans (_ : expectation q (weight joint q) / evidence joint - 1 + ln (evidence joint) <= _).
  rewrite -(expected_tangent _ _ _ K M K0); apply: expectation_le => // z Pz.
  by apply: tangent_above_ln => //; exact: average_weight_gt0.
have [le _] := mean_weight_le_evidence _ _ _ M.
have := Rmult_le_compat_r _ _ _ (Rlt_le _ _ (Rinv_0_lt_compat _ c0)) le; rewrite Rinv_r; rewrite /Rdiv; lra.
Qed.

(** VLB_K(x) = log p(x) exactly if q is the posterior. *)
Lemma importance_bound_eq_iff (Z : finType) (joint q : Z -> R) (K : nat) :
  model_and_proposal joint q -> (0 < K)%N ->
  (importance_bound joint q K = ln (evidence joint) <-> forall z, q z = posterior joint z).
Proof.
move=> M K0; have [j0 [Hq jq]] := M; have [q0 q1] := Hq; have c0 := evidence_gt0 _ _ _ M.
have HP : is_law (product_law (fun _ : 'I_K => q)) by apply: product_law_is_law.
have n0 := INR_gt0 _ K0.
pose P := product_law (fun _ : 'I_K => q); pose c := evidence joint.
rewrite -/c in c0.
pose a (z : {ffun 'I_K -> Z}) := average (fun k => weight joint q (z k)).
split=> [tight|same]; last first.
  have W y : 0 < q y -> weight joint q y = c.
    by move=> qy; have jy := jq _ qy; rewrite /weight same /posterior -/c; field; split; lra.
  rewrite -(expectation_const _ _ (ln (evidence joint)) HP); apply: expectation_ext => // z Pz.
  congr ln; rewrite /average -/c (eq_bigr (fun=> c)).
    by rewrite rsum_cst card_ord; field; lra.
  move=> k _; have qk := drawn_with_positive_probability _ _ _ z q0 Pz k.
  exact: W.
have T z : 0 <= P z * (a z / c - 1 + ln c - ln (a z)).
  case: (proj1 HP z) => [Pz|E]; last by rewrite /P -E; lra.
  apply: Rmult_le_pos; first by rewrite /P; lra.
  have := tangent_above_ln (a z) c (average_weight_gt0 _ _ _ _ _ M K0 Pz) c0; lra.
have total : \rsum_z (P z * (a z / c - 1 + ln c - ln (a z))) = expectation q (weight joint q) / c - 1.
  transitivity (expectation P (fun z => a z / c - 1 + ln c) - importance_bound joint q K).
    by rewrite -rsumB; apply: eq_bigr => z _; exact: Rmult_minus_distr_l.
  by rewrite tight expected_tangent // -/c; ring.
have [le full] := mean_weight_le_evidence _ _ _ M.
rewrite -/c in le full.
have mean : expectation q (weight joint q) = c.
  have nonneg := @rsum_ge0 _ (index_enum _) predT _ (fun z _ => T z); rewrite total in nonneg.
  apply: Rle_antisym => //; have := Rmult_le_compat_r c _ _ (Rlt_le _ _ c0) nonneg.
  have -> : (expectation q (weight joint q) / c - 1) * c = expectation q (weight joint q) - c by field; lra.
  by lra.
have zero z := rsum_eq0 T (etrans total (_ : _ = 0)) z.
move=> z; rewrite /posterior -/c; case: (q0 z) => [qz|E]; last by rewrite -E (full mean z (esym E)); field; lra.
have Pz : 0 < P [ffun=> z] by apply: rprod_gt0 => k _; rewrite ffunE.
have az : a [ffun=> z] = weight joint q z.
  rewrite /a /average (eq_bigr (fun=> weight joint q z)); last by move=> k _; rewrite ffunE.
  by rewrite rsum_cst card_ord; field; lra.
have w0 : 0 < weight joint q z by apply: Rdiv_lt_0_compat => //; exact: jq.
have : weight joint q z = c.
  apply: tangent_touches_once => //.
  have := zero _ [ffun=> z]; rewrite az mean => Z0.
  case: (Rmult_integral _ _ (Z0 _)); rewrite ?mean; try lra.
  by field; lra.
by rewrite /weight => <-; have jz := jq _ qz; field; split; lra.
Qed.

(** One sample: VLB_1(x) = E log w. *)
Lemma importance_bound_one (Z : finType) (joint q : Z -> R) : is_law q ->
  importance_bound joint q 1 = expectation q (fun z => ln (weight joint q z)).
Proof.
move=> Hq; rewrite -(one_draw _ _ 1 ord0 (fun z => ln (weight joint q z)) Hq); apply: eq_bigr => z _.
by congr (_ * ln _); rewrite /average big_ord_recl big_ord0 /=; field.
Qed.

(** What is missing to log p(x) with one sample is KL(q || posterior). *)
Lemma one_sample_gap (Z : finType) (joint q : Z -> R) :
  model_and_proposal joint q -> (forall z, q z = 0 -> joint z = 0) ->
  ln (evidence joint) - importance_bound joint q 1 = KL q (posterior joint).
Proof.
move=> M full; have [j0 [Hq jq]] := M; have [q0 q1] := Hq; have c0 := evidence_gt0 _ _ _ M.
rewrite (importance_bound_one _ _ _ Hq).
rewrite -(expectation_const _ _ (ln (evidence joint)) Hq) /expectation -rsumB; apply: eq_bigr => z _.
case: (q0 z) => [qz|<-]; last by rewrite !Rmult_0_l; ring.
have jz := jq _ qz; have w0 : 0 < weight joint q z by apply: Rdiv_lt_0_compat.
rewrite -Rmult_minus_distr_l; congr (_ * _); rewrite /Rminus -ln_Rinv // -ln_mult //; last exact: Rinv_0_lt_compat.
by congr ln; rewrite /weight /posterior; field; split; [|split]; lra.
Qed.

(** Leave one out: the sample without its j-th draw, and the average of the others. *)
Definition without {T : Type} {K : nat} (j : 'I_K.+1) (u : 'I_K.+1 -> T) : 'I_K -> T := fun k => u (lift j k).
Definition sample_without {Z : finType} {K : nat} (j : 'I_K.+1) (z : {ffun 'I_K.+1 -> Z}) : {ffun 'I_K -> Z} :=
  [ffun k => z (lift j k)].
Definition sample_with {Z : finType} {K : nat} (j : 'I_K.+1) (xz : Z * {ffun 'I_K -> Z}) : {ffun 'I_K.+1 -> Z} :=
  [ffun k => if unlift j k is Some l then xz.2 l else xz.1].

Lemma sample_without_with (Z : finType) K j (xz : Z * {ffun 'I_K -> Z}) : sample_without j (sample_with j xz) = xz.2.
Proof. by apply/ffunP => k; rewrite !ffunE liftK. Qed.
Lemma sample_with_without (Z : finType) K (j : 'I_K.+1) (z : {ffun 'I_K.+1 -> Z}) :
  sample_with j (z j, sample_without j z) = z.
Proof. by apply/ffunP => k; rewrite !ffunE; case: unliftP => [l ->|->]; rewrite ?ffunE. Qed.
Lemma sample_with_at (Z : finType) K j (xz : Z * {ffun 'I_K -> Z}) : sample_with j xz j = xz.1.
Proof. by rewrite ffunE unlift_none. Qed.

(** Without its j-th draw, a sample of K + 1 draws is a sample of K draws. *)
Lemma sample_without_law (Z : finType) (q : Z -> R) K (j : 'I_K.+1) (f : {ffun 'I_K -> Z} -> R) : is_law q ->
  expectation (product_law (fun _ : 'I_K.+1 => q)) (fun z => f (sample_without j z)) =
  expectation (product_law (fun _ : 'I_K => q)) f.
Proof.
move=> [_ q1]; rewrite /expectation (reindex (sample_with j)) /=; last first.
  exists (fun z : {ffun 'I_K.+1 -> Z} => (z j, sample_without j z)) => [[x z] _|z _]; last exact: sample_with_without.
  by rewrite sample_with_at sample_without_with.
transitivity (\rsum_(x : Z) \rsum_(z : {ffun 'I_K -> Z}) (q x * (product_law (fun _ : 'I_K => q) z * f z))).
  rewrite pair_bigA /=; apply: eq_bigr => xz _; rewrite sample_without_with -Rmult_assoc; congr (_ * _).
  rewrite /product_law (bigD1_ord j) //= sample_with_at; congr (_ * _).
  by apply: eq_bigr => k _; rewrite ffunE liftK.
by rewrite exchange_big /=; apply: eq_bigr => z _; rewrite -big_distrl /= q1 Rmult_1_l.
Qed.

(** The average of all but the j-th number. *)
Lemma average_without K (u : 'I_K.+1 -> R) (j : 'I_K.+1) : average (without j u) = (\rsum_k u k - u j) / INR K.
Proof. by rewrite /average /without (bigD1_ord j) //=; congr (_ / _); ring. Qed.

(** The averages of the subsets of M among n numbers have the average of all n as their mean. *)
Lemma subsets_with_an_element (n M : nat) (i : 'I_n) :
  (#|[set A : {set 'I_n} | (#|A| == M) && (i \in A)]| * n = M * 'C(n, M))%N.
Proof.
have n0 : (0 < n)%N by case: n i => [[]|].
have E : (#|[set A : {set 'I_n} | (#|A| == M) && (i \in A)]| + 'C(n.-1, M) = 'C(n, M))%N.
  rewrite -[in X in _ = 'C(X, _)](card_ord n) -(card_draws (ordinal_finType n) M).
  rewrite -(cardsID [set A : {set 'I_n} | i \in A] [set A : {set 'I_n} | #|A| == M]).
  congr addn; first by congr #|pred_of_set _|; apply/setP => A; rewrite !inE.
  have <- : #|[set~ i]| = n.-1 by rewrite cardsC1 card_ord.
  rewrite -cards_draws; congr #|pred_of_set _|; apply/setP => A; rewrite !inE.
  by rewrite -disjoints_subset disjoint_sym disjoints1.
have {E} -> : #|[set A : {set 'I_n} | (#|A| == M) && (i \in A)]| = ('C(n, M) - 'C(n.-1, M))%N.
  by rewrite -E addnK.
case: n n0 {i} => // n _ /=; case: M => [|M]; first by rewrite !bin0.
have -> : ('C(n.+1, M.+1) - 'C(n, M.+1) = 'C(n, M))%N by rewrite binS addnC addnK.
by rewrite mulnC (mul_bin_diag n.+1 M).
Qed.

(** The average of the numbers with an index in A. *)
Definition average_over {n : nat} (A : {set 'I_n}) (a : 'I_n -> R) : R := (\rsum_(i | i \in A) a i) / INR #|A|.

(** The mean of f over all subsets of M among the n indices. *)
Definition mean_over_subsets (n M : nat) (f : {set 'I_n} -> R) : R :=
  (\rsum_(A : {set 'I_n} | #|A| == M) f A) / INR 'C(n, M).

Lemma subset_averages_mean (n M : nat) (a : 'I_n -> R) : (0 < M <= n)%N ->
  mean_over_subsets n M (fun A => average_over A a) = average a.
Proof.
move=> /andP [M0 Mn]; rewrite /mean_over_subsets /average.
have n0 : INR n <> 0 by apply: Rgt_not_eq; apply: INR_gt0; exact: leq_trans Mn.
have Mz : INR M <> 0 by apply: Rgt_not_eq; exact: INR_gt0.
have Cz : INR 'C(n, M) <> 0 by apply: Rgt_not_eq; apply: INR_gt0; rewrite bin_gt0.
rewrite (eq_bigr (fun A : {set 'I_n} => / INR M * \rsum_(i | i \in A) a i)); last first.
  by move=> A /eqP AM; rewrite /average_over AM /Rdiv Rmult_comm.
rewrite -big_distrr /= (exchange_big_dep predT) //=.
rewrite (eq_bigr (fun i => INR M * INR 'C(n, M) / INR n * a i)).
  by rewrite -big_distrr /=; field.
move=> i _.
rewrite (eq_bigl (fun A => A \in [set A : {set 'I_n} | (#|A| == M) && (i \in A)])); last by move=> A; rewrite !inE.
have -> : \rsum_(A | A \in [set A : {set 'I_n} | (#|A| == M) && (i \in A)]) a i
   = INR #|[set A : {set 'I_n} | (#|A| == M) && (i \in A)]| * a i.
  by rewrite big_const; elim: #|_| => [|k IH]; rewrite ?iterS ?IH ?S_INR /=; lra.
congr (_ * _); apply: (Rmult_eq_reg_r (INR n)) => //.
rewrite -mult_INR; have := subsets_with_an_element n M i; rewrite /muln /muln_rec => ->.
by rewrite mult_INR; field.
Qed.
