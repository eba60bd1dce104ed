"""Tables: columns, their roles and names, and times."""
