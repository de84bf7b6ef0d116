(** Nearest-neighbour upsampling by r is a transposed convolution with kernel r, stride r and weights one.

    An image with C channels is a function X of a channel, a row and a column (counted from 0), of size h x w. A
    [transposed_convolution] with the stride s and a K x K kernel adds X c a b * W c d k l to the output pixel (s a + k,
    s b + l) of channel d, for all channels c, all input pixels (a, b) and all 0 <= k, l < K; there is no padding.
    [own_channel] is the weight 1 from each channel to itself and 0 to the others, the same for all k and l (for torch:
    ones of shape (C, 1, r, r) with groups = C). [upsample r X] repeats each pixel in an r x r block; i %/ r is the
    integer quotient. The output is (h - 1) r + (r - 1) + 1 = r h pixels high.

    Scope: every r >= 1, every number of channels, every size h x w, all real images.

    Source: seed 004, Problem 2. *)
Require Import Reals Lra.
From mathcomp Require Import ssreflect ssrfun ssrbool eqtype ssrnat seq choice fintype bigop div.
From MDNN.shared Require Import sums.
Local Open Scope R_scope.

(** The transposed convolution of h x w images with stride s and K x K kernels W, and nearest-neighbour upsampling. *)
Definition transposed_convolution {C : nat} (s K h w : nat) (W : 'I_C -> 'I_C -> nat -> nat -> R)
  (X : 'I_C -> nat -> nat -> R) (d : 'I_C) (i j : nat) : R :=
  \rsum_(c < C) \rsum_(a < h) \rsum_(k < K) \rsum_(b < w) \rsum_(l < K)
    (if ((s * a + k == i) && (s * b + l == j))%N then X c a b * W c d k l else 0).
Definition upsample {C : nat} (r : nat) (X : 'I_C -> nat -> nat -> R) (d : 'I_C) (i j : nat) : R :=
  X d (i %/ r)%N (j %/ r)%N.
Definition own_channel {C : nat} (c d : 'I_C) (k l : nat) : R := if c == d then 1 else 0.

(** The height (or width) of the output of a transposed convolution without padding: one more than the largest row. *)
Definition output_size (s K h : nat) : nat := ((h - 1) * s + (K - 1) + 1)%N.

(** r a + k = i with 0 <= k < r is division with remainder. *)
Lemma division_with_remainder r a k i : (k < r)%N -> ((r * a + k == i) = (a == i %/ r) && (k == i %% r))%N.
Proof.
move=> kr; have r0 : (0 < r)%N by exact: leq_ltn_trans kr.
apply/eqP/andP => [<-|[/eqP -> /eqP ->]]; last by rewrite mulnC -divn_eq.
by rewrite mulnC divnMDl // modnMDl divn_small // modn_small // addn0 !eqxx.
Qed.

(** So of all a < h and k < r only one pair contributes. *)
Lemma one_pair_contributes r h i (F : nat -> nat -> R) : (0 < r)%N -> (i < r * h)%N ->
  \rsum_(a < h) \rsum_(k < r) (if (r * a + k == i)%N then F a k else 0) = F (i %/ r)%N (i %% r)%N.
Proof.
move=> r0 ih; have a0 : (i %/ r < h)%N by rewrite ltn_divLR // mulnC.
have k0 : (i %% r < r)%N by rewrite ltn_mod.
rewrite (bigD1 (Ordinal a0)) //= [X in _ + X]big1 ?Rplus_0_r => [|a na].
  rewrite (bigD1 (Ordinal k0)) //= [X in _ + X]big1 ?Rplus_0_r => [|k nk].
    by rewrite division_with_remainder // !eqxx.
  rewrite division_with_remainder // eqxx /= ifF //; apply: contraNF nk => /eqP E.
  by apply/eqP; apply: val_inj.
rewrite rsum_const0 // => k _; rewrite division_with_remainder // ifF //.
by apply: contraNF na => /andP [/eqP E _]; apply/eqP; apply: val_inj.
Qed.

(** With kernel r, stride r and the weights own_channel the transposed convolution is nearest-neighbour upsampling. *)
Theorem transposed_convolution_upsamples (C r h w : nat) (X : 'I_C -> nat -> nat -> R) (d : 'I_C) (i j : nat) :
  (0 < r)%N -> (i < r * h)%N -> (j < r * w)%N ->
  transposed_convolution r r h w own_channel X d i j = upsample r X d i j.
Proof.
move=> r0 ih jw; rewrite /transposed_convolution.
have one c : \rsum_(a < h) \rsum_(k < r) \rsum_(b < w) \rsum_(l < r)
    (if ((r * a + k == i) && (r * b + l == j))%N then X c a b * own_channel c d k l else 0) =
  X c (i %/ r)%N (j %/ r)%N * own_channel c d 0 0.
  pose G a (k : nat) := X c a (j %/ r)%N * own_channel c d 0 0.
  rewrite -[RHS](one_pair_contributes r h i G r0 ih).
  apply: eq_bigr => a _; apply: eq_bigr => k _; case: eqP => _ /=; last first.
    by apply: rsum_const0 => b _; apply: rsum_const0.
  exact: (one_pair_contributes r w j (fun b l => X c a b * own_channel c d k l) r0 jw).
rewrite (eq_bigr _ (fun c _ => one c)) (bigD1 d) //= big1 ?Rplus_0_r => [|c cd].
  by rewrite /own_channel eqxx Rmult_1_r.
by rewrite /own_channel (negbTE cd) Rmult_0_r.
Qed.

(** Its output has r times the size of its input. *)
Theorem output_has_r_times_the_size (r h : nat) : (0 < r)%N -> (0 < h)%N -> output_size r r h = (r * h)%N.
Proof.
by case: r => // r _; case: h => // h _; rewrite /output_size !subSS !subn0 -addnA addn1 mulnC mulnS addnC.
Qed.

(** Examples that satisfy the hypotheses: r = 3, two channels of size 2 x 4, the pixel (5, 11) of the second channel. *)
Definition example_image (c : 'I_2) (i j : nat) : R := INR c + 2 * INR i - INR j.
Definition transposed_convolution_upsamples_witness :=
  transposed_convolution_upsamples 2 3 2 4 example_image (lift ord0 ord0) 5 11 isT isT isT.
Definition output_has_r_times_the_size_witness := output_has_r_times_the_size 3 2 isT isT.
