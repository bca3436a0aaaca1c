"""Format cells: number format, decimals, alignment and letters, with a sample.

Owns the window; the change is told by a signal. The value itself never changes.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gradsheet.formula.values import Kind
from gradsheet.qt.dialogs.parts import roomy, without_icons
from gradsheet.qt.theme import SPACE, current_theme, ui_font
from gradsheet.sheet.formats import Format, FormatChange, display_text
from gradsheet.sheet.workbook import Workbook

CATEGORIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("General", "As many digits as fit.", ("General",)),
    ("Number", "A fixed number of decimals.", ("0.00", "#,##0.00", "0", "#,##0")),
    ("Currency", "With a currency sign.", ("$#,##0.00", "€#,##0.00", "£#,##0.00", "#,##0.00 €")),
    ("Percent", "A hundred times the number.", ("0%", "0.0%", "0.00%")),
    ("Scientific", "A power of ten.", ("0.00E+00", "0.0E+0", "0.000000E+00")),
    ("Date", "Days since 1900.", ("yyyy-mm-dd", "d mmm yyyy", "dd/mm/yyyy", "mm/dd/yyyy")),
    ("Time", "Parts of a day.", ("h:mm", "h:mm:ss", "yyyy-mm-dd h:mm")),
    ("Text", "As typed.", ("@",)),
    ("Custom", "Excel's format codes.", ("0.0;-0.0;0", "+0.00;-0.00;0", '0.00" kg"', "0.???")),
)
"""Title, what it is for, and codes; decimals can be changed where a code has any."""
_ALIGN = {"By content": "auto", "Left": "left", "Centre": "center", "Right": "right"}
_SAMPLE = 1234.5678


class FormatCells(QDialog):
    """Asks how the selected cells are to look.

    Parameters
    ----------
    look : of the current cell
    value, kind : of the current cell, for the sample
    category : to begin with; by the look if not given

    Signals
    -------
    chosen(FormatChange)
    """

    chosen = Signal(object)

    def __init__(
        self, look: Format, value: float, kind: int, workbook: Workbook, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Format cells")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._look, self._workbook = look, workbook
        self._value = value if kind == Kind.NUMBER else _SAMPLE
        self.categories = roomy(QListWidget(self))
        self.codes = roomy(QListWidget(self))
        self.code = QLineEdit(look.code, self)
        self.decimals = QSpinBox(self)
        self.decimals.setRange(-1, 15)
        self.decimals.setSpecialValueText("as the code says")
        self.decimals.setValue(-1 if look.decimals is None else look.decimals)
        self.bold, self.italic = QCheckBox("Bold", self), QCheckBox("Italic", self)
        self.bold.setChecked(look.bold)
        self.italic.setChecked(look.italic)
        self.align = QComboBox(self)
        self.align.addItems(list(_ALIGN))
        self.align.setCurrentIndex(list(_ALIGN.values()).index(look.align))
        self.sample = QLabel(self)
        self.about = QLabel(self)
        self._build()
        self._choose_first()
        self.decimals.valueChanged.connect(self._show_sample)
        self.code.textEdited.connect(self._on_code)
        for box in (self.bold, self.italic):
            box.toggled.connect(self._show_sample)
        self.align.currentIndexChanged.connect(self._show_sample)
        self._show_sample()

    def _build(self) -> None:
        self.categories.addItems([title for title, _, _ in CATEGORIES])
        self.categories.setFixedWidth(120)
        self.categories.setAccessibleName("Category")
        self.codes.setAccessibleName("Format codes")
        self.codes.setMinimumHeight(112)
        self.about.setStyleSheet(f"color: {current_theme().muted};")
        frame = QFrame(self)
        frame.setObjectName("sample")
        theme = current_theme()
        frame.setStyleSheet(f"#sample {{ background: {theme.sheet}; border: 1px solid"
                            f" {theme.lines}; border-radius: 4px; }}")  # fmt: skip
        inner = QHBoxLayout(frame)
        inner.addWidget(self.sample)
        self.sample.setMinimumHeight(28)
        form = QFormLayout()
        form.setSpacing(SPACE)
        form.addRow("Code", self.code)
        form.addRow("Decimals", self.decimals)
        letters = QHBoxLayout()
        letters.addWidget(self.bold)
        letters.addWidget(self.italic)
        letters.addStretch(1)
        form.addRow("Letters", letters)
        form.addRow("Alignment", self.align)
        right = QVBoxLayout()
        right.setSpacing(SPACE)
        right.addWidget(frame)
        right.addWidget(self.about)
        right.addWidget(self.codes, 1)
        right.addLayout(form)
        body = QHBoxLayout()
        body.setSpacing(2 * SPACE)
        body.addWidget(self.categories)
        body.addLayout(right, 1)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * SPACE, 2 * SPACE, 2 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(body, 1)
        layout.addWidget(buttons)
        self.resize(460, 430)
        self.categories.currentRowChanged.connect(self._on_category)
        self.codes.currentTextChanged.connect(self._on_listed)
        without_icons(buttons)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)

    def _choose_first(self) -> None:
        code = self._look.number
        rows = [i for i, (_, _, codes) in enumerate(CATEGORIES) if code in codes]
        self.categories.setCurrentRow(rows[0] if rows else len(CATEGORIES) - 1)
        self.code.setText(code)
        self.decimals.setValue(-1 if self._look.decimals is None else self._look.decimals)
        self.categories.setFocus()

    def _on_category(self, row: int) -> None:
        _, about, codes = CATEGORIES[row]
        self.about.setText(about)
        self.codes.clear()
        self.codes.addItems(list(codes))
        self.codes.setCurrentRow(0)

    def _on_listed(self, code: str) -> None:
        if code:
            self.code.setText(code)
            self.decimals.setValue(-1)
            self._show_sample()

    def _on_code(self) -> None:
        self.decimals.setValue(-1)
        self._show_sample()

    @property
    def look(self) -> Format:
        """The format as chosen so far."""
        decimals = None if self.decimals.value() < 0 else self.decimals.value()
        return replace(
            self._look,
            number=self.code.text() or "General",
            decimals=decimals,
            bold=self.bold.isChecked(),
            italic=self.italic.isChecked(),
            align=_ALIGN[self.align.currentText()],  # type: ignore[arg-type]
        )

    def _show_sample(self) -> None:
        look = self.look
        font = ui_font(15)
        font.setBold(look.bold)
        font.setItalic(look.italic)
        self.sample.setFont(font)
        right = look.align in ("auto", "right")
        flag = Qt.AlignmentFlag.AlignRight if right else (
            Qt.AlignmentFlag.AlignHCenter if look.align == "center" else Qt.AlignmentFlag.AlignLeft
        )
        self.sample.setAlignment(flag | Qt.AlignmentFlag.AlignVCenter)
        book = self._workbook
        text = display_text(self._value, Kind.NUMBER, look, book.strings, 20, book.date_1904)
        self.sample.setText(text)

    def accept(self) -> None:
        """Tell what differs from the look at first."""
        before, after = self._look, self.look
        change = FormatChange(
            number=after.number if after.number != before.number else None,
            bold=after.bold if after.bold != before.bold else None,
            italic=after.italic if after.italic != before.italic else None,
            align=after.align if after.align != before.align else None,
            decimals=(-1 if after.decimals is None else after.decimals)
            if after.decimals != before.decimals
            else None,
        )
        self.chosen.emit(change)
        super().accept()
