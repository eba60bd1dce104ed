"""Models of neighbors: items that the same users chose, users who chose the same items, random walks."""
