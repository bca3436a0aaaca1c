"""Saving and opening: a run goes on where it was; workbooks train by their Solver model."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from run_moves import cells

from gradsheet.app.document import Document
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import UserError
from gradsheet.lessons.lesson import lesson_crosstab
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import AddSheet, SetCells
from gradsheet.sheet.workbook import Workbook


def save(document: Document, path: Path) -> None:
    save_file(document, path)
    document.finish()
    assert path.exists(), document.log.messages()[-1]


def opened(document: Document, path: Path) -> None:
    open_file(document, path)
    document.finish()


def test_a_session_goes_on_exactly_where_it_was(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "run.gradsheet"
    document.open_lesson("bias", seed=2)
    document.step_run(40)
    document.finish()
    assert document.is_changed
    save(document, path)
    assert not document.is_changed
    document.step_run(25)
    document.finish()
    assert document.is_changed
    later = cells(document)
    other = Document()
    try:
        opened(other, path)
        view = other.run_view()
        assert (view.step, view.state) == (40, "paused")
        assert view.trace is not None
        assert len(view.trace) == 41
        assert other.title == "run.gradsheet"
        assert not other.is_changed
        other.step_run(25)
        other.finish()
        assert cells(other) == later
    finally:
        other.close()


def test_ratings_of_ones_own_come_back_with_a_session(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "own.gradsheet"
    document.open_crosstab(lesson_crosstab())
    document.finish()
    save(document, path)
    document.open_lesson("bias")
    document.finish()
    opened(document, path)
    assert document.lesson.id == "dotprod"
    assert document.data is not None
    assert document.data.item_labels == lesson_crosstab().item_labels


def test_a_saved_workbook_opens_with_formulas_and_trains(
    document: Document, tmp_path: Path
) -> None:
    path = tmp_path / "lesson.xlsx"
    document.step_run(10)
    document.finish()
    loss = document.loss_now()
    save(document, path)
    opened(document, path)
    assert document.title == "lesson.xlsx"
    assert document.loss_now() == pytest.approx(loss, rel=1e-9)
    assert document.problem.size == 150
    document.step_run(30)
    document.finish()
    assert document.loss_now() < loss  # type: ignore[operator]


def test_the_lectures_workbook_opens_and_trains(document: Document, reference: Path) -> None:
    opened(document, reference / "workbooks" / "collab_filter_2019.xlsx")
    assert document.problem.loss[1] in (Cell.parse("V41"), Cell.parse("V42"))
    before = document.loss_now()
    assert before == pytest.approx(0.39301547, abs=1e-7) or before == pytest.approx(
        0.31946741, abs=1e-7
    )
    document.set_hyper(lr=0.001)
    document.step_run(50)
    document.finish()
    assert document.loss_now() < before


def test_what_cannot_be_read_is_said_and_the_open_workbook_stays(
    document: Document, tmp_path: Path
) -> None:
    before = cells(document)
    for name in ("broken.gradsheet", "broken.xlsx", "absent.gradsheet"):
        path = tmp_path / name
        if name != "absent.gradsheet":
            path.write_bytes(b"this is no zip")
        opened(document, path)
        assert name in document.log.messages()[-1].text
        assert cells(document) == before
    assert document.path is None


def test_another_ending_is_refused_before_anything_is_written(
    document: Document, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"\.pdf"):
        save_file(document, tmp_path / "x.pdf")
    save_file(document, tmp_path / "no" / "folder.gradsheet")
    document.finish()
    assert "could not be written" in document.log.messages()[-1].text
    assert list(tmp_path.iterdir()) == []


def made_elsewhere(folder: Path) -> Path:
    """Return a workbook whose A1 only another program can compute; it stored 42 there."""
    workbook = Workbook.with_sheet("S")
    sheet = workbook.sheets[0]
    formulas = (("A1", "=CUBEVALUE(1)"), ("B1", "=A1*2"))
    entries = tuple(
        (Cell.parse(at), Formula(parse(text, Cell.parse(at)))) for at, text in formulas
    )
    workbook.apply(SetCells(sheet.id, entries))
    sheet.cells.write(Region.parse("A1:B1"), np.array([[42.0, 84.0]]), np.array([[1, 1]]))
    path = folder / "elsewhere.xlsx"
    write_xlsx(workbook, path)
    return path


def test_what_cannot_be_computed_keeps_the_files_value_and_says_so(
    document: Document, tmp_path: Path
) -> None:
    opened(document, made_elsewhere(tmp_path))
    sheet = document.workbook.sheets[0]
    assert sheet.cells.get(Cell(0, 0)) == (42.0, 1)
    assert sheet.cells.get(Cell(0, 1)) == (84.0, 1)
    assert "CUBEVALUE" in document.uncomputed.note(sheet.id, Cell(0, 0))
    document.enter(sheet.id, Cell(0, 2), "=A1+B1")
    document.finish()
    assert sheet.cells.get(Cell(0, 2)) == (126.0, 1)
    document.enter(sheet.id, Cell(0, 0), "=1+1")
    document.finish()
    assert sheet.cells.get(Cell(0, 1)) == (4.0, 1)


def test_saving_back_keeps_the_old_file_or_saves_beside_it(
    document: Document, reference: Path, tmp_path: Path
) -> None:
    path = tmp_path / "graddesc.xlsx"
    shutil.copy(reference / "workbooks" / "graddesc_2019.xlsx", path)
    opened(document, path)
    sheet = document.workbook.by_name("basic")
    assert sheet is not None
    document.enter(sheet.id, Cell.parse("F1"), "0.0002")
    document.finish()
    save(document, path)
    with zipfile.ZipFile(path) as package:
        assert any("ctrlProp" in name or "drawing" in name for name in package.namelist())
    opened(document, path)
    again = document.workbook.by_name("basic")
    assert again is not None
    assert again.cells.get(Cell.parse("F1"))[0] == 0.0002
    document.apply(AddSheet("mine"))
    before = path.read_bytes()
    save_file(document, path)
    document.finish()
    assert path.read_bytes() == before
    assert (tmp_path / "graddesc (gradsheet).xlsx").exists()
    assert "beside" in document.log.messages()[-1].text
