"""Transformers for tables of interactions, which work wherever scikit-learn's do."""

from skrec.preprocessing._id_encoder import IDEncoder

__all__ = ["IDEncoder"]
