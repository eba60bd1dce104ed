"""Events: who chose what, and the histories that they make."""
