"""The smaller parts of a workbook: strings, metadata, tables, comments, and the rest by name.

Owns what each of them holds, and what of it is only reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

from gradsheet.files.report import Findings, Weight
from gradsheet.files.xlsx_cells import region_of_text
from gradsheet.files.xlsx_package import Package
from gradsheet.files.xml_reading import (
    MAX_DEPTH,
    UnreadablePart,
    descendants,
    flag,
    local_name,
    parse_stream,
    whole,
)
from gradsheet.files.xml_writing import unescaped
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError
from gradsheet.sheet.names import Table
from gradsheet.sheet.workbook import Sheet

MAX_STRINGS = 2_000_000
MAX_STRING_CHARS = 128 << 20
_DYNAMIC_ARRAYS = "XLDAPR"

_PART_KINDS = (
    (r"xl/vbaproject\.bin", "macro project"),
    (r"xl/macrosheets/.+", "macro sheet"),
    (r"xl/activex/activex\d*\.xml", "ActiveX control"),
    (r"xl/slicers/.+", "slicer"),
    (r"xl/timelines/.+", "timeline"),
    (r"xl/connections\.xml", "data connection"),
    (r"xl/model/.+", "data model"),
    (r"xl/threadedcomments/.+", "thread of comments"),
    (r"xl/richdata/rdrichvalue\.xml", "rich data values"),
)
_SHEET_LINKS = {
    "pivotTable": "pivot table",
    "queryTable": "query table",
    "oleObject": "embedded object",
    "package": "embedded file",
}
_SHAPES = {"pic": "picture", "graphicFrame": "chart or diagram", "sp": "shape", "cxnSp": "line"}


def read_strings(chunks: Iterable[bytes]) -> list[str]:
    """The shared strings by their index; runs of rich text joined, readings left out.

    Raises
    ------
    UnreadablePart
        If the part is damaged, or holds more than a workbook can.
    """
    texts: list[str] = []
    pieces: list[str] | None = None
    depth = phonetic = chars = 0
    is_text = False

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal depth, phonetic, pieces, is_text
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadablePart("elements nested deeper than any string has")
        local = local_name(name)
        if local == "si":
            pieces = []
        elif local == "rPh":
            phonetic += 1
        elif local == "t":
            is_text = not phonetic

    def end(name: str) -> None:
        nonlocal depth, phonetic, pieces, is_text
        depth -= 1
        local = local_name(name)
        if local == "si":
            texts.append(unescaped("".join(pieces or ())))
            pieces = None
            if len(texts) > MAX_STRINGS:
                raise UnreadablePart(f"more than {MAX_STRINGS:,} texts")
        elif local == "rPh":
            phonetic -= 1
        elif local == "t":
            is_text = False

    def data(text: str) -> None:
        nonlocal chars
        if is_text and pieces is not None:
            chars += len(text)
            if chars > MAX_STRING_CHARS:
                raise UnreadablePart("more text than fits into memory")
            pieces.append(text)

    parse_stream(chunks, start, end, data)
    return texts


def dynamic_metadata(root: Element) -> frozenset[int]:
    """Values of a cell's `cm` that mark its formula as a dynamic array."""
    kinds = [item.get("name", "") for item in descendants(root, "metadataTypes", "metadataType")]
    blocks: list[bool] = []
    for future in descendants(root, "futureMetadata"):
        if future.get("name") == _DYNAMIC_ARRAYS:
            for entry in descendants(future, "bk"):
                properties = list(descendants(entry, "extLst", "ext", "dynamicArrayProperties"))
                blocks.append(any(flag(p.attrib, "fDynamic") for p in properties))
    found = set()
    for number, entry in enumerate(descendants(root, "cellMetadata", "bk"), 1):
        for record in descendants(entry, "rc"):
            kind, value = whole(record.attrib, "t") - 1, whole(record.attrib, "v")
            is_array = 0 <= kind < len(kinds) and kinds[kind] == _DYNAMIC_ARRAYS
            if is_array and 0 <= value < len(blocks) and blocks[value]:
                found.add(number)
    return frozenset(found)


def read_tables(root: Element, sheet: Sheet, findings: Findings) -> tuple[Table, ...]:
    """The table of a table part; none, and a finding, if it makes no sense."""
    name = root.get("displayName") or root.get("name") or ""
    region = region_of_text(root.get("ref", ""))
    columns = tuple(
        unescaped(column.get("name", "")) for column in descendants(root, "tableColumns",
                                                                    "tableColumn")
    )  # fmt: skip
    headers = whole(root.attrib, "headerRowCount", 1)
    totals = whole(root.attrib, "totalsRowCount", 0)
    fits = region is not None and len(columns) == region.cols and name
    if region is None or not fits or not 0 <= headers + totals <= region.rows:
        findings.add("table that cannot be read", f"{sheet.name} {name[:40]}", Weight.WRONG)
        return ()
    if any(True for _ in descendants(root, "autoFilter", "filterColumn")):
        findings.add("filter", sheet.name)
    return (Table(name, sheet.id, region, columns, headers, totals),)


def read_comments(root: Element) -> dict[Cell, str]:
    """The notes of a comments part by their cells."""
    notes = {}
    for comment in descendants(root, "commentList", "comment"):
        region = region_of_text(comment.get("ref", ""))
        if region is None or region.size != 1:
            continue
        pieces = []
        for text in descendants(comment, "text"):
            for part in text.iter():
                if part.tag == "t":
                    pieces.append(part.text or "")
        notes[region.first] = unescaped("".join(pieces))
    return notes


def note_sheet_parts(package: Package, part: str, sheet: str, findings: Findings) -> None:
    """Count what is attached to a sheet and not taken over: drawings, pivot tables ..."""
    for link in package.links(part):
        what = _SHEET_LINKS.get(link.kind)
        if what is not None:
            findings.add(what, sheet)
        elif link.kind == "drawing" and not link.is_external and package.has(link.target):
            _note_drawing(package, link.target, sheet, findings)


def _note_drawing(package: Package, part: str, sheet: str, findings: Findings) -> None:
    charts = sum(link.kind.startswith("chart") for link in package.links(part))
    try:
        root = package.tree(part)
    except UserError:
        findings.add("drawing", sheet)
        return
    for anchor in root:
        for shape in anchor:
            what = _SHAPES.get(shape.tag)
            if what == "chart or diagram" and charts:
                charts -= 1
                what = "chart"
            if what is not None:
                findings.add(what, sheet)


def note_other_parts(package: Package, findings: Findings) -> bool:
    """Count the parts that belong to the workbook as a whole; whether there are macros."""
    has_macros = False
    for part in package.parts():
        name = part.lower()
        for pattern, what in _PART_KINDS:
            if re.fullmatch(pattern, name):
                is_macro = what.startswith("macro")
                has_macros = has_macros or is_macro
                findings.add(what, "", detail="never run" if is_macro else "")
        if re.fullmatch(r"xl/externallinks/externallink\d*\.xml", name):
            for link in package.links(part):
                if link.is_external:
                    findings.add("link to another file", link.target[:120],
                                 detail="never fetched")  # fmt: skip
    return has_macros
