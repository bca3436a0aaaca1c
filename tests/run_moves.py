"""Moves through a run that tests of the application share, each done when it returns."""

from __future__ import annotations

from gradsheet.app.document import Document


def step(document: Document, n: int = 1) -> None:
    """Take steps."""
    document.step_run(n)
    document.finish()


def seek(document: Document, to: int) -> None:
    """Show the run at a step."""
    document.seek_run(to)
    document.finish()


def cells(document: Document) -> bytes:
    """Return the bits of every cell of every sheet."""
    found = b""
    for sheet in document.workbook.sheets:
        values, kinds = sheet.cells.read(sheet.cells.used())
        found += values.tobytes() + kinds.tobytes()
    return found
