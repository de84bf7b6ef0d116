"""Seed 002: a homework with its solutions."""
