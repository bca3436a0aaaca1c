"""The lessons: one file, one lesson; ordinary workbooks on the engine."""
