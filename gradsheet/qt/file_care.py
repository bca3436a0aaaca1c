"""That nothing is lost: the question before work goes, autosaves, recovery, other windows' files.

Owns these for one window, and puts them to the user. When an autosave is due is `app.autosave`'s,
who holds a file is `app.filing`'s. A window without it (as in tests) closes without a question.
"""

from __future__ import annotations

import html
import traceback
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QPushButton

from gradsheet.app import settings as settings_file
from gradsheet.app.messages import Message, message_of
from gradsheet.app.saving import crash, recovery
from gradsheet.app.saving.autosave import Autosave, folder
from gradsheet.app.saving.filing import Filing
from gradsheet.files.autosaves import Autosaved
from gradsheet.formula.values import UserError
from gradsheet.qt import file_commands
from gradsheet.qt.recovery_bar import RecoveryBar
from gradsheet.qt.widgets.styling import PLAIN_BUTTONS, set_style
from gradsheet.tasks import Control, Task

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

LOST = "gradsheet ended before this was saved."
HINT = "The details say where; copy them into a bug report."
LYING_ASIDE = "Unsaved work that lies aside."
ASKING = ("file.new", "lesson.open.", "lesson.of_ratings")
"""How the ids of commands begin that put another workbook in the place of the one that is open."""


class FileCare(QObject):
    """Looks after the work in one window.

    Parameters
    ----------
    window : MainWindow
        With its document; gets the recovery bar above its sheet.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._document = window.document
        self.filing = Filing(self._document)
        self.autosave = Autosave(self._document)
        self.question: QMessageBox | None = None
        self._then: Callable[[], None] | None = None
        self._is_ending = False
        """Whether the window may close without a question."""
        self._is_told_to_end = False
        """Whether it closes because the system says so, with work that nobody was asked about."""
        self._is_closed = False
        self._looking: Task[None, list[Autosaved]] | None = None
        self._heading = LOST
        centre = window.centralWidget()
        self.bar = RecoveryBar(centre)
        centre.layout().insertWidget(0, self.bar)
        self.bar.recover_asked.connect(self._on_recover)
        self.bar.original_asked.connect(self._on_original)
        self.bar.discard_asked.connect(self._on_discard)
        window.care = self

    # ------------------------------------------------------------------ the clock

    @property
    def is_busy(self) -> bool:
        """Whether a thread looks for lost work."""
        return self._looking is not None

    def poll(self) -> None:
        """Go on where a thread has finished; called by the frame clock."""
        self.autosave.poll()
        task = self._looking
        if task is not None and task.is_done:
            self._looking = None
            if task.error is not None:
                self._document.say(message_of(task.error, "looking for unsaved work"))
            else:
                self._show(task.result())

    # ------------------------------------------------------------------ the question

    def asks_before(self, command: str) -> bool:
        """Whether a command puts another workbook in the place of the one that is open."""
        return command.startswith(ASKING)

    def ask(self, then: Callable[[], None]) -> None:
        """Do something after which what is open is gone; ask first if it is unsaved.

        What only Run has made is not asked about: it is put aside.
        """
        if not self._document.is_edited or self._document.stamp() == self.autosave.forsaken:
            then()
            return
        self._then = then
        if self.question is None:
            self.question = self._make_question()
            self.question.open()
        self.question.raise_()

    def may_close(self) -> bool:
        """Whether the window may close now; else the question is put and closes it later."""
        if QGuiApplication.instance().isSavingSession():
            self._is_ending = self._is_told_to_end = True
        if self._is_ending:
            return True
        if not self._document.is_edited:
            return True
        self.ask(self._close_window)
        return False

    def end(self) -> None:
        """Close at once, as on a signal: unsaved work is written aside and offered again."""
        self._is_ending = self._is_told_to_end = True
        self._window.close()

    def save_aside(self) -> None:
        """Write unsaved work aside and wait for it: the program may be about to end."""
        try:
            self.autosave.now()
        except Exception:
            traceback.print_exc()

    def save_soon(self) -> None:
        """Write unsaved work aside without waiting; something has just gone wrong."""
        try:
            self.autosave.soon()
        except Exception:  # what went wrong may be what is to be saved; tell of the first
            traceback.print_exc()

    def close(self) -> None:
        """The window closes: keep what has to be kept, and let go of the files; once."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if self.question is not None:
            self._then = None
            self.question.close()
        keep = self._is_told_to_end and self._document.is_edited
        if not keep:
            self.autosave.put_aside()
        self.autosave.close(keep=keep)
        self.filing.leave()

    def _make_question(self) -> QMessageBox:
        document = self._document
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowModality(Qt.WindowModality.WindowModal)
        box.setIcon(QMessageBox.Icon.NoIcon)
        set_style(box, PLAIN_BUTTONS)
        box.setWindowTitle("Unsaved changes")
        box.setText(f"<b>Save the changes to {html.escape(document.title)}?</b>")
        is_new = document.path is None or document.is_read_only
        where = "You will be asked for a name. " if is_new else ""
        box.setInformativeText(f"{where}Without saving, they are lost.")
        save = box.addButton(
            "&Save…" if is_new else "&Save", QMessageBox.ButtonRole.AcceptRole
        )
        no = box.addButton("&Don't save", QMessageBox.ButtonRole.DestructiveRole)
        cancel = box.addButton("&Cancel", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(save)
        box.setEscapeButton(cancel)
        # Also the window manager can close it, which presses no button: that is Cancel.
        box.finished.connect(partial(self._on_answer, save, no))
        return box

    def _on_answer(self, save: QPushButton, no: QPushButton, _code: int) -> None:
        box, self.question = self.question, None
        then, self._then = self._then, None
        if box is None or then is None:
            return
        if box.clickedButton() is no:
            self.autosave.forsake()
            then()
        elif box.clickedButton() is save:
            self._save(then)

    def _save(self, then: Callable[[], None]) -> None:
        document, window = self._document, self._window
        saved = partial(self._on_saved, then)
        try:
            if document.path is None or document.is_read_only:
                file_commands.ask_and_save(window, saved)
            else:
                file_commands.save_path(window, document.path, then=saved)
        except UserError as error:
            document.say(message_of(error, "saving"))

    def _on_saved(self, then: Callable[[], None], is_written: bool) -> None:
        if is_written:
            self.autosave.forsake()  # it lies in a file, though perhaps one that holds no run
            then()

    def _close_window(self) -> None:
        self._is_ending = True
        self._window.close()

    # ------------------------------------------------------------------ recovery

    def look_for_lost(self) -> None:
        """Look whether an earlier window left work, and offer it; say what ended it."""
        for report in crash.reports(folder()):
            self._document.say(
                Message("warning", "gradsheet was ended by a fault the last time.", HINT, report)
            )
        self._look(LOST, partial(recovery.lost))

    def show_everything(self) -> None:
        """Offer all work that lies aside, also what was left on purpose."""
        self._look(LYING_ASIDE, partial(recovery.everything))

    def _look(self, heading: str, find: Callable[[], list[Autosaved]]) -> None:
        if self._looking is not None:
            self._looking.cancel()
        self._heading = heading
        self._looking = Task("looking for unsaved work", _looker(find)).start()
        self._window.clock.wake()

    def _show(self, entries: Sequence[Autosaved]) -> None:
        self.bar.offer(entries, self._heading)
        if not entries and self._heading == LYING_ASIDE:
            self._document.say(Message("info", "No unsaved work lies aside."))

    def _on_recover(self, entry: Autosaved) -> None:
        self.ask(partial(self._recover, entry))

    def _recover(self, entry: Autosaved) -> None:
        try:
            recovery.recover(self._document, self.autosave, entry)
        except UserError as error:
            self._document.say(message_of(error, "recovering"))
        self._drop(entry)

    def _on_original(self, entry: Autosaved) -> None:
        if entry.original is not None:
            file_commands.open_path(self._window, entry.original)

    def _on_discard(self, entry: Autosaved) -> None:
        recovery.discard(entry)
        self._drop(entry)

    def _drop(self, entry: Autosaved) -> None:
        left = [row.entry for row in self.bar.rows if row.entry != entry]
        self.bar.offer(left, self._heading)
        self._window.clock.wake()
        self._window.grid.setFocus()

    # ------------------------------------------------------------------ the settings

    def remember(self) -> None:
        """Write the settings, so that a crash does not forget the recent files."""
        settings = self._window.settings
        kept = settings_file.copy_of(settings)
        Task("keeping the settings", _keeper(kept)).start()


def _looker(
    find: Callable[[], list[Autosaved]],
) -> Callable[[Control], Generator[None, None, list[Autosaved]]]:
    def look(_: Control) -> Generator[None, None, list[Autosaved]]:
        yield
        return find()

    return look


def _keeper(settings: settings_file.Settings) -> Callable[[Control], Generator[None, None, None]]:
    def keep(_: Control) -> Generator[None, None, None]:
        yield
        settings_file.save(settings)

    return keep
