"""A sheet as one function: the engine's numbers, a refusal or an exception."""

from __future__ import annotations

import pytest

from gradsheet.formula.address import Cell
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.learn.straightline import StraightLine, Untranslatable
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.workbook import DefinedName, Workbook


def book(**cells: object) -> tuple[Workbook, int]:
    workbook = Workbook.with_sheet("s")
    sheet = workbook.sheets[0].id
    contents: list[tuple[Cell, Content]] = []
    for name, content in cells.items():
        at = Cell.parse(name)
        is_formula = isinstance(content, str) and content.startswith("=")
        contents.append((at, Formula(parse(str(content), at)) if is_formula else content))  # type: ignore[arg-type]
    workbook.apply(SetCells(sheet, tuple(contents)))
    return workbook, sheet


def line_of(workbook: Workbook, sheet: int, *cells: str) -> StraightLine:
    return StraightLine(workbook, [(sheet, Cell.parse(cell)) for cell in cells])


@pytest.mark.parametrize(
    "formula",
    ["=-A1^2", "=2^-A2", "=A1/A2^2", "=(A1+A2)^2/3", "=SQRT(ABS(-A1))", "=SUM(A1:A4)",
     "=SUMSQ(A1:A4,2)", "=AVERAGE(A1:A4)", "=COUNT(A1:A4)", "=MIN(A1:A2,1)", "=MAX(A1,A2)",
     "=IF(A1>A2,A1,A2)", "=IF(A1<>2,1,0)", "=SUMPRODUCT(A1:A2,A3:A4)", "=ROWS(A1:A4)", "=50%*A1",
     "=EXP(A1)+LN(A2)", "=A3+1", "=((A1*2)^2+1)^2", "=A1^0.5"],
)  # fmt: skip
def test_a_formula_gives_the_engines_number(formula: str) -> None:
    workbook, sheet = book(A1=2.0, A2=3.5, A4=4.0, B1=formula)
    line = line_of(workbook, sheet, "B1")
    result = next(
        float(found.values[0, 0])
        for found in compile_program(workbook).recalculate()
        if found.region.contains(Cell.parse("B1"))
    )
    assert line.run(line.start)[0] == pytest.approx(result, rel=1e-15)


def test_other_constants_give_other_results() -> None:
    workbook, sheet = book(A1=2.0, B1="=A1+1", C1="=B1*A1")
    line = line_of(workbook, sheet, "C1")
    assert line.inputs == ((sheet, Cell(0, 0)),)
    assert line.run([10.0]) == (110.0,)


def test_text_in_a_range_is_passed_over() -> None:
    workbook, sheet = book(A1=2.0, A2="x", A3=3.0, B1="=SUM(A1:A3)", B2="=COUNT(A1:A3)")
    line = line_of(workbook, sheet, "B1", "B2")
    assert line.run(line.start) == (5.0, 2.0)


def test_a_name_means_its_cell() -> None:
    workbook, sheet = book(A1=2.0, B1="=rate*3")
    workbook.names = (DefinedName("rate", parse("=s!$A$1", Cell(0, 0)), sheet),)
    line = line_of(workbook, sheet, "B1")
    assert line.run(line.start) == (6.0,)


@pytest.mark.parametrize(
    "formula", ['=A1&"x"', "=VLOOKUP(A1,A1:B2,1)", "=A2+1", "=B1+1", "={1,2}", "=TRUE", "=SUM()"]
)
def test_what_is_more_than_arithmetic_is_refused(formula: str) -> None:
    workbook, sheet = book(A1=2.0, A2="text", B1=formula)
    with pytest.raises(Untranslatable):
        line_of(workbook, sheet, "B1")


@pytest.mark.parametrize("formula", ["=1/A1", "=SQRT(A1-1)", "=LN(A1)", "=A1^A1", "=(A1-8)^0.5"])
def test_what_excel_shows_as_an_error_raises(formula: str) -> None:
    workbook, sheet = book(A1=0.0, B1=formula)
    line = line_of(workbook, sheet, "B1")
    with pytest.raises((ArithmeticError, ValueError)):
        line.run(line.start)


def test_ten_thousand_rows_that_feed_each_other_need_no_recursion() -> None:
    step = Formula(parse("=A1*0.5+1", Cell(1, 0)))
    workbook, sheet = book(A1=0.0)
    workbook.apply(SetCells(sheet, tuple((Cell(r, 0), step) for r in range(1, 10_000))))
    line = line_of(workbook, sheet, "A10000")
    assert line.run([0.0])[0] == pytest.approx(2.0)
