"""Ranking metrics and scikit-learn scorers."""
