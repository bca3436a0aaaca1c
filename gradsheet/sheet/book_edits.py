"""Edits of the workbook as a whole: adding, removing, naming and ordering sheets; defined names.

Owns what these change and that references follow. Knows nothing of what sheets look like.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradsheet.formula.address import Cell
from gradsheet.formula.syntax import Expr
from gradsheet.formula.values import UserError
from gradsheet.sheet.cell_edits import PutFormulas
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.change import Change, Composite, Edit
from gradsheet.sheet.names import DefinedName, Table
from gradsheet.sheet.rewriting import rename_sheet
from gradsheet.sheet.roles import Role

if TYPE_CHECKING:
    from gradsheet.sheet.workbook import Sheet, Workbook

_PASSIVE = (Role.DATA, Role.PREDICTION)
"""Roles that only say what a range is."""
_NAME = re.compile(r"[^\W\d][\w.\\?]*|\\[\w.\\?]*")
_ADDRESS = re.compile(r"[A-Za-z]{1,3}[0-9]+|[rRcC]|[rR][0-9]*[cC][0-9]*|true|false", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class PutSheets(Edit):
    """Make these the sheets of the workbook, in this order; removed ones wait in the inverse."""

    sheets: tuple[Sheet, ...]
    name: str

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        old = tuple(workbook.sheets)
        workbook.sheets[:] = self.sheets
        return PutSheets(old, self.name), Change(structure=True)


@dataclass(frozen=True, slots=True)
class PutNames(Edit):
    """Make these the defined names and tables of the workbook."""

    names: tuple[DefinedName, ...]
    tables: tuple[Table, ...]
    name: str

    @property
    def label(self) -> str:
        """The name given."""
        return self.name

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        inverse = PutNames(workbook.names, workbook.tables, self.name)
        workbook.names, workbook.tables = self.names, self.tables
        return inverse, Change(structure=True)


@dataclass(frozen=True, slots=True)
class AddSheet(Edit):
    """Add an empty sheet.

    Parameters
    ----------
    name : "" for the next free one
    position : among the sheets, None for the end
    """

    name: str = ""
    position: int | None = None

    @property
    def label(self) -> str:
        """For the undo menu."""
        return f"Add sheet {self.name}".strip()

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        sheet = workbook.make_sheet(self.name or workbook.free_name())
        sheets = list(workbook.sheets)
        sheets.insert(len(sheets) if self.position is None else self.position, sheet)
        return PutSheets(tuple(sheets), f"Add sheet {sheet.name}").apply_to(workbook)


@dataclass(frozen=True, slots=True)
class DuplicateSheet(Edit):
    """Add a copy of a sheet behind it, as `name (2)`; formulas that name the sheet still do.

    The copy has no loss and no parameters: a workbook trains one model, and goes on with it.
    """

    sheet: int

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Duplicate sheet"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        source = workbook.sheet(self.sheet)
        copy = workbook.make_sheet(_copy_name(workbook, source.name))
        for region, values, kinds in source.cells.contents(source.cells.used()):
            copy.cells.write(region, values, kinds)
        for cell, formula in source.cells.formulas().items():
            copy.cells.set_formula(cell, formula)
        facts = source.facts()
        passive = tuple(role for role in facts.roles if role.role in _PASSIVE)
        copy.put_facts(replace(facts, roles=passive))
        sheets = list(workbook.sheets)
        sheets.insert(workbook.position(self.sheet) + 1, copy)
        label = f"Duplicate sheet {source.name}"
        return PutSheets(tuple(sheets), label).apply_to(workbook)


def _copy_name(workbook: Workbook, name: str) -> str:
    """`name (2)`, or the next number that is free, cut to what a sheet's name may have."""
    stem = re.sub(r" \(\d+\)$", "", name)
    number = 2
    while True:
        tail = f" ({number})"
        wanted = stem[: 31 - len(tail)] + tail
        if workbook.by_name(wanted) is None:
            return wanted
        number += 1


@dataclass(frozen=True, slots=True)
class MoveSheet(Edit):
    """Move a sheet to another position, counted without it."""

    sheet: int
    position: int

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Move sheet"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        moved = workbook.sheet(self.sheet)
        sheets = [sheet for sheet in workbook.sheets if sheet is not moved]
        sheets.insert(self.position, moved)
        return PutSheets(tuple(sheets), self.label).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class RemoveSheet(Edit):
    """Remove a sheet; references to it become #REF!."""

    sheet: int

    @property
    def label(self) -> str:
        """For the undo menu."""
        return "Remove sheet"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        gone = workbook.sheet(self.sheet)
        if len(workbook.sheets) == 1:
            raise UserError(f"{gone.name} is the only sheet.", "Add another one first.")
        label = f"Remove sheet {gone.name}"
        lost = gone.name.casefold()
        rest = tuple(sheet for sheet in workbook.sheets if sheet is not gone)
        rewriting = _rewrite(
            workbook,
            rest,
            lambda expr: rename_sheet(expr, lambda n: None if n.casefold() == lost else n),
            label,
        )
        names = tuple(n for n in rewriting[1].names if n.sheet != gone.id)
        tables = tuple(t for t in workbook.tables if t.sheet != gone.id)
        return Composite(
            (rewriting[0], PutNames(names, tables, label), PutSheets(rest, label)), label
        ).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class RenameSheet(Edit):
    """Give a sheet another name; every reference to it follows."""

    sheet: int
    name: str

    @property
    def label(self) -> str:
        """For the undo menu."""
        return f"Rename sheet to {self.name}"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        sheet = workbook.sheet(self.sheet)
        workbook.check_sheet_name(self.name, owner=sheet)
        old = sheet.name.casefold()
        formulas, names = _rewrite(
            workbook,
            tuple(workbook.sheets),
            lambda expr: rename_sheet(expr, lambda n: self.name if n.casefold() == old else n),
            self.label,
        )
        edits = (formulas, names, _PutSheetName(sheet.id, self.name))
        return Composite(edits, self.label).apply_to(workbook)


@dataclass(frozen=True, slots=True)
class _PutSheetName(Edit):
    sheet: int
    name: str

    @property
    def label(self) -> str:
        return f"Rename sheet to {self.name}"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        sheet = workbook.sheet(self.sheet)
        inverse = _PutSheetName(self.sheet, sheet.name)
        sheet.name = self.name
        return inverse, Change(structure=True)


@dataclass(frozen=True, slots=True)
class DefineName(Edit):
    """Define a name, in place of one of the same name and scope; `expr` None removes it."""

    name: str
    expr: Expr | None
    sheet: int | None = None
    hidden: bool = False

    @property
    def label(self) -> str:
        """For the undo menu."""
        return f"{'Remove' if self.expr is None else 'Define'} name {self.name}"

    def apply_to(self, workbook: Workbook) -> tuple[Edit, Change]:
        """See `Edit.apply_to`."""
        if _NAME.fullmatch(self.name) is None or _ADDRESS.fullmatch(self.name) is not None:
            raise UserError(
                f"{self.name!r} cannot be a name.",
                "Begin with a letter, leave out spaces, and do not use a cell's address.",
            )
        same = self.name.casefold()
        names = [
            n for n in workbook.names if (n.name.casefold(), n.sheet) != (same, self.sheet)
        ]
        if self.expr is not None:
            names.append(DefinedName(self.name, self.expr, self.sheet, self.hidden))
        return PutNames(tuple(names), workbook.tables, self.label).apply_to(workbook)


def _rewrite(
    workbook: Workbook, sheets: tuple[Sheet, ...], change: Callable[[Expr], Expr], label: str
) -> tuple[PutFormulas, PutNames]:
    """The edits that put `change(expr)` in place of every formula and name."""
    rewritten: list[tuple[int, Cell, Formula]] = []
    for sheet in sheets:
        for cell, formula in sheet.cells.formulas().items():
            expr = change(formula.expr)
            if expr is not formula.expr:
                rewritten.append((sheet.id, cell, replace(formula, expr=expr)))
    names = tuple(replace(name, expr=change(name.expr)) for name in workbook.names)
    return PutFormulas(tuple(rewritten), label), PutNames(names, workbook.tables, label)
