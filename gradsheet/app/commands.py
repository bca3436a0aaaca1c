"""The table of commands: what menus, tool bar, palette and the shortcut sheet are made from.

A command is a decorated function on a `Document`; its docstring is its help. Commands that need
a window (open a dialog, copy, zoom) are declared in `qt.actions` in the same form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradsheet.app.document import Document
from gradsheet.app.phases import can_be_shown
from gradsheet.lessons.catalogue import LESSONS


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a user can do.

    Attributes
    ----------
    id : str
        Unique, ``area.verb``.
    title : str
        As the menu shows it, without shortcut.
    menu : str
        Menu it stands in: File, Edit, View, Sheet, Train, Lesson or Help.
    shortcuts : tuple of str
        Portable key names ("Ctrl+Z"); the first is shown. Unique over the table.
    icon : str
        Name below `resources/icons`, without ending; empty for none.
    help : str
        What it does, in one sentence.
    run : callable (context) -> None
        Gets the `Document`, or the window for commands declared in `qt`.
    is_enabled : callable (context) -> bool
    is_checked : callable (context) -> bool, optional
        For a switch: whether it is on.
    group : int
        Commands of one menu stand in groups between separators, in order of declaration.
    needs : str
        Why it is not possible while it is not enabled, as the palette says it.
    """

    id: str
    title: str
    menu: str
    shortcuts: tuple[str, ...]
    icon: str
    help: str
    run: Callable[[Any], object]
    is_enabled: Callable[[Any], bool]
    is_checked: Callable[[Any], bool] | None = None
    group: int = 0
    needs: str = ""


COMMANDS: dict[str, Command] = {}


def command(
    id: str,
    title: str,
    *,
    menu: str,
    shortcuts: tuple[str, ...] = (),
    icon: str = "",
    enabled: Callable[[Any], bool] = lambda _: True,
    checked: Callable[[Any], bool] | None = None,
    group: int = 0,
    needs: str = "",
    table: dict[str, Command] | None = None,
) -> Callable[[Callable[[Any], object]], Callable[[Any], object]]:
    """Put the decorated function into the table; its docstring's first line is the help.

    Raises
    ------
    ValueError
        If the id or a shortcut is taken, or the function has no docstring.
    """
    target = COMMANDS if table is None else table

    def register(function: Callable[[Any], object]) -> Callable[[Any], object]:
        help_text = (function.__doc__ or "").strip().split("\n")[0]
        taken = {key for entry in target.values() for key in entry.shortcuts}
        if not help_text:
            raise ValueError(f"command {id} has no docstring")
        if id in target or taken.intersection(shortcuts):
            raise ValueError(f"command {id}: its id or a shortcut of {shortcuts} is taken")
        target[id] = Command(
            id, title, menu, shortcuts, icon, help_text, function, enabled, checked, group,
            needs,
        )
        return function

    return register


@command("file.new", "New workbook", menu="File", shortcuts=("Ctrl+N",), icon="file-plus")
def new_workbook(document: Document) -> None:
    """Open an empty sheet; give its cells roles and it learns."""
    document.new_workbook()


@command(
    "edit.undo",
    "Undo",
    menu="Edit",
    shortcuts=("Ctrl+Z",),
    icon="undo-2",
    enabled=lambda document: document.history.can_undo,
    needs="Nothing has been done yet",
)
def undo(document: Document) -> None:
    """Take the last edit or training run back."""
    document.undo()


@command(
    "edit.redo",
    "Redo",
    menu="Edit",
    shortcuts=("Ctrl+Y", "Ctrl+Shift+Z"),
    icon="redo-2",
    enabled=lambda document: document.history.can_redo,
    needs="Nothing has been undone",
)
def redo(document: Document) -> None:
    """Do again what was undone last."""
    document.redo()


@command("train.step", "Step", menu="Train", shortcuts=("Space",), icon="step-forward")
def step(document: Document) -> None:
    """Take one step of the optimizer, then pause."""
    document.step_run()


def _can_go_back(document: Document) -> bool:
    training = document.training
    return training is not None and training.first_step < document.run.step


def _has_future(document: Document) -> bool:
    training = document.training
    return training is not None and document.run.step < training.last_step


@command(
    "train.back", "Step back", menu="Train", shortcuts=("Shift+Space",), icon="step-back",
    enabled=_can_go_back, needs="The run is at its start",
)  # fmt: skip
def step_back(document: Document) -> None:
    """Show the step before, as it was to the last bit."""
    document.step_back()


@command("train.first", "Go to the start of the run", menu="Train", icon="skip-back",
         enabled=_can_go_back, needs="The run is at its start", group=2)  # fmt: skip
def go_to_start(document: Document) -> None:
    """Show the first recorded step; the run can be gone through or branched from there."""
    document.seek_run(document.run_view().first_step)


@command("train.last", "Go to the end of the run", menu="Train", icon="skip-forward",
         enabled=_has_future, needs="The run is at its end", group=2)  # fmt: skip
def go_to_end(document: Document) -> None:
    """Show the last recorded step."""
    document.seek_run(document.run_view().last_step)


@command(
    "train.best", "Go to the best step", menu="Train", icon="star", group=2,
    enabled=lambda document: _can_go_back(document) or _has_future(document),
    needs="No run has been recorded yet",
)  # fmt: skip
def go_to_best(document: Document) -> None:
    """Show the recorded step with the smallest loss."""
    document.seek_best()


@command(
    "train.play_back", "Play backwards", menu="Train", shortcuts=("Shift+F5",), icon="rewind",
    enabled=lambda document: _can_go_back(document) or document.run_view().is_rewinding,
    checked=lambda document: document.run_view().is_rewinding,
    needs="The run is at its start", group=2,
)  # fmt: skip
def play_back(document: Document) -> None:
    """Play the run backwards to its start; once more stops it."""
    document.play_back()


@command(
    "train.phase", "Next phase of a step", menu="Train", shortcuts=("F6",), icon="footprints",
    enabled=can_be_shown, needs="Here a step has no such phases: its rows are the steps",
)  # fmt: skip
def next_phase(document: Document) -> None:
    """Take a step in four: forward, loss, gradient, update; the cells of each light up."""
    document.next_phase()


@command("train.five", "Five steps", menu="Train", shortcuts=("Ctrl+F5",), icon="fast-forward")
def five_steps(document: Document) -> None:
    """Take five steps, as the lecture's Run button takes five epochs, then pause."""
    document.step_run(5)


@command("train.run", "Run / Pause", menu="Train", shortcuts=("F5",), icon="play")
def toggle_run(document: Document) -> None:
    """Run the optimizer step by step until paused."""
    document.toggle_run()


@command(
    "train.reset",
    "Reset",
    menu="Train",
    shortcuts=("Ctrl+Shift+R",),
    icon="rotate-ccw",
    enabled=lambda document: document.run.step > 0,
    needs="No step has been taken yet",
)
def reset(document: Document) -> None:
    """Put the trained cells back to exactly what they were before the first step."""
    document.reset_run()


@command(
    "train.new_start",
    "New random start",
    menu="Train",
    shortcuts=("Ctrl+Shift+N",),
    icon="dices",
    group=1,
)
def new_start(document: Document) -> None:
    """Draw new random numbers for the trained cells, from the next seed."""
    document.new_start()


@command(
    "train.retry_slower",
    "Back to the last good step, at a tenth of the rate",
    menu="Train",
    icon="turtle",
    group=1,
    enabled=lambda document: document.run.state == "failed",
    needs="Only after a run that failed",
)
def retry_slower(document: Document) -> None:
    """Go back to where a run that failed was still well, and set a tenth of its rate."""
    document.retry_slower()


@command("lesson.restart", "Restart this lesson", menu="Lesson", icon="refresh-cw", group=1)
def restart_lesson(document: Document) -> None:
    """Open the lesson again as it was at the start, for the next student."""
    document.restart_lesson()


@command(
    "lesson.of_ratings", "Open as lesson", menu="Lesson", icon="graduation-cap", group=1,
    enabled=lambda document: document.ratings_book is not None,
    needs="Only for an open set of ratings",
)  # fmt: skip
def open_as_lesson(document: Document) -> None:
    """Make a lesson of the crosstab's ratings, the busiest users and items, in live formulas."""
    from gradsheet.app.ratings.pairs import lesson_crosstab_of

    book = document.ratings_book
    assert book is not None
    kind = "bias" if book.session.model_choice.kind == "bias" else "dotprod"
    document.open_crosstab(lesson_crosstab_of(book.pairs, book.session.source), kind)


def _declare_lessons() -> None:
    for lesson in LESSONS.values():

        def open_lesson(document: Document, lesson_id: str = lesson.id) -> None:
            document.open_lesson(lesson_id)

        open_lesson.__doc__ = f"{lesson.summary}"
        command(f"lesson.open.{lesson.id}", lesson.title, menu="Lesson")(open_lesson)


_declare_lessons()
