"""Targets: how ``y`` and ``sample_weight`` are read."""
