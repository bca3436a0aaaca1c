"""The derivative of the loss by one cell, found in four ways.

Owns which function of which cell is looked at: on the gradient-descent sheets the squared error of
the selected row over one of its weights, elsewhere the problem's loss over a changing cell. Runs
on the engine's thread; knows no window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gradsheet.app.lab.path_view import PathView, path_view, row_of
from gradsheet.formula.address import Cell, column_name
from gradsheet.formula.values import UserError
from gradsheet.learn.derivatives import ErrorCurve, Estimate, error_curve, estimate

if TYPE_CHECKING:
    from gradsheet.app.document import Document

Weight = Literal["slope", "intercept"]


@dataclass(frozen=True, slots=True)
class Bench:
    """Four derivatives and the error curve.

    Attributes
    ----------
    title : str
        Of what, by what, where.
    at : float
        The weight's value.
    value : float
        The function there.
    analytic : float or None
        By the formula that the sheet shows; None where there is none.
    autograd : float
    estimate : Estimate
        Forward and central differences, measured against autograd.
    curve : ErrorCurve
    """

    title: str
    at: float
    value: float
    analytic: float | None
    autograd: float
    estimate: Estimate
    curve: ErrorCurve


@dataclass(frozen=True, slots=True)
class Target:
    """What to differentiate, ready for the engine's thread.

    Attributes
    ----------
    title : str
    at : float
    analytic : float or None
    make : callable () -> (function of a float, its derivative at ``at`` by autograd)
    """

    title: str
    at: float
    analytic: float | None
    make: Callable[[], tuple[Callable[[float], float], float]]


def target_of(document: Document, cell: Cell, weight: Weight = "slope") -> Target:
    """Choose what the bench looks at.

    Raises
    ------
    UserError
        If the selected cell is not one that training changes.
    """
    view = path_view(document)
    if view is not None and not len(view.x):
        return _of_function(view, cell, weight)
    if view is not None:
        row = row_of(view, cell)
        row = 0 if row is None else row
        at = 1 if weight == "slope" else 0
        point, x, y = view.rows[row].tolist(), float(view.x[row]), float(view.y[row])

        def row_loss() -> tuple[Callable[[float], float], float]:
            import torch

            root = torch.tensor(point, dtype=torch.float64, requires_grad=True)
            (gradient,) = torch.autograd.grad((root[1] * x + root[0] - y) ** 2, [root])

            def squared(value: float) -> float:
                b, a = (value, point[1]) if at == 0 else (point[0], value)
                return float((a * x + b - y) ** 2)

            return squared, float(gradient[at])

        title = f"squared error of row {view.top + row + 1} by its {weight}"
        return Target(title, point[at], float(view.gradients[row, at]), row_loss)
    return _parameter(document, cell)


def _of_function(view: PathView, cell: Cell, weight: Weight) -> Target:
    """The function of the sheet, at a row's x and y."""
    plane = view.plane
    if plane is None:
        raise UserError("This formula cannot be drawn or measured.", "Choose another function.")
    row = row_of(view, cell) or 0
    at = 1 if weight == "slope" else 0
    point = view.rows[row]

    def along() -> tuple[Callable[[float], float], float]:
        import torch

        from gradsheet.learn.surface_code import compile_surface

        values, _ = compile_surface(str(plane.key[0]))
        root = torch.tensor(point, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(values(root[:1], root[1:]).sum(), [root])

        def moved(value: float) -> float:
            x, y = (value, point[1]) if at == 0 else (point[0], value)
            return float(values(torch.tensor([x]).double(), torch.tensor([y]).double()))

        return moved, float(gradient[at])

    title = f"f(x, y) at row {view.top + row + 1} by {'xy'[at]}"
    return Target(title, float(point[at]), float(view.gradients[row, at]), along)


def _parameter(document: Document, cell: Cell) -> Target:
    problem, index = document.problem, 0
    calculation = document.calculation
    for parameter in problem.parameters:
        if parameter.region.contains(cell):
            index += (cell.row - parameter.region.top) * parameter.region.cols
            index += cell.col - parameter.region.left
            break
        index += parameter.region.size
    else:
        raise UserError(
            f"{cell} is not a cell that training changes.",
            "Select one of the coloured parameter cells.",
        )
    value = document.workbook.sheet(parameter.sheet).cells.get(cell)[0]

    def loss() -> tuple[Callable[[float], float], float]:
        objective = calculation.objective(problem)
        theta = objective.theta0.clone()
        _, gradient = objective.loss_and_gradient(theta)

        def moved(number: float) -> float:
            point = theta.clone()
            point[index] = number
            return float(objective.loss(point))

        return moved, float(gradient[index])

    name = f"{column_name(cell.col)}{cell.row + 1}"
    return Target(f"{document.book.loss_name} by {name}", value, None, loss)


def measure(target: Target, epsilon: float) -> Bench:
    """Find the derivative in all ways; takes some milliseconds, so call it on the engine."""
    function, autograd = target.make()
    return Bench(
        target.title, target.at, function(target.at), target.analytic, autograd,
        estimate(function, target.at, autograd, epsilon),
        error_curve(function, target.at, autograd),
    )  # fmt: skip
