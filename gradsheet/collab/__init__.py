"""Recommenders on rating tables: models, learning, judging and looking into what was learned."""
