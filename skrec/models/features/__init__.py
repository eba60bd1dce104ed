"""Models of features, which treat every column as a field."""
