"""Models on graphs."""
