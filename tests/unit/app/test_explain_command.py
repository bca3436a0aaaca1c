"""`gradsheet explain` on a lesson, on workbooks of our own, and on what it cannot explain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradsheet.__main__ import main
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Numbers, formulas without a stored value, one drawn at random, one not supported."""
    workbook = Workbook.with_sheet("my data")
    cells = workbook.sheets[0].cells
    cells.write(Region.parse("A1:B1"), [[3.0, 4.0]])
    for place, text in (
        ("C1", "=A1*B1+1"), ("D1", "=C1^2"), ("E1", "=RAND()"), ("F1", "=E1*2"),
        ("G1", '=CUBEVALUE("x",A1)'), ("H1", "=1/(A1-3)"),
    ):  # fmt: skip
        cell = Cell.parse(place)
        cells.set_formula(cell, Formula(parse(text, cell)))
    cells.write(Region.parse("E1"), 0.25)
    cells.write(Region.parse("G1"), 7.0)
    target = tmp_path / "book.xlsx"
    write_xlsx(workbook, target)
    return target


def test_all_three_languages_are_printed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, str(path), "my data!C1")
    assert "=A1*B1+1" in text
    assert "13 = 3*4 + 1" in text
    assert "3 is A1, 4 is B1" in text
    assert r"3 \cdot 4" in text
    assert "import torch" in text


def test_a_value_that_the_file_does_not_store_is_computed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(explained(capsys, str(path), "'my data'!D1", "--json"))
    assert found["value"] == 169.0
    assert found["formula"] == "=C1^2"
    assert found["sources"] == [
        {"text": "169", "sheet": "my data", "cells": "D1"},
        {"text": "13", "sheet": "my data", "cells": "C1"},
    ]


@pytest.mark.parametrize(("cell", "value"), [("C1", 13.0), ("D1", 169.0), ("F1", 0.5)])
def test_the_code_that_is_printed_runs_and_gives_the_number(
    path: Path, cell: str, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    scope: dict[str, object] = {}
    exec(explained(capsys, str(path), cell).partition("PyTorch\n")[2], scope)
    assert float(scope["result"]) == value  # type: ignore[arg-type]


def test_what_was_drawn_at_random_keeps_the_value_of_the_file(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert json.loads(explained(capsys, str(path), "E1", "--json"))["value"] == 0.25


def test_what_cannot_be_computed_says_so(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, str(path), "G1")
    assert "CUBEVALUE" in text
    assert "not computed here" in text


def test_an_error_is_explained_without_code(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = explained(capsys, str(path), "H1")
    assert "#DIV/0!" in text
    assert "no number here that PyTorch could compute" in text


def test_a_cell_of_a_lesson_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert "MMULT" in explained(capsys, "lesson:dotprod", "H25")


@pytest.mark.parametrize("wrong", ["none!A1", "A1:B2", "what?", ""])
def test_what_is_no_cell_is_refused(
    path: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(path), wrong]) == 1
    assert capsys.readouterr().err.startswith("gradsheet: ")


def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(tmp_path / "x.pdf"), "A1"]) == 1
    assert ".xlsx" in capsys.readouterr().err


def test_a_blank_cell_has_no_value(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(explained(capsys, str(path), "Z9", "--json"))["value"] is None
