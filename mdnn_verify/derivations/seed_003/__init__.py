"""Seed 003: solutions of a homework, with its report."""
