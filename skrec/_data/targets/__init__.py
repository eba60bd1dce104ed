"""Targets: reading of ``y`` and ``sample_weight``."""
