"""Opening and saving: sessions, workbooks, and what of a run goes into a file.

Owns which ending means which format and how a run is laid into a session and taken out again.
Reading and writing happen on the engine's thread; the open workbook is untouched until a file
has been read whole. Knows no window.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gradsheet.app.messages import Level, Message, message_of
from gradsheet.app.saving.reading import Reading
from gradsheet.app.saving.session_state import opener, session_of
from gradsheet.formula.address import MAX_ROWS, Cell
from gradsheet.formula.values import UserError
from gradsheet.lessons import blank
from gradsheet.lessons.lesson import Lesson, LessonBook
from gradsheet.tasks import Cancelled

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.saving.filing import Claim
    from gradsheet.learn.problem import Problem
    from gradsheet.sheet.names import DefinedName
    from gradsheet.sheet.workbook import Workbook

SESSION = ".gradsheet"
WORKBOOKS = (".xlsx", ".xlsm")
KINDS = (SESSION, *WORKBOOKS)
"""Endings that `open_file` reads; files of ratings go through the import."""


def is_workbook(path: Path) -> bool:
    """Return whether a file is opened as a workbook rather than as ratings."""
    return path.suffix.lower() in KINDS


def open_file(document: Document, path: Path) -> None:
    """Read a session or a workbook and show it in the place of what is open.

    What cannot be read is said in a message; the open workbook stays then.
    """
    is_session = path.suffix.lower() == SESSION
    filing = document.filing
    if document.reading is not None:
        document.reading.cancel()
    reading = document.reading = Reading()

    def job() -> tuple[Callable[[Document], None], Claim | None]:
        claim = filing.claim(path) if filing is not None else None
        try:
            return (_read_session(path, reading) if is_session else _read_workbook(path)), claim
        except BaseException:
            if filing is not None and claim is not None:
                filing.give_up(claim)
            raise

    def ended() -> None:
        if document.reading is reading:
            document.reading = None

    def show(found: tuple[Callable[[Document], None], Claim | None]) -> None:
        ended()
        found[0](document)
        if filing is not None and found[1] is not None:
            filing.opened(found[1])

    def failed(error: BaseException) -> None:
        ended()
        if not isinstance(error, Cancelled):
            document.say(message_of(error, f"opening {path.name}"))

    document.engine.submit(job, show, failed, f"opening {path.name}")


def save_file(
    document: Document,
    path: Path,
    *,
    may_replace: bool = False,
    then: Callable[[bool], None] | None = None,
) -> None:
    """Write the open workbook; the ending says the format. Raises UserError for another one.

    A message says what was written, or why it was not; an old file is whole either way.

    Parameters
    ----------
    may_replace : bool
        Whether the file may be replaced though somebody has changed it since it was opened.
    then : callable, optional
        Told at the end whether it was written.
    """
    is_back = path == document.path and path.suffix.lower() in WORKBOOKS
    if path.suffix.lower() not in (SESSION, ".xlsx") and not is_back:
        raise UserError(
            f"gradsheet cannot write {path.suffix or 'a file without an ending'}.",
            "Choose a name that ends in .gradsheet (everything) or .xlsx (for Excel).",
        )
    if document.ratings is not None:
        _check_rating_set(document.workbook, path)
    document.pause_run()
    if path.suffix.lower() == SESSION:
        job = _session_job(document, path)
    elif is_back:
        job = _save_back_job(document, path)
    else:
        job = workbook_job(document, path)
    stamp, workbook, filing = document.stamp(), document.workbook, document.filing

    def write() -> tuple[Message, Claim | None]:
        claim = filing.claim(path) if filing is not None else None
        try:
            if filing is not None and claim is not None:
                filing.check(claim, may_replace=may_replace)
            return job(), claim
        except BaseException:
            if filing is not None and claim is not None:
                filing.give_up(claim)
            raise

    def done(written: tuple[Message, Claim | None]) -> None:
        message, claim = written
        is_it = path.suffix.lower() == SESSION or (is_back and message.level == "info")
        if is_it and document.workbook is workbook:
            if filing is not None and claim is not None:
                filing.saved(claim)
            document.saved(path, stamp)
        elif filing is not None and claim is not None:
            filing.give_up(claim)
        document.say(message)
        if then is not None:
            then(True)

    def failed(error: BaseException) -> None:
        message = message_of(error, f"saving {path.name}")
        document.say(dataclasses.replace(message, action="file.save_as"))
        if then is not None:
            then(False)

    document.engine.submit(write, done, failed, f"saving {path.name}", is_lasting=True)


def _check_rating_set(workbook: Workbook, path: Path) -> None:
    """Raise UserError where the workbook of a rating set is too long for Excel."""
    if path.suffix.lower() == SESSION:
        return
    longest = max(sheet.cells.used().bottom for sheet in workbook.sheets)
    if longest > MAX_ROWS:
        raise UserError(
            f"Its longest table has {longest:,} rows; a sheet of Excel has {MAX_ROWS:,}.",
            "Save it as .gradsheet, or export the crosstab alone.",
        )


# ------------------------------------------------------------------ workbooks of Excel


def _read_workbook(path: Path) -> Callable[[Document], None]:
    from gradsheet.files.solver_model import chosen_model
    from gradsheet.files.support import unsupported_cells
    from gradsheet.files.xlsx_read import read_xlsx

    imported = read_xlsx(path)
    workbook = imported.workbook
    held = {
        (sheet, cell): formula
        for sheet, cell in unsupported_cells(workbook)
        if (formula := workbook.sheet(sheet).cells.formula(cell)) is not None
    }
    shown = imported.facts.active_sheet or workbook.sheets[0].id
    model = chosen_model(workbook, shown)
    problem = None
    notes = [str(finding) for finding in imported.report.findings]
    if model is not None:
        try:
            problem = model.problem()
            shown = model.sheet
        except UserError as error:
            notes.append(error.text)
    book = LessonBook(
        workbook=workbook,
        problem=problem,
        optimizer="adam",
        hyper={"lr": 0.05},
        sheet=shown,
        selection=problem.loss[1] if problem is not None else Cell(0, 0),
    )

    def show(document: Document) -> None:
        document.open_book(book, _own(path), path, held=held)
        text = f"{path.name} is open."
        if problem is not None:
            text += " Its Solver model says what is learned: Step and Run train it."
        level: Level = "warning" if imported.report.lost else "info"
        hint = "The details list what in it has no meaning here." if notes else ""
        document.say(Message(level, text, hint, "\n".join(notes)))

    return show


def workbook_job(document: Document, path: Path) -> Callable[[], Message]:
    """Return what writes the open workbook anew as .xlsx and says so, on any thread."""
    workbook = copy.copy(document.workbook)  # the same sheets, names of its own
    if document.has_problem:
        workbook.names = _names_with(workbook, document.problem)
    source = document.path

    def job() -> Message:
        from gradsheet.files.xlsx_write import write_xlsx

        if _kept_with(source, workbook, path):
            return Message("info", f"Saved {path.name}; what else its source holds was kept.")
        lost = [str(finding) for finding in write_xlsx(workbook, path).findings]
        hint = "Some things have no place in an .xlsx file; the details say which." if lost else ""
        left = _left_behind(source)
        if left:
            hint = "The details list what of the file that it came from is not in it."
        level: Level = "warning" if left else "info"
        text = f"Saved {path.name}, with live formulas."
        return Message(level, text, hint, "\n".join([*lost, *left]))

    return job


def _names_with(workbook: Workbook, problem: Problem) -> tuple[DefinedName, ...]:
    """The names with what is learned as Solver model; conditions that were there stay."""
    from gradsheet.files.solver_model import model_of_problem, solver_model_of, with_model

    sheet, cell = problem.loss
    if workbook.sheet(sheet).cells.formula(cell) is None:
        return workbook.names  # epochs of a sheet without an error
    model, known = model_of_problem(problem), solver_model_of(workbook, sheet)
    if known is not None:
        model = dataclasses.replace(
            known, objective=model.objective, changing=model.changing, goal=model.goal,
            target=model.target, faults=(),
        )  # fmt: skip
        if model == known:
            return workbook.names  # with all that Excel's Solver has noted there
    return with_model(workbook.names, workbook, model)


def _kept_with(source: Path | None, workbook: Workbook, path: Path) -> bool:
    """Save a copy of the file that the workbook came from, with all that gradsheet knows not of.

    False where that file is gone, of another kind, or has no place for some of the changes.
    """
    from gradsheet.files.patch import Patch

    if source is None or source.suffix.lower() != path.suffix.lower() or not source.is_file():
        return False
    try:
        patch = Patch(source, workbook)
    except UserError:  # its sheets are others now, or it cannot be read any more
        return False
    if patch.unwritten:
        return False
    patch.save(path)
    return True


def _left_behind(source: Path | None) -> list[str]:
    """What the file that a workbook came from holds and a new one will not."""
    from gradsheet.files.xlsx_read import read_xlsx

    if source is None or source.suffix.lower() not in WORKBOOKS or not source.is_file():
        return []
    try:
        return [f"not in the new file: {finding}" for finding in read_xlsx(source).report.lost]
    except UserError:
        return []


def _save_back_job(document: Document, path: Path) -> Callable[[], Message]:
    """Save over the workbook that is open, keeping what gradsheet does not know of in it.

    Where that would lose something of gradsheet's, a new file is written beside it instead.
    """
    beside = path.with_name(f"{path.stem} (gradsheet).xlsx")
    workbook, write_new = document.workbook, workbook_job(document, beside)

    def job() -> Message:
        from gradsheet.files.patch import Patch

        try:
            patch = Patch(path, workbook)
            unwritten = [str(finding) for finding in patch.unwritten]
        except UserError as error:  # its sheets are others now
            unwritten = [error.text]
        if not unwritten:
            patch.save(path)
            return Message("info", f"Saved {path.name}; what else it holds was kept.")
        made = write_new()
        return Message(
            "warning",
            f"{path.name} was left as it is; the workbook was saved beside it as {beside.name}.",
            "Some changes have no place in the old file; the details say which.",
            "\n".join([*unwritten, made.detail]),
        )

    return job


# ------------------------------------------------------------------ sessions


def _own(path: Path) -> Lesson:
    return dataclasses.replace(blank.LESSON, title=path.stem)


def _session_job(document: Document, path: Path) -> Callable[[], Message]:
    if document.ratings is not None:
        from gradsheet.app.ratings.saving import session_of_ratings

        session = session_of_ratings(document)
    else:
        session = session_of(document)

    def job() -> Message:
        from gradsheet.files.session import save_session

        save_session(session(), path)
        return Message("info", f"Saved {path.name}.")

    return job


def _read_session(path: Path, reading: Reading) -> Callable[[Document], None]:
    from gradsheet.files.session import load_session

    session = load_session(path)
    if "ratings" in session.facts:
        from gradsheet.app.ratings.saving import opener_of_ratings

        return opener_of_ratings(session, path, reading=reading)
    show = opener(session, path)

    def shown(document: Document) -> None:
        show(document)
        document.say(Message("info", f"{path.name} is open."))

    return shown
