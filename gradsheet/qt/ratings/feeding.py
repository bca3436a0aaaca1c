"""What the panels of a rating set are told of its session.

Owns the way from a session to the settings, the curves, the table of epochs and the words beside
them. Changes nothing; must not know docks, nor when a panel is to be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradsheet.app.ratings.plan import MODEL_TITLES, TableFacts, schedule_curve

if TYPE_CHECKING:
    from gradsheet.app.ratings.choices import LearnChoice
    from gradsheet.app.ratings.session import RatingsSession
    from gradsheet.qt.panels.model_settings import ModelSettings


def facts_of(session: RatingsSession, stars: tuple[float, float]) -> TableFacts:
    """Return what of a rating set decides which knobs apply; ``stars``: lowest and highest."""
    table, split = session.table, session.split
    return TableFacts(
        table.n_users,
        table.n_items,
        len(split.train) if split is not None else 0,
        *stars,
        session.genres is not None,
        table.timestamps is not None,
    )


def feed_settings(panel: ModelSettings, session: RatingsSession, facts: TableFacts) -> None:
    """Show the choices for model, learning and validation."""
    note = ""
    if session.split is not None:
        train, valid = len(session.split.train), len(session.split.valid)
        note = f"{train:,} ratings to learn from, {valid:,} to judge by."
    panel.show_choices(
        session.model_choice, session.learn_choice, session.split_choice, facts,
        device_text=session.device_text, split_note=note,
    )  # fmt: skip


def feed_training(
    panels: Mapping[str, Any], session: RatingsSession, facts: TableFacts, *, can_undo: bool
) -> None:
    """Show a run in "training", "curves" and "epochs": to its end, and where in it one stands."""
    from gradsheet.qt.panels.training import RunStatus

    snapshot, learn = session.past.whole, session.learn_choice
    is_fast, running = learn.mode == "fast", session.state == "running"
    per_epoch = facts.steps_per_epoch(learn)
    done = session.steps_done / per_epoch
    begin, end = session.leg
    if end <= begin or (not session.steps_done):
        begin, end = done, done + (learn.passes + 2 if is_fast else learn.epochs)
    curves, epochs, bar = panels["curves"], panels["epochs"], panels["training"]
    has_run = snapshot is not None and bool(session.past.end)
    planned = session.past.end / per_epoch if is_fast and not running and has_run else end
    curves.show_schedule(schedule_curve(learn, per_epoch, end - begin), begin)
    curves.show_fit(snapshot if has_run else None, per_epoch, planned, is_fast=is_fast)
    curves.stand_at(done)
    epochs.show_epochs(() if snapshot is None else snapshot.epochs)
    epochs.stand_at(len(session.epochs) if session.past.is_shown else None)
    bar.show_status(
        RunStatus(
            session.state,
            status_text(session, end),
            snapshot.progress.fraction if snapshot is not None else None,
            session.ratings_per_second,
            session.remaining_s,
            session.device_text,
            bool(session.steps_done),
            can_undo,
            is_fast,
        )
    )
    bar.suggest_name(suggested_name(session))


def with_rate(learn: LearnChoice, rate: float) -> LearnChoice:
    """Return the choice with another learning rate; layer groups keep their proportions."""
    groups = learn.group_rates
    if groups is not None:
        lo, hi = groups
        factor = rate / (learn.hyper.lr if lo is None and hi == learn.hyper.lr else hi)
        groups = (None if lo is None else lo * factor, hi * factor)
    return replace(learn, hyper=replace(learn.hyper, lr=rate), group_rates=groups)


def suggested_name(session: RatingsSession) -> str:
    """Return a name that says what the model is: EmbeddingDotBias, 3 epochs."""
    learn, count = session.learn_choice, len(session.epochs)
    if learn.mode == "fast":
        return f"Fast, {max(count - 2, 0)} passes"
    return f"{MODEL_TITLES[session.model_choice.kind]}, {count} epoch{'s' if count != 1 else ''}"


def status_text(session: RatingsSession, end: float) -> str:
    """Return what the run does, or how it ended."""
    count = len(session.epochs)
    word = "pass" if session.learn_choice.mode == "fast" else "epoch"
    plural = {"pass": "passes", "epoch": "epochs"}[word]
    if session.state == "running":
        return f"{word} {min(count + 1, round(end))} of {round(end)}"
    learned = f"{count} {word if count == 1 else plural} learned"
    if session.past.is_shown:
        shown = f"as after {word} {count}" if count else "as at the start"
        return f"{shown}: Run goes on from here"
    if session.state == "done":
        return f"{learned}. {session.note}" if session.note else learned
    if session.state == "paused":
        return f"paused, {learned}"
    if session.state == "failed":
        return session.note
    if session.state == "preparing":
        return session.note or "Setting ratings aside and making the model"
    return "ready: Run learns"
