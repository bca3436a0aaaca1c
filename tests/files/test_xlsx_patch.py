"""Saving back into the file that a workbook came from keeps everything else, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gradsheet.files.patch import Patch
from gradsheet.files.solver_model import solver_model_of, with_model
from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import Kind, UserError
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.edits import AddSheet, FormatChange, SetCells, SetFormat
from gradsheet.sheet.workbook import Workbook

REFERENCE = Path(__file__).parents[3] / "shared/reference/workbooks"
NAMES = ("collab_filter_2019", "entropy_example_2019", "graddesc_2017", "graddesc_2019")
needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="the reference workbooks are not there"
)


def formula(text: str, cell: Cell) -> Formula:
    return Formula(parse(text, cell))


def put(workbook: Workbook, sheet: int, *cells: tuple[str, Content | str]) -> None:
    contents = []
    for address, content in cells:
        cell = Cell.parse(address)
        is_formula = isinstance(content, str) and content.startswith("=")
        contents.append((cell, formula(content, cell) if is_formula else content))
    workbook.apply(SetCells(workbook.sheets[sheet].id, tuple(contents)))


def same_cells(a: Workbook, b: Workbook) -> None:
    for one, two in zip(a.sheets, b.sheets, strict=True):
        used = one.cells.used().union_hull(two.cells.used())
        values, kinds = one.cells.read(used)
        others, other_kinds = two.cells.read(used)
        assert np.array_equal(kinds, other_kinds), one.name
        text = kinds == Kind.TEXT
        assert np.array_equal(values[~text], others[~text]), one.name
        assert [a.strings.text(int(i)) for i in values[text]] == [
            b.strings.text(int(i)) for i in others[text]
        ]
        assert one.cells.formulas() == two.cells.formulas(), one.name


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


@needs_reference
@pytest.mark.parametrize("name", NAMES)
def test_a_workbook_without_changes_needs_no_new_part(name: str) -> None:
    path = REFERENCE / f"{name}.xlsx"
    patch = Patch(path, read_xlsx(path).workbook)
    assert patch.is_empty
    assert patch.unwritten == ()


@needs_reference
@pytest.mark.parametrize("name", NAMES)
def test_changed_values_leave_all_other_parts_as_they_were(name: str, tmp_path: Path) -> None:
    path = REFERENCE / f"{name}.xlsx"
    workbook = read_xlsx(path).workbook
    sheet = workbook.sheets[-1]
    used = sheet.cells.used()
    values, kinds = sheet.cells.read(used)
    numbers = kinds == Kind.NUMBER
    sheet.cells.write(used, np.where(numbers, values + 0.125, values), kinds)
    target = tmp_path / "patched.xlsx"
    Patch(path, workbook).save(target)
    before, after = parts(path), parts(target)
    changed = [part for part in before if before[part] != after.get(part)]
    assert len(changed) == 1
    assert set(before) == set(after)
    same_cells(workbook, read_xlsx(target).workbook)


@needs_reference
@pytest.mark.parametrize("name", NAMES)
def test_formulas_rows_and_cells_are_changed_added_and_removed(name: str, tmp_path: Path) -> None:
    path = REFERENCE / f"{name}.xlsx"
    workbook = read_xlsx(path).workbook
    for at, sheet in enumerate(workbook.sheets):
        cells = list(sheet.cells.formulas())
        free = [c for c in cells if sheet.cells.formula(c).array is None]
        changes: list[tuple[str, Content | str]] = [(str(c), 5.0) for c in free[::40]]
        changes += [(str(c), "=1+A1") for c in free[7::40]]
        changes += [("A2000", 1.0), ("C2000", " text "), ("B2001", True), ("ZZ1", "=A1*2"),
                    ("B900", "=SUM(A1:A9)&\"<é>\"")]  # fmt: skip
        put(workbook, at, *changes)
    target = tmp_path / "patched.xlsx"
    Patch(path, workbook).save(target)
    same_cells(workbook, read_xlsx(target).workbook)
    before, after = parts(path), parts(target)
    assert set(before) - set(after) == {"xl/calcChain.xml"}
    assert b"calcChain" not in after["[Content_Types].xml"]
    kept = [p for p in before if "chart" in p or "pivot" in p or "drawing" in p.lower()]
    assert all(before[part] == after[part] for part in kept)


@needs_reference
def test_saving_over_the_original_twice_gives_the_same_workbook(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    shutil.copy(REFERENCE / "graddesc_2017.xlsx", path)
    path.chmod(0o644)
    workbook = read_xlsx(path).workbook
    put(workbook, 2, ("A4", "=3"), ("C4", "=1+1"))
    Patch(path, workbook).save(path)
    once = path.read_bytes()
    Patch(path, workbook).save(path)
    assert path.read_bytes() == once
    assert "chart" in read_xlsx(path).report.text


@needs_reference
def test_a_changed_solver_model_is_written(tmp_path: Path) -> None:
    from dataclasses import replace

    path = REFERENCE / "collab_filter_2019.xlsx"
    workbook = read_xlsx(path).workbook
    home = workbook.by_name("movielens_1hot").id
    model = solver_model_of(workbook, home)
    repaired = replace(model, objective=(home, Cell(2, 3)), faults=())
    workbook.names = with_model(workbook.names, workbook, repaired)
    target = tmp_path / "patched.xlsx"
    Patch(path, workbook).save(target)
    new = read_xlsx(target).workbook
    assert solver_model_of(new, home).objective == (home, Cell(2, 3))
    assert sorted(n.name for n in new.names) == sorted(n.name for n in workbook.names)
    before, after = parts(path), parts(target)
    assert [p for p in before if before[p] != after[p]] == ["xl/workbook.xml"]


def test_what_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    workbook = Workbook.with_sheet("s")
    workbook.sheets[0].cells.write(Region(0, 0, 3, 3), 1.0)
    write_xlsx(workbook, path)
    sheet = workbook.sheets[0]
    workbook.apply(SetFormat(sheet.id, Region(0, 0, 1, 1), FormatChange(bold=True)))
    sheet.column_widths = {1: 99}
    sheet.notes = {Cell(0, 0): "n"}
    told = " ".join(str(finding) for finding in Patch(path, workbook).unwritten)
    assert "format" in told
    assert "column width" in told
    assert "note" in told


def test_another_set_of_sheets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    workbook = Workbook.with_sheet("s")
    write_xlsx(workbook, path)
    workbook.apply(AddSheet("t"))
    with pytest.raises(UserError, match="sheets"):
        Patch(path, workbook)


@needs_reference
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_a_patched_workbook_with_its_chart(tmp_path: Path) -> None:
    path = REFERENCE / "graddesc_2019.xlsx"
    workbook = read_xlsx(path).workbook
    put(workbook, 2, ("A50", 4.5), ("B50", "=A50*2"))
    workbook.sheets[2].cells.write(Region(49, 1, 50, 2), 9.0)
    target = tmp_path / "patched.xlsx"
    Patch(path, workbook).save(target)
    subprocess.run(
        ["soffice", f"-env:UserInstallation={(tmp_path / 'p').as_uri()}", "--headless",
         "--convert-to", "xlsx", "--outdir", str(tmp_path / "out"), str(target)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    again = read_xlsx(tmp_path / "out/patched.xlsx")
    assert again.workbook.sheets[2].cells.get((49, 1)) == (9.0, Kind.NUMBER)
    assert "chart" in again.report.text
