"""Timing on CPU and GPU, the lock-step comparison of two versions, and the history of a machine's figures."""
