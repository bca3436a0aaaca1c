"""What was learned in files: complete, exact, and a script that learns the same again."""

from __future__ import annotations

import csv
import dataclasses
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import torch

from gradsheet.app.ratings import outputs
from gradsheet.app.ratings.choices import LearnChoice, ModelChoice, SplitChoice
from gradsheet.app.ratings.embedding_edits import edit_row
from gradsheet.app.ratings.outputs import results_of, write_all
from gradsheet.app.ratings.pairs import busiest_pairs
from gradsheet.app.ratings.session import RatingsSession
from gradsheet.files.learned_files import read_tensors
from gradsheet.formula.values import UserError
from gradsheet.learn.hyper import Hyper
from gradsheet.ratings.synthetic import synthetic_ratings
from gradsheet.tasks import live_tasks

MADE = synthetic_ratings(80, 50, 1500, factors=2, seed=1)[0]
TITLES = np.array([f'Item "{i}", the {i}th' for i in range(50)], dtype=object)
TIMES = np.random.default_rng(0).integers(10**9, 2 * 10**9, 1500)
TABLE = dataclasses.replace(MADE, titles=TITLES, timestamps=TIMES)
BIAS, NET = ModelChoice(factors=6), ModelChoice(kind="net", user_factors=3, item_factors=4)
LESSON = LearnChoice(epochs=2)
FAST = LearnChoice(mode="fast", passes=8)
Make = Callable[..., RatingsSession]


@pytest.fixture
def make() -> Iterator[Make]:
    made = []

    def build(model: ModelChoice, learn: LearnChoice) -> RatingsSession:
        genres = ["Comedy|Drama" if i % 2 else "Drama" for i in range(50)]
        session = RatingsSession(TABLE, "made up", genres, model=model, learn=learn)
        made.append(session)
        session.prepare()
        session.wait(60)
        return session

    yield build
    for session in made:
        session.close()
    assert not live_tasks()


def run(session: RatingsSession, epochs: int | None = None) -> None:
    if epochs is None:
        session.start()
    else:
        session.continue_(epochs)
    session.wait(120)


def written(session: RatingsSession, folder: Path) -> list[str]:
    pairs = busiest_pairs(session.table, session.totals, 6, 5)
    work = write_all(results_of(session, pairs), folder)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return list(end.value)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_embeddings_and_predictions_come_back_exactly(make: Make, tmp_path: Path) -> None:
    session = make(BIAS, LESSON)
    run(session)
    written(session, tmp_path)
    learned, split = session.learned, session.split
    assert learned is not None
    assert split is not None
    items = rows_of(tmp_path / outputs.ITEMS)
    assert [row["title"] for row in items] == TITLES.tolist()
    factors = np.array([[row[f"factor {f + 1}"] for f in range(6)] for row in items], np.float32)
    assert np.array_equal(factors, learned.item_rows)
    users = rows_of(tmp_path / outputs.USERS)
    assert np.array_equal(np.array([r["bias"] for r in users], np.float32), learned.user_bias)
    assert [int(row["ratings"]) for row in users] == TABLE.user_counts().tolist()
    predictions = rows_of(tmp_path / outputs.PREDICTIONS)
    expected = learned.predict(split.valid.users, split.valid.items)
    assert [float(row["prediction"]) for row in predictions] == expected.tolist()
    arrays, facts = read_tensors(tmp_path / outputs.MODEL)
    assert np.array_equal(arrays["user_factors"], learned.user_rows)
    assert np.array_equal(arrays["predictions/prediction"], expected)
    assert facts["titles"] == TITLES.tolist()


@pytest.mark.parametrize("learn", [LESSON, FAST])
def test_the_crosstab_is_written_with_live_formulas_over_its_own_cells(
    make: Make, tmp_path: Path, learn: LearnChoice
) -> None:
    session = make(BIAS, learn)
    run(session)
    written(session, tmp_path)
    book = openpyxl.load_workbook(tmp_path / outputs.CROSSTAB)
    assert book.sheetnames == ["Crosstab"]
    formulas = [str(c.value) for row in book["Crosstab"].rows for c in row if c.data_type == "f"]
    assert sum("MMULT" in text for text in formulas) == 30
    assert not any("!" in text for text in formulas)


PLANS: dict[str, tuple[ModelChoice, LearnChoice]] = {
    "dot, momentum": (
        ModelChoice(kind="dot", factors=4),
        LearnChoice(epochs=2, optimizer="momentum", hyper=Hyper(lr=0.1, weight_decay=1e-5),
                    schedule="annealed"),
    ),
    "bias, AdamW, one cycle, rates of groups": (
        BIAS, dataclasses.replace(LESSON, group_rates=(1e-3, 5e-3))
    ),
    "bias without a range, SGD, restarts": (
        dataclasses.replace(BIAS, y_range=None),
        LearnChoice(epochs=3, optimizer="sgd", hyper=Hyper(lr=0.05), schedule="restarts"),
    ),
    "net with genres and times, Adam, dropout, a frozen group": (
        dataclasses.replace(NET, genres=True, time=True),
        LearnChoice(epochs=2, optimizer="adam", hyper=Hyper(lr=1e-3, weight_decay=1e-5),
                    schedule="constant", frozen=("hidden layer 1",)),
    ),
    "bias, early stopping": (
        BIAS,
        LearnChoice(epochs=40, optimizer="adam", hyper=Hyper(lr=0.1), patience=2,
                    schedule="constant"),
    ),
    "fast": (BIAS, FAST),
}  # fmt: skip


@pytest.mark.parametrize("plan", PLANS)
def test_the_script_learns_the_same_numbers_in_plain_pytorch(
    make: Make, tmp_path: Path, plan: str
) -> None:
    session = make(*PLANS[plan])
    run(session)
    assert_reproduced(session, tmp_path)


def test_a_run_with_changes_and_edits_on_the_way_is_reproduced(make: Make, tmp_path: Path) -> None:
    session = make(BIAS, LESSON)
    session.step(5)
    session.wait(60)
    edit_row(session, "items", 3, {2: 0.75})
    run(session)
    session.set_learn(dataclasses.replace(LESSON, batch_size=32, schedule="annealed"))
    run(session, 1)
    session.set_learn(dataclasses.replace(LESSON, optimizer="momentum", hyper=Hyper(lr=0.02)))
    run(session, 1)
    edit_row(session, "users", 0, {-1: 0.5})
    assert_reproduced(session, tmp_path)


def test_a_fast_run_with_other_settings_on_the_way_is_reproduced(
    make: Make, tmp_path: Path
) -> None:
    session = make(BIAS, FAST)
    session.step(5)
    session.wait(60)
    session.set_learn(dataclasses.replace(FAST, fast_rate=0.5, strength=5.0, strength_share=0.05))
    run(session, 4)
    assert_reproduced(session, tmp_path)


def assert_reproduced(session: RatingsSession, folder: Path) -> None:
    """Run the script where there is no gradsheet; compare its table and its numbers."""
    assert outputs.SCRIPT in written(session, folder)
    done = subprocess.run(
        [sys.executable, "-I", outputs.SCRIPT], cwd=folder, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [re.split(r"\s+", line.strip()) for line in done.stdout.splitlines()[1:]]
    rows = session.epochs
    assert len(lines) == len(rows)
    shown = [(float(train), float(valid)) for _, train, valid in lines]
    assert np.allclose(shown, [(r.train_rmse, r.valid_rmse) for r in rows], atol=2e-4)
    state = torch.load(folder / "experiment.pt", weights_only=True)
    learned = session.learned
    assert learned is not None
    weight = "" if "u" in state else ".weight"
    assert np.allclose(state[f"u{weight}"], learned.user_rows, atol=1e-3)
    assert np.allclose(state[f"m{weight}"], learned.item_rows, atol=1e-3)


def test_nothing_is_written_before_something_is_learned(make: Make, tmp_path: Path) -> None:
    session = make(BIAS, LESSON)
    with pytest.raises(UserError, match="Nothing has been learned"):
        written(session, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_split_without_a_validation_part_is_judged_by_its_training_part(
    make: Make, tmp_path: Path
) -> None:
    session = make(BIAS, FAST)
    session.set_split(SplitChoice(share=0.0))
    session.wait(60)
    run(session)
    written(session, tmp_path)
    assert len(rows_of(tmp_path / outputs.PREDICTIONS)) == len(TABLE)
