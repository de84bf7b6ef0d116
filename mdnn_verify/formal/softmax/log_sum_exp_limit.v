(** Scaled log-sum-exp tends to the maximum, from above and with an error of at most log(n)/beta.

    The entries x_i are indexed by a finite set I with n = #|I| elements, and [log_sum_exp x beta] is nu_beta(x) =
    (1/beta) log(sum over i of exp(beta x_i)). The maximum is stated as a number M that no entry exceeds and that some
    entry attains ([is_max]); so I is not empty. [is_lim f p_infty M] is the limit of f at plus infinity (Coquelicot).

    Scope: all finite index sets, all real x; the bounds for every beta > 0; the limits for beta to plus infinity (the
    maximum) and to minus infinity (the minimum).

    Source: seed 004, Problem 3(a). *)
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
From MDNN.shared Require Import sums.
Local Open Scope R_scope.

(** nu_beta(x). *)
Definition log_sum_exp {I : finType} (x : I -> R) (beta : R) : R := / beta * ln (\rsum_i exp (beta * x i)).

(** M is the largest, or the smallest, of the x_i. *)
Definition is_max {I : finType} (x : I -> R) (M : R) : Prop := (forall i, x i <= M) /\ exists i, x i = M.
Definition is_min {I : finType} (x : I -> R) (M : R) : Prop := (forall i, M <= x i) /\ exists i, x i = M.

(** max x <= nu_beta(x) <= max x + log(n)/beta for beta > 0. *)
Theorem log_sum_exp_between_max_and_max_plus_gap (I : finType) (x : I -> R) (M beta : R) : is_max x M -> 0 < beta ->
  M <= log_sum_exp x beta <= M + ln (INR #|I|) / beta.
Proof.
move=> [HM [k Hk]] Hb.
have n0 : 0 < INR #|I| by apply: lt_0_INR; apply/ltP; apply/card_gt0P; exists k.
have L1 : exp (beta * M) <= \rsum_i exp (beta * x i).
  by rewrite -Hk; apply: (@rsum_term_le _ (fun i => exp (beta * x i)) k) => j; left; exact: exp_pos.
have S0 : 0 < \rsum_i exp (beta * x i) by have := exp_pos (beta * M); lra.
have L2 : \rsum_i exp (beta * x i) <= INR #|I| * exp (beta * M).
  rewrite -rsum_cst; apply: rsum_le => i _.
  have : beta * x i <= beta * M by apply: Rmult_le_compat_l; [lra | exact: HM].
  by case=> [H|->]; [left; exact: exp_increasing | right].
have K1 : beta * M <= ln (\rsum_i exp (beta * x i)).
  by rewrite -{1}(ln_exp (beta * M)); apply: ln_le => //; exact: exp_pos.
have K2 : ln (\rsum_i exp (beta * x i)) <= ln (INR #|I|) + beta * M.
  by rewrite -{1}(ln_exp (beta * M)) -ln_mult //; [exact: ln_le | exact: exp_pos].
rewrite /log_sum_exp; split.
  by apply: (Rmult_le_reg_l beta) => //; rewrite -Rmult_assoc Rinv_r; lra.
apply: (Rmult_le_reg_l beta) => //; rewrite -Rmult_assoc Rinv_r ?Rmult_1_l; last lra.
have -> : beta * (M + ln (INR #|I|) / beta) = ln (INR #|I|) + beta * M by field; lra.
exact: K2.
Qed.

(** The upper bound is attained where all n entries are equal. *)
Theorem gap_attained_at_equal_entries (I : finType) (c beta : R) : 0 < beta -> (0 < #|I|)%N ->
  log_sum_exp (fun _ : I => c) beta = c + ln (INR #|I|) / beta.
Proof.
move=> b0 n0; have n1 : 0 < INR #|I| by apply: lt_0_INR; apply/ltP.
by rewrite /log_sum_exp rsum_cst ln_mult ?ln_exp //; [field; lra | exact: exp_pos].
Qed.

(** nu_beta(x) tends to max x as beta tends to plus infinity. *)
Theorem log_sum_exp_tends_to_max (I : finType) (x : I -> R) (M : R) : is_max x M ->
  is_lim (log_sum_exp x) p_infty M.
Proof.
move=> HM.
apply: (is_lim_le_le_loc (fun=> M) (fun b => M + ln (INR #|I|) / b)).
- by exists 0 => b Hb; exact: log_sum_exp_between_max_and_max_plus_gap.
- exact: is_lim_const.
- apply: (is_lim_plus _ _ _ M 0 M); [exact: is_lim_const | | by rewrite /is_Rbar_plus /= Rplus_0_r].
  have -> : Finite 0 = Rbar_mult (ln (INR #|I|)) 0 by rewrite /= Rmult_0_r.
  apply: is_lim_mult; [exact: is_lim_const | | by []].
  have -> : Finite 0 = Rbar_inv p_infty by [].
  by apply: is_lim_inv => //; exact: is_lim_id.
Qed.

(** nu_beta(x) tends to min x as beta tends to minus infinity. *)
Theorem log_sum_exp_tends_to_min (I : finType) (x : I -> R) (M : R) : is_min x M ->
  is_lim (log_sum_exp x) m_infty M.
Proof.
move=> [HM [k Hk]].
have opposite : is_max (fun i => - x i) (- M).
  by split=> [i|]; [have := HM i; lra | exists k; rewrite Hk].
apply: (is_lim_ext_loc (fun b => - log_sum_exp (fun i => - x i) (- b))).
  exists 0 => b b0; rewrite /log_sum_exp (eq_bigr (fun i => exp (b * x i))); last by move=> i _; congr exp; ring.
  by field; lra.
have -> : Finite M = Rbar_opp (- M) by rewrite /= Ropp_involutive.
apply: is_lim_opp.
apply: (is_lim_comp (log_sum_exp (fun i => - x i)) Ropp m_infty (- M) p_infty).
- exact: log_sum_exp_tends_to_max.
- by have := is_lim_opp (fun y => y) m_infty m_infty (is_lim_id m_infty).
- by exists 0.
Qed.

(** Examples that satisfy the hypotheses: the entries 1, 2, 2 with a tie at the maximum 2. *)
Definition one_two_two (i : 'I_3) : R := if i == ord0 then 1 else 2.
Lemma one_two_two_max : is_max one_two_two 2.
Proof. by split=> [i|]; [rewrite /one_two_two; case: eqP => _; lra | exists (lift ord0 ord0)]. Qed.
Lemma one_two_two_min : is_min one_two_two 1.
Proof. by split=> [i|]; [rewrite /one_two_two; case: eqP => _; lra | exists ord0]. Qed.
Lemma five_gt0 : 0 < 5.
Proof. lra. Qed.
Lemma three_entries : (0 < #|'I_3|)%N.
Proof. by rewrite card_ord. Qed.
Definition log_sum_exp_between_max_and_max_plus_gap_witness :=
  log_sum_exp_between_max_and_max_plus_gap _ one_two_two 2 5 one_two_two_max five_gt0.
Definition gap_attained_at_equal_entries_witness :=
  gap_attained_at_equal_entries (ordinal_finType 3) 7 5 five_gt0 three_entries.
Definition log_sum_exp_tends_to_max_witness := log_sum_exp_tends_to_max _ one_two_two 2 one_two_two_max.
Definition log_sum_exp_tends_to_min_witness := log_sum_exp_tends_to_min _ one_two_two 1 one_two_two_min.
