"""Seed 004: problems of a homework."""
