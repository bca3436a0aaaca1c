"""Work without a window: `gradsheet solve` trains a lesson; `descend` and `race` are in `descend`.

Uses the engine and the trainer directly. Knows no Qt.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradsheet.app import descend
from gradsheet.formula.values import UserError
from gradsheet.lessons import catalogue
from gradsheet.lessons.lesson import LessonBook, crosstab_of


def main(argv: Sequence[str]) -> int:
    """Run a headless command; print its outcome, or a message on standard error.

    Returns
    -------
    int
        0 done, 1 failed with a message, 2 wrong arguments (from argparse).
    """
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
    return 0


def solve(options: argparse.Namespace) -> dict[str, Any]:
    """Train a lesson from a seeded start.

    Returns
    -------
    dict
        ``problem``, ``optimizer``, ``seed``, ``start`` and ``objective`` (loss before and after),
        ``steps``, ``seconds`` (of the stepping alone), ``failure`` (text or None).

    Raises
    ------
    UserError
        If there is no such lesson, optimizer or file, or a rate is not possible.
    """
    from gradsheet.formula.compiler import compile_program
    from gradsheet.learn.optimizers import make_optimizer
    from gradsheet.learn.trainer import Trainer

    book = _book(options)
    program = compile_program(book.workbook)
    program.recalculate()
    problem = book.problem
    objective = program.objective(problem.loss, [(p.sheet, p.region) for p in problem.parameters])
    optimizer = make_optimizer(options.optimizer or book.optimizer, **_rates(options, book))
    trainer = Trainer(objective, optimizer, problem=problem, seed=options.seed)
    start = trainer.snapshot()
    began = time.perf_counter()
    trainer.advance(options.steps)
    seconds = time.perf_counter() - began
    end = trainer.snapshot()
    return {
        "problem": options.problem,
        "optimizer": options.optimizer or book.optimizer,
        "seed": options.seed,
        "start": start.loss,
        "objective": end.loss,
        "steps": end.step,
        "seconds": seconds,
        "failure": end.failure,
    }


def _rates(options: argparse.Namespace, book: LessonBook) -> dict[str, Any]:
    own = options.optimizer in (None, book.optimizer)
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
            f"Write lesson:NAME. Lessons: {', '.join(catalogue.LESSONS)}.",
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
        "solve", help="train a lesson from a random start and print the loss"
    )
    solve_parser.add_argument("problem", help="lesson:dotprod or lesson:bias")
    solve_parser.add_argument("--ratings", help="a file of ratings to put into the lesson")
    solve_parser.add_argument("--optimizer", help="sgd, momentum, rmsprop, adam, adamw, ...")
    solve_parser.add_argument("--lr", type=float, help="learning rate")
    solve_parser.add_argument("--weight-decay", type=float)
    solve_parser.add_argument("--steps", type=_count, default=2000)
    solve_parser.add_argument("--seed", type=int, default=0, help="of the random start")
    solve_parser.add_argument("--json", action="store_true", help="print one JSON object")
    descend.add_parsers(commands)
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number
