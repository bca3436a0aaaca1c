"""A Solver model made ready: objective, bounds and conditions of an engine's program.

Owns which constraints are bounds of single cells and which are conditions between cells, and
what cannot be had. Knows no window and solves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import Range, Ref, parse, region_of
from gradsheet.formula.values import FormulaError, UserError
from gradsheet.learn.constraints import Bounds, Floats
from gradsheet.learn.problem import Parameter, Problem

if TYPE_CHECKING:
    from gradsheet.files.solver_model import Constraint, SolverModel
    from gradsheet.formula.compiler import Program
    from gradsheet.formula.conditions import Conditions, Relation
    from gradsheet.formula.objective import Objective

Places = npt.NDArray[np.int64]
NOT_SUPPORTED = ("integer", "binary", "all different")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What Solver needs.

    Attributes
    ----------
    objective : Objective
    problem : Problem
    bounds : Bounds
        Of every changing cell.
    conditions : Conditions or None
        Those that are no bounds.
    relations : tuple of Relation
        All constraints that count, in the model's order; bounds too.
    numbers : tuple of int
        Where each relation stands in the model's list of constraints.
    general : tuple of int
        Which of the relations the conditions are, by place in `relations`.
    notes : tuple of str
        What is not done, in sentences.
    bound_places : mapping of int to (places, values)
        Of each relation that is a bound: which changing cells, and their bound.
    """

    objective: Objective
    problem: Problem
    bounds: Bounds
    conditions: Conditions | None
    relations: tuple[Relation, ...]
    numbers: tuple[int, ...]
    general: tuple[int, ...]
    notes: tuple[str, ...]
    bound_places: Mapping[int, tuple[Places, Floats]]


def prepare(
    program: Program, model: SolverModel, parameters: Sequence[Parameter] | None = None
) -> Prepared:
    """Return a model ready to be solved.

    Parameters
    ----------
    program : of the workbook as it is
    model : SolverModel
    parameters : the changing cells with locks and rates; those of the model if not given

    Raises
    ------
    UserError
        If the model is not complete, or a constraint cannot be read.
    """
    problem = model.problem()
    if parameters is not None:
        problem = Problem(problem.loss, tuple(parameters), model.goal, model.target)
    objective = program.objective(problem.loss, list(problem.regions))
    bounds = Bounds.none(problem.size)
    relations: list[Relation] = []
    numbers: list[int] = []
    general: list[int] = []
    notes: list[str] = []
    bound_places: dict[int, tuple[Places, Floats]] = {}
    for number, constraint in enumerate(model.constraints):
        if constraint.relation in NOT_SUPPORTED:
            notes.append(
                f"{constraint} was left out: whole numbers are not supported, "
                "the cells take any value."
            )
            continue
        relation = _relation(constraint, model.sheet)
        bound = _bound(program, problem, relation)
        if bound is None:
            general.append(len(relations))
        else:
            bound_places[len(relations)] = bound
            _tighten(bounds, relation, *bound)
        relations.append(relation)
        numbers.append(number)
    if model.non_negative:
        unbounded = np.isneginf(bounds.low)
        bounds.low[unbounded] = 0.0
    chosen = [relations[i] for i in general]
    conditions = program.conditions(chosen, list(problem.regions)) if chosen else None
    return Prepared(
        objective, problem, bounds, conditions, tuple(relations), tuple(numbers),
        tuple(general), tuple(notes), bound_places,
    )  # fmt: skip


def _relation(constraint: Constraint, sheet: int) -> Relation:
    from gradsheet.formula.conditions import Relation

    sides = []
    for text in (constraint.left, constraint.right):
        try:
            sides.append(parse(text, Cell(0, 0)))
        except FormulaError as fault:
            raise UserError(
                f"The constraint {constraint} cannot be read.", fault.text
            ) from fault
    comparison = constraint.relation
    assert comparison in ("<=", "=", ">=")
    return Relation(sheet, sides[0], comparison, sides[1])


def _bound(
    program: Program, problem: Problem, relation: Relation
) -> tuple[Places, Floats] | None:
    """Return which changing cells a relation bounds, and by what; None if it is no bound."""
    left = program.resolved(relation.left, relation.sheet)
    if not isinstance(left, (Ref, Range)):
        return None
    named = left.first.sheet if isinstance(left, Range) else left.sheet
    ids = {name.casefold(): number for number, name in program.sheet_names().items()}
    home = relation.sheet if named is None else ids.get(named.casefold())
    region = region_of(left, Cell(0, 0))
    if home is None or region is None or region.size > problem.size:
        return None
    places = places_in(problem, home, region)
    if places is None or _depends(program, problem, relation):
        return None
    # The right side is a constant: its difference to the cells gives its numbers.
    alone = program.conditions([relation], list(problem.regions))
    right = alone.sides(alone.start)[0][1]
    if not np.isfinite(right).all():
        raise UserError(
            f"A constraint of {region} has no number on its right side.",
            "Correct that cell, or type a number.",
        )
    return places, right


def _tighten(bounds: Bounds, relation: Relation, places: Places, values: Floats) -> None:
    if relation.comparison in (">=", "="):
        np.maximum.at(bounds.low, places, values)
    if relation.comparison in ("<=", "="):
        np.minimum.at(bounds.high, places, values)


def _depends(program: Program, problem: Problem, relation: Relation) -> bool:
    """Whether the right side changes with the changing cells."""
    from gradsheet.formula.conditions import places_of

    start: set[int] = set()
    for sheet, region in problem.regions:
        start |= program.readers(sheet, region)
    moved = program.reach(start)
    right = program.resolved(relation.right, relation.sheet)
    for sheet, region in places_of(program, right, relation.sheet):
        for home, own in problem.regions:
            if home == sheet and own.intersect(region):
                return True
        if moved & program.graph.blocks_in(sheet, region):
            return True
    return False


def places_in(problem: Problem, sheet: int, region: Region) -> Places | None:
    """Return where the cells of a region stand in theta, row by row; None if one does not."""
    found = []
    for cell in region.cells():
        offset = 0
        for home, own in problem.regions:
            if home == sheet and own.contains(cell):
                found.append(offset + (cell.row - own.top) * own.cols + cell.col - own.left)
                break
            offset += own.size
        else:
            return None
    return np.array(found, np.int64)
