"""Anomaly detection, MNIST against KMNIST: the course's experiment, reproduced, timed and tracked."""
