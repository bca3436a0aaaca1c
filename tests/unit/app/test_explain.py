"""Explaining the cells of a document: formats, letters, and one question at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gradsheet.app.document import Document
from gradsheet.app.explain import (
    LEAST_INTERVAL_S,
    Explainer,
    Question,
    aside_of,
    symbol_of,
    view_of,
)
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.explain import Explanation, explain
from gradsheet.formula.explain_cells import Source
from gradsheet.sheet.edits import FormatChange, SetFormat


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    document.open_lesson("bias")
    document.finish()
    yield document
    document.close()


def ask(cell: str) -> Question:
    return Question(1, Cell.parse(cell), "excel")


def test_numbers_are_written_as_the_grid_shows_them(document: Document) -> None:
    view = view_of(document.workbook, document.book.sheet, Cell.parse("H26"), document)
    text = explain(view, "excel").text
    assert all(len(part.split(".")[1]) == 2 for part in text.split() if part.count(".") == 1
               and part.replace(".", "").replace("-", "").isdigit()
               and abs(float(part)) >= 0.01)  # fmt: skip


def test_a_percent_format_does_not_enter_arithmetic(document: Document) -> None:
    document.new_workbook()
    sheet = document.book.sheet
    document.enter(sheet, Cell.parse("A1"), "0.25")
    document.apply(SetFormat(sheet, Region.parse("A1"), FormatChange(number="0%")))
    document.enter(sheet, Cell.parse("A2"), "=A1*4")
    document.finish()
    view = view_of(document.workbook, sheet, Cell.parse("A2"), document)
    assert explain(view, "excel").text == "1 = 0.25*4"


def test_letters_follow_roles_and_labels(document: Document) -> None:
    letter = symbol_of(document.workbook)
    sheet = document.book.sheet

    def of(address: str) -> tuple[str, str, bool]:
        found = letter(Source(sheet, Region.parse(address)))
        assert found is not None
        return found.text, found.sub, found.hat

    assert of("H26") == ("y", "", True)
    assert of("H2:V16") == ("y", "", False)
    assert of("H20:H24") == ("v", "", False)
    assert of("H19") == ("b", "v", False)
    assert of("A26") == ("b", "u", False)
    assert of("V42") == ("L", "", False)
    assert letter(Source(sheet, Region.parse("Z99"))) is None


def test_a_spilled_cell_is_explained_by_the_formula_that_spills(document: Document) -> None:
    from gradsheet.formula.syntax import parse
    from gradsheet.sheet.cells import Formula
    from gradsheet.sheet.edits import SetCells

    document.new_workbook()
    sheet = document.book.sheet
    formula = Formula(parse("=SEQUENCE(3)*2", Cell(0, 0)), dynamic=True)
    document.apply(SetCells(sheet, ((Cell(0, 0), formula),)))
    document.finish()
    view = view_of(document.workbook, sheet, Cell(2, 0), document)
    assert view.at == (2, 0)
    assert explain(view, "excel").text.startswith("6 = ")


def test_a_cell_without_a_formula_says_who_changes_it(document: Document) -> None:
    workbook, sheet = document.workbook, document.book.sheet

    def aside(address: str) -> str:
        return aside_of(workbook, view_of(workbook, sheet, Cell.parse(address)))

    assert aside("H20") == "movie embedding, training changes it"
    assert aside("H2") == "actual rating, a number typed in"
    assert aside("G1") == "a text typed in"
    assert aside("H26") == aside("Z99") == ""


def test_the_newest_question_is_answered_and_older_ones_are_dropped(document: Document) -> None:
    answers: list[str] = []
    explainer: Explainer[Explanation] = Explainer(
        document, lambda found: found, lambda found: answers.append(str(found.cell))
    )
    for address in ("H26", "H27", "H28", "V42"):
        explainer.ask(ask(address))
    document.finish()
    explainer.poll()
    document.finish()
    assert answers == ["H26", "V42"]
    assert not explainer.is_waiting


def test_a_running_cell_is_explained_fifteen_times_a_second_at_most(document: Document) -> None:
    now = [0.0]
    answers: list[str] = []
    explainer: Explainer[Explanation] = Explainer(
        document, lambda found: found, lambda found: answers.append(str(found.cell)),
        clock=lambda: now[0],
    )  # fmt: skip
    explainer.ask(ask("H26"))
    document.finish()
    document.run.state = "running"
    explainer.ask(ask("H26"))
    document.finish()
    assert len(answers) == 1
    assert explainer.is_waiting
    now[0] = LEAST_INTERVAL_S * 1.01
    explainer.poll()
    document.finish()
    assert len(answers) == 2
    document.run.state = "idle"


def test_another_workbook_drops_what_was_asked_of_the_old_one(document: Document) -> None:
    answers: list[str] = []
    explainer: Explainer[Explanation] = Explainer(
        document, lambda found: found, lambda found: answers.append(str(found.cell))
    )
    explainer.ask(ask("H26"))
    document.open_lesson("dotprod")
    explainer.forget()
    document.finish()
    assert answers == []
    explainer.ask(ask("H25"))
    document.finish()
    assert answers == ["H25"]
