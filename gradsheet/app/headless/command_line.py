"""Work without a window: `gradsheet solve`, `train`, `recommend`, `check`, `convert` and others.

Owns the arguments of `solve` and the training of lessons; workbooks are in `solving`, `check` and
`convert`, the sheets of epochs in `descend`. Knows no Qt.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradsheet.app.headless import check, convert, descend, desktop, explain_command, solving
from gradsheet.formula.values import UserError
from gradsheet.lessons import catalogue
from gradsheet.lessons.lesson import LessonBook, crosstab_of


def main(argv: Sequence[str]) -> int:
    """Run a headless command; print its outcome, or a message on standard error.

    Returns
    -------
    int
        0 done, 1 failed with a message, 2 wrong arguments (from argparse). `check` has its own.
    """
    if argv and argv[0] == "check":
        return check.main(argv)
    if argv and argv[0] == "convert":
        return convert.main(argv)
    if argv and argv[0] == "explain":
        return explain_command.main(argv)
    if argv and argv[0] == "desktop":
        return desktop.main(argv)
    if argv and argv[0] in ("train", "recommend"):
        return _ratings_command(argv)
    options = _parser().parse_args(argv)
    run = {"solve": solve, "descend": descend.descend, "race": descend.race}[options.command]
    try:
        outcome = run(options)
    except UserError as error:
        print(f"gradsheet: {error.text}\n{error.hint}".rstrip(), file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(outcome))
    elif options.command != "solve":
        print(descend.shown(options.command, outcome))
    else:
        print(
            f"{outcome['problem']}: {outcome['start']:.8g} -> {outcome['objective']:.8g} "
            f"in {outcome['steps']:,} steps, {outcome['seconds']:.2f} s"
        )
        for note in outcome.get("notes", ()):
            print(f"  {note}")
    return 0


def _ratings_command(argv: Sequence[str]) -> int:
    from gradsheet.app.headless import recommend_command, train_command

    return train_command.main(argv) if argv[0] == "train" else recommend_command.main(argv)


def solve(options: argparse.Namespace) -> dict[str, Any]:
    """Train a lesson from a seeded start, or solve a workbook.

    L-BFGS is the method unless an optimizer, or a rate for one, is asked for.

    Returns
    -------
    dict
        ``problem``, ``optimizer`` (as ``method``), ``seed``, ``start`` and ``objective`` (loss
        before and after), ``steps``, ``seconds`` (of the stepping alone), ``failure`` (text or
        None); see also `solving.solve_problem`.

    Raises
    ------
    UserError
        If there is no such lesson, optimizer or file, or a rate is not possible.
    """
    if solving.is_workbook(options.problem):
        return solving.solve_file(options)
    from gradsheet.formula.compiler import compile_program

    book = _book(options)
    program = compile_program(book.workbook)
    program.recalculate()
    problem = book.problem
    if problem is None:
        raise UserError(f"{options.problem} has nothing to solve.", "Choose another lesson.")
    objective = program.objective(problem.loss, [(p.sheet, p.region) for p in problem.parameters])
    method = options.method or options.optimizer
    if method is None and (options.lr is not None or options.weight_decay is not None):
        method = book.optimizer
    rates = _rates(options, book, method)
    outcome, _ = solving.solve_problem(objective, problem, options, method=method, rates=rates)
    return {
        "problem": options.problem,
        "optimizer": outcome["method"],
        "seed": options.seed,
        **outcome,
    }


def _rates(
    options: argparse.Namespace, book: LessonBook, method: str | None
) -> dict[str, Any]:
    own = method == book.optimizer
    rates: dict[str, Any] = dict(book.hyper) if own else {}
    if options.lr is not None:
        rates["lr"] = options.lr
    if options.weight_decay is not None:
        rates["weight_decay"] = options.weight_decay
    return rates


def _book(options: argparse.Namespace) -> LessonBook:
    kind, _, name = options.problem.partition(":")
    if kind != "lesson" or not name:
        raise UserError(
            f"{options.problem!r} is not something to solve.",
            f"Write a workbook's name or lesson:NAME. Lessons: {', '.join(catalogue.LESSONS)}.",
        )
    lesson = catalogue.find(name)
    data = None
    if options.ratings is not None:
        from gradsheet.ratings import reader
        from gradsheet.tasks import Task

        path = Path(options.ratings)
        task: Task[Any, Any] = Task(
            "reading ratings", lambda control: reader.read(path, control=control)
        )
        task.start()
        task.join()
        if task.error is not None:
            raise task.error
        data = crosstab_of(task.result().table, path.name)
    return lesson.build(options.seed, data)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gradsheet")
    commands = parser.add_subparsers(dest="command", required=True)
    solve_parser = commands.add_parser(
        "solve", help="minimise the loss of a lesson, or of a workbook's Solver model"
    )
    solve_parser.add_argument("problem", help="lesson:dotprod, lesson:bias, or an .xlsx file")
    solve_parser.add_argument("--ratings", help="a file of ratings to put into the lesson")
    solve_parser.add_argument("--optimizer", help="sgd, momentum, rmsprop, adam, adamw, ...")
    solve_parser.add_argument("--lr", type=float, help="learning rate")
    solve_parser.add_argument("--weight-decay", type=float)
    solve_parser.add_argument(
        "--steps", type=_count, help="2000 with an optimizer; with lbfgs 500 from each start"
    )
    solve_parser.add_argument("--seed", type=int, default=0, help="of the random start")
    solve_parser.add_argument("--json", action="store_true", help="print one JSON object")
    solving.add_options(solve_parser)
    commands.add_parser("check", help="compare a workbook's formulas with its stored values")
    commands.add_parser("convert", help="recompute a workbook and write it anew")
    commands.add_parser("explain", help="a cell as Excel, as mathematics and as PyTorch")
    commands.add_parser("desktop", help="open sessions by a double click, on Linux desktops")
    commands.add_parser("train", help="learn a recommender from a file of ratings")
    commands.add_parser("recommend", help="recommend items to somebody new")
    descend.add_parsers(commands)
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number
