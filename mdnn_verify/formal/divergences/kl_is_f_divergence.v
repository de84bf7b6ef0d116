(** The generators t log t and -log t give the Kullback-Leibler divergence, in opposite orders.

    D_f(p || q) = sum of q_i f(p_i / q_i) for laws on a finite set, and the integral of q f(p / q) for densities on
    [a, b].  A term with q_i = 0 is 0 in the formal sum.  For f = t log t the first law must vanish where the second
    does, p << q: a term with p_i > 0 = q_i stands for +infinity on both sides.  For f = -log t it is the other way
    round, q << p: there a term with p_i > 0 = q_i is 0 on both sides, and one with q_i > 0 = p_i would be +infinity.
    That t log t is convex on [0, oo) and -log t on (0, oo), and that both vanish at 1, is proved in
    shared/f_divergence.

    Scope: all laws on any finite set, and all densities on [a, b], with p << q for f = t log t and with q << p for
    f = -log t. Not proved here: densities on R^d, and the divergence +infinity where the condition fails.

    Source: seed 004, Problem 5(b).                                                                              *)
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From MDNN.shared Require Import sums finite_laws convexity densities f_divergence.
Local Open Scope R_scope.

(** For laws p << q on a finite set and f = t log t: D_f(p || q) = KL(p || q). *)
Theorem t_log_t_gives_kl (I : finType) (p q : I -> R) : is_law p -> is_law q -> abs_cont p q ->
  f_divergence t_log_t p q = KL p q.
Proof. by move=> _ _ ac; apply: eq_bigr => i _; apply: t_log_t_term; exact: ac. Qed.

(** For laws q << p on a finite set and f = -log t: D_f(p || q) = KL(q || p), the arguments change places. *)
Theorem minus_log_t_gives_kl_reversed (I : finType) (p q : I -> R) : is_law p -> is_law q -> abs_cont q p ->
  f_divergence minus_log_t p q = KL q p.
Proof.
move=> Lp Lq ac; apply: eq_bigr => i _.
by apply: minus_log_t_term; [exact: law_ge0 | exact: law_ge0 | exact: ac].
Qed.

(** For densities on [a, b]: value is the f-divergence of p from q for f = t log t if and only if it is KL(p || q), when
    p << q; and for f = -log t if and only if it is KL(q || p), when q << p. *)
Theorem kl_is_f_divergence_riemann (a b : R) (p q : R -> R) : a <= b -> is_density a b p -> is_density a b q ->
  (abs_cont_on a b p q -> forall value, is_f_divergence a b t_log_t p q value <-> is_KL a b p q value) /\
  (abs_cont_on a b q p -> forall value, is_f_divergence a b minus_log_t p q value <-> is_KL a b q p value).
Proof.
move=> ab [p0 _] [q0 _].
have inside x : Rmin a b < x < Rmax a b -> a < x < b by rewrite Rmin_left // Rmax_right.
split=> ac value; split; apply: is_RInt_ext => x /inside Hx.
- by apply: t_log_t_term; exact: ac.
- by symmetry; apply: t_log_t_term; exact: ac.
- by apply: minus_log_t_term; [exact: p0 | exact: q0 | exact: ac].
- by symmetry; apply: minus_log_t_term; [exact: p0 | exact: q0 | exact: ac].
Qed.

Definition biased (b : bool) : R := if b then 1 / 4 else 3 / 4.
Definition fair (b : bool) : R := 1 / 2.
Lemma biased_law : is_law biased. Proof. by split; [case; rewrite /biased; lra | rewrite rsum_bool /biased; lra]. Qed.
Lemma fair_law : is_law fair. Proof. by split; [move=> b; rewrite /fair; lra | rewrite rsum_bool /fair; lra]. Qed.
Lemma biased_abs_cont : abs_cont biased fair. Proof. by move=> b; rewrite /fair; lra. Qed.
Lemma fair_abs_cont : abs_cont fair biased. Proof. by case; rewrite /biased; lra. Qed.

Lemma kl_biased_fair : KL biased fair = 3 / 4 * ln 3 - ln 2.
Proof.
rewrite /KL rsum_bool /biased /fair.
have -> : 1 / 4 / (1 / 2) = / 2 by field.
have -> : 3 / 4 / (1 / 2) = 3 * / 2 by field.
by rewrite ln_mult ?ln_Rinv; lra.
Qed.
Lemma kl_fair_biased : KL fair biased = ln 2 - 1 / 2 * ln 3.
Proof.
rewrite /KL rsum_bool /biased /fair.
have -> : 1 / 2 / (1 / 4) = 2 by field.
have -> : 1 / 2 / (3 / 4) = 2 * / 3 by field.
by rewrite ln_mult ?ln_Rinv; lra.
Qed.
Lemma ln_pow_nat (x : R) (n : nat) : 0 < x -> ln (x ^ n) = INR n * ln x.
Proof.
move=> x0; elim: n => [|n IH]; first by rewrite /= ln_1; lra.
by rewrite S_INR -tech_pow_Rmult ln_mult ?IH //; [lra | exact: pow_lt].
Qed.

(** The order matters: for p = (1/4, 3/4) and q = (1/2, 1/2), f = -log t does not give KL(p || q), nor t log t
    KL(q || p); equality would say 3^5 = 2^8. *)
Theorem the_order_matters :
  f_divergence minus_log_t biased fair <> KL biased fair /\ f_divergence t_log_t biased fair <> KL fair biased.
Proof.
rewrite (t_log_t_gives_kl _ _ _ biased_law fair_law biased_abs_cont).
rewrite (minus_log_t_gives_kl_reversed _ _ _ biased_law fair_law fair_abs_cont) kl_biased_fair kl_fair_biased.
have L : ln (3 ^ 5) < ln (2 ^ 8) by apply: ln_increasing; lra.
rewrite !ln_pow_nat /= in L; lra.
Qed.

(** Examples that satisfy the hypotheses: p = (1, 0) and q = (1/2, 1/2), and the other way round. *)
Definition sure (b : bool) : R := if b then 1 else 0.
Lemma sure_law : is_law sure. Proof. by split; [case; rewrite /sure; lra | rewrite rsum_bool /sure; lra]. Qed.
Lemma sure_abs_cont : abs_cont sure fair. Proof. by move=> b; rewrite /fair; lra. Qed.
Definition t_log_t_gives_kl_witness := t_log_t_gives_kl _ sure fair sure_law fair_law sure_abs_cont.
Definition minus_log_t_gives_kl_reversed_witness :=
  minus_log_t_gives_kl_reversed _ fair sure fair_law sure_law sure_abs_cont.
Definition kl_is_f_divergence_riemann_witness :=
  kl_is_f_divergence_riemann 0 1 flat_density tilted_density Rle_0_1 flat_density_is_density tilted_density_is_density.
Definition the_order_matters_witness := the_order_matters.
