"""The gradient-descent lab without a window: `gradsheet descend` and `gradsheet race`.

Owns what their arguments mean and what they print. Runs `learn.line_fit` and `learn.race`.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradsheet.formula.values import UserError
from gradsheet.lessons import descent_data

if TYPE_CHECKING:
    from gradsheet.learn.functions2d import Surface
    from gradsheet.learn.line_fit import Recipe
    from gradsheet.learn.schedules import Schedule

SCHEDULES = ("constant", "linear", "cosine", "exponential", "restarts", "one-cycle")
RANGE = "range"
NEAR = 1.0
"""A race on points is at its target when its error is so near to the least."""
CLOSE_A, CLOSE_B = 0.05, 1.0
"""How near a = 2 and b = 30 counts as there."""


def add_parsers(commands: Any) -> None:
    """Add both commands to the subparsers of the command line."""
    one = commands.add_parser("descend", help="fit the lesson's line and print every epoch")
    one.add_argument("--optimizer", default="sgd", help="sgd, momentum, nesterov, adagrad, ...")
    one.add_argument("--epochs", type=_positive, default=50)
    _add_settings(one, (*SCHEDULES, RANGE))
    one.add_argument("--all", action="store_true", help="a table of every optimizer instead")
    many = commands.add_parser("race", help="run several optimizers from one start")
    about = "a preset, line, noisy-line, or a formula"
    many.add_argument("--function", default="rosenbrock", help=about)
    many.add_argument("--optimizers", default="", help="names separated by commas; all if none")
    many.add_argument("--rule", choices=("same", "best", "budget"), default="best")
    many.add_argument("--steps", type=_positive, default=500)
    many.add_argument("--start", help="two numbers separated by a comma")
    many.add_argument("--target", type=float, help="the loss to reach")
    many.add_argument("--condition", type=float, help="condition number of the bowl")
    _add_settings(many, SCHEDULES)


def _add_settings(parser: argparse.ArgumentParser, schedules: Sequence[str]) -> None:
    parser.add_argument("--lr", type=float, help="learning rate")
    parser.add_argument("--data", help="a file of two columns, x and y")
    parser.add_argument("--seed", type=int, default=0, help="of drawn points; 0: the lecture's")
    parser.add_argument("--points", type=_positive, help="how many to draw")
    parser.add_argument("--slope", type=float, default=descent_data.SLOPE)
    parser.add_argument("--intercept", type=float, default=descent_data.INTERCEPT)
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation on y")
    parser.add_argument("--batch", type=_positive, help="rows in a mini-batch")
    parser.add_argument("--schedule", choices=schedules, default="constant")
    parser.add_argument("--cycle-len", type=_positive, help="of restarts: the first cycle")
    parser.add_argument("--cycle-mult", type=_positive, default=2, help="of restarts: growth")
    parser.add_argument("--beta1", type=float, help="decay of the average of gradients")
    parser.add_argument("--beta2", type=float, help="decay of the average of squared gradients")
    parser.add_argument("--weight-decay", type=float)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


# --- descend ----------------------------------------------------------------------------------


def descend(options: argparse.Namespace) -> dict[str, Any]:
    """Fit y = a x + b and return every epoch.

    Returns
    -------
    dict
        ``epochs``: a list of ``epoch`` (from 1), ``a`` and ``b`` after the epoch's last update,
        and ``error``, the root of the sum of its squared errors as the sheet logs it. With
        ``--all``: ``optimizers``, a row each. After a divergence ``failure``: what became
        of which row, and the rate to try. After a range test ``suggestion``: the rate ``lr``
        where the smoothed error falls fastest, and ``tenth_of_lowest``.

    Raises
    ------
    UserError
        For a file, an optimizer or a setting that is not possible.
    """
    from gradsheet.learn.line_fit import RECIPES, LineFit

    x, y = _points(options).values()
    if options.all:
        return {"optimizers": epochs_needed(x, y, options.batch or 1)}
    recipe = RECIPES.get(options.optimizer)
    if recipe is None:
        raise UserError(
            f"There is no optimizer called {options.optimizer!r}.",
            f"Optimizers: {', '.join(RECIPES)}.",
        )
    recipe = _with_settings(recipe, options)
    schedule = _schedule(options, options.epochs, recipe.hyper.beta1)
    fit = LineFit(x, y, recipe, batch=options.batch or 1, schedule=schedule)
    outcome: dict[str, Any] = {"epochs": []}
    for _ in range(options.epochs):
        try:
            outcome["epochs"].append(dataclasses.asdict(fit.epoch()))
        except UserError as error:
            outcome["failure"] = str(error)
            break
    if options.schedule == RANGE and schedule is not None:
        outcome["suggestion"] = _suggested(schedule, recipe.hyper.lr, outcome["epochs"])
    return outcome


def _suggested(schedule: Schedule, lr: float, epochs: list[dict[str, Any]]) -> Any:
    """Read a range test; None if the error never fell."""
    from gradsheet.learn.schedules import suggest_rate

    rates = [lr * schedule(step).lr for step in range(len(epochs))]
    found = suggest_rate(rates, [epoch["error"] for epoch in epochs])
    if found is None:
        return None
    return {"lr": found.steepest, "tenth_of_lowest": found.tenth_of_lowest}


def epochs_needed(
    x: list[float], y: list[float], batch: int = 1, most: int = 5000
) -> list[dict[str, Any]]:
    """Return for every optimizer at the lesson's settings the epochs from a = b = 1 to the line.

    There is: a within 0.05 of 2 and b within 1 of 30, at the end of an epoch for the first time.
    """
    from gradsheet.learn.line_fit import RECIPES, LineFit

    rows = []
    for name, recipe in RECIPES.items():
        fit = LineFit(x, y, recipe, batch=batch)
        reached, end = None, None
        for _ in range(most):
            end = fit.epoch()
            if abs(end.a - descent_data.SLOPE) < CLOSE_A and (
                abs(end.b - descent_data.INTERCEPT) < CLOSE_B
            ):
                reached = end.epoch
                break
        rows.append(
            {
                "optimizer": name, "lr": recipe.hyper.lr, "epochs": reached,
                "a": end.a if end else None, "b": end.b if end else None,
                "error": end.error if end else None,
            }
        )  # fmt: skip
    return rows


def _with_settings(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """Return the recipe with what the command line changes."""
    names = ("lr", "beta1", "beta2", "weight_decay")
    changes = {n: getattr(options, n) for n in names if getattr(options, n) is not None}
    return dataclasses.replace(recipe, hyper=dataclasses.replace(recipe.hyper, **changes))


def _points(options: argparse.Namespace) -> descent_data.LineData:
    if options.data:
        return descent_data.read(Path(options.data))
    is_lecture = options.seed == 0 and options.points is None and options.noise == 0 and (
        options.slope == descent_data.SLOPE and options.intercept == descent_data.INTERCEPT
    )  # fmt: skip
    if is_lecture:
        return descent_data.lecture()
    count = options.points or len(descent_data.LECTURE_X)
    return descent_data.drawn(
        options.seed, count, options.slope, options.intercept, options.noise
    )


def _schedule(options: argparse.Namespace, total: int, momentum: float) -> Schedule | None:
    from gradsheet.learn import schedules

    name = options.schedule
    if name == "constant":
        return None
    if name == "restarts":
        return schedules.cosine_restarts(
            options.cycle_len or max(1, total // 7), options.cycle_mult
        )
    if name == RANGE:
        return schedules.range_test(max(2, total), *schedules.RANGE_FACTORS)
    if name == "one-cycle":
        return schedules.one_cycle(max(2, total), base_momentum=momentum or 0.95)
    end = 0.01 if name == "exponential" else 0.0
    shape: Any = name
    return schedules.annealing(total, end, shape)


# --- race -------------------------------------------------------------------------------------


def race(options: argparse.Namespace) -> dict[str, Any]:
    """Run a race and return who got where, and when.

    Returns
    -------
    dict
        ``function``, ``rule``, ``note``, ``steps``, ``target``, ``runners`` (a row each, as
        `learn.race.Standing`), ``losses`` by name, and ``search`` (rates, and losses by name).

    Raises
    ------
    UserError
        For a function, an optimizer or a setting that is not possible.
    """
    from gradsheet.learn.race import chosen
    from gradsheet.learn.rate_search import plan_race

    surface, start, lr, target = _course(options)
    names = [name.strip() for name in options.optimizers.split(",") if name.strip()]
    changes = {
        n: getattr(options, n) for n in ("beta1", "beta2") if getattr(options, n) is not None
    }
    field = [
        dataclasses.replace(r, hyper=dataclasses.replace(r.hyper, **changes)) for r in chosen(names)
    ]
    plan = plan_race(
        options.rule, surface, field, start, options.steps, lr=options.lr or lr, target=target,
        schedule=_schedule(options, options.steps, 0.9),
    )  # fmt: skip
    plan.race.advance(plan.steps)
    losses = plan.race.losses()
    titles = [runner.name for runner in plan.race.runners]
    found: dict[str, Any] = {
        "function": options.function, "rule": options.rule, "note": plan.note,
        "steps": plan.race.step, "target": target,
        "runners": [_finite(dataclasses.asdict(s)) for s in plan.race.standings()],
        "losses": {n: _numbers(losses[:, i].tolist()) for i, n in enumerate(titles)},
    }  # fmt: skip
    if plan.search is not None:
        found["search"] = {
            "rates": plan.search.rates.tolist(),
            "losses": {n: _numbers(plan.search.losses[i].tolist()) for i, n in enumerate(titles)},
        }
    return found


def _course(
    options: argparse.Namespace,
) -> tuple[Surface, tuple[float, float], float, float | None]:
    """Return surface, start, a sensible rate, and the target."""
    from gradsheet.learn import functions2d

    name = options.function
    surface: Surface
    if name in (functions2d.LINE, descent_data.NOISY) or options.data:
        is_noisy = name == descent_data.NOISY and not options.data
        x, y = (descent_data.noisy() if is_noisy else _points(options)).values()
        line = functions2d.LineSurface(x, y, options.batch or 0)
        surface, start, lr, low = line, (1.0, 1.0), 1e-4, line.lowest + NEAR
    elif name in functions2d.PRESETS:
        surface, preset = functions2d.surface_of(name)
        if name == "quadratic" and options.condition is not None:
            surface = functions2d.FormulaSurface(functions2d.quadratic(options.condition))
        start, lr, low = preset.start, preset.rate, 1e-3
    else:
        surface = functions2d.FormulaSurface(name)
        start, lr, low = (1.0, 1.0), 0.01, math.nan
    if options.start:
        start = _pair(options.start)
    target = options.target if options.target is not None else low
    return surface, start, lr, None if math.isnan(target) else target


def _pair(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"{text!r} is not a start.", "Write two numbers, such as -1.2,1.") from None
    return x, y


def _numbers(values: list[float]) -> list[float | None]:
    """JSON has no NaN and no infinity: null."""
    return [v if math.isfinite(v) else None for v in values]


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()
    }


def shown(command: str, outcome: dict[str, Any]) -> str:
    """Return an outcome as text for people."""
    if command == "descend" and "optimizers" in outcome:
        lines = ["| optimizer | learning rate | epochs | a | b |", "|---|---|---|---|---|"]
        for row in outcome["optimizers"]:
            reached = row["epochs"] if row["epochs"] is not None else "not reached"
            numbers = f"{row['a']:.4f} | {row['b']:.3f}"
            lines.append(f"| {row['optimizer']} | {row['lr']:g} | {reached} | {numbers} |")
        return "\n".join(lines)
    if command == "descend":
        lines = [
            f"epoch {e['epoch']:>5}  a = {e['a']:<12.6g} b = {e['b']:<12.6g} error {e['error']:.6g}"
            for e in outcome["epochs"]
        ]
        if outcome.get("suggestion"):
            rate = outcome["suggestion"]["lr"]
            lines.append(f"Suggested rate {rate:.2g}: there the smoothed error falls fastest.")
        return "\n".join([*lines, *([outcome["failure"]] if "failure" in outcome else [])])
    lines = [outcome["note"]]
    for row in outcome["runners"]:
        reached = f"at step {row['reached']}" if row["reached"] is not None else "not"
        state = f"diverged at step {row['diverged']}" if row["diverged"] is not None else (
            f"loss {row['loss']:.6g}, target {reached} reached"
        )  # fmt: skip
        lines.append(f"{row['title']:<12} lr {row['lr']:<10.4g} {state}")
    return "\n".join(lines)
