"""Models of features: every column is a field."""
