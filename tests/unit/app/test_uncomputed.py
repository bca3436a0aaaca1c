"""Cells without a result of their own: held at the file's value, and on circles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gradsheet.app.document import Document
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import ErrorCode, Scalar, UserError, unpack
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import InsertRows, SetCells
from gradsheet.sheet.workbook import Workbook

REASON = "not computed here (function CUBEVALUE)"


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    document.new_workbook()
    document.finish()
    yield document
    document.close()


@pytest.fixture
def opened(document: Document, tmp_path: Path) -> Document:
    """A file whose B1 nobody can compute: A1 = 2, B1 = 41 as stored, C1 = B1 + 1, A3 apart."""
    workbook = Workbook.with_sheet("Sheet1")
    sheet = workbook.sheets[0]
    cells: list[tuple[Cell, float | Formula]] = [(Cell(0, 0), 2.0), (Cell(2, 0), 5.0)]
    for address, text in (("B1", '=CUBEVALUE("x",A1)'), ("C1", "=B1+1")):
        cells.append((Cell.parse(address), Formula(parse(text, Cell.parse(address)))))
    workbook.apply(SetCells(sheet.id, tuple(cells)))
    sheet.cells.write(Region.parse("B1:C1"), [[41.0, 42.0]])
    path = tmp_path / "held.xlsx"
    write_xlsx(workbook, path)
    open_file(document, path)
    document.finish()
    return document


def shown(document: Document, address: str) -> Scalar:
    value, kind = document.workbook.sheets[0].cells.get(Cell.parse(address))
    return unpack(value, kind, document.workbook.strings)


def enter(document: Document, address: str, text: str) -> None:
    document.enter(document.workbook.sheets[0].id, Cell.parse(address), text)
    document.finish()


def note(document: Document, address: str) -> str:
    return document.uncomputed.note(document.workbook.sheets[0].id, Cell.parse(address))


def held(document: Document) -> list[str]:
    return [str(cell) for cell in document.uncomputed.on(document.workbook.sheets[0].id)]


def warnings(document: Document) -> list[str]:
    return [m.text for m in document.log.messages() if m.level == "warning"]


def test_held_cell_shows_the_files_value_and_says_so(opened: Document) -> None:
    assert (shown(opened, "B1"), shown(opened, "C1")) == (41.0, 42.0)
    assert held(opened) == ["B1"]
    assert note(opened, "B1") == f"{REASON}: the value that the file stored"
    assert note(opened, "C1") == ""
    assert opened.workbook.sheets[0].notes == {}


def test_held_cell_stays_while_its_inputs_do(opened: Document) -> None:
    enter(opened, "A3", "6")
    enter(opened, "A1", "2")
    assert (shown(opened, "B1"), shown(opened, "C1")) == (41.0, 42.0)


def test_held_value_goes_when_an_input_changes_and_comes_back_with_undo(opened: Document) -> None:
    enter(opened, "A1", "3")
    assert shown(opened, "B1") is ErrorCode.UNSUPPORTED
    assert shown(opened, "C1") is ErrorCode.UNSUPPORTED
    assert held(opened) == []
    assert note(opened, "B1") == f"{REASON}, and what it reads has changed"
    assert "Sheet1!B1 cannot be computed here" in warnings(opened)[-1]
    opened.undo()
    opened.finish()
    assert (shown(opened, "B1"), shown(opened, "C1")) == (41.0, 42.0)
    assert held(opened) == ["B1"]


def test_held_value_goes_where_nothing_else_is_computed(opened: Document) -> None:
    enter(opened, "C1", "")
    enter(opened, "A1", "3")
    assert shown(opened, "B1") is ErrorCode.UNSUPPORTED


def test_formula_typed_over_a_held_cell_counts(opened: Document) -> None:
    enter(opened, "B1", "=A1*10")
    assert (shown(opened, "B1"), shown(opened, "C1")) == (20.0, 21.0)
    assert held(opened) == []
    assert note(opened, "B1") == ""


def test_held_cell_is_known_after_rows_were_inserted(opened: Document) -> None:
    opened.apply(InsertRows(opened.workbook.sheets[0].id, 0, 2))
    opened.finish()
    assert (shown(opened, "B3"), shown(opened, "C3")) == (41.0, 42.0)
    assert held(opened) == ["B3"]
    enter(opened, "A3", "7")
    assert shown(opened, "B3") is ErrorCode.UNSUPPORTED


def test_held_cell_is_held_again_from_a_session(opened: Document, tmp_path: Path) -> None:
    path = tmp_path / "held.gradsheet"
    save_file(opened, path)
    opened.finish()
    open_file(opened, path)
    opened.finish()
    assert (shown(opened, "B1"), held(opened)) == (41.0, ["B1"])


def test_argument_that_is_not_implemented_keeps_the_files_value(
    document: Document, tmp_path: Path
) -> None:
    workbook = Workbook.with_sheet("Sheet1")
    sheet = workbook.sheets[0]
    texts = (("A1", '=TEXT(0.5,"# ?/?")'), ("B1", "=LEN(A1)"))
    for address, text in texts:
        cell = Cell.parse(address)
        workbook.apply(SetCells(sheet.id, ((cell, Formula(parse(text, cell))),)))
    sheet.cells.write(Region.parse("A1:B1"), [[41.0, 2.0]])
    path = tmp_path / "argument.xlsx"
    write_xlsx(workbook, path)
    open_file(document, path)
    document.finish()
    assert (shown(document, "A1"), shown(document, "B1")) == (41.0, 2.0)
    assert held(document) == ["A1"]
    assert note(document, "A1").startswith("not computed here (an argument of a function)")


def test_loss_behind_a_held_cell_is_refused(opened: Document) -> None:
    sheet = opened.workbook.sheets[0].id
    problem = Problem((sheet, Cell.parse("C1")), (Parameter(sheet, Region.parse("A1")),))
    with pytest.raises(UserError, match="Sheet1!B1 lies between the changing cells and the loss"):
        opened.calculation.objective(problem)
    enter(opened, "D1", "=A3^2+B1")
    apart = Problem((sheet, Cell.parse("D1")), (Parameter(sheet, Region.parse("A3")),))
    assert float(opened.calculation.objective(apart).loss(_tensor(5.0))) == 66.0


def _tensor(number: float) -> object:
    import torch

    return torch.tensor([number], dtype=torch.float64)


def test_circle_is_said_with_its_path_in_the_order_of_reading(document: Document) -> None:
    enter(document, "A1", "=B1+1")
    enter(document, "B1", "=C1*2")
    assert warnings(document) == []
    enter(document, "C1", "=A1-1")
    assert warnings(document) == ["Circular reference: A1 → B1 → C1 → A1."]
    assert shown(document, "A1") is ErrorCode.CIRC
    assert note(document, "B1") == "circular reference: B1 → C1 → A1 → B1"


def test_cell_behind_a_circle_says_which_one(document: Document) -> None:
    enter(document, "A1", "=A1+1")
    enter(document, "D1", "=A1*2")
    assert note(document, "A1") == "circular reference: A1 → A1"
    assert note(document, "D1") == "reads a circular reference: A1 → A1"
    assert warnings(document) == ["Circular reference: A1 → A1."]


def test_circle_that_is_broken_is_forgotten(document: Document) -> None:
    enter(document, "A1", "=B1")
    enter(document, "B1", "=A1")
    enter(document, "B1", "3")
    assert shown(document, "A1") == 3.0
    assert (document.uncomputed.circles, note(document, "A1")) == ((), "")


def test_circle_over_a_range_and_another_sheet_names_the_sheets(document: Document) -> None:
    from gradsheet.sheet.edits import AddSheet

    document.apply(AddSheet("Other"))
    enter(document, "A5", "=SUM(A1:A4)")
    enter(document, "A2", "=Other!C3")
    other = document.workbook.sheets[1]
    first = document.workbook.sheets[0].name
    document.enter(other.id, Cell.parse("C3"), f"={first}!A5")
    document.finish()
    assert warnings(document)[-1] == (
        f"Circular reference: {first}!A2 → Other!C3 → {first}!A5 → {first}!A2."
    )


def test_long_circle_is_shortened_in_its_middle(document: Document) -> None:
    sheet = document.workbook.sheets[0].id
    formula = Formula(parse("=A1", Cell(1, 0)))
    cells = [(Cell(row, 0), formula) for row in range(1, 30)]
    document.apply(SetCells(sheet, (*cells, (Cell(0, 0), Formula(parse("=A30", Cell(0, 0)))))))
    document.finish()
    text = warnings(document)[-1]
    assert "… (30 cells)" in text
    assert len(text) < 120
