"""A cell in three languages: numbers with their cells, mathematics, PyTorch that runs."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from sheets import Book, calculate

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.explain import LANGUAGES, explain, in_three_languages
from gradsheet.formula.explain_cells import Source, View
from gradsheet.formula.mathtree import Sym
from gradsheet.formula.values import Scalar
from gradsheet.lessons import bias, dotprod
from gradsheet.sheet.workbook import Workbook

PREDICTION = "=IF(H2=\"\",0,MMULT($B25:$F25,H$19:H$23))"
LECTURE = {
    "B25": 0.21, "C25": 1.61, "D25": 2.89, "E25": -1.26, "F25": 0.82,
    "H19": -1.69, "H20": 1.01, "H21": 0.82, "H22": 1.89, "H23": 2.39,
}  # fmt: skip


def view_of(cells: dict[str, Scalar], address: str = "Z99") -> View:
    """A formula over planted cells, calculated."""
    book: Book = calculate(cells).book
    found = calculate(cells)
    cell = Cell.parse(address)
    value = found.values.get((0, cell))
    if value is not None:
        keep = book.expressions[0][cell]
        book.put(address, value)
        book.expressions[0][cell] = keep
    return View(book, 0, cell, book.expressions.get(0, {}).get(cell))


def said(formula: str, cells: dict[str, Scalar] | None = None) -> str:
    return explain(view_of({**(cells or {}), "Z99": formula}), "excel").text


def ran(view: View) -> float:
    scope: dict[str, object] = {}
    exec(explain(view, "pytorch").copied, scope)
    return float(scope["result"])


def lesson_view(lesson: object, address: str) -> View:
    from gradsheet.formula.compiler import compile_program

    workbook: Workbook = lesson.build(0).workbook  # type: ignore[attr-defined]
    for done in compile_program(workbook).recalculate():
        workbook.sheet(done.sheet).cells.write(done.region, done.values, done.kinds)
    sheet, cell = workbook.sheets[0], Cell.parse(address)
    return View(workbook, sheet.id, cell, sheet.cells.formula(cell))


# ---------------------------------------------------------------------- numbers put in


def test_a_prediction_is_written_as_the_lecture_writes_it() -> None:
    text = said(PREDICTION, {**LECTURE, "H2": 3.0})
    assert " = 0.21*-1.69 + 1.61*1.01 + 2.89*0.82 - 1.26*1.89 + 0.82*2.39" in text


def test_every_number_is_tied_to_the_cell_it_came_from() -> None:
    view = view_of({**LECTURE, "H2": 3.0, "Z99": PREDICTION})
    sources = {s.text: s.source for s in explain(view, "excel").segments if s.source}
    assert sources["1.61"] == Source(0, Region.parse("C25"))
    assert sources["-1.69"] == Source(0, Region.parse("H19"))


def test_a_minus_sign_keeps_the_cell_of_its_number() -> None:
    view = view_of({"A1": 2.0, "A2": -3.0, "Z99": "=A1+A2"})
    explained = explain(view, "excel")
    assert explained.text == "-1 = 2 - 3"
    assert explained.segments[-1].source == Source(0, Region.parse("A2"))


def test_an_if_shows_the_branch_taken_and_why() -> None:
    assert said("=IF(A1>2,A1*10,-1)", {"A1": 3.0}) == "30 = 3*10   A1>2 is TRUE"
    assert said("=IF(A1>2,A1*10,-A1)", {"A1": 1.0}) == "-1 = -1   A1>2 is FALSE"


def test_a_blank_rating_predicts_nothing() -> None:
    assert said(PREDICTION, LECTURE).startswith('0 = 0   H2="" is TRUE')


def test_a_long_sum_is_cut_with_its_count() -> None:
    text = said("=SUM(A1:A20)", {f"A{i}": float(i) for i in range(1, 21)})
    assert text == "210 = 1 + 2 + 3 + … + 20   20 numbers"


def test_only_pairs_of_numbers_enter_the_squares() -> None:
    cells: dict[str, Scalar] = {"A1": 3.0, "B1": 1.0, "B2": 9.0, "A3": 2.0, "B3": 4.0}
    assert said("=SUMXMY2(A1:A3,B1:B3)", cells) == "8 = (3 - 1)^2 + (2 - 4)^2"


def test_a_power_of_a_negative_number_is_held_together() -> None:
    assert said("=A1^2", {"A1": -2.0}) == "4 = (-2)^2"


def test_subtracting_a_negative_number_is_held_together() -> None:
    assert said("=A1-A2", {"A1": 1.0, "A2": -2.0}) == "3 = 1 - (-2)"


def test_a_found_cell_is_named() -> None:
    view = view_of({"A1": 5.0, "A2": 7.0, "Z99": "=OFFSET(A1,1,0)*2"})
    explained = explain(view, "excel")
    assert explained.text == "14 = 7*2   OFFSET finds A2"
    assert Source(0, Region.parse("A2")) in [s.source for s in explained.segments]


def test_a_plain_number_is_itself() -> None:
    view = view_of({"A1": 3.5, "Z99": "=A1"}, "A1")
    assert explain(view, "excel").text == "3.5"
    assert ran(view) == 3.5


def test_variables_of_let_are_written_out() -> None:
    assert said("=LET(x,A1*2,x+x)", {"A1": 3.0}) == "12 = 3*2 + 3*2"


def test_a_member_of_a_matrix_product_is_a_row_times_a_column() -> None:
    book = Book()
    book.fill("A1", [[1.0, 2.0], [3.0, 4.0]])
    book.fill("C1", [[5.0, 6.0], [7.0, 8.0]])
    book.put("E1:F2", "=MMULT(A1:B2,C1:D2)", array="E1:F2")
    formula = book.expressions[0][Cell.parse("E1")]
    book.put("F2", 50.0)
    view = View(book, 0, Cell.parse("F2"), formula, Cell.parse("E1"))
    assert explain(view, "excel").text == "50 = 3*6 + 4*8"
    assert explain(view, "pytorch").text == "torch.dot(tensor([3., 4.]), tensor([6., 8.]))"
    assert ran(view) == 50.0


# ---------------------------------------------------------------------- mathematics


def test_the_loss_is_a_root_of_a_fraction_of_a_sum() -> None:
    latex = explain(lesson_view(dotprod, "V41"), "maths").copied
    assert latex.startswith(r"\mathrm{V41} = \sqrt{\frac{\sum_{k = 1}^{206}")
    assert r"\cdots" in latex


def test_letters_of_roles_stand_for_cells() -> None:
    letters = {"A1": Sym("u"), "A2": Sym("v")}
    view = view_of({"A1": 2.0, "A2": 3.0, "Z99": "=A1*A2"})
    explained = explain(view, "maths", lambda source: letters.get(str(source.region)))
    assert explained.copied == r"\mathrm{Z99} = uv = 2 \cdot 3 = 6"


def test_mathml_is_well_formed_and_its_ids_lead_to_cells() -> None:
    page, links = explain(lesson_view(bias, "H26"), "maths").mathml()
    ids = {node.get("id") for node in ElementTree.fromstring(page).iter() if node.get("id")}
    assert ids == {f"n{i}" for i in range(len(links))}
    regions = {str(link.region) for link in links}
    assert {"B26", "H20", "H19", "A26", "H26"} <= regions


# ---------------------------------------------------------------------- PyTorch


@pytest.mark.parametrize("lesson", [dotprod, bias], ids=["dotprod", "bias"])
def test_the_code_of_every_formula_of_a_lesson_gives_its_number(lesson: object) -> None:
    first = lesson_view(lesson, "A1")
    sheet = first.inputs.sheets[0]  # type: ignore[attr-defined]
    for cell, formula in list(sheet.cells.formulas().items())[::7]:
        view = View(first.inputs, sheet.id, cell, formula)
        assert math.isclose(ran(view), float(view.value or 0.0), rel_tol=1e-9, abs_tol=1e-12)


def test_the_dot_product_of_the_lecture_is_a_dot_product_in_torch() -> None:
    text = explain(lesson_view(bias, "H26"), "pytorch").text
    assert text.startswith("torch.dot(tensor([")
    text = explain(lesson_view(bias, "V42"), "pytorch").text
    assert text.startswith(
        "torch.sqrt((H2_V16 - H26_V40).square().nansum() / (~H2_V16.isnan()).sum()"
    )


def test_the_code_changes_nothing_in_the_process_that_runs_it() -> None:
    import torch

    before = torch.get_default_dtype()
    ran(lesson_view(dotprod, "V41"))
    assert torch.get_default_dtype() == before


def test_a_line_break_in_a_formula_cannot_smuggle_code_in() -> None:
    view = view_of({"A1": 1.0, "Z99": '=IF(A1="x\nraise SystemExit\n",1,2)'})
    code = explain(view, "pytorch").copied
    assert "\nraise" not in code
    assert ran(view) == 2.0


def test_a_text_function_has_its_value_put_in_and_says_so() -> None:
    view = view_of({"A1": "abc", "Z99": "=LEN(A1)+1"})
    explained = explain(view, "pytorch")
    assert "LEN(A1) is no work for tensors: its value is put in" in explained.text
    assert ran(view) == 4.0


def test_an_error_has_no_code() -> None:
    view = view_of({"A1": 0.0, "Z99": "=1/A1"})
    assert explain(view, "pytorch").copied == ""
    assert "#DIV/0!" in explain(view, "pytorch").text
    assert explain(view, "excel").text == "#DIV/0! = 1/0"


def test_every_language_has_something_to_say_of_any_cell() -> None:
    for address in ("A1", "G1", "H2", "H26", "V42", "Z99"):
        view = lesson_view(bias, address)
        for language in LANGUAGES:
            explained = explain(view, language)
            assert explained.segments or explained.maths is not None


def test_a_terminal_gets_all_three_languages() -> None:
    text = in_three_languages(lesson_view(dotprod, "H25"))
    assert "dotprod!H25" in text
    assert "import torch" in text
    assert r"\sum" in text
