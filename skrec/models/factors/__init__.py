"""Models of two ids: a user and an item, each with a vector."""
