"""The fields of Excel's Solver dialog: objective, goal, changing cells, constraints, method.

Owns the widgets and what they say of a model. Solves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QRadioButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gradsheet.app.solver.text import (
    NEEDS_RIGHT,
    RELATIONS,
    area_text,
    areas_of,
    areas_text,
    cell_of,
    constraint_of,
)
from gradsheet.formula.address import Region
from gradsheet.formula.values import UserError
from gradsheet.qt.dialogs.parts import roomy
from gradsheet.qt.solver.fields import CellField
from gradsheet.qt.theme import SPACE
from gradsheet.qt.widgets.number_field import NumberField

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.files.solver_model import Constraint, SolverModel
    from gradsheet.learn.minima import Method

GOALS = {"maximise": "Max", "minimise": "Min", "value": "Value of"}
TITLES = {"integer": "int", "binary": "bin", "all different": "dif"}
UNSUPPORTED = "not supported: the cells take any value"
FIRST_STEPS = 2000
"""Steps of an optimizer; L-BFGS needs far fewer iterations."""
MOST_ROWS = 4
"""Constraints that show at once; without any, the room is left to what is found."""


class ModelForm(QWidget):
    """What is to be solved, and how.

    Parameters
    ----------
    document : Document
    sheet : gives the id of the sheet that shows
    selection : gives the text of what is selected there
    parent : QWidget
    """

    complained = Signal(str)
    """What was typed cannot be taken; "" takes a complaint back."""

    def __init__(
        self,
        document: Document,
        sheet: Callable[[], int],
        selection: Callable[[], str],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._sheet_on_show = sheet
        self._selection = selection
        self._sheet = 0
        self._constraints: list[Constraint] = []
        self._build_model()
        self._build_constraints()
        self._build_method()
        self._lay_out()

    # ------------------------------------------------------------------ parts

    def _build_model(self) -> None:
        self.objective = CellField("Objective", self._selection, self)
        self.changing = CellField("Changing cells", self._selection, self)
        self.goals: dict[str, QRadioButton] = {}
        group = QButtonGroup(self)
        for name, title in GOALS.items():
            self.goals[name] = QRadioButton(title, self)
            group.addButton(self.goals[name])
        self.target = NumberField(
            "Value", "What the objective shall be", self, low=-1e300, high=1e300
        )
        self.target.setFixedWidth(9 * SPACE)
        self.target.show_number(0.0)
        self.goals["value"].toggled.connect(self.target.setEnabled)
        self.target.setEnabled(False)
        self.goals["minimise"].setChecked(True)

    def _build_constraints(self) -> None:
        self.list = roomy(QListWidget(self))
        self.list.setAccessibleName("Constraints")
        self.list.currentRowChanged.connect(self._on_row)
        self.left = CellField("Constraint: cells", self._selection, self)
        self.relation = QComboBox(self)
        self.relation.setAccessibleName("Constraint: relation")
        for relation in RELATIONS:
            self.relation.addItem(TITLES.get(relation, relation), relation)
        self.relation.setFixedWidth(8 * SPACE)
        self.relation.currentIndexChanged.connect(self._on_relation)
        self.right = QLineEdit(self)
        self.right.setAccessibleName("Constraint: right side")
        self.right.setPlaceholderText("value or cell")
        self.right.returnPressed.connect(self._on_add)
        self.add = self._button("Add", "Add this constraint", self._on_add)
        self.change = self._button("Change", "Put it in place of the chosen one", self._on_change)
        self.delete = self._button("Delete", "Delete the chosen constraint", self._on_delete)
        self.non_negative = QCheckBox("Unconstrained cells are not negative", self)
        self._on_row(-1)
        self._fit_list()

    def _button(self, text: str, about: str, slot: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(about)
        button.setAutoDefault(False)
        button.clicked.connect(slot)
        return button

    def _build_method(self) -> None:
        self.method = QComboBox(self)
        self.method.setAccessibleName("Method")
        self.method.setToolTip(
            "<b>Method</b><br>L-BFGS knows the curvature and suits most sheets; the others take "
            "the small steps of training."
        )
        self.method.addItem("L-BFGS", "lbfgs")
        self.method.currentIndexChanged.connect(self._on_method)
        self.starts = NumberField("Starts", "The first from the cells, the rest random", self,
                                  low=1, high=10_000)  # fmt: skip
        self.starts.show_number(5)
        self.iterations = NumberField("Iterations", "At most so many from each start", self,
                                      low=1, high=1e9)  # fmt: skip
        self.tolerance = NumberField(
            "Tolerance", "A start ends when ten iterations gain less than this part", self,
            low=0.0, high=1.0,
        )  # fmt: skip
        self.rate = NumberField("Learning rate", "Of the optimizer's steps", self, high=1e6)
        self.seed = NumberField("Seed", "Of the random starts", self, high=2**31 - 1)
        self.iterations.show_number(500)
        self.tolerance.show_number(1e-6)
        self.rate.show_number(0.01)
        self.seed.show_number(0)
        self.options = QToolButton(self)
        self.options.setText("Options")
        self.options.setCheckable(True)
        self.options.setToolTip("Iterations, tolerance, learning rate and seed")

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(SPACE // 2)
        form.addRow("Set objective", self.objective)
        row = QHBoxLayout()
        for button in self.goals.values():
            row.addWidget(button)
        row.addWidget(self.target)
        row.addStretch(1)
        form.addRow("to", row)
        form.addRow("by changing", self.changing)
        edit = QHBoxLayout()
        edit.setSpacing(SPACE // 2)
        edit.addWidget(self.left, 3)
        edit.addWidget(self.relation)
        edit.addWidget(self.right, 2)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE // 2)
        for button in (self.add, self.change, self.delete):
            buttons.addWidget(button)
        buttons.addStretch(1)
        method = QHBoxLayout()
        method.setSpacing(SPACE // 2)
        method.addWidget(self.method, 1)
        method.addWidget(QLabel("starts", self))
        self.starts.setFixedWidth(6 * SPACE)
        method.addWidget(self.starts)
        method.addWidget(self.options)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE // 2)
        column.addLayout(form)
        column.addWidget(QLabel("subject to the constraints", self))
        column.addWidget(self.list)
        column.addLayout(edit)
        column.addLayout(buttons)
        column.addWidget(self.non_negative)
        row = QFormLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addRow("Method", method)
        column.addLayout(row)
        column.addWidget(self._options_box())

    def _options_box(self) -> QWidget:
        box = QWidget(self)
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACE // 2)
        fields = {"iterations": self.iterations, "tolerance": self.tolerance,
                  "rate": self.rate, "seed": self.seed}  # fmt: skip
        for place, (text, field) in enumerate(fields.items()):
            label = QLabel(text, box)
            label.setBuddy(field)
            grid.addWidget(label, place // 2, 2 * (place % 2))
            grid.addWidget(field, place // 2, 2 * (place % 2) + 1)
        box.hide()
        self.options.toggled.connect(box.setVisible)
        return box

    # ------------------------------------------------------------------ showing

    def show_model(self, model: SolverModel) -> None:
        """Fill the fields."""
        workbook, self._sheet = self._document.workbook, model.sheet
        objective = "" if model.objective is None else area_text(
            workbook, model.sheet, (model.objective[0], Region.of(model.objective[1]))
        )
        self.objective.set_text(objective)
        self.changing.set_text(areas_text(workbook, model.sheet, model.changing))
        self.goals[model.goal].setChecked(True)
        self.target.show_number(model.target)
        self._constraints = list(model.constraints)
        self.non_negative.setChecked(model.non_negative)
        self._list_constraints()
        self.complained.emit(" ".join(model.faults))

    def fill_methods(self) -> None:
        """List the optimizers; call it once torch is there."""
        if self.method.count() > 1:
            return
        from gradsheet.learn.optimizers import OPTIMIZERS

        for rule in OPTIMIZERS.values():
            self.method.addItem(rule.title, rule.name)

    def model(self) -> SolverModel:
        """Return what the fields say. Raises UserError."""
        from gradsheet.files.solver_model import SolverModel

        workbook, sheet = self._document.workbook, self._sheet
        goal = next(name for name, button in self.goals.items() if button.isChecked())
        model = SolverModel(
            sheet,
            cell_of(workbook, sheet, self.objective.text(), "The objective"),
            areas_of(workbook, sheet, self.changing.text()),
            goal,  # type: ignore[arg-type]
            self.target.number if goal == "value" else 0.0,
            tuple(self._constraints),
            self.non_negative.isChecked(),
        )
        model.problem()
        return model

    def chosen_method(self) -> Method:
        """Return the method and its options."""
        from gradsheet.learn.minima import Method

        name = str(self.method.currentData())
        rates = {} if name == "lbfgs" else {"lr": self.rate.number}
        return Method(
            name, int(self.starts.number), int(self.iterations.number), self.tolerance.number,
            rates, int(self.seed.number),
        )  # fmt: skip

    def _list_constraints(self) -> None:
        at = self.list.currentRow()
        self.list.clear()
        for constraint in self._constraints:
            supported = constraint.relation in NEEDS_RIGHT
            text = str(replace(constraint)) if supported else (
                f"{constraint.left[1:]} {TITLES[constraint.relation]}  ({UNSUPPORTED})"
            )
            self.list.addItem(text.replace("$", ""))
            self.list.item(self.list.count() - 1).setToolTip(str(constraint))
        self.list.setCurrentRow(min(at, self.list.count() - 1))
        self._fit_list()

    def _fit_list(self) -> None:
        rows = min(max(len(self._constraints), 1), MOST_ROWS)
        row = max(self.list.sizeHintForRow(0), 3 * SPACE)
        self.list.setFixedHeight(rows * row + 2 * self.list.frameWidth())

    # ------------------------------------------------------------------ what the user does

    def _on_relation(self) -> None:
        has_right = self.relation.currentData() in NEEDS_RIGHT
        self.right.setEnabled(has_right)
        self.complained.emit("" if has_right else f"{self.relation.currentText()} is {UNSUPPORTED}")

    def _on_method(self) -> None:
        is_stepped = self.method.currentData() != "lbfgs"
        plain = {500.0, float(FIRST_STEPS)}
        if self.iterations.number in plain:
            self.iterations.show_number(FIRST_STEPS if is_stepped else 500)
        self.rate.setEnabled(is_stepped)
        self.tolerance.setEnabled(not is_stepped)

    def _on_row(self, row: int) -> None:
        self.change.setEnabled(row >= 0)
        self.delete.setEnabled(row >= 0)
        if 0 <= row < len(self._constraints):
            chosen = self._constraints[row]
            self.left.set_text(chosen.left[1:].replace("$", ""))
            self.relation.setCurrentIndex(RELATIONS.index(chosen.relation))
            self.right.setText(chosen.right[1:].replace("$", ""))

    def _read(self) -> Constraint | None:
        try:
            found = constraint_of(
                self._document.workbook, self._sheet, self.left.text(),
                str(self.relation.currentData()), self.right.text(),
            )  # fmt: skip
        except UserError as error:
            self.complained.emit(f"{error.text} {error.hint}".strip())
            return None
        self.complained.emit("")
        return found

    def _on_add(self) -> None:
        found = self._read()
        if found is not None:
            self._constraints.append(found)
            self._list_constraints()
            self.list.setCurrentRow(len(self._constraints) - 1)

    def _on_change(self) -> None:
        row, found = self.list.currentRow(), self._read()
        if found is not None and row >= 0:
            self._constraints[row] = found
            self._list_constraints()

    def _on_delete(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            del self._constraints[row]
            self._list_constraints()
