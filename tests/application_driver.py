"""Drives an open document as somebody might, and knows what has to hold at every moment.

Owns the moves, drawn from a seed, and the invariants: cells show what a fresh calculation gives,
undo and redo are exact, a saved session is the same document, the run stands in its record.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gradsheet.app.document import Document
from gradsheet.app.engine import Calculation
from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.phases import can_be_shown
from gradsheet.app.run_entries import LOOKING
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.app.uncomputed import Uncomputed
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import unparse
from gradsheet.formula.values import UserError
from gradsheet.sheet.edits import (
    AddSheet,
    DeleteRows,
    Fill,
    FormatChange,
    InsertRows,
    RenameSheet,
    SetFormat,
    SetRoles,
    SetValues,
)
from gradsheet.sheet.roles import Role, RoleRegion

ROWS, COLS = 4, 3
WEIGHTS = Region(20, 0, 21, COLS)
OPTIMIZERS = ("sgd", "momentum", "adam", "rmsprop", "lesson_adam")
FORMULAS = ("=SUM(A1:C4)", "=A21*2+B21", "=IF(A1>0,B21,C21)", "=1/A2", "=K1-K2", "=AVERAGE(K1:K4)")
TOLERANCE = 1e-12
"""Between what a run shows and a fresh calculation: the same sums in another order."""


def small_problem(document: Document, seed: int) -> None:
    """Open a line through a few points: data, weights, predictions, loss."""
    document.new_workbook()
    document.finish()
    generator = np.random.default_rng(seed)
    sheet = document.workbook.sheets[0].id
    data = Region(0, 0, ROWS, COLS)
    document.apply(SetValues(sheet, data, generator.normal(size=data.shape)))
    document.apply(SetValues(sheet, WEIGHTS, generator.normal(size=WEIGHTS.shape)))
    for row in range(ROWS):
        line = Region(row, 0, row + 1, COLS)
        document.enter(sheet, Cell(row, 10), f"=SUMPRODUCT({line},A$21:C$21)")
    document.enter(sheet, Cell(25, 0), f"=SUMSQ(K1:K{ROWS})/{ROWS}+A21^2/9")
    document.apply(
        SetRoles(
            sheet,
            (
                RoleRegion(WEIGHTS, Role.PARAMETER, "weights"),
                RoleRegion(Region(25, 0, 26, 1), Role.LOSS, "loss"),
            ),
        )
    )
    document.finish()


def held(document: Document) -> tuple[Any, ...]:
    """Return every cell with its formula, every role and format, to the last bit."""
    found: list[Any] = []
    for sheet in document.workbook.sheets:
        used = sheet.cells.used()
        values, kinds = sheet.cells.read(used)
        formulas = tuple(
            (cell, unparse(f.expr, cell)) for cell, f in sorted(sheet.cells.formulas().items())
        )
        taken = kinds > 0
        shown = values[taken].tobytes(), np.argwhere(taken).tobytes(), kinds[taken].tobytes()
        found.append((sheet.id, sheet.name, shown, formulas, sheet.roles))
    return tuple(found)


class Driver:
    """Somebody at work on a document.

    Parameters
    ----------
    document : Document
    seed : int
    path : Path
        Where sessions are saved.
    settle : callable () -> None
        Waits until what was asked for has been done.
    """

    def __init__(
        self, document: Document, seed: int, path: Path, settle: Callable[[], None]
    ) -> None:
        self.document, self.path, self.settle = document, path, settle
        self.random = random.Random(seed)
        self.done: list[str] = []
        self.before: dict[int, tuple[Any, ...]] = {}
        """What the cells held before an entry of the history."""

    # ------------------------------------------------------------------ the sequence

    def go(self, moves: int) -> None:
        """Make moves, and look at everything after each."""
        first = held(self.document)
        for _ in range(moves):
            name, move = self.random.choice(self.moves())
            self.done.append(name)
            history = self.document.history
            top, was, could_redo = history.top, held(self.document), history.can_redo
            try:
                move()
            except UserError as error:
                self.done[-1] += f" refused: {error.text}"
            self.settle()
            now = history.top
            # A look while something could be redone becomes an entry only when something is done.
            is_late = could_redo and history.undo_label == LOOKING
            if now is not None and now != top and name not in ("undo", "redo") and not is_late:
                self.before.setdefault(now, was)
            self.check()
        self.undo_and_redo_everything(first)

    def moves(self) -> list[tuple[str, Callable[[], object]]]:
        """Return what can be done now."""
        document = self.document
        moves: list[tuple[str, Callable[[], object]]] = [
            ("edit", self.edit), ("edit", self.edit), ("step", self.step), ("step", self.step),
            ("run", self.run), ("rate", self.rate), ("undo", self.undo), ("redo", self.redo),
            ("other", self.other), ("save and open", self.save_and_open),
        ]  # fmt: skip
        view = document.run_view()
        if view.last_step > view.first_step:
            moves += [("scrub", self.scrub)] * 3
            moves += [("back", self.back), ("best", document.seek_best)]
            moves.append(("rewind", self.rewind))
        if view.branches:
            moves += [("branch", self.branch)] * 2
        if can_be_shown(document):
            moves.append(("phase", self.phase))
        if view.step:
            moves.append(("reset", document.reset_run))
        return moves

    # ------------------------------------------------------------------ moves

    def edit(self) -> None:
        """Type, fill, clear, insert or format somewhere."""
        document, pick = self.document, self.random
        sheet = document.workbook.sheets[0].id
        which = pick.randrange(9)
        self.done[-1] += f" {which}"
        if which == 0:
            self.type(Cell(pick.randrange(ROWS), pick.randrange(COLS)), f"{pick.gauss(0, 1)!r}")
        elif which in (1, 2):
            self.type(Cell(20, pick.randrange(COLS)), f"{pick.gauss(0, 1)!r}")
        elif which == 3:
            self.type(Cell(pick.randrange(5), 12), pick.choice(FORMULAS))
        elif which == 4:
            self.type(Cell(pick.randrange(5), 12), pick.choice(("", "text", "2.5")))
        elif which == 5:
            document.apply(Fill(sheet, Region(0, 10, 1, 11), Region(0, 10, ROWS, 11)))
        elif which == 6:
            at = pick.randrange(6, 19)
            edit = InsertRows(sheet, at, 1) if pick.random() < 0.5 else DeleteRows(sheet, at, 1)
            document.apply(edit)
        elif which == 7:
            region = Region(0, 0, pick.randrange(1, 5), 3)
            document.apply(SetFormat(sheet, region, FormatChange(bold=pick.random() < 0.5)))
        elif pick.random() < 0.5:
            document.apply(RenameSheet(sheet, f"Sheet {pick.randrange(100)}"))
        else:
            document.apply(AddSheet(f"New {pick.randrange(10_000)}"))

    def type(self, cell: Cell, text: str) -> None:
        """Type into a cell of the first sheet."""
        self.document.enter(self.document.workbook.sheets[0].id, cell, text)

    def step(self) -> None:
        """Take some steps."""
        self.document.step_run(self.random.randrange(1, 12))

    def run(self) -> None:
        """Run until some steps are made, then pause."""
        document = self.document
        document.start_run()
        self.settle()
        wanted = document.run_view().step + self.random.randrange(1, 20)
        while document.run_view().state == "running" and document.run_view().step < wanted:
            document.poll()
        document.pause_run()

    def scrub(self) -> None:
        """Go to recorded steps, faster than they can be shown."""
        view = self.document.run_view()
        for _ in range(self.random.randrange(1, 4)):
            self.document.seek_run(self.random.randint(view.first_step, view.last_step))

    def back(self) -> None:
        """Go a step back."""
        self.document.step_back()

    def phase(self) -> None:
        """Look at the next phase of a step."""
        self.document.next_phase()

    def rewind(self) -> None:
        """Play backwards for a while, or to the start."""
        document = self.document
        document.set_speed(3_000.0)
        document.play_back()
        for _ in range(self.random.randrange(1, 50)):
            document.poll()
        document.pause_run()
        document.set_speed(None)

    def rate(self) -> None:
        """Change a rate, the optimizer or the schedule."""
        document, pick = self.document, self.random
        which = pick.randrange(4)
        if which == 0:
            document.set_optimizer(pick.choice(OPTIMIZERS))
            document.set_hyper(lr=0.01)
        elif which == 1:
            choice = None if pick.random() < 0.5 else ScheduleChoice("cosine", 40)
            document.set_schedule(choice)
        else:
            document.set_hyper(lr=pick.choice((0.001, 0.01, 0.05)))

    def branch(self) -> None:
        """Go on with a branch, name it, hide it or delete it."""
        document, pick = self.document, self.random
        branch = pick.choice(document.run_view().branches)
        which = pick.randrange(4)
        if which == 0:
            document.delete_branch(branch)
        elif which == 1:
            document.rename_branch(branch, f"name {pick.randrange(100)}")
        elif which == 2:
            document.show_branch(branch, not branch.is_shown)
        else:
            document.take_up_branch(branch)

    def other(self) -> None:
        """Draw a new start, or name the run."""
        document, pick = self.document, self.random
        which = pick.randrange(3)
        if which == 0:
            document.rename_branch(None, f"run {pick.randrange(100)}")
        elif which == 1:
            document.new_start()
        else:
            document.pause_run()

    def undo(self) -> None:
        """Take the last thing back: everything is as it was before it."""
        top = self.document.history.top
        label = self.document.undo()
        self.settle()
        if label is not None and top in self.before and self.document.history.top != top:
            assert held(self.document) == self.before[top], f"undo of {label} is not exact"

    def redo(self) -> None:
        """Do again what was undone."""
        self.document.redo()

    def save_and_open(self) -> None:
        """Save, open the file in place of what is open, and find the same."""
        document = self.document
        save_file(document, self.path)
        self.settle()
        first, was, view = self.path.read_bytes(), held(document), document.run_view()
        states = self.states()
        open_file(document, self.path)
        self.settle()
        assert held(document) == was, "the cells are others after saving and opening"
        now = document.run_view()
        assert (now.step, now.first_step, now.last_step) == (
            view.step, view.first_step, view.last_step,
        )  # fmt: skip
        assert [b.name for b in now.branches] == [b.name for b in view.branches]
        assert self.states() == states, "recorded steps are others after saving and opening"
        save_file(document, self.path)
        self.settle()
        assert self.path.read_bytes() == first, "saving again gives another file"
        self.before.clear()

    def states(self) -> list[bytes]:
        """Return some steps of the record and of each branch, as bytes."""
        timeline = self.document.run.timeline
        found = []
        for record in (timeline.recording, *(b.recording for b in timeline.branches)):
            if record is not None and not record.is_empty:
                for step in sorted({record.start, (record.start + record.end) // 2, record.end}):
                    found.append(record.show(step)[0]["theta"].numpy().tobytes())
        return found

    # ------------------------------------------------------------------ what has to hold

    def check(self) -> None:
        """Look at everything that has to hold at every moment."""
        self.check_cells()
        self.check_run()

    def check_cells(self) -> None:
        """Every cell shows what a fresh calculation of the workbook gives."""
        document = self.document
        book = document.workbook.snapshot()
        fresh = Calculation(book, Uncomputed(book, document.calculation.held))
        for result in fresh.everything():
            cells = document.workbook.sheet(result.sheet).cells
            values, kinds = cells.read(result.region)
            assert np.array_equal(kinds, result.kinds), f"kinds in {result.region}"
            far = np.abs(values - result.values) > TOLERANCE * (1 + np.abs(result.values))
            assert not far.any(), f"{result.region} shows {values}, computed {result.values}"

    def check_run(self) -> None:
        """The run stands in its record, and the trace says what the loss cell shows."""
        document = self.document
        view, record = document.run_view(), document.run.timeline.recording
        assert view.state in ("idle", "paused", "failed"), view.state
        assert document.run.task is None
        assert view.first_step <= view.step <= view.last_step
        if document.run.timeline.is_replaying:
            assert record is not None
            theta = record.show(view.step)[0]["theta"].numpy()
            parts = [
                document.workbook.sheet(p.sheet).cells.read(p.region)[0].ravel()
                for p in document.problem.parameters
            ]
            assert np.array_equal(np.concatenate(parts), theta), "cells are not those of the step"
        names = [branch.name for branch in view.branches]
        for branch in view.branches:
            assert branch.recording.end >= branch.left_at
            assert branch.recording is not record, f"{names}: a branch is the run itself"

    def undo_and_redo_everything(self, first: tuple[Any, ...]) -> None:
        """Take everything back and do it again: the same at both ends, and at each entry."""
        document = self.document
        assert document.training is not None
        document.training.entries.settle_looking()
        last = held(document)
        was_opened = any(name == "save and open" for name in self.done)
        undone = 0
        while document.history.can_undo:
            self.undo()
            undone += 1
        if not was_opened:
            assert held(document) == first, "undoing everything does not give the start"
        for _ in range(undone):
            document.redo()
            self.settle()
        assert held(document) == last, "doing everything again does not give the end"
        self.check_cells()
