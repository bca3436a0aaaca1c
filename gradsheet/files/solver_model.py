"""The model that Excel's Solver keeps in a workbook: hidden names of each sheet.

Owns their meaning, both ways: `solver_opt` (objective), `solver_adj` (changing cells),
`solver_typ` and `solver_val` (goal), `solver_lhs1`, `solver_rel1`, `solver_rhs1` (constraints),
`solver_neg`. Reads and makes names; knows no file and solves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gradsheet.files.own_names import area
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import (
    Expr,
    Number,
    Range,
    Ref,
    Text,
    Unary,
    Union,
    parse,
    region_of,
    unparse,
)
from gradsheet.formula.values import FormulaError, UserError
from gradsheet.learn.problem import Goal, Parameter, Problem
from gradsheet.sheet.names import DefinedName
from gradsheet.sheet.workbook import Workbook

PREFIX = "solver_"
MOST_CONSTRAINTS = 1_000
_GOALS: dict[int, Goal] = {1: "maximise", 2: "minimise", 3: "value"}
_TYPES: dict[Goal, int] = {goal: number for number, goal in _GOALS.items()}
Relation = Literal["<=", "=", ">=", "integer", "binary", "all different"]
_RELATIONS: dict[int, Relation] = {
    1: "<=", 2: "=", 3: ">=", 4: "integer", 5: "binary", 6: "all different",
}  # fmt: skip
_NON_NEGATIVE, _UNBOUNDED = 1, 2


@dataclass(frozen=True, slots=True)
class Constraint:
    """One condition of the model, both sides as formula text with their `=`.

    Parameters
    ----------
    right : "" for integer, binary and all different
    """

    left: str
    relation: Relation
    right: str = ""

    def __str__(self) -> str:
        return f"{self.left[1:]} {self.relation} {self.right[1:]}".rstrip()


@dataclass(frozen=True, slots=True)
class SolverModel:
    """What Solver would do on one sheet.

    Parameters
    ----------
    sheet : id of the sheet that keeps the names
    objective : (sheet id, cell), None where the file's reference is broken
    changing : (sheet id, region) of each area
    goal, target : as in `Problem`
    constraints : as the file has them
    non_negative : whether changing cells without a lower bound must not be negative
    faults : what is wrong with it, in sentences
    """

    sheet: int
    objective: tuple[int, Cell] | None
    changing: tuple[tuple[int, Region], ...]
    goal: Goal = "minimise"
    target: float = 0.0
    constraints: tuple[Constraint, ...] = ()
    non_negative: bool = False
    faults: tuple[str, ...] = ()

    def problem(self) -> Problem:
        """The model as a problem. Constraints and signs are not part of one.

        Raises
        ------
        UserError
            If the objective or the changing cells are missing.
        """
        if self.objective is None or not self.changing:
            raise UserError(
                " ".join(self.faults) or "The Solver model is not complete.",
                "Choose the objective cell and the changing cells again.",
            )
        parameters = tuple(Parameter(sheet, region) for sheet, region in self.changing)
        return Problem(self.objective, parameters, self.goal, self.target)


def solver_model_of(workbook: Workbook, sheet: int) -> SolverModel | None:
    """The Solver model of a sheet, None if it has none."""
    names = {
        name.name.casefold(): name.expr
        for name in workbook.names
        if name.sheet == sheet and name.name.casefold().startswith(PREFIX)
    }
    if "solver_opt" not in names and "solver_adj" not in names:
        return None
    title = workbook.sheet_name(sheet)
    faults = []
    found = list(_areas(names.get("solver_opt"), workbook, sheet))
    objective = None
    if len(found) == 1 and found[0] is not None and found[0][1].size == 1:
        objective = (found[0][0], found[0][1].first)
    else:
        faults.append(f"The Solver model of sheet {title!r} has lost its objective cell.")
    areas = list(_areas(names.get("solver_adj"), workbook, sheet))
    changing = tuple(where for where in areas if where is not None)
    if not changing or len(changing) < len(areas):
        faults.append(f"The Solver model of sheet {title!r} has lost changing cells.")
    kind = _number(names.get("solver_typ"), 2.0)
    return SolverModel(
        sheet,
        objective,
        changing,
        _GOALS.get(int(kind), "minimise"),
        _number(names.get("solver_val"), 0.0),
        tuple(_constraints(names)),
        int(_number(names.get("solver_neg"), _UNBOUNDED)) == _NON_NEGATIVE,
        tuple(faults),
    )


def solver_models(workbook: Workbook) -> list[SolverModel]:
    """The Solver models of all sheets that have one, in their order."""
    found = (solver_model_of(workbook, sheet.id) for sheet in workbook.sheets)
    return [model for model in found if model is not None]


def chosen_model(workbook: Workbook, shown: int) -> SolverModel | None:
    """The model to begin with: the shown sheet's, else the first that has an objective."""
    models = [model for model in solver_models(workbook) if model.objective is not None]
    return next((m for m in models if m.sheet == shown), models[0] if models else None)


def _areas(
    expr: Expr | None, workbook: Workbook, sheet: int
) -> Iterator[tuple[int, Region] | None]:
    """Every area of a reference; None for one that is lost."""
    if expr is None:
        return
    for part in expr.parts if isinstance(expr, Union) else (expr,):
        if not isinstance(part, (Ref, Range)):
            yield None
            continue
        named = part.first.sheet if isinstance(part, Range) else part.sheet
        home = sheet if named is None else workbook.sheet_id(named)
        region = region_of(part, Cell(0, 0))
        yield None if home is None or region is None else (home, region)


def _number(expr: Expr | None, default: float) -> float:
    match expr:
        case Number(value):
            return value
        case Unary("-", Number(value)):
            return -value
        case _:
            return default


def _constraints(names: dict[str, Expr]) -> Iterator[Constraint]:
    count = int(min(max(_number(names.get("solver_num"), 0.0), 0.0), MOST_CONSTRAINTS))
    for number in range(1, count + 1):
        left = names.get(f"solver_lhs{number}")
        relation = _RELATIONS.get(int(_number(names.get(f"solver_rel{number}"), 0.0)))
        if left is None or relation is None:
            continue
        right = names.get(f"solver_rhs{number}")
        has_right = relation in ("<=", "=", ">=") and right is not None
        yield Constraint(
            unparse(left, Cell(0, 0)),
            relation,
            unparse(right, Cell(0, 0)) if has_right and right is not None else "",
        )


def solver_names(workbook: Workbook, model: SolverModel) -> tuple[DefinedName, ...]:
    """The hidden names that keep a model, as Excel's Solver writes them.

    Raises
    ------
    UserError
        If a constraint's text cannot be read.
    """
    def place(where: tuple[int, Region]) -> Expr:
        return area(workbook.sheet_name(where[0]), where[1])

    entries: dict[str, Expr] = {}
    areas = tuple(place(where) for where in model.changing)
    if areas:
        entries["adj"] = areas[0] if len(areas) == 1 else Union(areas)
    if model.objective is not None:
        sheet, cell = model.objective
        entries["opt"] = place((sheet, Region.of(cell)))
    entries["typ"] = Number(float(_TYPES[model.goal]))
    entries["val"] = _signed(model.target)
    entries["neg"] = Number(float(_NON_NEGATIVE if model.non_negative else _UNBOUNDED))
    entries["eng"] = Number(1.0)  # GRG nonlinear
    entries["num"] = Number(float(len(model.constraints)))
    numbers = {relation: number for number, relation in _RELATIONS.items()}
    for number, constraint in enumerate(model.constraints, 1):
        entries[f"lhs{number}"] = _read(constraint.left)
        entries[f"rel{number}"] = Number(float(numbers[constraint.relation]))
        right = _read(constraint.right) if constraint.right else Text(constraint.relation)
        entries[f"rhs{number}"] = right
    entries["ver"] = Number(3.0)
    return tuple(
        DefinedName(f"{PREFIX}{key}", expr, model.sheet, hidden=True)
        for key, expr in entries.items()
    )


def with_model(
    names: Sequence[DefinedName], workbook: Workbook, model: SolverModel
) -> tuple[DefinedName, ...]:
    """A workbook's names with those of a sheet's Solver model replaced."""
    kept = [
        name
        for name in names
        if name.sheet != model.sheet or not name.name.casefold().startswith(PREFIX)
    ]
    return (*kept, *solver_names(workbook, model))


def model_of_problem(problem: Problem) -> SolverModel:
    """A problem as the Solver model of its loss's sheet."""
    return SolverModel(
        problem.loss[0], problem.loss, tuple(problem.regions), problem.goal, problem.target
    )


def _signed(value: float) -> Expr:
    return Unary("-", Number(-value)) if value < 0 else Number(value)


def _read(text: str) -> Expr:
    try:
        return parse(text, Cell(0, 0))
    except FormulaError as fault:
        raise UserError(f"The constraint {text!r} cannot be read.", fault.text) from fault
