"""Read .xlsx and .xlsm workbooks: `read_xlsx`.

Owns the walk through the package: workbook part, styles, strings, sheets, names, tables,
comments, and the report of what else is in the file. Runs no macro, fetches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from gradsheet.files.colours import theme_colours
from gradsheet.files.file_facts import ColorScale, FileFacts, SheetPlace
from gradsheet.files.formula_cache import kept_text
from gradsheet.files.own_names import is_own, restore
from gradsheet.files.report import Findings, Report, Weight
from gradsheet.files.role_fills import without_role_fills
from gradsheet.files.scales import shown_scales
from gradsheet.files.solver_model import solver_models
from gradsheet.files.support import note_unsupported
from gradsheet.files.xlsx_cells import Book
from gradsheet.files.xlsx_package import Package
from gradsheet.files.xlsx_parts import (
    dynamic_metadata,
    note_other_parts,
    note_sheet_parts,
    read_comments,
    read_strings,
    read_tables,
)
from gradsheet.files.xlsx_sheet import SheetReader
from gradsheet.files.xlsx_styles import read_styles
from gradsheet.files.xml_reading import (
    UnreadablePart,
    descendants,
    flag,
    parse_stream,
    refused,
    whole,
)
from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell
from gradsheet.formula.syntax import Expr, Range, Ref, parse, transform
from gradsheet.formula.values import FormulaError, UserError
from gradsheet.learn.epoch_step import epoch_step_of
from gradsheet.sheet.names import DefinedName
from gradsheet.sheet.workbook import Sheet, Workbook

MAX_SHEETS = 2_000
MAX_NAMES = 100_000


@dataclass(frozen=True, slots=True)
class Imported:
    """A workbook as it was read.

    Parameters
    ----------
    workbook : with the values that the file stored; formulas are not recalculated
    report : what was not understood
    facts : what a workbook has no place for
    """

    workbook: Workbook
    report: Report
    facts: FileFacts


def read_xlsx(source: Path | bytes) -> Imported:
    """Read a workbook.

    Parameters
    ----------
    source : path of the file, or its bytes

    Raises
    ------
    UserError
        If it is no workbook, is damaged or protected, or is larger than the limits.
    """
    with Package(source) as package:
        return _Reading(package).imported()


class _Reading:
    """One pass over a package."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._findings = Findings()
        self._workbook = Workbook()
        self._book = Book(self._workbook, self._findings)
        self._hidden: set[int] = set()
        self._scales: dict[int, tuple[ColorScale, ...]] = {}
        self._active: int | None = None
        self._by_position: list[int | None] = []
        self._places: dict[int, SheetPlace] = {}

    def imported(self) -> Imported:
        package = self._package
        main = self._main_part()
        root = package.tree(main)
        if root.tag != "workbook":
            raise UserError(
                f"{package.name} is not a workbook but a {root.tag}.", "gradsheet reads .xlsx."
            )
        for properties in descendants(root, "workbookPr"):
            self._workbook.date_1904 = flag(properties.attrib, "date1904")
        theme = self._theme(main)
        self._book.format_ids = self._format_ids(main, theme)
        self._book.texts = self._texts(main)
        for part in package.linked(main, "sheetMetadata"):
            self._book.dynamic = dynamic_metadata(package.tree(part))
        self._read_sheets(root, main, theme)
        self._read_names(root)
        has_macros = note_other_parts(package, self._findings)
        for model in solver_models(self._workbook):
            for fault in model.faults:
                self._findings.add("Solver model", self._workbook.sheet_name(model.sheet),
                                   Weight.WRONG, fault)  # fmt: skip
        self._note_epochs()
        note_unsupported(self._workbook, self._findings)
        facts = FileFacts(
            frozenset(self._hidden),
            self._scales,
            self._shown_first(root),
            has_macros,
            self._places,
            min(self._book.dynamic, default=0),
        )
        return Imported(self._workbook, self._findings.report(package.name), facts)

    def _main_part(self) -> str:
        found = self._package.linked("", "officeDocument")
        if found:
            return found[0]
        if self._package.has("xl/workbook.xml"):
            return "xl/workbook.xml"
        kind = "a binary workbook (.xlsb)" if self._package.has("xl/workbook.bin") else "one"
        raise UserError(
            f"{self._package.name} holds no workbook that gradsheet can read"
            + (f", it is {kind}." if kind != "one" else "."),
            "Save it as .xlsx in the program that made it.",
        )

    def _theme(self, main: str) -> tuple[str, ...]:
        for part in self._package.linked(main, "theme"):
            return theme_colours(self._package.tree(part))
        return theme_colours(None)

    def _format_ids(self, main: str, theme: tuple[str, ...]) -> list[int]:
        parts = self._package.linked(main, "styles")
        root = self._package.tree(parts[0]) if parts else None
        return [self._workbook.palette.id_of(look) for look in read_styles(root, theme)]

    def _texts(self, main: str) -> list[str]:
        for part in self._package.linked(main, "sharedStrings"):
            try:
                return read_strings(self._package.chunks(part))
            except UnreadablePart as fault:
                raise refused(part, fault) from fault
        return []

    # Sheets.

    def _read_sheets(self, root: Element, main: str, theme: tuple[str, ...]) -> None:
        targets = {link.id: link for link in self._package.links(main) if not link.is_external}
        seen: set[str] = set()
        entries = list(descendants(root, "sheets", "sheet"))
        if len(entries) > MAX_SHEETS:
            raise UserError(f"The workbook has {len(entries):,} sheets.",
                            f"The limit is {MAX_SHEETS:,}.")  # fmt: skip
        for entry in entries:
            name = entry.get("name", "")
            link = targets.get(entry.get("r:id", ""))
            is_sheet = link is not None and link.kind == "worksheet"
            if link is None or not is_sheet or link.target.lower() in seen:
                self._by_position.append(None)
                kind = "sheet without cells" if link is None or is_sheet else link.kind
                self._findings.add(kind[:40], name[:40])
                continue
            seen.add(link.target.lower())
            sheet = self._make_sheet(name)
            self._places[sheet.id] = SheetPlace(link.target, len(self._by_position))
            self._by_position.append(sheet.id)
            if entry.get("state", "visible") != "visible":
                self._hidden.add(sheet.id)
                self._findings.add("hidden sheet", sheet.name, Weight.NOTE)
            self._read_sheet(link.target, sheet, theme)
        if not self._workbook.sheets:
            raise UserError(f"{self._package.name} has no sheet with cells.",
                            "Open it in the program that made it and check.")  # fmt: skip

    def _make_sheet(self, name: str) -> Sheet:
        try:
            sheet = self._workbook.make_sheet(name)
        except UserError as fault:
            sheet = self._workbook.make_sheet(self._workbook.free_name())
            self._findings.add("sheet that had to be renamed", sheet.name, Weight.WRONG,
                               f"it was {name[:40]!r}. {fault.text}")  # fmt: skip
        self._workbook.sheets.append(sheet)
        return sheet

    def _read_sheet(self, part: str, sheet: Sheet, theme: tuple[str, ...]) -> None:
        package = self._package
        reader = SheetReader(sheet, self._book, theme)
        try:
            parse_stream(package.chunks(part), reader.start, reader.end, reader.data)
        except UnreadablePart as fault:
            raise refused(part, fault) from fault
        reader.finish()
        if reader.is_selected and self._active is None:
            self._active = sheet.id
        if reader.color_scales:
            self._scales[sheet.id] = tuple(reader.color_scales)
            sheet.scales = shown_scales(reader.color_scales, sheet.cells.used())
        for table in package.linked(part, "table"):
            found = read_tables(package.tree(table), sheet, self._findings)
            self._workbook.tables += found
        for comments in package.linked(part, "comments"):
            sheet.notes.update(read_comments(package.tree(comments)))
        note_sheet_parts(package, part, sheet.name, self._findings)

    def _shown_first(self, root: Element) -> int | None:
        for view in descendants(root, "bookViews", "workbookView"):
            position = whole(view.attrib, "activeTab")
            if 0 <= position < len(self._by_position):
                return self._by_position[position] or self._active
        return self._active

    # Names.

    def _read_names(self, root: Element) -> None:
        names = []
        for number, entry in enumerate(descendants(root, "definedNames", "definedName")):
            if number >= MAX_NAMES:
                raise UserError(
                    f"The workbook has more than {MAX_NAMES:,} names.",
                    "Delete those that are broken with Excel's name manager.",
                )
            scope = None
            if "localSheetId" in entry.attrib:
                position = whole(entry.attrib, "localSheetId", -1)
                if not 0 <= position < len(self._by_position):
                    continue
                scope = self._by_position[position]
                if scope is None:
                    continue
            name = entry.get("name", "")
            expr = self._name_expr(name, entry.text or "")
            names.append(DefinedName(name, expr, scope, flag(entry.attrib, "hidden")))
        self._workbook.names = tuple(name for name in names if not is_own(name))
        own = [name for name in names if is_own(name)]
        if own:
            for sheet in self._workbook.sheets:
                restore(sheet, own)
                without_role_fills(sheet)

    def _name_expr(self, name: str, text: str) -> Expr:
        try:
            return transform(parse(text, Cell(0, 0)), _unwrapped)
        except FormulaError as fault:
            self._findings.add("name that cannot be read", name[:60], Weight.WRONG, fault.message)
            return kept_text(text)

    def _note_epochs(self) -> None:
        for sheet in self._workbook.sheets:
            epoch = epoch_step_of(self._workbook, sheet.id)
            if epoch is not None:
                pairs = ", ".join(f"{c.source} to {c.target}" for c in epoch.carries)
                self._findings.add("epoch step", sheet.name, Weight.NOTE, f"carries {pairs}")


def _unwrapped(node: Expr) -> Expr:
    """A relative reference of a name that reaches round the end of the sheet, as a negative one.

    Excel spells the cell to the left of A1 as XFD1: in names, addresses wrap.
    """
    if isinstance(node, Ref):
        row, col = node.row, node.col
        if not node.row_abs and row >= MAX_ROWS // 2:
            row -= MAX_ROWS
        if not node.col_abs and col >= MAX_COLS // 2:
            col -= MAX_COLS
        if (row, col) != (node.row, node.col):
            return Ref(node.sheet, row, col, node.row_abs, node.col_abs)
    elif isinstance(node, Range):
        first, last = _unwrapped(node.first), _unwrapped(node.last)
        if isinstance(first, Ref) and isinstance(last, Ref):
            return Range(first, last)
    return node
