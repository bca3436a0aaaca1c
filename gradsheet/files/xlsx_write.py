"""Write .xlsx workbooks: `write_xlsx`.

Owns the parts of a new package and how they hang together. What it cannot write it reports;
saving over a workbook with charts or macros is the task of `patch`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gradsheet.files.atomic import write_atomically
from gradsheet.files.file_facts import FileFacts
from gradsheet.files.own_names import own_names
from gradsheet.files.report import Report
from gradsheet.files.scales import file_scales
from gradsheet.files.xlsx_notes import comments_xml, drawing_xml
from gradsheet.files.xlsx_sheet_writing import SheetWriter, Tables
from gradsheet.files.xlsx_spelling import Spelling
from gradsheet.files.xml_writing import (
    DECLARATION,
    MAIN,
    PACKAGE_RELATIONSHIPS,
    RELATIONSHIPS,
    attribute,
    space,
    text_xml,
)
from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell
from gradsheet.formula.syntax import Union
from gradsheet.formula.values import UserError
from gradsheet.sheet.names import DefinedName, Table
from gradsheet.sheet.workbook import Sheet, Workbook

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Excel's oldest date: the same workbook gives the same bytes on any day.
_MOMENT = (1980, 1, 1, 0, 0, 0)
METADATA = (
    f'{DECLARATION}<metadata xmlns="{MAIN}" '
    'xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray">'
    '<metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" '
    'pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" '
    'clearComments="1" assign="1" coerce="1" cellMeta="1"/></metadataTypes>'
    '<futureMetadata name="XLDAPR" count="1"><bk><extLst>'
    '<ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}">'
    '<xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk>'
    '</futureMetadata><cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>'
)


def write_xlsx(workbook: Workbook, path: Path, facts: FileFacts | None = None) -> Report:
    """Write a workbook: live formulas with their values, formats, names, tables, notes.

    The values are those that the workbook holds: calculate it first. The file replaces `path`
    whole, or `path` stays as it is.

    Returns
    -------
    Report
        What could not be written.

    Raises
    ------
    UserError
        If a sheet is larger than Excel's, or the file cannot be written.
    """
    writing = _Writing(workbook, facts or FileFacts())
    write_atomically(path, writing.write)
    return writing.tables.findings.report(path.name)


class _Writing:
    """One workbook on its way into a file."""

    def __init__(self, workbook: Workbook, facts: FileFacts) -> None:
        self.tables = Tables(workbook)
        self._workbook, self._facts = workbook, facts
        self._overrides: list[tuple[str, str]] = []
        if not workbook.sheets:
            raise UserError("The workbook has no sheets.", "Add one before saving.")
        for sheet in workbook.sheets:
            used = sheet.cells.used()
            if used.bottom > MAX_ROWS or used.right > MAX_COLS:
                raise UserError(
                    f"Sheet {sheet.name!r} has {used.bottom:,} rows and {used.right:,} columns; "
                    f"an .xlsx sheet holds {MAX_ROWS:,} by {MAX_COLS:,}.",
                    "Save it as CSV, or save a part of it.",
                )

    def write(self, path: Path) -> None:
        """Write the package."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            self._package = package
            visible = [s.id for s in self._workbook.sheets
                       if s.id not in self._facts.hidden_sheets]  # fmt: skip
            wanted = self._facts.active_sheet
            active = wanted if wanted in visible else visible[0] if visible else None
            comment_number = table_number = 0
            for number, sheet in enumerate(self._workbook.sheets, 1):
                tables = [t for t in self._workbook.tables if t.sheet == sheet.id]
                links: list[tuple[str, str, str]] = []
                ids: dict[str, tuple[str, ...]] = {}
                if sheet.notes:
                    comment_number += 1
                    links += self._notes(sheet, comment_number)
                    ids["comments"] = (links[-1][0],)
                names = []
                for table in tables:
                    table_number += 1
                    link = f"rIdT{table_number}"
                    links.append((link, "table", f"../tables/table{table_number}.xml"))
                    names.append(link)
                    self._put(f"xl/tables/table{table_number}.xml",
                              self._table_xml(table, table_number), f"{_TYPES}.table+xml")
                ids["tables"] = tuple(names)
                scales = self._facts.color_scales.get(sheet.id) or tuple(file_scales(sheet.scales))
                writer = SheetWriter(sheet, self.tables, scales, ids,
                                     sheet.id == active)  # fmt: skip
                self._put(f"xl/worksheets/sheet{number}.xml", writer.pieces(),
                          f"{_TYPES}.worksheet+xml")  # fmt: skip
                if links:
                    self._put(f"xl/worksheets/_rels/sheet{number}.xml.rels", _links_xml(links))
            self._finish(active)

    def _put(self, name: str, text: str | Iterable[str], kind: str = "") -> None:
        """Add a part; with a content type of its own unless its ending tells."""
        info = zipfile.ZipInfo(name, _MOMENT)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        with self._package.open(info, "w", force_zip64=True) as part:
            for piece in (text,) if isinstance(text, str) else text:
                part.write(piece.encode("utf-8"))
        if kind:
            self._overrides.append((f"/{name}", kind))

    def _notes(self, sheet: Sheet, number: int) -> list[tuple[str, str, str]]:
        self._put(f"xl/comments{number}.xml", comments_xml(sheet.notes),
                  f"{_TYPES}.comments+xml")  # fmt: skip
        self._put(f"xl/drawings/vmlDrawing{number}.vml", drawing_xml(sheet.notes, number))
        return [
            ("rIdC1", "comments", f"../comments{number}.xml"),
            ("rIdC2", "vmlDrawing", f"../drawings/vmlDrawing{number}.vml"),
        ]

    def _finish(self, active: int | None) -> None:
        """The parts of the workbook as a whole, which know what the sheets needed."""
        sheets = self._workbook.sheets
        links = [(f"rId{i}", "worksheet", f"worksheets/sheet{i}.xml")
                 for i in range(1, len(sheets) + 1)]  # fmt: skip
        links.append(("rIdStyles", "styles", "styles.xml"))
        self._put("xl/styles.xml", self.tables.styles.xml(), f"{_TYPES}.styles+xml")
        if self.tables.texts:
            links.append(("rIdStrings", "sharedStrings", "sharedStrings.xml"))
            self._put("xl/sharedStrings.xml", self._strings(), f"{_TYPES}.sharedStrings+xml")
        if self.tables.has_dynamic:
            links.append(("rIdMetadata", "sheetMetadata", "metadata.xml"))
            self._put("xl/metadata.xml", METADATA, f"{_TYPES}.sheetMetadata+xml")
        self._put("xl/workbook.xml", self._workbook_xml(active), f"{_TYPES}.sheet.main+xml")
        self._put("xl/_rels/workbook.xml.rels", _links_xml(links))
        self._put("_rels/.rels", _links_xml([("rId1", "officeDocument", "xl/workbook.xml")]))
        overrides = "".join(
            f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in self._overrides
        )
        self._put(
            "[Content_Types].xml",
            f'{DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
            'content-types"><Default Extension="rels" ContentType="application/vnd.'
            'openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            'ContentType="application/xml"/><Default Extension="vml" ContentType="application/'
            f'vnd.openxmlformats-officedocument.vmlDrawing"/>{overrides}</Types>',
        )

    def _strings(self) -> Iterable[str]:
        count = len(self.tables.texts)
        yield f'{DECLARATION}<sst xmlns="{MAIN}" uniqueCount="{count}">'
        for text in self.tables.texts:
            escaped = text_xml(text)
            yield f"<si><t{space(text)}>{escaped}</t></si>"
        yield "</sst>"

    def _workbook_xml(self, active: int | None) -> str:
        hidden = self._facts.hidden_sheets
        sheets = "".join(
            f'<sheet name="{attribute(sheet.name)}" sheetId="{number}"'
            f"{_HIDDEN if sheet.id in hidden and active is not None else ''}"
            f' r:id="rId{number}"/>'
            for number, sheet in enumerate(self._workbook.sheets, 1)
        )
        position = 0 if active is None else self._workbook.position(active)
        epoch = ' date1904="1"' if self._workbook.date_1904 else ""
        again = ' fullCalcOnLoad="1"' if self.tables.must_recalculate else ""
        return (
            f'{DECLARATION}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONSHIPS}">'
            f"<workbookPr{epoch}/><bookViews><workbookView activeTab=\"{position}\"/></bookViews>"
            f"<sheets>{sheets}</sheets>{self._names_xml()}"
            f'<calcPr calcId="191029"{again}/></workbook>'
        )

    def _names_xml(self) -> str:
        names = list(self._workbook.names)
        for sheet in self._workbook.sheets:
            names.extend(own_names(sheet))
        places = {sheet.id: at for at, sheet in enumerate(self._workbook.sheets)}
        return names_xml(self._workbook, names, places)

    def _table_xml(self, table: Table, number: int) -> str:
        columns = "".join(
            f'<tableColumn id="{i}" name="{attribute(name)}"/>'
            for i, name in enumerate(table.columns, 1)
        )
        totals = (
            f' totalsRowCount="{table.totals_rows}"' if table.totals_rows
            else ' totalsRowShown="0"'
        )  # fmt: skip
        headers = "" if table.header_rows == 1 else f' headerRowCount="{table.header_rows}"'
        name = attribute(table.name)
        return (
            f'{DECLARATION}<table xmlns="{MAIN}" id="{number}" name="{name}" '
            f'displayName="{name}" ref="{table.region}"{headers}{totals}>'
            f'<tableColumns count="{len(table.columns)}">{columns}</tableColumns>'
            f'<tableStyleInfo name="TableStyleLight1" showRowStripes="1"/></table>'
        )


_HIDDEN = ' state="hidden"'


def names_xml(
    workbook: Workbook, names: Sequence[DefinedName], places: Mapping[int, int]
) -> str:
    """The `definedNames` element; "" without names.

    Parameters
    ----------
    places : position of every sheet in the file by its id
    """
    spelling = Spelling(workbook, None)
    entries = []
    for name in names:
        attributes = f' name="{attribute(name.name)}"'
        if name.sheet is not None:
            if name.sheet not in places:
                continue  # its sheet is gone
            attributes += f' localSheetId="{places[name.sheet]}"'
        if name.hidden:
            attributes += ' hidden="1"'
        text = text_xml(spelling.text(name.expr, Cell(0, 0)))
        if isinstance(name.expr, Union):
            text = text[1:-1]  # Excel's Solver reads its areas without parentheses only
        entries.append(f"<definedName{attributes}>{text}</definedName>")
    return f"<definedNames>{''.join(entries)}</definedNames>" if entries else ""


def _links_xml(links: list[tuple[str, str, str]]) -> str:
    inside = "".join(
        f'<Relationship Id="{link}" Type="{RELATIONSHIPS}/{kind}" Target="{target}"/>'
        for link, kind, target in links
    )
    return f'{DECLARATION}<Relationships xmlns="{PACKAGE_RELATIONSHIPS}">{inside}</Relationships>'
