"""Facts about learning as in the lesson; the oracle is a plain PyTorch loop with its DataLoader."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from gradsheet.collab.features import genre_flags, time_features
from gradsheet.collab.fit import Fit, FitSettings
from gradsheet.collab.models import (
    EmbeddingDot,
    EmbeddingDotBias,
    EmbeddingNet,
    Recommender,
    SeededDropout,
)
from gradsheet.formula.values import UserError
from gradsheet.learn.group_rates import rates_of_groups
from gradsheet.learn.hyper import Hyper
from gradsheet.learn.optimizers import OPTIMIZERS
from gradsheet.ratings.table import RatingTable
from gradsheet.tasks import Cancelled, Control, Task

MODELS: dict[str, Callable[..., Recommender]] = {
    "dot": EmbeddingDot,
    "dot-bias": EmbeddingDotBias,
    "net": EmbeddingNet,
}


def make(kind: str, table: RatingTable, seed: int = 0, **more: Any) -> Recommender:
    generator = torch.Generator().manual_seed(seed)
    return MODELS[kind](table.n_users, table.n_items, 10, generator=generator, **more)


def plain_loop(
    model: Recommender,
    table: RatingTable,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    seed: int,
    after_step: Callable[[], None] | None = None,
) -> list[float]:
    """Return the losses of the lesson's own loop."""
    data = TensorDataset(
        torch.from_numpy(table.users).long(),
        torch.from_numpy(table.items).long(),
        torch.from_numpy(table.ratings),
    )
    order, masks = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, SeededDropout):
            module.generator = masks
    losses = []
    model.train()
    for _ in range(epochs):
        rows = torch.randperm(len(table), generator=order).tolist()
        loader = DataLoader(data, batch_size=64, sampler=rows)  # type: ignore[arg-type]
        for users, items, ratings in loader:
            optimizer.zero_grad()
            loss = functional.mse_loss(model(users, items), ratings)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if after_step is not None and len(losses) < epochs * len(loader):
                after_step()
    return losses


OPTIM: dict[str, tuple[Hyper, Callable[[Any], torch.optim.Optimizer]]] = {
    "sgd": (Hyper(lr=0.1), lambda p: torch.optim.SGD(p, 0.1)),
    "momentum": (
        Hyper(lr=0.1, momentum=0.9, weight_decay=2e-4),
        lambda p: torch.optim.SGD(p, 0.1, 0.9, weight_decay=2e-4),
    ),
    "rmsprop": (
        Hyper(lr=1e-3, beta2=0.99, momentum=0.0),
        lambda p: torch.optim.RMSprop(p, 1e-3, 0.99),
    ),
    "adam": (
        Hyper(lr=1e-3, weight_decay=1e-5),
        lambda p: torch.optim.Adam(p, 1e-3, weight_decay=1e-5),
    ),
    "adamw": (
        Hyper(lr=1e-3, weight_decay=0.1, decoupled=True),
        lambda p: torch.optim.AdamW(p, 1e-3, weight_decay=0.1),
    ),
}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("name", OPTIM)
def test_each_step_gives_the_numbers_of_a_plain_loop(
    planted: RatingTable, kind: str, name: str
) -> None:
    hyper, optimizer = OPTIM[name]
    theirs = make(kind, planted)
    losses = plain_loop(theirs, planted, optimizer(theirs.parameters()), 2, seed=3)
    ours = make(kind, planted)
    fit = Fit(ours, planted, None, FitSettings(optimizer=name, hyper=hyper, seed=3))
    for expected in losses:
        fit.learn_batch()
        assert fit.last_loss == pytest.approx(expected, abs=1e-5)
    for (key, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5, msg=lambda m, k=key: f"{k}: {m}")


@pytest.mark.parametrize("name", ["nesterov", "adagrad", "lesson_momentum", "lesson_adam", "eve"])
def test_the_programs_other_optimizers_lower_the_loss(planted: RatingTable, name: str) -> None:
    hyper = dataclasses.replace(OPTIMIZERS[name].defaults, lr=0.01, eps=1e-8)
    fit = Fit(make("dot-bias", planted), planted, None, FitSettings(optimizer=name, hyper=hyper))
    fit.run(epochs=2)
    assert fit.state == "done"
    assert fit.epochs[-1].train_rmse < fit.epochs[0].train_rmse


def test_decoupled_decay_shrinks_beside_the_gradient(planted: RatingTable) -> None:
    hyper = Hyper(lr=0.1, weight_decay=0.01, decoupled=True)
    fit = Fit(make("dot", planted), planted, None, FitSettings(optimizer="sgd", hyper=hyper))
    theta = fit.parameters.groups[0].theta
    before = theta.detach().clone()
    users, items = torch.tensor([0]), torch.tensor([0])
    rating = fit.model(users, items).detach()  # no error, so that only the decay acts
    fit.learn({"users": users, "items": items, "ratings": rating})
    torch.testing.assert_close(theta.detach(), before * (1 - 0.001))


def test_models_learn_what_was_planted(planted: RatingTable) -> None:
    train, valid = planted.split(0.2, 0)
    settings = FitSettings(optimizer="adam", hyper=Hyper(lr=0.01, weight_decay=1e-4), epochs=8)
    for kind in ("dot-bias", "net"):
        fit = Fit(make(kind, planted), train, valid, settings)
        fit.run()
        last = fit.epochs[-1]
        assert last.valid_rmse is not None
        assert last.valid_rmse < 0.8 * float(valid.ratings.std())
        assert last.valid_mae is not None
        assert last.valid_mae < last.valid_rmse


def test_frozen_groups_stay_as_they_were(planted: RatingTable) -> None:
    model = make("dot-bias", planted)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Fit(model, planted, None, FitSettings(frozen=("biases",))).run(epochs=1)
    after = model.state_dict()
    assert torch.equal(after["ub.weight"], before["ub.weight"])
    assert torch.equal(after["mb.weight"], before["mb.weight"])
    assert not torch.equal(after["u.weight"], before["u.weight"])


def test_freezing_everything_is_refused(planted: RatingTable) -> None:
    with pytest.raises(UserError, match="nothing can be learned"):
        Fit(make("dot", planted), planted, None, FitSettings(frozen=("factors",)))
    with pytest.raises(UserError, match="no layer group nonsense"):
        Fit(make("dot", planted), planted, None, FitSettings(frozen=("nonsense",)))


def test_rates_per_group_are_those_of_the_lesson() -> None:
    assert rates_of_groups(0.1, 3) == (0.1, 0.1, 0.1)
    assert rates_of_groups(slice(0.3), 3) == pytest.approx((0.1, 0.1, 0.3))
    assert rates_of_groups(slice(0.001, 0.1), 3) == pytest.approx((0.001, 0.01, 0.1))
    with pytest.raises(UserError):
        rates_of_groups(0.0, 1)


def test_groups_step_at_their_own_rates(planted: RatingTable) -> None:
    settings = FitSettings(optimizer="sgd", hyper=Hyper(), group_rates=slice(0.001, 0.1))
    fit = Fit(make("dot-bias", planted), planted, None, settings)
    reference = make("dot-bias", planted)
    optimizer = torch.optim.SGD(
        [
            {"params": [reference.u.weight, reference.m.weight], "lr": 0.001},  # type: ignore[union-attr]
            {"params": [reference.ub.weight, reference.mb.weight], "lr": 0.1},  # type: ignore[union-attr]
        ]
    )
    plain_loop(reference, planted, optimizer, 1, seed=0)
    fit.run(epochs=1)
    for a, b in zip(fit.model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_one_cycle_gives_the_numbers_of_torchs_scheduler(planted: RatingTable) -> None:
    hyper = Hyper(lr=5e-3, beta1=0.95, beta2=0.99, weight_decay=0.1, decoupled=True)
    settings = FitSettings(optimizer="adamw", hyper=hyper, schedule="one-cycle")
    fit = Fit(make("dot-bias", planted), planted, None, settings)
    fit.run(epochs=2)
    reference = make("dot-bias", planted)
    optimizer = torch.optim.AdamW(reference.parameters(), 5e-3, (0.95, 0.99), weight_decay=0.1)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, 2 * fit.steps_per_epoch)
    plain_loop(reference, planted, optimizer, 2, seed=0, after_step=cycle.step)
    for a, b in zip(fit.model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-5)


@pytest.mark.parametrize("schedule", ["constant", "annealed", "restarts", "one-cycle"])
def test_the_rate_follows_the_schedule(planted: RatingTable, schedule: str) -> None:
    settings = FitSettings(schedule=schedule, hyper=Hyper(lr=0.02), cycle_mult=2)  # type: ignore[arg-type]
    fit = Fit(make("dot-bias", planted), planted, None, settings)
    fit.run(epochs=3)
    rates = [row.lr for row in fit.epochs]
    if schedule == "constant":
        assert rates == [0.02] * 3
    elif schedule == "restarts":  # cycles of one and two epochs: both end low
        assert rates[0] < 1e-4
        assert rates[1] == pytest.approx(0.01, rel=0.05)
        assert rates[2] < 1e-4
    else:
        assert rates[-1] < 1e-4


def test_early_stopping_goes_back_to_the_best(planted: RatingTable) -> None:
    train, valid = planted.split(0.3, 0)
    settings = FitSettings(
        optimizer="adam", hyper=Hyper(lr=0.1), epochs=40, patience=2, batch_size=256
    )
    fit = Fit(make("dot-bias", planted), train, valid, settings)
    fit.run()
    assert fit.state == "stopped early"
    assert len(fit.epochs) < 40
    best = min(row.valid_rmse for row in fit.epochs if row.valid_rmse is not None)
    assert fit.validate()[0] == pytest.approx(best)


def test_a_loss_that_explodes_is_named(planted: RatingTable) -> None:
    settings = FitSettings(hyper=Hyper(lr=50.0, momentum=0.99), epochs=2)
    fit = Fit(make("dot", planted), planted, None, settings)
    fit.run()
    assert fit.state == "failed"
    assert "infinite at step" in fit.note


def numbers(model: Recommender) -> Tensor:
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


@pytest.mark.parametrize("name", ["momentum", "adam", "eve"])
def test_a_saved_run_goes_on_bit_for_bit(planted: RatingTable, name: str) -> None:
    hyper = dataclasses.replace(OPTIMIZERS[name].defaults, lr=0.01, eps=1e-8)
    settings = FitSettings(optimizer=name, hyper=hyper)
    whole = Fit(make("net", planted), planted, None, settings)
    for _ in range(130):
        whole.learn_batch()
    saved = whole.state_dict()
    for _ in range(20):
        whole.learn_batch()
    other = Fit(make("net", planted, seed=9), planted, None, settings)
    other.load(saved)
    for _ in range(20):
        other.learn_batch()
    assert torch.equal(numbers(whole.model), numbers(other.model))


def test_a_cancelled_run_goes_on_where_it_was(planted: RatingTable) -> None:
    settings = FitSettings(epochs=3)
    whole = Fit(make("dot-bias", planted), planted, None, settings)
    whole.run()
    broken = Fit(make("dot-bias", planted), planted, None, settings)
    control = Control()
    frames = broken.frames(control, fps=1e9)
    for _ in range(150):
        next(frames)
    control.cancel()
    with pytest.raises(Cancelled):
        next(frames)
    assert broken.step == 150
    for _ in broken.frames():
        pass
    assert len(broken.epochs) == 3
    assert torch.equal(numbers(whole.model), numbers(broken.model))


def test_more_epochs_at_a_tenth_of_the_rate_are_those_of_a_plain_loop(
    planted: RatingTable,
) -> None:
    hyper, optimizer = OPTIM["momentum"]
    fit = Fit(make("dot-bias", planted), planted, None, FitSettings(hyper=hyper))
    fit.run(epochs=1)
    fit.set_rate(0.01)
    fit.run(epochs=1)
    reference = make("dot-bias", planted)
    sgd = optimizer(reference.parameters())
    order = torch.Generator().manual_seed(0)
    plain_loop(reference, planted, sgd, 1, seed=0)
    torch.randperm(len(planted), generator=order)
    sgd.param_groups[0]["lr"] = 0.01
    data = [torch.from_numpy(c).long() for c in (planted.users, planted.items)]
    rows = torch.randperm(len(planted), generator=order)
    for batch in rows.split(64):
        sgd.zero_grad()
        predicted = reference(data[0][batch], data[1][batch])
        functional.mse_loss(predicted, torch.from_numpy(planted.ratings)[batch]).backward()
        sgd.step()
    torch.testing.assert_close(numbers(fit.model), numbers(reference), rtol=0, atol=1e-5)
    assert [row.epoch for row in fit.epochs] == [1, 2]


def test_snapshots_tell_the_whole_run_to_a_task(planted: RatingTable) -> None:
    train, valid = planted.split(0.2, 0)
    fit = Fit(make("dot-bias", planted), train, valid, FitSettings(epochs=4))
    task = Task("fit", lambda control: fit.frames(control, fps=1000.0)).start()
    task.pause()
    assert task.control.wait_until_paused(10)
    paused_at = fit.step
    task.resume()
    assert task.join(30)
    last = task.latest()
    assert last is not None
    assert last.state == "done"
    assert len(last.epochs) == 4
    assert last.progress.fraction == 1.0
    assert last.ratings_per_second > 0
    assert last.steps[-1] == 4 * fit.steps_per_epoch > paused_at
    assert len(last.steps) == len(last.losses)
    assert last.losses[-10:].mean() < last.losses[:10].mean()
    assert task.result() is fit.model


def test_the_curve_is_thinned_by_means(planted: RatingTable) -> None:
    settings = FitSettings(batch_size=4, hyper=Hyper(lr=0.01))
    fit = Fit(make("dot-bias", planted), planted, None, settings)
    *_, last = fit.frames(epochs=2)
    assert len(last.losses) <= 2000
    assert last.steps[-1] == fit.step == 3000
    widths = np.diff(last.steps, prepend=0)
    mean_loss = float((last.losses * widths).sum() / fit.step)
    rmse = np.sqrt(np.mean([row.train_rmse**2 for row in fit.epochs]))
    assert np.sqrt(mean_loss) == pytest.approx(rmse, rel=1e-4)


def test_a_net_learns_with_genres_and_times(planted: RatingTable) -> None:
    genres = genre_flags(["Comedy|Drama", "Drama", "(no genres listed)", ""] * 20)
    assert genres.names == ("Comedy", "Drama")
    assert genres.flags[:4].tolist() == [[1, 1], [0, 1], [0, 0], [0, 0]]
    stamps = np.arange(len(planted), dtype=np.int64) * 3600
    times = time_features(stamps)
    assert times.shape == (len(planted), 5)
    model = make("net", planted, genres=genres.flags, n_times=5)
    fit = Fit(model, planted, planted, FitSettings(epochs=1), times=times, valid_times=times)
    fit.run()
    assert fit.epochs[0].valid_rmse is not None


def test_the_last_smaller_batch_counts_by_its_size(planted: RatingTable) -> None:
    part = planted.take(np.arange(70))
    fit = Fit(make("dot", planted), part, None, FitSettings(optimizer="sgd", hyper=Hyper(lr=1e-12)))
    fit.run(epochs=1)
    with torch.no_grad():
        codes = [torch.from_numpy(c).long() for c in (part.users, part.items)]
        errors = fit.model(*codes).numpy() - part.ratings
    assert fit.epochs[0].train_rmse == pytest.approx(float(np.sqrt(np.mean(errors**2))), rel=1e-5)
