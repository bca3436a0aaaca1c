"""What was guessed of a file of ratings, to check and to change before it is read.

Owns the dialog. Guessing is `gradsheet.ratings.sniffing`'s; here the first rows are only split
again when the user changes how. Says `accepted_preview`; reads nothing itself.
"""

from __future__ import annotations

import codecs
import dataclasses
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gradsheet.qt.theme import SPACE, current_theme
from gradsheet.qt.widgets.styling import PLAIN_BUTTONS, set_style
from gradsheet.ratings.columns import guess_columns
from gradsheet.ratings.sniffing import Preview, read_sample, split_rows
from gradsheet.ratings.source import title_names

SEPARATORS = {
    ",": "comma  ,",
    ";": "semicolon  ;",
    "\t": "tab",
    "::": "two colons  ::",
    "|": "bar  |",
    " ": "space",
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1")
DECIMALS = {".": "point  3.5", ",": "comma  3,5"}
LAYOUTS = {False: "one rating a row", True: "crosstab: users down, items across"}
ROLES = {"user": "user", "item": "item", "rating": "rating", "timestamp": "time"}
ROLE_COLOURS = {"user": "user", "item": "item", "rating": "data", "timestamp": "parameter"}
GUESSED = ("user", "item", "rating", "timestamp", "time_kind", "day_first", "text_users",
           "text_items", "crosstab")  # fmt: skip
CHOOSE = "choose"
TITLE_FILTER = "Titles (*.csv *.item *.dat *.txt);;All files (*)"
SHOWN_ROWS = 50
NONE = -1


def preview_again(preview: Preview, *, regroup: bool, **changes: object) -> Preview:
    """Split the first rows of a file anew with changed options.

    Parameters
    ----------
    preview : Preview
    regroup : bool
        Guess the columns' roles anew, because the columns are others now.
    **changes
        Fields of `ReadOptions`.
    """
    options = dataclasses.replace(preview.options, **changes)  # type: ignore[arg-type]
    sample, whole = read_sample(preview.source)
    text = codecs.getincrementaldecoder(options.encoding)("replace").decode(sample)
    lines = text.lstrip("\ufeff").replace("\0", "").splitlines()
    if not whole and len(lines) > 1:
        lines = lines[:-1]
    rows = split_rows(lines[options.skip :], options.separator, options.quoting) or [[""]]
    body = rows[1:] if options.header else rows
    width = max(len(row) for row in rows[:SHOWN_ROWS])
    head = rows[0] if options.header else []
    names = tuple(
        head[i].strip() if i < len(head) and head[i].strip() else f"Column {i + 1}"
        for i in range(width)
    )
    if regroup:
        found = guess_columns(list(names) if options.header else [], body, options.decimal)
        guessed = {name: getattr(found, name) for name in GUESSED}
        options = dataclasses.replace(options, **guessed)
    shown = tuple(tuple(row) for row in body[:SHOWN_ROWS])
    return dataclasses.replace(preview, options=options, columns=names, rows=shown)


class ImportRatings(QDialog):
    """Shows a `Preview`, lets each guess be changed, gives the result back.

    Parameters
    ----------
    path : Path
    preview : Preview
    parent : QWidget
    """

    accepted_preview = Signal(object)
    """The `Preview` as the user left it; the file is to be read."""

    def __init__(self, path: Path, preview: Preview, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Import ratings")
        self.resize(860, 560)
        self._preview = preview
        self._notes = list(preview.notes)
        self._filling = False
        name = QLabel(f"<b>{path.name}</b>&nbsp; in {path.parent}", self)
        name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._build_choices()
        self._table = QTableWidget(self)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setAccessibleName("First rows of the file")
        self._table.verticalHeader().setDefaultSectionSize(3 * SPACE)
        self._note = QLabel(self)
        self._note.setWordWrap(True)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._complaint = QLabel(self)
        self._complaint.setWordWrap(True)
        set_style(self, PLAIN_BUTTONS)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self._import = buttons.addButton("Import", QDialogButtonBox.ButtonRole.AcceptRole)
        self._import.setDefault(True)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        column.addWidget(name)
        column.addLayout(self._grid)
        column.addWidget(self._table, 1)
        column.addWidget(self._note)
        column.addWidget(self._complaint)
        column.addWidget(buttons)
        set_style(self._note, f"QLabel {{ color: {current_theme().muted}; }}")
        set_style(self._complaint, f"QLabel {{ color: {current_theme().error}; }}")
        self._show()

    @property
    def preview(self) -> Preview:
        """What will be read, as the choices stand."""
        return self._preview

    @property
    def complaint(self) -> str:
        """Why the file cannot be read so; "" if it can."""
        options = self._preview.options
        needed = ("user",) if options.crosstab else ("user", "item", "rating")
        missing = [ROLES[role] for role in needed if getattr(options, role) is None]
        if missing:
            return f"Choose the column that holds the {' and the '.join(missing)}."
        used = [getattr(options, role) for role in needed]
        if not options.crosstab and options.timestamp is not None:
            used.append(options.timestamp)
        if len(set(used)) < len(used):
            return "One column is chosen for two things: choose different columns."
        return ""

    def box(self, name: str) -> QComboBox:
        """Return the list of choices of an option or a role."""
        return self._boxes[name]

    @property
    def header_box(self) -> QCheckBox:
        """Whether the first row holds names."""
        return self._header

    # ------------------------------------------------------------------ parts

    def _build_choices(self) -> None:
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE)
        self._grid.setVerticalSpacing(SPACE // 2)
        self._grid.setColumnMinimumWidth(2, 2 * SPACE)
        self._boxes: dict[str, QComboBox] = {}
        encodings = dict.fromkeys((*ENCODINGS, self._preview.encoding))
        separators = {self._preview.separator: self._preview.separator} | SEPARATORS
        self._add_box("separator", "Separator", separators, 0, 0)
        self._add_box("encoding", "Encoding", {name: name for name in encodings}, 1, 0)
        self._add_box("decimal", "Decimal sign", DECIMALS, 2, 0)
        self._add_box("crosstab", "Layout", LAYOUTS, 3, 0)
        for row, (role, title) in enumerate(ROLES.items()):
            self._add_box(role, f"{title.capitalize()} column", {}, row, 3)
        self._header = QCheckBox("The first row holds the names of the columns", self)
        self._header.toggled.connect(self._on_header)
        self._grid.addWidget(self._header, 4, 1)
        beside = title_names(self._preview.source)
        found = f"{beside[0]}, beside it" if beside else "none found beside it"
        choices = {"beside": found, "none": "no titles", CHOOSE: "from another file …"}
        self._add_box("titles", "Titles, genres", choices, 4, 3)  # type: ignore[arg-type]
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(4, 1)

    def _add_box(
        self, name: str, title: str, choices: dict[object, str], row: int, column: int
    ) -> None:
        box = QComboBox(self)
        for data, text in choices.items():
            box.addItem(text, data)
        label = QLabel(title, self)
        label.setBuddy(box)
        box.setAccessibleName(title)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(18)
        box.activated.connect(partial(self._on_chosen, name))
        self._grid.addWidget(label, row, column)
        self._grid.addWidget(box, row, column + 1)
        self._boxes[name] = box

    # ------------------------------------------------------------------ showing

    def _show(self) -> None:
        options = self._preview.options
        for name in ("separator", "encoding", "decimal", "crosstab"):
            box = self._boxes[name]
            box.setCurrentIndex(box.findData(getattr(options, name)))
        with QSignalBlocker(self._header):
            self._header.setChecked(options.header)
        for role in ROLES:
            self._fill_role(role)
        self._fill_table()
        self._note.setText(" ".join(self._notes))
        complaint = self.complaint
        self._complaint.setText(complaint)
        self._import.setEnabled(not complaint)

    def _fill_role(self, role: str) -> None:
        box = self._boxes[role]
        box.clear()
        box.addItem("none" if role == "timestamp" else "choose …", NONE)
        for index, name in enumerate(self._preview.columns):
            box.addItem(name, index)
        chosen = getattr(self._preview.options, role)
        box.setCurrentIndex(0 if chosen is None else box.findData(chosen))
        box.setEnabled(role == "user" or not self._preview.options.crosstab)

    def _fill_table(self) -> None:
        theme = current_theme()
        preview = self._preview
        roles = {column: role for role, column in preview.roles.items()}
        if preview.options.crosstab:
            roles = {preview.options.user: "user"} if preview.options.user is not None else {}
        self._table.setColumnCount(len(preview.columns))
        self._table.setRowCount(len(preview.rows))
        for column, name in enumerate(preview.columns):
            role = roles.get(column)
            title = f"{name}\n{ROLES[role] if role else ' '}"
            self._table.setHorizontalHeaderItem(column, QTableWidgetItem(title))
        for row, cells in enumerate(preview.rows):
            for column in range(len(preview.columns)):
                text = cells[column] if column < len(cells) else ""
                item = QTableWidgetItem(text)
                role = roles.get(column)
                if role is not None:
                    tint = QColor(theme.role_tint(ROLE_COLOURS[role]))
                    item.setBackground(QBrush(tint))
                self._table.setItem(row, column, item)

    # ------------------------------------------------------------------ choosing

    def choose_titles(self, titles: Path | str) -> None:
        """Take titles and genres from a file, from beside the ratings, or from nowhere."""
        box = self._boxes["titles"]
        if isinstance(titles, Path) and box.findData(str(titles)) < 0:
            box.insertItem(box.count() - 1, titles.name, str(titles))
        box.setCurrentIndex(box.findData(str(titles)))
        self._preview = dataclasses.replace(self._preview, titles=titles)  # type: ignore[arg-type]

    def _on_titles(self, value: str) -> None:
        if value != CHOOSE:
            self.choose_titles(value if value in ("beside", "none") else Path(value))
            return
        now = self._preview.titles
        folder = str((now if isinstance(now, Path) else self._preview.source.path).parent)
        asking = QFileDialog(self, "Choose a file of titles", folder, TITLE_FILTER)
        asking.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        asking.setFileMode(QFileDialog.FileMode.ExistingFile)
        asking.fileSelected.connect(self._on_title_file)
        asking.open()
        self.choose_titles(now)  # until a file is chosen

    def _on_title_file(self, name: str) -> None:
        self.choose_titles(Path(name))

    def _on_chosen(self, name: str, index: int) -> None:
        value = self._boxes[name].itemData(index)
        if name == "titles":
            self._on_titles(value)
        elif name in ROLES:
            self._change(regroup=False, **{name: None if value == NONE else value})
        else:
            self._change(regroup=name in ("separator", "encoding", "decimal"), **{name: value})

    def _on_header(self, checked: bool) -> None:
        self._change(regroup=False, header=checked)

    def _change(self, *, regroup: bool, **changes: object) -> None:
        self._notes = []  # they speak of the guess, which is no longer what is shown
        self._preview = preview_again(self._preview, regroup=regroup, **changes)
        self._show()

    def _accept(self) -> None:
        if not self.complaint:
            self.accepted_preview.emit(self._preview)
            self.close()
