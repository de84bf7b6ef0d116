"""Contracts: what a user's implementation of each theorem must satisfy, one file each, at the path of the theorem."""
