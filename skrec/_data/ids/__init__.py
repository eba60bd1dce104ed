"""Ids: their comparison, and the vocabularies that encode them."""
