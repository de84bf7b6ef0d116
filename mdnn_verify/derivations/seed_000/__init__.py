"""Seed 000: problems of a homework."""
