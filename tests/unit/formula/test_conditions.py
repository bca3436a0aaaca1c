"""Conditions between cells: their differences and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import Program, compile_program
from gradsheet.formula.conditions import Comparison, Conditions, Relation
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import FormulaError
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook

HOST = Cell(0, 0)


def program_of(cells: dict[str, float | str]) -> Program:
    workbook = Workbook.with_sheet("model")
    sheet = workbook.sheets[0]
    for place, content in cells.items():
        cell = Cell.parse(place)
        if isinstance(content, str):
            sheet.cells.set_formula(cell, Formula(parse(content, cell)))
        else:
            sheet.cells.write(Region.of(cell), [[content]])
    program = compile_program(workbook)
    program.recalculate()
    return program


def conditions(program: Program, *rows: tuple[str, Comparison, str]) -> Conditions:
    relations = [Relation(1, parse(a, HOST), relation, parse(b, HOST)) for a, relation, b in rows]
    return program.conditions(relations, [(1, Region.parse("A1:A2"))])


CELLS: dict[str, float | str] = {"A1": 2.0, "A2": 3.0, "B1": "=A1*A2", "B2": "=A1+A2", "C1": 7.0}


def test_a_range_is_compared_cell_by_cell_with_one_number() -> None:
    found = conditions(program_of(CELLS), ("=B1:B2", "<=", "=C1"))
    assert found.count == 2
    assert found.differences(found.start).tolist() == [-1.0, -2.0]


def test_at_least_turns_the_difference_around() -> None:
    found = conditions(program_of(CELLS), ("=B1", ">=", "=10"), ("=B2", "=", "=4"))
    assert found.differences(found.start).tolist() == [4.0, 1.0]
    assert found.is_equation.tolist() == [False, True]
    assert found.owners.tolist() == [0, 1]


def test_the_pull_is_the_gradient_by_central_differences() -> None:
    found = conditions(program_of(CELLS), ("=B1:B2", "<=", "=A1^2"), ("=EXP(A2/5)", ">=", "=1"))
    weights = np.array([0.5, -2.0, 3.0])
    x, h = found.start, 1e-6
    by_hand = [
        float(weights @ (found.differences(x + step) - found.differences(x - step))) / (2 * h)
        for step in torch.eye(2, dtype=torch.float64) * h
    ]
    np.testing.assert_allclose(found.pull(x, weights), by_hand, rtol=1e-7)


def test_an_error_in_a_side_is_no_number() -> None:
    found = conditions(program_of({**CELLS, "B1": "=1/(A1-2)"}), ("=B1", "<=", "=5"))
    assert np.isnan(found.differences(found.start)).all()


def test_sides_of_different_sizes_are_refused() -> None:
    with pytest.raises(FormulaError, match="compares 2 cells with 3"):
        conditions(program_of(CELLS), ("=B1:B2", "<=", "=C1:C3"))
