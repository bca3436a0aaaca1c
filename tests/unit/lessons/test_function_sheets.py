"""The sheets of a function: the same numbers as the tensor rules, the edits keep what was set."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gradsheet.formula.address import Cell
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.values import FormulaError, UserError
from gradsheet.learn.epoch_step import epoch_step_of
from gradsheet.learn.epochs import EpochTrainer
from gradsheet.learn.functions2d import FormulaSurface
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.line_fit import RECIPES
from gradsheet.learn.optimizers import OPTIMIZERS, Optimizer
from gradsheet.learn.presets2d import PRESETS
from gradsheet.lessons.function_book import build_function
from gradsheet.lessons.function_layout import ROWS, kind_for, with_steepness
from gradsheet.lessons.functions import function_named, typed
from gradsheet.sheet.workbook import Workbook

NAMES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "eve")


def calculated(name: str) -> Workbook:
    workbook = build_function(function_named(name)).workbook
    for result in compile_program(workbook).recalculate():
        workbook.sheet(result.sheet).cells.write(result.region, result.values, result.kinds)
    return workbook


def trainer_of(workbook: Workbook, name: str) -> EpochTrainer:
    sheet = workbook.by_name(name)
    assert sheet is not None
    epoch = epoch_step_of(workbook, sheet.id)
    assert epoch is not None
    return EpochTrainer(workbook, epoch)


def hyper_of(name: str, lr: float) -> tuple[str, Hyper]:
    recipe = RECIPES[name]
    hyper = replace(recipe.hyper, lr=lr, eps=1e-8, lagged=False, period=ROWS)
    return ("adagrad" if name == "adagrad" else recipe.rule), hyper


@pytest.mark.parametrize("preset", PRESETS)
def test_every_sheet_gives_the_numbers_of_the_tensor_rule(preset: str) -> None:
    function = function_named(preset)
    surface = FormulaSurface(with_steepness(function.formula, "20"))
    workbook = calculated(preset)
    for name in NAMES:
        tab = "basic" if name == "sgd" else name
        trainer = trainer_of(workbook, tab)
        lr = trainer.number(Cell.parse("F1" if tab == "basic" else "D2"))
        rule, hyper = hyper_of(name, lr)
        optimizer = Optimizer(OPTIMIZERS[rule], hyper)
        theta = torch.tensor(function.start, dtype=torch.float64)
        optimizer.prepare(theta)
        loss, gradient = surface.loss_and_gradient(theta[None], 0)
        if "square" in optimizer.state:
            optimizer.state["square"].fill_(float(gradient.square().mean()))
        # In a dent RMSprop leaps to and fro, and a last digit grows with every leap.
        is_chaotic = preset == "rastrigin" and name == "rmsprop"
        for _ in range(1 if is_chaotic else 2):
            before = float(loss)
            for _ in range(ROWS):
                _, gradient = surface.loss_and_gradient(theta[None], 0)
                optimizer.step(theta, gradient[0].clone(), before)
            loss = surface.loss(theta[None])
            produced = [trainer.number(Cell.parse(c)) for c in ("C33", "D33", "E33")]
            expected = [*theta.tolist(), float(loss)]
            assert produced == pytest.approx(expected, rel=1e-12, abs=1e-12), (name, preset)
            trainer.advance()


@pytest.mark.parametrize("preset", ["rosenbrock", "quadratic", "saddle"])
def test_derivatives_stand_beside_finite_differences(preset: str) -> None:
    trainer = trainer_of(calculated(preset), "basic")
    for exact, estimate in (("K4", "H4"), ("L4", "J4")):
        found = trainer.number(Cell.parse(exact))
        assert trainer.number(Cell.parse(estimate)) == pytest.approx(found, rel=0.05, abs=0.3)


def test_the_log_and_the_states_stand_at_the_lectures_addresses() -> None:
    workbook = calculated("rosenbrock")
    trainer = trainer_of(workbook, "adam")
    assert trainer.epoch.log == Cell.parse("C38")
    assert [str(r) for r in trainer.epoch.targets] == ["C1", "C2", "J33:K33", "L33:M33"]


def test_all_sheets_go_down_from_the_start_without_an_error() -> None:
    workbook = calculated("beale")
    for sheet in workbook.sheets[1:]:
        trainer = trainer_of(workbook, sheet.name)
        first = trainer.loss
        assert trainer.advance(60) == 60, trainer.failure
        assert trainer.loss < first + 0.5


@pytest.mark.parametrize(
    ("formula", "words"), [("x+banana", "banana"), ("ROUND(x,1)", "derivative")]
)
def test_a_formula_that_cannot_be_is_refused(formula: str, words: str) -> None:
    with pytest.raises(FormulaError, match=words):
        kind_for("basic", typed(formula))


def test_a_start_without_a_value_is_refused() -> None:
    with pytest.raises(UserError, match="at the start"):
        build_function(typed("LN(x)+y^2", (-1.0, 1.0)))
