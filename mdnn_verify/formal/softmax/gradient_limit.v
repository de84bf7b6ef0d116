(** The gradient of log-sum-exp tends to the unit vector of a unique maximiser, and ties share it evenly.

    The entries x_i are indexed by a finite set I with n elements; [softmax (beta x)] is the gradient of the scaled
    log-sum-exp (softmax/gradient_is_softmax). A is the set of the k maximisers, at which x_i = M, and all other entries
    are smaller ([maximal_on]). The limit is [even_share A i]: 1/k on A, 0 elsewhere. #|A| is the number k of elements
    of A and #|~: A| that of its complement, n - k. [is_lim f p_infty l] is the limit of f at plus infinity
    (Coquelicot).

    Scope: all finite index sets, all real x; the rate for every beta > 0 and every gap delta between the maximum and
    the other entries; the limits for beta to plus infinity.

    Source: seed 004, Problem 3(c). *)
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop finset.
From MDNN.shared Require Import sums.
Local Open Scope R_scope.

(** softmax(beta x)_i. *)
Definition softmax {I : finType} (y : I -> R) (i : I) : R := exp (y i) / \rsum_j exp (y j).
Definition share {I : finType} (x : I -> R) (i : I) (beta : R) : R := softmax (fun j => beta * x j) i.

(** A is the set of maximisers of x, and the maximum is M. *)
Definition maximal_on {I : finType} (x : I -> R) (A : {set I}) (M : R) : Prop :=
  (exists i, i \in A) /\ (forall i, i \in A -> x i = M) /\ (forall i, i \notin A -> x i < M).

(** 1/k on A, 0 elsewhere. *)
Definition even_share {I : finType} (A : {set I}) (i : I) : R := if i \in A then / INR #|A| else 0.

(** If all entries outside A are at most M - delta, then |softmax(beta x)_i - t_i| <= (n - k) exp(-beta delta), where
    t_i is 1/k on A and 0 elsewhere. *)
Theorem share_is_exponentially_close (I : finType) (x : I -> R) (A : {set I}) (M delta beta : R) (i : I) :
  maximal_on x A M -> (forall j, j \notin A -> x j <= M - delta) -> 0 < beta ->
  Rabs (share x i beta - even_share A i) <= INR #|~: A| * exp (- (beta * delta)).
Proof.
move=> [[i0 iA] [top _]] gap b0; pose e j := exp (beta * (x j - M)).
have k1 : 1 <= INR #|A|.
  by apply: (le_INR 1); apply/leP; apply/card_gt0P; exists i0.
pose r := \rsum_(j | j \notin A) e j.
have r0 : 0 <= r by apply: rsum_ge0 => j _; left; exact: exp_pos.
have S : \rsum_j e j = INR #|A| + r.
  rewrite (bigID (fun j => j \in A)) /=; congr (_ + _).
  rewrite (eq_bigr (fun=> 1)); last by move=> j jA; rewrite /e top // Rminus_diag_eq // Rmult_0_r exp_0.
  by rewrite big_const; elim: #|_| => [|k IH]; rewrite ?iterS ?IH ?S_INR /=; lra.
have E : share x i beta = e i / (INR #|A| + r).
  rewrite -S /share /softmax.
  have F j : exp (beta * x j) = exp (beta * M) * e j by rewrite /e -exp_plus; congr exp; ring.
  rewrite F (eq_bigr (fun j => exp (beta * M) * e j)); last by move=> j _.
  have S0 : 0 < \rsum_j e j by rewrite S; lra.
  rewrite -big_distrr /=; have := exp_pos (beta * M); set s := \rsum_j e j in S0 *; move=> eM; field; lra.
have small j : j \notin A -> e j <= exp (- (beta * delta)).
  move=> jA; rewrite /e; have : beta * (x j - M) <= - (beta * delta).
    have := Rmult_le_compat_l beta _ _ (Rlt_le _ _ b0) (gap j jA); lra.
  by case=> [lt|->]; [left; exact: exp_increasing | right].
have rle : r <= INR #|~: A| * exp (- (beta * delta)).
  apply: (Rle_trans _ (\rsum_(j | j \notin A) exp (- (beta * delta)))); first exact: rsum_le.
  rewrite big_const (_ : #|[pred j | j \notin A]| = #|~: A|); last by apply: eq_card => j; rewrite !inE.
  by right; elim: #|_| => [|k IH]; rewrite ?iterS ?IH ?S_INR /=; lra.
apply: Rle_trans rle; rewrite E /even_share; case: ifP => iA'.
  have -> : e i = 1 by rewrite /e top // Rminus_diag_eq // Rmult_0_r exp_0.
  have -> : 1 / (INR #|A| + r) - / INR #|A| = - (r / (INR #|A| * (INR #|A| + r))) by field; lra.
  have q1 : 1 <= INR #|A| * (INR #|A| + r).
    by rewrite -{1}(Rmult_1_r 1); apply: Rmult_le_compat; lra.
  rewrite Rabs_Ropp Rabs_pos_eq; last by apply: Rmult_le_pos => //; left; apply: Rinv_0_lt_compat; lra.
  apply: (Rmult_le_reg_r (INR #|A| * (INR #|A| + r))); first lra.
  rewrite /Rdiv Rmult_assoc Rinv_l ?Rmult_1_r; last lra.
  by rewrite -{1}(Rmult_1_r r); apply: Rmult_le_compat_l.
have eir : e i <= r.
  rewrite /r (bigD1 i) /=; last by rewrite iA'.
  have T0 : 0 <= \rsum_(j | (j \notin A) && (j != i)) e j by apply: rsum_ge0 => j _; left; exact: exp_pos.
  by move: T0; set t := \rsum_(j | _) e j; lra.
have e0 : 0 < e i by exact: exp_pos.
rewrite Rminus_0_r Rabs_pos_eq; last by apply: Rmult_le_pos; [lra | left; apply: Rinv_0_lt_compat; lra].
apply: (Rmult_le_reg_r (INR #|A| + r)); first lra.
rewrite /Rdiv Rmult_assoc Rinv_l ?Rmult_1_r; last lra.
have := Rmult_le_compat_l r 1 (INR #|A| + r) r0; lra.
Qed.

(** Between the maximum and the finitely many smaller entries there is a gap. *)
Lemma gap_exists (I : finType) (x : I -> R) (A : {set I}) (M : R) : maximal_on x A M ->
  exists delta, 0 < delta /\ forall j, j \notin A -> x j <= M - delta.
Proof.
move=> [_ [_ below]].
have G (s : seq I) : exists delta, 0 < delta /\ forall j, j \in s -> j \notin A -> x j <= M - delta.
  elim: s => [|a s [d [d0 H]]]; first by exists 1; split=> //; lra.
  case aA: (a \in A).
    by exists d; split=> // j; rewrite inE => /orP [/eqP ->|js] jA; [rewrite aA in jA | exact: H].
  have xa := below a (negbT aA); exists (Rmin d (M - x a)).
  have l := Rmin_l d (M - x a); have r := Rmin_r d (M - x a).
  split; first by apply: Rmin_glb_lt; lra.
  by move=> j; rewrite inE => /orP [/eqP ->|js] jA; [lra | have := H j js jA; lra].
have [d [d0 H]] := G (index_enum I); exists d; split=> // j; apply: H; exact: mem_index_enum.
Qed.

(** softmax(beta x)_i tends to 1/k on the k maximisers and to 0 elsewhere as beta tends to plus infinity. *)
Theorem share_tends_to_even_share (I : finType) (x : I -> R) (A : {set I}) (M : R) (i : I) : maximal_on x A M ->
  is_lim (share x i) p_infty (even_share A i).
Proof.
move=> H; have [d [d0 gap]] := gap_exists _ _ _ _ H; pose c := INR #|~: A|; pose t := even_share A i.
have c0 : 0 <= c by exact: pos_INR.
have L : is_lim (fun b => c * exp (- (b * d))) p_infty 0.
  have -> : Finite 0 = Rbar_mult c 0 by rewrite /= Rmult_0_r.
  apply: is_lim_mult; [exact: is_lim_const | | by []].
  apply: (is_lim_comp exp (fun b => - (b * d)) p_infty 0 m_infty); [exact: is_lim_exp_m | | by exists 0].
  have -> : m_infty = Rbar_opp p_infty by [].
  apply: is_lim_opp; apply: (is_lim_ext (fun b => d * b)); first by move=> b; ring.
  have S := is_lim_scal_l (fun b => b) d p_infty p_infty (is_lim_id p_infty).
  have E : Rbar_mult d p_infty = p_infty.
    by rewrite /Rbar_mult /=; case: Rle_dec => [h|]; [case: Rle_lt_or_eq_dec => // E; lra | lra].
  by rewrite E in S.
apply: (is_lim_le_le_loc (fun b => t - c * exp (- (b * d))) (fun b => t + c * exp (- (b * d)))).
- exists 0 => b b0; have := share_is_exponentially_close I x A M d b i H gap b0.
  by move/Rabs_le_between'; rewrite -/c -/t; lra.
- have -> : Finite t = Finite (t - 0) by rewrite Rminus_0_r.
  by apply: is_lim_minus'; [exact: is_lim_const | exact: L].
- have -> : Finite t = Finite (t + 0) by rewrite Rplus_0_r.
  by apply: is_lim_plus'; [exact: is_lim_const | exact: L].
Qed.

(** If k is the only maximiser, softmax(beta x) tends to the unit vector of k. *)
Theorem share_tends_to_unit_vector (I : finType) (x : I -> R) (k i : I) : (forall j, j <> k -> x j < x k) ->
  is_lim (share x i) p_infty (if i == k then 1 else 0).
Proof.
move=> top; have H : maximal_on x [set k] (x k).
  split; first by exists k; rewrite inE.
  split=> j; rewrite inE; first by move/eqP ->.
  by move/eqP; exact: top.
have := share_tends_to_even_share _ _ _ _ i H; rewrite /even_share inE cards1 /= Rinv_1; exact.
Qed.

(** Examples that satisfy the hypotheses: x = (1, 3, 3) with the tie {1, 2} and the gap 2; x = (0, 1, 2). *)
Definition one_three_three (i : 'I_3) : R := if i == ord0 then 1 else 3.
Definition last_two : {set 'I_3} := ~: [set ord0].
Lemma one_three_three_maximal : maximal_on one_three_three last_two 3.
Proof.
split; first by exists (lift ord0 ord0); rewrite !inE.
by split=> i; rewrite !inE /one_three_three; case: eqP => //= _ _; lra.
Qed.
Lemma one_three_three_gap j : j \notin last_two -> one_three_three j <= 3 - 2.
Proof. by rewrite !inE negbK /one_three_three => ->; lra. Qed.
Lemma five_gt0 : 0 < 5.
Proof. lra. Qed.
Definition zero_one_two (i : 'I_3) : R := INR i.
Lemma zero_one_two_top j : j <> ord_max -> zero_one_two j < zero_one_two ord_max.
Proof.
move=> jm; apply: lt_INR; apply/ltP; rewrite /= ltn_neqAle -ltnS ltn_ord andbT.
by apply/eqP => E; apply: jm; apply: val_inj.
Qed.
Definition share_is_exponentially_close_witness :=
  share_is_exponentially_close _ one_three_three last_two 3 2 5 ord0
    one_three_three_maximal one_three_three_gap five_gt0.
Definition share_tends_to_even_share_witness :=
  share_tends_to_even_share _ one_three_three last_two 3 (lift ord0 ord0) one_three_three_maximal.
Definition share_tends_to_unit_vector_witness :=
  share_tends_to_unit_vector _ zero_one_two ord_max ord0 zero_one_two_top.
