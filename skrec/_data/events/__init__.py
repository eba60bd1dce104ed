"""Events of users and items, and the histories of users."""
