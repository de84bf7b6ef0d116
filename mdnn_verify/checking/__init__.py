"""Checks of a user's own implementation against the contract of a theorem."""
