"""Sequential models, which represent a user by a history of events."""
