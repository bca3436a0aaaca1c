"""Save into the package that a workbook came from: charts, pictures, macros and pivots stay.

Owns the comparison with the file as it is, what of the changes can be put into it (values,
formulas, names) and what cannot, which is told before anything is saved. All parts that are not
concerned keep their bytes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from gradsheet.files.atomic import write_atomically
from gradsheet.files.own_names import own_names
from gradsheet.files.report import Finding, Findings
from gradsheet.files.sheet_patch import NewCell, SheetBytes
from gradsheet.files.xlsx_package import Package
from gradsheet.files.xlsx_read import Imported, read_xlsx
from gradsheet.files.xlsx_sheet_writing import MAX_TEXT, number_xml
from gradsheet.files.xlsx_spelling import Spelling
from gradsheet.files.xlsx_write import names_xml
from gradsheet.files.xml_reading import UnreadablePart, refused
from gradsheet.files.xml_writing import space, text_xml
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import ErrorCode, Kind, Scalar, UserError, unpack
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Sheet, Workbook

_CALC_CHAIN = "xl/calcchain.xml"
_NAMES = re.compile(rb"<(\w+:)?definedNames\s*(?:/>|>.*?</(?:\w+:)?definedNames\s*>)", re.DOTALL)
_BEFORE_NAMES = re.compile(
    rb"</(?:\w+:)?(?:sheets|functionGroups|externalReferences)\s*>(?!.*"
    rb"</(?:\w+:)?(?:functionGroups|externalReferences)\s*>)",
    re.DOTALL,
)
_SAVE_BESIDE = "Save it under another name instead: that file will lack what is listed."


class Patch:
    """The changes of a workbook against the file that it came from.

    Parameters
    ----------
    original : the file
    workbook : as it is now; the sheets are found again by their names

    Attributes
    ----------
    unwritten : changes that the file would not get, told before saving

    Raises
    ------
    UserError
        If the file cannot be read, or its sheets are others than the workbook's.
    """

    def __init__(self, original: Path, workbook: Workbook) -> None:
        self._original, self._new = original, workbook
        self._old: Imported = read_xlsx(original)
        self._pairs = list(self._paired())
        self._notes = Findings()
        for old, new in self._pairs:
            self._compare_looks(old, new)
        if self._old.workbook.date_1904 != workbook.date_1904:
            self._notes.add("first day of dates")
        if _tables(self._old.workbook) != _tables(workbook):
            self._notes.add("table")
        self._formulas_changed = False
        self._parts: dict[str, bytes] = {}
        with Package(original) as package:
            for old, new in self._pairs:
                self._patch_sheet(package, old, new)
            self._patch_names(package)
            self._order = package.parts()
        self.unwritten: tuple[Finding, ...] = self._notes.report(original.name).findings

    @property
    def is_empty(self) -> bool:
        """Whether the file already holds all that could be written to it."""
        return not self._parts

    def save(self, target: Path) -> None:
        """Write the package with its changed parts; `target` may be the original itself.

        Raises
        ------
        UserError
            If the file cannot be written.
        """
        write_atomically(target, self._write)

    def _write(self, draft: Path) -> None:
        with zipfile.ZipFile(self._original) as old, zipfile.ZipFile(draft, "w") as new:
            for info in old.infolist():
                name = info.filename
                if info.is_dir() or (self._formulas_changed and name.lower() == _CALC_CHAIN):
                    continue
                data = self._parts.get(name.lower())
                if data is None:
                    data = old.read(info)
                if self._formulas_changed:
                    data = _without_chain(name.lower(), data)
                copy = zipfile.ZipInfo(name, info.date_time)
                copy.compress_type = zipfile.ZIP_DEFLATED
                copy.external_attr = info.external_attr
                new.writestr(copy, data)

    def _paired(self) -> Iterator[tuple[Sheet, Sheet]]:
        mine = [sheet.name for sheet in self._new.sheets]
        theirs = [sheet.name for sheet in self._old.workbook.sheets]
        if mine != theirs:
            raise UserError(
                f"{self._original.name} has the sheets {', '.join(theirs)[:200]}; the workbook "
                f"has {', '.join(mine)[:200]}.",
                _SAVE_BESIDE,
            )
        yield from zip(self._old.workbook.sheets, self._new.sheets, strict=True)

    # What is only told.

    def _compare_looks(self, old: Sheet, new: Sheet) -> None:
        for what, name in (
            ("column width", "column_widths"), ("row height", "row_heights"), ("note", "notes"),
            ("frozen rows and columns", "frozen"), ("colour scale", "scales"),
        ):  # fmt: skip
            if getattr(old, name) != getattr(new, name):
                self._notes.add(f"changed {what}", new.name)
        used = old.cells.used().union_hull(new.cells.used())
        window = Region(0, 0, min(used.bottom + 20, 20_000), min(used.right + 20, 500))
        mine, theirs = new.formats.plane(window), old.formats.plane(window)
        pairs = np.unique(mine.astype(np.int64) * (1 << 16) + theirs)
        for pair in pairs.tolist():
            a = new.formats.palette.format(pair >> 16)
            b = old.formats.palette.format(pair & 0xFFFF)
            if (a.code, a.bold, a.italic, a.align, a.color, a.fill) != (
                b.code, b.bold, b.italic, b.align, b.color, b.fill
            ):  # fmt: skip
                self._notes.add("changed format", new.name)
                return

    # Cells.

    def _patch_sheet(self, package: Package, old: Sheet, new: Sheet) -> None:
        place = self._old.facts.places[old.id]
        changed = set(self._changed_values(old, new))
        was, now = old.cells.formulas(), new.cells.formulas()
        rewritten = {cell for cell in {*was, *now} if was.get(cell) != now.get(cell)}
        if not changed and not rewritten:
            return
        try:
            known = SheetBytes(package.read(place.part))
        except UnreadablePart as fault:
            raise refused(place.part, fault) from fault
        for group in known.shared_groups().values():
            masters = [c for c in group if (k := known.cell(c)) is not None and k.is_master]
            if any(cell in rewritten for cell in masters):
                rewritten |= {cell for cell in group if cell in now}  # they had its text
        spelling = Spelling(self._new, new)
        cells: dict[Cell, NewCell | None] = {}
        for cell in changed | rewritten:
            made = self._new_cell(new, cell, cell in rewritten, spelling)
            if made is not _KEEP:
                cells[cell] = made
        self._formulas_changed |= bool(rewritten)
        self._parts[place.part.lower()] = known.patched(cells, new.cells.used())

    def _changed_values(self, old: Sheet, new: Sheet) -> Iterator[Cell]:
        used = old.cells.used().union_hull(new.cells.used())
        a, a_kinds = old.cells.read(used)
        b, b_kinds = new.cells.read(used)
        text = (a_kinds == Kind.TEXT) & (b_kinds == Kind.TEXT)
        differs = (a_kinds != b_kinds) | (~text & (a.view(np.int64) != b.view(np.int64)))
        for row, col in np.argwhere(differs | text):
            if text[row, col]:
                before = self._old.workbook.strings.text(int(a[row, col]))
                if before == self._new.strings.text(int(b[row, col])):
                    continue
            yield Cell(int(row) + used.top, int(col) + used.left)

    def _new_cell(
        self, sheet: Sheet, cell: Cell, is_rewritten: bool, spelling: Spelling
    ) -> NewCell | None:
        value, kind = sheet.cells.get(cell)
        scalar = unpack(value, kind, self._new.strings)
        formula = sheet.cells.formula(cell)
        attributes, element = "", None
        if is_rewritten:
            element = ""
            if formula is not None:
                attributes, element = self._formula(sheet, cell, formula, spelling)
        if isinstance(scalar, ErrorCode) and scalar >= ErrorCode.CIRC:
            if not is_rewritten:
                return _KEEP  # what Excel stored is better than that we cannot say
            return NewCell(attributes, element, "")
        if scalar is None and not element and not (formula is not None and not is_rewritten):
            return None
        kind_attribute, value_xml = _value_xml(scalar, formula is None)
        return NewCell(attributes + kind_attribute, element, value_xml)

    def _formula(
        self, sheet: Sheet, cell: Cell, formula: Formula, spelling: Spelling
    ) -> tuple[str, str]:
        text = text_xml(spelling.text(formula.expr, cell))
        if formula.array is None and not formula.dynamic:
            return "", f"<f{space(text)}>{text}</f>"
        attributes = ""
        if formula.dynamic:
            marker = self._old.facts.dynamic
            if marker:
                attributes = f' cm="{marker}"'
            else:
                self._notes.add("spilling formula, written as an array formula", sheet.name)
        return attributes, f'<f t="array" ref="{formula.array or cell}">{text}</f>'

    # Names.

    def _patch_names(self, package: Package) -> None:
        places = {
            new.id: self._old.facts.places[old.id].position for old, new in self._pairs
        }
        before = {old.id: new.id for old, new in self._pairs}
        theirs = [(n.name, n.expr, before.get(n.sheet or 0), n.hidden)
                  for n in self._old.workbook.names]  # fmt: skip
        mine = [(n.name, n.expr, n.sheet, n.hidden) for n in self._new.names]
        same_own = all(
            (old.roles, old.row_labels, old.column_labels)
            == (new.roles, new.row_labels, new.column_labels)
            for old, new in self._pairs
        )
        if theirs == mine and same_own:
            return
        names = list(self._new.names)
        for sheet in self._new.sheets:
            names.extend(own_names(sheet))
        main = package.linked("", "officeDocument")[0]
        data = package.read(main)
        element = names_xml(self._new, names, places).encode()
        self._parts[main.lower()] = _with_names(data, element)


def _with_names(data: bytes, element: bytes) -> bytes:
    """A workbook part with other names."""
    found = _NAMES.search(data)
    if found is not None:
        prefix = found[1] or b""
        start, end = found.span()
    else:
        place = _BEFORE_NAMES.search(data)
        if place is None:
            raise UserError("The workbook part has no list of sheets.", _SAVE_BESIDE)
        tag = re.match(rb"</(\w+:)?", place[0])
        prefix = (tag[1] if tag else None) or b""
        start = end = place.end()
    if prefix:
        element = re.sub(rb"<(/?)(?=defined)", rb"<\1" + prefix, element)
    return data[:start] + element + data[end:]


def _without_chain(name: str, data: bytes) -> bytes:
    """A part without the mention of the calculation chain, which Excel makes anew."""
    if name == "[content_types].xml":
        return re.sub(rb"<Override\b[^>]*calcChain[^>]*/>", b"", data)
    if name.endswith("workbook.xml.rels"):
        return re.sub(rb"<Relationship\b[^>]*/calcChain\"[^>]*/>", b"", data)
    return data


def _value_xml(scalar: Scalar, is_constant: bool) -> tuple[str, str]:
    """The `t` attribute and the value's element; text of constants stands in the cell itself."""
    if scalar is None:
        return "", ""
    if isinstance(scalar, ErrorCode):
        text = scalar.text if scalar < ErrorCode.SPILL else "#VALUE!"
        return ' t="e"', f"<v>{text}</v>"
    if isinstance(scalar, bool):
        return ' t="b"', f"<v>{int(scalar)}</v>"
    if isinstance(scalar, str):
        text = text_xml(scalar[:MAX_TEXT])
        if is_constant:
            return ' t="inlineStr"', f"<is><t{space(text)}>{text}</t></is>"
        return ' t="str"', f"<v>{text}</v>"
    return "", f"<v>{number_xml(scalar)}</v>"


def _tables(workbook: Workbook) -> list[tuple[object, ...]]:
    places: Mapping[int, int] = {sheet.id: at for at, sheet in enumerate(workbook.sheets)}
    return [
        (t.name, places.get(t.sheet), t.region, t.columns, t.header_rows, t.totals_rows)
        for t in workbook.tables
    ]


_KEEP = NewCell("", None, "")
"""Stands for: leave the cell as it is."""
