"""Memory of generated code: what may lie where another lay, and what must not."""

from __future__ import annotations

import numpy as np
import torch
from sheets import Book, PlainFormula

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.reuse import reuse_memory
from gradsheet.formula.syntax import parse

SIDE = 80


def scope_of(*names: str) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(SIDE, SIDE, dtype=torch.float64) for name in names}


def address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def test_result_lies_where_an_operand_lay_that_is_not_read_again() -> None:
    scope = scope_of("b1", "b2", "b3", "k0")
    reuse_memory(
        ["torch.mm(b9, b9, out=b1)", "torch.mul(b1, k0, out=b2)", "torch.sub(k0, b2, out=b3)"],
        scope,
    )
    assert address(scope["b1"]) == address(scope["b2"]) == address(scope["b3"])
    assert address(scope["k0"]) != address(scope["b1"])


def test_operand_that_is_read_later_keeps_its_memory() -> None:
    scope = scope_of("b1", "b2", "k0")
    lines = ["torch.mm(b9, b9, out=b1)", "torch.mul(b1, k0, out=b2)", "s1 = b1.sum()"]
    reuse_memory(lines, scope)
    assert address(scope["b1"]) != address(scope["b2"])


def test_parameters_keep_their_memory() -> None:
    scope = scope_of("b0", "b2")
    reuse_memory(["b0.copy_(theta)", "torch.mul(b0, 2.0, out=b2)"], scope)
    assert address(scope["b0"]) != address(scope["b2"])


def test_memory_that_is_filled_in_part_keeps_what_it_holds() -> None:
    scope = scope_of("b1", "b2")
    scope["b1n0"] = scope["b1"][:10]
    reuse_memory(["b1n0.copy_(k0)", "torch.mul(b1, 2.0, out=b2)"], scope)
    assert address(scope["b1"]) != address(scope["b2"])


def test_views_of_moved_memory_move_with_it() -> None:
    scope = scope_of("b1", "b2", "k0")
    scope["b2v1"] = scope["b2"].t()
    reuse_memory(["torch.mm(b9, b9, out=b1)", "torch.mul(b1, k0, out=b2)", "s = b2v1.sum()"], scope)
    scope["b1"][3, 4] = 7.0
    assert scope["b2v1"][4, 3] == 7.0


def test_small_tensors_stay_where_they_are() -> None:
    scope = {name: torch.zeros(3, 3) for name in ("b1", "b2")}
    reuse_memory(["torch.mm(b9, b9, out=b1)", "torch.mul(b1, 2.0, out=b2)"], scope)
    assert address(scope["b1"]) != address(scope["b2"])


def test_gradient_of_a_large_sheet_is_that_of_autograd_call_after_call() -> None:
    book, size = Book(), 70
    numbers = np.random.default_rng(0).normal(size=(size, size))
    cells = book.cells.setdefault(0, {})
    for r in range(size):
        cells[Cell(r, 0)] = (0.1 * r - 2.0, 1)
        for c in range(size):
            cells[Cell(r, 2 + c)] = (float(numbers[r, c]), 1)
    expr = parse("=(C1*$A1-1)*C1+2-$A1*3", Cell(0, 80))
    held = book.expressions.setdefault(0, {})
    for r in range(size):
        for c in range(size):
            held[Cell(r, 80 + c)] = PlainFormula(expr)
    loss = Cell(0, 200)
    held[loss] = PlainFormula(parse("=SUMSQ(CC1:ET70)/4900", loss))
    program = compile_program(book)
    program.recalculate()
    objective = program.objective((0, loss), [(0, Region(0, 0, size, 1))])
    data = torch.from_numpy(numbers)
    for shift in (0.0, 0.5, -1.0):
        theta = (objective.theta0 + shift).requires_grad_()
        column = theta.view(-1, 1)
        by_hand = (((data * column - 1) * data + 2 - column * 3) ** 2).sum() / 4900
        (expected,) = torch.autograd.grad(by_hand, theta)
        found, gradient = objective.loss_and_gradient(theta.detach())
        assert objective.is_specialised
        assert torch.allclose(found, by_hand.detach(), rtol=1e-12)
        assert torch.allclose(gradient, expected, rtol=1e-10)
