"""Models with an embedding for each user and each item."""
