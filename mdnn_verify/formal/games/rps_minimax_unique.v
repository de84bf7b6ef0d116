(** The minimax solution of rock-paper-scissors is uniform, it is the only one, and the value is 0.

    A and B each play rock, paper or scissors; [points i j] is what B earns when A plays i and B plays j: 1 where j
    beats i, -1 where i beats j, 0 for a draw. A strategy is a function from the three plays to probabilities, and
    [payoff a b] = a' M b is what B earns on average when A plays with the probabilities a and B with b. A minimises it,
    B maximises it.

    A solution satisfies payoff a b' <= payoff a b <= payoff a' b for all strategies a', b'. The seed prints strict
    inequalities; with them there is no solution, even if b' = b and a' = a are left out ([no_strict_solution]).

    Scope: this game, with all mixed strategies of both players over the real numbers.

    Source: seed 002, Problem 4(a). *)
Require Import Reals Lra.
Open Scope R_scope.

(** The three plays, and B's points where A plays i and B plays j. *)
Inductive play : Set := rock | paper | scissors.
Definition points (i j : play) : R :=
  match i, j with
  | rock, paper | paper, scissors | scissors, rock => 1
  | paper, rock | scissors, paper | rock, scissors => -1
  | _, _ => 0
  end.

(** The sum over the three plays; mixed strategies; B's average points. *)
Definition total (f : play -> R) : R := f rock + f paper + f scissors.
Definition strategy (a : play -> R) : Prop := (forall i, 0 <= a i) /\ total a = 1.
Definition payoff (a b : play -> R) : R := total (fun i => total (fun j => a i * points i j * b j)).

(** Every play with the probability 1/3. *)
Definition uniform (i : play) : R := 1 / 3.

(** (a, b) is a solution: neither player gains by changing only the own strategy. *)
Definition solution (a b : play -> R) : Prop :=
  strategy a /\ strategy b /\
  (forall b', strategy b' -> payoff a b' <= payoff a b) /\ (forall a', strategy a' -> payoff a b <= payoff a' b).

(** The same with strict inequalities, demanded only of strategies that differ from a and from b. *)
Definition strict_solution (a b : play -> R) : Prop :=
  strategy a /\ strategy b /\
  (forall b', strategy b' -> (exists i, b' i <> b i) -> payoff a b' < payoff a b) /\
  (forall a', strategy a' -> (exists i, a' i <> a i) -> payoff a b < payoff a' b).

(** v is the greatest (the least) value of f on the strategies. *)
Definition greatest (f : (play -> R) -> R) (v : R) : Prop :=
  (forall b, strategy b -> f b <= v) /\ exists b, strategy b /\ f b = v.
Definition least (f : (play -> R) -> R) (v : R) : Prop :=
  (forall a, strategy a -> v <= f a) /\ exists a, strategy a /\ f a = v.

(** v = min over a of max over b of the payoff; v = max over b of min over a of it. *)
Definition min_max (v : R) : Prop :=
  exists highest, (forall a, strategy a -> greatest (payoff a) (highest a)) /\ least highest v.
Definition max_min (v : R) : Prop :=
  exists lowest, (forall b, strategy b -> least (fun a => payoff a b) (lowest b)) /\ greatest lowest v.

(** A strategy from three numbers. *)
Definition mixed (x y z : R) (i : play) : R := match i with rock => x | paper => y | scissors => z end.
Lemma mixed_strategy x y z : 0 <= x -> 0 <= y -> 0 <= z -> x + y + z = 1 -> strategy (mixed x y z).
Proof. intros; split; [intros []; assumption | assumption]. Qed.
Lemma uniform_strategy : strategy uniform.
Proof. split; [intros i; unfold uniform; lra | unfold total, uniform; lra]. Qed.

(** The payoff written out. *)
Lemma payoff_expanded a b : payoff a b =
  a rock * (b paper - b scissors) + a paper * (b scissors - b rock) + a scissors * (b rock - b paper).
Proof. unfold payoff, total, points; ring. Qed.

(** Two strategies solve the game if and only if both are uniform. *)
Theorem solution_iff_both_uniform (a b : play -> R) :
  solution a b <-> (forall i, a i = uniform i) /\ (forall i, b i = uniform i).
Proof.
  assert (P1 := mixed_strategy 1 0 0 ltac:(lra) ltac:(lra) ltac:(lra) ltac:(lra)).
  assert (P2 := mixed_strategy 0 1 0 ltac:(lra) ltac:(lra) ltac:(lra) ltac:(lra)).
  assert (P3 := mixed_strategy 0 0 1 ltac:(lra) ltac:(lra) ltac:(lra) ltac:(lra)).
  split.
  - intros (Sa & Sb & HM & Hm).
    pose proof (HM _ P1) as A1; pose proof (HM _ P2) as A2; pose proof (HM _ P3) as A3.
    pose proof (Hm _ P1) as B1; pose proof (Hm _ P2) as B2; pose proof (Hm _ P3) as B3.
    pose proof (HM _ Sa) as D1; pose proof (Hm _ Sb) as D2.
    destruct Sa as [_ Ta], Sb as [_ Tb]; unfold total in Ta, Tb.
    assert (zero : payoff a b = 0).
    { assert (payoff a a = 0) by (rewrite payoff_expanded; ring).
      assert (payoff b b = 0) by (rewrite payoff_expanded; ring). lra. }
    rewrite zero in *; rewrite payoff_expanded in A1, A2, A3, B1, B2, B3; simpl in *.
    split; intros []; unfold uniform; lra.
  - intros [Ea Eb]; unfold uniform in Ea, Eb.
    repeat split; try (intros i; rewrite ?Ea, ?Eb; lra);
      try (unfold total; rewrite ?Ea, ?Eb; lra); intros c [_ Tc]; unfold total in Tc;
      rewrite !payoff_expanded, ?Ea, ?Eb; lra.
Qed.

(** With strict inequalities there is no solution, not even if each player's own strategy is left out. *)
Theorem no_strict_solution : ~ exists a b, strict_solution a b.
Proof.
  intros (a & b & Sa & Sb & HM & Hm).
  assert (eq_payoff : forall p q p' q', (forall i, p i = p' i) -> (forall i, q i = q' i) ->
    payoff p q = payoff p' q') by (intros p q p' q' E F; rewrite !payoff_expanded, !E, !F; reflexivity).
  assert (cases : forall p q : play -> R, (forall i, p i = q i) \/ exists i, p i <> q i).
  { intros p q; destruct (Req_dec (p rock) (q rock)); [|right; now exists rock].
    destruct (Req_dec (p paper) (q paper)); [|right; now exists paper].
    destruct (Req_dec (p scissors) (q scissors)); [|right; now exists scissors].
    left; intros []; assumption. }
  assert (S : solution a b).
  { split; [exact Sa|]; split; [exact Sb|]; split.
    - intros b' Sb'; destruct (cases b' b) as [E|D]; [|left; now apply HM].
      right; now apply eq_payoff.
    - intros a' Sa'; destruct (cases a' a) as [E|D]; [|left; now apply Hm].
      right; apply eq_payoff; [intros i; now rewrite E | reflexivity]. }
  apply solution_iff_both_uniform in S; destruct S as [Ea Eb]; unfold uniform in Ea, Eb.
  assert (H := HM (mixed 1 0 0) (mixed_strategy 1 0 0 ltac:(lra) ltac:(lra) ltac:(lra) ltac:(lra))).
  rewrite !payoff_expanded, !Ea, !Eb in H; simpl in H.
  assert (D : exists i, mixed 1 0 0 i <> b i) by (exists rock; rewrite Eb; simpl; lra).
  specialize (H D); lra.
Qed.

Definition highest_of (a : play -> R) : R :=
  Rmax (a scissors - a paper) (Rmax (a rock - a scissors) (a paper - a rock)).
Definition lowest_of (b : play -> R) : R :=
  Rmin (b paper - b scissors) (Rmin (b scissors - b rock) (b rock - b paper)).

Lemma weighted_le (x y z u v w m : R) : 0 <= x -> 0 <= y -> 0 <= z -> x + y + z = 1 ->
  u <= m -> v <= m -> w <= m -> u * x + v * y + w * z <= m.
Proof.
  intros; assert (u * x <= m * x) by (apply Rmult_le_compat_r; lra).
  assert (v * y <= m * y) by (apply Rmult_le_compat_r; lra).
  assert (w * z <= m * z) by (apply Rmult_le_compat_r; lra).
  assert (m * x + m * y + m * z = m) by (replace m with (m * (x + y + z)) at 4 by (rewrite H2; ring); ring). lra.
Qed.

Lemma greatest_payoff a : greatest (payoff a) (highest_of a).
Proof.
  split.
  - intros b [b0 b1]; unfold total in b1; rewrite payoff_expanded.
    replace (a rock * (b paper - b scissors) + a paper * (b scissors - b rock) + a scissors * (b rock - b paper))
      with ((a scissors - a paper) * b rock + (a rock - a scissors) * b paper + (a paper - a rock) * b scissors)
      by ring.
    unfold highest_of; apply weighted_le; auto using Rmax_l.
    + eapply Rle_trans; [apply Rmax_l | apply Rmax_r].
    + eapply Rle_trans; [apply Rmax_r | apply Rmax_r].
  - unfold highest_of, Rmax at 1; destruct (Rle_dec _ _); [unfold Rmax; destruct (Rle_dec _ _)|].
    + exists (mixed 0 0 1); split; [apply mixed_strategy; lra | rewrite payoff_expanded; simpl; ring].
    + exists (mixed 0 1 0); split; [apply mixed_strategy; lra | rewrite payoff_expanded; simpl; ring].
    + exists (mixed 1 0 0); split; [apply mixed_strategy; lra | rewrite payoff_expanded; simpl; ring].
Qed.

Lemma least_payoff b : least (fun a => payoff a b) (lowest_of b).
Proof.
  split.
  - intros a [a0 a1]; unfold total in a1; rewrite payoff_expanded.
    enough ((- (b paper - b scissors)) * a rock + (- (b scissors - b rock)) * a paper
      + (- (b rock - b paper)) * a scissors <= - lowest_of b) by lra.
    apply weighted_le; auto; apply Ropp_le_contravar; unfold lowest_of.
    + apply Rmin_l.
    + eapply Rle_trans; [apply Rmin_r | apply Rmin_l].
    + eapply Rle_trans; [apply Rmin_r | apply Rmin_r].
  - unfold lowest_of, Rmin at 1; destruct (Rle_dec _ _); [|unfold Rmin; destruct (Rle_dec _ _)].
    + exists (mixed 1 0 0); split; [apply mixed_strategy; lra | rewrite payoff_expanded; simpl; ring].
    + exists (mixed 0 1 0); split; [apply mixed_strategy; lra | rewrite payoff_expanded; simpl; ring].
    + exists (mixed 0 0 1); split; [apply mixed_strategy; lra | rewrite payoff_expanded; simpl; ring].
Qed.

(** The value is 0: min over a of max over b, and max over b of min over a, of the payoff are both 0. *)
Theorem value_is_zero : min_max 0 /\ max_min 0.
Proof.
  split.
  - exists highest_of; split; [intros a _; apply greatest_payoff|]; split.
    + intros a _; unfold highest_of, Rmax; repeat destruct (Rle_dec _ _); lra.
    + exists uniform; split; [exact uniform_strategy|].
      unfold highest_of, uniform, Rmax; repeat destruct (Rle_dec _ _); lra.
  - exists lowest_of; split; [intros b _; apply least_payoff|]; split.
    + intros b _; unfold lowest_of, Rmin; repeat destruct (Rle_dec _ _); lra.
    + exists uniform; split; [exact uniform_strategy|].
      unfold lowest_of, uniform, Rmin; repeat destruct (Rle_dec _ _); lra.
Qed.

(** Examples: the uniform strategy and (1/2, 1/4, 1/4). The other two statements have no hypotheses. *)
Definition solution_iff_both_uniform_witness := solution_iff_both_uniform uniform (mixed (1 / 2) (1 / 4) (1 / 4)).
Definition no_strict_solution_witness := no_strict_solution.
Definition value_is_zero_witness := value_is_zero.
