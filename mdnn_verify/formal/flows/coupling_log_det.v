(** The log-determinant of an affine coupling layer is the sum of its log-scales, for every index set.

    A point of R^n is a function x from the indices 'I_n = {0, ..., n - 1} to R, and O is any set of indices. The
    layer keeps x_i for i in O and maps x_i to exp(s_i(x)) x_i + t_i(x) for i outside O, where s_i and t_i read only the
    coordinates in O.  Its Jacobian is the matrix of its partial derivatives.  The determinant is that of mathcomp,
    Leibniz' sum over all permutations; (...)%R marks operations of a ring, here those of the real numbers.

    Scope: all n, every index set O (also empty and full), all functions s and t that read only x_O (for the block form
    of the Jacobian: and have partial derivatives); every commutative ring, for the determinant of a matrix of that
    pattern. Not proved here: that the matrix of partial derivatives is the total derivative.

    Source: seed 000, Problem 3; seed 001, Problem 3.                                                            *)
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import all_ssreflect ssralg matrix perm fingroup ssrint.
From MDNN.shared Require Import real_field.
Import GRing.Theory.
Local Open Scope R_scope.

Definition point (n : nat) : Type := 'I_n -> R.

(** x with its j-th coordinate replaced by u. *)
Definition with_coordinate {n} (x : point n) (j : 'I_n) (u : R) : point n := fun k => if k == j then u else x k.

(** f reads only the coordinates in O: it has the same value at points that agree there. *)
Definition reads_only {n} (O : {set 'I_n}) (f : point n -> R) : Prop :=
  forall x y, (forall k, k \in O -> x k = y k) -> f x = f y.

(** f has all partial derivatives at every point. *)
Definition has_partials {n} (f : point n -> R) : Prop :=
  forall x j, ex_derive (fun u => f (with_coordinate x j u)) (x j).

(** The affine coupling layer. *)
Definition coupling {n} (O : {set 'I_n}) (s t : 'I_n -> point n -> R) (x : point n) : point n :=
  fun i => if i \in O then x i else exp (s i x) * x i + t i x.

(** Entry (i, j) of the Jacobian of f at x is the partial derivative of f_i in direction j. *)
Definition jacobian {n} (f : point n -> point n) (x : point n) : 'M[R]_n :=
  \matrix_(i, j) Derive (fun u => f (with_coordinate x j u) i) (x j).

(** The pattern of the layer's Jacobian: rows in O are those of the identity, and in a row i outside O the columns
    outside O hold e_i on the diagonal and 0 elsewhere; nothing is said of the columns in O. *)
Definition coupling_pattern {A : ringType} {n} (O : {set 'I_n}) (e : 'I_n -> A) (J : 'M[A]_n) : Prop :=
  (forall i j, i \in O -> J i j = ((i == j)%:R)%R) /\
  (forall i j, i \notin O -> j \notin O -> J i j = (e i *+ (i == j))%R).

(** o lists the indices in O first, in increasing order, and then those outside O. *)
Definition listing {n} (O : {set 'I_n}) (p : 'I_(#|O| + #|~: O|)) : 'I_n :=
  match split p with inl q => enum_val q | inr q => enum_val q end.

(** The matrix of the permutation: (P x)_p = x_(o p). *)
Definition listing_matrix {n} (O : {set 'I_n}) : 'M[R]_(#|O| + #|~: O|, n) :=
  \matrix_(p, i) (((listing O p == i)%:R)%R : R).

(** A matrix with the pattern of a coupling layer, over any commutative ring, has as its determinant the product of the
    diagonal entries e_i outside O. *)
Theorem determinant_of_pattern (A : comRingType) (n : nat) (O : {set 'I_n}) (e : 'I_n -> A) (J : 'M[A]_n) :
  coupling_pattern O e J -> (\det J = \prod_(i | i \notin O) e i)%R.
Proof.
move=> [H1 H2]; rewrite /determinant (bigD1 1%g) //= [X in (_ + X)%R]big1 ?addr0.
  rewrite odd_perm1 expr0 mul1r (bigID (mem O)) /= big1 ?mul1r.
    by apply: eq_bigr => i Hi; rewrite perm1 H2 // eqxx.
  by move=> i Hi; rewrite perm1 H1 // eqxx.
move=> s ns1.
case: (boolP [exists i, J i (s i) == 0%R]) => [/existsP [i /eqP Hi]|].
  by rewrite (bigD1 i) //= Hi mul0r mulr0.
rewrite negb_exists => /forallP Hn; case/eqP: ns1.
have fix_O i : i \in O -> s i = i.
  by move=> iO; have := Hn i; rewrite H1 //; case: (i =P s i) => [<-//|_]; rewrite eqxx.
apply/permP => i; rewrite perm1; case: (boolP (i \in O)) => [/fix_O //|iO].
have siO : s i \notin O.
  by apply: contra iO => siO; move: (fix_O _ siO) => /perm_inj E; rewrite -E.
by have := Hn i; rewrite H2 //; case: (i =P s i) => [<-//|_]; rewrite mulr0n eqxx.
Qed.

(** [listing] is a bijection, and [listing_matrix] moves the rows and columns of a matrix by it. *)
Lemma listing_inj n (O : {set 'I_n}) : injective (listing O).
Proof.
move=> p q; rewrite /listing; case: (splitP p) => a Ea; case: (splitP q) => b Eb.
- by move/enum_val_inj => E; apply: val_inj; rewrite /= Ea Eb E.
- by move=> E; have := enum_valP b; rewrite -E inE (enum_valP a).
- by move=> E; have := enum_valP a; rewrite E inE (enum_valP b).
- by move/enum_val_inj => E; apply: val_inj; rewrite /= Ea Eb E.
Qed.

Lemma listing_bij n (O : {set 'I_n}) : bijective (listing O).
Proof. by apply: inj_card_bij (@listing_inj n O) _; rewrite !card_ord cardsC card_ord. Qed.

Lemma listing_rows n (O : {set 'I_n}) m (J : 'M[R]_(n, m)) p j : (listing_matrix O *m J)%R p j = J (listing O p) j.
Proof.
rewrite mxE (bigD1 (listing O p)) //= mxE eqxx mul1r big1 ?addr0 // => i /negbTE ne.
by rewrite mxE eq_sym ne mul0r.
Qed.

Lemma listing_columns n (O : {set 'I_n}) m (J : 'M[R]_(m, n)) i q :
  (J *m (listing_matrix O)^T)%R i q = J i (listing O q).
Proof. by rewrite -{1}(trmxK J) -trmx_mul mxE listing_rows mxE. Qed.

Lemma listing_matrix_right n (O : {set 'I_n}) : (listing_matrix O *m (listing_matrix O)^T = 1%:M)%R.
Proof. by apply/matrixP => p q; rewrite listing_columns !mxE (inj_eq (@listing_inj n O)). Qed.

Lemma listing_matrix_left n (O : {set 'I_n}) : ((listing_matrix O)^T *m listing_matrix O = 1%:M)%R.
Proof.
apply/matrixP => i j; rewrite !mxE.
under eq_bigr => p _ do rewrite !mxE.
rewrite -(reindex (listing O) (P := xpredT) (F := fun k => ((k == i)%:R * (k == j)%:R)%R)) /=; last first.
  exact: onW_bij (listing_bij n O).
rewrite (bigD1 i) //= eqxx mul1r big1 ?addr0 // => k /negbTE ne.
by rewrite ne mul0r.
Qed.

Section Layer.
Variables (n : nat) (O : {set 'I_n}) (s t : 'I_n -> point n -> R).
Hypothesis s_reads : forall i, i \notin O -> reads_only O (s i).
Hypothesis t_reads : forall i, i \notin O -> reads_only O (t i).
Hypothesis s_partials : forall i, i \notin O -> has_partials (s i).
Hypothesis t_partials : forall i, i \notin O -> has_partials (t i).

Lemma with_coordinate_derivable (x : point n) i j u : ex_derive (fun v => with_coordinate x j v i) u.
Proof. rewrite /with_coordinate; case: (i == j); [exact: ex_derive_id | exact: ex_derive_const]. Qed.

(** The partial derivatives exist: [Derive] is not used outside its domain. *)
Lemma coupling_partials i : has_partials (fun x => coupling O s t x i).
Proof.
move=> x j; rewrite /coupling; case: (boolP (i \in O)) => iO; first exact: with_coordinate_derivable.
apply: ex_derive_plus; last exact: t_partials.
apply: ex_derive_mult; last exact: with_coordinate_derivable.
apply: (ex_derive_comp exp); last exact: s_partials.
by eexists; exact: is_derive_exp.
Qed.

Lemma jacobian_pattern x :
  coupling_pattern O (fun i => exp (s i x) : R_ringType) (jacobian (coupling O s t) x).
Proof.
split=> i j iO; rewrite !mxE.
  by rewrite /coupling iO /with_coordinate; case: (i =P j) => [<-|nij]; [exact: Derive_id | exact: Derive_const].
move=> jO; rewrite /coupling (negbTE iO).
have unchanged f : reads_only O f -> forall u, f (with_coordinate x j u) = f x.
  by move=> Hf u; apply: Hf => k kO; rewrite /with_coordinate; case: eqP => // E; rewrite E (negbTE jO) in kO.
rewrite (Derive_ext _ (fun u => exp (s i x) * with_coordinate x j u i + t i x)); last first.
  by move=> u; rewrite (unchanged _ (s_reads _ iO)) (unchanged _ (t_reads _ iO)).
rewrite /with_coordinate; case: (i =P j) => [Eij|nij] /=.
  by apply: is_derive_unique; rewrite mulr1n; auto_derive => //; ring.
by apply: is_derive_unique; rewrite mulr0n; auto_derive => //; ring.
Qed.

(** The Jacobian of an affine coupling layer at x: every partial derivative exists, and
    dz/dx = P^-1 [[1, 0], [C, diag exp s_i(x)]] P for some block C, where P lists the indices in O first. *)
Theorem jacobian_in_block_form (x : point n) :
  (forall i, has_partials (fun y => coupling O s t y i)) /\
  (listing_matrix O *m (listing_matrix O)^T = 1%:M)%R /\ ((listing_matrix O)^T *m listing_matrix O = 1%:M)%R /\
  exists C, (jacobian (coupling O s t) x = (listing_matrix O)^T *m
    block_mx 1%:M 0 C (diag_mx (\row_q exp (s (enum_val q) x))) *m listing_matrix O)%R.
Proof.
split; first exact: coupling_partials.
split; first exact: listing_matrix_right.
split; first exact: listing_matrix_left.
set P := listing_matrix O; set J := jacobian _ _; have [H1 H2] := jacobian_pattern x.
pose C : 'M[R]_(#|~: O|, #|O|) := (\matrix_(p, q) J (enum_val p) (enum_val q))%R.
exists C.
suff <- : (P *m J *m P^T = block_mx 1%:M 0 C (diag_mx (\row_q exp (s (enum_val q) x))))%R.
  by rewrite !mulmxA listing_matrix_left mul1mx -mulmxA listing_matrix_left mulmx1.
have outside (q : 'I_#|~: O|) : enum_val q \notin O by have := enum_valP q; rewrite inE.
apply/matrixP => p q; rewrite listing_columns listing_rows /listing.
case: (splitP p) => a Ea; case: (splitP q) => b Eb.
- have -> : p = lshift _ a by apply: val_inj.
  have -> : q = lshift _ b by apply: val_inj.
  by rewrite block_mxEul (H1 _ _ (enum_valP a)) mxE (inj_eq enum_val_inj).
- have -> : p = lshift _ a by apply: val_inj.
  have -> : q = rshift _ b by apply: val_inj.
  rewrite block_mxEur (H1 _ _ (enum_valP a)) mxE; case: eqP => // E.
  by have := outside b; rewrite -E (enum_valP a).
- have -> : p = rshift _ a by apply: val_inj.
  have -> : q = lshift _ b by apply: val_inj.
  by rewrite block_mxEdl [RHS]mxE.
- have -> : p = rshift _ a by apply: val_inj.
  have -> : q = rshift _ b by apply: val_inj.
  by rewrite block_mxEdr (H2 _ _ (outside a) (outside b)) !mxE (inj_eq enum_val_inj).
Qed.

(** The determinant of the Jacobian of an affine coupling layer is the exponential of the sum over the indices outside O
    of the log-scales.  The block C does not enter, so this needs of s and t only that they read x_O. *)
Theorem coupling_determinant (x : point n) :
  (\det (jacobian (coupling O s t) x) = exp (\sum_(i | i \notin O) s i x))%R.
Proof.
rewrite (determinant_of_pattern _ _ _ _ _ (jacobian_pattern x)).
by elim/big_rec2: _ => [|i a b _ ->]; [rewrite exp_0 | rewrite [RHS]exp_plus].
Qed.

(** log |det dz/dx| is the sum over the indices outside O of the log-scales s_i(x). *)
Theorem coupling_log_det (x : point n) :
  ln (Rabs (\det (jacobian (coupling O s t) x))%R) = (\sum_(i | i \notin O) s i x)%R.
Proof. rewrite coupling_determinant Rabs_pos_eq ?ln_exp //; left; exact: exp_pos. Qed.
End Layer.

(** An example that satisfies the hypotheses: n = 3, O = {1}, the layer with s_i(x) = i x_1 and t_i(x) = x_1^2. *)
Definition middle : 'I_3 := lift ord0 ord0.
Definition example_s (i : 'I_3) (x : point 3) : R := INR i * x middle.
Definition example_t (i : 'I_3) (x : point 3) : R := x middle * x middle.
Lemma example_s_reads i : i \notin [set middle] -> reads_only [set middle] (example_s i).
Proof. by move=> _ x y H; rewrite /example_s H // inE. Qed.
Lemma example_t_reads i : i \notin [set middle] -> reads_only [set middle] (example_t i).
Proof. by move=> _ x y H; rewrite /example_t H // inE. Qed.
Lemma example_s_partials i : i \notin [set middle] -> has_partials (example_s i).
Proof. by move=> _ x j; rewrite /example_s /with_coordinate; case: (middle == j); auto_derive. Qed.
Lemma example_t_partials i : i \notin [set middle] -> has_partials (example_t i).
Proof. by move=> _ x j; rewrite /example_t /with_coordinate; case: (middle == j); auto_derive. Qed.
Definition example_x : point 3 := fun i => INR i - 1 / 2.

Definition jacobian_in_block_form_witness := jacobian_in_block_form 3 [set middle] example_s example_t
  example_s_reads example_t_reads example_s_partials example_t_partials example_x.
Definition coupling_determinant_witness :=
  coupling_determinant 3 [set middle] example_s example_t example_s_reads example_t_reads example_x.
Definition coupling_log_det_witness :=
  coupling_log_det 3 [set middle] example_s example_t example_s_reads example_t_reads example_x.

(** A matrix of integers with the pattern: row 1 is that of the identity, column 1 is filled with 7, and e_i = i + 2. *)
Definition example_e (i : 'I_3) : int := ((i : nat)%:Z + 2%:Z)%R.
Definition example_J : 'M[int]_3 :=
  (\matrix_(i, j) if i == middle then (i == j)%:R else if j == middle then 7%:Z else example_e i *+ (i == j))%R.
Lemma example_J_pattern : coupling_pattern [set middle] example_e example_J.
Proof. by split=> i j; rewrite !inE mxE; [move=> -> | move=> /negbTE-> /negbTE->]. Qed.
Definition determinant_of_pattern_witness :=
  determinant_of_pattern _ 3 [set middle] example_e example_J example_J_pattern.
