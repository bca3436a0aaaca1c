"""`gradsheet descend` and `gradsheet race`: what they print, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradsheet.__main__ import main


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    "name", ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "eve"]
)
def test_every_optimizer_prints_its_epochs(capsys: pytest.CaptureFixture[str], name: str) -> None:
    found = output(capsys, "descend", "--optimizer", name, "--epochs", "4")
    assert [e["epoch"] for e in found["epochs"]] == [1, 2, 3, 4]
    assert set(found["epochs"][0]) == {"epoch", "a", "b", "error"}
    assert found["epochs"][-1]["error"] < found["epochs"][0]["error"]


def test_the_first_epoch_of_sgd_is_the_2019_workbooks_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """basic!C1:C2 of 2019 hold what the last row used; ours what it produced: one row later."""
    found = output(capsys, "descend", "--optimizer", "sgd", "--epochs", "1")["epochs"][0]
    b, a = 1.0, 1.0
    from gradsheet.lessons.descent_data import lecture

    total = 0.0
    for x, y in zip(*lecture().values(), strict=True):
        error = a * x + b - y
        total += error**2
        b, a = b - 1e-4 * 2 * error, a - 1e-4 * 2 * error * x
    assert (found["a"], found["b"], found["error"]) == pytest.approx((a, b, total**0.5), rel=1e-12)


def test_points_come_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("x,y\n1,5\n2,7\n3,9\n")
    arguments = ("descend", "--data", str(path), "--lr", "0.1", "--epochs", "300")
    last = output(capsys, *arguments)["epochs"][-1]
    assert (last["a"], last["b"]) == pytest.approx((2, 3), abs=1e-3)


def test_a_batch_of_all_rows_is_one_update(capsys: pytest.CaptureFixture[str]) -> None:
    one = output(capsys, "descend", "--batch", "29", "--epochs", "1")["epochs"][0]
    online = output(capsys, "descend", "--epochs", "1")["epochs"][0]
    assert one["a"] != online["a"]


@pytest.mark.parametrize("schedule", ["linear", "cosine", "exponential", "restarts", "one-cycle"])
def test_every_schedule_runs(capsys: pytest.CaptureFixture[str], schedule: str) -> None:
    found = output(
        capsys, "descend", "--optimizer", "adam", "--schedule", schedule, "--epochs", "9"
    )
    assert len(found["epochs"]) == 9


def test_a_divergence_keeps_the_epochs_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = output(capsys, "descend", "--optimizer", "sgd", "--lr", "0.01", "--epochs", "50")
    assert 0 < len(found["epochs"]) < 50
    assert "Try 0.001" in found["failure"]


def test_an_unknown_optimizer_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["descend", "--optimizer", "adma"]) == 1
    assert "adma" in capsys.readouterr().err


def test_the_table_of_the_docs_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["descend", "--all"]) == 0
    table = capsys.readouterr().out.strip()
    page = Path(__file__).parents[3] / "docs" / "descent.md"
    assert table in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", ["same", "best", "budget"])
def test_a_race_tells_who_got_where(capsys: pytest.CaptureFixture[str], rule: str) -> None:
    found = output(capsys, "race", "--rule", rule, "--steps", "200")
    assert found["runners"][0]["name"] == "sgd"
    assert len(found["runners"]) == 8
    assert len(found["losses"]["adam"]) == found["steps"] + 1
    assert ("search" in found) == (rule != "same")


def test_a_race_runs_on_a_typed_formula(capsys: pytest.CaptureFixture[str]) -> None:
    found = output(
        capsys, "race", "--function", "(x-3)^2+y^2", "--optimizers", "adam,momentum",
        "--start", "0,0.5", "--rule", "best",
    )  # fmt: skip
    assert {r["name"] for r in found["runners"]} == {"sgd", "adam", "momentum"}
    assert all(r["loss"] < 0.1 for r in found["runners"])


def test_a_race_runs_on_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    found = output(capsys, "race", "--function", "line", "--batch", "4", "--steps", "300")
    assert found["target"] == 1.0


@pytest.mark.parametrize(
    "arguments", [("--function", "x+"), ("--start", "one"), ("--optimizers", "nobody")]
)
def test_what_cannot_race_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, str]
) -> None:
    assert main(["race", *arguments]) == 1
    assert capsys.readouterr().err.startswith("gradsheet: ")


def test_restarts_take_the_lessons_two_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = "--optimizer sgd --epochs 6 --schedule restarts --cycle-len 2 --cycle-mult 1"
    found = output(capsys, "descend", *arguments.split())
    plain = output(capsys, "descend", "--optimizer", "sgd", "--epochs", "6")
    assert found["epochs"][0] == plain["epochs"][0]
    assert found["epochs"][1] != plain["epochs"][1]


def test_a_range_test_suggests_a_rate_without_a_window(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = "--optimizer adam --epochs 100 --schedule range"
    found = output(capsys, "descend", *arguments.split())
    assert 1e-3 < found["suggestion"]["lr"] < 0.1


def test_the_noisy_line_can_be_raced(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = "--function noisy-line --rule same --steps 40 --batch 4"
    found = output(capsys, "race", *arguments.split())
    assert len(found["runners"]) == 8
    assert found["target"] > 10
