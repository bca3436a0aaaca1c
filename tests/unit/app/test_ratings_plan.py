"""Choices in words and curves, beside what the models and runs make of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, check_together
from gradsheet.app.ratings.making import fit_settings, make_model
from gradsheet.app.ratings.plan import (
    OPTIMIZER_TITLES,
    differences,
    embedding_sizes,
    group_rates,
    knobs_of,
    layer_groups,
    parameter_count,
    schedule_curve,
    start_of,
)
from gradsheet.app.ratings.presets import PRESETS, preset_of
from gradsheet.collab.fit import Fit
from gradsheet.collab.splits import random_share
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.optimizers import OPTIMIZERS
from gradsheet.ratings.synthetic import synthetic_ratings

SPLIT = random_share(synthetic_ratings(90, 60, 900, factors=2, seed=1)[0], 0.2, 1)
CHOICES = (
    ModelChoice(kind="dot", factors=4),
    ModelChoice(kind="bias", factors=4),
    ModelChoice(kind="net", user_factors=3, item_factors=5, hidden=(8, 4),
                dropouts=(0.0, 0.1, 0.1)),
    ModelChoice(kind="net", size_rule="half", hidden=(), dropouts=(0.0,)),
    ModelChoice(kind="net", size_rule="power"),
)  # fmt: skip


@pytest.mark.parametrize("choice", CHOICES)
def test_groups_sizes_and_counts_are_those_of_the_model(choice: ModelChoice) -> None:
    model = make_model(choice, SPLIT)
    train = SPLIT.train
    assert layer_groups(choice) == tuple(group.name for group in model.groups())
    widths = [x.table.weight.shape[1] for x in model.lookups()][:2]
    assert embedding_sizes(choice, train.n_users, train.n_items) == tuple(widths)
    numbers = sum(p.numel() for p in model.parameters())
    assert parameter_count(choice, train.n_users, train.n_items) == numbers


@pytest.mark.parametrize("name", list(OPTIMIZER_TITLES))
def test_the_knobs_shown_are_read_by_the_rule(name: str) -> None:
    assert set(knobs_of(name)) <= set(OPTIMIZERS[name].uses) | {"nesterov"}
    assert OPTIMIZER_TITLES[name] == OPTIMIZERS[name].title


def test_a_new_optimizer_keeps_a_decay_of_the_same_meaning_only() -> None:
    assert start_of("sgd", Hyper(weight_decay=0.3)).weight_decay == 0.3
    assert start_of("adamw", Hyper(weight_decay=0.3)).weight_decay == 0.1


@pytest.mark.parametrize("schedule", ["constant", "annealed", "restarts", "one-cycle"])
def test_the_curve_is_the_schedule_that_the_run_asks(schedule: str) -> None:
    learn = LearnChoice(epochs=3, schedule=schedule, cycle_len=1, cycle_mult=2)  # type: ignore[arg-type]
    fit = Fit(make_model(CHOICES[1], SPLIT), SPLIT.train, None, fit_settings(learn))
    fit._leg = (0, 3 * fit.steps_per_epoch)
    curve = schedule_curve(learn, fit.steps_per_epoch, 3)
    steps = np.round(curve.epochs * fit.steps_per_epoch).astype(int)
    asked = [fit._schedule(int(step)) for step in steps]
    assert curve.rates == pytest.approx([learn.hyper.lr * factors.lr for factors in asked])
    if schedule == "one-cycle":
        momenta = [0.9 * factors.momentum for factors in asked]
        assert curve.momenta == pytest.approx(momenta)
    else:
        assert not len(curve.momenta)


def test_frozen_groups_have_rate_zero_and_slices_spread() -> None:
    learn = LearnChoice(group_rates=(0.001, 0.1), frozen=("hidden layer 1",))
    rates = group_rates(CHOICES[2], learn)
    assert rates["embeddings"] == 0.001
    assert rates["hidden layer 1"] == 0.0
    assert rates["output layer"] == pytest.approx(0.1)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_a_preset_is_possible_and_knows_itself(preset) -> None:
    model, learn = preset.make(0.5, 5.0)
    model.check()
    learn.check()
    check_together(model, learn)
    assert preset_of(dataclasses.replace(model, seed=9), learn, 0.5, 5.0) is preset
    assert preset_of(dataclasses.replace(model, factors=7), learn, 0.5, 5.0) is None


def test_only_choices_that_apply_count_as_differences() -> None:
    bias = ModelChoice(kind="bias")
    lesson = LearnChoice()
    assert differences((bias, lesson), (bias, lesson)) == []
    # A net's layers are no choice of EmbeddingDotBias.
    assert differences((bias, lesson), (dataclasses.replace(bias, hidden=(99,)), lesson)) == []
    found = differences((bias, lesson), (bias, LearnChoice(mode="fast")))
    assert ("learning", "As in the lesson", "Fast") in [(d.title, d.first, d.second) for d in found]
    assert any(d.title == "epochs" and d.second == "" for d in found)
