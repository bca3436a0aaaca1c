"""Finding cells, and what typed texts mean."""

from __future__ import annotations

import pytest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import ErrorCode
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import FormatChange, SetCells, SetFormat
from gradsheet.sheet.search import Search, find_all, next_find, replaced_text, within
from gradsheet.sheet.typed import typed_value
from gradsheet.sheet.workbook import Workbook


@pytest.fixture
def workbook() -> Workbook:
    made = Workbook.with_sheet()
    formula = Formula(parse("=SUM(A1:A2)*2", Cell(0, 1)))
    made.apply(
        SetCells(
            1,
            (
                (Cell(0, 0), "Braveheart"), (Cell(3, 2), "brave new"), (Cell(1, 0), 3.14159),
                (Cell(0, 1), formula), (Cell(2, 0), ErrorCode.NA), (Cell(200, 40), "Brave"),
            ),
        )
    )  # fmt: skip
    made.apply(SetFormat(1, Region.parse("A2"), FormatChange(number="0.0")))
    return made


def found(workbook: Workbook, text: str, **options: bool) -> list[str]:
    cells = find_all(workbook, workbook.sheets[0], Search(text, **options))
    return [str(cell) for cell in cells]


def test_texts_are_found_row_by_row_in_either_case(workbook: Workbook) -> None:
    assert found(workbook, "brave") == ["A1", "C4", "AO201"]
    assert found(workbook, "Brave", match_case=True) == ["A1", "AO201"]
    assert found(workbook, "brave", whole_cell=True) == ["AO201"]


def test_numbers_are_found_as_they_show_or_as_they_are(workbook: Workbook) -> None:
    assert found(workbook, "3.1") == ["A2"]
    assert found(workbook, "3.14159") == []
    assert found(workbook, "3.14159", in_formulas=True) == ["A2"]


def test_formulas_are_found_only_when_asked_for(workbook: Workbook) -> None:
    assert found(workbook, "sum(") == []
    assert found(workbook, "sum(", in_formulas=True) == ["B1"]


def test_errors_are_found(workbook: Workbook) -> None:
    assert found(workbook, "#N/A") == ["A3"]


def test_signs_of_patterns_mean_themselves(workbook: Workbook) -> None:
    workbook.apply(SetCells(1, ((Cell(9, 9), "a.*b"),)))
    assert found(workbook, ".*") == ["J10"]
    assert replaced_text("a.*b", Search(".*"), r"\1") == r"a\1b"


def test_the_next_find_goes_round() -> None:
    finds = [Cell(0, 0), Cell(2, 3)]
    assert next_find(finds, Cell(0, 0)) == Cell(2, 3)
    assert next_find(finds, Cell(2, 3)) == Cell(0, 0)
    assert next_find(finds, Cell(0, 0), forward=False) == Cell(2, 3)
    assert next_find([], Cell(0, 0)) is None
    assert within(finds, [Region.parse("A1:B2")]) == [Cell(0, 0)]


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("3.5", ".", 3.5), ("3,5", ".", 3.5), ("1,234", ".", 1234.0), ("1,234", ",", 1.234),
        ("3.5", ",", 3.5), ("1.234,5", ".", 1234.5), ("12,5%", ".", 0.125), ("-0,25", ".", -0.25),
        ("a,5", ".", "a,5"), ("'3,5", ".", "3,5"), ("1,2,3", ".", "1,2,3"), ("TRUE", ",", True),
        ("", ".", None),
    ],
)  # fmt: skip
def test_either_decimal_sign_is_understood(text: str, decimal: str, value: object) -> None:
    assert typed_value(text, decimal) == value
