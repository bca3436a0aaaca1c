"""LibreOffice opens what we write, recalculates it, and gets the same numbers.

Every stored formula value is spoiled before LibreOffice sees the file, so that what comes back
was computed by it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gradsheet.app.document import Document
from gradsheet.app.export.exporting import export_job
from gradsheet.app.headless.solving import store
from gradsheet.files.held import HeldWorkbook
from gradsheet.files.support import is_volatile
from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import ErrorCode, Kind
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import FormatChange, SetCells
from gradsheet.sheet.names import DefinedName, Table
from gradsheet.sheet.workbook import Workbook

SOFFICE = shutil.which("soffice")
REFERENCE = Path(__file__).parents[3] / "shared/reference/workbooks"
# Recalculate on load, always: LibreOffice trusts stored values otherwise.
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode"
oor:op="fuse"><value>0</value></prop></item></oor:items>
"""
# LibreOffice takes a blank for 0 in SUMXMY2 where Excel drops the pair (ENGINE.md, 1): Excel's
# stored value, 0.31946741, is ours; LibreOffice makes it 0.857571716720756.
THEIRS = {"collab_filter_2019": {("bias", Cell(41, 21))}}
pytestmark = [
    pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("libreoffice")
    (folder / "user").mkdir()
    (folder / "user/registrymodifications.xcu").write_text(SETTINGS)
    return folder


def recalculated(path: Path, profile: Path) -> Workbook:
    out = path.parent / "recalculated"
    subprocess.run(
        [str(SOFFICE), f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to",
         "xlsx:Calc MS Excel 2007 XML", "--outdir", str(out), str(path)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return read_xlsx(out / path.name).workbook


def spoil(path: Path) -> int:
    """Replace the stored value of every formula by a wrong one; how many there were."""
    pattern = re.compile(
        r'(<c r="[A-Z]+[0-9]+"(?: s="\d+")?(?: cm="1")?)(?: t="\w+")?>(<f.*?(?:</f>|/>))<v>.*?</v>',
        re.DOTALL,
    )
    count = 0
    spoiled = path.with_suffix(".part")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(spoiled, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.startswith("xl/worksheets/sheet"):
                text, found = pattern.subn(r"\1>\2<v>-987654</v>", data.decode())
                data, count = text.encode(), count + found
            new.writestr(name, data)
    spoiled.replace(path)
    return count


def differences(ours: Workbook, theirs: Workbook, skipped: set[tuple[str, Cell]]) -> list[str]:
    found = []
    for sheet in ours.sheets:
        other = theirs.by_name(sheet.name)
        assert other is not None
        used = sheet.cells.used()
        values, kinds = sheet.cells.read(used)
        got, got_kinds = other.cells.read(used)
        for row, col in np.argwhere(kinds != Kind.BLANK):
            cell = Cell(int(row) + used.top, int(col) + used.left)
            if (sheet.name, cell) in skipped:
                continue
            a, b = float(values[row, col]), float(got[row, col])
            same = kinds[row, col] == got_kinds[row, col]
            if kinds[row, col] == Kind.TEXT and same:
                same = ours.strings.text(int(a)) == theirs.strings.text(int(b))
            elif same:
                same = abs(a - b) <= max(1e-12, 1e-9 * abs(a))
            if not same:
                found.append(f"{sheet.name}!{cell}: {a!r} ({kinds[row, col]}) {b!r}"
                             f" ({got_kinds[row, col]})")  # fmt: skip
    return found


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference workbooks are not there")
@pytest.mark.parametrize(
    "name", ["collab_filter_2019", "entropy_example_2019", "graddesc_2017", "graddesc_2019"]
)
def test_the_reference_workbooks_give_the_same_numbers(
    name: str, tmp_path: Path, profile: Path
) -> None:
    imported = read_xlsx(REFERENCE / f"{name}.xlsx")
    workbook = imported.workbook
    volatile = set()
    for sheet in workbook.sheets:
        for cell, formula in sheet.cells.formulas().items():
            if is_volatile(formula.expr, workbook, sheet.id):
                volatile.add((sheet.id, cell))
                sheet.cells.set_formula(cell, None)  # its stored value becomes a constant
    program = compile_program(HeldWorkbook(workbook, ()))
    store(workbook, program.recalculate(), program)
    path = tmp_path / f"{name}.xlsx"
    write_xlsx(workbook, path, imported.facts)
    assert spoil(path) > 50
    assert differences(workbook, recalculated(path, profile), THEIRS.get(name, set())) == []


# The same blanks: LibreOffice counts the pairs that Excel drops.
LESSON_CELLS_OF_THEIRS = {"bias": {("bias", Cell(41, 21))}}


@pytest.mark.parametrize("lesson", ["dotprod", "bias", "adam", "functions"])
def test_an_exported_lesson_gives_the_same_numbers(
    lesson: str, tmp_path: Path, profile: Path
) -> None:
    document = Document()
    try:
        document.open_lesson(lesson)
        document.finish()
        document.step_run(7)
        document.finish()
        path = tmp_path / f"{lesson}.xlsx"
        export_job(document, path, document.book.sheet)()
        names = zipfile.ZipFile(path).namelist()
        assert not [name for name in names if "vba" in name.lower() or name.endswith(".bin")]
        assert spoil(path) > 200
        skipped = LESSON_CELLS_OF_THEIRS.get(lesson, set())
        assert differences(document.workbook, recalculated(path, profile), skipped) == []
    finally:
        document.close()


# Not among them, for LibreOffice 7 knows neither: XLOOKUP and @ (_xlfn.SINGLE in files).
FORMULAS = r"""
=SUM(A1:A6) =A1*B1-C1^2 =-2^2 =2^3^2 =10%*A2 =IF(A1>2,"yes","no") =A1&" "&B2 =AVERAGE(A1:C6)
=STDEV.S(A1:A6) =VAR.P(B1:B6) =MEDIAN(A1:C6) =LARGE(A1:A6,2) =RANK.EQ(A2,A1:A6)
=MAXIFS(A1:A6,B1:B6,">2")
=COUNTIF(A1:C6,">3") =SUMIFS(A1:A6,B1:B6,">1",C1:C6,"<9") =SUMPRODUCT(A1:A6,B1:B6)
=SUMXMY2(A1:A6,B1:B6)
=VLOOKUP(3,A1:C6,2,FALSE) =INDEX(A1:C6,2,3) =MATCH(4,A1:A6,0)
=OFFSET(A1,2,1) =INDIRECT("B"&3) =ROW()+COLUMN() =ADDRESS(2,3) =ROUND(A1/3,2) =CEILING.MATH(A1/3)
=MOD(-7,3) =ATAN2(1,2) =LN(B1)+LOG10(B2)+LOG(8,2) =NORM.DIST(1,0,2,TRUE) =NORM.S.INV(0.3)
=TEXT(1234.567,"#,##0.00") =TEXTJOIN("-",TRUE,A1:A3) =CONCAT(A1:B2) =MID("spreadsheet",3,4)
=UPPER("a")
=1/0 =NA() =IFERROR(1/0,"div") =IFNA(NA(),7) =ISNUMBER(A1) =XOR(TRUE,FALSE) =IFS(A1>9,1,TRUE,2)
=SWITCH(B1,1,"one",2,"two","more") =CORREL(A1:A6,B1:B6) =SLOPE(A1:A6,B1:B6)
=COVARIANCE.P(A1:A6,B1:B6)
=MDETERM(A1:B2) =TRUNC(-2.7) =SIGN(-3) =rate*2 =SUM(T[x]) =SUM(T[[#All],[x]:[y]])
=LEARN.SIGMOID(A1/5)
=LEARN.RMSE(A1:A6,B1:B6) =LEARN.SOFTMAX(A1:A6,A2) =LEARN.LOGSUMEXP(A1:A6)
=LEARN.RELU(-A1) =LEARN.LEAKYRELU(-A1)
=LEARN.SOFTPLUS(A1) =DATE(2024,2,29) =SUM({1,2;3,4}*2) =other!A1*2 ='a b'!A2 =PI() =FACT(5)
"""


def formula_book() -> Workbook:
    workbook = Workbook()
    for name in ("main", "other", "a b"):
        workbook.sheets.append(workbook.make_sheet(name))
    sheet = workbook.sheets[0]
    rng = np.random.default_rng(3)
    sheet.cells.write(Region(0, 0, 6, 3), rng.integers(1, 9, (6, 3)).astype(float))
    sheet.cells.write(Region(2, 0, 4, 1), [[3.0], [4.0]])
    for other in workbook.sheets[1:]:
        other.cells.write(Region(0, 0, 3, 1), [[1.5], [-2.5], [7.0]])
    workbook.names = (DefinedName("rate", parse("=main!$B$2", Cell(0, 0))),)
    header = ((Cell(0, 20), "x"), (Cell(0, 21), "y"))
    workbook.apply(SetCells(sheet.id, header))
    sheet.cells.write(Region(1, 20, 4, 22), [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    workbook.tables = (Table("T", sheet.id, Region(0, 20, 4, 22), ("x", "y")),)
    texts = re.findall(r"=(?:\"[^\"]*\"|'[^']*'|[^\s])+", FORMULAS)
    for at, text in enumerate(texts):
        cell = Cell(10 + at, 4)
        sheet.cells.set_formula(cell, Formula(parse(text, cell)))
    for at in range(3):  # a fourth column that uses its own row of the table
        cell = Cell(1 + at, 23)
        sheet.cells.set_formula(cell, Formula(parse("=T[@x]*T[@y]", cell)))
    anchor = Cell(0, 8)
    square = Formula(parse("=MMULT(A1:C3,A1:C3)", anchor), Region(0, 8, 3, 11))
    sheet.cells.set_formula(anchor, square)
    spill = Cell(5, 8)
    sheet.cells.set_formula(spill, Formula(parse("=A1:A4*2", spill), Region(5, 8, 9, 9), True))
    look = FormatChange(number="0.00", bold=True)
    sheet.formats = sheet.formats.changed(Region(0, 0, 3, 3), look)
    sheet.notes = {Cell(0, 0): "a note\nof two lines"}
    sheet.frozen = Cell(1, 1)
    return workbook


def test_functions_names_tables_and_arrays_give_the_same_values(
    tmp_path: Path, profile: Path
) -> None:
    workbook = formula_book()
    program = compile_program(workbook)
    store(workbook, program.recalculate(), program)
    supported = {
        (workbook.sheets[0].name, cell)
        for cell in workbook.sheets[0].cells.formulas()
        if workbook.sheets[0].cells.get(cell) == (float(ErrorCode.UNSUPPORTED), Kind.ERROR)
    }
    path = tmp_path / "formulas.xlsx"
    write_xlsx(workbook, path)
    assert spoil(path) > 70
    theirs = recalculated(path, profile)
    assert differences(workbook, theirs, supported) == []
    sheet = theirs.sheets[0]
    assert sheet.notes == {Cell(0, 0): "a note\nof two lines"}
    assert sheet.formats.at((0, 0)).bold
    assert sheet.formats.at((0, 0)).code == "0.00"
    assert [name.name for name in theirs.names if not name.hidden] == ["rate"]
    assert theirs.tables[0].region == workbook.tables[0].region


def test_openpyxl_reads_the_same_things(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    workbook = formula_book()
    path = tmp_path / "formulas.xlsx"
    write_xlsx(workbook, path)
    theirs = openpyxl.load_workbook(path)
    sheet = theirs["main"]
    assert sheet.freeze_panes == "B2"
    assert sheet["A1"].comment.text == "a note\nof two lines"
    assert sheet["A1"].number_format == "0.00"
    assert sheet["A1"].font.bold
    assert sheet.tables["T"].ref == "U1:V4"
    assert theirs.defined_names["rate"].attr_text == "main!$B$2"
    assert sheet["I1"].value.ref == "I1:K3"
    assert sheet["E11"].value == "=SUM(A1:A6)"
