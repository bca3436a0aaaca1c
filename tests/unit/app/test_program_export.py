"""Exported scripts and notebooks make the run again, in a process that has no gradsheet."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gradsheet.app.document import Document
from gradsheet.app.export.exporting import export_job
from gradsheet.app.export.script import script_text
from gradsheet.app.export.script_facts import run_facts
from gradsheet.app.lab.schedule_choice import TITLES, ScheduleChoice
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import UserError
from gradsheet.learn.optimizers import OPTIMIZERS
from gradsheet.learn.problem import Parameter, Problem
from gradsheet.lessons import blank, catalogue
from gradsheet.lessons.lesson import LessonBook
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import SetCells, SetRoles
from gradsheet.sheet.workbook import Role, RoleRegion, Workbook

RUNNER = """
import contextlib, io, json, sys
sys.modules["gradsheet"] = None  # an import of it fails
for path in sys.argv[1:]:
    text = open(path, encoding="utf-8").read()
    cells = [text]
    if path.endswith(".ipynb"):
        book = json.loads(text)["cells"]
        cells = ["".join(c["source"]) for c in book if c["cell_type"] == "code"]
    scope, out = {"__name__": "__main__"}, io.StringIO()
    with contextlib.redirect_stdout(out):
        for cell in cells:
            exec(compile(cell, path, "exec"), scope)
    if path.endswith(".ipynb"):
        assert "<svg" in scope["Curve"](scope["losses"])._repr_svg_()
    print(json.dumps([out.getvalue(), scope["losses"]]))
"""


@dataclass
class Case:
    """A run, and what its program came to."""

    path: Path
    loss: float
    trace: list[float]
    printed: float = 0.0
    losses: list[float] = field(default_factory=list)


class Cases:
    """Runs that are exported one by one; all programs run in one fresh interpreter."""

    def __init__(self, folder: Path) -> None:
        self.document = Document()
        self.made: dict[str, Case] = {}
        self._folder = folder

    def open(self, lesson: str) -> Document:
        self.document.open_lesson(lesson)
        self.document.finish()
        return self.document

    def take(self, steps: int) -> None:
        self.document.step_run(steps)
        self.document.finish()

    def export(self, name: str, ending: str = ".py") -> None:
        document = self.document
        path = self._folder / f"{name}{ending}"
        export_job(document, path, document.book.sheet)()
        loss, trace = document.loss_now(), document.run.trace.arrays()[1].tolist()
        self.made[path.name] = Case(path, loss, trace)

    def run(self) -> None:
        done = subprocess.run(
            [sys.executable, "-I", "-W", "error", "-c", RUNNER,
             *(str(case.path) for case in self.made.values())],
            capture_output=True, text=True, timeout=280, cwd=self._folder, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        lines = done.stdout.splitlines()
        for case, line in zip(self.made.values(), lines, strict=True):
            text, case.losses = json.loads(line)
            case.printed = float(text.rsplit(":", 1)[1])


RATES = {"sgd": 0.5, "lesson_adagrad": 1e-5, "eve": 1e-3}
OPTIMIZER_NAMES = tuple(OPTIMIZERS)
SCHEDULES = [("dotprod", name) for name in TITLES] + [("adam", "cosine"), ("adam", "one-cycle")]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    made = Cases(tmp_path_factory.mktemp("programs"))
    for name in catalogue.LESSONS:
        made.open(name)
        made.take(12)
        made.export(f"lesson-{name}")
        made.export(f"lesson-{name}", ".ipynb")
    for name in OPTIMIZER_NAMES:
        document = made.open("dotprod")
        document.set_optimizer(name)
        document.set_hyper(lr=RATES.get(name, 0.02), weight_decay=0.01)
        made.take(15)
        made.export(f"optimizer-{name}")
    for lesson, name in SCHEDULES:
        made.open(lesson).set_schedule(ScheduleChoice(name, total=20, cycle_len=4, cycle_mult=2))
        made.take(15)
        made.export(f"schedule-{lesson}-{name}")
    for name, (lesson, change) in CHANGES.items():
        document = made.open(lesson)
        made.take(9)
        change(document)
        made.take(7)
        made.export(f"change-{name}")
    for make in WORKBOOKS:
        made.document.open_book(make(), blank.LESSON, None)
        made.document.finish()
        made.take(40)
        made.export(f"own-{make.__name__}")
    locked_and_slowed(made.open("dotprod"))
    made.take(12)
    made.export("locked")
    made.document.close()
    made.run()
    return made.made


def changed_rate(document: Document) -> None:
    document.set_hyper(lr=0.01 if document.lesson.id == "dotprod" else 2e-5)


def edited_cell(document: Document) -> None:
    parameter = document.problem.parameters[0]
    document.apply(SetCells(parameter.sheet, ((parameter.region.first, 0.75),)))
    document.finish()


def other_optimizer(document: Document) -> None:
    document.set_optimizer("momentum")


def undone_step(document: Document) -> None:
    document.step_back()
    document.finish()
    document.set_hyper(lr=0.2)


CHANGES: dict[str, tuple[str, Callable[[Document], None]]] = {
    "rate": ("dotprod", changed_rate),
    "cell": ("dotprod", edited_cell),
    "optimizer": ("dotprod", other_optimizer),
    "step-back": ("dotprod", undone_step),
    "rate-of-epochs": ("momentum", changed_rate),
    "cell-of-epochs": ("momentum", edited_cell),
}


def locked_and_slowed(document: Document) -> None:
    sheet = document.workbook.sheets[0]
    roles = tuple(
        RoleRegion(r.region, r.role, r.label, locked=r.role is Role.ITEM,
                   rate_scale=0.5 if r.role is Role.USER else 1.0)
        for r in sheet.roles
    )  # fmt: skip
    document.apply(SetRoles(sheet.id, roles))
    document.finish()


def book_of(cells: dict[str, str | float], loss: str, *parameters: str, goal: str = "minimise",
            target: float = 0.0) -> LessonBook:  # fmt: skip
    workbook = Workbook.with_sheet("mine")
    sheet = workbook.sheets[0]
    made = []
    for place, content in cells.items():
        cell = Cell.parse(place)
        is_formula = isinstance(content, str) and content.startswith("=")
        made.append((cell, Formula(parse(content, cell)) if is_formula else content))
    workbook.apply(SetCells(sheet.id, tuple(made)))
    problem = Problem((sheet.id, Cell.parse(loss)),
                      tuple(Parameter(sheet.id, Region.parse(p)) for p in parameters),
                      goal, target)  # fmt: skip
    return LessonBook(workbook, problem, "adam", sheet.id, Cell(0, 0), "cost", {"lr": 0.05})


def gradient_scan() -> LessonBook:
    """A user's own descent, row by row; what is learned are its start and its rate."""
    cells: dict[str, str | float] = {"A1": 3.0, "B1": 0.05, "D1": "=SUM(C3:C12)/COUNT(C3:C12)"}
    for row in range(3, 13):
        before = "$A$1" if row == 3 else f"A{row - 1}-$B$1*B{row - 1}"
        cells |= {f"A{row}": f"={before}", f"B{row}": f"=2*(A{row}-1)",
                  f"C{row}": f"=(A{row}-1)^2"}  # fmt: skip
    return book_of(cells, "D1", "A1:B1")


def with_look_up() -> LessonBook:
    cells: dict[str, str | float] = {f"A{i}": float(i) for i in range(1, 6)}
    cells |= {f"B{i}": float(i * i % 7) for i in range(1, 6)}
    cells |= {f"C{i}": f"=VLOOKUP(A{i},A$1:B$5,2,FALSE)*E$1+E$2" for i in range(1, 6)}
    cells |= {"E1": 0.3, "E2": 0.1, "F1": "=STDEV.S(C1:C5)+AVERAGE(ABS(C1),SUMSQ(C1:C5))"}
    return book_of(cells, "F1", "E1:E2")


def with_rows_of_products() -> LessonBook:
    cells: dict[str, str | float] = {"A1": 1.0, "B1": 2.0, "C1": -1.0, "F1": "=SUM(E3:E8)/6"}
    for row in range(3, 9):
        cells |= {f"{c}{row}": float((row * k) % 5) for k, c in enumerate("ABC", 2)}
        cells[f"D{row}"] = f"=LEARN.SIGMOID(SUMPRODUCT(A{row}:C{row},A$1:C$1))"
        cells[f"E{row}"] = f"=IF(D{row}>0.5,(1-D{row})^2,D{row}^2)+MAX(0,A$1)/10"
    return book_of(cells, "F1", "A1:C1", goal="value", target=0.2)


WORKBOOKS = (gradient_scan, with_look_up, with_rows_of_products)


def agrees(case: Case) -> None:
    assert case.printed == pytest.approx(case.loss, rel=1e-6, abs=1e-9)
    assert case.losses[-len(case.trace) :] == pytest.approx(case.trace, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("ending", [".py", ".ipynb"])
@pytest.mark.parametrize("name", list(catalogue.LESSONS))
def test_every_lesson_gives_its_losses_as_a_program(
    name: str, ending: str, cases: dict[str, Case]
) -> None:
    agrees(cases[f"lesson-{name}{ending}"])


@pytest.mark.parametrize("name", OPTIMIZER_NAMES)
def test_every_optimizer_makes_the_same_steps_in_a_script(
    name: str, cases: dict[str, Case]
) -> None:
    agrees(cases[f"optimizer-{name}.py"])


@pytest.mark.parametrize(("lesson", "name"), SCHEDULES)
def test_every_schedule_moves_the_rate_of_a_script(
    lesson: str, name: str, cases: dict[str, Case]
) -> None:
    agrees(cases[f"schedule-{lesson}-{name}.py"])


@pytest.mark.parametrize("name", list(CHANGES))
def test_changes_by_hand_in_the_middle_of_a_run_are_in_the_script(
    name: str, cases: dict[str, Case]
) -> None:
    agrees(cases[f"change-{name}.py"])


@pytest.mark.parametrize("make", WORKBOOKS)
def test_any_workbook_with_a_loss_gives_a_script(
    make: Callable[[], LessonBook], cases: dict[str, Case]
) -> None:
    case = cases[f"own-{make.__name__}.py"]
    agrees(case)
    is_recorded = "theta = torch.cat" in case.path.read_text()
    assert is_recorded is (make is with_look_up)


def test_locks_and_rates_of_ranges_are_in_the_script(cases: dict[str, Case]) -> None:
    agrees(cases["locked.py"])
    assert "locked, it does not move" in cases["locked.py"].path.read_text()


@pytest.fixture
def opened() -> Iterator[Callable[[str], Document]]:
    document = Document()

    def open_lesson(name: str) -> Document:
        document.open_lesson(name)
        document.finish()
        return document

    yield open_lesson
    document.close()


def test_the_script_calls_ranges_by_what_the_sheet_calls_them(
    opened: Callable[[str], Document],
) -> None:
    document = opened("bias")
    text = script_text(run_facts(document))
    assert "user_embedding @ movie_embedding" in text
    assert "torch.optim.Adam([movie_bias, movie_embedding, user_bias, user_embedding]" in text
    assert {line for line in text.splitlines() if line.startswith(("import", "from"))} == {
        "import math", "import torch"
    }  # fmt: skip


def test_a_notebook_is_nbformat_4_and_teaches_the_lesson(
    opened: Callable[[str], Document], tmp_path: Path
) -> None:
    document = opened("dotprod")
    path = tmp_path / "dotprod.ipynb"
    export_job(document, path, document.book.sheet, steps=5)()
    book = json.loads(path.read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in book["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in book["cells"]:
        wanted = {"cell_type", "id", "metadata", "source"}
        extra = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == wanted | extra
    texts = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "markdown"]
    assert any("Fifteen users have rated fifteen films" in text for text in texts)
    assert any("## The loss" in text for text in texts)


def test_a_workbook_without_a_loss_says_so(opened: Callable[[str], Document]) -> None:
    document = opened("dotprod")
    document.new_workbook()
    document.finish()
    with pytest.raises(UserError):
        run_facts(document)
