(** Maximising a tight lower bound over both of its arguments maximises the function that it bounds.

  A function f of theta is written as f(theta) = g(theta, phi) + h(theta, phi) with h >= 0, and for every theta some
  phi makes h(theta, phi) = 0. Then theta maximises f exactly if some phi makes (theta, phi) maximise g; and a pair
  (theta, phi) maximises g exactly if theta maximises f and h(theta, phi) = 0. In the textbook f is the log-likelihood,
  g its lower bound and h the Kullback-Leibler divergence between q_phi and the posterior.

  Theta and Phi are any two types, so any two sets of parameters; R is the field of real numbers of the standard
  library. Maximisers are stated as points that no other point exceeds: nothing assumes that one exists, and both
  equivalences also hold where there is none.

  Scope: any sets of parameters, any real functions f, g and h with f = g + h, h nonnegative and h = 0 attained at
  every theta; maximisers may or may not exist.

  Source: seed 001, Problem 6; seed 003, Problem 6. *)
From Coq Require Import Reals Lra.
Open Scope R_scope.

(** x is a maximiser of f: no value of f is larger than the one at x. *)
Definition maximises {X : Type} (f : X -> R) (x : X) : Prop := forall y, f y <= f x.

(** g is a lower bound of f with gap h: f = g + h and h >= 0. *)
Definition lower_bound_with_gap {Theta Phi : Type} (f : Theta -> R) (g h : Theta * Phi -> R) : Prop :=
  (forall theta phi, f theta = g (theta, phi) + h (theta, phi)) /\ (forall theta phi, 0 <= h (theta, phi)).

(** The gap closes: at every theta some phi makes it zero. *)
Definition gap_closes {Theta Phi : Type} (h : Theta * Phi -> R) : Prop :=
  forall theta, exists phi, h (theta, phi) = 0.

(** theta maximises f if and only if some phi makes (theta, phi) a maximiser of the lower bound g. *)
Theorem maximisers_are_those_of_the_bound (Theta Phi : Type) (f : Theta -> R) (g h : Theta * Phi -> R) :
  lower_bound_with_gap f g h -> gap_closes h ->
  forall theta, maximises f theta <-> exists phi, maximises g (theta, phi).
Proof.
  intros [sum gap] closes theta; split.
  - intros best; destruct (closes theta) as [phi zero]; exists phi; intros [theta' phi'].
    generalize (best theta') (sum theta phi) (sum theta' phi') (gap theta' phi'); lra.
  - intros [phi best] theta'; destruct (closes theta') as [phi' zero].
    generalize (best (theta', phi')) (sum theta phi) (sum theta' phi') (gap theta phi); lra.
Qed.

(** (theta, phi) maximises the lower bound g if and only if theta maximises f and the gap h is zero at (theta, phi). *)
Theorem bound_maximised_iff_function_maximised_and_tight
    (Theta Phi : Type) (f : Theta -> R) (g h : Theta * Phi -> R) :
  lower_bound_with_gap f g h -> gap_closes h ->
  forall theta phi, maximises g (theta, phi) <-> maximises f theta /\ h (theta, phi) = 0.
Proof.
  intros bound closes theta phi; destruct bound as [sum gap] eqn:same; split.
  - intros best; split.
    + apply (maximisers_are_those_of_the_bound _ _ f g h bound closes); now exists phi.
    + destruct (closes theta) as [phi' zero].
      generalize (best (theta, phi')) (sum theta phi) (sum theta phi') (gap theta phi); lra.
  - intros [best zero] [theta' phi'].
    generalize (best theta') (sum theta phi) (sum theta' phi') (gap theta' phi'); lra.
Qed.

(** Not vacuous: f(theta) = -theta^2, g(theta, phi) = -theta^2 - (phi - theta)^2 and h = (phi - theta)^2 on the real
    line, at theta = 3 and phi = 5. *)
Definition parabola (theta : R) : R := - theta ^ 2.
Definition parabola_gap (pair : R * R) : R := (snd pair - fst pair) ^ 2.
Definition parabola_bound (pair : R * R) : R := parabola (fst pair) - parabola_gap pair.

Lemma parabola_bounded : lower_bound_with_gap parabola parabola_bound parabola_gap.
Proof.
  split; intros theta phi; unfold parabola_bound; simpl fst.
  - ring.
  - unfold parabola_gap; apply pow2_ge_0.
Qed.

Lemma parabola_gap_closes : gap_closes parabola_gap.
Proof. intros theta; exists theta; unfold parabola_gap; simpl; ring. Qed.

Definition maximisers_are_those_of_the_bound_witness :=
  maximisers_are_those_of_the_bound R R parabola parabola_bound parabola_gap
    parabola_bounded parabola_gap_closes 3.

Definition bound_maximised_iff_function_maximised_and_tight_witness :=
  bound_maximised_iff_function_maximised_and_tight R R parabola parabola_bound parabola_gap
    parabola_bounded parabola_gap_closes 3 5.
