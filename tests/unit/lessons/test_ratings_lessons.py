"""The collaborative-filtering lessons: the lecture's addresses, formulas and end states."""

from __future__ import annotations

import numpy as np
import pytest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import unparse
from gradsheet.learn.optimizers import make_optimizer
from gradsheet.learn.trainer import Trainer
from gradsheet.lessons import catalogue
from gradsheet.lessons.lesson import Crosstab, LessonBook, lesson_crosstab
from gradsheet.sheet.workbook import Role

FORMULAS = {
    "dotprod": {
        "H25": '=IF(H2="",0,MMULT($B25:$F25,H$19:H$23))',
        "V39": '=IF(V16="",0,MMULT($B39:$F39,V$19:V$23))',
        "V41": "=SQRT(SUMXMY2(H2:V16,H25:V39)/COUNT(H2:V16))",
    },
    "bias": {
        "H26": '=IF(H2="",0,MMULT($B26:$F26,H$20:H$24))+H$19+$A26',
        "V40": '=IF(V16="",0,MMULT($B40:$F40,V$20:V$24))+V$19+$A40',
        "V42": "=SQRT(SUMXMY2(H2:V16,H26:V40)/COUNT(H2:V16))",
    },
}


def train(book: LessonBook, steps: int) -> float:
    program = compile_program(book.workbook)
    program.recalculate()
    objective = program.objective(book.problem.loss, book.problem.regions)
    optimizer = make_optimizer(book.optimizer, **book.hyper)
    trainer = Trainer(objective, optimizer, problem=book.problem)
    trainer.advance(steps)
    return trainer.snapshot().loss


def test_the_lecture_has_206_ratings_of_15_by_15() -> None:
    data = lesson_crosstab()
    assert data.ratings.shape == (15, 15)
    assert np.isfinite(data.ratings).sum() == 206
    assert data.users == (14, 29, 72, 211, 212, 293, 310, 379, 451, 467, 508, 546, 563, 579, 623)
    assert data.items == (27, 49, 57, 72, 79, 89, 92, 99, 143, 179, 180, 197, 402, 417, 505)


@pytest.mark.parametrize("lesson", ["dotprod", "bias"])
def test_formulas_stand_where_the_lecture_has_them(lesson: str) -> None:
    cells = catalogue.find(lesson).build(0, None).workbook.sheets[0].cells
    for address, text in FORMULAS[lesson].items():
        cell = Cell.parse(address)
        formula = cells.formula(cell)
        assert formula is not None
        assert unparse(formula.expr, cell) == text
    assert cells.formula_count == 226


def test_changing_cells_are_those_of_the_lectures_solver() -> None:
    dotprod = catalogue.find("dotprod").build(0, None).problem
    assert [str(region) for _, region in dotprod.regions] == ["H19:V23", "B25:F39"]
    assert dotprod.size == 150
    bias = catalogue.find("bias").build(0, None).problem
    assert [str(region) for _, region in bias.regions] == [
        "H19:V19", "H20:V24", "A26:A40", "B26:F40",
    ]  # fmt: skip
    assert bias.size == 180


def test_every_role_is_marked() -> None:
    sheet = catalogue.find("bias").build(0, None).workbook.sheets[0]
    by_role = {role: {str(r.region) for r in sheet.roles if r.role is role} for role in Role}
    assert by_role[Role.DATA] == {"H2:V16"}
    assert by_role[Role.PREDICTION] == {"H26:V40"}
    assert by_role[Role.LOSS] == {"V42"}
    assert by_role[Role.ITEM] == {"H19:V19", "H20:V24"}
    assert by_role[Role.USER] == {"A26:A40", "B26:F40"}


def test_the_same_seed_gives_the_same_numbers_and_another_gives_others() -> None:
    def start(seed: int) -> bytes:
        cells = catalogue.find("bias").build(seed, None).workbook.sheets[0].cells
        return cells.read(Region.parse("A1:V42"))[0].tobytes()

    assert start(3) == start(3)
    assert start(3) != start(4)


@pytest.mark.parametrize(("lesson", "bound"), [("dotprod", 0.40), ("bias", 0.33)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_adam_reaches_the_lectures_loss(lesson: str, bound: float, seed: int) -> None:
    assert train(catalogue.find(lesson).build(seed, None), 3000) < bound


def test_fewer_users_and_items_move_the_blocks_by_the_same_rules() -> None:
    data = Crosstab(
        ratings=np.array([[5.0, np.nan], [3.0, 4.0], [1.0, 2.0]]),
        users=(0, 1, 2),
        items=(0, 4),
        user_labels=("ann", "bob", "cas"),
        item_labels=("a film", "another"),
        source="test",
    )
    book = catalogue.find("bias").build(0, data)
    assert train(book, 500) < 0.05
    sheet = book.workbook.sheets[0]
    assert sheet.column_labels[7] == "a film"
    assert sheet.row_labels[1] == "ann"


def test_every_lesson_has_a_guide_and_a_summary() -> None:
    for lesson in catalogue.LESSONS.values():
        assert lesson.guide().startswith("# ")
        assert lesson.summary.endswith(".")
