"""`gradsheet train` and `gradsheet recommend`: what they print, write and refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradsheet.app.headless import command_line as headless
from gradsheet.files.learned_files import read_tensors
from gradsheet.ratings.synthetic import synthetic_ratings

FAST = ("--mode", "fast", "--epochs", "8", "--factors", "4")
LESSON = ("--mode", "lesson", "--epochs", "2", "--factors", "4")


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of made-up ratings with a file of movies beside it."""
    folder = tmp_path_factory.mktemp("ratings")
    table, _ = synthetic_ratings(120, 60, 3000, factors=2, seed=3)
    rows = zip(table.users.tolist(), table.items.tolist(), table.ratings.tolist(), strict=True)
    lines = "".join(f"{u},{i},{r}\n" for u, i, r in rows)
    (folder / "ratings.csv").write_text("userId,movieId,rating\n" + lines, encoding="utf-8")
    movies = "".join(f"{i},The {i}th film ({1950 + i}),Drama\n" for i in range(60))
    (folder / "movies.csv").write_text("movieId,title,genres\n" + movies, encoding="utf-8")
    return folder / "ratings.csv"


def outcome_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert headless.main([str(a) for a in arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("how", [FAST, LESSON])
def test_training_prints_users_items_ratings_device_and_epochs(
    ratings: Path, capsys: pytest.CaptureFixture[str], how: tuple[str, ...]
) -> None:
    found = outcome_of(capsys, "train", ratings, *how, "--device", "cpu", "--json")
    assert (found["users"], found["items"], found["ratings"]) == (120, 60, 3000)
    assert found["device"] == "cpu"
    assert [row["epoch"] for row in found["epochs"]] == list(range(1, len(found["epochs"]) + 1))
    for row in found["epochs"]:
        assert 0 < row["train_rmse"] < 3
        assert 0 < row["valid_rmse"] < 3
        assert row["seconds"] >= 0
    assert found["epochs"][-1]["train_rmse"] < found["epochs"][0]["train_rmse"]


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(
    ratings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [
        outcome_of(capsys, "train", ratings, *LESSON, "--seed", seed, "--json")["epochs"]
        for seed in (1, 1, 2)
    ]
    errors = [[row["valid_rmse"] for row in run] for run in runs]
    assert errors[0] == errors[1]
    assert errors[0] != errors[2]


@pytest.mark.parametrize("model", ["dot", "dot-bias", "net"])
def test_every_model_trains_writes_its_files_and_recommends(
    ratings: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, model: str
) -> None:
    found = outcome_of(
        capsys, "train", ratings, "--model", model, "--epochs", "2", "--factors", "4",
        "--optimizer", "adam", "--lr", "0.01", "--wd", "1e-5", "--schedule", "annealed",
        "--batch", "32", "--valid-share", "0.1", "--output", tmp_path, "--json",
    )  # fmt: skip
    assert set(found["files"]) == {path.name for path in tmp_path.iterdir()}
    assert {"users.csv", "items.csv", "predictions.csv", "model.safetensors", "crosstab.xlsx",
            "experiment.py", "experiment.npz"} <= set(found["files"])  # fmt: skip
    arrays, _ = read_tensors(tmp_path / "model.safetensors")
    assert len(arrays["predictions/rating"]) == 300
    given = ("--rate", "The 7th film=5", "--rate", "12=1", "--at-least", "0", "--json")
    told = outcome_of(capsys, "recommend", tmp_path, *given)
    titles = ["The 7th film (1957)", "The 12th film (1962)"]
    assert [row["title"] for row in told["rated"]] == titles
    assert len(told["recommendations"]) == 10
    predictions = [row["prediction"] for row in told["recommendations"]]
    assert predictions == sorted(predictions, reverse=True)
    for row in told["recommendations"]:
        if row["parts"]:
            assert sum(stars for _, stars in row["parts"]) == pytest.approx(row["prediction"], 1e-6)
    assert bool(told["recommendations"][0]["parts"]) == (model != "net")


def test_a_file_to_judge_by_replaces_the_share(
    ratings: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = ratings.read_text(encoding="utf-8").splitlines()
    held = tmp_path / "held.csv"
    held.write_text("\n".join([lines[0], *lines[1::10]]) + "\n", encoding="utf-8")
    found = outcome_of(
        capsys, "train", ratings, *FAST, "--valid", held, "--output", tmp_path / "out", "--json"
    )
    arrays, _ = read_tensors(tmp_path / "out" / "model.safetensors")
    assert len(arrays["predictions/rating"]) == len(lines[1::10])
    assert found["ratings"] == 3000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--mode", "fast", "--model", "net"), "a net has layers"),
        (("--lr", "-1"), "lr cannot be -1"),
        (("--valid-share", "1.5"), "cannot be kept back"),
    ],
)
def test_what_cannot_be_is_said_on_standard_error(
    ratings: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert headless.main(["train", str(ratings), *arguments]) == 1
    assert told in capsys.readouterr().err


def test_titles_that_are_unknown_or_not_the_only_ones_are_said(
    ratings: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    outcome_of(capsys, "train", ratings, *FAST, "--output", tmp_path, "--json")
    for rating, told in (
        ("The 1=5", "11 titles"), ("nothing like it=5", "No title"), ("The 7th film", "no rating"),
    ):  # fmt: skip
        assert headless.main(["recommend", str(tmp_path), "--rate", rating]) == 1
        assert told in capsys.readouterr().err
    assert headless.main(["recommend", str(ratings), "--rate", "1=5"]) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("how", [FAST, (*LESSON, "--optimizer", "adam", "--lr", "0.01")])
def test_two_processes_learn_what_one_learns(
    ratings: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, how: tuple[str, ...]
) -> None:
    alone = outcome_of(
        capsys, "train", ratings, *how, "--device", "cpu", "--output", tmp_path / "one", "--json"
    )
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         "-m", "gradsheet", "train", str(ratings), *how, "--device", "cpu",
         "--output", str(tmp_path / "two"), "--json"],
        capture_output=True, text=True, timeout=180, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    together = json.loads(done.stdout)
    for name in ("train_rmse", "valid_rmse"):
        one, two = ([row[name] for row in run["epochs"]] for run in (alone, together))
        assert np.allclose(one, two, atol=1e-4)
    ours, theirs = (read_tensors(tmp_path / n / "model.safetensors")[0] for n in ("one", "two"))
    assert np.allclose(ours["user_factors"], theirs["user_factors"], atol=1e-3)
    assert np.allclose(
        ours["predictions/prediction"], theirs["predictions/prediction"], atol=1e-3
    )
