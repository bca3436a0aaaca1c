"""`gradsheet train FILE`: learn from a file of ratings without a window.

Owns its arguments, the table it prints and the JSON. The choices, learners and outputs are those
of the window. Under torchrun each process learns from its share of the users; the first one prints.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice, check_together
from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper
from gradsheet.tasks import Control

if TYPE_CHECKING:
    from gradsheet.app.ratings.learners import FastLearner, LessonLearner
    from gradsheet.collab.report import EpochRow
    from gradsheet.collab.splits import Split
    from gradsheet.ratings.reader import ReadResult

KINDS = {"dot": "dot", "dot-bias": "bias", "net": "net"}
_OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
R = TypeVar("R")


def main(argv: Sequence[str]) -> int:
    """Run the command; return 0, or 1 after a message on standard error."""
    options = _parser().parse_args(argv)
    try:
        train(options)
    except UserError as error:
        print(f"gradsheet: {error.text}\n{error.hint}".rstrip(), file=sys.stderr)
        return 1
    return 0


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Read, learn, print, and write what was learned if a folder is given.

    Returns
    -------
    dict
        What ``--json`` prints: users, items, ratings, device, epochs.

    Raises
    ------
    UserError
        If the file cannot be read or the choices do not go together.
    """
    from gradsheet.collab.shards import group_of_processes

    read = _read(options.path)
    table = read.table
    model, learn = _choices(options, float(table.ratings.min()), float(table.ratings.max()),
                            len(table))  # fmt: skip
    with group_of_processes(options.device) as group:
        is_first = group is None or group.rank == 0
        if group is not None and table.n_users < 2 * group.size:
            raise UserError(
                f"{table.n_users} users are too few for {group.size} processes.", "Start fewer."
            )
        learner = _learner(options, read, model, learn, group)
        show = is_first and not options.json
        if show:
            print(f"{table.n_users:,} users, {table.n_items:,} items, {len(table):,} ratings")
            print(f"on {learner.device_text}; validation: {learner.split.note}")
            print("epoch  train RMSE  validation RMSE  seconds")
        shown = 0
        for snapshot in learner.frames(Control(), None):
            for row in snapshot.epochs[shown:] if show else ():
                print(_line(row), flush=True)
            shown = len(snapshot.epochs)
        snapshot = learner.snapshot()
        outcome: dict[str, Any] = {
            "users": table.n_users,
            "items": table.n_items,
            "ratings": len(table),
            "device": str(learner.device),
            "epochs": [_entry(row) for row in snapshot.epochs],
        }
        if snapshot.note:
            outcome["note"] = snapshot.note
            if show:
                print(snapshot.note)
        learner.gather()
        learned = learner.learned(1)
    if not is_first:
        return outcome
    if options.output is not None:
        outcome["files"] = _write(options.output, read, learner, learned)
        if show:
            print(f"Wrote {', '.join(outcome['files'])} to {options.output}")
    if options.json:
        print(json.dumps(outcome))
    if snapshot.state == "failed":
        raise UserError(snapshot.note, "Try a tenth of the learning rate.")
    return outcome


def _learner(
    options: argparse.Namespace,
    read: ReadResult,
    model: ModelChoice,
    learn: LearnChoice,
    group: Any,
) -> LessonLearner | FastLearner:
    from gradsheet.app.ratings.learners import make_learner
    from gradsheet.app.ratings.splitting import split_of

    share = 0.2 if options.valid_share is None else options.valid_share
    choice = SplitChoice(share=share, seed=options.seed)
    if options.valid is not None:
        choice = SplitChoice("file", path=options.valid)
    split: Split = split_of(read.table, choice)
    return make_learner(model, learn, split, read.genres, group=group)


def _read(path: Path) -> ReadResult:
    from gradsheet.ratings import reader

    result: ReadResult = _ended(reader.read(path))
    return result


def _ended(work: Generator[Any, None, R]) -> R:
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: R = end.value
            return found


def _choices(
    options: argparse.Namespace, low: float, high: float, count: int
) -> tuple[ModelChoice, LearnChoice]:
    """Return what the window would propose, with what was asked for instead."""
    from gradsheet.app.ratings.choices import proposed

    model, learn = proposed(low, high, count)
    if options.model is not None:
        model = dataclasses.replace(model, kind=KINDS[options.model])  # type: ignore[arg-type]
    if options.factors is not None:
        k = options.factors
        model = dataclasses.replace(model, factors=k, user_factors=k, item_factors=k)
    model = dataclasses.replace(model, seed=options.seed)
    mode = options.mode or ("lesson" if model.kind != "bias" else learn.mode)
    learn = dataclasses.replace(learn, mode=mode, device=options.device, seed=options.seed)
    if options.epochs is not None:
        learn = dataclasses.replace(learn, epochs=options.epochs, passes=options.epochs)
    if options.batch is not None:
        learn = dataclasses.replace(learn, batch_size=options.batch)
    hyper = learn.hyper
    if options.optimizer is not None:
        from gradsheet.learn.optimizers import OPTIMIZERS

        hyper = OPTIMIZERS[options.optimizer].defaults
        learn = dataclasses.replace(learn, optimizer=options.optimizer, schedule="constant")
    if options.schedule is not None:
        learn = dataclasses.replace(learn, schedule=options.schedule)
    try:
        if options.lr is not None:
            hyper = dataclasses.replace(hyper, lr=options.lr)
        if options.wd is not None:
            hyper = dataclasses.replace(hyper, weight_decay=options.wd)
    except ValueError as error:
        raise UserError(f"That rate is not possible: {error}.", "Enter another.") from error
    learn = dataclasses.replace(learn, hyper=Hyper(**dataclasses.asdict(hyper)))
    model.check()
    learn.check()
    check_together(model, learn)
    return model, learn


def _entry(row: EpochRow) -> dict[str, Any]:
    found: dict[str, Any] = {
        "epoch": row.epoch,
        "train_rmse": row.train_rmse,
        "valid_rmse": row.valid_rmse,
        "seconds": row.seconds,
    }
    return {**found, "stage": row.stage} if row.stage else found


def _line(row: EpochRow) -> str:
    valid = "-" if row.valid_rmse is None else f"{row.valid_rmse:.4f}"
    stage = f"  {row.stage}" if row.stage else ""
    return f"{row.epoch:5d}  {row.train_rmse:10.4f}  {valid:>15}  {row.seconds:7.2f}{stage}"


def _write(
    folder: Path, read: ReadResult, learner: LessonLearner | FastLearner, learned: Any
) -> list[str]:
    from gradsheet.app.ratings.outputs import Results, write_all
    from gradsheet.app.ratings.pairs import busiest_pairs
    from gradsheet.app.ratings.scripts import script_of
    from gradsheet.app.ratings.totals import Totals

    totals = Totals.of(read.table)
    results = Results(
        read.table,
        learner.split,
        learned,
        learner.model,
        learner.learn,
        busiest_pairs(read.table, totals),
        totals.item_counts,
        script_of(learner, "gradsheet train"),
    )
    return _ended(write_all(results, folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradsheet train",
        description="Learn a recommender from a file of ratings (CSV, TSV, a MovieLens zip).",
        epilog="On several processes: torchrun --nproc-per-node 2 -m gradsheet train FILE",
    )
    parser.add_argument("command", choices=("train",))
    parser.add_argument("path", type=Path, metavar="FILE")
    parser.add_argument("--model", choices=tuple(KINDS), help="dot-bias if not given")
    parser.add_argument("--factors", type=_positive, help="width of the embeddings; 50")
    parser.add_argument("--mode", choices=("lesson", "fast"), help="by the size if not given")
    parser.add_argument("--epochs", type=_positive, help="5; passes in the fast mode, at most 40")
    parser.add_argument("--lr", type=float, help="learning rate")
    parser.add_argument("--wd", type=float, help="weight decay")
    parser.add_argument("--batch", type=_positive, help="ratings in a mini-batch; 64")
    parser.add_argument("--optimizer", choices=_OPTIMIZERS, help="adamw, with one cycle")
    parser.add_argument("--schedule", choices=("constant", "annealed", "restarts", "one-cycle"))
    valid = parser.add_mutually_exclusive_group()
    valid.add_argument("--valid-share", type=float, metavar="X", help="kept back at random; 0.2")
    valid.add_argument("--valid", type=Path, metavar="FILE", help="a file to judge by instead")
    parser.add_argument("--seed", type=int, default=0, help="of split, start and order")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps", "xpu"), default="auto")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    files = "write embeddings, predictions, crosstab, model and script"
    parser.add_argument("--output", type=Path, metavar="DIR", help=files)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
