"""What is kept of an open document: sessions, autosave, recovery, locks."""
