"""Files made to do harm, and files damaged at random. Seeded: the same number, the same file."""

from __future__ import annotations

import io
import random
import re
import zipfile
from pathlib import Path

from gradsheet.files.file_facts import ColorScale, ColorStop, FileFacts
from gradsheet.files.solver_model import SolverModel, solver_names
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import FormatChange, SetCells
from gradsheet.sheet.names import Table
from gradsheet.sheet.roles import Role, RoleRegion
from gradsheet.sheet.workbook import Workbook

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_TOKENS = (
    "A1", "XFD1048576", "AAAA1", "A0", "A1:XFD1048576", "Z9:A1", "-1", "0", "1", "99999999999",
    "1e308", "1e999", "nan", "inf", "1_0", "", "true", "s", "str", "e", "b", "d", "inlineStr", "n",
    "shared", "array", "dataTable", "#REF!", "SUM(A1:A9)", "A1", "1+", "((((", "INDIRECT(A1)",
    "OFFSET(A1,1,1,9,9)", "SEQUENCE(9,9)", "RAND()", "1/0", '"x"', "{1,2}", "A:A", "1:1", "T[a]",
    "LET(x,1,x)", "_xlfn.SINGLE(A1)", "[1]S!A1", "\u0000", "é", "9" * 400, "x" * 5000,
)  # fmt: skip


def rich_workbook(path: Path) -> None:
    """A workbook that uses all that the reader knows."""
    workbook = Workbook()
    for name in ("one", "two words"):
        workbook.sheets.append(workbook.make_sheet(name))
    sheet = workbook.sheets[0]
    sheet.cells.write(Region(0, 0, 12, 4), [[i + j / 7 for j in range(4)] for i in range(12)])
    workbook.apply(SetCells(sheet.id, ((Cell(0, 5), "x"), (Cell(0, 6), "y"), (Cell(3, 9), True))))
    for at, text in enumerate(
        ("=SUM(A1:D12)", "=A1*$B$2", "=IF(A1>1,\"a\",'two words'!A1)", "=SUM(T[x])", "=RAND()",
         "=INDEX(A:A,3)", "=OFFSET(A1,1,1)", "=STDEV.S(A1:A9)", "=E1+1", "=LET(q,A1,q+q)")
    ):  # fmt: skip
        cell = Cell(at, 4)
        sheet.cells.set_formula(cell, Formula(parse(text, cell)))
        sheet.cells.write(Region.of(cell), 1.0)
    array, spill = Cell(14, 0), Cell(14, 4)
    both = ((array, Region(14, 0, 16, 2), False), (spill, Region(14, 4, 17, 5), True))
    for anchor, region, dynamic in both:
        formula = Formula(parse("=A1:B2*2", anchor), region, dynamic)
        sheet.cells.set_formula(anchor, formula)
        sheet.cells.write(region, 2.0)
    workbook.tables = (Table("T", sheet.id, Region(0, 5, 3, 7), ("x", "y")),)
    model = SolverModel(sheet.id, (sheet.id, Cell(0, 4)), ((sheet.id, Region(0, 0, 3, 2)),))
    workbook.names = solver_names(workbook, model)
    sheet.formats = sheet.formats.changed(
        Region(0, 0, 4, 4), FormatChange(number="0.00", bold=True, fill="#FF0000")
    )
    sheet.notes = {Cell(1, 1): "note"}
    sheet.frozen = Cell(1, 1)
    sheet.column_widths, sheet.row_heights = {1: 90}, {2: 40}
    sheet.roles = (RoleRegion(Region(0, 0, 3, 2), Role.PARAMETER, "w"),)
    scale = ColorScale((Region(0, 0, 4, 4),), (ColorStop("min", "#FF0000"),
                                               ColorStop("max", "#00FF00")))  # fmt: skip
    write_xlsx(workbook, path, FileFacts(color_scales={sheet.id: (scale,)}))


def mutated(original: bytes, seed: int) -> bytes:
    """A workbook file with something wrong: in the zip, or inside of its parts."""
    chance = random.Random(seed)
    if chance.random() < 0.25:
        return _bytes_mutated(original, chance)
    parts = dict(_parts(original))
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        name = chance.choice([n for n in parts if n.endswith((".xml", ".rels"))])
        parts[name] = _part_mutated(parts[name], chance)
    if chance.random() < 0.1:
        parts.pop(chance.choice(list(parts)))
    return zipped(parts)


def _parts(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return [(name, package.read(name)) for name in package.namelist()]


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip file of some parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return buffer.getvalue()


def _bytes_mutated(data: bytes, chance: random.Random) -> bytes:
    kind = chance.randrange(4)
    if kind == 0:
        return data[: chance.randrange(len(data))]
    changed = bytearray(data)
    if kind == 1:
        for _ in range(chance.choice((1, 4, 30))):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    elif kind == 2:  # the directory at the end, where sizes and offsets are
        for _ in range(chance.choice((1, 3))):
            changed[-chance.randrange(1, min(len(changed), 900))] = chance.randrange(256)
    else:
        at, length = chance.randrange(len(changed)), chance.randrange(1, 400)
        del changed[at : at + length]
    return bytes(changed)


def _part_mutated(data: bytes, chance: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    kind = chance.randrange(6)
    if kind == 0:  # another value of an attribute
        return _replaced(text, r'"[^"]*"', lambda _: f'"{_plain(chance.choice(_TOKENS))}"', chance)
    if kind == 1:  # another text of an element
        return _replaced(text, r">[^<]+<", lambda _: f">{_plain(chance.choice(_TOKENS))}<", chance)
    if kind == 2:  # an element twice, many times, or elsewhere
        found = list(re.finditer(r"<(\w+)[^<>]*>[^<]*</\1>|<\w+[^<>]*/>", text))
        if found:
            piece = chance.choice(found)[0]
            at = chance.choice(found).start()
            text = text[:at] + piece * chance.choice((1, 2, 300)) + text[at:]
        return text.encode("utf-8", "replace")
    if kind == 3:  # an element gone, an attribute gone, a tag without its end
        pattern = chance.choice((r"<\w+[^<>]*/>", r' \w+="[^"]*"', r"</\w+>", r"<(\w+)>.*?</\1>"))
        return _replaced(text, pattern, lambda _: "", chance)
    if kind == 4:
        at = chance.randrange(len(text) + 1)
        wrong = chance.choice(("<", "&", "&x;", "<!DOCTYPE a>", "<!--", "]]>", "<a" * 300, "\x01"))
        return (text[:at] + wrong + text[at:]).encode("utf-8", "replace")
    return data[: chance.randrange(len(data) + 1)]


def _replaced(text: str, pattern: str, by: object, chance: random.Random) -> bytes:
    found = list(re.finditer(pattern, text))
    if found:
        match = chance.choice(found)
        text = text[: match.start()] + by(match) + text[match.end() :]  # type: ignore[operator]
    return text.encode("utf-8", "replace")


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\0", "")


def book_of(sheet_xml: bytes, **more: bytes) -> bytes:
    """A smallest workbook around the XML of its only sheet."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{office}"><sheets><sheet name="S" '
        'sheetId="1" r:id="r"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="r" '
        f'Type="{office}/worksheet" Target="worksheets/s.xml"/></Relationships>',
    }
    encoded = {name: text.encode() for name, text in parts.items()}
    encoded["xl/worksheets/s.xml"] = sheet_xml
    encoded.update({name.replace("__", "/"): data for name, data in more.items()})
    return zipped(encoded)


def sheet_of(rows: str) -> bytes:
    """A worksheet part around its rows."""
    return f"<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>".encode()


_PIECES = (
    "A1", "$B$2", "C3:D9", "A:A", "2:3", "Sheet1!A1", "'a b'!A1", "x", "my.name", "T[a]",
    "T[[#This Row],[a]]", "[@b]", "1", "2.5", "1e9", '"t"', '""', "TRUE", "#N/A", "{1,2;3,4}", "+",
    "-", "*", "/", "^", "&", "=", "<>", "<", ">=", "%", ",", ";", "(", ")", "{", "}", "[", "]", ":",
    " ", "@", "#", "!", "'", '"', "SUM(", "IF(", "INDEX(", "OFFSET(", "LET(", "MMULT(", "RAND()",
    "_xlfn.STDEV.S(", "LAMBDA(", "XLOOKUP(", "SEQUENCE(3)", "A1#", "[1]S!A1", "S1:S3!A1", "é", "\0",
    "\ud800", "=", "$", "R1C1", "1.2.3", ".", "..", "A1048577", "XFE1", "#REF!", "\n",
)  # fmt: skip
_SEEDS = (
    "=SUM(A1:B9)*IF(C1>2,\"yes\",-3.5%)", "=SQRT(SUMXMY2($H$2:$V$16,H25:V39)/COUNT(H2:V16))",
    "=IF(H2=\"\",0,MMULT($B25:$F25,H$19:H$23)+H$24)", "=VLOOKUP(A1,Sheet2!$A$1:$C$9,2,FALSE)",
    "=SUM(T[[#All],[a]:[b]],T[@c])", "=LET(x,A1,y,x^2,y-x)", "=SUM((A1,B2:B5),A1:C3 B:B)",
    "=INDEX({1,2;3,4},2,1)&TEXT(A1,\"0.00\")", "=OFFSET(A1,1,2,3,4)", "=-2^2^-A1%",
)  # fmt: skip


def mutated_formula(seed: int) -> str:
    """A formula text, more or less damaged."""
    chance = random.Random(seed)
    if chance.random() < 0.3:
        return "=" + "".join(chance.choice(_PIECES) for _ in range(chance.randrange(1, 30)))
    text = chance.choice(_SEEDS)
    for _ in range(chance.choice((1, 2, 4, 12))):
        at = chance.randrange(len(text) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            text = text[:at] + chance.choice(_PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + chance.randrange(1, 5) :]
        elif kind == 2:
            text = text[:at] + chr(chance.choice((chance.randrange(1, 128), 0x2028))) + text[at:]
        elif kind == 3:
            other = chance.randrange(len(text) + 1)
            text = text[:at] + text[min(at, other) : max(at, other)] + text[at:]
        else:
            text = text[:at] + chance.choice("((((-@") * chance.choice((1, 9, 300)) + text[at:]
    return text
