"""What there is to say of a solution: a report, its sheet, and how the optimum moves with data.

Owns these three. Sensitivity is the envelope theorem: the derivative of the optimum's objective
by a data cell is that of the Lagrangian with the changing cells held (Nocedal and Wright,
Numerical Optimization, 12.8). Solves nothing and knows no window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import FormulaError, Scalar, UserError
from gradsheet.learn.curvature import condition_of, extreme_curvatures
from gradsheet.sheet.cells import Content
from gradsheet.sheet.edits import AddSheet, Composite, Edit, SetCells, SetFormat
from gradsheet.sheet.formats import FormatChange
from gradsheet.sheet.sheet_edits import ResizeColumns

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.app.solver.problem import Prepared
    from gradsheet.files.solver_model import SolverModel
    from gradsheet.formula.compiler import Program
    from gradsheet.learn.minima import Method, Minimum
    from gradsheet.learn.solver_run import SolverRun

Floats = npt.NDArray[np.float64]
BINDING = 1e-6
MOST_CELLS = 2_000
"""Changing cells listed one by one; of more the report says how many."""
WIDTHS_PX = (216, 112, 112, 112, 96, 96)
"""Of the report's columns: the names of its facts stand in the first."""


@dataclass(frozen=True, slots=True)
class ConstraintLine:
    """One condition at the solution.

    Attributes
    ----------
    text : as the model has it
    left, right : float
    slack : how far it is from being reached; negative where it does not hold
    multiplier : what one unit more on the right side would change the objective by
    """

    text: str
    left: float
    right: float
    slack: float
    multiplier: float

    @property
    def status(self) -> str:
        """`binding`, `not binding` or `violated`."""
        size = BINDING * max(1.0, abs(self.right))
        if self.slack < -size:
            return "violated"
        return "binding" if self.slack <= size else "not binding"


@dataclass(frozen=True, slots=True)
class CellLine:
    """One changing cell: its name, start and end."""

    name: str
    start: float
    end: float
    status: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A solution in numbers.

    Attributes
    ----------
    facts : tuple of (str, value)
        Objective, method, steps and the like.
    cells : tuple of CellLine
    constraints : tuple of ConstraintLine
    minima : tuple of Minimum
    """

    facts: tuple[tuple[str, Scalar], ...]
    cells: tuple[CellLine, ...]
    constraints: tuple[ConstraintLine, ...]
    minima: tuple[Minimum, ...]


def lagrangian(ready: Prepared, solution: Minimum, x: Floats) -> Floats:
    """Return the gradient (n,) of objective plus multipliers times conditions at x, as minimised.

    A goal of a value counts as the square of what is missing.
    """
    import torch

    theta = torch.from_numpy(x)
    loss, gradient = ready.objective.loss_and_gradient(theta)
    factor = 1.0
    if ready.problem.goal == "maximise":
        factor = -1.0
    elif ready.problem.goal == "value":
        factor = 2.0 * (float(loss) - ready.problem.target)
    total: Floats = factor * np.asarray(gradient.numpy(), dtype=np.float64)
    if ready.conditions is not None and len(solution.multipliers):
        total = np.add(total, ready.conditions.pull(theta, solution.multipliers))
    return total


def multipliers_of(ready: Prepared, solution: Minimum) -> list[Floats]:
    """Return the multipliers of every relation, bounds too, at a solution.

    Of a difference that must be at most 0 they are not negative. A cell on a bound has what the
    gradient of the Lagrangian leaves over; several relations on one cell: the first takes it.
    """
    x = solution.theta.numpy()
    left_over = lagrangian(ready, solution, x).copy()
    found: list[Floats] = []
    for number, relation in enumerate(ready.relations):
        if number in ready.general:
            assert ready.conditions is not None
            owners = ready.conditions.owners == ready.general.index(number)
            found.append(
                solution.multipliers[owners]
                if len(solution.multipliers) else np.zeros(int(owners.sum()))
            )  # fmt: skip
            continue
        places, values = ready.bound_places[number]
        here = np.zeros(len(places))
        for at, place in enumerate(places):
            if abs(x[place] - values[at]) > BINDING * max(1.0, abs(values[at])):
                continue
            slope = left_over[place]
            pushes = relation.comparison == "=" or (slope > 0) == (relation.comparison == ">=")
            if pushes and slope != 0.0:
                here[at] = abs(slope) if relation.comparison != "=" else -slope
                left_over[place] = 0.0
        found.append(here)
    return found


def report_of(
    document: Document, ready: Prepared, model: SolverModel, run: SolverRun, solution: Minimum,
    method: Method, program: Program,
) -> Report:  # fmt: skip
    """Return the report of a solution. Takes a second for some hundred cells: not on the GUI.

    Parameters
    ----------
    program : of the workbook, for the two sides of the constraints
    """
    from gradsheet.learn.optimizers import OPTIMIZERS

    start, end = run.start.numpy(), solution.theta.numpy()
    free = run.free.numpy()
    gradient = lagrangian(ready, solution, end)
    slope = ready.bounds.at(free).slope(end[free], gradient[free])
    held = ready.bounds.at(free).is_held(end[free], gradient[free])
    loose = free[~held]

    def loose_gradient(x: Floats) -> Floats:
        point = end.copy()
        point[loose] = x
        found: Floats = lagrangian(ready, solution, point)[loose]
        return found

    least, greatest, is_exact = extreme_curvatures(loose_gradient, end[loose])
    condition = condition_of(least, greatest)
    goals = {"minimise": "Min", "maximise": "Max", "value": f"Value of {model.target!r}"}
    sheet, cell = ready.problem.loss
    name = _name(document, sheet, cell)
    facts: list[tuple[str, Scalar]] = [
        ("Objective", f"{name}, {goals[model.goal]}"),
        ("At the start", float(ready.objective.loss(run.start))),
        ("At the solution", solution.objective),
        ("Method", OPTIMIZERS[method.name].title if method.name in OPTIMIZERS else "L-BFGS"),
        ("Starts", len(run.minima)),
        ("Best start", solution.start + 1),
        ("Iterations", run.step),
        ("Evaluations", run.evaluations),
        ("Largest violation", solution.violation),
        ("Norm of the projected gradient", float(np.linalg.norm(slope))),
        ("Condition (estimate)" if is_exact else "Condition (at least)",
         "flat in some direction" if math.isinf(condition) else
         None if math.isnan(condition) else condition),
    ]  # fmt: skip
    if solution.doubt:
        facts.append(("Doubt", f"It may be no solution: {solution.doubt}."))
    facts += [("Note", note) for note in ready.notes]
    return Report(
        tuple(facts),
        tuple(_cell_lines(document, ready, start, end, free)),
        tuple(_constraint_lines(ready, model, solution, program)),
        tuple(run.minima),
    )


def _cell_lines(
    document: Document, ready: Prepared, start: Floats, end: Floats, free: npt.NDArray[np.int64]
) -> list[CellLine]:
    lines: list[CellLine] = []
    is_free = np.zeros(len(end), bool)
    is_free[free] = True
    low, high = ready.bounds.low, ready.bounds.high
    place = 0
    for sheet, region in ready.problem.regions:
        for cell in region.cells():
            if len(lines) >= MOST_CELLS:
                return lines
            status = "locked" if not is_free[place] else ""
            if is_free[place] and end[place] <= low[place]:
                status = "at its least value"
            elif is_free[place] and end[place] >= high[place]:
                status = "at its greatest value"
            name = _name(document, sheet, cell)
            lines.append(CellLine(name, float(start[place]), float(end[place]), status))
            place += 1
    return lines


def _constraint_lines(
    ready: Prepared, model: SolverModel, solution: Minimum, program: Program
) -> list[ConstraintLine]:
    if not ready.relations:
        return []
    everything = program.conditions(ready.relations, list(ready.problem.regions))
    sides = everything.sides(solution.theta)
    sign = -1.0 if ready.problem.goal == "maximise" else 1.0
    lines = []
    for relation, number, (left, right), weights in zip(
        ready.relations, ready.numbers, sides, multipliers_of(ready, solution), strict=True
    ):
        text = str(model.constraints[number])
        for at in range(len(left)):
            slack = left[at] - right[at]
            if relation.comparison == "<=":
                slack = -slack
            elif relation.comparison == "=":
                slack = -abs(slack)
            # One unit more on the right eases "<=", tightens ">=".
            price = -weights[at] if relation.comparison != ">=" else weights[at]
            lines.append(
                ConstraintLine(
                    text if len(left) == 1 else f"{text} ({at + 1})",
                    float(left[at]), float(right[at]), float(slack) + 0.0,
                    sign * float(price) + 0.0,
                )
            )  # fmt: skip
    return lines


def report_edit(workbook_names: Sequence[str], report: Report, sheet_id: int) -> Edit:
    """Return the edit that puts a report on a new sheet of its own."""
    taken = {name.casefold() for name in workbook_names}
    number = 1
    while f"solver report {number}" in taken:
        number += 1
    cells: list[tuple[Cell, Content]] = []
    bold: list[int] = []
    row = 0

    def write(*values: Scalar) -> None:
        nonlocal row
        cells.extend((Cell(row, col), value) for col, value in enumerate(values))
        row += 1

    def head(*titles: str) -> None:
        nonlocal row
        row += 1 if row else 0
        bold.append(row)
        write(*titles)

    head("Solver report")
    for name, value in report.facts:
        write(name, value)
    head("Changing cell", "Start", "End", "Status")
    for line in report.cells:
        write(line.name, line.start, line.end, line.status or None)
    if report.constraints:
        head("Constraint", "Left", "Right", "Slack", "Status", "Multiplier")
        for c in report.constraints:
            write(c.text, c.left, c.right, c.slack, c.status, c.multiplier)
    if len(report.minima) > 1:
        head("Start", "Began at", "Minimum", "Violation", "Iterations", "Doubt")
        for m in report.minima:
            write(m.start + 1, m.began if math.isfinite(m.began) else None, m.objective,
                  m.violation, m.steps, m.doubt or None)  # fmt: skip
    looks = [SetFormat(sheet_id, Region(r, 0, r + 1, 6), FormatChange(bold=True)) for r in bold]
    widths = ResizeColumns(sheet_id, tuple(enumerate(WIDTHS_PX)))
    return Composite(
        (AddSheet(f"Solver report {number}"), SetCells(sheet_id, tuple(cells)), *looks, widths)
    )


def _name(document: Document, sheet: int, cell: Cell) -> str:
    if len(document.workbook.sheets) == 1:
        return str(cell)
    return f"{document.workbook.sheet_name(sheet)}!{cell}"


def sensitivity(
    program: Program, ready: Prepared, solution: Minimum, sheet: int, region: Region
) -> Floats:
    """Return the derivative of the optimum's objective by each data cell of a region.

    Parameters
    ----------
    program : of the workbook, its changing cells at the solution
    ready : Prepared
    solution : Minimum
    sheet, region : data cells; none of them a changing cell

    Returns
    -------
    ndarray (rows, cols)
        0 for a cell that the model does not read.

    Raises
    ------
    UserError
        If a cell is a changing cell or the goal is a value, or it holds a formula.
    """
    problem = ready.problem
    if problem.goal == "value":
        raise UserError(
            "An objective that is brought to a value does not move with the data.",
            "Choose Min or Max.",
        )
    for home, own in problem.regions:
        if home == sheet and own.intersect(region) is not None:
            raise UserError(
                f"{region} is changed by Solver itself.", "Select data, such as a given rating."
            )
    if program.graph.blocks_in(sheet, region):
        raise UserError(
            f"{region} is computed by formulas.", "Select numbers that were typed in."
        )
    data = [(sheet, region)]
    found = np.zeros(region.shape)
    try:
        objective = program.objective(problem.loss, data)
        found += objective.loss_and_gradient(objective.theta0)[1].numpy().reshape(region.shape)
    except FormulaError:
        pass  # the objective does not read these cells; conditions may
    if ready.relations:
        conditions = program.conditions(ready.relations, data)
        weights = np.concatenate(multipliers_of(ready, solution))
        pull = conditions.pull(conditions.start, weights).reshape(region.shape)
        found += -pull if problem.goal == "maximise" else pull
    return found

