"""Models that compare items by their features."""
