"""Every edit in one door.

Owns nothing but this list; the parts are `change`, `cell_edits`, `fill`, `sheet_edits`,
`book_edits`, `line_edits` and `moving`.
"""

from __future__ import annotations

from gradsheet.sheet.book_edits import (
    AddSheet,
    DefineName,
    DuplicateSheet,
    MoveSheet,
    RemoveSheet,
    RenameSheet,
)
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
from gradsheet.sheet.moving import MoveCells
from gradsheet.sheet.sheet_edits import (
    Freeze,
    ResizeColumns,
    ResizeRows,
    SetFormat,
    SetLabels,
    SetLooks,
    SetNote,
    SetRoles,
    SetScales,
    SetTabColour,
)

__all__ = [
    "AddSheet",
    "Change",
    "ClearCells",
    "Composite",
    "DefineName",
    "DeleteColumns",
    "DeleteRows",
    "DuplicateSheet",
    "Edit",
    "Fill",
    "FormatChange",
    "Freeze",
    "InsertColumns",
    "InsertRows",
    "MoveCells",
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
    "SetLooks",
    "SetNote",
    "SetRoles",
    "SetScales",
    "SetTabColour",
    "SetValues",
]
