"""Solver's window parts: the form of the model, its results, Goal Seek, and their wiring."""
