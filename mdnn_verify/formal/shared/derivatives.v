(** Derivatives of finite sums of real functions of one real variable. *)
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From MDNN.shared Require Import sums.
Local Open Scope R_scope.

Lemma is_derive_rsum (I : Type) (s : seq I) (F : I -> R -> R) (l : I -> R) (t : R) :
  (forall i, is_derive (F i) t (l i)) -> is_derive (fun u => \rsum_(i <- s) F i u) t (\rsum_(i <- s) l i).
Proof.
move=> H; elim: s => [|a s IH].
  rewrite big_nil; apply: (is_derive_ext (fun=> 0)); first by move=> u; rewrite big_nil.
  exact: is_derive_const.
rewrite big_cons; apply: (is_derive_ext (fun u => F a u + \rsum_(i <- s) F i u)); first by move=> u; rewrite big_cons.
by apply: (is_derive_plus (V := R_NormedModule)); [exact: H | exact: IH].
Qed.

(** Only the term j depends on the variable. *)
Lemma is_derive_one_term (I : finType) (j : I) (F : I -> R -> R) (l t : R) :
  (forall i u, i != j -> F i u = F i t) -> is_derive (F j) t l -> is_derive (fun u => \rsum_i F i u) t l.
Proof.
move=> others D; have -> : l = \rsum_i (if i == j then l else 0).
  by rewrite (bigD1 j) //= eqxx big1 ?Rplus_0_r // => i /negbTE ->.
apply: is_derive_rsum => i; case: eqP => [-> // | /eqP ij].
by apply: (is_derive_ext (fun=> F i t)); [move=> u; rewrite (others i u ij) | exact: is_derive_const].
Qed.
