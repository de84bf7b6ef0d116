(** The transpose of the 2 x 2 average pool is a quarter of nearest-neighbour upsampling.

    A picture is a function X of a row and a column, counted from 0; of an m x n picture only the rows i < m and columns
    j < n count. [average_pool] takes 2m x 2n pictures to m x n pictures, [upsample] goes back by repeating each pixel
    in a 2 x 2 block (i %/ 2 is the integer quotient), and [inner m n A B] is the sum of A i j * B i j over an m x n
    picture. [unit_picture a b] has a 1 at (a, b) and 0 elsewhere, so that T(unit_picture i j) a b is the entry of the
    matrix of T in row (a, b) and column (i, j).

    Both definitions of the transpose: <T X, Y> = <X, T' Y> for all X and Y, which determines T' Y uniquely, and the
    exchange of rows and columns in the matrix.

    Scope: all even sizes 2m x 2n, all real pictures.

    Source: seed 004, Problem 1. *)
Require Import Reals Lra.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop div.
From MDNN.shared Require Import sums.
Local Open Scope R_scope.

(** A picture, the average pool with kernel 2 x 2 and stride 2, and nearest-neighbour upsampling. *)
Definition picture : Type := nat -> nat -> R.
Definition average_pool (X : picture) : picture := fun i j =>
  (X (2 * i)%N (2 * j)%N + X (2 * i)%N (2 * j + 1)%N + X (2 * i + 1)%N (2 * j)%N + X (2 * i + 1)%N (2 * j + 1)%N) / 4.
Definition upsample (Y : picture) : picture := fun i j => Y (i %/ 2)%N (j %/ 2)%N.
Definition quarter_upsample (Y : picture) : picture := fun i j => / 4 * upsample Y i j.

(** The inner product of m x n pictures, and the picture that is 1 at (a, b) only. *)
Definition inner (m n : nat) (A B : picture) : R := \rsum_(i < m) \rsum_(j < n) (A i j * B i j).
Definition unit_picture (a b : nat) : picture := fun i j => if (i == a) && (j == b) then 1 else 0.

Lemma rsum_double n (f : nat -> R) : \rsum_(i < 2 * n) f i = \rsum_(i < n) (f (2 * i)%N + f (2 * i + 1)%N).
Proof.
elim: n => [|n IH]; first by rewrite muln0 !big_ord0.
by rewrite mulnS add2n !big_ord_recr /= IH addn1 Rplus_assoc.
Qed.

Lemma half_even i : (2 * i %/ 2 = i)%N. Proof. by rewrite mulKn. Qed.
Lemma half_odd i : ((2 * i + 1) %/ 2 = i)%N. Proof. by rewrite mulnC divnMDl // divn_small ?addn0. Qed.

(** <T X, Y> = <X, (1/4) upsample Y> for all pictures X (of size 2m x 2n) and Y (of size m x n). *)
Theorem average_pool_adjoint (m n : nat) (X Y : picture) :
  inner m n (average_pool X) Y = inner (2 * m) (2 * n) X (quarter_upsample Y).
Proof.
rewrite /inner (rsum_double m (fun i => \rsum_(j < 2 * n) (X i j * quarter_upsample Y i j))).
apply: eq_bigr => i _.
rewrite (rsum_double n (fun j => X (2 * i)%N j * quarter_upsample Y (2 * i)%N j)).
rewrite (rsum_double n (fun j => X (2 * i + 1)%N j * quarter_upsample Y (2 * i + 1)%N j)) -big_split /=.
apply: eq_bigr => j _; rewrite /quarter_upsample /upsample !half_even !half_odd /average_pool.
set y := Y i j; set x1 := X _ _; set x2 := X _ (2 * j + 1)%N; set x3 := X (2 * i + 1)%N _; set x4 := X (2 * i + 1)%N _.
by field.
Qed.

Lemma rsum_single n (f : nat -> R) a : (a < n)%N -> (forall i, i != a -> f i = 0) -> \rsum_(i < n) f i = f a.
Proof.
move=> an H; rewrite (bigD1 (Ordinal an)) //= big1 ?Rplus_0_r // => i ia; apply: H.
by apply: contra ia => /eqP E; apply/eqP; apply: val_inj.
Qed.

Lemma inner_unit m n a b (Z : picture) : (a < m)%N -> (b < n)%N -> inner m n (unit_picture a b) Z = Z a b.
Proof.
move=> am bn; rewrite /inner (rsum_single m (fun i => \rsum_(j < n) (unit_picture a b i j * Z i j)) a am).
  rewrite (rsum_single n (fun j => unit_picture a b a j * Z a j) b bn) => [|j /negbTE jb].
    by rewrite /unit_picture !eqxx Rmult_1_l.
  by rewrite /unit_picture jb andbF Rmult_0_l.
by move=> i /negbTE ia; apply: rsum_const0 => j _; rewrite /unit_picture ia Rmult_0_l.
Qed.

Lemma inner_sym m n A B : inner m n A B = inner m n B A.
Proof. by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite Rmult_comm. Qed.

(** No other picture will do: if Z satisfies <T X, Y> = <X, Z> for all X, it is (1/4) upsample Y. *)
Theorem adjoint_is_unique (m n : nat) (Y Z : picture) :
  (forall X, inner m n (average_pool X) Y = inner (2 * m) (2 * n) X Z) ->
  forall i j, (i < 2 * m)%N -> (j < 2 * n)%N -> Z i j = quarter_upsample Y i j.
Proof.
move=> H i j im jn.
by rewrite -(inner_unit (2 * m) (2 * n) i j Z im jn) -H average_pool_adjoint inner_unit.
Qed.

(** The entry ((a, b), (i, j)) of the matrix of T is the entry ((i, j), (a, b)) of that of (1/4) upsample. *)
Theorem matrices_are_transposed (m n i j a b : nat) : (i < 2 * m)%N -> (j < 2 * n)%N -> (a < m)%N -> (b < n)%N ->
  average_pool (unit_picture i j) a b = quarter_upsample (unit_picture a b) i j.
Proof.
move=> im jn am bn.
rewrite -(inner_unit m n a b (average_pool (unit_picture i j)) am bn) inner_sym average_pool_adjoint.
exact: inner_unit.
Qed.

(** Examples that satisfy the hypotheses: 4 x 6 pictures, X i j = i + 2 j, Y i j = i - j. *)
Definition slope_picture : picture := fun i j => INR i + 2 * INR j.
Definition difference_picture : picture := fun i j => INR i - INR j.
Definition average_pool_adjoint_witness := average_pool_adjoint 2 3 slope_picture difference_picture.
Definition adjoint_is_unique_witness :=
  adjoint_is_unique 2 3 difference_picture (quarter_upsample difference_picture)
    (fun X => average_pool_adjoint 2 3 X difference_picture) 3 5 isT isT.
Definition matrices_are_transposed_witness := matrices_are_transposed 2 3 3 5 1 2 isT isT isT isT.
