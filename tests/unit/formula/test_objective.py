"""Objectives: values, gradients of cells, the fall back to full semantics, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sheets import Book, calculate

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.objective import Objective
from gradsheet.formula.values import ErrorCode, FormulaError


def made(cells: dict[str, object], loss: str, *parameters: str) -> Objective:
    program = calculate(cells).program  # type: ignore[arg-type]
    return program.objective(
        (0, Cell.parse(loss)), [(0, Region.parse(text)) for text in parameters]
    )


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_parameters_are_region_after_region_and_row_by_row() -> None:
    objective = made({"A1": 1, "B1": 2, "D1": 3, "D2": 4, "F1": "=SUM(A1:D2)"}, "F1", "A1:B1",
                     "D1:D2")  # fmt: skip
    assert objective.theta0.tolist() == [1, 2, 3, 4]


def test_a_blank_or_text_parameter_counts_as_a_number() -> None:
    objective = made({"A1": "x", "B1": 5, "F1": "=SUM(A1:C1)"}, "F1", "A1:C1")
    assert objective.theta0.tolist() == [0, 5, 0]
    assert float(objective.loss(tensor(1, 2, 3))) == 6


def test_a_formula_in_a_parameter_cell_gives_way_to_the_parameter() -> None:
    objective = made({"A1": 2, "B1": "=A1*3", "C1": "=B1^2"}, "C1", "B1", "A1")
    assert objective.theta0.tolist() == [6, 2]
    loss, gradient = objective.loss_and_gradient(tensor(5, 100))
    assert float(loss) == 25
    assert gradient.tolist() == [10, 0]


def test_values_are_the_parameters_and_all_that_depends_on_them() -> None:
    objective = made({"A1": 2, "B1": "=A1*3", "C1": "=B1^2", "D1": "=B1&\"x\"", "E1": 7}, "C1",
                     "A1")  # fmt: skip
    found = {str(c.region): (c.values.tolist(), c.kinds.tolist()) for c in
             objective.values(tensor(4.0))}  # fmt: skip
    assert found["A1"] == ([[4.0]], [[1]])
    assert found["B1"] == ([[12.0]], [[1]])
    assert found["C1"] == ([[144.0]], [[1]])
    assert found["D1"][1] == [[2]]
    assert "E1" not in found


def test_gradients_of_cells_on_the_way_follow_the_chain_rule() -> None:
    objective = made({"A1": 2, "A2": 3, "B1:B2": "=A1*3", "C1": "=SUMSQ(B1:B2)"}, "C1", "A1:A2")
    found = {str(c.region): c.values.ravel().tolist() for c in objective.gradients(tensor(2, 3))}
    assert found == {"A1:A2": [36, 54], "B1:B2": [12, 18], "C1": [1]}


def test_gradients_through_a_recurrence_reach_its_first_row() -> None:
    objective = made({"A1": 1, "A2:A11": "=A1*1.1", "B1": "=A11^2"}, "B1", "A1")
    loss, gradient = objective.loss_and_gradient(tensor(2.0))
    assert float(loss) == pytest.approx(4 * 1.1**20)
    assert gradient.tolist() == pytest.approx([4 * 1.1**20])
    (cells,) = (c for c in objective.gradients(tensor(2.0)) if str(c.region) == "A2:A11")
    assert cells.values[-1, 0] == pytest.approx(2 * 2 * 1.1**10)


def test_an_error_that_appears_on_the_way_is_handled_by_full_semantics() -> None:
    objective = made({"A1": 1, "B1": "=IFERROR(1/A1,100)+A1"}, "B1", "A1")
    assert objective.is_specialised
    loss, gradient = objective.loss_and_gradient(tensor(0.0))
    assert float(loss) == 100
    assert gradient.tolist() == [1]
    loss, gradient = objective.loss_and_gradient(tensor(0.5))
    assert (float(loss), gradient.tolist()) == (2.5, [-3])


def test_a_condition_that_turns_is_followed() -> None:
    objective = made({"A1": 1, "B1": "=IF(A1>0,A1^2,-3*A1)"}, "B1", "A1")
    assert [objective.loss_and_gradient(tensor(x))[1].item() for x in (2.0, -2.0, 3.0)] == [
        4, -3, 6,
    ]  # fmt: skip


def test_an_overflow_that_a_function_would_hide_is_seen() -> None:
    objective = made({"A1": 1, "B1": "=LEARN.SIGMOID(EXP(A1))"}, "B1", "A1")
    assert math.isnan(float(objective.loss(tensor(1000.0))))
    assert "B1 shows #NUM!" in objective.failure(tensor(1000.0))


def test_a_loss_that_is_an_error_names_its_cell() -> None:
    objective = made({"A1": 1, "B1": "=LN(A1)", "C1": "=B1*2"}, "C1", "A1")
    loss, gradient = objective.loss_and_gradient(tensor(-1.0))
    assert math.isnan(float(loss))
    assert gradient.tolist() == [0]
    assert objective.failure(tensor(-1.0)) == "Sheet1!B1 shows #NUM!"
    assert objective.failure(tensor(1.0)) == ""


def test_a_loss_that_does_not_depend_on_the_parameters_is_refused() -> None:
    with pytest.raises(FormulaError, match="does not depend"):
        made({"A1": 1, "B1": 2, "C1": "=B1*2"}, "C1", "A1")


def test_a_loss_without_a_formula_or_number_is_refused() -> None:
    with pytest.raises(FormulaError, match="holds no formula"):
        made({"A1": 1, "C1": 2}, "C1", "A1")
    with pytest.raises(FormulaError, match="not a number"):
        made({"A1": 0, "C1": "=1/A1"}, "C1", "A1")
    with pytest.raises(FormulaError, match="circle"):
        made({"A1": 0, "B1": "=C1", "C1": "=B1+A1"}, "C1", "A1")


def test_an_objective_does_not_see_later_edits() -> None:
    found = calculate({"A1": 1, "B1": 10, "C1": "=A1*B1"})
    objective = found.program.objective((0, Cell(0, 2)), [(0, Region.parse("A1"))])
    found.book.put("B1", 99.0)
    found.recalculate([(0, Region.parse("B1"))])
    assert found["C1"] == 99
    assert float(objective.loss(tensor(1.0))) == 10
    assert objective.values(tensor(2.0))[1].values.item() == 20


def test_random_cells_are_constants_in_an_objective() -> None:
    objective = made({"A1": 1, "B1": "=RAND()*A1", "C1": "=B1+RAND()*A1"}, "C1", "A1")
    assert len({float(objective.loss(tensor(2.0))) for _ in range(3)}) == 1
    full, _ = objective._slow_gradient(tensor(2.0))
    assert float(full) == pytest.approx(float(objective.loss(tensor(2.0))))


def test_a_pair_with_a_blank_side_does_not_count_in_the_loss() -> None:
    cells = {"A1": 1, "A3": 2, "B1:B3": "=D1*1", "D1": 4, "D2": 5, "D3": 6,
             "F1": "=SQRT(SUMXMY2(A1:A3,B1:B3)/COUNT(A1:A3))"}  # fmt: skip
    objective = made(cells, "F1", "D1:D3")  # type: ignore[arg-type]
    loss, gradient = objective.loss_and_gradient(objective.theta0)
    assert float(loss) == pytest.approx(math.sqrt((9 + 16) / 2))
    assert gradient[1] == 0


def test_overlapping_windows_add_their_gradients() -> None:
    book = Book()
    for row in range(1, 8):
        book.put(f"A{row}", float(row))
    book.put("B1:B5", "=SUMPRODUCT(A1:A3,$D$1:$D$3)")
    book.fill("D1", [[0.5], [-1.0], [2.0]])
    book.put("E1", "=SUMSQ(B1:B5)")
    program = compile_program(book)
    objective = program.objective(
        (0, Cell(0, 4)), [(0, Region.parse("A1:A7")), (0, Region.parse("D1:D3"))]
    )
    _, gradient = objective.loss_and_gradient(objective.theta0)
    _, slow = objective._slow_gradient(objective.theta0)
    np.testing.assert_allclose(gradient.numpy(), slow.numpy(), rtol=1e-10)


def test_an_embedding_by_offset_sums_gradients_of_equal_rows() -> None:
    book = Book()
    book.fill("A1", [[1.0, 2.0], [3.0, 4.0]])
    book.fill("D1", [[1.0], [2.0], [1.0]])
    book.put("E1:F3", "=OFFSET($A$1,$D1-1,COLUMN()-5)")
    book.put("H1", "=SUM(E1:F3)")
    objective = compile_program(book).objective((0, Cell(0, 7)), [(0, Region.parse("A1:B2"))])
    assert objective.is_specialised
    assert objective.loss_and_gradient(objective.theta0)[1].tolist() == [2, 2, 1, 1]


def test_the_fast_code_is_its_own_derivative_for_the_lessons_model() -> None:
    cells: dict[str, object] = {"A1": 5, "B1": 3, "A2": 4, "G1": "=SQRT(SUMXMY2(A1:B2,A8:B9)/3)"}
    cells |= {"A4:B4": 0.1, "A5:B5": 0.2, "D8:D9": 0.3, "E8:E9": 0.4}
    cells["A8:B9"] = '=IF(A1="",0,$D8*A$4+$E8*A$5)'
    objective = made(cells, "G1", "A4:B5", "D8:E9")
    assert "def both" in objective.code
    _, gradient = objective.loss_and_gradient(objective.theta0)
    _, slow = objective._slow_gradient(objective.theta0)
    np.testing.assert_allclose(gradient.numpy(), slow.numpy(), rtol=1e-12)


def test_errors_under_a_fixed_mask_do_not_reach_the_loss() -> None:
    cells = {"A1": 0, "A2": 2, "B1:B2": '=IF(A1=0,0,D1/A1)', "D1": 1, "D2": 3,
             "E1": "=SUM(B1:B2)"}  # fmt: skip
    objective = made(cells, "E1", "D1:D2")  # type: ignore[arg-type]
    loss, gradient = objective.loss_and_gradient(objective.theta0)
    assert float(loss) == 1.5
    assert gradient.tolist() == [0, 0.5]


def test_error_codes_stay_errors_in_values() -> None:
    objective = made({"A1": 1, "B1": "=A1*2", "C1": "=1/(A1-5)"}, "B1", "A1")
    (cell,) = (c for c in objective.values(tensor(5.0)) if str(c.region) == "C1")
    assert (cell.values.item(), cell.kinds.item()) == (ErrorCode.DIV0, 4)
