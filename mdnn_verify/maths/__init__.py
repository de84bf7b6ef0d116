"""Shared definitions -- the simplex, Gaussians, couplings, pooling -- that theorems and users call; no theorems."""
