(** Backpropagation through convolutions is made of convolutions, and never needs their matrices.

    A vector is a function of an index counted from 0, of which only the indices below its size count. What networks
    call a convolution, [convolve f w y] = A_w y, has the entries sum over k < f of w_k y_(i+k). A [layer] has a filter
    length f, a filter w and a bias b, and its [argument] is a = A_w y + b 1. Between two layers sigma is applied, not
    after the last. [output sigma rest a] is y_L as a function of the argument a of some layer, where [rest] are the
    layers after it; rest is empty for the last layer, whose argument is the single number y_L ([sizes_fit]).
    [row_vector] is v_l, from its recursion v_L = 1, v_l = (A_w' v_(l+1)) * sigma'(a_l), where [convolve_transposed f w
    m u] = A_w' u for a u of size m is the transposed convolution, the sum of w_k u_i over i + k = j.

    [is_gradient n g v] says that v y is the gradient of g at every y of size n, in the form of the chain rule: along
    every curve c with derivatives dc_i the derivative of g(c) is sum over i < n of v(c)_i dc_i. [is_derive f t l]: f
    has the derivative l at t (Coquelicot). [change y j u] is y with its j-th entry replaced by u.

    Scope: any number of layers, any filter lengths that fit the sizes, any real filters, biases and inputs, any sigma
    that is differentiable everywhere. The statements on time and memory are not part of it.

    Source: seed 004, Problem 6(a), (b). *)
Require Import Reals Lra FunctionalExtensionality.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop.
From MDNN.shared Require Import sums derivatives.
Local Open Scope R_scope.

(** A_w y, and A_w' u for a vector u of size m. *)
Definition convolve (f : nat) (w y : nat -> R) (i : nat) : R := \rsum_(k < f) (w k * y (i + k)%N).
Definition convolve_transposed (f : nat) (w : nat -> R) (m : nat) (u : nat -> R) (j : nat) : R :=
  \rsum_(i < m) \rsum_(k < f) (if (i + k == j)%N then w k * u i else 0).

(** A layer, its argument A_w y + b 1, and the size m - f + 1 of its argument for inputs of size m. *)
Record layer : Type := Layer { width : nat; weights : nat -> R; bias : R }.
Definition argument (l : layer) (y : nat -> R) (i : nat) : R := convolve (width l) (weights l) y i + bias l.
Definition size_after (l : layer) (m : nat) : nat := (m - width l + 1)%N.

(** The layers [rest] take vectors of size m to a single number, and every filter has at least one weight. *)
Fixpoint sizes_fit (rest : list layer) (m : nat) : bool :=
  match rest with
  | nil => (m == 1)%N
  | l :: later => (0 < width l)%N && (width l <= m)%N && sizes_fit later (size_after l m)
  end.

(** y_L as a function of the argument a of a layer that is followed by the layers [rest]. *)
Fixpoint output (sigma : R -> R) (rest : list layer) (a : nat -> R) : R :=
  match rest with
  | nil => a 0%N
  | l :: later => output sigma later (argument l (fun i => sigma (a i)))
  end.

(** The row vector v of that layer, of size m; slope is sigma'. *)
Fixpoint row_vector (sigma slope : R -> R) (rest : list layer) (m : nat) (a : nat -> R) (i : nat) : R :=
  match rest with
  | nil => 1
  | l :: later =>
      convolve_transposed (width l) (weights l) (size_after l m)
        (row_vector sigma slope later (size_after l m) (argument l (fun k => sigma (a k)))) i * slope (a i)
  end.

(** v is the gradient of g on vectors of size n. *)
Definition is_gradient (n : nat) (g : (nat -> R) -> R) (v : (nat -> R) -> nat -> R) : Prop :=
  forall (c : R -> nat -> R) (dc : nat -> R) (t : R), (forall i, is_derive (fun s => c s i) t (dc i)) ->
    is_derive (fun s => g (c s)) t (\rsum_(i < n) (v (c t) i * dc i)).

(** y with its j-th entry replaced by u. *)
Definition change (y : nat -> R) (j : nat) (u : R) : nat -> R := fun i => if (i == j)%N then u else y i.

Lemma rsum_pick n (F : nat -> R) j : (j < n)%N -> \rsum_(i < n) (if (j == i)%N then F i else 0) = F j.
Proof.
move=> jn; rewrite (bigD1 (Ordinal jn)) //= eqxx big1 ?Rplus_0_r // => i ij.
rewrite ifF //; apply: contraNF ij => /eqP E; by apply/eqP; apply: val_inj.
Qed.

(** <u, A_w y> = <A_w' u, y> = <w, C_u y>: the transposed convolution has the transposed matrix, and as a function of
    the filter the convolution is a convolution with u as its filter. *)
Theorem transposed_convolution_is_adjoint (f m n : nat) (w u y : nat -> R) : (m + f = n + 1)%N ->
  \rsum_(i < m) (u i * convolve f w y i) = \rsum_(j < n) (convolve_transposed f w m u j * y j) /\
  \rsum_(i < m) (u i * convolve f w y i) = \rsum_(k < f) (w k * convolve m u y k).
Proof.
move=> fit; split; last first.
  rewrite /convolve (eq_bigr (fun i : 'I_m => \rsum_(k < f) (w k * (u i * y (i + k)%N)))); last first.
    by move=> i _; rewrite big_distrr /=; apply: eq_bigr => k _; rewrite -!Rmult_assoc (Rmult_comm (u i)).
  rewrite exchange_big /=; apply: eq_bigr => k _; rewrite big_distrr /=.
  by apply: eq_bigr => i _; rewrite addnC.
rewrite (eq_bigr (fun j : 'I_n => \rsum_(i < m) \rsum_(k < f) (if (i + k == j)%N then w k * u i * y j else 0))).
  rewrite exchange_big /=; apply: eq_bigr => i _; rewrite /convolve big_distrr exchange_big /=.
  apply: eq_bigr => k _; rewrite (rsum_pick n (fun j => w k * u i * y j)).
    by rewrite -Rmult_assoc (Rmult_comm (u i)).
  have ik : (i + k < m + f - 1)%N.
    case: i k => i im [k kf] /=; case: m im {fit} => // m im.
    by rewrite addSn subn1 /= -addnS leq_add.
  by rewrite fit addn1 subn1 in ik.
move=> j _; rewrite /convolve_transposed big_distrl /=; apply: eq_bigr => i _; rewrite big_distrl /=.
by apply: eq_bigr => k _; case: ifP => // _; rewrite Rmult_0_l.
Qed.

Lemma argument_moves (l : layer) (c : R -> nat -> R) (dc : nat -> R) (t : R) i :
  (forall j, is_derive (fun s => c s j) t (dc j)) ->
  is_derive (fun s => argument l (c s) i) t (convolve (width l) (weights l) dc i).
Proof.
move=> D; rewrite /argument -[convolve _ _ _ _]Rplus_0_r.
apply: (is_derive_plus (V := R_NormedModule)); last exact: is_derive_const.
by apply: is_derive_rsum => k; apply: is_derive_scal; exact: D.
Qed.

(** v_l is the gradient of y_L with respect to the argument of layer l: dy_L/da_l = v_l. *)
Theorem row_vector_is_gradient (sigma slope : R -> R) (rest : list layer) (m : nat) :
  (forall x, is_derive sigma x (slope x)) -> sizes_fit rest m ->
  is_gradient m (output sigma rest) (row_vector sigma slope rest m).
Proof.
move=> Ds; elim: rest m => [|l later IH] m /=.
  by move/eqP => -> c dc t D; rewrite big_ord_recl big_ord0 Rmult_1_l Rplus_0_r; exact: D.
move=> /andP [/andP [f0 fm] fit] c dc t D.
have D1 j : is_derive (fun s => sigma (c s j)) t (slope (c t j) * dc j).
  by have := is_derive_comp sigma (fun s => c s j) t _ _ (Ds _) (D j); rewrite /scal /= /mult /= Rmult_comm.
have := IH _ fit (fun s => argument l (fun k => sigma (c s k))) _ t (fun i => argument_moves l _ _ t i D1).
set v := row_vector _ _ _ _ _; have E : (size_after l m + width l = m + 1)%N.
  by rewrite /size_after addnAC subnK.
rewrite (proj1 (transposed_convolution_is_adjoint _ _ m (weights l) v (fun j => slope (c t j) * dc j) E)).
pose u j := convolve_transposed (width l) (weights l) (size_after l m) v j.
by rewrite (eq_bigr (fun j : 'I_m => u j * slope (c t j) * dc j)) // => j _; rewrite Rmult_assoc.
Qed.

(** The derivatives of y_L in the parameters and in the input y of a layer, v being its row vector: in the filter's
    entry k it is (C_v y)_k, in the bias the sum of v, in the input's entry j it is (A_w' v)_j. *)
Theorem gradients_of_a_layer (sigma slope : R -> R) (f : nat) (w : nat -> R) (b : R) (rest : list layer) (m n : nat)
  (y : nat -> R) :
  (forall x, is_derive sigma x (slope x)) -> sizes_fit rest m -> (m + f = n + 1)%N ->
  let v := row_vector sigma slope rest m (argument (Layer f w b) y) in
  (forall k, (k < f)%N ->
    is_derive (fun u => output sigma rest (argument (Layer f (change w k u) b) y)) (w k) (convolve m v y k)) /\
  is_derive (fun u => output sigma rest (argument (Layer f w u) y)) b (\rsum_(i < m) v i) /\
  (forall j, (j < n)%N ->
    is_derive (fun u => output sigma rest (argument (Layer f w b) (change y j u))) (y j)
      (convolve_transposed f w m v j)).
Proof.
move=> Ds fit size v; have G := row_vector_is_gradient sigma slope rest m Ds fit.
have unchanged z k : change z k (z k) = z.
  by apply: functional_extensionality => i; rewrite /change; case: eqP => [->|].
have moves z k i : is_derive (fun u => change z k u i) (z k) (if (k == i)%N then 1 else 0).
  by rewrite /change eq_sym; case: eqP => _; [exact: is_derive_id | exact: is_derive_const].
split; [move=> k kf | split; last move=> j jn].
- have D i : is_derive (fun u => argument (Layer f (change w k u) b) y i) (w k) (y (i + k)%N).
    rewrite /argument /= -[y _]Rplus_0_r; apply: (is_derive_plus (V := R_NormedModule)); last exact: is_derive_const.
    rewrite -(rsum_pick f (fun l => y (i + l)%N) k kf); apply: is_derive_rsum => l.
    have := is_derive_scal_l (fun u => change w k u l) (w k) _ (y (i + l)%N) (moves w k l).
    by rewrite /scal /= /mult /=; case: eqP => _; rewrite ?Rmult_1_l ?Rmult_0_l.
  have := G _ _ _ D; rewrite unchanged -/v /convolve.
  by rewrite (eq_bigr (fun i : 'I_m => v i * y (k + i)%N)) // => i _; rewrite addnC.
- have D i : is_derive (fun u => argument (Layer f w u) y i) b 1.
    rewrite /argument /= -[1]Rplus_0_l; apply: (is_derive_plus (V := R_NormedModule)); first exact: is_derive_const.
    exact: is_derive_id.
  have := G _ _ _ D; rewrite -/v (eq_bigr (fun i : 'I_m => v i)) // => i _; by rewrite Rmult_1_r.
have := G _ _ _ (fun i => argument_moves (Layer f w b) _ _ _ i (moves y j)); rewrite unchanged -/v /=.
rewrite (proj1 (transposed_convolution_is_adjoint f m n w v _ size)).
rewrite (eq_bigr (fun i : 'I_n => if (j == i)%N then convolve_transposed f w m v i else 0)).
  by rewrite (rsum_pick n (convolve_transposed f w m v)).
by move=> i _; case: eqP => _; rewrite ?Rmult_1_r ?Rmult_0_r.
Qed.

(** The entry (i, j) of the matrix A_w: w_(j - i) for i <= j < i + f, and 0 elsewhere. *)
Definition matrix_entry (f : nat) (w : nat -> R) (i j : nat) : R := \rsum_(k < f) (if (i + k == j)%N then w k else 0).

(** dy_l/dy_(l-1) = diag(sigma'(a_l)) A_w, entry by entry; without sigma, for the last layer, it is A_w. *)
Theorem jacobian_of_a_layer (sigma slope : R -> R) (l : layer) (y : nat -> R) (i j : nat) :
  (forall x, is_derive sigma x (slope x)) ->
  is_derive (fun u => sigma (argument l (change y j u) i)) (y j)
    (slope (argument l y i) * matrix_entry (width l) (weights l) i j) /\
  is_derive (fun u => argument l (change y j u) i) (y j) (matrix_entry (width l) (weights l) i j).
Proof.
move=> Ds.
have moves k : is_derive (fun u => change y j u k) (y j) (if (k == j)%N then 1 else 0).
  by rewrite /change; case: eqP => _; [exact: is_derive_id | exact: is_derive_const].
have D : is_derive (fun u => argument l (change y j u) i) (y j) (matrix_entry (width l) (weights l) i j).
  have := argument_moves l _ _ _ i moves; rewrite /matrix_entry /convolve.
  rewrite (eq_bigr (fun k : 'I_(width l) => if (i + k == j)%N then weights l k else 0)) // => k _.
  by case: eqP => _; rewrite ?Rmult_1_r ?Rmult_0_r.
split=> //.
have unchanged : change y j (y j) = y by apply: functional_extensionality => k; rewrite /change; case: eqP => [->|].
have Ds' := Ds (argument l (change y j (y j)) i).
by have := is_derive_comp sigma _ (y j) _ _ Ds' D; rewrite /scal /= /mult /= unchanged Rmult_comm.
Qed.

(** Examples that satisfy the hypotheses: sigma(x) = x^2; a first layer with three weights on an input of size 6, then a
    layer with two and one with three weights, so the sizes are 6, 4, 3, 1. *)
Definition square (x : R) : R := x ^ 2.
Definition twice (x : R) : R := 2 * x.
Definition ramp (i : nat) : R := INR i - 1.
Definition alternating (i : nat) : R := if odd i then -1 else 2.
Definition later_layers : list layer := [:: Layer 2 ramp 5; Layer 3 alternating 1].
Lemma square_smooth x : is_derive square x (twice x).
Proof. by rewrite /square /twice; auto_derive => //; ring. Qed.
Definition transposed_convolution_is_adjoint_witness :=
  transposed_convolution_is_adjoint 3 4 6 alternating ramp (fun i => INR (i * i)) erefl.
Definition row_vector_is_gradient_witness :=
  row_vector_is_gradient square twice later_layers 4 square_smooth isT.
Definition gradients_of_a_layer_witness :=
  gradients_of_a_layer square twice 3 alternating 7 later_layers 4 6 ramp square_smooth isT erefl.
Definition jacobian_of_a_layer_witness :=
  jacobian_of_a_layer square twice (Layer 3 alternating 7) ramp 1 2 square_smooth.
