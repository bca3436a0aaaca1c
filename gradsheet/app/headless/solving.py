"""`gradsheet solve` with Solver's method: a workbook's own model, or a lesson, by L-BFGS.

Owns what is solved (the workbook's Solver model unless cells are given) and the outcome as plain
data. Knows no printing.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsheet.app.solver.problem import Prepared, prepare
from gradsheet.app.solver.text import area_of, areas_of
from gradsheet.formula.values import UserError
from gradsheet.learn.problem import Goal, Parameter, Problem
from gradsheet.sheet.workbook import Sheet, Workbook

if TYPE_CHECKING:
    from gradsheet.files.solver_model import SolverModel
    from gradsheet.formula.compiler import Program
    from gradsheet.formula.objective import Objective
    from gradsheet.formula.results import Computed

LBFGS = "lbfgs"
_GOALS: dict[str, Goal] = {"min": "minimise", "max": "maximise"}
_DEFAULT_STEPS = 2000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what concerns workbooks and methods to the parser of `solve`."""
    parser.add_argument("--sheet", help="of a workbook: the sheet whose model is solved")
    parser.add_argument("--objective", metavar="CELL", help="instead of the model's own")
    parser.add_argument("--changing", metavar="AREAS", help="for example H19:V23,B25:F39")
    parser.add_argument("--goal", help="min, max or value=NUMBER")
    parser.add_argument("--method", help="lbfgs (the default), or an optimizer's name")
    parser.add_argument("--restarts", type=int, help="random starts after the first, default 4")
    parser.add_argument("--start", choices=("workbook", "random"), default="workbook",
                        help="where the first start is")  # fmt: skip
    parser.add_argument("--output", metavar="OUT.xlsx", help="write the solved workbook")


def is_workbook(name: str) -> bool:
    """Whether what is to be solved is the name of a workbook file."""
    return name.lower().endswith((".xlsx", ".xlsm"))


def solve_file(options: argparse.Namespace) -> dict[str, Any]:
    """Solve the model of a workbook file.

    Returns
    -------
    dict
        As `solve_problem`, and ``problem``, ``sheet``, ``seed``, ``notes`` (list of sentences).

    Raises
    ------
    UserError
        If the file or its model cannot be used.
    """
    from gradsheet.files.held import HeldWorkbook
    from gradsheet.files.support import unsupported_cells
    from gradsheet.files.xlsx_read import read_xlsx
    from gradsheet.files.xlsx_write import write_xlsx
    from gradsheet.formula.compiler import compile_program

    path = Path(options.problem)
    imported = read_xlsx(path)
    workbook = imported.workbook
    sheet = _sheet(workbook, options)
    model = _model(workbook, sheet, options)
    program = compile_program(HeldWorkbook(workbook, unsupported_cells(workbook).keys()))
    store(workbook, program.recalculate(), program)
    ready = prepare(program, model)
    problem, objective, notes = ready.problem, ready.objective, list(ready.notes)
    theta = random_start(objective, problem, options.seed) if options.start == "random" else None
    if ready.conditions is None and ready.bounds.are_none:
        outcome, computed = solve_problem(objective, problem, options, theta=theta)
    else:
        outcome, computed = _solve_constrained(ready, options, theta)
        if outcome["doubt"]:
            notes.append(f"The solution may not be one: {outcome['doubt']}.")
    if options.output:
        for parameter in problem.parameters:
            clear_formulas(workbook, parameter)
        store(workbook, computed, program)
        report = write_xlsx(workbook, Path(options.output), imported.facts)
        notes.extend(str(finding) for finding in report.lost)
        notes.extend(f"not in the new file: {finding}" for finding in imported.report.lost)
    return {"problem": options.problem, "sheet": sheet.name, "seed": options.seed, **outcome,
            "notes": notes}  # fmt: skip


def solve_problem(
    objective: Objective,
    problem: Problem,
    options: argparse.Namespace,
    *,
    theta: Any = None,
    method: str | None = None,
    rates: Mapping[str, float] | None = None,
) -> tuple[dict[str, Any], list[Computed]]:
    """Solve by the method that is asked for, L-BFGS by default.

    Parameters
    ----------
    theta : Tensor (n,), optional
        Where to start, the cells' own values if not given.
    method : name of an optimizer or "lbfgs", optional
        Instead of what the options say.
    rates : for an optimizer, instead of those of the options

    Returns
    -------
    dict
        ``method``, ``start`` and ``objective`` (the loss before and after), ``steps``,
        ``evaluations``, ``seconds`` (of solving alone), ``restart`` (which start won, 0 is the
        first), ``failure`` (text or None).
    list of Computed
        The cells at the solution.
    """
    method = (method or options.method or options.optimizer or LBFGS).lower()
    start = float(objective.loss(objective.theta0 if theta is None else theta))
    if method == LBFGS:
        from gradsheet.learn.lbfgs import Effort, LbfgsRun

        began = time.perf_counter()
        effort = Effort()
        if options.steps is not None:
            effort = replace(effort, iterations=options.steps)
        if options.restarts is not None:
            effort = replace(effort, restarts=max(0, options.restarts))
        run = LbfgsRun(objective, problem, theta=theta, effort=effort, seed=options.seed)
        end = run.solve()
        evaluations, restart = run.evaluations, run.restart
    else:
        from gradsheet.learn.optimizers import make_optimizer
        from gradsheet.learn.trainer import Trainer

        began = time.perf_counter()
        if rates is None:
            given = {"lr": options.lr, "weight_decay": options.weight_decay}
            rates = {name: value for name, value in given.items() if value is not None}
        optimizer = make_optimizer(method, **rates)
        trainer = Trainer(objective, optimizer, problem=problem, theta=theta, seed=options.seed)
        trainer.advance(_DEFAULT_STEPS if options.steps is None else options.steps)
        end = trainer.snapshot()
        evaluations, restart = end.step + 1, 0
    return {
        "method": method,
        "start": start,
        "objective": end.loss,
        "steps": end.step,
        "evaluations": evaluations,
        "seconds": time.perf_counter() - began,
        "restart": restart,
        "failure": end.failure,
    }, end.computed


def _solve_constrained(
    ready: Prepared, options: argparse.Namespace, theta: Any
) -> tuple[dict[str, Any], list[Computed]]:
    """Solve within bounds and under conditions; as `solve_problem`, and ``doubt``."""
    from gradsheet.learn.minima import Method
    from gradsheet.learn.solver_run import SolverRun

    name = (options.method or options.optimizer or LBFGS).lower()
    given = {"lr": options.lr, "weight_decay": options.weight_decay}
    rates = {key: value for key, value in given.items() if value is not None}
    plain = 500 if name == LBFGS else _DEFAULT_STEPS
    restarts = options.restarts if options.restarts is not None else 4
    method = Method(
        name=name, rates=rates, seed=options.seed, starts=1 + max(0, restarts),
        iterations=plain if options.steps is None else options.steps,
    )  # fmt: skip
    began = time.perf_counter()
    run = SolverRun(
        ready.objective, ready.problem, bounds=ready.bounds, conditions=ready.conditions,
        method=method, theta=theta,
    )  # fmt: skip
    end = run.solve()
    best = run.best
    return {
        "method": name,
        "start": float(ready.objective.loss(run.start)),
        "objective": end.loss,
        "steps": end.step,
        "evaluations": run.evaluations,
        "seconds": time.perf_counter() - began,
        "restart": best.start if best is not None else 0,
        "failure": end.failure,
        "violation": best.violation if best is not None else None,
        "doubt": best.doubt if best is not None else "",
    }, end.computed


def random_start(objective: Objective, problem: Problem, seed: int) -> Any:
    """A start that has nothing of the workbook's but the size of its numbers."""
    import torch

    generator = torch.Generator().manual_seed(seed + 1)
    draw = torch.randn(objective.theta0.shape, generator=generator, dtype=torch.float64)
    return draw * float(objective.theta0.square().mean().sqrt().clamp_min(0.1))


def store(workbook: Workbook, computed: Sequence[Computed], program: Program | None) -> None:
    """Write results into the cells, and where dynamic arrays spill to their formulas."""
    for piece in computed:
        workbook.sheet(piece.sheet).cells.write(piece.region, piece.values, piece.kinds)
    if program is None:
        return
    for (sheet, anchor), region in program.spills.items():
        cells = workbook.sheet(sheet).cells
        formula = cells.formula(anchor)
        if formula is not None and formula.array != region:
            cells.set_formula(anchor, replace(formula, array=region))


def clear_formulas(workbook: Workbook, parameter: Parameter) -> None:
    """A changing cell that held a formula holds its solution from now on."""
    cells = workbook.sheet(parameter.sheet).cells
    for cell in cells.formulas_in(parameter.region):
        cells.set_formula(cell, None)


def _sheet(workbook: Workbook, options: argparse.Namespace) -> Sheet:
    from gradsheet.files.solver_model import solver_models

    if options.sheet is not None:
        found = workbook.by_name(options.sheet)
        if found is None:
            names = ", ".join(sheet.name for sheet in workbook.sheets)
            raise UserError(f"There is no sheet {options.sheet!r}.", f"Sheets: {names}.")
        return found
    if options.objective:
        return workbook.sheets[0]
    usable = [m for m in solver_models(workbook) if m.objective is not None and m.changing]
    if not usable:
        raise UserError(
            "The workbook holds no complete Solver model.",
            "Give --sheet, --objective and --changing.",
        )
    if len(usable) > 1:
        names = ", ".join(workbook.sheet_name(model.sheet) for model in usable)
        raise UserError("Several sheets have a Solver model.", f"Give --sheet: {names}.")
    return workbook.sheet(usable[0].sheet)


def _model(workbook: Workbook, sheet: Sheet, options: argparse.Namespace) -> SolverModel:
    """The sheet's model with what the options say instead."""
    from gradsheet.files.solver_model import SolverModel, solver_model_of

    known = solver_model_of(workbook, sheet.id)
    if known is None and not (options.objective and options.changing):
        raise UserError(
            f"Sheet {sheet.name!r} has no Solver model.",
            "Give --objective and --changing, or another --sheet.",
        )
    model = known or SolverModel(sheet.id, None, ())
    if options.objective:
        home, region = area_of(workbook, sheet.id, options.objective)
        if region.size != 1:
            raise UserError(f"{options.objective} is more than one cell.", "Give one cell.")
        model = replace(model, objective=(home, region.first))
    if options.changing:
        model = replace(model, changing=areas_of(workbook, sheet.id, options.changing))
    if options.goal:
        model = _with_goal(model, options.goal)
    return model


def _with_goal(model: SolverModel, text: str) -> SolverModel:
    kind, _, number = text.partition("=")
    if kind in _GOALS and not number:
        return replace(model, goal=_GOALS[kind])
    try:
        return replace(model, goal="value", target=float(number if kind == "value" else "none"))
    except ValueError:
        raise UserError(f"{text!r} is no goal.", "Write min, max or value=3.5.") from None
