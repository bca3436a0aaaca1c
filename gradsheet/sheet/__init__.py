"""The facts of a document: cells, formats, edits. No window, no torch."""
