"""Saving an .xlsx workbook under another name: what is kept, what is left, and that it is said."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from gradsheet.app.document import Document
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.files.file_facts import ColorScale, ColorStop, FileFacts
from gradsheet.files.solver_model import (
    Constraint,
    SolverModel,
    solver_model_of,
    solver_names,
)
from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.edits import AddSheet
from gradsheet.sheet.workbook import Workbook

openpyxl = pytest.importorskip("openpyxl")


def opened(document: Document, path: Path) -> None:
    open_file(document, path)
    document.finish()


def saved(document: Document, path: Path) -> None:
    save_file(document, path)
    document.finish()
    assert path.exists(), document.log.messages()[-1]


@pytest.fixture
def charted(tmp_path: Path) -> Path:
    """A workbook with a chart, by another program."""
    from openpyxl.chart import LineChart, Reference

    book = openpyxl.Workbook()
    sheet = book.active
    for row in range(1, 9):
        sheet.cell(row, 1, row)
    sheet["B1"] = "=SUM(A1:A8)"
    chart = LineChart()
    chart.add_data(Reference(sheet, min_col=1, min_row=1, max_row=8))
    sheet.add_chart(chart, "D2")
    path = tmp_path / "charted.xlsx"
    book.save(path)
    return path


def holds_chart(path: Path) -> bool:
    with zipfile.ZipFile(path) as package:
        return any("charts/" in name for name in package.namelist())


def test_another_name_keeps_the_charts_and_the_changes(
    document: Document, charted: Path, tmp_path: Path
) -> None:
    opened(document, charted)
    document.enter(document.book.sheet, Cell.parse("A1"), "100")
    document.finish()
    target = tmp_path / "other.xlsx"
    saved(document, target)
    assert holds_chart(target)
    cells = read_xlsx(target).workbook.sheets[0].cells
    assert [cells.get(Cell.parse(at))[0] for at in ("A1", "B1")] == [100.0, 135.0]
    assert read_xlsx(charted).workbook.sheets[0].cells.get(Cell(0, 0))[0] == 1.0


def test_what_a_new_file_lacks_is_said(
    document: Document, charted: Path, tmp_path: Path
) -> None:
    opened(document, charted)
    document.apply(AddSheet("mine"))
    target = tmp_path / "other.xlsx"
    saved(document, target)
    message = document.log.messages()[-1]
    assert message.level == "warning"
    assert "not in the new file: chart" in message.detail
    assert not holds_chart(target)


def with_model(path: Path, model: SolverModel | None = None) -> SolverModel:
    workbook = Workbook.with_sheet("model")
    sheet = workbook.sheets[0]
    sheet.cells.write(Region.parse("A1:B1"), [[10.0, 10.0]])
    at = Cell.parse("D1")
    sheet.cells.set_formula(at, Formula(parse("=(A1-3)^2+B1^2", at)))
    made = model or SolverModel(
        sheet.id, (sheet.id, at), ((sheet.id, Region.parse("A1:B1")),),
        constraints=(Constraint("=A1", "<=", "=2"),), non_negative=True,
    )  # fmt: skip
    workbook.names = solver_names(workbook, made)
    write_xlsx(workbook, path)
    return made


@pytest.mark.parametrize("adds_sheet", [False, True])
def test_the_conditions_of_a_solver_model_stay(
    document: Document, tmp_path: Path, adds_sheet: bool
) -> None:
    path, target = tmp_path / "model.xlsx", tmp_path / "other.xlsx"
    with_model(path)
    opened(document, path)
    if adds_sheet:
        document.apply(AddSheet("mine"))
    saved(document, target)
    workbook = read_xlsx(target).workbook
    found = solver_model_of(workbook, workbook.sheets[0].id)
    assert found is not None
    assert [str(c) for c in found.constraints] == ["A1 <= 2"]
    assert found.non_negative
    assert found.changing == ((workbook.sheets[0].id, Region.parse("A1:B1")),)


STOPS = (ColorStop("min", "#F8696B"), ColorStop("num", "#FFEB84", 0.0), ColorStop("max", "#63BE7B"))


def test_colour_scales_of_a_file_are_the_sheets_and_go_back(
    document: Document, tmp_path: Path
) -> None:
    path, target = tmp_path / "scales.xlsx", tmp_path / "other.xlsx"
    workbook = Workbook.with_sheet("s")
    workbook.sheets[0].cells.write(Region.parse("A1:B3"), 1.0)
    scales = (
        ColorScale((Region.parse("A1:A3"), Region(0, 1, 1 << 20, 2)), STOPS),
        ColorScale((Region.parse("A1:B1"),), (ColorStop("num", "#000000", 1.5), STOPS[2])),
    )
    write_xlsx(workbook, path, FileFacts(color_scales={workbook.sheets[0].id: scales}))
    opened(document, path)
    shown = document.workbook.sheets[0].scales
    assert shown == (
        ColourScale(Region.parse("A1:A3"), "#F8696B", "#63BE7B", "#FFEB84", is_diverging=True),
        ColourScale(Region.parse("B1:B3"), "#F8696B", "#63BE7B", "#FFEB84", is_diverging=True),
        ColourScale(Region.parse("A1:B1"), "#000000", "#63BE7B", low_at=1.5),
    )
    document.apply(AddSheet("mine"))
    saved(document, target)
    assert read_xlsx(target).workbook.sheets[0].scales == shown
