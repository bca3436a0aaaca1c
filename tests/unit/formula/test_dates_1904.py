"""Dates of workbooks whose day 0 is 1 January 1904: in formulas, in formats, and in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradsheet.app.explain import view_of
from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.explain import explain
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import Scalar, unpack
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.formats import Format, display_texts
from gradsheet.sheet.workbook import Workbook

LEAP_DAY_2020 = 42428.0
A1 = Cell(0, 0)
H1 = Cell.parse("H1")


def book(text: str, *, is_1904: bool = True) -> Workbook:
    workbook = Workbook.with_sheet()
    workbook.date_1904 = is_1904
    cells = workbook.sheets[0].cells
    cells.write(Region.of(A1), LEAP_DAY_2020)
    cells.set_formula(H1, Formula(parse(text, H1)))
    for piece in compile_program(workbook).recalculate():
        cells.write(piece.region, piece.values, piece.kinds)
    return workbook


def value(workbook: Workbook) -> Scalar:
    number, kind = workbook.sheets[0].cells.get(H1)
    return unpack(number, kind, workbook.strings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=YEAR(A1)", 2020.0), ("=MONTH(A1)", 2.0), ("=DAY(A1)", 29.0), ("=WEEKDAY(A1)", 7.0),
        ("=DATE(2020,2,29)", LEAP_DAY_2020), ("=DATE(1904,1,1)", 0.0), ("=DATE(1904,1,2)", 1.0),
        ("=DATEVALUE(\"2020-02-29\")", LEAP_DAY_2020), ('="2020-02-29"+0', LEAP_DAY_2020),
        ('="12:00"+0', 0.5), ('=TEXT(A1,"yyyy-mm-dd dddd")', "2020-02-29 Saturday"),
        ("=EDATE(A1,12)", 42793.0), ("=EOMONTH(A1,0)", LEAP_DAY_2020), ("=ISOWEEKNUM(A1)", 9.0),
        ("=WEEKNUM(A1)", 9.0), ("=NETWORKDAYS(A1,A1+7)", 5.0), ("=WORKDAY(A1,1)", 42430.0),
        ('=DATEDIF(A1,A1+366,"m")', 12.0), ('=COUNTIF(A1,"2020-02-29")', 1.0),
        ("=YEAR(0)", 1904.0), ("=TODAY()-DATE(YEAR(TODAY()),1,1)>=0", True),
    ],
)  # fmt: skip
def test_dates_count_from_1904(text: str, expected: Scalar) -> None:
    assert value(book(text)) == expected


def test_another_workbook_still_counts_from_1900() -> None:
    book("=YEAR(A1)")
    assert value(book("=YEAR(A1)", is_1904=False)) == 2016.0


def test_the_grid_shows_dates_from_1904() -> None:
    workbook = book("=A1")
    look = workbook.palette.id_of(Format(number="yyyy-mm-dd"))
    values, kinds = workbook.sheets[0].cells.read(Region.of(A1))
    texts = display_texts(values, kinds, kinds * 0 + look, workbook.palette, workbook.strings)
    assert texts == [["2020-02-29"]]


def test_a_file_keeps_its_calendar(tmp_path: Path) -> None:
    path = tmp_path / "mac.xlsx"
    write_xlsx(book("=YEAR(A1)"), path)
    back = read_xlsx(path).workbook
    assert back.date_1904
    assert value(back) == 2020.0


def test_the_explanation_counts_from_1904() -> None:
    workbook = book("=YEAR(A1)+1")
    view = view_of(workbook, workbook.sheets[0].id, H1)
    assert view.value == 2021.0
    assert explain(view, "excel").text == "2021 = YEAR(42428) + 1"
    assert "2020" in explain(view, "pytorch").text
