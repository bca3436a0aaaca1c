"""Epochs of a sheet: carries, log, path, schedule, failure; and what names say an epoch is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.learn.epoch_step import Carry, EpochStep, epoch_step_of
from gradsheet.learn.epochs import EpochTrainer
from gradsheet.learn.schedules import Factors
from gradsheet.learn.trail import Trail
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.workbook import DefinedName, Workbook

ROWS = 5
NAMES = {
    "slope": "$A$1", "lastslope": "$B$8", "const": "$A$2", "lastconst": "$A$2", "rmse": "$C$9",
    "rmsestart": "$D$1", "lr": "$B$1",
}  # fmt: skip


def halving(rate: float = 0.5, formula: str = "=B3-$B$1*B3") -> tuple[Workbook, int]:
    """A column that falls by a rate from row to row; the last row starts the next epoch."""
    workbook = Workbook.with_sheet("s")
    sheet = workbook.sheets[0].id
    contents: dict[str, object] = {"A1": 1.0, "A2": 0.0, "B1": rate, "B3": "=A1", "D1": "log"}
    for row in range(4, 4 + ROWS):
        contents[f"B{row}"] = formula.replace("B3", f"B{row - 1}")
    contents["C9"] = "=SUM(B4:B8)"
    cells: list[tuple[Cell, Content]] = []
    for name, content in contents.items():
        at = Cell.parse(name)
        is_formula = isinstance(content, str) and content.startswith("=")
        cells.append((at, Formula(parse(str(content), at)) if is_formula else content))  # type: ignore[arg-type]
    workbook.apply(SetCells(sheet, tuple(cells)))
    workbook.names = tuple(
        DefinedName(name, parse(f"=s!{to}", Cell(0, 0)), sheet) for name, to in NAMES.items()
    )
    return workbook, sheet


def trainer_of(workbook: Workbook, sheet: int, **options: object) -> EpochTrainer:
    epoch = epoch_step_of(workbook, sheet)
    assert epoch is not None
    return EpochTrainer(workbook, epoch, **options)  # type: ignore[arg-type]


def test_names_say_what_an_epoch_carries() -> None:
    workbook, sheet = halving()
    epoch = epoch_step_of(workbook, sheet)
    assert epoch is not None
    assert Carry(Region.parse("B8"), Region.parse("A1")) in epoch.carries
    assert epoch.loss == Cell.parse("C9")
    assert epoch.log == Cell.parse("D3")
    assert epoch.rate == Cell.parse("B1")


def test_a_sheet_without_the_names_has_no_epoch() -> None:
    workbook, sheet = halving()
    workbook.names = ()
    assert epoch_step_of(workbook, sheet) is None


def test_a_name_that_lost_its_cell_carries_nothing() -> None:
    workbook, sheet = halving()
    workbook.names += (DefinedName("momlast", parse("=s!#REF!", Cell(0, 0)), sheet),
                       DefinedName("momtarget", parse("=s!$A$2", Cell(0, 0)), sheet))  # fmt: skip
    epoch = epoch_step_of(workbook, sheet)
    assert epoch is not None
    assert len(epoch.carries) == 2


def test_an_epoch_starts_from_what_the_last_row_produced() -> None:
    workbook, sheet = halving()
    trainer = trainer_of(workbook, sheet)
    assert trainer.advance(2) == 2
    assert trainer.number(Cell.parse("A1")) == 0.5 ** (2 * ROWS)
    assert trainer.number(Cell.parse("B8")) == 0.5 ** (3 * ROWS)


def test_the_workbook_itself_is_not_touched() -> None:
    workbook, sheet = halving()
    trainer_of(workbook, sheet).advance(3)
    assert workbook.sheet(sheet).cells.get(Cell.parse("A1"))[0] == 1.0


def test_the_trace_holds_the_error_of_the_pass_that_is_shown() -> None:
    workbook, sheet = halving()
    trainer = trainer_of(workbook, sheet)
    trainer.advance(1)
    steps, losses = trainer.trace.arrays()
    first = sum(0.5**k for k in range(1, ROWS + 1))
    assert steps.tolist() == [0, 1]
    assert losses.tolist() == pytest.approx([first, first * 0.5**ROWS])


def test_the_log_grows_by_one_an_epoch_below_what_is_there() -> None:
    workbook, sheet = halving()
    workbook.apply(SetCells(sheet, ((Cell.parse("D3"), 7.0), (Cell.parse("D4"), 6.0))))
    trainer = trainer_of(workbook, sheet)
    trainer.advance(2)
    log = [c for c in trainer.snapshot().computed if c.region.left == 3]
    assert [str(c.region) for c in log] == ["D5:D6"]
    assert log[0].values[:, 0].tolist() == trainer.trace.arrays()[1][1:].tolist()


def test_a_snapshot_holds_every_formula_and_every_carried_cell() -> None:
    workbook, sheet = halving()
    trainer = trainer_of(workbook, sheet)
    trainer.advance(1)
    shown = {cell for c in trainer.snapshot().computed for cell in c.region.cells()}
    assert {Cell.parse("A1"), Cell.parse("B3"), Cell.parse("B8"), Cell.parse("C9")} <= shown


def test_the_fast_way_gives_the_engines_numbers() -> None:
    workbook, sheet = halving(0.3)
    fast, slow = trainer_of(workbook, sheet), trainer_of(workbook, sheet)
    slow._sheet._fast = None
    assert fast.is_fast
    fast.advance(20)
    slow.advance(20)
    assert fast.number(Cell.parse("C9")) == pytest.approx(slow.number(Cell.parse("C9")), rel=1e-13)


def test_a_sheet_that_cannot_be_translated_still_runs() -> None:
    workbook, sheet = halving()
    at = Cell.parse("E1")
    workbook.apply(SetCells(sheet, ((at, Formula(parse('="x"&A1', at))),)))
    trainer = trainer_of(workbook, sheet)
    assert not trainer.is_fast
    assert trainer.advance(2) == 2
    assert trainer.number(Cell.parse("A1")) == 0.5 ** (2 * ROWS)


def test_the_first_cell_that_overflows_is_named_and_the_epoch_taken_back() -> None:
    workbook, sheet = halving(3.0, "=B3-$B$1*B3*B3")
    trainer = trainer_of(workbook, sheet)
    made = trainer.advance(10)
    assert trainer.failure is not None
    assert trainer.failed_cell is not None
    assert f"s!{trainer.failed_cell} became #NUM! in epoch {made + 1}" in trainer.failure
    assert math.isfinite(trainer.snapshot().loss)
    assert np.isfinite(trainer.snapshot().theta.numpy()).all()


def test_a_sheet_that_is_broken_at_the_start_says_where() -> None:
    workbook, sheet = halving(1e30, "=B3-$B$1*B3*B3")
    trainer = trainer_of(workbook, sheet)
    assert trainer.advance(1) == 0
    assert trainer.failure == "s!B7 shows #NUM! at the start."


def test_after_a_failure_a_smaller_rate_goes_on_from_the_last_good_epoch() -> None:
    workbook, sheet = halving(3.0, "=B3-$B$1*B3^3")
    trainer = trainer_of(workbook, sheet)
    trainer.advance(10)
    assert trainer.failure is not None
    step = trainer.step
    trainer.clear_failure()
    trainer.change(Cell.parse("B1"), 0.0)
    assert trainer.advance(1) == 1
    assert trainer.step == step + 1


def test_a_schedule_moves_the_rate_cell() -> None:
    workbook, sheet = halving(0.5)
    trainer = trainer_of(workbook, sheet, schedule=lambda step: Factors(1.0 / (1 + step)))
    trainer.advance(1)
    assert trainer.number(Cell.parse("B1")) == 0.25
    assert trainer.advance(1) == 1
    assert trainer.number(Cell.parse("B1")) == pytest.approx(0.5 / 3)


def test_the_path_holds_every_row_of_every_pass() -> None:
    workbook, sheet = halving()
    epoch = epoch_step_of(workbook, sheet)
    assert epoch is not None
    column = Region.parse("B3:B7")
    with_path = EpochStep(sheet, epoch.carries, epoch.loss, path=(column, column))
    trainer = EpochTrainer(workbook, with_path)
    trainer.advance(2)
    assert len(trainer.trail) == 3 * ROWS
    assert trainer.trail.points()[ROWS, 0] == 0.5**ROWS


def test_a_long_trail_is_thinned_but_keeps_its_newest_points() -> None:
    trail = Trail(most=100)
    for i in range(300):
        trail.extend([float(i)], [0.0])
    points = trail.points()[:, 0]
    assert len(points) <= 100
    assert points[-10:].tolist() == [float(i) for i in range(290, 300)]
    assert (np.diff(points) > 0).all()


def test_the_engine_agrees_with_a_fresh_recalculation_of_the_workbook() -> None:
    workbook, sheet = halving(0.1)
    trainer = trainer_of(workbook, sheet)
    trainer.advance(3)
    workbook.apply(SetCells(sheet, ((Cell.parse("A1"), trainer.number(Cell.parse("A1"))),)))
    for found in compile_program(workbook).recalculate():
        for cell, value in zip(found.region.cells(), found.values.ravel(), strict=True):
            assert trainer.number(cell) == pytest.approx(value, rel=1e-14)
