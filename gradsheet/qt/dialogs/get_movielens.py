"""The MovieLens sets to choose from: what is in each, on which conditions, and its download.

Owns the window and the one download that it has under way; closing it stops that. Says `got`
with the file that is on this computer then; opens nothing itself. Never modal.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.messages import message_of
from gradsheet.qt.frame_clock import FrameClock
from gradsheet.qt.panels.progress_strip import ProgressStrip
from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.figures import count_text
from gradsheet.qt.widgets.styling import PLAIN_BUTTONS, set_style
from gradsheet.ratings.download import STALL_S, megabytes
from gradsheet.ratings.movielens import (
    CATALOGUE,
    CITATION,
    CITATION_URL,
    MovieLens,
    data_folder,
    getter,
    kept,
)
from gradsheet.tasks import Progress, Task

COLUMNS = ("Set", "Ratings", "Users", "Films", "Download", "On this computer")


def conditions_html(entry: MovieLens, colour: str) -> str:
    """Return what a user should know of a set before having it, as rich text."""
    style = f"style='color: {colour}'"
    items = "".join(f"<li>{html.escape(line)}</li>" for line in entry.conditions)
    return (
        f"<p>{html.escape(entry.about)}</p>"
        f"<p>Conditions of the University of Minnesota:</p><ul style='margin-left: -20px'>{items}"
        f"</ul><p><a {style} href='{entry.licence_url}'>Licence and description in full</a></p>"
        f"<p>Cite: {html.escape(CITATION)} <a {style} href='{CITATION_URL}'>{CITATION_URL}</a></p>"
    )


class GetMovieLens(QDialog):
    """Shows the catalogue, downloads the chosen set, or gives the one that is there.

    Parameters
    ----------
    parent : QWidget
    clock : FrameClock
        Its ticks bring progress in.
    catalogue : sequence of MovieLens
    folder : Path, optional
        Where sets are kept; the user's data folder if not given.
    stall_s : float
        Seconds without a byte after which a download is given up.
    """

    got = Signal(object)
    """The `Path` of the set that was asked for."""

    def __init__(
        self,
        parent: QWidget,
        clock: FrameClock,
        *,
        catalogue: Sequence[MovieLens] = CATALOGUE,
        folder: Path | None = None,
        stall_s: float = STALL_S,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Get MovieLens ratings")
        self._catalogue = tuple(catalogue)
        self._folder = folder or data_folder()
        self._stall_s = stall_s
        self._task: Task[Progress, Path] | None = None
        self._build_table()
        self._about = self._label(links=True)
        self._about.setAccessibleName("Conditions")
        self._note = self._label()
        self.strip = ProgressStrip(self)
        policy = self.strip.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.strip.setSizePolicy(policy)
        self.strip.cancelled.connect(self.stop)
        set_style(self, PLAIN_BUTTONS)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.button = buttons.addButton("Download", QDialogButtonBox.ButtonRole.AcceptRole)
        self.button.setDefault(True)
        # Enter must not close the window while the other button is disabled.
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.accepted.connect(self.get)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        for widget in (self.table, self._about):
            column.addWidget(widget)
        column.addStretch(1)
        for widget in (self._note, self.strip, buttons):
            column.addWidget(widget)
        self.resize(720, 580)
        self.table.selectRow(0)
        self.finished.connect(self.stop)
        clock.ticked.connect(self._poll)

    @property
    def chosen(self) -> MovieLens:
        """The set that is selected."""
        return self._catalogue[max(0, self.table.currentRow())]

    @property
    def note(self) -> str:
        """What the window says of the last or the next download."""
        return self._note.text()

    @property
    def is_busy(self) -> bool:
        """Whether a download is under way, or has been stopped and has not ended yet."""
        return self._task is not None

    def get(self) -> None:
        """Download the chosen set; the one that is there is checked and given at once."""
        if self._task is not None:
            return
        entry = self.chosen
        work = getter(entry, self._folder, stall_s=self._stall_s)
        self._task = Task(f"reading {entry.remote.name}", work).start()
        self.strip.show_progress(Progress(None, f"Connecting to {entry.remote.host}"))
        self._show()

    def stop(self) -> None:
        """Give the download up; what has arrived is kept for the next time."""
        if self._task is not None:
            self._task.cancel()
            self.strip.show_progress(None)
            self._say("Stopping …")

    # ------------------------------------------------------------------ parts

    def _label(self, *, links: bool = False) -> QLabel:
        label = QLabel(self)
        label.setWordWrap(True)
        label.setOpenExternalLinks(links)
        flags = Qt.TextInteractionFlag.TextSelectableByMouse
        if links:
            flags = Qt.TextInteractionFlag.TextBrowserInteraction
        label.setTextInteractionFlags(flags)
        return label

    def _build_table(self) -> None:
        table = self.table = QTableWidget(len(self._catalogue), len(COLUMNS), self)
        table.setAccessibleName("Sets of ratings")
        table.setHorizontalHeaderLabels(list(COLUMNS))
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(4 * SPACE)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for row, entry in enumerate(self._catalogue):
            texts = (
                entry.title,
                *map(count_text, (entry.ratings, entry.users, entry.films)),
                megabytes(entry.remote.size),
                "",
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                if 0 < column < 5:
                    item.setTextAlignment(right)
                table.setItem(row, column, item)
        for column in range(1, 5):
            table.horizontalHeaderItem(column).setTextAlignment(right)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        last = len(COLUMNS) - 1
        header.setSectionResizeMode(last, QHeaderView.ResizeMode.ResizeToContents)
        for column in (0, last):
            table.horizontalHeaderItem(column).setTextAlignment(
                Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            )
        height = header.sizeHint().height() + 4 * SPACE * len(self._catalogue)
        table.setFixedHeight(height + 2 * table.frameWidth())
        table.currentCellChanged.connect(self._on_chosen)
        table.cellActivated.connect(self.get)

    # ------------------------------------------------------------------ showing

    def _on_chosen(self) -> None:
        self._say("")
        self._show()

    def _show(self) -> None:
        entry = self.chosen
        self._about.setText(conditions_html(entry, current_theme().accent))
        for row, listed in enumerate(self._catalogue):
            text = "yes" if kept(listed, self._folder) else ""
            self.table.item(row, len(COLUMNS) - 1).setText(text)
        is_here = kept(entry, self._folder) is not None
        self.button.setText("Open" if is_here else "Download")
        self.button.setEnabled(self._task is None)
        self.table.setEnabled(self._task is None)
        if self._task is None and not self._note.text():
            verb = "It is kept" if is_here else "It will be kept"
            self._say(f"{verb} in {self._folder}.")
        elif self._task is not None:
            self._say(f"It will be kept in {self._folder}.")

    def _say(self, text: str, *, is_wrong: bool = False) -> None:
        theme = current_theme()
        set_style(self._note, f"QLabel {{ color: {theme.error if is_wrong else theme.muted}; }}")
        self._note.setText(text)

    # ------------------------------------------------------------------ the download

    def _poll(self) -> None:
        task = self._task
        if task is None:
            return
        is_done = task.is_done
        progress = task.latest()
        if progress is not None and not task.control.cancelled:
            self.strip.show_progress(progress)
        if is_done:
            self._task = None
            self.strip.show_progress(None)
            self._end(task)

    def _end(self, task: Task[Progress, Path]) -> None:
        if task.is_cancelled:
            self._say("Stopped. What has arrived is kept: Download goes on with it.")
        elif task.error is not None:
            message = message_of(task.error, f"getting {self.chosen.remote.name}")
            self._say(f"{message.text} {message.hint}", is_wrong=True)
        else:
            self._show()
            self.got.emit(task.result())
            self.close()
            return
        self._show()
