"""The dials of a gradient-descent sheet: mini-batch, bias correction, the points.

Owns the widgets; what they do is asked for by signals. Knows no document.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from gradsheet.app.lab.function_lab import LINE, FunctionView, choices
from gradsheet.qt import icons
from gradsheet.qt.theme import SPACE
from gradsheet.qt.widgets.number_field import NumberField


class DescentSettings(QWidget):
    """Mini-batch, bias correction, and the points behind a button that unfolds them."""

    batch_chosen = Signal(int)
    correction_chosen = Signal(bool)
    points_asked = Signal(int, int, float, float, float)
    """Seed, number, slope, intercept, noise."""
    file_asked = Signal()
    paste_asked = Signal()
    reset_asked = Signal()
    function_chosen = Signal(str)
    """Id of a preset, of the line fit, or of a typed formula."""
    formula_typed = Signal(str)
    steepness_chosen = Signal(float)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.batch = QSpinBox(self)
        self.batch.setRange(1, 29)
        self.batch.setKeyboardTracking(False)
        self.batch.setAccessibleName("Mini-batch size")
        self.batch.setToolTip("Rows whose mean gradient makes one update: 1 is online")
        self.batch.valueChanged.connect(self.batch_chosen)
        self.whole = self._button("all", "One update an epoch, by the mean of all rows")
        self.whole.clicked.connect(self._on_whole)
        self.corrected = QCheckBox("bias correction", self)
        self.corrected.setToolTip("Adam's averages divided by 1 − βᵗ, in columns of their own")
        self.corrected.toggled.connect(self.correction_chosen)
        self.lecture = self._button("Lecture's reset", "a = b = 1, states warmed up by two passes")
        self.lecture.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.lecture.clicked.connect(self.reset_asked)
        self.points = self._button("Points…", "Draw, paste or open other points")
        self.points.setCheckable(True)
        self.points.toggled.connect(self._on_points)
        grid = QGridLayout(self)
        grid.setContentsMargins(SPACE, SPACE // 2, SPACE, 0)
        grid.setSpacing(SPACE // 2)
        label = QLabel("mini-batch", self)
        label.setBuddy(self.batch)
        for column, widget in enumerate((label, self.batch, self.whole)):
            grid.addWidget(widget, 0, column)
        grid.setColumnStretch(3, 1)
        grid.addWidget(self.corrected, 0, 4)
        grid.addWidget(self.lecture, 0, 5)
        row = self._build_function()
        row.addWidget(self.points)
        grid.addLayout(row, 1, 0, 1, 6)
        self.form = self._build_form()
        grid.addWidget(self.form, 2, 0, 1, 6)
        self.form.hide()
        self._of_points = (label, self.batch, self.whole, self.points)
        self._tint()

    def _tint(self) -> None:
        self.lecture.setIcon(icons.icon("rotate-ccw"))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_of_points"):
            self._tint()

    def _button(self, text: str, about: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(about)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _build_function(self) -> QHBoxLayout:
        """Return the row in which the function is chosen, typed and made steeper."""
        self.function = QComboBox(self)
        self.function.setAccessibleName("Function")
        self.function.setToolTip("What is descended on: points of a line, or a function of x and y")
        for name, title, about in choices():
            self.function.addItem(title, name)
            self.function.setItemData(
                self.function.count() - 1, about, Qt.ItemDataRole.ToolTipRole
            )
        self.function.activated.connect(self._on_function)
        self.formula = QLineEdit(self)
        self.formula.setAccessibleName("Formula in x and y")
        self.formula.setToolTip("f(x, y) as in a cell, such as (1-x)^2+100*(y-x^2)^2; k is a dial")
        self.formula.returnPressed.connect(self._on_formula)
        self.steepness = QSlider(Qt.Orientation.Horizontal, self)
        self.steepness.setRange(0, 30)
        self.steepness.setAccessibleName("k, the condition number")
        self.steepness.setToolTip("k of the formula: on the bowl, its steep side over its flat one")
        self.steepness.valueChanged.connect(self._on_steepness)
        self._k = QLabel(self)
        self._k.setMinimumWidth(7 * SPACE)
        row = QHBoxLayout()
        row.setSpacing(SPACE // 2)
        row.addWidget(self.function, 1)
        row.addWidget(self.formula, 2)
        row.addWidget(self._k)
        row.addWidget(self.steepness, 1)
        return row

    def show_function(self, view: FunctionView) -> None:
        """Show what is descended on, and only the dials that belong to it."""
        is_line = view.name == LINE
        self.function.setCurrentIndex(self.function.findData(view.name))
        self.formula.setVisible(not is_line)
        if not self.formula.hasFocus() or not self.formula.isModified():
            self.formula.setText(view.formula)
        for widget in self._of_points:
            widget.setVisible(is_line)
        self.form.setVisible(is_line and self.points.isChecked())
        name = "Lecture's reset: a = b = 1" if is_line else "Reset: x and y at their start"
        self.lecture.setAccessibleName(name)
        self.lecture.setToolTip(f"{name}, states as at first, no log")
        has_k = view.steepness is not None
        self._k.setVisible(has_k)
        self.steepness.setVisible(has_k)
        if view.steepness is not None:
            with QSignalBlocker(self.steepness):
                self.steepness.setValue(round(10 * math.log10(max(view.steepness, 1.0))))
            self._k.setText(f"k = {view.steepness:.4g}")

    def _on_function(self, _: int) -> None:
        self.formula.setModified(False)
        self.function_chosen.emit(str(self.function.currentData()))

    def _on_formula(self) -> None:
        self.formula.setModified(False)
        self.formula_typed.emit(self.formula.text())

    def _on_steepness(self, tenths: int) -> None:
        self.steepness_chosen.emit(float(f"{10 ** (tenths / 10):.2g}"))

    def _build_form(self) -> QWidget:
        form = QWidget(self)
        grid = QGridLayout(form)
        grid.setContentsMargins(0, 0, 0, SPACE // 2)
        grid.setSpacing(SPACE // 2)
        fields = (
            ("slope", "of the line", 2.0, -1e6), ("intercept", "of the line", 30.0, -1e6),
            ("noise", "standard deviation on y", 0.0, 0.0), ("points", "how many", 29.0, 2.0),
            ("seed", "the same seed draws the same points", 1.0, 0.0),
        )  # fmt: skip
        self.fields: dict[str, NumberField] = {}
        for i, (name, about, value, low) in enumerate(fields):
            field = NumberField(name, about, form, low=low, high=1e6)
            field.show_number(value)
            field.setFixedWidth(7 * SPACE)
            self.fields[name] = field
            grid.addWidget(QLabel(name, form), i // 3, 2 * (i % 3))
            grid.addWidget(field, i // 3, 2 * (i % 3) + 1)
        draw = self._button("Draw", "Draw x from 1 to 100 and y round the line")
        draw.clicked.connect(self._on_draw)
        paste = self._button("Paste", "Two columns, x and y, from the clipboard")
        paste.clicked.connect(self.paste_asked)
        opened = self._button("Open…", "A file of two columns, x and y")
        opened.clicked.connect(self.file_asked)
        for column, button in enumerate((draw, paste, opened)):
            grid.addWidget(button, 2, 2 * column, 1, 2)
        return form

    def show_plan(self, rows: int, batch: int, corrected: bool | None) -> None:
        """Show a sheet's dials; `corrected` None: it has no such switch."""
        with QSignalBlocker(self.batch):
            self.batch.setRange(1, rows)
            self.batch.setValue(batch)
        with QSignalBlocker(self.corrected):
            self.corrected.setVisible(corrected is not None)
            self.corrected.setChecked(bool(corrected))

    def _on_whole(self) -> None:
        self.batch.setValue(self.batch.maximum())

    def _on_points(self, shown: bool) -> None:
        self.form.setVisible(shown)

    def _on_draw(self) -> None:
        number = {name: field.number for name, field in self.fields.items()}
        self.points_asked.emit(
            int(number["seed"]), int(number["points"]), number["slope"], number["intercept"],
            number["noise"],
        )  # fmt: skip
