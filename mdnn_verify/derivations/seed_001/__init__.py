"""Seed 001: solutions of a homework."""
