"""Commands of ratings: get them from GroupLens, make them up, export what was learned.

Owns their titles and menus, in the same form as `actions`, and shows their windows, one of each
at a time. What arrives goes into the sheet through the main window and the document.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QFileDialog

from gradsheet.app.commands import Command, command
from gradsheet.app.messages import Message
from gradsheet.formula.address import Cell
from gradsheet.formula.values import UserError

if TYPE_CHECKING:
    from gradsheet.app.ratings.laid_out import LaidOut
    from gradsheet.app.ratings.workbook import RatingsBook
    from gradsheet.qt.dialogs.add_rating import AddRating
    from gradsheet.qt.main_window import MainWindow

RATINGS_COMMANDS: dict[str, Command] = {}
_ratings = partial(command, table=RATINGS_COMMANDS)


@_ratings("file.get_movielens", "Get MovieLens ratings…", menu="File", icon="download")
def get_movielens(window: MainWindow) -> None:
    """Download a set of film ratings from GroupLens, its licence and size shown before."""
    from gradsheet.qt.dialogs.get_movielens import GetMovieLens

    dialog = window.findChild(GetMovieLens)
    if dialog is None or not dialog.isVisible():  # a closed one is about to be deleted
        dialog = GetMovieLens(window, window.clock)
        dialog.got.connect(partial(_open_file, window))
        window.closed.connect(dialog.close)
    _bring_up(dialog)


@_ratings("file.make_ratings", "Make ratings…", menu="File", icon="wand-sparkles")
def make_ratings(window: MainWindow) -> None:
    """Make up ratings from planted factors: as many as you like, as noisy as you like."""
    from gradsheet.qt.dialogs.make_ratings import MakeRatings

    dialog = window.findChild(MakeRatings)
    if dialog is None or not dialog.isVisible():  # a closed one is about to be deleted
        dialog = MakeRatings(window, window.clock)
        dialog.made.connect(partial(_open_book, window))
        window.closed.connect(dialog.close)
    _bring_up(dialog)


@_ratings("sheet.choose_crosstab", "Choose the crosstab…", menu="Sheet", icon="grid-3x3",
          shortcuts=("Ctrl+Alt+X",), group=2,
          enabled=lambda window: window.document.ratings_book is not None,
          needs="Open a file of ratings first")  # fmt: skip
def choose_crosstab(window: MainWindow) -> None:
    """Choose the users and items that the crosstab shows, or the busiest so many."""
    from gradsheet.qt.dialogs.choose_crosstab import ChooseCrosstab

    dialog, book = window.findChild(ChooseCrosstab), window.document.ratings_book
    assert book is not None
    if dialog is None or not dialog.isVisible():  # a closed one is about to be deleted
        dialog = ChooseCrosstab(book, window.clock, window)
        dialog.chosen.connect(partial(_show_pairs, window, book))
        window.closed.connect(dialog.close)
        window.notifier.replaced.connect(dialog.close)
    _bring_up(dialog)


@_ratings("ratings.add", "Add a rating…", menu="Sheet", icon="list-plus", group=2,
          enabled=lambda window: window.document.ratings_book is not None,
          needs="Open a file of ratings first")  # fmt: skip
def add_rating(window: MainWindow) -> None:
    """Add a rating of a user for an item; clearing one in Ratings or Crosstab removes it."""
    from gradsheet.qt.dialogs.add_rating import AddRating

    dialog, book = window.findChild(AddRating), window.document.ratings_book
    assert book is not None
    if dialog is None or not dialog.isVisible():
        dialog = AddRating(book.session, window.clock, window)
        dialog.asked.connect(partial(_add_rating, window, book, dialog))
        window.closed.connect(dialog.close)
        window.notifier.replaced.connect(dialog.close)
    _bring_up(dialog)


def _add_rating(
    window: MainWindow, book: RatingsBook, dialog: AddRating, user: int, item: int, stars: float
) -> None:
    from gradsheet.app.ratings import rating_edits
    from gradsheet.app.ratings.workbook import RATING

    try:
        window.document.apply(rating_edits.added(book, user, item, stars))
    except UserError as error:
        dialog.say(f"{error.text} {error.hint}")
        return
    dialog.say(f"Added, row {len(book.session.table) + 1:,} of Ratings; Undo takes it back.")
    window.grid.go_to_sheet(book.ratings.id)
    window.grid.select(Cell(book.ratings_store.shown, RATING))
    window.after_command()


def _show_pairs(window: MainWindow, book: RatingsBook, laid: LaidOut) -> None:
    from gradsheet.app.ratings.workbook import OtherPairs

    window.grid.go_to_sheet(book.crosstab.id)
    window.grid.attempt(OtherPairs(book, laid.pairs, laid), None)
    window.grid.select(book.shape.predictions.first)
    window.after_command()


@_ratings(
    "export.learned", "What was learned…", menu="File/Export", icon="folder-output", group=3,
    enabled=lambda window: window.document.ratings is not None
    and window.document.ratings.steps_done > 0,
    needs="Only for a set of ratings that has been learned",
)  # fmt: skip
def export_learned(window: MainWindow) -> None:
    """Write embeddings, predictions, the crosstab with formulas and a script into a folder."""
    from gradsheet.app.ratings import outputs

    recent = [path for path in (window.document.path, *window.settings.recent[:1]) if path]
    start = Path(recent[0]).parent if recent else Path.home()
    title = "Folder for embeddings, predictions, crosstab and script"
    name = QFileDialog.getExistingDirectory(window, title, str(start))
    if name:
        outputs.export_learned(window.document, Path(name))
        window.clock.wake()


def _bring_up(dialog: QDialog) -> None:
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()


def _open_file(window: MainWindow, path: Path) -> None:
    window.open_ratings(path, ask=False)


def _open_book(window: MainWindow, book: RatingsBook) -> None:
    window.document.open_ratings(book)
    window.document.say(
        Message("info", "The ratings are made.", "Press F5 to learn; the map shows the tastes.")
    )
    window.clock.wake()
    window.grid.setFocus()
