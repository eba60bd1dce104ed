"""Autoencoders: models that reconstruct the items of a user, or the ratings."""
