(** The Kullback-Leibler divergence between two d-dimensional Gaussians has a closed form.

    S0 and S1 are positive definite d x d matrices, mu0 and mu1 points of R^d, and gaussian_density mu S x is the usual
    exp(-(x - mu)' S^-1 (x - mu) / 2) / sqrt((2 pi)^d det S).  The divergence is the expectation of the logarithm of the
    ratio of the two densities at X, for X with the first law.  Only three properties of that law are used: expectations
    are linear, X has mean mu0, and X has covariance S0.  So the law enters as "M Z v", read "Z has the expectation v",
    which need not be defined for every random variable Z: is_expectation lists what is asked of it.

    In dimension 1 nothing is left to assume: the law is the improper Riemann integral against the density.

    Scope: every dimension d, all positive definite S0 and S1, all means; for every linear expectation under which X has
    mean mu0 and covariance S0. That the Gaussian law has these moments is proved for d = 1 only.

    Source: seed 000, Problem 5.                                                                                 *)
Require Import Reals Lra.
From Coquelicot Require Import Coquelicot.
From mathcomp Require Import all_ssreflect ssralg matrix.
From MDNN.shared Require Import real_field normal_law.
Import GRing.Theory.
Local Open Scope ring_scope.
Local Open Scope R_scope.

(** M Z v says that the random variable Z : Omega -> R has the expectation v. *)
Record is_expectation {Omega : Type} (M : (Omega -> R) -> R -> Prop) : Prop := {
  expectation_unique : forall Z u v, M Z u -> M Z v -> u = v;
  expectation_ext : forall Y Z v, (forall w, Y w = Z w) -> M Y v -> M Z v;
  expectation_add : forall Y Z u v, M Y u -> M Z v -> M (fun w => Y w + Z w) (u + v);
  expectation_scale : forall c Z v, M Z v -> M (fun w => c * Z w) (c * v);
  expectation_one : M (fun _ => 1) 1 }.

(** The random vector X has the mean mu and the covariance S. *)
Definition has_mean {Omega : Type} {d} (M : (Omega -> R) -> R -> Prop) (X : Omega -> 'cV[R]_d) (mu : 'cV[R]_d) : Prop :=
  forall i, M (fun w => X w i ord0) (mu i ord0).
Definition has_covariance {Omega : Type} {d} (M : (Omega -> R) -> R -> Prop) (X : Omega -> 'cV[R]_d) (mu : 'cV[R]_d)
    (S : 'M[R]_d) : Prop :=
  forall i j, M (fun w => (X w i ord0 - mu i ord0) * (X w j ord0 - mu j ord0)) (S i j).

(** x' A x. *)
Definition quadratic_form {d} (A : 'M[R]_d) (x : 'cV[R]_d) : R := (x^T *m A *m x)%R ord0 ord0.

(** S is symmetric, and x' S x > 0 for every x other than 0. *)
Definition positive_definite {d} (S : 'M[R]_d) : Prop :=
  (S^T = S)%R /\ forall x : 'cV[R]_d, x <> 0%R -> 0 < quadratic_form S x.

Definition gaussian_density {d} (mu : 'cV[R]_d) (S : 'M[R]_d) (x : 'cV[R]_d) : R :=
  exp (- (quadratic_form (invmx S) (x - mu)%R / 2)) / sqrt ((2 * PI) ^ d * (\det S)%R).

(** A positive definite matrix has a positive determinant: by induction, through the Schur complement. *)
Lemma quadratic_form_gt0_det d (S : 'M[R]_d) :
  (forall x : 'cV[R]_d, x <> 0%R -> 0 < quadratic_form S x) -> 0 < (\det S)%R.
Proof.
elim: d S => [|d IH]; first by move=> S _; rewrite det_mx00; exact: Rlt_0_1.
rewrite -[d.+1]/(1 + d)%N => S HS.
pose a := ulsubmx S; pose b := ursubmx S; pose c := dlsubmx S; pose D := drsubmx S.
have ES : S = block_mx a b c D by rewrite submxK.
pose al : R := a ord0 ord0; have Ea : a = (al%:M)%R by exact: mx11_scalar.
have al0 : 0 < al.
  have ne : (col_mx 1%:M 0 : 'cV[R]_(1 + d))%R <> 0%R.
    move=> /matrixP /(_ ord0 ord0); rewrite !mxE; case: splitP => // k _.
    rewrite mxE (ord1 k) eqxx => E; exact: R1_neq_R0.
  have := HS _ ne; rewrite /quadratic_form ES tr_col_mx trmx0 -mulmxA mul_block_col mul_row_col mul0mx addr0.
  by rewrite mulmx1 mulmx0 addr0 trmx1 mul1mx.
have aln : al != 0%R by apply/eqP => E; move: al0; rewrite E; exact: Rlt_irrefl.
pose Sc := (D - c *m (al^-1 *: b))%R.
have EL : (block_mx 1%:M 0 (- (al^-1 *: c)) 1%:M *m S = block_mx a b 0 Sc)%R.
  rewrite {1}ES mulmx_block !mul1mx !mul0mx !addr0 Ea mul_mx_scalar scalerN scalerA mulfV // scale1r addNr.
  by rewrite /Sc mulNmx -scalemxAl -scalemxAr addrC.
have Ed : (\det S = al * \det Sc)%R.
  have := congr1 determinant EL.
  by rewrite det_mulmx det_lblock !det1 !mul1r det_ublock det_mx11.
rewrite Ed; apply: Rmult_lt_0_compat => //; apply: IH => y yn.
pose u := (- (al^-1 *: (b *m y)))%R.
have ne : (col_mx u y : 'cV[R]_(1 + d))%R <> 0%R.
  by move=> E; apply: yn; have := congr1 dsubmx E; rewrite col_mxKd => ->; apply/matrixP => i j; rewrite !mxE.
have := HS _ ne; rewrite /quadratic_form ES tr_col_mx -mulmxA mul_block_col mul_row_col.
have -> : (a *m u + b *m y = 0)%R.
  by rewrite Ea mul_scalar_mx /u scalerN scalerA mulfV // scale1r addNr.
rewrite mulmx0 add0r; congr (0 < _); rewrite -mulmxA; congr ((_ *m _)%R _ _).
by rewrite /u /Sc mulmxBl mulmxN addrC -scalemxAr -scalemxAr -scalemxAl mulmxA.
Qed.

Lemma positive_definite_det d (S : 'M[R]_d) : positive_definite S -> 0 < (\det S)%R.
Proof. by case=> _; exact: quadratic_form_gt0_det. Qed.

Definition outer {d} (x : 'cV[R]_d) : 'M[R]_d := (x *m x^T)%R.
Lemma outerE d (x y : 'cV[R]_d) i j : outer (x - y)%R i j = (x i ord0 - y i ord0) * (x j ord0 - y j ord0).
Proof. by rewrite /outer mxE big_ord_recl big_ord0 addr0 !mxE. Qed.
Lemma quadratic_form_trace d (A : 'M[R]_d) x : quadratic_form A x = (\tr (A *m outer x))%R.
Proof. by rewrite /quadratic_form -trace_mx11 -mulmxA mxtrace_mulC mulmxA. Qed.

Lemma ln_gaussian_density d (mu : 'cV[R]_d) S x : 0 < (\det S)%R -> 0 < gaussian_density mu S x /\
  ln (gaussian_density mu S x) =
  - (ln ((2 * PI) ^ d) / 2) - ln (\det S)%R / 2 - quadratic_form (invmx S) (x - mu)%R / 2.
Proof.
move=> d0; have P0 : 0 < (2 * PI) ^ d by apply: pow_lt; have := PI_RGT_0; lra.
have D0 : 0 < (2 * PI) ^ d * (\det S)%R by apply: Rmult_lt_0_compat.
have S0 := sqrt_lt_R0 _ D0; have I0 := Rinv_0_lt_compat _ S0.
split; first by apply: Rmult_lt_0_compat => //; exact: exp_pos.
have ls : ln (sqrt ((2 * PI) ^ d * (\det S)%R)) = ln ((2 * PI) ^ d * (\det S)%R) / 2.
  by rewrite -Rpower_sqrt // /Rpower ln_exp; field.
rewrite /gaussian_density ln_mult //; last exact: exp_pos.
rewrite ln_Rinv // ln_exp ls ln_mult //.
set a := ln (_ ^ _); set b := ln _; set c := quadratic_form _ _; lra.
Qed.

Section Expectation.
Variables (Omega : Type) (M : (Omega -> R) -> R -> Prop) (d : nat).
Hypothesis M_expectation : is_expectation M.

Lemma expectation_constant c : M (fun _ => c) c.
Proof.
have := expectation_scale _ M_expectation c _ _ (expectation_one _ M_expectation).
by rewrite Rmult_1_r.
Qed.

Lemma expectation_sum (I : Type) (r : seq I) (F : I -> Omega -> R) (v : I -> R) : (forall i, M (F i) (v i)) ->
  M (fun w => \sum_(i <- r) F i w)%R (\sum_(i <- r) v i)%R.
Proof.
move=> H; elim: r => [|a r IH].
  rewrite big_nil; apply: (expectation_ext _ M_expectation _ _ _ _ (expectation_constant 0)) => w.
  by rewrite big_nil.
rewrite big_cons.
apply: (expectation_ext _ M_expectation _ _ _ _ (expectation_add _ M_expectation _ _ _ _ (H a) IH)) => w.
by rewrite big_cons.
Qed.

Lemma expectation_trace (A B : 'M[R]_d) (F : Omega -> 'M[R]_d) : (forall i j, M (fun w => F w i j) (B i j)) ->
  M (fun w => (\tr (A *m F w))%R) (\tr (A *m B))%R.
Proof.
move=> H; have -> : (\tr (A *m B) = \sum_i \sum_j A i j * B j i)%R.
  by rewrite /mxtrace; apply: eq_bigr => i _; rewrite mxE.
apply: (expectation_ext _ M_expectation (fun w => \sum_i \sum_j A i j * F w j i)%R).
  by move=> w; rewrite /mxtrace; apply: eq_bigr => i _; rewrite mxE.
apply: expectation_sum => i; apply: expectation_sum => j.
exact: (expectation_scale _ M_expectation).
Qed.

(** E (X - m)(X - m)' = S + (mu - m)(mu - m)'. *)
Lemma expectation_outer (X : Omega -> 'cV[R]_d) mu S (m : 'cV[R]_d) i j : has_mean M X mu -> has_covariance M X mu S ->
  M (fun w => outer (X w - m)%R i j) ((S + outer (mu - m))%R i j).
Proof.
move=> mean_X cov_X; rewrite mxE outerE.
have scale := expectation_scale _ M_expectation; have add := expectation_add _ M_expectation.
have := add _ _ _ _ (cov_X i j) (add _ _ _ _ (scale (mu j ord0 - m j ord0) _ _ (mean_X i))
  (add _ _ _ _ (scale (mu i ord0 - m i ord0) _ _ (mean_X j))
    (expectation_constant (m i ord0 * m j ord0 - mu i ord0 * mu j ord0)))).
have ab (e ui uj mi mj : R) : e + ((uj - mj) * ui + ((ui - mi) * uj + (mi * mj - ui * uj))) = e + (ui - mi) * (uj - mj).
  by ring.
rewrite ab; apply: (expectation_ext _ M_expectation) => w; rewrite outerE.
have ac (xi xj ui uj mi mj : R) : (xi - ui) * (xj - uj) + ((uj - mj) * xi + ((ui - mi) * xj + (mi * mj - ui * uj))) =
  (xi - mi) * (xj - mj) by ring.
exact: ac.
Qed.
End Expectation.

(** If X has mean mu0 and covariance S0 then
    E log(N(X; mu0, S0) / N(X; mu1, S1)) = (tr(S1^-1 S0) + (mu1 - mu0)' S1^-1 (mu1 - mu0) - d + log(det S1 / det S0))
    / 2: the expectation on the left exists and has this value. *)
Theorem gaussian_kl (Omega : Type) (M : (Omega -> R) -> R -> Prop) (d : nat) (X : Omega -> 'cV[R]_d)
    (mu0 mu1 : 'cV[R]_d) (S0 S1 : 'M[R]_d) :
  is_expectation M -> has_mean M X mu0 -> has_covariance M X mu0 S0 -> positive_definite S0 -> positive_definite S1 ->
  M (fun w => ln (gaussian_density mu0 S0 (X w) / gaussian_density mu1 S1 (X w)))
    (((\tr (invmx S1 *m S0))%R + quadratic_form (invmx S1) (mu1 - mu0)%R - INR d + ln ((\det S1)%R / (\det S0)%R)) / 2).
Proof.
move=> HM mean_X cov_X /positive_definite_det d0 /positive_definite_det d1.
have ldet : ln ((\det S1)%R / (\det S0)%R) = ln (\det S1)%R - ln (\det S0)%R.
  by rewrite ln_mult ?ln_Rinv //; exact: Rinv_0_lt_compat.
have U0 : S0 \in unitmx.
  by rewrite unitmxE unitfE; apply/eqP => E0; move: d0; rewrite E0; exact: Rlt_irrefl.
have trace_1 : (\tr (1%:M : 'M[R]_d))%R = INR d.
  by rewrite mxtrace1; elim: (d) => // n IH; rewrite S_INR -IH mulrSr.
have T (A : 'M[R]_d) m := expectation_trace _ M d HM A _ _
  (fun i j => expectation_outer _ M d HM X mu0 S0 m i j mean_X cov_X).
have scale := expectation_scale _ HM; have add := expectation_add _ HM.
have := add _ _ _ _ (expectation_constant _ M HM ((ln (\det S1)%R - ln (\det S0)%R) / 2))
  (add _ _ _ _ (scale (/ 2) _ _ (T (invmx S1) mu1)) (scale (- / 2) _ _ (T (invmx S0) mu0))).
have -> : (S0 + outer (mu0 - mu0))%R = S0 by rewrite subrr /outer mul0mx addr0.
rewrite (mulVmx U0) trace_1 mulmxDr mxtraceD ldet.
have -> : (\tr (invmx S1 *m outer (mu0 - mu1)))%R = quadratic_form (invmx S1) (mu1 - mu0)%R.
  rewrite quadratic_form_trace; congr (\tr (_ *m _))%R; apply/matrixP => i j; rewrite !outerE.
  have ab (x y u v : R) : (x - y) * (u - v) = (y - x) * (v - u) by ring.
  exact: ab.
have ab (a b k l : R) : l / 2 + (/ 2 * (a + b) + - / 2 * k) = (a + b - k + l) / 2 by field.
rewrite -[X in M _ X -> _]/(_ / 2 + (/ 2 * (_ + _) + - / 2 * _)) ab.
apply: (expectation_ext _ HM) => w.
have [g0 L0] := ln_gaussian_density _ mu0 S0 (X w) d0; have [g1 L1] := ln_gaussian_density _ mu1 S1 (X w) d1.
rewrite [RHS]ln_mult ?ln_Rinv //; last exact: Rinv_0_lt_compat.
rewrite L0 L1 !quadratic_form_trace.
have ac (a l1 l2 u v : R) : (l2 - l1) / 2 + (/ 2 * v + - / 2 * u)
  = - (a / 2) - l1 / 2 - u / 2 + - (- (a / 2) - l2 / 2 - v / 2) by field.
exact: ac.
Qed.

(** The point x of R^1 and the 1 x 1 matrix a. *)
Definition point_1 (x : R) : 'cV[R]_1 := const_mx x.
Definition matrix_1 (a : R) : 'M[R]_1 := (a%:M)%R.

(** In dimension 1 the law N(mu, s^2) itself has what is asked of it, with the improper Riemann integral against its
    density as the expectation: this is linear, and x has mean mu and covariance s^2. *)
Theorem normal_law_has_its_moments (mu s : R) : 0 < s ->
  is_expectation (normal_mean mu s) /\ has_mean (normal_mean mu s) point_1 (point_1 mu) /\
  has_covariance (normal_mean mu s) point_1 (point_1 mu) (matrix_1 (s * s)).
Proof.
move=> s0; split; [split | split].
- exact: normal_mean_unique.
- exact: normal_mean_ext.
- by move=> Y Z u v; exact: normal_mean_add.
- by move=> c Z v; exact: normal_mean_scale.
- exact: normal_mean_one.
- move=> i; rewrite mxE; apply: normal_mean_ext (normal_mean_identity mu s s0) => x.
  by rewrite mxE.
- move=> i j; rewrite !mxE (ord1 i) (ord1 j) eqxx mulr1n.
  by apply: normal_mean_ext (normal_mean_square mu s s0) => x; rewrite !mxE.
Qed.

Lemma field_inverse (a : R) : a <> 0 -> (a^-1)%R = / a.
Proof. by move=> a0; rewrite -[LHS]/(Rinv0 a) /Rinv0; case: eqP. Qed.

Lemma invmx_1 (a : R) : a <> 0 -> invmx (matrix_1 a) = matrix_1 (/ a).
Proof. by move=> a0; rewrite /matrix_1 invmx_scalar field_inverse. Qed.

Lemma det_1 (a : R) : (\det (matrix_1 a))%R = a.
Proof. by rewrite det_mx11 mxE eqxx mulr1n. Qed.

Lemma quadratic_form_1 (a : R) (x : 'cV[R]_1) : quadratic_form (matrix_1 a) x = a * (x ord0 ord0 * x ord0 ord0).
Proof.
rewrite /quadratic_form /matrix_1 mul_mx_scalar -scalemxAl mxE mxE big_ord_recl big_ord0 addr0 mxE.
by [].
Qed.

Lemma matrix_1_positive_definite (a : R) : 0 < a -> positive_definite (matrix_1 a).
Proof.
move=> a0; split; first exact: tr_scalar_mx.
move=> x ne; rewrite quadratic_form_1; apply: Rmult_lt_0_compat => //; apply: Rsqr_pos_lt => E; apply: ne.
by apply/matrixP => i j; rewrite (ord1 i) (ord1 j) mxE.
Qed.

Lemma gaussian_density_1 (mu s x : R) : 0 < s ->
  gaussian_density (point_1 mu) (matrix_1 (s * s)) (point_1 x) = normal_density_at mu s x.
Proof.
move=> s0; have [P _] := sqrt_2PI; have ss := Rmult_lt_0_compat _ _ s0 s0.
rewrite /gaussian_density invmx_1; last lra.
rewrite quadratic_form_1 det_1 !mxE /normal_density_at /normal_density.
have -> : (2 * PI) ^ 1 * (s * s) = 2 * PI * (s * s) by rewrite pow_1.
rewrite sqrt_mult; [|by have := PI_RGT_0; lra|lra]; rewrite sqrt_square; last lra.
have -> : - (/ (s * s) * ((x - mu) * (x - mu)) / 2) = - ((x - mu) / s * ((x - mu) / s) / 2) by field; lra.
by field; lra.
Qed.

(** In dimension 1, with standard deviations s0 and s1 and as an improper Riemann integral: the divergence of
    N(mu0, s0^2) from N(mu1, s1^2) is (s0^2 / s1^2 + (mu1 - mu0)^2 / s1^2 - 1 + log(s1^2 / s0^2)) / 2. *)
Theorem gaussian_kl_on_the_line (mu0 s0 mu1 s1 : R) : 0 < s0 -> 0 < s1 ->
  is_RInt_gen (fun x => normal_density_at mu0 s0 x * ln (normal_density_at mu0 s0 x / normal_density_at mu1 s1 x))
    (Rbar_locally m_infty) (Rbar_locally p_infty)
    ((s0 * s0 / (s1 * s1) + (mu1 - mu0) * (mu1 - mu0) / (s1 * s1) - 1 + ln (s1 * s1 / (s0 * s0))) / 2).
Proof.
move=> p0 p1; have q0 := Rmult_lt_0_compat _ _ p0 p0; have q1 := Rmult_lt_0_compat _ _ p1 p1.
have [HM [mean_X cov_X]] := normal_law_has_its_moments mu0 s0 p0.
have := gaussian_kl _ _ 1 _ _ (point_1 mu1) _ (matrix_1 (s1 * s1)) HM mean_X cov_X
  (matrix_1_positive_definite _ q0) (matrix_1_positive_definite _ q1).
rewrite invmx_1; last lra.
rewrite !det_1 quadratic_form_1 -scalar_mxM mxtrace_scalar mulr1n !mxE.
have -> : (/ (s1 * s1) * (s0 * s0))%R = s0 * s0 / (s1 * s1) by exact: Rmult_comm.
have -> : / (s1 * s1) * ((mu1 - mu0)%R * (mu1 - mu0)%R) = (mu1 - mu0) * (mu1 - mu0) / (s1 * s1).
  by exact: Rmult_comm.
have -> : INR 1 = 1 by [].
by apply: normal_mean_ext => x; rewrite !gaussian_density_1.
Qed.

(** An example that satisfies the hypotheses: d = 2, four equally likely points X = (1 + e, 2 + e + e') with e, e' =
    -1, 1. The mean is (1, 2), the covariance ((1, 1), (1, 2)), and the other law has mean 0 and covariance ((2, 1),
    (1, 3)). *)
Definition coin_sign (b : bool) : R := if b then 1 else -1.
Definition mean_of_four (Z : bool * bool -> R) (v : R) : Prop :=
  v = (Z (true, true) + Z (true, false) + Z (false, true) + Z (false, false)) / 4.
Definition column_2 (a b : R) : 'cV[R]_2 := (\col_i if i == ord0 then a else b)%R.
Definition matrix_2 (a b c e : R) : 'M[R]_2 :=
  (\matrix_(i, j) if i == ord0 then (if j == ord0 then a else b) else (if j == ord0 then c else e))%R.
Definition four_points (w : bool * bool) : 'cV[R]_2 :=
  column_2 (1 + coin_sign w.1) (2 + (coin_sign w.1 + coin_sign w.2)).

Lemma mean_of_four_is_expectation : is_expectation mean_of_four.
Proof.
split; rewrite /mean_of_four.
- by move=> Z u v -> ->.
- by move=> Y Z v H ->; rewrite !H.
- by move=> Y Z u v -> ->; field.
- by move=> c Z v ->; field.
- by field.
Qed.
Lemma four_points_mean : has_mean mean_of_four four_points (column_2 1 2).
Proof. by move=> i; rewrite /mean_of_four !mxE /coin_sign /=; case: (i == ord0); field. Qed.
Lemma four_points_covariance : has_covariance mean_of_four four_points (column_2 1 2) (matrix_2 1 1 1 2).
Proof. by move=> i j; rewrite /mean_of_four !mxE /coin_sign /=; case: (i == ord0); case: (j == ord0); field. Qed.

Lemma matrix_2_quadratic_form a b c e (x : 'cV[R]_2) : quadratic_form (matrix_2 a b c e) x =
  a * (x ord0 ord0 * x ord0 ord0) + (b + c) * (x ord0 ord0 * x (lift ord0 ord0) ord0)
  + e * (x (lift ord0 ord0) ord0 * x (lift ord0 ord0) ord0).
Proof.
rewrite /quadratic_form -mulmxA !mxE !big_ord_recl !big_ord0 !mxE !big_ord_recl !big_ord0 !mxE /=.
set u := x ord0 ord0; set v := x _ ord0.
have ab (k : R) : u * (a * u + (b * v + 0)) + (v * (c * u + (e * v + 0)) + 0) =
  a * (u * u) + (b + c) * (u * v) + e * (v * v) by ring.
exact: (ab 0).
Qed.

Lemma column_neq0 (x : 'cV[R]_2) : x <> 0%R -> x ord0 ord0 <> 0 \/ x (lift ord0 ord0) ord0 <> 0.
Proof.
move=> ne; case: (Req_dec (x ord0 ord0) 0) => [E0|]; last by left.
case: (Req_dec (x (lift ord0 ord0) ord0) 0) => [E1|]; last by right.
exfalso; apply: ne; apply/matrixP => i j; rewrite (ord1 j) mxE.
by case: (unliftP ord0 i) => [k ->|->]; rewrite ?(ord1 k).
Qed.

Lemma matrix_2_positive_definite a b e : 0 < a -> 0 < a * e - b * b -> positive_definite (matrix_2 a b b e).
Proof.
move=> a0 D0; split.
  apply/matrixP => i j; rewrite !mxE; case: (i == ord0); case: (j == ord0) => //.
move=> x /column_neq0; rewrite matrix_2_quadratic_form.
set u := x ord0 ord0; set v := x _ ord0 => ne.
apply: (Rmult_lt_reg_l a) => //; rewrite Rmult_0_r.
have -> : a * (a * (u * u) + (b + b) * (u * v) + e * (v * v)) =
  (a * u + b * v) * (a * u + b * v) + (a * e - b * b) * (v * v) by ring.
have sq := Rle_0_sqr (a * u + b * v); rewrite /Rsqr in sq.
case: (Req_dec v 0) => [vz|vn].
  have un : u <> 0 by case: ne.
  have := Rsqr_pos_lt (a * u + b * v); rewrite /Rsqr vz => H.
  have : 0 < (a * u + b * 0) * (a * u + b * 0); last lra.
  apply: H; rewrite Rmult_0_r Rplus_0_r; apply: Rmult_integral_contrapositive; split=> //; lra.
have := Rmult_lt_0_compat _ _ D0 (Rsqr_pos_lt v vn); rewrite /Rsqr; lra.
Qed.

Lemma example_S0 : positive_definite (matrix_2 1 1 1 2). Proof. by apply: matrix_2_positive_definite; lra. Qed.
Lemma example_S1 : positive_definite (matrix_2 2 1 1 3). Proof. by apply: matrix_2_positive_definite; lra. Qed.

Definition normal_law_has_its_moments_witness := normal_law_has_its_moments 1 2 Rlt_0_2.
Definition gaussian_kl_on_the_line_witness := gaussian_kl_on_the_line 1 2 (-3) (/ 2) Rlt_0_2 pos_half_prf.
Definition gaussian_kl_witness :=
  gaussian_kl _ mean_of_four 2 four_points (column_2 1 2) (column_2 0 0) (matrix_2 1 1 1 2) (matrix_2 2 1 1 3)
    mean_of_four_is_expectation four_points_mean four_points_covariance example_S0 example_S1.
