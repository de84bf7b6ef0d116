"""Timing on the CPU and on a GPU, and regression tracking by lock-step comparison."""
