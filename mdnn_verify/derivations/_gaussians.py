"""Worlds of two normal laws: legal choices of small numbers in one dimension, some in two and three, and symbols."""

from __future__ import annotations

import sympy as sp

from mdnn_verify.audit import POSITIVE, REALS, World, over

__all__ = ["pairs"]


def pairs() -> tuple[World, ...]:
    """mu0, mu1: (d, 1); Sigma0, Sigma1: (d, d), positive definite."""
    worlds = [_one_dimensional(world) for world in over(mu0=REALS, mu1=REALS, s0=POSITIVE, s1=POSITIVE, limit=60)]
    return (*worlds, *_several_dimensional())


def _one_dimensional(world: World) -> World:
    data = {name: sp.Matrix([[world.data[name]]]) for name in ("mu0", "mu1")}
    covariances = {name: sp.Matrix([[world.data[old]]]) for name, old in (("Sigma0", "s0"), ("Sigma1", "s1"))}
    label = "all means and variances in one dimension" if world.generic else ""
    return World({**data, **covariances}, world.generic, label)


def _several_dimensional() -> list[World]:
    zero, x, y = sp.zeros(2, 1), sp.Matrix([1, 0]), sp.Matrix([1, -2])
    I, A, B = sp.eye(2), sp.Matrix([[2, 1], [1, 2]]), sp.Matrix([[2, -1], [-1, 1]])
    laws = [(zero, zero, I, A), (zero, x, A, I), (x, y, A, B), (y, zero, B, A)]
    C = sp.Matrix([[2, 1, 0], [1, 3, 1], [0, 1, 2]])
    laws.append((sp.Matrix([1, 0, -1]), sp.Matrix([0, 2, 1]), C, sp.diag(1, 2, 3) + sp.ones(3, 3)))
    return [World(dict(zip(("mu0", "mu1", "Sigma0", "Sigma1"), law, strict=True))) for law in laws]
