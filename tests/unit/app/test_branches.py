"""Branches of a run: named, compared, taken up, deleted and brought back; marks; phases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from run_moves import cells, seek, step

from gradsheet.app.document import Document
from gradsheet.app.phases import PHASES, can_be_shown
from gradsheet.app.rewinding import Rewinding
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import UserError


def branched(document: Document) -> tuple[bytes, bytes]:
    """Run to 40, go back to 15 and run another way to 35; return the cells at both ends."""
    step(document, 40)
    first = cells(document)
    seek(document, 15)
    document.set_hyper(lr=0.2)
    step(document, 20)
    return first, cells(document)


def test_a_branch_taken_up_stands_at_its_end_bit_for_bit(document: Document) -> None:
    first, second = branched(document)
    document.take_up_branch(document.run_view().branches[0])
    document.finish()
    view = document.run_view()
    assert cells(document) == first
    assert (view.step, view.last_step, view.name) == (40, 40, "Branch 1")
    assert view.hyper is not None
    assert view.hyper.lr == 0.05
    assert [(b.name, b.left_at) for b in view.branches] == [("Branch 2", 15)]
    document.take_up_branch(view.branches[0])
    document.finish()
    assert cells(document) == second


def test_a_branch_taken_up_goes_on_as_it_would_have(document: Document) -> None:
    step(document, 60)
    expected = cells(document)
    seek(document, 40)
    document.set_hyper(lr=0.2)
    step(document)
    seek(document, 10)
    document.take_up_branch(document.run_view().branches[0])
    document.finish()
    seek(document, 50)
    step(document, 10)
    assert cells(document) == expected
    assert len(document.run_view().branches) == 1


def test_undo_of_a_run_with_branches_gives_the_start_and_redo_the_branches(
    document: Document,
) -> None:
    start = cells(document)
    _, second = branched(document)
    document.undo()
    document.finish()
    assert cells(document) == start
    assert not document.run_view().branches
    assert not document.history.can_undo
    document.redo()
    document.finish()
    assert cells(document) == second
    assert [b.left_at for b in document.run_view().branches] == [15]


def test_a_run_from_the_start_of_the_record_is_the_same_undo_step(document: Document) -> None:
    step(document, 5)
    seek(document, 0)
    step(document, 3)
    assert document.history.labels == ("Training run",)


def test_a_deleted_branch_comes_back_by_undo(document: Document) -> None:
    branched(document)
    branch = document.run_view().branches[0]
    document.rename_branch(branch, " slow ")
    document.delete_branch(document.run_view().branches[0])
    assert not document.run_view().branches
    assert document.undo() == "Delete slow"
    assert [b.name for b in document.run_view().branches] == ["slow"]
    document.redo()
    assert not document.run_view().branches


def test_names_are_never_given_twice(document: Document) -> None:
    for number in range(3):
        seek(document, 2)
        document.set_hyper(lr=0.1 * (number + 1))
        step(document, 4)
    names = [b.name for b in document.run_view().branches]
    assert names == ["Branch 1", "Branch 2"]
    document.delete_branch(document.run_view().branches[0])
    seek(document, 2)
    document.set_hyper(lr=0.01)
    step(document, 4)
    names = [b.name for b in document.run_view().branches]
    assert sorted(names) == ["Branch 1", "Branch 2"]


def test_a_branch_of_other_data_is_kept_to_compare_but_not_gone_on_with(
    document: Document,
) -> None:
    branched(document)
    document.enter(document.workbook.sheets[0].id, Cell.parse("H2"), "1")
    document.finish()
    branch = document.run_view().branches[0]
    with pytest.raises(UserError, match="the data have changed since"):
        document.take_up_branch(branch)
    document.undo()
    document.finish()
    document.take_up_branch(document.run_view().branches[0])
    document.finish()
    assert document.run_view().step == 40


def test_names_and_marks_come_back_from_a_file(document: Document, tmp_path: Path) -> None:
    branched(document)
    document.rename_branch(None, "fast")
    document.rename_branch(document.run_view().branches[0], "slow")
    document.show_branch(document.run_view().branches[0], False)
    save_file(document, tmp_path / "a.gradsheet")
    document.finish()
    other = Document()
    try:
        open_file(other, tmp_path / "a.gradsheet")
        other.finish()
        view = other.run_view()
        assert (view.name, [b.name for b in view.branches]) == ("fast", ["slow"])
        assert not view.branches[0].is_shown
        assert other.marks() == document.marks()
        assert {mark.kind for mark in other.marks()} == {"branch", "change", "best"}
    finally:
        other.close()


def test_marks_say_what_was_changed_and_where(document: Document) -> None:
    step(document, 20)
    document.set_hyper(lr=0.2)
    step(document, 10)
    document.set_optimizer("sgd")
    document.set_hyper(lr=1e6)
    step(document, 30)
    texts = {mark.kind: mark.text for mark in document.marks()}
    changes = [mark.text for mark in document.marks() if mark.kind == "change"]
    assert changes[0] == "Step 20: learning rate 0.05 → 0.2"
    assert "optimizer adam → sgd" in changes[1]
    assert texts["failure"] == f"Diverged after step {document.run.step:,}"
    seek(document, 10)
    assert "failure" in {mark.kind for mark in document.marks()}


def test_a_run_is_played_backwards_to_its_start(document: Document) -> None:
    start = cells(document)
    step(document, 30)
    document.set_speed(20_000.0)
    document.play_back()
    assert document.run_view().is_rewinding
    assert document.is_busy
    while document.is_busy:
        document.poll()
    assert document.run_view().step == 0
    assert cells(document) == start
    assert document.run_view().last_step == 30


def test_playing_backwards_shows_every_step_of_a_slow_run() -> None:
    now = 0.0
    ride = Rewinding(lambda: now)
    ride.start(5, 0, 2.0)
    shown = []
    while ride.is_on:
        shown.append(ride.due())
        now += 0.5
    assert shown == [5, 4, 3, 2, 1, 0]
    assert ride.due() is None


def test_a_long_run_is_played_backwards_within_seconds() -> None:
    now = 0.0
    ride = Rewinding(lambda: now)
    ride.start(1_000_000, 0, None)
    now = 6.1
    assert ride.due() == 0


def test_a_run_that_starts_ends_the_playing(document: Document) -> None:
    step(document, 30)
    document.play_back()
    step(document)
    assert not document.run_view().is_rewinding


def test_four_phases_are_one_step(document: Document) -> None:
    seen, before = [], cells(document)
    for _ in PHASES:
        assert seen == [] or cells(document) == before
        document.next_phase()
        document.finish()
        phase = document.run_view().phase
        assert phase is not None
        seen.append(phase.name)
    assert tuple(seen) == PHASES
    assert document.run_view().step == 1
    phased = cells(document)
    document.undo()
    document.finish()
    step(document)
    assert cells(document) == phased


def test_each_phase_names_the_cells_that_it_computes(document: Document) -> None:
    regions = {}
    for _ in PHASES:
        document.next_phase()
        document.finish()
        phase = document.run_view().phase
        assert phase is not None
        regions[phase.name] = {str(region) for _, region in phase.places}
    loss = str(Region.of(document.problem.loss[1]))
    free = {str(p.region) for p in document.problem.parameters}
    assert regions["loss"] == {loss}
    assert regions["update"] == free
    assert not regions["forward"] & (free | {loss})
    assert regions["gradient"] >= free
    assert regions["forward"] <= regions["gradient"]


def test_anything_else_ends_a_phase(document: Document) -> None:
    document.next_phase()
    document.finish()
    assert document.run_view().phase is not None
    document.enter(document.workbook.sheets[0].id, Cell.parse("B25"), "1")
    document.finish()
    assert document.run_view().phase is None
    document.next_phase()
    document.finish()
    phase = document.run_view().phase
    assert phase is not None
    assert phase.name == "forward"


def test_a_step_of_epochs_has_no_phases(document: Document) -> None:
    document.open_lesson("adam")
    document.finish()
    assert not can_be_shown(document)


def test_a_branch_of_the_descent_lab_keeps_its_path(document: Document) -> None:
    document.open_lesson("adam")
    document.finish()
    sheet = document.workbook.sheets[1].id
    document.show_sheet(sheet)
    document.finish()
    step(document, 12)
    training = document.trainings[sheet]
    whole = training.walked.trail.points().copy()  # type: ignore[attr-defined]
    seek(document, 5)
    document.set_hyper(lr=0.02)
    document.finish()
    step(document, 4)
    branch = document.run_view().branches[0]
    assert branch.path is not None
    assert np.array_equal(branch.path, whole)
    document.take_up_branch(branch)
    document.finish()
    assert document.run_view().step == 12
    points = training.walked.trail.points()  # type: ignore[attr-defined]
    assert np.array_equal(points, whole)


def test_what_was_undone_can_be_redone_after_a_look_elsewhere(document: Document) -> None:
    step(document, 20)
    document.enter(document.workbook.sheets[0].id, Cell.parse("B25"), "3")
    document.finish()
    edited = cells(document)
    document.undo()
    document.finish()
    seek(document, 5)
    document.redo()
    document.finish()
    assert cells(document) == edited
    assert document.run_view().step == 20


def test_an_edit_after_a_look_elsewhere_is_undone_to_the_look(document: Document) -> None:
    step(document, 20)
    at_20 = cells(document)
    document.enter(document.workbook.sheets[0].id, Cell.parse("B25"), "3")
    document.undo()
    document.finish()
    seek(document, 5)
    at_5 = cells(document)
    document.enter(document.workbook.sheets[0].id, Cell.parse("B26"), "3")
    document.finish()
    document.undo()
    document.finish()
    assert cells(document) == at_5
    document.undo()
    document.finish()
    assert cells(document) == at_20


def test_undo_takes_looking_back_before_an_edit_apart(document: Document) -> None:
    step(document, 20)
    at_20 = cells(document)
    document.enter(document.workbook.sheets[0].id, Cell.parse("B25"), "3")
    document.finish()
    edited = cells(document)
    seek(document, 5)
    document.undo()
    document.finish()
    assert cells(document) == edited
    document.undo()
    document.finish()
    assert cells(document) == at_20


def test_an_undone_run_leaves_no_future_behind(document: Document) -> None:
    step(document, 20)
    document.enter(document.workbook.sheets[0].id, Cell.parse("B25"), "3")
    step(document, 10)
    assert document.run_view().last_step == 30
    document.undo()
    document.finish()
    assert document.run_view().last_step == 20


def test_a_run_after_reset_is_an_undo_step_of_its_own(document: Document) -> None:
    step(document, 5)
    document.reset_run()
    document.finish()
    step(document, 5)
    assert document.history.labels == ("Training run", "Reset", "Training run")
