"""Going back and forth in a run: any step as it was, branches, undo across them."""

from __future__ import annotations

import numpy as np
import pytest
from run_moves import cells, seek, step

from gradsheet.app.document import Document
from gradsheet.formula.address import Cell, Region

USERS = Region.parse("B25:F39")


def test_every_step_comes_back_as_it_was(document: Document) -> None:
    seen = {0: cells(document)}
    for _ in range(40):
        step(document)
        seen[document.run_view().step] = cells(document)
    generator = np.random.default_rng(0)
    for to in generator.integers(1, 40, size=25):
        seek(document, int(to))
        assert document.run_view().step == to
        assert cells(document) == seen[int(to)]
    view = document.run_view()
    assert (view.first_step, view.last_step) == (0, 40)


def test_stepping_forward_in_the_past_shows_the_record(document: Document) -> None:
    step(document, 30)
    seek(document, 10)
    step(document)
    view = document.run_view()
    assert view.step == 11
    assert view.last_step == 30
    assert not view.branches


def test_running_on_from_the_past_unchanged_makes_the_same_future(document: Document) -> None:
    step(document, 60)
    end = cells(document)
    seek(document, 20)
    document.start_run()
    document.finish()
    document.pause_run()
    document.finish()
    assert not document.run_view().branches
    reached = document.run_view().step
    if reached < 60:
        step(document, 60 - reached)
    seek(document, 60)
    assert cells(document) == end


def test_a_changed_rate_in_the_past_makes_a_branch(document: Document) -> None:
    step(document, 50)
    seek(document, 20)
    at_20 = cells(document)
    document.set_hyper(lr=0.2)
    step(document, 10)
    view = document.run_view()
    assert view.step == view.last_step == 30
    assert [branch.left_at for branch in view.branches] == [20]
    assert len(view.branches[0].trace) == 51
    assert view.hyper is not None
    assert view.hyper.lr == 0.2
    seek(document, 20)
    assert cells(document) == at_20
    seek(document, 5)
    assert document.run_view().hyper.lr == 0.05  # type: ignore[union-attr]


def test_a_typed_embedding_in_the_past_makes_a_branch(document: Document) -> None:
    step(document, 30)
    seek(document, 15)
    sheet = document.workbook.sheets[0].id
    document.enter(sheet, Cell.parse("B25"), "3")
    step(document, 10)
    after = cells(document)
    assert [branch.left_at for branch in document.run_view().branches] == [15]
    seek(document, 18)
    seek(document, 25)
    assert cells(document) == after


def test_changed_data_starts_a_new_record_and_undo_brings_the_old_one_back(
    document: Document,
) -> None:
    step(document, 20)
    seek(document, 20)
    sheet = document.workbook.sheets[0].id
    document.enter(sheet, Cell.parse("H2"), "1")
    step(document, 10)
    assert document.run_view().first_step == 20
    document.undo()
    document.finish()
    document.undo()
    document.finish()
    seek(document, 7)
    assert document.run_view().step == 7
    assert document.run_view().first_step == 0


def test_undo_after_going_through_time_gives_the_start_exactly(document: Document) -> None:
    start = cells(document)
    step(document, 30)
    seek(document, 12)
    document.undo()
    document.finish()
    assert cells(document) == start
    assert document.run_view().step == 0
    document.redo()
    document.finish()
    assert document.run_view().step == 12
    seek(document, 30)
    assert document.run_view().step == 30


def test_the_best_step_is_the_one_with_the_smallest_loss(document: Document) -> None:
    document.set_hyper(lr=0.5)
    step(document, 80)
    trace = document.run_view().trace
    assert trace is not None
    steps, losses = trace.arrays()
    document.seek_best()
    document.finish()
    assert document.run_view().step == steps[losses.argmin()]
    assert document.loss_now() == pytest.approx(losses.min(), rel=1e-12)


def test_many_seeks_at_once_end_at_the_last_one(document: Document) -> None:
    step(document, 100)
    for to in range(99, 3, -1):
        document.seek_run(to)
    document.finish()
    assert document.run_view().step == 4


def test_a_divergence_names_the_first_cell_and_goes_back_to_the_best_step(
    document: Document,
) -> None:
    document.set_optimizer("sgd")
    document.set_hyper(lr=0.05)
    step(document, 30)
    at_30 = cells(document)
    document.set_hyper(lr=1e4)
    step(document, 500)
    assert document.run.state == "failed"
    assert f"step {document.run.step + 1}: dotprod!" in document.run.note
    said = document.log.messages()[-1]
    assert said.text == document.run.note
    assert said.offer == "Back to step 30 at a tenth of the rate"
    document.retry_slower()
    document.finish()
    assert document.run.step == 30
    assert cells(document) == at_30
    assert document.run_view().hyper.lr == 1e3  # type: ignore[union-attr]
    assert document.run_view().last_step > 30


def test_going_on_unchanged_is_the_same_stretch_and_no_branch(document: Document) -> None:
    step(document, 60)
    for to in (40, 50, 20, 60, 10):
        seek(document, min(to, document.run_view().last_step))
        document.start_run()
        document.finish()
        document.pause_run()
        document.finish()
        reached = document.run_view().step
        if reached < 60:
            step(document, 60 - reached)
    record = document.run.timeline.recording
    assert record is not None
    assert len(record.stretches) == 1
    assert len(record.stretches[0].rates) == 1
    assert not document.run_view().branches
