(** Against the uniform strategy every play earns 0, yet every strategy but the uniform one is exploited.

    A and B each play rock, paper or scissors; [points i j] is what B earns when A plays i and B plays j, and [payoff a
    b] = a' M b is what B earns on average when they play with the probabilities a and b; A wants it small, B large.

    If one player is uniform the payoff is 0 whatever the other does. But a strategy a of A is exploited: B's best reply
    earns [exploitation a], the largest entry (a'M)_j, and this is 0 only at the uniform strategy.

    Scope: this game, with all mixed strategies of both players over the real numbers.

    Source: seed 002, Problem 4(b). *)
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

(** The entry (a'M)_j: what B earns by playing j against the strategy a. *)
Definition earned_by (a : play -> R) (j : play) : R := total (fun i => a i * points i j).

(** max_j (a'M)_j. *)
Definition exploitation (a : play -> R) : R :=
  Rmax (earned_by a rock) (Rmax (earned_by a paper) (earned_by a scissors)).

(** The largest distance of a probability from 1/3. *)
Definition distance_from_uniform (a : play -> R) : R :=
  Rmax (Rabs (a rock - 1 / 3)) (Rmax (Rabs (a paper - 1 / 3)) (Rabs (a scissors - 1 / 3))).

(** A strategy from three numbers. *)
Definition mixed (x y z : R) (i : play) : R := match i with rock => x | paper => y | scissors => z end.
Lemma mixed_strategy x y z : 0 <= x -> 0 <= y -> 0 <= z -> x + y + z = 1 -> strategy (mixed x y z).
Proof. intros; split; [intros []; assumption | assumption]. Qed.

Lemma payoff_by_reply a b : payoff a b =
  earned_by a rock * b rock + earned_by a paper * b paper + earned_by a scissors * b scissors.
Proof. unfold payoff, earned_by, total; ring. Qed.

(** Against uniform B every strategy of A earns 0, and against uniform A every strategy of B does. *)
Theorem uniform_makes_indifferent (p : play -> R) : payoff p uniform = 0 /\ payoff uniform p = 0.
Proof. unfold payoff, total, points, uniform; split; field. Qed.

(** The best reply to a earns exactly max_j (a'M)_j: no strategy of B earns more, and some strategy earns it. *)
Theorem best_reply_earns_exploitation (a : play -> R) :
  (forall b, strategy b -> payoff a b <= exploitation a) /\ exists b, strategy b /\ payoff a b = exploitation a.
Proof.
  split.
  - intros b [b0 b1]; unfold total in b1; rewrite payoff_by_reply; set (m := exploitation a).
    assert (earned_by a rock <= m) by apply Rmax_l.
    assert (earned_by a paper <= m) by (eapply Rle_trans; [apply Rmax_l | apply Rmax_r]).
    assert (earned_by a scissors <= m) by (eapply Rle_trans; [apply Rmax_r | apply Rmax_r]).
    pose proof (Rmult_le_compat_r _ _ _ (b0 rock) H); pose proof (Rmult_le_compat_r _ _ _ (b0 paper) H0);
      pose proof (Rmult_le_compat_r _ _ _ (b0 scissors) H1).
    replace m with (m * b rock + m * b paper + m * b scissors); [lra|].
    transitivity (m * (b rock + b paper + b scissors)); [ring | rewrite b1; ring].
  - unfold exploitation, Rmax at 1; destruct (Rle_dec _ _); [unfold Rmax; destruct (Rle_dec _ _)|].
    + exists (mixed 0 0 1); split; [apply mixed_strategy; lra | rewrite payoff_by_reply; simpl; ring].
    + exists (mixed 0 1 0); split; [apply mixed_strategy; lra | rewrite payoff_by_reply; simpl; ring].
    + exists (mixed 1 0 0); split; [apply mixed_strategy; lra | rewrite payoff_by_reply; simpl; ring].
Qed.

(** Every strategy other than the uniform one is exploited: max_j (a'M)_j > 0. *)
Theorem other_strategies_are_exploited (a : play -> R) :
  strategy a -> (exists i, a i <> uniform i) -> 0 < exploitation a.
Proof.
  intros [_ a1] [i d]; unfold total in a1; unfold exploitation, earned_by, total, points, uniform in *.
  destruct i; unfold Rmax; repeat destruct (Rle_dec _ _); lra.
Qed.

(** max_i |a_i - 1/3| <= max_j (a'M)_j <= 2 max_i |a_i - 1/3|. *)
Theorem exploitation_between_one_and_two_distances (a : play -> R) : strategy a ->
  distance_from_uniform a <= exploitation a <= 2 * distance_from_uniform a.
Proof.
  intros [_ a1]; unfold total in a1; unfold distance_from_uniform, exploitation, earned_by, total, points.
  set (x := a rock) in *; set (y := a paper) in *; set (z := a scissors) in *; clearbody x y z.
  assert (E : z = 1 - x - y) by lra; subst z; clear a1.
  split.
  - repeat apply Rmax_lub; apply Rabs_le; split; unfold Rmax; repeat destruct (Rle_dec _ _); lra.
  - set (d := Rmax _ (Rmax (Rabs (y - _)) _)).
    assert (H1 : Rabs (x - 1 / 3) <= d) by apply Rmax_l.
    assert (H2 : Rabs (y - 1 / 3) <= d) by (eapply Rle_trans; [apply Rmax_l | apply Rmax_r]).
    assert (H3 : Rabs (1 - x - y - 1 / 3) <= d) by (eapply Rle_trans; [apply Rmax_r | apply Rmax_r]).
    clearbody d; assert (two_sided : forall u, Rabs u <= d -> - d <= u <= d).
    { intros u Hu; pose proof (Rle_abs u); pose proof (Rle_abs (- u)) as N; rewrite Rabs_Ropp in N; lra. }
    apply two_sided in H1; apply two_sided in H2; apply two_sided in H3.
    repeat apply Rmax_lub; lra.
Qed.

(** Examples that satisfy the hypotheses: a = (1/2, 1/4, 1/4) is exploited by 1/4. *)
Definition much_rock : play -> R := mixed (1 / 2) (1 / 4) (1 / 4).
Lemma much_rock_strategy : strategy much_rock.
Proof. apply mixed_strategy; lra. Qed.
Lemma much_rock_is_not_uniform : exists i, much_rock i <> uniform i.
Proof. exists rock; unfold uniform; simpl; lra. Qed.
Definition uniform_makes_indifferent_witness := uniform_makes_indifferent much_rock.
Definition best_reply_earns_exploitation_witness := best_reply_earns_exploitation much_rock.
Definition other_strategies_are_exploited_witness :=
  other_strategies_are_exploited much_rock much_rock_strategy much_rock_is_not_uniform.
Definition exploitation_between_one_and_two_distances_witness :=
  exploitation_between_one_and_two_distances much_rock much_rock_strategy.
