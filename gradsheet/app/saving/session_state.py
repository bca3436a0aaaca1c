"""What of an open document goes into a session, and how a document goes on from one.

Owns the facts of a session: lesson, view, own ratings, and of every run its step, optimizer,
rates, record and start. Knows no window; what stands in the file is `files.session`'s.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradsheet.app.epoch_path import PathNote
from gradsheet.app.epoch_training import EpochTraining
from gradsheet.app.lab.schedule_choice import ScheduleChoice
from gradsheet.app.saving.run_layout import (
    Shelf,
    Shelves,
    noted,
    timeline_in,
    timeline_out,
    trace_in,
    trace_out,
)
from gradsheet.app.training import Training
from gradsheet.files.records import decode, encode
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse, unparse
from gradsheet.lessons import blank, catalogue
from gradsheet.lessons.lesson import Crosstab, LessonBook
from gradsheet.sheet.cell_edits import PutBlocks
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import Composite, Edit
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.run import Run
    from gradsheet.files.session import Session

NO_POINTS = (np.empty(0, np.int64), np.empty(0))


def session_of(document: Document) -> Callable[[], Session]:
    """Note how everything stands, in a moment; the session itself is made by the call returned.

    That call may be made on another thread while the document changes or its run goes on.
    """
    shelf = Shelf(document.workbook.snapshot())
    book, data = document.book, document.data
    problem = document.main_problem
    notes = [_note(training, sheet) for sheet, training in sorted(document.trainings.items())]
    facts: dict[str, Any] = {
        "lesson": document.lesson.id,
        "title": document.lesson.title,
        "seed": document.seed,
        "home": document.home,
        "loss_name": book.loss_name,
        "view": document.view(),
        "held": [[sheet, *cell] for sheet, cell in document.calculation.held],
    }
    if data is not None:
        shelf.arrays["data/ratings"] = data.ratings
        facts["data"] = {
            "users": list(data.users),
            "items": list(data.items),
            "user_labels": list(data.user_labels),
            "item_labels": list(data.item_labels),
            "source": data.source,
        }

    def make() -> Session:
        from gradsheet.files.session import Session

        facts["runs"] = [note(shelf) for note in notes]
        facts["kept"] = shelf.finish()
        return Session(shelf.workbook, problem, facts, shelf.arrays, tuple(shelf.books))

    return make


def _note(training: Training, sheet: int) -> Callable[[Shelf], dict[str, Any]]:
    """Note where a run stands now; the call returned lays it onto a shelf."""
    run = training.run
    at, optimizer, timeline = f"run{sheet}/", run.optimizer, noted(run.timeline)
    start = training.entries.start_edit
    # A run that is on, or that was gone back in, stands at a step of its record.
    by_record = timeline.recording is not None and (run.task is not None or timeline.is_replaying)
    facts: dict[str, Any] = {
        "sheet": sheet,
        "optimizer": run.optimizer_name,
        "hyper": dataclasses.asdict(optimizer.hyper) if optimizer else None,
        "step": run.step,
        "is_failed": run.state == "failed",
        "note": run.note,
        "schedule": dataclasses.asdict(run.schedule) if run.schedule else None,
        "by_record": by_record,
    }
    state = optimizer.state_dict() if optimizer is not None and not by_record else None
    points = run.trace.arrays() if run.trace is not None else NO_POINTS
    path = training.path_noted() if isinstance(training, EpochTraining) else None

    def lay(shelf: Shelf) -> dict[str, Any]:
        last = timeline.end(facts["step"]) if by_record else facts["step"]
        if state is not None:
            facts["steps_taken"] = state["steps_taken"]
            for name, tensor in state["state"].items():
                shelf.arrays[f"{at}state/{name}"] = tensor.detach().cpu().numpy()
        facts["timeline"] = timeline_out(timeline, at, shelf)
        trace_out(points, at, shelf, last)
        facts["start"] = _start_out(start, at, shelf) if start is not None else None
        if path is not None:
            facts["path"] = {
                "epochs": path.epochs,
                "log_shift": path.log_shift,
                "errors_logged": encode(dict(path.errors_logged)),
                "base": encode(dict(path.base)),
            }
            shelf.arrays[f"{at}trail"] = path.points
        return facts

    return lay


# ------------------------------------------------------------------ the start of a run


def _start_out(edit: Edit, at: str, shelf: Shelf) -> list[Any]:
    """Lay out what the cells of a run held before its first step."""
    before = shelf.workbook.snapshot()
    _, change = before.apply(edit)
    regions = []
    for number, (sheet, region) in enumerate(change.values):
        store = before.sheet(sheet).cells
        values, kinds = store.read(region)
        shelf.arrays[f"{at}start{number}/values"] = values
        shelf.arrays[f"{at}start{number}/kinds"] = kinds
        formulas = [
            [unparse(f.expr, cell), encode(f.array), f.dynamic, list(cell)]
            for cell, f in sorted(store.formulas_in(region).items())
        ]
        regions.append([sheet, encode(region), formulas])
    return regions


def _start_in(entry: list[Any] | None, at: str, session: Session) -> Edit | None:
    if entry is None:
        return None
    edits: list[Edit] = []
    for number, (sheet, place, formulas) in enumerate(entry):
        region: Region = decode(place)
        values = np.asarray(session.arrays[f"{at}start{number}/values"])
        kinds = np.asarray(session.arrays[f"{at}start{number}/kinds"])
        cells = tuple(
            (Cell(*cell), Formula(parse(text, Cell(*cell)), decode(array), bool(dynamic)))
            for text, array, dynamic, cell in formulas
        )
        edits.append(PutBlocks(sheet, region, ((region, values, kinds),), cells, "Start"))
    return Composite(tuple(edits))


# ------------------------------------------------------------------ opening


def opener(
    session: Session, path: Path | None, settled: Callable[[Document], None] | None = None
) -> Callable[[Document], None]:
    """Return what shows a session in a document, with its runs where they were.

    Parameters
    ----------
    session : Session
    path : Path or None
        The file that it counts as; None for a workbook that no file has.
    settled : callable, optional
        Called when the runs are back; if not given, what is open counts as saved in `path` then.
    """
    facts = session.facts
    lesson = catalogue.LESSONS.get(str(facts.get("lesson")))
    if lesson is None:
        stem = path.stem if path is not None else blank.LESSON.title
        lesson = dataclasses.replace(blank.LESSON, title=str(facts.get("title", stem)))
    sheets = [sheet.id for sheet in session.workbook.sheets]
    home = facts.get("home")
    runs = {int(run["sheet"]): run for run in facts.get("runs", ())}
    main = runs.get(int(home)) if home is not None else None
    view = dict(facts.get("view", {}))
    book = LessonBook(
        workbook=session.workbook,
        problem=session.problem,
        optimizer=str(main["optimizer"]) if main else "adam",
        hyper=(main.get("hyper") or {}) if main else {},
        sheet=home if home in sheets else sheets[0],
        selection=Cell(*view.get("selection", (0, 0))),
        loss_name=str(facts.get("loss_name", "loss")),
    )
    held = held_of(session)

    def show(document: Document) -> None:
        document.open_book(
            book, lesson, path, seed=int(facts.get("seed", 0)), data=_crosstab(session),
            held=held, view=view,
        )  # fmt: skip
        for sheet in runs:
            document.training_at(sheet)
        resume(document, session, settled or as_saved)

    def as_saved(document: Document) -> None:
        if path is not None:
            document.saved(path, document.stamp())

    return show


def held_of(session: Session) -> dict[tuple[int, Cell], Formula]:
    """Return the formulas of a session that count as their stored values."""
    found: dict[tuple[int, Cell], Formula] = {}
    for sheet, row, col in session.facts.get("held", ()):
        formula = session.workbook.sheet(sheet).cells.formula((row, col))
        if formula is not None:
            found[sheet, Cell(row, col)] = formula
    return found


def _crosstab(session: Session) -> Crosstab | None:
    entry = session.facts.get("data")
    if entry is None or "data/ratings" not in session.arrays:
        return None
    return Crosstab(
        ratings=np.asarray(session.arrays["data/ratings"]),
        users=tuple(entry["users"]),
        items=tuple(entry["items"]),
        user_labels=tuple(entry["user_labels"]),
        item_labels=tuple(entry["item_labels"]),
        source=entry["source"],
    )


def resume(
    document: Document, session: Session, settled: Callable[[Document], None]
) -> None:
    """Put the runs where they were, once the engine is ready: step, state, rates, record."""
    kept = session.facts.get("kept", {"hypers": [], "tables": []})
    # Cells as the file has them, before anything is calculated or edited.
    still: Workbook = session.workbook.snapshot()
    shelves = Shelves(still, session.books, held_of(session), session.arrays, kept)

    def failed(error: BaseException) -> None:
        from gradsheet.app.messages import message_of

        document.say(message_of(error, f"opening {document.title}"))

    for entry in session.facts.get("runs", ()):
        training = document.training_at(int(entry["sheet"]))
        if training is None:
            continue

        def job(entry: Mapping[str, Any] = entry) -> Any:
            timeline = timeline_in(entry.get("timeline"), f"run{entry['sheet']}/", shelves)
            at_step = None
            if entry.get("by_record") and timeline.recording is not None:
                at_step = timeline.recording.show(int(entry["step"]))
            return timeline, at_step

        def then(
            found: Any, entry: Mapping[str, Any] = entry, training: Training = training
        ) -> None:
            _put(training, entry, session, *found)

        document.engine.submit(job, then, failed, "going on with the run")

    document.engine.submit(
        lambda: None, lambda _: settled(document), failed, "going on with the run"
    )


def _put(
    training: Training, entry: Mapping[str, Any], session: Session, timeline: Any, at_step: Any
) -> None:
    import torch

    run, at = training.run, f"run{entry['sheet']}/"
    optimizer = run.optimizer
    if optimizer is None or run.trace is None:
        return
    run.trace, run.timeline = trace_in(at, session.arrays), timeline
    run.schedule = ScheduleChoice(**entry["schedule"]) if entry.get("schedule") else None
    training.entries.start_edit = _start_in(entry.get("start"), at, session)
    if at_step is not None:
        run.stand_at(*at_step)
    else:
        state = {
            name.removeprefix(f"{at}state/"): torch.from_numpy(np.array(array))
            for name, array in session.arrays.items()
            if name.startswith(f"{at}state/")
        }
        optimizer.load(
            {
                "name": optimizer.rule.name,
                "hyper": dataclasses.asdict(optimizer.hyper),
                "steps_taken": int(entry.get("steps_taken", 0)),
                "state": state,
            }
        )
    path = entry.get("path")
    if isinstance(training, EpochTraining) and path is not None:
        epochs = tuple(path["epochs"]) if path["epochs"] is not None else None
        training.put_path(
            PathNote(
                np.asarray(session.arrays[f"{at}trail"]), epochs, int(path["log_shift"]),
                decode(path["errors_logged"]), decode(path["base"]),
            )
        )
    _stand(run, entry)


def _stand(run: Run, entry: Mapping[str, Any]) -> None:
    run.step = int(entry.get("step", 0))
    run.state = "paused" if run.step else "idle"
    run.note = ""
    if entry.get("is_failed"):
        run.state, run.note = "failed", str(entry.get("note", ""))
