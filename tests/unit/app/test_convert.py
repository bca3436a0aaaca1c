"""`gradsheet convert`: sessions in and out, and cells that nobody here can compute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gradsheet.__main__ import main
from gradsheet.app.document import Document
from gradsheet.app.saving.opening import open_file
from gradsheet.files.solver_model import SolverModel, solver_names
from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import ErrorCode, Kind
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    yield document
    document.close()


def written(path: Path, formulas: dict[str, str], stored: dict[str, float]) -> Path:
    """Write a workbook of numbers in A1:B1 and formulas whose stored values may be wrong."""
    workbook = Workbook.with_sheet("model")
    sheet = workbook.sheets[0]
    sheet.cells.write(Region.parse("A1:B1"), [[3.0, 4.0]])
    for place, text in formulas.items():
        cell = Cell.parse(place)
        sheet.cells.set_formula(cell, Formula(parse(text, cell)))
        sheet.cells.write(Region.of(cell), stored.get(place, 0.0))
    model = SolverModel(
        sheet.id, (sheet.id, Cell.parse("D1")), ((sheet.id, Region.parse("A1:B1")),)
    )
    workbook.names = solver_names(workbook, model)
    write_xlsx(workbook, path)
    return path


def values(path: Path, *places: str) -> list[tuple[float, int]]:
    cells = read_xlsx(path).workbook.sheets[0].cells
    return [tuple(cells.get(Cell.parse(place))) for place in places]


def test_a_session_is_written_and_opens_with_its_problem(
    tmp_path: Path, document: Document
) -> None:
    book = written(tmp_path / "book.xlsx", {"D1": "=(A1-1)^2+(B1-2)^2"}, {"D1": -5.0})
    target = tmp_path / "book.gradsheet"
    assert main(["convert", str(book), str(target)]) == 0
    open_file(document, target)
    document.finish()
    assert document.loss_now() == 8.0
    document.step_run(3)
    document.finish()
    while document.run.state == "running":
        document.poll()
    assert document.run.step == 3
    assert document.loss_now() < 8.0


def test_a_session_is_read_and_computed_anew(tmp_path: Path) -> None:
    book = written(tmp_path / "book.xlsx", {"D1": "=A1*B1"}, {"D1": -5.0})
    between, back = tmp_path / "book.gradsheet", tmp_path / "back.xlsx"
    assert main(["convert", str(book), str(between)]) == 0
    assert main(["convert", str(between), str(back)]) == 0
    assert values(back, "D1") == [(12.0, Kind.NUMBER)]
    assert main(["check", str(back)]) == 0


def test_what_cannot_be_computed_keeps_its_value_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    formulas = {"D1": "=A1*B1", "E1": '=CUBEVALUE("x",A1)', "F1": "=E1+1"}
    book = written(tmp_path / "book.xlsx", formulas, {"D1": 12.0, "E1": 7.0, "F1": 0.0})
    target = tmp_path / "new.xlsx"
    assert main(["convert", str(book), str(target)]) == 0
    assert "model!E1: not computed here" in capsys.readouterr().out
    assert values(target, "E1", "F1") == [(7.0, Kind.NUMBER), (8.0, Kind.NUMBER)]


def test_a_stored_value_made_of_others_that_were_wrong_is_not_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    formulas = {"D1": "=A1*B1", "E1": '=CUBEVALUE("x",D1)', "F1": "=E1+1"}
    book = written(tmp_path / "book.xlsx", formulas, {"D1": 99.0, "E1": 7.0, "F1": 8.0})
    target = tmp_path / "new.gradsheet"
    assert main(["convert", str(book), str(target)]) == 0
    assert "what it reads has changed" in capsys.readouterr().out
    assert main(["convert", str(target), str(tmp_path / "new.csv")]) == 0
    assert ErrorCode.UNSUPPORTED.text in (tmp_path / "new.csv").read_text()


@pytest.mark.parametrize("names", [("a.xlsx", "b.pdf"), ("a.pdf", "b.xlsx")])
def test_files_of_other_kinds_are_refused(
    names: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "a.xlsx", {}, {})
    assert main(["convert", *(str(tmp_path / name) for name in names)]) == 1
    assert ".gradsheet" in capsys.readouterr().err
