"""Every edit in one door.

Owns nothing but this list; the parts are `change`, `cell_edits`, `fill`, `sheet_edits`,
`book_edits` and `line_edits`.
"""

from __future__ import annotations

from gradsheet.sheet.book_edits import AddSheet, DefineName, MoveSheet, RemoveSheet, RenameSheet
from gradsheet.sheet.cell_edits import ClearCells, SetCells, SetValues
from gradsheet.sheet.change import Change, Composite, Edit
from gradsheet.sheet.fill import Fill
from gradsheet.sheet.formats import FormatChange
from gradsheet.sheet.line_edits import (
    DeleteColumns,
    DeleteRows,
    InsertColumns,
    InsertRows,
    MoveColumns,
    MoveRows,
)
from gradsheet.sheet.sheet_edits import (
    Freeze,
    ResizeColumns,
    ResizeRows,
    SetFormat,
    SetLabels,
    SetNote,
    SetRoles,
)

__all__ = [
    "AddSheet",
    "Change",
    "ClearCells",
    "Composite",
    "DefineName",
    "DeleteColumns",
    "DeleteRows",
    "Edit",
    "Fill",
    "FormatChange",
    "Freeze",
    "InsertColumns",
    "InsertRows",
    "MoveColumns",
    "MoveRows",
    "MoveSheet",
    "RemoveSheet",
    "RenameSheet",
    "ResizeColumns",
    "ResizeRows",
    "SetCells",
    "SetFormat",
    "SetLabels",
    "SetNote",
    "SetRoles",
    "SetValues",
]
