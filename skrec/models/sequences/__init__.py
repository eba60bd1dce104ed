"""Models of sequences: a user is known by the events of the history."""
