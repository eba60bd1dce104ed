"""Baselines, which every model must beat."""
