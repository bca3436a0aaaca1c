"""Widgets and drawing that any part of the window may use; they know no document."""
