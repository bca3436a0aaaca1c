"""The knobs of validation: a random share, the last ratings of each user, or a file.

Owns the fields and which of them apply; says `chosen` with a new `SplitChoice`. Knows no session.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QToolButton, QWidget

from gradsheet.app.ratings.choices import SplitChoice
from gradsheet.app.ratings.plan import TableFacts
from gradsheet.qt.theme import SPACE
from gradsheet.qt.widgets.form import Form, choice, number_field, show_choice

KINDS = (
    ("random", "Random share"),
    ("last", "Last of each user"),
    ("file", "File"),
)
_NO_TIMES = "These ratings have no times, so there are no last ratings."


class SplitForm(Form):
    """Fields of a `SplitChoice`."""

    chosen = Signal(object)
    """The new `SplitChoice`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Validation", parent)
        self._choice = SplitChoice()
        self._has_times = False
        self.kind = choice(
            self, "Judged by", "Ratings that are kept back and never learned from.", KINDS
        )
        self.kind.activated.connect(self._on_kind)
        self.kind_row = self.add("judged by", self.kind)
        self.share = number_field(
            self, "Share", "Share of the ratings that is kept back; 0 keeps none.", 0, 1,
            open_high=True,
        )  # fmt: skip
        self.share.committed.connect(self._on_share)
        self.share_row = self.add("share", self.share)
        self.last = number_field(self, "Ratings of each user", "The newest so many.", 1, 1e6,
                                 whole=True)  # fmt: skip
        self.last.committed.connect(self._on_last)
        self.last_row = self.add("ratings each", self.last)
        self.file_row = self.add("", self._build_file())
        self.seed = number_field(self, "Seed of the split", "The same seed keeps back the same "
                                 "ratings.", 0, 2**31 - 1, whole=True)  # fmt: skip
        self.seed.committed.connect(self._on_seed)
        self.seed_row = self.add("seed", self.seed)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.column.addWidget(self.note)

    def _build_file(self) -> QWidget:
        holder = QWidget(self)
        self.path_text = QLabel("no file yet", holder)
        self.open_button = QToolButton(holder)
        self.open_button.setText("Choose…")
        self.open_button.setToolTip("A file of ratings with the same ids as those that are open")
        self.open_button.clicked.connect(self.ask_for_file)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        row.addWidget(self.path_text, 1)
        row.addWidget(self.open_button)
        return holder

    def show_choice(self, split: SplitChoice, facts: TableFacts, note: str = "") -> None:
        """Show which ratings are kept back; `note` says what that came to."""
        self._choice, self._has_times = split, facts.has_times
        show_choice(self.kind, split.kind)
        self.share.show_number(split.share)
        self.last.show_number(split.last)
        self.seed.show_number(split.seed)
        self._show_path(split.path)
        for row, kind in (
            (self.share_row, "random"), (self.last_row, "last"), (self.file_row, "file"),
            (self.seed_row, "random"),
        ):  # fmt: skip
            row.setVisible(split.kind == kind)
        self.kind_row.complain("")
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def _show_path(self, path: Path | None) -> None:
        self.path_text.setText(path.name if path is not None else "no file yet")
        self.path_text.setToolTip(str(path or ""))

    def ask_for_file(self) -> None:
        """Let the user choose the file of ratings to judge by."""
        start = str(self._choice.path.parent if self._choice.path else Path.home())
        name, _ = QFileDialog.getOpenFileName(self, "Ratings to judge by", start)
        if name:
            self.choose_file(Path(name))

    def choose_file(self, path: Path) -> None:
        """Judge by the ratings of a file."""
        self._change(kind="file", path=path)

    def _change(self, **changes: Any) -> None:
        self.chosen.emit(replace(self._choice, **changes))

    def _on_kind(self) -> None:
        kind = self.kind.currentData()
        if kind == "last" and not self._has_times:
            show_choice(self.kind, self._choice.kind)
            self.kind_row.complain(_NO_TIMES)
        elif kind == "file" and self._choice.path is None:
            # Nothing is chosen before there is a file: the row shows the button that finds one.
            for row in (self.share_row, self.last_row, self.seed_row):
                row.hide()
            self.file_row.show()
            self.file_row.complain("Choose the file first.")
        else:
            self._change(kind=kind)

    def _on_share(self, share: float) -> None:
        self._change(share=share)

    def _on_last(self, last: float) -> None:
        self._change(last=int(last))

    def _on_seed(self, seed: float) -> None:
        self._change(seed=int(seed))
