"""`gradsheet solve` and `convert` on lessons, on a workbook of our own, and on the reference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradsheet.__main__ import main
from gradsheet.app.headless.solving import store
from gradsheet.files.solver_model import Constraint, SolverModel, solver_names
from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import unpack
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook

REFERENCE = (
    Path(__file__).parents[4] / "shared/reference/workbooks/collab_filter_2019.xlsx"
)
BAR = {"bias": 0.318660, "dotprod": 0.392901}


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["solve", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


@pytest.mark.parametrize("lesson", BAR)
def test_a_lesson_is_solved_from_its_random_start(
    lesson: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = outcome(capsys, f"lesson:{lesson}")
    assert found["method"] == "lbfgs"
    assert found["objective"] <= BAR[lesson]
    assert {"start", "steps", "evaluations", "seconds", "restart"} <= set(found)


def test_an_optimizer_still_trains_a_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    found = outcome(capsys, "lesson:bias", "--optimizer", "adam", "--steps", "100")
    assert found["optimizer"] == "adam"
    assert found["steps"] == 100


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference workbooks are not there")
@pytest.mark.parametrize("start", ["workbook", "random"])
@pytest.mark.parametrize("sheet", BAR)
def test_the_workbooks_own_model_is_solved(
    sheet: str, start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = outcome(capsys, str(REFERENCE), "--sheet", sheet, "--start", start)
    assert found["objective"] <= BAR[sheet]


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference workbooks are not there")
def test_a_model_that_lost_its_objective_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", str(REFERENCE), "--sheet", "movielens_1hot"]) == 1
    assert "lost its objective" in capsys.readouterr().err


@pytest.fixture
def parabola(tmp_path: Path) -> Path:
    """(A1 - 3)^2 + (B1 + 1)^2 + 5 in D1, with a Solver model."""
    workbook = Workbook.with_sheet("model")
    sheet = workbook.sheets[0]
    sheet.cells.write(Region(0, 0, 1, 2), [[10.0, 10.0]])
    cell = Cell(0, 3)
    sheet.cells.set_formula(cell, Formula(parse("=(A1-3)^2+(B1+1)^2+5", cell)))
    model = SolverModel(sheet.id, (sheet.id, cell), ((sheet.id, Region(0, 0, 1, 2)),))
    workbook.names = solver_names(workbook, model)
    program = compile_program(workbook)
    store(workbook, program.recalculate(), program)
    path = tmp_path / "parabola.xlsx"
    write_xlsx(workbook, path)
    return path


def test_the_solved_workbook_is_written(
    parabola: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "solved.xlsx"
    found = outcome(capsys, str(parabola), "--output", str(target))
    assert found["objective"] == pytest.approx(5.0, abs=1e-12)
    cells = read_xlsx(target).workbook.sheets[0].cells
    assert [cells.get((0, c))[0] for c in (0, 1, 3)] == pytest.approx([3.0, -1.0, 5.0])
    assert main(["check", str(target)]) == 0


def test_cells_and_goal_can_be_given_instead_of_the_model(
    parabola: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = outcome(
        capsys, str(parabola), "--objective", "D1", "--changing", "A1", "--goal", "value=150"
    )
    assert found["objective"] == pytest.approx(150.0)


@pytest.mark.parametrize(
    "wrong",
    [["--sheet", "none"], ["--objective", "A1:B2"], ["--changing", "what?"], ["--goal", "up"]],
)
def test_a_wrong_option_is_explained(
    parabola: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["solve", str(parabola), *wrong]) == 1
    assert capsys.readouterr().err.startswith("gradsheet: ")


def test_convert_recomputes_and_trusts_no_stored_value(parabola: Path, tmp_path: Path) -> None:
    imported = read_xlsx(parabola)
    imported.workbook.sheets[0].cells.write(Region(0, 3, 1, 4), -1.0)
    lying, honest = tmp_path / "lying.xlsx", tmp_path / "honest.xlsx"
    write_xlsx(imported.workbook, lying)
    assert main(["check", str(lying)]) == 1
    assert main(["convert", str(lying), str(honest)]) == 0
    workbook = read_xlsx(honest).workbook
    value, kind = workbook.sheets[0].cells.get((0, 3))
    assert unpack(value, kind, workbook.strings) == 175.0
    assert main(["convert", str(lying), str(tmp_path / "values.csv")]) == 0
    assert (tmp_path / "values.csv").read_text() == "10,10,,175\n"


def test_a_file_that_cannot_be_read_gives_2(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"no workbook")
    assert main(["check", str(tmp_path / "x.xlsx")]) == 2


def test_the_workbooks_constraints_and_signs_are_honoured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workbook = Workbook.with_sheet("model")
    sheet = workbook.sheets[0]
    sheet.cells.write(Region(0, 0, 1, 2), [[10.0, 10.0]])
    for place, text in (("D1", "=(A1-3)^2+(B1+1)^2+5"), ("E1", "=A1+B1")):
        cell = Cell.parse(place)
        sheet.cells.set_formula(cell, Formula(parse(text, cell)))
    constraints = (Constraint("=E1", "<=", "=2"), Constraint("=A1", "integer"))
    model = SolverModel(
        sheet.id, (sheet.id, Cell.parse("D1")), ((sheet.id, Region(0, 0, 1, 2)),),
        constraints=constraints, non_negative=True,
    )  # fmt: skip
    workbook.names = solver_names(workbook, model)
    program = compile_program(workbook)
    store(workbook, program.recalculate(), program)
    path, target = tmp_path / "signs.xlsx", tmp_path / "solved.xlsx"
    write_xlsx(workbook, path)
    found = outcome(capsys, str(path), "--output", str(target))
    assert found["objective"] == pytest.approx(7.0, abs=1e-7)
    assert found["violation"] <= 1e-6
    assert found["doubt"] == ""
    assert "whole numbers are not supported" in str(found["notes"])
    cells = read_xlsx(target).workbook.sheets[0].cells
    assert [cells.get((0, c))[0] for c in (0, 1)] == pytest.approx([2.0, 0.0], abs=1e-6)
