(** Densities on an interval [a, b], with Riemann's integral.                                                    *)
From mathcomp Require Import ssreflect ssrfun ssrbool.
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
Local Open Scope R_scope.

(** f is a density on [a, b]: not negative inside, with Riemann integral 1. *)
Definition is_density (a b : R) (f : R -> R) : Prop := (forall x, a < x < b -> 0 <= f x) /\ is_RInt f a b 1.

(** p vanishes wherever q does, inside (a, b). *)
Definition abs_cont_on (a b : R) (p q : R -> R) : Prop := forall x, a < x < b -> q x = 0 -> p x = 0.

(** kl is the divergence of p from q: the Riemann integral of p log(p / q) over [a, b].  As for finite laws, the
    integrand is 0 where p is 0, and p << q has to be a hypothesis. *)
Definition is_KL (a b : R) (p q : R -> R) (kl : R) : Prop := is_RInt (fun x => p x * ln (p x / q x)) a b kl.

(** Two densities on [0, 1] for examples: 1, and e^x / (e - 1). *)
Definition flat_density (x : R) : R := 1.
Definition tilted_density (x : R) : R := exp x / (exp 1 - 1).

Lemma e_minus_1_gt0 : 0 < exp 1 - 1.
Proof. by have := exp_ineq1 1; lra. Qed.
Lemma tilted_density_gt0 x : 0 < tilted_density x.
Proof. by apply: Rdiv_lt_0_compat; [exact: exp_pos | exact: e_minus_1_gt0]. Qed.
Lemma flat_density_is_density : is_density 0 1 flat_density.
Proof.
split=> [x _|]; first by rewrite /flat_density; lra.
by have := is_RInt_const 0 1 1; rewrite /scal /= /mult /= Rmult_1_r Rminus_0_r.
Qed.
Lemma tilted_density_continuous x : continuous tilted_density x.
Proof. by apply: ex_derive_continuous; rewrite /tilted_density; auto_derive. Qed.
Lemma tilted_density_is_density : is_density 0 1 tilted_density.
Proof.
have e1 := e_minus_1_gt0; split=> [x _|]; first by left; exact: tilted_density_gt0.
have E : minus (tilted_density 1) (tilted_density 0) = 1 :> R.
  by rewrite /minus /plus /opp /= /tilted_density exp_0; field; lra.
rewrite -[X in is_RInt _ _ _ X]E.
apply: is_RInt_derive => x _; last exact: tilted_density_continuous.
by rewrite /tilted_density; auto_derive => //; field; lra.
Qed.
Lemma flat_tilted_abs_cont : abs_cont_on 0 1 flat_density tilted_density.
Proof. by move=> x _; have := tilted_density_gt0 x; lra. Qed.

(** log(1 / (e^x / (e - 1))) = log(e - 1) - x has the integral log(e - 1) - 1/2. *)
Lemma flat_tilted_ratio x : ln (flat_density x / tilted_density x) = ln (exp 1 - 1) - x.
Proof.
have e1 := e_minus_1_gt0; have ex := exp_pos x.
have -> : flat_density x / tilted_density x = (exp 1 - 1) * exp (- x).
  by rewrite /flat_density /tilted_density exp_Ropp; field; lra.
by rewrite ln_mult ?ln_exp //; last exact: exp_pos.
Qed.

Lemma flat_tilted_integral : is_RInt (fun x => ln (exp 1 - 1) - x) 0 1 (ln (exp 1 - 1) - 1 / 2).
Proof.
pose F x := ln (exp 1 - 1) * x - x * x / 2.
have -> : ln (exp 1 - 1) - 1 / 2 = minus (F 1) (F 0) by rewrite /minus /plus /opp /= /F; field.
apply: is_RInt_derive => x _; first by rewrite /F; auto_derive => //; field.
by apply: ex_derive_continuous; auto_derive.
Qed.

Lemma flat_tilted_KL : is_KL 0 1 flat_density tilted_density (ln (exp 1 - 1) - 1 / 2).
Proof.
apply: (is_RInt_ext _ _ _ _ _ _ flat_tilted_integral) => x _.
by rewrite flat_tilted_ratio /flat_density Rmult_1_l.
Qed.
