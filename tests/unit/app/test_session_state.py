"""Sessions keep runs whole: record, branches, start, path; open and save changes nothing."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_moves import cells, seek, step
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from gradsheet.app.document import Document
from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.saving.opening import open_file, save_file
from gradsheet.app.saving.session_state import session_of
from gradsheet.files.session import save_session
from gradsheet.formula.address import Cell, Region
from gradsheet.learn.optimizers import OPTIMIZERS
from gradsheet.learn.trajectory import Recording
from gradsheet.sheet.edits import SetRoles, SetValues
from gradsheet.sheet.roles import Role, RoleRegion

BAD_RATES = {"lesson_adagrad": 1e-5, "eve": 1e-3}


def saved(document: Document, path: Path) -> bytes:
    save_file(document, path)
    document.finish()
    return path.read_bytes()


def reopened(path: Path) -> Document:
    other = Document()
    open_file(other, path)
    other.finish()
    assert other.path == path, other.log.messages()
    return other


def plain(value: Any) -> Any:
    """Return a state as bytes and numbers, to compare to the last bit."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if hasattr(value, "numpy"):
        return value.numpy().tobytes(), tuple(value.shape)
    return value


def states(record: Recording | None) -> list[Any]:
    assert record is not None
    return [plain(record.show(k)[0]) for k in range(record.start, record.end + 1)]


def random_problem(document: Document, seed: int, rows: int, cols: int) -> None:
    """Fill a workbook with data and a loss whose course depends on signs and sizes."""
    document.new_workbook()
    document.finish()
    generator = np.random.default_rng(seed)
    sheet = document.workbook.sheets[0].id
    data, weights = Region(0, 0, rows, cols), Region(20, 0, 21, cols)
    document.apply(SetValues(sheet, data, generator.normal(size=data.shape)))
    document.apply(SetValues(sheet, weights, generator.normal(size=weights.shape)))
    for row in range(rows):
        line, theta = Region(row, 0, row + 1, cols), weights
        document.enter(sheet, Cell(row, 10), f"=SUMPRODUCT({line},{theta})")
    document.enter(sheet, Cell(25, 0), f"=SUMSQ(K1:K{rows})+IF(A21>0,A21^2,-A21)/9")
    document.apply(
        SetRoles(
            sheet,
            (
                RoleRegion(weights, Role.PARAMETER, "weights"),
                RoleRegion(Region(25, 0, 26, 1), Role.LOSS, "loss"),
            ),
        )
    )
    document.finish()


def draw_run(document: Document, data: st.DataObject) -> None:
    """Step, go back, change rates, optimizers, parameters and data, as somebody might."""
    sheet = document.workbook.sheets[0].id
    for _ in range(data.draw(st.integers(1, 6), label="moves")):
        view = document.run_view()
        what = data.draw(st.sampled_from(["step", "seek", "rate", "rule", "weight", "data"]))
        if what == "step":
            step(document, data.draw(st.integers(1, 40)))
        elif what == "seek" and view.last_step > view.first_step:
            seek(document, data.draw(st.integers(view.first_step, view.last_step)))
        elif what == "rate":
            document.set_hyper(lr=data.draw(st.sampled_from([1e-4, 3e-4, 1e-3])))
        elif what == "rule":
            document.set_optimizer(data.draw(st.sampled_from(sorted(OPTIMIZERS))))
            document.set_hyper(lr=1e-4)
        elif what == "weight":
            document.enter(sheet, Cell(20, 0), str(data.draw(st.floats(-2, 2))))
        elif what == "data":
            document.enter(sheet, Cell(0, 0), str(data.draw(st.floats(-2, 2))))
        document.finish()
    step(document, data.draw(st.integers(1, 20)))


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_every_step_of_every_branch_is_the_same_after_save_and_load(
    data: st.DataObject, tmp_path: Path, document: Document
) -> None:
    path = tmp_path / "run.gradsheet"
    rows, cols = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    random_problem(document, data.draw(st.integers(0, 999)), rows, cols)
    document.set_optimizer(data.draw(st.sampled_from(sorted(OPTIMIZERS))))
    document.set_hyper(lr=1e-4)
    draw_run(document, data)
    first = saved(document, path)
    other = reopened(path)
    try:
        assert cells(other) == cells(document)
        here, there = document.run.timeline, other.run.timeline
        assert [(b.name, b.left_at) for b in here.branches] == [
            (b.name, b.left_at) for b in there.branches
        ]
        assert document.run_view().step == other.run_view().step
        assert states(here.recording) == states(there.recording)
        for mine, its in zip(here.branches, there.branches, strict=True):
            assert states(mine.recording) == states(its.recording)
            assert mine.trace.arrays()[1].tobytes() == its.trace.arrays()[1].tobytes()
        assert saved(other, path) == first
        step(document, 9)
        step(other, 9)
        assert cells(other) == cells(document)
        assert document.loss_now() == other.loss_now()
    finally:
        other.close()


@pytest.mark.parametrize("lesson", ["dotprod", "bias", "adam"])
def test_opening_and_saving_changes_no_byte(
    lesson: str, document: Document, tmp_path: Path
) -> None:
    path = tmp_path / "a.gradsheet"
    document.open_lesson(lesson)
    document.finish()
    fresh = saved(document, path)
    other = reopened(path)
    try:
        assert saved(other, path) == fresh
    finally:
        other.close()
    step(document, 30)
    first = saved(document, path)
    assert first != fresh
    other = reopened(path)
    try:
        assert saved(other, path) == first
        assert not other.is_changed
    finally:
        other.close()


def test_reset_after_reopening_gives_the_start_exactly(
    document: Document, tmp_path: Path
) -> None:
    start = cells(document)
    step(document, 20)
    saved(document, tmp_path / "a.gradsheet")
    other = reopened(tmp_path / "a.gradsheet")
    try:
        other.reset_run()
        other.finish()
        assert cells(other) == start
        assert other.run_view().step == 0
    finally:
        other.close()


def test_a_run_saved_in_its_past_goes_on_there(document: Document, tmp_path: Path) -> None:
    step(document, 50)
    seek(document, 20)
    saved(document, tmp_path / "a.gradsheet")
    other = reopened(tmp_path / "a.gradsheet")
    try:
        view = other.run_view()
        assert (view.step, view.last_step) == (20, 50)
        step(other, 1)
        assert other.run_view().last_step == 50
        assert not other.run_view().branches
        seek(document, 21)
        assert cells(other) == cells(document)
    finally:
        other.close()


def test_a_run_that_is_on_is_kept_at_a_step_of_its_record(
    document: Document, tmp_path: Path
) -> None:
    path = tmp_path / "a.gradsheet"
    step(document, 5)
    document.start_run()
    while document.run_view().step < 40:
        document.poll()
    make = session_of(document)
    at, seen = document.run_view().step, cells(document)
    while document.run_view().step < at + 20:
        document.poll()
    save_session(make(), path)
    document.pause_run()
    document.finish()
    other = reopened(path)
    try:
        assert other.run_view().step == at
        assert cells(other) == seen
        step(other, 3)
        seek(document, at + 3)
        assert cells(other) == cells(document)
    finally:
        other.close()


def test_schedule_and_view_come_back(document: Document, tmp_path: Path) -> None:
    document.set_schedule(ScheduleChoice("cosine", 40))
    document.view_source = lambda: {"sheet": 1, "selection": [3, 2], "zoom": 1.5}
    step(document, 20)
    saved(document, tmp_path / "a.gradsheet")
    other = reopened(tmp_path / "a.gradsheet")
    try:
        assert other.run.schedule == ScheduleChoice("cosine", 40)
        assert other.shown_view["zoom"] == 1.5
        assert other.book.selection == Cell(3, 2)
        step(document, 10)
        step(other, 10)
        assert cells(other) == cells(document)
    finally:
        other.close()


def test_sheets_of_epochs_keep_their_runs_and_paths(document: Document, tmp_path: Path) -> None:
    document.open_lesson("adam")
    document.finish()
    ran = []
    for sheet in document.workbook.sheets[1:3]:
        document.show_sheet(sheet.id)
        document.finish()
        step(document, 3 + sheet.id)
        ran.append((sheet.id, document.run_view().step))
    saved(document, tmp_path / "a.gradsheet")
    other = reopened(tmp_path / "a.gradsheet")
    try:
        assert cells(other) == cells(document)
        for sheet_id, at in ran:
            for each in (document, other):
                each.show_sheet(sheet_id)
                each.finish()
                assert each.run_view().step == at
                step(each, 4)
            mine, its = (each.trainings[sheet_id] for each in (document, other))
            assert mine.walked.trail.points().tobytes() == its.walked.trail.points().tobytes()
            assert states(mine.run.timeline.recording) == states(its.run.timeline.recording)
        assert cells(other) == cells(document)
    finally:
        other.close()


def version_1(path: Path) -> None:
    """Write over a session of today as gradsheet 0.1's first files were."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    manifest = json.loads(parts["manifest.json"])
    facts, arrays = manifest["facts"], load_arrays(parts["arrays.safetensors"])
    run = facts.pop("runs")[0]
    manifest["facts"] = {
        "lesson": facts["lesson"], "title": facts["title"], "seed": facts["seed"],
        "sheet": facts["home"], "selection": facts["view"]["selection"],
        "loss_name": facts["loss_name"],
        **{name: run[name] for name in ("optimizer", "step", "hyper", "steps_taken")},
    }  # fmt: skip
    del manifest["books"]
    manifest["version"] = 1
    old = {}
    for name, array in arrays.items():
        if name.startswith("sheet"):
            old[name] = array
        elif "/state/" in name or name.startswith(f"run/run{facts['home']}/trace/"):
            old["run/" + name.split("/", 2)[2]] = array
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("manifest.json", json.dumps(manifest))
        package.writestr("workbook.json", parts["workbook.json"])
        package.writestr("arrays.safetensors", save_arrays(old))


def test_a_file_of_version_1_goes_on_where_it_was(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "old.gradsheet"
    document.open_lesson("bias", seed=1)
    step(document, 15)
    saved(document, path)
    version_1(path)
    other = reopened(path)
    try:
        view = other.run_view()
        assert (view.step, view.optimizer) == (15, document.run_view().optimizer)
        assert view.trace is not None
        assert len(view.trace) == 16
        step(document, 10)
        step(other, 10)
        assert cells(other) == cells(document)
    finally:
        other.close()


class Seen:
    """The states that were there when each step was made, of the run and of its branches.

    `live` is that of the future that is on, by step; `left` those of the branches, in their order.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.live: dict[int, Any] = {}
        self.left: list[dict[int, Any]] = []

    def step(self, count: int) -> None:
        """Take steps one by one and note each state, from the trainer that made it."""
        document = self.document
        for _ in range(count):
            step(document)
            branches, trainer = document.run.timeline.branches, document.run.trainer
            if len(branches) > len(self.left):
                self.left.append(self.live)
                self.live = {k: s for k, s in self.live.items() if k <= branches[-1].left_at}
            if trainer is not None and document.run.state != "failed":
                self.live[document.run.step] = plain(trainer.state_dict())

    def changed(self) -> None:
        """Something was changed by hand: this step's state is another from now on."""
        self.live.pop(self.document.run.step, None)

    def check(self, document: Document) -> int:
        """Compare every state that a record can show; return how many were compared."""
        line = document.run.timeline
        records = [line.recording, *(branch.recording for branch in line.branches)]
        compared = 0
        for record, seen in zip(records, [self.live, *self.left], strict=True):
            for k in seen if record is not None else ():
                assert record is not None
                if record.start <= k <= record.end:
                    assert plain(record.show(k)[0]) == seen[k], f"step {k}"
                    compared += 1
        return compared


def draw_branches(seen: Seen, data: st.DataObject) -> None:
    """Step, go back, change something and go on, take branches up, as somebody might."""
    document = seen.document
    sheet = document.workbook.sheets[0].id
    moves = ["step", "seek", "seek", "rate", "rule", "weight", "take up", "data"]
    for _ in range(data.draw(st.integers(2, 8), label="moves")):
        what = data.draw(st.sampled_from(moves))
        line, view = document.run.timeline, document.run_view()
        if what == "step":
            seen.step(data.draw(st.integers(1, 30)))
        elif what == "seek":
            seek(document, data.draw(st.integers(view.first_step, view.last_step)))
        elif what == "take up" and line.branches:
            place = data.draw(st.integers(0, len(line.branches) - 1))
            if line.branches[place].is_open and line.recording is not None:
                document.take_up_branch(line.branches[place])
                document.finish()
                seen.live, seen.left[place] = seen.left[place], seen.live
        elif what in ("rate", "rule", "weight"):
            seen.changed()
            if what == "rate":
                document.set_hyper(lr=data.draw(st.sampled_from([1e-4, 3e-4, 1e-3])))
            elif what == "rule":
                document.set_optimizer(data.draw(st.sampled_from(sorted(OPTIMIZERS))))
                document.set_hyper(lr=1e-4)
            else:
                document.enter(sheet, Cell(20, 0), str(data.draw(st.floats(-2, 2))))
                document.finish()
        elif what == "data":
            document.enter(sheet, Cell(0, 0), str(data.draw(st.floats(-2, 2))))
            document.finish()
            seen.live = {}
    seen.step(data.draw(st.integers(5, 20)))


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_any_step_is_as_it_was_made_through_branches_and_through_save_and_load(
    data: st.DataObject, tmp_path: Path, document: Document
) -> None:
    rows, cols = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    random_problem(document, data.draw(st.integers(0, 999)), rows, cols)
    document.set_optimizer(data.draw(st.sampled_from(sorted(OPTIMIZERS))))
    document.set_hyper(lr=1e-4)
    seen = Seen(document)
    draw_branches(seen, data)
    assert seen.check(document) > 0
    saved(document, tmp_path / "run.gradsheet")
    other = reopened(tmp_path / "run.gradsheet")
    try:
        assert seen.check(other) > 0
    finally:
        other.close()
