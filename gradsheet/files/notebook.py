"""Jupyter notebooks: cells of text and code as nbformat 4.

Owns the format only. Knows nothing of what stands in the cells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gradsheet.files.atomic import write_text


@dataclass(frozen=True, slots=True)
class NotebookCell:
    """A cell: Markdown or Python."""

    kind: Literal["markdown", "code"]
    text: str


def notebook_json(cells: Sequence[NotebookCell]) -> str:
    """Return a notebook; the same cells give the same text.

    Notes
    -----
    The format is nbformat 4.5: https://nbformat.readthedocs.io/en/latest/format_description.html
    """
    made = []
    for number, cell in enumerate(cells):
        name = hashlib.sha256(f"{number}:{cell.text}".encode()).hexdigest()[:12]
        lines = cell.text.strip("\n").splitlines(keepends=True)
        entry: dict[str, Any] = {
            "cell_type": cell.kind, "id": name, "metadata": {}, "source": lines
        }  # fmt: skip
        if cell.kind == "code":
            entry |= {"execution_count": None, "outputs": []}
        made.append(entry)
    book = {
        "cells": made,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


def write_notebook(cells: Sequence[NotebookCell], path: Path) -> None:
    """Write a notebook. Raises UserError if the file cannot be written."""
    write_text(path, notebook_json(cells))
