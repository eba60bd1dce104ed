"""Ids: how they are compared, and the vocabularies that number them."""
