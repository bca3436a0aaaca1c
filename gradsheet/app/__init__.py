"""All that a user can do, without a window."""
