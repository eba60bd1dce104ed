"""Features: from columns to the arrays that a network is given."""
