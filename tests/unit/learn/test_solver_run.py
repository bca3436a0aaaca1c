"""Solver's run on thirty standard problems, each a sheet, against known optima and scipy."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gradsheet.app.solver.problem import Prepared, prepare
from gradsheet.files.solver_model import Constraint, SolverModel
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import UserError
from gradsheet.learn.minima import HOLDS, Method, distinct
from gradsheet.learn.solver_run import SolverRun
from gradsheet.lessons.lesson import LessonBook
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook


def _module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


standard = _module("standard_problems")
CLOSE = 1e-5


def ready_of(problem: Any) -> Prepared:
    workbook, cell, rows = standard.sheet_of(problem)
    sheet = workbook.sheets[0].id
    changing = ((sheet, Region(0, 0, len(problem.start), 1)),)
    constraints = tuple(Constraint(*row) for row in rows)
    model = SolverModel(sheet, (sheet, cell), changing, problem.goal, 0.0, constraints)
    program = compile_program(workbook)
    program.recalculate()
    return prepare(program, model)


def solved(ready: Prepared, **method: Any) -> SolverRun:
    run = SolverRun(
        ready.objective, ready.problem, bounds=ready.bounds, conditions=ready.conditions,
        method=Method(**method),
    )  # fmt: skip
    run.solve()
    return run


def scipy_from(ready: Prepared, start: Any) -> tuple[float, float]:
    """Return (objective, violation) where scipy's SLSQP ends, on the sheet's own numbers."""
    optimize = pytest.importorskip("scipy.optimize")
    sign = -1.0 if ready.problem.goal == "maximise" else 1.0

    def value(x: Any) -> tuple[float, Any]:
        loss, gradient = ready.objective.loss_and_gradient(torch.from_numpy(x))
        return sign * float(loss), sign * gradient.numpy()

    constraints = []
    conditions = ready.conditions
    if conditions is not None:
        for i, is_equation in enumerate(conditions.is_equation):
            unit = np.zeros(conditions.count)
            unit[i] = -1.0
            constraints.append({
                "type": "eq" if is_equation else "ineq",
                "fun": lambda x, i=i: -conditions.differences(torch.from_numpy(x))[i],
                "jac": lambda x, unit=unit: conditions.pull(torch.from_numpy(x), unit),
            })  # fmt: skip
    bounds = optimize.Bounds(ready.bounds.low, ready.bounds.high)
    # With conditions only SLSQP serves; without, L-BFGS-B is the better oracle.
    method = "SLSQP" if constraints else "L-BFGS-B"
    found = optimize.minimize(
        value, np.clip(start, ready.bounds.low, ready.bounds.high), jac=True, method=method,
        bounds=bounds, constraints=constraints, options={"maxiter": 500, "ftol": 1e-12},
    )  # fmt: skip
    x = np.clip(found.x, ready.bounds.low, ready.bounds.high)
    off = 0.0
    if conditions is not None:
        differences = conditions.differences(torch.from_numpy(x))
        excess = np.where(conditions.is_equation, np.abs(differences), differences)
        off = float(np.maximum(excess, 0.0).max())
    return sign * value(x)[0], off


@pytest.mark.parametrize("problem", standard.PROBLEMS, ids=lambda p: p.name)
def test_a_standard_problem_is_solved_to_its_known_optimum(problem: Any) -> None:
    run = solved(ready_of(problem), starts=problem.starts)
    best = run.best
    assert best is not None
    assert best.holds
    assert best.violation <= HOLDS
    assert math.isclose(best.objective, problem.optimum, rel_tol=CLOSE, abs_tol=CLOSE)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("problem", standard.PROBLEMS, ids=lambda p: p.name)
def test_scipy_finds_nothing_better_on_the_same_sheet(problem: Any) -> None:
    ready = ready_of(problem)
    best = solved(ready, starts=problem.starts).best
    assert best is not None
    sign = -1.0 if problem.goal == "maximise" else 1.0
    tolerance = CLOSE * max(1.0, abs(problem.optimum))
    for start in (np.array(problem.start, float), best.theta.numpy()):
        value, off = scipy_from(ready, start)
        if off <= HOLDS:
            assert sign * best.objective <= sign * value + tolerance
    # From our own solution scipy stays there.
    assert off <= HOLDS
    assert math.isclose(value, best.objective, rel_tol=CLOSE, abs_tol=CLOSE)


def test_there_are_thirty_standard_problems() -> None:
    assert len({problem.name for problem in standard.PROBLEMS}) == 30


def test_an_optimum_without_multipliers_is_flagged() -> None:
    run = solved(ready_of(standard.WITHOUT_MULTIPLIERS), starts=1)
    assert run.best is not None
    assert "multipliers" in run.best.doubt


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_an_optimizer_stays_within_bounds_and_comes_near(name: str) -> None:
    problem = next(p for p in standard.PROBLEMS if p.name == "HS5")
    run = solved(ready_of(problem), name=name, starts=1, iterations=2000, rates={"lr": 0.02})
    assert run.best is not None
    assert run.best.objective == pytest.approx(problem.optimum, abs=1e-3)
    low, high = run.bounds.low, run.bounds.high
    assert ((run.best.theta.numpy() >= low) & (run.best.theta.numpy() <= high)).all()


def test_an_optimizer_obeys_conditions_by_the_augmented_lagrangian() -> None:
    problem = next(p for p in standard.PROBLEMS if p.name == "HS14")
    run = solved(ready_of(problem), name="adam", starts=1, iterations=8000, rates={"lr": 0.01})
    assert run.best is not None
    assert run.best.objective == pytest.approx(problem.optimum, abs=1e-2)


def test_contradicting_bounds_are_refused() -> None:
    problem = standard.Standard("no room", (1.0,), "=A1^2", 0.0, **standard.box([2], [1]))
    with pytest.raises(UserError, match="no room"):
        solved(ready_of(problem))


def test_an_impossible_condition_is_flagged_and_not_hidden() -> None:
    problem = standard.Standard("none", (1.0,), "=A1^2", 0.0, (("=A1^2", "<=", "=-1"),))
    run = solved(ready_of(problem), starts=2)
    assert run.best is not None
    assert not run.best.holds
    assert run.best.doubt == "not every constraint holds"


def test_a_locked_cell_does_not_move() -> None:
    from gradsheet.learn.problem import Parameter

    workbook, cell, _ = standard.sheet_of(standard.PROBLEMS[0])
    sheet = workbook.sheets[0].id
    model = SolverModel(sheet, (sheet, cell), ((sheet, Region(0, 0, 2, 1)),))
    program = compile_program(workbook)
    program.recalculate()
    free, held = Parameter(sheet, Region(0, 0, 1, 1)), Parameter(sheet, Region(1, 0, 2, 1), 1, True)
    run = solved(prepare(program, model, [free, held]), starts=2)
    assert run.best is not None
    assert float(run.best.theta[1]) == 1.0
    assert float(run.best.theta[0]) == pytest.approx(1.0, abs=1e-4)


def two_layers() -> Workbook:
    """XOR by two hidden units: weights in A1:C3, rows of inputs and outputs beside them."""
    workbook = Workbook.with_sheet("net")
    sheet = workbook.sheets[0]
    sheet.cells.write(Region(0, 0, 3, 3), [[0.1, 0.1, 0.0], [0.1, 0.1, 0.0], [0.1, 0.1, 0.0]])
    sheet.cells.write(Region(0, 4, 4, 7), [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])

    def put(cell: Cell, text: str) -> None:
        sheet.cells.set_formula(cell, Formula(parse(text, cell)))

    for row in range(1, 5):
        at = row - 1
        put(Cell(at, 7), f"=TANH($A$1*E{row}+$B$1*F{row}+$C$1)")
        put(Cell(at, 8), f"=TANH($A$2*E{row}+$B$2*F{row}+$C$2)")
        put(Cell(at, 9), f"=$A$3*H{row}+$B$3*I{row}+$C$3")
    put(Cell(5, 9), "=SUMXMY2(J1:J4,G1:G4)/4")
    return workbook


def test_more_starts_find_a_better_minimum_of_a_two_layer_net_than_one() -> None:
    workbook = two_layers()
    sheet = workbook.sheets[0].id
    model = SolverModel(sheet, (sheet, Cell(5, 9)), ((sheet, Region(0, 0, 3, 3)),))
    program = compile_program(workbook)
    program.recalculate()
    ready = prepare(program, model)
    one, many = solved(ready, starts=1), solved(ready, starts=12)
    assert one.best is not None
    assert many.best is not None
    assert many.best.objective < 0.01 * one.best.objective
    assert many.best.start > 0
    assert len(many.minima) == 12
    assert len(distinct(many.minima)) > 1


def test_a_run_shows_where_it_is_and_ends_at_the_best() -> None:
    from gradsheet.lessons import catalogue

    book: LessonBook = catalogue.find("dotprod").build(0, None)
    assert book.problem is not None
    program = compile_program(book.workbook)
    program.recalculate()
    objective = program.objective(book.problem.loss, list(book.problem.regions))
    run = SolverRun(objective, book.problem, method=Method(starts=2))
    run.advance(20)
    assert run.snapshot().step == 20
    assert run.snapshot().loss == pytest.approx(run.trace.last()[1])  # type: ignore[index]
    end = run.solve()
    assert run.best is not None
    assert end.loss == run.best.objective == min(m.objective for m in run.minima)
    assert end.loss < 0.42
