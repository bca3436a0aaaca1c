"""The window of a rating set: opening, settings, training, and looking into what was learned."""
