(** The gradient of log-sum-exp is the softmax function.

    The entries x_i are indexed by a finite set I. [log_sum_exp x beta] is nu_beta(x) = (1/beta) log(sum over i of
    exp(beta x_i)), and [softmax y i] is exp(y_i) / sum over j of exp(y_j). [change x i u] is x with its i-th entry
    replaced by u, so that u -> nu_beta(change x i u) is nu_beta as a function of its i-th variable alone; [is_derive f
    a l] says that f has the derivative l at a (Coquelicot). The seed asks for beta = 1.

    Scope: all finite index sets, all real x, every coordinate, every beta other than 0.

    Source: seed 004, Problem 3(b). *)
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
From MDNN.shared Require Import sums finite_laws.
Local Open Scope R_scope.

(** nu_beta(x), the softmax function, and x with its i-th entry replaced by u. *)
Definition log_sum_exp {I : finType} (x : I -> R) (beta : R) : R := / beta * ln (\rsum_i exp (beta * x i)).
Definition softmax {I : finType} (y : I -> R) (i : I) : R := exp (y i) / \rsum_j exp (y j).
Definition change {I : finType} (x : I -> R) (i : I) (u : R) : I -> R := fun j => if j == i then u else x j.

(** The i-th partial derivative of nu_beta at x is softmax(beta x)_i. *)
Theorem partial_derivative_of_log_sum_exp (I : finType) (x : I -> R) (beta : R) (i : I) : beta <> 0 ->
  is_derive (fun u => log_sum_exp (change x i u) beta) (x i) (softmax (fun j => beta * x j) i).
Proof.
move=> b0; pose rest := \rsum_(j | j != i) exp (beta * x j).
have E u : \rsum_j exp (beta * change x i u j) = exp (beta * u) + rest.
  rewrite (bigD1 i) //= /change eqxx; congr (_ + _); apply: eq_bigr => j /negbTE ji; by rewrite ji.
have r0 : 0 <= rest by apply: rsum_ge0 => j _; left; exact: exp_pos.
apply: (is_derive_ext (fun u => / beta * ln (exp (beta * u) + rest))); first by move=> u; rewrite /log_sum_exp E.
have -> : softmax (fun j => beta * x j) i = exp (beta * x i) / (exp (beta * x i) + rest).
  by rewrite /softmax (bigD1 i).
have e0 := exp_pos (beta * x i).
by auto_derive; [lra | field; split; lra].
Qed.

(** For beta = 1: the i-th partial derivative of log(sum of exp(x_j)) is softmax(x)_i. *)
Theorem partial_derivative_at_beta_one (I : finType) (x : I -> R) (i : I) :
  is_derive (fun u => ln (\rsum_j exp (change x i u j))) (x i) (softmax x i).
Proof.
have D := partial_derivative_of_log_sum_exp I x 1 i R1_neq_R0.
have -> : softmax x i = softmax (fun j => 1 * x j) i.
  by rewrite /softmax Rmult_1_l; congr (_ / _); apply: eq_bigr => j _; rewrite Rmult_1_l.
apply: is_derive_ext D => u; rewrite /log_sum_exp Rinv_1 Rmult_1_l; congr ln.
by apply: eq_bigr => j _; rewrite Rmult_1_l.
Qed.

(** The entries of softmax are positive and add up to 1. *)
Theorem softmax_is_a_law (I : finType) (y : I -> R) (i : I) : 0 < softmax y i /\ is_law (softmax y).
Proof.
have S0 : 0 < \rsum_j exp (y j) by apply: (@rsum_gt0 _ (fun j => exp (y j)) i) => [j|]; [left|]; exact: exp_pos.
have P j : 0 < softmax y j by apply: Rdiv_lt_0_compat => //; exact: exp_pos.
split=> //; split=> [j|]; first by left.
by rewrite /softmax /Rdiv -big_distrl /= Rinv_r //; lra.
Qed.

(** Examples that satisfy the hypotheses: x = (0, 1, 2), beta = -3, the entry in the middle. *)
Definition zero_one_two (i : 'I_3) : R := INR i.
Definition middle : 'I_3 := lift ord0 ord0.
Lemma minus_three_is_not_zero : -3 <> 0.
Proof. lra. Qed.
Definition partial_derivative_of_log_sum_exp_witness :=
  partial_derivative_of_log_sum_exp _ zero_one_two (-3) middle minus_three_is_not_zero.
Definition partial_derivative_at_beta_one_witness := partial_derivative_at_beta_one _ zero_one_two middle.
Definition softmax_is_a_law_witness := softmax_is_a_law _ zero_one_two middle.
